//! Logging on without a password: the browser shows a passkey, by its own dialog or in the list of the name field. Which
//! account it is, the passkey tells; what else the logon asks for comes as after a password.

use super::logon_name::passkey_refused;
use super::logon_steps::go_on;
use super::webauthn_parts::prompt_response;
use crate::Console;
use crate::answer::{self, refusal_text, with_cookie};
use crate::cookies::Cookie;
use crate::fields::Fields;
use crate::visitor::Visitor;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use countersign_core::{Error, Refusal};

/// `POST /logon/passkey/begin`: what the browser is asked, and the cookie by which it alone may answer. All its tabs share
/// the cookie, and each is asked for itself.
pub(crate) async fn begin(State(console): State<Console>, visitor: Visitor, headers: HeaderMap) -> Response {
    let begun = match console.options.token(&headers, Cookie::Passkey) {
        Some(token) => console.core.ask_for_passkey(&token).await.map(|prompt| (token, prompt)),
        None => console.core.begin_passkey_logon().await,
    };
    match begun {
        Ok((token, prompt)) => {
            with_cookie(prompt_response(prompt), console.options.set_cookie(Cookie::Passkey, token.expose()))
        }
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// `POST /logon/passkey`: judges what the browser has shown.
pub(crate) async fn prove(
    State(console): State<Console>,
    visitor: Visitor,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    let step = match console.options.token(&headers, Cookie::Passkey) {
        Some(token) => console.core.logon_with_passkey(&token, fields.text("response"), &visitor.origin).await,
        None => Err(Refusal::CeremonyOver.into()),
    };
    match step {
        Err(Error::Refused {
            refusal:
                refusal @ (Refusal::WrongCredentials
                | Refusal::KeyUnknown
                | Refusal::KeyNotAllowed
                | Refusal::KeyDisowned
                | Refusal::KeyRestored
                | Refusal::KeyNotAccepted
                | Refusal::CeremonyOver),
            ..
        }) => {
            // Whoever shows a passkey has typed no name: the words about name and password are not for him.
            let text = if refusal == Refusal::WrongCredentials {
                visitor.words.s("webauthn-log-on-refused")
            } else {
                refusal_text(&visitor.words, refusal)
            };
            passkey_refused(&console, &visitor, text, refusal == Refusal::KeyUnknown)
        }
        // What its other tabs were asked serves nobody any more.
        step => with_cookie(go_on(&console, &visitor, step), console.options.remove_cookie(Cookie::Passkey)),
    }
}
