//! One line in the log and one count for each request. Never its query, its body, its cookies or its address.

use crate::http_metrics::HttpMetrics;
use crate::stopwatch::Stopwatch;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Instrument as _;

/// The header that names a request, so that a person can tell the operator which one it was.
const REQUEST_ID: &str = "x-request-id";

/// What the layer needs.
#[derive(Debug, Clone)]
pub(crate) struct RequestLog {
    metrics: HttpMetrics,
    ids: Arc<RequestIds>,
    /// The name of all that a door serves, where its routes tell nothing.
    door: Option<&'static str>,
}

/// Ids that are unique for one run of the server, and over runs by the second it started in. They are no secret.
#[derive(Debug)]
struct RequestIds {
    run: u64,
    next: AtomicU64,
}

impl RequestLog {
    pub(crate) fn new(metrics: HttpMetrics, started_at: u64) -> Self {
        Self { metrics, ids: Arc::new(RequestIds { run: started_at, next: AtomicU64::new(1) }), door: None }
    }

    /// The same for a door whose requests go by one name.
    pub(crate) fn of(self, door: &'static str) -> Self {
        Self { door: Some(door), ..self }
    }

    fn next_id(&self) -> String {
        format!("{:x}-{:x}", self.ids.run, self.ids.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Logs and counts a request when it is answered.
pub(crate) async fn record(State(log): State<RequestLog>, request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let id = log.next_id();
    let method = method_name(request.method());
    // The route as it is declared: a path as it was typed could hold anything.
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = log.door.unwrap_or_else(|| matched.as_ref().map_or("(none)", MatchedPath::as_str));
    let span = tracing::info_span!("request", id);
    let mut response = next.run(request).instrument(span).await;
    let (status, took) = (response.status(), watch.elapsed());
    log.metrics.answered(method, route, status.as_u16(), took);
    let (code, micros) = (status.as_u16(), u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    if status.is_server_error() {
        tracing::error!(id, method, route, status = code, micros, "request failed");
    } else if route.starts_with("/assets") {
        tracing::debug!(id, method, route, status = code, micros, "request");
    } else {
        tracing::info!(id, method, route, status = code, micros, "request");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn method_name(method: &Method) -> &'static str {
    const KNOWN: [(&Method, &str); 6] = [
        (&Method::GET, "GET"),
        (&Method::POST, "POST"),
        (&Method::HEAD, "HEAD"),
        (&Method::PUT, "PUT"),
        (&Method::DELETE, "DELETE"),
        (&Method::OPTIONS, "OPTIONS"),
    ];
    KNOWN.iter().find(|(known, _)| *known == method).map_or("other", |(_, name)| *name)
}
