//! What stands before every page: the headers of each answer, the origin of each form, the session of each route that
//! needs one.

use crate::Console;
use crate::answer;
use crate::cookies::Cookie;
use crate::visitor::{Member, Permitted, Visitor};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use countersign_core::{Error, Refusal};
use std::sync::Arc;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers for every answer. Pages are never stored; a page that may be says so itself.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // `no-referrer` would make browsers send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-create=(self), \
             publickey-credentials-get=(self)",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses whatever changes something and does not come from a page of this very site.
pub(crate) async fn same_origin(State(console): State<Console>, request: Request, next: Next) -> Response {
    let looks_only = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if looks_only || is_same_origin(request.headers(), &console.options.public_url) {
        return next.run(request).await;
    }
    let (parts, _) = request.into_parts();
    answer::plain_page(&Visitor::new(&parts, &console), StatusCode::FORBIDDEN, "error-foreign-form")
}

/// Browsers send `Origin` with every POST; where one does not, its own word about the site must do.
fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    match headers.get(ORIGIN) {
        Some(origin) => origin.as_bytes() == public_url.as_bytes(),
        None => headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"same-origin"),
    }
}

/// Lets nobody pass without a good session. What the browser held instead is taken from it.
pub(crate) async fn session(State(console): State<Console>, request: Request, next: Next) -> Response {
    let Some(token) = console.options.token(request.headers(), Cookie::Session) else {
        return answer::to_logon(&console, None);
    };
    let (mut parts, body) = request.into_parts();
    let visitor = Visitor::new(&parts, &console);
    let admitted = match console.core.session(&token).await {
        Ok(actor) => {
            let actor = actor.asking_from(&visitor.origin);
            let permissions = console.core.permissions(&actor, &visitor.origin).await;
            permissions.map(|permissions| (Member(Arc::new(actor)), Permitted(Arc::new(permissions))))
        }
        Err(error) => Err(error),
    };
    match admitted {
        Ok((member, permitted)) => {
            parts.extensions.insert(member);
            parts.extensions.insert(permitted);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(Error::Refused { refusal: Refusal::NotLoggedOn, .. }) => answer::to_logon(&console, Some("session-over")),
        Err(error) => answer::failure(&console, &visitor, error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_125_only_pages_of_this_site_send_forms() {
        let ours = "https://id.example.com";
        let with = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            is_same_origin(&headers, ours)
        };
        assert!(with("origin", "https://id.example.com"));
        assert!(with("sec-fetch-site", "same-origin"));
        for foreign in ["null", "https://id.example.com.evil", "http://id.example.com", "https://evil", ""] {
            assert!(!with("origin", foreign), "{foreign}");
        }
        assert!(!with("sec-fetch-site", "same-site"));
        assert!(!with("sec-fetch-site", "none"));
        assert!(!is_same_origin(&HeaderMap::new(), ours));
    }
}
