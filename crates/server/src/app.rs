//! The pages behind all layers of HTTP: what a browser meets, and what a test in this process meets as well.

use crate::hosts::only_the_public_host;
use crate::http_metrics::HttpMetrics;
use crate::public_url::PublicUrl;
use crate::request_log::{RequestLog, record};
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse as _, Response};
use countersign_core::Countersign;
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// The longest body of a request. A form of the pages has a few hundred bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// How long a request may take, its body included.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A year, which browsers take for "from now on".
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// How the pages are reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address that people type.
    pub public_url: PublicUrl,
    /// How many proxies in front are trusted to tell the client's address.
    pub trusted_proxy_hops: usize,
    /// What counts the requests.
    pub metrics: HttpMetrics,
}

/// The pages with all layers. Every request needs the extension `ConnectInfo<SocketAddr>`.
pub fn app(core: Countersign, options: Options) -> Router {
    let Options { public_url, trusted_proxy_hops, metrics } = options;
    let log = RequestLog::new(metrics, core.now().unix_seconds());
    let pages = countersign_console::Options { public_url: public_url.to_string(), trusted_proxy_hops };
    layered(countersign_console::router(core, pages), public_url, log, REQUEST_TIMEOUT)
}

/// The RAM API with all layers. Every request needs the extension `ConnectInfo<SocketAddr>`. It asks for no host: whoever
/// signs names the one that he means, and nothing here is told to a browser.
pub fn api(core: Countersign, trusted_proxy_hops: usize, metrics: HttpMetrics) -> Router {
    let log = RequestLog::new(metrics, core.now().unix_seconds()).of("ram-api");
    let door = countersign_ram_api::router(core.clone(), countersign_ram_api::Options { trusted_proxy_hops });
    layered_api(door, core, log, REQUEST_TIMEOUT)
}

/// From the inside out. What the layers answer themselves has the shape of the door's errors.
fn layered_api(door: Router, core: Countersign, log: RequestLog, patience: Duration) -> Router {
    door.layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, patience))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn_with_state(core, countersign_ram_api::in_shape))
        .layer(from_fn_with_state(log, record))
}

/// From the inside out: a request meets the last layer first.
fn layered(pages: Router, public_url: PublicUrl, log: RequestLog, patience: Duration) -> Router {
    let hsts = public_url.is_https() && !public_url.is_local();
    let pages = pages
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, patience))
        .layer(from_fn_with_state(Arc::new(public_url), only_the_public_host))
        .layer(CatchPanicLayer::custom(after_panic));
    let pages = if hsts { pages.layer(map_response(with_hsts)) } else { pages };
    pages.layer(from_fn_with_state(log, record))
}

async fn with_hsts(mut response: Response) -> Response {
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    response
}

/// The panic itself is in the log. Its message stays there too.
fn after_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    let text = "Something went wrong here, not with you. What was not confirmed was not done.\n";
    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}

#[cfg(test)]
mod tests;
