//! One's own security: the Account Center of an owner, Security Information Management of a RAM user.

use super::webauthn_parts::path_of;
use crate::Console;
use crate::answer::{self, page, see};
use crate::fields::AddressQuery;
use crate::frame::{Frame, Place, When};
use crate::locales::Words;
use crate::visitor::{Member, Visitor};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::overview::{DeviceView, OwnSecurity};
use countersign_core::{Refusal, Role, SessionActor};
use countersign_model::webauthn::{Factors, KeyKind};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "account_security.html")]
struct AccountPage {
    t: Words,
    frame: Frame,
    own: Shown,
}

#[derive(Template)]
#[template(path = "my_security.html")]
struct OwnPage {
    t: Words,
    frame: Frame,
    own: Shown,
    tab: &'static str,
}

#[derive(Template)]
#[template(path = "own_bind_type.html")]
struct TypePage {
    t: Words,
    frame: Frame,
    base: &'static str,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomePage {
    t: Words,
    frame: Frame,
}

/// What both pages show.
struct Shown {
    base: &'static str,
    device: Option<Device>,
    factors: Factors,
    /// The key of the words for why the virtual MFA device cannot go, if it cannot.
    device_stays: Option<&'static str>,
    mfa_required: bool,
    may_manage_mfa: bool,
    may_change_password: bool,
    password_changed_at: Option<When>,
    password_expires_at: Option<When>,
    codes_left: i64,
    codes_made_at: Option<When>,
    access_keys: Option<i64>,
}

struct Device {
    serial_number: String,
    bound_at: When,
    last_used_at: Option<When>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Asked {
    #[serde(default)]
    done: String,
    #[serde(default)]
    tab: String,
}

/// `GET /account/security`: for the owner; a RAM user goes to his own page.
pub(crate) async fn show_account(
    State(console): State<Console>,
    visitor: Visitor,
    member: Member,
    AddressQuery(asked): AddressQuery<Asked>,
) -> Response {
    if member.0.role() != Role::Owner {
        return see("/me/security");
    }
    match console.core.own_security(&member.0).await {
        Ok(own) => {
            let template = AccountPage {
                t: visitor.words.clone(),
                frame: frame(&console, &visitor, &member).with_done(Some(&asked.done)),
                own: Shown::new(&own, &member.0),
            };
            page(StatusCode::OK, &template)
        }
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// `GET /me/security`: for a RAM user; the owner goes to the Account Center.
pub(crate) async fn show_own(
    State(console): State<Console>,
    visitor: Visitor,
    member: Member,
    AddressQuery(asked): AddressQuery<Asked>,
) -> Response {
    if member.0.role() == Role::Owner {
        return see("/account/security");
    }
    match console.core.own_security(&member.0).await {
        Ok(own) => {
            let template = OwnPage {
                t: visitor.words.clone(),
                frame: frame(&console, &visitor, &member).with_done(Some(&asked.done)),
                own: Shown::new(&own, &member.0),
                tab: if asked.tab == "password" { "password" } else { "virtual-mfa" },
            };
            page(StatusCode::OK, &template)
        }
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// `GET /account/welcome`: an owner without a second factor is urged to bind one.
pub(crate) async fn welcome(State(console): State<Console>, visitor: Visitor, member: Member) -> Response {
    let template = WelcomePage { t: visitor.words.clone(), frame: frame(&console, &visitor, &member) };
    page(StatusCode::OK, &template)
}

/// What the address of the choice asks for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Chosen {
    #[serde(rename = "type")]
    kind: String,
}

/// `GET /account/security/bind?type=`: which type of device the owner binds first; leads on when it is chosen.
pub(crate) async fn choose_type(
    visitor: Visitor,
    State(console): State<Console>,
    member: Member,
    AddressQuery(chosen): AddressQuery<Chosen>,
) -> Response {
    let home = base(&member.0);
    if member.0.role() != Role::Owner {
        return see(home);
    }
    if let Ok(kind) = chosen.kind.parse::<KeyKind>() {
        return see(&format!("{home}/{}/bind", path_of(kind)));
    }
    if chosen.kind == "virtual-mfa" {
        return see(&format!("{home}/virtual-mfa/verify"));
    }
    let frame = Frame { path: format!("{home}/bind"), ..frame(&console, &visitor, &member) };
    page(StatusCode::OK, &TypePage { t: visitor.words.clone(), frame, base: home })
}

impl Shown {
    fn new(own: &OwnSecurity, actor: &SessionActor) -> Self {
        Self {
            base: base(actor),
            device: own.device.as_ref().map(Device::new),
            factors: own.factors,
            device_stays: own.keeps_device().map(|refusal| {
                let is_required = refusal == Refusal::MfaRequired;
                if is_required { "own-mfa-replace-only" } else { "refusal-OperationConflict-LastUsableFactor" }
            }),
            mfa_required: own.mfa_required,
            may_manage_mfa: own.may_manage_mfa,
            may_change_password: own.may_change_password,
            password_changed_at: own.password_changed_at.map(When::from),
            password_expires_at: own.password_expires_at.map(When::from),
            codes_left: own.codes_left,
            codes_made_at: own.codes_made_at.map(When::from),
            access_keys: own.access_keys,
        }
    }
}

impl Device {
    fn new(device: &DeviceView) -> Self {
        Self {
            serial_number: device.serial_number.clone(),
            bound_at: device.bound_at.into(),
            last_used_at: device.last_used_at.map(When::from),
        }
    }
}

/// Where one's own pages lie.
pub(super) fn base(actor: &SessionActor) -> &'static str {
    if actor.role() == Role::Owner { "/account/security" } else { "/me/security" }
}

/// The frame of one's own pages.
pub(super) fn frame(console: &Console, visitor: &Visitor, member: &Member) -> Frame {
    let place = if member.0.role() == Role::Owner { Place::AccountSecurity } else { Place::MySecurity };
    Frame::of_console(visitor, member, &console.core.identity().suffix, place)
}
