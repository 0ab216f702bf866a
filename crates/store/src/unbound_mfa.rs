//! Virtual MFA devices that exist in an account and are bound to nobody, as the RAM protocol has them; and all devices of
//! an account in one list.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, DeviceId, PrincipalId};

statements! {
    INSERT = "INSERT INTO unbound_mfa (account_id, device_id, name, sealed_seed, created_at, last_step) \
              VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    FIND = "SELECT account_id, device_id, name, sealed_seed, created_at, last_step FROM unbound_mfa \
            WHERE account_id = $1 AND name = $2";
    DELETE = "DELETE FROM unbound_mfa WHERE account_id = $1 AND device_id = $2";
    COUNT = "SELECT COUNT(*) FROM unbound_mfa WHERE account_id = $1";
    COUNT_BOUND = "SELECT COUNT(*) FROM virtual_mfa WHERE account_id = $1 AND state = 'bound'";
    HOLDER = "SELECT principal_id FROM virtual_mfa WHERE account_id = $1 AND name = $2 AND state = 'bound' LIMIT 1";
    LIST = "SELECT d.name, d.device_id, d.bound_at, p.principal_id, p.name, p.display_name FROM \
            (SELECT name, device_id, bound_at, principal_id FROM virtual_mfa \
            WHERE account_id = $1 AND state = 'bound' AND (name, device_id) > ($2, $3) \
            UNION ALL SELECT name, device_id, NULL, NULL FROM unbound_mfa \
            WHERE account_id = $1 AND (name, device_id) > ($2, $3)) d \
            LEFT JOIN principals p ON p.account_id = $1 AND p.principal_id = d.principal_id \
            ORDER BY d.name, d.device_id LIMIT $4";
}

/// A device that is bound to nobody.
#[derive(Debug, Clone)]
pub struct UnboundMfa {
    /// Its account.
    pub account_id: AccountId,
    /// Its id. It has another one once it is bound.
    pub id: DeviceId,
    /// The last part of its serial number.
    pub name: String,
    /// The seed, sealed with the key ring.
    pub sealed_seed: Vec<u8>,
    /// When it was made, or unbound.
    pub created_at: Timestamp,
    /// The last step that was spent while it was bound; 0 when it never was.
    pub last_step: i64,
}

/// A device as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLine {
    /// The last part of its serial number.
    pub name: String,
    /// Its id.
    pub id: DeviceId,
    /// When it was bound, and to whom.
    pub bound: Option<(Timestamp, Holder)>,
}

/// To whom a device is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The id.
    pub id: PrincipalId,
    /// The user name, or an owner's email address.
    pub name: String,
    /// The name for people to read.
    pub display_name: String,
}

/// Adds a device; whether no other unbound one of the account has its name.
pub async fn insert(tx: &mut Tx<'_>, device: &UnboundMfa) -> Result<bool, StoreError> {
    let UnboundMfa { account_id, id, name, sealed_seed, created_at, last_step } = device;
    Ok(tx.execute(INSERT, params![account_id, id, name, sealed_seed, created_at, last_step]).await? == 1)
}

/// The unbound device of this name.
pub async fn find(tx: &mut Tx<'_>, account: &AccountId, name: &str) -> Result<Option<UnboundMfa>, StoreError> {
    tx.row(FIND, params![account, name]).await?.map(read).transpose()
}

/// Takes a device away; whether it was there.
pub async fn delete(tx: &mut Tx<'_>, account: &AccountId, id: &DeviceId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![account, id]).await? == 1)
}

/// How many unbound devices an account has.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId) -> Result<i64, StoreError> {
    tx.row(COUNT, params![account]).await?.map_or(Ok(0), |row| row.reader("unbound_mfa").int("count"))
}

/// How many bound devices an account has.
pub async fn count_bound(tx: &mut Tx<'_>, account: &AccountId) -> Result<i64, StoreError> {
    tx.row(COUNT_BOUND, params![account]).await?.map_or(Ok(0), |row| row.reader("virtual_mfa").int("count"))
}

/// To whom a device of this name is bound.
pub async fn holder_of(tx: &mut Tx<'_>, account: &AccountId, name: &str) -> Result<Option<PrincipalId>, StoreError> {
    let row = tx.row(HOLDER, params![account, name]).await?;
    row.map(|row| row.reader("virtual_mfa").parse("principal_id")).transpose()
}

/// The first `limit` devices of an account behind this name and id, bound ones and unbound ones.
pub async fn list(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (name, id): (&str, &str),
    limit: i64,
) -> Result<Vec<DeviceLine>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("unbound_mfa");
        let (name, id) = (r.text("name")?, r.parse("device_id")?);
        let at = r.opt_time("bound_at")?;
        let holder = (r.opt_parse("principal_id")?, r.opt_text("name")?, r.opt_text("display_name")?);
        let bound = match (at, holder) {
            (Some(at), (Some(id), Some(name), Some(display_name))) => Some((at, Holder { id, name, display_name })),
            _ => None,
        };
        Ok(DeviceLine { name, id, bound })
    };
    tx.rows(LIST, params![account, name, id, limit]).await?.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<UnboundMfa, StoreError> {
    let mut r = row.reader("unbound_mfa");
    Ok(UnboundMfa {
        account_id: r.parse("account_id")?,
        id: r.parse("device_id")?,
        name: r.text("name")?,
        sealed_seed: r.blob("sealed_seed")?,
        created_at: r.time("created_at")?,
        last_step: r.int("last_step")?,
    })
}
