//! What a clock that ran ahead has left behind. For the operator only: these statements cross accounts.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccessKeyId, AccountId, PrincipalId};
use countersign_model::names::AccountAlias;

statements! {
    SHORTEN_PAUSES = "UPDATE budgets SET blocked_until = $1 WHERE blocked_until > $1";
    SHORTEN_WINDOWS = "UPDATE budgets SET window_since = $1 WHERE window_since > $1";
    DROP_NETWORKS = "DELETE FROM network_budgets WHERE hour > $1";
    END_SESSIONS = "DELETE FROM sessions WHERE created_at > $1 OR last_seen_at > $1";
    END_LOGONS = "DELETE FROM logons WHERE expires_at > $1";
    END_MACHINES = "DELETE FROM remembered_machines WHERE created_at > $1 OR last_used_at > $1";
    END_BROWSERS = "DELETE FROM known_browsers WHERE created_at > $1 OR last_mfa_at > $1 OR expires_at > $2";
    END_NETWORKS = "DELETE FROM known_networks WHERE last_mfa_at > $1";
    END_STARTS = "DELETE FROM binding_starts WHERE hour > $1";
    CUT_BUDGETS = "UPDATE budgets SET updated_at = $1 WHERE updated_at > $1";
    CUT_PASSWORDS = "UPDATE login_profiles SET password_changed_at = $1 WHERE password_changed_at > $1";
    CUT_PROFILES = "UPDATE login_profiles SET enabled_at = $1 WHERE enabled_at > $1";
    CUT_LOGONS = "UPDATE principals SET last_logon_at = $1 WHERE last_logon_at > $1";
    CUT_KEYS = "UPDATE access_keys SET last_used_at = $1 WHERE last_used_at > $1";
    DISABLE_KEYS = "UPDATE access_keys SET status = 'Inactive', updated_at = $1 \
                    WHERE status = 'Active' AND last_used_at > $2 \
                    RETURNING account_id, access_key_id, principal_id";
    CUT_ENABLED_KEYS = "UPDATE access_keys SET enabled_at = $1 WHERE enabled_at > $1";
    CUT_NOTICES = "UPDATE notices SET created_at = $1 WHERE created_at > $1";
    CUT_MAILS = "UPDATE outbox SET due_at = $1 WHERE state = 'waiting' AND due_at > $2";
    END_PROOFS = "DELETE FROM proofs WHERE expires_at > $1";
    END_WINDOWS = "DELETE FROM proof_windows WHERE ends_at > $1";
    END_CEREMONIES = "DELETE FROM webauthn_ceremonies WHERE expires_at > $1";
    CUT_KEYS_BOUND = "UPDATE webauthn_credentials SET created_at = $1 WHERE created_at > $1";
    CUT_DEVICES_BOUND = "UPDATE virtual_mfa SET bound_at = $1 WHERE bound_at > $1";
    CUT_CODES_MADE = "UPDATE recovery_codes SET created_at = $1 WHERE created_at > $1";
    CUT_KEY_USES = "UPDATE webauthn_credentials SET last_used_at = $1 WHERE last_used_at > $1";
    END_BINDINGS = "DELETE FROM virtual_mfa WHERE state = 'pending' AND created_at > $1";
    AHEAD = "SELECT v.account_id, a.alias, v.principal_id, p.name, v.last_step, v.drift FROM virtual_mfa v \
             JOIN principals p ON p.account_id = v.account_id AND p.principal_id = v.principal_id \
             JOIN accounts a ON a.account_id = v.account_id \
             WHERE v.state = 'bound' AND v.last_step - v.drift > $1 ORDER BY a.alias, p.canonical_name";
}

/// Cuts the pauses that end after `latest`; how many.
pub async fn shorten_pauses(tx: &mut Tx<'_>, latest: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SHORTEN_PAUSES, params![latest]).await
}

/// Lets the hours in which tries are counted begin at `now`, where they begin later.
pub async fn shorten_windows(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let hour = now.micros().div_euclid(3_600_000_000);
    tx.execute(CUT_BUDGETS, params![now]).await?;
    tx.execute(END_STARTS, params![hour]).await?;
    Ok(tx.execute(SHORTEN_WINDOWS, params![now]).await? + tx.execute(DROP_NETWORKS, params![hour]).await?)
}

/// Ends the sessions, remembered machines, known browsers and known networks that were opened or used after `now`, and
/// the browsers that would be known for longer than until `known`; how many sessions.
pub async fn end_sessions_after(tx: &mut Tx<'_>, now: Timestamp, known: Timestamp) -> Result<u64, StoreError> {
    tx.execute(END_MACHINES, params![now]).await?;
    tx.execute(END_BROWSERS, params![now, known]).await?;
    tx.execute(END_NETWORKS, params![now]).await?;
    tx.execute(END_SESSIONS, params![now]).await
}

/// An `AccessKey` that was used at a time to come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyAhead {
    /// The account.
    pub account: AccountId,
    /// Whose it is.
    pub principal: PrincipalId,
    /// Its id.
    pub key: AccessKeyId,
}

/// Disables the active AccessKeys that were last used after `latest`; which.
pub async fn disable_keys_used_after(
    tx: &mut Tx<'_>,
    latest: Timestamp,
    now: Timestamp,
) -> Result<Vec<KeyAhead>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("access_keys");
        let (account, key) = (r.parse("account_id")?, r.parse("access_key_id")?);
        Ok(KeyAhead { account, key, principal: r.parse("principal_id")? })
    };
    let rows = tx.rows(DISABLE_KEYS, params![now, latest]).await?;
    let mut disabled: Vec<KeyAhead> = rows.into_iter().map(read).collect::<Result<_, StoreError>>()?;
    disabled.sort();
    Ok(disabled)
}

/// Sets times after `now` to `now`: from them the age of passwords, the idleness of users and AccessKeys and the life of notices and
/// their links are counted. Mails that would be sent after `mail` are due now.
pub async fn cut_times_after(tx: &mut Tx<'_>, now: Timestamp, mail: Timestamp) -> Result<(), StoreError> {
    let last_uses = [CUT_LOGONS, CUT_KEYS, CUT_KEY_USES];
    let factors = [CUT_DEVICES_BOUND, CUT_KEYS_BOUND, CUT_CODES_MADE];
    let beginnings = [CUT_PASSWORDS, CUT_PROFILES, CUT_ENABLED_KEYS, CUT_NOTICES];
    for sql in last_uses.into_iter().chain(factors).chain(beginnings) {
        tx.execute(sql, params![now]).await?;
    }
    tx.execute(CUT_MAILS, params![now, mail]).await.map(drop)
}

/// Until when, at the latest, what begins now may last.
#[derive(Debug, Clone, Copy)]
pub struct Latest {
    /// A logon.
    pub logon: Timestamp,
    /// A proof for a sensitive operation.
    pub proof: Timestamp,
    /// A challenge for a security key or passkey.
    pub ceremony: Timestamp,
    /// The time in which a session need not prove again.
    pub window: Timestamp,
}

/// Ends what was begun after `now` or lasts longer than it may: logons, proofs, bindings; how many.
pub async fn end_pending_after(tx: &mut Tx<'_>, now: Timestamp, latest: Latest) -> Result<u64, StoreError> {
    Ok(tx.execute(END_LOGONS, params![latest.logon]).await?
        + tx.execute(END_PROOFS, params![latest.proof]).await?
        + tx.execute(END_WINDOWS, params![latest.window]).await?
        + tx.execute(END_CEREMONIES, params![latest.ceremony]).await?
        + tx.execute(END_BINDINGS, params![now]).await?)
}

/// A bound device of which steps of the future are spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAhead {
    /// The account.
    pub account: AccountId,
    /// Its alias.
    pub alias: AccountAlias,
    /// Whom it belongs to.
    pub principal: PrincipalId,
    /// His name.
    pub name: String,
    /// The step in which a code of it is right again.
    pub right_from: i64,
}

/// The bound devices of which no code is right before a step after `step`.
pub async fn devices_ahead(tx: &mut Tx<'_>, step: i64) -> Result<Vec<DeviceAhead>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("virtual_mfa");
        Ok(DeviceAhead {
            account: r.parse("account_id")?,
            alias: r.parse("alias")?,
            principal: r.parse("principal_id")?,
            name: r.text("name")?,
            right_from: r.int("last_step")?.saturating_sub(r.int("drift")?),
        })
    };
    tx.rows(AHEAD, params![step]).await?.into_iter().map(read).collect()
}
