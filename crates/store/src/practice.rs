//! What the security report counts of AccessKeys.

use crate::{StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::AccountId;

statements! {
    KEYS = "SELECT COUNT(*), COUNT(DISTINCT k.principal_id), \
            CAST(COALESCE(SUM(CASE WHEN COALESCE(k.last_used_at, 0) < $1 THEN 1 ELSE 0 END), 0) AS BIGINT), \
            COUNT(DISTINCT CASE WHEN COALESCE(k.last_used_at, 0) < $1 THEN k.principal_id END) \
            FROM access_keys k \
            JOIN principals p ON p.account_id = k.account_id AND p.principal_id = k.principal_id \
            WHERE k.account_id = $2 AND p.kind = 'ram-user' AND k.status = 'Active' AND k.created_at < $1";
}

/// The active keys of RAM users, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCounts {
    /// Keys that are old.
    pub old: i64,
    /// Users who have one.
    pub users_with_old: i64,
    /// Of these, keys that were not used for as long.
    pub unused: i64,
    /// Users who have one.
    pub users_with_unused: i64,
}

/// Counts the active keys of RAM users that were made before `since`, and those that were not used since then either.
pub async fn key_counts(tx: &mut Tx<'_>, account: &AccountId, since: Timestamp) -> Result<KeyCounts, StoreError> {
    let row = tx.row(KEYS, params![since, account]).await?;
    let Some(row) = row else {
        return Ok(KeyCounts { old: 0, users_with_old: 0, unused: 0, users_with_unused: 0 });
    };
    let mut r = row.reader("access_keys");
    Ok(KeyCounts {
        old: r.int("old")?,
        users_with_old: r.int("users_with_old")?,
        unused: r.int("unused")?,
        users_with_unused: r.int("users_with_unused")?,
    })
}
