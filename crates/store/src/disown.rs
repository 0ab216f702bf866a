//! Ending all that was opened as a principal, when he says that it was not he.

use crate::{StoreError, Tx, params, statements};
use countersign_model::ids::{AccountId, PrincipalId};

statements! {
    SESSIONS = "DELETE FROM sessions WHERE principal_id = $1 AND account_id = $2";
    LOGONS = "DELETE FROM logons WHERE principal_id = $1 AND account_id = $2";
    MACHINES = "DELETE FROM remembered_machines WHERE principal_id = $1 AND account_id = $2";
    BROWSERS = "DELETE FROM known_browsers WHERE principal_id = $1 AND account_id = $2";
    NETWORKS = "DELETE FROM known_networks WHERE principal_id = $1 AND account_id = $2";
    PROOFS = "DELETE FROM proofs WHERE principal_id = $1 AND account_id = $2";
}

/// Ends the sessions, logons and proofs of a principal and forgets his machines, browsers and networks. The secrets of a
/// machine go with it.
pub async fn end_everything(tx: &mut Tx<'_>, account: &AccountId, principal: &PrincipalId) -> Result<(), StoreError> {
    for sql in [SESSIONS, LOGONS, MACHINES, BROWSERS, NETWORKS, PROOFS] {
        tx.execute(sql, params![principal, account]).await?;
    }
    Ok(())
}
