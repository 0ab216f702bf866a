//! Pages, redirects and refusals as responses.

use crate::Console;
use crate::cookies::Cookie;
use crate::frame::{Frame, Problems};
use crate::locales::Words;
use crate::step_up;
use crate::visitor::Visitor;
use askama::Template;
use axum::http::header::{HeaderValue, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use countersign_core::{Error, Refusal};

/// A page as a response.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that shows a form again with what is wrong in it, or for the first time with nothing wrong.
pub(crate) fn form_page(problems: &Problems, template: &impl Template) -> Response {
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page(status, template)
}

/// The way on after a form was taken: a redirect, so that loading the page again does not send the form again.
pub(crate) fn see(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// The same with a message about what was done.
pub(crate) fn see_done(path: &str, word: &str) -> Response {
    see(&format!("{path}?done={word}"))
}

/// Adds a cookie to a response.
pub(crate) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// To the page that asks who one is. What the browser held is taken from it.
pub(crate) fn to_logon(console: &Console, notice: Option<&str>) -> Response {
    let response = match notice {
        None => see("/"),
        Some(notice) => see(&format!("/?notice={notice}")),
    };
    let response = with_cookie(response, console.options.remove_cookie(Cookie::Logon));
    with_cookie(response, console.options.remove_cookie(Cookie::Session))
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    t: Words,
    frame: Frame,
    title: String,
    text: String,
    code: u16,
}

/// A page that says one thing.
pub(crate) fn plain_page(visitor: &Visitor, status: StatusCode, key: &str) -> Response {
    let template = ErrorPage {
        title: visitor.words.s(&format!("{key}-title")),
        text: visitor.words.s(key),
        t: visitor.words.clone(),
        frame: Frame::of_logon(visitor),
        code: status.as_u16(),
    };
    page(status, &template)
}

/// What is answered to a form whose verb no page of this site sends.
pub(crate) fn form_unknown(visitor: &Visitor) -> Response {
    plain_page(visitor, StatusCode::BAD_REQUEST, "error-form-unknown")
}

/// What is answered when a use-case did not do what it was asked and no form can show why.
pub(crate) fn failure(console: &Console, visitor: &Visitor, error: Error) -> Response {
    match error {
        Error::Refused { refusal: Refusal::NotLoggedOn, .. } => to_logon(console, Some("session-over")),
        Error::Refused { refusal: Refusal::LogonOver, .. } => {
            with_cookie(see("/?notice=logon-over"), console.options.remove_cookie(Cookie::Logon))
        }
        Error::Refused {
            refusal:
                Refusal::UserNotFound
                | Refusal::AccountNotFound
                | Refusal::GroupNotFound
                | Refusal::PolicyNotFound
                | Refusal::PolicyVersionNotFound,
            ..
        } => plain_page(visitor, StatusCode::NOT_FOUND, "error-not-found"),
        Error::Refused { refusal: Refusal::NoPermission | Refusal::Oneself, .. } => {
            plain_page(visitor, StatusCode::FORBIDDEN, "error-forbidden")
        }
        Error::Refused { refusal: Refusal::SetUpOver, .. } => {
            plain_page(visitor, StatusCode::FORBIDDEN, "error-set-up-over")
        }
        Error::Refused { refusal: Refusal::NoticeOver, .. } => {
            plain_page(visitor, StatusCode::FORBIDDEN, "error-notice-over")
        }
        Error::Refused { refusal: Refusal::FindingNotFound, .. } => {
            plain_page(visitor, StatusCode::NOT_FOUND, "error-finding-over")
        }
        Error::Refused { refusal, .. } => {
            let template = ErrorPage {
                title: visitor.words.s("error-refused-title"),
                text: refusal_text(&visitor.words, refusal),
                t: visitor.words.clone(),
                frame: Frame::of_logon(visitor),
                code: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            };
            page(StatusCode::UNPROCESSABLE_ENTITY, &template)
        }
        Error::ProofRequired(demand) => step_up::demand(*demand),
        Error::Unavailable(what) => {
            tracing::warn!(what, "answered 503");
            retry_later(visitor, "error-unavailable")
        }
        Error::ClockBehind => {
            tracing::error!("the clock is behind a time already seen; logons are refused");
            retry_later(visitor, "error-clock")
        }
        Error::Fault(what) => {
            tracing::error!(what, "answered 500");
            plain_page(visitor, StatusCode::INTERNAL_SERVER_ERROR, "error-fault")
        }
    }
}

fn retry_later(visitor: &Visitor, key: &str) -> Response {
    let mut response = plain_page(visitor, StatusCode::SERVICE_UNAVAILABLE, key);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// The response that ends a session in the browser as well.
pub(crate) fn logged_off(console: &Console) -> Response {
    gone(console, "logged-off")
}

/// The same after all sessions have ended, not this one alone.
pub(crate) fn logged_off_everywhere(console: &Console) -> Response {
    gone(console, "logged-off-everywhere")
}

fn gone(console: &Console, notice: &str) -> Response {
    let mut response = to_logon(console, Some(notice));
    let clear = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert(HeaderName::from_static("clear-site-data"), clear);
    response
}

/// The problem that a refusal is for a form: at the field it is about, or else at `elsewhere`. A failure that is no
/// refusal, or that no form can show, comes back.
pub(crate) fn problem(words: &Words, error: Error, elsewhere: &str) -> Result<Problems, Error> {
    match error.refusal() {
        Some(
            Refusal::NotLoggedOn
            | Refusal::LogonOver
            | Refusal::UserNotFound
            | Refusal::AccountNotFound
            | Refusal::NoPermission
            | Refusal::SetUpOver
            | Refusal::NoticeOver
            | Refusal::FindingNotFound
            | Refusal::GroupNotFound
            | Refusal::PolicyNotFound
            | Refusal::PolicyVersionNotFound,
        )
        | None => Err(error),
        Some(refusal) => {
            let field = field_of(refusal).unwrap_or(elsewhere);
            Ok(Problems::one(field, refusal_text(words, refusal)))
        }
    }
}

/// The id of the field that a refusal is about.
pub(crate) fn field_of(refusal: Refusal) -> Option<&'static str> {
    let field = match refusal {
        Refusal::UserExists | Refusal::GroupExists | Refusal::PolicyExists | Refusal::KeyExists => "name",
        Refusal::AliasExists => "alias",
        Refusal::EmailExists => "email",
        Refusal::PasswordTooWeak | Refusal::PasswordUnchanged | Refusal::PasswordUsedBefore => "new_password",
        Refusal::PasswordsDiffer => "repeat_password",
        Refusal::OldPasswordIncorrect => "password",
        Refusal::NotConfirmed => "confirm",
        Refusal::Invalid(code) => match code.split('.').nth(1) {
            Some("UserName" | "UserPrincipalName" | "GroupName" | "PolicyName" | "PasskeyName") => "name",
            Some("Description") => "description",
            Some("AccountAlias") => "alias",
            Some("Email") => "email",
            Some("DisplayName") => "display_name",
            Some("Comments") => "comments",
            Some("LoginSessionDuration") => "session_hours",
            Some("LoginNetworkMasks") => "logon_networks",
            Some("Attestation") => "attestation",
            Some("AuditRetentionDays") => "audit_retention_days",
            Some("MinimumPasswordLength") => "minimum_length",
            Some("MinimumPasswordDifferentCharacter") => "minimum_different",
            Some("MaxPasswordAge") => "max_age_days",
            Some("InitialPasswordAge") => "initial_age_days",
            Some("PasswordReusePrevention") => "reuse_prevention",
            Some("MaxLoginAttemps") => "max_logon_attempts",
            Some(_) | None => return None,
        },
        Refusal::NotLoggedOn
        | Refusal::LogonOver
        | Refusal::WrongCredentials
        | Refusal::WrongCode
        | Refusal::NoPermission
        | Refusal::UserNotFound
        | Refusal::AccountNotFound
        | Refusal::Oneself
        | Refusal::MfaAlreadyBound
        | Refusal::MfaNotBound
        | Refusal::MfaRequired
        | Refusal::BindingOver
        | Refusal::OtherMfaTypeBound
        | Refusal::KeyNotAccepted
        | Refusal::KeyNotAllowed
        | Refusal::KeyDisowned
        | Refusal::KeyRestored
        | Refusal::NoKeyUsable
        | Refusal::LastUsableFactor
        | Refusal::KeyUnknown
        | Refusal::TooManyKeys
        | Refusal::CeremonyOver
        | Refusal::TooManyBindings
        | Refusal::SetUpOver
        | Refusal::ProofOver
        | Refusal::AlreadyEnded
        | Refusal::SettingsChanged
        | Refusal::NoAdministratorPath
        | Refusal::NoticeOver
        | Refusal::FindingNotFound
        | Refusal::GroupNotFound
        | Refusal::NotInGroup
        | Refusal::AlreadyInGroup
        | Refusal::PolicyNotFound
        | Refusal::PolicyVersionNotFound
        | Refusal::UserPolicyNotFound
        | Refusal::UserPolicyExists
        | Refusal::GroupPolicyNotFound
        | Refusal::GroupPolicyExists
        | Refusal::LimitExceeded(_)
        | Refusal::DeleteConflict(_)
        | Refusal::AccessKeyNotFound
        | Refusal::AccessKeyInactive
        // Only signed calls meet these.
        | Refusal::CallOutOfTime
        | Refusal::NonceUsed
        | Refusal::SigningKeyNotFound
        | Refusal::MfaDeviceNotFound
        | Refusal::MfaDeviceExists
        | Refusal::MfaDeviceTaken
        | Refusal::LoginProfileExists
        | Refusal::ContactNotFound
        | Refusal::PasskeyNotFound
        | Refusal::OnlyForUsers
        | Refusal::NoCredentialReport
        | Refusal::NoPassword => return None,
    };
    Some(field)
}

/// What a refusal is in words.
pub(crate) fn refusal_text(words: &Words, refusal: Refusal) -> String {
    words.s(&refusal_key(refusal.code()))
}

/// The key of a refusal's words.
pub(crate) fn refusal_key(code: &str) -> String {
    format!("refusal-{}", code.replace('.', "-"))
}

/// The codes of all refusals that a form can show, beside those of limits and conflicts.
#[cfg(test)]
pub(crate) const REFUSAL_CODES: &[&str] = &[
    "LogonFail",
    "CheckAuthenticationCodeFail",
    "EntityAlreadyExists.User",
    "EntityAlreadyExists.AccountAlias",
    "EntityAlreadyExists.Email",
    "InvalidParameter.UserName.Length",
    "InvalidParameter.UserName.InvalidChars",
    "InvalidParameter.UserPrincipalName.Format",
    "InvalidParameter.AccountAlias.Length",
    "InvalidParameter.AccountAlias.Format",
    "InvalidParameter.Email.Format",
    "InvalidParameter.DisplayName.Length",
    "InvalidParameter.DisplayName.InvalidChars",
    "InvalidParameter.Comments.Length",
    "InvalidParameter.Password.TooWeak",
    "InvalidParameter.NewPassword.ReusePrevention",
    "InvalidParameter.OldPassword.Incorrect",
    "InvalidParameter.Password.Repetition",
    "InvalidParameter.Confirmation",
    "OperationConflict.Oneself",
    "OperationConflict.MFARequired",
    "EntityAlreadyExists.User.MFADevice",
    "EntityNotExist.User.MFADevice",
    "EntityNotExist.User.LoginProfile",
    "EntityNotExist.Session",
    "ProofOver",
    "InvalidParameter.LoginSessionDuration",
    "InvalidParameter.AuditRetentionDays",
    "InvalidParameter.LoginNetworkMasks.Format",
    "InvalidParameter.LoginNetworkMasks.TooMany",
    "InvalidParameter.LoginNetworkMasks.Length",
    "InvalidParameter.LoginNetworkMasks.OwnAddress",
    "InvalidParameter.MinimumPasswordLength.Range",
    "InvalidParameter.MinimumPasswordDifferentCharacter",
    "InvalidParameter.MaxPasswordAge",
    "InvalidParameter.InitialPasswordAge",
    "InvalidParameter.PasswordReusePrevention",
    "InvalidParameter.MaxLoginAttemps",
    "InvalidParameter.NewPassword.UsedBefore",
    "OperationConflict.SettingsChanged",
    "OperationConflict.NoAdministratorPath",
    "BindingOver",
    "OperationConflict.MFADeviceType",
    "InvalidParameter.SecurityKey",
    "NotSupport.SecurityKey",
    "NotSupport.SecurityKey.Disowned",
    "NotSupport.SecurityKey.Restored",
    "NotSupport.SecurityKey.None",
    "OperationConflict.LastUsableFactor",
    "EntityNotExist.SecurityKey",
    "EntityAlreadyExists.SecurityKey",
    "LimitExceeded.SecurityKey",
    "CeremonyOver",
    "EntityNotExist.User.Passkey",
    "InvalidParameter.PasskeyName.Length",
    "InvalidParameter.PasskeyName.InvalidChars",
    "InvalidParameter.Attestation",
    "InvalidParameter.Attestation.OwnKeys",
    "Throttling.Binding",
    "EntityAlreadyExists.Group",
    "EntityAlreadyExists.Group.Policy",
    "EntityAlreadyExists.Policy",
    "EntityAlreadyExists.User.Group",
    "EntityAlreadyExists.User.Policy",
    "EntityNotExist.Group.Policy",
    "EntityNotExist.User.Group",
    "EntityNotExist.User.Policy",
    "InvalidParameter.Description.Length",
    "InvalidParameter.GroupName.InvalidChars",
    "InvalidParameter.GroupName.Length",
    "InvalidParameter.PolicyName.InvalidChars",
    "InvalidParameter.PolicyName.Length",
    "InvalidParameter.VersionId.Format",
    "EntityNotExist.User.AccessKey",
    "AccessKeyInactive",
];
