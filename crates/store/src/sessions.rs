//! Open sessions, found by the hash of what the browser holds.

use crate::attachments::{administrator_by, has_policies};
use crate::{RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId, SessionId};
use countersign_model::logon::Method;
use countersign_model::names::{AccountAlias, DisplayName};
use countersign_model::principal::{PrincipalKind, SystemPolicy};
use countersign_model::session::Session;
use countersign_model::settings::SecuritySettings;
use std::sync::Arc;

statements! {
    INSERT = "INSERT INTO sessions (token_hash, session_id, account_id, principal_id, principal_epoch, account_epoch, \
              methods, created_at, last_seen_at, expires_at, address, user_agent) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    FIND = concat!(
        "SELECT s.session_id, s.account_id, s.principal_id, s.principal_epoch, s.account_epoch, s.methods, \
         s.created_at, s.last_seen_at, s.expires_at, \
         p.kind, p.name, p.display_name, p.epoch, a.epoch, a.alias, a.settings, ",
        administrator_by!("s.account_id", "s.principal_id"), ", ",
        has_policies!("s.account_id", "s.principal_id"),
        " FROM sessions s \
         JOIN principals p ON p.account_id = s.account_id AND p.principal_id = s.principal_id \
         JOIN accounts a ON a.account_id = s.account_id \
         WHERE s.token_hash = $1");
    RENEW = "UPDATE sessions SET token_hash = $1, principal_epoch = $2 WHERE token_hash = $3";
    RENEW_IN_ACCOUNT = "UPDATE sessions SET token_hash = $1, account_epoch = $2 WHERE token_hash = $3";
    SEEN = "UPDATE sessions SET last_seen_at = $1 WHERE token_hash = $2 AND last_seen_at < $1";
    DELETE = "DELETE FROM sessions WHERE token_hash = $1";
    TRIM = "DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions \
            WHERE account_id = $1 AND principal_id = $2 ORDER BY created_at DESC LIMIT 1000 OFFSET $3)";
    LIST = "SELECT session_id, principal_epoch, account_epoch, methods, created_at, last_seen_at, expires_at, address, \
            user_agent FROM sessions WHERE account_id = $1 AND principal_id = $2 ORDER BY created_at DESC, session_id";
    END = "DELETE FROM sessions WHERE account_id = $1 AND principal_id = $2 AND session_id = $3";
    END_OTHERS = "DELETE FROM sessions WHERE account_id = $1 AND principal_id = $2 AND session_id <> $3";
    SWEEP = "DELETE FROM sessions WHERE expires_at < $1 OR last_seen_at < $2";
}

/// A session with all that a request needs of it, in one read.
#[derive(Debug, Clone)]
pub struct SessionInFull {
    /// The session.
    pub session: Session,
    /// Owner or RAM user.
    pub kind: PrincipalKind,
    /// The user name, or the owner's email address.
    pub name: String,
    /// The name for people to read.
    pub display_name: DisplayName,
    /// The principal's present epoch.
    pub principal_epoch: i64,
    /// The account's present epoch.
    pub account_epoch: i64,
    /// The account's alias.
    pub alias: AccountAlias,
    /// The account's settings.
    pub settings: Arc<SecuritySettings>,
    /// A policy that makes the RAM user an administrator, if one reaches him.
    pub administrator_by: Option<SystemPolicy>,
    /// Whether any policy reaches the RAM user, directly or by a group.
    pub has_policies: bool,
}

/// From where a session was opened.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The network address.
    pub address: &'a str,
    /// The browser, as it called itself.
    pub user_agent: &'a str,
}

/// Adds a session.
pub async fn insert(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    session: &Session,
    origin: Origin<'_>,
) -> Result<(), StoreError> {
    let methods = session.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(" ");
    tx.execute(
        INSERT,
        params![
            token_hash,
            session.id,
            session.account_id,
            session.principal_id,
            session.principal_epoch,
            session.account_epoch,
            methods,
            session.created_at,
            session.last_seen_at,
            session.expires_at,
            origin.address,
            origin.user_agent
        ],
    )
    .await
    .map(drop)
}

/// The session that the browser with this secret holds, whether or not it is still good.
pub async fn find(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<Option<SessionInFull>, StoreError> {
    tx.row(FIND, params![token_hash]).await?.map(|row| read_from(&mut row.reader("sessions"))).transpose()
}

/// Gives a session a new secret and the principal's new epoch, because it made the change itself.
pub async fn renew(
    tx: &mut Tx<'_>,
    old_hash: &[u8; 32],
    new_hash: &[u8; 32],
    principal_epoch: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(RENEW, params![new_hash, principal_epoch, old_hash]).await? == 1)
}

/// Gives a session a new secret and the account's new epoch, because it made the policy stricter itself.
pub async fn renew_in_account(
    tx: &mut Tx<'_>,
    old_hash: &[u8; 32],
    new_hash: &[u8; 32],
    account_epoch: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(RENEW_IN_ACCOUNT, params![new_hash, account_epoch, old_hash]).await? == 1)
}

/// Notes that a session was used.
pub async fn mark_seen(tx: &mut Tx<'_>, token_hash: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
    tx.execute(SEEN, params![now, token_hash]).await.map(drop)
}

/// Ends a session; whether it was there.
pub async fn delete(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![token_hash]).await? == 1)
}

/// Ends the oldest sessions of a principal, so that `keep` are left.
pub async fn trim(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId, keep: i64) -> Result<u64, StoreError> {
    tx.execute(TRIM, params![account, id, keep]).await
}

/// A session as a list shows it.
#[derive(Debug, Clone)]
pub struct SessionLine {
    /// Its id.
    pub id: SessionId,
    /// The principal's epoch it carries.
    pub principal_epoch: i64,
    /// The account's epoch likewise.
    pub account_epoch: i64,
    /// The methods used at logon, in their order.
    pub methods: Vec<Method>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// From which address it was opened.
    pub address: String,
    /// The browser, as it called itself.
    pub user_agent: String,
}

/// The sessions of a principal, the latest first, whether or not they are still good.
pub async fn list(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<Vec<SessionLine>, StoreError> {
    let rows = tx.rows(LIST, params![account, id]).await?;
    rows.into_iter()
        .map(|row| {
            let mut r = row.reader("sessions");
            Ok(SessionLine {
                id: r.parse("session_id")?,
                principal_epoch: r.int("principal_epoch")?,
                account_epoch: r.int("account_epoch")?,
                methods: read_methods(&r.text("methods")?)?,
                created_at: r.time("created_at")?,
                last_seen_at: r.time("last_seen_at")?,
                expires_at: r.time("expires_at")?,
                address: r.text("address")?,
                user_agent: r.text("user_agent")?,
            })
        })
        .collect()
}

/// Ends one session of a principal; whether it was there.
pub async fn end(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    session: &SessionId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(END, params![account, id, session]).await? == 1)
}

/// Ends all sessions of a principal but one, or all when `but` is empty; how many there were.
pub async fn end_others(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId, but: &str) -> Result<u64, StoreError> {
    tx.execute(END_OTHERS, params![account, id, but]).await
}

/// Drops sessions that ran out at `now` or lie idle since `idle_since`.
pub async fn sweep(tx: &mut Tx<'_>, now: Timestamp, idle_since: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP, params![now, idle_since]).await
}

fn read_from(r: &mut RowReader) -> Result<SessionInFull, StoreError> {
    Ok(SessionInFull {
        session: Session {
            id: r.parse("session_id")?,
            account_id: r.parse("account_id")?,
            principal_id: r.parse("principal_id")?,
            principal_epoch: r.int("principal_epoch")?,
            account_epoch: r.int("account_epoch")?,
            methods: read_methods(&r.text("methods")?)?,
            created_at: r.time("created_at")?,
            last_seen_at: r.time("last_seen_at")?,
            expires_at: r.time("expires_at")?,
        },
        kind: r.parse("kind")?,
        name: r.text("name")?,
        display_name: r.parse("display_name")?,
        principal_epoch: r.int("epoch")?,
        account_epoch: r.int("epoch")?,
        alias: r.parse("alias")?,
        settings: r.settings("settings")?,
        administrator_by: r.opt_parse("policy")?,
        has_policies: r.bool("has_policies")?,
    })
}

fn read_methods(words: &str) -> Result<Vec<Method>, StoreError> {
    words
        .split_whitespace()
        .map(|word| {
            word.parse().map_err(|error: countersign_model::UnknownWord| StoreError::BadRow {
                table: "sessions",
                column: "methods",
                problem: error.to_string(),
            })
        })
        .collect()
}
