//! Walks over a chain, entry by entry, and names the places where it is not what was written. It holds no more than a few
//! entries at once, wherever they come from.

use super::checkpoint::{PublicKeys, SignatureCheck};
use super::entry::{Encoder, GENESIS};
use super::outside::Outside;
use super::problem::{Problem, ProblemKind};
use countersign_model::audit::Checkpoint;
use countersign_store::audit_chain::StoredEntry;
use std::collections::BTreeMap;

/// So many problems are named; the rest are counted.
const NAMED: usize = 100;
/// So many entries with a wrong hash are kept to be compared with each other.
const SUSPECTS: usize = 64;
/// So many gaps are remembered, to tell entries that moved from entries that went.
const GAPS: usize = 1_000;

/// A walk over the chain of one account.
pub(crate) struct Verifier<'k> {
    account: String,
    keys: &'k PublicKeys,
    encoder: Encoder,
    start: i64,
    expected: i64,
    /// The hash of the entry before; unknown behind a gap.
    previous: Option<[u8; 32]>,
    last: i64,
    last_hash: [u8; 32],
    entries: u64,
    signed: Option<(i64, i64)>,
    /// Signed hashes of entries that are still to come.
    ahead: BTreeMap<i64, ([u8; 32], i64)>,
    /// Checkpoints from outside the database, by number.
    outside: &'k [Outside],
    missing: Vec<(i64, i64)>,
    suspects: Vec<Suspect>,
    problems: Vec<Problem>,
    unnamed: u64,
}

/// An entry whose hash is wrong where it stands.
struct Suspect {
    previous: [u8; 32],
    stored: [u8; 32],
    entry: StoredEntry,
}

/// What a walk has found.
pub(crate) struct Walked {
    pub(crate) entries: u64,
    pub(crate) last: i64,
    /// The highest number that a good signature covers, and when it was signed, in microseconds.
    pub(crate) signed: Option<(i64, i64)>,
    pub(crate) problems: Vec<Problem>,
    /// Problems that are only counted.
    pub(crate) unnamed: u64,
}

impl<'k> Verifier<'k> {
    /// A walk that begins with the first entry ever.
    pub(crate) fn new(account: &str, keys: &'k PublicKeys, outside: &'k [Outside]) -> Self {
        Self {
            account: account.to_owned(),
            keys,
            encoder: Encoder::default(),
            start: 0,
            expected: 1,
            previous: Some(GENESIS),
            last: 0,
            last_hash: GENESIS,
            entries: 0,
            signed: None,
            ahead: BTreeMap::new(),
            outside,
            missing: Vec::new(),
            suspects: Vec::new(),
            problems: Vec::new(),
            unnamed: 0,
        }
    }

    /// Lets the walk begin behind the entry `seq` with this hash.
    pub(crate) fn start_behind(&mut self, seq: i64, hash: [u8; 32]) {
        (self.start, self.last, self.last_hash) = (seq, seq, hash);
        (self.expected, self.previous) = (seq.saturating_add(1), Some(hash));
        self.compare_outside(seq, &hash);
    }

    pub(crate) const fn last(&self) -> i64 {
        self.last
    }

    pub(crate) const fn last_hash(&self) -> &[u8; 32] {
        &self.last_hash
    }

    /// Whether nothing was wrong so far.
    pub(crate) const fn is_good(&self) -> bool {
        self.problems.is_empty() && self.suspects.is_empty() && self.missing.is_empty() && self.unnamed == 0
    }

    /// The next entry, in the order in which they lie there.
    pub(crate) fn entry(&mut self, entry: &StoredEntry) {
        let seq = entry.seq;
        if entry.account_id != self.account {
            let text =
                format!("entry {seq} belongs to the log of the account {}: it was copied here", entry.account_id);
            return self.report(Problem::new(ProblemKind::Foreign, seq, text));
        }
        if seq < self.expected {
            return self.late(seq);
        }
        if seq > self.expected {
            self.gap(self.expected, seq - 1);
        }
        let stored = <[u8; 32]>::try_from(entry.hash.as_slice()).unwrap_or_default();
        if let Some(previous) = self.previous
            && self.encoder.hash(&previous, seq, entry) != stored
        {
            self.suspect(Suspect { previous, stored, entry: entry.clone() });
        }
        self.previous = Some(stored);
        (self.last, self.last_hash) = (seq, stored);
        self.expected = seq.saturating_add(1);
        self.entries += 1;
        self.compare_ahead(seq, &stored);
        self.compare_outside(seq, &stored);
    }

    /// A checkpoint that lies in the log; `place` says where.
    pub(crate) fn checkpoint(&mut self, checkpoint: &Checkpoint, place: &str) {
        if !self.is_genuine(checkpoint, place) || checkpoint.seq < self.start {
            return;
        }
        let (seq, at) = (checkpoint.seq, checkpoint.at.micros());
        if seq == self.last {
            let hash = self.last_hash;
            self.compare(seq, &checkpoint.hash, &hash, place);
            self.cover(seq, at);
        } else if seq > self.last {
            self.ahead.insert(seq, (checkpoint.hash, at));
        }
    }

    /// Whether a checkpoint is of this account and by its key. What is not is reported.
    pub(crate) fn is_genuine(&mut self, checkpoint: &Checkpoint, place: &str) -> bool {
        let Checkpoint { account_id, seq, key_version, .. } = checkpoint;
        let problem = match self.keys.check(checkpoint) {
            _ if account_id.as_str() != self.account => {
                let text = format!("{place}: the checkpoint of entry {seq} belongs to the account {account_id}");
                Problem::new(ProblemKind::Foreign, *seq, text)
            }
            SignatureCheck::Good => return true,
            SignatureCheck::Bad => {
                let text = format!("{place}: the signature of entry {seq} is not by key {key_version} of this server");
                Problem::new(ProblemKind::BadSignature, *seq, text)
            }
            SignatureCheck::UnknownKey => {
                let text = format!("{place}: there is no public key {key_version} to verify entry {seq} with");
                Problem::new(ProblemKind::UnknownKey, *seq, text)
            }
        };
        self.report(problem);
        false
    }

    /// Compares the end of the walk with a number and hash that are known to be true.
    pub(crate) fn compare_end(&mut self, seq: i64, hash: &[u8; 32], place: &str) {
        if seq > self.last {
            let text = format!("{place} says that there is an entry {seq}, and the log ends with entry {}", self.last);
            self.report(Problem::new(ProblemKind::Cut, self.last, text));
        } else if seq == self.last {
            let last_hash = self.last_hash;
            self.compare(seq, hash, &last_hash, place);
        }
    }

    pub(crate) fn report(&mut self, problem: Problem) {
        if self.problems.len() < NAMED {
            self.problems.push(problem);
        } else {
            self.unnamed += 1;
        }
    }

    /// Ends the walk.
    pub(crate) fn end(mut self) -> Walked {
        let ahead = std::mem::take(&mut self.ahead);
        let beyond = self.outside.iter().filter(|known| known.seq > self.last).max_by_key(|known| known.seq);
        let beyond = beyond.map(|known| (known.seq, format!("the checkpoint file ({})", known.place)));
        let inside = ahead.last_key_value().map(|(seq, _)| (*seq, "a checkpoint".to_owned()));
        if let Some((seq, place)) = beyond.into_iter().chain(inside).max_by_key(|(seq, _)| *seq) {
            let text = format!("{place} says that there is an entry {seq}, and the log ends with entry {}", self.last);
            self.report(Problem::new(ProblemKind::Cut, self.last, text));
        }
        for (first, last) in std::mem::take(&mut self.missing) {
            let text = if first == last {
                format!("entry {first} is missing")
            } else {
                format!("the entries {first} to {last} are missing")
            };
            self.report(Problem::new(ProblemKind::Removed, first, text));
        }
        let suspects = std::mem::take(&mut self.suspects);
        for problem in judge(&mut self.encoder, &suspects) {
            self.report(problem);
        }
        self.problems.sort_by_key(|problem| problem.seq);
        Walked {
            entries: self.entries,
            last: self.last,
            signed: self.signed,
            problems: self.problems,
            unnamed: self.unnamed,
        }
    }

    /// An entry with a number that was passed already.
    fn late(&mut self, seq: i64) {
        if seq < 1 {
            return self.report(Problem::new(ProblemKind::Malformed, seq, format!("{seq} is no number of an entry")));
        }
        let gap = self.missing.iter().position(|(first, last)| (*first..=*last).contains(&seq));
        let Some(gap) = gap else {
            let text = format!("entry {seq} comes twice, or again");
            return self.report(Problem::new(ProblemKind::Repeated, seq, text));
        };
        let (first, last) = self.missing.swap_remove(gap);
        for (first, last) in [(first, seq - 1), (seq + 1, last)] {
            if first <= last {
                self.missing.push((first, last));
            }
        }
        let text = format!("entry {seq} does not stand in its place, but behind entry {}", self.last);
        self.report(Problem::new(ProblemKind::Reordered, seq, text));
    }

    fn gap(&mut self, first: i64, last: i64) {
        self.previous = None;
        if self.missing.len() < GAPS {
            self.missing.push((first, last));
        } else {
            self.unnamed += 1;
        }
    }

    fn suspect(&mut self, suspect: Suspect) {
        if self.suspects.len() < SUSPECTS {
            self.suspects.push(suspect);
        } else {
            self.unnamed += 1;
        }
    }

    fn compare_ahead(&mut self, seq: i64, stored: &[u8; 32]) {
        while let Some(entry) = self.ahead.first_entry()
            && *entry.key() <= seq
        {
            let (number, (hash, at)) = entry.remove_entry();
            if number == seq {
                self.compare(seq, &hash, stored, "a checkpoint");
                self.cover(seq, at);
            }
        }
    }

    fn compare_outside(&mut self, seq: i64, stored: &[u8; 32]) {
        while let Some((known, rest)) = self.outside.split_first()
            && known.seq <= seq
        {
            self.outside = rest;
            if known.seq == seq {
                self.compare(seq, &known.hash, stored, &format!("the checkpoint file ({})", known.place));
                self.cover(seq, known.at);
            }
        }
    }

    fn compare(&mut self, seq: i64, signed: &[u8; 32], stored: &[u8; 32], place: &str) {
        if signed != stored {
            let text = format!(
                "{place} says that entry {seq} has another hash: entries up to it were written anew, or come from another \
                 copy of this log"
            );
            self.report(Problem::new(ProblemKind::Replaced, seq, text));
        }
    }

    fn cover(&mut self, seq: i64, at: i64) {
        if self.signed.is_none_or(|(covered, _)| covered <= seq) {
            self.signed = Some((seq, at));
        }
    }
}

/// Tells entries that stand in each other's place from entries that were edited, and leaves out those whose only fault is
/// that one of these stands before them.
fn judge(encoder: &mut Encoder, suspects: &[Suspect]) -> Vec<Problem> {
    let mut problems = Vec::new();
    // The place before, and the true hash of what belongs there.
    let mut before: Option<(i64, [u8; 32])> = None;
    for suspect in suspects {
        let seq = suspect.entry.seq;
        if let Some((place, hash)) = before
            && place == seq - 1
            && encoder.hash(&hash, seq, &suspect.entry) == suspect.stored
        {
            before = None;
            continue;
        }
        let belongs_here = suspects.iter().filter(|other| other.entry.seq != seq).find_map(|other| {
            let hash = encoder.hash(&suspect.previous, seq, &other.entry);
            (hash == suspect.stored || hash == other.stored).then_some((other.entry.seq, hash))
        });
        problems.push(if let Some((stands_at, _)) = belongs_here {
            let text = format!("the entry that belongs to {seq} stands at {stands_at}");
            Problem::new(ProblemKind::Reordered, seq, text)
        } else {
            let text = format!(
                "the hash of entry {seq} ({}) does not match what it tells: it was edited, or the hash before it",
                suspect.entry.event_id
            );
            Problem::new(ProblemKind::Edited, seq, text)
        });
        before = belongs_here.map(|(_, hash)| (seq, hash));
    }
    problems
}
