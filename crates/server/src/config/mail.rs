//! The section `[mail]`: from whom, and by which server.

use super::{ConfigError, refused};
use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use std::net::IpAddr;
use std::path::PathBuf;
use url::{Host, Url};

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// From whom it comes.
    pub from: Mailbox,
    /// The server that takes it.
    pub server: SmtpServer,
    /// Certificates to trust beside those of the system, PEM.
    pub ca: Option<PathBuf>,
}

/// A server that takes mail.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    /// Its name or address; the certificate has to be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// User name and password, if it asks for them.
    pub credentials: Option<(String, SecretString)>,
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte.
    Implicit,
    /// By STARTTLS, and not at all without it.
    StartTls,
    /// Not at all.
    None,
}

impl MailSettings {
    /// What the keys of the section make; nothing when none of them is set.
    pub(super) fn from_keys(
        from: Option<String>,
        smtp: Option<&SecretString>,
        ca: Option<PathBuf>,
        danger_insecure: bool,
    ) -> Result<Option<Self>, ConfigError> {
        let (from, smtp) = match (from, smtp) {
            (Some(from), Some(smtp)) => (from, smtp),
            (None, None) if ca.is_none() => return Ok(None),
            (None, _) => return refused("[mail] has no `from`: write from = \"Countersign <no-reply@example.com>\""),
            (Some(_), None) => {
                return refused("[mail] has no `smtp`: write smtp = \"smtps://user:password@mail.example.com\"");
            }
        };
        let Ok(from) = from.parse::<Mailbox>() else {
            return refused("[mail] `from` has to look like Countersign <no-reply@example.com>");
        };
        let server = SmtpServer::parse(smtp)?;
        if server.encryption == Encryption::None && !server.is_on_this_machine() && !danger_insecure {
            return refused(
                "[mail] `smtp` would send mail in the clear: write smtps://… or smtp://…?tls=required, or say \
                 danger_insecure = true and mean it",
            );
        }
        Ok(Some(Self { from, server, ca }))
    }
}

impl SmtpServer {
    /// Whether mail does not leave this machine on its way to it.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Reads `smtps://user:password@host:465` or `smtp://host:587?tls=required`. An error never quotes it.
    fn parse(text: &SecretString) -> Result<Self, ConfigError> {
        const SHAPE: &str = "[mail] `smtp` has to look like smtps://user:password@mail.example.com or \
                             smtp://mail.example.com:587?tls=required; in user and password write %40 for @ and %3A for :";
        let Ok(url) = Url::parse(text.expose_secret()) else { return refused(SHAPE) };
        let options: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let option = match options.as_slice() {
            [] => None,
            [(key, value)] if key == "tls" => Some(value.as_str()),
            [..] => return refused(SHAPE),
        };
        let (encryption, default_port) = match (url.scheme(), option) {
            ("smtps", None | Some("required")) => (Encryption::Implicit, 465),
            ("smtp", Some("required")) => (Encryption::StartTls, 587),
            ("smtp", None) => (Encryption::None, 25),
            (_, None | Some(_)) => return refused(SHAPE),
        };
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(Host::Domain(_)) | None => return refused(SHAPE),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return refused(SHAPE);
        }
        let decode = |part: &str| percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned);
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                let (Ok(user), Ok(password)) = (decode(user), decode(password)) else { return refused(SHAPE) };
                Some((user, password.into()))
            }
            (_, None | Some(_)) => return refused("[mail] `smtp` has a user or a password, but not both"),
        };
        Ok(Self { host, port: url.port().unwrap_or(default_port), encryption, credentials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(smtp: &str) -> Result<SmtpServer, ConfigError> {
        settings(smtp).map(|settings| settings.unwrap().server)
    }

    fn settings(smtp: &str) -> Result<Option<MailSettings>, ConfigError> {
        let smtp = SecretString::from(smtp);
        MailSettings::from_keys(Some("Countersign <c@example.com>".to_owned()), Some(&smtp), None, false)
    }

    #[test]
    fn the_address_of_a_server_is_read_with_its_defaults() {
        for (text, host, port, encryption) in [
            ("smtps://mail.example.com", "mail.example.com", 465, Encryption::Implicit),
            ("smtps://mail.example.com:1465/", "mail.example.com", 1465, Encryption::Implicit),
            ("smtp://mail.example.com?tls=required", "mail.example.com", 587, Encryption::StartTls),
            ("smtp://localhost:2525", "localhost", 2525, Encryption::None),
            ("smtp://127.0.0.1", "127.0.0.1", 25, Encryption::None),
            ("smtp://[::1]:25", "::1", 25, Encryption::None),
        ] {
            let server = parsed(text).unwrap();
            assert_eq!((server.host.as_str(), server.port, server.encryption), (host, port, encryption), "{text}");
        }
    }

    #[test]
    fn user_and_password_are_decoded_and_not_printed() {
        let server = parsed("smtps://me%40example.com:hush%3A%2F@mail.example.com").unwrap();
        assert!(!format!("{server:?}").contains("hush"));
        let (user, password) = server.credentials.unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("me@example.com", "hush:/"));
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_never_quoted() {
        for text in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtps://",
            "smtps://hush@mail.example.com",
            "smtps://:hush@mail.example.com",
            "smtps://u:hush@mail.example.com/path",
            "smtps://u:hush@mail.example.com?tls=none",
            "smtp://u:hush@mail.example.com?tls=opportunistic",
            "smtp://u:hush@localhost?tls=required&x=1",
            "smtp://u:hush@mail.example.com",
            "smtp://u:hush@192.0.2.1:25",
            "smtps://u:%ffhush@mail.example.com",
        ] {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.starts_with("[mail] `smtp` ") && !error.contains("hush"), "{text}: {error}");
        }
        let smtp = SecretString::from("smtp://192.0.2.1");
        let meant = MailSettings::from_keys(Some("c@example.com".to_owned()), Some(&smtp), None, true);
        assert!(meant.unwrap().is_some());
    }

    #[test]
    fn a_section_is_whole_or_not_there() {
        let smtp = SecretString::from("smtps://mail.example.com");
        assert!(MailSettings::from_keys(None, None, None, false).unwrap().is_none());
        assert!(MailSettings::from_keys(None, Some(&smtp), None, false).is_err());
        assert!(MailSettings::from_keys(Some("c@example.com".to_owned()), None, None, false).is_err());
        assert!(MailSettings::from_keys(None, None, Some("ca.pem".into()), false).is_err());
        for from in ["", "nobody", "a@b\nBcc: x@y.example", "Two <a@b.example>, <c@d.example>"] {
            assert!(MailSettings::from_keys(Some(from.to_owned()), Some(&smtp), None, false).is_err(), "{from}");
        }
    }
}
