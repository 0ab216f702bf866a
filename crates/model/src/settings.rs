//! The security settings of an account: one record, whichever door reads or writes it.

use crate::text_enum::text_enum;

/// The security settings. A field that a stored record lacks takes its default.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SecuritySettings {
    /// Whether RAM users bind and unbind their own MFA devices (`AllowUserToManageMFADevices`).
    pub users_manage_mfa_devices: bool,
    /// Whether RAM users change their own password (`AllowUserToChangePassword`).
    pub users_change_password: bool,
    /// How many codes binding a virtual MFA device takes in the console.
    pub binding_codes: BindingCodes,
    /// How many types of MFA devices one RAM user may have.
    pub mfa_device_types: MfaDeviceTypes,
    /// How long a session lasts at most, in hours (`LoginSessionDuration`, 1 to 24).
    pub session_hours: u8,
}

impl Default for SecuritySettings {
    fn default() -> Self {
        Self {
            users_manage_mfa_devices: true,
            users_change_password: true,
            binding_codes: BindingCodes::One,
            mfa_device_types: MfaDeviceTypes::One,
            session_hours: 6,
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
