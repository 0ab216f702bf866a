//! What a logon or a signed call costs, over HTTP on loopback, against what the same work reaches without it, in one run.
//!
//! `cargo bench -p countersign-testkit --bench logons [-- second-factor | passkey | session | timing | full | list | forecast |
//! api | postgres]`
//!
//! Only the ratios mean something: they hold while the speed of the disk and the neighbours of the machine change. The
//! load generator is in the process and counts against the server.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "a benchmark measures real time, prints, and stops when something is wrong"
)]

mod api;
mod client;
mod forecast;
mod full;
mod list;
mod passkey;
mod population;
mod second_factor;
mod session;
mod timing;

use countersign_core::hashing::{HashParams, PasswordHasher};
use countersign_core::keyring::KeyRing;
use countersign_core::metrics::Metrics;
use countersign_core::webauthn::RelyingParty;
use countersign_core::{Countersign, Identity, Parts};
use countersign_model::Entropy as _;
use countersign_model::clock::SystemClock;
use countersign_model::entropy::OsEntropy;
use countersign_store::{Location, Options, Store, StoreError, Tx, facts};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many clients knock at once.
pub const CLIENTS: usize = 64;

/// A server under load, with what a benchmark needs to prepare its rows.
pub struct Bench {
    pub core: Countersign,
    pub store: Store,
    pub keys: KeyRing,
    pub address: SocketAddr,
    pub public_url: String,
}

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|arg| arg == name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if wanted("second-factor") {
            second_factor::on_sqlite().await;
        }
        if wanted("passkey") {
            passkey::run().await;
        }
        if wanted("session") {
            session::run().await;
        }
        if wanted("timing") {
            timing::run().await;
        }
        if wanted("full") {
            full::run().await;
        }
        if wanted("list") {
            list::run().await;
        }
        if wanted("forecast") {
            forecast::run().await;
        }
        if wanted("api") {
            api::run().await;
        }
        if wanted("postgres") {
            second_factor::on_postgres().await;
        }
    });
}

impl Bench {
    /// A server on loopback over this database.
    pub async fn start(location: Location) -> Self {
        let mut options = Options::serve(location, 0);
        options.connections = 16;
        let store = Store::open(options).await.unwrap();
        let master: [u8; 32] = [7; 32];
        let keys = || KeyRing::generate(|bytes| bytes.iter_mut().zip(master).for_each(|(to, from)| *to = from));
        let core = Countersign::open(Parts {
            store: store.clone(),
            keys: keys(),
            hasher: PasswordHasher::new(HashParams::default(), 128 << 20).unwrap(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            identity: Identity {
                suffix: "countersign.local".to_owned(),
                issuer: "Countersign".to_owned(),
                relying_party: RelyingParty::new("localhost", "http://localhost:8080"),
            },
            metrics: Metrics::default(),
        })
        .await
        .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let public_url = format!("http://localhost:{}", address.port());
        let options = countersign_console::Options { public_url: public_url.clone(), trusted_proxy_hops: 0 };
        let router = countersign_console::router(core.clone(), options).merge(one_key(store.clone()));
        tokio::spawn(async move {
            axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
        });
        Self { core, store, keys: keys(), address, public_url }
    }
}

/// A handler that reads one row by its primary key.
fn one_key(store: Store) -> axum::Router {
    let read = move || {
        let store = store.clone();
        async move {
            let unit = async |tx: &mut Tx<'_>| -> Result<_, StoreError> { facts::find(tx, "key_check").await };
            store.read(unit).await.unwrap().unwrap_or_default()
        }
    };
    axum::Router::new().route("/bench/key", axum::routing::get(read))
}

/// How long `work` takes over all `items`, spread over `clients` tasks.
pub async fn spread<T, F, W>(items: Vec<T>, clients: usize, work: F) -> Duration
where
    T: Send + 'static,
    F: Fn(Vec<T>) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    let mut shares: Vec<Vec<T>> = (0..clients).map(|_| Vec::new()).collect();
    for (at, item) in items.into_iter().enumerate() {
        shares[at % clients].push(item);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = shares.into_iter().map(|share| tokio::spawn(work(share))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    begun.elapsed()
}

/// A rate as a line of the report.
pub fn report(name: &str, count: usize, took: Duration) -> f64 {
    let rate = count as f64 / took.as_secs_f64();
    println!("{name:<64} {rate:>10.0} /s   ({count} in {:.2} s)", took.as_secs_f64());
    rate
}

/// A ratio as a line of the report.
pub fn ratio(name: &str, of: f64, to: f64) {
    println!("{name:<64} {:>10.2}", of / to);
}

/// Random bytes.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsEntropy.fill(&mut bytes);
    bytes
}
