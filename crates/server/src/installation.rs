//! The store, the key ring and core, opened together.
//!
//! The key ring is made with the database and never again: a database whose key ring is missing is refused, and so is one
//! with a stranger's.

use crate::config::Settings;
use crate::failure::Failure;
use countersign_core::hashing::{HashParams, PasswordHasher};
use countersign_core::keyring::{KeyRing, KeyRingError};
use countersign_core::metrics::Metrics;
use countersign_core::webauthn::RelyingParty;
use countersign_core::{Countersign, Identity, Parts};
use countersign_model::entropy::OsEntropy;
use countersign_model::{Clock, Entropy as _};
use countersign_store::{Access, Location, Options, Store};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use std::fmt::Display;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An installation in use.
pub(crate) struct Installation {
    pub(crate) core: Countersign,
    /// The folder of everything that is not in the database.
    pub(crate) data: PathBuf,
    store: Store,
}

/// How to open one.
pub(crate) struct Opening {
    pub(crate) access: Access,
    /// Whether it is made when there is none.
    pub(crate) absent: IfAbsent,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    /// The port of the pages, where the settings name no public URL; 0 where none are served.
    pub(crate) port: u16,
}

/// What happens where there is no installation yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfAbsent {
    Make,
    Refuse,
}

impl Installation {
    /// Opens what the settings name.
    pub(crate) async fn open(settings: &Settings, opening: Opening) -> Result<Self, Failure> {
        Self::open_at(location(settings)?, settings, opening).await
    }

    /// Opens a database in another place than the settings say, with their key ring.
    pub(crate) async fn open_at(location: Location, settings: &Settings, opening: Opening) -> Result<Self, Failure> {
        let Opening { access, absent, clock, metrics, port } = opening;
        let key_file = key_file(settings);
        if absent == IfAbsent::Refuse {
            require_presence(&location, &key_file)?;
        }
        let now = clock.now().micros();
        let options = match access {
            Access::Serve => Options::serve(location, now),
            Access::Operate => Options::operate(location, now),
        };
        let store = Store::open(options).await?;
        let keys = match load_or_make(&key_file, &store).await {
            Ok(keys) => keys,
            Err(failure) => {
                store.close().await;
                return Err(failure);
            }
        };
        let hasher = PasswordHasher::new(HashParams::default(), settings.hash_memory_mib * 1024 * 1024);
        let parts = Parts {
            store: store.clone(),
            keys,
            hasher: hasher.map_err(|error| Failure::new(error.to_string()))?,
            clock,
            entropy: Arc::new(OsEntropy),
            identity: Identity {
                suffix: settings.suffix.clone(),
                issuer: settings.issuer.clone(),
                relying_party: relying_party(settings, port)?,
            },
            metrics,
        };
        match Countersign::open(parts).await {
            Ok(core) => Ok(Self { core, data: settings.data.clone(), store }),
            Err(error) => {
                store.close().await;
                Err(Failure::new(format!("{} ({})", Failure::from(error), key_file.display())))
            }
        }
    }

    /// Finishes what is being written, and closes the database.
    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}

/// Reads the key ring; makes it when neither it nor anything sealed with it is there.
async fn load_or_make(file: &Path, store: &Store) -> Result<KeyRing, Failure> {
    let failed = |error: KeyRingError| Failure::new(error.to_string());
    if file.exists() {
        return KeyRing::load(file).map_err(failed);
    }
    if countersign_core::was_sealed(store).await? {
        return Err(Failure::new(format!(
            "the key ring {} is missing, and the data was sealed with one: put it back from its backup, or copy it from \
             another node",
            file.display()
        )));
    }
    if let Some(folder) = file.parent() {
        // With PostgreSQL nobody else has made it.
        make_folder(folder)?;
    }
    let ring = KeyRing::generate(|bytes| OsEntropy.fill(bytes));
    ring.save_new(file).map_err(failed)?;
    Ok(ring)
}

/// Who security keys and passkeys are registered with, and which makers' attestations it trusts.
fn relying_party(settings: &Settings, port: u16) -> Result<RelyingParty, Failure> {
    let relying_party = settings.public_url_at(port).relying_party();
    let Some(file) = &settings.attestation_roots else { return Ok(relying_party) };
    let unread = |problem: &dyn Display| {
        Failure::new(format!("attestation_roots: {} holds no certificates (PEM): {problem}", file.display()))
    };
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unread(&error))?;
    let certificates: Vec<Vec<u8>> = certificates
        .map(|certificate| certificate.map(|certificate| certificate.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| unread(&error))?;
    if certificates.is_empty() {
        return Err(unread(&"it is empty"));
    }
    relying_party.with_roots(certificates).map_err(|error| unread(&error))
}

/// Where the key ring is.
pub(crate) fn key_file(settings: &Settings) -> PathBuf {
    settings.data.join("keyring.json")
}

/// Makes a folder for this user alone, if it is not there.
pub(crate) fn make_folder(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Failure::new(format!("{} cannot be made: {error}", folder.display())))
}

/// Where the database is.
pub(crate) fn location(settings: &Settings) -> Result<Location, Failure> {
    match &settings.database {
        Some(url) => Ok(url.expose_secret().parse::<Location>()?),
        None => Ok(Location::Sqlite(settings.data.join("countersign.db"))),
    }
}

pub(crate) fn require_presence(location: &Location, key_file: &Path) -> Result<(), Failure> {
    let missing = |what: &str, path: &Path| {
        Err(Failure::new(format!(
            "there is no {what} at {}: name the right folder with --data, or make the first account with \
             `countersign serve` or `countersign account create`",
            path.display()
        )))
    };
    match location {
        Location::Sqlite(path) if !path.exists() => missing("database", path),
        Location::Postgres(_) if !key_file.exists() => missing("key ring", key_file),
        Location::Sqlite(_) | Location::Postgres(_) => Ok(()),
    }
}

/// A folder for one run, which goes away with it.
#[derive(Debug)]
pub(crate) struct ThrowAway {
    path: PathBuf,
}

impl ThrowAway {
    /// Makes a folder that nobody else can have prepared.
    pub(crate) fn make() -> Result<Self, Failure> {
        let number = u64::from_le_bytes(countersign_model::entropy::random_bytes(&OsEntropy));
        let name = format!("countersign-demo-{number:016x}");
        let make = |folder: &Path| {
            let path = folder.join(&name);
            DirBuilder::new().mode(0o700).create(&path).map(|()| Self { path })
        };
        // In memory where that can be had: nothing is lost with it, and nothing stays behind for long.
        let in_memory = if std::env::var_os("TMPDIR").is_none() { make(Path::new("/dev/shm")).ok() } else { None };
        let temporary = std::env::temp_dir();
        let unmade = |error| Failure::new(format!("no folder can be made in {}: {error}", temporary.display()));
        in_memory.map_or_else(|| make(&temporary).map_err(unmade), Ok)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, folder = %self.path.display(), "the throw-away folder stays behind");
        }
    }
}
