//! The nonces that a server alone remembers in its memory, bounded.

use super::{CLOCK_SLACK, SIGNED_WITHIN};
use crate::error::Refusal;
use countersign_model::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How many nonces a server that is alone remembers; about 60 MB.
pub(super) const MOST_REMEMBERED: usize = 1 << 20;

/// What stands for a key and a nonce.
pub(super) type NonceHash = [u8; 16];

/// The nonces that one process remembers, bounded.
pub(crate) struct Ledger {
    spent: HashMap<NonceHash, Timestamp>,
    /// The same by their end, in seconds.
    by_end: BTreeMap<i64, Vec<NonceHash>>,
    /// What was signed before this is refused.
    fence: Timestamp,
    most: usize,
}

impl Ledger {
    pub(super) fn new(fence: Timestamp, most: usize) -> Self {
        Self { spent: HashMap::new(), by_end: BTreeMap::new(), fence, most }
    }

    /// Spends a nonce of a call signed at `signed_at`.
    pub(super) fn spend(&mut self, hash: NonceHash, signed_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
        self.forget_before(now);
        if signed_at < self.fence {
            return Err(Refusal::CallOutOfTime);
        }
        if self.spent.contains_key(&hash) {
            return Err(Refusal::NonceUsed);
        }
        // Those of calls that were signed ahead are forgotten last, and would push the fence ahead of the present: they
        // get half the room, and whoever fills it shuts out nobody but programs whose clocks run ahead.
        if signed_at > now && self.ahead(now) >= self.most.div_ceil(2) {
            return Err(Refusal::CallOutOfTime);
        }
        while self.spent.len() >= self.most && self.forget_oldest() {}
        // The fence may have moved past it.
        if signed_at < self.fence {
            return Err(Refusal::CallOutOfTime);
        }
        self.remember(hash, end_of(signed_at, now));
        Ok(())
    }

    /// Forgets what ends later than a call that was signed at `latest`, and refuses what was signed before `fence`. What
    /// was refused before stays refused, but for what was signed later than `latest`.
    pub(super) fn set_right(&mut self, fence: Timestamp, latest: Timestamp) {
        self.fence = self.fence.min(latest).max(fence);
        for hash in self.by_end.split_off(&(second_after(end_of(latest, latest)) + 1)).into_values().flatten() {
            self.spent.remove(&hash);
        }
    }

    pub(super) fn remember(&mut self, hash: NonceHash, end: Timestamp) {
        if self.spent.insert(hash, end).is_none() {
            self.by_end.entry(second_after(end)).or_default().push(hash);
        }
    }

    /// How many were signed ahead of `now`.
    fn ahead(&self, now: Timestamp) -> usize {
        self.by_end.range(second_after(end_of(now, now)) + 1..).map(|(_, hashes)| hashes.len()).sum()
    }

    fn forget_before(&mut self, now: Timestamp) {
        let now = now.micros().div_euclid(1_000_000);
        while let Some(first) = self.by_end.first_entry().filter(|first| *first.key() <= now) {
            for hash in first.remove() {
                self.spent.remove(&hash);
            }
        }
    }

    /// Forgets those that end first, and refuses from now on what they could have been spent by; whether there were any.
    fn forget_oldest(&mut self) -> bool {
        let Some((end, hashes)) = self.by_end.pop_first() else { return false };
        for hash in hashes {
            self.spent.remove(&hash);
        }
        let end = Timestamp::from_micros(end.saturating_mul(1_000_000));
        // Each of them was signed by then: its end is at least that much later.
        self.fence = self.fence.max(end.minus(SIGNED_WITHIN).minus(CLOCK_SLACK).plus(Duration::from_micros(1)));
        true
    }
}

/// Until when the nonce of a call must stay spent.
pub(super) fn end_of(signed_at: Timestamp, now: Timestamp) -> Timestamp {
    signed_at.max(now).plus(SIGNED_WITHIN).plus(CLOCK_SLACK)
}

fn second_after(end: Timestamp) -> i64 {
    end.micros().div_euclid(1_000_000) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_seconds(1_767_268_800);

    fn at(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn nonce(number: u32) -> NonceHash {
        let mut hash = NonceHash::default();
        hash.iter_mut().zip(number.to_be_bytes()).for_each(|(place, byte)| *place = byte);
        hash
    }

    #[test]
    fn a_nonce_counts_once_and_again_when_its_call_is_long_over() {
        let mut ledger = Ledger::new(START, 100);
        assert_eq!(ledger.spend(nonce(1), at(10), at(10)), Ok(()));
        assert_eq!(ledger.spend(nonce(1), at(10), at(10)), Err(Refusal::NonceUsed));
        assert_eq!(ledger.spend(nonce(1), at(900), at(900)), Err(Refusal::NonceUsed), "another call, within its time");
        assert_eq!(ledger.spend(nonce(2), at(10), at(900)), Ok(()));
        assert_eq!(ledger.spend(nonce(1), at(2_000), at(2_000)), Ok(()));
        assert_eq!(ledger.spent.len(), 1, "what is over is forgotten");
    }

    #[test]
    fn what_was_signed_before_the_start_is_refused() {
        let mut ledger = Ledger::new(at(1), 100);
        assert_eq!(ledger.spend(nonce(1), at(0), at(5)), Err(Refusal::CallOutOfTime));
        assert_eq!(ledger.spend(nonce(1), at(1), at(5)), Ok(()));
    }

    #[test]
    fn attack_132_a_flood_narrows_the_window_and_lets_nothing_through_twice() {
        let mut ledger = Ledger::new(START, 100);
        for number in 0..1_000 {
            let now = at(u64::from(number / 10));
            assert_eq!(ledger.spend(nonce(number), now, now), Ok(()));
            assert!(ledger.spent.len() <= 100);
        }
        for number in 0..1_000 {
            let refused = ledger.spend(nonce(number), at(u64::from(number / 10)), at(100)).unwrap_err();
            assert!(matches!(refused, Refusal::CallOutOfTime | Refusal::NonceUsed), "{number}");
        }
        assert_eq!(ledger.spend(nonce(5_000), at(100), at(100)), Ok(()), "a clock that is right is served");
    }

    #[test]
    fn attack_132_calls_signed_ahead_do_not_shut_the_others_out() {
        let mut ledger = Ledger::new(START, 100);
        let refused = (0..1_000).filter(|number| ledger.spend(nonce(*number), at(900), at(0)).is_err()).count();
        assert_eq!(refused, 950);
        for number in 2_000..2_500 {
            let now = at(1 + u64::from(number - 2_000) / 10);
            assert_eq!(ledger.spend(nonce(number), now, now), Ok(()), "{number}");
        }
    }

    #[test]
    fn attack_141_after_a_clock_that_ran_ahead_calls_are_taken_again_and_none_twice() {
        let mut ledger = Ledger::new(START, 100);
        assert_eq!(ledger.spend(nonce(1), at(10), at(10)), Ok(()));
        // A day later, by the clock, memory is full, so the fence stands there.
        for number in 100..300 {
            let later = at(86_400 + u64::from(number));
            assert_eq!(ledger.spend(nonce(number), later, later), Ok(()));
        }
        assert!(ledger.fence > at(80_000));
        ledger.set_right(at(1_000), at(1_920));
        assert_eq!((ledger.fence, ledger.spent.len(), ledger.by_end.len()), (at(1_920), 0, 0));
        ledger.set_right(at(1_000), at(1_920));
        assert_eq!(ledger.spend(nonce(1), at(10), at(20)), Err(Refusal::CallOutOfTime));
        assert_eq!(ledger.spend(nonce(2), at(1_920), at(1_920)), Ok(()));
    }

    #[test]
    fn a_reset_that_changes_little_forgets_nothing() {
        let mut ledger = Ledger::new(START, 100);
        assert_eq!(ledger.spend(nonce(1), at(900), at(10)), Ok(()));
        assert_eq!(ledger.spend(nonce(2), at(30), at(30)), Ok(()));
        ledger.set_right(at(35), at(20 + 1_920));
        assert_eq!(ledger.fence, at(35));
        assert_eq!(ledger.spend(nonce(2), at(30), at(40)), Err(Refusal::CallOutOfTime));
        assert_eq!(ledger.spend(nonce(1), at(900), at(40)), Err(Refusal::NonceUsed));
        assert_eq!(ledger.spend(nonce(3), at(40), at(40)), Ok(()));
    }

    proptest! {
        /// Whatever comes in whatever order, with whatever clocks of the clients: no call counts twice.
        #[test]
        fn no_call_counts_twice(calls in prop::collection::vec((0_u32..30, 0_u64..1_800, 0_u64..40), 1..300), most in 1_usize..20) {
            let mut ledger = Ledger::new(START, most);
            let mut taken = std::collections::HashSet::new();
            let mut now = 900;
            for (number, signed, step) in calls {
                now += step;
                let signed_at = at(now - 900 + signed);
                if ledger.spend(nonce(number), signed_at, at(now)).is_ok() {
                    prop_assert!(taken.insert((number, signed_at)));
                }
                prop_assert!(ledger.spent.len() <= most);
                // A copy, at any later time while its time is near.
                for (number, signed_at) in &taken {
                    if at(now).since(*signed_at) <= SIGNED_WITHIN {
                        prop_assert!(ledger.spend(nonce(*number), *signed_at, at(now)).is_err());
                    }
                }
            }
        }
    }
}
