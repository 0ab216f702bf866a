//! A password that was generated: shown once, in the answer to the form that had it made, and nowhere again.

use super::ram_asker::{Asker, user_path};
use crate::answer::page;
use crate::frame::{Frame, LogonName, Place};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::{ExposeSecret as _, SecretString};

#[derive(Template)]
#[template(path = "ram_password_shown.html")]
struct Page {
    t: Words,
    frame: Frame,
    title: String,
    name: String,
    path: String,
    logon_name: LogonName,
    logon_link: String,
    password: SecretString,
    mfa_required: bool,
    created: bool,
}

/// Why there is a new password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Because {
    /// The user was made.
    Created,
    /// His logon settings were changed.
    Changed,
    /// His password was reset.
    Reset,
}

/// The page that shows it.
pub(crate) fn show(
    asker: &Asker,
    because: Because,
    name: &str,
    password: SecretString,
    mfa_required: bool,
) -> Response {
    let (title, done) = match because {
        Because::Created => ("ram-created-title", "user-created"),
        Because::Changed => ("ram-new-password-title", "logon-settings"),
        Because::Reset => ("ram-new-password-title", "password-reset"),
    };
    let path = user_path(name);
    page(
        StatusCode::OK,
        &Page {
            t: asker.words(),
            frame: asker.frame(Place::RamUsers, path.clone()).with_done(Some(done)),
            title: asker.words().s(title),
            name: name.to_owned(),
            logon_name: asker.logon_name(name),
            logon_link: asker.logon_link(),
            password,
            mfa_required,
            created: because == Because::Created,
            path,
        },
    )
}

impl Page {
    /// The password in the pieces between which a line may break.
    fn pieces(&self) -> Vec<&str> {
        self.password.expose_secret().split_inclusive('-').collect()
    }

    fn whole(&self) -> &str {
        self.password.expose_secret()
    }
}
