//! The step *password*. Whatever is wrong, the answer is the same.

use super::logon_steps::{go_on, shown_name, waiting_for};
use super::webauthn_parts::PasskeyButton;
use crate::Console;
use crate::answer::{form_page, refusal_text};
use crate::fields::Fields;
use crate::frame::{Frame, LogonName, Problems};
use crate::locales::Words;
use crate::visitor::{LogonHolder, Visitor};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use countersign_core::{Error, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::principal::PrincipalKind;
use countersign_model::token::Token;

#[derive(Template)]
#[template(path = "logon_password.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: LogonName,
    is_owner: bool,
    passkey: PasskeyButton,
}

/// `GET /logon/password`.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
) -> Response {
    ask(&console, &visitor, &token, Problems::default()).await
}

/// `POST /logon/password`.
pub(crate) async fn prove(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
    fields: Fields,
) -> Response {
    match console.core.logon_with_password(&token, fields.secret("password"), &visitor.origin).await {
        Err(Error::Refused { refusal: Refusal::WrongCredentials, .. }) => {
            let problems = Problems::one("password", refusal_text(&visitor.words, Refusal::WrongCredentials));
            ask(&console, &visitor, &token, problems).await
        }
        step => go_on(&console, &visitor, step),
    }
}

async fn ask(console: &Console, visitor: &Visitor, token: &Token, problems: Problems) -> Response {
    let view = match waiting_for(console, visitor, token, LogonState::Password).await {
        Ok(view) => view,
        Err(elsewhere) => return elsewhere,
    };
    let page = Page {
        t: visitor.words.clone(),
        frame: Frame::of_logon(visitor),
        problems,
        name: shown_name(&console.core, &view),
        is_owner: view.kind == PrincipalKind::Owner,
        passkey: PasskeyButton::new(console),
    };
    form_page(&page.problems, &page)
}
