//! Mail that waits to be sent, one row for each recipient of a notice.
//!
//! Whoever is about to send a mail moves its time first, in one conditional write: until then it is nobody else's. A
//! sender that dies leaves a mail that is due again.

use crate::{Row, StoreError, Tx, notices, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, NoticeId};
use countersign_model::names::EmailAddress;
use countersign_model::notice::Notice;

statements! {
    INSERT = "INSERT INTO outbox (account_id, notice_id, recipient, language, state, due_at, attempts, last_error) \
              VALUES ($1, $2, $3, $4, 'waiting', $5, 0, '') ON CONFLICT DO NOTHING";
    DUE = "SELECT n.account_id, n.notice_id, n.principal_id, n.kind, n.facts, n.created_at, n.disowned_at, \
           o.recipient, o.language, o.due_at, o.attempts FROM outbox o \
           JOIN notices n ON n.account_id = o.account_id AND n.notice_id = o.notice_id \
           WHERE o.state = 'waiting' AND o.due_at <= $1 ORDER BY o.due_at LIMIT $2";
    LEASE = "UPDATE outbox SET due_at = $1, attempts = attempts + 1 \
             WHERE account_id = $2 AND notice_id = $3 AND recipient = $4 AND state = 'waiting' AND due_at = $5";
    SENT = "UPDATE outbox SET state = 'sent', last_error = '' \
            WHERE account_id = $1 AND notice_id = $2 AND recipient = $3 AND state = 'waiting'";
    RETRY = "UPDATE outbox SET due_at = $1, last_error = $2 \
             WHERE account_id = $3 AND notice_id = $4 AND recipient = $5 AND state = 'waiting' AND attempts = $6";
    FAILED = "UPDATE outbox SET state = 'failed', last_error = $1 \
              WHERE account_id = $2 AND notice_id = $3 AND recipient = $4 AND state = 'waiting' AND attempts = $5";
    WAITING = "SELECT COUNT(*) FROM outbox WHERE state = 'waiting'";
    GIVEN_UP = "SELECT COUNT(*) FROM outbox WHERE state = 'failed'";
}

/// A mail that waits.
#[derive(Debug, Clone)]
pub struct WaitingMail {
    /// What it is about.
    pub notice: Notice,
    /// To whom.
    pub recipient: EmailAddress,
    /// In which language, as a tag.
    pub language: String,
    /// When it is due.
    pub due_at: Timestamp,
    /// How often it was taken up so far.
    pub attempts: i64,
}

/// A mail by its key, with the number of the attempt that is told of.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The notice.
    pub notice: &'a NoticeId,
    /// The recipient.
    pub recipient: &'a EmailAddress,
    /// Which attempt, from 1.
    pub number: i64,
}

/// How many mails wait, and how many were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    /// Waiting, due or not.
    pub waiting: i64,
    /// Given up within the time that notices are kept.
    pub failed: i64,
}

/// Adds a mail about a notice, due at once. A second one to the same recipient is the first.
pub async fn insert(
    tx: &mut Tx<'_>,
    notice: &Notice,
    recipient: &EmailAddress,
    language: &str,
) -> Result<(), StoreError> {
    tx.execute(INSERT, params![notice.account_id, notice.id, recipient.as_str(), language, notice.at]).await.map(drop)
}

/// The mails that are due, the longest waiting first.
pub async fn due(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<WaitingMail>, StoreError> {
    tx.rows(DUE, params![now, limit]).await?.into_iter().map(read).collect()
}

/// Takes a mail for sending until `until`; whether it was still as it was found.
pub async fn lease(tx: &mut Tx<'_>, mail: &WaitingMail, until: Timestamp) -> Result<bool, StoreError> {
    let notice = &mail.notice;
    let leased =
        tx.execute(LEASE, params![until, notice.account_id, notice.id, mail.recipient.as_str(), mail.due_at]).await?;
    Ok(leased == 1)
}

/// Notes that a mail was sent, by whichever attempt.
pub async fn mark_sent(tx: &mut Tx<'_>, mail: Attempt<'_>) -> Result<bool, StoreError> {
    Ok(tx.execute(SENT, params![mail.account, mail.notice, mail.recipient.as_str()]).await? == 1)
}

/// Notes that an attempt failed and when there is another; whether it was the latest attempt.
pub async fn retry(tx: &mut Tx<'_>, mail: Attempt<'_>, due_at: Timestamp, error: &str) -> Result<bool, StoreError> {
    let noted = tx
        .execute(RETRY, params![due_at, error, mail.account, mail.notice, mail.recipient.as_str(), mail.number])
        .await?;
    Ok(noted == 1)
}

/// Gives a mail up; whether it was the latest attempt that failed.
pub async fn give_up(tx: &mut Tx<'_>, mail: Attempt<'_>, error: &str) -> Result<bool, StoreError> {
    let given_up =
        tx.execute(FAILED, params![error, mail.account, mail.notice, mail.recipient.as_str(), mail.number]).await?;
    Ok(given_up == 1)
}

/// How many mails wait and were given up.
pub async fn census(tx: &mut Tx<'_>) -> Result<Census, StoreError> {
    let count = |row: Option<Row>| row.map(|row| row.reader("outbox").int("count")).transpose();
    let waiting = count(tx.row(WAITING, params![]).await?)?;
    let failed = count(tx.row(GIVEN_UP, params![]).await?)?;
    Ok(Census { waiting: waiting.unwrap_or(0), failed: failed.unwrap_or(0) })
}

fn read(row: Row) -> Result<WaitingMail, StoreError> {
    let mut r = row.reader("outbox");
    Ok(WaitingMail {
        notice: notices::read_from(&mut r)?,
        recipient: r.parse("recipient")?,
        language: r.text("language")?,
        due_at: r.time("due_at")?,
        attempts: r.int("attempts")?,
    })
}
