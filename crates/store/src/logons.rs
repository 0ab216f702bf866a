//! Attempts to open a session, found by the hash of what the browser holds.

use crate::factors::{key_counts, read_keys};
use crate::{RowReader, StoreError, Tx, login_profiles, params, statements, virtual_mfa};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::logon::Logon;
use countersign_model::names::AccountAlias;
use countersign_model::principal::LoginProfile;
use countersign_model::settings::SecuritySettings;
use countersign_model::virtual_mfa::VirtualMfa;
use countersign_model::webauthn::Factors;
use std::sync::Arc;

statements! {
    INSERT = "INSERT INTO logons (token_hash, logon_id, account_id, principal_id, kind, name, state, facts, \
              principal_epoch, account_epoch, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    FIND = concat!("SELECT l.logon_id, l.account_id, l.principal_id, l.kind, l.name, l.state, l.facts, l.principal_epoch, \
            l.account_epoch, l.expires_at, \
            p.epoch, p.name, p.last_logon_at, a.epoch, a.alias, a.settings, \
            lp.console_logon, lp.password_hash, lp.password_changed_at, lp.password_reset_required, \
            lp.password_is_initial, lp.mfa_bind_required, lp.created_at, lp.enabled_at, \
            v.account_id, v.device_id, v.principal_id, v.name, v.sealed_seed, v.created_at, v.state, v.started_by, \
            v.expires_at, v.bound_at, v.last_step, v.drift, v.last_used_at, ", key_counts!("p.account_id", "p.principal_id"), " \
            FROM logons l \
            LEFT JOIN principals p ON p.account_id = l.account_id AND p.principal_id = l.principal_id \
            LEFT JOIN accounts a ON a.account_id = l.account_id \
            LEFT JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
            LEFT JOIN virtual_mfa v ON v.account_id = p.account_id AND v.principal_id = p.principal_id \
            AND v.state = 'bound' \
            WHERE l.token_hash = $1");
    MOVE = "UPDATE logons SET token_hash = $1, state = $2, facts = $3, principal_epoch = $4, account_epoch = $5 \
            WHERE token_hash = $6 AND state = $7";
    HOLD = "UPDATE logons SET expires_at = expires_at WHERE token_hash = $1";
    DELETE = "DELETE FROM logons WHERE token_hash = $1";
    END_ALL_OF = "DELETE FROM logons WHERE account_id = $1 AND principal_id = $2 AND state <> 'password'";
    SWEEP = "DELETE FROM logons WHERE expires_at < $1";
}

/// A logon with all that the next decision looks at.
#[derive(Debug, Clone)]
pub struct LogonInFull {
    /// The logon.
    pub logon: Logon,
    /// Who logs on; nobody when the name does not exist.
    pub subject: Option<LogonSubject>,
    /// The settings of the account, if that exists.
    pub settings: Option<Arc<SecuritySettings>>,
}

/// The principal of a logon as it is now.
#[derive(Debug, Clone)]
pub struct LogonSubject {
    /// The principal's present epoch.
    pub principal_epoch: i64,
    /// The principal's name as stored.
    pub name: String,
    /// When he last opened a session.
    pub last_logon_at: Option<Timestamp>,
    /// The account's present epoch.
    pub account_epoch: i64,
    /// The account's alias.
    pub alias: AccountAlias,
    /// The account's settings.
    pub settings: Arc<SecuritySettings>,
    /// The login profile, if there is one.
    pub profile: Option<LoginProfile>,
    /// The bound virtual MFA device, if there is one.
    pub device: Option<VirtualMfa>,
    /// All second factors that are bound.
    pub factors: Factors,
}

/// Adds a logon.
pub async fn insert(tx: &mut Tx<'_>, token_hash: &[u8; 32], logon: &Logon) -> Result<(), StoreError> {
    let facts = crate::conversions::to_json(&logon.facts)?;
    tx.execute(
        INSERT,
        params![
            token_hash,
            logon.id,
            logon.account_id,
            logon.principal_id,
            logon.kind.as_str(),
            logon.name,
            logon.state.as_str(),
            facts,
            logon.principal_epoch,
            logon.account_epoch,
            logon.expires_at
        ],
    )
    .await
    .map(drop)
}

/// The logon that the browser with this secret holds.
pub async fn find(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<Option<LogonInFull>, StoreError> {
    tx.row(FIND, params![token_hash]).await?.map(|row| read_from(&mut row.reader("logons"))).transpose()
}

/// Moves a logon to its next state under a new secret. Of several that try from one state, one succeeds.
pub async fn advance(
    tx: &mut Tx<'_>,
    old_hash: &[u8; 32],
    old: &Logon,
    new_hash: &[u8; 32],
    new: &Logon,
) -> Result<bool, StoreError> {
    let facts = crate::conversions::to_json(&new.facts)?;
    Ok(tx
        .execute(
            MOVE,
            params![
                new_hash,
                new.state.as_str(),
                facts,
                new.principal_epoch,
                new.account_epoch,
                old_hash,
                old.state.as_str()
            ],
        )
        .await?
        == 1)
}

/// Takes the row of a logon until the unit ends, so that nobody finishes or cancels it meanwhile; whether it is there.
pub async fn hold(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute(HOLD, params![token_hash]).await? == 1)
}

/// Ends a logon. Of several that try, one succeeds.
pub async fn consume(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![token_hash]).await? == 1)
}

/// Ends the logons of a principal that have passed the password; how many there were. One that has not proves nothing yet,
/// and its end would tell whoever began it that the name exists.
pub async fn end_all_of(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<u64, StoreError> {
    tx.execute(END_ALL_OF, params![account, id]).await
}

/// Drops logons that ran out.
pub async fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP, params![now]).await
}

fn read_from(r: &mut RowReader) -> Result<LogonInFull, StoreError> {
    let logon = Logon {
        id: r.parse("logon_id")?,
        account_id: r.parse::<AccountId>("account_id")?,
        principal_id: r.parse("principal_id")?,
        kind: r.parse("kind")?,
        name: r.text("name")?,
        state: r.parse("state")?,
        facts: r.json("facts")?,
        principal_epoch: r.int("principal_epoch")?,
        account_epoch: r.int("account_epoch")?,
        expires_at: r.time("expires_at")?,
    };
    let principal_epoch = r.opt_int("epoch")?;
    let name = r.opt_text("name")?;
    let last_logon_at = r.opt_time("last_logon_at")?;
    let account_epoch = r.opt_int("epoch")?;
    let alias = r.opt_parse("alias")?;
    let settings = r.opt_settings("settings")?;
    let profile = login_profiles::read_from(r)?;
    let device = virtual_mfa::read_from(r)?;
    let factors = read_keys(r, device.is_some())?;
    let of_account = settings.clone();
    let (Some(principal_epoch), Some(name), Some(account_epoch), Some(alias), Some(settings)) =
        (principal_epoch, name, account_epoch, alias, settings)
    else {
        return Ok(LogonInFull { logon, subject: None, settings: of_account });
    };
    let subject =
        LogonSubject { principal_epoch, name, last_logon_at, account_epoch, alias, settings, profile, device, factors };
    Ok(LogonInFull { logon, subject: Some(subject), settings: of_account })
}
