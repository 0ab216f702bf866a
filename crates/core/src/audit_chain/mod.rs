//! The audit log as a chain. The transaction that decides only inserts its event; a [`Sequencer`] numbers the events of each
//! account without gaps soon after, hashes each together with the one before, and signs the head every few seconds.
//!
//! | module | is about |
//! |---|---|
//! | `entry` | what the hash of an entry is made from |
//! | `checkpoint` | what is signed, and by which key |
//! | `sequencer` | numbers, hashes and signs |
//! | `trim` | drops what was kept long enough, and leaves a signed stub |
//! | `broken` | tells of a log that is not what was written |
//! | `verifier` | walks over a chain and names the places where it is not what was written |
//! | `check` | that walk over the database; `outside`: with checkpoints from a file |
//! | `export` | the log of an account on its way out of the house; `offline`: its verification, with public keys alone |
//!
//! Somebody who can write to the database, but not read the key ring, can change no entry, take none away and put none
//! between, without that the walk names the place. He can put an old copy of the whole log back: checkpoints that lie
//! elsewhere show that.

mod broken;
mod check;
mod checkpoint;
mod entry;
mod export;
mod lines;
mod offline;
mod outside;
mod problem;
mod sequencer;
mod trim;
mod verifier;

pub use check::AuditCheck;
pub use checkpoint::{NotPublicKeys, PublicKeys, SignatureCheck, checkpoint_from_line, checkpoint_to_line};
pub use countersign_model::audit::{Checkpoint, CheckpointKind};
pub use countersign_store::audit_chain::StoredEntry;
pub use entry::{GENESIS, canonical, chained_hash};
pub(crate) use export::write_cell;
pub use export::{AuditExport, ExportFormat};
pub use offline::{Unreadable, verify_export};
pub use outside::OutsideCheckpoints;
pub use problem::{Problem, ProblemKind};
pub use sequencer::{Sequenced, Sequencer};
pub use trim::Trimmed;

use crate::Countersign;
use countersign_model::ids::AccountId;
use countersign_store::audit_chain::Head;

impl Countersign {
    /// The public keys with which the signatures of this installation are verified.
    #[must_use]
    pub fn audit_public_keys(&self) -> PublicKeys {
        PublicKeys::of(&self.inner.keys.ring())
    }

    /// What only who holds the keys can say of a head.
    fn prove_head(&self, head: Head) -> Head {
        Head { proof: self.inner.keys.ring().keyed_hash(HEAD_PURPOSE, &head_message(&head)).to_vec(), ..head }
    }

    /// Whether Countersign wrote this head, by whichever of its keys.
    pub(crate) fn is_proven(&self, head: &Head) -> bool {
        self.inner.keys.keyed_hash_matches(HEAD_PURPOSE, &head_message(head), &head.proof)
    }
}

const HEAD_PURPOSE: &str = "head of an audit chain";

fn head_message(head: &Head) -> Vec<u8> {
    let Head { account_id, seq, hash, signed_seq, signed_at, proof: _ } = head;
    let mut message = Vec::with_capacity(128);
    entry::put(&mut message, account_id.as_str().as_bytes());
    entry::put(&mut message, &seq.to_be_bytes());
    entry::put(&mut message, hash);
    entry::put(&mut message, &signed_seq.to_be_bytes());
    entry::put(&mut message, &signed_at.micros().to_be_bytes());
    message
}

/// The head of a chain that has not begun.
const fn no_head(account_id: AccountId) -> Head {
    let beginning = countersign_model::Timestamp::from_micros(0);
    Head { account_id, seq: 0, hash: GENESIS, signed_seq: 0, signed_at: beginning, proof: Vec::new() }
}
