//! What a logon waits for next: a pure function of the facts shown and the policy, in one fixed order.

use crate::idle::is_idle;
use crate::passwords::{PasswordState, password_state};
use countersign_model::Timestamp;
use countersign_model::logon::{LogonFacts, LogonState};
use countersign_model::principal::{ConsoleLogon, LoginProfile, PrincipalKind};
use countersign_model::settings::{MfaForLogon, SecuritySettings};
use countersign_store::logons::LogonSubject;

/// The decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// No logon; the reason is for the audit log.
    Refuse(&'static str),
    /// Another step.
    Ask(LogonState),
    /// A session.
    Open,
}

/// Who logs on, and from where.
pub(crate) struct Asker<'a> {
    pub(crate) kind: PrincipalKind,
    pub(crate) subject: &'a LogonSubject,
    pub(crate) address: &'a str,
    pub(crate) now: Timestamp,
}

/// Network masks → profile enabled and in use → password, not run out, or a passkey, where the account allows it → second
/// factor, if one is bound; a passkey that verified its user was both → a new password, if one is due → binding, if a factor
/// is required and none is bound, or the bound one was lost → session.
pub(crate) fn next(facts: &LogonFacts, asker: &Asker<'_>) -> Next {
    let (subject, settings) = (asker.subject, &asker.subject.settings);
    if !admits(asker.kind, &subject.settings, asker.address) {
        return Next::Refuse("network_refused");
    }
    let Some(profile) = &subject.profile else {
        return Next::Refuse("no_login_profile");
    };
    match profile.console_logon {
        ConsoleLogon::Disabled => return Next::Refuse("console_logon_disabled"),
        ConsoleLogon::Enabled => {}
    }
    if asker.kind == PrincipalKind::RamUser
        && is_idle(subject.last_logon_at, profile.enabled_at, settings.max_idle_days_users, asker.now)
    {
        return Next::Refuse("user_idle");
    }
    if facts.passkey_at.is_some() && !may_come_by_passkey(asker.kind, settings) {
        return Next::Refuse("passkey_logon_off");
    }
    if facts.password_at.is_none() && facts.passkey_at.is_none() {
        return Next::Ask(LogonState::Password);
    }
    let password = password_state(asker.kind, profile, &settings.password, asker.now);
    // Whoever came by a passkey has not used the password that ran out.
    if password == PasswordState::Expired && facts.password_at.is_some() && !facts.password_chosen {
        return Next::Refuse("password_expired");
    }
    // A disabled factor counts as bound: logon with it is refused, and never leads to binding.
    if subject.factors.any() && facts.second_factor.is_none() && asks_for_factor(facts, asker) {
        return Next::Ask(LogonState::SecondFactor);
    }
    let due = profile.password_reset_required || password == PasswordState::Due;
    if due && !facts.password_chosen {
        return Next::Ask(LogonState::ChoosePassword);
    }
    if must_bind(facts, asker, profile) {
        return Next::Ask(LogonState::Bind);
    }
    Next::Open
}

/// Whether a principal may log on from an address. The networks of the settings are for RAM users.
pub(crate) fn admits(kind: PrincipalKind, settings: &SecuritySettings, address: &str) -> bool {
    match kind {
        PrincipalKind::Owner => true,
        PrincipalKind::RamUser => settings.logon_networks.admit(address),
    }
}

/// Whether a principal may log on by a passkey alone. The setting is for RAM users.
const fn may_come_by_passkey(kind: PrincipalKind, settings: &SecuritySettings) -> bool {
    match kind {
        PrincipalKind::Owner => true,
        PrincipalKind::RamUser => settings.passkey_logon,
    }
}

/// Whether somebody must have a device: his profile says so, or the account says it of all RAM users.
pub(crate) fn requires_device(kind: PrincipalKind, settings: &SecuritySettings, profile: &LoginProfile) -> bool {
    let by_account = match (kind, settings.mfa_for_logon) {
        (PrincipalKind::RamUser, MfaForLogon::Mandatory) => true,
        (PrincipalKind::RamUser, MfaForLogon::Independent | MfaForLogon::Adaptive) | (PrincipalKind::Owner, _) => false,
    };
    by_account || profile.mfa_bind_required
}

/// Whether the bound device is asked for: always, but for a machine that is remembered, and where only unusual logons are
/// asked.
fn asks_for_factor(facts: &LogonFacts, asker: &Asker<'_>) -> bool {
    if facts.remembered_by.is_some() {
        return false;
    }
    match (asker.kind, asker.subject.settings.mfa_for_logon) {
        (PrincipalKind::RamUser, MfaForLogon::Adaptive) => !facts.unusual.is_empty(),
        (PrincipalKind::RamUser, MfaForLogon::Mandatory | MfaForLogon::Independent) | (PrincipalKind::Owner, _) => true,
    }
}

fn must_bind(facts: &LogonFacts, asker: &Asker<'_>, profile: &LoginProfile) -> bool {
    // Whoever comes by a recovery code has lost his device: a new one takes its place.
    if facts.has_lost_factor() && !facts.device_bound {
        return true;
    }
    if asker.subject.factors.any() {
        return false;
    }
    let settings = &asker.subject.settings;
    let unusual = match (asker.kind, settings.mfa_for_logon) {
        (PrincipalKind::RamUser, MfaForLogon::Adaptive) => !facts.unusual.is_empty(),
        (PrincipalKind::RamUser, MfaForLogon::Mandatory | MfaForLogon::Independent) | (PrincipalKind::Owner, _) => {
            false
        }
    };
    unusual || requires_device(asker.kind, settings, profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::logon::{Method, Unusual};
    use countersign_model::webauthn::Factors;
    use std::sync::Arc;

    const NOON: Timestamp = Timestamp::from_seconds(1_767_268_800);

    fn subject(bound: bool, reset: bool, required: bool) -> LogonSubject {
        LogonSubject {
            principal_epoch: 1,
            name: "alice".into(),
            last_logon_at: None,
            account_epoch: 1,
            alias: "acme".parse().unwrap(),
            settings: Arc::default(),
            profile: Some(LoginProfile {
                console_logon: ConsoleLogon::Enabled,
                password_hash: None,
                password_changed_at: None,
                password_reset_required: reset,
                password_is_initial: false,
                mfa_bind_required: required,
                created_at: NOON,
                enabled_at: NOON,
            }),
            device: None,
            factors: Factors { code: bound, ..Factors::default() },
        }
    }

    fn ask(facts: &LogonFacts, subject: &LogonSubject) -> Next {
        next(facts, &Asker { kind: PrincipalKind::RamUser, subject, address: "192.0.2.7", now: NOON })
    }

    fn after_password() -> LogonFacts {
        LogonFacts { password_at: Some(NOON), ..LogonFacts::default() }
    }

    /// Walks a logon to its end and tells the states it stopped at.
    fn walk(subject: &mut LogonSubject, mut facts: LogonFacts) -> Vec<LogonState> {
        let mut states = Vec::new();
        while let Next::Ask(state) = ask(&facts, subject) {
            assert!(!states.contains(&state), "{state} comes twice");
            states.push(state);
            match state {
                Password => facts.password_at = Some(NOON),
                SecondFactor => facts.second_factor = Some((Method::VirtualMfa, NOON)),
                ChoosePassword => facts.password_chosen = true,
                Bind => {
                    subject.factors.code = true;
                    facts.second_factor = facts.second_factor.or(Some((Method::VirtualMfa, NOON)));
                    facts.device_bound = true;
                }
            }
        }
        assert_eq!(ask(&facts, subject), Next::Open);
        states
    }

    use LogonState::{Bind, ChoosePassword, Password, SecondFactor};

    #[test]
    fn the_order_of_the_steps_is_always_the_same() {
        for (bound, reset, required, expected) in [
            (false, false, false, vec![Password]),
            (false, false, true, vec![Password, Bind]),
            (false, true, false, vec![Password, ChoosePassword]),
            (false, true, true, vec![Password, ChoosePassword, Bind]),
            (true, false, false, vec![Password, SecondFactor]),
            (true, false, true, vec![Password, SecondFactor]),
            (true, true, false, vec![Password, SecondFactor, ChoosePassword]),
            (true, true, true, vec![Password, SecondFactor, ChoosePassword]),
        ] {
            let walked = walk(&mut subject(bound, reset, required), LogonFacts::default());
            assert_eq!(walked, expected, "{bound} {reset} {required}");
        }
    }

    #[test]
    fn c32_the_mfa_policy_for_logon_decides_who_binds_and_who_is_asked() {
        use MfaForLogon::{Adaptive, Independent, Mandatory};
        let usual = LogonFacts::default;
        let unusual = || LogonFacts { unusual: vec![Unusual::NewNetwork], ..LogonFacts::default() };
        for (policy, bound, facts, expected) in [
            (Mandatory, false, usual(), vec![Password, Bind]),
            (Mandatory, true, usual(), vec![Password, SecondFactor]),
            (Independent, false, unusual(), vec![Password]),
            (Independent, true, usual(), vec![Password, SecondFactor]),
            (Adaptive, true, usual(), vec![Password]),
            (Adaptive, true, unusual(), vec![Password, SecondFactor]),
            (Adaptive, false, usual(), vec![Password]),
            (Adaptive, false, unusual(), vec![Password, Bind]),
        ] {
            let mut subject = subject(bound, false, false);
            Arc::make_mut(&mut subject.settings).mfa_for_logon = policy;
            assert_eq!(walk(&mut subject, facts.clone()), expected, "{policy} {bound} {facts:?}");
        }
    }

    #[test]
    fn the_owner_is_not_bound_by_the_policy_for_ram_users() {
        let mut subject = subject(true, false, false);
        Arc::make_mut(&mut subject.settings).mfa_for_logon = MfaForLogon::Adaptive;
        Arc::make_mut(&mut subject.settings).logon_networks = "10.0.0.0/8".parse().unwrap();
        let asker = Asker { kind: PrincipalKind::Owner, subject: &subject, address: "192.0.2.7", now: NOON };
        assert_eq!(next(&after_password(), &asker), Next::Ask(SecondFactor));
    }

    #[test]
    fn c31_a_remembered_machine_skips_the_second_factor_and_nothing_else() {
        let remembered = || LogonFacts { remembered_by: Some("aa".into()), ..LogonFacts::default() };
        assert_eq!(walk(&mut subject(true, false, false), remembered()), [Password]);
        assert_eq!(walk(&mut subject(true, true, false), remembered()), [Password, ChoosePassword]);
        assert_eq!(walk(&mut subject(false, false, true), remembered()), [Password, Bind]);
    }

    #[test]
    fn d03_a_passkey_that_verified_its_user_supplies_two_facts_and_skips_nothing_else() {
        let by_passkey = || LogonFacts {
            passkey_at: Some(NOON),
            second_factor: Some((Method::Passkey, NOON)),
            ..LogonFacts::default()
        };
        let mut has_passkey = subject(false, false, true);
        has_passkey.factors.passkeys = 1;
        assert_eq!(walk(&mut has_passkey.clone(), by_passkey()), []);
        let mut reset_due = LogonSubject { profile: subject(false, true, true).profile, ..has_passkey.clone() };
        assert_eq!(walk(&mut reset_due, by_passkey()), [ChoosePassword]);
        // Without verification it is one factor.
        let one = LogonFacts { second_factor: None, ..by_passkey() };
        assert_eq!(walk(&mut has_passkey.clone(), one), [SecondFactor]);
        Arc::make_mut(&mut has_passkey.settings).passkey_logon = false;
        assert_eq!(ask(&by_passkey(), &has_passkey), Next::Refuse("passkey_logon_off"));
        assert_eq!(walk(&mut has_passkey, LogonFacts::default()), [Password, SecondFactor]);
    }

    #[test]
    fn d03_a_password_that_ran_out_does_not_refuse_a_passkey() {
        let mut subject = subject(false, false, false);
        subject.factors.passkeys = 1;
        Arc::make_mut(&mut subject.settings).password.max_age_days = 30;
        Arc::make_mut(&mut subject.settings).password.hard_expire = true;
        let changed = NOON.minus(std::time::Duration::from_hours(24 * 30));
        subject.profile.as_mut().unwrap().password_changed_at = Some(changed);
        let second_factor = Some((Method::Passkey, NOON));
        let facts = LogonFacts { passkey_at: Some(NOON), second_factor, ..LogonFacts::default() };
        assert_eq!(ask(&facts, &subject), Next::Open);
        assert_eq!(ask(&LogonFacts { second_factor, ..after_password() }, &subject), Next::Refuse("password_expired"));
    }

    #[test]
    fn attack_044_a_passkey_alone_is_asked_for_after_the_password() {
        let mut subject = subject(false, false, true);
        subject.factors.passkeys = 1;
        assert_eq!(ask(&after_password(), &subject), Next::Ask(SecondFactor));
        subject.factors = Factors { security_keys: 1, ..Factors::default() };
        assert_eq!(ask(&after_password(), &subject), Next::Ask(SecondFactor));
    }

    #[test]
    fn x13_a_recovery_code_leads_to_a_new_device() {
        let recovered = LogonFacts { second_factor: Some((Method::RecoveryCode, NOON)), ..after_password() };
        assert_eq!(walk(&mut subject(true, false, false), recovered.clone()), [Bind]);
        assert_eq!(walk(&mut subject(true, true, false), recovered), [ChoosePassword, Bind]);
    }

    #[test]
    fn c32_a_password_that_ran_out_is_changed_or_refused() {
        let mut subject = subject(false, false, false);
        Arc::make_mut(&mut subject.settings).password.max_age_days = 30;
        let profile = subject.profile.as_mut().unwrap();
        profile.password_changed_at = Some(NOON.minus(std::time::Duration::from_hours(24 * 30)));
        assert_eq!(ask(&after_password(), &subject), Next::Ask(ChoosePassword));
        let chosen = LogonFacts { password_chosen: true, ..after_password() };
        assert_eq!(ask(&chosen, &subject), Next::Open);
        Arc::make_mut(&mut subject.settings).password.hard_expire = true;
        assert_eq!(ask(&after_password(), &subject), Next::Refuse("password_expired"));
        assert_eq!(ask(&LogonFacts::default(), &subject), Next::Ask(Password), "told only after the password");
    }

    #[test]
    fn c32_whoever_lay_idle_for_too_long_is_refused() {
        let mut subject = subject(false, false, false);
        subject.profile.as_mut().unwrap().enabled_at = NOON.minus(std::time::Duration::from_hours(24 * 731));
        assert_eq!(ask(&after_password(), &subject), Next::Refuse("user_idle"));
        subject.last_logon_at = Some(NOON.minus(std::time::Duration::from_hours(24 * 729)));
        assert_eq!(ask(&after_password(), &subject), Next::Open);
    }

    #[test]
    fn attack_047_networks_are_judged_before_anything_else() {
        let mut subject = subject(true, true, true);
        Arc::make_mut(&mut subject.settings).logon_networks = "10.0.0.0/8".parse().unwrap();
        subject.profile = None;
        for address in ["192.0.2.7", "", "not an address", "::1"] {
            let asker = Asker { kind: PrincipalKind::RamUser, subject: &subject, address, now: NOON };
            assert_eq!(next(&after_password(), &asker), Next::Refuse("network_refused"), "{address}");
        }
    }

    #[test]
    fn c38_a_disabled_profile_is_refused_whatever_was_shown() {
        let mut disabled = subject(false, false, false);
        disabled.profile.as_mut().unwrap().console_logon = ConsoleLogon::Disabled;
        assert_eq!(ask(&after_password(), &disabled), Next::Refuse("console_logon_disabled"));
        disabled.profile = None;
        assert_eq!(ask(&after_password(), &disabled), Next::Refuse("no_login_profile"));
    }
}
