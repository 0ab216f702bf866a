//! AccessKeys: an id and a secret with which a program signs its calls. A key opens no session.
//!
//! ```text
//! made ─► Active ◄─► Inactive ─► gone
//!           └─ not used for as long as the settings allow: Idle, and then Inactive
//! ```

use crate::clock::Timestamp;
use crate::entropy::{Entropy, random_below};
use crate::ids::{AccessKeyId, AccountId, PrincipalId};
use crate::settings::IdleDays;
use crate::text_enum::text_enum;
use secrecy::SecretString;
use std::time::Duration;

/// How many keys a principal may have, active or not.
pub const ACCESS_KEYS_PER_PRINCIPAL: i64 = 2;

/// How many characters a secret has.
pub const SECRET_CHARACTERS: usize = 30;

text_enum! {
    /// Whether a key may sign, as the RAM protocol writes it.
    AccessKeyStatus, "status of an AccessKey" {
        /// It signs.
        Active = "Active",
        /// It was disabled, and can be enabled again.
        Inactive = "Inactive",
    }
}

text_enum! {
    /// The services that can be called with a key.
    ApiService, "service of the API" {
        /// RAM 2015-05-01.
        Ram = "Ram",
        /// IMS 2019-08-15.
        Ims = "Ims",
        /// STS 2015-04-01.
        Sts = "Sts",
    }
}

/// An AccessKey.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// The account.
    pub account_id: AccountId,
    /// Its id, unique in the installation.
    pub id: AccessKeyId,
    /// Whose it is.
    pub principal_id: PrincipalId,
    /// The secret, sealed with the key ring.
    pub sealed_secret: Vec<u8>,
    /// Whether it may sign.
    pub status: AccessKeyStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its status was last set.
    pub updated_at: Timestamp,
    /// When it was made or last enabled: from then on its idleness is counted.
    pub enabled_at: Timestamp,
    /// When and for what it was last used, to the minute.
    pub last_use: Option<LastUse>,
}

/// The last use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// The service that was called.
    pub service: ApiService,
}

/// What a key is worth at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessKeyState {
    /// It signs.
    Active,
    /// It was disabled.
    Inactive,
    /// It is active, but was not used for as long as the settings allow: it signs nothing until it is enabled again.
    Idle,
}

impl AccessKey {
    /// What the key is worth at `now`, where the settings allow this many idle days.
    #[must_use]
    pub fn state(&self, days: IdleDays, now: Timestamp) -> AccessKeyState {
        match self.status {
            AccessKeyStatus::Inactive => AccessKeyState::Inactive,
            AccessKeyStatus::Active if self.is_idle(days, now) => AccessKeyState::Idle,
            AccessKeyStatus::Active => AccessKeyState::Active,
        }
    }

    /// Whether it was neither used nor enabled for so many days.
    #[must_use]
    pub fn is_idle(&self, days: IdleDays, now: Timestamp) -> bool {
        let since = self.last_use.map_or(self.enabled_at, |used| used.at.max(self.enabled_at));
        now.since(since) >= Duration::from_hours(24 * days.days())
    }
}

impl AccessKeyId {
    /// A fresh id.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut id = String::with_capacity(Self::LENGTH);
        id.push_str(Self::PREFIX);
        push_alphanumeric(&mut id, Self::LENGTH - Self::PREFIX.len(), entropy);
        Self::of_generated(id)
    }
}

/// A fresh secret: 30 letters and digits, 178 bits.
#[must_use]
pub fn generate_secret(entropy: &dyn Entropy) -> SecretString {
    // Room for the whole text, so that growth leaves no copies behind.
    let mut secret = String::with_capacity(SECRET_CHARACTERS);
    push_alphanumeric(&mut secret, SECRET_CHARACTERS, entropy);
    secret.into()
}

fn push_alphanumeric(text: &mut String, characters: usize, entropy: &dyn Entropy) {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let drawn = std::iter::repeat_with(|| {
        let index = usize::try_from(random_below(entropy, 62)).unwrap_or_default();
        ALPHABET.as_bytes().get(index).copied().map(char::from)
    });
    text.extend(drawn.flatten().take(characters));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;
    use secrecy::ExposeSecret as _;
    use std::collections::BTreeSet;

    const NOON: Timestamp = Timestamp::from_seconds(1_767_268_800);
    const DAY: Duration = Duration::from_hours(24);

    fn key(status: AccessKeyStatus, enabled_at: Timestamp, used_at: Option<Timestamp>) -> AccessKey {
        AccessKey {
            account_id: AccountId::generate(&OsEntropy),
            id: AccessKeyId::generate(&OsEntropy),
            principal_id: PrincipalId::generate(&OsEntropy),
            sealed_secret: Vec::new(),
            status,
            created_at: NOON,
            updated_at: NOON,
            enabled_at,
            last_use: used_at.map(|at| LastUse { at, service: ApiService::Ram }),
        }
    }

    #[test]
    fn ids_and_secrets_have_the_shape_that_programs_expect() {
        let mut seen = BTreeSet::new();
        let mut letters = BTreeSet::new();
        for _ in 0..500 {
            let id = AccessKeyId::generate(&OsEntropy);
            assert_eq!(id.as_str().parse::<AccessKeyId>().unwrap(), id);
            assert_eq!(id.as_str().len(), 24);
            assert!(id.as_str().starts_with("LTAI"), "{id}");
            let secret = generate_secret(&OsEntropy);
            assert_eq!(secret.expose_secret().len(), SECRET_CHARACTERS);
            letters.extend(secret.expose_secret().chars());
            assert!(seen.insert(id) && letters.iter().all(char::is_ascii_alphanumeric));
        }
        assert_eq!(letters.len(), 62, "every character is drawn");
        for no_id in ["", "LTAI", "LTAIabcdefghijklmnopqrs", "LTAIabcdefghijklmnopqrstu", "LTAIabcdefghijklmnopqrs-"] {
            assert!(no_id.parse::<AccessKeyId>().is_err(), "{no_id}");
        }
        assert!("XTAIabcdefghijklmnopqrst".parse::<AccessKeyId>().is_err());
    }

    #[test]
    fn a_key_is_idle_when_it_was_neither_used_nor_enabled_for_so_long() {
        use AccessKeyState::{Active, Idle, Inactive};
        use AccessKeyStatus as S;
        let d90 = NOON.plus(DAY * 90);
        for (status, enabled_at, used_at, now, expected) in [
            (S::Active, NOON, None, NOON, Active),
            (S::Active, NOON, None, d90.minus(Duration::from_micros(1)), Active),
            (S::Active, NOON, None, d90, Idle),
            (S::Active, NOON, Some(NOON.plus(DAY)), d90, Active),
            (S::Active, NOON, Some(NOON.plus(DAY)), d90.plus(DAY), Idle),
            (S::Active, d90, Some(NOON), d90, Active),
            (S::Inactive, NOON, None, d90, Inactive),
            (S::Active, d90, None, NOON, Active),
        ] {
            assert_eq!(key(status, enabled_at, used_at).state(IdleDays::D90, now), expected, "{status} {now:?}");
        }
    }
}
