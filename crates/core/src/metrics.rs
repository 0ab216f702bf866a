//! What is counted for the operator: outcomes only, never names.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The counters of core.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    steps: Family<StepLabels, Counter>,
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
        metrics
    }

    pub(crate) fn step(&self, step: &'static str, passed: bool) {
        let outcome = if passed { "passed" } else { "refused" };
        self.steps.get_or_create(&StepLabels { step, outcome }).inc();
    }
}
