//! Nonces of signed calls, so that none is taken twice.

use crate::{StoreError, Tx, params, statements};
use countersign_model::Timestamp;

statements! {
    SPEND = "INSERT INTO api_nonces (nonce_hash, expires_at) VALUES ($1, $2) \
             ON CONFLICT (nonce_hash) DO UPDATE SET expires_at = excluded.expires_at \
             WHERE api_nonces.expires_at <= $3";
    UNEXPIRED = "SELECT nonce_hash, expires_at FROM api_nonces WHERE expires_at > $1 ORDER BY expires_at";
    SWEEP = "DELETE FROM api_nonces WHERE expires_at <= $1";
}

/// Spends a nonce until `expires_at`. Of several that try, one succeeds.
pub async fn spend(tx: &mut Tx<'_>, hash: &[u8], expires_at: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(SPEND, params![hash, expires_at, now]).await? == 1)
}

/// All nonces that are still spent, with their end.
pub async fn unexpired(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<(Vec<u8>, Timestamp)>, StoreError> {
    let rows = tx.rows(UNEXPIRED, params![now]).await?;
    rows.into_iter()
        .map(|row| {
            let mut r = row.reader("api_nonces");
            Ok((r.blob("nonce_hash")?, r.time("expires_at")?))
        })
        .collect()
}

/// Forgets nonces that could not be played again anyway.
pub async fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP, params![now]).await
}
