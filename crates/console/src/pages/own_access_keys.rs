//! One's own AccessKeys: in the Account Center for the owner, in Security Information Management for a RAM user who may.

use super::access_keys::{Failed, Holder, KeysShown, Query, ask, change as do_change, problems};
use super::ram_asker::Asker;
use super::security::{base, frame};
use crate::answer::{form_page, see};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Problems};
use crate::locales::Words;
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "own_access_keys.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    base: &'static str,
    keys: KeysShown,
}

/// `GET …/access-keys`: the list; `?ask=&key=` asks before one is disabled or deleted.
pub(crate) async fn show(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    let holder = Holder::oneself(&asker);
    if !asker.visitor.path.starts_with(&holder.action) {
        return see(&holder.list);
    }
    if query.ask.is_empty() {
        return list(&asker, &query.done, Problems::default()).await;
    }
    match ask(&asker, holder, &query).await {
        Ok(response) => response,
        Err(failed) => back(&asker, failed).await,
    }
}

/// `POST …/access-keys`.
pub(crate) async fn change(asker: Asker, fields: Fields) -> Response {
    match do_change(&asker, Holder::oneself(&asker), &fields).await {
        Ok(response) => response,
        Err(failed) => back(&asker, failed).await,
    }
}

/// The list with what went wrong.
async fn back(asker: &Asker, failed: Failed) -> Response {
    match problems(asker, failed) {
        Ok(problems) => list(asker, "", problems).await,
        Err(error) => asker.failure(error),
    }
}

async fn list(asker: &Asker, done: &str, problems: Problems) -> Response {
    let holder = Holder::oneself(asker);
    let keys = match holder.keys(asker).await {
        Ok(keys) => keys,
        Err(error) => return asker.failure(error),
    };
    let frame = frame(&asker.console, &asker.visitor, &asker.member).with_done(Some(done));
    let frame = Frame { path: holder.list, ..frame };
    let page = Page { t: asker.words(), frame, problems, base: base(asker.actor()), keys };
    form_page(&page.problems, &page)
}
