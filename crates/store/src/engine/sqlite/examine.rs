//! A look at a SQLite file from outside.

use std::path::Path;

use rusqlite::Connection;

use super::{explain, files};
use crate::engine::Examined;
use crate::error::StoreError;
use crate::migrate;

/// Looks at the file; it must be there.
pub(in crate::engine) fn examine(path: &Path) -> Result<Examined, StoreError> {
    let connection = files::connect_beside(path).map_err(|error| explain(&error))?;
    Ok(Examined {
        schema: migrate::schema_of_sqlite(&connection),
        damage: damage(&connection)?,
        writable: try_write(&connection).map_err(|error| explain(&error)),
        clock: None,
        forgetful: Vec::new(),
    })
}

/// What is broken inside the file, in SQLite's words.
pub(super) fn damage(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let told = || -> rusqlite::Result<Vec<String>> {
        let mut check = connection.prepare("PRAGMA quick_check(10)")?;
        check.query_map([], |row| row.get(0))?.collect()
    };
    let told = told().map_err(|error| explain(&error))?;
    Ok(told.into_iter().filter(|line| line != "ok").collect())
}

fn try_write(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let written = connection.execute("INSERT INTO facts (name, value) VALUES ('examined', '')", []);
    connection.execute_batch("ROLLBACK")?;
    written.map(drop)
}
