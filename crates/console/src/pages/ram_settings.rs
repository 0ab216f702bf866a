//! RAM > Settings: the security settings, and the password policy beside them. What was typed is first held against what
//! it would do; saving asks again whether anything has changed meanwhile.

use super::ram_asker::{Asker, grouped, user_path};
use super::ram_settings_form::{Control, Form, Section, Which, setting_title, setting_value};
use crate::answer::{form_page, page, see_done, with_cookie};
use crate::cookies::Cookie;
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::forecast::{Forecast, Group, NAMED};
use countersign_core::settings::{Difference, Fingerprint, SettingsChange};
use countersign_core::{Error, Refusal};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "ram_settings.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    path: &'static str,
    is_security: bool,
    seen: String,
    sections: Vec<Section>,
}

#[derive(Template)]
#[template(path = "ram_settings_forecast.html")]
struct ForecastPage {
    t: Words,
    frame: Frame,
    path: &'static str,
    carried: Vec<(&'static str, String)>,
    seen: String,
    /// Whether somebody else has changed the settings since they were shown.
    changed_meanwhile: bool,
    own_address_outside: bool,
    address: String,
    differences: Vec<Difference>,
    effects: Vec<Effect>,
    sessions_ending: String,
    ends_sessions: bool,
    console_users: String,
}

/// Whom a change concerns, as the page tells it.
struct Effect {
    title: String,
    note: String,
    users: String,
    refuses: bool,
    administrators: i64,
    /// Names of administrators with their pages.
    names: Vec<(String, String)>,
    /// How many are not named.
    more: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    done: String,
}

/// `GET /ram/settings`.
pub(crate) async fn show(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    show_page(asker, Which::Security, &query).await
}

/// `GET /ram/settings/password-policy`.
pub(crate) async fn show_passwords(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    show_page(asker, Which::Passwords, &query).await
}

/// `POST /ram/settings`.
pub(crate) async fn save(asker: Asker, fields: Fields) -> Response {
    take(asker, Which::Security, &fields).await
}

/// `POST /ram/settings/password-policy`.
pub(crate) async fn save_passwords(asker: Asker, fields: Fields) -> Response {
    take(asker, Which::Passwords, &fields).await
}

async fn show_page(asker: Asker, which: Which, query: &Query) -> Response {
    let settings = asker.console.core.settings(asker.actor(), asker.origin()).await;
    match settings.and_then(|settings| Ok((Fingerprint::of(&settings)?, settings))) {
        Ok((seen, settings)) => {
            let form = Form::of(which, &settings, &seen);
            let frame = frame(&asker, which).with_done(Some(&query.done));
            form_again(&asker, which, &form, frame, Problems::default())
        }
        Err(error) => asker.failure(error),
    }
}

/// What was typed: back to the form, on to what it would do, or saved.
async fn take(asker: Asker, which: Which, fields: &Fields) -> Response {
    let form = Form::read(which, fields);
    let step = fields.text("step");
    if step == "back" {
        return form_again(&asker, which, &form, frame(&asker, which), Problems::default());
    }
    let change = match form.change(&asker.visitor.words) {
        Ok(change) => change,
        Err(problems) => return form_again(&asker, which, &form, frame(&asker, which), problems),
    };
    if step != "save" {
        return foresee(&asker, which, &form, change, false).await;
    }
    match asker.console.core.change_settings(asker.actor(), change.clone(), asker.origin()).await {
        Ok(changed) => {
            let cookie =
                changed.token.and_then(|token| asker.console.options.set_cookie(Cookie::Session, token.expose()));
            with_cookie(see_done(which.path(), "settings-saved"), cookie)
        }
        Err(Error::Refused { refusal: Refusal::SettingsChanged, .. }) => {
            foresee(&asker, which, &form, SettingsChange { seen: None, ..change }, true).await
        }
        Err(error) => refused(&asker, which, &form, error),
    }
}

/// The page that tells what a change would do, and asks.
async fn foresee(
    asker: &Asker,
    which: Which,
    form: &Form,
    change: SettingsChange,
    changed_meanwhile: bool,
) -> Response {
    let core = &asker.console.core;
    let (forecast, changed_meanwhile) =
        match core.forecast_settings(asker.actor(), change.clone(), asker.origin()).await {
            Err(Error::Refused { refusal: Refusal::SettingsChanged, .. }) => {
                let anew = SettingsChange { seen: None, ..change };
                (core.forecast_settings(asker.actor(), anew, asker.origin()).await, true)
            }
            forecast => (forecast, changed_meanwhile),
        };
    match forecast {
        Ok(forecast) if forecast.differences.is_empty() => see_done(which.path(), "settings-unchanged"),
        Ok(forecast) => page(StatusCode::OK, &ForecastPage::new(asker, which, form, forecast, changed_meanwhile)),
        Err(error) => refused(asker, which, form, error),
    }
}

fn refused(asker: &Asker, which: Which, form: &Form, error: Error) -> Response {
    match asker.problems(error, "settings") {
        Ok(problems) => form_again(asker, which, form, frame(asker, which), problems),
        Err(error) => asker.failure(error),
    }
}

fn form_again(asker: &Asker, which: Which, form: &Form, frame: Frame, problems: Problems) -> Response {
    let page = Page {
        t: asker.words(),
        frame,
        path: which.path(),
        is_security: which == Which::Security,
        seen: form.seen.clone(),
        sections: form.sections(&asker.visitor.words),
        problems,
    };
    form_page(&page.problems, &page)
}

fn frame(asker: &Asker, which: Which) -> Frame {
    let place = match which {
        Which::Security => Place::RamSettings,
        Which::Passwords => Place::RamPasswordPolicy,
    };
    asker.frame(place, which.path().to_owned())
}

impl ForecastPage {
    fn new(asker: &Asker, which: Which, form: &Form, forecast: Forecast, changed_meanwhile: bool) -> Self {
        let words = &asker.visitor.words;
        let worded = |difference: Difference| Difference {
            before: setting_value(words, difference.setting, &difference.before),
            after: setting_value(words, difference.setting, &difference.after),
            ..difference
        };
        Self {
            t: asker.words(),
            frame: frame(asker, which),
            path: which.path(),
            carried: form.carried().map(|(id, value)| (*id, value.clone())).collect(),
            seen: forecast.fingerprint.as_str().to_owned(),
            changed_meanwhile,
            own_address_outside: forecast.own_address_outside,
            address: asker.origin().address.clone(),
            differences: forecast.differences.into_iter().map(worded).collect(),
            effects: forecast.groups.iter().map(|group| Effect::new(words, group)).collect(),
            ends_sessions: forecast.sessions_ending > 0,
            sessions_ending: words.count("forecast-sessions", forecast.sessions_ending),
            console_users: grouped(forecast.console_users),
        }
    }

    /// Whether other security keys and passkeys are let in than before: whom that concerns is not counted.
    fn attestation_changes(&self) -> bool {
        self.differences.iter().any(|difference| difference.setting == "attestation")
    }

    fn title(&self, setting: &str) -> String {
        setting_title(&self.t, setting)
    }
}

impl Effect {
    fn new(words: &Words, group: &Group) -> Self {
        let key = format!("forecast-{}", group.effect.as_str());
        let named = i64::try_from(group.names.len().min(NAMED)).unwrap_or(0);
        Self {
            title: words.s(&key),
            note: words.s(&format!("{key}-note")),
            users: grouped(group.users),
            refuses: group.effect.refuses(),
            administrators: group.administrators,
            names: group.names.iter().map(|name| (name.clone(), user_path(name))).collect(),
            more: group.administrators - named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use countersign_core::forecast::Effect as Foreseen;
    use std::sync::Arc;

    #[test]
    fn every_effect_has_words() {
        let locales = Arc::new(Locales::load());
        for language in [Language::English, Language::Chinese] {
            let words = Words::new(Arc::clone(&locales), language);
            for effect in Foreseen::ALL {
                let group = Group { effect: *effect, users: 1_234, administrators: 1, names: vec!["rita".to_owned()] };
                let told = Effect::new(&words, &group);
                assert!(!told.title.starts_with("forecast-") && !told.note.starts_with("forecast-"), "{}", told.title);
                assert_eq!((told.users.as_str(), told.more), ("1,234", 0));
            }
        }
    }
}
