//! What is counted for the operator: outcomes only, never names.

use countersign_store::outbox::Census;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters of core.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    steps: Family<StepLabels, Counter>,
    outbox_waiting: Gauge,
    outbox_failed: Gauge,
    outbox_sent: Counter,
    audit_logs_broken: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
    outcome: &'static str,
}

impl Metrics {
    /// Makes the counters and makes them known to `registry`.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("logon_steps", "Steps of logons, by kind and outcome", metrics.steps.clone());
        registry.register("outbox_waiting", "Mails that wait to be sent", metrics.outbox_waiting.clone());
        registry.register("outbox_failed", "Mails that were given up", metrics.outbox_failed.clone());
        registry.register("outbox_sent", "Mails that were sent", metrics.outbox_sent.clone());
        let broken = metrics.audit_logs_broken.clone();
        registry.register("audit_logs_broken", "Audit logs that are not what was written", broken);
        metrics
    }

    pub(crate) fn outbox(&self, census: Census) {
        self.outbox_waiting.set(census.waiting);
        self.outbox_failed.set(census.failed);
    }

    pub(crate) fn audit_logs_broken(&self, logs: i64) {
        self.audit_logs_broken.set(logs);
    }

    pub(crate) fn outbox_sent(&self) {
        self.outbox_sent.inc();
    }

    pub(crate) fn step(&self, step: &'static str, passed: bool) {
        let outcome = if passed { "passed" } else { "refused" };
        self.steps.get_or_create(&StepLabels { step, outcome }).inc();
    }
}
