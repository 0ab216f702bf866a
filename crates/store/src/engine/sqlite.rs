//! SQLite: one writer thread that commits for many, and readers on the calling threads.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::{Access, Options, Recorder, Tx, Verdict, attempt, closed, join};
use crate::error::{Settle, Settles, StoreError};
use crate::migrate::{self, Migration};
use crate::value::{Param, Row};

pub mod copies;
mod examine;
mod files;
mod statements;

pub(super) use examine::examine;
pub(crate) use statements::explain;
use statements::{execute, rows};

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
    commits: Arc<AtomicU64>,
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
        files::make(path)?;
        let lock = match options.access {
            Access::Serve => Some(files::lock(path)?),
            Access::Operate => None,
        };
        let mut connection = files::connect_writer(path).map_err(|error| explain(&error))?;
        bring_up_to_date(path, &mut connection, options, migrations)?;

        let (sender, units) = mpsc::channel();
        let commits = Arc::new(AtomicU64::default());
        let writer = Writer { connection, units, commits: Arc::clone(&commits), recorder: recorder.clone(), lock };
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Unavailable(format!("the writer's thread does not start: {error}")))?;
        Ok(Self {
            path: path.to_owned(),
            writer: sender,
            thread: Mutex::new(Some(thread)),
            readers: Mutex::default(),
            commits,
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

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let at_rest = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        at_rest.map_or_else(|| files::connect_reader(&self.path).map_err(|error| explain(&error)), Ok)
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

/// The schema of a server changes only when it starts: an operator's command that is newer waits for another moment.
fn bring_up_to_date(
    path: &Path,
    connection: &mut Connection,
    options: &Options,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let pending = migrate::pending_in_sqlite(connection, migrations)?;
    let _alone = match options.access {
        Access::Operate if !pending.is_empty() => Some(files::lock(path)?),
        Access::Operate | Access::Serve => None,
    };
    migrate::apply_to_sqlite(connection, &pending, options.applied_at)
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
    commits: Arc<AtomicU64>,
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
        run_cached(&self.connection, "COMMIT")?;
        self.commits.fetch_add(1, Ordering::Release);
        Ok(())
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

fn run_cached(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    execute(connection, sql, &[]).map(drop).map_err(|error| explain(&error))
}
