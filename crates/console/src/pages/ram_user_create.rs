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
    ask(&asker, None, Problems::default()).await
}

/// `POST /ram/create-user`. A generated password is in the answer itself and nowhere else.
pub(crate) async fn create(asker: Asker, fields: Fields) -> Response {
    let facts = match FactsForm::read(&fields).check(&asker.visitor.words) {
        Ok(facts) => facts,
        Err(problems) => return ask(&asker, Some(&fields), problems).await,
    };
    let name = facts.name.to_string();
    let change = LoginForm::blank(true).read(&fields).change(&fields);
    let mfa_required = change.mfa_required;
    match asker.console.core.create_user(asker.actor(), facts, Some(change), asker.origin()).await {
        Ok(Some(password)) => ram_password_shown::show(&asker, Because::Created, &name, password, mfa_required),
        Ok(None) => see_done(&user_path(&name), "user-created"),
        Err(error) => match asker.password_problems(error, &fields, &name) {
            Ok(problems) => ask(&asker, Some(&fields), problems).await,
            Err(error) => asker.failure(error),
        },
    }
}

/// The form, for those who may see the settings that its words depend on.
async fn ask(asker: &Asker, typed: Option<&Fields>, problems: Problems) -> Response {
    let settings = match asker.console.core.settings(asker.actor(), asker.origin()).await {
        Ok(settings) => settings,
        Err(error) => return asker.failure(error),
    };
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
