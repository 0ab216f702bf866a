//! The files of a SQLite database, and its connections.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;

/// How long a connection waits for the lock of another process: an operator's command, a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// More than there are statements, so that each is prepared once for each connection.
const STATEMENT_CACHE: usize = 512;
/// Makes the folder and the file for this user alone.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    let unavailable = |error| StoreError::Unavailable(format!("{}: {error}", path.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(folder(path)).map_err(unavailable)?;
    // SQLite gives its other files the mode of this one. A file that is there already must not be opened and closed here:
    // POSIX would drop the locks that another connection of this process has on it.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unavailable(error)),
    }
}

/// Takes the folder of the database for this process, as long as the file is open.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let folder = folder(path);
    let path = folder.join("serve.lock");
    let unavailable = |error| StoreError::Unavailable(format!("{}: {error}", path.display()));
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::AlreadyServed { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(unavailable(error)),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}

/// The connection that writes.
///
/// Readers see one snapshot while the writer goes on: that is WAL, and the file remembers it. Four times the usual log
/// between two checkpoints spares many pages that would be written twice, and costs 16 MB of disk.
pub(super) fn connect_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.query_row("PRAGMA wal_autocheckpoint = 4000", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA cache_size = -16384;")?;
    Ok(connection)
}

/// A connection that reads. The first gigabyte of the file is mapped into memory, for reading alone: a page is used where
/// the system keeps it, once for all readers, and not copied into a cache of each. A disk that fails under a mapped page
/// ends the process, where it would have been an error of one request otherwise; nothing is decided on what was not read.
pub(super) fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.query_row("PRAGMA mmap_size = 1073741824", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA query_only = ON;")?;
    Ok(connection)
}

/// A connection of an operator's command to a file that is there, for one look or one copy.
pub(super) fn connect_beside(path: &Path) -> rusqlite::Result<Connection> {
    connect(path)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Without it SQLite prepares a statement anew whenever another value is bound that a plan might depend on.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // FULL: a commit is on disk before it is told.
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}
