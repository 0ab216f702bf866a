//! Who calls.

use crate::call::{Answered, Call};
use countersign_model::principal::PrincipalKind;

/// `GetCallerIdentity`: nobody is refused it, so it needs no right.
pub(crate) async fn get_caller_identity(call: &Call<'_>) -> Answered {
    let key = call.actor.access_key();
    let (account, id) = (call.actor.account_id(), call.actor.principal_id());
    let (kind, arn) = match key.kind {
        PrincipalKind::Owner => ("Account", format!("acs:ram::{account}:root")),
        PrincipalKind::RamUser => ("RAMUser", format!("acs:ram::{account}:user/{}", key.name)),
    };
    // The cloud gives the owner the id of his account.
    let id = match key.kind {
        PrincipalKind::Owner => account.as_str(),
        PrincipalKind::RamUser => id.as_str(),
    };
    Ok(vec![
        ("IdentityType", kind.into()),
        ("AccountId", account.as_str().into()),
        ("UserId", id.into()),
        ("PrincipalId", id.into()),
        ("Arn", arn.into()),
    ])
}
