//! What every signed call passes before anybody looks at what it asks for: its time is near, and its nonce is new.
//!
//! A call is good from fifteen minutes before the time it was signed at until fifteen minutes after, so a copy of it could
//! be played for half an hour. Its nonce is spent when its signature was found right, and stays spent until the copy is too
//! old for any clock that this server may follow.
//!
//! Where several nodes serve one database, the nonces lie in a table. A server that is alone (SQLite) remembers them in
//! memory, bounded. What it remembered is gone when it stops; therefore
//!
//! - a fence: after the start, calls signed before it are refused. They may have been made already.
//! - A call that was signed ahead of the server's clock would pass the fence of the next start. Its nonce is written to the
//!   table before it counts, and read again at the start.
//! - When memory is full, the oldest are forgotten, and the fence moves up to them: a flood narrows the time in which calls
//!   are good, from fifteen minutes to what a million calls take, and never lets one through twice.
//!
//! The server's clock may be set back by up to a minute before everything is refused ([`Error::ClockBehind`]); nonces are
//! kept that much longer, and a start with a clock behind the highest time seen puts the fence there.

use crate::Countersign;
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::upkeep::stored_high_water;
use countersign_model::Timestamp;
use countersign_model::ids::{AccessKeyId, AccountId};
use countersign_store::{Store, Tx, api_nonces, audit};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// For how long before and after it was signed a call is good.
pub const SIGNED_WITHIN: Duration = Duration::from_mins(15);

/// How much longer a nonce is kept than a call is good: the clock may be set back by a minute, and is looked at every ten
/// seconds.
const CLOCK_SLACK: Duration = Duration::from_mins(2);

/// How long after it was noted the highest time seen may have been passed.
const UNNOTED: Duration = Duration::from_secs(15);

/// How many nonces a server that is alone remembers; about 60 MB.
const MOST_REMEMBERED: usize = 1 << 20;

/// What markers of lists are proved for.
const MARKERS: &str = "markers of lists";

/// What stands for a key and a nonce.
type NonceHash = [u8; 16];

/// Where spent nonces are.
pub(crate) enum Nonces {
    /// In a table that several nodes share.
    Shared,
    /// In the memory of this process.
    Own(Mutex<Ledger>),
}

impl Nonces {
    pub(crate) async fn open(store: &Store, now: Timestamp) -> Result<Self, Error> {
        if store.is_shared() {
            return Ok(Self::Shared);
        }
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            Ok((stored_high_water(tx).await?, api_nonces::unexpired(tx, now).await?))
        };
        let (seen, spent) = store.read(unit).await?;
        let seen = Timestamp::from_micros(seen.micros);
        let fence = if now < seen { seen.plus(UNNOTED) } else { now };
        let mut ledger = Ledger::new(fence, MOST_REMEMBERED);
        for (hash, end) in spent {
            let hash = hash.try_into().map_err(|_| Error::Fault("a spent nonce of another length".to_owned()))?;
            ledger.remember(hash, end);
        }
        Ok(Self::Own(Mutex::new(ledger)))
    }
}

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
    fn new(fence: Timestamp, most: usize) -> Self {
        Self { spent: HashMap::new(), by_end: BTreeMap::new(), fence, most }
    }

    /// Spends a nonce of a call signed at `signed_at`.
    fn spend(&mut self, hash: NonceHash, signed_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
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

    fn remember(&mut self, hash: NonceHash, end: Timestamp) {
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
fn end_of(signed_at: Timestamp, now: Timestamp) -> Timestamp {
    signed_at.max(now).plus(SIGNED_WITHIN).plus(CLOCK_SLACK)
}

fn second_after(end: Timestamp) -> i64 {
    end.micros().div_euclid(1_000_000) + 1
}

fn marked(account: &AccountId, list: &str, position: &str) -> Vec<u8> {
    [account.as_str(), "\n", list, "\n", position].concat().into_bytes()
}

fn hash_of(key: &AccessKeyId, nonce: &str) -> NonceHash {
    let mut hasher = Sha256::new();
    hasher.update(key.as_str().len().to_be_bytes());
    hasher.update(key.as_str());
    hasher.update(nonce);
    let digest: [u8; 32] = hasher.finalize().into();
    let mut hash = NonceHash::default();
    hash.iter_mut().zip(digest).for_each(|(place, byte)| *place = byte);
    hash
}

impl Countersign {
    /// Refuses a call that was signed too long ago or too far in the future. Costs nothing, so it comes first.
    pub fn judge_signed_at(&self, signed_at: Timestamp) -> Result<(), Error> {
        self.check_clock()?;
        let now = self.now();
        if now.since(signed_at) > SIGNED_WITHIN || signed_at.since(now) > SIGNED_WITHIN {
            return Err(Refusal::CallOutOfTime.into());
        }
        Ok(())
    }

    /// Spends the nonce of a call whose signature is right, once for each key.
    pub async fn spend_nonce(&self, key: &AccessKeyId, nonce: &str, signed_at: Timestamp) -> Result<(), Error> {
        self.judge_signed_at(signed_at)?;
        let (hash, now) = (hash_of(key, nonce), self.now());
        if let Nonces::Own(ledger) = &self.inner.nonces {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).spend(hash, signed_at, now)?;
            if signed_at <= now {
                return Ok(());
            }
        }
        let end = end_of(signed_at, now);
        let unit =
            async move |tx: &mut Tx<'_>| -> Result<bool, Error> { Ok(api_nonces::spend(tx, &hash, end, now).await?) };
        let fresh = self.inner.store.write(unit).await?;
        if fresh { Ok(()) } else { Err(Refusal::NonceUsed.into()) }
    }

    /// Counts a call that was refused before anybody knew who made it: for each address and minute, so that strangers
    /// cannot fill the disk.
    pub async fn count_refused_call(&self, origin: &Origin, code: &'static str) -> Result<(), Error> {
        let (address, now) = (origin.address.clone(), self.now());
        let unit = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
            Ok(audit::count_refusal(tx, now, &address, code).await?)
        };
        self.inner.store.write(unit).await
    }

    /// The marker that stands for a position in a list of an account. It cannot be made or changed by anybody else.
    #[must_use]
    pub fn marker_of(&self, account: &AccountId, list: &str, position: &str) -> String {
        let proof = self.inner.keys.ring().keyed_hash(MARKERS, &marked(account, list, position));
        data_encoding::BASE64URL_NOPAD.encode(&[&proof[..], position.as_bytes()].concat())
    }

    /// The position that a marker stands for, if it is one of this list of this account.
    #[must_use]
    pub fn position_of(&self, account: &AccountId, list: &str, marker: &str) -> Option<String> {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(marker.as_bytes()).ok()?;
        let (proof, position) = bytes.split_at_checked(32)?;
        let position = std::str::from_utf8(position).ok()?;
        let ring = self.inner.keys.ring();
        ring.keyed_hash_matches(MARKERS, &marked(account, list, position), proof).then(|| position.to_owned())
    }

    /// A name for a request: a UUID of version 4 in capital letters.
    #[must_use]
    pub fn new_request_id(&self) -> String {
        let random: u128 = u128::from_be_bytes(self.random());
        let version = random & !(0xf << 76) | 0x4 << 76;
        let variant = version & !(0x3 << 62) | 0x2 << 62;
        let hex = format!("{variant:032X}");
        let mut id = String::with_capacity(36);
        for (at, digit) in hex.chars().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                id.push('-');
            }
            id.push(digit);
        }
        id
    }
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
