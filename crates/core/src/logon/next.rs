//! What a logon waits for next: a pure function of the facts shown and the policy, in one fixed order.

use countersign_model::logon::{LogonFacts, LogonState};
use countersign_model::principal::ConsoleLogon;
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

/// Profile enabled → password → second factor, if one is bound → a new password, if one is due → binding, if a device is
/// required and none is bound → session.
pub(crate) fn next(facts: &LogonFacts, subject: &LogonSubject) -> Next {
    let Some(profile) = &subject.profile else {
        return Next::Refuse("no_login_profile");
    };
    match profile.console_logon {
        ConsoleLogon::Disabled => return Next::Refuse("console_logon_disabled"),
        ConsoleLogon::Enabled => {}
    }
    if facts.password_at.is_none() {
        return Next::Ask(LogonState::Password);
    }
    // A disabled factor counts as bound: logon with it is refused, and never leads to binding.
    if subject.device.is_some() && facts.second_factor.is_none() {
        return Next::Ask(LogonState::SecondFactor);
    }
    if profile.password_reset_required && !facts.password_chosen {
        return Next::Ask(LogonState::ChoosePassword);
    }
    if profile.mfa_bind_required && subject.device.is_none() {
        return Next::Ask(LogonState::Bind);
    }
    Next::Open
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::Timestamp;
    use countersign_model::entropy::OsEntropy;
    use countersign_model::ids::{AccountId, DeviceId, PrincipalId};
    use countersign_model::logon::Method;
    use countersign_model::principal::LoginProfile;
    use countersign_model::settings::SecuritySettings;
    use countersign_model::virtual_mfa::{VirtualMfa, VirtualMfaState};

    const NOON: Timestamp = Timestamp::from_seconds(1_767_268_800);

    fn subject(bound: bool, reset: bool, required: bool) -> LogonSubject {
        let device = VirtualMfa {
            id: DeviceId::generate(&OsEntropy),
            account_id: AccountId::generate(&OsEntropy),
            principal_id: PrincipalId::generate(&OsEntropy),
            name: "alice".into(),
            sealed_seed: Vec::new(),
            state: VirtualMfaState::Bound { bound_at: NOON, last_step: 0, drift: 0, last_used_at: None },
            created_at: NOON,
        };
        LogonSubject {
            principal_epoch: 1,
            name: "alice".into(),
            account_epoch: 1,
            alias: "acme".parse().unwrap(),
            settings: SecuritySettings::default(),
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
            device: bound.then_some(device),
        }
    }

    /// Walks a logon to its end and tells the states it stopped at.
    fn walk(subject: &mut LogonSubject) -> Vec<LogonState> {
        let mut facts = LogonFacts::default();
        let mut states = Vec::new();
        while let Next::Ask(state) = next(&facts, subject) {
            assert!(!states.contains(&state), "{state} comes twice");
            states.push(state);
            match state {
                LogonState::Password => facts.password_at = Some(NOON),
                LogonState::SecondFactor => facts.second_factor = Some((Method::VirtualMfa, NOON)),
                LogonState::ChoosePassword => facts.password_chosen = true,
                LogonState::Bind => subject.device = self::subject(true, false, false).device,
            }
            if state == LogonState::Bind {
                facts.second_factor = Some((Method::VirtualMfa, NOON));
            }
        }
        assert_eq!(next(&facts, subject), Next::Open);
        states
    }

    #[test]
    fn the_order_of_the_steps_is_always_the_same() {
        use LogonState::{Bind, ChoosePassword, Password, SecondFactor};
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
            assert_eq!(walk(&mut subject(bound, reset, required)), expected, "{bound} {reset} {required}");
        }
    }

    #[test]
    fn c38_a_disabled_profile_is_refused_whatever_was_shown() {
        let mut disabled = subject(false, false, false);
        disabled.profile.as_mut().unwrap().console_logon = ConsoleLogon::Disabled;
        let facts = LogonFacts { password_at: Some(NOON), ..LogonFacts::default() };
        assert_eq!(next(&facts, &disabled), Next::Refuse("console_logon_disabled"));
        disabled.profile = None;
        assert_eq!(next(&facts, &disabled), Next::Refuse("no_login_profile"));
    }
}
