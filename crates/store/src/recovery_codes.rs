//! Recovery codes. [`consume`] is the one place where a code is used up.

use crate::{StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};

statements! {
    INSERT = "INSERT INTO recovery_codes (account_id, principal_id, code_hash, created_at) VALUES ($1, $2, $3, $4)";
    DELETE_ALL = "DELETE FROM recovery_codes WHERE account_id = $1 AND principal_id = $2";
    DELETE_SINCE = "DELETE FROM recovery_codes WHERE account_id = $1 AND principal_id = $2 AND created_at >= $3";
    CONSUME = "UPDATE recovery_codes SET used_at = $1 \
               WHERE account_id = $2 AND principal_id = $3 AND code_hash = $4 AND used_at IS NULL";
    COUNT = "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN used_at IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT), \
             MIN(created_at) FROM recovery_codes WHERE account_id = $1 AND principal_id = $2";
}

/// How many codes a principal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodesLeft {
    /// All that were made.
    pub made: i64,
    /// Of these, those not used.
    pub left: i64,
    /// When they were made; nothing when there are none.
    pub made_at: Option<Timestamp>,
}

/// Puts new codes, as their keyed hashes, in the place of all earlier ones.
pub async fn replace(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    hashes: &[[u8; 32]],
    now: Timestamp,
) -> Result<(), StoreError> {
    delete_all(tx, account, id).await?;
    for hash in hashes {
        tx.execute(INSERT, params![account, id, hash, now]).await?;
    }
    Ok(())
}

/// Takes all codes away; how many there were.
pub async fn delete_all(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<u64, StoreError> {
    tx.execute(DELETE_ALL, params![account, id]).await
}

/// Takes the codes away that were made at `since` or later; how many there were.
pub async fn delete_since(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    since: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(DELETE_SINCE, params![account, id, since]).await
}

/// Uses a code up. Of several that try, one succeeds.
pub async fn consume(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(CONSUME, params![now, account, id, hash]).await? == 1)
}

/// How many codes are left.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<CodesLeft, StoreError> {
    let row = tx.row(COUNT, params![account, id]).await?;
    let row = row.ok_or_else(|| StoreError::Fault("a count without a row".to_owned()))?;
    let mut r = row.reader("recovery_codes");
    Ok(CodesLeft { made: r.int("made")?, left: r.int("left")?, made_at: r.opt_time("created_at")? })
}
