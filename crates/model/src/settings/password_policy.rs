//! The rules for the passwords of RAM users (`SetPasswordPolicy`).

use std::ops::RangeInclusive;
use std::time::Duration;

/// The rules for passwords. A field that a stored record lacks takes its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own in the RAM protocol")]
pub struct PasswordPolicy {
    /// The fewest characters, 8 to 32 (`MinimumPasswordLength`).
    pub minimum_length: u8,
    /// The fewest different characters, 0 to 8 (`MinimumPasswordDifferentCharacter`).
    pub minimum_different: u8,
    /// Whether a lower-case letter is required (`RequireLowercaseCharacters`).
    pub require_lowercase: bool,
    /// Whether an upper-case letter is required (`RequireUppercaseCharacters`).
    pub require_uppercase: bool,
    /// Whether a digit is required (`RequireNumbers`).
    pub require_numbers: bool,
    /// Whether a character that is neither letter nor digit is required (`RequireSymbols`).
    pub require_symbols: bool,
    /// Whether the user name must not be part of the password (`PasswordNotContainUserName`). Countersign refuses it in any
    /// case; the field is kept for programs that set it.
    pub not_contain_user_name: bool,
    /// After how many days a password runs out, 0 to 1,095; 0 for never (`MaxPasswordAge`).
    pub max_age_days: u16,
    /// Whether a password that ran out logs nobody on, instead of having to be changed (`HardExpire`).
    pub hard_expire: bool,
    /// After how many days a password that an administrator gave runs out unless the user has changed it, 0 to 90; 0 for
    /// never (`InitialPasswordAge`).
    pub initial_age_days: u8,
    /// How many earlier passwords cannot be used again, 0 to 24 (`PasswordReusePrevention`).
    pub reuse_prevention: u8,
    /// After how many wrong passwords within an hour the password is locked for an hour, 0 to 32; 0 for no such limit
    /// (`MaxLoginAttemps`, as the protocol spells it).
    pub max_logon_attempts: u8,
}

impl PasswordPolicy {
    /// The range of [`Self::minimum_length`].
    pub const MINIMUM_LENGTH: RangeInclusive<u8> = 8..=32;
    /// The range of [`Self::minimum_different`].
    pub const MINIMUM_DIFFERENT: RangeInclusive<u8> = 0..=8;
    /// The range of [`Self::max_age_days`].
    pub const MAX_AGE_DAYS: RangeInclusive<u16> = 0..=1_095;
    /// The range of [`Self::initial_age_days`].
    pub const INITIAL_AGE_DAYS: RangeInclusive<u8> = 0..=90;
    /// The range of [`Self::reuse_prevention`].
    pub const REUSE_PREVENTION: RangeInclusive<u8> = 0..=24;
    /// The range of [`Self::max_logon_attempts`].
    pub const MAX_LOGON_ATTEMPTS: RangeInclusive<u8> = 0..=32;

    /// How long a password is good after it was set: an initial one, or one that its user chose. Nothing for ever.
    #[must_use]
    pub fn lifetime(&self, is_initial: bool) -> Option<Duration> {
        let days = |days: u16| (days > 0).then(|| Duration::from_hours(24 * u64::from(days)));
        let by_age = days(self.max_age_days);
        if !is_initial {
            return by_age;
        }
        [by_age, days(u16::from(self.initial_age_days))].into_iter().flatten().min()
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: 8,
            minimum_different: 0,
            require_lowercase: false,
            require_uppercase: false,
            require_numbers: false,
            require_symbols: false,
            not_contain_user_name: false,
            max_age_days: 0,
            hard_expire: false,
            initial_age_days: 14,
            reuse_prevention: 0,
            max_logon_attempts: 0,
        }
    }
}
