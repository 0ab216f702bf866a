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
//!
//! A clock that runs ahead has nonces forgotten before their calls are over. When the operator sets the mark back, he
//! writes down a fence for every process (`raise_fence`): what was forgotten was signed before it, or by a key that was
//! used while the clock ran ahead, and those are disabled (`USED_AHEAD`).

mod ledger;

use crate::Countersign;
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::upkeep::{number, stored_high_water};
use countersign_model::Timestamp;
use countersign_model::ids::{AccessKeyId, AccountId};
use countersign_store::{Store, Tx, api_nonces, audit, facts};
use ledger::{Ledger, MOST_REMEMBERED, NonceHash, end_of};
use sha2::{Digest as _, Sha256};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// For how long before and after it was signed a call is good.
pub const SIGNED_WITHIN: Duration = Duration::from_mins(15);

/// How much longer a nonce is kept than a call is good: the clock may be set back by a minute, and is looked at every ten
/// seconds.
const CLOCK_SLACK: Duration = Duration::from_mins(2);

/// How long after it was noted the highest time seen may have been passed.
const UNNOTED: Duration = Duration::from_secs(15);

/// An `AccessKey` whose last use, known to the minute, lies further ahead than this was used while the clock ran ahead.
pub(crate) const USED_AHEAD: Duration = Duration::from_mins(16);

/// The calls of all other keys were signed within so much of the present, if the clock ran ahead: they were made within
/// seventeen minutes of it, and signed up to fifteen minutes later than that.
const SIGNED_AHEAD: Duration = Duration::from_mins(32);

/// The fence that the operator's last reset of the clock has put up.
const FENCE: &str = "signed_calls_fence";

/// What markers of lists are proved for.
const MARKERS: &str = "markers of lists";

/// Where spent nonces are.
pub(crate) enum Nonces {
    /// In a table that several nodes share. What was signed before this instant is refused.
    Shared(Mutex<Timestamp>),
    /// In the memory of this process.
    Own(Mutex<Ledger>),
}

impl Nonces {
    pub(crate) async fn open(store: &Store, now: Timestamp) -> Result<Self, Error> {
        if store.is_shared() {
            let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> { stored_fence(tx).await };
            return Ok(Self::Shared(Mutex::new(store.read(unit).await?)));
        }
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            Ok((stored_high_water(tx).await?, stored_fence(tx).await?, api_nonces::unexpired(tx, now).await?))
        };
        let (seen, of_reset, spent) = store.read(unit).await?;
        let seen = Timestamp::from_micros(seen.micros);
        let fence = if now < seen { seen.plus(UNNOTED) } else { now };
        let mut ledger = Ledger::new(fence.max(of_reset), MOST_REMEMBERED);
        for (hash, end) in spent {
            let hash = hash.try_into().map_err(|_| Error::Fault("a spent nonce of another length".to_owned()))?;
            ledger.remember(hash, end);
        }
        Ok(Self::Own(Mutex::new(ledger)))
    }

    /// Follows a reset of the clock that was noticed: what is remembered of the wrong time counts no more, and what was
    /// signed before the fence is refused.
    pub(crate) fn follow_reset(&self, fence: Timestamp, now: Timestamp) {
        match self {
            Self::Shared(present) => *present.lock().unwrap_or_else(PoisonError::into_inner) = fence,
            Self::Own(ledger) => {
                let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
                ledger.set_right(fence, now.plus(SIGNED_AHEAD));
            }
        }
    }
}

/// Puts up the fence for calls that were made while the clock ran ahead up to `mark`, and before; where it stands.
///
/// The memory of a server that is alone may have lost every call that was signed before the highest time. From the table
/// only those are swept that were over by then. Either fence stands no later than where disabled keys begin, and none is
/// lowered by another reset before its time has come.
pub(crate) async fn raise_fence(
    tx: &mut Tx<'_>,
    is_shared: bool,
    mark: Timestamp,
    now: Timestamp,
) -> Result<Timestamp, Error> {
    let highest = mark.plus(UNNOTED);
    let forgotten = if is_shared { highest.minus(SIGNED_WITHIN).minus(CLOCK_SLACK) } else { highest };
    let fence = forgotten.max(stored_fence(tx).await?).min(now.plus(SIGNED_AHEAD)).max(now);
    facts::put(tx, FENCE, &fence.micros().to_string()).await?;
    Ok(fence)
}

/// The fence of the last reset; the beginning of time where there was none.
pub(crate) async fn stored_fence(tx: &mut Tx<'_>) -> Result<Timestamp, Error> {
    Ok(Timestamp::from_micros(number(tx, FENCE).await?))
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
        match &self.inner.nonces {
            Nonces::Own(ledger) => {
                ledger.lock().unwrap_or_else(PoisonError::into_inner).spend(hash, signed_at, now)?;
                if signed_at <= now {
                    return Ok(());
                }
            }
            Nonces::Shared(fence) => {
                if signed_at < *fence.lock().unwrap_or_else(PoisonError::into_inner) {
                    return Err(Refusal::CallOutOfTime.into());
                }
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
