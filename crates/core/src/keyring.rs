//! The key ring: the master keys that lie outside the database, and all that is done with them.
//!
//! What must be read again (TOTP seeds, `AccessKey` secrets) is sealed with AES-256-GCM-SIV (RFC 8452) for the one place it
//! lies in, so that a row cannot be moved, swapped or put back under another id. What need only be compared but is short
//! (codes) is stored as a keyed hash. Each use has its own key, derived with HKDF-SHA256 (RFC 5869) from the master key.
//!
//! Keys have versions. One is in use and seals; the others open what was sealed before a rotation. A version newer than the
//! one in use is prepared: it is on its way to every node, and taken into use when the database names it.

use aes_gcm_siv::Nonce;
use aes_gcm_siv::aead::{Aead as _, Payload};
use ring::signature::KeyPair as _;
use std::io;
use std::path::PathBuf;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

pub mod bundle;
mod file;
mod held;
mod key;

pub(crate) use held::Keys;

use key::{Key, hmac_sha256, length_prefix};

/// The first byte of all that is sealed.
const SEALED_FORMAT: u8 = 1;

/// The master keys and what is derived from them. Cannot be printed or cloned: share it by `Arc`.
///
/// ```compile_fail
/// fn print(ring: &countersign_core::keyring::KeyRing) {
///     println!("{ring:?}");
/// }
/// ```
pub struct KeyRing {
    oldest: Key,
    /// In ascending order of version.
    newer: Vec<Key>,
    /// The version that seals.
    in_use: u32,
    /// The file it was read from.
    file: Option<PathBuf>,
}

impl KeyRing {
    /// A new ring of one key, version 1. `fill` is `Entropy::fill`.
    pub fn generate(fill: impl FnOnce(&mut [u8])) -> Self {
        Self { oldest: Key::generate(1, fill), newer: Vec::new(), in_use: 1, file: None }
    }

    /// This ring and one more key, which is the current one from then on (a rotation). Rows are
    /// [resealed](Self::needs_reseal) as they are met or by the operator.
    pub fn with_next_version(&self, fill: impl FnOnce(&mut [u8])) -> Result<Self, KeyRingError> {
        let version = self.newest_version().checked_add(1).ok_or(KeyRingError::Exhausted)?;
        let newer = self.newer.iter().map(Key::duplicate).chain([Key::generate(version, fill)]).collect();
        Ok(Self { oldest: self.oldest.duplicate(), newer, in_use: version, file: None })
    }

    /// This ring, sealing with the newest of its keys that a stored [`check_value`](Self::check_value) names. A newer one
    /// is prepared only: another node may not have it yet, and could not open what it seals.
    #[must_use]
    pub fn sealing_as_named(self, stored: &str) -> Self {
        let named = self.keys().filter(|key| stored.split(',').any(|named| named == key.fingerprint()));
        let in_use = named.map(|key| key.version).last().unwrap_or(self.in_use);
        Self { in_use, ..self }
    }

    /// The newest version, in use or prepared.
    #[must_use]
    pub fn newest_version(&self) -> u32 {
        self.newer.last().unwrap_or(&self.oldest).version
    }

    /// All versions, the oldest first.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.keys().map(|key| key.version)
    }

    /// The version that seals.
    #[must_use]
    pub fn current_version(&self) -> u32 {
        self.current().version
    }

    /// What every value begins with that the current key seals: format byte ‖ key version.
    #[must_use]
    pub fn current_head(&self) -> [u8; 5] {
        let [a, b, c, d] = self.current_version().to_be_bytes();
        [SEALED_FORMAT, a, b, c, d]
    }

    /// The key version in the head of a sealed value, if it is one.
    #[must_use]
    pub fn version_in(head: &[u8]) -> Option<u32> {
        let (version, _) = head.strip_prefix(&[SEALED_FORMAT])?.split_first_chunk()?;
        Some(u32::from_be_bytes(*version))
    }

    /// Seals `plaintext` for `place` with the current key. `nonce` is random; a repeated one tells only that two plaintexts
    /// of one place are equal.
    ///
    /// The result is format byte ‖ key version (u32, big-endian) ‖ nonce ‖ ciphertext and tag.
    pub fn seal(&self, place: &Place<'_>, plaintext: &[u8], nonce: [u8; 12]) -> Result<Sealed, SealError> {
        let key = self.current();
        let aad = place.associated_data(key.version);
        let payload = Payload { msg: plaintext, aad: &aad };
        let ciphertext = key.cipher().encrypt(&Nonce::from(nonce), payload).map_err(|_| SealError::TooLong)?;
        let mut stored = vec![SEALED_FORMAT];
        stored.extend(key.version.to_be_bytes());
        stored.extend(nonce);
        stored.extend(ciphertext);
        Ok(Sealed(stored))
    }

    /// Opens what was sealed for this very `place`, by whichever version of the ring.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let parts = Parts::of(sealed).ok_or(SealError::Malformed)?;
        let key = self.keys().find(|key| key.version == parts.version).ok_or(SealError::NoKey(parts.version))?;
        let aad = place.associated_data(key.version);
        let payload = Payload { msg: parts.ciphertext, aad: &aad };
        let opened = key.cipher().decrypt(&Nonce::from(parts.nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| SealError::Refused)
    }

    /// Whether `sealed` was sealed by another version than the current one.
    #[must_use]
    pub fn needs_reseal(&self, sealed: &[u8]) -> bool {
        Parts::of(sealed).is_none_or(|parts| parts.version != self.current_version())
    }

    /// The id under which the attempts for an unknown name are counted.
    ///
    /// It comes from the **oldest** key and so survives every rotation: counters must not start anew, and a name must not
    /// be told from a real one by an id that changes. The oldest key is therefore never taken out of the ring.
    #[must_use]
    pub fn phantom_id(&self, canonical_name: &str) -> [u8; 16] {
        let mac = hmac_sha256(&self.oldest.phantom, &[canonical_name.as_bytes()]);
        let mut id = [0; 16];
        id.copy_from_slice(mac.split_at(16).0);
        id
    }

    /// The keyed hash under which a short value is stored, by the current key. `purpose` keeps uses apart.
    /// Compare with [`keyed_hash_matches`](Self::keyed_hash_matches), which also knows the keys before a rotation.
    #[must_use]
    pub fn keyed_hash(&self, purpose: &'static str, value: &[u8]) -> [u8; 32] {
        self.current().keyed_hash(purpose, value)
    }

    /// The keyed hashes of `value` by every key of the ring, the current one first: under one of them it may be stored.
    #[must_use]
    pub fn keyed_hashes(&self, purpose: &'static str, value: &[u8]) -> Vec<[u8; 32]> {
        let mut hashes: Vec<_> = self.keys().map(|key| key.keyed_hash(purpose, value)).collect();
        hashes.reverse();
        hashes
    }

    /// Whether `stored` is the keyed hash of `value` by any key of the ring. Takes the same time wherever they differ.
    #[must_use]
    pub fn keyed_hash_matches(&self, purpose: &'static str, value: &[u8], stored: &[u8]) -> bool {
        self.keys().fold(false, |found, key| bool::from(key.keyed_hash(purpose, value).ct_eq(stored)) | found)
    }

    /// Signs a statement about the audit log with the current key (Ed25519, RFC 8032).
    #[must_use]
    pub fn sign_audit(&self, message: &[u8]) -> Vec<u8> {
        self.current().audit_key_pair().sign(message).as_ref().to_vec()
    }

    /// The public keys of all versions, with which what [`sign_audit`](Self::sign_audit) signed is verified.
    pub fn audit_public_keys(&self) -> impl Iterator<Item = (u32, [u8; 32])> {
        self.keys().map(|key| {
            let mut public = [0; 32];
            public.copy_from_slice(key.audit_key_pair().public_key().as_ref());
            (key.version, public)
        })
    }

    /// The public fingerprints of all keys, to be stored in the database. They tell nothing about the keys.
    #[must_use]
    pub fn check_value(&self) -> String {
        self.keys().map(Key::fingerprint).collect::<Vec<_>>().join(",")
    }

    /// Whether this ring holds every key that a stored [`check_value`](Self::check_value) names, in whatever order. It may
    /// hold more, after a rotation: store the new check value then. `false` means: refuse to start.
    #[must_use]
    pub fn matches(&self, stored: &str) -> bool {
        stored.split(',').all(|named| self.keys().any(|key| key.fingerprint() == named))
    }

    fn current(&self) -> &Key {
        self.newer.iter().find(|key| key.version == self.in_use).unwrap_or(&self.oldest)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.oldest).chain(&self.newer)
    }

    fn duplicate(&self) -> Self {
        let newer = self.newer.iter().map(Key::duplicate).collect();
        Self { oldest: self.oldest.duplicate(), newer, in_use: self.in_use, file: self.file.clone() }
    }
}

/// Where a sealed value lies. A binding made anew has a new `row_id`, so an old value never fits again.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The account the row belongs to.
    pub account_id: &'a str,
    /// The principal the row belongs to.
    pub principal_id: &'a str,
    /// The row itself.
    pub row_id: &'a str,
}

impl Place<'_> {
    /// Each field behind its length, so that no two places read the same.
    fn associated_data(&self, version: u32) -> Vec<u8> {
        let texts = [self.table, self.column, self.account_id, self.principal_id, self.row_id];
        let version = version.to_be_bytes();
        let fields = [[SEALED_FORMAT].as_slice(), &version].into_iter().chain(texts.map(str::as_bytes));
        fields.flat_map(|field| length_prefix(field).into_iter().chain(field.iter().copied())).collect()
    }
}

/// A sealed value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// Why a value could not be sealed or opened. Each denies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Our fault: nothing that we seal comes near.
    #[error("a value is too long to be sealed, by a fault of this server")]
    TooLong,
    /// The operator's fault: the database is damaged, or newer than this program.
    #[error("a sealed value is damaged or of an unknown format: restore the row from a backup")]
    Malformed,
    /// The operator's fault: the key ring is not the one the value was sealed with.
    #[error("the key ring holds no key of version {0}: put the key ring in place that the data was sealed with")]
    NoKey(u32),
    /// The fault of whoever wrote to the database beside Countersign: the value was changed, or moved from its place.
    #[error("a sealed value does not belong where it lies: it was changed or moved in the database")]
    Refused,
}

impl SealError {
    /// The stable code that API and audit log share.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "Seal.TooLong",
            Self::Malformed => "Seal.Malformed",
            Self::NoKey(_) => "Seal.NoKey",
            Self::Refused => "Seal.Refused",
        }
    }
}

/// Why a key ring could not be loaded or saved. All are for the operator to mend, and say how.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The file cannot be opened or read.
    #[error("the key ring {path} cannot be read: {1}. Make sure that it exists and belongs to the user who runs Countersign", path = .0.display())]
    Read(PathBuf, io::Error),
    /// Group or others have rights to the file; with its permission bits.
    #[error("the key ring {path} is open to other users (mode {1:04o}): run `chmod 600 {path}`, and rotate the keys if others may have read it", path = .0.display())]
    Exposed(PathBuf, u32),
    /// The file was edited or damaged; with what is wrong.
    #[error("the key ring {path} cannot be used: {1}. Restore it from its backup", path = .0.display())]
    Malformed(PathBuf, &'static str),
    /// There is a file already.
    #[error("there is a file at {path} already, and a key ring overwrites none: without the old keys the data cannot be read", path = .0.display())]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("the key ring cannot be written to {path}: {1}. Make sure that the folder exists, may be written, and has space", path = .0.display())]
    Write(PathBuf, io::Error),
    /// There is no version after the current one.
    #[error("the key ring has used its last version number: start with a new one")]
    Exhausted,
}

impl KeyRingError {
    /// The stable code for the log and the operator's commands.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(..) => "KeyRing.Read",
            Self::Exposed(..) => "KeyRing.Exposed",
            Self::Malformed(..) => "KeyRing.Malformed",
            Self::Exists(_) => "KeyRing.Exists",
            Self::Write(..) => "KeyRing.Write",
            Self::Exhausted => "KeyRing.Exhausted",
        }
    }
}

/// A stored value taken apart.
struct Parts<'a> {
    version: u32,
    nonce: [u8; 12],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Option<Self> {
        let rest = sealed.strip_prefix(&[SEALED_FORMAT])?;
        let (version, rest) = rest.split_first_chunk()?;
        let (nonce, ciphertext) = rest.split_first_chunk()?;
        Some(Self { version: u32::from_be_bytes(*version), nonce: *nonce, ciphertext })
    }
}

#[cfg(test)]
mod tests;
