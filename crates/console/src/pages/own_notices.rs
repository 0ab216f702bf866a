//! What one was told about one's own security, and "this was not me" for each.

use super::not_me;
use super::security::{base, frame};
use crate::Console;
use crate::answer::{self, page, see};
use crate::fields::Fields;
use crate::frame::{Frame, When};
use crate::locales::Words;
use crate::mails::{by_whom, place};
use crate::program::program;
use crate::visitor::{Member, Visitor};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::Role;
use countersign_core::notices::ToldNotice;
use countersign_model::Timestamp;

#[derive(Template)]
#[template(path = "own_notices.html")]
struct Page {
    t: Words,
    frame: Frame,
    base: &'static str,
    action: &'static str,
    lines: Vec<Line>,
}

struct Line {
    id: String,
    title: String,
    what: String,
    at: When,
    /// By whom, from where, with what, as far as it is known.
    around: String,
    disowned_at: Option<When>,
    may_be_disowned: bool,
}

/// `GET /account/notices`, `GET /me/notices`.
pub(crate) async fn show(State(console): State<Console>, visitor: Visitor, member: Member) -> Response {
    let action = if member.0.role() == Role::Owner { "/account/notices" } else { "/me/notices" };
    if !visitor.path.starts_with(action) {
        return see(action);
    }
    match console.core.own_notices(&member.0).await {
        Ok(notices) => {
            let (t, now) = (visitor.words.clone(), console.core.now());
            let template = Page {
                lines: notices.into_iter().map(|notice| line(&t, &notice, now)).collect(),
                frame: frame(&console, &visitor, &member),
                base: base(&member.0),
                action,
                t,
            };
            page(StatusCode::OK, &template)
        }
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// `POST /account/notices`, `POST /me/notices`: the session that says so ends as well.
pub(crate) async fn disown(
    State(console): State<Console>,
    visitor: Visitor,
    member: Member,
    fields: Fields,
) -> Response {
    match console.core.disown(&member.0, &fields.text("notice"), &visitor.origin).await {
        Ok(disowned) => not_me::done(&console, &visitor, disowned),
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

fn line(t: &Words, notice: &ToldNotice, now: Timestamp) -> Line {
    let facts = &notice.facts;
    let around: Vec<String> =
        [by_whom(t, &facts.by), place(t, facts), Some(program(t, &facts.user_agent))].into_iter().flatten().collect();
    Line {
        id: notice.id.to_string(),
        title: t.s(&format!("notice-{}", notice.kind)),
        what: t.s(&format!("mail-{}-what", notice.kind)),
        at: notice.at.into(),
        around: around.join(" · "),
        disowned_at: notice.disowned_at.map(When::from),
        may_be_disowned: notice.may_be_disowned(now),
    }
}
