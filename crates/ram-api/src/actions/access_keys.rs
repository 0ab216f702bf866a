//! AccessKeys. Without a user the caller's own are meant.

use crate::answer::Node;
use crate::api::Api;
use crate::call::{Answered, Call, answered, time};
use crate::error::ApiError;
use countersign_core::access_keys::KeysOf;
use countersign_model::access_key::AccessKeyStatus;
use secrecy::ExposeSecret as _;

pub(crate) async fn create(call: &Call<'_>) -> Answered {
    let made = answered(call.core.create_access_key(call.actor, holder(call)?, call.origin).await)?;
    let key = Node::object([
        ("AccessKeyId", made.id.as_str().into()),
        ("AccessKeySecret", made.secret.expose_secret().into()),
        ("Status", AccessKeyStatus::Active.as_str().into()),
        ("CreateDate", time(made.created_at)),
    ]);
    Ok(vec![("AccessKey", key)])
}

pub(crate) async fn list(call: &Call<'_>) -> Answered {
    let keys = answered(call.core.list_access_keys(call.actor, holder(call)?, call.origin).await)?;
    let keys = keys.keys.iter().map(|key| {
        Node::object([
            ("AccessKeyId", key.id.as_str().into()),
            ("Status", key.status.as_str().into()),
            ("CreateDate", time(key.created_at)),
        ])
        .with("UpdateDate", (call.api == Api::Ims).then(|| time(key.updated_at)))
    });
    Ok(vec![("AccessKeys", Node::list_of("AccessKey", keys))])
}

pub(crate) async fn update(call: &Call<'_>) -> Answered {
    let id = call.request.required("UserAccessKeyId")?;
    let status = call.request.required("Status")?;
    let status = status.parse::<AccessKeyStatus>().map_err(|_| ApiError::invalid_parameter("Status"))?;
    let of = (holder(call)?, id);
    answered(call.core.set_access_key_status(call.actor, of, status, call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn delete(call: &Call<'_>) -> Answered {
    let id = call.request.required("UserAccessKeyId")?;
    answered(call.core.delete_access_key(call.actor, (holder(call)?, id), call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn get_last_used(call: &Call<'_>) -> Answered {
    let id = call.request.required("UserAccessKeyId")?;
    let last = answered(call.core.access_key_last_use(call.actor, (holder(call)?, id), call.origin).await)?;
    let used = last.map_or_else(|| Node::from("N/A"), |last| time(last.at));
    let service = last.map_or("N/A", |last| last.service.as_str());
    let node = Node::object([("LastUsedDate", used)]).with("ServiceName", (call.api == Api::Ims).then_some(service));
    Ok(vec![("AccessKeyLastUsed", node)])
}

fn holder(call: &Call<'_>) -> Result<KeysOf, ApiError> {
    Ok(call.user()?.map_or(KeysOf::Oneself, KeysOf::User))
}
