//! Copies of a SQLite database: taken while it is served, and looked at before one is put in its place.
//!
//! A copy is made by `VACUUM INTO`: it reads one snapshot, so the writer goes on beside it, and what it writes is one file
//! that needs no other. The copy gets its name when it is whole and on disk; until then it has another beside it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::examine::damage;
use super::{explain, files};
use crate::error::StoreError;
use crate::migrate;

/// Why a copy was not made or is not to be used. All are for the operator to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// There is a file of that name.
    #[error("there is a file at {path} already, and none is overwritten: choose another name", path = .0.display())]
    Exists(PathBuf),
    /// A file cannot be read or written; with what the system says.
    #[error("{path}: {1}", path = .0.display())]
    Files(PathBuf, String),
    /// It is not a database of ours.
    #[error("{path} is no backup of Countersign: {1}", path = .0.display())]
    Foreign(PathBuf, &'static str),
    /// It is one of ours, and broken; with what SQLite says.
    #[error("{path} is damaged: {1}", path = .0.display())]
    Damaged(PathBuf, String),
    /// What the engine says.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl CopyError {
    fn files(path: &Path, error: &io::Error) -> Self {
        Self::Files(path.to_owned(), error.to_string())
    }
}

/// Copies the database at `database` to `output`, which must not be there. Gives the bytes of the copy, which its owner
/// alone can read; it has been checked and is on disk when this returns.
pub fn take(database: &Path, output: &Path) -> Result<u64, CopyError> {
    refuse_present(output)?;
    let draft = Draft::beside(output)?;
    let connection = files::connect_beside(database).map_err(|error| explain(&error))?;
    let name = draft.path.to_str().ok_or(CopyError::Foreign(draft.path.clone(), "its name is no text"))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| explain(&error))?;
    judge(&draft.path)?;
    draft.publish(output)
}

/// Copies the backup `from` to `output`, which must not be there, as it is. Gives its bytes.
pub fn place(from: &Path, output: &Path) -> Result<u64, CopyError> {
    refuse_present(output)?;
    let draft = Draft::beside(output)?;
    let mut source = File::open(from).map_err(|error| CopyError::files(from, &error))?;
    let mut target = OpenOptions::new().write(true).open(&draft.path);
    let copied = target.as_mut().map_err(|error| io::Error::new(error.kind(), error.to_string()));
    copied.and_then(|target| io::copy(&mut source, target)).map_err(|error| CopyError::files(&draft.path, &error))?;
    draft.publish(output)
}

/// Gives a file its final name, which must be free.
pub fn rename_to_free(from: &Path, to: &Path) -> Result<(), CopyError> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from).map_err(|error| CopyError::files(from, &error))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(CopyError::Exists(to.to_owned())),
        // A file system without links, such as that of many memory sticks.
        Err(_) => {
            refuse_present(to)?;
            fs::rename(from, to).map_err(|error| CopyError::files(to, &error))?;
        }
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| CopyError::files(folder, &error))
}

/// Judges whether a file is a whole database of Countersign, of a schema that this program knows.
pub fn judge(path: &Path) -> Result<(), CopyError> {
    if !path.is_file() {
        return Err(CopyError::Files(path.to_owned(), "there is no such file".to_owned()));
    }
    let foreign = |why| CopyError::Foreign(path.to_owned(), why);
    let log = beside(path, "-wal");
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        return Err(foreign("a write-ahead log lies beside it: it was copied while it was served, or is served"));
    }
    // It lies still: no other file belongs to it, and none is made.
    let uri = uri(path).ok_or_else(|| foreign("its name is no text"))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags).map_err(|error| explain(&error))?;
    let ours = connection
        .query_row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'", [], |_| Ok(()))
        .optional()
        .map_err(|_| foreign("it is no SQLite database"))?;
    ours.ok_or_else(|| foreign("it has other tables"))?;
    if let Some(problem) = damage(&connection)?.into_iter().next() {
        return Err(CopyError::Damaged(path.to_owned(), problem));
    }
    let (schema, _) = migrate::schema_of_sqlite(&connection)?;
    let sealed = "SELECT 1 FROM facts WHERE name = 'key_check'";
    let sealed = connection.query_row(sealed, [], |_| Ok(())).optional().map_err(|error| explain(&error))?;
    match (schema, sealed) {
        (0, _) => Err(foreign("it has no schema")),
        (_, None) => Err(foreign("no key ring was ever used with it")),
        (_, Some(())) => Ok(()),
    }
}

fn refuse_present(path: &Path) -> Result<(), CopyError> {
    if path.symlink_metadata().is_ok() { Err(CopyError::Exists(path.to_owned())) } else { Ok(()) }
}

/// The file as a URI that says that nobody changes it.
fn uri(path: &Path) -> Option<String> {
    let mut uri = "file:".to_owned();
    for char in path.to_str()?.chars() {
        match char {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            _ => uri.push(char),
        }
    }
    uri.push_str("?immutable=1");
    Some(uri)
}

/// The file of the same name with an ending more.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// A copy that is not whole yet. It goes away unless it is published.
struct Draft {
    path: PathBuf,
}

impl Draft {
    /// An empty file that its owner alone can read, in the folder of `output`, so that it can be renamed.
    fn beside(output: &Path) -> Result<Self, CopyError> {
        let path = beside(output, ".part");
        // What an earlier run that was killed has left.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(CopyError::files(&path, &error)),
            Ok(()) | Err(_) => {}
        }
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.map_err(|error| CopyError::files(&path, &error))?;
        Ok(Self { path })
    }

    fn publish(self, output: &Path) -> Result<u64, CopyError> {
        let failed = |error: io::Error| CopyError::files(&self.path, &error);
        let file = OpenOptions::new().write(true).open(&self.path).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        rename_to_free(&self.path, output)?;
        Ok(bytes)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // When it was published, there is nothing left to remove.
        fs::remove_file(&self.path).unwrap_or_default();
    }
}
