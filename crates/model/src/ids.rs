//! Typed ids. Account and principal ids are decimal numbers, as programs of the RAM protocol expect; the rest is 128
//! random bits in hexadecimal.

use crate::clock::Timestamp;
use crate::entropy::{Entropy, random_below, random_bytes};

/// A text that is no id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed {0}")]
pub struct InvalidId(&'static str);

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $what:literal, $valid:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId($what)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

macro_rules! random_id {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        id!($(#[$meta])* $name, $what, is_hex_128);

        impl $name {
            /// A fresh id.
            #[must_use]
            pub fn generate(entropy: &dyn Entropy) -> Self {
                Self(data_encoding::HEXLOWER.encode(&random_bytes::<16>(entropy)))
            }
        }
    };
}

id!(
    /// An account: the tenant. Sixteen digits, the first not 0.
    AccountId, "account id", |text| text.len() == 16 && decimal_without_leading_zero(text)
);
id!(
    /// A principal: owner or RAM user. Eighteen digits, the first not 0.
    PrincipalId, "principal id", |text| text.len() == 18 && decimal_without_leading_zero(text)
);
id!(
    /// An `AccessKey`, as it stands in signed calls: `LTAI` and twenty letters and digits.
    AccessKeyId, "AccessKey id", is_access_key_id
);
random_id!(
    /// A virtual MFA device. Every binding makes a new one.
    DeviceId, "device id"
);
random_id!(
    /// A security key or passkey. Every binding makes a new one. Not the credential id, which the authenticator draws.
    KeyId, "key id"
);
random_id!(
    /// One attempt to log on. Not the secret that the browser holds.
    LogonId, "logon id"
);
random_id!(
    /// An open session. Not the secret that the browser holds.
    SessionId, "session id"
);
random_id!(
    /// A machine that is remembered for a principal. Not the secret that the browser holds.
    MachineId, "machine id"
);
random_id!(
    /// A browser that a principal has logged on with. Not the secret that the browser holds.
    BrowserId, "browser id"
);
random_id!(
    /// A group of RAM users.
    GroupId, "group id"
);
random_id!(
    /// A custom policy.
    PolicyId, "policy id"
);
id!(
    /// An entry of the audit log: its time in microseconds and 64 random bits, in hexadecimal.
    EventId, "event id", is_hex_128
);

id!(
    /// Something that a person was told about his security: its time in microseconds and 64 random bits, in hexadecimal.
    NoticeId, "notice id", is_hex_128
);
id!(
    /// Something that administrators have to look at: its time in microseconds and 64 random bits, in hexadecimal.
    FindingId, "finding id", is_hex_128
);

impl EventId {
    /// A fresh id that begins with its time, so that ids sort as the log was written.
    #[must_use]
    pub fn at(time: Timestamp, entropy: &dyn Entropy) -> Self {
        Self(hex_with_time(time, entropy))
    }

    /// The time that it begins with.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let micros = self.0.get(..16).and_then(|digits| i64::from_str_radix(digits, 16).ok());
        Timestamp::from_micros(micros.unwrap_or(0))
    }
}

impl NoticeId {
    /// A fresh id that begins with its time.
    #[must_use]
    pub fn at(time: Timestamp, entropy: &dyn Entropy) -> Self {
        Self(hex_with_time(time, entropy))
    }
}

impl FindingId {
    /// A fresh id that begins with its time.
    #[must_use]
    pub fn at(time: Timestamp, entropy: &dyn Entropy) -> Self {
        Self(hex_with_time(time, entropy))
    }
}

impl AccountId {
    /// A fresh id.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(decimal(random_below(entropy, 9 * 10_u64.pow(15)), 10_u64.pow(15)))
    }

    /// The id that stands for an account that does not exist, from a keyed hash of the name asked for.
    #[must_use]
    pub fn phantom(hash: [u8; 16]) -> Self {
        Self(decimal(low_half(hash) % (9 * 10_u64.pow(15)), 10_u64.pow(15)))
    }
}

impl PrincipalId {
    /// A fresh id.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(decimal(random_below(entropy, 9 * 10_u64.pow(17)), 10_u64.pow(17)))
    }

    /// The id that stands for a principal who does not exist, from a keyed hash of the name asked for. It goes
    /// through the same counters as a real one.
    #[must_use]
    pub fn phantom(hash: [u8; 16]) -> Self {
        Self(decimal(low_half(hash) % (9 * 10_u64.pow(17)), 10_u64.pow(17)))
    }
}

impl AccessKeyId {
    /// How every id begins.
    pub(crate) const PREFIX: &'static str = "LTAI";
    /// How many characters an id has.
    pub(crate) const LENGTH: usize = 24;

    /// An id that was just drawn.
    pub(crate) const fn of_generated(id: String) -> Self {
        Self(id)
    }
}

fn is_access_key_id(text: &str) -> bool {
    text.len() == AccessKeyId::LENGTH
        && text.starts_with(AccessKeyId::PREFIX)
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn hex_with_time(time: Timestamp, entropy: &dyn Entropy) -> String {
    let random = data_encoding::HEXLOWER.encode(&random_bytes::<8>(entropy));
    format!("{:016x}{random}", time.micros().max(0))
}

fn is_hex_128(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn decimal(offset: u64, first: u64) -> String {
    (first + offset).to_string()
}

fn low_half(hash: [u8; 16]) -> u64 {
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn decimal_without_leading_zero(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    #[test]
    fn generated_ids_parse_again() {
        for _ in 0..1_000 {
            let account = AccountId::generate(&OsEntropy);
            assert_eq!(account.as_str().parse::<AccountId>().unwrap(), account);
            let principal = PrincipalId::generate(&OsEntropy);
            assert_eq!(principal.as_str().parse::<PrincipalId>().unwrap(), principal);
            let device = DeviceId::generate(&OsEntropy);
            assert_eq!(device.as_str().parse::<DeviceId>().unwrap(), device);
        }
    }

    #[test]
    fn phantom_ids_look_like_real_ones() {
        let id = PrincipalId::phantom([0xff; 16]);
        assert_eq!(id.as_str().parse::<PrincipalId>().unwrap(), id);
        assert_eq!(AccountId::phantom([0; 16]).as_str(), "1000000000000000");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "123", "0123456789012345", "12345678901234567", "１２３４５６７８９０１２３４５６"]
        {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
        assert!("ABCDEF00112233445566778899aabbcc".parse::<DeviceId>().is_err());
    }
}
