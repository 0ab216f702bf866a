//! Login profiles: the console logon settings of a principal.

use crate::{RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::principal::LoginProfile;
use secrecy::{ExposeSecret as _, SecretString};

statements! {
    PUT = "INSERT INTO login_profiles (account_id, principal_id, console_logon, password_hash, password_changed_at, \
           password_reset_required, password_is_initial, mfa_bind_required, created_at, enabled_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
           ON CONFLICT (account_id, principal_id) DO UPDATE SET console_logon = excluded.console_logon, \
           password_hash = excluded.password_hash, password_changed_at = excluded.password_changed_at, \
           password_reset_required = excluded.password_reset_required, \
           password_is_initial = excluded.password_is_initial, \
           mfa_bind_required = excluded.mfa_bind_required, enabled_at = excluded.enabled_at";
    FIND = "SELECT console_logon, password_hash, password_changed_at, password_reset_required, password_is_initial, \
            mfa_bind_required, created_at, enabled_at FROM login_profiles WHERE account_id = $1 AND principal_id = $2";
    DELETE = "DELETE FROM login_profiles WHERE account_id = $1 AND principal_id = $2";
    LIST_IDLE = "SELECT p.principal_id, p.name, p.last_logon_at, lp.enabled_at FROM principals p \
                 JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
                 WHERE p.account_id = $1 AND p.kind = 'ram-user' AND lp.console_logon = 'enabled' \
                 AND lp.enabled_at <= $2 AND COALESCE(p.last_logon_at, 0) <= $2 ORDER BY p.principal_id LIMIT $3";
    REHASH = "UPDATE login_profiles SET password_hash = $1 \
              WHERE account_id = $2 AND principal_id = $3 AND password_hash = $4";
}

/// Writes a profile, new or changed.
pub async fn put(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    profile: &LoginProfile,
) -> Result<(), StoreError> {
    tx.execute(
        PUT,
        params![
            account,
            id,
            profile.console_logon.as_str(),
            profile.password_hash.as_ref().map(|hash| hash.expose_secret().to_owned()),
            profile.password_changed_at,
            profile.password_reset_required,
            profile.password_is_initial,
            profile.mfa_bind_required,
            profile.created_at,
            profile.enabled_at
        ],
    )
    .await
    .map(drop)
}

/// The profile of a principal.
pub async fn find(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<Option<LoginProfile>, StoreError> {
    let row = tx.row(FIND, params![account, id]).await?;
    row.map(|row| read_from(&mut row.reader("login_profiles"))?.ok_or_else(row_without_profile)).transpose()
}

/// Takes the profile of a principal away; whether there was one.
pub async fn delete(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![account, id]).await? == 1)
}

/// A user whose console logon lies idle.
#[derive(Debug, Clone)]
pub struct IdleUser {
    /// His id.
    pub id: PrincipalId,
    /// His name.
    pub name: String,
    /// When he last opened a session.
    pub last_logon_at: Option<Timestamp>,
    /// When his console logon was enabled.
    pub enabled_at: Timestamp,
}

/// The first `limit` RAM users of an account whose console logon is enabled and was neither used nor enabled after `since`.
pub async fn list_idle(
    tx: &mut Tx<'_>,
    account: &AccountId,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<IdleUser>, StoreError> {
    let rows = tx.rows(LIST_IDLE, params![account, since, limit]).await?;
    rows.into_iter()
        .map(|row| {
            let mut r = row.reader("login_profiles");
            Ok(IdleUser {
                id: r.parse("principal_id")?,
                name: r.text("name")?,
                last_logon_at: r.opt_time("last_logon_at")?,
                enabled_at: r.time("enabled_at")?,
            })
        })
        .collect()
}

/// Replaces the hash of an unchanged password, because the parameters of hashing have changed.
pub async fn rehash(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    old: &SecretString,
    new: &str,
) -> Result<(), StoreError> {
    tx.execute(REHASH, params![new, account, id, old.expose_secret()]).await.map(drop)
}

/// Reads the columns of [`FIND`]; nothing when an outer join found no profile.
pub(crate) fn read_from(r: &mut RowReader) -> Result<Option<LoginProfile>, StoreError> {
    let console_logon = r.opt_parse("console_logon")?;
    let password_hash = r.opt_text("password_hash")?.map(SecretString::from);
    let password_changed_at = r.opt_time("password_changed_at")?;
    let password_reset_required = r.opt_bool("password_reset_required")?;
    let password_is_initial = r.opt_bool("password_is_initial")?;
    let mfa_bind_required = r.opt_bool("mfa_bind_required")?;
    let created_at: Option<Timestamp> = r.opt_time("created_at")?;
    let enabled_at: Option<Timestamp> = r.opt_time("enabled_at")?;
    let Some(console_logon) = console_logon else { return Ok(None) };
    Ok(Some(LoginProfile {
        console_logon,
        password_hash,
        password_changed_at,
        password_reset_required: password_reset_required.unwrap_or(true),
        password_is_initial: password_is_initial.unwrap_or(true),
        mfa_bind_required: mfa_bind_required.unwrap_or(true),
        created_at: created_at.unwrap_or(Timestamp::from_micros(0)),
        enabled_at: enabled_at.unwrap_or(Timestamp::from_micros(0)),
    }))
}

fn row_without_profile() -> StoreError {
    StoreError::Fault("a login profile without a console logon state".to_owned())
}
