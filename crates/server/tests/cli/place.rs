//! A folder for a test, and core opened over it beside the server, to prepare what a command needs and to look at what
//! it did.

use countersign_core::binding::TypedCodes;
use countersign_core::hashing::{HashParams, PasswordHasher};
use countersign_core::keyring::KeyRing;
use countersign_core::logon::LogonStep;
use countersign_core::metrics::Metrics;
use countersign_core::webauthn::RelyingParty;
use countersign_core::{Countersign, Identity, Origin, Parts, SessionActor};
use countersign_model::audit::AuditEvent;
use countersign_model::clock::SystemClock;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::AccountId;
use countersign_model::names::LogonName;
use countersign_model::{Clock, Timestamp};
use countersign_otp::{Secret, Totp};
use countersign_store::{Location, Options, Store, StoreError, Tx, audit};
use secrecy::ExposeSecret as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// What the owner of every test logs on with.
pub(crate) const OWNER: &str = "owner@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A folder that goes away with its test. The data lies one deeper, in a folder that is not there yet.
pub(crate) struct Place {
    folder: TempDir,
    data: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        Self { folder, data }
    }

    /// One where the account `acme` exists, with its id.
    pub(crate) fn with_account() -> (Self, AccountId) {
        let place = Self::new();
        let made = super::process::json(&place.create("acme", OWNER), PASSWORD);
        let id = made["account_id"].as_str().unwrap().parse().unwrap();
        (place, id)
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn text(&self) -> &str {
        self.data.to_str().unwrap()
    }

    /// The folder around the data.
    pub(crate) fn around(&self) -> &Path {
        self.folder.path()
    }

    /// The arguments that make an account here.
    pub(crate) fn create<'a>(&'a self, alias: &'a str, owner: &'a str) -> [&'a str; 10] {
        ["account", "create", "--alias", alias, "--owner", owner, "--password-stdin", "--json", "--data", self.text()]
    }
}

/// Does something with core and the store over a folder, as an operator's command does.
pub(crate) fn with_core<T>(data: &Path, work: impl AsyncFnOnce(&Countersign, &Store) -> T) -> T {
    with_core_at(data, Arc::new(SystemClock), work)
}

/// As [`with_core`], by another clock.
pub(crate) fn with_core_at<T>(
    data: &Path,
    clock: Arc<dyn Clock>,
    work: impl AsyncFnOnce(&Countersign, &Store) -> T,
) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let location = Location::Sqlite(data.join("countersign.db"));
        let store = Store::open(Options::operate(location, clock.now().micros())).await.unwrap();
        let parts = Parts {
            store: store.clone(),
            keys: KeyRing::load(&data.join("keyring.json")).unwrap(),
            hasher: PasswordHasher::new(HashParams::default(), 128 * 1024 * 1024).unwrap(),
            clock,
            entropy: Arc::new(OsEntropy),
            identity: Identity {
                suffix: "countersign.local".to_owned(),
                issuer: "Countersign".to_owned(),
                relying_party: RelyingParty::new("localhost", "http://localhost:8080"),
            },
            metrics: Metrics::default(),
        };
        let core = Countersign::open(parts).await.unwrap();
        let done = work(&core, &store).await;
        store.close().await;
        done
    })
}

/// What a logon of the owner comes to, after the password.
pub(crate) async fn log_on_owner(core: &Countersign, owner: &str, password: &str) -> Option<LogonStep> {
    let origin = Origin::default();
    let token = core.begin_logon(LogonName::owner(owner).unwrap()).await.unwrap();
    core.logon_with_password(&token, password.into(), &origin).await.ok()
}

/// The owner with a session.
pub(crate) async fn owner_session(core: &Countersign, owner: &str, password: &str) -> SessionActor {
    match log_on_owner(core, owner, password).await {
        Some(LogonStep::Open { token, .. }) => core.session(&token).await.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Binds a device of the owner; what its app shows.
pub(crate) async fn bind_owner(core: &Countersign) -> Totp {
    let origin = Origin::default();
    let owner = owner_session(core, OWNER, PASSWORD).await;
    core.start_own_binding(&owner, PASSWORD.into(), &origin).await.unwrap();
    let shown = core.own_binding(&owner).await.unwrap();
    let totp = Totp::new(&Secret::from_base32(shown.key.expose_secret()).unwrap());
    let first = code(core, &totp);
    core.confirm_own_binding(&owner, TypedCodes { first, ..TypedCodes::default() }, &origin).await.unwrap();
    totp
}

/// The present code.
pub(crate) fn code(core: &Countersign, totp: &Totp) -> String {
    totp.code_at(totp.step_at(core.now().unix_seconds())).expose().expose_secret().to_owned()
}

/// The audit log of an account, the newest first.
pub(crate) async fn audit_log(store: &Store, account: &AccountId) -> Vec<AuditEvent> {
    let account = account.clone();
    let unit =
        async move |tx: &mut Tx<'_>| -> Result<Vec<AuditEvent>, StoreError> { audit::latest(tx, &account, 100).await };
    store.read(unit).await.unwrap()
}

/// A clock that is ahead of the machine's.
#[derive(Debug)]
pub(crate) struct Ahead(pub(crate) Duration);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(self.0)
    }
}
