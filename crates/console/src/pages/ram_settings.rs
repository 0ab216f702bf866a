//! Security settings of the account.

use super::ram_asker::Asker;
use crate::answer::{page, see_done};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::settings::SettingsChange;
use countersign_model::settings::{BindingCodes, MfaDeviceTypes, SecuritySettings};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "ram_settings.html")]
struct Page {
    t: Words,
    frame: Frame,
    settings: SecuritySettings,
}

impl Page {
    fn two_codes(&self) -> bool {
        self.settings.binding_codes == BindingCodes::Two
    }

    fn several_types(&self) -> bool {
        self.settings.mfa_device_types == MfaDeviceTypes::Several
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    done: String,
}

/// `GET /ram/settings`.
pub(crate) async fn show(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    match asker.console.core.settings(asker.actor(), asker.origin()).await {
        Ok(settings) => {
            let frame = asker.frame(Place::RamSettings, "/ram/settings".to_owned()).with_done(Some(&query.done));
            page(StatusCode::OK, &Page { t: asker.words(), frame, settings })
        }
        Err(error) => asker.failure(error),
    }
}

/// `POST /ram/settings`. A choice that the page does not offer leaves its setting as it is.
pub(crate) async fn save(asker: Asker, fields: Fields) -> Response {
    let change = SettingsChange {
        users_manage_mfa_devices: Some(fields.ticked("users_manage_mfa_devices")),
        binding_codes: fields.text("binding_codes").parse().ok(),
        mfa_device_types: fields.text("mfa_device_types").parse().ok(),
    };
    match asker.console.core.change_settings(asker.actor(), change, asker.origin()).await {
        Ok(_) => see_done("/ram/settings", "settings-saved"),
        Err(error) => asker.failure(error),
    }
}
