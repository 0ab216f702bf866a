//! A folder with people in it, and the real binary over it.

use crate::client::Waiting;
use crate::population::{self, User};
use crate::{Bench, random};
use countersign_core::hashing::{HashParams, PasswordHasher};
use countersign_core::keyring::KeyRing;
use countersign_core::metrics::Metrics;
use countersign_core::webauthn::RelyingParty;
use countersign_core::{Countersign, Identity, Parts};
use countersign_model::clock::SystemClock;
use countersign_model::entropy::OsEntropy;
use countersign_store::{Location, Options, Store};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub struct House {
    folder: TempDir,
    runtime: Runtime,
    pub users: Vec<User>,
}

impl House {
    /// A house with so many users who have a device each.
    pub fn with(users: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        // On the disk, not in memory.
        let mut house = Self { folder: TempDir::new_in(".").unwrap(), runtime, users: Vec::new() };
        std::fs::create_dir(house.data()).unwrap();
        let master: [u8; 32] = random();
        let ring = KeyRing::generate(|bytes| bytes.copy_from_slice(&master));
        ring.save_new(&house.key_file()).unwrap();
        let made = house.with_store(async |bench| {
            let parts = Parts {
                store: bench.store.clone(),
                keys: ring,
                hasher: PasswordHasher::new(HashParams::default(), 64 << 20).unwrap(),
                clock: Arc::new(SystemClock),
                entropy: Arc::new(OsEntropy),
                identity: Identity {
                    suffix: "countersign.local".to_owned(),
                    issuer: "Countersign".to_owned(),
                    relying_party: RelyingParty::new("localhost", "http://localhost:8080"),
                },
                metrics: Metrics::default(),
            };
            drop(Countersign::open(parts).await.unwrap());
            let account = population::account(bench, "bench").await;
            population::users(bench, &account, users, "-").await
        });
        house.users = made;
        house
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn database(&self) -> PathBuf {
        self.data().join("countersign.db")
    }

    fn key_file(&self) -> PathBuf {
        self.data().join("keyring.json")
    }

    /// Gives each of the users a logon that waits for his code, beside the server if one runs.
    pub fn waiting(&self, users: &[User]) -> Vec<Waiting> {
        let users = users.to_vec();
        self.with_store(async move |bench| population::waiting_logons(bench, &users).await)
    }

    fn with_store<T>(&self, work: impl AsyncFnOnce(&Bench) -> T) -> T {
        self.runtime.block_on(async {
            let location = Location::Sqlite(self.database());
            let store = Store::open(Options::operate(location, 0)).await.unwrap();
            let bench = Bench { store: store.clone(), keys: KeyRing::load(&self.key_file()).unwrap() };
            let done = work(&bench).await;
            store.close().await;
            done
        })
    }

    /// Starts the server.
    pub fn serve(&self) -> Server {
        Server::start(Command::new(binary()), &self.data())
    }

    /// Starts the server so that a write beyond a limit is an error and no signal.
    pub fn serve_without_signal(&self) -> Server {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary());
        Server::start(shell, &self.data())
    }

    /// What SQLite says of the file.
    pub fn integrity(&self) -> String {
        let database = rusqlite::Connection::open(self.database()).unwrap();
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
    }
}

/// The binary under test.
pub fn binary() -> PathBuf {
    let beside = || {
        let this = std::env::current_exe().unwrap();
        this.parent().and_then(Path::parent).unwrap().join("countersign")
    };
    let binary = std::env::var_os("COUNTERSIGN_BINARY").map_or_else(beside, PathBuf::from);
    assert!(binary.exists(), "{} is not there: cargo build -p countersign", binary.display());
    binary
}

/// A server that runs.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    fn start(mut command: Command, data: &Path) -> Self {
        let ports = ["--listen", "--api-listen", "--ops-listen"].map(|flag| [flag, "127.0.0.1:0"]).concat();
        command.arg("serve").args(ports).arg("--data").arg(data);
        let log = data.with_extension("log");
        let told = File::create(&log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(told).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut port = None;
        loop {
            let line = lines
                .next()
                .unwrap_or_else(|| {
                    panic!(
                        "it did not start: {:?}\n{}",
                        child.wait(),
                        std::fs::read_to_string(&log).unwrap_or_default()
                    )
                })
                .unwrap();
            if let Some((_, found)) = line.split_once("http://localhost:").filter(|_| line.contains("Pages")) {
                port = Some(found.trim().parse().unwrap());
            }
            if line.contains("Stop it with") {
                return Self { child, address: SocketAddr::from(([127, 0, 0, 1], port.unwrap())) };
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}
