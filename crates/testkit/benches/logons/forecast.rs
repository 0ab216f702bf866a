//! What a change of the settings would do, foretold over 100,000 users with all that it counts: sessions, remembered
//! machines, an address of each, a thousand administrators.

use crate::{Bench, population};
use countersign_core::forecast::Forecast;
use countersign_core::logon::LogonStep;
use countersign_core::settings::{PolicyChange, SettingsChange};
use countersign_core::setup::NewAccount;
use countersign_core::{Origin, SessionActor};
use countersign_model::clock::{Clock as _, SystemClock};
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::SessionId;
use countersign_model::logon::Method;
use countersign_model::names::LogonName;
use countersign_model::session::Session;
use countersign_model::settings::{IdleDays, MfaForLogon, SensitiveOperation, Strength};
use countersign_store::{Location, StoreError, Tx, params, sessions};
use countersign_testkit::postgres::Postgres;
use secrecy::SecretString;
use std::time::{Duration, Instant};

const USERS: usize = 100_000;
const SESSIONS: usize = 50_000;

pub async fn run() {
    println!("\nA change of the settings foretold for {USERS} users, SQLite");
    let folder = tempfile::TempDir::new_in(".").unwrap();
    on(Location::Sqlite(folder.path().join("data/bench.db"))).await;
    println!("\nA change of the settings foretold for {USERS} users, PostgreSQL (the tests' cluster: fsync off)");
    let database = Postgres::throw_away();
    on(Location::Postgres(SecretString::from(database.url()))).await;
}

async fn on(location: Location) {
    let bench = Bench::start(location).await;
    let actor = owner_of_many(&bench).await;
    let changes = [
        (
            "MFA for all users",
            SettingsChange { mfa_for_logon: Some(MfaForLogon::Mandatory), ..SettingsChange::default() },
        ),
        ("networks, each user from an address of his own", networks()),
        ("everything at once", everything()),
    ];
    for (name, change) in changes {
        let mut times = Vec::new();
        for _ in 0..9 {
            let begun = Instant::now();
            let told: Forecast =
                bench.core.forecast_settings(&actor, change.clone(), &Origin::default()).await.unwrap();
            times.push(begun.elapsed());
            assert_eq!(usize::try_from(told.console_users).unwrap(), USERS);
            assert!(!told.groups.is_empty() && told.sessions_ending > 0);
        }
        times.sort();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let name = format!("{name} (at most 1,000 ms)");
        println!("{name:<64} {:>10.1} ms", median.as_secs_f64() * 1_000.0);
    }
}

fn networks() -> SettingsChange {
    SettingsChange {
        logon_networks: Some("10.100.0.0/14;192.0.2.0/24;fd00::/8".parse().unwrap()),
        ..SettingsChange::default()
    }
}

fn everything() -> SettingsChange {
    SettingsChange {
        mfa_for_logon: Some(MfaForLogon::Mandatory),
        session_hours: Some(1),
        max_idle_days_users: Some(IdleDays::D90),
        strengths: SensitiveOperation::ALL.iter().map(|operation| (*operation, Strength::Always)).collect(),
        password: PolicyChange { max_age_days: Some(30), hard_expire: Some(true), ..PolicyChange::default() },
        ..networks()
    }
}

/// The owner of an account with many users, logged on.
async fn owner_of_many(bench: &Bench) -> SessionActor {
    let password = "a quiet house by the sea";
    let new = NewAccount {
        alias: "bench".parse().unwrap(),
        owner: "owner@bench.example".parse().unwrap(),
        password: password.to_owned().into(),
    };
    let account = bench.core.create_account(new).await.unwrap();
    let users = population::users(bench, &account.id, USERS, "-").await;
    let (now, ends) = (SystemClock.now(), SystemClock.now().plus(Duration::from_hours(24)));
    let spread = async move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        // `user-012345` last came from 10.101.123.145.
        let addresses = "UPDATE principals SET last_logon_address = '10.1' || SUBSTR(name, 6, 2) || '.1' || \
                         SUBSTR(name, 8, 2) || '.1' || SUBSTR(name, 10, 2), last_logon_at = $1 WHERE kind = 'ram-user'";
        tx.execute(addresses, params![now]).await?;
        let unbound = "DELETE FROM virtual_mfa WHERE name LIKE '%7'";
        tx.execute(unbound, params![]).await?;
        let machines = "INSERT INTO remembered_machines (account_id, machine_id, principal_id, principal_epoch, \
                        account_epoch, created_at, expires_at, last_used_at, address, user_agent) \
                        SELECT account_id, principal_id, principal_id, 1, 1, 0, CAST($1 AS BIGINT), 0, '', '' \
                        FROM principals WHERE kind = 'ram-user' AND (name LIKE '%3' OR name LIKE '%8')";
        tx.execute(machines, params![ends]).await?;
        let administrators = "INSERT INTO user_policies (account_id, principal_id, policy, attached_at) \
                              SELECT account_id, principal_id, 'AdministratorAccess', 0 FROM principals \
                              WHERE kind = 'ram-user' AND name LIKE '%77'";
        tx.execute(administrators, params![]).await.map(drop)
    };
    bench.store.write(spread).await.unwrap();
    for share in users[..SESSIONS].chunks(1_000) {
        let share = share.to_vec();
        let open = async move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            for user in &share {
                let session = Session {
                    id: SessionId::generate(&OsEntropy),
                    account_id: user.account.clone(),
                    principal_id: user.id.clone(),
                    principal_epoch: 1,
                    account_epoch: 1,
                    methods: vec![Method::Password],
                    created_at: now,
                    last_seen_at: now,
                    expires_at: ends,
                };
                let from = sessions::Origin { address: "192.0.2.7", user_agent: "a browser" };
                sessions::insert(tx, &crate::random(), &session, from).await?;
            }
            Ok(())
        };
        bench.store.write(open).await.unwrap();
    }
    let token = bench.core.begin_logon(LogonName::owner("owner@bench.example").unwrap()).await.unwrap();
    match bench.core.logon_with_password(&token, password.to_owned().into(), &Origin::default()).await.unwrap() {
        LogonStep::Open { token, .. } => bench.core.session(&token).await.unwrap(),
        LogonStep::Ask { state, .. } => panic!("the logon asks for {state}"),
    }
}
