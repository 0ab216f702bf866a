//! One master key, and the keys for each use that are derived from it.

use aes_gcm_siv::{Aes256GcmSiv, KeyInit as _};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use ring::signature::Ed25519KeyPair;
use sha2::Sha256;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;

/// A key of 256 bits that is zeroed when dropped.
type Secret = Zeroizing<[u8; KEY_BYTES]>;

/// One master key and what is derived from it.
pub(super) struct Key {
    pub(super) version: u32,
    pub(super) master: Secret,
    sealing: Secret,
    pub(super) phantom: Secret,
    lookup: Secret,
    check: Secret,
    audit: Secret,
}

impl Key {
    pub(super) fn generate(version: u32, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut master = Secret::default();
        fill(&mut *master);
        Self::derive(version, master)
    }

    pub(super) fn parse(version: u32, hex: &str) -> Option<Self> {
        let mut master = Secret::default();
        let fits = HEXLOWER.decode_len(hex.len()).is_ok_and(|length| length == KEY_BYTES);
        let decoded = fits && HEXLOWER.decode_mut(hex.as_bytes(), &mut *master).is_ok();
        decoded.then(|| Self::derive(version, master))
    }

    pub(super) fn duplicate(&self) -> Self {
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

    pub(super) fn cipher(&self) -> Aes256GcmSiv {
        Aes256GcmSiv::new((&*self.sealing).into())
    }

    #[expect(clippy::expect_used, reason = "every 32 bytes are the seed of an Ed25519 key (RFC 8032 §5.1.5)")]
    pub(super) fn audit_key_pair(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&*self.audit).expect("a seed has 32 bytes")
    }

    pub(super) fn keyed_hash(&self, purpose: &'static str, value: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.lookup, &[&length_prefix(purpose.as_bytes()), purpose.as_bytes(), value])
    }

    /// `version:` and 128 bits in hexadecimal.
    pub(super) fn fingerprint(&self) -> String {
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

pub(super) fn hmac_sha256(key: &Secret, parts: &[&[u8]]) -> [u8; 32] {
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

pub(super) fn length_prefix(field: &[u8]) -> [u8; 8] {
    // A length has at most 64 bits on every platform; it is written in 64 on each.
    u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes()
}
