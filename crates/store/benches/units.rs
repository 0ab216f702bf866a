//! How many units a second SQLite makes, and PostgreSQL when `COUNTERSIGN_BENCH_POSTGRES` holds the URL of an empty
//! database: `cargo bench -p countersign-store`.
//!
//! Through [`Store`], by one caller and by 64 at once: a realistic unit (two selects, two updates, two inserts) and one
//! read by primary key. Below that, what rusqlite alone makes in a loop.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "it measures and tells"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use countersign_store::{Location, Migration, Options, Store, StoreError, Tx, params};
use rusqlite::Connection;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::runtime;
use tokio::task::JoinSet;

const LASTS: Duration = Duration::from_secs(4);
const CALLERS: i64 = 64;
const PRINCIPALS: i64 = 10_000;

const SQLITE: &[Migration] = &[Migration {
    version: 1,
    name: "bench",
    sql: "CREATE TABLE principals (id BIGINT PRIMARY KEY, name TEXT NOT NULL, epoch BIGINT NOT NULL);
          CREATE TABLE devices (id BIGINT PRIMARY KEY, seed BLOB NOT NULL, last_step BIGINT NOT NULL);
          CREATE TABLE events (id BIGINT PRIMARY KEY, principal BIGINT NOT NULL, what TEXT NOT NULL);
          CREATE TABLE sessions (id BLOB PRIMARY KEY, principal BIGINT NOT NULL, until BIGINT NOT NULL) WITHOUT ROWID;",
}];

const POSTGRES: &[Migration] = &[Migration {
    version: 1,
    name: "bench",
    sql: "CREATE TABLE principals (id BIGINT PRIMARY KEY, name TEXT NOT NULL, epoch BIGINT NOT NULL);
          CREATE TABLE devices (id BIGINT PRIMARY KEY, seed BYTEA NOT NULL, last_step BIGINT NOT NULL);
          CREATE TABLE events (id BIGINT PRIMARY KEY, principal BIGINT NOT NULL, what TEXT NOT NULL);
          CREATE TABLE sessions (id BYTEA PRIMARY KEY, principal BIGINT NOT NULL, until BIGINT NOT NULL);",
}];

const NEW_PRINCIPAL: &str = "INSERT INTO principals (id, name, epoch) VALUES ($1, $2, 0)";
const NEW_DEVICE: &str = "INSERT INTO devices (id, seed, last_step) VALUES ($1, $2, 0)";
const FIND_PRINCIPAL: &str = "SELECT id, name, epoch FROM principals WHERE id = $1";
const FIND_DEVICE: &str = "SELECT seed, last_step FROM devices WHERE id = $1";
const TOUCH_PRINCIPAL: &str = "UPDATE principals SET epoch = epoch + 1 WHERE id = $1";
const CONSUME_STEP: &str = "UPDATE devices SET last_step = $1 WHERE id = $2 AND last_step < $1";
const NEW_EVENT: &str = "INSERT INTO events (id, principal, what) VALUES ($1, $2, 'logon.succeeded')";
const NEW_SESSION: &str = "INSERT INTO sessions (id, principal, until) VALUES ($1, $2, 0)";

fn main() {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = TempDir::new_in(".").unwrap();
    runtime.block_on(async {
        let path = folder.path().join("bench.db");
        let store = open(Location::Sqlite(path.clone())).await;
        measure("SQLite", &store).await;
        store.close().await;
        tell("rusqlite alone, one update, 64 to a commit", bare(&path, bare_update));
        tell("rusqlite alone, realistic unit, 64 to a commit", bare(&path, bare_logon));

        if let Ok(url) = std::env::var("COUNTERSIGN_BENCH_POSTGRES") {
            let store = open(Location::Postgres(SecretString::from(url))).await;
            measure("PostgreSQL", &store).await;
        }
    });
}

async fn open(location: Location) -> Store {
    let store = Store::open_with(Options::serve(location, 0), SQLITE, POSTGRES).await.unwrap();
    let fill = async |tx: &mut Tx<'_>| {
        for id in 0..PRINCIPALS {
            tx.execute(NEW_PRINCIPAL, params![id, format!("user-{id}@acme.example")]).await?;
            tx.execute(NEW_DEVICE, params![id, [7_u8; 48]]).await?;
        }
        Ok::<_, StoreError>(())
    };
    store.write(fill).await.unwrap();
    store
}

async fn measure(engine: &str, store: &Store) {
    for callers in [1, CALLERS] {
        let rate = by_callers(store, callers, |store, id| async move {
            store.write(async move |tx: &mut Tx<'_>| logon(tx, id).await).await.unwrap();
        });
        tell(&format!("{engine}, realistic unit, {callers} callers"), rate.await);
    }
    for callers in [1, CALLERS] {
        let rate = by_callers(store, callers, |store, id| async move {
            let id = id % PRINCIPALS;
            let unit = async move |tx: &mut Tx<'_>| tx.row(FIND_PRINCIPAL, params![id]).await;
            assert!(store.read(unit).await.unwrap().is_some());
        });
        tell(&format!("{engine}, one read, {callers} callers"), rate.await);
    }
}

/// The statements of a logon's last step, more or less.
async fn logon(tx: &mut Tx<'_>, number: i64) -> Result<(), StoreError> {
    let principal = number % PRINCIPALS;
    tx.row(FIND_PRINCIPAL, params![principal]).await?;
    tx.row(FIND_DEVICE, params![principal]).await?;
    tx.execute(TOUCH_PRINCIPAL, params![principal]).await?;
    tx.execute(CONSUME_STEP, params![number, principal]).await?;
    tx.execute(NEW_EVENT, params![number, principal]).await?;
    tx.execute(NEW_SESSION, params![token(number), principal]).await?;
    Ok(())
}

/// Units a second that `callers` make together, each one waiting for its answer before it asks again.
async fn by_callers<F, R>(store: &Store, callers: i64, task: F) -> f64
where
    F: Fn(Store, i64) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let (store, task) = (store.clone(), task.clone());
        tasks.spawn(async move {
            let mut number = 1_000_000_000 * callers + caller;
            let first = number;
            while began.elapsed() < LASTS {
                task(store.clone(), number).await;
                number += callers;
            }
            (number - first) / callers
        });
    }
    let done: i64 = tasks.join_all().await.iter().sum();
    done as f64 / began.elapsed().as_secs_f64()
}

/// Units a second of prepared statements on a bare connection, 64 to a commit.
fn bare(path: &Path, unit: impl Fn(&Connection, i64) -> rusqlite::Result<()>) -> f64 {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA synchronous = FULL").unwrap();
    let mut done = 0_i64;
    let began = Instant::now();
    while began.elapsed() < LASTS {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..64 {
            done += 1;
            unit(&connection, done).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    done as f64 / began.elapsed().as_secs_f64()
}

fn bare_update(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    connection.prepare_cached(TOUCH_PRINCIPAL)?.execute([number % PRINCIPALS])?;
    Ok(())
}

fn bare_logon(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    let principal = number % PRINCIPALS;
    connection.execute_batch("SAVEPOINT unit")?;
    let name = |row: &rusqlite::Row<'_>| row.get::<_, String>(1);
    connection.prepare_cached(FIND_PRINCIPAL)?.query_row([principal], name)?;
    let seed = |row: &rusqlite::Row<'_>| row.get::<_, Vec<u8>>(0);
    connection.prepare_cached(FIND_DEVICE)?.query_row([principal], seed)?;
    connection.prepare_cached(TOUCH_PRINCIPAL)?.execute([principal])?;
    connection.prepare_cached(CONSUME_STEP)?.execute([number, principal])?;
    connection.prepare_cached(NEW_EVENT)?.execute([number, principal])?;
    connection.prepare_cached(NEW_SESSION)?.execute((token(number), principal))?;
    connection.execute_batch("RELEASE unit")
}

/// As scattered as the digest of a token.
fn token(number: i64) -> [u8; 32] {
    let part = number.wrapping_mul(0x1E37_79B9_7F4A_7C15).to_be_bytes();
    let mut token = [0; 32];
    for chunk in token.chunks_exact_mut(part.len()) {
        chunk.copy_from_slice(&part);
    }
    token
}

fn tell(what: &str, rate: f64) {
    println!("{what}: {rate:.0} a second");
}
