//! An administrator binds or unbinds a RAM user's virtual MFA device. The last step of binding is that of every other way.

use super::binding_form::{BindingForm, typed_codes};
use super::ram_asker::{Asker, Subject, user_path};
use super::ram_user::{Tab, show_problems};
use super::webauthn_parts::path_of;
use crate::answer::{form_page, refusal_text, see};
use crate::fields::Fields;
use crate::frame::{Frame, Place, Problems, When};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use countersign_core::{Error, Refusal};

#[derive(Template)]
#[template(path = "ram_user_bind.html")]
struct BindPage {
    t: Words,
    frame: Frame,
    problems: Problems,
    u: Subject,
    b: BindingForm,
}

#[derive(Template)]
#[template(path = "ram_user_unbind.html")]
struct UnbindPage {
    t: Words,
    frame: Frame,
    problems: Problems,
    u: Subject,
    serial_number: String,
    last_used: Option<When>,
    required: bool,
}

/// `POST /ram/users/{name}/virtual-mfa/start`: a new key, for ten minutes.
pub(crate) async fn start(asker: Asker, Path(name): Path<String>) -> Response {
    match asker.console.core.start_binding_for(asker.actor(), &name, asker.origin()).await {
        Ok(()) => see(&format!("{}/virtual-mfa/bind", user_path(&name))),
        Err(error) => back(&asker, &name, error).await,
    }
}

/// `GET /ram/users/{name}/virtual-mfa/bind`: the QR code, the key, the code field.
pub(crate) async fn show_bind(asker: Asker, Path(name): Path<String>) -> Response {
    ask_code(&asker, &name, Problems::default()).await
}

/// `POST /ram/users/{name}/virtual-mfa/bind`: confirms.
pub(crate) async fn bind(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let typed = typed_codes(&fields);
    match asker.console.core.confirm_binding_for(asker.actor(), &name, typed, asker.origin()).await {
        Ok(()) => see(&done(&name, "user-mfa-bound")),
        Err(Error::Refused { refusal: Refusal::WrongCode, .. }) => {
            let problems = Problems::one("code", refusal_text(&asker.visitor.words, Refusal::WrongCode));
            ask_code(&asker, &name, problems).await
        }
        Err(error) => back(&asker, &name, error).await,
    }
}

/// `GET /ram/users/{name}/virtual-mfa/unbind`: what it means.
pub(crate) async fn show_unbind(asker: Asker, Path(name): Path<String>) -> Response {
    let user = match asker.other_user(&name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let Some(device) = &user.device else {
        // The list of users offers this for whatever is bound.
        return match user.keys.first() {
            Some(key) => see(&format!("{}?tab={}", user_path(&user.user.name), path_of(key.kind))),
            None => back(&asker, &name, Refusal::MfaNotBound.into()).await,
        };
    };
    let u = asker.subject(&user);
    let page = UnbindPage {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, format!("{}/virtual-mfa/unbind", u.path)),
        problems: Problems::default(),
        serial_number: device.serial_number.clone(),
        last_used: device.last_used_at.map(When::from),
        required: user.mfa_required,
        u,
    };
    form_page(&page.problems, &page)
}

/// `POST /ram/users/{name}/virtual-mfa/unbind`.
pub(crate) async fn unbind(asker: Asker, Path(name): Path<String>) -> Response {
    match asker.console.core.unbind_for(asker.actor(), &name, asker.origin()).await {
        Ok(()) => see(&done(&name, "user-mfa-unbound")),
        Err(error) => back(&asker, &name, error).await,
    }
}

async fn ask_code(asker: &Asker, name: &str, problems: Problems) -> Response {
    let binding = match asker.console.core.binding_for(asker.actor(), name).await {
        Ok(binding) => binding,
        Err(error) => return back(asker, name, error).await,
    };
    let path = user_path(&binding.name);
    let u = Subject { logon_name: asker.logon_name(&binding.name), name: binding.name.clone(), path };
    let action = format!("{}/virtual-mfa/bind", u.path);
    let page = BindPage {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, action.clone()),
        problems,
        b: BindingForm::new(&binding, action, tab_of(&binding.name)),
        u,
    };
    form_page(&page.problems, &page)
}

/// Back to the device's tab with what went wrong.
async fn back(asker: &Asker, name: &str, error: Error) -> Response {
    match asker.problems(error, "virtual-mfa") {
        Ok(problems) => show_problems(asker, name, Tab::VirtualMfa, problems).await,
        Err(error) => asker.failure(error),
    }
}

fn tab_of(name: &str) -> String {
    format!("{}?tab=virtual-mfa", user_path(name))
}

fn done(name: &str, word: &str) -> String {
    format!("{}&done={word}", tab_of(name))
}
