//! Time as TOTP counts it (RFC 6238 section 4.2): the steps of a period since the Unix epoch, and which of them are
//! looked at for a code.

use std::fmt;
use std::time::Duration;

/// How long a code lasts, 1 to 3600 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period(u16);

impl Period {
    /// Thirty seconds, the time step that RFC 6238 section 5.2 recommends and the only one that every app knows.
    pub const DEFAULT: Self = Self(30);
    /// The longest period in seconds, one hour.
    pub const MAX_SECONDS: u16 = 3600;

    /// The period of `seconds`, or `None` when that is zero or more than [`Period::MAX_SECONDS`].
    #[must_use]
    pub const fn new(seconds: u16) -> Option<Self> {
        if seconds == 0 || seconds > Self::MAX_SECONDS {
            return None;
        }
        Some(Self(seconds))
    }

    /// The period in seconds.
    #[must_use]
    pub const fn seconds(self) -> u16 {
        self.0
    }

    /// The period as a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0))
    }
}

impl Default for Period {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The number of a time step: how many whole periods have passed since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeStep(u64);

impl TimeStep {
    /// The step with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The step that the moment `unix_seconds` after the epoch lies in.
    #[must_use]
    pub fn at(unix_seconds: u64, period: Period) -> Self {
        Self(unix_seconds / u64::from(period.0))
    }

    /// The number of the step.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The step `steps` later (earlier when negative), or `None` when there is none.
    #[must_use]
    pub const fn checked_add(self, steps: i64) -> Option<Self> {
        match self.0.checked_add_signed(steps) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The step `steps` earlier (later when negative), or `None` when there is none.
    #[must_use]
    pub const fn checked_sub(self, steps: i64) -> Option<Self> {
        match self.0.checked_sub_signed(steps) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The step `steps` later (earlier when negative), or the first or last one when there is none.
    #[must_use]
    pub const fn saturating_add(self, steps: i64) -> Self {
        Self(self.0.saturating_add_signed(steps))
    }

    /// How many steps this one is later than `other`; negative when it is earlier. Saturates.
    #[must_use]
    pub fn offset_from(self, other: Self) -> i64 {
        let distance = i64::try_from(self.0.abs_diff(other.0)).unwrap_or(i64::MAX);
        if self < other { -distance } else { distance }
    }

    /// The second since the epoch at which the step starts, or `None` when that is beyond what a `u64` counts.
    #[must_use]
    pub fn starts_at(self, period: Period) -> Option<u64> {
        self.0.checked_mul(u64::from(period.0))
    }
}

impl fmt::Display for TimeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many steps before and after the one in the middle are looked at. Each step more is a guess more, so there are
/// at most [`Window::MAX_STEPS`] on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    back: u8,
    ahead: u8,
}

impl Window {
    /// The most steps on either side.
    pub const MAX_STEPS: u8 = 10;
    /// One step on either side, for the delay between reading and judging a code (RFC 6238 section 5.2).
    pub const NARROW: Self = Self { back: 1, ahead: 1 };
    /// Ten steps on either side, for finding out how far a clock is off (RFC 6238 section 6). Only two consecutive
    /// codes are worth that much: [`Totp::find_consecutive`](crate::Totp::find_consecutive).
    pub const WIDE: Self = Self { back: 10, ahead: 10 };

    /// The window of `back` steps before the middle and `ahead` after it, or `None` when one is more than
    /// [`Window::MAX_STEPS`].
    #[must_use]
    pub const fn new(back: u8, ahead: u8) -> Option<Self> {
        if back > Self::MAX_STEPS || ahead > Self::MAX_STEPS {
            return None;
        }
        Some(Self { back, ahead })
    }

    /// How many steps before the middle are looked at.
    #[must_use]
    pub const fn back(self) -> u8 {
        self.back
    }

    /// How many steps after the middle are looked at.
    #[must_use]
    pub const fn ahead(self) -> u8 {
        self.ahead
    }
}

/// The steps that are looked at for a code: those of `window` around `around` that are later than `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// The middle: the step that is now, moved by what is known of the device's clock.
    pub around: TimeStep,
    /// How far from the middle.
    pub window: Window,
    /// The last step that was accepted. It and all before it are spent (RFC 6238 section 5.2: a code is accepted
    /// once); `None` when there was none.
    pub after: Option<TimeStep>,
}

impl Steps {
    /// Ten steps on either side of `now`: what is looked at for two consecutive codes.
    #[must_use]
    pub const fn wide(now: TimeStep, after: Option<TimeStep>) -> Self {
        Self { around: now, window: Window::WIDE, after }
    }

    /// Each step of the window, earliest first, `None` for one that does not exist or is spent.
    pub(crate) fn candidates(self) -> impl Iterator<Item = Option<TimeStep>> {
        self.candidates_from(0)
    }

    /// The same with the step before the window at the front.
    pub(crate) fn candidates_and_one_before(self) -> impl Iterator<Item = Option<TimeStep>> {
        self.candidates_from(1)
    }

    fn candidates_from(self, before: i64) -> impl Iterator<Item = Option<TimeStep>> {
        let first = -i64::from(self.window.back) - before;
        let last = i64::from(self.window.ahead);
        (first..=last).map(move |offset| {
            self.around.checked_add(offset).filter(|&step| self.after.is_none_or(|after| step > after))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v03_a_step_is_thirty_seconds_unless_told_otherwise() {
        let period = Period::default();
        assert_eq!(period.duration(), Duration::from_secs(30));
        for (second, step) in [(0, 0), (29, 0), (30, 1), (59, 1), (60, 2), (1_111_111_111, 37_037_037)] {
            assert_eq!(TimeStep::at(second, period), TimeStep::new(step), "second {second}");
        }
        assert_eq!(TimeStep::new(2).starts_at(period), Some(60));
        assert_eq!(TimeStep::new(u64::MAX).starts_at(period), None);
    }

    #[test]
    fn v03_periods_are_between_a_second_and_an_hour() {
        assert_eq!(Period::new(0), None);
        assert_eq!(Period::new(3601), None);
        assert_eq!(Period::new(1).map(Period::seconds), Some(1));
        assert_eq!(Period::new(3600).map(Period::seconds), Some(3600));
    }

    #[test]
    fn steps_do_not_wrap_at_the_ends_of_time() {
        let (first, last) = (TimeStep::new(0), TimeStep::new(u64::MAX));
        assert_eq!(first.checked_sub(1), None);
        assert_eq!(first.checked_add(-1), None);
        assert_eq!(last.checked_add(1), None);
        assert_eq!(last.checked_sub(-1), None);
        assert_eq!(first.checked_sub(-1), first.checked_add(1));
        assert_eq!(first.saturating_add(-5), first);
        assert_eq!(last.saturating_add(5), last);
        assert_eq!(last.offset_from(first), i64::MAX);
        assert_eq!(first.offset_from(last), -i64::MAX);
        assert_eq!(TimeStep::new(7).offset_from(TimeStep::new(9)), -2);
        assert_eq!(TimeStep::new(9).to_string(), "9");
    }

    #[test]
    fn windows_reach_ten_steps_at_most() {
        assert_eq!(Window::new(1, 1), Some(Window::NARROW));
        assert_eq!(Window::new(10, 10), Some(Window::WIDE));
        assert_eq!(Window::new(11, 0), None);
        assert_eq!(Window::new(0, 11), None);
        assert_eq!((Window::WIDE.back(), Window::WIDE.ahead()), (10, 10));
    }

    #[test]
    fn spent_and_impossible_steps_are_no_candidates() {
        let numbers = |around, after: Option<u64>| {
            let steps =
                Steps { around: TimeStep::new(around), window: Window::NARROW, after: after.map(TimeStep::new) };
            let candidates = steps.candidates().map(|step| step.map(TimeStep::value));
            let longer = steps.candidates_and_one_before().map(|step| step.map(TimeStep::value));
            (candidates.collect::<Vec<_>>(), longer.collect::<Vec<_>>())
        };
        assert_eq!(numbers(5, None), (vec![Some(4), Some(5), Some(6)], vec![Some(3), Some(4), Some(5), Some(6)]));
        assert_eq!(numbers(5, Some(4)).0, [None, Some(5), Some(6)]);
        assert_eq!(numbers(5, Some(6)).0, [None, None, None]);
        assert_eq!(numbers(0, None).0, [None, Some(0), Some(1)]);
        assert_eq!(numbers(u64::MAX, None).0, [Some(u64::MAX - 1), Some(u64::MAX), None]);
    }
}
