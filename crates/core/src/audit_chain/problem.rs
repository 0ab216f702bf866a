//! What can be wrong with a chain, and where.

use serde::Serialize;

/// What is wrong at a place of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// An entry is not what its hash was made from.
    Edited,
    /// Entries are missing between others, or from the beginning.
    Removed,
    /// An entry stands in the place of another one.
    Reordered,
    /// Two entries have one number.
    Repeated,
    /// An entry or a checkpoint comes from another log.
    Foreign,
    /// The log ends before an entry that was signed.
    Cut,
    /// A signed hash is not the one in the log: from here back it was written anew.
    Replaced,
    /// A signature is not by the key that it names.
    BadSignature,
    /// The stored head of the chain was not written by Countersign.
    Head,
    /// A line is not one that Countersign writes.
    Malformed,
    /// There is no public key to verify a signature with. Nothing is known to be wrong.
    UnknownKey,
}

/// Something wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// The number of the entry, or of the line where no entry can be told.
    pub seq: i64,
    /// In words.
    pub text: String,
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, seq: i64, text: impl Into<String>) -> Self {
        Self { kind, seq, text: text.into() }
    }

    /// Whether it shows that somebody meddled, and not only that something could not be told.
    #[must_use]
    pub const fn is_tampering(&self) -> bool {
        match self.kind {
            ProblemKind::Edited
            | ProblemKind::Removed
            | ProblemKind::Reordered
            | ProblemKind::Repeated
            | ProblemKind::Foreign
            | ProblemKind::Cut
            | ProblemKind::Replaced
            | ProblemKind::BadSignature
            | ProblemKind::Head
            | ProblemKind::Malformed => true,
            ProblemKind::UnknownKey => false,
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}
