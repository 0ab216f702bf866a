//! What is counted of requests: never a name, an address or an id of a person.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The counters of the pages.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    duration: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        // From a millisecond to half a minute, which is when a request is given up.
        Self { requests: Family::default(), duration: Histogram::new(exponential_buckets(0.001, 2.0, 16)) }
    }
}

impl HttpMetrics {
    /// Makes the counters and makes them known to `registry`.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let requests = metrics.requests.clone();
        registry.register("http_requests", "Requests to the pages, by method, route and status", requests);
        let duration = metrics.duration.clone();
        registry.register_with_unit("http_request_duration", "How long requests took", Unit::Seconds, duration);
        metrics
    }

    /// Counts an answered request. `method` and `route` come from closed sets, or strangers could fill the memory.
    pub(crate) fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { method, route: route.to_owned(), status }).inc();
        self.duration.observe(took.as_secs_f64());
    }
}
