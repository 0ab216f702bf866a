//! PostgreSQL: a pool of connections on a thread of its own.
//!
//! A unit's future is not `Send`, so it cannot run among the server's other tasks. It is made and polled on this thread;
//! only the closure goes there and only its outcome comes back.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use deadpool_postgres::{Client, Pool};
use secrecy::SecretString;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{self, LocalSet};
use tokio::time::{sleep, timeout};
use tokio_postgres::error::SqlState;

use super::{Options, Recorder, Tx, Verdict, attempt, closed, join};
use crate::error::{Settle, Settles, StoreError};
use crate::migrate::{self, Migration};
use crate::value::{Param, Row};

mod connect;
mod errors;
mod examine;
mod values;

pub(crate) use errors::explain;
use errors::{explain_pool, is_conflict, is_lost};
pub(super) use examine::examine;
use values::{by_reference, row};

/// How often a unit is run when others get in its way.
const ATTEMPTS: u32 = 10;
/// The longest that a unit may run, and that its commit may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// As [`PATIENCE`], for a change of the whole installation.
const LONG_PATIENCE: Duration = Duration::from_hours(2);
/// A PostgreSQL database in use.
#[derive(Debug)]
pub(super) struct Postgres {
    /// Unbounded: each unit in it belongs to a caller that waits, and the doors already bound those.
    units: mpsc::UnboundedSender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Unit(Box<dyn Waiting>),
    Close(oneshot::Sender<()>),
}

/// What a unit may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
    WriteAtLength,
}

impl Mode {
    const fn patience(self) -> Duration {
        match self {
            Self::Read | Self::Write => PATIENCE,
            Self::WriteAtLength => LONG_PATIENCE,
        }
    }

    /// A reader sees one snapshot, as it does on SQLite. A writer sees what is committed when its statement runs; what it
    /// decides on, it guards by conditional writes.
    const fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            Self::Write | Self::WriteAtLength => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }
}

impl Postgres {
    pub(super) async fn open(
        url: &SecretString,
        options: &Options,
        migrations: &'static [Migration],
        recorder: Option<Arc<Recorder>>,
    ) -> Result<Self, StoreError> {
        let pool = connect::pool(url, options.connections)?;
        let applied_at = options.applied_at;
        let (units, queue) = mpsc::unbounded_channel();
        let (told, ready) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                let opening = async move |pool: &Pool| {
                    let mut client = pool.get().await.map_err(|error| explain_pool(&error))?;
                    migrate::postgres(&mut client, migrations, applied_at).await
                };
                serve(pool, recorder, queue, opening, told);
            })
            .map_err(|error| StoreError::Unavailable(format!("the database's thread does not start: {error}")))?;
        let opened = Self { units, thread: Mutex::new(Some(thread)) };
        ready.await.unwrap_or_else(|_| Err(closed())).map(|()| opened)
    }

    pub(super) async fn run<T, E, F>(&self, unit: F, mode: Mode) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Settles + From<StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let waiting = Box::new(WaitingUnit { unit, mode, caller });
        if self.units.send(Message::Unit(waiting)).is_err() {
            return Err(closed().into());
        }
        // A unit is dropped unanswered only when the thread has ended.
        answer.await.unwrap_or_else(|_| Err(closed().into()))
    }

    pub(super) async fn close(&self) {
        let (told, ended) = oneshot::channel();
        if self.units.send(Message::Close(told)).is_ok() {
            // An error says that the thread has ended already, which is what is waited for.
            drop(ended.await);
        }
        join(&self.thread);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let (told, _) = oneshot::channel();
        // Fails only when the thread has ended already.
        drop(self.units.send(Message::Close(told)));
        join(&self.thread);
    }
}

/// The thread: opens, then starts each unit as it comes, and at the end waits for those under way.
fn serve(
    pool: Pool,
    recorder: Option<Arc<Recorder>>,
    mut queue: mpsc::UnboundedReceiver<Message>,
    opening: impl AsyncFnOnce(&Pool) -> Result<(), StoreError>,
    ready: oneshot::Sender<Result<(), StoreError>>,
) {
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let unavailable = StoreError::Unavailable(format!("the database's thread does not start: {error}"));
            // Fails when the caller has given up opening.
            drop(ready.send(Err(unavailable)));
            return;
        }
    };
    let units = LocalSet::new();
    let told = units.block_on(&runtime, async {
        let opened = opening(&pool).await;
        let failed = opened.is_err();
        if ready.send(opened).is_err() || failed {
            return None;
        }
        let backend = Rc::new(Backend { pool, recorder, started: Cell::new(0) });
        while let Some(message) = queue.recv().await {
            match message {
                Message::Unit(unit) => drop(task::spawn_local(unit.run(Rc::clone(&backend)))),
                Message::Close(told) => return Some(told),
            }
        }
        None
    });
    runtime.block_on(units);
    if let Some(told) = told {
        // Fails when nobody waits for the end.
        told.send(()).unwrap_or_default();
    }
}

/// A unit on its way to the thread, whatever its types.
trait Waiting: Send {
    fn run(self: Box<Self>, backend: Rc<Backend>) -> Pin<Box<dyn Future<Output = ()>>>;
}

struct WaitingUnit<T, E, F> {
    unit: F,
    mode: Mode,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Waiting for WaitingUnit<T, E, F>
where
    F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Settles + From<StoreError> + Send + 'static,
{
    fn run(self: Box<Self>, backend: Rc<Backend>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move {
            let outcome = backend.settle(&self.unit, self.mode).await;
            // Fails when the caller has hung up, which changes nothing for the unit.
            drop(self.caller.send(outcome));
        })
    }
}

/// What the units of the thread share.
struct Backend {
    pool: Pool,
    recorder: Option<Arc<Recorder>>,
    /// Units so far: spreads their second attempts.
    started: Cell<u64>,
}

/// The unit has to be run again; nothing of it was kept.
struct Again(StoreError);

impl Backend {
    /// Runs a unit until it is settled.
    async fn settle<T, E, F>(&self, unit: &F, mode: Mode) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E>,
        E: Settles + From<StoreError>,
    {
        let number = self.started.get().wrapping_add(1);
        self.started.set(number);
        let mut attempt = 0;
        loop {
            let again = match self.run_once(unit, mode).await {
                Ok(outcome) => return outcome,
                Err(Again(again)) => again,
            };
            attempt += 1;
            if attempt == ATTEMPTS {
                return Err(StoreError::Unavailable(format!("{attempt} attempts failed: {again}")).into());
            }
            sleep(pause(attempt, number)).await;
        }
    }

    async fn run_once<T, E, F>(&self, unit: &F, mode: Mode) -> Result<Result<T, E>, Again>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E>,
        E: Settles + From<StoreError>,
    {
        let client = match self.pool.get().await {
            Ok(client) => client,
            Err(error) => return Ok(Err(explain_pool(&error).into())),
        };
        let state = SessionState::default();
        let session = Session { client: &client, mode, state: &state };
        let mut tx = Tx::new(super::Session::Postgres(session), self.recorder.as_deref());
        let Ok(verdict) = timeout(mode.patience(), attempt(unit, &mut tx)).await else {
            throw_away(client);
            return Ok(Err(StoreError::Unavailable("a unit took too long".to_owned()).into()));
        };
        end(client, mode, &state, verdict).await
    }
}

/// Ends the transaction as the unit's verdict says.
async fn end<T, E>(
    client: Client,
    mode: Mode,
    state: &SessionState,
    verdict: Verdict<T, E>,
) -> Result<Result<T, E>, Again>
where
    E: From<StoreError>,
{
    let again = state.again.take();
    if !state.begun.get() {
        return Ok(verdict.outcome);
    }
    if mode == Mode::Read || verdict.settle == Settle::RollBack || again.is_some() {
        // Nothing hangs on the end of it, so nobody waits for it.
        task::spawn_local(roll_back(client));
        return again.map_or(Ok(verdict.outcome), |error| Err(Again(error)));
    }
    let Ok(committed) = timeout(mode.patience(), client.batch_execute("COMMIT")).await else {
        throw_away(client);
        return Ok(Err(StoreError::Unavailable("the commit took too long".to_owned()).into()));
    };
    match committed {
        Ok(()) => Ok(verdict.outcome),
        Err(error) if is_conflict(&error) => Err(Again(explain(&error))),
        Err(error) => Ok(Err(explain(&error).into())),
    }
}

async fn roll_back(client: Client) {
    if !matches!(timeout(PATIENCE, client.batch_execute("ROLLBACK")).await, Ok(Ok(()))) {
        throw_away(client);
    }
}

/// Closes a connection of which nobody knows what it is doing. The server rolls its transaction back.
fn throw_away(client: Client) {
    drop(Client::take(client));
}

/// A pause that doubles, and differs between units that got in each other's way.
fn pause(attempt: u32, number: u64) -> Duration {
    let longest = 1_u64 << attempt.min(6);
    // Fibonacci hashing: neighbours in number are far apart in pause.
    let spread = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 1_000;
    Duration::from_micros(longest * (1_000 + spread))
}

/// One unit's use of a connection.
#[derive(Debug)]
pub(super) struct Session<'c> {
    client: &'c Client,
    mode: Mode,
    state: &'c SessionState,
}

/// What the unit's statements leave for the end of its transaction.
#[derive(Debug, Default)]
struct SessionState {
    /// Whether there is a transaction to end.
    begun: Cell<bool>,
    /// Why the unit has to be run again.
    again: RefCell<Option<StoreError>>,
}

impl Session<'_> {
    pub(super) async fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let statement = async {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.execute(&statement, &by_reference(params)).await
        };
        self.run(statement).await
    }

    pub(super) async fn rows(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        let statement = async {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.query(&statement, &by_reference(params)).await
        };
        self.run(statement).await?.iter().map(row).collect()
    }

    async fn run<R>(&self, statement: impl Future<Output = Result<R, tokio_postgres::Error>>) -> Result<R, StoreError> {
        let outcome = match (self.state.begun.replace(true), self.mode) {
            (true, _) => statement.await,
            (false, Mode::Read) => {
                // One way to the server and back for both.
                let (begun, outcome) = tokio::join!(biased; self.client.batch_execute(self.mode.begin()), statement);
                begun.and(outcome)
            }
            // Not for a write: should `BEGIN` fail, its statement must not be on its way.
            (false, Mode::Write | Mode::WriteAtLength) => match self.client.batch_execute(self.mode.begin()).await {
                Ok(()) => statement.await,
                Err(error) => Err(error),
            },
        };
        outcome.map_err(|error| self.explain(&error))
    }

    /// A transaction dies with its connection, so a unit that lost it before its commit is run again, too.
    fn explain(&self, error: &tokio_postgres::Error) -> StoreError {
        let explained = match self.mode {
            Mode::Read if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
                StoreError::Fault("a unit that reads tried to write".to_owned())
            }
            Mode::Read | Mode::Write | Mode::WriteAtLength => explain(error),
        };
        if is_conflict(error) || is_lost(error) {
            self.state.again.replace(Some(explained.clone()));
        }
        explained
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        for attempt in 1..ATTEMPTS {
            let pauses: Vec<_> = (0..8).map(|number| pause(attempt, number)).collect();
            assert!(pauses.iter().all(|pause| *pause >= Duration::from_millis(1) && *pause < Duration::from_secs(1)));
            assert!(pauses.windows(2).all(|two| two[0] != two[1]));
        }
        assert!(pause(5, 1) > pause(1, 1));
    }
}
