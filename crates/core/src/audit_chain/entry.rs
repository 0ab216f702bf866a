//! What the hash of an entry is made from.

use countersign_store::audit_chain::StoredEntry;
use sha2::{Digest as _, Sha256};

/// Begins every encoding, so that it is that of nothing else. Another one comes with another encoding.
const FORMAT: &[u8] = b"countersign audit entry 1";

/// The hash before the first entry.
pub const GENESIS: [u8; 32] = [0; 32];

/// The hash of an entry that stands at `seq` behind the one with the hash `previous`.
#[must_use]
pub fn chained_hash(previous: &[u8; 32], seq: i64, entry: &StoredEntry) -> [u8; 32] {
    Encoder::default().hash(previous, seq, entry)
}

/// Every field of an entry at `seq`, each behind its length: no two different entries have the same encoding.
#[must_use]
pub fn canonical(seq: i64, entry: &StoredEntry) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.encode(seq, entry);
    encoder.buffer
}

/// Hashes many entries in one piece of memory.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    buffer: Vec<u8>,
}

impl Encoder {
    pub(crate) fn hash(&mut self, previous: &[u8; 32], seq: i64, entry: &StoredEntry) -> [u8; 32] {
        self.buffer.clear();
        self.buffer.extend(previous);
        self.encode(seq, entry);
        Sha256::digest(&self.buffer).into()
    }

    fn encode(&mut self, seq: i64, entry: &StoredEntry) {
        // `hash` is what comes out; everything else goes in. A new field does not compile before it stands here.
        let StoredEntry {
            seq: _,
            hash: _,
            account_id,
            event_id,
            at,
            actor_kind,
            actor_id,
            actor_name,
            action,
            target,
            outcome,
            reason,
            details,
            address,
            user_agent,
        } = entry;
        put(&mut self.buffer, FORMAT);
        put(&mut self.buffer, account_id.as_bytes());
        put(&mut self.buffer, &seq.to_be_bytes());
        put(&mut self.buffer, event_id.as_bytes());
        put(&mut self.buffer, &at.to_be_bytes());
        let texts = [actor_kind, actor_id, actor_name, action, target, outcome, reason, details, address, user_agent];
        for text in texts {
            put(&mut self.buffer, text.as_bytes());
        }
    }
}

/// Appends a field behind its length in eight bytes, the highest first.
pub(crate) fn put(buffer: &mut Vec<u8>, field: &[u8]) {
    // A length has at most 64 bits on every platform.
    buffer.extend(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
    buffer.extend(field);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = StoredEntry> {
        // Texts of few letters, so that they often are each other's beginnings.
        let texts = prop::collection::vec("[ab]{0,3}", 12);
        (texts, -2_i64..3).prop_map(|(texts, at)| {
            let mut texts = texts.into_iter();
            let mut next = || texts.next().unwrap();
            StoredEntry {
                seq: 0,
                hash: Vec::new(),
                account_id: next(),
                event_id: next(),
                at,
                actor_kind: next(),
                actor_id: next(),
                actor_name: next(),
                action: next(),
                target: next(),
                outcome: next(),
                reason: next(),
                details: next(),
                address: next(),
                user_agent: next(),
            }
        })
    }

    /// Takes an encoding apart again, as far as it is one.
    fn fields(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_first_chunk::<8>()?;
            let (field, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
            fields.push(field.to_vec());
            bytes = rest;
        }
        Some(fields)
    }

    proptest! {
        #[test]
        fn no_two_different_entries_have_one_encoding(a in entry(), b in entry(), i in 0_i64..3, j in 0_i64..3) {
            prop_assert_eq!(canonical(i, &a) == canonical(j, &b), a == b && i == j);
        }

        #[test]
        fn an_encoding_can_be_taken_apart_in_one_way_only(a in entry(), seq in any::<i64>()) {
            let fields = fields(&canonical(seq, &a)).unwrap();
            prop_assert_eq!(fields.len(), 15);
            prop_assert_eq!(&fields[1], a.account_id.as_bytes());
            prop_assert_eq!(&fields[2], &seq.to_be_bytes());
            prop_assert_eq!(&fields[14], a.user_agent.as_bytes());
        }
    }

    #[test]
    fn a_text_that_moves_to_the_next_field_changes_the_hash() {
        let one = StoredEntry { target: "ab".to_owned(), ..StoredEntry::default() };
        let other = StoredEntry { target: "a".to_owned(), outcome: "b".to_owned(), ..StoredEntry::default() };
        assert_ne!(chained_hash(&GENESIS, 1, &one), chained_hash(&GENESIS, 1, &other));
        assert_ne!(chained_hash(&GENESIS, 1, &one), chained_hash(&GENESIS, 2, &one));
        assert_ne!(chained_hash(&GENESIS, 1, &one), chained_hash(&[1; 32], 1, &one));
    }
}
