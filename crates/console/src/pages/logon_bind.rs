//! The step *bind*: a logon that must bind a device can do nothing else. Security keys and passkeys have their own file.

use super::binding_form::{BindingForm, typed_codes};
use super::logon_steps::{go_on, shown_name, waiting_for};
use super::webauthn_parts::path_of;
use crate::Console;
use crate::answer::{self, form_page, refusal_text, see};
use crate::fields::Fields;
use crate::frame::{Frame, LogonName, Problems};
use crate::locales::Words;
use crate::visitor::{LogonHolder, Visitor};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use countersign_core::logon::LogonView;
use countersign_core::{Error, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::token::Token;
use countersign_model::webauthn::KeyKind;

#[derive(Template)]
#[template(path = "logon_bind_types.html")]
struct TypesPage {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: LogonName,
    replaces: bool,
}

#[derive(Template)]
#[template(path = "logon_bind.html")]
struct BindPage {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: LogonName,
    replaces: bool,
    b: BindingForm,
}

/// `GET /logon/bind`: which type of device.
pub(crate) async fn show_types(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
) -> Response {
    match waiting_for(&console, &visitor, &token, LogonState::Bind).await {
        Ok(view) => ask_type(&console, &visitor, &view, Problems::default()),
        Err(elsewhere) => elsewhere,
    }
}

/// `POST /logon/bind`: starts a device of the type chosen.
pub(crate) async fn start(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
    fields: Fields,
) -> Response {
    let view = match waiting_for(&console, &visitor, &token, LogonState::Bind).await {
        Ok(view) => view,
        Err(elsewhere) => return elsewhere,
    };
    if let Ok(kind) = fields.text("type").parse::<KeyKind>() {
        return see(&format!("/logon/bind/{}", path_of(kind)));
    }
    match console.core.start_logon_binding(&token, &visitor.origin).await {
        Ok(()) => see("/logon/bind/virtual-mfa"),
        Err(error) => match answer::problem(&visitor.words, error, "type") {
            Ok(problems) => ask_type(&console, &visitor, &view, problems),
            Err(error) => answer::failure(&console, &visitor, error),
        },
    }
}

/// `GET /logon/bind/virtual-mfa`: the QR code, the key, the code field.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
) -> Response {
    ask_code(&console, &visitor, &token, Problems::default()).await
}

/// `POST /logon/bind/virtual-mfa`: confirms the binding and ends the logon.
pub(crate) async fn confirm(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
    fields: Fields,
) -> Response {
    match console.core.confirm_logon_binding(&token, typed_codes(&fields), &visitor.origin).await {
        Err(Error::Refused { refusal: Refusal::WrongCode, .. }) => {
            let problems = Problems::one("code", refusal_text(&visitor.words, Refusal::WrongCode));
            ask_code(&console, &visitor, &token, problems).await
        }
        Err(Error::Refused { refusal: Refusal::BindingOver, .. }) => see("/logon/bind"),
        step => go_on(&console, &visitor, step),
    }
}

pub(super) fn ask_type(console: &Console, visitor: &Visitor, view: &LogonView, problems: Problems) -> Response {
    let page = TypesPage {
        t: visitor.words.clone(),
        frame: Frame::of_logon(visitor),
        problems,
        name: shown_name(&console.core, view),
        replaces: view.replaces_device,
    };
    form_page(&page.problems, &page)
}

async fn ask_code(console: &Console, visitor: &Visitor, token: &Token, problems: Problems) -> Response {
    let view = match waiting_for(console, visitor, token, LogonState::Bind).await {
        Ok(view) => view,
        Err(elsewhere) => return elsewhere,
    };
    let binding = match console.core.logon_binding(token).await {
        Ok(binding) => binding,
        Err(Error::Refused { refusal: Refusal::BindingOver, .. }) => return see("/logon/bind"),
        Err(error) => return answer::failure(console, visitor, error),
    };
    let page = BindPage {
        t: visitor.words.clone(),
        frame: Frame::of_logon(visitor),
        problems,
        name: shown_name(&console.core, &view),
        replaces: view.replaces_device,
        b: BindingForm::new(&binding, "/logon/bind/virtual-mfa".to_owned(), "/logon/bind".to_owned()),
    };
    form_page(&page.problems, &page)
}
