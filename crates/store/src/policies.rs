//! Which system policies are attached to which RAM users.

use crate::{StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::principal::SystemPolicy;

statements! {
    ATTACH = "INSERT INTO attached_policies (account_id, principal_id, policy, attached_at) VALUES ($1, $2, $3, $4) \
              ON CONFLICT DO NOTHING";
    DETACH = "DELETE FROM attached_policies WHERE account_id = $1 AND principal_id = $2 AND policy = $3";
    OF_PRINCIPAL = "SELECT policy FROM attached_policies WHERE account_id = $1 AND principal_id = $2 ORDER BY policy";
    OTHER_ADMINISTRATOR = "SELECT ap.principal_id FROM attached_policies ap \
                           JOIN login_profiles lp ON lp.account_id = ap.account_id \
                           AND lp.principal_id = ap.principal_id AND lp.console_logon = 'enabled' \
                           WHERE ap.account_id = $1 AND ap.principal_id <> $2 LIMIT 1";
}

/// Attaches a policy; whether it was not attached before.
pub async fn attach(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    policy: SystemPolicy,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(ATTACH, params![account, id, policy.as_str(), now]).await? == 1)
}

/// Detaches a policy; whether it was attached.
pub async fn detach(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    policy: SystemPolicy,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DETACH, params![account, id, policy.as_str()]).await? == 1)
}

/// The policies of a RAM user.
pub async fn of_principal(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
) -> Result<Vec<SystemPolicy>, StoreError> {
    let rows = tx.rows(OF_PRINCIPAL, params![account, id]).await?;
    rows.into_iter().map(|row| row.reader("attached_policies").parse("policy")).collect()
}

/// Whether another RAM user than this one has a policy and console logon.
pub async fn has_other_administrator(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
) -> Result<bool, StoreError> {
    Ok(tx.row(OTHER_ADMINISTRATOR, params![account, id]).await?.is_some())
}
