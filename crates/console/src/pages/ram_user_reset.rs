//! *Reset password*: a random one in place of the present one; all other logon settings stay.

use super::ram_asker::{Asker, Subject};
use super::ram_password_shown::{self, Because};
use crate::answer::form_page;
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use countersign_model::principal::ConsoleLogon;

#[derive(Template)]
#[template(path = "ram_user_reset.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    u: Subject,
    enabled: bool,
}

/// `GET /ram/users/{name}/reset-password`.
pub(crate) async fn show(asker: Asker, Path(name): Path<String>) -> Response {
    ask(&asker, &name, Problems::default()).await
}

/// `POST /ram/users/{name}/reset-password`. The password is in the answer itself and nowhere else.
pub(crate) async fn reset(asker: Asker, Path(name): Path<String>) -> Response {
    let user = match asker.other_user(&name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let mfa_required = user.device.is_none() && user.keys.is_empty() && user.mfa_required;
    let name = &user.user.name;
    match asker.console.core.reset_password(asker.actor(), name, asker.origin()).await {
        Ok(password) => ram_password_shown::show(&asker, Because::Reset, name, password, mfa_required),
        Err(error) => match asker.problems(error, "reset") {
            Ok(problems) => ask(&asker, name, problems).await,
            Err(error) => asker.failure(error),
        },
    }
}

async fn ask(asker: &Asker, name: &str, problems: Problems) -> Response {
    let user = match asker.other_user(name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let u = asker.subject(&user);
    let page = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, format!("{}/reset-password", u.path)),
        problems,
        enabled: user.profile.is_some_and(|profile| profile.console_logon == ConsoleLogon::Enabled),
        u,
    };
    form_page(&page.problems, &page)
}
