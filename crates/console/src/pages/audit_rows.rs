//! Entries of the audit log as people read them: who did what on whom, how it ended and why, from where, in words.

use super::ram_overview::event_key;
use crate::frame::When;
use crate::locales::Words;
use countersign_core::{Conflict, Limit};
use countersign_model::audit::{ActorKind, AuditEvent, Outcome};

/// An entry as a line of a table.
pub(crate) struct Row {
    pub(crate) at: When,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) on_whom: String,
    pub(crate) refused: bool,
    /// Why it was refused, or how it was done.
    pub(crate) why: String,
    /// What was unusual about a logon.
    pub(crate) notes: Vec<String>,
    pub(crate) address: String,
    pub(crate) browser: String,
    /// What else the entry tells: name and value.
    pub(crate) more: Vec<(String, String)>,
}

/// Reasons that have words of their own, beside limits and conflicts, which all have. Others are shown as they are.
const REASONS: &[&str] = &[
    "EntityAlreadyExists.Group",
    "EntityAlreadyExists.Group.Policy",
    "EntityAlreadyExists.Policy",
    "EntityAlreadyExists.User.Group",
    "EntityAlreadyExists.User.Policy",
    "EntityNotExist.Group",
    "EntityNotExist.Group.Policy",
    "EntityNotExist.Policy",
    "EntityNotExist.Policy.Version",
    "EntityNotExist.User.Group",
    "EntityNotExist.User.Policy",
    "InvalidParameter.VersionId.Format",
    "outranked",
    "too_many_to_compare",
    "BindingOver",
    "EntityAlreadyExists.AccountAlias",
    "EntityAlreadyExists.Email",
    "EntityAlreadyExists.User",
    "EntityAlreadyExists.User.MFADevice",
    "EntityNotExist.Account",
    "EntityNotExist.Finding",
    "EntityNotExist.Session",
    "EntityNotExist.User",
    "EntityNotExist.User.LoginProfile",
    "EntityNotExist.User.MFADevice",
    "InvalidParameter.Confirmation",
    "InvalidParameter.LoginNetworkMasks.OwnAddress",
    "InvalidParameter.NewPassword.ReusePrevention",
    "InvalidParameter.NewPassword.UsedBefore",
    "InvalidParameter.OldPassword.Incorrect",
    "InvalidParameter.Password.TooWeak",
    "NoPermission",
    "NotLoggedOn",
    "NoticeOver",
    "OperationConflict.MFARequired",
    "OperationConflict.NoAdministratorPath",
    "OperationConflict.Oneself",
    "OperationConflict.SettingsChanged",
    "ProofOver",
    "Throttling.Binding",
    "at_logon",
    "binding_expired",
    "binding_started_elsewhere",
    "by_link",
    "clock_ran_ahead",
    "code_malformed",
    "code_out_of_window",
    "code_wrong",
    "counter_went_back",
    "counter_overtaken",
    "backup_eligibility_changed",
    "signature_wrong",
    "user_not_verified",
    "user_not_present",
    "credential_unknown",
    "credential_of_another_principal",
    "credential_taken",
    "ceremony_unknown",
    "wrong_origin",
    "wrong_rp_id",
    "cross_origin",
    "not_a_passkey",
    "wrong_user_handle",
    "passkey_logon_off",
    "attestation_missing",
    "aaguid_not_allowed",
    "aaguid_denied",
    "key_disowned",
    "key_restored",
    "passkey_of_another",
    "not_device_bound",
    "factor_paused",
    "factor_disabled",
    "InvalidParameter.PasskeyName.Length",
    "InvalidParameter.PasskeyName.InvalidChars",
    "EntityNotExist.User.Passkey",
    "LimitExceeded.SecurityKey",
    "OperationConflict.MFADeviceType",
    "CeremonyOver",
    "proof_required",
    "key_name_taken",
    "proof_by_another_way",
    "challenge_of_another_proof",
    "ceremony_of_another_purpose",
    "ceremony_of_another_subject",
    "response_malformed",
    "cbor_malformed",
    "authenticator_data_malformed",
    "wrong_ceremony",
    "wrong_challenge",
    "backup_flags_contradict",
    "algorithm_not_offered",
    "public_key_malformed",
    "wrong_credential",
    "attestation_malformed",
    "attestation_wrong",
    "codes_not_consecutive",
    "console_logon_disabled",
    "device_not_bound",
    "kept_long_enough",
    "link_used",
    "logon_expired",
    "logon_finished_elsewhere",
    "logon_out_of_turn",
    "logon_superseded",
    "logon_unknown",
    "machine_used_elsewhere",
    "network_exhausted",
    "network_refused",
    "no_login_profile",
    "no_pending_device",
    "otp_replay",
    "password_expired",
    "password_wrong",
    "recovery_code_malformed",
    "recovery_code_wrong",
    "seed_does_not_open",
    "session_expired",
    "session_idle",
    "session_superseded",
    "unknown_name",
    "user_idle",
];

/// The ways to prove who one is that have words.
const METHODS: &[&str] =
    &["password", "virtual-mfa", "security-key", "passkey", "email", "phone", "recovery-code", "remembered-machine"];

/// What can be unusual about a logon.
const UNUSUAL: &[&str] = &["new-browser", "new-network", "after-failures"];

impl Row {
    pub(crate) fn new(words: &Words, event: &AuditEvent) -> Self {
        Self {
            at: event.at.into(),
            who: actor_name(words, event),
            what: event_key(&event.action).map_or_else(|| event.action.clone(), |key| words.s(&key)),
            on_whom: event.target.clone(),
            refused: event.outcome == Outcome::Refused,
            why: why(words, event),
            notes: notes(words, &event.details),
            address: event.address.clone(),
            browser: browser(&event.user_agent),
            more: more(words, event),
        }
    }
}

/// The name of who acted, or a word for who has none.
pub(super) fn actor_name(words: &Words, event: &AuditEvent) -> String {
    match event.actor.kind {
        ActorKind::Operator => words.s("ram-actor-operator"),
        ActorKind::System => words.s("ram-actor-system"),
        ActorKind::Anonymous | ActorKind::Logon | ActorKind::Owner | ActorKind::RamUser => event.actor.name.clone(),
    }
}

fn why(words: &Words, event: &AuditEvent) -> String {
    let reason = event.reason.as_str();
    if event.action == "ConsoleSignin" && event.outcome == Outcome::Success {
        let method =
            |word: &str| known(METHODS, word).map_or_else(|| word.to_owned(), |word| words.s(&method_key(word)));
        return reason.split('+').map(method).collect::<Vec<_>>().join(" + ");
    }
    if reasons().any(|known| known == reason) { words.s(&reason_key(reason)) } else { reason.to_owned() }
}

/// All reasons that have words.
fn reasons() -> impl Iterator<Item = &'static str> {
    let limits = Limit::ALL.iter().map(|limit| limit.code());
    let conflicts = Conflict::ALL.iter().map(|conflict| conflict.code());
    REASONS.iter().copied().chain(limits).chain(conflicts)
}

fn notes(words: &Words, details: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for (key, value) in pairs(details) {
        match (key, value) {
            ("unusual", several) => {
                let said = several.split(',').filter_map(|word| known(UNUSUAL, word));
                notes.extend(said.map(|word| words.s(&unusual_key(word))));
            }
            ("remembered", "yes") => notes.push(words.s("audit-remembered")),
            (_, _) => {}
        }
    }
    notes
}

fn more(words: &Words, event: &AuditEvent) -> Vec<(String, String)> {
    let told = [
        ("audit-time", event.at.to_rfc3339_micros()),
        ("audit-event-code", event.action.clone()),
        ("audit-reason-code", event.reason.clone()),
        ("audit-browser", event.user_agent.clone()),
        ("audit-actor-id", event.actor.id.clone()),
        ("audit-event-id", event.id.to_string()),
    ];
    let told = told.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (words.s(key), value));
    told.chain(pairs(&event.details).map(|(key, value)| (key.to_owned(), value.to_owned()))).collect()
}

/// The `key=value` words of an entry's details.
fn pairs(details: &str) -> impl Iterator<Item = (&str, &str)> {
    details.split(';').filter_map(|pair| pair.split_once('='))
}

fn known<'a>(list: &'a [&'a str], word: &str) -> Option<&'a str> {
    list.iter().find(|known| **known == word).copied()
}

fn reason_key(reason: &str) -> String {
    format!("reason-{}", reason.replace('.', "-"))
}

fn method_key(method: &str) -> String {
    format!("method-{method}")
}

fn unusual_key(unusual: &str) -> String {
    format!("unusual-{unusual}")
}

/// The browser and the system out of what a program calls itself, as far as they are well known. It is what the program
/// says, and so for orientation only.
fn browser(user_agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    // Most name their forerunners, too.
    let program = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} · {system}"),
        (Some(program), None) => program.to_owned(),
        (None, _) => user_agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use countersign_model::Timestamp;
    use countersign_model::audit::AuditActor;
    use countersign_model::entropy::OsEntropy;
    use countersign_model::ids::{AccountId, EventId};
    use countersign_model::logon::Method;
    use std::sync::Arc;

    fn words(language: Language) -> Words {
        Words::new(Arc::new(Locales::load()), language)
    }

    fn event(action: &str, outcome: Outcome, reason: &str, details: &str) -> AuditEvent {
        let at = Timestamp::from_seconds(1_800_000_000);
        AuditEvent {
            account_id: AccountId::generate(&OsEntropy),
            id: EventId::at(at, &OsEntropy),
            at,
            actor: AuditActor { kind: ActorKind::RamUser, id: "1".to_owned(), name: "alice".to_owned() },
            action: action.to_owned(),
            target: String::new(),
            outcome,
            reason: reason.to_owned(),
            details: details.to_owned(),
            address: "192.0.2.7".to_owned(),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
        }
    }

    #[test]
    fn every_reason_method_and_note_has_words() {
        for language in [Language::English, Language::Chinese] {
            let words = words(language);
            let keys = reasons().map(reason_key);
            let keys = keys.chain(METHODS.iter().map(|method| method_key(method)));
            for key in keys.chain(UNUSUAL.iter().map(|unusual| unusual_key(unusual))) {
                assert_ne!(words.s(&key), key);
            }
        }
        assert!(Method::ALL.iter().all(|method| known(METHODS, method.as_str()).is_some()));
    }

    #[test]
    fn a_logon_tells_its_methods_and_what_was_unusual() {
        let details = "unusual=new-browser,new-network;remembered=yes;";
        let row = Row::new(
            &words(Language::English),
            &event("ConsoleSignin", Outcome::Success, "password+virtual-mfa", details),
        );
        assert_eq!(row.why, "Password + Virtual MFA");
        assert_eq!(row.notes, ["New browser", "New network", "Remembered machine"]);
        assert_eq!(row.browser, "Firefox · Linux");
        let row = Row::new(&words(Language::Chinese), &event("ConsoleSignin", Outcome::Refused, "password_wrong", ""));
        assert_eq!((row.why.as_str(), row.notes.len(), row.refused), ("密码错误", 0, true));
    }

    #[test]
    fn what_has_no_words_is_shown_as_it_is() {
        let row =
            Row::new(&words(Language::English), &event("NewThing", Outcome::Refused, "new_reason", "a=b;unusual=?;"));
        assert_eq!((row.what.as_str(), row.why.as_str(), row.notes.len()), ("NewThing", "new_reason", 0));
        assert!(row.more.contains(&("a".to_owned(), "b".to_owned())));
        assert_eq!(browser("curl/8"), "curl/8");
        assert_eq!(browser(&"x".repeat(99)).len(), 40);
    }
}
