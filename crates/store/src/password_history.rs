//! The hashes of the passwords that a principal had before.

use crate::{StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};
use secrecy::{ExposeSecret as _, SecretString};

/// How many earlier passwords of a principal are kept.
pub const KEPT: i64 = 24;

statements! {
    INSERT = "INSERT INTO password_history (account_id, principal_id, changed_at, password_hash) \
              VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    LATEST = "SELECT password_hash FROM password_history WHERE account_id = $1 AND principal_id = $2 \
              ORDER BY changed_at DESC LIMIT $3";
    TRIM = "DELETE FROM password_history WHERE account_id = $1 AND principal_id = $2 AND changed_at <= \
            (SELECT changed_at FROM password_history WHERE account_id = $1 AND principal_id = $2 \
            ORDER BY changed_at DESC LIMIT 1 OFFSET $3)";
}

/// Keeps the hash of a password that was replaced at `changed_at`, and drops those beyond [`KEPT`].
pub async fn keep(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    changed_at: Timestamp,
    replaced: &SecretString,
) -> Result<(), StoreError> {
    tx.execute(INSERT, params![account, id, changed_at, replaced.expose_secret()]).await?;
    tx.execute(TRIM, params![account, id, KEPT]).await.map(drop)
}

/// The hashes of the last `limit` passwords before the present one, the latest first.
pub async fn latest(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    limit: i64,
) -> Result<Vec<SecretString>, StoreError> {
    let rows = tx.rows(LATEST, params![account, id, limit]).await?;
    rows.into_iter().map(|row| Ok(row.reader("password_history").text("password_hash")?.into())).collect()
}
