//! What a change of the settings would do, counted over all RAM users of an account who have console logon. Rules stand
//! in core: here users are only sorted into classes of those whom every rule treats alike.

use crate::attachments::{administrators, is_restricted};
use crate::factors::has_factor;
use crate::webauthn_credentials::read_make;
use crate::{Row, RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::webauthn::Make;

/// A [`Class`] as one number; `$1` to `$3` are the [`Thresholds`] of ages.
macro_rules! class {
    () => {
        concat!(
            "CAST(CASE WHEN ", has_factor!("p.account_id", "p.principal_id"), " THEN 1 ELSE 0 END \
         + CASE WHEN lp.mfa_bind_required THEN 2 ELSE 0 END \
         + CASE WHEN COALESCE(p.last_logon_at, 0) <= $1 AND lp.enabled_at <= $1 THEN 4 ELSE 0 END \
         + CASE WHEN COALESCE(lp.password_changed_at, 0) <= $2 THEN 8 ELSE 0 END \
         + CASE WHEN lp.password_is_initial AND COALESCE(lp.password_changed_at, 0) <= $3 THEN 16 ELSE 0 END AS BIGINT)"
        )
    };
}

/// RAM users with console logon.
macro_rules! console_users {
    () => {
        " JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
         AND lp.console_logon = 'enabled' \
         WHERE p.account_id = $4 AND p.kind = 'ram-user'"
    };
}

statements! {
    CLASSES = concat!("SELECT ", class!(), ", COUNT(*) FROM principals p", console_users!(), " GROUP BY 1");
    /// Each user by himself: no engine sorts a hundred thousand addresses for nothing.
    PLACES = concat!("SELECT ", class!(), ", p.last_logon_address FROM principals p", console_users!());
    ADMINISTRATORS = concat!("SELECT ", class!(), ", p.principal_id, p.name, p.last_logon_address, ",
                             is_restricted!("p.account_id", "p.principal_id"),
                             " FROM ", administrators!("$4"), " ap \
                             JOIN principals p ON p.principal_id = ap.principal_id", console_users!(),
                             " ORDER BY p.canonical_name LIMIT $5");
    /// From the machines to their users: seen from the users, SQLite looks through all machines for each.
    REMEMBERED = "SELECT DISTINCT m.principal_id FROM remembered_machines m \
                  JOIN principals p ON p.account_id = m.account_id AND p.principal_id = m.principal_id \
                  AND p.epoch = m.principal_epoch AND p.kind = 'ram-user' \
                  JOIN login_profiles lp ON lp.account_id = m.account_id AND lp.principal_id = m.principal_id \
                  AND lp.console_logon = 'enabled' \
                  WHERE m.account_id = $1 AND m.account_epoch = $2 AND m.expires_at > $3";
    /// Whoever has a virtual MFA device as well is shut out by no policy.
    KEYS = "SELECT DISTINCT w.principal_id, w.aaguid, w.trust, w.backup_eligible FROM webauthn_credentials w \
            JOIN principals p ON p.account_id = w.account_id AND p.principal_id = w.principal_id AND p.kind = 'ram-user' \
            JOIN login_profiles lp ON lp.account_id = w.account_id AND lp.principal_id = w.principal_id \
            AND lp.console_logon = 'enabled' \
            WHERE w.account_id = $1 AND w.rp_id = $2 AND (w.held IS NULL OR w.held <> 'disowned') \
            AND NOT EXISTS (SELECT 1 FROM virtual_mfa v WHERE v.account_id = w.account_id \
            AND v.principal_id = w.principal_id AND v.state = 'bound')";
    SESSIONS = "SELECT COUNT(*) FROM sessions s \
                JOIN principals p ON p.account_id = s.account_id AND p.principal_id = s.principal_id \
                AND p.epoch = s.principal_epoch \
                WHERE s.account_id = $1 AND s.account_epoch = $2 AND s.expires_at > $3 AND s.last_seen_at > $4";
}

/// By what users are sorted into classes.
#[derive(Debug, Clone, Copy)]
pub struct Thresholds {
    /// Whoever has neither logged on nor been enabled since is idle.
    pub idle_since: Timestamp,
    /// Passwords changed at that time or before have outlived the longest age.
    pub changed_before: Timestamp,
    /// The same for passwords that an administrator gave.
    pub initial_before: Timestamp,
}

/// What rules look at of a user with console logon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Class {
    /// Whether he has a second factor.
    pub bound: bool,
    /// Whether his login profile requires one.
    pub bind_required: bool,
    /// Whether he is idle.
    pub idle: bool,
    /// Whether his password has outlived the longest age.
    pub outlived: bool,
    /// Whether it was given by an administrator and has outlived the age for such ones.
    pub initial_outlived: bool,
}

impl Class {
    const fn of(number: i64) -> Self {
        Self {
            bound: number & 1 != 0,
            bind_required: number & 2 != 0,
            idle: number & 4 != 0,
            outlived: number & 8 != 0,
            initial_outlived: number & 16 != 0,
        }
    }
}

/// Users whom every rule treats alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// What rules look at.
    pub class: Class,
    /// From where they last logged on, if that was asked for and is known.
    pub address: Option<String>,
    /// How many they are.
    pub users: i64,
}

/// An administrator with what rules look at.
#[derive(Debug, Clone)]
pub struct AdministratorRow {
    /// What rules look at.
    pub class: Class,
    /// The id.
    pub id: PrincipalId,
    /// The user name.
    pub name: String,
    /// From where he last logged on, if it is known.
    pub address: Option<String>,
    /// Whether a policy denies him something.
    pub is_restricted: bool,
}

/// The users of an account by class.
pub async fn classes(tx: &mut Tx<'_>, account: &AccountId, by: Thresholds) -> Result<Vec<Alike>, StoreError> {
    let rows = tx.rows(CLASSES, params![by.idle_since, by.changed_before, by.initial_before, account]).await?;
    rows.into_iter()
        .map(|row| {
            let mut r = row.reader("principals");
            Ok(Alike { class: read_class(&mut r)?, address: None, users: r.int("count")? })
        })
        .collect()
}

/// The users of an account one by one, each with the address of his last logon.
pub async fn places(tx: &mut Tx<'_>, account: &AccountId, by: Thresholds) -> Result<Vec<Alike>, StoreError> {
    let rows = tx.rows(PLACES, params![by.idle_since, by.changed_before, by.initial_before, account]).await?;
    rows.into_iter()
        .map(|row| {
            let mut r = row.reader("principals");
            Ok(Alike { class: read_class(&mut r)?, address: r.opt_text("last_logon_address")?, users: 1 })
        })
        .collect()
}

/// The first `limit` administrators of an account by name.
pub async fn administrators(
    tx: &mut Tx<'_>,
    account: &AccountId,
    by: Thresholds,
    limit: i64,
) -> Result<Vec<AdministratorRow>, StoreError> {
    let params = params![by.idle_since, by.changed_before, by.initial_before, account, limit];
    tx.rows(ADMINISTRATORS, params).await?.into_iter().map(read_administrator).collect()
}

/// The users of an account for whom a machine is remembered at `now`.
pub async fn remembered(
    tx: &mut Tx<'_>,
    account: &AccountId,
    account_epoch: i64,
    now: Timestamp,
) -> Result<Vec<PrincipalId>, StoreError> {
    let rows = tx.rows(REMEMBERED, params![account, account_epoch, now]).await?;
    rows.into_iter().map(|row| row.reader("remembered_machines").parse("principal_id")).collect()
}

/// The makes of the keys that users of an account log on with who have nothing else. `rp_id` is the relying party that they
/// have to be of.
pub async fn keys(tx: &mut Tx<'_>, account: &AccountId, rp_id: &str) -> Result<Vec<(PrincipalId, Make)>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("webauthn_credentials");
        Ok((r.parse("principal_id")?, read_make(&mut r)?))
    };
    tx.rows(KEYS, params![account, rp_id]).await?.into_iter().map(read).collect()
}

/// How many sessions of an account are good at `now`, if those that lie idle since `idle_since` are not.
pub async fn sessions(
    tx: &mut Tx<'_>,
    account: &AccountId,
    account_epoch: i64,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<i64, StoreError> {
    let row = tx.row(SESSIONS, params![account, account_epoch, now, idle_since]).await?;
    row.map_or(Ok(0), |row| row.reader("sessions").int("count"))
}

fn read_class(r: &mut RowReader) -> Result<Class, StoreError> {
    Ok(Class::of(r.int("class")?))
}

fn read_administrator(row: Row) -> Result<AdministratorRow, StoreError> {
    let mut r = row.reader("principals");
    Ok(AdministratorRow {
        class: read_class(&mut r)?,
        id: r.parse("principal_id")?,
        name: r.text("name")?,
        address: r.opt_text("last_logon_address")?,
        is_restricted: r.bool("is_restricted")?,
    })
}
