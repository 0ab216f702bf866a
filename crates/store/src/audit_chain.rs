//! The audit log as a chain: the entries that wait for their number, the numbered ones, the heads and their checkpoints.
//!
//! What comes back from here may have been changed by somebody beside Countersign: whoever verifies a chain reads its
//! entries as they lie there ([`StoredEntry`]), words unread.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::audit::{Checkpoint, CheckpointKind};
use countersign_model::ids::AccountId;

statements! {
    /// Whoever numbers or drops entries holds this row until he is done.
    HOLD = "INSERT INTO facts (name, value) VALUES ('audit_sequencer', $1) \
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    NEXT_WAITING = "SELECT MIN(account_id) FROM audit_events WHERE seq IS NULL AND account_id > $1";
    WAITING = "SELECT seq, hash, account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome, \
               reason, details, address, user_agent FROM audit_events \
               WHERE account_id = $1 AND seq IS NULL ORDER BY event_id LIMIT $2";
    COUNT_WAITING = "SELECT COUNT(*) FROM audit_events WHERE account_id = $1 AND seq IS NULL";
    LINK = "UPDATE audit_events SET seq = $1, hash = $2 WHERE account_id = $3 AND event_id = $4 AND seq IS NULL";
    ENTRIES = "SELECT seq, hash, account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome, \
               reason, details, address, user_agent FROM audit_events \
               WHERE account_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4";
    HIGHEST = "SELECT MAX(seq) FROM audit_events WHERE account_id = $1 AND seq IS NOT NULL";
    FIRST_SINCE = "SELECT MIN(w.seq) FROM (SELECT seq FROM audit_events WHERE account_id = $1 AND event_id >= $2 \
                   AND seq IS NOT NULL ORDER BY event_id LIMIT 1000) w";
    LAST_BEFORE = "SELECT MAX(w.seq) FROM (SELECT seq FROM audit_events WHERE account_id = $1 AND event_id < $2 \
                   AND seq IS NOT NULL ORDER BY event_id DESC LIMIT 1000) w";
    FIND_HEAD = "SELECT account_id, seq, hash, signed_seq, signed_at, proof FROM audit_chains WHERE account_id = $1";
    PUT_HEAD = "INSERT INTO audit_chains (account_id, seq, hash, signed_seq, signed_at, proof) \
                VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account_id) DO UPDATE SET seq = excluded.seq, \
                hash = excluded.hash, signed_seq = excluded.signed_seq, signed_at = excluded.signed_at, \
                proof = excluded.proof";
    UNSIGNED = "SELECT account_id, seq, hash, signed_seq, signed_at, proof FROM audit_chains \
                WHERE seq > signed_seq AND account_id > $1 AND (signed_at <= $2 OR signed_at > $3) \
                ORDER BY account_id LIMIT $4";
    ACCOUNTS = "SELECT a.account_id FROM (SELECT account_id FROM accounts UNION SELECT account_id FROM audit_chains) a \
                WHERE a.account_id > $1 ORDER BY a.account_id LIMIT $2";
    INSERT_CHECKPOINT = "INSERT INTO audit_checkpoints (account_id, seq, kind, hash, at, key_version, signature) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, seq, kind) DO UPDATE SET \
                         hash = excluded.hash, at = excluded.at, key_version = excluded.key_version, \
                         signature = excluded.signature";
    DROP_CHECKPOINT = "DELETE FROM audit_checkpoints WHERE account_id = $1 AND seq = $2 AND kind = $3";
    CHECKPOINTS = "SELECT account_id, seq, kind, hash, at, key_version, signature FROM audit_checkpoints \
                   WHERE account_id = $1 AND kind = 'head' AND seq >= $2 ORDER BY seq LIMIT $3";
    LATEST_CHECKPOINT = "SELECT account_id, seq, kind, hash, at, key_version, signature FROM audit_checkpoints \
                         WHERE account_id = $1 AND kind = $2 ORDER BY seq DESC LIMIT 1";
    SIGNED_SINCE = "SELECT account_id, seq, kind, hash, at, key_version, signature FROM audit_checkpoints \
                    WHERE at >= $1 AND (at > $2 OR account_id > $3 OR (account_id = $3 AND (seq > $4 \
                    OR (seq = $4 AND kind > $5)))) ORDER BY at, account_id, seq, kind LIMIT $6";
    DROP_SUBJECTS = "DELETE FROM audit_subjects WHERE account_id = $1 AND event_id IN \
                     (SELECT event_id FROM audit_events WHERE account_id = $1 AND seq <= $2)";
    DROP_ENTRIES = "DELETE FROM audit_events WHERE account_id = $1 AND seq <= $2";
    DROP_CHECKPOINTS = "DELETE FROM audit_checkpoints WHERE account_id = $1 AND seq < $2";
    ELSEWHERE = "SELECT MIN(a.account_id) FROM accounts a WHERE a.account_id <> $1 AND EXISTS \
                 (SELECT 1 FROM audit_events e WHERE e.account_id = a.account_id AND e.event_id = $2)";
}

/// An entry as it lies in the table, or in an export: nothing about it is known to be true.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredEntry {
    /// Its number in the log of its account; 0 while it has none.
    pub seq: i64,
    /// The hash that is said to belong to it; empty while it has none.
    pub hash: Vec<u8>,
    /// The account.
    pub account_id: String,
    /// Its id.
    pub event_id: String,
    /// When it happened, in microseconds.
    pub at: i64,
    /// The kind of the actor.
    pub actor_kind: String,
    /// The id of the actor.
    pub actor_id: String,
    /// The name of the actor.
    pub actor_name: String,
    /// What was done.
    pub action: String,
    /// On whom or what.
    pub target: String,
    /// How it ended.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// What else there is to know.
    pub details: String,
    /// From which network address.
    pub address: String,
    /// With which program.
    pub user_agent: String,
}

/// The head of an account's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The account.
    pub account_id: AccountId,
    /// The number of its latest entry; 0 when there is none.
    pub seq: i64,
    /// The hash of that entry; zeros when there is none.
    pub hash: [u8; 32],
    /// The number of the latest entry that is signed.
    pub signed_seq: i64,
    /// When that was signed.
    pub signed_at: Timestamp,
    /// A keyed hash over all of it.
    pub proof: Vec<u8>,
}

/// Waits until nobody else numbers or drops entries, on any node, and keeps them out until the unit ends.
pub async fn hold(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(HOLD, params![now.micros().to_string()]).await.map(drop)
}

/// The first account behind `after`, by id, with entries that wait for their number.
pub async fn next_waiting(tx: &mut Tx<'_>, after: &str) -> Result<Option<AccountId>, StoreError> {
    let row = tx.row(NEXT_WAITING, params![after]).await?;
    row.map_or(Ok(None), |row| row.reader("audit_events").opt_parse("account_id"))
}

/// The oldest entries of an account that wait for their number.
pub async fn waiting(tx: &mut Tx<'_>, account: &AccountId, limit: i64) -> Result<Vec<StoredEntry>, StoreError> {
    tx.rows(WAITING, params![account, limit]).await?.into_iter().map(read_entry).collect()
}

/// How many entries of an account wait for their number.
pub async fn count_waiting(tx: &mut Tx<'_>, account: &AccountId) -> Result<i64, StoreError> {
    let row = tx.row(COUNT_WAITING, params![account]).await?;
    row.map_or(Ok(0), |row| row.reader("audit_events").int("count"))
}

/// Gives a waiting entry its number and its hash; whether it waited.
pub async fn link(
    tx: &mut Tx<'_>,
    account: &AccountId,
    event_id: &str,
    seq: i64,
    hash: &[u8; 32],
) -> Result<bool, StoreError> {
    Ok(tx.execute(LINK, params![seq, hash, account, event_id]).await? == 1)
}

/// The next entries behind the number `after` up to `last`, by number.
pub async fn entries(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (after, last): (i64, i64),
    limit: i64,
) -> Result<Vec<StoredEntry>, StoreError> {
    tx.rows(ENTRIES, params![account, after, last, limit]).await?.into_iter().map(read_entry).collect()
}

/// The highest number in the log of an account, if an entry has one.
pub async fn highest(tx: &mut Tx<'_>, account: &AccountId) -> Result<Option<i64>, StoreError> {
    optional_seq(tx.row(HIGHEST, params![account]).await?)
}

/// The number of the first entry since an instant.
pub async fn first_since(tx: &mut Tx<'_>, account: &AccountId, since: Timestamp) -> Result<Option<i64>, StoreError> {
    optional_seq(tx.row(FIRST_SINCE, params![account, event_bound(since)]).await?)
}

/// The number of the last entry before an instant.
pub async fn last_before(tx: &mut Tx<'_>, account: &AccountId, until: Timestamp) -> Result<Option<i64>, StoreError> {
    optional_seq(tx.row(LAST_BEFORE, params![account, event_bound(until)]).await?)
}

/// The lowest id that an event of this instant can have.
pub(crate) fn event_bound(at: Timestamp) -> String {
    format!("{:016x}", at.micros().max(0))
}

/// The head of an account's chain, if it has begun.
pub async fn find_head(tx: &mut Tx<'_>, account: &AccountId) -> Result<Option<Head>, StoreError> {
    tx.row(FIND_HEAD, params![account]).await?.map(read_head).transpose()
}

/// Writes the head of a chain.
pub async fn put_head(tx: &mut Tx<'_>, head: &Head) -> Result<(), StoreError> {
    let values = params![head.account_id, head.seq, head.hash, head.signed_seq, head.signed_at, head.proof];
    tx.execute(PUT_HEAD, values).await.map(drop)
}

/// The next heads behind the account `after` that no checkpoint covers, of accounts for which none was signed after
/// `before` — or one in the future of `now`.
pub async fn unsigned(
    tx: &mut Tx<'_>,
    after: &str,
    (before, now): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Head>, StoreError> {
    tx.rows(UNSIGNED, params![after, before, now, limit]).await?.into_iter().map(read_head).collect()
}

/// The next accounts behind `after`, by id, that are there or have a chain. It crosses accounts: for the operator.
pub async fn accounts(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<AccountId>, StoreError> {
    let rows = tx.rows(ACCOUNTS, params![after, limit]).await?;
    rows.into_iter().map(|row| row.reader("accounts").parse("account_id")).collect()
}

/// Keeps a checkpoint, whatever somebody else may have put in its place.
pub async fn insert_checkpoint(tx: &mut Tx<'_>, signed: &Checkpoint) -> Result<(), StoreError> {
    let Checkpoint { account_id, kind, after: _, seq, hash, at, key_version, signature } = signed;
    tx.execute(INSERT_CHECKPOINT, params![account_id, seq, kind.as_str(), hash, at, key_version, signature])
        .await
        .map(drop)
}

/// Drops a checkpoint that a later one makes needless; whether it was there.
pub async fn drop_checkpoint(
    tx: &mut Tx<'_>,
    account: &AccountId,
    kind: CheckpointKind,
    seq: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DROP_CHECKPOINT, params![account, seq, kind.as_str()]).await? == 1)
}

/// The next signed heads of an account from the number `from` on.
pub async fn checkpoints(
    tx: &mut Tx<'_>,
    account: &AccountId,
    from: i64,
    limit: i64,
) -> Result<Vec<Checkpoint>, StoreError> {
    tx.rows(CHECKPOINTS, params![account, from, limit]).await?.into_iter().map(read_checkpoint).collect()
}

/// The latest checkpoint of a kind.
pub async fn latest_checkpoint(
    tx: &mut Tx<'_>,
    account: &AccountId,
    kind: CheckpointKind,
) -> Result<Option<Checkpoint>, StoreError> {
    tx.row(LATEST_CHECKPOINT, params![account, kind.as_str()]).await?.map(read_checkpoint).transpose()
}

/// The next checkpoints of all accounts that were signed since an instant, behind one that was given before, in the
/// order in which they were signed.
pub async fn signed_since(
    tx: &mut Tx<'_>,
    since: Timestamp,
    behind: Option<&Checkpoint>,
    limit: i64,
) -> Result<Vec<Checkpoint>, StoreError> {
    let (at, account, seq, kind) =
        behind.map_or((since, "", 0, ""), |last| (last.at, last.account_id.as_str(), last.seq, last.kind.as_str()));
    let rows = tx.rows(SIGNED_SINCE, params![at, at, account, seq, kind, limit]).await?;
    rows.into_iter().map(read_checkpoint).collect()
}

/// Drops the entries up to a number, and the checkpoints before it; how many entries that were.
pub async fn drop_entries(tx: &mut Tx<'_>, account: &AccountId, last: i64) -> Result<u64, StoreError> {
    tx.execute(DROP_SUBJECTS, params![account, last]).await?;
    let dropped = tx.execute(DROP_ENTRIES, params![account, last]).await?;
    tx.execute(DROP_CHECKPOINTS, params![account, last]).await?;
    Ok(dropped)
}

/// Another account whose log has an entry of this id.
pub async fn elsewhere(tx: &mut Tx<'_>, account: &AccountId, event_id: &str) -> Result<Option<AccountId>, StoreError> {
    let row = tx.row(ELSEWHERE, params![account, event_id]).await?;
    row.map_or(Ok(None), |row| row.reader("accounts").opt_parse("account_id"))
}

fn optional_seq(row: Option<Row>) -> Result<Option<i64>, StoreError> {
    row.map_or(Ok(None), |row| row.reader("audit_events").opt_int("seq"))
}

fn read_entry(row: Row) -> Result<StoredEntry, StoreError> {
    let mut r = row.reader("audit_events");
    Ok(StoredEntry {
        seq: r.opt_int("seq")?.unwrap_or(0),
        hash: r.opt_blob("hash")?.unwrap_or_default(),
        account_id: r.text("account_id")?,
        event_id: r.text("event_id")?,
        at: r.int("at")?,
        actor_kind: r.text("actor_kind")?,
        actor_id: r.text("actor_id")?,
        actor_name: r.text("actor_name")?,
        action: r.text("action")?,
        target: r.text("target")?,
        outcome: r.text("outcome")?,
        reason: r.text("reason")?,
        details: r.text("details")?,
        address: r.text("address")?,
        user_agent: r.text("user_agent")?,
    })
}

fn read_head(row: Row) -> Result<Head, StoreError> {
    let mut r = row.reader("audit_chains");
    Ok(Head {
        account_id: r.parse("account_id")?,
        seq: r.int("seq")?,
        hash: r.bytes("hash")?,
        signed_seq: r.int("signed_seq")?,
        signed_at: r.time("signed_at")?,
        proof: r.blob("proof")?,
    })
}

fn read_checkpoint(row: Row) -> Result<Checkpoint, StoreError> {
    let mut r = row.reader("audit_checkpoints");
    Ok(Checkpoint {
        account_id: r.parse("account_id")?,
        after: 0,
        seq: r.int("seq")?,
        kind: r.parse("kind")?,
        hash: r.bytes("hash")?,
        at: r.time("at")?,
        key_version: r.narrow("key_version")?,
        signature: r.blob("signature")?,
    })
}
