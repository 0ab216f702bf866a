//! SQLite: one writer thread that commits for many, and readers on the calling threads.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};
use tokio::sync::oneshot;

use super::{Access, Options, Recorder, Tx, Verdict, attempt, closed, join};
use crate::error::{Settle, Settles, StoreError};
use crate::migrate::{self, Migration};
use crate::value::{Param, Row, Value};

/// How long a connection waits for the lock of another process: an operator's command, a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// More than there are statements, so that each is prepared once for each connection.
const STATEMENT_CACHE: usize = 512;
/// The most units in one commit: bounds how long the first one waits for the last one's statements.
const BATCH: usize = 512;

/// A SQLite file in use.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    /// Unbounded: each unit in it belongs to a caller that waits, and the doors already bound those.
    writer: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Readers at rest. A read never waits, so there are never more of them than calling threads.
    readers: Mutex<Vec<Connection>>,
    closed: AtomicBool,
    recorder: Option<Arc<Recorder>>,
}

enum Message {
    Unit(Box<dyn Waiting>),
    Close(oneshot::Sender<()>),
}

impl Sqlite {
    pub(super) fn open(
        path: &Path,
        options: &Options,
        migrations: &[Migration],
        recorder: Option<Arc<Recorder>>,
    ) -> Result<Self, StoreError> {
        let lock = make_files(path, options.access)?;
        let mut connection = connect(path).map_err(|error| explain(&error))?;
        prepare_file(&connection).map_err(|error| explain(&error))?;
        migrate::sqlite(&mut connection, migrations, options.applied_at)?;

        let (sender, units) = mpsc::channel();
        let writer = Writer { connection, units, recorder: recorder.clone(), lock };
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Unavailable(format!("the writer's thread does not start: {error}")))?;
        Ok(Self {
            path: path.to_owned(),
            writer: sender,
            thread: Mutex::new(Some(thread)),
            readers: Mutex::default(),
            closed: AtomicBool::new(false),
            recorder,
        })
    }

    pub(super) async fn write<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Settles + From<StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let waiting = Box::new(WaitingUnit { unit, outcome: None, caller });
        if self.writer.send(Message::Unit(waiting)).is_err() {
            return Err(closed().into());
        }
        // The writer drops a unit unanswered only when it has ended.
        answer.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// Not `async`: the whole unit runs here, between one `BEGIN` and its end, so that it sees one snapshot.
    /// For a single statement the two cost about a microsecond together.
    pub(super) fn read<T, E, F>(&self, unit: &F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E>,
        E: Settles + From<StoreError>,
    {
        let connection = self.reader()?;
        run_cached(&connection, "BEGIN")?;
        let outcome = poll_once(unit, &connection, Mode::Read, self.recorder.as_deref()).outcome;
        run_cached(&connection, "ROLLBACK")?;
        self.lay_down(connection);
        outcome
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let at_rest = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        at_rest.map_or_else(|| connect_reader(&self.path).map_err(|error| explain(&error)), Ok)
    }

    fn lay_down(&self, reader: Connection) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.closed.load(Ordering::Acquire) {
            readers.push(reader);
        }
    }

    pub(super) async fn close(&self) {
        self.put_readers_away();
        let (told, ended) = oneshot::channel();
        if self.writer.send(Message::Close(told)).is_ok() {
            // An error says that the writer has ended already, which is what is waited for.
            drop(ended.await);
        }
        join(&self.thread);
    }

    fn put_readers_away(&self) {
        self.closed.store(true, Ordering::Release);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.put_readers_away();
        let (told, _) = oneshot::channel();
        // Fails only when the writer has ended already.
        drop(self.writer.send(Message::Close(told)));
        join(&self.thread);
    }
}

/// What comes after a batch.
enum Next {
    Batch,
    End(Option<oneshot::Sender<()>>),
}

/// The thread that writes.
struct Writer {
    // Dropped in this order: the connection lets go of the file before the lock lets the next server in.
    connection: Connection,
    units: Receiver<Message>,
    recorder: Option<Arc<Recorder>>,
    #[expect(dead_code, reason = "held, not used: the folder stays locked while the file is open")]
    lock: Option<File>,
}

impl Writer {
    fn run(self) {
        let told = loop {
            let (batch, next) = self.next_batch();
            self.settle(batch);
            if let Next::End(told) = next {
                break told;
            }
        };
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the write-ahead log stays behind");
        }
        drop(self);
        if let Some(told) = told {
            // Fails when nobody waits for the end.
            told.send(()).unwrap_or_default();
        }
    }

    /// Waits for a unit and takes the others that wait by then; while a batch commits, the next one gathers.
    fn next_batch(&self) -> (Vec<Box<dyn Waiting>>, Next) {
        let mut batch = Vec::new();
        let Ok(mut message) = self.units.recv() else {
            return (batch, Next::End(None));
        };
        loop {
            match message {
                Message::Unit(unit) => batch.push(unit),
                Message::Close(told) => return (batch, Next::End(Some(told))),
            }
            if batch.len() == BATCH {
                return (batch, Next::Batch);
            }
            message = match self.units.try_recv() {
                Ok(message) => message,
                Err(_) => return (batch, Next::Batch),
            };
        }
    }

    /// Commits the batch, and only then answers its callers. What is not committed is answered to nobody.
    fn settle(&self, mut batch: Vec<Box<dyn Waiting>>) {
        let Err(error) = self.commit(&mut batch) else {
            for unit in batch {
                unit.answer();
            }
            return;
        };
        tracing::error!(%error, units = batch.len(), "a commit failed");
        if !self.connection.is_autocommit()
            && let Err(error) = run_cached(&self.connection, "ROLLBACK")
        {
            tracing::error!(%error, "a rollback failed");
        }
        for unit in batch {
            unit.refuse(StoreError::Unavailable(format!("nothing was committed: {error}")));
        }
    }

    fn commit(&self, batch: &mut [Box<dyn Waiting>]) -> Result<(), StoreError> {
        run_cached(&self.connection, "BEGIN IMMEDIATE")?;
        for unit in batch {
            run_cached(&self.connection, "SAVEPOINT unit")?;
            let (settle, failure) = unit.run(&self.connection, self.recorder.as_deref());
            if self.connection.is_autocommit() {
                // After some errors, such as a full disk, SQLite ends the whole transaction by itself.
                return Err(failure.unwrap_or_else(|| StoreError::Fault("a unit ended the transaction".to_owned())));
            }
            if settle == Settle::RollBack {
                run_cached(&self.connection, "ROLLBACK TO unit")?;
            }
            run_cached(&self.connection, "RELEASE unit")?;
        }
        run_cached(&self.connection, "COMMIT")
    }
}

/// A unit in the writer's queue, whatever its types.
trait Waiting: Send {
    /// Runs the unit inside its savepoint; says what becomes of its writes, and which statement failed.
    fn run(&mut self, connection: &Connection, recorder: Option<&Recorder>) -> (Settle, Option<StoreError>);

    /// Tells the caller what came of it.
    fn answer(self: Box<Self>);

    /// Tells the caller that nothing came of it.
    fn refuse(self: Box<Self>, error: StoreError);
}

struct WaitingUnit<T, E, F> {
    unit: F,
    outcome: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Waiting for WaitingUnit<T, E, F>
where
    F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: Settles + From<StoreError> + Send,
{
    fn run(&mut self, connection: &Connection, recorder: Option<&Recorder>) -> (Settle, Option<StoreError>) {
        let verdict = poll_once(&self.unit, connection, Mode::Write, recorder);
        self.outcome = Some(verdict.outcome);
        (verdict.settle, verdict.failure)
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // Fails when the caller has hung up, which changes nothing for the unit.
            drop(self.caller.send(outcome));
        }
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        drop(self.caller.send(Err(error.into())));
    }
}

/// Runs a unit to its end. Its statements never wait, so it is done after one poll.
fn poll_once<T, E, F>(unit: &F, connection: &Connection, mode: Mode, recorder: Option<&Recorder>) -> Verdict<T, E>
where
    F: AsyncFn(&mut Tx<'_>) -> Result<T, E>,
    E: Settles + From<StoreError>,
{
    let mut tx = Tx::new(super::Session::Sqlite(Session { connection, mode }), recorder);
    let attempt = pin!(attempt(unit, &mut tx));
    match attempt.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => verdict,
        Poll::Pending => {
            let fault = StoreError::Fault("a unit waited for something else than its statements".to_owned());
            Verdict::fault(fault, None)
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Read,
    Write,
}

/// One unit's use of a connection.
#[derive(Debug)]
pub(super) struct Session<'c> {
    connection: &'c Connection,
    mode: Mode,
}

impl Session<'_> {
    pub(super) fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let changed = execute(self.connection, sql, params).map_err(|error| self.explain(&error))?;
        u64::try_from(changed).map_err(|_| StoreError::Fault("more rows than numbers".to_owned()))
    }

    pub(super) fn rows(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        rows(self.connection, sql, params).map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &rusqlite::Error) -> StoreError {
        match (self.mode, error.sqlite_error_code()) {
            (Mode::Read, Some(ErrorCode::ReadOnly)) => StoreError::Fault("a unit that reads tried to write".to_owned()),
            (Mode::Read | Mode::Write, _) => explain(error),
        }
    }
}

fn execute(connection: &Connection, sql: &str, params: &[Param<'_>]) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    statement.raw_execute()
}

fn rows(connection: &Connection, sql: &str, params: &[Param<'_>]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    let columns = statement.column_count();
    let mut answer = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = answer.next()? {
        let values: rusqlite::Result<_> = (0..columns).map(|column| value(column, row.get_ref(column)?)).collect();
        rows.push(Row::new(values?));
    }
    Ok(rows)
}

/// The placeholders are numbered by their first appearance, which is the order of `params` (`placeholders_ascend`).
fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Param<'_>]) -> rusqlite::Result<()> {
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), wanted));
    }
    for (index, param) in (1_usize..).zip(params) {
        statement.raw_bind_parameter(index, param)?;
    }
    Ok(())
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Param::Null => ValueRef::Null,
            Param::Int(number) => ValueRef::Integer(number),
            Param::Text(text) => ValueRef::Text(text.as_bytes()),
            Param::Blob(bytes) => ValueRef::Blob(bytes),
            Param::Bool(truth) => ValueRef::Integer(i64::from(truth)),
        }))
    }
}

fn value(column: usize, value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => {
            let text = str::from_utf8(text).map_err(|error| rusqlite::Error::Utf8Error(column, error))?;
            Value::Text(text.to_owned())
        }
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_owned()),
        ValueRef::Real(_) => {
            let name = "a REAL, which the two engines do not share".to_owned();
            return Err(rusqlite::Error::InvalidColumnType(column, name, rusqlite::types::Type::Real));
        }
    })
}

fn run_cached(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    execute(connection, sql, &[]).map(drop).map_err(|error| explain(&error))
}

/// Makes the folder and the file for this user alone, and takes the folder for the server.
fn make_files(path: &Path, access: Access) -> Result<Option<File>, StoreError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    let unavailable = |error| StoreError::Unavailable(format!("{}: {error}", folder.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unavailable)?;
    let lock = match access {
        Access::Operate => None,
        Access::Serve => Some(lock(folder)?),
    };
    // SQLite gives its other files the mode of this one. A file that is there already must not be opened and closed here:
    // POSIX would drop the locks that another connection of this process has on it.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(lock),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(lock),
        Err(error) => Err(unavailable(error)),
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let unavailable = |error| StoreError::Unavailable(format!("{}/serve.lock: {error}", folder.display()));
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(folder.join("serve.lock"))
        .map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::AlreadyServed { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(unavailable(error)),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // FULL: a commit is on disk before it is told.
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.execute_batch("PRAGMA query_only = ON;")?;
    Ok(connection)
}

/// Readers see one snapshot while the writer goes on: that is WAL, and the file remembers it.
fn prepare_file(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
}

/// Tells the disk's and the operator's errors from ours.
pub(crate) fn explain(error: &rusqlite::Error) -> StoreError {
    let weather = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::OutOfMemory
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
        )
    );
    if weather { StoreError::Unavailable(error.to_string()) } else { StoreError::Fault(error.to_string()) }
}
