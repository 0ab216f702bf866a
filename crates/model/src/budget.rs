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
const LONGEST_PAUSE: Duration = HOUR;
const HOUR: Duration = Duration::from_hours(1);

/// Wrong passwords from unknown browsers of one network within an hour, before it is not listened to any more.
pub const NETWORK_FAILURES: i64 = 200;
/// The same while wrong passwords come from everywhere.
pub const NETWORK_FAILURES_UNDER_ATTACK: i64 = 10;
/// Wrong passwords from all unknown browsers within an hour, from which on it is an attack.
pub const ALL_FAILURES: i64 = 2_000;

text_enum! {
    /// What is counted apart: who lacks the password cannot touch the counter of the second factor.
    BudgetKind, "kind of budget" {
        /// Tries of the password, counted for the principal.
        Password = "password",
        /// Tries of a code, counted for the device.
        VirtualMfa = "virtual-mfa",
        /// Tries of a security key or passkey, counted for it.
        WebAuthn = "webauthn",
        /// Tries of recovery codes, counted for the principal.
        RecoveryCode = "recovery-code",
    }
}

/// The present count of one factor of one principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Tries since the last success.
    pub failures: i64,
    /// No try is judged before this.
    pub blocked_until: Timestamp,
    /// When the hour began in which [`Self::window_tries`] were made.
    pub window_since: Timestamp,
    /// Tries within that hour.
    pub window_tries: i64,
}

impl Budget {
    /// A factor that was never tried.
    pub const UNUSED: Self = Self {
        failures: 0,
        blocked_until: Timestamp::from_micros(0),
        window_since: Timestamp::from_micros(0),
        window_tries: 0,
    };

    /// Books one try at `now`: the count with it, or why it is not judged. Where `hourly` is set, so many tries within an
    /// hour lock for an hour; the pauses that double hold beside it.
    pub fn book(self, hourly: Option<i64>, now: Timestamp) -> Result<Self, Exhausted> {
        if self.is_disabled() {
            return Err(Exhausted::Disabled);
        }
        if now < self.blocked_until {
            return Err(Exhausted::Paused { until: self.blocked_until });
        }
        let failures = self.failures + 1;
        let fresh = now.since(self.window_since) >= HOUR || now < self.window_since;
        let (window_since, window_tries) = if fresh { (now, 1) } else { (self.window_since, self.window_tries + 1) };
        let by_hour = hourly.filter(|most| window_tries >= *most).map(|_| HOUR);
        let pause = pause_after(failures).max(by_hour);
        let blocked_until = pause.map_or(self.blocked_until, |pause| now.plus(pause));
        Ok(Self { failures, blocked_until, window_since, window_tries })
    }

    /// Whether the try that was just booked at `now` begins a lock that its owner should hear of: the first pause, the
    /// first lock by the hour, the end.
    #[must_use]
    pub fn begins_lock(self, hourly: Option<i64>) -> bool {
        [FAILURES_BEFORE_PAUSE, FAILURES_BEFORE_DISABLED].contains(&self.failures)
            || hourly.is_some_and(|most| self.window_tries == most)
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
            budget = budget.book(None, now).unwrap();
            pauses.push(budget.blocked_until.since(now).as_secs());
            now = now.max(budget.blocked_until);
        }
        assert_eq!(pauses, [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
    }

    #[test]
    fn a_try_inside_the_pause_is_not_judged_and_does_not_lengthen_it() {
        let paused = Budget { failures: 5, blocked_until: NOON.plus(Duration::from_secs(30)), ..Budget::UNUSED };
        assert_eq!(paused.book(None, NOON), Err(Exhausted::Paused { until: paused.blocked_until }));
        assert!(paused.book(None, paused.blocked_until).is_ok());
    }

    #[test]
    fn c32_so_many_tries_within_an_hour_lock_for_an_hour() {
        let mut budget = Budget::UNUSED;
        let mut now = NOON;
        for _ in 0..3 {
            budget = budget.book(Some(3), now).unwrap();
            now = now.plus(Duration::from_mins(5));
        }
        let until = NOON.plus(Duration::from_mins(70));
        assert_eq!(budget.book(Some(3), now), Err(Exhausted::Paused { until }));
        // The hour over, the count of the hour begins anew, that of the failures goes on.
        budget = budget.book(Some(3), until).unwrap();
        assert_eq!((budget.failures, budget.window_tries), (4, 1));
        assert!(!budget.is_locked(until));
    }

    #[test]
    fn tries_spread_over_hours_are_not_counted_together() {
        let mut budget = Budget::UNUSED;
        for hour in 0..4 {
            budget = budget.book(Some(2), NOON.plus(Duration::from_hours(hour))).unwrap();
        }
        assert_eq!((budget.failures, budget.window_tries), (4, 1));
    }

    #[test]
    fn attack_027_a_hundred_in_a_row_disable_the_factor() {
        let mut budget = Budget::UNUSED;
        let mut now = NOON;
        for _ in 0..100 {
            budget = budget.book(None, now).unwrap();
            now = now.max(budget.blocked_until);
        }
        assert_eq!(budget.book(None, now), Err(Exhausted::Disabled));
        assert!(budget.is_locked(now));
    }
}
