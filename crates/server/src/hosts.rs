//! Which host a request may name. The pages get only requests for the public one, so nothing behind this layer can be led
//! astray by `Host`, and another site's name that points here (DNS rebinding) opens nothing.

use crate::public_url::{HostVerdict, PublicUrl};
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use std::sync::Arc;

/// Lets requests for the public host pass, sends those for its loopback address there, and refuses the rest.
pub(crate) async fn only_the_public_host(State(url): State<Arc<PublicUrl>>, request: Request, next: Next) -> Response {
    let verdict = named_host(&request).map(|host| url.judge(host));
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    match verdict {
        None => (StatusCode::BAD_REQUEST, "The request names no host, or two.\n").into_response(),
        Some(HostVerdict::Public) => next.run(request).await,
        Some(HostVerdict::Loopback) if looks => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Redirect::temporary(&format!("{url}{path}")).into_response()
        }
        Some(HostVerdict::Loopback | HostVerdict::Foreign) => {
            let text = "Nothing is served under this name. The operator has set another one as public_url.\n";
            (StatusCode::MISDIRECTED_REQUEST, text).into_response()
        }
    }
}

/// The one host that a request names: in `:authority` (HTTP/2), in an absolute target, or in `Host`. Two that differ are
/// none (RFC 9112 §3.2, RFC 9113 §8.3.1).
fn named_host(request: &Request) -> Option<&str> {
    let mut headers = request.headers().get_all(header::HOST).iter();
    let (header, another) = (headers.next(), headers.next());
    if another.is_some() {
        return None;
    }
    let header = match header {
        Some(value) => Some(value.to_str().ok()?),
        None => None,
    };
    match (request.uri().authority().map(Authority::as_str), header) {
        (Some(target), Some(header)) => target.eq_ignore_ascii_case(header).then_some(target),
        (Some(named), None) | (None, Some(named)) => Some(named),
        (None, None) => None,
    }
}
