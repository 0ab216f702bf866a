//! The step *choose password*.

use super::logon_steps::{go_on, shown_name, waiting_for};
use crate::Console;
use crate::answer::{form_page, problem};
use crate::fields::Fields;
use crate::frame::{Frame, LogonName, Problems};
use crate::locales::Words;
use crate::password_rules;
use crate::visitor::{LogonHolder, Visitor};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use countersign_core::{Error, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::token::Token;
use secrecy::ExposeSecret as _;

#[derive(Template)]
#[template(path = "logon_choose_password.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: LogonName,
    rules: String,
}

/// `GET /logon/choose-password`.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
) -> Response {
    ask(&console, &visitor, &token, Problems::default()).await
}

/// `POST /logon/choose-password`.
pub(crate) async fn choose(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
    fields: Fields,
) -> Response {
    let (chosen, repeated) = (fields.secret("new_password"), fields.secret("repeat_password"));
    let step = if chosen.expose_secret() == repeated.expose_secret() {
        console.core.logon_with_new_password(&token, chosen.clone(), &visitor.origin).await
    } else {
        Err(Error::from(Refusal::PasswordsDiffer))
    };
    match step {
        Ok(step) => go_on(&console, &visitor, Ok(step)),
        Err(error) => {
            let rules = console.core.password_rules_at_logon(&token).await.ok();
            let lacking = rules
                .and_then(|(policy, name)| password_rules::lacking(&visitor.words, &error, &chosen, &name, &policy));
            match lacking.map_or_else(|| problem(&visitor.words, error, "new_password"), Ok) {
                Ok(problems) => ask(&console, &visitor, &token, problems).await,
                Err(error) => go_on(&console, &visitor, Err(error)),
            }
        }
    }
}

async fn ask(console: &Console, visitor: &Visitor, token: &Token, problems: Problems) -> Response {
    let view = match waiting_for(console, visitor, token, LogonState::ChoosePassword).await {
        Ok(view) => view,
        Err(elsewhere) => return elsewhere,
    };
    let rules = match console.core.password_rules_at_logon(token).await {
        Ok((policy, _)) => password_rules::needed(&visitor.words, &policy),
        Err(error) => return go_on(console, visitor, Err(error)),
    };
    let page = Page {
        rules,
        t: visitor.words.clone(),
        frame: Frame::of_logon(visitor),
        problems,
        name: shown_name(&console.core, &view),
    };
    form_page(&page.problems, &page)
}
