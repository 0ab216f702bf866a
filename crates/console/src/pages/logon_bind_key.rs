//! The step *bind* by a security key or passkey: a logon that must bind a factor can do nothing else.

use super::logon_bind::ask_type;
use super::logon_steps::{go_on, shown_name, waiting_for};
use super::webauthn_parts::{BindShown, KindWords, OfKind, key_answer, key_problems, path_of};
use crate::Console;
use crate::answer::{self, form_page, refusal_text};
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
use countersign_model::webauthn::KeyKind;

#[derive(Template)]
#[template(path = "logon_bind_key.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: LogonName,
    replaces: bool,
    b: BindShown,
}

/// `GET /logon/bind/security-keys`, `GET /logon/bind/passkeys`: the limits.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    OfKind(kind): OfKind,
    LogonHolder(token): LogonHolder,
) -> Response {
    match waiting_for(&console, &visitor, &token, LogonState::Bind).await {
        Ok(view) => ask(&console, &visitor, &view, blank(&console, &visitor, (kind, &view)), Problems::default()),
        Err(elsewhere) => elsewhere,
    }
}

/// `POST …`: `do=begin` asks the browser, `do=finish` binds what it gave and ends the logon.
pub(crate) async fn bind(
    State(console): State<Console>,
    visitor: Visitor,
    OfKind(kind): OfKind,
    LogonHolder(token): LogonHolder,
    fields: Fields,
) -> Response {
    let view = match waiting_for(&console, &visitor, &token, LogonState::Bind).await {
        Ok(view) => view,
        Err(elsewhere) => return elsewhere,
    };
    let form = blank(&console, &visitor, (kind, &view));
    let (form, error) = if fields.text("do") == "finish" {
        let sent = key_answer(&fields);
        match console.core.finish_logon_key_binding(&token, sent.clone(), &visitor.origin).await {
            Err(error) => (form.again(sent, &error), error),
            step => return go_on(&console, &visitor, step),
        }
    } else {
        match console.core.begin_logon_key_binding(&token, kind, &visitor.origin).await {
            Ok(prompt) => return ask(&console, &visitor, &view, form.asking(prompt), Problems::default()),
            Err(error) => (form, error),
        }
    };
    if error.refusal() == Some(Refusal::OtherMfaTypeBound) {
        let problems = Problems::one("type", refusal_text(&visitor.words, Refusal::OtherMfaTypeBound));
        return ask_type(&console, &visitor, &view, problems);
    }
    refused(&console, &visitor, &view, form, error)
}

fn refused(console: &Console, visitor: &Visitor, view: &LogonView, form: BindShown, error: Error) -> Response {
    match key_problems(&visitor.words, error) {
        Ok(problems) => ask(console, visitor, view, form, problems),
        Err(error) => answer::failure(console, visitor, error),
    }
}

fn blank(console: &Console, visitor: &Visitor, (kind, view): (KeyKind, &LogonView)) -> BindShown {
    let paths = (format!("/logon/bind/{}", path_of(kind)), "/logon/bind".to_owned());
    BindShown::new(console, KindWords::new(visitor.words.clone(), kind), paths, view.one_mfa_type)
}

fn ask(console: &Console, visitor: &Visitor, view: &LogonView, b: BindShown, problems: Problems) -> Response {
    let page = Page {
        t: visitor.words.clone(),
        frame: Frame { path: b.action.clone(), ..Frame::of_logon(visitor) },
        problems,
        name: shown_name(&console.core, view),
        replaces: view.replaces_device,
        b,
    };
    form_page(&page.problems, &page)
}
