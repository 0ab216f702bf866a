//! Handing mail to a server, by lettre. Each mail has a connection of its own: notices are rare, and what was given up in
//! the middle of a mail must not carry the next one.

use super::NotSent;
use super::connection::connect;
use crate::config::{Encryption, MailSettings, SmtpServer};
use crate::failure::Failure;
use lettre::Message;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret as _;
use std::error::Error as StdError;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long a mail may take from the first byte of its connection to the last answer.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// A server to hand mail to.
pub(super) struct Smtp {
    server: SmtpServer,
    tls: TlsConnector,
    patience: Duration,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Smtp {
    /// Prepares to speak to the server of the settings; it is not spoken to yet.
    pub(super) fn open(settings: &MailSettings, patience: Duration) -> Result<Self, Failure> {
        let roots = match settings.server.encryption {
            Encryption::None => RootCertStore::empty(),
            Encryption::StartTls | Encryption::Implicit => roots(settings.ca.as_deref())?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| Failure::new(format!("TLS to the mail server: {error}")))?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { server: settings.server.clone(), tls: TlsConnector::from(Arc::new(config)), patience })
    }

    /// Hands a message over: what the server said.
    pub(super) async fn send(&self, message: &Message) -> Result<String, NotSent> {
        let seconds = self.patience.as_secs();
        let sent = timeout(self.patience, self.converse(message)).await;
        sent.unwrap_or_else(|_| Err(NotSent::for_now(format!("{} did not finish within {seconds} s", self.name()))))
    }

    async fn converse(&self, message: &Message) -> Result<String, NotSent> {
        let hello = ClientId::default();
        let stream = connect(&self.server, &self.tls, &hello.to_string()).await;
        let stream = stream.map_err(|error| NotSent::for_now(self.explain(&error)))?;
        let connection = AsyncSmtpConnection::connect_with_transport(stream, &hello).await;
        let mut connection = connection.map_err(|error| self.not_sent(&error))?;
        if let Some((user, password)) = &self.server.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            let known = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
            known.map_err(|error| self.not_sent(&error))?;
        }
        let response = connection.send(message.envelope(), &message.formatted()).await;
        let response = response.map_err(|error| self.not_sent(&error))?;
        // The mail is the server's now, however it says goodbye.
        drop(connection.quit().await);
        let said: Vec<&str> = response.message().collect();
        Ok(format!("{} said: {} {}", self.name(), response.code(), said.join(" ")))
    }

    /// As messages name it.
    fn name(&self) -> String {
        format!("{}:{}", self.server.host, self.server.port)
    }

    fn not_sent(&self, error: &SmtpError) -> NotSent {
        let text = self.explain(error);
        if is_about_the_mail(error) { NotSent::for_good(text) } else { NotSent::for_now(text) }
    }

    fn explain(&self, error: &dyn StdError) -> String {
        let mut text = format!("{}: {error}", self.name());
        let mut source = error.source();
        while let Some(inner) = source {
            let inner_text = inner.to_string();
            if !text.contains(&inner_text) {
                text = format!("{text}: {inner_text}");
            }
            source = inner.source();
        }
        text
    }
}

/// Whether the server will never take this mail. That it does not know our password or our command (50x, 53x), or offers
/// no TLS, is said of us and of it: the operator mends it, and the mail waits.
fn is_about_the_mail(error: &SmtpError) -> bool {
    error.status().map(u16::from).is_some_and(|code| code >= 550)
}

/// Whom the machine trusts, and whoever is named beside.
fn roots(ca: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let unusable =
            |error: &dyn Display| Failure::new(format!("[mail] `ca`: {} cannot be used: {error}", path.display()));
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
        let before = roots.len();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
        if roots.len() == before {
            return Err(unusable(&"it holds no certificate"));
        }
    }
    if roots.is_empty() {
        return Err(Failure::new(
            "no certificate authority is known on this machine: name one with `ca` in [mail], or install those of the system",
        ));
    }
    Ok(roots)
}
