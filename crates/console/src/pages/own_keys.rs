//! One's own security keys and passkeys: the lists, renaming and unbinding. Binding has its own file.

use super::own_recovery::Standing;
use super::ram_asker::{Asker, Subject};
use super::security::{base, frame};
use super::webauthn_parts::{Key, KeysDo, KeysShown, KindWords, OfKind, key_problems, path_of};
use crate::answer::{form_page, refusal_text, see, with_cookie};
use crate::cookies::Cookie;
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Problems};
use crate::locales::Words;
use askama::Template;
use axum::http::HeaderMap;
use axum::response::Response;
use countersign_core::overview::OwnSecurity;
use countersign_core::webauthn::KeyView;
use countersign_core::{Error, Refusal};
use countersign_model::webauthn::KeyKind;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "own_keys.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    base: &'static str,
    /// The tab that is open.
    tab: &'static str,
    keys: KeysShown,
    codes: Option<Standing>,
    may_manage: bool,
    sees_access_keys: bool,
}

/// The question before a key gets another name, or is unbound.
#[derive(Template)]
#[template(path = "key_change.html")]
pub(super) struct ChangePage {
    pub(super) t: Words,
    pub(super) frame: Frame,
    pub(super) problems: Problems,
    pub(super) words: KindWords,
    pub(super) user: Option<Subject>,
    pub(super) base: &'static str,
    pub(super) action: String,
    pub(super) list: String,
    pub(super) key: Key,
    /// The name that was typed, or the present one.
    pub(super) name: String,
    /// Unbound, not renamed.
    pub(super) unbinds: bool,
    /// What unbinding means, one sentence each.
    pub(super) effects: Vec<String>,
}

/// What an address may ask for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    /// `rename` or `unbind`.
    pub(super) ask: String,
    pub(super) key: String,
    pub(super) done: String,
}

/// `GET …/security-keys`, `GET …/passkeys`: the list; `?ask=&key=` asks for another name or before unbinding.
pub(crate) async fn show(
    asker: Asker,
    OfKind(kind): OfKind,
    headers: HeaderMap,
    AddressQuery(query): AddressQuery<Query>,
) -> Response {
    let list_at = list_path(&asker, kind);
    if !asker.visitor.path.starts_with(&list_at) {
        return see(&list_at);
    }
    if query.ask.is_empty() {
        let gone = asker.console.options.cookie(&headers, Cookie::Gone);
        let response = list(&asker, kind, (&query.done, gone.as_deref()), Problems::default()).await;
        let forget = gone.and_then(|_| asker.console.options.remove_cookie(Cookie::Gone));
        return with_cookie(response, forget);
    }
    let own = match own(&asker).await {
        Ok(own) => own,
        Err(response) => return response,
    };
    match own.keys.iter().find(|key| key.kind == kind && key.id.as_str() == query.key) {
        Some(key) => ask(&asker, (&own, key), query.ask == "unbind", None),
        None => back(&asker, kind, Refusal::PasskeyNotFound.into()).await,
    }
}

/// `POST …/security-keys`, `POST …/passkeys`.
pub(crate) async fn change(asker: Asker, OfKind(kind): OfKind, fields: Fields) -> Response {
    let (core, id, list_at) = (&asker.console.core, fields.text("key"), list_path(&asker, kind));
    match fields.text("do").as_str() {
        "rename" => {
            let name = fields.text("key_name");
            match core.rename_own_key(asker.actor(), &id, &name, asker.origin()).await {
                Ok(()) => see(&format!("{list_at}?done=webauthn-renamed")),
                Err(error) => rename_again(&asker, kind, (&id, name), error).await,
            }
        }
        "unbind" => match core.unbind_own_key(asker.actor(), &id, asker.origin()).await {
            Ok((token, removed)) => {
                let options = &asker.console.options;
                let done = see(&format!("{list_at}?done=webauthn-{}-unbound", kind.as_str()));
                let done = with_cookie(done, options.set_cookie(Cookie::Session, token.expose()));
                with_cookie(done, options.set_cookie(Cookie::Gone, &removed.credential_id))
            }
            Err(error) => back(&asker, kind, error).await,
        },
        _ => see(&list_at),
    }
}

/// Where the list of a kind is.
pub(super) fn list_path(asker: &Asker, kind: KeyKind) -> String {
    format!("{}/{}", base(asker.actor()), path_of(kind))
}

pub(super) async fn own(asker: &Asker) -> Result<OwnSecurity, Response> {
    asker.console.core.own_security(asker.actor()).await.map_err(|error| asker.failure(error))
}

/// The page that asks for another name, with what was wrong with it.
async fn rename_again(asker: &Asker, kind: KeyKind, (id, name): (&str, String), error: Error) -> Response {
    let problems = match key_problems(&asker.visitor.words, error) {
        Ok(problems) => problems,
        Err(error) => return asker.failure(error),
    };
    match own(asker).await {
        Ok(own) => match own.keys.iter().find(|key| key.id.as_str() == id) {
            Some(key) => ask(asker, (&own, key), false, Some((name, problems))),
            None => list(asker, kind, ("", None), problems).await,
        },
        Err(response) => response,
    }
}

/// The list with what went wrong.
async fn back(asker: &Asker, kind: KeyKind, error: Error) -> Response {
    match asker.problems(error, "keys") {
        Ok(problems) => list(asker, kind, ("", None), problems).await,
        Err(error) => asker.failure(error),
    }
}

fn ask(
    asker: &Asker,
    (own, key): (&OwnSecurity, &KeyView),
    unbinds: bool,
    typed: Option<(String, Problems)>,
) -> Response {
    let (t, list) = (asker.words(), list_path(asker, key.kind));
    if let Some(refusal) = own.keeps_key(&key.id).filter(|_| unbinds) {
        let problems = Problems::one("keys", refusal_text(&t, refusal));
        return page_of(asker, own, key.kind, ("", None), problems);
    }
    let words = KindWords::new(asker.words(), key.kind);
    let mut effects = vec![words.say("unbind-effect")];
    if own.factors.count() == 1 {
        effects.push(t.s("webauthn-unbind-last"));
    }
    effects.push(t.s("codes-about-sessions"));
    effects.push(t.s("webauthn-unbind-proof"));
    let (name, problems) = typed.unwrap_or_else(|| (key.name.clone(), Problems::default()));
    let page = ChangePage {
        frame: Frame { path: list.clone(), ..frame(&asker.console, &asker.visitor, &asker.member) },
        problems,
        user: None,
        base: base(asker.actor()),
        action: list.clone(),
        list,
        key: Key::new(key, asker.console.core.now()),
        name,
        unbinds,
        effects,
        words,
        t,
    };
    form_page(&page.problems, &page)
}

async fn list(asker: &Asker, kind: KeyKind, after: (&str, Option<&str>), problems: Problems) -> Response {
    match own(asker).await {
        Ok(own) => page_of(asker, &own, kind, after, problems),
        Err(response) => response,
    }
}

fn page_of(
    asker: &Asker,
    own: &OwnSecurity,
    kind: KeyKind,
    (done, gone): (&str, Option<&str>),
    problems: Problems,
) -> Response {
    let action = list_path(asker, kind);
    let may = KeysDo { bind: own.may_manage_mfa, rename: own.may_manage_mfa, unbind: own.may_manage_mfa };
    let words = KindWords::new(asker.words(), kind);
    let now = asker.console.core.now();
    let keys = KeysShown::new(&asker.console, words, (&own.keys, now), (action.clone(), true), may);
    let frame = frame(&asker.console, &asker.visitor, &asker.member).with_done(Some(done));
    let page = Page {
        t: asker.words(),
        frame: Frame { path: action, ..frame },
        problems,
        base: base(asker.actor()),
        tab: path_of(kind),
        keys: KeysShown { gone: gone.unwrap_or_default().to_owned(), ..keys },
        codes: own.factors.any().then(|| Standing::of(own, base(asker.actor()))),
        may_manage: own.may_manage_mfa,
        sees_access_keys: own.access_keys.is_some(),
    };
    form_page(&page.problems, &page)
}
