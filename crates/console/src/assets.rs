//! Style, script and pictures, embedded in the binary.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

const ASSETS: &[(&str, &str, &str)] = &[
    ("countersign.css", CSS, include_str!("../assets/countersign.css")),
    ("icons.css", CSS, include_str!("../assets/icons.css")),
    ("countersign.js", SCRIPT, include_str!("../assets/countersign.js")),
    ("webauthn.js", SCRIPT, include_str!("../assets/webauthn.js")),
    ("favicon.svg", PICTURE, include_str!("../assets/favicon.svg")),
    ("mark.svg", PICTURE, include_str!("../assets/mark.svg")),
];

/// `GET /assets/{name}`.
pub(crate) async fn show(Path(name): Path<String>) -> Response {
    let Some((_, kind, text)) = ASSETS.iter().find(|(known, _, _)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=600")),
    ];
    (headers, *text).into_response()
}
