//! A look at a database from outside: nothing is made, nothing brought up to date, whatever state it is in.

use super::{Location, postgres, sqlite};
use crate::error::StoreError;
use countersign_model::Timestamp;

/// What was found. Each part is told by itself, so that one that fails hides no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The newest migration in the database and the newest one that this program knows.
    pub schema: Result<(i64, i64), StoreError>,
    /// What is broken inside the file. Empty on PostgreSQL, which looks after its own.
    pub damage: Vec<String>,
    /// Whether a row can be written. Nothing of it is kept.
    pub writable: Result<(), StoreError>,
    /// What the database's own clock says, where it has one.
    pub clock: Option<Timestamp>,
    /// Settings of the database under which a use that was told could be forgotten, as `name = value`.
    pub forgetful: Vec<String>,
}

/// Looks at a database, whether a server runs on it or not. An error says that it cannot be reached.
pub async fn examine(location: &Location) -> Result<Examined, StoreError> {
    match location {
        Location::Sqlite(path) => sqlite::examine(path),
        Location::Postgres(url) => postgres::examine(url).await,
    }
}
