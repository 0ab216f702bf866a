//! The audit log: entries are added, read in order, and never changed.

use crate::audit_chain::event_bound;
use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::audit::{AuditActor, AuditEvent, Outcome};
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::machine::customer_network;

statements! {
    INSERT = "INSERT INTO audit_events (account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, \
              outcome, reason, details, address, user_agent) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    INSERT_SUBJECT = "INSERT INTO audit_subjects (account_id, principal_id, event_id) VALUES ($1, $2, $3)";
    LATEST = "SELECT account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome, reason, \
              details, address, user_agent FROM audit_events WHERE account_id = $1 ORDER BY event_id DESC LIMIT $2";
    COUNT_REFUSAL = "INSERT INTO anonymous_refusals (minute, address, reason, times) VALUES ($1, $2, $3, 1) \
                     ON CONFLICT (minute, address, reason) DO UPDATE SET times = anonymous_refusals.times + 1";
    ALIKE = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_events \
             WHERE account_id = $1 AND actor_id = $2 AND actor_id <> '' AND event_id >= $3 AND action = $4 \
             AND outcome = $5 AND reason = $6 LIMIT $7) alike";
    REFUSALS = "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM anonymous_refusals WHERE minute >= $1";
    SWEEP_REFUSALS = "DELETE FROM anonymous_refusals WHERE minute < $1";
}

/// Adds an entry.
pub async fn insert(tx: &mut Tx<'_>, event: &AuditEvent) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        params![
            event.account_id,
            event.id,
            event.at,
            event.actor.kind.as_str(),
            event.actor.id,
            event.actor.name,
            event.action,
            event.target,
            event.outcome.as_str(),
            event.reason,
            event.details,
            event.address,
            event.user_agent
        ],
    )
    .await
    .map(drop)
}

/// Notes on whom an entry tells that something was done.
pub async fn insert_subject(tx: &mut Tx<'_>, event: &AuditEvent, subject: &PrincipalId) -> Result<(), StoreError> {
    tx.execute(INSERT_SUBJECT, params![event.account_id, subject, event.id]).await.map(drop)
}

/// The latest entries of an account, the newest first.
pub async fn latest(tx: &mut Tx<'_>, account: &AccountId, limit: i64) -> Result<Vec<AuditEvent>, StoreError> {
    tx.rows(LATEST, params![account, limit]).await?.into_iter().map(read).collect()
}

/// Counts a refusal of a stranger: one row for the network of a customer, a reason and a minute.
pub async fn count_refusal(tx: &mut Tx<'_>, now: Timestamp, address: &str, reason: &str) -> Result<(), StoreError> {
    tx.execute(COUNT_REFUSAL, params![minute(now), customer_network(address), reason]).await.map(drop)
}

/// How many refusals like this one the log tells of since an instant, up to `most`: of the same actor, who has an id, for
/// the same deed and reason.
pub async fn count_alike(tx: &mut Tx<'_>, event: &AuditEvent, since: Timestamp, most: i64) -> Result<i64, StoreError> {
    let (since, refused) = (event_bound(since), Outcome::Refused.as_str());
    let values = params![event.account_id, event.actor.id, since, event.action, refused, event.reason, most];
    let row = tx.row(ALIKE, values).await?;
    row.map_or(Ok(0), |row| row.reader("audit_events").int("count"))
}

/// How many strangers were refused since an instant.
pub async fn refusals_since(tx: &mut Tx<'_>, since: Timestamp) -> Result<i64, StoreError> {
    let row = tx.row(REFUSALS, params![minute(since)]).await?;
    row.map_or(Ok(0), |row| row.reader("anonymous_refusals").int("times"))
}

/// Drops counts of refusals from before an instant.
pub async fn sweep_refusals(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP_REFUSALS, params![minute(before)]).await
}

fn minute(at: Timestamp) -> i64 {
    at.micros().div_euclid(60_000_000)
}

pub(crate) fn read(row: Row) -> Result<AuditEvent, StoreError> {
    let mut r = row.reader("audit_events");
    Ok(AuditEvent {
        account_id: r.parse("account_id")?,
        id: r.parse("event_id")?,
        at: r.time("at")?,
        actor: AuditActor { kind: r.parse("actor_kind")?, id: r.text("actor_id")?, name: r.text("actor_name")? },
        action: r.text("action")?,
        target: r.text("target")?,
        outcome: r.parse("outcome")?,
        reason: r.text("reason")?,
        details: r.text("details")?,
        address: r.text("address")?,
        user_agent: r.text("user_agent")?,
    })
}
