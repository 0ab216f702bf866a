//! Signed calls among 100,000 users, against a handler of the same server that does nothing and is sent the same bytes.

use crate::client::Client;
use crate::{Bench, CLIENTS, population, ratio, report, spread};
use countersign_core::operator::Whom;
use countersign_core::setup::NewAccount;
use countersign_model::clock::{Clock as _, SystemClock};
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::AccessKeyId;
use countersign_ram_api::api::Api;
use countersign_store::Location;
use countersign_testkit::api::{Key, Signed, Version};
use countersign_testkit::postgres::Postgres;
use secrecy::{ExposeSecret as _, SecretString};
use std::net::SocketAddr;
use std::time::Instant;

const USERS: usize = 100_000;
const REQUESTS: usize = 40_000;
const ROUNDS: usize = 3;
/// The path of the handler that does nothing.
const NOTHING: &str = "/bench/nothing";

pub async fn run() {
    println!("\nSigned calls among {USERS} users of one account, SQLite");
    let folder = tempfile::TempDir::new_in(".").unwrap();
    let bench = Bench::start(Location::Sqlite(folder.path().join("data/bench.db"))).await;
    let (address, key) = (door(&bench).await, filled(&bench, USERS).await);
    // What was signed in the second of the start would be refused.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let mut best = [0.0_f64; 2];
    for _ in 0..ROUNDS {
        best[0] = best[0].max(ask(&bench, (address, NOTHING), &key).await);
        best[1] = best[1].max(ask(&bench, (address, "/"), &key).await);
    }
    ratio("GetUserMFAInfo to a handler that does nothing (at least 0.25)", best[1], best[0]);
    list(&bench, address, &key).await;
    nonces("in memory", &bench, 1_000_000).await;

    let database = Postgres::throw_away();
    let bench = Bench::start(Location::Postgres(SecretString::from(database.url()))).await;
    nonces("in PostgreSQL's table (fsync off)", &bench, 40_000).await;
}

/// The API's listener.
async fn door(bench: &Bench) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router =
        countersign_ram_api::router(bench.core.clone(), countersign_ram_api::Options { trusted_proxy_hops: 0 });
    let router = router.route(NOTHING, axum::routing::post(async || {}));
    tokio::spawn(async move {
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
    });
    address
}

/// An account with users, and its owner's key.
async fn filled(bench: &Bench, users: usize) -> Key {
    let (alias, owner) = ("bench".parse().unwrap(), "owner@bench.example".parse().unwrap());
    let password = "first horse of the house".into();
    let account = bench.core.create_account(NewAccount { alias, owner, password }).await.unwrap();
    population::users(bench, &account.id, users, "-").await;
    let made = bench.core.create_access_key_by_operator("bench", Whom::Owner).await.unwrap();
    Key { id: made.id.to_string(), secret: made.secret.expose_secret().to_owned() }
}

/// As many calls as there are, signed before, each about another user.
async fn ask(bench: &Bench, (address, path): (SocketAddr, &'static str), key: &Key) -> f64 {
    let calls: Vec<String> = (0..REQUESTS)
        .map(|number| {
            let name = format!("user-{:06}", number * 7_919 % USERS);
            request(path, &signed(bench, key, "GetUserMFAInfo", &[("UserName", &name)]))
        })
        .collect();
    let took = spread(calls, CLIENTS, |share: Vec<String>| async move {
        let mut client = Client::connect(address).await;
        for call in share {
            let answer = client.send(call).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    })
    .await;
    report(
        if path == NOTHING { "a handler that does nothing, the same bytes" } else { "GetUserMFAInfo" },
        REQUESTS,
        took,
    )
}

/// The longest list that one call may ask for.
async fn list(bench: &Bench, address: SocketAddr, key: &Key) {
    let mut client = Client::connect(address).await;
    let mut times = Vec::new();
    for _ in 0..21 {
        let call = request("/", &signed(bench, key, "ListUsers", &[("MaxItems", "1000")]));
        let begun = Instant::now();
        let answer = client.send(call).await;
        times.push(begun.elapsed());
        assert_eq!(answer.body.matches("\"UserName\"").count(), 1_000, "{}", answer.head);
    }
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("{:<64} {:>10.1} ms", "ListUsers of 1,000 (at most 20 ms)", median.as_secs_f64() * 1_000.0);
}

/// What it costs to spend a nonce.
async fn nonces(place: &str, bench: &Bench, count: usize) {
    let key = AccessKeyId::generate(&OsEntropy);
    let names: Vec<String> = (0..count).map(|_| bench.core.new_request_id()).collect();
    let took = spread(names, CLIENTS, |share: Vec<String>| {
        let (core, key) = (bench.core.clone(), key.clone());
        async move {
            for name in share {
                core.spend_nonce(&key, &name, SystemClock.now()).await.unwrap();
            }
        }
    })
    .await;
    report(&format!("nonces spent {place}"), count, took);
    println!("{:<64} {:>10.2} us", "... each", took.as_secs_f64() * 1e6 / count as f64);
}

fn signed(bench: &Bench, key: &Key, action: &str, parameters: &[(&str, &str)]) -> Signed {
    let (at, nonce) = (SystemClock.now().to_rfc3339(), bench.core.new_request_id());
    key.sign(Version::V3, (&at, &nonce), (Api::Ram, action), parameters)
}

/// The call as bytes on a connection.
fn request(path: &str, signed: &Signed) -> String {
    let lines = signed.headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    let (lines, length) = (lines.collect::<String>(), signed.body.len());
    format!(
        "{} {path}?{} HTTP/1.1\r\n{lines}content-length: {length}\r\n\r\n{}",
        signed.method, signed.query, signed.body
    )
}
