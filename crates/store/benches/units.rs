//! How many units a second SQLite makes, and PostgreSQL when `COUNTERSIGN_BENCH_POSTGRES` holds the URL of an empty
//! database: `cargo bench -p countersign-store`.
//!
//! Three figures for SQLite: what the engine below can do (one update to a row, 64 to a commit), a realistic unit (two
//! selects, two updates, two inserts) from 64 callers at once through [`Store::write`], and one read by primary key.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "it measures and tells"
)]

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
        tell("SQLite, bare update, 64 to a commit", bare(&path));

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
        let rate = by_callers(store, callers, async |store, id| {
            store.write(async move |tx: &mut Tx<'_>| logon(tx, id).await).await.unwrap();
        });
        tell(&format!("{engine}, realistic unit, {callers} callers"), rate.await);
    }
    for callers in [1, CALLERS] {
        let rate = by_callers(store, callers, async |store, id| {
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
    // As scattered as the digest of a token.
    let id = number.wrapping_mul(0x1E37_79B9_7F4A_7C15).to_be_bytes();
    tx.execute(NEW_SESSION, params![[id, id, id, id].as_flattened(), principal]).await?;
    Ok(())
}

/// Units a second that `callers` make together, each one waiting for its answer before it asks again.
async fn by_callers<F>(store: &Store, callers: i64, task: F) -> f64
where
    F: AsyncFn(Store, i64) + Clone + Send + Sync + 'static,
    for<'f> F::CallRefFuture<'f>: Send,
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

/// Updates a second of prepared statements on a bare connection.
fn bare(path: &std::path::Path) -> f64 {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA synchronous = FULL").unwrap();
    let mut update = connection.prepare(TOUCH_PRINCIPAL).unwrap();
    let mut done = 0_i64;
    let began = Instant::now();
    while began.elapsed() < LASTS {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..64 {
            done += 1;
            update.execute([done % PRINCIPALS]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    done as f64 / began.elapsed().as_secs_f64()
}

fn tell(what: &str, rate: f64) {
    println!("{what}: {rate:.0} a second");
}
