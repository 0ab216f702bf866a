//! Versions of policies.

use super::policies::{document, name, policy};
use crate::answer::Node;
use crate::call::{Answered, Call, answered, time};
use crate::error::ApiError;
use countersign_core::authorise::Action;
use countersign_core::policies::{NewVersion, PolicyVersion, WhenFull};

pub(crate) async fn create(call: &Call<'_>) -> Answered {
    let name = name(call)?;
    let new = NewVersion {
        document: document(call)?,
        as_default: call.request.boolean("SetAsDefault")?.unwrap_or(false),
        when_full: when_full(call)?,
    };
    let version = answered(call.core.create_policy_version(call.actor, name.as_str(), new, call.origin).await)?;
    Ok(vec![("PolicyVersion", node(&version))])
}

fn when_full(call: &Call<'_>) -> Result<WhenFull, ApiError> {
    match call.request.text("RotateStrategy") {
        None | Some("None") => Ok(WhenFull::Refuse),
        Some("DeleteOldestNonDefaultVersionWhenLimitExceeded") => Ok(WhenFull::RemoveOldest),
        Some(_) => Err(ApiError::invalid_parameter("RotateStrategy")),
    }
}

pub(crate) async fn get(call: &Call<'_>) -> Answered {
    let which = (policy(call, Action::ViewPolicyVersion).await?, call.request.required("VersionId")?);
    let version = answered(call.core.policy_version(call.actor, which, call.origin).await)?;
    Ok(vec![("PolicyVersion", node(&version))])
}

pub(crate) async fn list(call: &Call<'_>) -> Answered {
    let policy = policy(call, Action::ListPolicyVersions).await?;
    let versions = answered(call.core.list_policy_versions(call.actor, policy, call.origin).await)?;
    Ok(vec![("PolicyVersions", Node::list_of("PolicyVersion", versions.iter().map(node)))])
}

pub(crate) async fn set_default(call: &Call<'_>) -> Answered {
    let (name, version) = (name(call)?, call.request.required("VersionId")?);
    answered(call.core.set_default_policy_version(call.actor, (name.as_str(), version), call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn delete(call: &Call<'_>) -> Answered {
    let (name, version) = (name(call)?, call.request.required("VersionId")?);
    answered(call.core.delete_policy_version(call.actor, (name.as_str(), version), call.origin).await)?;
    Ok(Vec::new())
}

pub(super) fn node(version: &PolicyVersion) -> Node {
    Node::object([
        ("VersionId", version.id().into()),
        ("IsDefaultVersion", version.is_default.into()),
        ("PolicyDocument", version.document.as_str().into()),
    ])
    .with("CreateDate", version.created_at.map(time))
}
