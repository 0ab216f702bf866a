//! The settings: one TOML file, over it the environment, over that the flags.
//!
//! Pure functions over what was read; only [`Settings::load`] looks at the machine. A key that nobody knows is an error,
//! because a configuration that is half understood guards half.

mod layer;
mod mail;

pub use layer::Layer;
pub use mail::{Encryption, MailSettings, SmtpServer};

use crate::public_url::PublicUrl;
use secrecy::SecretString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Everything that can be set, as it is in force.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the database and the key ring.
    pub data: PathBuf,
    /// Where the pages are served.
    pub listen: SocketAddr,
    /// Where the RAM API is served.
    pub api_listen: SocketAddr,
    /// Where operations are served.
    pub ops_listen: SocketAddr,
    /// The address that people type, if it was said; see [`Settings::public_url_at`].
    pub public_url: Option<PublicUrl>,
    /// A PostgreSQL URL. Without it the data is in SQLite, in the folder.
    pub database: Option<SecretString>,
    /// The certificate, when TLS is ended here.
    pub tls: Option<TlsFiles>,
    /// How many proxies stand in front; they are trusted to tell the client's address.
    pub trusted_proxy_hops: usize,
    /// Whether plain http may leave this machine.
    pub danger_insecure_http: bool,
    /// Whether to start although security keys and passkeys were registered at another host, where alone they serve.
    pub danger_strand_keys: bool,
    /// Certificates of makers of security keys, PEM: an attestation that leads to one of them proves the model.
    pub attestation_roots: Option<PathBuf>,
    /// The last part of every RAM user's logon name.
    pub suffix: String,
    /// The issuer that authenticator apps show.
    pub issuer: String,
    /// How much memory parallel password hashes may take together, in MiB.
    pub hash_memory_mib: u64,
    /// How mail is sent. Without it mails become files in the folder.
    pub mail: Option<MailSettings>,
    /// What is logged: levels by module, as `info` or `info,countersign=debug`.
    pub log: Option<String>,
    /// How the log is written; nothing leaves it to whether a person is looking.
    pub log_format: Option<LogFormat>,
}

/// A certificate and its key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

/// What is wrong with the settings, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is not TOML.
    #[error("{file}, line {line}: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// A key that nobody knows.
    #[error("{place} sets {key}, which is not known. Did you mean {nearest}?")]
    UnknownKey {
        /// The file, or the environment.
        place: String,
        /// The key as it stands there.
        key: String,
        /// The known key most like it.
        nearest: String,
    },
    /// A value of the wrong kind.
    #[error("{place}: {key} cannot be used: {problem}")]
    BadValue {
        /// The file or the variable.
        place: String,
        /// The key.
        key: String,
        /// What is wrong with the value.
        problem: String,
    },
    /// The file cannot be read.
    #[error("the configuration {file} cannot be read: {problem}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        problem: String,
    },
    /// Values that each could be used, but not so.
    #[error("{0}")]
    Refused(String),
}

/// From where settings come.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file that was named, if one was.
    pub config: Option<PathBuf>,
    /// What the flags say.
    pub flags: Layer,
    /// The variables of the environment, of all programs.
    pub environment: Vec<(String, String)>,
}

impl Sources {
    /// The environment of this process, beside the flags.
    #[must_use]
    pub fn of_this_process(config: Option<PathBuf>, flags: Layer) -> Self {
        // What is no text cannot be one of ours, or is refused as a value that cannot be used.
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { config, flags, environment }
    }
}

impl Settings {
    /// Reads what the sources say.
    pub fn load(sources: Sources) -> Result<Self, ConfigError> {
        let Sources { config, flags, environment } = sources;
        let variable = environment.iter().find(|(name, value)| name == layer::CONFIG_VARIABLE && !value.is_empty());
        let named = config.or_else(|| variable.map(|(_, value)| PathBuf::from(value)));
        let upper = flags.over(Layer::from_environment(environment)?);
        let file = match named {
            Some(path) => file_layer(&path)?,
            None => file_in(upper.data.as_deref().unwrap_or(Path::new(DEFAULT_DATA)))?,
        };
        Self::from_layer(upper.over(file))
    }

    /// The settings that the merged layers make.
    pub fn from_layer(layer: Layer) -> Result<Self, ConfigError> {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let tls = match (layer.tls_cert, layer.tls_key) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (None, None) => None,
            (Some(_), None) => return refused("tls_cert is set without tls_key: TLS takes both"),
            (None, Some(_)) => return refused("tls_key is set without tls_cert: TLS takes both"),
        };
        let suffix = layer.suffix.unwrap_or_else(|| "countersign.local".to_owned()).to_ascii_lowercase();
        let labels = suffix.split('.').all(|label| {
            let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            !label.is_empty() && inner && !label.starts_with('-') && !label.ends_with('-')
        });
        if !labels || suffix.len() > 100 {
            return refused("suffix has to look like the name of a domain, such as countersign.local");
        }
        let issuer = layer.issuer.unwrap_or_else(|| "Countersign".to_owned());
        if issuer.chars().count() > 64 || countersign_otp::Label::new(Some(&issuer), "name").is_err() {
            return refused(
                "issuer has to be a name of 1 to 64 characters without a colon: apps show it beside the code",
            );
        }
        let hash_memory_mib = layer.hash_memory_mib.unwrap_or(128);
        if !(20..=65_536).contains(&hash_memory_mib) {
            return refused("hash_memory_mib has to be 20 to 65536: a password hash takes 19 MiB while it is computed");
        }
        let insecure = layer.mail_danger_insecure.unwrap_or(false);
        let mail = MailSettings::from_keys(layer.mail_from, layer.mail_smtp.as_ref(), layer.mail_ca, insecure)?;
        Ok(Self {
            data: layer.data.unwrap_or_else(|| DEFAULT_DATA.into()),
            listen: layer.listen.unwrap_or_else(|| loopback(8080)),
            api_listen: layer.api_listen.unwrap_or_else(|| loopback(8081)),
            ops_listen: layer.ops_listen.unwrap_or_else(|| loopback(8082)),
            public_url: layer.public_url,
            database: layer.database,
            tls,
            trusted_proxy_hops: layer.trusted_proxy_hops.unwrap_or(0),
            danger_insecure_http: layer.danger_insecure_http.unwrap_or(false),
            danger_strand_keys: layer.danger_strand_keys.unwrap_or(false),
            attestation_roots: layer.attestation_roots,
            suffix,
            issuer,
            hash_memory_mib,
            mail,
            log: layer.log,
            log_format: layer.log_format,
        })
    }

    /// Refuses to serve where passwords and codes would travel in the clear, or where nobody could reach the pages.
    pub fn check_serving(&self) -> Result<(), ConfigError> {
        let guarded = self.tls.is_some() || self.trusted_proxy_hops > 0 || self.danger_insecure_http;
        for address in [self.listen, self.api_listen] {
            if !address.ip().is_loopback() && !guarded {
                return refused(&format!(
                    "passwords and codes would travel in the clear: {address} is reached from other machines. Give TLS \
                     (--tls-cert and --tls-key), or name the proxies that end TLS in front (--trusted-proxy-hops 1), \
                     or say --danger-insecure-http and mean it"
                ));
            }
        }
        let Some(url) = &self.public_url else { return Ok(()) };
        if self.tls.is_some() && !url.is_https() {
            return refused(&format!("public_url is {url}, but the pages are served by TLS: write https"));
        }
        if !url.is_https() && !url.is_local() && !self.danger_insecure_http {
            return refused(&format!(
                "public_url is {url}: beyond localhost it has to be https, or say --danger-insecure-http and mean it"
            ));
        }
        Ok(())
    }

    /// The address that people type, when the pages are served at this port.
    #[must_use]
    pub fn public_url_at(&self, port: u16) -> PublicUrl {
        self.public_url.clone().unwrap_or_else(|| PublicUrl::localhost(port, self.tls.is_some()))
    }

    /// What can be served but is hardly meant.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.danger_insecure_http {
            doubts.push("plain http beyond this machine: whoever is on the way reads passwords and codes".to_owned());
        }
        let plain = self.mail.as_ref().is_some_and(|mail| mail.server.encryption == Encryption::None);
        if plain && !self.mail.as_ref().is_some_and(|mail| mail.server.is_on_this_machine()) {
            doubts.push(
                "mail leaves this machine in the clear: whoever is on the way reads it and its password".to_owned(),
            );
        }
        if self.public_url.is_none() && !self.listen.ip().is_loopback() {
            doubts.push("public_url is not set: the pages answer only to the name localhost".to_owned());
        }
        let proxied = self.public_url.as_ref().is_some_and(PublicUrl::is_https) && self.tls.is_none();
        if proxied && self.trusted_proxy_hops == 0 {
            doubts.push("public_url is https, so a proxy ends TLS in front, but trusted_proxy_hops is 0: every visitor will seem to come from the proxy".to_owned());
        }
        doubts
    }
}

const DEFAULT_DATA: &str = "./data";

fn refused<T>(text: &str) -> Result<T, ConfigError> {
    Err(ConfigError::Refused(text.to_owned()))
}

/// The file that lies in the data folder, if one does.
fn file_in(data: &Path) -> Result<Layer, ConfigError> {
    let path = data.join("countersign.toml");
    if !path.exists() {
        return Ok(Layer::default());
    }
    let layer = file_layer(&path)?;
    if layer.data.is_some() {
        return refused(&format!(
            "{} lies in the data folder, so it cannot say where that is: take `data` out",
            path.display()
        ));
    }
    Ok(layer)
}

fn file_layer(path: &Path) -> Result<Layer, ConfigError> {
    let file = path.display().to_string();
    let unreadable = |error: std::io::Error| ConfigError::Unreadable { file: file.clone(), problem: error.to_string() };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Layer::from_toml(&text, &file)
}

#[cfg(test)]
mod tests;
