//! Remembered machines. [`consume_secret`] is the one place where a secret of a machine is used up.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, MachineId, PrincipalId};
use countersign_model::machine::RememberedMachine;

statements! {
    INSERT = "INSERT INTO remembered_machines (account_id, machine_id, principal_id, principal_epoch, account_epoch, \
              created_at, expires_at, last_used_at, address, user_agent) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    INSERT_SECRET = "INSERT INTO machine_secrets (token_hash, account_id, machine_id) VALUES ($1, $2, $3)";
    FIND = "SELECT m.account_id, m.machine_id, m.principal_id, m.principal_epoch, m.account_epoch, m.created_at, \
            m.expires_at, m.last_used_at, m.address, m.user_agent, s.used_at FROM machine_secrets s \
            JOIN remembered_machines m ON m.account_id = s.account_id AND m.machine_id = s.machine_id \
            WHERE s.token_hash = $1";
    CONSUME_SECRET = "UPDATE machine_secrets SET used_at = $1 WHERE token_hash = $2 AND used_at IS NULL";
    MARK_USED = "UPDATE remembered_machines SET last_used_at = $1, address = $2, user_agent = $3 \
                 WHERE account_id = $4 AND machine_id = $5";
    LIST = "SELECT account_id, machine_id, principal_id, principal_epoch, account_epoch, created_at, expires_at, \
            last_used_at, address, user_agent FROM remembered_machines \
            WHERE account_id = $1 AND principal_id = $2 ORDER BY created_at DESC, machine_id";
    FORGET = "DELETE FROM remembered_machines WHERE account_id = $1 AND principal_id = $2 AND machine_id = $3";
    FORGET_ALL = "DELETE FROM remembered_machines WHERE account_id = $1 AND principal_id = $2";
    TRIM = "DELETE FROM remembered_machines WHERE account_id = $1 AND machine_id IN \
            (SELECT machine_id FROM remembered_machines WHERE account_id = $1 AND principal_id = $2 \
            ORDER BY created_at DESC LIMIT 1000 OFFSET $3)";
    SWEEP = "DELETE FROM remembered_machines WHERE expires_at < $1";
}

/// A machine with the state of the secret it was found by.
#[derive(Debug, Clone)]
pub struct FoundMachine {
    /// The machine.
    pub machine: RememberedMachine,
    /// When this very secret was used, if it was: then somebody has a copy of it.
    pub secret_used_at: Option<Timestamp>,
}

/// Remembers a machine under its first secret.
pub async fn insert(tx: &mut Tx<'_>, machine: &RememberedMachine, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        params![
            machine.account_id,
            machine.id,
            machine.principal_id,
            machine.principal_epoch,
            machine.account_epoch,
            machine.created_at,
            machine.expires_at,
            machine.last_used_at,
            machine.address,
            machine.user_agent
        ],
    )
    .await?;
    insert_secret(tx, &machine.account_id, &machine.id, token_hash).await
}

/// Gives a machine another secret.
pub async fn insert_secret(
    tx: &mut Tx<'_>,
    account: &AccountId,
    machine: &MachineId,
    token_hash: &[u8; 32],
) -> Result<(), StoreError> {
    tx.execute(INSERT_SECRET, params![token_hash, account, machine]).await.map(drop)
}

/// The machine that has, or had, this secret.
pub async fn find(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<Option<FoundMachine>, StoreError> {
    let row = tx.row(FIND, params![token_hash]).await?;
    row.map(|row| {
        let mut r = row.reader("remembered_machines");
        let machine = read_from(&mut r)?;
        Ok(FoundMachine { machine, secret_used_at: r.opt_time("used_at")? })
    })
    .transpose()
}

/// Uses a secret up. Of several that try, one succeeds.
pub async fn consume_secret(tx: &mut Tx<'_>, token_hash: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(CONSUME_SECRET, params![now, token_hash]).await? == 1)
}

/// Notes a use, and from where.
pub async fn mark_used(
    tx: &mut Tx<'_>,
    account: &AccountId,
    machine: &MachineId,
    (address, user_agent): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(MARK_USED, params![now, address, user_agent, account, machine]).await.map(drop)
}

/// The machines of a principal, the latest first, whether or not they are still good.
pub async fn list(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
) -> Result<Vec<RememberedMachine>, StoreError> {
    tx.rows(LIST, params![account, id]).await?.into_iter().map(read).collect()
}

/// Forgets one machine of a principal, with all its secrets; whether it was remembered.
pub async fn forget(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    machine: &MachineId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(FORGET, params![account, id, machine]).await? == 1)
}

/// Forgets all machines of a principal; how many there were.
pub async fn forget_all(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<u64, StoreError> {
    tx.execute(FORGET_ALL, params![account, id]).await
}

/// Forgets the oldest machines of a principal, so that `keep` are left.
pub async fn trim(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId, keep: i64) -> Result<u64, StoreError> {
    tx.execute(TRIM, params![account, id, keep]).await
}

/// Drops machines that ran out.
pub async fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP, params![now]).await
}

fn read(row: Row) -> Result<RememberedMachine, StoreError> {
    read_from(&mut row.reader("remembered_machines"))
}

fn read_from(r: &mut crate::RowReader) -> Result<RememberedMachine, StoreError> {
    Ok(RememberedMachine {
        account_id: r.parse("account_id")?,
        id: r.parse("machine_id")?,
        principal_id: r.parse("principal_id")?,
        principal_epoch: r.int("principal_epoch")?,
        account_epoch: r.int("account_epoch")?,
        created_at: r.time("created_at")?,
        expires_at: r.time("expires_at")?,
        last_used_at: r.time("last_used_at")?,
        address: r.text("address")?,
        user_agent: r.text("user_agent")?,
    })
}
