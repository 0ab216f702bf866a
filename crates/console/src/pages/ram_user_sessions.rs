//! An administrator ends sessions of a RAM user and has his remembered machines forgotten: asked first, then done.

use super::places::{Ends, NamedEnding, PlacesShown, done};
use super::ram_asker::{Asker, Subject, user_path};
use super::ram_user::{Tab, show_problems};
use crate::answer::{page, see};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::sessions::{Ending, Places};
use countersign_core::{Error, Refusal};

#[derive(Template)]
#[template(path = "ram_user_sessions_end.html")]
struct Page {
    t: Words,
    frame: Frame,
    u: Subject,
    named: NamedEnding,
    title: String,
    effect: String,
    verb: String,
    /// What of the user's is to end.
    places: PlacesShown,
}

/// `GET /ram/users/{name}/sessions?end=&id=`: what is about to end.
pub(crate) async fn show(
    asker: Asker,
    Path(name): Path<String>,
    AddressQuery(named): AddressQuery<NamedEnding>,
) -> Response {
    if named.end.is_empty() {
        return see(&tab_of(&name));
    }
    let user = match asker.other_user(&name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let found = asker.console.core.places_of(asker.actor(), &name, asker.origin()).await;
    let (ending, mut places) = match (named.ending(), found) {
        (Ok(ending), Ok(places)) => (ending, places),
        (Err(error), _) | (_, Err(error)) => return back(&asker, &name, error).await,
    };
    let of_sessions = keep_only(&mut places, &ending);
    if places.sessions.is_empty() && places.machines.is_empty() {
        return back(&asker, &name, Refusal::AlreadyEnded.into()).await;
    }
    let (t, u) = (asker.words(), asker.subject(&user));
    let key = key(&ending);
    let template = Page {
        frame: asker.frame(Place::RamUsers, tab_of(&u.name)),
        title: t.with(&format!("{key}-title"), "name", &u.name),
        effect: t.s(if of_sessions { "ram-end-sessions-effect" } else { "ram-forget-machines-effect" }),
        verb: t.s(key),
        places: PlacesShown::new(&t, &places, format!("{}/sessions", u.path), Ends::Nothing),
        named,
        u,
        t,
    };
    page(StatusCode::OK, &template)
}

/// `POST /ram/users/{name}/sessions`.
pub(crate) async fn end(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let ended = match NamedEnding::of(&fields).ending() {
        Ok(ending) => {
            let word = done(&ending);
            asker.console.core.end_of(asker.actor(), &name, ending, asker.origin()).await.map(|()| word)
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(word) => see(&format!("{}&done={word}", tab_of(&name))),
        Err(error) => back(&asker, &name, error).await,
    }
}

/// Leaves what is to end, and tells whether that is sessions.
fn keep_only(places: &mut Places, ending: &Ending) -> bool {
    match ending {
        Ending::Session(id) => places.sessions.retain(|open| &open.line.id == id),
        Ending::Machine(id) => places.machines.retain(|machine| &machine.id == id),
        Ending::Sessions | Ending::Machines => {}
    }
    match ending {
        Ending::Session(_) | Ending::Sessions => places.machines.clear(),
        Ending::Machine(_) | Ending::Machines => places.sessions.clear(),
    }
    matches!(ending, Ending::Session(_) | Ending::Sessions)
}

/// The words for an ending.
const fn key(ending: &Ending) -> &'static str {
    match ending {
        Ending::Session(_) => "ram-end-session",
        Ending::Sessions => "ram-end-sessions",
        Ending::Machine(_) => "ram-forget-machine",
        Ending::Machines => "ram-forget-machines",
    }
}

/// Back to the tab with what went wrong.
async fn back(asker: &Asker, name: &str, error: Error) -> Response {
    match asker.problems(error, "sessions") {
        Ok(problems) => show_problems(asker, name, Tab::Sessions, problems).await,
        Err(error) => asker.failure(error),
    }
}

fn tab_of(name: &str) -> String {
    format!("{}?tab=sessions", user_path(name))
}
