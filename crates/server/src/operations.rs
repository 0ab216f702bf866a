//! `/healthz`, `/readyz` and `/metrics`, on a listener of their own: they ask nobody who he is.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use countersign_core::{Countersign, Error};
use countersign_model::Timestamp;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::Arc;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The routes of operations. `registry` holds all that is counted.
pub fn operations(core: Countersign, registry: Registry) -> Router {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .with_state(core)
        .merge(Router::new().route("/metrics", get(metrics)).with_state(Arc::new(registry)))
}

/// A registry that knows already which program this is and when it began.
#[must_use]
pub fn new_registry(started_at: Timestamp) -> Registry {
    let mut registry = Registry::with_prefix("countersign");
    let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The version of Countersign that runs", build);
    let started_at = ConstGauge::new(i64::try_from(started_at.unix_seconds()).unwrap_or(i64::MAX));
    registry.register("start_time_seconds", "When the server started, in seconds since 1970", started_at);
    registry
}

async fn readyz(State(core): State<Countersign>) -> Response {
    let unready = |text: &'static str| (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    match core.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(Error::ClockBehind) => unready("the clock is behind a time already seen: logons are refused\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            unready("the database does not answer\n")
        }
    }
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
