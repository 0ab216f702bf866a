//! Whether the time of an answer tells an unknown name from a wrong password: tries of both in turn, and a rank test
//! (Mann-Whitney) over them.

use crate::{Bench, population};
use countersign_core::Origin;
use countersign_core::hashing::{HashParams, PasswordHasher};
use countersign_model::names::LogonName;
use countersign_store::Location;
use std::time::{Duration, Instant};

/// Tries of each kind.
const TRIES: usize = 500;
/// Fewer than bring a pause.
const TRIES_OF_A_NAME: usize = 4;

pub async fn run() {
    println!("\nUnknown name against wrong password, {TRIES} tries each");
    let folder = tempfile::TempDir::new_in(".").unwrap();
    let bench = Bench::start(Location::Sqlite(folder.path().join("data/bench.db"))).await;
    let account = population::account(&bench, "bench").await;
    let hasher = PasswordHasher::new(HashParams::default(), 128 << 20).unwrap();
    let hash = hasher.hash(&"the right password".into(), crate::random()).await.unwrap();
    let users = population::users(&bench, &account, TRIES / TRIES_OF_A_NAME, &hash).await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for at in 0..TRIES {
        let name = &users[at / TRIES_OF_A_NAME].name;
        known.push(try_once(&bench, name, at * 2).await);
        unknown.push(try_once(&bench, &format!("no-{name}"), at * 2 + 1).await);
    }
    let z = mann_whitney(&known, &unknown);
    println!("{:<64} {:>10.2?}", "median of a wrong password", median(&mut known));
    println!("{:<64} {:>10.2?}", "median of an unknown name", median(&mut unknown));
    println!("{:<64} {z:>10.2}", "z of the rank test (told apart at p < 0.001 from 3.29 on)");
}

async fn try_once(bench: &Bench, name: &str, number: usize) -> Duration {
    let name = LogonName::ram_user(&format!("{name}@bench.countersign.local"), "countersign.local").unwrap();
    let origin = Origin::new(format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255), "a bench");
    let token = bench.core.begin_logon(name).await.unwrap();
    let begun = Instant::now();
    bench.core.logon_with_password(&token, "a wrong password".into(), &origin).await.unwrap_err();
    begun.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The normal approximation of the rank sum; ties hardly come at this resolution.
fn mann_whitney(one: &[Duration], other: &[Duration]) -> f64 {
    let mut all: Vec<_> = one.iter().map(|time| (time, true)).chain(other.iter().map(|time| (time, false))).collect();
    all.sort_by_key(|(time, _)| **time);
    let ranks: f64 = all.iter().enumerate().filter(|(_, (_, of_one))| *of_one).map(|(at, _)| (at + 1) as f64).sum();
    let (n, m) = (one.len() as f64, other.len() as f64);
    let u = ranks - n * (n + 1.0) / 2.0;
    (u - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}
