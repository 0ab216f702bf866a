//! The demo's clock: it stands where it is put while the house is furnished, and runs with the machine's afterwards.

use countersign_model::clock::SystemClock;
use countersign_model::{Clock, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Runs until it is stood somewhere.
#[derive(Debug, Default)]
pub(crate) struct DemoClock {
    /// Where it stands, in microseconds since 1970; nought when it runs.
    stands_at: AtomicI64,
}

impl DemoClock {
    pub(super) fn stand_at(&self, instant: Timestamp) {
        self.stands_at.store(instant.micros(), Ordering::Relaxed);
    }

    /// Moves the hands on while it stands.
    pub(super) fn advance(&self, span: Duration) {
        self.stand_at(self.now().plus(span));
    }

    pub(super) fn run(&self) {
        self.stands_at.store(0, Ordering::Relaxed);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        match self.stands_at.load(Ordering::Relaxed) {
            0 => SystemClock.now(),
            micros => Timestamp::from_micros(micros),
        }
    }
}
