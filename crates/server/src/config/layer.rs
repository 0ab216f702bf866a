//! One source of settings: the file, the environment, or the flags. What a source does not say is `None`.

use super::{ConfigError, LogFormat};
use crate::public_url::PublicUrl;
use secrecy::SecretString;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Every key there is, and how the environment, which knows only texts, is to be read.
pub(super) const KEYS: &[(&str, Kind)] = &[
    ("data", Kind::Text),
    ("listen", Kind::Text),
    ("api_listen", Kind::Text),
    ("ops_listen", Kind::Text),
    ("public_url", Kind::Text),
    ("database", Kind::Text),
    ("tls_cert", Kind::Text),
    ("tls_key", Kind::Text),
    ("trusted_proxy_hops", Kind::Number),
    ("danger_insecure_http", Kind::Switch),
    ("danger_strand_keys", Kind::Switch),
    ("attestation_roots", Kind::Text),
    ("suffix", Kind::Text),
    ("issuer", Kind::Text),
    ("hash_memory_mib", Kind::Number),
    ("mail_from", Kind::Text),
    ("mail_smtp", Kind::Text),
    ("mail_ca", Kind::Text),
    ("mail_danger_insecure", Kind::Switch),
    ("log", Kind::Text),
    ("log_format", Kind::Text),
];

/// The sections that a file may have.
const SECTIONS: &[&str] = &["mail"];

const PREFIX: &str = "COUNTERSIGN_";

/// The flag `--config` in the environment: it says where the keys are and is none itself.
pub(super) const CONFIG_VARIABLE: &str = "COUNTERSIGN_CONFIG";

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Switch,
}

/// What one source says. The fields are described at [`Settings`](super::Settings).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described once, where the settings are")]
pub struct Layer {
    pub data: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub api_listen: Option<SocketAddr>,
    pub ops_listen: Option<SocketAddr>,
    pub public_url: Option<PublicUrl>,
    pub database: Option<SecretString>,
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub trusted_proxy_hops: Option<usize>,
    pub danger_insecure_http: Option<bool>,
    pub danger_strand_keys: Option<bool>,
    pub attestation_roots: Option<PathBuf>,
    pub suffix: Option<String>,
    pub issuer: Option<String>,
    pub hash_memory_mib: Option<u64>,
    pub mail_from: Option<String>,
    pub mail_smtp: Option<SecretString>,
    pub mail_ca: Option<PathBuf>,
    pub mail_danger_insecure: Option<bool>,
    pub log: Option<String>,
    pub log_format: Option<LogFormat>,
}

impl Layer {
    /// Reads a TOML file's text; `name` is the file's, for messages. They never quote a value: one of them is a secret.
    pub fn from_toml(text: &str, name: &str) -> Result<Self, ConfigError> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
            file: name.to_owned(),
            line: error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.split('\n').count()),
            problem: error.message().to_owned(),
        })?;
        let mut layer = Self::default();
        for (key, value) in sections_apart(table) {
            let known = KEYS.iter().any(|(known, _)| *known == key);
            if !known {
                return Err(ConfigError::UnknownKey { place: name.to_owned(), nearest: nearest(&key), key });
            }
            layer = layer.over(Self::of_one(&key, value, name)?);
        }
        Ok(layer)
    }

    /// Reads the environment; variables of other programs are not looked at, and an empty one says nothing.
    pub fn from_environment(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut layer = Self::default();
        for (variable, text) in variables {
            let Some(name) = variable.strip_prefix(PREFIX) else { continue };
            if variable == CONFIG_VARIABLE {
                continue;
            }
            let found = KEYS.iter().find(|(key, _)| key.to_ascii_uppercase() == name);
            let Some((key, kind)) = found else {
                let nearest = format!("{PREFIX}{}", nearest(&name.to_ascii_lowercase()).to_ascii_uppercase());
                return Err(ConfigError::UnknownKey { place: "the environment".into(), key: variable, nearest });
            };
            if !text.is_empty() {
                layer = layer.over(Self::of_one(key, kind.read(text), &format!("{PREFIX}{name}"))?);
            }
        }
        Ok(layer)
    }

    /// This layer, and where it says nothing, the `lower` one.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        Self {
            data: self.data.or(lower.data),
            listen: self.listen.or(lower.listen),
            api_listen: self.api_listen.or(lower.api_listen),
            ops_listen: self.ops_listen.or(lower.ops_listen),
            public_url: self.public_url.or(lower.public_url),
            database: self.database.or(lower.database),
            tls_cert: self.tls_cert.or(lower.tls_cert),
            tls_key: self.tls_key.or(lower.tls_key),
            trusted_proxy_hops: self.trusted_proxy_hops.or(lower.trusted_proxy_hops),
            danger_insecure_http: self.danger_insecure_http.or(lower.danger_insecure_http),
            danger_strand_keys: self.danger_strand_keys.or(lower.danger_strand_keys),
            attestation_roots: self.attestation_roots.or(lower.attestation_roots),
            suffix: self.suffix.or(lower.suffix),
            issuer: self.issuer.or(lower.issuer),
            hash_memory_mib: self.hash_memory_mib.or(lower.hash_memory_mib),
            mail_from: self.mail_from.or(lower.mail_from),
            mail_smtp: self.mail_smtp.or(lower.mail_smtp),
            mail_ca: self.mail_ca.or(lower.mail_ca),
            mail_danger_insecure: self.mail_danger_insecure.or(lower.mail_danger_insecure),
            log: self.log.or(lower.log),
            log_format: self.log_format.or(lower.log_format),
        }
    }

    fn of_one(key: &str, value: toml::Value, place: &str) -> Result<Self, ConfigError> {
        let table = toml::Table::from_iter([(key.to_owned(), value)]);
        Self::deserialize(table).map_err(|error| ConfigError::BadValue {
            place: place.to_owned(),
            key: key.to_owned(),
            problem: error.message().to_owned(),
        })
    }
}

impl Kind {
    /// A text that is not what it should be stays a text, and is refused as one.
    fn read(self, text: String) -> toml::Value {
        let read = match self {
            Self::Text => None,
            Self::Number => text.parse().ok().map(toml::Value::Integer),
            Self::Switch => text.parse().ok().map(toml::Value::Boolean),
        };
        read.unwrap_or(toml::Value::String(text))
    }
}

/// The keys of a file, those of a section behind its name: `from` in `[mail]` is `mail_from`.
fn sections_apart(table: toml::Table) -> Vec<(String, toml::Value)> {
    let mut keys = Vec::new();
    for (key, value) in table {
        if let toml::Value::Table(section) = &value
            && SECTIONS.contains(&key.as_str())
        {
            keys.extend(section.iter().map(|(inner, value)| (format!("{key}_{inner}"), value.clone())));
        } else {
            keys.push((key, value));
        }
    }
    keys
}

/// The known key that looks most like this one.
fn nearest(key: &str) -> String {
    let likeness = |known: &str| strsim::jaro_winkler(known, key);
    let nearest = KEYS.iter().map(|(known, _)| *known).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    nearest.unwrap_or_default().to_owned()
}
