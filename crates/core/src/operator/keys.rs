//! Rotating the keys while everything goes on.
//!
//! A new version is first in the key file, where it is *prepared*; then the database names it, and from then on it seals
//! (*in use*); then everything that an older one has sealed is sealed anew, a batch at a time, each value only if it is
//! still the one that was read. What stops half-way is gone on with: by the same command, or by a server that sweeps.

use crate::act::Admitted;
use crate::authorise::Action;
use crate::error::Error;
use crate::keyring::{KeyRing, Place};
use crate::{Countersign, KEY_CHECK};
use countersign_model::Timestamp;
use countersign_store::sealed::{self, SealedValue};
use countersign_store::{Tx, facts};
use std::time::Duration;

/// There while servers look for what an older key has sealed, with the time of the rotation.
const ROTATED: &str = "keys_rotated";
/// How long they look: by then every server has taken the new key, and what it had sealed with the old one is found.
const LOOKED_FOR: Duration = Duration::from_hours(1);
/// How many values are sealed anew in one transaction: a logon that waits for it waits a few milliseconds.
const BATCH: i64 = 200;

/// What a version of the keys is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It seals, and opens what it has sealed.
    InUse,
    /// It opens what it has sealed before a rotation.
    Old,
    /// It is in the key file and waits to be taken into use.
    Prepared,
    /// Values were sealed with it, and the key file does not hold it.
    Missing,
}

/// A version of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyVersion {
    /// Its number.
    pub version: u32,
    /// What it is for.
    pub state: KeyState,
    /// How many values are sealed with it.
    pub sealed: u64,
}

/// What sealing anew has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Values that the key in use seals now.
    pub values: u64,
    /// Values that did not open: they were moved or damaged before, and stay as they are.
    pub unreadable: u64,
}

impl Countersign {
    /// The versions of the keys, the oldest first.
    pub async fn list_keys(&self) -> Result<Vec<KeyVersion>, Error> {
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> { Ok(sealed::count_by_head(tx).await?) };
        let counts = self.inner.store.read(unit).await?;
        Ok(versions(&self.inner.keys.ring(), &counts))
    }

    /// Takes the newest key of the ring into use, if it is not yet. It is in the key file of every node by then. The
    /// version, if one was taken into use.
    pub async fn use_prepared_key(&self) -> Result<Option<u32>, Error> {
        let ring = self.inner.keys.ring();
        let newest = ring.newest_version();
        if newest == ring.current_version() {
            return Ok(None);
        }
        let check = ring.check_value();
        let new_check = check.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let stored = facts::find(tx, KEY_CHECK).await?.unwrap_or_default();
            // Of two rotations at once, one succeeds: the other's key would be lost with the value it had named.
            if !ring.matches(&stored) || !facts::consume(tx, KEY_CHECK, &stored).await? {
                return Err(Error::Fault("the keys were rotated elsewhere at this very moment".to_owned()));
            }
            facts::put(tx, KEY_CHECK, &new_check).await?;
            facts::put(tx, ROTATED, &admitted.now.micros().to_string()).await?;
            admitted.tell("version", &newest.to_string());
            Ok(())
        };
        self.act_everywhere(Action::RotateKeys, work).await?;
        if self.inner.keys.follow(&check) { Ok(Some(newest)) } else { Err(Error::Fault("a key is missing".to_owned())) }
    }

    /// Seals anew what another key than the one in use has sealed, in batches; `told` hears after each how many there were
    /// by then. Stopped at any point, it can be begun again.
    pub async fn reseal(&self, mut told: impl FnMut(Resealed)) -> Result<Resealed, Error> {
        let mut sum = Resealed::default();
        let mut last = None;
        loop {
            let (batch, end) = self.reseal_batch(last.as_ref(), BATCH).await?;
            sum.values += batch.values;
            sum.unreadable += batch.unreadable;
            let Some(end) = end else { return Ok(sum) };
            told(sum);
            last = Some(end);
        }
    }

    /// Seals the next `limit` values after `last` anew, in one transaction; where it ended.
    pub async fn reseal_batch(
        &self,
        last: Option<&SealedValue>,
        limit: i64,
    ) -> Result<(Resealed, Option<SealedValue>), Error> {
        let (head, last) = (self.inner.keys.ring().current_head(), last.cloned());
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            Ok(sealed::beside(tx, head, last.as_ref(), limit).await?)
        };
        let found = self.inner.store.read(unit).await?;
        let Some(end) = found.last().cloned() else { return Ok((Resealed::default(), None)) };
        let mut anew = Vec::with_capacity(found.len());
        let mut unreadable = 0;
        for old in found {
            match self.sealed_anew(&old) {
                Some(new) => anew.push((old, new)),
                None => unreadable += 1,
            }
        }
        let unit = async move |tx: &mut Tx<'_>| -> Result<u64, Error> {
            let mut swapped = 0;
            for (old, new) in &anew {
                // One that was bound, unbound or sealed anew since it was read has nothing left to do.
                swapped += u64::from(sealed::swap(tx, old, new).await?);
            }
            Ok(swapped)
        };
        let values = self.inner.store.write(unit).await?;
        Ok((Resealed { values, unreadable }, Some(end)))
    }

    fn sealed_anew(&self, old: &SealedValue) -> Option<Vec<u8>> {
        let place = Place {
            table: old.kind.table(),
            column: old.kind.column(),
            account_id: old.account.as_str(),
            principal_id: old.principal.as_str(),
            row_id: &old.row,
        };
        let opened = self.inner.keys.open(&place, &old.sealed);
        let anew = opened.and_then(|value| self.inner.keys.seal(&place, &value, self.random()));
        match anew {
            Ok(anew) => Some(anew.0),
            Err(error) => {
                let (table, row) = (old.kind.table(), &old.row);
                tracing::error!(account = %old.account, table, row, %error, "a sealed value does not open");
                None
            }
        }
    }

    /// For a while after a rotation: seals anew what a server has sealed with the old key before it took the new one, and
    /// what an interrupted command has left.
    pub(crate) async fn finish_rotation(&self) -> Result<u64, Error> {
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> { Ok(facts::find(tx, ROTATED).await?) };
        let Some(rotated) = self.inner.store.read(unit).await? else { return Ok(0) };
        let values = self.reseal(|_| ()).await?.values;
        let at = rotated.parse().map(Timestamp::from_micros).map_err(|_| not_a_time())?;
        if self.now() > at.plus(LOOKED_FOR) {
            let unit = async move |tx: &mut Tx<'_>| -> Result<bool, Error> {
                Ok(facts::consume(tx, ROTATED, &rotated).await?)
            };
            self.inner.store.write(unit).await?;
        }
        Ok(values)
    }
}

fn not_a_time() -> Error {
    Error::Fault(format!("the fact {ROTATED} is no time"))
}

/// What stands in the ring and in the database, put together.
pub(super) fn versions(ring: &KeyRing, counts: &[(Vec<u8>, i64)]) -> Vec<KeyVersion> {
    let sealed = |version| {
        let of_it = counts.iter().filter(|(head, _)| KeyRing::version_in(head) == Some(version));
        of_it.map(|(_, count)| u64::try_from(*count).unwrap_or_default()).sum()
    };
    let in_use = ring.current_version();
    let known = ring.versions().map(|version| {
        let state = match version.cmp(&in_use) {
            std::cmp::Ordering::Less => KeyState::Old,
            std::cmp::Ordering::Equal => KeyState::InUse,
            std::cmp::Ordering::Greater => KeyState::Prepared,
        };
        KeyVersion { version, state, sealed: sealed(version) }
    });
    let mut all: Vec<KeyVersion> = known.collect();
    for version in counts.iter().filter_map(|(head, _)| KeyRing::version_in(head)) {
        if all.iter().all(|known| known.version != version) {
            all.push(KeyVersion { version, state: KeyState::Missing, sealed: sealed(version) });
        }
    }
    all.sort_by_key(|version| version.version);
    all
}
