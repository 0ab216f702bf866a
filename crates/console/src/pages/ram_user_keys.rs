//! An administrator renames and unbinds security keys and passkeys of a RAM user, and binds a security key that is at hand.
//! The lists are tabs of the user's page.

use super::own_key_bind::BindPage;
use super::own_keys::{ChangePage, Query};
use super::ram_asker::{Asker, Subject, user_path};
use super::ram_user::{Tab, show_problems};
use super::webauthn_parts::{
    BindShown, Key, KindWords, OfKind, key_answer, key_problems, path_of, users_have_one_type,
};
use crate::answer::{form_page, see, with_cookie};
use crate::cookies::Cookie;
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Place, Problems};
use axum::extract::Path;
use axum::response::Response;
use countersign_core::users::UserInFull;
use countersign_core::webauthn::KeyView;
use countersign_core::{Error, Refusal};
use countersign_model::webauthn::KeyKind;

/// `GET /ram/users/{name}/security-keys?ask=&key=`, `…/passkeys?…`: asks for another name, or before unbinding.
pub(crate) async fn show(
    asker: Asker,
    OfKind(kind): OfKind,
    Path(name): Path<String>,
    AddressQuery(query): AddressQuery<Query>,
) -> Response {
    if query.ask.is_empty() {
        return see(&tab_path(&name, kind));
    }
    let user = match asker.other_user(&name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    match user.keys.iter().find(|key| key.kind == kind && key.id.as_str() == query.key) {
        Some(key) => ask(&asker, (&user, key), query.ask == "unbind", None),
        None => back(&asker, &name, kind, Refusal::PasskeyNotFound.into()).await,
    }
}

/// `POST /ram/users/{name}/security-keys`, `…/passkeys`.
pub(crate) async fn change(asker: Asker, OfKind(kind): OfKind, Path(name): Path<String>, fields: Fields) -> Response {
    let (core, id) = (&asker.console.core, fields.text("key"));
    match fields.text("do").as_str() {
        "rename" => {
            let typed = fields.text("key_name");
            match core.rename_key_of(asker.actor(), &name, (kind, &id, &typed), asker.origin()).await {
                Ok(()) => see(&done(&name, kind, "webauthn-renamed")),
                Err(error) => rename_again(&asker, (&name, kind), (&id, typed), error).await,
            }
        }
        "unbind" => match core.unbind_key_of(asker.actor(), &name, (kind, &id), asker.origin()).await {
            Ok(removed) => {
                let gone = asker.console.options.set_cookie(Cookie::Gone, &removed.credential_id);
                with_cookie(see(&done(&name, kind, &format!("webauthn-{}-unbound", kind.as_str()))), gone)
            }
            Err(error) => back(&asker, &name, kind, error).await,
        },
        _ => see(&tab_path(&name, kind)),
    }
}

/// `GET /ram/users/{name}/security-keys/bind`: the limits.
pub(crate) async fn show_bind(asker: Asker, OfKind(kind): OfKind, Path(name): Path<String>) -> Response {
    match asker.other_user(&name).await {
        Ok(user) => {
            let form = blank(&asker, &user.user.name, kind);
            answer(&asker, &user.user.name, form, Problems::default())
        }
        Err(response) => response,
    }
}

/// `POST …/bind`: `do=begin` asks the browser, `do=finish` binds what it gave.
pub(crate) async fn bind(asker: Asker, OfKind(kind): OfKind, Path(name): Path<String>, fields: Fields) -> Response {
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    if fields.text("do") != "finish" {
        let form = blank(&asker, &name, kind);
        return match core.begin_key_for(actor, &name, kind, origin).await {
            Ok(prompt) => answer(&asker, &name, form.asking(prompt), Problems::default()),
            Err(error) => refused(&asker, &name, form, error),
        };
    }
    let sent = key_answer(&fields);
    match core.finish_key_for(actor, &name, sent.clone(), origin).await {
        Ok(_) => see(&done(&name, kind, &format!("webauthn-{}-bound", kind.as_str()))),
        Err(error) => {
            let form = blank(&asker, &name, kind).again(sent, &error);
            refused(&asker, &name, form, error)
        }
    }
}

fn ask(
    asker: &Asker,
    (user, key): (&UserInFull, &KeyView),
    unbinds: bool,
    typed: Option<(String, Problems)>,
) -> Response {
    let (t, u) = (asker.words(), asker.subject(user));
    let is_last = user.device.is_none() && user.keys.len() == 1;
    let mut effects = vec![t.s("ram-unbind-effect-sessions"), t.s("webauthn-unbind-effect-user")];
    if is_last {
        effects.push(t.s(if user.mfa_required { "ram-unbind-effect-required" } else { "ram-unbind-effect-optional" }));
    }
    let (name, problems) = typed.unwrap_or_else(|| (key.name.clone(), Problems::default()));
    let page = ChangePage {
        frame: asker.frame(Place::RamUsers, tab_path(&u.name, key.kind)),
        problems,
        words: KindWords::new(asker.words(), key.kind),
        base: "",
        action: format!("{}/{}", u.path, path_of(key.kind)),
        list: tab_path(&u.name, key.kind),
        user: Some(u),
        key: Key::new(key, asker.console.core.now()),
        name,
        unbinds,
        effects,
        t,
    };
    form_page(&page.problems, &page)
}

async fn rename_again(
    asker: &Asker,
    (user, kind): (&str, KeyKind),
    (id, name): (&str, String),
    error: Error,
) -> Response {
    let problems = match key_problems(&asker.visitor.words, error) {
        Ok(problems) => problems,
        Err(error) => return asker.failure(error),
    };
    match asker.other_user(user).await {
        Ok(found) => match found.keys.iter().find(|key| key.id.as_str() == id) {
            Some(key) => ask(asker, (&found, key), false, Some((name, problems))),
            None => show_problems(asker, user, Tab::of_keys(kind), problems).await,
        },
        Err(response) => response,
    }
}

fn blank(asker: &Asker, name: &str, kind: KeyKind) -> BindShown {
    let action = format!("{}/{}/bind", user_path(name), path_of(kind));
    let words = KindWords::new(asker.words(), kind);
    let form = BindShown::new(&asker.console, words, (action, tab_path(name, kind)), users_have_one_type(asker));
    BindShown { one_present: asker.visitor.words.with("webauthn-one-present", "name", name), ..form }
}

fn refused(asker: &Asker, name: &str, form: BindShown, error: Error) -> Response {
    match key_problems(&asker.visitor.words, error) {
        Ok(problems) => answer(asker, name, form, problems),
        Err(error) => asker.failure(error),
    }
}

fn answer(asker: &Asker, name: &str, b: BindShown, problems: Problems) -> Response {
    let page = BindPage {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, b.action.clone()),
        problems,
        user: Some(Subject { name: name.to_owned(), logon_name: asker.logon_name(name), path: user_path(name) }),
        base: "",
        b,
    };
    form_page(&page.problems, &page)
}

/// Back to the tab with what went wrong.
async fn back(asker: &Asker, name: &str, kind: KeyKind, error: Error) -> Response {
    match asker.problems(error, "keys") {
        Ok(problems) => show_problems(asker, name, Tab::of_keys(kind), problems).await,
        Err(error) => asker.failure(error),
    }
}

fn tab_path(name: &str, kind: KeyKind) -> String {
    format!("{}?tab={}", user_path(name), path_of(kind))
}

fn done(name: &str, kind: KeyKind, word: &str) -> String {
    format!("{}&done={word}", tab_path(name, kind))
}
