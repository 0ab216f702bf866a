//! RAM users.

use crate::answer::Node;
use crate::api::Api;
use crate::call::{Answered, Call, answered, time};
use crate::error::ApiError;
use crate::refusals::of_code;
use countersign_core::authorise::Action;
use countersign_core::ram::Page;
use countersign_core::ram::users::{NewUser, UserChange, UserKey};
use countersign_model::names::{Comments, DisplayName, EmailAddress, MobilePhone, UserName};
use countersign_model::principal::Principal;

/// The longest display name in the newer version.
const LONGEST_DISPLAY_NAME_OF_IMS: usize = 24;

pub(crate) async fn create(call: &Call<'_>) -> Answered {
    let name = call.required_user()?;
    if call.api == Api::Ims {
        call.request.required("DisplayName")?;
    }
    call.refuse_tags()?;
    let new = NewUser {
        name: UserName::parse(&name).map_err(|invalid| of_code(invalid.code))?,
        display_name: display_name(call, "DisplayName")?.unwrap_or_default(),
        comments: call.named("Comments", "Comments", Comments::parse)?.unwrap_or_default(),
        email: call.named("Email", "Email", EmailAddress::parse)?,
        mobile: call.named("MobilePhone", "MobilePhone", MobilePhone::parse)?,
    };
    let user = answered(call.core.add_user(call.actor, new, call.origin).await)?;
    Ok(vec![("User", node(call, &user, Shape::Created))])
}

pub(crate) async fn get(call: &Call<'_>) -> Answered {
    let key = key(call, &["UserPrincipalName", "UserId", "UserAccessKeyId"])?;
    let user = answered(call.core.find_user_by(call.actor, key, call.origin).await)?;
    Ok(vec![("User", node(call, &user, Shape::Found))])
}

pub(crate) async fn update(call: &Call<'_>) -> Answered {
    let key = key(call, &["UserPrincipalName", "UserId"])?;
    let new_name = match call.api {
        Api::Ims => "NewUserPrincipalName",
        Api::Ram | Api::Sts => "NewUserName",
    };
    let name = call.request.text(new_name).map(|text| call.read_user(text, new_name)).transpose()?;
    let change = UserChange {
        name: name.map(|name| UserName::parse(&name)).transpose().map_err(|invalid| of_code(invalid.code))?,
        display_name: display_name(call, "NewDisplayName")?,
        comments: call.named("NewComments", "Comments", Comments::parse)?,
        email: call.named("NewEmail", "Email", EmailAddress::parse)?,
        mobile: call.named("NewMobilePhone", "MobilePhone", MobilePhone::parse)?,
    };
    let user = answered(call.core.change_user(call.actor, key, change, call.origin).await)?;
    Ok(vec![("User", node(call, &user, Shape::Updated))])
}

pub(crate) async fn delete(call: &Call<'_>) -> Answered {
    let key = key(call, &["UserPrincipalName", "UserId"])?;
    answered(call.core.remove_user(call.actor, key, call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn list(call: &Call<'_>) -> Answered {
    let default = if call.api == Api::Ims { 1_000 } else { 100 };
    let page = page(call, Action::ListUsers, default).await?;
    let users = Node::list_of("User", page.items.iter().map(|user| node(call, user, Shape::Listed)));
    Ok(call.paged(&page, ("Users", users), |last| last.name.to_lowercase()))
}

pub(crate) async fn list_basic_infos(call: &Call<'_>) -> Answered {
    let page = page(call, Action::ListUserBasics, 100).await?;
    let infos = page.items.iter().map(|user| {
        Node::object([
            ("UserId", user.id.as_str().into()),
            ("UserPrincipalName", call.principal_name(&user.name).into()),
            ("DisplayName", user.display_name.as_str().into()),
            ("Status", "active".into()),
        ])
    });
    let infos = Node::list_of("UserBasicInfo", infos);
    Ok(call.paged(&page, ("UserBasicInfos", infos), |last| last.name.to_lowercase()))
}

async fn page(call: &Call<'_>, action: Action, default: i64) -> Result<Page<Principal>, ApiError> {
    let limit = call.max_items(default, 1_000)?;
    let after = call.position("Marker")?;
    call.refuse_tags()?;
    // Nobody is frozen here, so a list of the frozen is empty.
    let wanted = if call.api == Api::Ims { call.request.text("Status").unwrap_or("active") } else { "active" };
    let mut page = answered(call.core.page_of_users(call.actor, action, (after, limit), call.origin).await)?;
    match wanted {
        "active" | "active,freeze" | "freeze,active" => {}
        "freeze" => page = Page { items: Vec::new(), is_truncated: false },
        _ => return Err(ApiError::invalid_parameter("Status")),
    }
    Ok(page)
}

/// By what a user is named: in the newer version by exactly one of these parameters.
fn key(call: &Call<'_>, parameters: &[&'static str]) -> Result<UserKey, ApiError> {
    if call.api != Api::Ims {
        return Ok(UserKey::Name(call.required_user()?));
    }
    let mut given = parameters.iter().filter_map(|name| Some((*name, call.request.text(name)?)));
    let (name, value) = given.next().ok_or_else(|| ApiError::missing("UserPrincipalName"))?;
    if given.next().is_some() {
        return Err(ApiError::only_one_of(parameters));
    }
    match name {
        "UserId" => Ok(UserKey::Id(value.to_owned())),
        "UserAccessKeyId" => Ok(UserKey::AccessKey(value.to_owned())),
        _ => Ok(UserKey::Name(call.read_user(value, "UserPrincipalName")?)),
    }
}

fn display_name(call: &Call<'_>, parameter: &'static str) -> Result<Option<DisplayName>, ApiError> {
    let name = call.named(parameter, "DisplayName", DisplayName::parse)?;
    let longest = if call.api == Api::Ims { LONGEST_DISPLAY_NAME_OF_IMS } else { usize::MAX };
    if name.as_ref().is_some_and(|name| name.as_str().chars().count() > longest) {
        return Err(of_code(&format!("InvalidParameter.{parameter}.Length")));
    }
    Ok(name)
}

/// In which answer a user stands: each has its own fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Created,
    Found,
    Updated,
    Listed,
}

fn node(call: &Call<'_>, user: &Principal, shape: Shape) -> Node {
    let is_ims = call.api == Api::Ims;
    let text = |text: &str| Node::Text(text.to_owned());
    let node = Node::object([
        ("UserId", user.id.as_str().into()),
        ("DisplayName", user.display_name.as_str().into()),
        ("Comments", user.comments.as_str().into()),
        ("Email", text(user.email.as_ref().map_or("", EmailAddress::as_str))),
        ("MobilePhone", text(user.mobile.as_ref().map_or("", MobilePhone::as_str))),
        ("CreateDate", time(user.created_at)),
    ]);
    let has_logon_time = if is_ims { true } else { shape == Shape::Found };
    let logon = user.last_logon_at.map_or_else(|| text(""), time);
    let node = node
        .with("UserName", (!is_ims || shape == Shape::Found).then_some(user.name.as_str()))
        .with("UserPrincipalName", is_ims.then(|| call.principal_name(&user.name)))
        .with("UpdateDate", (is_ims || shape != Shape::Created).then(|| time(user.updated_at)))
        .with("LastLoginDate", has_logon_time.then_some(logon))
        .with("ProvisionType", is_ims.then_some("Manual"));
    node.with("Status", (is_ims && shape == Shape::Listed).then_some("active"))
}
