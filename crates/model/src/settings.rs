//! The security settings of an account: one record, whichever door reads or writes it. Names, ranges and defaults are those
//! of the RAM protocol (`SetSecurityPreference`, `SetPasswordPolicy`).

mod attestation;
mod networks;
mod password_policy;
mod step_up;

pub use attestation::{AttestationPolicy, InvalidAttestationPolicy, MOST_MODELS};
pub use networks::{InvalidMasks, LONGEST_MASKS, MOST_MASKS, NetworkMasks};
pub use password_policy::PasswordPolicy;
pub use step_up::{SensitiveOperation, Strength, StrengthTable};

use crate::text_enum::text_enum;

/// The shortest and the longest session, in hours.
pub const SESSION_HOURS: std::ops::RangeInclusive<u8> = 1..=24;

/// How many days the audit log may be kept at least and at most.
pub const RETENTION_DAYS: std::ops::RangeInclusive<u16> = 90..=3_650;

/// The security settings. A field that a stored record lacks takes its default.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own in the RAM protocol")]
pub struct SecuritySettings {
    /// Whom logon asks for a second factor (`MFAOperationForLogin`).
    pub mfa_for_logon: MfaForLogon,
    /// Whether a RAM user may let a machine be remembered for seven days (`EnableSaveMFATicket`).
    pub remember_machines: bool,
    /// Whether RAM users bind and unbind their own MFA devices (`AllowUserToManageMFADevices`).
    pub users_manage_mfa_devices: bool,
    /// Whether RAM users change their own password (`AllowUserToChangePassword`).
    pub users_change_password: bool,
    /// Whether RAM users manage their own AccessKeys (`AllowUserToManageAccessKeys`).
    pub users_manage_access_keys: bool,
    /// Whether RAM users log on with a passkey (`AllowUserToLoginWithPasskey`).
    pub passkey_logon: bool,
    /// Which security keys and passkeys may be bound and used.
    pub attestation: AttestationPolicy,
    /// How many codes binding a virtual MFA device takes in the console.
    pub binding_codes: BindingCodes,
    /// How many types of MFA devices one RAM user may have.
    pub mfa_device_types: MfaDeviceTypes,
    /// How long a session lasts at most, in hours (`LoginSessionDuration`, 1 to 24).
    pub session_hours: u8,
    /// From where RAM users may log on (`LoginNetworkMasks`); empty for everywhere.
    pub logon_networks: NetworkMasks,
    /// What proves a sensitive operation besides an MFA device (`VerificationTypes`).
    pub verification_types: VerificationTypes,
    /// After how many days without a logon a RAM user's console logon is disabled (`MaxIdleDaysForUsers`).
    pub max_idle_days_users: IdleDays,
    /// After how many days without use an AccessKey is disabled (`MaxIdleDaysForAccessKeys`).
    pub max_idle_days_access_keys: IdleDays,
    /// How often each kind of sensitive operation asks for a proof.
    pub strengths: StrengthTable,
    /// The rules for the passwords of RAM users.
    pub password: PasswordPolicy,
    /// For how many days the audit log is kept.
    pub audit_retention_days: u16,
}

impl Default for SecuritySettings {
    fn default() -> Self {
        Self {
            mfa_for_logon: MfaForLogon::Independent,
            remember_machines: false,
            users_manage_mfa_devices: true,
            users_change_password: true,
            users_manage_access_keys: false,
            passkey_logon: true,
            attestation: AttestationPolicy::default(),
            binding_codes: BindingCodes::One,
            mfa_device_types: MfaDeviceTypes::One,
            session_hours: 6,
            logon_networks: NetworkMasks::default(),
            verification_types: VerificationTypes::default(),
            max_idle_days_users: IdleDays::D730,
            max_idle_days_access_keys: IdleDays::D730,
            strengths: StrengthTable::default(),
            password: PasswordPolicy::default(),
            audit_retention_days: 365,
        }
    }
}

/// What proves a sensitive operation besides an MFA device, which always does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct VerificationTypes {
    /// A code sent to the secure email address.
    pub email: bool,
    /// A code sent to the secure phone.
    pub sms: bool,
}

text_enum! {
    /// Whom logon asks for a second factor.
    MfaForLogon, "MFA policy for logon" {
        /// All RAM users: whoever has no device binds one.
        Mandatory = "mandatory",
        /// Whoever has a device; each login profile says who must bind one.
        Independent = "independent",
        /// As `independent` for binding; a bound device is asked for at unusual logons only.
        Adaptive = "adaptive",
    }
}

text_enum! {
    /// After how many idle days something is disabled.
    IdleDays, "number of idle days" {
        /// A quarter.
        D90 = "90",
        /// Half a year.
        D180 = "180",
        /// A year.
        D365 = "365",
        /// Two years.
        D730 = "730",
    }
}

impl IdleDays {
    /// The number of days.
    #[must_use]
    pub const fn days(self) -> u64 {
        match self {
            Self::D90 => 90,
            Self::D180 => 180,
            Self::D365 => 365,
            Self::D730 => 730,
        }
    }
}

text_enum! {
    /// How many codes confirm a binding.
    BindingCodes, "number of binding codes" {
        /// One code of a step near now.
        One = "one",
        /// Two codes of consecutive steps, which also measure the drift of the device.
        Two = "two",
    }
}

text_enum! {
    /// Whether virtual MFA devices and security keys exclude each other.
    MfaDeviceTypes, "setting of MFA device types" {
        /// The second type is refused while a device of the first is bound.
        One = "one",
        /// Both may be bound.
        Several = "several",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stored_record_lacks_takes_its_default() {
        let stored: SecuritySettings =
            serde_json::from_str(r#"{"session_hours":3,"password":{"max_age_days":9}}"#).unwrap();
        let password = PasswordPolicy { max_age_days: 9, ..PasswordPolicy::default() };
        assert_eq!(stored, SecuritySettings { session_hours: 3, password, ..SecuritySettings::default() });
    }

    #[test]
    fn settings_come_back_as_they_were_stored() {
        let mut settings =
            SecuritySettings { logon_networks: "10.0.0.0/8;fd00::/8".parse().unwrap(), ..SecuritySettings::default() };
        settings.strengths.set(SensitiveOperation::Users, Strength::Always);
        settings.attestation = AttestationPolicy::DeviceBound;
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<SecuritySettings>(&text).unwrap(), settings);
    }
}
