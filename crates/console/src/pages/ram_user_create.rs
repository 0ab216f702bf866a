//! *Create user*: names, console logon, whether an MFA device is required from the first logon on.

use super::ram_asker::{Asker, user_path};
use super::ram_facts_form::FactsForm;
use super::ram_login_form::LoginForm;
use super::ram_password_shown::{self, Because};
use crate::answer::{form_page, see_done};
use crate::fields::Fields;
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::response::Response;
use countersign_core::Refusal;
use countersign_core::authorise::Action;

#[derive(Template)]
#[template(path = "ram_user_create.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    facts: FactsForm,
    login: LoginForm,
    domain: String,
}

/// `GET /ram/create-user`.
pub(crate) async fn show(asker: Asker) -> Response {
    ask(&asker, None, Problems::default())
}

/// `POST /ram/create-user`. A generated password is in the answer itself and nowhere else.
pub(crate) async fn create(asker: Asker, fields: Fields) -> Response {
    let facts = match FactsForm::read(&fields).check(&asker.visitor.words) {
        Ok(facts) => facts,
        Err(problems) => return ask(&asker, Some(&fields), problems),
    };
    let name = facts.name.to_string();
    let change = LoginForm::blank(true).read(&fields).change(&fields);
    let mfa_required = change.mfa_required;
    match asker.console.core.create_user(asker.actor(), facts, Some(change), asker.origin()).await {
        Ok(Some(password)) => ram_password_shown::show(&asker, Because::Created, &name, password, mfa_required),
        Ok(None) => see_done(&user_path(&name), "user-created"),
        Err(error) => match asker.password_problems(error, &fields, &name) {
            Ok(problems) => ask(&asker, Some(&fields), problems),
            Err(error) => asker.failure(error),
        },
    }
}

/// The form, for those who may send it.
fn ask(asker: &Asker, typed: Option<&Fields>, problems: Problems) -> Response {
    if !asker.may(Action::CreateUser) {
        return asker.failure(Refusal::NoPermission.into());
    }
    let settings = &asker.actor().session().settings;
    let blank =
        LoginForm::blank(settings.users_manage_mfa_devices).with_rules(&asker.visitor.words, &settings.password);
    let (facts, login) = match typed {
        Some(fields) => (FactsForm::read(fields), blank.read(fields)),
        None => (FactsForm::default(), blank),
    };
    let page = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, "/ram/create-user".to_owned()),
        problems,
        facts,
        login,
        domain: asker.domain(),
    };
    form_page(&page.problems, &page)
}
