//! When a change of the settings ends what was opened under the old ones.
//!
//! A rule is *stricter* when it would have refused a logon that the old one let pass, or would have asked more of it, or
//! allows less to whoever is logged on. Sessions, waiting logons and remembered machines carry only the facts of their
//! logon and the epoch of the policy, so a stricter policy ends them all, and everybody logs on under it.
//!
//! Not stricter are rules that look at nothing a logon has shown: how many codes a binding takes, how many types of devices
//! a user may have, which characters a *new* password needs, when idleness disables, how long the log is kept.

use countersign_model::settings::{MfaForLogon, PasswordPolicy, SecuritySettings, SensitiveOperation};

/// Whether a rule of `after` is stricter than that of `before`.
#[must_use]
pub fn is_stricter(before: &SecuritySettings, after: &SecuritySettings) -> bool {
    let off = |rule: fn(&SecuritySettings) -> bool| rule(before) && !rule(after);
    demands_more(before.mfa_for_logon, after.mfa_for_logon)
        || !after.logon_networks.covers(&before.logon_networks)
        || !after.attestation.covers(&before.attestation)
        || after.session_hours < before.session_hours
        || off(|settings| settings.remember_machines)
        || off(|settings| settings.passkey_logon)
        || off(|settings| settings.users_manage_mfa_devices)
        || off(|settings| settings.users_change_password)
        || off(|settings| settings.users_manage_access_keys)
        || off(|settings| settings.verification_types.email)
        || off(|settings| settings.verification_types.sms)
        || is_a_strength_raised(before, after, |_| true)
        || are_ages_stricter(&before.password, &after.password)
}

/// Whether `after` asks something of a logon that `before` did not. Neither of `independent` and `adaptive` is the stricter
/// one: the first asks a bound device at every logon, the second asks whoever has none to bind one at an unusual logon.
const fn demands_more(before: MfaForLogon, after: MfaForLogon) -> bool {
    match (before, after) {
        (MfaForLogon::Mandatory, _)
        | (MfaForLogon::Independent, MfaForLogon::Independent)
        | (MfaForLogon::Adaptive, MfaForLogon::Adaptive) => false,
        (MfaForLogon::Independent | MfaForLogon::Adaptive, MfaForLogon::Mandatory)
        | (MfaForLogon::Independent, MfaForLogon::Adaptive)
        | (MfaForLogon::Adaptive, MfaForLogon::Independent) => true,
    }
}

/// Whether one of these operations asks for a proof more often.
pub(crate) fn is_a_strength_raised(
    before: &SecuritySettings,
    after: &SecuritySettings,
    these: impl Fn(SensitiveOperation) -> bool,
) -> bool {
    let mut operations = SensitiveOperation::ALL.iter().copied().filter(|operation| these(*operation));
    operations.any(|operation| after.strengths.of(operation) > before.strengths.of(operation))
}

/// Whether passwords run out sooner, or log nobody on any more when they have.
pub(crate) fn are_ages_stricter(before: &PasswordPolicy, after: &PasswordPolicy) -> bool {
    sooner(before.max_age_days, after.max_age_days)
        || sooner(u16::from(before.initial_age_days), u16::from(after.initial_age_days))
        || (after.hard_expire && !before.hard_expire && after.max_age_days > 0)
}

/// Whether an age of so many days ends sooner; 0 days are for ever.
const fn sooner(before: u16, after: u16) -> bool {
    after != 0 && (before == 0 || after < before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::settings::{
        AttestationPolicy, BindingCodes, IdleDays, MfaDeviceTypes, Strength, VerificationTypes,
    };

    type Edit = fn(&mut SecuritySettings);

    /// From settings to settings, whether that is stricter, and whether the way back is.
    #[test]
    fn c32_the_table_of_what_is_stricter() {
        let table: &[(&str, Edit, Edit, bool, bool)] = &[
            ("nothing", |_| {}, |_| {}, false, false),
            ("independent to mandatory", |_| {}, |s| s.mfa_for_logon = MfaForLogon::Mandatory, true, false),
            ("adaptive to independent", |s| s.mfa_for_logon = MfaForLogon::Adaptive, |_| {}, true, true),
            (
                "adaptive to mandatory",
                |s| s.mfa_for_logon = MfaForLogon::Adaptive,
                |s| s.mfa_for_logon = MfaForLogon::Mandatory,
                true,
                false,
            ),
            ("networks", |_| {}, |s| s.logon_networks = "10.0.0.0/8".parse().unwrap(), true, false),
            (
                "other networks",
                |s| s.logon_networks = "10.0.0.0/8".parse().unwrap(),
                |s| s.logon_networks = "11.0.0.0/8".parse().unwrap(),
                true,
                true,
            ),
            ("shorter sessions", |_| {}, |s| s.session_hours = 5, true, false),
            ("no machines", |s| s.remember_machines = true, |s| s.remember_machines = false, true, false),
            ("no passkeys", |_| {}, |s| s.passkey_logon = false, true, false),
            (
                "only keys that stay on their device",
                |_| {},
                |s| s.attestation = AttestationPolicy::DeviceBound,
                true,
                false,
            ),
            ("no own devices", |_| {}, |s| s.users_manage_mfa_devices = false, true, false),
            ("no own passwords", |_| {}, |s| s.users_change_password = false, true, false),
            ("no own keys", |s| s.users_manage_access_keys = true, |_| {}, true, false),
            (
                "no codes by email",
                |s| s.verification_types = VerificationTypes { email: true, sms: true },
                |s| s.verification_types = VerificationTypes { email: false, sms: true },
                true,
                false,
            ),
            ("a strength", |_| {}, |s| s.strengths.set(SensitiveOperation::Users, Strength::Always), true, false),
            (
                "one strength up, one down",
                |s| s.strengths.set(SensitiveOperation::Users, Strength::Always),
                |s| s.strengths.set(SensitiveOperation::Policies, Strength::Always),
                true,
                true,
            ),
            ("a first age", |_| {}, |s| s.password.max_age_days = 90, true, false),
            ("a shorter age", |s| s.password.max_age_days = 90, |s| s.password.max_age_days = 30, true, false),
            ("a shorter initial age", |_| {}, |s| s.password.initial_age_days = 1, true, false),
            ("no initial age", |_| {}, |s| s.password.initial_age_days = 0, false, true),
            (
                "hard expiry",
                |s| s.password.max_age_days = 90,
                |s| (s.password.max_age_days, s.password.hard_expire) = (90, true),
                true,
                false,
            ),
            ("hard expiry of nothing", |_| {}, |s| s.password.hard_expire = true, false, false),
            ("codes at binding", |_| {}, |s| s.binding_codes = BindingCodes::Two, false, false),
            ("types", |_| {}, |s| s.mfa_device_types = MfaDeviceTypes::Several, false, false),
            ("length of new passwords", |_| {}, |s| s.password.minimum_length = 20, false, false),
            ("reuse", |_| {}, |s| s.password.reuse_prevention = 24, false, false),
            ("attempts", |_| {}, |s| s.password.max_logon_attempts = 3, false, false),
            ("idleness", |_| {}, |s| s.max_idle_days_users = IdleDays::D90, false, false),
            ("retention", |_| {}, |s| s.audit_retention_days = 90, false, false),
        ];
        for (name, from, to, there, back) in table {
            let (mut before, mut after) = (SecuritySettings::default(), SecuritySettings::default());
            from(&mut before);
            to(&mut after);
            assert_eq!(is_stricter(&before, &after), *there, "{name}");
            assert_eq!(is_stricter(&after, &before), *back, "{name}, back");
        }
    }
}
