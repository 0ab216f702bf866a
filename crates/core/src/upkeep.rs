//! What runs beside the requests: the clock's high-water mark, sweeping what has run out, giving memory back.

use crate::Countersign;
use crate::api_calls::stored_fence;
use crate::confirmed_time::put_confirmed_time;
use crate::error::Error;
use countersign_model::Timestamp;
use countersign_model::machine::NETWORK_KNOWN_FOR;
use countersign_model::notice::NOTICES_KEPT;
use countersign_model::session::IDLE_LIMIT;
use countersign_model::webauthn::CEREMONY_LIFETIME;
use countersign_store::{
    Tx, api_nonces, audit, budgets, facts, known_places, logons, machines, network_budgets, notices, proofs, sessions,
    virtual_mfa, webauthn_ceremonies,
};
use std::cmp::Ordering;
use std::sync::PoisonError;
use std::time::Duration;

const HIGH_WATER: &str = "high_water";
const RESETS: &str = "high_water_resets";
/// How far the clock may lie behind a time already seen before logons are refused.
const TOLERANCE: Duration = Duration::from_mins(1);
const BUDGETS_KEPT: Duration = Duration::from_hours(24 * 30);
const NETWORK_BUDGETS_KEPT: Duration = Duration::from_hours(2);
const REFUSALS_KEPT: Duration = Duration::from_hours(24 * 90);

impl Countersign {
    /// Remembers the highest time seen, gives idle hashing memory back, and follows what the operator has done beside this
    /// process. Call it every few seconds.
    pub async fn tick(&self) -> Result<(), Error> {
        self.inner.hasher.release_idle();
        let now = self.now().micros();
        if now > self.high_water().micros {
            let unit = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
                if now > stored_high_water(tx).await?.micros {
                    facts::put(tx, HIGH_WATER, &now.to_string()).await?;
                }
                Ok(())
            };
            self.inner.store.write(unit).await?;
        }
        self.load_high_water().await?;
        self.confirm_time().await?;
        self.follow_keys().await
    }

    /// Drops what has run out: logons, sessions, unconfirmed bindings, idle counts. Nothing is dropped while
    /// the [time is in doubt](Self::is_time_confirmed). Call it every few minutes.
    pub async fn sweep(&self) -> Result<u64, Error> {
        if !self.is_time_confirmed().await? {
            return self.finish_rotation().await;
        }
        let now = self.now();
        let unit = async move |tx: &mut Tx<'_>| -> Result<u64, Error> {
            let ended = logons::sweep(tx, now).await?
                + sessions::sweep(tx, now, now.minus(IDLE_LIMIT)).await?
                + virtual_mfa::sweep_pending(tx, now).await?
                + notices::sweep(tx, now.minus(NOTICES_KEPT)).await?
                + budgets::sweep(tx, now.minus(BUDGETS_KEPT)).await?
                + machines::sweep(tx, now).await?
                + known_places::sweep(tx, now, now.minus(NETWORK_KNOWN_FOR)).await?
                + network_budgets::sweep(tx, now.minus(NETWORK_BUDGETS_KEPT)).await?
                + proofs::sweep(tx, now).await?
                + webauthn_ceremonies::sweep(tx, now.minus(CEREMONY_LIFETIME)).await?
                + api_nonces::sweep(tx, now).await?
                + audit::sweep_refusals(tx, now.minus(REFUSALS_KEPT)).await?;
            Ok(ended)
        };
        Ok(self.inner.store.write(unit).await? + self.finish_rotation().await?)
    }

    /// Whether logons can be served: the store answers, the clock is not behind a time already seen, and no key is
    /// missing here that another node seals with.
    pub async fn ready(&self) -> Result<(), Error> {
        self.load_high_water().await?;
        self.check_clock()?;
        self.follow_keys().await
    }

    /// Refuses while the clock lies behind a time already seen: codes and pauses could be played again.
    pub(crate) fn check_clock(&self) -> Result<(), Error> {
        let high = Timestamp::from_micros(self.high_water().micros);
        if self.now().plus(TOLERANCE) < high { Err(Error::ClockBehind) } else { Ok(()) }
    }

    /// Looks at the mark that is stored: it rises, but for a reset by the operator.
    pub(crate) async fn load_high_water(&self) -> Result<(), Error> {
        let resets = self.high_water().resets;
        let unit = async move |tx: &mut Tx<'_>| -> Result<(HighWater, Option<Timestamp>), Error> {
            let stored = stored_high_water(tx).await?;
            let fence = if stored.resets > resets { Some(stored_fence(tx).await?) } else { None };
            Ok((stored, fence))
        };
        let (stored, fence) = self.inner.store.read(unit).await?;
        let mut known = self.inner.high_water.lock().unwrap_or_else(PoisonError::into_inner);
        // The fence stands before the lower mark lets calls in.
        if let Some(fence) = fence.filter(|_| stored.resets > known.resets) {
            self.inner.nonces.follow_reset(fence, self.now());
        }
        *known = known.after(stored);
        Ok(())
    }

    fn high_water(&self) -> HighWater {
        *self.inner.high_water.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow_keys(&self) -> Result<(), Error> {
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> { Ok(facts::find(tx, crate::KEY_CHECK).await?) };
        let stored = self.inner.store.read(unit).await?.unwrap_or_default();
        if self.inner.keys.follow(&stored) {
            return Ok(());
        }
        Err(Error::Unavailable(
            "the keys were rotated elsewhere, and this node lacks the new one: copy keyring.json from there".to_owned(),
        ))
    }
}

/// The highest time seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HighWater {
    /// How often the operator has set it back: a mark of an earlier count is worth nothing.
    pub(crate) resets: i64,
    /// In microseconds since 1970.
    pub(crate) micros: i64,
}

impl HighWater {
    /// What is known after another mark was seen.
    fn after(self, seen: Self) -> Self {
        match seen.resets.cmp(&self.resets) {
            Ordering::Greater => seen,
            Ordering::Less => self,
            Ordering::Equal => Self { micros: self.micros.max(seen.micros), ..self },
        }
    }
}

/// The mark that is stored.
pub(crate) async fn stored_high_water(tx: &mut Tx<'_>) -> Result<HighWater, Error> {
    Ok(HighWater { resets: number(tx, RESETS).await?, micros: number(tx, HIGH_WATER).await? })
}

/// Lowers the mark that is stored; every process takes it over at its next look.
pub(crate) async fn reset_high_water(tx: &mut Tx<'_>, to: Timestamp) -> Result<(), Error> {
    let resets = number(tx, RESETS).await?.saturating_add(1);
    facts::put(tx, RESETS, &resets.to_string()).await?;
    put_confirmed_time(tx, to).await?;
    Ok(facts::put(tx, HIGH_WATER, &to.micros().to_string()).await?)
}

/// A fact that is a number; 0 where there is none.
pub(crate) async fn number(tx: &mut Tx<'_>, name: &str) -> Result<i64, Error> {
    match facts::find(tx, name).await? {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| Error::Fault(format!("the fact {name} is no number"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_rises_until_it_is_reset() {
        let mark = |resets, micros| HighWater { resets, micros };
        assert_eq!(mark(0, 5).after(mark(0, 7)), mark(0, 7));
        assert_eq!(mark(0, 5).after(mark(0, 3)), mark(0, 5));
        assert_eq!(mark(0, 5).after(mark(1, 3)), mark(1, 3));
        assert_eq!(mark(1, 3).after(mark(0, 5)), mark(1, 3), "what an earlier look saw is over");
    }
}
