//! One's own recovery codes: how many are left, making ten, and the one page that shows them.

use super::security::{base, frame};
use crate::Console;
use crate::answer::{self, page, see, with_cookie};
use crate::cookies::Cookie;
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, LogonName, When};
use crate::locales::Words;
use crate::visitor::{Member, Visitor};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::overview::OwnSecurity;
use countersign_core::recovery::MadeCodes;
use countersign_model::Timestamp;
use countersign_model::token::Token;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "own_recovery_codes.html")]
struct Page {
    t: Words,
    frame: Frame,
    base: &'static str,
    left: i64,
    made_at: Option<When>,
    offered: bool,
}

#[derive(Template)]
#[template(path = "own_recovery_codes_replace.html")]
struct ReplacePage {
    t: Words,
    frame: Frame,
    base: &'static str,
    left: i64,
    made_at: When,
    /// Stands for the codes that are given up.
    replaced: String,
}

#[derive(Template)]
#[template(path = "own_recovery_codes_made.html")]
struct MadePage {
    t: Words,
    frame: Frame,
    base: &'static str,
    name: LogonName,
    made_at: When,
    codes: Vec<SecretString>,
    /// Whether there were codes before, which are worthless now.
    replaces: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    offered: String,
    replace: String,
    done: String,
}

/// `GET …/recovery-codes`: where they stand. `?offered=1` offers them to somebody who has just bound a device, and
/// `?replace=1` asks before present ones are given up.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    member: Member,
    AddressQuery(query): AddressQuery<Query>,
) -> Response {
    let home = base(&member.0);
    if !visitor.path.starts_with(home) {
        return see(&format!("{home}/recovery-codes"));
    }
    let own = match console.core.own_security(&member.0).await {
        Ok(own) if !own.factors.any() => return see(home),
        Ok(own) => own,
        Err(error) => return answer::failure(&console, &visitor, error),
    };
    if let Some(made_at) = own.codes_made_at.filter(|_| !query.replace.is_empty()) {
        return ask(&console, &visitor, &member, (own.codes_left, made_at));
    }
    let template = Page {
        t: visitor.words.clone(),
        frame: frame(&console, &visitor, &member).with_done(Some(&query.done)),
        base: home,
        left: own.codes_left,
        made_at: own.codes_made_at.map(When::from),
        offered: !query.offered.is_empty() && own.codes_made_at.is_none(),
    };
    page(StatusCode::OK, &template)
}

/// `POST …/recovery-codes`: makes ten and shows them, here and never again. Codes that there are must be given up by name,
/// so that a page loaded again does not give up those that it has just shown.
pub(crate) async fn make(State(console): State<Console>, visitor: Visitor, member: Member, fields: Fields) -> Response {
    let own = match console.core.own_security(&member.0).await {
        Ok(own) => own,
        Err(error) => return answer::failure(&console, &visitor, error),
    };
    if let Some(made_at) = own.codes_made_at.filter(|made_at| fields.text("replace") != named(*made_at)) {
        return ask(&console, &visitor, &member, (own.codes_left, made_at));
    }
    match console.core.make_own_recovery_codes(&member.0, &visitor.origin).await {
        Ok(made) => shown(&console, (&visitor, &member), made, own.codes_made_at.is_some()),
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

fn ask(console: &Console, visitor: &Visitor, member: &Member, (left, made_at): (i64, Timestamp)) -> Response {
    let home = base(&member.0);
    let template = ReplacePage {
        t: visitor.words.clone(),
        frame: Frame { path: format!("{home}/recovery-codes?replace=1"), ..frame(console, visitor, member) },
        base: home,
        left,
        made_at: made_at.into(),
        replaced: named(made_at),
    };
    page(StatusCode::OK, &template)
}

fn shown(console: &Console, (visitor, member): (&Visitor, &Member), made: MadeCodes, replaces: bool) -> Response {
    let frame = frame(console, visitor, member);
    let template = MadePage {
        t: visitor.words.clone(),
        name: LogonName::new(frame.viewer.as_ref().map(|viewer| viewer.name.clone()).unwrap_or_default()),
        frame,
        base: base(&member.0),
        made_at: console.core.now().into(),
        codes: made.codes,
        replaces,
    };
    let response = page(StatusCode::OK, &template);
    with_cookie(response, console.options.set_cookie(Cookie::Session, made.token.expose()))
}

/// By what codes are named: when they were made.
fn named(made_at: Timestamp) -> String {
    made_at.micros().to_string()
}

/// Where somebody goes who has just bound a factor: to the offer of recovery codes, unless he has some; or else to `list`.
/// Either page says `done`.
pub(super) async fn after_binding(
    console: &Console,
    session: &Token,
    home: &str,
    (list, done): (&str, &str),
) -> String {
    let bound = format!("{list}?done={done}");
    let Ok(actor) = console.core.session(session).await else { return bound };
    match console.core.own_security(&actor).await {
        Ok(own) if own.codes_made_at.is_none() => format!("{home}/recovery-codes?offered=1&done={done}"),
        Ok(_) | Err(_) => bound,
    }
}

/// Where one's own recovery codes stand, as a row of other pages.
pub(crate) struct Standing {
    pub(crate) base: &'static str,
    pub(crate) codes_left: i64,
    pub(crate) codes_made_at: Option<When>,
}

impl Standing {
    pub(super) fn of(own: &OwnSecurity, base: &'static str) -> Self {
        Self { base, codes_left: own.codes_left, codes_made_at: own.codes_made_at.map(When::from) }
    }
}

impl MadePage {
    /// All codes, one on a line, for copying and keeping.
    fn lines(&self) -> Zeroizing<String> {
        Zeroizing::new(self.each().join("\n"))
    }

    fn each(&self) -> Vec<&str> {
        self.codes.iter().map(ExposeSecret::expose_secret).collect()
    }

    /// What stands above the codes in the file.
    fn heading(&self) -> String {
        let t = &self.t;
        t.with_two("codes-file-heading", ("name", self.name.full()), ("time", &self.made_at.text))
    }
}
