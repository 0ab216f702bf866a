//! Handing mail to a server, by lettre. Each mail has a connection of its own: notices are rare, and what was given up in
//! the middle of a mail must not carry the next one.

use super::NotSent;
use crate::config::{Encryption, MailSettings};
use crate::failure::Failure;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::ExposeSecret as _;
use std::error::Error as _;
use std::time::Duration;
use tokio::time::timeout;

/// How long a mail may take from the first byte of its connection to the last answer.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// A server to hand mail to.
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    /// As messages name it.
    name: String,
    patience: Duration,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Smtp {
    /// Prepares to speak to the server of the settings; it is not spoken to yet.
    pub(super) fn open(settings: &MailSettings, patience: Duration) -> Result<Self, Failure> {
        let server = &settings.server;
        let tls = match server.encryption {
            Encryption::None => Tls::None,
            Encryption::StartTls => Tls::Required(tls_parameters(settings)?),
            Encryption::Implicit => Tls::Wrapper(tls_parameters(settings)?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host);
        let mut builder = builder.port(server.port).tls(tls).timeout(Some(patience));
        if let Some((user, password)) = &server.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build(), name: format!("{}:{}", server.host, server.port), patience })
    }

    /// Hands a message over: what the server said.
    pub(super) async fn send(&self, message: Message) -> Result<String, NotSent> {
        match timeout(self.patience, self.transport.send(message)).await {
            Ok(Ok(response)) => {
                let said: Vec<&str> = response.message().collect();
                Ok(format!("{} said: {} {}", self.name, response.code(), said.join(" ")))
            }
            Ok(Err(error)) => Err(self.explain(&error)),
            Err(_) => {
                let seconds = self.patience.as_secs();
                Err(NotSent::for_now(format!("{} did not finish within {seconds} s", self.name)))
            }
        }
    }

    fn explain(&self, error: &SmtpError) -> NotSent {
        let mut text = format!("{}: {error}", self.name);
        let mut source = error.source();
        while let Some(inner) = source {
            let inner_text = inner.to_string();
            if !text.contains(&inner_text) {
                text = format!("{text}: {inner_text}");
            }
            source = inner.source();
        }
        if is_about_the_mail(error) { NotSent::for_good(text) } else { NotSent::for_now(text) }
    }
}

/// Whether the server will never take this mail. That it does not know our password or our command (50x, 53x), or offers
/// no TLS, is said of us and of it: the operator mends it, and the mail waits.
fn is_about_the_mail(error: &SmtpError) -> bool {
    error.status().map(u16::from).is_some_and(|code| code >= 550)
}

fn tls_parameters(settings: &MailSettings) -> Result<TlsParameters, Failure> {
    let failed = |error: SmtpError| Failure::new(format!("TLS to the mail server cannot be prepared: {error}"));
    let mut builder = TlsParameters::builder(settings.server.host.clone());
    if let Some(path) = &settings.ca {
        let unusable = |error: &dyn std::fmt::Display| {
            Failure::new(format!("[mail] `ca`: {} cannot be used: {error}", path.display()))
        };
        let pem = std::fs::read(path).map_err(|error| unusable(&error))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| unusable(&error))?);
    }
    builder.build_rustls().map_err(failed)
}
