//! Virtual MFA devices. [`consume_step`] is the one place where a code is spent, whichever door or purpose asks.

use crate::{RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, DeviceId, PrincipalId};
use countersign_model::virtual_mfa::{VirtualMfa, VirtualMfaState};

statements! {
    INSERT_PENDING = "INSERT INTO virtual_mfa (account_id, device_id, principal_id, name, state, sealed_seed, \
                      created_at, started_by, expires_at, last_step, drift) \
                      VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, 0, 0) ON CONFLICT DO NOTHING";
    DELETE_PENDING = "DELETE FROM virtual_mfa WHERE account_id = $1 AND principal_id = $2 AND state = 'pending'";
    DELETE_BOUND = "DELETE FROM virtual_mfa WHERE account_id = $1 AND principal_id = $2 AND state = 'bound'";
    FIND = "SELECT account_id, device_id, principal_id, name, sealed_seed, created_at, state, started_by, expires_at, \
            bound_at, last_step, drift, last_used_at FROM virtual_mfa \
            WHERE account_id = $1 AND principal_id = $2 AND state = $3";
    NAME_OF_BOUND = "SELECT name FROM virtual_mfa WHERE account_id = $1 AND principal_id = $2 AND state = 'bound'";
    CONFIRM = "UPDATE virtual_mfa SET state = 'bound', bound_at = $1, last_step = $2, drift = $3, started_by = NULL, \
               expires_at = NULL WHERE account_id = $4 AND device_id = $5 AND state = 'pending'";
    CONSUME_STEP = "UPDATE virtual_mfa SET last_step = $1, drift = $2, last_used_at = $3 \
                    WHERE account_id = $4 AND device_id = $5 AND state = 'bound' AND last_step < $1";
    COUNT_START = "INSERT INTO binding_starts (account_id, principal_id, hour, starts) VALUES ($1, $2, $3, 1) \
                   ON CONFLICT (account_id, principal_id) DO UPDATE SET \
                   starts = CASE WHEN binding_starts.hour = excluded.hour THEN binding_starts.starts + 1 ELSE 1 END, \
                   hour = excluded.hour RETURNING starts";
    SWEEP_PENDING = "DELETE FROM virtual_mfa WHERE state = 'pending' AND expires_at < $1";
}

/// Adds a pending device in place of any earlier pending one.
pub async fn replace_pending(tx: &mut Tx<'_>, device: &VirtualMfa) -> Result<bool, StoreError> {
    let VirtualMfaState::Pending { started_by, expires_at } = &device.state else {
        return Err(StoreError::Fault("only a pending device can be started".to_owned()));
    };
    tx.execute(DELETE_PENDING, params![device.account_id, device.principal_id]).await?;
    let inserted = tx
        .execute(
            INSERT_PENDING,
            params![
                device.account_id,
                device.id,
                device.principal_id,
                device.name,
                device.sealed_seed,
                device.created_at,
                started_by,
                expires_at
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// Drops the pending device of a principal; whether there was one.
pub async fn delete_pending(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE_PENDING, params![account, id]).await? == 1)
}

/// Unbinds the bound device of a principal; whether there was one.
pub async fn delete_bound(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE_BOUND, params![account, id]).await? == 1)
}

/// The pending device of a principal.
pub async fn find_pending(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
) -> Result<Option<VirtualMfa>, StoreError> {
    find(tx, account, id, "pending").await
}

/// The bound device of a principal.
pub async fn find_bound(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
) -> Result<Option<VirtualMfa>, StoreError> {
    find(tx, account, id, "bound").await
}

/// The name of the bound device of a principal.
pub async fn name_of_bound(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
) -> Result<Option<String>, StoreError> {
    let row = tx.row(NAME_OF_BOUND, params![account, id]).await?;
    row.map(|row| row.reader("virtual_mfa").text("name")).transpose()
}

async fn find(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    state: &str,
) -> Result<Option<VirtualMfa>, StoreError> {
    let row = tx.row(FIND, params![account, id, state]).await?;
    Ok(row.map(|row| read_from(&mut row.reader("virtual_mfa"))).transpose()?.flatten())
}

/// What a confirmed binding or a passed code leaves behind.
#[derive(Debug, Clone, Copy)]
pub struct SpentStep {
    /// The step that is spent with all before it.
    pub step: i64,
    /// The drift learned.
    pub drift: i8,
    /// When.
    pub at: Timestamp,
}

/// Turns a pending device into the bound one, its codes spent. Of several that try, one succeeds.
pub async fn confirm(
    tx: &mut Tx<'_>,
    account: &AccountId,
    device: &DeviceId,
    spent: SpentStep,
) -> Result<bool, StoreError> {
    let SpentStep { step, drift, at } = spent;
    Ok(tx.execute(CONFIRM, params![at, step, i64::from(drift), account, device]).await? == 1)
}

/// Spends a step of a bound device. Of several that try a step, or one before it, one succeeds.
pub async fn consume_step(
    tx: &mut Tx<'_>,
    account: &AccountId,
    device: &DeviceId,
    spent: SpentStep,
) -> Result<bool, StoreError> {
    let SpentStep { step, drift, at } = spent;
    Ok(tx.execute(CONSUME_STEP, params![step, i64::from(drift), at, account, device]).await? == 1)
}

/// Counts one start of a binding in the hour `hour`: how many there were in it, with this one.
pub async fn count_start(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId, hour: i64) -> Result<i64, StoreError> {
    let row = tx.row(COUNT_START, params![account, id, hour]).await?;
    row.map_or(Ok(0), |row| row.reader("binding_starts").int("starts"))
}

/// Drops bindings that nobody confirmed in time.
pub async fn sweep_pending(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP_PENDING, params![now]).await
}

/// Reads the columns of [`FIND`]; nothing when an outer join found no device.
pub(crate) fn read_from(r: &mut RowReader) -> Result<Option<VirtualMfa>, StoreError> {
    let account_id = r.opt_parse("account_id")?;
    let id = r.opt_parse("device_id")?;
    let principal_id = r.opt_parse("principal_id")?;
    let name = r.opt_text("name")?;
    let sealed_seed = r.opt_blob("sealed_seed")?;
    let created_at = r.opt_time("created_at")?;
    let state = r.opt_text("state")?;
    let started_by = r.opt_text("started_by")?;
    let expires_at = r.opt_time("expires_at")?;
    let bound_at = r.opt_time("bound_at")?;
    let last_step = r.opt_int("last_step")?;
    let drift = r.opt_int("drift")?;
    let last_used_at = r.opt_time("last_used_at")?;
    let (Some(account_id), Some(id), Some(principal_id), Some(name), Some(sealed_seed), Some(created_at), Some(state)) =
        (account_id, id, principal_id, name, sealed_seed, created_at, state)
    else {
        return Ok(None);
    };
    let state = match (state.as_str(), started_by, expires_at, bound_at, last_step, drift) {
        ("pending", Some(started_by), Some(expires_at), None, _, _) => {
            VirtualMfaState::Pending { started_by, expires_at }
        }
        ("bound", None, None, Some(bound_at), Some(last_step), Some(drift)) => {
            let drift = i8::try_from(drift).map_err(|_| bad_row("drift"))?;
            VirtualMfaState::Bound { bound_at, last_step, drift, last_used_at }
        }
        _ => return Err(bad_row("state")),
    };
    Ok(Some(VirtualMfa { id, account_id, principal_id, name, sealed_seed, state, created_at }))
}

fn bad_row(column: &'static str) -> StoreError {
    StoreError::BadRow { table: "virtual_mfa", column, problem: "contradicts the state of the device".to_owned() }
}
