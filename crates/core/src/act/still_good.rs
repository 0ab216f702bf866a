//! Whether a session or key that was found is still good.

use crate::actor::AccessKeyActor;
use crate::error::{Error, Refusal};
use countersign_model::Timestamp;
use countersign_model::access_key::AccessKeyState;
use countersign_model::ids::AccessKeyId;
use countersign_model::session::IDLE_LIMIT;
use countersign_store::sessions::{SessionInFull, SessionLine};
use countersign_store::{Tx, access_keys};
use std::sync::Arc;
use std::time::Duration;

/// The key of this id as it is now, if it may sign.
pub(super) async fn good_access_key(
    tx: &mut Tx<'_>,
    id: &AccessKeyId,
    now: Timestamp,
) -> Result<AccessKeyActor, Error> {
    let found = access_keys::find_in_full(tx, id).await?.ok_or(Refusal::SigningKeyNotFound)?;
    good_key(AccessKeyActor { found: Arc::new(found), as_of: None }, now)
}

/// Whether a key found is still good.
pub(super) fn good_key(actor: AccessKeyActor, now: Timestamp) -> Result<AccessKeyActor, Error> {
    match actor.state(now) {
        AccessKeyState::Active => Ok(actor),
        AccessKeyState::Inactive => Err(Refusal::AccessKeyInactive.into()),
        AccessKeyState::Idle => Err(Error::because(Refusal::AccessKeyInactive, "access_key_idle")),
    }
}

/// Whether a session found is still good: both epochs, its end, its idleness.
pub(super) fn good_session(found: &SessionInFull, now: Timestamp) -> Result<(), Error> {
    let session = &found.session;
    let times = Times { created: session.created_at, seen: session.last_seen_at, end: session.expires_at };
    let carried = (session.principal_epoch, session.account_epoch);
    match why_over(carried, (found.principal_epoch, found.account_epoch), &times, now) {
        None => Ok(()),
        Some(reason) => Err(Error::because(Refusal::NotLoggedOn, reason)),
    }
}

/// Whether a listed session is still good, by the present epochs of its principal and account.
pub(crate) fn is_good(line: &SessionLine, epochs: (i64, i64), now: Timestamp) -> bool {
    let times = Times { created: line.created_at, seen: line.last_seen_at, end: line.expires_at };
    why_over((line.principal_epoch, line.account_epoch), epochs, &times, now).is_none()
}

struct Times {
    created: Timestamp,
    seen: Timestamp,
    end: Timestamp,
}

fn why_over(carried: (i64, i64), present: (i64, i64), times: &Times, now: Timestamp) -> Option<&'static str> {
    if carried != present {
        Some("session_superseded")
    } else if now >= times.end || now < times.created.minus(Duration::from_mins(1)) {
        Some("session_expired")
    } else if now.since(times.seen) >= IDLE_LIMIT {
        Some("session_idle")
    } else {
        None
    }
}
