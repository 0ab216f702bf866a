//! A log that is not what was written: the administrators get a finding, the operator a line in the server's log, a
//! number among the metrics and a line from `doctor`.

use super::problem::Problem;
use crate::Countersign;
use crate::error::Error;
use crate::notices::Finding;
use countersign_model::ids::AccountId;
use countersign_model::notice::FindingKind;
use countersign_store::{Tx, findings, principals};

impl Countersign {
    /// Tells that something is wrong with the log of an account. One finding at a time stands open.
    pub(super) async fn report_broken_log(&self, account: &AccountId, problem: &Problem) -> Result<(), Error> {
        tracing::error!(target: "audit", %account, %problem, "this audit log is not what was written");
        let (this, account, details) = (self.clone(), account.clone(), format!("entry={};", problem.seq));
        let unit = async move |tx: &mut Tx<'_>| -> Result<i64, Error> {
            let kind = FindingKind::AuditLogBroken;
            if findings::count_open_of(tx, &account, kind).await? == 0
                && let Some(owner) = principals::find_owner_of(tx, &account).await?
            {
                let finding = Finding {
                    account: &account,
                    principal: &owner.id,
                    principal_name: &owner.name,
                    kind,
                    details: &details,
                };
                this.raise(tx, finding).await?;
            }
            Ok(findings::count_open_everywhere(tx, kind).await?)
        };
        let broken = self.inner.store.write(unit).await?;
        self.inner.metrics.audit_logs_broken(broken);
        Ok(())
    }

    /// Counts the logs that are not what was written and that no administrator has looked into.
    pub(super) async fn count_broken_logs(&self) -> Result<(), Error> {
        let count = async move |tx: &mut Tx<'_>| -> Result<i64, Error> {
            Ok(findings::count_open_everywhere(tx, FindingKind::AuditLogBroken).await?)
        };
        self.inner.metrics.audit_logs_broken(self.inner.store.read(count).await?);
        Ok(())
    }
}
