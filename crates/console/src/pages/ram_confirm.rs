//! What asks once more before something goes: it names the thing and the effect.

use super::ram_asker::Asker;
use crate::answer::page;
use crate::frame::{Frame, Place};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// What is asked.
pub(super) struct Confirm {
    pub(super) title: String,
    pub(super) effects: Vec<String>,
    /// Where the answer goes, and with what.
    pub(super) action: String,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) button: String,
    /// The way here: addresses and names.
    pub(super) crumbs: Vec<(String, String)>,
    pub(super) back: String,
}

#[derive(Template)]
#[template(path = "ram_confirm.html")]
struct Page {
    t: Words,
    frame: Frame,
    c: Confirm,
}

pub(super) fn show(asker: &Asker, place: Place, c: Confirm) -> Response {
    let frame = asker.frame(place, asker.visitor.path.clone());
    page(StatusCode::OK, &Page { t: asker.words(), frame, c })
}
