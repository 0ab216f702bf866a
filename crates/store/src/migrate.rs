//! Brings a database's schema up to this program's: numbered SQL texts, embedded, each applied once in a transaction of
//! its own and remembered with its checksum.
//!
//! To add one: the next number in `migrations/sqlite` and in `migrations/postgres`, under the same name, and a line in
//! [`SQLITE`] and [`POSTGRES`]. One that is out is never edited. No constraint is `DEFERRABLE`: many units share a commit
//! on SQLite, and a constraint that speaks up only then would undo them all.

use data_encoding::HEXLOWER;
use deadpool_postgres::Client;
use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha256};
use tokio_postgres::error::SqlState;

use crate::engine::{explain_postgres, explain_sqlite};
use crate::error::StoreError;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number; they ascend.
    pub version: i64,
    /// What it is about.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

/// The migrations, by engine.
macro_rules! migrations {
    ($engine:literal: $($version:literal $name:literal),+ $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../migrations/", $engine, "/000", $version, "_", $name, ".sql")),
        }),+]
    };
}

/// The migrations of SQLite.
pub(crate) const SQLITE: &[Migration] = migrations!("sqlite": 1 "beginning", 2 "logon_policy", 3 "audit_chain", 4 "notices", 5 "access_keys", 6 "policies", 7 "ram_api", 8 "webauthn");

/// The migrations of PostgreSQL.
pub(crate) const POSTGRES: &[Migration] = migrations!("postgres": 1 "beginning", 2 "logon_policy", 3 "audit_chain", 4 "notices", 5 "access_keys", 6 "policies", 7 "ram_api", 8 "webauthn");

const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";
const APPLIED: &str = "SELECT version, name, checksum FROM schema_migrations ORDER BY version";
/// Comes before the migration's own statements: of two nodes that start at once, one waits here for the other.
const CLAIM: &str = "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (version) DO NOTHING";

/// A line of `schema_migrations`.
#[derive(Debug)]
struct Applied {
    version: i64,
    name: String,
    checksum: String,
}

/// What a SQLite file still lacks of `migrations`.
pub(crate) fn pending_in_sqlite<'m>(
    connection: &Connection,
    migrations: &'m [Migration],
) -> Result<Vec<&'m Migration>, StoreError> {
    let explain = |error| explain_sqlite(&error);
    connection.execute(CREATE_TABLE, []).map_err(explain)?;
    pending(&applied_to_sqlite(connection).map_err(explain)?, migrations)
}

/// Brings a SQLite file up to date.
pub(crate) fn apply_to_sqlite(
    connection: &mut Connection,
    pending: &[&Migration],
    applied_at: i64,
) -> Result<(), StoreError> {
    let explain = |error| explain_sqlite(&error);
    for migration in pending {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explain)?;
        let claim = (migration.version, migration.name, checksum(migration.sql), applied_at);
        if transaction.execute(CLAIM, claim).map_err(explain)? == 1 {
            transaction.execute_batch(migration.sql).map_err(explain)?;
            transaction.commit().map_err(explain)?;
            tracing::info!(version = migration.version, name = migration.name, "applied a migration");
        }
    }
    Ok(())
}

/// The newest migration that a SQLite file has, and the newest that this program knows. Changes nothing.
pub(crate) fn schema_of_sqlite(connection: &Connection) -> Result<(i64, i64), StoreError> {
    let applied = applied_to_sqlite(connection).map_err(|error| explain_sqlite(&error))?;
    schema(&applied, SQLITE)
}

/// As [`schema_of_sqlite`], of a PostgreSQL database.
pub(crate) async fn schema_of_postgres(client: &Client) -> Result<(i64, i64), StoreError> {
    let rows = client.query(APPLIED, &[]).await.map_err(|error| explain_postgres(&error))?;
    let applied: Result<Vec<_>, _> = rows.iter().map(applied_to_postgres).collect();
    schema(&applied.map_err(|error| explain_postgres(&error))?, POSTGRES)
}

fn schema(applied: &[Applied], migrations: &[Migration]) -> Result<(i64, i64), StoreError> {
    pending(applied, migrations)?;
    let newest = |version: Option<i64>| version.unwrap_or_default();
    Ok((newest(applied.last().map(|one| one.version)), newest(migrations.last().map(|one| one.version))))
}

fn applied_to_sqlite(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    let mut statement = connection.prepare(APPLIED)?;
    let applied = statement
        .query_map([], |row| Ok(Applied { version: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? }))?;
    applied.collect()
}

/// Brings a PostgreSQL database up to `migrations`. Several nodes may do so at once.
pub(crate) async fn postgres(client: &mut Client, migrations: &[Migration], applied_at: i64) -> Result<(), StoreError> {
    create_table_in_postgres(client).await?;
    let rows = client.query(APPLIED, &[]).await.map_err(|error| explain_postgres(&error))?;
    let applied: Result<Vec<_>, _> = rows.iter().map(applied_to_postgres).collect();
    let applied = applied.map_err(|error| explain_postgres(&error))?;
    for migration in pending(&applied, migrations)? {
        apply_to_postgres(client, migration, applied_at).await.map_err(|error| explain_postgres(&error))?;
    }
    Ok(())
}

/// Of two nodes that create a table at once, PostgreSQL refuses one, in spite of `IF NOT EXISTS`; the table is there then.
async fn create_table_in_postgres(client: &Client) -> Result<(), StoreError> {
    let Err(error) = client.batch_execute(CREATE_TABLE).await else {
        return Ok(());
    };
    let collision = [&SqlState::UNIQUE_VIOLATION, &SqlState::DUPLICATE_TABLE, &SqlState::DUPLICATE_OBJECT];
    if error.code().is_some_and(|code| collision.contains(&code)) {
        return Ok(());
    }
    Err(explain_postgres(&error))
}

fn applied_to_postgres(row: &tokio_postgres::Row) -> Result<Applied, tokio_postgres::Error> {
    Ok(Applied { version: row.try_get(0)?, name: row.try_get(1)?, checksum: row.try_get(2)? })
}

async fn apply_to_postgres(
    client: &mut Client,
    migration: &Migration,
    applied_at: i64,
) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    let checksum = checksum(migration.sql);
    let claimed = transaction.execute(CLAIM, &[&migration.version, &migration.name, &checksum, &applied_at]).await?;
    if claimed == 1 {
        transaction.batch_execute(migration.sql).await?;
        transaction.commit().await?;
        tracing::info!(version = migration.version, name = migration.name, "applied a migration");
    }
    Ok(())
}

/// What is still to apply, or why this program must not touch the database.
fn pending<'m>(applied: &[Applied], migrations: &'m [Migration]) -> Result<Vec<&'m Migration>, StoreError> {
    let known = migrations.last().map_or(0, |last| last.version);
    if let Some(last) = applied.last()
        && last.version > known
    {
        return Err(StoreError::FromTheFuture { found: last.version, known });
    }
    for one in applied {
        let same = |migration: &Migration| migration.version == one.version && checksum(migration.sql) == one.checksum;
        if !migrations.iter().any(same) {
            return Err(StoreError::ForeignMigration { version: one.version, name: one.name.clone() });
        }
    }
    let new = |migration: &&Migration| applied.iter().all(|one| one.version != migration.version);
    Ok(migrations.iter().filter(new).collect())
}

fn checksum(sql: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(sql))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[Migration] =
        &[Migration { version: 1, name: "one", sql: "1" }, Migration { version: 2, name: "two", sql: "2" }];

    fn applied(version: i64, sql: &str) -> Applied {
        Applied { version, name: "n".to_owned(), checksum: checksum(sql) }
    }

    #[test]
    fn what_was_not_applied_is_pending() {
        let versions = |applied: &[Applied]| -> Vec<i64> {
            pending(applied, LIST).unwrap().iter().map(|one| one.version).collect()
        };
        assert_eq!(versions(&[]), [1, 2]);
        assert_eq!(versions(&[applied(1, "1")]), [2]);
        assert_eq!(versions(&[applied(1, "1"), applied(2, "2")]), [0; 0]);
    }

    #[test]
    fn a_schema_that_is_not_this_programs_is_refused() {
        let future = pending(&[applied(1, "1"), applied(2, "2"), applied(3, "3")], LIST).unwrap_err();
        assert_eq!(future, StoreError::FromTheFuture { found: 3, known: 2 });
        let edited = pending(&[applied(1, "x")], LIST).unwrap_err();
        assert!(matches!(edited, StoreError::ForeignMigration { version: 1, .. }));
    }

    #[test]
    fn the_two_lists_agree_and_ascend() {
        assert!(
            SQLITE.iter().map(|one| (one.version, one.name)).eq(POSTGRES.iter().map(|one| (one.version, one.name)))
        );
        assert!(SQLITE.windows(2).all(|two| two[0].version < two[1].version));
    }

    #[test]
    fn no_constraint_waits_for_the_commit() {
        for migration in SQLITE.iter().chain(POSTGRES) {
            assert!(!migration.sql.to_uppercase().contains("DEFERR"), "{}", migration.name);
        }
    }
}
