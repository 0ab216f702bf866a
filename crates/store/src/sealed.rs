//! What is sealed with the key ring, wherever it lies: walked through when the keys are rotated.
//!
//! A sealed value begins with its format and the version of its key, five bytes together: [`HEAD_BYTES`]. A new kind of
//! sealed value gets a variant of [`Kind`] with its two statements, and its part in `BY_HEAD`.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::ids::{AccountId, PrincipalId};

/// How many bytes say with which key a value was sealed.
pub const HEAD_BYTES: usize = 5;

statements! {
    BY_HEAD = "SELECT sealed.head, COUNT(*) FROM (SELECT substr(sealed_seed, 1, 5) AS head FROM virtual_mfa \
               UNION ALL SELECT substr(sealed_secret, 1, 5) AS head FROM access_keys) sealed GROUP BY 1 ORDER BY 1";
    SEEDS_BESIDE = "SELECT account_id, device_id, principal_id, sealed_seed FROM virtual_mfa \
                    WHERE (account_id, device_id) > ($1, $2) AND substr(sealed_seed, 1, 5) <> $3 \
                    ORDER BY account_id, device_id LIMIT $4";
    SWAP_SEED = "UPDATE virtual_mfa SET sealed_seed = $1 WHERE account_id = $2 AND device_id = $3 AND sealed_seed = $4";
    SECRETS_BESIDE = "SELECT account_id, access_key_id, principal_id, sealed_secret FROM access_keys \
                      WHERE (account_id, access_key_id) > ($1, $2) AND substr(sealed_secret, 1, 5) <> $3 \
                      ORDER BY account_id, access_key_id LIMIT $4";
    SWAP_SECRET = "UPDATE access_keys SET sealed_secret = $1 \
                   WHERE account_id = $2 AND access_key_id = $3 AND sealed_secret = $4";
}

/// How many values there are of each head: format and key version.
pub async fn count_by_head(tx: &mut Tx<'_>) -> Result<Vec<(Vec<u8>, i64)>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("sealed");
        Ok((r.blob("head")?, r.int("count")?))
    };
    tx.rows(BY_HEAD, params![]).await?.into_iter().map(read).collect()
}

/// Where a sealed value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The seed of a virtual MFA device, bound or pending.
    MfaSeed,
    /// The secret of an `AccessKey`.
    AccessKeySecret,
}

impl Kind {
    /// All of them, in the order in which they are walked through.
    pub const ALL: &'static [Self] = &[Self::MfaSeed, Self::AccessKeySecret];

    /// The table.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::MfaSeed => "virtual_mfa",
            Self::AccessKeySecret => "access_keys",
        }
    }

    /// The column.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::MfaSeed => "sealed_seed",
            Self::AccessKeySecret => "sealed_secret",
        }
    }

    const fn beside(self) -> &'static str {
        match self {
            Self::MfaSeed => SEEDS_BESIDE,
            Self::AccessKeySecret => SECRETS_BESIDE,
        }
    }

    const fn swap(self) -> &'static str {
        match self {
            Self::MfaSeed => SWAP_SEED,
            Self::AccessKeySecret => SWAP_SECRET,
        }
    }
}

/// A sealed value with its place.
#[derive(Debug, Clone)]
pub struct SealedValue {
    /// In which table and column it lies.
    pub kind: Kind,
    /// The account.
    pub account: AccountId,
    /// The id of its row.
    pub row: String,
    /// Whom it belongs to.
    pub principal: PrincipalId,
    /// The value.
    pub sealed: Vec<u8>,
}

/// The next `limit` values that another key than that of `head` has sealed, in the order of their kinds and rows, after
/// `last`.
pub async fn beside(
    tx: &mut Tx<'_>,
    head: [u8; HEAD_BYTES],
    last: Option<&SealedValue>,
    limit: i64,
) -> Result<Vec<SealedValue>, StoreError> {
    let mut found = Vec::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| last.is_none_or(|last| last.kind <= *kind)) {
        let wanted = limit.saturating_sub(i64::try_from(found.len()).unwrap_or(i64::MAX));
        if wanted <= 0 {
            break;
        }
        let last = last.filter(|last| last.kind == kind);
        let (account, row) = last.map_or(("", ""), |last| (last.account.as_str(), last.row.as_str()));
        for row in tx.rows(kind.beside(), params![account, row, head, wanted]).await? {
            let mut r = row.reader(kind.table());
            found.push(SealedValue {
                kind,
                account: r.parse("account_id")?,
                row: r.text("row id")?,
                principal: r.parse("principal_id")?,
                sealed: r.blob(kind.column())?,
            });
        }
    }
    Ok(found)
}

/// Puts `new` in the place of the value that was read; whether it was still there.
pub async fn swap(tx: &mut Tx<'_>, old: &SealedValue, new: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.execute(old.kind.swap(), params![new, old.account, old.row, old.sealed]).await? == 1)
}
