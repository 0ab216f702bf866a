//! What is attached to whom.

use super::{groups, policies};
use crate::answer::Node;
use crate::call::{Answered, Call, answered, time};
use crate::error::ApiError;
use countersign_core::authorise::Action;
use countersign_core::policies::{AttachedPolicy, HolderLine, version_id};
use countersign_model::policy::PolicyRef;

/// The most users and the most groups that a policy is shown with: the protocol knows no pages of them.
const MOST_UNPAGED: i64 = 10_000;

pub(crate) async fn attach_to_user(call: &Call<'_>) -> Answered {
    let (user, policy) = (call.required_user()?, whole_account(call, Action::AttachPolicy).await?);
    answered(call.core.attach_policy(call.actor, &user, policy, call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn detach_from_user(call: &Call<'_>) -> Answered {
    let (user, policy) = (call.required_user()?, whole_account(call, Action::DetachPolicy).await?);
    answered(call.core.detach_policy(call.actor, &user, policy, call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn attach_to_group(call: &Call<'_>) -> Answered {
    let (group, policy) = (groups::name(call)?, whole_account(call, Action::AttachPolicyToGroup).await?);
    answered(call.core.attach_policy_to_group(call.actor, group.as_str(), policy, call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn detach_from_group(call: &Call<'_>) -> Answered {
    let (group, policy) = (groups::name(call)?, whole_account(call, Action::DetachPolicyFromGroup).await?);
    answered(call.core.detach_policy_from_group(call.actor, group.as_str(), policy, call.origin).await)?;
    Ok(Vec::new())
}

/// The policy that is meant, for the whole account. Countersign has no resource groups, so what was to count within one
/// of them must not count everywhere.
async fn whole_account(call: &Call<'_>, action: Action) -> Result<PolicyRef, ApiError> {
    call.refuse("ResourceGroupId")?;
    policies::policy(call, action).await
}

pub(crate) async fn list_for_user(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    let attached = answered(call.core.list_policies_for_user(call.actor, &user, call.origin).await)?;
    Ok(vec![("Policies", Node::list_of("Policy", attached.iter().map(node)))])
}

pub(crate) async fn list_for_group(call: &Call<'_>) -> Answered {
    let group = groups::name(call)?;
    let attached = answered(call.core.list_policies_for_group(call.actor, group.as_str(), call.origin).await)?;
    Ok(vec![("Policies", Node::list_of("Policy", attached.iter().map(node)))])
}

pub(crate) async fn list_entities(call: &Call<'_>) -> Answered {
    let policy = policies::policy(call, Action::ListEntitiesForPolicy).await?;
    let found = call.core.list_entities_for_policy(call.actor, policy, MOST_UNPAGED, call.origin).await;
    let found = answered(found)?;
    let user = |user: &HolderLine| {
        Node::object([
            ("UserId", user.id.as_str().into()),
            ("UserName", user.name.as_str().into()),
            ("DisplayName", user.about.as_str().into()),
            ("AttachDate", time(user.attached_at)),
        ])
    };
    let group = |group: &HolderLine| {
        Node::object([
            ("GroupName", group.name.as_str().into()),
            ("Comments", group.about.as_str().into()),
            ("AttachDate", time(group.attached_at)),
        ])
    };
    Ok(vec![
        ("Groups", Node::list_of("Group", found.groups.iter().map(group))),
        ("Users", Node::list_of("User", found.users.iter().map(user))),
        ("Roles", Node::list_of("Role", [])),
    ])
}

fn node(attached: &AttachedPolicy) -> Node {
    Node::object([
        ("PolicyName", attached.policy.name().into()),
        ("PolicyType", attached.policy.policy_type().as_str().into()),
        ("Description", attached.description.as_str().into()),
        ("DefaultVersion", version_id(attached.default_version).into()),
        ("AttachDate", time(attached.attached_at)),
    ])
}
