//! Deleting a RAM user, with his name typed to confirm.

use super::ram_asker::{Asker, Subject};
use crate::answer::{form_page, see_done};
use crate::fields::Fields;
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;

#[derive(Template)]
#[template(path = "ram_user_delete.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    u: Subject,
    bound: bool,
    has_keys: bool,
    administrator: bool,
    typed: String,
}

/// `GET /ram/users/{name}/delete`.
pub(crate) async fn show(asker: Asker, Path(name): Path<String>) -> Response {
    ask(&asker, &name, String::new(), Problems::default()).await
}

/// `POST /ram/users/{name}/delete`.
pub(crate) async fn delete(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let typed = fields.text("confirm");
    match asker.console.core.delete_user(asker.actor(), &name, &typed, asker.origin()).await {
        Ok(()) => see_done("/ram/users", "user-deleted"),
        Err(error) => match asker.problems(error, "confirm") {
            Ok(problems) => ask(&asker, &name, typed, problems).await,
            Err(error) => asker.failure(error),
        },
    }
}

async fn ask(asker: &Asker, name: &str, typed: String, problems: Problems) -> Response {
    let user = match asker.other_user(name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let u = asker.subject(&user);
    let page = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, format!("{}/delete", u.path)),
        problems,
        bound: user.device.is_some() || !user.keys.is_empty(),
        has_keys: user.access_keys > 0,
        administrator: user.is_administrator,
        typed,
        u,
    };
    form_page(&page.problems, &page)
}
