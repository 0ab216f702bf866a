//! RAM > Overview: how well the account is protected at a glance, and what to do next.

use super::audit_rows::actor_name;
use super::ram_asker::{Asker, grouped, user_path};
use super::ram_findings;
use crate::answer::{page, see};
use crate::fields::AddressQuery;
use crate::frame::{Frame, Place, When};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::Role;
use countersign_core::overview::Overview;
use countersign_model::audit::{AuditEvent, Outcome};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "ram_overview.html")]
struct Page {
    t: Words,
    frame: Frame,
    findings: Vec<ram_findings::Line>,
    open_findings: i64,
    has_users: bool,
    tiles: Vec<Tile>,
    advice: Vec<Advice>,
    administrators: Vec<Administrator>,
    events: Vec<Event>,
    owner_protected: bool,
    is_owner: bool,
    alias: String,
    account_id: String,
    logon_link: String,
}

/// One number of the posture.
struct Tile {
    label: String,
    value: String,
    /// Of how many.
    of: String,
    /// What its bar shows in a thousand parts.
    part: i64,
    /// The bar's colour.
    colour: &'static str,
    note: String,
    path: &'static str,
}

/// Something to do, the most urgent first.
struct Advice {
    title: String,
    note: String,
    urgent: bool,
    /// Where it is done; nothing if the reader cannot.
    link: Option<(&'static str, String)>,
}

struct Administrator {
    path: String,
    name: String,
    display_name: String,
    bound: bool,
}

struct Event {
    at: When,
    who: String,
    what: String,
    on_whom: String,
    address: String,
    refused: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    done: String,
}

/// `GET /ram`: to the first page that is the reader's to see.
pub(crate) async fn show_first(asker: Asker) -> Response {
    let frame = asker.frame(Place::Elsewhere, "/ram".to_owned());
    see(frame.viewer.as_ref().map_or("/ram/overview", |viewer| viewer.ram_path()))
}

/// `GET /ram/overview`.
pub(crate) async fn show(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    let overview = match asker.console.core.overview(asker.actor(), asker.origin()).await {
        Ok(overview) => overview,
        Err(error) => return asker.failure(error),
    };
    let words = &asker.visitor.words;
    let session = asker.actor().session();
    let numbers = Numbers::from(&overview);
    let is_owner = asker.actor().role() == Role::Owner;
    let template = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamOverview, "/ram/overview".to_owned()).with_done(Some(&query.done)),
        findings: overview.findings.iter().map(|line| ram_findings::told(words, line)).collect(),
        open_findings: overview.open_findings,
        has_users: numbers.users > 0,
        tiles: tiles(words, &numbers),
        advice: advice(words, &numbers, is_owner),
        events: overview.events.iter().map(|event| told(words, event)).collect(),
        owner_protected: overview.owner_protected,
        administrators: overview
            .administrators
            .into_iter()
            .map(|line| Administrator {
                path: user_path(&line.name),
                bound: line.mfa_bound,
                name: line.name,
                display_name: line.display_name,
            })
            .collect(),
        is_owner,
        alias: session.alias.to_string(),
        account_id: session.session.account_id.to_string(),
        logon_link: asker.logon_link(),
    };
    page(StatusCode::OK, &template)
}

/// What tiles and advice are made from.
#[derive(Default)]
struct Numbers {
    users: i64,
    console_users: i64,
    protected: i64,
    required_unbound: i64,
    /// Console users with neither a device nor the duty to bind one.
    unprotected: i64,
    never_logged_on: i64,
    administrators: i64,
    bare_administrators: i64,
    owner_protected: bool,
    owner_access_keys: i64,
}

impl From<&Overview> for Numbers {
    fn from(overview: &Overview) -> Self {
        let posture = overview.posture;
        let count = |bare_only: bool| {
            let counted = overview.administrators.iter().filter(|line| !bare_only || !line.mfa_bound).count();
            i64::try_from(counted).unwrap_or(i64::MAX)
        };
        Self {
            users: posture.users,
            console_users: posture.console_users,
            protected: posture.protected,
            required_unbound: posture.required_unbound,
            unprotected: posture.console_users - posture.protected - posture.required_unbound,
            never_logged_on: posture.never_logged_on,
            administrators: count(false),
            bare_administrators: count(true),
            owner_protected: overview.owner_protected,
            owner_access_keys: overview.owner_access_keys,
        }
    }
}

fn tiles(words: &Words, numbers: &Numbers) -> Vec<Tile> {
    let all = numbers.console_users;
    let rows = [
        ("ram-tile-protected", numbers.protected, "protected", "/ram/users?mfa=bound"),
        ("ram-tile-required-unbound", numbers.required_unbound, "attention", "/ram/users?mfa=required-unbound"),
        ("ram-tile-without", numbers.unprotected, "danger", "/ram/users?mfa=not-attached"),
        ("ram-tile-never", numbers.never_logged_on, "accent", "/ram/users"),
    ];
    let tile = |(key, number, colour, path)| Tile {
        label: words.s(key),
        value: grouped(number),
        of: words.with("ram-tile-of", "total", grouped(all)),
        part: number * 1_000 / all.max(1),
        colour,
        note: words.s(&format!("{key}-note")),
        path,
    };
    rows.into_iter().map(tile).collect()
}

fn advice(words: &Words, numbers: &Numbers, is_owner: bool) -> Vec<Advice> {
    let mut list = Vec::new();
    let mut add = |number: i64, key: &str, urgent: bool, link: Option<(&'static str, &str)>| {
        if number > 0 {
            list.push(Advice {
                title: words.count(key, number),
                note: words.s(&format!("{key}-note")),
                urgent,
                link: link.map(|(path, label)| (path, words.s(label))),
            });
        }
    };
    let bind = is_owner.then_some(("/account/security", "ram-advice-bind-now"));
    let users = |path| Some((path, "ram-show-users"));
    let no_administrator = numbers.users > 0 && numbers.administrators == 0;
    add(i64::from(!numbers.owner_protected), "ram-advice-owner", true, bind);
    let keys = is_owner.then_some(("/account/security/access-keys", "keys-manage"));
    add(i64::from(numbers.owner_access_keys > 0), "ram-advice-owner-key", false, keys);
    add(numbers.bare_administrators, "ram-advice-administrators", true, users("/ram/users?mfa=not-attached"));
    add(numbers.unprotected, "ram-advice-require", true, users("/ram/users?mfa=not-attached"));
    add(numbers.required_unbound, "ram-advice-unbound", false, users("/ram/users?mfa=required-unbound"));
    add(
        i64::from(no_administrator),
        "ram-advice-no-administrator",
        false,
        Some(("/ram/create-user", "ram-create-user")),
    );
    add(numbers.never_logged_on, "ram-advice-never", false, users("/ram/users"));
    list
}

fn told(words: &Words, event: &AuditEvent) -> Event {
    Event {
        at: event.at.into(),
        who: actor_name(words, event),
        what: event_key(&event.action).map_or_else(|| event.action.clone(), |key| words.s(&key)),
        on_whom: event.target.clone(),
        address: event.address.clone(),
        refused: event.outcome == Outcome::Refused,
    }
}

/// What the audit log names that has words of its own.
pub(super) const EVENTS: &[&str] = &[
    "ConsoleSignin",
    "ConsoleSignout",
    "CreateRecoveryCodes",
    "UseRecoveryCode",
    "StartKeyBinding",
    "ForgetReplayedMachine",
    "EndSessions",
    "EndUserSessions",
    "VerifyIdentity",
    "GetOwnSecurity",
    "ChangePassword",
    "CreateVirtualMFADevice",
    "BindMFADevice",
    "UnbindMFADevice",
    "GetAccount",
    "GetAccountSummary",
    "ListUsers",
    "GetUser",
    "CreateUser",
    "UpdateUser",
    "DeleteUser",
    "UpdateLoginProfile",
    "UnlockUser",
    "AttachPolicyToUser",
    "DetachPolicyFromUser",
    "AttachPolicyToGroup",
    "DetachPolicyFromGroup",
    "ListPoliciesForUser",
    "ListPoliciesForGroup",
    "ListEntitiesForPolicy",
    "ListPolicies",
    "GetPolicy",
    "CreatePolicy",
    "DeletePolicy",
    "ListPolicyVersions",
    "GetPolicyVersion",
    "CreatePolicyVersion",
    "SetDefaultPolicyVersion",
    "DeletePolicyVersion",
    "UpdatePolicyDescription",
    "ListGroups",
    "GetGroup",
    "CreateGroup",
    "UpdateGroup",
    "DeleteGroup",
    "AddUserToGroup",
    "RemoveUserFromGroup",
    "ListUsersForGroup",
    "ListGroupsForUser",
    "GetSecurityPreference",
    "SetSecurityPreference",
    "ListAuditEvents",
    "ExportAuditEvents",
    "GetOwnHistory",
    "TrimAuditLog",
    "SetPasswordPolicy",
    "DisableIdleUser",
    "ListAccessKeys",
    "CreateAccessKey",
    "UpdateAccessKey",
    "DeleteAccessKey",
    "GetAccessKeyLastUsed",
    "DisableIdleAccessKey",
    "ListUserBasicInfos",
    "GetUserMFAInfo",
    "GetAccountMFAInfo",
    "ListVirtualMFADevices",
    "DeleteVirtualMFADevice",
    "DisableVirtualMFA",
    "CreateLoginProfile",
    "GetLoginProfile",
    "DeleteLoginProfile",
    "GetPasswordPolicy",
    "GetVerificationInfo",
    "SetVerificationInfo",
    "UnbindVerification",
    "ListPasskeys",
    "UpdatePasskey",
    "DeletePasskey",
    "GetAccountAlias",
    "SetAccountAlias",
    "ClearAccountAlias",
    "GetDefaultDomain",
    "SetDefaultDomain",
    "GetAccountSecurityPracticeReport",
    "GenerateCredentialReport",
    "GetCredentialReport",
    "SpareIdleUser",
    "CreateAccount",
    "DisownNotice",
    "ListFindings",
    "SettleFinding",
    "ListAccounts",
    "ResetOwnerMFADevice",
    "ResetOwnerPassword",
    "RestoreInstallation",
    "RotateKeys",
    "ResetClock",
];

pub(super) fn event_key(action: &str) -> Option<String> {
    EVENTS.contains(&action).then(|| format!("ram-event-{action}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use countersign_core::authorise::Action;
    use std::sync::Arc;

    #[test]
    fn every_action_has_words() {
        let locales = Arc::new(Locales::load());
        for language in [Language::English, Language::Chinese] {
            let words = Words::new(Arc::clone(&locales), language);
            let codes = Action::ALL.iter().map(|action| action.code()).chain(EVENTS.iter().copied());
            for code in codes {
                let key = event_key(code).unwrap_or_else(|| panic!("{code} has no words"));
                assert_ne!(words.s(&key), key);
            }
        }
    }

    #[test]
    fn every_tile_and_every_advice_has_words() {
        let locales = Arc::new(Locales::load());
        for language in [Language::English, Language::Chinese] {
            let words = Words::new(Arc::clone(&locales), language);
            let one_each = Numbers {
                users: 1,
                console_users: 4,
                protected: 1,
                required_unbound: 1,
                unprotected: 1,
                never_logged_on: 1,
                bare_administrators: 1,
                owner_access_keys: 1,
                ..Numbers::default()
            };
            for tile in tiles(&words, &one_each) {
                assert!(!tile.label.starts_with("ram-") && !tile.note.starts_with("ram-"));
            }
            assert_eq!(advice(&words, &one_each, true).len(), 7);
            for item in advice(&words, &one_each, true) {
                assert!(!item.title.starts_with("ram-") && !item.note.starts_with("ram-"), "{}", item.title);
            }
        }
    }
}
