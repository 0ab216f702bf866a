//! Whether the time can be believed before something is dropped for being old.
//!
//! A clock that jumps a year ahead would otherwise have everything swept, every user disabled as idle and the whole audit
//! log dropped, and none of that comes back when the clock is set right. So the latest time that was confirmed is kept
//! apart from the highest one seen: it follows the clock by at most a day at a time, or after the new time has stood for an
//! hour of running. A server that was off for longer begins its housekeeping an hour late.

use crate::Countersign;
use crate::error::Error;
use countersign_model::Timestamp;
use countersign_store::{Tx, facts};
use std::sync::PoisonError;
use std::time::Duration;

const CONFIRMED: &str = "confirmed_time";
/// By so much the clock may go on while nobody looks.
const LEAP: Duration = Duration::from_hours(24);
/// For so long a later time has to stand, by its own measure …
const STANDS_FOR: Duration = Duration::from_hours(1);
/// … and in so many looks, no two of which lie further apart than this.
const LOOKS: u32 = 60;
const BETWEEN_LOOKS: Duration = Duration::from_mins(2);

/// A time beyond the confirmed one, while it has to prove itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leap {
    since: Timestamp,
    last: Timestamp,
    looks: u32,
}

impl Leap {
    const fn at(now: Timestamp) -> Self {
        Self { since: now, last: now, looks: 1 }
    }

    /// After another look. A clock that jumps again begins anew.
    fn seen(self, now: Timestamp) -> Self {
        if now < self.last || now.since(self.last) > BETWEEN_LOOKS {
            return Self::at(now);
        }
        Self { last: now, looks: self.looks.saturating_add(1), ..self }
    }

    fn stands(self) -> bool {
        self.looks >= LOOKS && self.last.since(self.since) >= STANDS_FOR
    }
}

impl Countersign {
    /// Whether the present time may be used to drop what is old.
    pub async fn is_time_confirmed(&self) -> Result<bool, Error> {
        let look = async move |tx: &mut Tx<'_>| -> Result<Option<Timestamp>, Error> { confirmed(tx).await };
        let confirmed = self.inner.store.read(look).await?;
        Ok(confirmed.is_none_or(|confirmed| self.now() <= confirmed.plus(LEAP)))
    }

    /// Follows the clock; the heart of [`tick`](Self::tick) calls it.
    pub(crate) async fn confirm_time(&self) -> Result<(), Error> {
        let (now, look) = (self.now(), async |tx: &mut Tx<'_>| -> Result<_, Error> { confirmed(tx).await });
        let confirmed = self.inner.store.read(look).await?;
        if confirmed.is_some_and(|confirmed| now > confirmed.plus(LEAP)) {
            let mut leap = self.inner.leap.lock().unwrap_or_else(PoisonError::into_inner);
            let seen = leap.map_or_else(|| Leap::at(now), |leap| leap.seen(now));
            if leap.is_none() {
                tracing::warn!("the clock went on by more than a day: nothing old is dropped within the next hour");
            }
            *leap = Some(seen);
            if !seen.stands() {
                return Ok(());
            }
        }
        *self.inner.leap.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if confirmed.is_some_and(|confirmed| now <= confirmed) {
            return Ok(());
        }
        let unit = async move |tx: &mut Tx<'_>| -> Result<(), Error> { put_confirmed_time(tx, now).await };
        self.inner.store.write(unit).await
    }
}

async fn confirmed(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, Error> {
    let Some(text) = facts::find(tx, CONFIRMED).await? else { return Ok(None) };
    let micros = text.parse().map_err(|_| Error::Fault(format!("the fact {CONFIRMED} is no number")))?;
    Ok(Some(Timestamp::from_micros(micros)))
}

/// Takes a time as confirmed: somebody has vouched for it.
pub(crate) async fn put_confirmed_time(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Error> {
    Ok(facts::put(tx, CONFIRMED, &now.micros().to_string()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_time_stands_after_an_hour_of_looks() {
        let begun = Timestamp::from_seconds(1_800_000_000);
        let mut leap = Leap::at(begun);
        for look in 1..=360 {
            assert!(!leap.stands(), "{look}");
            leap = leap.seen(leap.last.plus(Duration::from_secs(10)));
        }
        assert!(leap.stands());
        // It jumps again, or back.
        assert_eq!(leap.seen(leap.last.plus(Duration::from_hours(1))).looks, 1);
        assert_eq!(leap.seen(begun).looks, 1);
        // Neither few looks nor many within a moment are enough.
        let leap = Leap { since: begun, last: begun.plus(STANDS_FOR), looks: LOOKS - 1 };
        assert!(!leap.stands());
        assert!(!Leap { since: begun, last: begun.plus(Duration::from_mins(59)), looks: 1_000 }.stands());
    }
}
