//! The key ring of a process that goes on while the operator rotates the keys.
//!
//! Another process puts a new version into the key file, then into the database's check value, and then seals with it. This
//! one learns of it by the check value ([`Keys::follow`], at every tick) or by a value that it cannot open yet, and reads
//! its file again.

use super::{KeyRing, Place, SealError, Sealed};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// The present key ring.
pub(crate) struct Keys {
    ring: RwLock<Arc<KeyRing>>,
}

impl Keys {
    /// Begins with this ring, of which the database names these keys.
    pub(crate) fn new(ring: KeyRing, stored_check: &str) -> Self {
        Self { ring: RwLock::new(Arc::new(ring.sealing_as_named(stored_check))) }
    }

    /// The ring as it is now.
    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the keys into use that the database names now. `false`: one of them is not in the file of this process either.
    pub(crate) fn follow(&self, stored_check: &str) -> bool {
        let ring = self.ring();
        let read = if ring.matches(stored_check) { None } else { reload(&ring) };
        let ring = read.map_or(ring, Arc::new);
        if !ring.matches(stored_check) {
            return false;
        }
        let named = ring.duplicate().sealing_as_named(stored_check);
        if self.ring().check_value() != named.check_value() || self.ring().in_use != named.in_use {
            tracing::info!(version = named.current_version(), "the keys were rotated");
            *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(named);
        }
        true
    }

    /// As [`KeyRing::seal`].
    pub(crate) fn seal(&self, place: &Place<'_>, plaintext: &[u8], nonce: [u8; 12]) -> Result<Sealed, SealError> {
        self.ring().seal(place, plaintext, nonce)
    }

    /// As [`KeyRing::open`]. What a key has sealed that this process does not know is tried again with the file's.
    pub(crate) fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let ring = self.ring();
        match ring.open(place, sealed) {
            Err(SealError::NoKey(version)) => {
                let read = reload(&ring).ok_or(SealError::NoKey(version))?;
                let opened = read.open(place, sealed)?;
                // Which of the keys seals from now on, the next tick tells.
                let in_use = ring.in_use;
                *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(KeyRing { in_use, ..read });
                Ok(opened)
            }
            opened @ (Ok(_) | Err(SealError::TooLong | SealError::Malformed | SealError::Refused)) => opened,
        }
    }

    /// As [`KeyRing::keyed_hash_matches`]. What no key of this process has hashed is tried again with the file's.
    pub(crate) fn keyed_hash_matches(&self, purpose: &'static str, value: &[u8], stored: &[u8]) -> bool {
        let ring = self.ring();
        if ring.keyed_hash_matches(purpose, value, stored) {
            return true;
        }
        let Some(read) = reload(&ring).filter(|read| read.keyed_hash_matches(purpose, value, stored)) else {
            return false;
        };
        // As in `open`.
        let in_use = ring.in_use;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(KeyRing { in_use, ..read });
        true
    }

    /// As [`KeyRing::phantom_id`].
    pub(crate) fn phantom_id(&self, canonical_name: &str) -> [u8; 16] {
        self.ring().phantom_id(canonical_name)
    }
}

/// The ring in the file, if it still holds every key of `ring`: whatever else lies there is not taken.
fn reload(ring: &KeyRing) -> Option<KeyRing> {
    let file: &Path = ring.file.as_deref()?;
    match KeyRing::load(file) {
        Ok(read) if read.matches(&ring.check_value()) => Some(read),
        Ok(_) => {
            tracing::error!(file = %file.display(), "the key file has lost a key that is in use: it is not taken");
            None
        }
        Err(error) => {
            tracing::error!(%error, "the key file cannot be read again");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Place<'_> = Place { table: "t", column: "c", account_id: "1", principal_id: "2", row_id: "3" };

    fn sealed_by(ring: &KeyRing) -> Vec<u8> {
        ring.seal(&SEED, b"a seed", [9; 12]).unwrap().0
    }

    #[test]
    fn a_process_follows_a_rotation_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keyring.json");
        let first = KeyRing::generate(|key| key.fill(7));
        first.save_new(&file).unwrap();
        let keys = Keys::new(KeyRing::load(&file).unwrap(), &first.check_value());

        let next = first.with_next_version(|key| key.fill(8)).unwrap();
        assert_eq!(keys.open(&SEED, &sealed_by(&next)), Err(SealError::NoKey(2)), "the file has not got it yet");
        assert!(!keys.follow(&next.check_value()));
        next.save_over(&file).unwrap();
        assert!(keys.follow(&first.check_value()));
        assert_eq!(keys.ring().current_version(), 1, "a prepared key does not seal");
        assert_eq!(keys.open(&SEED, &sealed_by(&next)).unwrap().as_slice(), b"a seed");
        assert_eq!(keys.ring().current_version(), 1, "nor one that another process seals with");
        assert!(keys.follow(&next.check_value()));
        assert_eq!(keys.ring().current_version(), 2);
        assert_eq!(keys.open(&SEED, &sealed_by(&first)).unwrap().as_slice(), b"a seed");
    }

    #[test]
    fn what_another_process_has_hashed_with_a_new_key_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keyring.json");
        let first = KeyRing::generate(|key| key.fill(7));
        first.save_new(&file).unwrap();
        let keys = Keys::new(KeyRing::load(&file).unwrap(), &first.check_value());
        let next = first.with_next_version(|key| key.fill(8)).unwrap();
        let hash = next.keyed_hash("purpose", b"value");
        assert!(!keys.keyed_hash_matches("purpose", b"value", &hash), "the file has not got the key yet");
        next.save_over(&file).unwrap();
        assert!(keys.keyed_hash_matches("purpose", b"value", &hash));
        assert!(!keys.keyed_hash_matches("purpose", b"other", &hash));
        assert_eq!(keys.ring().current_version(), 1, "when it is used, the next tick tells");
    }

    #[test]
    fn a_file_that_lost_a_key_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keyring.json");
        let first = KeyRing::generate(|key| key.fill(7));
        first.save_new(&file).unwrap();
        let keys = Keys::new(KeyRing::load(&file).unwrap(), &first.check_value());
        let stranger = KeyRing::generate(|key| key.fill(1)).with_next_version(|key| key.fill(2)).unwrap();
        stranger.save_over(&file).unwrap();
        assert!(!keys.follow(&stranger.check_value()));
        assert_eq!(keys.open(&SEED, &sealed_by(&stranger)), Err(SealError::NoKey(2)));
        assert_eq!(keys.open(&SEED, &sealed_by(&first)).unwrap().as_slice(), b"a seed");
    }
}
