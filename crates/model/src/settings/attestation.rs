//! Which security keys and passkeys an account lets in.

use crate::webauthn::Aaguid;
use std::collections::BTreeSet;

/// How many models a list may name.
pub const MOST_MODELS: usize = 100;

/// Which security keys and passkeys may be bound and used.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AttestationPolicy {
    /// All.
    #[default]
    Any,
    /// Those whose attestation proves that they are of one of these models.
    Allow(BTreeSet<Aaguid>),
    /// All but those that call themselves one of these models.
    Deny(BTreeSet<Aaguid>),
    /// Those that never leave their device.
    DeviceBound,
}

/// A text that is no attestation policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an attestation policy: `any`, `device-bound`, `allow:` or `deny:` with 1 to 100 AAGUIDs")]
pub struct InvalidAttestationPolicy;

impl AttestationPolicy {
    /// Whether every credential that `before` allows is allowed by this one as well.
    #[must_use]
    pub fn covers(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Any, _) | (Self::DeviceBound, Self::DeviceBound) => true,
            (Self::Allow(now), Self::Allow(then)) => then.is_subset(now),
            (Self::Deny(now), Self::Deny(then)) => now.is_subset(then),
            (Self::Deny(now), Self::Allow(then)) => now.is_disjoint(then),
            (Self::Allow(_), Self::Any | Self::Deny(_) | Self::DeviceBound)
            | (Self::Deny(_), Self::Any | Self::DeviceBound)
            | (Self::DeviceBound, Self::Any | Self::Allow(_) | Self::Deny(_)) => false,
        }
    }

    /// Whether it has to know the model, so that the browser must be asked for the attestation.
    #[must_use]
    pub const fn asks_for_model(&self) -> bool {
        match self {
            Self::Allow(_) | Self::Deny(_) => true,
            Self::Any | Self::DeviceBound => false,
        }
    }
}

impl std::fmt::Display for AttestationPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, list) = match self {
            Self::Any => return f.write_str("any"),
            Self::DeviceBound => return f.write_str("device-bound"),
            Self::Allow(list) => ("allow", list),
            Self::Deny(list) => ("deny", list),
        };
        let list: Vec<_> = list.iter().map(Aaguid::to_string).collect();
        write!(f, "{word}:{}", list.join(","))
    }
}

impl std::str::FromStr for AttestationPolicy {
    type Err = InvalidAttestationPolicy;

    /// Reads the text form. Models may be parted by commas, spaces or line breaks.
    fn from_str(text: &str) -> Result<Self, InvalidAttestationPolicy> {
        let models = |text: &str| {
            let parts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
            let models: BTreeSet<Aaguid> =
                parts.map(str::parse).collect::<Result<_, _>>().map_err(|_| InvalidAttestationPolicy)?;
            if (1..=MOST_MODELS).contains(&models.len()) { Ok(models) } else { Err(InvalidAttestationPolicy) }
        };
        match text.split_once(':') {
            None if text == "any" => Ok(Self::Any),
            None if text == "device-bound" => Ok(Self::DeviceBound),
            Some(("allow", list)) => models(list).map(Self::Allow),
            Some(("deny", list)) => models(list).map(Self::Deny),
            None | Some(_) => Err(InvalidAttestationPolicy),
        }
    }
}

impl TryFrom<String> for AttestationPolicy {
    type Error = InvalidAttestationPolicy;

    fn try_from(text: String) -> Result<Self, InvalidAttestationPolicy> {
        text.parse()
    }
}

impl From<AttestationPolicy> for String {
    fn from(policy: AttestationPolicy) -> Self {
        policy.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "01010101-0101-0101-0101-010101010101";
    const TWO: &str = "02020202-0202-0202-0202-020202020202";

    fn policy(text: &str) -> AttestationPolicy {
        text.parse().unwrap()
    }

    #[test]
    fn policies_come_back_as_they_were_written() {
        for text in ["any", "device-bound", &format!("allow:{ONE}"), &format!("deny:{ONE},{TWO}")] {
            assert_eq!(policy(text).to_string(), text);
            let json = serde_json::to_string(&policy(text)).unwrap();
            assert_eq!(serde_json::from_str::<AttestationPolicy>(&json).unwrap(), policy(text));
        }
        assert_eq!(policy(&format!("allow: {TWO}\r\n{ONE} , {ONE}")), policy(&format!("allow:{ONE},{TWO}")));
        for bad in ["", "allow", "allow:", "deny:x", "none", "any:", &format!("some:{ONE}")] {
            assert!(bad.parse::<AttestationPolicy>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_table_of_which_policy_covers_which() {
        let (one, both) = (format!("allow:{ONE}"), format!("allow:{ONE},{TWO}"));
        let (not_one, not_both) = (format!("deny:{ONE}"), format!("deny:{ONE},{TWO}"));
        let not_two = format!("deny:{TWO}");
        for (after, before, covers) in [
            ("any", "any", true),
            ("any", &one, true),
            (&one, "any", false),
            (&both, &one, true),
            (&one, &both, false),
            (&not_one, &not_both, true),
            (&not_both, &not_one, false),
            (&not_two, &one, true),
            (&not_one, &one, false),
            (&one, &not_two, false),
            ("device-bound", "any", false),
            ("device-bound", &one, false),
            ("any", "device-bound", true),
            (&not_one, "device-bound", false),
        ] {
            assert_eq!(policy(after).covers(&policy(before)), covers, "{before} to {after}");
        }
    }
}
