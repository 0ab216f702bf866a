//! The first account, behind the link that the server printed at its first start.

use crate::Console;
use crate::answer::{self, form_page, see};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Problems};
use crate::locales::Words;
use crate::visitor::Visitor;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use countersign_core::setup::NewAccount;
use countersign_core::{Error, Refusal};
use countersign_model::names::{AccountAlias, EmailAddress};
use countersign_model::token::Token;
use secrecy::ExposeSecret as _;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "setup.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    token: String,
    alias: String,
    email: String,
    suffix: String,
}

#[derive(Deserialize, Default)]
pub(crate) struct Asked {
    #[serde(default)]
    token: String,
}

/// `GET /setup?token=…`.
pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    AddressQuery(asked): AddressQuery<Asked>,
) -> Response {
    let text = asked.token;
    let good = match Token::parse(&text) {
        Some(token) => console.core.check_set_up(&token).await,
        None => Err(Refusal::SetUpOver.into()),
    };
    match good {
        Ok(()) => {
            let page = Page { token: text, ..blank(&console, &visitor) };
            form_page(&page.problems, &page)
        }
        Err(error) => answer::failure(&console, &visitor, error),
    }
}

/// `POST /setup`.
pub(crate) async fn create(State(console): State<Console>, visitor: Visitor, fields: Fields) -> Response {
    let typed = fields.text("token");
    let Some(token) = Token::parse(&typed) else {
        return answer::failure(&console, &visitor, Refusal::SetUpOver.into());
    };
    let created = match read(&fields) {
        Ok(new) => console.core.set_up(&token, new, &visitor.origin).await,
        Err(error) => Err(error),
    };
    match created {
        Ok(_) => see("/?as=owner&notice=set-up"),
        Err(error) => match answer::problem(&visitor.words, error, "alias") {
            Ok(problems) => {
                let frame = Frame { path: format!("/setup?token={typed}"), ..Frame::of_logon(&visitor) };
                let page = Page {
                    frame,
                    problems,
                    token: typed,
                    alias: fields.text("alias"),
                    email: fields.text("email"),
                    ..blank(&console, &visitor)
                };
                form_page(&page.problems, &page)
            }
            Err(error) => answer::failure(&console, &visitor, error),
        },
    }
}

fn read(fields: &Fields) -> Result<NewAccount, Error> {
    let (password, repeated) = (fields.secret("new_password"), fields.secret("repeat_password"));
    if password.expose_secret() != repeated.expose_secret() {
        return Err(Refusal::PasswordsDiffer.into());
    }
    let alias = AccountAlias::parse(&fields.text("alias"))?;
    let owner = EmailAddress::parse(&fields.text("email"))?;
    Ok(NewAccount { alias, owner, password })
}

fn blank(console: &Console, visitor: &Visitor) -> Page {
    Page {
        t: visitor.words.clone(),
        frame: Frame::of_logon(visitor),
        problems: Problems::default(),
        token: String::new(),
        alias: String::new(),
        email: String::new(),
        suffix: console.core.identity().suffix.clone(),
    }
}
