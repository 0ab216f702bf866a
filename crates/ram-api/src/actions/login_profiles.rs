//! Login profiles, and changing one's own password.

use crate::answer::Node;
use crate::api::Api;
use crate::call::{Answered, Call, answered, time};
use crate::error::ApiError;
use crate::refusals::of_code;
use countersign_core::passwords::PasswordState;
use countersign_core::ram::login_profiles::{ProfileChange, UserProfile};
use countersign_core::users::{LoginChange, PasswordChange};
use countersign_model::principal::ConsoleLogon;

pub(crate) async fn create(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    let login = LoginChange {
        console_logon: status(call)?.unwrap_or(ConsoleLogon::Enabled),
        password: PasswordChange::Custom(call.request.secret("Password").ok_or_else(|| ApiError::missing("Password"))?),
        reset_required: call.request.boolean("PasswordResetRequired")?.unwrap_or(false),
        mfa_required: call.request.boolean("MFABindRequired")?.unwrap_or(false),
    };
    let made = given(answered(call.core.create_login_profile(call.actor, &user, login, call.origin).await))?;
    Ok(vec![("LoginProfile", node(call, &made))])
}

pub(crate) async fn get(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    let profile = answered(call.core.login_profile(call.actor, &user, call.origin).await)?;
    let mut node = node(call, &profile);
    if call.api == Api::Ims {
        node = node.with("LastLoginTime", Some(profile.last_logon_at.map_or_else(|| Node::from(""), time)));
    }
    Ok(vec![("LoginProfile", node)])
}

pub(crate) async fn update(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    let change = ProfileChange {
        password: call.request.secret("Password"),
        console_logon: status(call)?,
        reset_required: call.request.boolean("PasswordResetRequired")?,
        mfa_required: call.request.boolean("MFABindRequired")?,
    };
    let changed = given(answered(call.core.update_login_profile(call.actor, &user, change, call.origin).await))?;
    // The older version tells nothing of it.
    Ok(if call.api == Api::Ims { vec![("LoginProfile", node(call, &changed))] } else { Vec::new() })
}

pub(crate) async fn delete(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    answered(call.core.delete_login_profile(call.actor, &user, call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn change_password(call: &Call<'_>) -> Answered {
    let secret = |name: &'static str| call.request.secret(name).ok_or_else(|| ApiError::missing(name));
    let (old, new) = (secret("OldPassword")?, secret("NewPassword")?);
    let changed = call.core.change_password_by_key(call.actor, old, new, call.origin).await;
    match answered(changed) {
        Err(error) if error.code() == "InvalidParameter.Password.TooWeak" => {
            Err(of_code("InvalidParameter.NewPassword.TooWeak"))
        }
        changed => changed.map(|()| Vec::new()),
    }
}

/// A password that was used before, under the name that it has where it is given to somebody.
fn given<T>(changed: Result<T, ApiError>) -> Result<T, ApiError> {
    changed.map_err(|error| match error.code() {
        "InvalidParameter.NewPassword.ReusePrevention" => of_code("InvalidParameter.Password.ReusePrevention"),
        _ => error,
    })
}

/// Whether the password logs on; the older version has no word for it, and a profile of it does.
fn status(call: &Call<'_>) -> Result<Option<ConsoleLogon>, ApiError> {
    if call.api != Api::Ims {
        return Ok(None);
    }
    match call.request.text("Status") {
        None => Ok(None),
        Some("Active") => Ok(Some(ConsoleLogon::Enabled)),
        Some("Inactive") => Ok(Some(ConsoleLogon::Disabled)),
        Some(_) => Err(ApiError::invalid_parameter("Status")),
    }
}

fn node(call: &Call<'_>, profile: &UserProfile) -> Node {
    let common = Node::object([
        ("MFABindRequired", profile.mfa_bind_required.into()),
        ("PasswordResetRequired", profile.password_reset_required.into()),
    ]);
    if call.api != Api::Ims {
        return common.with("UserName", Some(profile.user.as_str())).with("CreateDate", Some(time(profile.created_at)));
    }
    let status = match profile.console_logon {
        ConsoleLogon::Enabled => "Active",
        ConsoleLogon::Disabled => "Inactive",
    };
    let password = match profile.password_state {
        PasswordState::Good => "Active",
        PasswordState::Due | PasswordState::Expired => "Expired",
    };
    common
        .with("UserPrincipalName", Some(call.principal_name(&profile.user)))
        .with("Status", Some(status))
        .with("PasswordStatus", Some(password))
        .with("AutoDisableLoginStatus", Some("false"))
        .with("UpdateDate", Some(time(profile.updated_at)))
}
