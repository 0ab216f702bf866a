//! The cookies: the secrets of a session, a logon, a passkey logon, a known browser and a remembered machine, a key that was
//! just unbound, and two preferences.
//!
//! Over https they carry the `__Host-` prefix, which ties them to this very host; plain `http://localhost` accepts neither
//! the prefix nor `Secure` everywhere, so there they go without.

use crate::Options;
use axum::http::header::{COOKIE, HeaderMap, HeaderValue};
use countersign_model::token::Token;

/// A cookie by what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The secret of an open session.
    Session,
    /// The secret of a logon that goes on.
    Logon,
    /// The secret by which the browser is known.
    Browser,
    /// The secret by which the machine is remembered.
    Machine,
    /// The secret by which a browser answers when it was asked for a passkey.
    Passkey,
    /// The credential id of a key that was just unbound, for one page, whose script lets the browser forget it.
    Gone,
    /// The language chosen.
    Language,
    /// The theme chosen.
    Theme,
}

impl Cookie {
    const fn base_name(self) -> &'static str {
        match self {
            Self::Session => "countersign-session",
            Self::Logon => "countersign-logon",
            Self::Browser => "countersign-browser",
            Self::Machine => "countersign-machine",
            Self::Passkey => "countersign-passkey",
            Self::Gone => "countersign-gone",
            Self::Language => "countersign-language",
            Self::Theme => "countersign-theme",
        }
    }

    /// How long the browser keeps it, in seconds; a session's goes when the browser closes.
    const fn max_age(self) -> Option<u32> {
        match self {
            Self::Session => None,
            Self::Logon => Some(600),
            Self::Passkey => Some(300),
            Self::Gone => Some(60),
            Self::Browser => Some(90 * 24 * 3_600),
            Self::Machine => Some(7 * 24 * 3_600),
            Self::Language | Self::Theme => Some(365 * 24 * 3_600),
        }
    }
}

impl Options {
    fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    fn cookie_name(&self, cookie: Cookie) -> String {
        let prefix = if self.is_https() { "__Host-" } else { "" };
        format!("{prefix}{}", cookie.base_name())
    }

    /// The header that sets a cookie.
    pub(crate) fn set_cookie(&self, cookie: Cookie, value: &str) -> Option<HeaderValue> {
        let age = cookie.max_age().map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        self.cookie_header(cookie, value, &age)
    }

    /// The header that removes a cookie.
    pub(crate) fn remove_cookie(&self, cookie: Cookie) -> Option<HeaderValue> {
        self.cookie_header(cookie, "", "; Max-Age=0")
    }

    fn cookie_header(&self, cookie: Cookie, value: &str, age: &str) -> Option<HeaderValue> {
        let secure = if self.is_https() { "; Secure" } else { "" };
        let name = self.cookie_name(cookie);
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")).ok()
    }

    /// The value of a cookie that the browser sent. One that comes twice is none: somebody planted the other.
    pub(crate) fn cookie(&self, headers: &HeaderMap, cookie: Cookie) -> Option<String> {
        let name = self.cookie_name(cookie);
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned());
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The secret in a cookie, if it has the shape of one.
    pub(crate) fn token(&self, headers: &HeaderMap, cookie: Cookie) -> Option<Token> {
        Token::parse(&self.cookie(headers, cookie)?)
    }
}
