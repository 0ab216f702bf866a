//! What is sealed with the key ring, wherever it lies: walked through when the keys are rotated.
//!
//! A sealed value begins with its format and the version of its key, five bytes together: [`HEAD_BYTES`].

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::ids::{AccountId, DeviceId, PrincipalId};

/// How many bytes say with which key a value was sealed.
pub const HEAD_BYTES: usize = 5;

statements! {
    BY_HEAD = "SELECT substr(sealed_seed, 1, 5), COUNT(*) FROM virtual_mfa GROUP BY 1 ORDER BY 1";
    SEEDS_BESIDE = "SELECT account_id, device_id, principal_id, sealed_seed FROM virtual_mfa \
                    WHERE (account_id, device_id) > ($1, $2) AND substr(sealed_seed, 1, 5) <> $3 \
                    ORDER BY account_id, device_id LIMIT $4";
    SWAP_SEED = "UPDATE virtual_mfa SET sealed_seed = $1 WHERE account_id = $2 AND device_id = $3 AND sealed_seed = $4";
}

/// How many values there are of each head: format and key version.
pub async fn count_by_head(tx: &mut Tx<'_>) -> Result<Vec<(Vec<u8>, i64)>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("virtual_mfa");
        Ok((r.blob("sealed_seed")?, r.int("count")?))
    };
    tx.rows(BY_HEAD, params![]).await?.into_iter().map(read).collect()
}

/// The sealed seed of a device, bound or pending.
#[derive(Debug, Clone)]
pub struct SealedSeed {
    /// The account.
    pub account: AccountId,
    /// The device.
    pub device: DeviceId,
    /// Whom it belongs to.
    pub principal: PrincipalId,
    /// The value.
    pub sealed: Vec<u8>,
}

/// The next `limit` seeds that another key than that of `head` has sealed, in the order of their rows, after `last`.
pub async fn seeds_beside(
    tx: &mut Tx<'_>,
    head: [u8; HEAD_BYTES],
    last: Option<&SealedSeed>,
    limit: i64,
) -> Result<Vec<SealedSeed>, StoreError> {
    let (account, device) = last.map_or(("", ""), |last| (last.account.as_str(), last.device.as_str()));
    let rows = tx.rows(SEEDS_BESIDE, params![account, device, head, limit]).await?;
    let read = |row: Row| {
        let mut r = row.reader("virtual_mfa");
        Ok(SealedSeed {
            account: r.parse("account_id")?,
            device: r.parse("device_id")?,
            principal: r.parse("principal_id")?,
            sealed: r.blob("sealed_seed")?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Puts `new` in the place of the value that was read; whether it was still there.
pub async fn swap_seed(tx: &mut Tx<'_>, old: &SealedSeed, new: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.execute(SWAP_SEED, params![new, old.account, old.device, old.sealed]).await? == 1)
}
