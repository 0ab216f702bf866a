//! Groups of RAM users, and who is in them.

use crate::answer::Node;
use crate::api::Api;
use crate::call::{Answered, Call, answered, time};
use crate::error::ApiError;
use countersign_core::groups::{GroupChange, GroupFacts, JoinedGroup, MemberLine};
use countersign_model::group::Group;
use countersign_model::names::{Comments, GroupName};

pub(crate) async fn create(call: &Call<'_>) -> Answered {
    call.refuse("DisplayName")?;
    let facts = GroupFacts {
        name: call.required_named("GroupName", GroupName::parse)?,
        comments: call.named("Comments", "Comments", Comments::parse)?.unwrap_or_default(),
    };
    let group = answered(call.core.create_group(call.actor, facts, call.origin).await)?;
    let changed = (call.api == Api::Ims).then(|| time(group.updated_at));
    Ok(vec![("Group", node(&group).with("UpdateDate", changed))])
}

pub(crate) async fn get(call: &Call<'_>) -> Answered {
    let name = name(call)?;
    let group = answered(call.core.group(call.actor, name.as_str(), call.origin).await)?;
    Ok(vec![("Group", dated(&group))])
}

pub(crate) async fn update(call: &Call<'_>) -> Answered {
    call.refuse("NewDisplayName")?;
    let name = name(call)?;
    let change = GroupChange {
        name: call.named("NewGroupName", "GroupName", GroupName::parse)?,
        comments: call.named("NewComments", "Comments", Comments::parse)?,
    };
    let group = answered(call.core.update_group(call.actor, name.as_str(), change, call.origin).await)?;
    Ok(vec![("Group", dated(&group))])
}

pub(crate) async fn delete(call: &Call<'_>) -> Answered {
    let name = name(call)?;
    answered(call.core.delete_group(call.actor, name.as_str(), call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn list(call: &Call<'_>) -> Answered {
    let behind = (call.position("Marker")?, call.max_items(100, 100)?);
    let page = answered(call.core.page_of_groups(call.actor, behind, call.origin).await)?;
    let groups = Node::list_of("Group", page.items.iter().map(dated));
    Ok(call.paged(&page, ("Groups", groups), |last| last.name.canonical()))
}

pub(crate) async fn add_user(call: &Call<'_>) -> Answered {
    let (user, group) = (call.required_user()?, name(call)?);
    answered(call.core.add_user_to_group(call.actor, &user, group.as_str(), call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn remove_user(call: &Call<'_>) -> Answered {
    let (user, group) = (call.required_user()?, name(call)?);
    answered(call.core.remove_user_from_group(call.actor, &user, group.as_str(), call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn list_users(call: &Call<'_>) -> Answered {
    let most = if call.api == Api::Ims { 100 } else { 1_000 };
    let (group, behind) = (name(call)?, (call.position("Marker")?, call.max_items(100, most)?));
    let page = call.core.page_of_users_for_group(call.actor, group.as_str(), behind, call.origin).await;
    let page = answered(page)?;
    let users = Node::list_of("User", page.items.iter().map(|user| member(call, user)));
    Ok(call.paged(&page, ("Users", users), |last| last.name.to_lowercase()))
}

pub(crate) async fn list_for_user(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    let groups = answered(call.core.list_groups_for_user(call.actor, &user, call.origin).await)?;
    Ok(vec![("Groups", Node::list_of("Group", groups.iter().map(joined)))])
}

/// The name of the group that is meant.
pub(super) fn name(call: &Call<'_>) -> Result<GroupName, ApiError> {
    call.required_named("GroupName", GroupName::parse)
}

fn node(group: &Group) -> Node {
    Node::object([
        ("GroupId", group.id.as_str().into()),
        ("GroupName", group.name.as_str().into()),
        ("Comments", group.comments.as_str().into()),
        ("CreateDate", time(group.created_at)),
    ])
}

fn dated(group: &Group) -> Node {
    node(group).with("UpdateDate", Some(time(group.updated_at)))
}

fn member(call: &Call<'_>, user: &MemberLine) -> Node {
    let node = match call.api {
        Api::Ims => Node::object([
            ("UserId", user.id.as_str().into()),
            ("UserPrincipalName", call.principal_name(&user.name).into()),
        ]),
        Api::Ram | Api::Sts => Node::object([("UserName", user.name.as_str().into())]),
    };
    node.with("DisplayName", Some(user.display_name.as_str())).with("JoinDate", Some(time(user.joined_at)))
}

fn joined(group: &JoinedGroup) -> Node {
    Node::object([
        ("GroupId", group.id.as_str().into()),
        ("GroupName", group.name.as_str().into()),
        ("Comments", group.comments.as_str().into()),
        ("JoinDate", time(group.joined_at)),
    ])
}
