//! The check of a session: an authenticated page with nothing to load but the session, against a handler of the same
//! server that reads one row by its primary key through the same store.

use crate::client::Client;
use crate::{Bench, CLIENTS, ratio, report, spread};
use countersign_core::Origin;
use countersign_core::logon::LogonStep;
use countersign_core::setup::NewAccount;
use countersign_model::names::LogonName;
use countersign_store::Location;

const REQUESTS: usize = 40_000;
const ROUNDS: usize = 3;

pub async fn run() {
    println!("\nThe check of a session, SQLite");
    let folder = tempfile::TempDir::new_in(".").unwrap();
    let bench = Bench::start(Location::Sqlite(folder.path().join("data/bench.db"))).await;
    let cookie = session(&bench).await;
    let mut best = [0.0_f64; 3];
    for _ in 0..ROUNDS {
        best[0] = best[0].max(ask(&bench, "/bench/key", 200, &cookie).await);
        best[1] = best[1].max(ask(&bench, "/account", 303, &cookie).await);
        best[2] = best[2].max(ask(&bench, "/account/welcome", 200, &cookie).await);
    }
    ratio("a checked session to one read by primary key (at least 0.5)", best[1], best[0]);
    ratio("the same with a whole page rendered", best[2], best[0]);
}

async fn session(bench: &Bench) -> String {
    let (alias, owner) = ("bench".parse().unwrap(), "owner@bench.example".parse().unwrap());
    let password = "first horse of the house";
    bench.core.create_account(NewAccount { alias, owner, password: password.into() }).await.unwrap();
    let name = LogonName::owner("owner@bench.example").unwrap();
    let token = bench.core.begin_logon(name).await.unwrap();
    let step = bench.core.logon_with_password(&token, password.into(), &Origin::default()).await.unwrap();
    let LogonStep::Open { token, .. } = step else { panic!("{step:?}") };
    format!("countersign-session={}", token.expose())
}

async fn ask(bench: &Bench, path: &'static str, status: u16, cookie: &str) -> f64 {
    let took = spread((0..REQUESTS).collect(), CLIENTS, |share: Vec<usize>| {
        let (address, cookie) = (bench.address, cookie.to_owned());
        async move {
            let mut client = Client::connect(address).await;
            for _ in share {
                assert_eq!(client.get(path, &cookie).await.status, status);
            }
        }
    })
    .await;
    report(&format!("GET {path}"), REQUESTS, took)
}
