//! AccessKeys of somebody: the list, the question before one is disabled or deleted, and the one page that shows a secret.
//! Used by one's own page and by the page of a RAM user.

use super::ram_asker::{Asker, Subject, user_path};
use crate::answer::{page, see};
use crate::fields::Fields;
use crate::frame::{Frame, LogonName, Place, Problems, When};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::access_keys::{AccessKeyView, AccessKeys, KeysOf, MadeAccessKey};
use countersign_core::{Error, Refusal, Role};
use countersign_model::access_key::{AccessKeyState, AccessKeyStatus};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

/// The id of the list, to which its problems lead.
const LIST: &str = "access-keys";

/// Whose keys a page is about.
pub(super) struct Holder {
    of: KeysOf,
    /// The RAM user; nothing on one's own page.
    user: Option<Subject>,
    /// The full logon name.
    name: LogonName,
    /// Where one's own pages lie.
    base: &'static str,
    /// Where the forms go.
    pub(super) action: String,
    /// Where the list is.
    pub(super) list: String,
    place: Place,
}

impl Holder {
    /// Whoever asks.
    pub(super) fn oneself(asker: &Asker) -> Self {
        let (base, place) = match asker.actor().role() {
            Role::Owner => ("/account/security", Place::AccountSecurity),
            Role::Anonymous | Role::User | Role::Administrator | Role::Operator => ("/me/security", Place::MySecurity),
        };
        let frame = asker.frame(place, String::new());
        let path = format!("{base}/access-keys");
        Self {
            of: KeysOf::Oneself,
            user: None,
            name: LogonName::new(frame.viewer.map(|viewer| viewer.name).unwrap_or_default()),
            base,
            action: path.clone(),
            list: path,
            place,
        }
    }

    /// The RAM user of this name.
    pub(super) fn user(asker: &Asker, name: &str) -> Self {
        let path = user_path(name);
        Self {
            of: KeysOf::User(name.to_owned()),
            name: asker.logon_name(name),
            base: "",
            action: format!("{path}/access-keys"),
            list: format!("{path}?tab=access-keys"),
            user: Some(Subject { name: name.to_owned(), logon_name: asker.logon_name(name), path }),
            place: Place::RamUsers,
        }
    }

    /// The list as it is now.
    pub(super) async fn keys(&self, asker: &Asker) -> Result<KeysShown, Error> {
        let keys = asker.console.core.list_access_keys(asker.actor(), self.of.clone(), asker.origin()).await?;
        Ok(KeysShown::new(&asker.words(), &keys, self.action.clone()))
    }
}

/// The list, as templates show it.
pub(crate) struct KeysShown {
    /// Where the forms go.
    pub(crate) action: String,
    /// The keys, the oldest first.
    pub(crate) keys: Vec<Key>,
    /// Whether one more may be made.
    pub(crate) has_room: bool,
    /// How many there may be.
    pub(crate) most: i64,
    /// After how many days without use a key is refused.
    pub(crate) idle_days: String,
    /// Stands for the keys that are shown, so that a form sent again makes no second one.
    pub(crate) seen: String,
    /// What the reader may do to them.
    pub(crate) may: KeysDoable,
}

/// What a reader may do to keys.
#[derive(Clone, Copy)]
pub(crate) struct KeysDoable {
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
}

impl KeysDoable {
    /// One's own keys: whoever may see them may do everything to them.
    pub(super) const ALL: Self = Self { create: true, update: true, delete: true };
    /// Keys of a user who may more than the reader.
    pub(super) const NOTHING: Self = Self { create: false, update: false, delete: false };
}

/// A key in the list.
pub(crate) struct Key {
    pub(crate) id: String,
    /// The class of the chip.
    pub(crate) chip: &'static str,
    pub(crate) state: String,
    pub(crate) created: When,
    pub(crate) last_used: Option<When>,
    /// The service that was called last.
    pub(crate) service: &'static str,
    /// Whether it can be disabled; otherwise it can be enabled.
    pub(crate) is_active: bool,
}

impl KeysShown {
    fn new(t: &Words, found: &AccessKeys, action: String) -> Self {
        Self {
            action,
            keys: found.keys.iter().map(|key| Key::new(t, key)).collect(),
            has_room: found.has_room(),
            most: found.most,
            idle_days: found.idle_days.to_string(),
            seen: found.keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>().join(" "),
            may: KeysDoable::ALL,
        }
    }
}

impl Key {
    fn new(t: &Words, key: &AccessKeyView) -> Self {
        let (chip, state) = match key.state {
            AccessKeyState::Active => ("chip-protected", "key-active"),
            AccessKeyState::Inactive => ("chip-neutral", "key-inactive"),
            AccessKeyState::Idle => ("chip-attention", "key-idle"),
        };
        Self {
            id: key.id.to_string(),
            chip,
            state: t.s(state),
            created: key.created_at.into(),
            last_used: key.last_use.map(|last| When::from(last.at)),
            service: key.last_use.map_or("", |last| last.service.as_str()),
            is_active: key.state == AccessKeyState::Active,
        }
    }
}

/// What an address may ask for: the question before a key is disabled or deleted.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    /// `disable` or `delete`.
    pub(super) ask: String,
    key: String,
    pub(super) done: String,
}

#[derive(Template)]
#[template(path = "access_key_confirm.html")]
struct ConfirmPage {
    t: Words,
    frame: Frame,
    user: Option<Subject>,
    base: &'static str,
    action: String,
    list: String,
    key: Key,
    /// Deleted, not disabled.
    deletes: bool,
}

#[derive(Template)]
#[template(path = "access_key_made.html")]
struct MadePage {
    t: Words,
    frame: Frame,
    user: Option<Subject>,
    base: &'static str,
    name: LogonName,
    list: String,
    id: String,
    secret: SecretString,
    created: When,
}

impl MadePage {
    fn whole(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The file with id and secret, as an address that holds it all. Neither has a character that needs escaping.
    fn csv(&self) -> Zeroizing<String> {
        let head = "data:text/csv;charset=utf-8,AccessKey%20ID,AccessKey%20Secret%0D%0A";
        Zeroizing::new(format!("{head}{},{}%0D%0A", self.id, self.whole()))
    }
}

/// The question before a key is disabled or deleted.
pub(super) async fn ask(asker: &Asker, holder: Holder, query: &Query) -> Result<Response, Failed> {
    let found = asker.console.core.list_access_keys(asker.actor(), holder.of.clone(), asker.origin()).await?;
    let key = found.keys.iter().find(|key| key.id.as_str() == query.key);
    let key = key.ok_or_else(|| Error::from(Refusal::AccessKeyNotFound))?;
    let template = ConfirmPage {
        t: asker.words(),
        frame: asker.frame(holder.place, holder.list.clone()),
        key: Key::new(&asker.words(), key),
        deletes: query.ask == "delete",
        user: holder.user,
        base: holder.base,
        action: holder.action,
        list: holder.list,
    };
    Ok(page(StatusCode::OK, &template))
}

/// Why a form did nothing.
pub(super) enum Failed {
    /// It was sent a second time, or from a list that is not the present one any more.
    Outdated,
    /// Core did not do it.
    Error(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Does what a form asks for.
pub(super) async fn change(asker: &Asker, holder: Holder, fields: &Fields) -> Result<Response, Failed> {
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    let (key, wanted) = (fields.text("key"), fields.text("do"));
    let whose = (holder.of.clone(), key.as_str());
    let done = match wanted.as_str() {
        "create" => {
            let present = holder.keys(asker).await?;
            if present.seen != fields.text("seen") {
                return Err(Failed::Outdated);
            }
            let made = core.create_access_key(actor, holder.of.clone(), origin).await?;
            return Ok(shown(asker, holder, made));
        }
        "enable" => {
            core.set_access_key_status(actor, whose, AccessKeyStatus::Active, origin).await?;
            "key-enabled"
        }
        "disable" => {
            core.set_access_key_status(actor, whose, AccessKeyStatus::Inactive, origin).await?;
            "key-disabled"
        }
        "delete" => {
            core.delete_access_key(actor, whose, origin).await?;
            "key-deleted"
        }
        _ => return Ok(see(&holder.list)),
    };
    let joint = if holder.list.contains('?') { '&' } else { '?' };
    Ok(see(&format!("{}{joint}done={done}", holder.list)))
}

fn shown(asker: &Asker, holder: Holder, made: MadeAccessKey) -> Response {
    let template = MadePage {
        t: asker.words(),
        frame: asker.frame(holder.place, holder.list.clone()),
        user: holder.user,
        base: holder.base,
        name: holder.name,
        list: holder.list,
        id: made.id.to_string(),
        secret: made.secret,
        created: made.created_at.into(),
    };
    page(StatusCode::OK, &template)
}

/// What went wrong, for the list.
pub(super) fn problems(asker: &Asker, failed: Failed) -> Result<Problems, Error> {
    match failed {
        Failed::Outdated => Ok(Problems::one(LIST, asker.words().s("keys-outdated"))),
        Failed::Error(error) => asker.problems(error, LIST),
    }
}
