//! The page behind the link in a notice: "this was not me". Looking at it changes nothing, because programs look at the
//! links in mails before people do; the button does.

use crate::Console;
use crate::answer::{self, page, with_cookie};
use crate::cookies::Cookie;
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place};
use crate::locales::Words;
use crate::mails::facts;
use crate::visitor::Visitor;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::disown::{Disowned, TakenBack};
use countersign_model::notice::NoticeKind;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "not_me.html")]
struct Page {
    t: Words,
    frame: Frame,
    token: String,
    what: String,
    facts: Vec<(String, String)>,
    /// The key of what will be taken back.
    taken_back: Option<&'static str>,
    takes_codes_back: bool,
}

#[derive(Template)]
#[template(path = "not_me_done.html")]
struct DonePage {
    t: Words,
    frame: Frame,
    /// The key of what was taken back.
    taken_back: Option<&'static str>,
    has_deleted_codes: bool,
    /// The security keys and passkeys that are refused now, by their names.
    keys: Vec<String>,
    /// The AccessKeys that are disabled now.
    access_keys: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Asked {
    notice: String,
}

/// `GET /not-me?notice=…`.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    AddressQuery(asked): AddressQuery<Asked>,
) -> Response {
    match console.core.notice_of_link(&asked.notice).await {
        Ok(notice) => {
            let t = visitor.words.clone();
            let template = Page {
                what: t.s(&format!("mail-{}-what", notice.kind)),
                facts: facts(&t, &notice.facts, notice.at),
                taken_back: taken_back(notice.kind),
                takes_codes_back: TakenBack::with(notice.kind) == TakenBack::RecoveryCodes,
                frame: Frame::of_logon(&visitor),
                token: asked.notice,
                t,
            };
            page(StatusCode::OK, &template)
        }
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// `POST /not-me`.
pub(crate) async fn disown(State(console): State<Console>, visitor: Visitor, fields: Fields) -> Response {
    match console.core.disown_by_link(&fields.text("notice"), &visitor.origin).await {
        Ok(disowned) => done(&console, &visitor, disowned),
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// What to do next. Whatever session this browser held may have ended, so it is asked anew.
pub(super) fn done(console: &Console, visitor: &Visitor, disowned: Disowned) -> Response {
    let frame = Frame { path: "/".to_owned(), place: Place::Elsewhere, ..Frame::of_logon(visitor) };
    let done = DonePage {
        t: visitor.words.clone(),
        frame,
        taken_back: taken_back(disowned.notice.kind),
        has_deleted_codes: disowned.codes > 0,
        keys: disowned.keys,
        access_keys: disowned.access_keys.iter().map(ToString::to_string).collect(),
    };
    let response = page(StatusCode::OK, &done);
    let response = with_cookie(response, console.options.remove_cookie(Cookie::Logon));
    with_cookie(response, console.options.remove_cookie(Cookie::Session))
}

/// What is taken back, beyond what was open.
const fn taken_back(kind: NoticeKind) -> Option<&'static str> {
    match TakenBack::with(kind) {
        TakenBack::RecoveryCodes => Some("not-me-taken-back-codes"),
        TakenBack::Password => Some("not-me-taken-back-password"),
        TakenBack::Nothing => None,
    }
}
