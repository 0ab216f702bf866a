//! A clock that a test holds in its hand.

use countersign_model::{Clock, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A clock that goes only when it is told to, but for one microsecond at each look, so that no two events happen at one
/// instant and the audit log sorts as it was written.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// Where every test begins: ten seconds into a step of thirty, so that a look does not end the step.
    pub const START: Timestamp = Timestamp::from_seconds(1_800_000_010);

    /// A clock that stands at [`Self::START`].
    #[must_use]
    pub const fn new() -> Self {
        Self { micros: AtomicI64::new(Self::START.micros()) }
    }

    /// Goes on.
    pub fn advance(&self, by: Duration) {
        self.micros.fetch_add(micros(by), Ordering::SeqCst);
    }

    /// Goes back, as a clock does that somebody sets.
    pub fn set_back(&self, by: Duration) {
        self.micros.fetch_sub(micros(by), Ordering::SeqCst);
    }

    /// Stands at an instant.
    pub fn set(&self, to: Timestamp) {
        self.micros.store(to.micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.fetch_add(1, Ordering::SeqCst))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap()
}
