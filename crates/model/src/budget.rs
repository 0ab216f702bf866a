//! How often a factor may be tried: five failures, then a pause that doubles, then the end.
//!
//! A try is booked before it is judged. What is booked counts as a failure until success clears it, so that parallel
//! tries cannot outrun the count.

use crate::clock::Timestamp;
use crate::text_enum::text_enum;
use std::time::Duration;

/// Failures in a row before the first pause.
pub const FAILURES_BEFORE_PAUSE: i64 = 5;
/// Failures in a row after which the factor is disabled.
pub const FAILURES_BEFORE_DISABLED: i64 = 100;
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

text_enum! {
    /// What is counted apart: who lacks the password cannot touch the counter of the second factor.
    BudgetKind, "kind of budget" {
        /// Tries of the password, counted for the principal.
        Password = "password",
        /// Tries of a code, counted for the device.
        VirtualMfa = "virtual-mfa",
    }
}

/// The present count of one factor of one principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Tries since the last success.
    pub failures: i64,
    /// No try is judged before this.
    pub blocked_until: Timestamp,
}

impl Budget {
    /// A factor that was never tried.
    pub const UNUSED: Self = Self { failures: 0, blocked_until: Timestamp::from_micros(0) };

    /// Books one try at `now`: the count with it, or why it is not judged.
    pub fn book(self, now: Timestamp) -> Result<Self, Exhausted> {
        if self.is_disabled() {
            return Err(Exhausted::Disabled);
        }
        if now < self.blocked_until {
            return Err(Exhausted::Paused { until: self.blocked_until });
        }
        let failures = self.failures + 1;
        Ok(Self { failures, blocked_until: pause_after(failures).map_or(self.blocked_until, |pause| now.plus(pause)) })
    }

    /// Whether a success, or an administrator, must release the factor before it is judged again.
    #[must_use]
    pub const fn is_disabled(self) -> bool {
        self.failures >= FAILURES_BEFORE_DISABLED
    }

    /// Whether a try at `now` would not be judged.
    #[must_use]
    pub fn is_locked(self, now: Timestamp) -> bool {
        self.is_disabled() || now < self.blocked_until
    }
}

/// Why a try is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// Too many failures in a row; a pause runs.
    Paused {
        /// Until when.
        until: Timestamp,
    },
    /// Far too many failures in a row; somebody has to release the factor.
    Disabled,
}

fn pause_after(failures: i64) -> Option<Duration> {
    let doublings = u32::try_from(failures - FAILURES_BEFORE_PAUSE).ok()?;
    let factor = 2_u32.saturating_pow(doublings.min(16));
    Some(FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_767_268_800);

    #[test]
    fn attack_029_pauses_double_and_rearm_at_once() {
        let mut budget = Budget::UNUSED;
        let mut now = NOON;
        let mut pauses = Vec::new();
        for _ in 0..14 {
            budget = budget.book(now).unwrap();
            pauses.push(budget.blocked_until.since(now).as_secs());
            now = now.max(budget.blocked_until);
        }
        assert_eq!(pauses, [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
    }

    #[test]
    fn a_try_inside_the_pause_is_not_judged_and_does_not_lengthen_it() {
        let paused = Budget { failures: 5, blocked_until: NOON.plus(Duration::from_secs(30)) };
        assert_eq!(paused.book(NOON), Err(Exhausted::Paused { until: paused.blocked_until }));
        assert!(paused.book(paused.blocked_until).is_ok());
    }

    #[test]
    fn attack_027_a_hundred_in_a_row_disable_the_factor() {
        let mut budget = Budget::UNUSED;
        let mut now = NOON;
        for _ in 0..100 {
            budget = budget.book(now).unwrap();
            now = now.max(budget.blocked_until);
        }
        assert_eq!(budget.book(now), Err(Exhausted::Disabled));
        assert!(budget.is_locked(now));
    }
}
