//! A RAM user's page: what he is, how he logs on, his device, his permissions.

use super::access_keys::{Holder, KeysShown};
use super::own_history::History;
use super::places::{Ends, PlacesShown};
use super::ram_asker::{Asker, Doable, Lock, Subject};
use super::webauthn_parts::{KeysDo, KeysShown as SecurityKeys, KindWords, path_of};
use crate::answer::{form_page, see_done, with_cookie};
use crate::cookies::Cookie;
use crate::fields::AddressQuery;
use crate::frame::{Frame, Place, Problems, When};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use countersign_core::overview::DeviceView;
use countersign_core::users::{ProfileView, UserInFull};
use countersign_model::principal::ConsoleLogon;
use countersign_model::webauthn::KeyKind;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "ram_user.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    u: Subject,
    display_name: String,
    comments: String,
    email: String,
    created: When,
    last_logon: Option<When>,
    profile: Option<ProfileView>,
    mfa_required: bool,
    password_lock: Option<Lock>,
    device: Option<DeviceView>,
    device_lock: Option<Lock>,
    policies: Vec<String>,
    groups: Vec<String>,
    is_administrator: bool,
    /// Whether it is somebody else whom the asker does not outrank.
    is_mightier: bool,
    can: Doable,
    is_oneself: bool,
    tab: Tab,
    recovery_lock: Option<Lock>,
    codes_left: i64,
    /// On the tab History.
    history: Option<History>,
    /// On the tab Sessions.
    places: Option<PlacesShown>,
    /// On the tab AccessKeys.
    keys: Option<KeysShown>,
    /// On the tabs Security Keys and Passkeys.
    security: Option<SecurityKeys>,
    /// How many keys are bound, and the lock of one that is locked.
    keys_bound: usize,
    key_lock: Option<Lock>,
}

/// The second level of tabs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    /// Console Logon Management.
    ConsoleLogon,
    /// Virtual MFA Device.
    VirtualMfa,
    /// Security Keys.
    SecurityKeys,
    /// Passkeys.
    Passkeys,
    /// AccessKeys.
    AccessKeys,
    /// Where he is logged on, and which machines are remembered.
    Sessions,
    /// What he did, and what was done to him.
    History,
}

impl Tab {
    /// The tab of the keys of a kind.
    pub(crate) const fn of_keys(kind: KeyKind) -> Self {
        match kind {
            KeyKind::SecurityKey => Self::SecurityKeys,
            KeyKind::Passkey => Self::Passkeys,
        }
    }

    /// The kind of keys that the tab shows.
    const fn kind(self) -> Option<KeyKind> {
        match self {
            Self::SecurityKeys => Some(KeyKind::SecurityKey),
            Self::Passkeys => Some(KeyKind::Passkey),
            Self::ConsoleLogon | Self::VirtualMfa | Self::AccessKeys | Self::Sessions | Self::History => None,
        }
    }

    /// Whether it is the tab of this name.
    fn is(self, name: &str) -> bool {
        self.as_str() == name
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::ConsoleLogon => "console-logon",
            Self::VirtualMfa => "virtual-mfa",
            Self::SecurityKeys => path_of(KeyKind::SecurityKey),
            Self::Passkeys => path_of(KeyKind::Passkey),
            Self::AccessKeys => "access-keys",
            Self::Sessions => "sessions",
            Self::History => "history",
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    tab: String,
    done: String,
    before: String,
}

/// `GET /ram/users/{name}?tab=`.
pub(crate) async fn show(
    asker: Asker,
    headers: HeaderMap,
    Path(name): Path<String>,
    AddressQuery(query): AddressQuery<Query>,
) -> Response {
    let tabs = [Tab::VirtualMfa, Tab::SecurityKeys, Tab::Passkeys, Tab::AccessKeys, Tab::Sessions, Tab::History];
    let tab = tabs.into_iter().find(|tab| tab.as_str() == query.tab).unwrap_or(Tab::ConsoleLogon);
    let history = match history(&asker, &name, tab, &query.before).await {
        Ok(history) => history,
        Err(response) => return response,
    };
    match asker.user(&name).await {
        Ok(user) => {
            let (places, keys) = match (places(&asker, &user, tab).await, keys(&asker, &user, tab).await) {
                (Ok(places), Ok(keys)) => (places, keys),
                (Err(response), _) | (_, Err(response)) => return response,
            };
            let page = fill(&asker, user, tab);
            let gone = page.security.is_some().then(|| asker.console.options.cookie(&headers, Cookie::Gone)).flatten();
            let forget = gone.as_ref().and_then(|_| asker.console.options.remove_cookie(Cookie::Gone));
            let security = page.security.map(|keys| SecurityKeys { gone: gone.unwrap_or_default(), ..keys });
            let frame = page.frame.with_done(Some(&query.done));
            let page = Page { frame, history, places, keys, security, ..page };
            with_cookie(form_page(&page.problems, &page), forget)
        }
        Err(response) => response,
    }
}

async fn history(asker: &Asker, name: &str, tab: Tab, before: &str) -> Result<Option<History>, Response> {
    if tab != Tab::History {
        return Ok(None);
    }
    let found = asker.console.core.user_history(asker.actor(), name, before.parse().ok(), asker.origin()).await;
    let found = found.map_err(|error| asker.failure(error))?;
    let path = format!("{}?tab={}", super::ram_asker::user_path(name), tab.as_str());
    Ok(Some(History::new(&asker.visitor.words, &found, &path, !before.is_empty())))
}

async fn places(asker: &Asker, user: &UserInFull, tab: Tab) -> Result<Option<PlacesShown>, Response> {
    if tab != Tab::Sessions {
        return Ok(None);
    }
    let name = &user.user.name;
    let found = asker.console.core.places_of(asker.actor(), name, asker.origin()).await;
    let found = found.map_err(|error| asker.failure(error))?;
    let can = asker.doable(name, &user.user.id).to_one_outranked(user.is_outranked);
    let ends = if can.sessions { Ends::Others } else { Ends::Nothing };
    let action = format!("{}/sessions", super::ram_asker::user_path(name));
    Ok(Some(PlacesShown::new(&asker.visitor.words, &found, action, ends)))
}

async fn keys(asker: &Asker, user: &UserInFull, tab: Tab) -> Result<Option<KeysShown>, Response> {
    if tab != Tab::AccessKeys {
        return Ok(None);
    }
    let found = Holder::user(asker, &user.user.name).keys(asker).await;
    let found = found.map_err(|error| asker.failure(error))?;
    let can = asker.doable(&user.user.name, &user.user.id).to_one_outranked(user.is_outranked || user.is_oneself);
    Ok(Some(KeysShown { may: can.keys_do, ..found }))
}

/// `POST /ram/users/{name}/unlock`.
pub(crate) async fn unlock(asker: Asker, Path(name): Path<String>) -> Response {
    match asker.console.core.unlock_user(asker.actor(), &name, asker.origin()).await {
        Ok(()) => see_done(&super::ram_asker::user_path(&name), "user-unlocked"),
        Err(error) => asker.failure(error),
    }
}

/// The page with what went wrong on another one, which has nothing left to show.
pub(crate) async fn show_problems(asker: &Asker, name: &str, tab: Tab, problems: Problems) -> Response {
    match asker.user(name).await {
        Ok(user) => {
            let (places, keys) = match (places(asker, &user, tab).await, keys(asker, &user, tab).await) {
                (Ok(places), Ok(keys)) => (places, keys),
                (Err(response), _) | (_, Err(response)) => return response,
            };
            let page = Page { problems, places, keys, ..fill(asker, user, tab) };
            form_page(&page.problems, &page)
        }
        Err(response) => response,
    }
}

fn security_keys(asker: &Asker, user: &UserInFull, tab: Tab, can: Doable) -> Option<SecurityKeys> {
    let kind = tab.kind()?;
    // A passkey is made on the user's own machine, by himself.
    let bind = can.bind && kind == KeyKind::SecurityKey;
    let unbind = match kind {
        KeyKind::SecurityKey => can.unbind,
        KeyKind::Passkey => can.delete_passkeys,
    };
    let may = KeysDo { bind, rename: can.rename_keys, unbind };
    let action = format!("{}/{}", super::ram_asker::user_path(&user.user.name), path_of(kind));
    let words = KindWords::new(asker.words(), kind);
    Some(SecurityKeys::new(&asker.console, words, (&user.keys, user.now), (action, false), may))
}

fn fill(asker: &Asker, user: UserInFull, tab: Tab) -> Page {
    let u = asker.subject(&user);
    let granted = asker.doable(&user.user.name, &user.user.id);
    let can = granted.to_one_outranked(user.is_outranked || user.is_oneself);
    let security = security_keys(asker, &user, tab, can);
    Page {
        keys_bound: user.keys.len(),
        key_lock: user.keys.iter().find_map(|key| Lock::of(key.budget, user.now)),
        security,
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, format!("{}?tab={}", u.path, tab.as_str())),
        problems: Problems::default(),
        display_name: user.user.display_name.to_string(),
        comments: user.user.comments.to_string(),
        email: user.user.email.as_ref().map(ToString::to_string).unwrap_or_default(),
        created: user.user.created_at.into(),
        last_logon: user.user.last_logon_at.map(When::from),
        mfa_required: user.mfa_required,
        profile: user.profile,
        password_lock: Lock::of(user.password_budget, user.now),
        device: user.device,
        device_lock: Lock::of(user.device_budget, user.now),
        policies: user.policies.into_iter().map(|line| line.name).collect(),
        groups: user.groups.into_iter().map(|group| group.name).collect(),
        is_administrator: user.is_administrator,
        is_mightier: granted.any() && !can.any(),
        can,
        is_oneself: user.is_oneself,
        tab,
        recovery_lock: Lock::of(user.recovery_budget, user.now),
        codes_left: user.codes_left,
        history: None,
        places: None,
        keys: None,
        u,
    }
}

impl Page {
    fn on_console_logon(&self) -> bool {
        self.tab == Tab::ConsoleLogon
    }

    fn on_virtual_mfa(&self) -> bool {
        self.tab == Tab::VirtualMfa
    }

    fn has_keys(&self) -> bool {
        self.keys_bound > 0
    }

    fn has_factor(&self) -> bool {
        self.device.is_some() || self.has_keys()
    }

    fn has_gone(&self) -> bool {
        self.security.as_ref().is_some_and(|keys| !keys.gone.is_empty())
    }

    fn enabled(&self) -> bool {
        self.profile.as_ref().is_some_and(|profile| profile.console_logon == ConsoleLogon::Enabled)
    }

    /// Whether his own profile says that he must have a factor; the account may say it of all besides.
    fn set_to_require(&self) -> bool {
        self.profile.as_ref().is_some_and(|profile| profile.mfa_bind_required)
    }

    fn reset_required(&self) -> bool {
        self.profile.as_ref().is_some_and(|profile| profile.password_reset_required)
    }

    fn password_changed(&self) -> Option<When> {
        self.profile.as_ref().and_then(|profile| profile.password_changed_at).map(When::from)
    }

    fn password_expires(&self) -> Option<When> {
        self.profile.as_ref().and_then(|profile| profile.password_expires_at).map(When::from)
    }

    fn locked(&self) -> bool {
        self.password_lock.is_some()
            || self.device_lock.is_some()
            || self.key_lock.is_some()
            || self.recovery_lock.is_some()
    }

    fn device_bound(&self) -> Option<When> {
        self.device.as_ref().map(|device| When::from(device.bound_at))
    }

    fn device_last_used(&self) -> Option<When> {
        self.device.as_ref().and_then(|device| device.last_used_at).map(When::from)
    }
}
