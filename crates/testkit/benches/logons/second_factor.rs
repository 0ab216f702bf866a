//! The second factor with its use committed to disk: over HTTP, without HTTP, and a bare loop of updates.

use crate::client::Client;
use crate::population::{self, User};
use crate::{Bench, CLIENTS, ratio, report, spread};
use countersign_core::Origin;
use countersign_core::logon::LogonStep;
use countersign_model::token::Token;
use countersign_store::Location;
use countersign_testkit::postgres::Postgres;
use secrecy::SecretString;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const ROUND: usize = 8_000;
const ROUNDS: usize = 3;

pub async fn on_sqlite() {
    println!("\nSecond factor on SQLite, synchronous=FULL");
    let folder = tempfile::TempDir::new_in(".").unwrap();
    let bench = Bench::start(Location::Sqlite(folder.path().join("data/bench.db"))).await;
    let account = population::account(&bench, "bench").await;
    let users = population::users(&bench, &account, ROUND, "-").await;
    let mut users = users.as_slice();
    let mut best: [f64; 3] = [0.0; 3];
    for _ in 0..ROUNDS {
        // Each round spends one code of a third of the users on each of the two ways.
        let (share, rest) = users.split_at((ROUND / ROUNDS / 2).min(users.len()));
        let (other, rest) = rest.split_at(share.len().min(rest.len()));
        users = rest;
        best[0] = best[0].max(bare_updates(folder.path(), share.len() * 4));
        best[1] = best[1].max(without_http(&bench, share).await);
        best[2] = best[2].max(over_http(&bench, other, CLIENTS).await);
    }
    ratio("over HTTP to the same unit without HTTP (at least 0.5)", best[2], best[1]);
    ratio("over HTTP to bare updates", best[2], best[0]);
    let one = population::users(&bench, &population::account(&bench, "single").await, 200, "-").await;
    over_http(&bench, &one, 1).await;
}

pub async fn on_postgres() {
    println!("\nSecond factor on PostgreSQL (the tests' cluster: fsync off)");
    let database = Postgres::throw_away();
    let bench = Bench::start(Location::Postgres(SecretString::from(database.url()))).await;
    let account = population::account(&bench, "bench").await;
    let users = population::users(&bench, &account, 6_000, "-").await;
    let (share, other) = users.split_at(3_000);
    let unit = without_http(&bench, share).await;
    let http = over_http(&bench, other, CLIENTS).await;
    ratio("over HTTP to the same unit without HTTP", http, unit);
    if let Some(pgbench) = pgbench(&database.url()) {
        println!("{:<64} {pgbench:>10.0} /s", "pgbench, single-row update, 64 clients");
        ratio("over HTTP to pgbench's update", http, pgbench);
    }
}

/// The same unit of work, 64 to a commit.
async fn without_http(bench: &Bench, users: &[User]) -> f64 {
    let logons = population::waiting_logons(bench, users).await;
    let count = logons.len();
    let took = spread(logons, CLIENTS, |share: Vec<(Token, User)>| {
        let core = bench.core.clone();
        async move {
            for (token, user) in share {
                let step = core.logon_with_code(&token, user.code(), &Origin::default()).await.unwrap();
                assert!(matches!(step, LogonStep::Open { .. }));
            }
        }
    })
    .await;
    report("the unit without HTTP, 64 callers", count, took)
}

pub async fn over_http(bench: &Bench, users: &[User], clients: usize) -> f64 {
    let logons = population::waiting_logons(bench, users).await;
    let count = logons.len();
    let took = spread(logons, clients, |share: Vec<(Token, User)>| {
        let address = bench.address;
        async move {
            let mut client = Client::connect(address).await;
            for (token, user) in share {
                let cookie = format!("countersign-logon={}", token.expose());
                let answer = client.post("/logon/second-factor", &cookie, &format!("code={}", user.code())).await;
                assert_eq!(answer.status, 303, "{}", answer.body);
            }
        }
    })
    .await;
    report(&format!("over HTTP, {clients} clients"), count, took)
}

/// A bare loop of prepared single-row updates, 64 to a commit, on a file of its own beside.
fn bare_updates(folder: &Path, count: usize) -> f64 {
    let db = rusqlite::Connection::open(folder.join("bare.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
         CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, step INTEGER NOT NULL);",
    )
    .unwrap();
    for id in 0..1_000_i64 {
        db.execute("INSERT OR IGNORE INTO t VALUES (?1, 0)", [id]).unwrap();
    }
    let begun = Instant::now();
    let mut update = db.prepare("UPDATE t SET step = step + 1 WHERE id = ?1").unwrap();
    for batch in 0..count / 64 {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        for at in 0..64 {
            update.execute([i64::try_from((batch * 64 + at) % 1_000).unwrap()]).unwrap();
        }
        db.execute_batch("COMMIT").unwrap();
    }
    report("bare prepared updates, 64 to a commit", count / 64 * 64, begun.elapsed())
}

fn pgbench(url: &str) -> Option<f64> {
    let folder = tempfile::TempDir::new().unwrap();
    let script = folder.path().join("update.sql");
    std::fs::write(&script, "\\set id random(1, 1000)\nUPDATE bench_t SET step = step + 1 WHERE id = :id;\n").unwrap();
    let sql = "CREATE TABLE bench_t (id BIGINT PRIMARY KEY, step BIGINT NOT NULL); \
               INSERT INTO bench_t SELECT g, 0 FROM generate_series(1, 1000) g;";
    Command::new("psql").args([url, "-qc", sql]).status().ok()?.success().then_some(())?;
    let binary = ["/usr/lib/postgresql/15/bin/pgbench", "pgbench"].into_iter().find(|p| Path::new(p).exists())?;
    let output = Command::new(binary)
        .args(["-n", "-M", "prepared", "-c", "64", "-j", "2", "-T", "5", "-f"])
        .arg(&script)
        .arg(url)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with("tps"))?;
    line.split_whitespace().nth(2)?.parse().ok()
}
