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
    COUNT = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit_events \
             WHERE account_id = $1 AND event_id >= $2 AND event_id < $3 LIMIT $4) counted";
    BY_ACTOR = "SELECT account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome, reason, \
                details, address, user_agent FROM audit_events \
                WHERE account_id = $1 AND actor_id = $2 AND actor_id <> '' AND event_id < $3 \
                ORDER BY event_id DESC LIMIT $4";
    BY_TARGET = "SELECT account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome, reason, \
                 details, address, user_agent FROM audit_events \
                 WHERE account_id = $1 AND target <> '' AND (LOWER(target) = $2 OR (LOWER(target) > $3 \
                 AND LOWER(target) < $4)) AND actor_id <> $5 AND event_id >= $6 AND event_id < $7 \
                 ORDER BY event_id DESC LIMIT $8";
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

/// The entries before `before`, or the latest ones; the newest first.
pub async fn older(
    tx: &mut Tx<'_>,
    account: &AccountId,
    filter: &EventFilter,
    before: Option<&EventId>,
    limit: i64,
) -> Result<Vec<AuditEvent>, StoreError> {
    let (from, until) = (event_bound(filter.from), event_bound(filter.until));
    let until = before.map_or(until.as_str(), |id| id.as_str().min(until.as_str()));
    let (user, outcome) = (filter.user.trim().to_ascii_lowercase(), filter.outcome.map_or("", Outcome::as_str));
    let pattern = like_pattern(&user);
    let values = params![account, from, until, filter.action, outcome, user, pattern, limit];
    tx.rows(OLDER, values).await?.into_iter().map(read).collect()
}

/// The entries next after `after`, the oldest first.
pub async fn newer(
    tx: &mut Tx<'_>,
    account: &AccountId,
    filter: &EventFilter,
    after: &EventId,
    limit: i64,
) -> Result<Vec<AuditEvent>, StoreError> {
    let (from, until) = (event_bound(filter.from), event_bound(filter.until));
    let after = after.as_str().max(from.as_str());
    let (user, outcome) = (filter.user.trim().to_ascii_lowercase(), filter.outcome.map_or("", Outcome::as_str));
    let pattern = like_pattern(&user);
    let values = params![account, after, until, filter.action, outcome, user, pattern, limit];
    tx.rows(NEWER, values).await?.into_iter().map(read).collect()
}

/// How many entries lie in the filter's time, counted up to `most`.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId, filter: &EventFilter, most: i64) -> Result<i64, StoreError> {
    let (from, until) = (event_bound(filter.from), event_bound(filter.until));
    let row = tx.row(COUNT, params![account, from, until, most]).await?;
    row.map_or(Ok(0), |row| row.reader("audit_events").int("count"))
}

/// One principal, as the log knows him.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// His id.
    pub id: &'a PrincipalId,
    /// The name that stands as the target of what is done to him.
    pub name: &'a str,
    /// Since when he is there. Before that, his name was somebody else's.
    pub since: Timestamp,
}

/// What a principal did, before `before`; the newest first.
pub async fn by_actor(
    tx: &mut Tx<'_>,
    person: Person<'_>,
    before: Option<&EventId>,
    limit: i64,
) -> Result<Vec<AuditEvent>, StoreError> {
    tx.rows(BY_ACTOR, params![person.account, person.id, bound(before), limit]).await?.into_iter().map(read).collect()
}

/// What others did to a principal, before `before`; the newest first.
pub async fn by_target(
    tx: &mut Tx<'_>,
    person: Person<'_>,
    before: Option<&EventId>,
    limit: i64,
) -> Result<Vec<AuditEvent>, StoreError> {
    let name = person.name.to_ascii_lowercase();
    // A target may tell more behind the name, after a space: `alice AdministratorAccess`.
    let (first, last, since) = (format!("{name} "), format!("{name}!"), event_bound(person.since));
    let before = bound(before);
    tx.rows(BY_TARGET, params![person.account, name, first, last, person.id, since, before, limit])
        .await?
        .into_iter()
        .map(read)
        .collect()
}

fn bound(before: Option<&EventId>) -> &str {
    // Behind every id: these are hexadecimal digits.
    before.map_or("g", EventId::as_str)
}
