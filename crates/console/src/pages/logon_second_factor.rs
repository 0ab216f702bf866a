//! The step *second factor*: a code, or a security key or passkey, as far as they are bound. Whatever is wrong with it, the
//! answer is the same.

use super::logon_steps::{go_on, shown_name, waiting_for};
use super::webauthn_parts::prompt_response;
use crate::Console;
use crate::answer::{self, form_page, refusal_text};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, LogonName, Problems};
use crate::locales::Words;
use crate::visitor::{LogonHolder, Visitor};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use countersign_core::logon::{TypedFactor, TypedKey};
use countersign_core::{Error, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::principal::PrincipalKind;
use countersign_model::token::Token;
use countersign_model::webauthn::Factors;
use serde::Deserialize;

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
    factors: Factors,
    /// Why keys that are bound are not asked for, in words; empty where none is bound or one can be shown.
    refused: String,
    /// Which of them is asked for; the others are a link away.
    way: Way,
}

/// What a page asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Code,
    Key,
}

impl Way {
    /// The way that was chosen, as far as it is bound. A key comes first: no copied page can have it shown.
    fn of(factors: Factors, chosen: &str) -> Self {
        if factors.keys() && (chosen != "code" || !factors.code) { Self::Key } else { Self::Code }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    with: String,
}

/// What was wrong, and what stood in the form.
struct Again<'a> {
    with: &'a str,
    remember: bool,
    problems: Problems,
}

/// `GET /logon/second-factor?with=`.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
    AddressQuery(query): AddressQuery<Query>,
) -> Response {
    let again = Again { with: &query.with, remember: false, problems: Problems::default() };
    ask(&console, &visitor, &token, again).await
}

/// `POST /logon/second-factor`.
pub(crate) async fn prove(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
    fields: Fields,
) -> Response {
    let remember = fields.ticked("remember");
    let (with, step) = if fields.text("with") == "key" {
        let typed = TypedKey { response: fields.text("response"), remember };
        ("key", console.core.logon_with_key(&token, typed, &visitor.origin).await)
    } else {
        let typed = TypedFactor { code: fields.text("code"), remember };
        ("code", console.core.logon_with_code(&token, typed, &visitor.origin).await)
    };
    let (field, text) = match &step {
        Err(Error::Refused { refusal: Refusal::WrongCode, .. }) if with == "key" => {
            ("key", visitor.words.s("webauthn-wrong"))
        }
        Err(Error::Refused {
            refusal:
                refusal @ (Refusal::WrongCode
                | Refusal::KeyNotAccepted
                | Refusal::KeyNotAllowed
                | Refusal::KeyDisowned
                | Refusal::KeyUnknown
                | Refusal::CeremonyOver),
            ..
        }) => (with, refusal_text(&visitor.words, *refusal)),
        Ok(_) | Err(_) => return go_on(&console, &visitor, step),
    };
    ask(&console, &visitor, &token, Again { with, remember, problems: Problems::one(field, text) }).await
}

/// `POST /logon/second-factor/begin`: what the browser is asked.
pub(crate) async fn begin_key(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
) -> Response {
    match console.core.begin_logon_key(&token).await {
        Ok(prompt) => prompt_response(prompt),
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

async fn ask(console: &Console, visitor: &Visitor, token: &Token, again: Again<'_>) -> Response {
    let view = match waiting_for(console, visitor, token, LogonState::SecondFactor).await {
        Ok(view) => view,
        Err(elsewhere) => return elsewhere,
    };
    let way = Way::of(view.factors, again.with);
    let path = match way {
        Way::Key => "/logon/second-factor".to_owned(),
        Way::Code => "/logon/second-factor?with=code".to_owned(),
    };
    let page = Page {
        t: visitor.words.clone(),
        frame: Frame { path, ..Frame::of_logon(visitor) },
        problems: again.problems,
        name: shown_name(&console.core, &view),
        is_owner: view.kind == PrincipalKind::Owner,
        may_remember: view.may_remember,
        remember: again.remember,
        now: console.core.now().millis(),
        factors: view.factors,
        refused: if view.keys_refused { refusal_text(&visitor.words, Refusal::NoKeyUsable) } else { String::new() },
        way,
    };
    form_page(&page.problems, &page)
}

impl Page {
    fn by_key(&self) -> bool {
        self.way == Way::Key
    }

    /// The words for what is bound: `webauthn-second-x`.
    fn bound(&self, what: &str) -> String {
        let kinds = match (self.factors.security_keys > 0, self.factors.passkeys > 0) {
            (true, false) => "key",
            (false, true) => "passkey",
            (true, true) | (false, false) => "either",
        };
        self.t.s(&format!("webauthn-{what}-{kinds}"))
    }
}
