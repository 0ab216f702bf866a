//! Who asks: from where, in which language and theme, and — where a route needs it — with which logon or session.

use crate::Console;
use crate::cookies::Cookie;
use crate::frame::Theme;
use crate::locales::{Language, Words};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use countersign_core::{Origin, Permissions, SessionActor, client_address};
use countersign_model::token::Token;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

/// Whoever asks.
#[derive(Clone)]
pub(crate) struct Visitor {
    /// From where.
    pub(crate) origin: Origin,
    /// The words in his language.
    pub(crate) words: Words,
    /// The theme he chose.
    pub(crate) theme: Theme,
    /// The path asked for, with its query, to come back to after a change of language.
    pub(crate) path: String,
    /// What he may do, once his session is known.
    pub(crate) permissions: Option<Arc<Permissions>>,
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Infallible> {
        Ok(Self::new(parts, console))
    }
}

impl Visitor {
    pub(crate) fn new(parts: &Parts, console: &Console) -> Self {
        let (headers, options) = (&parts.headers, &console.options);
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let language = options
            .cookie(headers, Cookie::Language)
            .and_then(|tag| Language::parse(&tag))
            .unwrap_or_else(|| Language::preferred(header(ACCEPT_LANGUAGE)));
        let theme = options.cookie(headers, Cookie::Theme).map(|word| Theme::parse(&word)).unwrap_or_default();
        let origin = Origin {
            language: Some(language.tag()),
            browser: options.token(headers, Cookie::Browser),
            machine: options.token(headers, Cookie::Machine),
            ..Origin::new(address(parts, options.trusted_proxy_hops), header(USER_AGENT))
        };
        Self {
            origin,
            words: Words::new(Arc::clone(&console.locales), language),
            theme,
            path: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            permissions: parts.extensions.get::<Permitted>().map(|permitted| Arc::clone(&permitted.0)),
        }
    }
}

/// The client's address.
fn address(parts: &Parts, hops: usize) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let forwarded = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    client_address(peer, forwarded, hops)
}

/// Somebody with a good session. Only routes that need one can have it: their guard puts it there.
#[derive(Clone)]
pub(crate) struct Member(pub(crate) Arc<SessionActor>);

/// What a member may do: the guard puts it beside him.
#[derive(Clone)]
pub(crate) struct Permitted(pub(crate) Arc<Permissions>);

impl FromRequestParts<Console> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Redirect::to("/").into_response())
    }
}

/// Somebody whose browser holds the secret of a logon. Whether the logon is alive, core tells.
pub(crate) struct LogonHolder(pub(crate) Token);

impl FromRequestParts<Console> for LogonHolder {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let token = console.options.token(&parts.headers, Cookie::Logon);
        token.map(Self).ok_or_else(|| Redirect::to("/?notice=logon-over").into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    #[test]
    fn attack_047_a_proxy_that_does_not_tell_the_address_leaves_none() {
        let asked = |header: Option<&str>| {
            let mut request = Request::new(());
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 9], 4711))));
            if let Some(header) = header {
                request.headers_mut().insert("x-forwarded-for", header.parse().unwrap());
            }
            request.into_parts().0
        };
        assert_eq!(address(&asked(None), 0), "10.0.0.9");
        assert_eq!(address(&asked(Some("192.0.2.7")), 1), "192.0.2.7");
        for broken in [None, Some("unknown"), Some(""), Some("192.0.2.7:443, x")] {
            assert_eq!(address(&asked(broken), 1), "", "{broken:?}");
        }
    }
}
