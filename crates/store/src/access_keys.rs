//! AccessKeys. A call names its key and nothing else, so [`find_in_full`] is the one look-up here across accounts.

use crate::attachments::{administrator_by, has_policies};
use crate::{Row, RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::access_key::{AccessKey, AccessKeyStatus, LastUse};
use countersign_model::ids::{AccessKeyId, AccountId, PrincipalId};
use countersign_model::names::AccountAlias;
use countersign_model::principal::{PrincipalKind, SystemPolicy};
use countersign_model::settings::SecuritySettings;
use std::sync::Arc;

statements! {
    INSERT = "INSERT INTO access_keys (account_id, access_key_id, principal_id, sealed_secret, status, created_at, \
              updated_at, enabled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    FIND_IN_FULL = concat!(
        "SELECT k.account_id, k.access_key_id, k.principal_id, k.sealed_secret, k.status, k.created_at, \
         k.updated_at, k.enabled_at, k.last_used_at, k.last_used_service, \
         p.kind, p.name, p.epoch, a.epoch, a.alias, a.settings, ",
        administrator_by!("k.account_id", "k.principal_id"), ", ",
        has_policies!("k.account_id", "k.principal_id"),
        " FROM access_keys k \
         JOIN principals p ON p.account_id = k.account_id AND p.principal_id = k.principal_id \
         JOIN accounts a ON a.account_id = k.account_id \
         WHERE k.access_key_id = $1");
    FIND = "SELECT account_id, access_key_id, principal_id, sealed_secret, status, created_at, updated_at, enabled_at, \
            last_used_at, last_used_service FROM access_keys WHERE account_id = $1 AND access_key_id = $2";
    LIST = "SELECT account_id, access_key_id, principal_id, sealed_secret, status, created_at, updated_at, enabled_at, \
            last_used_at, last_used_service FROM access_keys WHERE account_id = $1 AND principal_id = $2 \
            ORDER BY created_at, access_key_id";
    COUNT = "SELECT COUNT(*) FROM access_keys WHERE account_id = $1 AND principal_id = $2";
    SET_STATUS = "UPDATE access_keys SET status = $1, updated_at = $2, enabled_at = $3 \
                  WHERE account_id = $4 AND access_key_id = $5";
    DISABLE_SINCE = "UPDATE access_keys SET status = 'Inactive', updated_at = $1 \
                     WHERE account_id = $2 AND principal_id = $3 AND status = 'Active' AND enabled_at >= $4 \
                     RETURNING access_key_id";
    DELETE = "DELETE FROM access_keys WHERE account_id = $1 AND access_key_id = $2";
    MARK_USED = "UPDATE access_keys SET last_used_at = $1, last_used_service = $2 \
                 WHERE account_id = $3 AND access_key_id = $4 AND (last_used_at IS NULL OR last_used_at < $1)";
    LIST_IDLE = "SELECT k.access_key_id, k.principal_id, p.name FROM access_keys k \
                 JOIN principals p ON p.account_id = k.account_id AND p.principal_id = k.principal_id \
                 WHERE k.account_id = $1 AND k.status = 'Active' AND k.enabled_at <= $2 \
                 AND COALESCE(k.last_used_at, 0) <= $2 ORDER BY k.access_key_id LIMIT $3";
    COUNT_IDLE_HOLDERS = "SELECT COUNT(DISTINCT principal_id) FROM access_keys WHERE account_id = $1 \
                          AND status = 'Active' AND enabled_at <= $2 AND COALESCE(last_used_at, 0) <= $2";
}

/// A key with all that a call needs of it, in one read.
#[derive(Debug, Clone)]
pub struct AccessKeyInFull {
    /// The key.
    pub key: AccessKey,
    /// Owner or RAM user.
    pub kind: PrincipalKind,
    /// The user name, or the owner's email address.
    pub name: String,
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

/// Adds a key; whether its id was free.
pub async fn insert(tx: &mut Tx<'_>, key: &AccessKey) -> Result<bool, StoreError> {
    Ok(tx
        .execute(
            INSERT,
            params![
                key.account_id,
                key.id,
                key.principal_id,
                key.sealed_secret,
                key.status.as_str(),
                key.created_at,
                key.updated_at,
                key.enabled_at
            ],
        )
        .await?
        == 1)
}

/// The key of this id in whichever account, active or not.
pub async fn find_in_full(tx: &mut Tx<'_>, id: &AccessKeyId) -> Result<Option<AccessKeyInFull>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("access_keys");
        Ok(AccessKeyInFull {
            key: read_from(&mut r)?,
            kind: r.parse("kind")?,
            name: r.text("name")?,
            principal_epoch: r.int("epoch")?,
            account_epoch: r.int("epoch")?,
            alias: r.parse("alias")?,
            settings: r.settings("settings")?,
            administrator_by: r.opt_parse("policy")?,
            has_policies: r.bool("has_policies")?,
        })
    };
    tx.row(FIND_IN_FULL, params![id]).await?.map(read).transpose()
}

/// The key of this id in an account.
pub async fn find(tx: &mut Tx<'_>, account: &AccountId, id: &AccessKeyId) -> Result<Option<AccessKey>, StoreError> {
    tx.row(FIND, params![account, id]).await?.map(|row| read_from(&mut row.reader("access_keys"))).transpose()
}

/// The keys of a principal, the oldest first.
pub async fn list(tx: &mut Tx<'_>, account: &AccountId, holder: &PrincipalId) -> Result<Vec<AccessKey>, StoreError> {
    let rows = tx.rows(LIST, params![account, holder]).await?;
    rows.into_iter().map(|row| read_from(&mut row.reader("access_keys"))).collect()
}

/// How many keys a principal has, active or not.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId, holder: &PrincipalId) -> Result<i64, StoreError> {
    let row = tx.row(COUNT, params![account, holder]).await?;
    row.map_or(Ok(0), |row| row.reader("access_keys").int("count"))
}

/// Sets the status of a key that was found, with its times.
pub async fn set_status(tx: &mut Tx<'_>, key: &AccessKey) -> Result<bool, StoreError> {
    let (account, id) = (&key.account_id, &key.id);
    Ok(tx.execute(SET_STATUS, params![key.status.as_str(), key.updated_at, key.enabled_at, account, id]).await? == 1)
}

/// Disables the active keys of a principal that were made or enabled at `since` or later; their ids.
pub async fn disable_since(
    tx: &mut Tx<'_>,
    (account, holder): (&AccountId, &PrincipalId),
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<AccessKeyId>, StoreError> {
    let rows = tx.rows(DISABLE_SINCE, params![now, account, holder, since]).await?;
    rows.into_iter().map(|row| row.reader("access_keys").parse("access_key_id")).collect()
}

/// Removes a key; whether it was there.
pub async fn delete(tx: &mut Tx<'_>, account: &AccountId, id: &AccessKeyId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![account, id]).await? == 1)
}

/// Notes that a key has signed a call.
pub async fn mark_used(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &AccessKeyId,
    used: LastUse,
) -> Result<(), StoreError> {
    tx.execute(MARK_USED, params![used.at, used.service.as_str(), account, id]).await.map(drop)
}

/// A key that lies idle.
#[derive(Debug, Clone)]
pub struct IdleAccessKey {
    /// Its id.
    pub id: AccessKeyId,
    /// Whose it is.
    pub holder: PrincipalId,
    /// His name.
    pub holder_name: String,
}

/// The first `limit` active keys of an account that were neither used nor enabled after `since`.
pub async fn list_idle(
    tx: &mut Tx<'_>,
    account: &AccountId,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<IdleAccessKey>, StoreError> {
    let rows = tx.rows(LIST_IDLE, params![account, since, limit]).await?;
    let read = |row: Row| {
        let mut r = row.reader("access_keys");
        Ok(IdleAccessKey {
            id: r.parse("access_key_id")?,
            holder: r.parse("principal_id")?,
            holder_name: r.text("name")?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// How many principals of an account have an active key that was neither used nor enabled after `since`.
pub async fn count_idle_holders(tx: &mut Tx<'_>, account: &AccountId, since: Timestamp) -> Result<i64, StoreError> {
    let row = tx.row(COUNT_IDLE_HOLDERS, params![account, since]).await?;
    row.map_or(Ok(0), |row| row.reader("access_keys").int("count"))
}

fn read_from(r: &mut RowReader) -> Result<AccessKey, StoreError> {
    Ok(AccessKey {
        account_id: r.parse("account_id")?,
        id: r.parse("access_key_id")?,
        principal_id: r.parse("principal_id")?,
        sealed_secret: r.blob("sealed_secret")?,
        status: r.parse::<AccessKeyStatus>("status")?,
        created_at: r.time("created_at")?,
        updated_at: r.time("updated_at")?,
        enabled_at: r.time("enabled_at")?,
        last_use: match (r.opt_time("last_used_at")?, r.opt_parse("last_used_service")?) {
            (Some(at), Some(service)) => Some(LastUse { at, service }),
            (None, _) | (_, None) => None,
        },
    })
}
