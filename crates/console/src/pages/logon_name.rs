//! Who are you: account owner or RAM user. Whether the name exists shows nowhere.

use super::webauthn_parts::PasskeyButton;
use crate::Console;
use crate::answer::{self, form_page, see, with_cookie};
use crate::cookies::Cookie;
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Problems};
use crate::locales::Words;
use crate::visitor::{LogonHolder, Visitor};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use countersign_core::{Error, Role};
use countersign_model::names::LogonName;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "logon_name.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    notice: Option<&'static str>,
    as_owner: bool,
    domain: Option<String>,
    name: String,
    suffix: String,
    passkey: PasskeyButton,
}

#[derive(Deserialize, Default)]
pub(crate) struct Asked {
    #[serde(default, rename = "as")]
    kind: String,
    #[serde(default)]
    notice: String,
    #[serde(default)]
    name: String,
}

/// `GET /`: whoever has a session goes to his own page.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    headers: HeaderMap,
    AddressQuery(asked): AddressQuery<Asked>,
) -> Response {
    if let Some(token) = console.options.token(&headers, Cookie::Session)
        && let Ok(actor) = console.core.session(&token).await
    {
        return see(match actor.role() {
            Role::Owner | Role::Administrator => "/ram/overview",
            Role::User | Role::Anonymous | Role::Operator => "/me/security",
        });
    }
    let page = Page {
        notice: notice_key(&asked.notice),
        as_owner: asked.kind == "owner",
        name: asked.name.chars().take(192).collect(),
        ..blank(&console, &visitor)
    };
    form_page(&page.problems, &page)
}

/// `GET /login/{domain}`: the logon link of one account. The same page whether or not the account exists.
pub(crate) async fn show_for(State(console): State<Console>, visitor: Visitor, Path(domain): Path<String>) -> Response {
    let well_formed = LogonName::ram_user(&format!("name@{domain}"), &console.core.identity().suffix).is_ok();
    if !well_formed {
        return see("/");
    }
    let page = Page { domain: Some(domain.to_ascii_lowercase()), ..blank(&console, &visitor) };
    form_page(&page.problems, &page)
}

/// `POST /logon`: begins a logon.
pub(crate) async fn begin(State(console): State<Console>, visitor: Visitor, fields: Fields) -> Response {
    let as_owner = fields.text("as") == "owner";
    let typed = fields.text("name");
    let domain = Some(fields.text("domain")).filter(|domain| !domain.is_empty());
    let full = match &domain {
        Some(domain) => format!("{typed}@{domain}"),
        None => typed.clone(),
    };
    let suffix = &console.core.identity().suffix;
    let name = if as_owner { LogonName::owner(&full) } else { LogonName::ram_user(&full, suffix) };
    let begun = match name {
        Ok(name) => console.core.begin_logon(name).await,
        Err(invalid) => Err(Error::from(invalid)),
    };
    match begun {
        Ok(token) => {
            let cookie = console.options.set_cookie(Cookie::Logon, token.expose());
            with_cookie(see("/logon/password"), cookie)
        }
        Err(error) => match answer::problem(&visitor.words, error, "name") {
            Ok(problems) => {
                let problems =
                    Problems::one("name", problems.all().first().map(|p| p.text.clone()).unwrap_or_default());
                let frame = Frame { path: page_of(as_owner, domain.as_deref()), ..Frame::of_logon(&visitor) };
                let page = Page { frame, problems, as_owner, domain, name: typed, ..blank(&console, &visitor) };
                form_page(&page.problems, &page)
            }
            Err(error) => answer::failure(&console, &visitor, error),
        },
    }
}

/// The page once more, when the passkey that was shown does not log on. `unknown` when nobody has such a passkey: then the
/// browser is told so.
pub(super) fn passkey_refused(console: &Console, visitor: &Visitor, problem: String, unknown: bool) -> Response {
    let passkey = PasskeyButton { problem, unknown, ..PasskeyButton::new(console) };
    let page = Page {
        frame: Frame { path: "/".to_owned(), ..Frame::of_logon(visitor) },
        problems: Problems::one("passkey", passkey.problem.clone()),
        passkey,
        ..blank(console, visitor)
    };
    form_page(&page.problems, &page)
}

/// The page whose form was sent, to come back to after a change of language.
fn page_of(as_owner: bool, domain: Option<&str>) -> String {
    match domain {
        _ if as_owner => "/?as=owner".to_owned(),
        Some(domain) => format!("/login/{domain}"),
        None => "/".to_owned(),
    }
}

/// `POST /logon/cancel`: ends a logon before its time.
pub(crate) async fn cancel(
    State(console): State<Console>,
    visitor: Visitor,
    LogonHolder(token): LogonHolder,
) -> Response {
    match console.core.cancel_logon(&token).await {
        Ok(()) => with_cookie(see("/"), console.options.remove_cookie(Cookie::Logon)),
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

fn blank(console: &Console, visitor: &Visitor) -> Page {
    Page {
        t: visitor.words.clone(),
        frame: Frame::of_logon(visitor),
        problems: Problems::default(),
        notice: None,
        as_owner: false,
        domain: None,
        name: String::new(),
        suffix: console.core.identity().suffix.clone(),
        passkey: PasskeyButton::with_autofill(console),
    }
}

/// The notices that an address may ask for.
fn notice_key(word: &str) -> Option<&'static str> {
    match word {
        "logon-over" => Some("notice-logon-over"),
        "session-over" => Some("notice-session-over"),
        "logged-off" => Some("notice-logged-off"),
        "logged-off-everywhere" => Some("notice-logged-off-everywhere"),
        "set-up" => Some("notice-set-up"),
        _ => None,
    }
}
