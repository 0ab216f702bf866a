//! A change of the settings: what it sets, within which ranges, and what comes of it.

use crate::error::{Error, Refusal};
use countersign_model::settings::{
    AttestationPolicy, BindingCodes, IdleDays, MfaDeviceTypes, MfaForLogon, NetworkMasks, PasswordPolicy,
    RETENTION_DAYS, SESSION_HOURS, SecuritySettings, SensitiveOperation, Strength, VerificationTypes,
};
use sha2::{Digest as _, Sha256};

/// A change of the settings. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    /// Whom logon asks for a second factor.
    pub mfa_for_logon: Option<MfaForLogon>,
    /// Whether a machine may be remembered for seven days.
    pub remember_machines: Option<bool>,
    /// Whether RAM users bind and unbind their own MFA devices.
    pub users_manage_mfa_devices: Option<bool>,
    /// Whether RAM users change their own password.
    pub users_change_password: Option<bool>,
    /// Whether RAM users manage their own AccessKeys.
    pub users_manage_access_keys: Option<bool>,
    /// Whether RAM users log on with a passkey.
    pub passkey_logon: Option<bool>,
    /// Which security keys and passkeys may be bound and used.
    pub attestation: Option<AttestationPolicy>,
    /// How many codes confirm a binding in the console.
    pub binding_codes: Option<BindingCodes>,
    /// How many types of MFA devices one RAM user may have.
    pub mfa_device_types: Option<MfaDeviceTypes>,
    /// How long a session lasts at most, 1 to 24 hours.
    pub session_hours: Option<u8>,
    /// From where RAM users may log on.
    pub logon_networks: Option<NetworkMasks>,
    /// Whether a code by email proves a sensitive operation.
    pub verify_by_email: Option<bool>,
    /// Whether a code by text message proves one.
    pub verify_by_sms: Option<bool>,
    /// After how many idle days console logon is disabled.
    pub max_idle_days_users: Option<IdleDays>,
    /// After how many idle days an AccessKey is disabled.
    pub max_idle_days_access_keys: Option<IdleDays>,
    /// How often these operations ask for a proof; the others stay.
    pub strengths: Vec<(SensitiveOperation, Strength)>,
    /// The rules for passwords.
    pub password: PolicyChange,
    /// For how many days the audit log is kept, 90 to 3,650.
    pub audit_retention_days: Option<u16>,
    /// The fingerprint of the settings that whoever makes the change has seen. Other ones are not changed then.
    pub seen: Option<Fingerprint>,
}

/// A change of the rules for passwords. What is `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PolicyChange {
    /// The fewest characters, 8 to 32.
    pub minimum_length: Option<u8>,
    /// The fewest different characters, 0 to 8.
    pub minimum_different: Option<u8>,
    /// Whether a lower-case letter is required.
    pub require_lowercase: Option<bool>,
    /// Whether an upper-case letter is required.
    pub require_uppercase: Option<bool>,
    /// Whether a digit is required.
    pub require_numbers: Option<bool>,
    /// Whether another character is required.
    pub require_symbols: Option<bool>,
    /// Whether the user name must not be part of the password.
    pub not_contain_user_name: Option<bool>,
    /// After how many days a password runs out, 0 to 1,095.
    pub max_age_days: Option<u16>,
    /// Whether a password that ran out logs nobody on.
    pub hard_expire: Option<bool>,
    /// After how many days a password that an administrator gave runs out, 0 to 90.
    pub initial_age_days: Option<u8>,
    /// How many earlier passwords cannot be used again, 0 to 24.
    pub reuse_prevention: Option<u8>,
    /// After how many wrong passwords within an hour it is locked for an hour, 0 to 32.
    pub max_logon_attempts: Option<u8>,
}

/// What stands for settings as somebody has seen them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of settings.
    pub fn of(settings: &SecuritySettings) -> Result<Self, Error> {
        let text = serde_json::to_vec(settings).map_err(|error| Error::Fault(error.to_string()))?;
        let digest = Sha256::digest(text);
        Ok(Self(data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or(&digest))))
    }

    /// A fingerprint that came back from a form.
    #[must_use]
    pub const fn from_form(text: String) -> Self {
        Self(text)
    }

    /// As a form carries it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SettingsChange {
    /// The codes of all values that lie outside their range.
    #[must_use]
    pub fn problems(&self) -> Vec<&'static str> {
        let p = &self.password;
        let judged = [
            (outside(self.session_hours, &SESSION_HOURS), "InvalidParameter.LoginSessionDuration"),
            (outside(self.audit_retention_days, &RETENTION_DAYS), "InvalidParameter.AuditRetentionDays"),
            (
                outside(p.minimum_length, &PasswordPolicy::MINIMUM_LENGTH),
                "InvalidParameter.MinimumPasswordLength.Range",
            ),
            (
                outside(p.minimum_different, &PasswordPolicy::MINIMUM_DIFFERENT),
                "InvalidParameter.MinimumPasswordDifferentCharacter",
            ),
            (outside(p.max_age_days, &PasswordPolicy::MAX_AGE_DAYS), "InvalidParameter.MaxPasswordAge"),
            (outside(p.initial_age_days, &PasswordPolicy::INITIAL_AGE_DAYS), "InvalidParameter.InitialPasswordAge"),
            (
                outside(p.reuse_prevention, &PasswordPolicy::REUSE_PREVENTION),
                "InvalidParameter.PasswordReusePrevention",
            ),
            (outside(p.max_logon_attempts, &PasswordPolicy::MAX_LOGON_ATTEMPTS), "InvalidParameter.MaxLoginAttemps"),
        ];
        judged.into_iter().filter_map(|(bad, code)| bad.then_some(code)).collect()
    }

    /// Refuses values outside their range.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.problems().first().map_or(Ok(()), |code| Err(Refusal::Invalid(code).into()))
    }

    /// Whether it is about nothing but the rules for passwords.
    pub(crate) fn is_about_passwords(&self) -> bool {
        let Self {
            mfa_for_logon: None,
            remember_machines: None,
            users_manage_mfa_devices: None,
            users_change_password: None,
            users_manage_access_keys: None,
            passkey_logon: None,
            attestation: None,
            binding_codes: None,
            mfa_device_types: None,
            session_hours: None,
            logon_networks: None,
            verify_by_email: None,
            verify_by_sms: None,
            max_idle_days_users: None,
            max_idle_days_access_keys: None,
            strengths,
            password,
            audit_retention_days: None,
            seen: _,
        } = self
        else {
            return false;
        };
        strengths.is_empty() && *password != PolicyChange::default()
    }

    /// The settings after the change.
    pub(crate) fn apply(&self, present: &SecuritySettings) -> SecuritySettings {
        let mut strengths = present.strengths.clone();
        for (operation, strength) in &self.strengths {
            strengths.set(*operation, *strength);
        }
        SecuritySettings {
            mfa_for_logon: self.mfa_for_logon.unwrap_or(present.mfa_for_logon),
            remember_machines: self.remember_machines.unwrap_or(present.remember_machines),
            users_manage_mfa_devices: self.users_manage_mfa_devices.unwrap_or(present.users_manage_mfa_devices),
            users_change_password: self.users_change_password.unwrap_or(present.users_change_password),
            users_manage_access_keys: self.users_manage_access_keys.unwrap_or(present.users_manage_access_keys),
            passkey_logon: self.passkey_logon.unwrap_or(present.passkey_logon),
            attestation: self.attestation.clone().unwrap_or_else(|| present.attestation.clone()),
            binding_codes: self.binding_codes.unwrap_or(present.binding_codes),
            mfa_device_types: self.mfa_device_types.unwrap_or(present.mfa_device_types),
            session_hours: self.session_hours.unwrap_or(present.session_hours),
            logon_networks: self.logon_networks.clone().unwrap_or_else(|| present.logon_networks.clone()),
            verification_types: VerificationTypes {
                email: self.verify_by_email.unwrap_or(present.verification_types.email),
                sms: self.verify_by_sms.unwrap_or(present.verification_types.sms),
            },
            max_idle_days_users: self.max_idle_days_users.unwrap_or(present.max_idle_days_users),
            max_idle_days_access_keys: self.max_idle_days_access_keys.unwrap_or(present.max_idle_days_access_keys),
            strengths,
            password: self.password.apply(&present.password),
            audit_retention_days: self.audit_retention_days.unwrap_or(present.audit_retention_days),
        }
    }
}

impl PolicyChange {
    fn apply(&self, present: &PasswordPolicy) -> PasswordPolicy {
        PasswordPolicy {
            minimum_length: self.minimum_length.unwrap_or(present.minimum_length),
            minimum_different: self.minimum_different.unwrap_or(present.minimum_different),
            require_lowercase: self.require_lowercase.unwrap_or(present.require_lowercase),
            require_uppercase: self.require_uppercase.unwrap_or(present.require_uppercase),
            require_numbers: self.require_numbers.unwrap_or(present.require_numbers),
            require_symbols: self.require_symbols.unwrap_or(present.require_symbols),
            not_contain_user_name: self.not_contain_user_name.unwrap_or(present.not_contain_user_name),
            max_age_days: self.max_age_days.unwrap_or(present.max_age_days),
            hard_expire: self.hard_expire.unwrap_or(present.hard_expire),
            initial_age_days: self.initial_age_days.unwrap_or(present.initial_age_days),
            reuse_prevention: self.reuse_prevention.unwrap_or(present.reuse_prevention),
            max_logon_attempts: self.max_logon_attempts.unwrap_or(present.max_logon_attempts),
        }
    }
}

fn outside<T: PartialOrd>(value: Option<T>, range: &std::ops::RangeInclusive<T>) -> bool {
    value.is_some_and(|value| !range.contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c32_values_outside_their_range_are_told_one_by_one() {
        let password = PolicyChange {
            minimum_length: Some(7),
            minimum_different: Some(9),
            max_age_days: Some(1_096),
            initial_age_days: Some(91),
            reuse_prevention: Some(25),
            max_logon_attempts: Some(33),
            ..PolicyChange::default()
        };
        let change = SettingsChange {
            session_hours: Some(25),
            audit_retention_days: Some(89),
            password,
            ..SettingsChange::default()
        };
        assert_eq!(change.problems().len(), 8);
        let change = SettingsChange { session_hours: Some(0), ..SettingsChange::default() };
        assert_eq!(change.problems(), ["InvalidParameter.LoginSessionDuration"]);
        let change = SettingsChange { session_hours: Some(24), audit_retention_days: Some(90), ..change };
        assert_eq!(change.problems(), [""; 0]);
    }

    #[test]
    fn a_change_of_nothing_changes_nothing() {
        let present = SecuritySettings { session_hours: 3, ..SecuritySettings::default() };
        assert_eq!(SettingsChange::default().apply(&present), present);
        assert!(!SettingsChange::default().is_about_passwords());
        let password = PolicyChange { minimum_length: Some(12), ..PolicyChange::default() };
        let change = SettingsChange { password, ..SettingsChange::default() };
        assert!(change.is_about_passwords());
        assert_eq!(change.apply(&present).password.minimum_length, 12);
        assert_eq!(change.apply(&present).session_hours, 3);
    }

    #[test]
    fn a_fingerprint_tells_settings_apart() {
        let one = SecuritySettings::default();
        let other = SecuritySettings { session_hours: 7, ..one.clone() };
        assert_eq!(Fingerprint::of(&one).unwrap(), Fingerprint::of(&one.clone()).unwrap());
        assert_ne!(Fingerprint::of(&one).unwrap(), Fingerprint::of(&other).unwrap());
    }
}
