//! The connections to PostgreSQL.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::errors::problem;
use crate::error::StoreError;

/// The longest that the network may be silent about a connection, and a unit may wait for one.
const SILENCE: Duration = Duration::from_secs(20);

/// A pool that connects when it is first asked.
pub(super) fn pool(url: &SecretString, connections: usize) -> Result<Pool, StoreError> {
    let config = Config::from_str(url.expose_secret());
    let mut config = config.map_err(|error| StoreError::BadLocation(problem(&error)))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(SILENCE);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if config.get_application_name().is_none() {
        config.application_name("countersign");
    }
    // Whether a connection still lives shows when it is used: a unit that lost it before its commit runs again.
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if config.get_ssl_mode() == SslMode::Require {
        Manager::from_config(config, tls()?, recycling)
    } else {
        Manager::from_config(config, NoTls, recycling)
    };
    Pool::builder(manager)
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(SILENCE))
        .create_timeout(Some(SILENCE))
        .recycle_timeout(Some(SILENCE))
        .build()
        .map_err(|error| StoreError::Fault(error.to_string()))
}

/// TLS that trusts whom the machine trusts; `SSL_CERT_FILE` names an authority of one's own.
fn tls() -> Result<MakeRustlsConnect, StoreError> {
    let unavailable = |error: &dyn std::error::Error| StoreError::Unavailable(format!("TLS to the database: {error}"));
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    if let (true, Some(error)) = (found.certs.is_empty(), found.errors.first()) {
        return Err(unavailable(error));
    }
    roots.add_parsable_certificates(found.certs);
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unavailable(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
