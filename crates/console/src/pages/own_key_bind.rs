//! Binding a security key or passkey of one's own: first what holds for it, then the browser is asked, and what it gave
//! waits in the form until its owner confirms.

use super::own_keys::list_path;
use super::own_recovery::after_binding;
use super::ram_asker::{Asker, Subject};
use super::security::{base, frame};
use super::webauthn_parts::{BindShown, KindWords, OfKind, has_one_type, key_answer, key_problems};
use crate::answer::{form_page, see, with_cookie};
use crate::cookies::Cookie;
use crate::fields::Fields;
use crate::frame::{Frame, Problems};
use crate::locales::Words;
use askama::Template;
use axum::response::Response;
use countersign_core::webauthn::OtherType;
use countersign_core::{Error, Refusal};
use countersign_model::webauthn::KeyKind;

#[derive(Template)]
#[template(path = "key_bind.html")]
pub(super) struct BindPage {
    pub(super) t: Words,
    pub(super) frame: Frame,
    pub(super) problems: Problems,
    pub(super) user: Option<Subject>,
    pub(super) base: &'static str,
    pub(super) b: BindShown,
}

/// `GET …/security-keys/bind`, `GET …/passkeys/bind`: the limits.
pub(crate) async fn show(asker: Asker, OfKind(kind): OfKind) -> Response {
    let at = format!("{}/bind", list_path(&asker, kind));
    if asker.visitor.path != at {
        return see(&at);
    }
    match asker.console.core.own_security(asker.actor()).await {
        Ok(own) if own.may_manage_mfa => answer(&asker, blank(&asker, kind), Problems::default()),
        Ok(_) => asker.failure(Refusal::NoPermission.into()),
        Err(error) => asker.failure(error),
    }
}

/// `POST …/bind`: `do=begin` asks the browser, `do=finish` binds what it gave.
pub(crate) async fn bind(asker: Asker, OfKind(kind): OfKind, fields: Fields) -> Response {
    if fields.text("do") == "finish" { finish(&asker, kind, &fields).await } else { begin(&asker, kind, &fields).await }
}

async fn begin(asker: &Asker, kind: KeyKind, fields: &Fields) -> Response {
    let other = if fields.ticked("replace") { OtherType::Replace } else { OtherType::Keep };
    let form = BindShown { replaces: other == OtherType::Replace, ..blank(asker, kind) };
    match asker.console.core.begin_own_key(asker.actor(), kind, other, asker.origin()).await {
        Ok(prompt) => answer(asker, form.asking(prompt), Problems::default()),
        // No mistake of anybody's: the page says what can be done.
        Err(Error::Refused { refusal: Refusal::OtherMfaTypeBound, .. }) => {
            answer(asker, BindShown { other_bound: true, ..form }, Problems::default())
        }
        Err(error) => refused(asker, form, error),
    }
}

async fn finish(asker: &Asker, kind: KeyKind, fields: &Fields) -> Response {
    let sent = key_answer(fields);
    match asker.console.core.finish_own_key(asker.actor(), sent.clone(), asker.origin()).await {
        Ok((token, _)) => {
            let home = base(asker.actor());
            let (list, done) = (list_path(asker, kind), format!("webauthn-{}-bound", kind.as_str()));
            let way_on = after_binding(&asker.console, &token, home, (&list, &done)).await;
            with_cookie(see(&way_on), asker.console.options.set_cookie(Cookie::Session, token.expose()))
        }
        Err(error) => {
            let form = blank(asker, kind).again(sent, &error);
            refused(asker, form, error)
        }
    }
}

fn blank(asker: &Asker, kind: KeyKind) -> BindShown {
    let list = list_path(asker, kind);
    let words = KindWords::new(asker.words(), kind);
    BindShown::new(&asker.console, words, (format!("{list}/bind"), list), has_one_type(asker))
}

fn refused(asker: &Asker, form: BindShown, error: Error) -> Response {
    match key_problems(&asker.visitor.words, error) {
        Ok(problems) => answer(asker, form, problems),
        Err(error) => asker.failure(error),
    }
}

fn answer(asker: &Asker, b: BindShown, problems: Problems) -> Response {
    let page = BindPage {
        t: asker.words(),
        frame: Frame { path: b.action.clone(), ..frame(&asker.console, &asker.visitor, &asker.member) },
        problems,
        user: None,
        base: base(asker.actor()),
        b,
    };
    form_page(&page.problems, &page)
}
