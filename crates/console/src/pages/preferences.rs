//! Language and theme: two cookies, chosen on every page.

use crate::Console;
use crate::answer::{see, with_cookie};
use crate::cookies::Cookie;
use crate::fields::Fields;
use crate::frame::Theme;
use crate::locales::Language;
use axum::extract::State;
use axum::response::Response;

/// `POST /preferences`: back to where one was.
pub(crate) async fn set(State(console): State<Console>, fields: Fields) -> Response {
    let back = fields.text("back");
    let inside = back.starts_with('/') && !back.starts_with("//") && !back.contains(['\\', '\n', '\r']);
    let mut response = see(if inside { &back } else { "/" });
    if let Some(language) = Language::parse(&fields.text("language")) {
        response = with_cookie(response, console.options.set_cookie(Cookie::Language, language.tag()));
    }
    if fields.ticked("theme") {
        let theme = Theme::parse(&fields.text("theme"));
        response = with_cookie(response, console.options.set_cookie(Cookie::Theme, theme.as_str()));
    }
    response
}
