//! By which methods one proves who one is, and where each is bound; what kinds of security keys and passkeys there are, and
//! which limits hold.

use super::ram_asker::Asker;
use super::webauthn_parts::{KindWords, Limits, has_one_type};
use crate::answer::page;
use crate::frame::{Frame, Place};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::Role;
use countersign_model::webauthn::KeyKind;

#[derive(Template)]
#[template(path = "key_help.html")]
struct Page {
    t: Words,
    frame: Frame,
    methods: Vec<Method>,
    types: Vec<Type>,
    security_key: Limits,
    passkey: Limits,
    base: &'static str,
}

/// A method, by its words.
struct Method {
    name: String,
    logon: String,
    sensitive: String,
    owner: String,
    user: String,
}

/// A type of device, by its words.
struct Type {
    name: String,
    examples: String,
    verifies: String,
    leaves: String,
}

/// `GET /help/keys`.
pub(crate) async fn show(asker: Asker) -> Response {
    let t = asker.words();
    let limits = |kind| Limits::new(&asker.console, &KindWords::new(asker.words(), kind), has_one_type(&asker));
    let (base, place) = match asker.actor().role() {
        Role::Owner => ("/account/security", Place::AccountSecurity),
        Role::Anonymous | Role::User | Role::Administrator | Role::Operator => ("/me/security", Place::MySecurity),
    };
    let template = Page {
        frame: asker.frame(place, "/help/keys".to_owned()),
        methods: METHODS.iter().map(|name| Method::new(&t, name)).collect(),
        types: TYPES.iter().map(|name| Type::new(&t, name)).collect(),
        security_key: limits(KeyKind::SecurityKey),
        passkey: limits(KeyKind::Passkey),
        base,
        t,
    };
    page(StatusCode::OK, &template)
}

/// The methods; the words of `x` are `method-x`, and `webauthn-method-x-logon`, `…-sensitive`, `…-owner`, `…-user`.
const METHODS: &[&str] = &["password", "virtual-mfa", "security-key", "passkey", "recovery-code"];

impl Method {
    fn new(t: &Words, name: &str) -> Self {
        let say = |what: &str| t.s(&format!("webauthn-method-{name}-{what}"));
        Self {
            name: t.s(&format!("method-{name}")),
            logon: say("logon"),
            sensitive: say("sensitive"),
            owner: say("owner"),
            user: say("user"),
        }
    }
}

/// The types; the words of `x` are `webauthn-type-x`, `…-examples`, `…-verifies`, `…-leaves`.
const TYPES: &[&str] = &["u2f", "fido2", "platform", "synced"];

impl Type {
    fn new(t: &Words, name: &str) -> Self {
        let say = |what: &str| t.s(&format!("webauthn-type-{name}{what}"));
        Self { name: say(""), examples: say("-examples"), verifies: say("-verifies"), leaves: say("-leaves") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use std::sync::Arc;

    #[test]
    fn every_type_has_words() {
        let locales = Arc::new(Locales::load());
        for language in [Language::English, Language::Chinese] {
            let words = Words::new(Arc::clone(&locales), language);
            for name in METHODS {
                let Method { name, logon, sensitive, owner, user } = Method::new(&words, name);
                for text in [name, logon, sensitive, owner, user] {
                    assert!(!text.starts_with("webauthn-") && !text.starts_with("method-"), "{text}");
                }
            }
            for name in TYPES {
                let Type { name, examples, verifies, leaves } = Type::new(&words, name);
                for text in [name, examples, verifies, leaves] {
                    assert!(!text.starts_with("webauthn-"), "{text}");
                }
            }
        }
    }
}
