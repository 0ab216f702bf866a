//! The last step of every binding: the same form whoever started it.

use crate::fields::Fields;
use countersign_core::binding::{BindingView, TypedCodes};
use countersign_model::settings::BindingCodes;
use secrecy::ExposeSecret as _;

/// What the form shows.
pub(crate) struct BindingForm {
    pub(crate) action: String,
    pub(crate) back: String,
    pub(crate) label: String,
    pub(crate) label_first: String,
    pub(crate) label_rest: String,
    pub(crate) key: String,
    pub(crate) key_groups: Vec<String>,
    pub(crate) qr_svg: String,
    pub(crate) two_codes: bool,
    pub(crate) replaces: bool,
    /// The present time in milliseconds, from which the countdown runs.
    pub(crate) now: i64,
    /// Whether the list of apps is open at once.
    pub(crate) show_apps: bool,
}

impl BindingForm {
    pub(crate) fn new(view: &BindingView, action: String, back: String) -> Self {
        let (first, rest) = view.label.split_once('@').unwrap_or((&view.label, ""));
        let groups = view.key.expose_secret().split(' ').map(str::to_owned).collect::<Vec<_>>();
        Self {
            label: view.label.clone(),
            label_first: first.to_owned(),
            label_rest: if rest.is_empty() { String::new() } else { format!("@{rest}") },
            key: groups.concat(),
            key_groups: groups,
            qr_svg: view.qr_svg.expose_secret().to_owned(),
            two_codes: view.codes == BindingCodes::Two,
            replaces: view.replaces,
            now: view.now.millis(),
            show_apps: !view.replaces,
            action,
            back,
        }
    }
}

/// The codes typed into the form.
pub(crate) fn typed_codes(fields: &Fields) -> TypedCodes {
    TypedCodes { first: fields.text("code"), second: fields.text("code2"), of_replaced: fields.text("old_code") }
}
