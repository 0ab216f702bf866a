//! One's own open sessions and remembered machines, and logging off everywhere.

use super::places::{Ends, NamedEnding, PlacesShown, done};
use crate::Console;
use crate::answer::{self, form_page, page, see, see_done};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use crate::visitor::{Member, Visitor};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::Role;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "own_sessions.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    path: &'static str,
    places: PlacesShown,
}

#[derive(Template)]
#[template(path = "own_log_off_everywhere.html")]
struct EverywherePage {
    t: Words,
    frame: Frame,
    path: &'static str,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    done: String,
}

/// `GET /account/sessions`, `GET /me/sessions`.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    member: Member,
    AddressQuery(query): AddressQuery<Query>,
) -> Response {
    if visitor.path.starts_with(path(&member)) {
        list(&console, &visitor, &member, Some(&query.done), Problems::default()).await
    } else {
        see(path(&member))
    }
}

/// `POST /account/sessions`, `POST /me/sessions`: ends what the form names.
pub(crate) async fn end(State(console): State<Console>, visitor: Visitor, member: Member, fields: Fields) -> Response {
    let ended = match NamedEnding::of(&fields).ending() {
        Ok(ending) => {
            let word = done(&ending);
            console.core.end_own(&member.0, ending, &visitor.origin).await.map(|()| word)
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(word) => see_done(path(&member), word),
        Err(error) => match answer::problem(&visitor.words, error, "sessions") {
            Ok(problems) => list(&console, &visitor, &member, None, problems).await,
            Err(error) => answer::failure(&console, &visitor, error),
        },
    }
}

/// `GET …/log-off-everywhere`: what it means.
pub(crate) async fn ask_everywhere(State(console): State<Console>, visitor: Visitor, member: Member) -> Response {
    let frame = frame(&console, &visitor, &member);
    let template = EverywherePage {
        t: visitor.words.clone(),
        frame: Frame { path: format!("{}/log-off-everywhere", path(&member)), ..frame },
        path: path(&member),
    };
    page(StatusCode::OK, &template)
}

/// `POST …/log-off-everywhere`.
pub(crate) async fn log_off_everywhere(State(console): State<Console>, visitor: Visitor, member: Member) -> Response {
    match console.core.log_off_everywhere(&member.0, &visitor.origin).await {
        Ok(()) => answer::logged_off_everywhere(&console),
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

async fn list(
    console: &Console,
    visitor: &Visitor,
    member: &Member,
    done: Option<&str>,
    problems: Problems,
) -> Response {
    let places = match console.core.own_places(&member.0, &visitor.origin).await {
        Ok(places) => places,
        Err(error) => return answer::failure(console, visitor, error),
    };
    let page = Page {
        t: visitor.words.clone(),
        frame: frame(console, visitor, member).with_done(done),
        problems,
        path: path(member),
        places: PlacesShown::new(&visitor.words, &places, path(member).to_owned(), Ends::Own),
    };
    form_page(&page.problems, &page)
}

fn path(member: &Member) -> &'static str {
    if member.0.role() == Role::Owner { "/account/sessions" } else { "/me/sessions" }
}

fn frame(console: &Console, visitor: &Visitor, member: &Member) -> Frame {
    let place = if member.0.role() == Role::Owner { Place::AccountSessions } else { Place::MySessions };
    let suffix = &console.core.identity().suffix;
    Frame { path: path(member).to_owned(), ..Frame::of_console(visitor, member, suffix, place) }
}
