//! How far the clock of a device is off (RFC 6238 section 6), counted in steps and learned from its codes.
//!
//! A single code proves little, so it moves the drift by one step at most and never beyond two: enough to follow a
//! slow quartz, too little to let a guesser widen the window. Two consecutive codes may measure ten steps: they are
//! asked for when a device is bound and when it is synchronised anew. A drift so measured stays until the codes of
//! the device itself come back towards zero.

use crate::{Steps, TimeStep, Window};

/// How many steps the clock of a device is ahead of ours, -10 to 10; negative when it is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Drift(i8);

impl Drift {
    /// A device whose clock is right, or of which nothing is known.
    pub const NONE: Self = Self(0);
    /// How far single codes may move the drift.
    pub const MAX_LEARNED: i8 = 2;
    /// How far off a clock may be that two consecutive codes measured.
    pub const MAX_MEASURED: i8 = 10;

    /// The drift of `steps`, or `None` when that is more than [`Drift::MAX_MEASURED`] either way.
    #[must_use]
    pub const fn new(steps: i8) -> Option<Self> {
        if steps < -Self::MAX_MEASURED || steps > Self::MAX_MEASURED {
            return None;
        }
        Some(Self(steps))
    }

    /// The drift that two consecutive codes show, the second of which was of `matched` and came in the step `now`.
    /// It is cut off at [`Drift::MAX_MEASURED`].
    #[must_use]
    pub fn measured(matched: TimeStep, now: TimeStep) -> Self {
        let offset = i8::try_from(matched.offset_from(now)).unwrap_or(if matched < now { i8::MIN } else { i8::MAX });
        Self(offset.clamp(-Self::MAX_MEASURED, Self::MAX_MEASURED))
    }

    /// The drift after a single code, which was of `matched` and came in the step `now`.
    ///
    /// It is at most one step nearer to what the code shows. It does not grow beyond [`Drift::MAX_LEARNED`]; one that
    /// was measured to be more is kept as long as the codes agree with it, and shrinks a step at a time when they do
    /// not.
    #[must_use]
    pub fn learn(self, matched: TimeStep, now: TimeStep) -> Self {
        let towards = self.0 + (Self::measured(matched, now).0 - self.0).signum();
        let grows = towards.abs() > self.0.abs();
        if grows && towards.abs() > Self::MAX_LEARNED {
            return self;
        }
        Self(towards)
    }

    /// The steps that are looked at for a single code in the step `now`: the one that the device is in by this drift,
    /// and one on either side, later than `after`.
    #[must_use]
    pub fn steps_around(self, now: TimeStep, after: Option<TimeStep>) -> Steps {
        Steps { around: now.saturating_add(i64::from(self.0)), window: Window::NARROW, after }
    }

    /// The drift in steps.
    #[must_use]
    pub const fn steps(self) -> i8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: TimeStep = TimeStep::new(1_000_000);

    fn learned(drift: i8, observed: i64) -> i8 {
        let matched = NOW.checked_add(observed).unwrap();
        Drift::new(drift).unwrap().learn(matched, NOW).steps()
    }

    #[test]
    fn v01_one_code_moves_the_drift_by_one_step_at_most() {
        for (drift, observed, expected) in [
            (0, 0, 0),
            (0, 1, 1),
            (0, -1, -1),
            (1, 2, 2),
            (1, 0, 0),
            (1, -1, 0),
            (-2, -1, -1),
            (0, 9, 1),
            (0, -900, -1),
        ] {
            assert_eq!(learned(drift, observed), expected, "{drift} sees {observed}");
        }
    }

    #[test]
    fn v01_single_codes_do_not_move_the_drift_beyond_two_steps() {
        assert_eq!(learned(2, 3), 2);
        assert_eq!(learned(-2, -3), -2);
    }

    #[test]
    fn v12_a_measured_drift_is_kept_and_comes_back_step_by_step() {
        for (drift, observed, expected) in
            [(7, 7, 7), (7, 8, 7), (7, 6, 6), (-10, -10, -10), (-10, -11, -10), (-10, -9, -9), (3, 2, 2)]
        {
            assert_eq!(learned(drift, observed), expected, "{drift} sees {observed}");
        }
    }

    #[test]
    fn v12_two_codes_measure_ten_steps_either_way() {
        for (observed, expected) in [(0, 0), (-10, -10), (10, 10), (11, 10), (-11, -10), (5000, 10), (-5000, -10)] {
            let matched = NOW.checked_add(observed).unwrap();
            assert_eq!(Drift::measured(matched, NOW).steps(), expected);
        }
        assert_eq!(Drift::measured(TimeStep::new(u64::MAX), TimeStep::new(0)).steps(), 10);
        assert_eq!(Drift::measured(TimeStep::new(0), TimeStep::new(u64::MAX)).steps(), -10);
        assert_eq!(Drift::new(11), None);
        assert_eq!(Drift::new(i8::MIN), None);
    }

    #[test]
    fn v01_the_window_follows_the_drift() {
        let steps = Drift::new(-2).unwrap().steps_around(NOW, Some(NOW));
        assert_eq!(steps.around, TimeStep::new(999_998));
        assert_eq!(steps.window, Window::NARROW);
        assert_eq!(steps.after, Some(NOW));
    }

    proptest! {
        #[test]
        fn v01_learning_goes_towards_what_is_seen_or_stays(drift in -10i8..=10, observed in -12i64..=12) {
            let next = learned(drift, observed);
            let before = (observed - i64::from(drift)).abs();
            let after = (observed - i64::from(next)).abs();
            prop_assert!(after == before || after == before - 1);
            prop_assert!(next.abs() <= Drift::MAX_LEARNED.max(drift.abs()));
        }
    }
}
