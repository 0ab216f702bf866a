//! The passkeys of a user. Binding one needs a browser, so no call does it. A security key is no passkey, whatever its id.

use crate::answer::Node;
use crate::call::{Answered, Call, answered};
use countersign_core::webauthn::KeyView;
use countersign_model::Timestamp;
use countersign_model::webauthn::KeyKind;

/// How the protocol begins the id of a passkey.
const PREFIX: &str = "PASSKEY-";

pub(crate) async fn list(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    let passkeys = answered(call.core.passkeys_of(call.actor, &user, call.origin).await)?;
    Ok(vec![("Passkeys", Node::List(passkeys.iter().map(node).collect()))])
}

pub(crate) async fn update(call: &Call<'_>) -> Answered {
    let id = id(call)?;
    let (user, name) = (call.required_user()?, call.request.required("PasskeyName")?);
    answered(call.core.rename_key_of(call.actor, &user, (KeyKind::Passkey, &id, name), call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn delete(call: &Call<'_>) -> Answered {
    let id = id(call)?;
    let user = call.required_user()?;
    answered(call.core.unbind_key_of(call.actor, &user, (KeyKind::Passkey, &id), call.origin).await)?;
    Ok(Vec::new())
}

/// Times are seconds here, written as texts.
fn node(passkey: &KeyView) -> Node {
    let seconds = |at: Timestamp| Node::from(at.unix_seconds().to_string());
    Node::object([
        ("PasskeyId", format!("{PREFIX}{}", passkey.id).into()),
        ("PasskeyName", passkey.name.as_str().into()),
        ("CreateDate", seconds(passkey.created_at)),
    ])
    .with("LastUseDate", passkey.last_used_at.map(seconds))
}

fn id(call: &Call<'_>) -> Result<String, crate::error::ApiError> {
    // What is no id is nobody's passkey; who may not ask for one learns no more than that he may not.
    Ok(call.request.required("PasskeyId")?.strip_prefix(PREFIX).unwrap_or_default().to_owned())
}
