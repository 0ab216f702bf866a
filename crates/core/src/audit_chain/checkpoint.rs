//! Signed statements about a chain: what is signed, by which key, and how it is written on a line.

use super::entry::put;
use crate::keyring::KeyRing;
use countersign_model::Timestamp;
use countersign_model::audit::{Checkpoint, CheckpointKind};
use countersign_model::ids::AccountId;
use data_encoding::HEXLOWER;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Begins everything that is signed.
const FORMAT: &[u8] = b"countersign audit checkpoint 1";

/// Begins every line of a file of public keys.
const KEY_WORD: &str = "countersign-audit-ed25519";

/// A checkpoint that is not signed yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement<'a> {
    pub(crate) account_id: &'a AccountId,
    pub(crate) kind: CheckpointKind,
    pub(crate) after: i64,
    pub(crate) seq: i64,
    pub(crate) hash: [u8; 32],
    pub(crate) at: Timestamp,
}

impl Statement<'_> {
    /// Signs it with the current key.
    pub(crate) fn sign(self, keys: &KeyRing) -> Checkpoint {
        let unsigned = Checkpoint {
            account_id: self.account_id.clone(),
            kind: self.kind,
            after: self.after,
            seq: self.seq,
            hash: self.hash,
            at: self.at,
            key_version: keys.current_version(),
            signature: Vec::new(),
        };
        Checkpoint { signature: keys.sign_audit(&message(&unsigned)), ..unsigned }
    }
}

/// What the signature is over: every field, each behind its length.
fn message(checkpoint: &Checkpoint) -> Vec<u8> {
    let Checkpoint { account_id, kind, after, seq, hash, at, key_version, signature: _ } = checkpoint;
    let mut message = Vec::with_capacity(256);
    put(&mut message, FORMAT);
    put(&mut message, account_id.as_str().as_bytes());
    put(&mut message, kind.as_str().as_bytes());
    put(&mut message, &after.to_be_bytes());
    put(&mut message, &seq.to_be_bytes());
    put(&mut message, hash);
    put(&mut message, &at.micros().to_be_bytes());
    put(&mut message, &key_version.to_be_bytes());
    message
}

/// The public keys with which checkpoints are verified, one for each version of the key ring.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublicKeys(BTreeMap<u32, [u8; 32]>);

/// Why a text is no list of public keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is no public key of Countersign: it looks like `countersign-audit-ed25519 1 9f86…`")]
pub struct NotPublicKeys(pub usize);

/// What came of a look at a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureCheck {
    /// Whoever holds that key signed this very statement.
    Good,
    /// He did not.
    Bad,
    /// There is no public key of this version to tell.
    UnknownKey,
}

impl PublicKeys {
    /// The public keys of a key ring.
    #[must_use]
    pub fn of(keys: &KeyRing) -> Self {
        Self(keys.audit_public_keys().collect())
    }

    /// Reads what [`Display`](std::fmt::Display) wrote. Empty lines and lines behind `#` do not count.
    pub fn parse(text: &str) -> Result<Self, NotPublicKeys> {
        let mut keys = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (version, key) = parse_key(line).ok_or(NotPublicKeys(number + 1))?;
            keys.insert(version, key);
        }
        if keys.is_empty() { Err(NotPublicKeys(1)) } else { Ok(Self(keys)) }
    }

    /// The keys in hexadecimal, by version.
    pub fn by_version(&self) -> impl Iterator<Item = (u32, String)> {
        self.0.iter().map(|(version, key)| (*version, HEXLOWER.encode(key)))
    }

    /// Whether a checkpoint was signed by the key that it names.
    #[must_use]
    pub fn check(&self, checkpoint: &Checkpoint) -> SignatureCheck {
        let Some(key) = self.0.get(&checkpoint.key_version) else { return SignatureCheck::UnknownKey };
        let key = UnparsedPublicKey::new(&ED25519, key);
        match key.verify(&message(checkpoint), &checkpoint.signature) {
            Ok(()) => SignatureCheck::Good,
            Err(_) => SignatureCheck::Bad,
        }
    }
}

impl std::fmt::Display for PublicKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for (version, key) in self.by_version() {
            writeln!(text, "{KEY_WORD} {version} {key}")?;
        }
        f.write_str(text.trim_end())
    }
}

fn parse_key(line: &str) -> Option<(u32, [u8; 32])> {
    let mut words = line.split_whitespace();
    let (word, version, key) = (words.next()?, words.next()?, words.next()?);
    if word != KEY_WORD || words.next().is_some() {
        return None;
    }
    Some((version.parse().ok()?, parse_hash(key)?))
}

/// 32 bytes from 64 hexadecimal digits in lower case.
pub(crate) fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let fits = text.len() == 64 && HEXLOWER.decode_mut(text.as_bytes(), &mut hash).is_ok();
    fits.then_some(hash)
}

/// A checkpoint as a line of JSON: in the file outside the database, and in exports.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckpointLine {
    account_id: AccountId,
    kind: CheckpointKind,
    #[serde(default, skip_serializing_if = "is_nought")]
    after: i64,
    seq: i64,
    hash: String,
    at: String,
    key_version: u32,
    signature: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_nought(number: &i64) -> bool {
    *number == 0
}

impl From<&Checkpoint> for CheckpointLine {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            account_id: checkpoint.account_id.clone(),
            kind: checkpoint.kind,
            after: checkpoint.after,
            seq: checkpoint.seq,
            hash: HEXLOWER.encode(&checkpoint.hash),
            at: checkpoint.at.to_rfc3339_micros(),
            key_version: checkpoint.key_version,
            signature: HEXLOWER.encode(&checkpoint.signature),
        }
    }
}

impl CheckpointLine {
    pub(crate) fn into_checkpoint(self) -> Option<Checkpoint> {
        Some(Checkpoint {
            account_id: self.account_id,
            kind: self.kind,
            after: self.after,
            seq: self.seq,
            hash: parse_hash(&self.hash)?,
            at: Timestamp::parse_rfc3339(&self.at)?,
            key_version: self.key_version,
            signature: HEXLOWER.decode(self.signature.as_bytes()).ok()?,
        })
    }
}

/// A checkpoint as a line of the file outside the database, without the end of the line.
#[must_use]
pub fn checkpoint_to_line(checkpoint: &Checkpoint) -> String {
    serde_json::to_string(&CheckpointLine::from(checkpoint)).unwrap_or_default()
}

/// Reads what [`checkpoint_to_line`] wrote.
#[must_use]
pub fn checkpoint_from_line(line: &[u8]) -> Option<Checkpoint> {
    serde_json::from_slice::<CheckpointLine>(line).ok()?.into_checkpoint()
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::entropy::OsEntropy;

    fn signed(keys: &KeyRing) -> Checkpoint {
        let account_id = AccountId::generate(&OsEntropy);
        let (kind, at) = (CheckpointKind::Head, Timestamp::from_micros(1_767_323_045_000_006));
        Statement { account_id: &account_id, kind, after: 0, seq: 7, hash: [9; 32], at }.sign(keys)
    }

    #[test]
    fn any_changed_field_breaks_the_signature() {
        let keys = KeyRing::generate(|bytes| bytes.fill(7));
        let (good, public) = (signed(&keys), PublicKeys::of(&keys));
        assert_eq!(public.check(&good), SignatureCheck::Good);
        let other = AccountId::generate(&OsEntropy);
        let mut hash = good.hash;
        hash[31] ^= 1;
        for changed in [
            Checkpoint { account_id: other, ..good.clone() },
            Checkpoint { kind: CheckpointKind::Stub, ..good.clone() },
            Checkpoint { after: 1, ..good.clone() },
            Checkpoint { seq: 8, ..good.clone() },
            Checkpoint { hash, ..good.clone() },
            Checkpoint { at: Timestamp::from_micros(0), ..good.clone() },
            Checkpoint { signature: Vec::new(), ..good.clone() },
        ] {
            assert_eq!(public.check(&changed), SignatureCheck::Bad, "{changed:?}");
        }
        let foreign = PublicKeys::of(&KeyRing::generate(|bytes| bytes.fill(8)));
        assert_eq!(foreign.check(&good), SignatureCheck::Bad);
        assert_eq!(public.check(&Checkpoint { key_version: 2, ..good }), SignatureCheck::UnknownKey);
    }

    #[test]
    fn after_a_rotation_old_signatures_still_verify() {
        let old = KeyRing::generate(|bytes| bytes.fill(7));
        let before = signed(&old);
        let new = old.with_next_version(|bytes| bytes.fill(8)).unwrap();
        let (after, public) = (signed(&new), PublicKeys::of(&new));
        assert_eq!((before.key_version, after.key_version), (1, 2));
        assert_eq!([public.check(&before), public.check(&after)], [SignatureCheck::Good; 2]);
        assert_eq!(PublicKeys::parse(&public.to_string()).unwrap(), public);
        assert_eq!(PublicKeys::of(&old).check(&after), SignatureCheck::UnknownKey);
    }

    #[test]
    fn a_line_comes_back_as_it_was() {
        let checkpoint = signed(&KeyRing::generate(|bytes| bytes.fill(7)));
        let line = checkpoint_to_line(&checkpoint);
        assert!(!line.contains('\n') && line.contains("\"seq\":7"), "{line}");
        assert_eq!(checkpoint_from_line(line.as_bytes()), Some(checkpoint));
        for junk in
            ["", "{}", "null", "[]", line.trim_start_matches('{'), &line.replace("\"seq\":7", "\"seq\":7,\"seq\":8")]
        {
            assert_eq!(checkpoint_from_line(junk.as_bytes()), None, "{junk}");
        }
    }

    #[test]
    fn only_keys_are_keys() {
        for (text, line) in
            [("", 1), ("# nothing", 1), ("ssh-ed25519 AAAA", 1), ("\ncountersign-audit-ed25519 1 00", 2)]
        {
            assert_eq!(PublicKeys::parse(text), Err(NotPublicKeys(line)), "{text}");
        }
    }
}
