//! What differs between two records of settings, by the names that pages and the audit log share.

use countersign_model::settings::{SecuritySettings, SensitiveOperation};

/// One setting that differs. Switches are `on` or `off`; an empty list of networks is an empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which setting.
    pub setting: &'static str,
    /// What it was.
    pub before: String,
    /// What it becomes.
    pub after: String,
}

/// What differs, in the order of the pages.
#[must_use]
pub fn differences(before: &SecuritySettings, after: &SecuritySettings) -> Vec<Difference> {
    let (before, after) = (values(before), values(after));
    let pairs = before.into_iter().zip(after);
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((setting, before), (_, after))| Difference { setting, before, after })
        .collect()
}

/// Every setting by its stable name, with its value as a word.
#[must_use]
pub fn values(settings: &SecuritySettings) -> Vec<(&'static str, String)> {
    // Taken apart, so that a new setting cannot be forgotten here.
    let SecuritySettings {
        mfa_for_logon,
        remember_machines,
        users_manage_mfa_devices,
        users_change_password,
        users_manage_access_keys,
        passkey_logon,
        attestation,
        binding_codes,
        mfa_device_types,
        session_hours,
        logon_networks,
        verification_types,
        max_idle_days_users,
        max_idle_days_access_keys,
        strengths,
        password,
        audit_retention_days,
    } = settings;
    let mut values = vec![
        ("mfa_for_logon", mfa_for_logon.to_string()),
        ("remember_machines", switch(*remember_machines)),
        ("binding_codes", binding_codes.to_string()),
        ("mfa_device_types", mfa_device_types.to_string()),
        ("session_hours", session_hours.to_string()),
        ("logon_networks", logon_networks.to_string()),
        ("passkey_logon", switch(*passkey_logon)),
        ("attestation", attestation.to_string()),
        ("users_change_password", switch(*users_change_password)),
        ("users_manage_mfa_devices", switch(*users_manage_mfa_devices)),
        ("users_manage_access_keys", switch(*users_manage_access_keys)),
        ("verify_by_email", switch(verification_types.email)),
        ("verify_by_sms", switch(verification_types.sms)),
        ("max_idle_days_users", max_idle_days_users.to_string()),
        ("max_idle_days_access_keys", max_idle_days_access_keys.to_string()),
        ("audit_retention_days", audit_retention_days.to_string()),
    ];
    let strength = |operation: &SensitiveOperation| (strength_name(*operation), strengths.of(*operation).to_string());
    values.extend(SensitiveOperation::ALL.iter().map(strength));
    values.extend([
        ("minimum_length", password.minimum_length.to_string()),
        ("minimum_different", password.minimum_different.to_string()),
        ("require_lowercase", switch(password.require_lowercase)),
        ("require_uppercase", switch(password.require_uppercase)),
        ("require_numbers", switch(password.require_numbers)),
        ("require_symbols", switch(password.require_symbols)),
        ("not_contain_user_name", switch(password.not_contain_user_name)),
        ("max_age_days", password.max_age_days.to_string()),
        ("hard_expire", switch(password.hard_expire)),
        ("initial_age_days", password.initial_age_days.to_string()),
        ("reuse_prevention", password.reuse_prevention.to_string()),
        ("max_logon_attempts", password.max_logon_attempts.to_string()),
    ]);
    values
}

/// The name of the strength of an operation as a setting.
#[must_use]
pub const fn strength_name(operation: SensitiveOperation) -> &'static str {
    match operation {
        SensitiveOperation::OwnPassword => "strength-own-password",
        SensitiveOperation::OwnMfa => "strength-own-mfa",
        SensitiveOperation::OwnContact => "strength-own-contact",
        SensitiveOperation::Users => "strength-users",
        SensitiveOperation::Policies => "strength-policies",
        SensitiveOperation::AccessKeys => "strength-access-keys",
        SensitiveOperation::SecuritySettings => "strength-security-settings",
    }
}

fn switch(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::settings::Strength;

    #[test]
    fn what_differs_is_told_with_both_values() {
        let before = SecuritySettings::default();
        assert_eq!(differences(&before, &before), []);
        let mut after = SecuritySettings { remember_machines: true, ..before.clone() };
        after.logon_networks = "10.0.0.0/8;192.0.2.7".parse().unwrap();
        after.strengths.set(SensitiveOperation::Users, Strength::Off);
        after.password.max_age_days = 90;
        let told = differences(&before, &after);
        let told: Vec<_> = told.iter().map(|d| (d.setting, d.before.as_str(), d.after.as_str())).collect();
        assert_eq!(
            told,
            [
                ("remember_machines", "off", "on"),
                ("logon_networks", "", "10.0.0.0/8;192.0.2.7"),
                ("strength-users", "once-in-15-minutes", "off"),
                ("max_age_days", "0", "90"),
            ]
        );
    }
}
