//! The two engines behind one face: [`Store`] runs units of work, [`Tx`] runs the statements of one unit.
//!
//! A unit is an `async` closure over `&mut Tx`. It awaits nothing but its own statements and may be run again, so it keeps
//! no state outside the database. On SQLite ([`sqlite`]) its statements never wait: the writer thread polls it once. On
//! PostgreSQL ([`postgres`]) it runs as a task of a thread of its own. This is the only module that knows there are two.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::pin;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread::{self, JoinHandle};

use secrecy::SecretString;

use crate::error::{Settle, Settles, StoreError};
use crate::migrate::Migration;
use crate::value::{Param, Row};

mod examine;
mod placeholders;
mod postgres;
mod sqlite;

pub use examine::{Examined, examine};
pub use placeholders::placeholders_ascend;
pub(crate) use postgres::explain as explain_postgres;
pub use sqlite::copies;
pub(crate) use sqlite::explain as explain_sqlite;

/// Declares the statements of a module, so that a test can prove that each of them ran on both engines.
///
/// ```ignore
/// statements! {
///     FIND = "SELECT name FROM things WHERE id = $1";
///     /// Takes a thing away.
///     DELETE = "DELETE FROM things WHERE id = $1";
/// }
/// ```
///
/// makes one private constant each, and `pub(crate) const ALL: &[&str]` over them.
macro_rules! statements {
    ($($(#[$attribute:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$attribute])* const $name: &str = $sql;)+

        /// Every statement of this module.
        pub(crate) const ALL: &[&str] = &[$($name),+];
    };
}
pub(crate) use statements;

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A SQLite file. It and its folder are made when absent, for this user alone.
    Sqlite(PathBuf),
    /// A PostgreSQL URL, `postgresql://user:password@host/database?sslmode=require`.
    Postgres(SecretString),
}

impl FromStr for Location {
    type Err = StoreError;

    /// `postgres:` and `postgresql:` URLs are PostgreSQL; `sqlite:PATH` and plain paths are SQLite.
    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(SecretString::from(text)));
        }
        match text.split_once("://") {
            Some((scheme, _)) => Err(StoreError::BadLocation(format!("no database is called {scheme}"))),
            None => Ok(Self::Sqlite(text.strip_prefix("sqlite:").unwrap_or(text).into())),
        }
    }
}

/// What the process that opens the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The server: the only one in its SQLite folder.
    Serve,
    /// An operator's command beside it, which waits its turn for the lock on the database.
    Operate,
}

/// How to open a [`Store`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the data is.
    pub location: Location,
    /// What this process is.
    pub access: Access,
    /// The time now in microseconds since 1970 UTC, kept with the migrations applied.
    pub applied_at: i64,
    /// Connections to PostgreSQL. SQLite has one writer and as many readers as there are calling threads.
    pub connections: usize,
    /// Whether the texts of the statements are kept for [`Store::executed`]. For tests.
    pub record: bool,
}

impl Options {
    /// A server's options.
    #[must_use]
    pub const fn serve(location: Location, applied_at: i64) -> Self {
        Self { location, access: Access::Serve, applied_at, connections: 16, record: false }
    }

    /// An operator's command's options.
    #[must_use]
    pub fn operate(location: Location, applied_at: i64) -> Self {
        Self { access: Access::Operate, connections: 2, ..Self::serve(location, applied_at) }
    }
}

/// How much a store has committed since it was opened, as a number to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitCount(u64);

/// The open store. Clones share it; the last one to go, or [`Store::close`], ends it.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    recorder: Option<Arc<Recorder>>,
}

#[derive(Clone, Debug)]
enum Engine {
    Sqlite(Arc<sqlite::Sqlite>),
    Postgres(Arc<postgres::Postgres>),
}

impl Store {
    /// Opens the store and brings its schema up to date.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        Self::open_with(options, crate::migrate::SQLITE, crate::migrate::POSTGRES).await
    }

    /// Opens the store with migrations of the caller's own. For the tests of the engine.
    #[doc(hidden)]
    pub async fn open_with(
        options: Options,
        sqlite: &'static [Migration],
        postgres: &'static [Migration],
    ) -> Result<Self, StoreError> {
        let recorder = options.record.then(Arc::<Recorder>::default);
        let engine = match &options.location {
            Location::Sqlite(path) => {
                Engine::Sqlite(Arc::new(sqlite::Sqlite::open(path, &options, sqlite, recorder.clone())?))
            }
            Location::Postgres(url) => {
                Engine::Postgres(Arc::new(postgres::Postgres::open(url, &options, postgres, recorder.clone()).await?))
            }
        };
        Ok(Self { engine, recorder })
    }

    /// Whether other processes may serve the same data beside this one.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// How much has been committed so far; nothing where other processes commit as well. What was read before the same
    /// count is what would be read now, but for what the operator's commands have changed meanwhile.
    #[must_use]
    pub fn commits(&self) -> Option<CommitCount> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Some(CommitCount(sqlite.commits())),
            Engine::Postgres(_) => None,
        }
    }

    /// Runs a unit that only reads, over one snapshot of the data.
    ///
    /// On SQLite it runs at once on the calling thread: a read takes microseconds, a way to another thread and back more.
    pub async fn read<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Settles + From<StoreError> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(&unit),
            Engine::Postgres(postgres) => postgres.run(unit, postgres::Mode::Read).await,
        }
    }

    /// As [`Store::read`], for a look that may take long: on SQLite it does not keep a thread of the runtime from serving
    /// others.
    pub async fn read_at_length<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Settles + From<StoreError> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let sqlite = Arc::clone(sqlite);
                let read = tokio::task::spawn_blocking(move || sqlite.read(&unit));
                read.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string()).into()))
            }
            Engine::Postgres(postgres) => postgres.run(unit, postgres::Mode::Read).await,
        }
    }

    /// Runs a unit that writes, and answers when its commit is on disk.
    ///
    /// Dropping the future does not stop a unit that waits: it still runs and commits. A unit may run more than once,
    /// but only one run's writes stay.
    pub async fn write<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Settles + From<StoreError> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(unit).await,
            Engine::Postgres(postgres) => postgres.run(unit, postgres::Mode::Write).await,
        }
    }

    /// As [`Store::write`], for a change of the whole installation that may take minutes: on PostgreSQL a unit is given up
    /// after twenty seconds otherwise.
    pub async fn write_at_length<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Settles + From<StoreError> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(unit).await,
            Engine::Postgres(postgres) => postgres.run(unit, postgres::Mode::WriteAtLength).await,
        }
    }

    /// The texts of the statements that ran so far, when the store was opened to record them.
    #[must_use]
    pub fn executed(&self) -> Vec<&'static str> {
        self.recorder.as_ref().map_or_else(Vec::new, |recorder| recorder.texts())
    }

    /// Finishes the units that wait, then ends the store for all its clones. Later units are refused as unavailable.
    pub async fn close(self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
    }
}

/// The transaction of one unit.
#[derive(Debug)]
pub struct Tx<'c> {
    session: Session<'c>,
    recorder: Option<&'c Recorder>,
    /// The first statement that failed. Nothing of such a unit may stay: PostgreSQL has aborted its transaction.
    failure: Option<StoreError>,
}

#[derive(Debug)]
enum Session<'c> {
    Sqlite(sqlite::Session<'c>),
    Postgres(postgres::Session<'c>),
}

impl<'c> Tx<'c> {
    const fn new(session: Session<'c>, recorder: Option<&'c Recorder>) -> Self {
        Self { session, recorder, failure: None }
    }

    /// Runs a statement that answers no rows; returns how many rows it changed.
    pub async fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.admit(params)?;
        let outcome = match &mut self.session {
            Session::Sqlite(session) => session.execute(sql, params),
            Session::Postgres(session) => session.execute(sql, params).await,
        };
        self.note(sql, outcome)
    }

    /// Runs a statement and returns its rows.
    pub async fn rows(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        self.admit(params)?;
        let outcome = match &mut self.session {
            Session::Sqlite(session) => session.rows(sql, params),
            Session::Postgres(session) => session.rows(sql, params).await,
        };
        self.note(sql, outcome)
    }

    /// Runs a statement and returns its row, if there is one. More than one is a fault.
    pub async fn row(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Option<Row>, StoreError> {
        let mut rows = self.rows(sql, params).await?;
        let row = rows.pop();
        if rows.is_empty() {
            return Ok(row);
        }
        self.note(sql, Err(StoreError::Fault("one row was expected, and there are more".to_owned())))
    }

    /// Refuses what only one of the engines could keep.
    fn admit(&mut self, params: &[Param<'_>]) -> Result<(), StoreError> {
        let nul = |param: &Param<'_>| matches!(param, Param::Text(text) if text.as_bytes().contains(&0));
        if params.iter().any(nul) {
            return self.note("", Err(StoreError::Fault("a text with a NUL character".to_owned())));
        }
        Ok(())
    }

    fn note<T>(&mut self, sql: &'static str, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        match outcome {
            Ok(value) => {
                if let Some(recorder) = self.recorder {
                    recorder.add(sql);
                }
                Ok(value)
            }
            Err(error) => {
                let error = in_statement(error, sql);
                self.failure.get_or_insert_with(|| error.clone());
                Err(error)
            }
        }
    }
}

/// A fault is mended by who knows the statement, so it tells it. Statements hold no values.
fn in_statement(error: StoreError, sql: &'static str) -> StoreError {
    match error {
        StoreError::Fault(problem) => StoreError::Fault(format!("{problem}, in: {sql}")),
        other @ (StoreError::Unavailable(_)
        | StoreError::BadRow { .. }
        | StoreError::FromTheFuture { .. }
        | StoreError::ForeignMigration { .. }
        | StoreError::AlreadyServed { .. }
        | StoreError::BadLocation(_)) => other,
    }
}

/// What came of one run of a unit.
struct Verdict<T, E> {
    /// What becomes of its writes.
    settle: Settle,
    /// What its caller is told, once that is done.
    outcome: Result<T, E>,
    /// The first statement that failed.
    failure: Option<StoreError>,
}

impl<T, E: From<StoreError>> Verdict<T, E> {
    fn fault(fault: StoreError, failure: Option<StoreError>) -> Self {
        Self { settle: Settle::RollBack, outcome: Err(fault.into()), failure }
    }
}

/// Runs a unit once over its transaction, and judges what becomes of its writes.
async fn attempt<T, E, F>(unit: &F, tx: &mut Tx<'_>) -> Verdict<T, E>
where
    F: AsyncFn(&mut Tx<'_>) -> Result<T, E>,
    E: Settles + From<StoreError>,
{
    let outcome = catch(async { unit(&mut *tx).await }).await;
    judge(outcome, tx.failure.take())
}

fn judge<T, E>(outcome: Result<Result<T, E>, StoreError>, failure: Option<StoreError>) -> Verdict<T, E>
where
    E: Settles + From<StoreError>,
{
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(panic) => return Verdict::fault(panic, failure),
    };
    let settle = outcome.as_ref().map_or_else(Settles::settle, |_| Settle::Commit);
    if let (Settle::Commit, Some(failure)) = (settle, &failure) {
        let fault = StoreError::Fault(format!("a unit went on after its statement had failed: {failure}"));
        return Verdict::fault(fault, Some(failure.clone()));
    }
    Verdict { settle, outcome, failure }
}

/// Turns a panic of the future into a fault.
async fn catch<T>(future: impl Future<Output = T>) -> Result<T, StoreError> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(StoreError::Fault(describe(&*panic)))),
    })
    .await
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let said =
        panic.downcast_ref::<&'static str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a unit panicked: {}", said.unwrap_or("no message"))
}

/// The texts of the statements that succeeded.
#[derive(Debug, Default)]
struct Recorder {
    texts: Mutex<BTreeSet<&'static str>>,
}

impl Recorder {
    fn add(&self, sql: &'static str) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).insert(sql);
    }

    fn texts(&self) -> Vec<&'static str> {
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.iter().copied().collect()
    }
}

/// Waits for an engine's thread. The thread itself may be the one to drop the engine, if a unit holds a clone of the
/// store; it cannot wait for itself.
fn join(thread: &Mutex<Option<JoinHandle<()>>>) {
    let handle = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(handle) = handle
        && handle.thread().id() != thread::current().id()
        && handle.join().is_err()
    {
        tracing::error!("the database's thread panicked");
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_url_or_a_path() {
        let location = |text: &str| text.parse::<Location>();
        assert!(matches!(location("postgresql:///c?host=/tmp"), Ok(Location::Postgres(_))));
        assert!(matches!(location("postgres://c@h/c"), Ok(Location::Postgres(_))));
        assert!(matches!(location("data/c.db"), Ok(Location::Sqlite(path)) if path == *"data/c.db"));
        assert!(matches!(location("sqlite:data/c.db"), Ok(Location::Sqlite(path)) if path == *"data/c.db"));
        let refusal = location("mysql://root:hush@h/c").unwrap_err().to_string();
        assert!(refusal.contains("mysql") && !refusal.contains("hush"));
    }

    #[test]
    fn the_writes_of_a_unit_stay_unless_something_broke() {
        #[derive(Debug, PartialEq)]
        enum Answer {
            Refused,
            Broken(StoreError),
        }
        impl Settles for Answer {
            fn settle(&self) -> Settle {
                match self {
                    Self::Refused => Settle::Commit,
                    Self::Broken(error) => error.settle(),
                }
            }
        }
        impl From<StoreError> for Answer {
            fn from(error: StoreError) -> Self {
                Self::Broken(error)
            }
        }
        let broken = || StoreError::Fault("x".to_owned());
        let verdict = |outcome: Result<Result<(), Answer>, StoreError>, failure| judge(outcome, failure).settle;
        assert_eq!(verdict(Ok(Ok(())), None), Settle::Commit);
        assert_eq!(verdict(Ok(Err(Answer::Refused)), None), Settle::Commit);
        assert_eq!(verdict(Ok(Err(Answer::Broken(broken()))), None), Settle::RollBack);
        assert_eq!(verdict(Ok(Err(Answer::Broken(broken()))), Some(broken())), Settle::RollBack);
        assert_eq!(verdict(Ok(Ok(())), Some(broken())), Settle::RollBack);
        assert_eq!(verdict(Ok(Err(Answer::Refused)), Some(broken())), Settle::RollBack);
        assert_eq!(verdict(Err(broken()), None), Settle::RollBack);
    }
}
