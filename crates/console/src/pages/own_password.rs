//! Changing one's own password.

use super::security::{base, frame};
use crate::Console;
use crate::answer::{self, form_page, see_done, with_cookie};
use crate::cookies::Cookie;
use crate::fields::Fields;
use crate::frame::{Frame, Problems};
use crate::locales::Words;
use crate::password_rules;
use crate::visitor::{Member, Visitor};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use countersign_core::passwords::policy_for;
use countersign_core::{Error, Refusal};
use countersign_model::settings::PasswordPolicy;
use secrecy::ExposeSecret as _;

#[derive(Template)]
#[template(path = "own_password.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    base: &'static str,
    name: String,
    rules: String,
}

/// `GET …/password`.
pub(crate) async fn show(State(console): State<Console>, visitor: Visitor, member: Member) -> Response {
    match console.core.own_security(&member.0).await {
        Ok(own) if own.may_change_password => ask(&console, &visitor, &member, Problems::default()),
        Ok(_) => answer::failure(&console, &visitor, Refusal::NoPermission.into()),
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// `POST …/password`.
pub(crate) async fn change(
    State(console): State<Console>,
    visitor: Visitor,
    member: Member,
    fields: Fields,
) -> Response {
    let (new, repeated) = (fields.secret("new_password"), fields.secret("repeat_password"));
    let changed = if new.expose_secret() == repeated.expose_secret() {
        console.core.change_own_password(&member.0, fields.secret("password"), new.clone(), &visitor.origin).await
    } else {
        Err(Error::from(Refusal::PasswordsDiffer))
    };
    match changed {
        Ok(token) => {
            let cookie = console.options.set_cookie(Cookie::Session, token.expose());
            with_cookie(see_done(base(&member.0), "password-changed"), cookie)
        }
        Err(error) => {
            let name = &member.0.session().name;
            let lacking = password_rules::lacking(&visitor.words, &error, &new, name, &policy(&member));
            match lacking.map_or_else(|| answer::problem(&visitor.words, error, "new_password"), Ok) {
                Ok(problems) => ask(&console, &visitor, &member, problems),
                Err(error) => answer::failure(&console, &visitor, error),
            }
        }
    }
}

fn ask(console: &Console, visitor: &Visitor, member: &Member, problems: Problems) -> Response {
    let frame = frame(console, visitor, member);
    let page = Page {
        name: frame.viewer.as_ref().map(|viewer| viewer.name.clone()).unwrap_or_default(),
        t: visitor.words.clone(),
        frame,
        problems,
        rules: password_rules::needed(&visitor.words, &policy(member)),
        base: base(&member.0),
    };
    form_page(&page.problems, &page)
}

fn policy(member: &Member) -> PasswordPolicy {
    let session = member.0.session();
    policy_for(session.kind, &session.settings)
}
