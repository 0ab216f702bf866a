//! What a change of the settings would do, counted over all RAM users of an account who have console logon. Rules stand
//! in core: here users are only sorted into classes of those whom every rule treats alike.

use crate::{Row, RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::AccountId;

/// The columns of a [`Class`], in its order. `$1` to `$3` are the [`Thresholds`] of ages.
macro_rules! class_columns {
    () => {
        "ap.principal_id IS NOT NULL, v.device_id IS NOT NULL, lp.mfa_bind_required, \
         COALESCE(p.last_logon_at, 0) <= $1 AND lp.enabled_at <= $1, \
         COALESCE(lp.password_changed_at, 0) <= $2, \
         lp.password_is_initial AND COALESCE(lp.password_changed_at, 0) <= $3, m.principal_id IS NOT NULL"
    };
}

/// RAM users with console logon, who of them is an administrator, has a device, has a machine remembered.
macro_rules! console_users {
    () => {
        " FROM principals p \
         JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
         AND lp.console_logon = 'enabled' \
         LEFT JOIN virtual_mfa v ON v.account_id = p.account_id AND v.principal_id = p.principal_id \
         AND v.state = 'bound' \
         LEFT JOIN (SELECT DISTINCT principal_id FROM attached_policies WHERE account_id = $4) ap \
         ON ap.principal_id = p.principal_id \
         LEFT JOIN (SELECT DISTINCT principal_id, principal_epoch FROM remembered_machines \
         WHERE account_id = $4 AND account_epoch = $5 AND expires_at > $6) m \
         ON m.principal_id = p.principal_id AND m.principal_epoch = p.epoch \
         WHERE p.account_id = $4 AND p.kind = 'ram-user'"
    };
}

statements! {
    CLASSES = concat!("SELECT ", class_columns!(), ", COUNT(*)", console_users!(), " GROUP BY 1, 2, 3, 4, 5, 6, 7");
    ADMINISTRATORS = concat!("SELECT ", class_columns!(), ", p.name, p.last_logon_address", console_users!(),
                             " AND ap.principal_id IS NOT NULL ORDER BY p.canonical_name LIMIT $7");
    ADDRESSES = "SELECT p.last_logon_address, ap.principal_id IS NOT NULL, COUNT(*) FROM principals p \
                 JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
                 AND lp.console_logon = 'enabled' \
                 LEFT JOIN (SELECT DISTINCT principal_id FROM attached_policies WHERE account_id = $1) ap \
                 ON ap.principal_id = p.principal_id \
                 WHERE p.account_id = $1 AND p.kind = 'ram-user' GROUP BY 1, 2";
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
    /// The present epoch of the account.
    pub account_epoch: i64,
    /// The present time.
    pub now: Timestamp,
}

/// What rules look at of a user with console logon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Class {
    /// Whether a policy makes him an administrator.
    pub administrator: bool,
    /// Whether a device is bound.
    pub bound: bool,
    /// Whether his login profile requires one.
    pub bind_required: bool,
    /// Whether he is idle.
    pub idle: bool,
    /// Whether his password has outlived the longest age.
    pub outlived: bool,
    /// Whether it was given by an administrator and has outlived the age for such ones.
    pub initial_outlived: bool,
    /// Whether a machine is remembered for him.
    pub remembered: bool,
}

/// An administrator with what rules look at.
#[derive(Debug, Clone)]
pub struct AdministratorRow {
    /// What rules look at.
    pub class: Class,
    /// The user name.
    pub name: String,
    /// From where he last logged on, if it is known.
    pub address: Option<String>,
}

/// How many users last logged on from an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRow {
    /// The address, if one is known.
    pub address: Option<String>,
    /// Whether these are administrators.
    pub administrators: bool,
    /// How many they are.
    pub users: i64,
}

/// The users of an account by class, with how many each class has.
pub async fn classes(tx: &mut Tx<'_>, account: &AccountId, by: Thresholds) -> Result<Vec<(Class, i64)>, StoreError> {
    let Thresholds { idle_since, changed_before, initial_before, account_epoch, now } = by;
    let params = params![idle_since, changed_before, initial_before, account, account_epoch, now];
    let rows = tx.rows(CLASSES, params).await?;
    rows.into_iter()
        .map(|row| {
            let mut r = row.reader("principals");
            Ok((read_class(&mut r)?, r.int("count")?))
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
    let Thresholds { idle_since, changed_before, initial_before, account_epoch, now } = by;
    let params = params![idle_since, changed_before, initial_before, account, account_epoch, now, limit];
    tx.rows(ADMINISTRATORS, params).await?.into_iter().map(read_administrator).collect()
}

/// From where the users of an account last logged on.
pub async fn addresses(tx: &mut Tx<'_>, account: &AccountId) -> Result<Vec<AddressRow>, StoreError> {
    let rows = tx.rows(ADDRESSES, params![account]).await?;
    rows.into_iter()
        .map(|row| {
            let mut r = row.reader("principals");
            Ok(AddressRow {
                address: r.opt_text("last_logon_address")?,
                administrators: r.bool("administrators")?,
                users: r.int("count")?,
            })
        })
        .collect()
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
    Ok(Class {
        administrator: r.bool("administrator")?,
        bound: r.bool("bound")?,
        bind_required: r.bool("mfa_bind_required")?,
        idle: r.bool("idle")?,
        outlived: r.bool("outlived")?,
        initial_outlived: r.bool("initial_outlived")?,
        remembered: r.bool("remembered")?,
    })
}

fn read_administrator(row: Row) -> Result<AdministratorRow, StoreError> {
    let mut r = row.reader("principals");
    Ok(AdministratorRow {
        class: read_class(&mut r)?,
        name: r.text("name")?,
        address: r.opt_text("last_logon_address")?,
    })
}
