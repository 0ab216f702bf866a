//! Full logons — name, password, code — against bare Argon2id with the same parameters on the same cores.

use crate::client::Client;
use crate::population::{self, User};
use crate::{Bench, ratio, report, spread};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use countersign_store::Location;
use std::time::Instant;

const LOGONS: usize = 400;
const ROUNDS: usize = 5;
const PASSWORD: &str = "correct battery staple";

pub async fn run() {
    println!("\nFull logons (password and code), SQLite");
    let folder = tempfile::TempDir::new_in(".").unwrap();
    let bench = Bench::start(Location::Sqlite(folder.path().join("data/bench.db"))).await;
    let account = population::account(&bench, "bench").await;
    let hasher =
        countersign_core::hashing::PasswordHasher::new(countersign_core::hashing::HashParams::default(), 128 << 20)
            .unwrap();
    let hash = hasher.hash(&PASSWORD.to_owned().into(), [3; 16]).await.unwrap();
    let users = population::users(&bench, &account, ROUNDS * LOGONS, &hash).await;
    // In turn, so that a change of the machine's speed meets both alike; the median of the pairs counts.
    let mut ratios = Vec::new();
    for share in users.chunks(LOGONS) {
        let bare = bare_argon2(LOGONS);
        ratios.push(full_logons(&bench, share).await / bare);
    }
    ratios.sort_by(f64::total_cmp);
    ratio("full logons to bare Argon2id, median of pairs (at least 0.85)", ratios[ROUNDS / 2], 1.0);
}

async fn full_logons(bench: &Bench, users: &[User]) -> f64 {
    let took = spread(users.to_vec(), 32, |share: Vec<User>| {
        let address = bench.address;
        async move {
            let mut client = Client::connect(address).await;
            for user in share {
                let name = format!("as=ram-user&name={}%40bench.countersign.local", user.name);
                let cookie = client.post("/logon", "", &name).await.cookie("countersign-logon");
                let form = format!("password={}", PASSWORD.replace(' ', "+"));
                let cookie = client.post("/logon/password", &cookie, &form).await.cookie("countersign-logon");
                let form = format!("code={}", user.code());
                client.post("/logon/second-factor", &cookie, &form).await.cookie("countersign-session");
            }
        }
    })
    .await;
    report("full logons over HTTP, 32 clients", users.len(), took)
}

/// Bare Argon2id on every core, its memory reused.
fn bare_argon2(count: usize) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let params = Params::new(19_456, 2, 1, Some(32)).unwrap();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                let mut memory = vec![Block::default(); params.block_count()];
                for _ in 0..count / cores {
                    let mut out = [0; 32];
                    argon2
                        .hash_password_into_with_memory(PASSWORD.as_bytes(), &[3; 16], &mut out, &mut memory)
                        .unwrap();
                }
            });
        }
    });
    report("bare Argon2id (m 19 MiB, t 2, p 1), all cores", count / cores * cores, begun.elapsed())
}
