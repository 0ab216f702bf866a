//! What the pages about security keys and passkeys share: which of the two a route is about, the list, the two steps of a
//! binding, and the button that logs on with a passkey.

use super::ram_asker::{Asker, Lock};
use crate::Console;
use crate::fields::Fields;
use crate::frame::{Problems, When};
use crate::locales::Words;
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::response::Response;
use countersign_core::webauthn::{self, KeyAnswer, KeyView, Prompt};
use countersign_core::{Error, Refusal};
use countersign_model::Timestamp;
use countersign_model::principal::PrincipalKind;
use countersign_model::webauthn::{KEYS_PER_PRINCIPAL, KeyHold, KeyKind};
use std::convert::Infallible;

/// Which kind a route is about, by its pattern.
pub(crate) struct OfKind(pub(crate) KeyKind);

impl<S: Send + Sync> FromRequestParts<S> for OfKind {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let is_passkey =
            parts.extensions.get::<MatchedPath>().is_some_and(|path| path.as_str().contains(path_of(KeyKind::Passkey)));
        Ok(Self(if is_passkey { KeyKind::Passkey } else { KeyKind::SecurityKey }))
    }
}

/// The part of an address that says which kind it is about; also the name of its tab.
pub(super) const fn path_of(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::SecurityKey => "security-keys",
        KeyKind::Passkey => "passkeys",
    }
}

/// The words of a kind: `webauthn-security-key-x` and `webauthn-passkey-x`.
#[derive(Clone)]
pub(crate) struct KindWords {
    t: Words,
    kind: KeyKind,
}

impl KindWords {
    pub(super) const fn new(t: Words, kind: KeyKind) -> Self {
        Self { t, kind }
    }

    pub(crate) fn say(&self, what: &str) -> String {
        self.t.s(&key_of(self.kind, what))
    }

    pub(crate) const fn icon(&self) -> &'static str {
        match self.kind {
            KeyKind::SecurityKey => "usb",
            KeyKind::Passkey => "passkey",
        }
    }
}

fn key_of(kind: KeyKind, what: &str) -> String {
    format!("webauthn-{}-{what}", kind.as_str())
}

/// The keys of one kind, as templates show them.
pub(crate) struct KeysShown {
    pub(super) words: KindWords,
    /// Where the forms go; the pages that bind lie below it.
    pub(crate) action: String,
    pub(crate) keys: Vec<Key>,
    /// What the reader may do to them.
    pub(crate) may: KeysDo,
    /// Whose page it is: one's own, or a user's.
    pub(super) is_own: bool,
    /// The credential that was just unbound, for the browser to forget.
    pub(crate) gone: String,
    pub(crate) rp_id: String,
}

/// A key in the list.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The product, if it is known.
    pub(crate) product: &'static str,
    /// The model as a number, if the key told it.
    pub(crate) aaguid: String,
    pub(crate) may_sync: bool,
    pub(crate) is_synced: bool,
    pub(crate) is_allowed: bool,
    /// Why it is held back: `disowned` or `restored`; nothing where it is not.
    pub(crate) held: Option<&'static str>,
    pub(crate) created: When,
    pub(crate) last_used: Option<When>,
    pub(crate) lock: Option<Lock>,
}

/// What a reader may do to keys.
#[derive(Clone, Copy)]
pub(crate) struct KeysDo {
    pub(crate) bind: bool,
    pub(crate) rename: bool,
    pub(crate) unbind: bool,
}

impl KeysShown {
    /// The keys of one kind out of all that somebody has.
    pub(super) fn new(
        console: &Console,
        words: KindWords,
        (keys, now): (&[KeyView], Timestamp),
        (action, is_own): (String, bool),
        may: KeysDo,
    ) -> Self {
        let shown = keys.iter().filter(|key| key.kind == words.kind).map(|key| Key::new(key, now));
        Self {
            action,
            keys: shown.collect(),
            may: KeysDo { bind: may.bind && keys.len() < KEYS_PER_PRINCIPAL, ..may },
            is_own,
            gone: String::new(),
            rp_id: console.core.relying_party().id().to_owned(),
            words,
        }
    }

    pub(crate) fn say(&self, what: &str) -> String {
        self.words.say(what)
    }

    pub(crate) const fn icon(&self) -> &'static str {
        self.words.icon()
    }

    /// What it means that a key is held back, and what to do.
    pub(crate) fn held_note(&self, held: &str) -> String {
        let whose = if self.is_own { "own" } else { "user" };
        self.words.t.s(&format!("webauthn-held-{held}-{whose}"))
    }

    pub(crate) fn empty_text(&self) -> String {
        self.say(if self.is_own { "none-text" } else { "none-text-user" })
    }
}

impl Key {
    pub(super) fn new(key: &KeyView, now: Timestamp) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            product: key.product.unwrap_or_default(),
            aaguid: if key.aaguid.is_known() { key.aaguid.to_string() } else { String::new() },
            may_sync: key.may_sync,
            is_synced: key.is_synced,
            is_allowed: key.is_allowed,
            held: key.held.map(KeyHold::as_str),
            created: key.created_at.into(),
            last_used: key.last_used_at.map(When::from),
            lock: Lock::of(key.budget, now),
        }
    }

    pub(crate) fn held_chip(&self) -> &'static str {
        if self.held == Some(KeyHold::Disowned.as_str()) { "chip-danger" } else { "chip-attention" }
    }
}

/// The two steps of a binding: the limits, and the prompt.
pub(crate) struct BindShown {
    pub(super) words: KindWords,
    pub(crate) action: String,
    pub(crate) back: String,
    /// What holds, one sentence each.
    pub(crate) limits: Limits,
    /// What the browser is asked; empty on the first step, and once it has answered.
    pub(crate) options: String,
    /// What the browser has answered, where only the name was wrong.
    pub(crate) response: String,
    /// The name that was typed.
    pub(crate) name: String,
    /// Who has to be there, where it is for somebody else.
    pub(crate) one_present: String,
    /// Whether a virtual MFA device stands in the way, and can be replaced.
    pub(crate) other_bound: bool,
    /// Whether it is to give way.
    pub(crate) replaces: bool,
}

impl BindShown {
    /// The first step.
    pub(super) fn new(console: &Console, words: KindWords, (action, back): (String, String), one_type: bool) -> Self {
        Self {
            limits: Limits::new(console, &words, one_type),
            words,
            action,
            back,
            options: String::new(),
            response: String::new(),
            name: String::new(),
            one_present: String::new(),
            other_bound: false,
            replaces: false,
        }
    }

    /// The second step: the browser is asked.
    pub(super) fn asking(self, prompt: Prompt) -> Self {
        Self { options: prompt.options, ..self }
    }

    /// Once more what was refused: the browser's answer is still good where only the name was not.
    pub(super) fn again(self, answer: KeyAnswer, error: &Error) -> Self {
        let response = if is_about_name(error) { answer.response } else { String::new() };
        Self { response, name: answer.name, ..self }
    }

    pub(crate) const fn asks(&self) -> bool {
        !self.options.is_empty() || !self.response.is_empty()
    }

    pub(crate) fn say(&self, what: &str) -> String {
        self.words.say(what)
    }

    pub(crate) const fn icon(&self) -> &'static str {
        self.words.icon()
    }
}

/// What holds for a kind of key, one sentence each.
pub(crate) struct Limits {
    pub(crate) lines: Vec<String>,
}

impl Limits {
    /// `one_type`: whether a virtual MFA device and security keys exclude each other.
    pub(super) fn new(console: &Console, words: &KindWords, one_type: bool) -> Self {
        let t = &words.t;
        let mut lines = vec![t.s("webauthn-limit-browser"), words.say("limit-protocol")];
        let public_url = console.options.public_url.as_str();
        lines.push(t.with("webauthn-limit-address", "url", public_url));
        lines.push(words.say("limit-use"));
        if one_type && words.kind == KeyKind::SecurityKey {
            lines.push(t.s("webauthn-limit-one-type"));
        }
        lines.push(t.with("webauthn-limit-count", "most", KEYS_PER_PRINCIPAL));
        Self { lines }
    }
}

/// Whether whoever asks may have one type of device alone: an owner is not bound by settings for RAM users.
pub(super) fn has_one_type(asker: &Asker) -> bool {
    let session = asker.actor().session();
    webauthn::has_one_type(session.kind, &session.settings)
}

/// Whether the users of the asker's account may.
pub(super) fn users_have_one_type(asker: &Asker) -> bool {
    webauthn::has_one_type(PrincipalKind::RamUser, &asker.actor().session().settings)
}

/// What was sent to bind a key.
pub(super) fn key_answer(fields: &Fields) -> KeyAnswer {
    KeyAnswer { name: fields.text("key_name"), response: fields.text("response") }
}

fn is_about_name(error: &Error) -> bool {
    match error {
        Error::Refused { refusal: Refusal::Invalid(code), .. } => code.starts_with("InvalidParameter.PasskeyName"),
        Error::Refused { refusal: Refusal::KeyExists, reason } => *reason == "key_name_taken",
        Error::Refused { .. }
        | Error::ProofRequired(_)
        | Error::Unavailable(_)
        | Error::ClockBehind
        | Error::Fault(_) => false,
    }
}

/// The problems of a form about keys: what is wrong with the name stands at its field.
pub(super) fn key_problems(words: &Words, error: Error) -> Result<Problems, Error> {
    let field = if is_about_name(&error) { "key_name" } else { "key-begin" };
    let taken = error.refusal() == Some(Refusal::KeyExists) && is_about_name(&error);
    let problems = crate::answer::problem(words, error, field)?;
    let told = problems.all().first().map(|problem| problem.text.clone()).unwrap_or_default();
    Ok(Problems::one(field, if taken { words.s("webauthn-name-taken") } else { told }))
}

/// The button that logs on with a passkey.
pub(crate) struct PasskeyButton {
    /// Whether the name field offers passkeys as well.
    pub(crate) autofill: bool,
    pub(crate) problem: String,
    /// Whether the browser has shown a credential that nobody has.
    pub(crate) unknown: bool,
    pub(crate) rp_id: String,
}

impl PasskeyButton {
    pub(super) fn new(console: &Console) -> Self {
        Self {
            autofill: false,
            problem: String::new(),
            unknown: false,
            rp_id: console.core.relying_party().id().to_owned(),
        }
    }

    pub(super) fn with_autofill(console: &Console) -> Self {
        Self { autofill: true, ..Self::new(console) }
    }
}

/// What the browser is asked, for its script.
pub(super) fn prompt_response(prompt: Prompt) -> Response {
    use axum::http::HeaderValue;
    use axum::http::header::CONTENT_TYPE;
    use axum::response::IntoResponse as _;
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], prompt.options).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use std::sync::Arc;

    #[test]
    fn both_kinds_have_all_their_words() {
        const WHATS: &[&str] = &[
            "tab",
            "lead",
            "note",
            "none",
            "none-text",
            "none-text-user",
            "enable",
            "add",
            "unbind",
            "bind-title",
            "bind-lead",
            "howto-1",
            "howto-2",
            "howto-3",
            "obtain",
            "obtained",
            "limit-protocol",
            "limit-use",
            "type",
            "type-help",
            "unbind-title",
            "unbind-effect",
            "rename-title",
            "done-bound",
            "done-unbound",
        ];
        let locales = Arc::new(Locales::load());
        for language in [Language::English, Language::Chinese] {
            for kind in KeyKind::ALL {
                let words = KindWords::new(Words::new(Arc::clone(&locales), language), *kind);
                for what in WHATS {
                    assert_ne!(words.say(what), key_of(*kind, what));
                }
            }
        }
    }
}
