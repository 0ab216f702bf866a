//! Tries of factors, counted in the database so that every door, node and restart shares one count.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::budget::{Budget, BudgetKind, Exhausted, FAILURES_BEFORE_DISABLED};
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::principal::PrincipalKind;

statements! {
    FIND = "SELECT failures, blocked_until, window_since, window_tries FROM budgets WHERE account_id = $1 AND subject_id = $2 AND kind = $3";
    INSERT = "INSERT INTO budgets (account_id, subject_id, kind, failures, blocked_until, window_since, window_tries, \
              updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE budgets SET failures = $1, blocked_until = $2, window_since = $3, window_tries = $4, \
              updated_at = $5 WHERE account_id = $6 AND subject_id = $7 AND kind = $8 AND failures = $9 \
              AND blocked_until = $10";
    CLEAR = "UPDATE budgets SET failures = 0, blocked_until = 0, window_since = 0, window_tries = 0, updated_at = $1 \
             WHERE account_id = $2 AND subject_id = $3 AND kind = $4";
    CLEAR_ALL_OF = "UPDATE budgets SET failures = 0, blocked_until = 0, window_since = 0, window_tries = 0, updated_at = $1 \
                    WHERE account_id = $2 AND (failures > 0 OR blocked_until > 0 OR window_tries > 0) \
                    AND (subject_id = $3 \
                    OR subject_id IN (SELECT device_id FROM virtual_mfa WHERE account_id = $2 AND principal_id = $3) \
                    OR subject_id IN (SELECT key_id FROM webauthn_credentials \
                    WHERE account_id = $2 AND principal_id = $3) \
                    OR subject_id IN (SELECT browser_id FROM known_browsers \
                    WHERE account_id = $2 AND principal_id = $3) \
                    OR subject_id IN (SELECT session_id FROM sessions WHERE account_id = $2 AND principal_id = $3))";
    KEYS_FAILED = "SELECT EXISTS (SELECT 1 FROM webauthn_credentials w \
                   JOIN budgets b ON b.account_id = w.account_id AND b.subject_id = w.key_id AND b.kind = 'webauthn' \
                   WHERE w.account_id = $1 AND w.principal_id = $2 AND b.failures > 0)";
    LOCKED = "SELECT a.alias, p.kind, p.name, b.kind, b.failures, b.blocked_until FROM budgets b \
              LEFT JOIN virtual_mfa v ON v.account_id = b.account_id AND v.device_id = b.subject_id \
              LEFT JOIN webauthn_credentials w ON w.account_id = b.account_id AND w.key_id = b.subject_id \
              LEFT JOIN known_browsers k ON k.account_id = b.account_id AND k.browser_id = b.subject_id \
              LEFT JOIN sessions s ON s.account_id = b.account_id AND s.session_id = b.subject_id \
              JOIN principals p ON p.account_id = b.account_id \
              AND p.principal_id = COALESCE(v.principal_id, w.principal_id, k.principal_id, s.principal_id, b.subject_id) \
              JOIN accounts a ON a.account_id = b.account_id \
              WHERE b.failures >= $1 OR b.blocked_until > $2 ORDER BY a.alias, p.canonical_name, b.kind LIMIT $3";
    SWEEP = "DELETE FROM budgets WHERE updated_at < $1 AND (failures = 0 OR NOT EXISTS \
             (SELECT 1 FROM principals p WHERE p.account_id = budgets.account_id \
             AND p.principal_id = budgets.subject_id) AND NOT EXISTS \
             (SELECT 1 FROM virtual_mfa v WHERE v.account_id = budgets.account_id \
             AND v.device_id = budgets.subject_id) AND NOT EXISTS \
             (SELECT 1 FROM webauthn_credentials w WHERE w.account_id = budgets.account_id \
             AND w.key_id = budgets.subject_id))";
}

/// What is counted: one factor of one subject, a principal or a device.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The id of a principal, a device, a security key or passkey, a known browser or a session.
    pub subject: &'a str,
    /// The factor.
    pub kind: BudgetKind,
}

/// The present count.
pub async fn find(tx: &mut Tx<'_>, what: Counted<'_>) -> Result<Budget, StoreError> {
    Ok(find_row(tx, what).await?.unwrap_or(Budget::UNUSED))
}

/// Books one try before it is judged and gives the count with it, or tells why it is not judged. Parallel tries are counted
/// one after the other. `hourly` is the most tries within an hour, where there is such a limit.
pub async fn book(
    tx: &mut Tx<'_>,
    what: Counted<'_>,
    hourly: Option<i64>,
    now: Timestamp,
) -> Result<Result<Budget, Exhausted>, StoreError> {
    let Counted { account, subject, kind } = what;
    // On PostgreSQL another node may count between the two statements; then this one looks again.
    loop {
        let found = find_row(tx, what).await?;
        let old = found.unwrap_or(Budget::UNUSED);
        let new = match old.book(hourly, now) {
            Ok(new) => new,
            Err(exhausted) => return Ok(Err(exhausted)),
        };
        let written = if found.is_some() {
            tx.execute(
                UPDATE,
                params![
                    new.failures,
                    new.blocked_until,
                    new.window_since,
                    new.window_tries,
                    now,
                    account,
                    subject,
                    kind.as_str(),
                    old.failures,
                    old.blocked_until
                ],
            )
            .await?
        } else {
            tx.execute(
                INSERT,
                params![
                    account,
                    subject,
                    kind.as_str(),
                    new.failures,
                    new.blocked_until,
                    new.window_since,
                    new.window_tries,
                    now
                ],
            )
            .await?
        };
        if written == 1 {
            return Ok(Ok(new));
        }
    }
}

/// Clears the count, because a try was right or somebody entitled released the factor.
pub async fn clear(tx: &mut Tx<'_>, what: Counted<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let Counted { account, subject, kind } = what;
    Ok(tx.execute(CLEAR, params![now, account, subject, kind.as_str()]).await? == 1)
}

/// Clears every count of a principal, of whatever kind: his own, his devices', and those of the browsers he is known by
/// and of his sessions. How many there were.
pub async fn clear_all_of(
    tx: &mut Tx<'_>,
    account: &AccountId,
    principal: &PrincipalId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(CLEAR_ALL_OF, params![now, account, principal]).await
}

/// Whether a security key or passkey of a principal has failed since it last passed.
pub async fn have_keys_failed(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<bool, StoreError> {
    let row = tx.row(KEYS_FAILED, params![account, id]).await?;
    row.map_or(Ok(false), |row| row.reader("budgets").bool("failed"))
}

/// A factor that is not judged now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The alias of the account.
    pub alias: String,
    /// Owner or RAM user.
    pub principal: PrincipalKind,
    /// The user name, or the owner's email address.
    pub name: String,
    /// The factor.
    pub factor: BudgetKind,
    /// Its count.
    pub budget: Budget,
}

/// The first `limit` factors of all accounts that are paused or disabled at `now`. For the operator only: it crosses
/// accounts.
pub async fn locked(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<Locked>, StoreError> {
    let rows = tx.rows(LOCKED, params![FAILURES_BEFORE_DISABLED, now, limit]).await?;
    let read = |row: Row| {
        let mut r = row.reader("budgets");
        Ok(Locked {
            alias: r.text("alias")?,
            principal: r.parse("kind")?,
            name: r.text("name")?,
            factor: r.parse("kind")?,
            budget: Budget { failures: r.int("failures")?, blocked_until: r.time("blocked_until")?, ..Budget::UNUSED },
        })
    };
    rows.into_iter().map(read).collect()
}

/// Drops counts that lie idle since `before`: those at zero, and those of names and devices that do not exist.
pub async fn sweep(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP, params![before]).await
}

async fn find_row(tx: &mut Tx<'_>, what: Counted<'_>) -> Result<Option<Budget>, StoreError> {
    let row = tx.row(FIND, params![what.account, what.subject, what.kind.as_str()]).await?;
    row.map(|row| {
        let mut r = row.reader("budgets");
        Ok(Budget {
            failures: r.int("failures")?,
            blocked_until: r.time("blocked_until")?,
            window_since: r.time("window_since")?,
            window_tries: r.int("window_tries")?,
        })
    })
    .transpose()
}
