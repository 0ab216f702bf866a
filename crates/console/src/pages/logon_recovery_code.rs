//! The step *second factor* for somebody who has lost his device. Whatever is wrong with a code, the answer is the same.

use super::logon_steps::{go_on, shown_name, waiting_for};
use crate::Console;
use crate::answer::form_page;
use crate::fields::Fields;
use crate::frame::{Frame, LogonName, Problems};
use crate::locales::Words;
use crate::visitor::{LogonHolder, Visitor};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use countersign_core::{Error, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::token::Token;

#[derive(Template)]
#[template(path = "logon_recovery_code.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: LogonName,
}

/// `GET /logon/recovery-code`.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
) -> Response {
    ask(&console, &visitor, &token, Problems::default()).await
}

/// `POST /logon/recovery-code`: what follows is binding a new device.
pub(crate) async fn prove(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
    fields: Fields,
) -> Response {
    match console.core.logon_with_recovery_code(&token, fields.text("recovery_code"), &visitor.origin).await {
        Err(Error::Refused { refusal: Refusal::WrongCode, .. }) => {
            let problems = Problems::one("recovery_code", visitor.words.s("recovery-code-wrong"));
            ask(&console, &visitor, &token, problems).await
        }
        step => go_on(&console, &visitor, step),
    }
}

async fn ask(console: &Console, visitor: &Visitor, token: &Token, problems: Problems) -> Response {
    let view = match waiting_for(console, visitor, token, LogonState::SecondFactor).await {
        Ok(view) => view,
        Err(elsewhere) => return elsewhere,
    };
    let page = Page {
        t: visitor.words.clone(),
        frame: Frame::of_logon(visitor),
        problems,
        name: shown_name(&console.core, &view),
    };
    form_page(&page.problems, &page)
}
