//! The key ring: the master keys that lie outside the database, and all that is done with them.
//!
//! What must be read again (TOTP seeds, `AccessKey` secrets) is sealed with AES-256-GCM-SIV (RFC 8452) for the one place it
//! lies in, so that a row cannot be moved, swapped or put back under another id. What need only be compared but is short
//! (codes) is stored as a keyed hash. Each use has its own key, derived with HKDF-SHA256 (RFC 5869) from the master key.
//!
//! Keys have versions. One is in use and seals; the others open what was sealed before a rotation. A version newer than the
//! one in use is prepared: it is on its way to every node, and taken into use when the database names it.

use aes_gcm_siv::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

pub mod bundle;
mod held;

pub(crate) use held::Keys;

/// The first byte of all that is sealed.
const SEALED_FORMAT: u8 = 1;

/// The format of the key file.
const FILE_FORMAT: u32 = 1;

/// A key file of thousands of versions is smaller.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

const KEY_BYTES: usize = 32;

/// A key of 256 bits that is zeroed when dropped.
type Secret = Zeroizing<[u8; KEY_BYTES]>;

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

    /// Reads the key file at `path`, which must be readable by its owner alone.
    pub fn load(path: &Path) -> Result<Self, KeyRingError> {
        let read_error = |error| KeyRingError::Read(path.to_owned(), error);
        let file = File::open(path).map_err(read_error)?;
        let metadata = file.metadata().map_err(read_error)?;
        refuse_exposed(&metadata, path)?;
        // Room for the whole text, so that growth leaves no copies behind.
        let room = usize::try_from(metadata.len().min(MAX_FILE_BYTES)).unwrap_or_default() + 64;
        let mut text = Zeroizing::new(Vec::with_capacity(room));
        file.take(MAX_FILE_BYTES).read_to_end(&mut text).map_err(read_error)?;
        let ring = Self::parse(&text).map_err(|reason| KeyRingError::Malformed(path.to_owned(), reason))?;
        Ok(Self { file: Some(path.to_owned()), ..ring })
    }

    /// Writes the ring in the place of the file at `path`: beside it first, and then under its name, so that there is a
    /// whole file at every moment. Whoever calls it holds the lock of the keys (`keyring.lock`).
    pub fn save_over(&self, path: &Path) -> Result<(), KeyRingError> {
        let beside = path.with_extension("json.new");
        let failed = |error| KeyRingError::Write(path.to_owned(), error);
        match fs::remove_file(&beside) {
            // What an attempt that was killed has left.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        self.save_new(&beside)?;
        fs::rename(&beside, path).and_then(|()| sync_folder_of(path)).map_err(failed)
    }

    /// Writes the ring to a new file at `path` that its owner alone can read; it is on disk when this returns.
    /// A file that exists is never overwritten: after a rotation, save beside it and rename.
    pub fn save_new(&self, path: &Path) -> Result<(), KeyRingError> {
        let mut file = create_new_private(path).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                return KeyRingError::Exists(path.to_owned());
            }
            KeyRingError::Write(path.to_owned(), error)
        })?;
        let written = self.write_to(&mut file).and_then(|()| file.sync_all()).and_then(|()| sync_folder_of(path));
        written.map_err(|error| {
            // Half a key ring would stand in the way of the next attempt. Best effort: the first error is the one to tell.
            fs::remove_file(path).ok();
            KeyRingError::Write(path.to_owned(), error)
        })
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

    /// The reasons name no content of the file, as that is secret.
    fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let file: KeyFile<'_> = serde_json::from_slice(text).map_err(|_| "it is not the JSON of a key ring")?;
        if file.format != FILE_FORMAT {
            return Err("its format is of another version of Countersign");
        }
        let mut keys = Vec::with_capacity(file.keys.len());
        for (version, hex) in &file.keys {
            keys.push(Key::parse(*version, hex).ok_or("a key is not 64 hexadecimal digits in lower case")?);
        }
        let mut keys = keys.into_iter();
        let oldest = keys.next().ok_or("it has no key")?;
        let ring = Self { in_use: oldest.version, oldest, newer: keys.collect(), file: None };
        Ok(Self { in_use: ring.newest_version(), ..ring })
    }

    fn write_to(&self, file: &mut File) -> io::Result<()> {
        file.write_all(&self.to_text()?)
    }

    fn duplicate(&self) -> Self {
        let newer = self.newer.iter().map(Key::duplicate).collect();
        Self { oldest: self.oldest.duplicate(), newer, in_use: self.in_use, file: self.file.clone() }
    }

    /// What stands in the key file.
    fn to_text(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let keys: Vec<_> =
            self.keys().map(|key| (key.version, Zeroizing::new(HEXLOWER.encode(&*key.master)))).collect();
        let content =
            KeyFile { format: FILE_FORMAT, keys: keys.iter().map(|(version, hex)| (*version, hex.as_str())).collect() };
        let mut text = Zeroizing::new(Vec::with_capacity(128 * (keys.len() + 1)));
        serde_json::to_writer_pretty(&mut *text, &content)?;
        text.push(b'\n');
        Ok(text)
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

/// One master key and what is derived from it.
struct Key {
    version: u32,
    master: Secret,
    sealing: Secret,
    phantom: Secret,
    lookup: Secret,
    check: Secret,
    audit: Secret,
}

impl Key {
    fn generate(version: u32, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut master = Secret::default();
        fill(&mut *master);
        Self::derive(version, master)
    }

    fn parse(version: u32, hex: &str) -> Option<Self> {
        let mut master = Secret::default();
        let fits = HEXLOWER.decode_len(hex.len()).is_ok_and(|length| length == KEY_BYTES);
        let decoded = fits && HEXLOWER.decode_mut(hex.as_bytes(), &mut *master).is_ok();
        decoded.then(|| Self::derive(version, master))
    }

    fn duplicate(&self) -> Self {
        Self::derive(self.version, self.master.clone())
    }

    fn derive(version: u32, master: Secret) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, &*master);
        Self {
            version,
            sealing: expand(&hkdf, "countersign 1 sealing"),
            phantom: expand(&hkdf, "countersign 1 phantom ids"),
            lookup: expand(&hkdf, "countersign 1 keyed hashes"),
            check: expand(&hkdf, "countersign 1 check value"),
            audit: expand(&hkdf, "countersign 1 audit signatures"),
            master,
        }
    }

    fn cipher(&self) -> Aes256GcmSiv {
        Aes256GcmSiv::new((&*self.sealing).into())
    }

    #[expect(clippy::expect_used, reason = "every 32 bytes are the seed of an Ed25519 key (RFC 8032 §5.1.5)")]
    fn audit_key_pair(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&*self.audit).expect("a seed has 32 bytes")
    }

    fn keyed_hash(&self, purpose: &'static str, value: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.lookup, &[&length_prefix(purpose.as_bytes()), purpose.as_bytes(), value])
    }

    /// `version:` and 128 bits in hexadecimal.
    fn fingerprint(&self) -> String {
        let (public, _) = self.check.split_at(KEY_BYTES / 2);
        format!("{}:{}", self.version, HEXLOWER.encode(public))
    }
}

#[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 bytes (RFC 5869 §2.3)")]
fn expand(hkdf: &Hkdf<Sha256>, info: &'static str) -> Secret {
    let mut secret = Secret::default();
    hkdf.expand(info.as_bytes(), &mut *secret).expect("32 bytes are fewer than 8160");
    secret
}

fn hmac_sha256(key: &Secret, parts: &[&[u8]]) -> [u8; 32] {
    // HMAC fills a short key up with zeros itself (RFC 2104 §2); done here, it cannot fail.
    let mut block = Zeroizing::new([0; 64]);
    let (head, _) = block.split_at_mut(KEY_BYTES);
    head.copy_from_slice(&**key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn length_prefix(field: &[u8]) -> [u8; 8] {
    // A length has at most 64 bits on every platform; it is written in 64 on each.
    u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes()
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile<'a> {
    format: u32,
    /// Hexadecimal, borrowed from the text so that nothing is left behind.
    #[serde(borrow)]
    keys: BTreeMap<u32, &'a str>,
}

#[cfg(unix)]
fn refuse_exposed(metadata: &Metadata, path: &Path) -> Result<(), KeyRingError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    let others = mode & 0o077;
    if others == 0 { Ok(()) } else { Err(KeyRingError::Exposed(path.to_owned(), mode)) }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Metadata, _: &Path) -> Result<(), KeyRingError> {
    Ok(())
}

/// A new file that its owner alone can read.
fn create_new_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: Place<'_> =
        Place { table: "virtual_mfa", column: "seed", account_id: "100", principal_id: "200", row_id: "300" };
    const NONCE: [u8; 12] = [9; 12];

    fn ring() -> KeyRing {
        KeyRing::generate(|key| key.fill(7))
    }

    fn rotated(ring: &KeyRing) -> KeyRing {
        ring.with_next_version(|key| key.fill(8)).unwrap()
    }

    fn sealed(ring: &KeyRing, place: &Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        ring.seal(place, plaintext, NONCE).unwrap().0
    }

    fn text_of(error: Option<KeyRingError>) -> String {
        error.expect("it was to fail").to_string()
    }

    /// The expected values were computed with Python (`hmac`, `cryptography`). A change here makes stored data unreadable.
    #[test]
    fn what_is_stored_stays_readable() {
        let ring = ring();
        assert_eq!(ring.check_value(), "1:121147eeb24fa51e09ab2f67664c194c");
        assert_eq!(HEXLOWER.encode(&ring.phantom_id("nobody")), "4434c32fb4aeb1a4b9be79c5f87c1de7");
        assert_eq!(
            HEXLOWER.encode(&ring.keyed_hash("email code", b"123456")),
            "79917e7eefc1b0e2464e2c867c1eb31fc0cbf6108a3e151122ed1fe9b7044a11"
        );
        assert_eq!(
            HEXLOWER.encode(&sealed(&ring, &SEED, b"seed")),
            "010000000109090909090909090909090987d2493df18120ec32dc455780150bb5d9ef4aac"
        );
    }

    #[test]
    fn a_sealed_value_opens_in_its_place() {
        let ring = ring();
        let value = sealed(&ring, &SEED, b"a seed");
        assert_eq!(value.len(), 1 + 4 + 12 + 6 + 16);
        assert_eq!(ring.open(&SEED, &value).unwrap().as_slice(), b"a seed");
    }

    #[test]
    fn attack_139_a_sealed_value_opens_nowhere_else() {
        let ring = ring();
        let value = sealed(&ring, &SEED, b"a seed");
        for elsewhere in [
            Place { table: "access_keys", ..SEED },
            Place { column: "other", ..SEED },
            Place { account_id: "101", ..SEED },
            Place { principal_id: "201", ..SEED },
            Place { row_id: "301", ..SEED },
            Place { account_id: "200", principal_id: "100", ..SEED },
            Place { account_id: "1002", principal_id: "00", ..SEED },
            Place { table: "virtual_mfas", column: "eed", ..SEED },
            Place { row_id: "", ..SEED },
        ] {
            assert_eq!(ring.open(&elsewhere, &value), Err(SealError::Refused), "{elsewhere:?}");
        }
    }

    #[test]
    fn attack_139_two_rows_cannot_be_swapped() {
        let ring = ring();
        let (mine, theirs) = (SEED, Place { principal_id: "201", row_id: "301", ..SEED });
        let (my_value, their_value) = (sealed(&ring, &mine, b"mine"), sealed(&ring, &theirs, b"theirs"));
        assert_eq!(ring.open(&mine, &their_value), Err(SealError::Refused));
        assert_eq!(ring.open(&theirs, &my_value), Err(SealError::Refused));
    }

    #[test]
    fn attack_139_any_flipped_bit_and_any_cut_is_refused() {
        let ring = rotated(&ring());
        let value = sealed(&ring, &SEED, b"a seed");
        for bit in 0..value.len() * 8 {
            let mut changed = value.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(ring.open(&SEED, &changed).is_err(), "bit {bit}");
        }
        for length in 0..value.len() {
            assert!(ring.open(&SEED, &value[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn attack_139_the_key_version_is_part_of_the_seal() {
        let twice_the_same = ring().with_next_version(|key| key.fill(7)).unwrap();
        let mut value = sealed(&ring(), &SEED, b"a seed");
        assert!(twice_the_same.open(&SEED, &value).is_ok());
        value[4] = 2;
        assert_eq!(twice_the_same.open(&SEED, &value), Err(SealError::Refused));
        value[4] = 3;
        assert_eq!(twice_the_same.open(&SEED, &value), Err(SealError::NoKey(3)));
    }

    #[test]
    fn a_rotation_opens_old_values_and_reseals_them() {
        let (before, after) = (ring(), rotated(&ring()));
        let (old, new) = (sealed(&before, &SEED, b"a seed"), sealed(&after, &SEED, b"a seed"));
        assert_eq!((before.current_version(), after.current_version()), (1, 2));
        assert_eq!(after.open(&SEED, &old).unwrap(), after.open(&SEED, &new).unwrap());
        assert_eq!(before.open(&SEED, &new), Err(SealError::NoKey(2)));
        assert!(!before.needs_reseal(&old) && after.needs_reseal(&old) && !after.needs_reseal(&new));
        assert!(after.needs_reseal(b""));
    }

    #[test]
    fn phantom_ids_survive_a_rotation_and_keyed_hashes_are_found_again() {
        let (before, after) = (ring(), rotated(&ring()));
        assert_eq!(before.phantom_id("alice"), after.phantom_id("alice"));
        assert_ne!(before.phantom_id("alice"), before.phantom_id("bob"));

        let stored = before.keyed_hash("email code", b"123456");
        assert_ne!(stored, after.keyed_hash("email code", b"123456"));
        assert!(after.keyed_hash_matches("email code", b"123456", &stored));
        assert!(!after.keyed_hash_matches("email code", b"123457", &stored));
        assert!(!after.keyed_hash_matches("email cod", b"e123456", &stored));
        assert!(!after.keyed_hash_matches("email code", b"123456", &stored[..31]));
        assert!(!after.keyed_hash_matches("email code", b"123456", b""));
    }

    #[test]
    fn only_a_ring_with_every_key_of_the_data_matches() {
        let (before, after) = (ring(), rotated(&ring()));
        let stranger = KeyRing::generate(|key| key.fill(1));
        assert!(before.matches(&before.check_value()) && after.matches(&after.check_value()));
        assert!(after.matches(&before.check_value()), "rotated since");
        assert!(!before.matches(&after.check_value()), "a key is missing");
        assert!(!stranger.matches(&before.check_value()));
        let (first, second) = after.check_value().split_once(',').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(after.matches(&format!("{second},{first}")), "the order does not matter");
        for damaged in
            ["", ",", "1", first.split_at(first.len() - 1).0, &format!("{first},"), &first.replace("1:", "2:")]
        {
            assert!(!after.matches(damaged), "{damaged}");
        }
    }

    #[test]
    fn a_saved_ring_is_loaded_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        let ring = rotated(&ring());
        ring.save_new(&path).unwrap();
        let loaded = KeyRing::load(&path).unwrap();
        assert_eq!(loaded.check_value(), ring.check_value());
        assert_eq!(loaded.current_version(), 2);
        assert!(loaded.open(&SEED, &sealed(&ring, &SEED, b"a seed")).is_ok());
    }

    #[test]
    fn a_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(ring().save_new(&path), Err(KeyRingError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        assert!(matches!(ring().save_new(&folder.path().join("no/folder")), Err(KeyRingError::Write(..))));
    }

    #[cfg(unix)]
    #[test]
    fn the_key_file_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        ring().save_new(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        for (mode, refused) in [(0o400, false), (0o640, true), (0o604, true), (0o620, true), (0o601, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = KeyRing::load(&path).err();
            assert_eq!(error.is_some(), refused, "{mode:o}");
            if refused {
                let text = text_of(error);
                assert!(text.contains(&format!("(mode {mode:04o}): run `chmod 600 {}`", path.display())), "{text}");
            }
        }
    }

    #[test]
    fn a_damaged_key_file_is_refused_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        ring().save_new(&path).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        for damaged in [
            String::new(),
            good.replace("0707", "07"),
            good.replace("0707", "0g0G"),
            good.replace("\"format\": 1", "\"format\": 2"),
            good.replace("\"1\":", "\"one\":"),
            good.replace("keys", "kexs"),
            good.replace('}', ""),
            "{\"format\": 1, \"keys\": {}}".to_owned(),
        ] {
            fs::write(&path, &damaged).unwrap();
            let text = text_of(KeyRing::load(&path).err());
            assert!(text.contains("Restore it from its backup") && !text.contains("07"), "{text}");
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(KeyRing::load(&path), Err(KeyRingError::Read(..))));
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_opens_again(
            master: [u8; 32], nonce: [u8; 12], plaintext: Vec<u8>, names in proptest::array::uniform5(".*"),
        ) {
            let [table, column, account_id, principal_id, row_id] = names.each_ref().map(String::as_str);
            let place = Place { table, column, account_id, principal_id, row_id };
            let ring = KeyRing::generate(|key| key.copy_from_slice(&master));
            let value = ring.seal(&place, &plaintext, nonce).unwrap().0;
            prop_assert_eq!(&*ring.open(&place, &value).unwrap(), &plaintext);
        }
    }
}
