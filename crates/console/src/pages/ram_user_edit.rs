//! A RAM user's names and remarks.

use super::ram_asker::{Asker, Subject, user_path};
use super::ram_facts_form::FactsForm;
use crate::answer::{form_page, see_done};
use crate::fields::Fields;
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;

#[derive(Template)]
#[template(path = "ram_user_edit.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    u: Subject,
    facts: FactsForm,
    domain: String,
}

/// `GET /ram/users/{name}/edit`.
pub(crate) async fn show(asker: Asker, Path(name): Path<String>) -> Response {
    ask(&asker, &name, None, Problems::default()).await
}

/// `POST /ram/users/{name}/edit`.
pub(crate) async fn save(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let facts = match FactsForm::read(&fields).check(&asker.visitor.words) {
        Ok(facts) => facts,
        Err(problems) => return ask(&asker, &name, Some(&fields), problems).await,
    };
    let path = user_path(facts.name.as_str());
    match asker.console.core.update_user(asker.actor(), &name, facts, asker.origin()).await {
        Ok(()) => see_done(&path, "user-updated"),
        Err(error) => match asker.problems(error, "name") {
            Ok(problems) => ask(&asker, &name, Some(&fields), problems).await,
            Err(error) => asker.failure(error),
        },
    }
}

async fn ask(asker: &Asker, name: &str, typed: Option<&Fields>, problems: Problems) -> Response {
    let user = match asker.user(name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let u = asker.subject(&user);
    let page = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, format!("{}/edit", u.path)),
        problems,
        facts: typed.map_or_else(|| FactsForm::from(&user.user), FactsForm::read),
        domain: asker.domain(),
        u,
    };
    form_page(&page.problems, &page)
}
