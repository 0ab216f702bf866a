//! What administrators have to look at, and settle.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use countersign_model::ids::FindingId;
use countersign_store::{Tx, findings};

pub use countersign_store::findings::{FindingLine, Which};

/// The most findings that one page of a list gives.
pub const LONGEST_PAGE: i64 = 200;

/// A page of findings.
#[derive(Debug)]
pub struct FindingsPage {
    /// The findings, the newest first.
    pub lines: Vec<FindingLine>,
    /// How many there are in all.
    pub total: i64,
    /// How many are open.
    pub open: i64,
}

impl Countersign {
    /// A page of the findings of the actor's account.
    pub async fn findings(
        &self,
        actor: &SessionActor,
        which: Which,
        (offset, limit): (i64, i64),
        origin: &Origin,
    ) -> Result<FindingsPage, Error> {
        let deed = Deed::on(actor, Action::ListFindings.code(), "");
        let (offset, limit) = (offset.max(0), limit.clamp(1, LONGEST_PAGE));
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<FindingsPage, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ListFindings, &Resource::Account(account.clone()))?;
            Ok(FindingsPage {
                lines: findings::list(tx, account, which, limit, offset).await?,
                total: findings::count(tx, account, which).await?,
                open: findings::count(tx, account, Which::Open).await?,
            })
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Settles a finding: somebody has looked at it.
    pub async fn settle_finding(&self, actor: &SessionActor, finding: &str, origin: &Origin) -> Result<(), Error> {
        let deed = Deed::on(actor, Action::SettleFinding.code(), "");
        let id = finding.to_owned();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
            let account = session.account_id();
            admitted.may(Action::SettleFinding, &Resource::Account(account.clone()))?;
            let id: FindingId = id.parse().map_err(|_| Refusal::FindingNotFound)?;
            let settled = findings::settle(tx, account, &id, &session.found.name, admitted.now).await?;
            let (kind, about) = settled.ok_or(Refusal::FindingNotFound)?;
            admitted.tell("finding", id.as_str());
            admitted.tell("kind", &kind);
            admitted.tell("about", &about);
            Ok(())
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}
