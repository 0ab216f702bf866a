//! *Modify Logon Settings*: console password logon, the password, whether an MFA device is required.

use super::ram_asker::{Asker, Subject, user_path};
use super::ram_login_form::LoginForm;
use super::ram_password_shown::{self, Because};
use crate::answer::{form_page, see_done};
use crate::fields::Fields;
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;

#[derive(Template)]
#[template(path = "ram_user_logon.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    u: Subject,
    login: LoginForm,
}

/// `GET /ram/users/{name}/logon-settings`.
pub(crate) async fn show(asker: Asker, Path(name): Path<String>) -> Response {
    ask(&asker, &name, None, Problems::default()).await
}

/// `POST /ram/users/{name}/logon-settings`. A generated password is in the answer itself and nowhere else.
pub(crate) async fn save(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let change = LoginForm::of(None, true).read(&fields).change(&fields);
    let mfa_required = change.mfa_required;
    match asker.console.core.change_login_profile(asker.actor(), &name, change, asker.origin()).await {
        Ok(Some(password)) => ram_password_shown::show(&asker, Because::Changed, &name, password, mfa_required),
        Ok(None) => see_done(&user_path(&name), "logon-settings"),
        Err(error) => match asker.password_problems(error, &fields, &name) {
            Ok(problems) => ask(&asker, &name, Some(&fields), problems).await,
            Err(error) => asker.failure(error),
        },
    }
}

async fn ask(asker: &Asker, name: &str, typed: Option<&Fields>, problems: Problems) -> Response {
    let user = match asker.other_user(name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let u = asker.subject(&user);
    let settings = &asker.actor().session().settings;
    let login = LoginForm::of(user.profile.as_ref(), settings.users_manage_mfa_devices)
        .with_rules(&asker.visitor.words, &settings.password);
    let page = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, format!("{}/logon-settings", u.path)),
        problems,
        login: match typed {
            Some(fields) => login.read(fields),
            None => login,
        },
        u,
    };
    form_page(&page.problems, &page)
}
