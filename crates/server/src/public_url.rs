//! The one address that people type. Links, the check of a form's origin and cookies come from it, and a request for any
//! other host is not served.

use axum::http::Uri;
use countersign_core::webauthn::RelyingParty;
use std::fmt;
use std::str::FromStr;

/// An origin: scheme, host and port, nothing else.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    scheme: Scheme,
    host: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// How the host that a request names stands to the public one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostVerdict {
    /// It is the one.
    Public,
    /// It is the loopback address of the public `localhost`: another name of the same place.
    Loopback,
    /// It is another one.
    Foreign,
}

impl PublicUrl {
    /// This machine's own address, as long as nothing is configured.
    #[must_use]
    pub fn localhost(port: u16, tls: bool) -> Self {
        let scheme = if tls { Scheme::Https } else { Scheme::Http };
        Self { scheme, host: "localhost".to_owned(), port }
    }

    /// Whether browsers speak TLS to it, to us or to a proxy before us.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Whether it never leaves this machine: browsers treat it as safe without TLS.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.host == "localhost" || self.host.ends_with(".localhost")
    }

    /// Where browsers connect to.
    #[must_use]
    pub fn host_and_port(&self) -> (&str, u16) {
        (self.host.trim_start_matches('[').trim_end_matches(']'), self.port)
    }

    /// Who browsers register security keys and passkeys with: the host, and this origin alone.
    #[must_use]
    pub fn relying_party(&self) -> RelyingParty {
        RelyingParty::new(&self.host, &self.to_string())
    }

    /// The host as it stands behind the `@` of a sender or a message id. An address in brackets could not.
    #[must_use]
    pub fn mail_host(&self) -> String {
        if self.host.starts_with('[') { "localhost".to_owned() } else { self.host.clone() }
    }

    /// Judges what a request names as its host, `host` or `host:port`.
    #[must_use]
    pub fn judge(&self, authority: &str) -> HostVerdict {
        let Some((host, port)) = split(authority, self.scheme) else {
            return HostVerdict::Foreign;
        };
        if port != self.port {
            HostVerdict::Foreign
        } else if host == self.host {
            HostVerdict::Public
        } else if self.host == "localhost" && matches!(host.as_str(), "127.0.0.1" | "[::1]") {
            HostVerdict::Loopback
        } else {
            HostVerdict::Foreign
        }
    }
}

/// The host in lower case and the port. User names, empty hosts and empty ports are none.
fn split(authority: &str, scheme: Scheme) -> Option<(String, u16)> {
    let end_of_address = authority.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match authority.get(end_of_address..)?.find(':') {
        Some(colon) => {
            let (host, port) = authority.split_at(end_of_address + colon);
            let digits = port.strip_prefix(':')?;
            (host, digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??)
        }
        None => (authority, scheme.default_port()),
    };
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'[' | b']' | b':'));
    (!host.is_empty() && plain).then(|| (host.to_ascii_lowercase(), port))
}

/// Without a slash at its end, and without a port that goes without saying: an origin as browsers write it.
impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// A text that cannot be the public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write it like https://logon.example.com or http://localhost:8080")]
pub struct InvalidPublicUrl(&'static str);

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        const NOT_A_URL: InvalidPublicUrl = InvalidPublicUrl("it is not a URL (a name beyond ASCII goes in as xn--…)");
        let uri: Uri = text.parse().map_err(|_| NOT_A_URL)?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) | None => return Err(InvalidPublicUrl("it does not begin with http:// or https://")),
        };
        if uri.path() != "/" || uri.query().is_some() || text.contains(['#', '?']) {
            return Err(InvalidPublicUrl("it goes on behind the host, and the pages lie at the root of their host"));
        }
        let (host, port) = uri.authority().and_then(|authority| split(authority.as_str(), scheme)).ok_or(NOT_A_URL)?;
        Ok(Self { scheme, host, port })
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = InvalidPublicUrl;

    fn try_from(text: String) -> Result<Self, InvalidPublicUrl> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> PublicUrl {
        text.parse().unwrap()
    }

    #[test]
    fn it_is_an_origin_and_nothing_else() {
        for (text, written) in [
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://localhost:8080/", "http://localhost:8080"),
            ("https://Logon.Example.com:443", "https://logon.example.com"),
            ("http://example.com:80", "http://example.com"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(url(text).to_string(), written);
        }
        for bad in [
            "",
            "localhost",
            "localhost:8080",
            "ftp://x",
            "//x",
            "https://x/console",
            "https://x?a=b",
            "https://x/?",
            "https://x#f",
            "https://user@x",
            "https://u:p@x",
            "https://x:",
            "https://x:99999",
            "https://x:+80",
            "https://登录.example",
            "https://",
            "https://a b",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn attack_126_only_the_public_host_is_the_public_host() {
        use HostVerdict::{Foreign, Loopback, Public};
        let local = url("http://localhost:8080");
        let public = url("https://logon.example.com");
        for (url, host, verdict) in [
            (&local, "localhost:8080", Public),
            (&local, "LOCALHOST:8080", Public),
            (&local, "127.0.0.1:8080", Loopback),
            (&local, "[::1]:8080", Loopback),
            (&local, "localhost", Foreign),
            (&local, "localhost:8081", Foreign),
            (&local, "127.0.0.1", Foreign),
            (&local, "127.0.0.1.evil.example:8080", Foreign),
            (&local, "localhost.:8080", Foreign),
            (&local, "localhost:8080@evil.example", Foreign),
            (&local, "evil.example@localhost:8080", Foreign),
            (&local, "localhost:8080:8080", Foreign),
            (&local, "", Foreign),
            (&local, ":8080", Foreign),
            (&public, "logon.example.com", Public),
            (&public, "logon.example.com:443", Public),
            (&public, "logon.example.com:80", Foreign),
            (&public, "evil.logon.example.com", Foreign),
            (&public, "logon.example.com.evil.example", Foreign),
            (&public, "127.0.0.1", Foreign),
        ] {
            assert_eq!(url.judge(host), verdict, "{host}");
        }
    }
}
