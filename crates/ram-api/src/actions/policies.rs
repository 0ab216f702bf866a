//! Policies, those that come with every account and those that it wrote.

use crate::actions::policy_versions;
use crate::answer::Node;
use crate::call::{Answered, Call, answered, time};
use crate::error::ApiError;
use crate::refusals::of_code;
use countersign_core::authorise::Action;
use countersign_core::policies::{NewPolicy, PolicyView, policy_ref, version_id};
use countersign_model::names::{Description, PolicyName};
use countersign_model::policy::{MalformedPolicy, PolicyDocument, PolicyRef, PolicyType};

pub(crate) async fn create(call: &Call<'_>) -> Answered {
    call.refuse_tags()?;
    let new = NewPolicy {
        name: name(call)?,
        description: call.named("Description", "Description", Description::parse)?.unwrap_or_default(),
        document: document(call)?,
    };
    let view = answered(call.core.create_policy(call.actor, new, call.origin).await)?;
    Ok(vec![("Policy", node(&view))])
}

pub(crate) async fn get(call: &Call<'_>) -> Answered {
    let (view, version) =
        answered(call.core.policy(call.actor, policy(call, Action::ViewPolicy).await?, call.origin).await)?;
    Ok(vec![("Policy", counted(&view)), ("DefaultPolicyVersion", policy_versions::node(&version))])
}

pub(crate) async fn update_description(call: &Call<'_>) -> Answered {
    let name = name(call)?;
    // An empty one takes away what is there, so it is not the same as none.
    let text = call.request.parameter("NewDescription").ok_or_else(|| ApiError::missing("NewDescription"))?;
    let new = Description::parse(text).map_err(|invalid| under_new(invalid.code))?;
    let view = answered(call.core.describe_policy(call.actor, name.as_str(), new, call.origin).await)?;
    Ok(vec![("Policy", dated(&view))])
}

pub(crate) async fn delete(call: &Call<'_>) -> Answered {
    let (name, with_versions) = (name(call)?, call.request.boolean("CascadingDelete")? == Some(true));
    let deleted = if with_versions {
        call.core.delete_policy_with_versions(call.actor, name.as_str(), call.origin).await
    } else {
        call.core.delete_policy(call.actor, name.as_str(), call.origin).await
    };
    answered(deleted)?;
    Ok(Vec::new())
}

pub(crate) async fn list(call: &Call<'_>) -> Answered {
    call.refuse_tags()?;
    let kind = call.request.text("PolicyType").map(read_type).transpose()?;
    let behind = (after(&call.position("Marker")?)?, call.max_items(100, 1_000)?);
    let page = answered(call.core.page_of_policies(call.actor, kind, behind, call.origin).await)?;
    let policies = Node::list_of("Policy", page.items.iter().map(counted));
    Ok(call.paged(&page, ("Policies", policies), |last| position(&last.policy)))
}

/// Where a page ends: the type and the name of the last policy.
fn position(policy: &PolicyRef) -> String {
    format!("{} {}", policy.policy_type().as_str(), policy.name())
}

fn after(position: &str) -> Result<Option<PolicyRef>, ApiError> {
    let Some((kind, name)) = position.split_once(' ') else { return Ok(None) };
    answered(policy_ref(read_type(kind)?, name)).map(Some)
}

/// The policy that is meant, of either type, by whoever may do this to it.
pub(super) async fn policy(call: &Call<'_>, action: Action) -> Result<PolicyRef, ApiError> {
    let (kind, name) = (call.request.required("PolicyType")?, call.request.required("PolicyName")?);
    let meant = (action, read_type(kind)?, name);
    answered(call.core.policy_meant(call.actor, meant, call.origin).await)
}

/// The name of a policy that the account wrote.
pub(super) fn name(call: &Call<'_>) -> Result<PolicyName, ApiError> {
    call.required_named("PolicyName", PolicyName::parse)
}

/// What a policy is to say. What is wrong with it is told with its place.
pub(super) fn document(call: &Call<'_>) -> Result<PolicyDocument, ApiError> {
    let parsed = call.request.required("PolicyDocument")?.parse();
    parsed.map_err(|malformed: MalformedPolicy| match malformed.code() {
        code @ "MalformedPolicyDocument" => ApiError::new(400, code, malformed.to_string()),
        code => of_code(code),
    })
}

fn read_type(text: &str) -> Result<PolicyType, ApiError> {
    text.parse().map_err(|_| ApiError::invalid_parameter("PolicyType"))
}

fn under_new(code: &str) -> ApiError {
    of_code(&code.replacen("Description", "NewDescription", 1))
}

fn node(view: &PolicyView) -> Node {
    Node::object([
        ("PolicyName", view.policy.name().into()),
        ("PolicyType", view.policy.policy_type().as_str().into()),
        ("Description", view.description.as_str().into()),
        ("DefaultVersion", version_id(view.default_version).into()),
    ])
    .with("CreateDate", view.created_at.map(time))
}

fn dated(view: &PolicyView) -> Node {
    node(view).with("UpdateDate", view.updated_at.map(time))
}

fn counted(view: &PolicyView) -> Node {
    dated(view).with("AttachmentCount", Some(view.attachments))
}
