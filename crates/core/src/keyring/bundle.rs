//! A key ring under a passphrase, to be kept beside a backup.
//!
//! The bundle is a text of five lines:
//!
//! ```text
//! countersign-keys-1
//! argon2id m=262144,t=3,p=1
//! salt 16 bytes in hexadecimal
//! nonce 12 bytes in hexadecimal
//! sealed BASE64
//! ```
//!
//! The key is Argon2id (RFC 9106, version 1.3) of the passphrase in UTF-8 with these parameters (memory in KiB), 32 bytes.
//! `sealed` is AES-256-GCM-SIV (RFC 8452) of the key file's text; its associated data are the first four lines, each with
//! its line feed. So other programs can open it when ours is gone.

use super::KeyRing;
use aes_gcm_siv::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use countersign_model::Entropy;
use countersign_model::entropy::random_bytes;
use data_encoding::{BASE64, HEXLOWER};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

const FORMAT: &str = "countersign-keys-1";
/// 256 MiB and three passes: a second or so, once in a while, against somebody who has the file and all the time he wants.
const MEMORY_KIB: u32 = 256 * 1024;
const PASSES: u32 = 3;
/// What a bundle may ask for at most.
const MAX_MEMORY_KIB: u32 = 4 * 1024 * 1024;
const MAX_PASSES: u32 = 64;
/// The shortest passphrase.
pub const SHORTEST_PASSPHRASE: usize = 12;
/// A bundle is not longer than this.
pub const MAX_BYTES: u64 = 2 * 1024 * 1024;

/// Why a bundle was not made or not opened. All are for the operator to mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The passphrase is too short to guard anything.
    #[error("the passphrase is too short: take at least 12 characters, better six words or more")]
    Short,
    /// It is no bundle, or one of a later version.
    #[error("this is no key bundle of this version of Countersign")]
    Malformed,
    /// The passphrase is another one, or the file was changed: nobody can tell which.
    #[error("the passphrase is not the one of this bundle, or the bundle is damaged")]
    Refused,
    /// There is no memory for the passphrase's hash.
    #[error("256 MiB of memory are needed to hash the passphrase, and cannot be had")]
    Memory,
}

/// Seals a ring under a passphrase.
pub fn seal(ring: &KeyRing, passphrase: &SecretString, entropy: &dyn Entropy) -> Result<String, BundleError> {
    if passphrase.expose_secret().chars().count() < SHORTEST_PASSPHRASE {
        return Err(BundleError::Short);
    }
    let (salt, nonce) = (random_bytes::<16>(entropy), random_bytes::<12>(entropy));
    let head = Head { memory_kib: MEMORY_KIB, passes: PASSES, salt, nonce };
    let text = ring.to_text().map_err(|_| BundleError::Memory)?;
    let lines = head.lines();
    let payload = Payload { msg: &text, aad: lines.as_bytes() };
    let sealed = head.cipher(passphrase)?.encrypt(&Nonce::from(nonce), payload).map_err(|_| BundleError::Memory)?;
    Ok(format!("{lines}sealed {}\n", BASE64.encode(&sealed)))
}

/// Opens a bundle.
pub fn open(bundle: &str, passphrase: &SecretString) -> Result<KeyRing, BundleError> {
    let (head, sealed) = parse(bundle).ok_or(BundleError::Malformed)?;
    let lines = head.lines();
    let payload = Payload { msg: &sealed, aad: lines.as_bytes() };
    let text = head.cipher(passphrase)?.decrypt(&Nonce::from(head.nonce), payload);
    let text = Zeroizing::new(text.map_err(|_| BundleError::Refused)?);
    KeyRing::parse(&text).map_err(|_| BundleError::Malformed)
}

/// The first four lines.
struct Head {
    memory_kib: u32,
    passes: u32,
    salt: [u8; 16],
    nonce: [u8; 12],
}

impl Head {
    fn lines(&self) -> String {
        let (salt, nonce) = (HEXLOWER.encode(&self.salt), HEXLOWER.encode(&self.nonce));
        format!("{FORMAT}\nargon2id m={},t={},p=1\nsalt {salt}\nnonce {nonce}\n", self.memory_kib, self.passes)
    }

    fn cipher(&self, passphrase: &SecretString) -> Result<Aes256GcmSiv, BundleError> {
        let params = Params::new(self.memory_kib, self.passes, 1, Some(32)).map_err(|_| BundleError::Malformed)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret().as_bytes(), &self.salt, &mut *key)
            .map_err(|_| BundleError::Memory)?;
        Ok(Aes256GcmSiv::new((&*key).into()))
    }
}

fn parse(bundle: &str) -> Option<(Head, Vec<u8>)> {
    let mut lines = bundle.lines();
    if lines.next()? != FORMAT {
        return None;
    }
    let (memory, passes) = lines.next()?.strip_prefix("argon2id m=")?.strip_suffix(",p=1")?.split_once(",t=")?;
    let (memory_kib, passes) = (memory.parse().ok()?, passes.parse().ok()?);
    if memory_kib > MAX_MEMORY_KIB || passes > MAX_PASSES {
        return None;
    }
    let salt = HEXLOWER.decode(lines.next()?.strip_prefix("salt ")?.as_bytes()).ok()?.try_into().ok()?;
    let nonce = HEXLOWER.decode(lines.next()?.strip_prefix("nonce ")?.as_bytes()).ok()?.try_into().ok()?;
    let sealed = BASE64.decode(lines.next()?.strip_prefix("sealed ")?.as_bytes()).ok()?;
    lines.next().is_none().then_some((Head { memory_kib, passes, salt, nonce }, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::entropy::OsEntropy;

    fn ring() -> KeyRing {
        KeyRing::generate(|key| key.fill(7)).with_next_version(|key| key.fill(8)).unwrap()
    }

    #[test]
    fn a_bundle_opens_with_its_passphrase_alone() {
        let passphrase = SecretString::from("six words or more are better");
        let bundle = seal(&ring(), &passphrase, &OsEntropy).unwrap();
        assert!(bundle.starts_with("countersign-keys-1\nargon2id m=262144,t=3,p=1\nsalt "), "{bundle}");
        assert!(!bundle.contains("0707"));
        let opened = open(&bundle, &passphrase).unwrap();
        assert_eq!(opened.check_value(), ring().check_value());
        assert_eq!(open(&bundle, &"six words or more are worse".into()).err(), Some(BundleError::Refused));
    }

    #[test]
    fn a_bundle_that_was_changed_does_not_open() {
        let passphrase = SecretString::from("six words or more are better");
        // One of cheap parameters, as nobody makes it, so that many can be tried.
        let head = Head { memory_kib: 8, passes: 1, salt: [1; 16], nonce: [2; 12] };
        let (lines, text) = (head.lines(), ring().to_text().unwrap());
        let payload = Payload { msg: &text, aad: lines.as_bytes() };
        let sealed = head.cipher(&passphrase).unwrap().encrypt(&Nonce::from(head.nonce), payload).unwrap();
        let bundle = format!("{lines}sealed {}\n", BASE64.encode(&sealed));
        assert!(open(&bundle, &passphrase).is_ok());
        for (good, bad) in [("m=8,", "m=16,"), ("t=1,", "t=2,"), ("salt 01", "salt 02"), ("nonce 02", "nonce 03")] {
            assert_eq!(open(&bundle.replace(good, bad), &passphrase).err(), Some(BundleError::Refused), "{good}");
        }
        for (good, bad) in [
            ("countersign-keys-1", "countersign-keys-2"),
            ("m=8,", "m=999999999,"),
            ("t=1,", "t=65,"),
            ("p=1", "p=2"),
            ("sealed ", "sealed"),
            ("salt 01", "salt 0"),
        ] {
            assert_eq!(open(&bundle.replace(good, bad), &passphrase).err(), Some(BundleError::Malformed), "{good}");
        }
        assert_eq!(open(&format!("{bundle}more\n"), &passphrase).err(), Some(BundleError::Malformed));
        assert_eq!(open("", &passphrase).err(), Some(BundleError::Malformed));
    }

    #[test]
    fn a_short_passphrase_is_refused() {
        assert_eq!(seal(&ring(), &"eleven char".into(), &OsEntropy).err(), Some(BundleError::Short));
    }
}
