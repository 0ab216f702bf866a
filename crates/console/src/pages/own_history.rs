//! One's own history: one's logons, what one changed, and what others changed about oneself.

use super::audit_rows::Row;
use crate::Console;
use crate::answer::{self, page, see};
use crate::fields::AddressQuery;
use crate::frame::{Frame, Place};
use crate::locales::Words;
use crate::visitor::{Member, Visitor};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::Role;
use countersign_core::audit_log::HistoryPage;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "own_history.html")]
struct Page {
    t: Words,
    frame: Frame,
    history: History,
}

/// A page of a history, as the templates show it.
pub(crate) struct History {
    pub(crate) rows: Vec<Row>,
    /// The first page, unless this is it.
    pub(crate) newest: Option<String>,
    pub(crate) older: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    before: String,
}

/// `GET /account/history?before=`: for the owner; a RAM user goes to his own page.
pub(crate) async fn show_account(
    console: State<Console>,
    visitor: Visitor,
    member: Member,
    AddressQuery(query): AddressQuery<Query>,
) -> Response {
    if member.0.role() == Role::Owner {
        show(console, visitor, member, query, Place::AccountHistory).await
    } else {
        see("/me/history")
    }
}

/// `GET /me/history?before=`: for a RAM user; the owner goes to the Account Center.
pub(crate) async fn show_own(
    console: State<Console>,
    visitor: Visitor,
    member: Member,
    AddressQuery(query): AddressQuery<Query>,
) -> Response {
    if member.0.role() == Role::Owner {
        see("/account/history")
    } else {
        show(console, visitor, member, query, Place::MyHistory).await
    }
}

async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    member: Member,
    query: Query,
    place: Place,
) -> Response {
    let path = if place == Place::AccountHistory { "/account/history" } else { "/me/history" };
    match console.core.own_history(&member.0, query.before.parse().ok()).await {
        Ok(found) => {
            let template = Page {
                t: visitor.words.clone(),
                frame: Frame::of_console(&visitor, &member, &console.core.identity().suffix, place),
                history: History::new(&visitor.words, &found, path, !query.before.is_empty()),
            };
            page(StatusCode::OK, &template)
        }
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

impl History {
    /// `path` is the address of the first page.
    pub(crate) fn new(words: &Words, found: &HistoryPage, path: &str, is_later_page: bool) -> Self {
        let mark = if path.contains('?') { '&' } else { '?' };
        Self {
            rows: found.events.iter().map(|event| Row::new(words, event)).collect(),
            newest: is_later_page.then(|| path.to_owned()),
            older: found.older.as_ref().map(|id| format!("{path}{mark}before={id}")),
        }
    }
}
