//! The list of 100,000 users: its first page, a search, a filter, the overview.

use crate::Bench;
use crate::client::Client;
use crate::population;
use countersign_core::setup::NewAccount;
use countersign_store::Location;
use std::time::Instant;

const USERS: usize = 100_000;

pub async fn run() {
    println!("\n{USERS} users of one account, SQLite");
    let folder = tempfile::TempDir::new_in(".").unwrap();
    let bench = Bench::start(Location::Sqlite(folder.path().join("data/bench.db"))).await;
    let password = "a quiet house by the sea";
    let account = bench
        .core
        .create_account(NewAccount {
            alias: "bench".parse().unwrap(),
            owner: "owner@bench.example".parse().unwrap(),
            password: password.to_owned().into(),
        })
        .await
        .unwrap();
    population::users(&bench, &account.id, USERS, "-").await;
    let mut client = Client::connect(bench.address).await;
    let cookie = client.post("/logon", "", "as=owner&name=owner%40bench.example").await.cookie("countersign-logon");
    let form = format!("password={}", password.replace(' ', "+"));
    let cookie = client.post("/logon/password", &cookie, &form).await.cookie("countersign-session");
    for (name, path) in [
        ("first page (at most 50 ms)", "/ram/users"),
        ("a late page", "/ram/users?page=1900"),
        ("search for one user (at most 100 ms)", "/ram/users?q=user-054321"),
        ("search by display name, many found (at most 100 ms)", "/ram/users?q=number+77"),
        ("search that finds nothing (at most 100 ms)", "/ram/users?q=nobody+at+all"),
        ("filter: required and not bound", "/ram/users?mfa=required-unbound"),
        ("filter: bound", "/ram/users?mfa=bound"),
        ("overview", "/ram/overview"),
    ] {
        let mut times = Vec::new();
        for _ in 0..9 {
            let begun = Instant::now();
            let answer = client.get(path, &cookie).await;
            times.push(begun.elapsed());
            assert_eq!(answer.status, 200, "{path}: {}", answer.head);
        }
        times.sort();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        println!("{name:<64} {:>10.1} ms", median.as_secs_f64() * 1_000.0);
    }
}
