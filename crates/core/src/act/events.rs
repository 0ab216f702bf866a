//! What the audit log is told: the event of a deed, in its transaction.

use crate::Countersign;
use crate::act::Deed;
use crate::actor::Origin;
use crate::error::Error;
use countersign_model::audit::{AuditActor, AuditEvent, Outcome};
use countersign_model::ids::{AccountId, EventId, PrincipalId};
use countersign_store::{Tx, audit};
use std::time::Duration;

/// So many refusals of one actor for the same deed and reason are written down one by one within [`ALIKE_WITHIN`]; more
/// are counted, so that nobody who may log on can fill the disk.
const MOST_ALIKE: i64 = 20;
const ALIKE_WITHIN: Duration = Duration::from_mins(1);

impl Countersign {
    /// Writes the audit event of what was done or refused. Faults roll back, so nothing of them is written.
    pub(super) async fn write_down<T>(
        &self,
        tx: &mut Tx<'_>,
        actor: AuditActor,
        origin: &Origin,
        (deed, details, subject): (&Deed, &str, Option<&PrincipalId>),
        result: &Result<T, Error>,
    ) -> Result<(), Error> {
        let (outcome, reason) = match result {
            Ok(_) => (Outcome::Success, ""),
            Err(Error::Refused { refusal, reason }) if is_unjudged(reason) => {
                return Ok(audit::count_refusal(tx, self.now(), &origin.address, refusal.code()).await?);
            }
            Err(Error::Refused { reason, .. }) => (Outcome::Refused, *reason),
            Err(Error::ProofRequired(_)) => (Outcome::Refused, "proof_required"),
            Err(Error::Unavailable(_) | Error::ClockBehind | Error::Fault(_)) => return Ok(()),
        };
        let details = &format!("{details}{}", refusal_told(result));
        let event = Written { actor, action: deed.code, target: &deed.target, outcome, reason, details };
        self.write_event_on(tx, (&deed.account, subject), origin, event).await
    }

    pub(crate) async fn write_event(
        &self,
        tx: &mut Tx<'_>,
        account: &AccountId,
        origin: &Origin,
        written: Written<'_>,
    ) -> Result<(), Error> {
        self.write_event_on(tx, (account, None), origin, written).await
    }

    /// Writes the event of something done to somebody of the account, if to anybody.
    pub(crate) async fn write_event_on(
        &self,
        tx: &mut Tx<'_>,
        (account, subject): (&AccountId, Option<&PrincipalId>),
        origin: &Origin,
        written: Written<'_>,
    ) -> Result<(), Error> {
        let now = self.now();
        let event = AuditEvent {
            account_id: account.clone(),
            id: EventId::at(now, &*self.inner.entropy),
            at: now,
            actor: written.actor,
            action: written.action.to_owned(),
            target: written.target.to_owned(),
            outcome: written.outcome,
            reason: written.reason.to_owned(),
            details: format!("{}{}", written.details, origin.details(written.action)),
            address: origin.address.clone(),
            user_agent: origin.user_agent.clone(),
        };
        if event.outcome == Outcome::Refused && !event.actor.id.is_empty() {
            let alike = audit::count_alike(tx, &event, now.minus(ALIKE_WITHIN), MOST_ALIKE).await?;
            if alike >= MOST_ALIKE {
                return Ok(audit::count_refusal(tx, now, &event.address, &event.reason).await?);
            }
        }
        audit::insert(tx, &event).await?;
        if let Some(subject) = subject {
            audit::insert_subject(tx, &event, subject).await?;
        }
        Ok(())
    }
}

/// Whether a try was refused without a look at it, because a pause runs or the factor is disabled. There is no limit to
/// how many of these somebody can make, so they are counted for each address and minute; the tries that led to the pause
/// stand in the log one by one.
pub(crate) fn is_unjudged(reason: &str) -> bool {
    matches!(
        reason,
        "factor_paused" | "factor_disabled" | "password_paused" | "password_disabled" | "network_exhausted"
    )
}

/// What was refused, as a detail of an event whose reason says more than that.
pub(crate) fn refusal_told<T>(result: &Result<T, Error>) -> String {
    match result {
        Err(Error::Refused { refusal, reason }) if *reason != refusal.code() => format!("refusal={refusal};"),
        Err(
            Error::Refused { .. }
            | Error::ProofRequired(_)
            | Error::Unavailable(_)
            | Error::ClockBehind
            | Error::Fault(_),
        )
        | Ok(_) => String::new(),
    }
}

/// What an audit event tells besides time and origin.
pub(crate) struct Written<'a> {
    pub(crate) actor: AuditActor,
    pub(crate) action: &'static str,
    pub(crate) target: &'a str,
    pub(crate) outcome: Outcome,
    pub(crate) reason: &'a str,
    /// What else there is to know, as `key=value;` words.
    pub(crate) details: &'a str,
}
