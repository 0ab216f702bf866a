//! What can go wrong with the store, told by who is at fault, and what an error means for the unit that returns it.

use std::path::PathBuf;

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The operator or the weather: disk full, database busy, connection lost, commit failed. Nothing of the unit is kept
    /// (after a connection lost at the very commit nobody can tell), and the same unit may succeed later. The doors
    /// answer 503.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),

    /// The data: a row that no version of this program wrote. Never holds the value itself.
    #[error("{table}.{column} {problem}")]
    BadRow {
        /// The table of the row.
        table: &'static str,
        /// The column of the value.
        column: &'static str,
        /// What is wrong with it.
        problem: String,
    },

    /// Us: a statement that the engine refuses, a unit that panicked or waited for something else than its statements.
    #[error("a fault of Countersign itself: {0}")]
    Fault(String),

    /// The operator: the database was written by a newer version of this program.
    #[error(
        "the database has schema {found}, and this version of Countersign knows schemas up to {known}: use the newer version again"
    )]
    FromTheFuture {
        /// The newest migration in the database.
        found: i64,
        /// The newest one this program knows.
        known: i64,
    },

    /// The operator or us: a migration that the database has is not the one in this program.
    #[error("migration {version} ({name}) of the database is not the one of this version of Countersign")]
    ForeignMigration {
        /// The migration's number.
        version: i64,
        /// Its name in the database.
        name: String,
    },

    /// The operator: another process serves this folder.
    #[error("another process serves {}", .folder.display())]
    AlreadyServed {
        /// The folder of the SQLite file.
        folder: PathBuf,
    },

    /// The operator: the place of the database cannot be understood. Never holds a password.
    #[error("the place of the database is not understood: {0}")]
    BadLocation(String),
}

/// What becomes of the writes of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// They stay: what the unit returns is an answer, even where the answer is no. A refusal keeps its count and its
    /// audit event.
    Commit,
    /// They go: something broke half-way.
    RollBack,
}

/// Says for the error of a unit whether its writes stay. `Ok` always commits.
pub trait Settles {
    /// What becomes of the writes of the unit that returned this error.
    fn settle(&self) -> Settle;
}

impl Settles for StoreError {
    fn settle(&self) -> Settle {
        Settle::RollBack
    }
}
