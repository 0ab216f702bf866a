//! What a restored database must forget. A backup knows nothing of what happened since it was taken: whatever was open or
//! unspent in it may be over or spent by now. For the operator only: these statements cross accounts.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};

statements! {
    END_SESSIONS = "DELETE FROM sessions";
    END_LOGONS = "DELETE FROM logons";
    END_MACHINES = "DELETE FROM remembered_machines";
    END_SECRETS = "DELETE FROM machine_secrets";
    END_BROWSERS = "DELETE FROM known_browsers";
    END_NETWORKS = "DELETE FROM known_networks";
    END_PROOFS = "DELETE FROM proofs";
    END_WINDOWS = "DELETE FROM proof_windows";
    END_BINDINGS = "DELETE FROM virtual_mfa WHERE state = 'pending'";
    END_CEREMONIES = "DELETE FROM webauthn_ceremonies";
    GIVE_UP_MAIL = "UPDATE outbox SET state = 'failed', last_error = $1 WHERE state = 'waiting'";
    BUMP_PRINCIPALS = "UPDATE principals SET epoch = epoch + 1, version = version + 1";
    BUMP_ACCOUNTS = "UPDATE accounts SET epoch = epoch + 1, version = version + 1";
    SPEND_STEPS = "UPDATE virtual_mfa SET last_step = $1 WHERE state = 'bound' AND last_step < $1";
    SPEND_UNBOUND = "UPDATE unbound_mfa SET last_step = $1 WHERE last_step < $1";
    STALE = "SELECT p.account_id, p.principal_id, p.name, COUNT(*) FROM recovery_codes r \
             JOIN principals p ON p.account_id = r.account_id AND p.principal_id = r.principal_id \
             WHERE r.used_at IS NULL GROUP BY p.account_id, p.principal_id, p.name \
             ORDER BY p.account_id, p.principal_id";
    STALE_KEYS = "SELECT k.account_id, k.principal_id, p.name, COUNT(*) FROM access_keys k \
                  JOIN principals p ON p.account_id = k.account_id AND p.principal_id = k.principal_id \
                  WHERE k.status = 'Active' GROUP BY k.account_id, k.principal_id, p.name \
                  ORDER BY k.account_id, k.principal_id";
    STALE_PASSKEYS = "SELECT w.account_id, w.principal_id, p.name, COUNT(*) FROM webauthn_credentials w \
                      JOIN principals p ON p.account_id = w.account_id AND p.principal_id = w.principal_id \
                      WHERE w.kind = 'passkey' AND w.held IS NULL GROUP BY w.account_id, w.principal_id, p.name \
                      ORDER BY w.account_id, w.principal_id";
    HOLD_PASSKEYS = "UPDATE webauthn_credentials SET held = 'restored' WHERE kind = 'passkey' AND held IS NULL";
    DISABLE_KEYS = "UPDATE access_keys SET status = 'Inactive', updated_at = $1 WHERE status = 'Active'";
    SPEND_CODES = "UPDATE recovery_codes SET used_at = $1 WHERE used_at IS NULL";
}

/// How much was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ended {
    /// Sessions.
    pub sessions: u64,
    /// Logons under way.
    pub logons: u64,
    /// Remembered machines.
    pub machines: u64,
    /// Known browsers and networks.
    pub browsers: u64,
    /// Bindings that no code has confirmed, and challenges that no key has answered.
    pub bindings: u64,
    /// Proofs asked for or given, and the windows that they opened.
    pub proofs: u64,
    /// Mails that waited.
    pub mails: u64,
}

/// Ends all that was open, in all accounts, and raises both epochs of everybody.
pub async fn end_all(tx: &mut Tx<'_>) -> Result<Ended, StoreError> {
    tx.execute(BUMP_ACCOUNTS, params![]).await?;
    tx.execute(BUMP_PRINCIPALS, params![]).await?;
    tx.execute(END_SECRETS, params![]).await?;
    Ok(Ended {
        sessions: tx.execute(END_SESSIONS, params![]).await?,
        logons: tx.execute(END_LOGONS, params![]).await?,
        machines: tx.execute(END_MACHINES, params![]).await?,
        browsers: tx.execute(END_BROWSERS, params![]).await? + tx.execute(END_NETWORKS, params![]).await?,
        bindings: tx.execute(END_BINDINGS, params![]).await? + tx.execute(END_CEREMONIES, params![]).await?,
        proofs: tx.execute(END_PROOFS, params![]).await? + tx.execute(END_WINDOWS, params![]).await?,
        mails: tx.execute(GIVE_UP_MAIL, params!["it waited in a backup that was restored"]).await?,
    })
}

/// Spends the steps of every bound device up to `step`; of how many devices.
pub async fn spend_steps(tx: &mut Tx<'_>, step: i64) -> Result<u64, StoreError> {
    Ok(tx.execute(SPEND_STEPS, params![step]).await? + tx.execute(SPEND_UNBOUND, params![step]).await?)
}

/// Somebody of whom the mark takes recovery codes or AccessKeys, or holds passkeys back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The account.
    pub account: AccountId,
    /// Whose they were.
    pub principal: PrincipalId,
    /// His name.
    pub name: String,
    /// How many of them were good until now.
    pub count: i64,
}

/// Marks every unused recovery code as used; whose they were.
pub async fn spend_recovery_codes(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Stale>, StoreError> {
    let stale = read_stale(tx.rows(STALE, params![]).await?);
    tx.execute(SPEND_CODES, params![now]).await?;
    stale
}

/// Disables every active `AccessKey`; whose they are.
pub async fn disable_access_keys(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Stale>, StoreError> {
    let stale = read_stale(tx.rows(STALE_KEYS, params![]).await?);
    tx.execute(DISABLE_KEYS, params![now]).await?;
    stale
}

/// Holds every passkey back that is not held yet; whose they are.
pub async fn hold_passkeys(tx: &mut Tx<'_>) -> Result<Vec<Stale>, StoreError> {
    let stale = read_stale(tx.rows(STALE_PASSKEYS, params![]).await?);
    tx.execute(HOLD_PASSKEYS, params![]).await?;
    stale
}

fn read_stale(rows: Vec<Row>) -> Result<Vec<Stale>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("principals");
        Ok(Stale {
            account: r.parse("account_id")?,
            principal: r.parse("principal_id")?,
            name: r.text("name")?,
            count: r.int("count")?,
        })
    };
    rows.into_iter().map(read).collect()
}
