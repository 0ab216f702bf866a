//! What runs beside the requests: the clock's high-water mark, sweeping what has run out, giving memory back.

use crate::Countersign;
use crate::error::Error;
use countersign_model::Timestamp;
use countersign_model::notice::NOTICES_KEPT;
use countersign_model::session::IDLE_LIMIT;
use countersign_store::{Tx, audit, budgets, facts, logons, notices, sessions, virtual_mfa};
use std::sync::atomic::Ordering;
use std::time::Duration;

const HIGH_WATER: &str = "high_water";
/// How far the clock may lie behind a time already seen before logons are refused.
const TOLERANCE: Duration = Duration::from_mins(1);
const BUDGETS_KEPT: Duration = Duration::from_hours(24 * 30);
const REFUSALS_KEPT: Duration = Duration::from_hours(24 * 90);

impl Countersign {
    /// Remembers the highest time seen and gives idle hashing memory back. Call it every few seconds.
    pub async fn tick(&self) -> Result<(), Error> {
        self.inner.hasher.release_idle();
        let now = self.now().micros();
        let high = self.inner.high_water.fetch_max(now, Ordering::Relaxed);
        if now <= high {
            return self.load_high_water().await;
        }
        let stored = self.inner.store.write(async move |tx: &mut Tx<'_>| -> Result<i64, Error> {
            let stored = stored_high_water(tx).await?;
            if now > stored {
                facts::put(tx, HIGH_WATER, &now.to_string()).await?;
            }
            Ok(stored)
        });
        self.inner.high_water.fetch_max(stored.await?, Ordering::Relaxed);
        Ok(())
    }

    /// Drops what has run out: logons, sessions, unconfirmed bindings, idle counts. Call it every few minutes.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let now = self.now();
        let unit = async move |tx: &mut Tx<'_>| -> Result<u64, Error> {
            let ended = logons::sweep(tx, now).await?
                + sessions::sweep(tx, now, now.minus(IDLE_LIMIT)).await?
                + virtual_mfa::sweep_pending(tx, now).await?
                + notices::sweep(tx, now.minus(NOTICES_KEPT)).await?
                + budgets::sweep(tx, now.minus(BUDGETS_KEPT)).await?
                + audit::sweep_refusals(tx, now.minus(REFUSALS_KEPT)).await?;
            Ok(ended)
        };
        self.inner.store.write(unit).await
    }

    /// Whether logons can be served: the store answers, and the clock is not behind a time already seen.
    pub async fn ready(&self) -> Result<(), Error> {
        self.load_high_water().await?;
        self.check_clock()
    }

    /// Refuses while the clock lies behind a time already seen: codes and pauses could be played again.
    pub(crate) fn check_clock(&self) -> Result<(), Error> {
        let high = Timestamp::from_micros(self.inner.high_water.load(Ordering::Relaxed));
        if self.now().plus(TOLERANCE) < high { Err(Error::ClockBehind) } else { Ok(()) }
    }

    pub(crate) async fn load_high_water(&self) -> Result<(), Error> {
        let unit = async move |tx: &mut Tx<'_>| -> Result<i64, Error> { stored_high_water(tx).await };
        let stored = self.inner.store.read(unit).await?;
        self.inner.high_water.fetch_max(stored, Ordering::Relaxed);
        Ok(())
    }
}

async fn stored_high_water(tx: &mut Tx<'_>) -> Result<i64, Error> {
    match facts::find(tx, HIGH_WATER).await? {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| Error::Fault("the stored high-water time is no number".to_owned())),
    }
}
