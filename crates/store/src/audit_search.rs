//! The audit log as people read it: filtered, the newest first, page by page.

use crate::audit::read;
use crate::audit_chain::event_bound;
use crate::users::like_pattern;
use crate::{StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::audit::{AuditEvent, Outcome};
use countersign_model::ids::{AccountId, EventId, PrincipalId};

statements! {
    OLDER = "SELECT account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome, reason, details, \
             address, user_agent FROM audit_events \
             WHERE account_id = $1 AND event_id >= $2 AND event_id < $3 AND ($4 = '' OR action = $4) \
             AND ($5 = '' OR outcome = $5) AND ($6 = '' OR LOWER(actor_name) LIKE $7 ESCAPE '!' \
             OR LOWER(target) LIKE $7 ESCAPE '!') ORDER BY event_id DESC LIMIT $8";
    NEWER = "SELECT account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome, reason, details, \
             address, user_agent FROM audit_events \
             WHERE account_id = $1 AND event_id > $2 AND event_id < $3 AND ($4 = '' OR action = $4) \
             AND ($5 = '' OR outcome = $5) AND ($6 = '' OR LOWER(actor_name) LIKE $7 ESCAPE '!' \
             OR LOWER(target) LIKE $7 ESCAPE '!') ORDER BY event_id LIMIT $8";
    FARTHEST_BACK = "SELECT event_id FROM audit_events WHERE account_id = $1 AND event_id >= $2 AND event_id < $3 \
                     ORDER BY event_id DESC LIMIT 1 OFFSET $4";
    FARTHEST_ON = "SELECT event_id FROM audit_events WHERE account_id = $1 AND event_id > $2 AND event_id < $3 \
                   ORDER BY event_id LIMIT 1 OFFSET $4";
    COUNT = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_events \
             WHERE account_id = $1 AND event_id >= $2 AND event_id < $3 LIMIT $4) counted";
    BY_ACTOR = "SELECT account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome, reason, \
                details, address, user_agent FROM audit_events \
                WHERE account_id = $1 AND actor_id = $2 AND actor_id <> '' AND event_id < $3 \
                ORDER BY event_id DESC LIMIT $4";
    BY_SUBJECT = "SELECT e.account_id, e.event_id, e.at, e.actor_kind, e.actor_id, e.actor_name, e.action, e.target, \
                  e.outcome, e.reason, e.details, e.address, e.user_agent FROM audit_subjects s \
                  JOIN audit_events e ON e.account_id = s.account_id AND e.event_id = s.event_id \
                  WHERE s.account_id = $1 AND s.principal_id = $2 AND s.event_id < $3 AND e.actor_id <> $2 \
                  ORDER BY s.event_id DESC LIMIT $4";
}

/// Which entries are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// From this instant on.
    pub from: Timestamp,
    /// Up to this instant, not with it.
    pub until: Timestamp,
    /// What was done; empty for everything.
    pub action: String,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Part of the name of the actor or of the target, in any case. Empty for all.
    pub user: String,
}

impl Default for EventFilter {
    fn default() -> Self {
        Self {
            from: Timestamp::from_micros(0),
            until: Timestamp::from_micros(i64::MAX),
            action: String::new(),
            outcome: None,
            user: String::new(),
        }
    }
}

impl EventFilter {
    /// Whether nothing but the time is asked for.
    #[must_use]
    pub const fn is_by_time_alone(&self) -> bool {
        self.action.is_empty() && self.outcome.is_none() && self.user.is_empty()
    }
}

/// How much is looked for, and how much is looked at for it: a filter that fits nothing must not read a whole log.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// At most so many entries are given.
    pub given: i64,
    /// At most so many entries are looked at.
    pub looked_at: i64,
}

/// What a search has found.
#[derive(Debug, Default)]
pub struct Found {
    /// The entries.
    pub events: Vec<AuditEvent>,
    /// The last entry that was looked at, when too few were found up to there.
    pub reached: Option<EventId>,
}

impl Found {
    fn of(events: Vec<AuditEvent>, farthest: Option<EventId>, bound: Bound) -> Self {
        let enough = i64::try_from(events.len()).is_ok_and(|found| found >= bound.given);
        Self { events, reached: farthest.filter(|_| !enough) }
    }
}

/// The entries before `before`, or the latest ones; the newest first.
pub async fn older(
    tx: &mut Tx<'_>,
    account: &AccountId,
    filter: &EventFilter,
    before: Option<&EventId>,
    bound: Bound,
) -> Result<Found, StoreError> {
    let (from, until) = (event_bound(filter.from), event_bound(filter.until));
    let until = before.map_or(until.as_str(), |id| id.as_str().min(until.as_str()));
    let farthest = farthest(tx, FARTHEST_BACK, (account, &from, until), filter, bound).await?;
    let from = farthest.as_ref().map_or(from.as_str(), EventId::as_str);
    let events = matching(tx, OLDER, (account, from, until), filter, bound).await?;
    Ok(Found::of(events, farthest, bound))
}

/// The entries next after `after`, the oldest first.
pub async fn newer(
    tx: &mut Tx<'_>,
    account: &AccountId,
    filter: &EventFilter,
    after: &EventId,
    bound: Bound,
) -> Result<Found, StoreError> {
    let (from, until) = (event_bound(filter.from), event_bound(filter.until));
    let after = after.as_str().max(from.as_str());
    let farthest = farthest(tx, FARTHEST_ON, (account, after, &until), filter, bound).await?;
    // Behind this id, and before every other: ids are of one length.
    let until = farthest.as_ref().map_or(until, |id| format!("{id}g"));
    let events = matching(tx, NEWER, (account, after, &until), filter, bound).await?;
    Ok(Found::of(events, farthest, bound))
}

/// The last entry that may be looked at, if there are so many. Without a filter none is looked at in vain.
async fn farthest(
    tx: &mut Tx<'_>,
    sql: &'static str,
    (account, from, until): (&AccountId, &str, &str),
    filter: &EventFilter,
    bound: Bound,
) -> Result<Option<EventId>, StoreError> {
    if filter.is_by_time_alone() {
        return Ok(None);
    }
    let row = tx.row(sql, params![account, from, until, bound.looked_at.saturating_sub(1)]).await?;
    row.map(|row| row.reader("audit_events").parse("event_id")).transpose()
}

async fn matching(
    tx: &mut Tx<'_>,
    sql: &'static str,
    (account, from, until): (&AccountId, &str, &str),
    filter: &EventFilter,
    bound: Bound,
) -> Result<Vec<AuditEvent>, StoreError> {
    let (user, outcome) = (filter.user.trim().to_ascii_lowercase(), filter.outcome.map_or("", Outcome::as_str));
    let pattern = like_pattern(&user);
    let values = params![account, from, until, filter.action, outcome, user, pattern, bound.given];
    tx.rows(sql, values).await?.into_iter().map(read).collect()
}

/// How many entries lie in the filter's time, counted up to `most`.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId, filter: &EventFilter, most: i64) -> Result<i64, StoreError> {
    let (from, until) = (event_bound(filter.from), event_bound(filter.until));
    let row = tx.row(COUNT, params![account, from, until, most]).await?;
    row.map_or(Ok(0), |row| row.reader("audit_events").int("count"))
}

/// What a principal did, before `before`; the newest first.
pub async fn by_actor(
    tx: &mut Tx<'_>,
    (account, principal): (&AccountId, &PrincipalId),
    before: Option<&EventId>,
    limit: i64,
) -> Result<Vec<AuditEvent>, StoreError> {
    tx.rows(BY_ACTOR, params![account, principal, bound(before), limit]).await?.into_iter().map(read).collect()
}

/// What others did to a principal, under whatever names, before `before`; the newest first.
pub async fn by_subject(
    tx: &mut Tx<'_>,
    (account, principal): (&AccountId, &PrincipalId),
    before: Option<&EventId>,
    limit: i64,
) -> Result<Vec<AuditEvent>, StoreError> {
    tx.rows(BY_SUBJECT, params![account, principal, bound(before), limit]).await?.into_iter().map(read).collect()
}

fn bound(before: Option<&EventId>) -> &str {
    // Behind every id: these are hexadecimal digits.
    before.map_or("g", EventId::as_str)
}
