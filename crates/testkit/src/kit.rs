//! An installation of its own for one test.

use crate::postgres::Postgres;
use crate::{ManualClock, SeededEntropy};
use countersign_core::hashing::{HashParams, PasswordHasher};
use countersign_core::keyring::KeyRing;
use countersign_core::metrics::Metrics;
use countersign_core::webauthn::RelyingParty;
use countersign_core::{Countersign, Error, Identity, Parts};
use countersign_model::Clock as _;
use countersign_store::{Access, Location, Options, Store};
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The two databases that everything runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in a temporary folder.
    Sqlite,
    /// A database of its own in the tests' cluster.
    Postgres,
}

/// Hashes that cost next to nothing.
pub const CHEAP: HashParams = HashParams { memory_kib: 64, passes: 1, lanes: 1 };

/// A whole installation: its database, its use-cases, its clock.
#[derive(Debug)]
pub struct Kit {
    // The nodes let go of the database before it goes.
    node: Node,
    second: Option<Node>,
    clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
    place: Place,
    /// The makers' roots that attestations of keys are trusted by.
    roots: Vec<Vec<u8>>,
}

/// One process, as far as a test can tell.
#[derive(Debug, Clone)]
struct Node {
    core: Countersign,
    store: Store,
}

#[derive(Debug)]
enum Place {
    Folder(TempDir),
    Database(Postgres),
}

impl Place {
    fn location(&self) -> Location {
        match self {
            Self::Folder(folder) => Location::Sqlite(folder.path().join("data/countersign.db")),
            Self::Database(database) => Location::Postgres(SecretString::from(database.url())),
        }
    }
}

impl Kit {
    /// A fresh installation without accounts.
    pub async fn start(engine: Engine) -> Self {
        let place = match engine {
            Engine::Sqlite => Place::Folder(TempDir::new().unwrap()),
            Engine::Postgres => Place::Database(Postgres::throw_away()),
        };
        let (clock, entropy) = (Arc::new(ManualClock::new()), Arc::new(SeededEntropy::new(1)));
        let node = open(&place, &clock, &entropy, (keys(), &[])).await.unwrap();
        Self { node, second: None, clock, entropy, place, roots: Vec::new() }
    }

    /// The use-cases.
    #[must_use]
    pub fn core(&self) -> &Countersign {
        &self.node.core
    }

    /// The store below them.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.node.store
    }

    /// The clock of all nodes.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The randomness of all nodes.
    #[must_use]
    pub fn entropy(&self) -> &SeededEntropy {
        &self.entropy
    }

    /// On which engine it runs.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self.place {
            Place::Folder(_) => Engine::Sqlite,
            Place::Database(_) => Engine::Postgres,
        }
    }

    /// Where the database is.
    #[must_use]
    pub fn location(&self) -> Location {
        self.place.location()
    }

    /// The folder of the SQLite file; on PostgreSQL there is none.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(folder.path()),
            Place::Database(_) => None,
        }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Lets a step of thirty seconds pass.
    pub fn next_step(&self) {
        self.advance(Duration::from_secs(30));
    }

    /// A second process over the same PostgreSQL database. On SQLite, which has one process, another handle of the first.
    pub async fn second_node(&mut self) -> Countersign {
        if self.engine() == Engine::Sqlite {
            return self.node.core.clone();
        }
        let node = open(&self.place, &self.clock, &self.entropy, (keys(), &self.roots)).await.unwrap();
        let core = node.core.clone();
        self.second = Some(node);
        core
    }

    /// Ends the process in good order and starts it again over the same database.
    pub async fn restart(&mut self) {
        self.node.store.clone().close().await;
        self.node = open(&self.place, &self.clock, &self.entropy, (keys(), &self.roots)).await.unwrap();
    }

    /// Ends the process and starts it again, trusting attestations of security keys that lead to these roots (DER).
    pub async fn restart_trusting(&mut self, roots: Vec<Vec<u8>>) {
        self.roots = roots;
        self.restart().await;
    }

    /// Ends the process and starts it again with other keys; what comes of it.
    pub async fn restart_with(&mut self, keys: KeyRing) -> Result<(), Error> {
        self.node.store.clone().close().await;
        self.node = open(&self.place, &self.clock, &self.entropy, (keys, &self.roots)).await?;
        Ok(())
    }

    /// Another process over a copy of a SQLite folder.
    pub async fn open_copy(&self, file: &Path) -> (Countersign, Store) {
        let location = Location::Sqlite(file.to_owned());
        let Node { core, store } = open_at(location, &self.clock, &self.entropy, (keys(), &self.roots)).await.unwrap();
        (core, store)
    }
}

/// The keys of every kit.
#[must_use]
pub fn keys() -> KeyRing {
    KeyRing::generate(|bytes| bytes.fill(7))
}

async fn open(
    place: &Place,
    clock: &Arc<ManualClock>,
    entropy: &Arc<SeededEntropy>,
    keys: (KeyRing, &[Vec<u8>]),
) -> Result<Node, Error> {
    open_at(place.location(), clock, entropy, keys).await
}

async fn open_at(
    location: Location,
    clock: &Arc<ManualClock>,
    entropy: &Arc<SeededEntropy>,
    (keys, roots): (KeyRing, &[Vec<u8>]),
) -> Result<Node, Error> {
    let options =
        Options { location, access: Access::Serve, applied_at: clock.now().micros(), connections: 8, record: true };
    let store = Store::open(options).await?;
    let parts = Parts {
        store: store.clone(),
        keys,
        hasher: PasswordHasher::new(CHEAP, 16 * 1024 * 1024)?,
        clock: Arc::<ManualClock>::clone(clock),
        entropy: Arc::<SeededEntropy>::clone(entropy),
        identity: Identity {
            suffix: "countersign.local".to_owned(),
            issuer: "Countersign".to_owned(),
            relying_party: RelyingParty::new("localhost", "http://localhost:8080")
                .with_roots(roots.iter().cloned())
                .unwrap(),
        },
        metrics: Metrics::default(),
    };
    let core = Countersign::open(parts).await?;
    Ok(Node { core, store })
}

/// Runs a test on a kit of its own and a runtime of its own. [`both_engines!`](crate::both_engines) calls it.
pub fn run<F: Future<Output = ()>>(engine: Engine, test: impl FnOnce(Kit) -> F) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { test(Kit::start(engine).await).await });
}
