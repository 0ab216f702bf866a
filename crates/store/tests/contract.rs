//! The contract of the aggregates: what each function does, on both engines, and that no statement ran on only one.
//!
//! Each file of `contract/` holds the cases of one aggregate. They share a database and keep to accounts of their own.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_model::Timestamp;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::names::{Comments, DisplayName};
use countersign_model::principal::{Account, Principal, PrincipalKind};
use countersign_model::settings::SecuritySettings;
use countersign_store::{
    Location, Options, Store, StoreError, Tx, accounts, placeholders_ascend, principals, statements,
};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::time::Duration;
use tempfile::TempDir;

// The store's tests stand below the crate `testkit`, which is made of everything.
#[expect(unreachable_pub, reason = "the crate `testkit` exports it")]
#[path = "../../testkit/src/postgres.rs"]
mod postgres;

/// Runs one function of an aggregate in a unit that writes; the variables named are cloned into it.
macro_rules! change {
    ($store:expr, |$tx:ident $(, $used:ident)*| $call:expr) => {{
        $(let $used = $used.clone();)*
        $store.write(async move |$tx: &mut countersign_store::Tx<'_>| $call.await).await.unwrap()
    }};
}

/// As `change!`, in a unit that only reads.
macro_rules! look {
    ($store:expr, |$tx:ident $(, $used:ident)*| $call:expr) => {{
        $(let $used = $used.clone();)*
        $store.read(async move |$tx: &mut countersign_store::Tx<'_>| $call.await).await.unwrap()
    }};
}

#[path = "contract/access_keys.rs"]
mod of_access_keys;
#[path = "contract/accounts.rs"]
mod of_accounts;
#[path = "contract/api_nonces.rs"]
mod of_api_nonces;
#[path = "contract/attachments.rs"]
mod of_attachments;
#[path = "contract/audit.rs"]
mod of_audit;
#[path = "contract/audit_chain.rs"]
mod of_audit_chain;
#[path = "contract/audit_search.rs"]
mod of_audit_search;
#[path = "contract/budgets.rs"]
mod of_budgets;
#[path = "contract/clock.rs"]
mod of_clock;
#[path = "contract/contacts.rs"]
mod of_contacts;
#[path = "contract/credential_reports.rs"]
mod of_credential_reports;
#[path = "contract/facts.rs"]
mod of_facts;
#[path = "contract/findings.rs"]
mod of_findings;
#[path = "contract/forecast.rs"]
mod of_forecast;
#[path = "contract/groups.rs"]
mod of_groups;
#[path = "contract/known_places.rs"]
mod of_known_places;
#[path = "contract/login_profiles.rs"]
mod of_login_profiles;
#[path = "contract/logons.rs"]
mod of_logons;
#[path = "contract/machines.rs"]
mod of_machines;
#[path = "contract/network_budgets.rs"]
mod of_network_budgets;
#[path = "contract/notices.rs"]
mod of_notices;
#[path = "contract/password_history.rs"]
mod of_password_history;
#[path = "contract/policies.rs"]
mod of_policies;
#[path = "contract/principals.rs"]
mod of_principals;
#[path = "contract/proofs.rs"]
mod of_proofs;
#[path = "contract/recovery_codes.rs"]
mod of_recovery_codes;
#[path = "contract/restore.rs"]
mod of_restore;
#[path = "contract/sealed.rs"]
mod of_sealed;
#[path = "contract/sessions.rs"]
mod of_sessions;
#[path = "contract/taking_over.rs"]
mod of_taking_over;
#[path = "contract/unbound_mfa.rs"]
mod of_unbound_mfa;
#[path = "contract/users.rs"]
mod of_users;
#[path = "contract/virtual_mfa.rs"]
mod of_virtual_mfa;
#[path = "contract/webauthn_ceremonies.rs"]
mod of_webauthn_ceremonies;
#[path = "contract/webauthn_credentials.rs"]
mod of_webauthn_credentials;

/// The cases of all aggregates.
async fn cases(store: &Store) {
    of_facts::cases(store).await;
    of_accounts::cases(store).await;
    of_principals::cases(store).await;
    of_login_profiles::cases(store).await;
    of_password_history::cases(store).await;
    of_groups::cases(store).await;
    of_policies::cases(store).await;
    of_attachments::cases(store).await;
    of_virtual_mfa::cases(store).await;
    of_webauthn_credentials::cases(store).await;
    of_webauthn_ceremonies::cases(store).await;
    of_unbound_mfa::cases(store).await;
    of_contacts::cases(store).await;
    of_credential_reports::cases(store).await;
    of_budgets::cases(store).await;
    of_logons::cases(store).await;
    of_sessions::cases(store).await;
    of_users::cases(store).await;
    of_forecast::cases(store).await;
    of_api_nonces::cases(store).await;
    of_audit::cases(store).await;
    of_known_places::cases(store).await;
    of_machines::cases(store).await;
    of_network_budgets::cases(store).await;
    of_proofs::cases(store).await;
    of_recovery_codes::cases(store).await;
    of_access_keys::cases(store).await;
    of_sealed::cases(store).await;
    of_notices::cases(store).await;
    of_findings::cases(store).await;
    of_audit_chain::cases(store).await;
    of_audit_search::cases(store).await;
    // These two reach into all accounts, and the last one ends all that is open in any of them.
    of_clock::cases(store).await;
    of_restore::cases(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds_on_sqlite() {
    let folder = TempDir::new().unwrap();
    cases(&sqlite(&folder).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds_on_postgres() {
    let server = postgres::Postgres::throw_away();
    cases(&postgres(&server).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_runs_on_both_engines() {
    let (folder, server) = (TempDir::new().unwrap(), postgres::Postgres::throw_away());
    let (sqlite, postgres) = (sqlite(&folder).await, postgres(&server).await);
    cases(&sqlite).await;
    cases(&postgres).await;
    let [on_sqlite, on_postgres] = [&sqlite, &postgres].map(|store| BTreeSet::from_iter(store.executed()));
    let declared = BTreeSet::from_iter(statements());
    let only = |one: &BTreeSet<&'static str>, other| one.difference(other).copied().collect::<Vec<_>>();
    assert_eq!(only(&declared, &on_sqlite), [""; 0], "declared, and never ran on SQLite");
    assert_eq!(only(&declared, &on_postgres), [""; 0], "declared, and never ran on PostgreSQL");
    assert_eq!(only(&on_sqlite, &declared), [""; 0], "ran, and not declared by `statements!`");
    assert_eq!(on_sqlite, on_postgres);
}

#[test]
fn placeholders_come_in_the_order_of_their_numbers() {
    for sql in statements() {
        assert!(placeholders_ascend(sql), "{sql}");
    }
}

#[test]
fn no_statement_is_declared_twice() {
    let declared = statements();
    assert_eq!(declared.iter().collect::<BTreeSet<_>>().len(), declared.len());
}

async fn sqlite(folder: &TempDir) -> Store {
    open(Location::Sqlite(folder.path().join("data/c.db"))).await
}

async fn postgres(server: &postgres::Postgres) -> Store {
    open(Location::Postgres(SecretString::from(server.url()))).await
}

async fn open(location: Location) -> Store {
    let options = Options { record: true, connections: 8, ..Options::serve(location, NOON.micros()) };
    Store::open(options).await.unwrap()
}

/// When everything happens, unless a case says otherwise.
const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

const fn second(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// An account that is not stored yet.
fn new_account(alias: &str) -> Account {
    Account {
        id: AccountId::generate(&OsEntropy),
        alias: alias.parse().unwrap(),
        settings: SecuritySettings::default(),
        epoch: 1,
        created_at: NOON,
    }
}

/// A RAM user that is not stored yet.
fn new_user(account: &Account, name: &str) -> Principal {
    Principal {
        account_id: account.id.clone(),
        id: PrincipalId::generate(&OsEntropy),
        kind: PrincipalKind::RamUser,
        name: name.to_owned(),
        display_name: DisplayName::default(),
        comments: Comments::default(),
        email: None,
        mobile: None,
        epoch: 1,
        created_at: NOON,
        updated_at: NOON,
        last_logon_at: None,
    }
}

/// An owner that is not stored yet.
fn new_owner(account: &Account, email: &str) -> Principal {
    Principal { kind: PrincipalKind::Owner, email: Some(email.parse().unwrap()), ..new_user(account, email) }
}

/// A stored account.
async fn account(store: &Store, alias: &str) -> Account {
    let account = new_account(alias);
    assert!(change!(store, |tx, account| accounts::insert(tx, &account)));
    account
}

/// A stored RAM user.
async fn user(store: &Store, account: &Account, name: &str) -> Principal {
    let user = new_user(account, name);
    assert!(change!(store, |tx, user| principals::insert(tx, &user)));
    user
}

/// Runs a unit sixteen times at once; how many of them succeeded.
async fn sixteen_at_once<F>(store: &Store, unit: F) -> usize
where
    F: AsyncFn(&mut Tx<'_>) -> Result<bool, StoreError> + Clone + Send + Sync + 'static,
{
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (store, unit) = (store.clone(), unit.clone());
            tokio::spawn(async move { store.write(unit).await })
        })
        .collect();
    let mut succeeded = 0;
    for task in tasks {
        succeeded += usize::from(task.await.unwrap().unwrap());
    }
    succeeded
}
