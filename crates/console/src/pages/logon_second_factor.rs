//! The step *second factor*. Whatever is wrong with a code, the answer is the same.

use super::logon_steps::{go_on, shown_name, waiting_for};
use crate::Console;
use crate::answer::{form_page, refusal_text};
use crate::fields::Fields;
use crate::frame::{Frame, LogonName, Problems};
use crate::locales::Words;
use crate::visitor::{LogonHolder, Visitor};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use countersign_core::logon::TypedFactor;
use countersign_core::{Error, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::principal::PrincipalKind;
use countersign_model::token::Token;

#[derive(Template)]
#[template(path = "logon_second_factor.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: LogonName,
    is_owner: bool,
    may_remember: bool,
    remember: bool,
    now: i64,
}

/// `GET /logon/second-factor`.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
) -> Response {
    ask(&console, &visitor, &token, false, Problems::default()).await
}

/// `POST /logon/second-factor`.
pub(crate) async fn prove(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
    fields: Fields,
) -> Response {
    let typed = TypedFactor { code: fields.text("code"), remember: fields.ticked("remember") };
    let remember = typed.remember;
    match console.core.logon_with_code(&token, typed, &visitor.origin).await {
        Err(Error::Refused { refusal: Refusal::WrongCode, .. }) => {
            let problems = Problems::one("code", refusal_text(&visitor.words, Refusal::WrongCode));
            ask(&console, &visitor, &token, remember, problems).await
        }
        step => go_on(&console, &visitor, step),
    }
}

async fn ask(console: &Console, visitor: &Visitor, token: &Token, remember: bool, problems: Problems) -> Response {
    let view = match waiting_for(console, visitor, token, LogonState::SecondFactor).await {
        Ok(view) => view,
        Err(elsewhere) => return elsewhere,
    };
    let page = Page {
        t: visitor.words.clone(),
        frame: Frame::of_logon(visitor),
        problems,
        name: shown_name(&console.core, &view),
        is_owner: view.kind == PrincipalKind::Owner,
        may_remember: view.may_remember,
        remember,
        now: console.core.now().millis(),
    };
    form_page(&page.problems, &page)
}
