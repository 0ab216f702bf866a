//! The last credential report of each account, and what it is made from.

use crate::factors::has_factor;
use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::access_key::AccessKeyStatus;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::principal::{ConsoleLogon, PrincipalKind};

statements! {
    PUT = "INSERT INTO credential_reports (account_id, generated_at, content) VALUES ($1, $2, $3) \
           ON CONFLICT (account_id) DO UPDATE SET generated_at = excluded.generated_at, content = excluded.content";
    FIND = "SELECT generated_at, content FROM credential_reports WHERE account_id = $1";
    GENERATED_AT = "SELECT generated_at FROM credential_reports WHERE account_id = $1";
    ROWS = concat!("SELECT p.principal_id, p.name, p.created_at, p.last_logon_at, lp.console_logon, \
            lp.password_hash IS NOT NULL, lp.password_changed_at, lp.password_is_initial, ",
            has_factor!("p.account_id", "p.principal_id"), " \
            FROM principals p \
            LEFT JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
            WHERE p.account_id = $1 AND p.principal_id > $2 AND p.kind = $3 ORDER BY p.principal_id LIMIT $4");
    KEYS = "SELECT principal_id, status, created_at, updated_at, last_used_at FROM access_keys \
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
    /// When its status was last set.
    pub updated_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// Keeps a report in place of the one before.
pub async fn put(tx: &mut Tx<'_>, account: &AccountId, at: Timestamp, content: &str) -> Result<(), StoreError> {
    tx.execute(PUT, params![account, at, content]).await.map(drop)
}

/// The last report and when it was made.
pub async fn find(tx: &mut Tx<'_>, account: &AccountId) -> Result<Option<(Timestamp, String)>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("credential_reports");
        Ok((r.time("generated_at")?, r.text("content")?))
    };
    tx.row(FIND, params![account]).await?.map(read).transpose()
}

/// When the last report was made.
pub async fn generated_at(tx: &mut Tx<'_>, account: &AccountId) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.row(GENERATED_AT, params![account]).await?;
    row.map(|row| row.reader("credential_reports").time("generated_at")).transpose()
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
            updated_at: r.time("updated_at")?,
            last_used_at: r.opt_time("last_used_at")?,
        })
    };
    tx.rows(KEYS, params![account, after, last]).await?.into_iter().map(read).collect()
}
