//! How long a password is good: a pure function of the login profile, the policy and the time.

use countersign_model::Timestamp;
use countersign_model::principal::{LoginProfile, PrincipalKind};
use countersign_model::settings::PasswordPolicy;

/// Whether a right password lets its user in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordState {
    /// It does.
    Good,
    /// It has run out: its user chooses another before he gets a session.
    Due,
    /// It has run out and logs nobody on any more: an administrator gives another.
    Expired,
}

/// When a password runs out. Nothing when it never does, and for owners: the policy governs RAM users.
#[must_use]
pub fn password_expires_at(kind: PrincipalKind, profile: &LoginProfile, policy: &PasswordPolicy) -> Option<Timestamp> {
    match kind {
        PrincipalKind::Owner => None,
        PrincipalKind::RamUser => {
            let lifetime = policy.lifetime(profile.password_is_initial)?;
            Some(profile.password_changed_at?.plus(lifetime))
        }
    }
}

/// Whether the password of a profile is still good. One that an administrator gave and that was not changed in time is
/// `Expired`; one that has reached the longest age is `Due`, or `Expired` where the policy says so.
#[must_use]
pub fn password_state(
    kind: PrincipalKind,
    profile: &LoginProfile,
    policy: &PasswordPolicy,
    now: Timestamp,
) -> PasswordState {
    if password_expires_at(kind, profile, policy).is_none_or(|ends| now < ends) {
        return PasswordState::Good;
    }
    let by_age_alone = PasswordPolicy { initial_age_days: 0, ..*policy };
    let initial_ran_out = profile.password_is_initial && {
        let initial_alone = PasswordPolicy { max_age_days: 0, ..*policy };
        password_expires_at(kind, profile, &initial_alone).is_some_and(|ends| now >= ends)
    };
    if initial_ran_out || by_age_alone.hard_expire { PasswordState::Expired } else { PasswordState::Due }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::principal::ConsoleLogon;
    use std::time::Duration;

    const NOON: Timestamp = Timestamp::from_seconds(1_767_268_800);
    const DAY: Duration = Duration::from_hours(24);

    fn profile(initial: bool) -> LoginProfile {
        LoginProfile {
            console_logon: ConsoleLogon::Enabled,
            password_hash: None,
            password_changed_at: Some(NOON),
            password_reset_required: false,
            password_is_initial: initial,
            mfa_bind_required: false,
            created_at: NOON,
            enabled_at: NOON,
        }
    }

    #[test]
    fn c32_a_password_is_good_due_or_expired() {
        use PasswordState::{Due, Expired, Good};
        // Longest age, hard, age of an initial one; whether it is initial; its age in days; what it is then.
        for ((longest, hard, initial_age), initial, days, expected) in [
            ((0, false, 14), false, 10_000, Good),
            ((0, false, 14), true, 13, Good),
            ((0, false, 14), true, 14, Expired),
            ((0, false, 0), true, 10_000, Good),
            ((90, false, 14), false, 89, Good),
            ((90, false, 14), false, 90, Due),
            ((90, true, 14), false, 89, Good),
            ((90, true, 14), false, 90, Expired),
            ((7, false, 14), true, 7, Due),
            ((7, true, 14), true, 7, Expired),
            ((7, false, 14), true, 14, Expired),
            ((90, false, 0), true, 90, Due),
            ((0, true, 0), true, 10_000, Good),
        ] {
            let policy = PasswordPolicy {
                max_age_days: longest,
                hard_expire: hard,
                initial_age_days: initial_age,
                ..PasswordPolicy::default()
            };
            let at = NOON.plus(DAY * days);
            let state = password_state(PrincipalKind::RamUser, &profile(initial), &policy, at);
            assert_eq!(state, expected, "{longest} {hard} {initial_age} {initial} {days}");
            assert_eq!(password_state(PrincipalKind::Owner, &profile(initial), &policy, at), Good);
        }
    }

    #[test]
    fn c32_a_password_runs_out_to_the_microsecond() {
        let policy = PasswordPolicy { max_age_days: 1, ..PasswordPolicy::default() };
        let ends = password_expires_at(PrincipalKind::RamUser, &profile(false), &policy).unwrap();
        assert_eq!(ends, NOON.plus(DAY));
        let state = |at| password_state(PrincipalKind::RamUser, &profile(false), &policy, at);
        assert_eq!(state(ends.minus(Duration::from_micros(1))), PasswordState::Good);
        assert_eq!(state(ends), PasswordState::Due);
        let never = LoginProfile { password_changed_at: None, ..profile(false) };
        assert_eq!(password_state(PrincipalKind::RamUser, &never, &policy, ends), PasswordState::Good);
    }
}
