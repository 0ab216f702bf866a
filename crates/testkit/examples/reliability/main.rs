//! What becomes of codes and sessions when things go wrong: a backup under load, kill -9, a full disk. The real binary, over
//! HTTP, with a ledger of what it has told kept outside it. See `docs/reliability.md`.
//!
//! `cargo build -p countersign && cargo run -p countersign-testkit --example reliability [-- backup | kill | disk]`
//!
//! The binary is the one beside this program's folder, or the one that `COUNTERSIGN_BINARY` names.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    unreachable_pub,
    clippy::must_use_candidate,
    reason = "a program that measures real time, prints, and stops when something is wrong"
)]

mod backup;
mod client;
mod disk;
mod house;
mod kill;
#[path = "../../benches/logons/population.rs"]
mod population;

use countersign_core::keyring::KeyRing;
use countersign_model::Entropy as _;
use countersign_model::entropy::OsEntropy;
use countersign_store::Store;

/// What the population is written with.
pub struct Bench {
    pub store: Store,
    pub keys: KeyRing,
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsEntropy.fill(&mut bytes);
    bytes
}

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|arg| arg == name);
    if wanted("backup") {
        backup::run();
    }
    if wanted("kill") {
        kill::run();
    }
    if wanted("disk") {
        disk::run();
    }
}
