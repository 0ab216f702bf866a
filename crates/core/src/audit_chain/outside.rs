//! The checkpoints that lie in a file outside the database. They show what somebody who can write to the database, or put
//! an old copy of it back, cannot hide: a log that has become shorter, or another one.

use super::checkpoint::{PublicKeys, SignatureCheck, checkpoint_from_line};
use super::lines::Lines;
use super::problem::{Problem, ProblemKind};
use countersign_model::audit::CheckpointKind;
use countersign_model::ids::AccountId;
use std::collections::BTreeMap;
use std::io::{self, BufRead};

/// What one line of the file says; its signature is good.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    pub(crate) seq: i64,
    pub(crate) hash: [u8; 32],
    /// When it was signed, in microseconds.
    pub(crate) at: i64,
    /// Which line of which file.
    pub(crate) place: Place,
}

/// A line of a file, the files numbered as they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    file: u16,
    line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.file > 1 {
            write!(f, "file {}, line {}", self.file, self.line)
        } else {
            write!(f, "line {}", self.line)
        }
    }
}

/// The checkpoints of all accounts from one or more files.
#[derive(Debug, Default)]
pub struct OutsideCheckpoints {
    accounts: BTreeMap<AccountId, Vec<Outside>>,
    problems: Vec<Problem>,
    files: u16,
}

impl OutsideCheckpoints {
    /// Adds the checkpoints of a file. Lines that are none, or that none of our keys signed, become problems; only a line
    /// that breaks off is none: a server was killed while it wrote.
    pub fn read(&mut self, file: impl BufRead, keys: &PublicKeys) -> io::Result<()> {
        self.files = self.files.saturating_add(1);
        let mut lines = Lines::new(file);
        while let Some(line) = lines.next()? {
            if line.text.is_empty() {
                continue;
            }
            let place = Place { file: self.files, line: u32::try_from(line.number).unwrap_or(u32::MAX) };
            let Some(checkpoint) = checkpoint_from_line(line.text) else {
                if line.text.ends_with(b"}") {
                    let text = format!("the checkpoint file: {place} is no checkpoint");
                    self.problems.push(Problem::new(ProblemKind::Malformed, i64::from(place.line), text));
                }
                continue;
            };
            let (seq, version) = (checkpoint.seq, checkpoint.key_version);
            match keys.check(&checkpoint) {
                SignatureCheck::Good if checkpoint.kind != CheckpointKind::Export => {
                    let at = checkpoint.at.micros();
                    let known = Outside { seq, hash: checkpoint.hash, at, place };
                    self.accounts.entry(checkpoint.account_id).or_default().push(known);
                }
                // The end of an export says nothing about the log beyond it.
                SignatureCheck::Good => {}
                SignatureCheck::Bad => {
                    let text =
                        format!("the checkpoint file: the signature in {place} is not by key {version} of this server");
                    self.problems.push(Problem::new(ProblemKind::BadSignature, seq, text));
                }
                SignatureCheck::UnknownKey => {
                    let text = format!("the checkpoint file: there is no public key {version} to verify {place} with");
                    self.problems.push(Problem::new(ProblemKind::UnknownKey, seq, text));
                }
            }
        }
        for known in self.accounts.values_mut() {
            known.sort_by_key(|known| known.seq);
        }
        Ok(())
    }

    /// The accounts that the files tell of.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.keys()
    }

    /// What is wrong with the files themselves.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(crate) fn of(&self, account: &AccountId) -> &[Outside] {
        self.accounts.get(account).map_or(&[], Vec::as_slice)
    }
}
