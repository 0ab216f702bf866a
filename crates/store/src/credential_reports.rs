//! The last credential report of each account, and what it is made from.

use crate::factors::has_factor;
use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::access_key::AccessKeyStatus;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::principal::{ConsoleLogon, PrincipalKind};

statements! {
    FIND = "SELECT generated_at, lines FROM credential_reports WHERE account_id = $1 AND generated_at IS NOT NULL";
    CLAIM = "INSERT INTO credential_reports (account_id, lines, making, making_until) VALUES ($1, 0, $2, $3) \
             ON CONFLICT (account_id) DO UPDATE SET making = excluded.making, making_until = excluded.making_until \
             WHERE (credential_reports.making_until <= $2 OR credential_reports.making_until > $4) \
             AND (credential_reports.generated_at IS NULL OR credential_reports.generated_at <= $5 \
             OR credential_reports.generated_at > $4)";
    HOLD = "UPDATE credential_reports SET making_until = $1 WHERE account_id = $2 AND making = $3";
    PUT_PART = "INSERT INTO credential_report_parts (account_id, generated_at, part, content) VALUES ($1, $2, $3, $4)";
    FINISH = "UPDATE credential_reports SET generated_at = making, lines = $1, making = NULL, making_until = 0 \
              WHERE account_id = $2 AND making = $3";
    DROP_OTHERS = "DELETE FROM credential_report_parts WHERE account_id = $1 AND generated_at <> $2";
    PARTS = "SELECT content FROM credential_report_parts \
             WHERE account_id = $1 AND generated_at = $2 AND part >= $3 AND part <= $4 ORDER BY part";
    ROWS = concat!("SELECT p.principal_id, p.name, p.created_at, p.last_logon_at, lp.console_logon, \
            lp.password_hash IS NOT NULL, lp.password_changed_at, lp.password_is_initial, ",
            has_factor!("p.account_id", "p.principal_id"), " \
            FROM principals p \
            LEFT JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
            WHERE p.account_id = $1 AND p.principal_id > $2 AND p.kind = $3 ORDER BY p.principal_id LIMIT $4");
    KEYS = "SELECT principal_id, status, created_at, last_used_at FROM access_keys \
            WHERE account_id = $1 AND principal_id > $2 AND principal_id <= $3 \
            ORDER BY principal_id, created_at, access_key_id";
}

/// What a report tells of one principal, without his keys.
#[derive(Debug, Clone)]
pub struct CredentialRow {
    /// The id.
    pub id: PrincipalId,
    /// The name.
    pub name: String,
    /// When the principal was made.
    pub created_at: Timestamp,
    /// When the principal last opened a session.
    pub last_logon_at: Option<Timestamp>,
    /// Whether the password logs on; nothing without a login profile.
    pub console_logon: Option<ConsoleLogon>,
    /// Whether there is a password.
    pub has_password: bool,
    /// When it was last changed.
    pub password_changed_at: Option<Timestamp>,
    /// Whether somebody else gave it.
    pub password_is_initial: bool,
    /// Whether there is a second factor.
    pub mfa_bound: bool,
}

/// What a report tells of one key.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// Whose it is.
    pub principal_id: PrincipalId,
    /// Whether it may sign.
    pub status: AccessKeyStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A report that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// When it was made.
    pub generated_at: Timestamp,
    /// How many lines it has.
    pub lines: i64,
}

/// The last report of an account.
pub async fn find(tx: &mut Tx<'_>, account: &AccountId) -> Result<Option<Report>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("credential_reports");
        Ok(Report { generated_at: r.time("generated_at")?, lines: r.int("lines")? })
    };
    tx.row(FIND, params![account]).await?.map(read).transpose()
}

/// Claims the making of a report at `now`, until `until`. Of several that try one succeeds, and none while the last report
/// was made between `fresh` and now. Claims and reports beyond `beyond` are left from a clock that ran ahead.
pub async fn claim(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (now, until): (Timestamp, Timestamp),
    (fresh, beyond): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    Ok(tx.execute(CLAIM, params![account, now, until, beyond, fresh]).await? == 1)
}

/// Holds the claim that was made at `making` for longer; whether it is still good.
pub async fn hold(
    tx: &mut Tx<'_>,
    account: &AccountId,
    making: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(HOLD, params![until, account, making]).await? == 1)
}

/// Keeps a part of the report that is being made.
pub async fn put_part(
    tx: &mut Tx<'_>,
    (account, making): (&AccountId, Timestamp),
    number: i64,
    content: &str,
) -> Result<(), StoreError> {
    tx.execute(PUT_PART, params![account, making, number, content]).await.map(drop)
}

/// Puts the report that was made in the place of the last one; whether the claim was still good.
pub async fn finish(tx: &mut Tx<'_>, account: &AccountId, making: Timestamp, lines: i64) -> Result<bool, StoreError> {
    let is_last = tx.execute(FINISH, params![lines, account, making]).await? == 1;
    if is_last {
        tx.execute(DROP_OTHERS, params![account, making]).await?;
    }
    Ok(is_last)
}

/// The parts of a report from one number to another.
pub async fn parts(
    tx: &mut Tx<'_>,
    (account, generated_at): (&AccountId, Timestamp),
    (first, last): (i64, i64),
) -> Result<Vec<String>, StoreError> {
    let rows = tx.rows(PARTS, params![account, generated_at, first, last]).await?;
    rows.into_iter().map(|row| row.reader("credential_report_parts").text("content")).collect()
}

/// The first `limit` principals of this kind behind an id, with what a report tells of them.
pub async fn rows(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (after, kind): (&str, PrincipalKind),
    limit: i64,
) -> Result<Vec<CredentialRow>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("principals");
        Ok(CredentialRow {
            id: r.parse("principal_id")?,
            name: r.text("name")?,
            created_at: r.time("created_at")?,
            last_logon_at: r.opt_time("last_logon_at")?,
            console_logon: r.opt_parse("console_logon")?,
            has_password: r.bool("has_password")?,
            password_changed_at: r.opt_time("password_changed_at")?,
            password_is_initial: r.opt_bool("password_is_initial")?.unwrap_or(false),
            mfa_bound: r.bool("mfa_bound")?,
        })
    };
    tx.rows(ROWS, params![account, after, kind.as_str(), limit]).await?.into_iter().map(read).collect()
}

/// The keys of the principals of an account behind one id and up to another, by principal, the oldest first.
pub async fn keys(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (after, last): (&str, &str),
) -> Result<Vec<KeyRow>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("access_keys");
        Ok(KeyRow {
            principal_id: r.parse("principal_id")?,
            status: r.parse("status")?,
            created_at: r.time("created_at")?,
            last_used_at: r.opt_time("last_used_at")?,
        })
    };
    tx.rows(KEYS, params![account, after, last]).await?.into_iter().map(read).collect()
}
