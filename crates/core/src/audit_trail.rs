//! An entry of the audit log in the shape of an event of `ActionTrail`, as programs read it that were written for the cloud's
//! log: what somebody did or was refused by a signed call or in the console, and every logon to it.
//!
//! Nothing is made up. What an entry does not tell is left out, and entries that nobody of the account caused (the operator's,
//! the server's own) have no such shape. Names of actions and services and the places of the fields are the cloud's; what it
//! has no name for keeps ours. `docs/operators/audit.md` tells the source of every field.

use crate::actor::PARAMETER;
use crate::authorise::Action;
use crate::logon::SIGN_IN;
use crate::ram::words;
use countersign_model::Timestamp;
use countersign_model::access_key::ApiService;
use countersign_model::audit::{ActorKind, Outcome};
use countersign_model::logon::Method;
use countersign_model::principal::PrincipalKind;
use countersign_store::audit_chain::StoredEntry;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of the format.
const VERSION: u32 = 1;
/// What serves the account owner in the cloud.
const OF_OWNERS: &str = "AasCustomer";
/// What logs RAM users on in the cloud, and from where it tells of it.
const OF_USERS: (&str, &str) = ("AasSub", "signin.aliyun.com");

/// An event, one line of an export.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailEvent<'a> {
    event_id: &'a str,
    event_version: u32,
    event_type: EventType,
    event_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source: Option<&'static str>,
    service_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<&'a str>,
    event_time: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    source_ip_address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    user_agent: &'a str,
    user_identity: UserIdentity<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_parameters: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    resource_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_event_data: Option<LogonData<'a>>,
}

/// What kind of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum EventType {
    /// A signed call.
    ApiCall,
    /// Something done by the pages.
    ConsoleOperation,
    /// A logon, or one that was refused.
    ConsoleSignin,
    /// The end of a session by its user.
    ConsoleSignout,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentity<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    principal_id: &'a str,
    account_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    user_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_context: Option<SessionContext>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct SessionContext {
    attributes: SessionAttributes,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionAttributes {
    mfa_authenticated: &'static str,
}

/// What a logon tells besides. The cloud has other names for owners than for RAM users.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum LogonData<'a> {
    #[serde(rename_all = "camelCase")]
    Owner {
        login_account: &'a str,
        #[serde(rename = "isMFAChecked")]
        is_mfa_checked: &'static str,
    },
    #[serde(rename_all = "camelCase")]
    RamUser { mfa_checked: &'static str },
}

impl<'a> TrailEvent<'a> {
    /// The event that an entry is, if it is one of somebody of the account.
    #[must_use]
    pub fn of(entry: &'a StoredEntry) -> Option<Self> {
        let actor: ActorKind = entry.actor_kind.parse().ok()?;
        let told = Told(&entry.details);
        let who = match actor {
            ActorKind::Operator | ActorKind::System | ActorKind::Anonymous => return None,
            ActorKind::Owner => Some(PrincipalKind::Owner),
            ActorKind::RamUser => Some(PrincipalKind::RamUser),
            ActorKind::Logon => told.value("as").and_then(|kind| kind.parse().ok()),
        };
        let event_type = event_type(&entry.action, told);
        let (service_name, event_source) = service(entry, event_type, who, told);
        let failure = failure(entry, event_type, told);
        Some(Self {
            event_id: &entry.event_id,
            event_version: VERSION,
            event_type,
            event_name: name(entry, event_type, who, told),
            event_source,
            service_name,
            api_version: told.value("api_version"),
            event_time: Timestamp::from_micros(entry.at).to_rfc3339(),
            source_ip_address: &entry.address,
            user_agent: &entry.user_agent,
            user_identity: identity(entry, who, told),
            request_id: told.value("request"),
            request_parameters: told.parameters(),
            resource_name: &entry.target,
            error_code: failure.as_ref().map(|(code, _)| *code),
            error_message: failure.map(|(_, message)| message),
            additional_event_data: who.filter(|_| event_type == EventType::ConsoleSignin).map(|who| logon(entry, who)),
        })
    }
}

fn event_type(action: &str, told: Told<'_>) -> EventType {
    if action == SIGN_IN {
        EventType::ConsoleSignin
    } else if action == Action::LogOff.code() {
        EventType::ConsoleSignout
    } else if told.value("access_key").is_some() {
        EventType::ApiCall
    } else {
        EventType::ConsoleOperation
    }
}

/// What an owner does about himself in the Account Center, as the cloud calls it.
fn of_account_center(entry: &StoredEntry, event_type: EventType, who: Option<PrincipalKind>) -> Option<&'static str> {
    if event_type != EventType::ConsoleOperation || who != Some(PrincipalKind::Owner) || !entry.target.is_empty() {
        return None;
    }
    let of = |action: Action| entry.action == action.code();
    if of(Action::BindOwnMfa) {
        Some("MFABind")
    } else if of(Action::UnbindOwnMfa) {
        Some("MFAUnbind")
    } else if of(Action::ChangeOwnPassword) {
        Some("PasswordModify")
    } else {
        None
    }
}

fn name<'a>(entry: &'a StoredEntry, event_type: EventType, who: Option<PrincipalKind>, told: Told<'a>) -> &'a str {
    let asked_for = told.value("call").filter(|_| event_type == EventType::ApiCall);
    asked_for.or(of_account_center(entry, event_type, who)).unwrap_or(&entry.action)
}

/// The service, and the source where the cloud's is known.
fn service(
    entry: &StoredEntry,
    event_type: EventType,
    who: Option<PrincipalKind>,
    told: Told<'_>,
) -> (&'static str, Option<&'static str>) {
    match (event_type, who) {
        (EventType::ConsoleSignin | EventType::ConsoleSignout, Some(PrincipalKind::Owner)) => (OF_OWNERS, None),
        (EventType::ConsoleSignin, Some(PrincipalKind::RamUser) | None) => (OF_USERS.0, Some(OF_USERS.1)),
        (EventType::ConsoleSignout, Some(PrincipalKind::RamUser) | None) => (OF_USERS.0, None),
        (EventType::ApiCall, _) => match told.value("api").and_then(|api| api.parse().ok()) {
            Some(ApiService::Ram) => (ApiService::Ram.as_str(), Some("ram.aliyuncs.com")),
            Some(ApiService::Ims) => (ApiService::Ims.as_str(), Some("ims.aliyuncs.com")),
            Some(ApiService::Sts) => (ApiService::Sts.as_str(), Some("sts.aliyuncs.com")),
            None => (ApiService::Ram.as_str(), None),
        },
        (EventType::ConsoleOperation, _) if of_account_center(entry, event_type, who).is_some() => (OF_OWNERS, None),
        (EventType::ConsoleOperation, _) => (ApiService::Ram.as_str(), None),
    }
}

fn identity<'a>(entry: &'a StoredEntry, who: Option<PrincipalKind>, told: Told<'a>) -> UserIdentity<'a> {
    // The name of a logon has the account behind it.
    let user = entry.actor_name.split_once('@').map_or(entry.actor_name.as_str(), |(user, _)| user);
    let (kind, principal_id, user_name) = match who {
        Some(PrincipalKind::Owner) => (Some("root-account"), entry.account_id.as_str(), "root"),
        Some(PrincipalKind::RamUser) => (Some("ram-user"), entry.actor_id.as_str(), user),
        None => (None, entry.actor_id.as_str(), entry.actor_name.as_str()),
    };
    let session_context = told.value("mfa").map(|mfa| {
        let mfa_authenticated = truth(mfa == "yes");
        SessionContext { attributes: SessionAttributes { mfa_authenticated } }
    });
    UserIdentity {
        kind,
        principal_id,
        account_id: &entry.account_id,
        user_name,
        access_key_id: told.value("access_key"),
        session_context,
    }
}

fn logon(entry: &StoredEntry, who: PrincipalKind) -> LogonData<'_> {
    // The reason of a success names what was shown. Who was refused has shown nothing that counts.
    let is_second = |word: &str| word.parse().is_ok_and(Method::is_second_factor);
    let checked = is_success(entry) && entry.reason.split('+').any(is_second);
    match who {
        PrincipalKind::Owner => LogonData::Owner { login_account: &entry.actor_name, is_mfa_checked: truth(checked) },
        PrincipalKind::RamUser => LogonData::RamUser { mfa_checked: truth(checked) },
    }
}

/// Why it was refused, as a code and in words.
fn failure<'a>(entry: &'a StoredEntry, event_type: EventType, told: Told<'a>) -> Option<(&'a str, String)> {
    if is_success(entry) {
        return None;
    }
    let code = told.value("refusal").unwrap_or(&entry.reason);
    Some(match event_type {
        EventType::ApiCall => {
            let code = words::told(code);
            (code, words::message_of(code))
        }
        // Who logs on is told nothing of why; the log knows.
        EventType::ConsoleSignin | EventType::ConsoleSignout | EventType::ConsoleOperation => {
            (code, entry.reason.clone())
        }
    })
}

fn is_success(entry: &StoredEntry) -> bool {
    entry.outcome == Outcome::Success.as_str()
}

const fn truth(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

/// The details of an entry.
#[derive(Clone, Copy)]
struct Told<'a>(&'a str);

impl<'a> Told<'a> {
    fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.split(';').filter_map(|pair| pair.split_once('='))
    }

    fn value(self, wanted: &str) -> Option<&'a str> {
        self.pairs().find(|(key, _)| *key == wanted).map(|(_, value)| value)
    }

    fn parameters(self) -> BTreeMap<&'a str, &'a str> {
        self.pairs().filter_map(|(key, value)| Some((key.strip_prefix(PARAMETER)?, value))).collect()
    }
}

#[cfg(test)]
mod tests;
