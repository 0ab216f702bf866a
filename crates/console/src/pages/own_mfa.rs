//! Binding, replacing and unbinding one's own virtual MFA device.

use super::binding_form::{BindingForm, typed_codes};
use super::own_recovery::after_binding;
use super::security::{base, frame};
use crate::Console;
use crate::answer::{self, form_page, refusal_text, see, see_done, with_cookie};
use crate::cookies::Cookie;
use crate::fields::Fields;
use crate::frame::{Frame, Problems};
use crate::locales::Words;
use crate::visitor::{Member, Visitor};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use countersign_core::{Error, Refusal};

#[derive(Template)]
#[template(path = "verify_identity.html")]
struct VerifyPage {
    t: Words,
    frame: Frame,
    problems: Problems,
    base: &'static str,
    /// Whether the password is asked for here; who has a key is asked for that on the next page.
    by_password: bool,
}

#[derive(Template)]
#[template(path = "own_bind.html")]
struct BindPage {
    t: Words,
    frame: Frame,
    problems: Problems,
    base: &'static str,
    b: BindingForm,
}

#[derive(Template)]
#[template(path = "own_unbind.html")]
struct UnbindPage {
    t: Words,
    frame: Frame,
    problems: Problems,
    base: &'static str,
    now: i64,
}

/// `GET …/virtual-mfa/verify`: the page Verify Identity.
pub(crate) async fn show_verify(State(console): State<Console>, visitor: Visitor, member: Member) -> Response {
    match console.core.own_security(&member.0).await {
        Ok(own) if own.may_manage_mfa => {
            ask_proof(&console, &visitor, &member, (!own.factors.keys(), Problems::default()))
        }
        Ok(_) => answer::failure(&console, &visitor, Refusal::NoPermission.into()),
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// `POST …/virtual-mfa/verify`: the proof by password starts the binding.
pub(crate) async fn verify(
    State(console): State<Console>,
    visitor: Visitor,
    member: Member,
    fields: Fields,
) -> Response {
    match console.core.start_own_binding(&member.0, fields.secret("password"), &visitor.origin).await {
        Ok(()) => see(&format!("{}/virtual-mfa/bind", base(&member.0))),
        Err(error) => match answer::problem(&visitor.words, error, "password") {
            Ok(problems) => match console.core.own_security(&member.0).await {
                Ok(own) => ask_proof(&console, &visitor, &member, (!own.factors.keys(), problems)),
                Err(error) => answer::failure(&console, &visitor, error),
            },
            Err(error) => answer::failure(&console, &visitor, error),
        },
    }
}

/// `GET …/virtual-mfa/bind`: the page Enable MFA.
pub(crate) async fn show_bind(State(console): State<Console>, visitor: Visitor, member: Member) -> Response {
    ask_code(&console, &visitor, &member, Problems::default()).await
}

/// `POST …/virtual-mfa/bind`.
pub(crate) async fn bind(State(console): State<Console>, visitor: Visitor, member: Member, fields: Fields) -> Response {
    let home = base(&member.0);
    let replaces = fields.ticked("old_code");
    match console.core.confirm_own_binding(&member.0, typed_codes(&fields), &visitor.origin).await {
        Ok(token) => {
            let way_on = if replaces {
                format!("{home}?done=mfa-replaced")
            } else {
                after_binding(&console, &token, home, (home, "mfa-bound")).await
            };
            with_cookie(see(&way_on), console.options.set_cookie(Cookie::Session, token.expose()))
        }
        Err(Error::Refused { refusal: Refusal::BindingOver, .. }) => see(&format!("{home}/virtual-mfa/verify")),
        Err(error) => match answer::problem(&visitor.words, error, "code") {
            Ok(problems) => ask_code(&console, &visitor, &member, problems).await,
            Err(error) => answer::failure(&console, &visitor, error),
        },
    }
}

/// `GET …/virtual-mfa/unbind`: asks for a current code. Where a device is required, leads to replacing it.
pub(crate) async fn show_unbind(State(console): State<Console>, visitor: Visitor, member: Member) -> Response {
    match console.core.own_security(&member.0).await {
        Ok(own) if !own.may_manage_mfa => answer::failure(&console, &visitor, Refusal::NoPermission.into()),
        Ok(own) if own.device.is_none() => see(base(&member.0)),
        Ok(own) => {
            let refused = own.keeps_device().map(|refusal| refusal_text(&visitor.words, refusal));
            let problems = refused.map_or_else(Problems::default, |text| Problems::one("code", text));
            ask_unbind(&console, &visitor, &member, problems)
        }
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// `POST …/virtual-mfa/unbind`.
pub(crate) async fn unbind(
    State(console): State<Console>,
    visitor: Visitor,
    member: Member,
    fields: Fields,
) -> Response {
    match console.core.unbind_own(&member.0, fields.text("code"), &visitor.origin).await {
        Ok(token) => {
            let cookie = console.options.set_cookie(Cookie::Session, token.expose());
            with_cookie(see_done(base(&member.0), "mfa-unbound"), cookie)
        }
        Err(error) => match answer::problem(&visitor.words, error, "code") {
            Ok(problems) => ask_unbind(&console, &visitor, &member, problems),
            Err(error) => answer::failure(&console, &visitor, error),
        },
    }
}

fn ask_proof(
    console: &Console,
    visitor: &Visitor,
    member: &Member,
    (by_password, problems): (bool, Problems),
) -> Response {
    let page = VerifyPage {
        by_password,
        t: visitor.words.clone(),
        frame: frame(console, visitor, member),
        problems,
        base: base(&member.0),
    };
    form_page(&page.problems, &page)
}

async fn ask_code(console: &Console, visitor: &Visitor, member: &Member, problems: Problems) -> Response {
    let home = base(&member.0);
    let binding = match console.core.own_binding(&member.0).await {
        Ok(binding) => binding,
        Err(Error::Refused { refusal: Refusal::BindingOver, .. }) => return see(&format!("{home}/virtual-mfa/verify")),
        Err(error) => return answer::failure(console, visitor, error),
    };
    let page = BindPage {
        t: visitor.words.clone(),
        frame: frame(console, visitor, member),
        problems,
        base: home,
        b: BindingForm::new(&binding, format!("{home}/virtual-mfa/bind"), format!("{home}/virtual-mfa/verify")),
    };
    form_page(&page.problems, &page)
}

fn ask_unbind(console: &Console, visitor: &Visitor, member: &Member, problems: Problems) -> Response {
    let page = UnbindPage {
        t: visitor.words.clone(),
        frame: frame(console, visitor, member),
        problems,
        base: base(&member.0),
        now: console.core.now().millis(),
    };
    form_page(&page.problems, &page)
}
