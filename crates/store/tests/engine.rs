//! The contract of the engine: what a unit of work may rely on, whichever database is below. One suite, run on both;
//! then what only one of them can show.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use std::collections::BTreeSet;
use std::fs;
use std::future::poll_fn;
use std::os::unix::fs::PermissionsExt;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;

use countersign_store::{
    Access, Location, Migration, Options, Param, Row, Settle, Settles, Store, StoreError, Tx, Value, params,
};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::Barrier;

// The store's tests stand below the crate `testkit`, which is made of everything.
#[expect(unreachable_pub, reason = "the crate `testkit` exports it")]
#[path = "../../testkit/src/postgres.rs"]
mod postgres;

const NOW: i64 = 1_700_000_000_000_000;

const SQLITE: &[Migration] = &[Migration {
    version: 1,
    name: "things",
    sql: "CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY, number INTEGER, bytes BLOB, truth INTEGER) STRICT;
          CREATE TABLE bulk (bytes BLOB NOT NULL) STRICT;",
}];

const POSTGRES: &[Migration] = &[Migration {
    version: 1,
    name: "things",
    sql: "CREATE TABLE things (id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY, number BIGINT, bytes BYTEA, truth BOOLEAN);
          CREATE TABLE bulk (bytes BYTEA NOT NULL);",
}];

const INSERT: &str = "INSERT INTO things (id, number, bytes, truth) VALUES ($1, $2, $3, $4)";
const INSERT_ID: &str = "INSERT INTO things (id, number) VALUES ($1, 0)";
const SELECT: &str = "SELECT id, number, bytes, truth FROM things WHERE id = $1";
const COUNT: &str = "SELECT count(*) FROM things";
const IDS: &str = "SELECT id FROM things ORDER BY id";
const ADD: &str = "UPDATE things SET number = number + 1 WHERE id = $1";
const CONSUME: &str = "UPDATE things SET number = $1 WHERE id = $2 AND number < $1";
const FILL: &str = "INSERT INTO bulk (bytes) VALUES ($1)";

/// Where a test's database is.
enum Place {
    Folder(TempDir),
    Server(postgres::Postgres),
}

impl Place {
    fn sqlite() -> Self {
        Self::Folder(TempDir::new().unwrap())
    }

    fn postgres() -> Self {
        Self::Server(postgres::Postgres::throw_away())
    }

    fn options(&self) -> Options {
        let location = match self {
            Self::Folder(folder) => Location::Sqlite(folder.path().join("data/c.db")),
            Self::Server(server) => Location::Postgres(SecretString::from(server.url())),
        };
        Options { record: true, ..Options::serve(location, NOW) }
    }

    async fn try_open(&self) -> Result<Store, StoreError> {
        Store::open_with(self.options(), SQLITE, POSTGRES).await
    }

    async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }
}

/// How the units of these tests fail.
#[derive(Debug, PartialEq)]
enum Failure {
    Refused,
    Store(StoreError),
}

impl Settles for Failure {
    fn settle(&self) -> Settle {
        match self {
            Self::Refused => Settle::Commit,
            Self::Store(error) => error.settle(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn insert(store: &Store, id: &'static str) -> Result<(), StoreError> {
    let unit = async move |tx: &mut Tx<'_>| tx.execute(INSERT_ID, params![id]).await.map(drop);
    store.write(unit).await
}

async fn ids(store: &Store) -> Vec<String> {
    let rows = store.read(async |tx: &mut Tx<'_>| tx.rows(IDS, params![]).await).await;
    rows.unwrap().into_iter().map(|row: Row| row.reader("things").text("id").unwrap()).collect()
}

async fn number(store: &Store, id: &'static str) -> i64 {
    let row = store.read(async move |tx: &mut Tx<'_>| tx.row(SELECT, params![id]).await).await;
    let mut row = row.unwrap().unwrap().reader("things");
    assert_eq!(row.text("id").unwrap(), id);
    row.int("number").unwrap()
}

/// Polls a future once and drops it: a caller that hangs up.
async fn begin_and_hang_up<T>(future: impl Future<Output = T>) {
    let mut future = pin!(future);
    let waits = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await;
    assert!(waits);
}

const fn is_send<T: Send>(future: T) -> T {
    future
}

macro_rules! on_both_engines {
    ($($name:ident)+) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(&super::Place::sqlite()).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(&super::Place::postgres()).await;
            })+
        }
    };
}

on_both_engines! {
    every_kind_of_value_comes_back_as_it_went_in
    text_that_only_one_engine_could_keep_is_refused
    a_refusal_keeps_its_writes_and_a_fault_does_not
    a_panic_is_a_fault_and_harms_nobody_else
    a_unit_that_goes_on_after_a_failed_statement_is_a_fault
    a_unit_that_only_reads_cannot_write
    one_row_is_expected_and_more_are_a_fault
    of_64_that_consume_at_once_one_succeeds
    no_update_is_lost
    a_caller_that_hangs_up_loses_nothing
    what_was_told_is_there_after_a_drop
    closing_finishes_what_waits_and_refuses_what_comes
    futures_are_send_though_units_are_not
    statements_are_recorded_when_they_succeed
    migrations_are_applied_once_and_remembered
    a_schema_of_another_program_is_refused
}

async fn every_kind_of_value_comes_back_as_it_went_in(place: &Place) {
    let store = place.open().await;
    let cases = [
        ("", None::<i64>, None::<Vec<u8>>, None::<bool>),
        ("ünïcödé 双因素 🔐 'quoted' \"$1\"", Some(i64::MAX), Some(vec![]), Some(true)),
        ("minimum", Some(i64::MIN), Some((0..=255).collect()), Some(false)),
        ("long", Some(0), Some(vec![7; 100_000]), Some(true)),
    ];
    for (id, number, bytes, truth) in cases {
        let given = bytes.clone();
        let unit = async move |tx: &mut Tx<'_>| {
            tx.execute(INSERT, params![id, number, given, truth]).await?;
            tx.row(SELECT, params![id]).await
        };
        let mut row = store.write(unit).await.unwrap().unwrap().reader("things");
        assert_eq!(row.text("id").unwrap(), id);
        assert_eq!(row.opt_int("number").unwrap(), number);
        assert_eq!(row.opt_blob("bytes").unwrap(), bytes);
        assert_eq!(row.opt_bool("truth").unwrap(), truth);
    }
    let nobody = store.read(async |tx: &mut Tx<'_>| tx.row(SELECT, params!["nobody"]).await).await;
    assert_eq!(nobody.unwrap(), None);
}

async fn text_that_only_one_engine_could_keep_is_refused(place: &Place) {
    let store = place.open().await;
    assert!(matches!(insert(&store, "a\0b").await, Err(StoreError::Fault(_))));
    assert!(ids(&store).await.is_empty());
}

async fn a_refusal_keeps_its_writes_and_a_fault_does_not(place: &Place) {
    let store = place.open().await;
    let refusal = async |tx: &mut Tx<'_>| {
        tx.execute(INSERT_ID, params!["refusal"]).await?;
        Err::<(), _>(Failure::Refused)
    };
    assert_eq!(store.write(refusal).await, Err(Failure::Refused));
    let broken = || Failure::Store(StoreError::Fault("half-way".to_owned()));
    let fault = async move |tx: &mut Tx<'_>| {
        tx.execute(INSERT_ID, params!["fault"]).await?;
        Err::<(), _>(broken())
    };
    assert_eq!(store.write(fault).await, Err(broken()));
    assert_eq!(ids(&store).await, ["refusal"]);
}

async fn a_panic_is_a_fault_and_harms_nobody_else(place: &Place) {
    let store = place.open().await;
    let panicking = async |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        tx.execute(INSERT_ID, params!["panic"]).await?;
        panic!("for the test")
    };
    let (panicked, good, read) = tokio::join!(
        store.write(panicking),
        insert(&store, "good"),
        store.read(async |_: &mut Tx<'_>| -> Result<(), StoreError> { panic!("for the test") }),
    );
    assert_eq!(panicked, Err(StoreError::Fault("a unit panicked: for the test".to_owned())));
    assert_eq!(read, Err(StoreError::Fault("a unit panicked: for the test".to_owned())));
    assert_eq!(good, Ok(()));
    assert_eq!(ids(&store).await, ["good"]);
}

async fn a_unit_that_goes_on_after_a_failed_statement_is_a_fault(place: &Place) {
    let store = place.open().await;
    insert(&store, "taken").await.unwrap();
    let careless = async |tx: &mut Tx<'_>| {
        tx.execute(INSERT_ID, params!["new"]).await?;
        drop(tx.execute(INSERT_ID, params!["taken"]).await);
        Ok::<_, StoreError>(())
    };
    assert!(matches!(store.write(careless).await, Err(StoreError::Fault(_))));
    assert!(matches!(insert(&store, "taken").await, Err(StoreError::Fault(_))));
    assert_eq!(ids(&store).await, ["taken"]);
}

async fn a_unit_that_only_reads_cannot_write(place: &Place) {
    let store = place.open().await;
    let unit = async |tx: &mut Tx<'_>| tx.execute(INSERT_ID, params!["read"]).await;
    assert!(matches!(store.read(unit).await, Err(StoreError::Fault(_))));
    assert!(ids(&store).await.is_empty());
}

async fn one_row_is_expected_and_more_are_a_fault(place: &Place) {
    let store = place.open().await;
    insert(&store, "a").await.unwrap();
    let unit = async |tx: &mut Tx<'_>| tx.row(IDS, params![]).await;
    assert_eq!(store.read(unit).await.unwrap().unwrap().into_values(), [Value::Text("a".to_owned())]);
    insert(&store, "b").await.unwrap();
    assert!(matches!(store.read(unit).await, Err(StoreError::Fault(_))));
}

async fn of_64_that_consume_at_once_one_succeeds(place: &Place) {
    let store = place.open().await;
    insert(&store, "step").await.unwrap();
    let consume = async |tx: &mut Tx<'_>| tx.execute(CONSUME, params![1_i64, "step"]).await;
    let changed: Vec<u64> =
        all((0..64).map(|_| (store.clone(), consume)), async |(store, unit)| store.write(unit).await.unwrap()).await;
    assert_eq!(changed.iter().sum::<u64>(), 1);
}

async fn no_update_is_lost(place: &Place) {
    let store = place.open().await;
    insert(&store, "counter").await.unwrap();
    all((0..64).map(|_| store.clone()), async |store| {
        for _ in 0..4 {
            let unit = async |tx: &mut Tx<'_>| tx.execute(ADD, params!["counter"]).await;
            assert_eq!(store.write(unit).await, Ok(1));
        }
    })
    .await;
    assert_eq!(number(&store, "counter").await, 256);
}

/// Runs a task for each of `things`.
async fn all<A, T, F>(things: impl Iterator<Item = A>, task: F) -> Vec<T>
where
    F: AsyncFn(A) -> T,
{
    // One after the other they would never meet, so each is begun before any is awaited.
    let mut futures: Vec<_> = things.map(|thing| Box::pin(task(thing))).collect();
    let mut outcomes: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, outcome) in futures.iter_mut().zip(&mut outcomes) {
            if outcome.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *outcome = Some(value);
            }
        }
        if outcomes.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}

async fn a_caller_that_hangs_up_loses_nothing(place: &Place) {
    let store = place.open().await;
    begin_and_hang_up(insert(&store, "hung up")).await;
    store.close().await;
    assert_eq!(ids(&place.open().await).await, ["hung up"]);
}

async fn what_was_told_is_there_after_a_drop(place: &Place) {
    let store = place.open().await;
    insert(&store, "kept").await.unwrap();
    drop(store);
    assert_eq!(ids(&place.open().await).await, ["kept"]);
}

async fn closing_finishes_what_waits_and_refuses_what_comes(place: &Place) {
    let store = place.open().await;
    let other = store.clone();
    let (waited, ()) = tokio::join!(biased; insert(&other, "waited"), store.close());
    assert_eq!(waited, Ok(()));
    assert!(matches!(insert(&other, "late").await, Err(StoreError::Unavailable(_))));
    let read = other.read(async |tx: &mut Tx<'_>| tx.row(COUNT, params![]).await).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))));
    drop(other);
    assert_eq!(ids(&place.open().await).await, ["waited"]);
}

async fn futures_are_send_though_units_are_not(place: &Place) {
    let store = place.open().await;
    let unit = async |tx: &mut Tx<'_>| {
        let local = std::rc::Rc::new(1_i64);
        let count = tx.row(COUNT, params![]).await?;
        Ok::<_, StoreError>(count.is_some() && *local == 1)
    };
    assert_eq!(is_send(store.read(unit)).await, Ok(true));
    assert_eq!(is_send(store.write(unit)).await, Ok(true));
}

async fn statements_are_recorded_when_they_succeed(place: &Place) {
    let store = place.open().await;
    insert(&store, "a").await.unwrap();
    insert(&store, "a").await.unwrap_err();
    ids(&store).await;
    let executed: BTreeSet<_> = store.executed().into_iter().collect();
    assert_eq!(executed, BTreeSet::from([INSERT_ID, IDS]));
}

async fn migrations_are_applied_once_and_remembered(place: &Place) {
    drop(place.open().await);
    let store = place.open().await;
    let sql = "SELECT version, name, checksum, applied_at FROM schema_migrations";
    let rows = store.read(async |tx: &mut Tx<'_>| tx.rows(sql, params![]).await).await.unwrap();
    let [row] = <[Row; 1]>::try_from(rows).unwrap();
    let mut row = row.reader("schema_migrations");
    assert_eq!(row.int("version").unwrap(), 1);
    assert_eq!(row.text("name").unwrap(), "things");
    assert_eq!(row.text("checksum").unwrap().len(), 64);
    assert_eq!(row.int("applied_at").unwrap(), NOW);
}

async fn a_schema_of_another_program_is_refused(place: &Place) {
    let store = place.open().await;
    let write = async |sql: &'static str, params: &'static [Param<'static>]| {
        let unit = async move |tx: &mut Tx<'_>| tx.execute(sql, params).await;
        store.write(unit).await.unwrap();
    };
    write(
        "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (7, 'future', '', $1)",
        &[Param::Int(0)],
    )
    .await;
    let operator = Options { access: Access::Operate, ..place.options() };
    let open = async || Store::open_with(operator.clone(), SQLITE, POSTGRES).await.unwrap_err();
    assert_eq!(open().await, StoreError::FromTheFuture { found: 7, known: 1 });
    write("DELETE FROM schema_migrations WHERE version = 7", &[]).await;
    write("UPDATE schema_migrations SET checksum = 'edited'", &[]).await;
    assert!(matches!(open().await, StoreError::ForeignMigration { version: 1, .. }));
}

/// A unit that stops the SQLite writer until it is told to go on; when `entered` hears of it, nobody else is served.
struct Gate {
    entered: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
}

impl Gate {
    fn new(id: &'static str) -> (Self, impl AsyncFn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static) {
        let (tell, entered) = mpsc::channel();
        let (go_on, wait) = mpsc::channel();
        let wait = Mutex::new(wait);
        let unit = async move |tx: &mut Tx<'_>| {
            tx.execute(INSERT_ID, params![id]).await?;
            tell.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
            Ok(())
        };
        (Self { entered, go_on }, unit)
    }
}

/// Runs `units` in one batch of the SQLite writer.
async fn in_one_batch<T>(store: &Store, units: impl Future<Output = T>) -> T {
    let (gate, unit) = Gate::new("gate");
    let writer = tokio::spawn({
        let store = store.clone();
        async move { store.write(unit).await }
    });
    gate.entered.recv().unwrap();
    let mut units = pin!(units);
    assert!(poll_fn(|context| Poll::Ready(units.as_mut().poll(context).is_pending())).await);
    gate.go_on.send(()).unwrap();
    writer.await.unwrap().unwrap();
    units.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_tells_nobody_of_a_batch_before_its_commit() {
    let place = Place::sqlite();
    let store = place.open().await;
    let (gate, unit) = Gate::new("last of the batch");
    let batch = async {
        let gate = async {
            // Here the first unit of the batch has run, and the second one is in the middle.
            let seen = tokio::task::spawn_blocking(move || {
                gate.entered.recv().unwrap();
                gate
            });
            let gate = seen.await.unwrap();
            assert_eq!(ids(&store).await, ["gate"]);
            gate.go_on.send(()).unwrap();
        };
        tokio::join!(biased; insert(&store, "first of the batch"), store.write(unit), gate)
    };
    let (first, last, ()) = in_one_batch(&store, batch).await;
    assert_eq!((first, last), (Ok(()), Ok(())));
    assert_eq!(ids(&store).await, ["first of the batch", "gate", "last of the batch"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_isolates_the_units_of_a_batch() {
    let place = Place::sqlite();
    let store = place.open().await;
    let panicking = async |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        tx.execute(INSERT_ID, params!["panic"]).await?;
        panic!("for the test")
    };
    let refused = async |tx: &mut Tx<'_>| {
        tx.execute(INSERT_ID, params!["refused"]).await?;
        Err::<(), _>(Failure::Refused)
    };
    let batch = async {
        tokio::join!(
            biased;
            insert(&store, "before"),
            insert(&store, "before"),
            store.write(panicking),
            store.write(refused),
            insert(&store, "after"),
        )
    };
    let (before, twice, panicked, refused, after) = in_one_batch(&store, batch).await;
    assert_eq!((before, after), (Ok(()), Ok(())));
    assert!(matches!(twice, Err(StoreError::Fault(_))));
    assert!(matches!(panicked, Err(StoreError::Fault(_))));
    assert_eq!(refused, Err(Failure::Refused));
    assert_eq!(ids(&store).await, ["after", "before", "gate", "refused"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_with_a_full_disk_refuses_the_whole_batch_and_recovers() {
    let place = Place::sqlite();
    let store = place.open().await;
    let limit = async |sql: &'static str| {
        let limited = store.write(async move |tx: &mut Tx<'_>| tx.rows(sql, params![]).await).await;
        limited.unwrap();
    };
    limit("PRAGMA max_page_count = 32").await;
    let fill = async |tx: &mut Tx<'_>| tx.execute(FILL, params![vec![1_u8; 1_000_000]]).await;
    let batch = async { tokio::join!(biased; insert(&store, "before"), store.write(fill), insert(&store, "after")) };
    let (before, filled, after) = in_one_batch(&store, batch).await;
    assert!(matches!(filled, Err(StoreError::Unavailable(_))), "{filled:?}");
    assert!(matches!(before, Err(StoreError::Unavailable(_))), "{before:?}");
    assert!(matches!(after, Err(StoreError::Unavailable(_))), "{after:?}");
    assert_eq!(ids(&store).await, ["gate"]);

    limit("PRAGMA max_page_count = 100000").await;
    store.write(fill).await.unwrap();
    insert(&store, "recovered").await.unwrap();
    assert_eq!(ids(&store).await, ["gate", "recovered"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_readers_see_one_snapshot() {
    let place = Place::sqlite();
    let store = place.open().await;
    let (tell, first_seen) = mpsc::channel();
    let (written, wait) = mpsc::channel();
    let wait = Mutex::new(wait);
    let unit = async move |tx: &mut Tx<'_>| {
        let before = tx.row(COUNT, params![]).await?;
        tell.send(()).unwrap();
        wait.lock().unwrap().recv().unwrap();
        Ok::<_, StoreError>((before, tx.row(COUNT, params![]).await?))
    };
    let reader = tokio::spawn({
        let store = store.clone();
        async move { store.read(unit).await }
    });
    first_seen.recv().unwrap();
    insert(&store, "between").await.unwrap();
    written.send(()).unwrap();
    let (before, after) = reader.await.unwrap().unwrap();
    assert_eq!(before, after);
    assert_eq!(ids(&store).await, ["between"]);
}

#[tokio::test]
async fn sqlite_refuses_a_unit_that_waits_for_something_else() {
    let place = Place::sqlite();
    let store = place.open().await;
    let unit = async |tx: &mut Tx<'_>| {
        tx.execute(INSERT_ID, params!["waits"]).await?;
        std::future::pending::<Result<(), StoreError>>().await
    };
    assert!(matches!(store.write(unit).await, Err(StoreError::Fault(_))));
    assert!(ids(&store).await.is_empty());
}

#[tokio::test]
async fn sqlite_has_one_server_to_a_folder_and_lets_operators_in() {
    let place = Place::sqlite();
    let store = place.open().await;
    assert!(matches!(place.try_open().await, Err(StoreError::AlreadyServed { .. })));
    let operator = Options { access: Access::Operate, ..place.options() };
    let operator = Store::open_with(operator, SQLITE, POSTGRES).await.unwrap();
    insert(&operator, "operator").await.unwrap();
    insert(&store, "server").await.unwrap();
    assert_eq!(ids(&operator).await, ["operator", "server"]);
    store.close().await;
    place.open().await;
}

#[tokio::test]
async fn sqlite_keeps_its_schema_while_it_is_served() {
    const NEWER: &[Migration] = &[
        SQLITE[0],
        Migration { version: 2, name: "more", sql: "CREATE TABLE more (id TEXT NOT NULL PRIMARY KEY) STRICT;" },
    ];
    let place = Place::sqlite();
    let store = place.open().await;
    let operator = Options { access: Access::Operate, ..place.options() };
    let refused = Store::open_with(operator.clone(), NEWER, POSTGRES).await;
    assert!(matches!(refused, Err(StoreError::AlreadyServed { .. })));
    store.close().await;
    Store::open_with(operator, NEWER, POSTGRES).await.unwrap();
    assert_eq!(place.try_open().await.unwrap_err(), StoreError::FromTheFuture { found: 2, known: 1 });
}

#[tokio::test]
async fn sqlite_files_are_for_their_owner_alone() {
    let place = Place::sqlite();
    let store = place.open().await;
    insert(&store, "a").await.unwrap();
    let Place::Folder(folder) = &place else { panic!("a folder") };
    let folder = folder.path().join("data");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.clone()), 0o700);
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(file.clone()), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn sqlite_in_a_place_that_cannot_be_is_unavailable() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "not a folder").unwrap();
    let location = Location::Sqlite(folder.path().join("file/c.db"));
    let refused = Store::open_with(Options::serve(location, NOW), SQLITE, POSTGRES).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let location = Location::Sqlite(folder.path().join("file"));
    let refused = Store::open_with(Options::serve(location, NOW), SQLITE, POSTGRES).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn postgres_nodes_may_start_at_once() {
    let place = Place::postgres();
    let (a, b, c, d) = tokio::join!(place.open(), place.open(), place.open(), place.open());
    insert(&a, "a").await.unwrap();
    for store in [a, b, c, d] {
        assert_eq!(ids(&store).await, ["a"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_runs_a_unit_again_after_a_deadlock() {
    let place = Place::postgres();
    let store = place.open().await;
    insert(&store, "a").await.unwrap();
    insert(&store, "b").await.unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let meet = Arc::new(Barrier::new(2));
    let unit = |first: &'static str, second: &'static str| {
        let (runs, meet) = (Arc::clone(&runs), Arc::clone(&meet));
        async move |tx: &mut Tx<'_>| {
            tx.execute(ADD, params![first]).await?;
            if runs.fetch_add(1, Ordering::Relaxed) < 2 {
                meet.wait().await;
            }
            tx.execute(ADD, params![second]).await
        }
    };
    let (one, other) = tokio::join!(store.write(unit("a", "b")), store.write(unit("b", "a")));
    assert_eq!((one, other), (Ok::<_, StoreError>(1), Ok::<_, StoreError>(1)));
    assert!(runs.load(Ordering::Relaxed) >= 3);
    assert_eq!((number(&store, "a").await, number(&store, "b").await), (2, 2));
}

#[tokio::test]
async fn postgres_runs_a_unit_again_after_a_serialization_failure() {
    let place = Place::postgres();
    let store = place.open().await;
    insert(&store, "a").await.unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let unit = {
        let (runs, store) = (Arc::clone(&runs), store.clone());
        async move |tx: &mut Tx<'_>| {
            tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", params![]).await?;
            tx.row(COUNT, params![]).await?;
            if runs.fetch_add(1, Ordering::Relaxed) == 0 {
                store.write(async |tx: &mut Tx<'_>| tx.execute(ADD, params!["a"]).await).await?;
            }
            tx.execute(ADD, params!["a"]).await
        }
    };
    assert_eq!(store.write(unit).await, Ok::<_, StoreError>(1));
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(number(&store, "a").await, 2);
}

#[tokio::test]
async fn postgres_runs_a_unit_again_when_the_connection_is_lost_before_the_commit() {
    let place = Place::postgres();
    let store = place.open().await;
    let runs = Arc::new(AtomicU32::new(0));
    let unit = {
        let runs = Arc::clone(&runs);
        async move |tx: &mut Tx<'_>| {
            tx.execute(INSERT_ID, params!["a"]).await?;
            if runs.fetch_add(1, Ordering::Relaxed) == 0 {
                tx.rows("SELECT pg_terminate_backend(pg_backend_pid())", params![]).await?;
            }
            Ok::<_, StoreError>(())
        }
    };
    assert_eq!(store.write(unit).await, Ok(()));
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(ids(&store).await, ["a"]);
}

#[tokio::test]
async fn postgres_that_does_not_let_go_of_its_connection_is_unavailable() {
    let place = Place::postgres();
    let store = place.open().await;
    let runs = Arc::new(AtomicU32::new(0));
    let unit = {
        let runs = Arc::clone(&runs);
        async move |tx: &mut Tx<'_>| {
            runs.fetch_add(1, Ordering::Relaxed);
            tx.rows("SELECT pg_terminate_backend(pg_backend_pid())", params![]).await
        }
    };
    assert!(matches!(store.write(unit).await, Err(StoreError::Unavailable(_))));
    assert_eq!(runs.load(Ordering::Relaxed), 10);
    insert(&store, "a").await.unwrap();
}

#[tokio::test]
async fn postgres_readers_see_one_snapshot() {
    let place = Place::postgres();
    let store = place.open().await;
    let unit = {
        let store = store.clone();
        async move |tx: &mut Tx<'_>| {
            let before = tx.row(COUNT, params![]).await?;
            insert(&store, "between").await?;
            Ok::<_, StoreError>((before, tx.row(COUNT, params![]).await?))
        }
    };
    let (before, after) = store.read(unit).await.unwrap();
    assert_eq!(before, after);
    assert_eq!(ids(&store).await, ["between"]);
}

#[tokio::test]
async fn postgres_that_is_not_there_is_unavailable() {
    let folder = TempDir::new().unwrap();
    let url = format!("postgresql:///c?host={}&user=c&password=hush", folder.path().display());
    let location = Location::Postgres(SecretString::from(url));
    let error = Store::open_with(Options::serve(location, NOW), SQLITE, POSTGRES).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(!error.to_string().contains("hush"));
    let location = Location::Postgres(SecretString::from("postgresql://c:hush@h/c?nonsense=1".to_owned()));
    let error = Store::open_with(Options::serve(location, NOW), SQLITE, POSTGRES).await.unwrap_err();
    assert!(matches!(error, StoreError::BadLocation(_)) && !error.to_string().contains("hush"), "{error}");
}
