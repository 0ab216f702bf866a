//! WebAuthn credentials: security keys and passkeys, in one table, with a kind.
//!
//! A *security key* is a second factor only; a touch is enough. A *passkey* is found without a list of ids, asks for
//! fingerprint, face or PIN, and logs on without a password. Both serve as second factor and as proof.

use crate::clock::Timestamp;
use crate::ids::{AccountId, KeyId, PrincipalId};
use crate::settings::AttestationPolicy;
use crate::text_enum::text_enum;
use std::time::Duration;

/// How long a challenge may be answered.
pub const CEREMONY_LIFETIME: Duration = Duration::from_mins(5);

/// How many credentials a principal may have.
pub const KEYS_PER_PRINCIPAL: usize = 20;

text_enum! {
    /// What a credential is for.
    KeyKind, "kind of WebAuthn credential" {
        /// A second factor.
        SecurityKey = "security-key",
        /// A second factor that also logs on without a password.
        Passkey = "passkey",
    }
}

text_enum! {
    /// How far the maker's attestation was verified at registration.
    Trust, "trust in an attestation" {
        /// There was none, or it was of a format that is not judged.
        None = "none",
        /// Signed with the credential's own key.
        SelfSigned = "self",
        /// Signed by a certificate that leads to no root known then.
        Signed = "signed",
        /// Signed by a certificate that leads to a trusted root.
        Rooted = "rooted",
    }
}

text_enum! {
    /// Why a credential is held back. It stays bound, and counts as a second factor: a password alone never does what took
    /// more before.
    KeyHold, "hold on a WebAuthn credential" {
        /// Its user says that he did not bind it. It is refused everywhere, until it is unbound.
        Disowned = "disowned",
        /// It came back with a backup and may have been unbound since. It is refused in the place of the password, until it
        /// has passed behind one.
        Restored = "restored",
    }
}

text_enum! {
    /// What a challenge was asked for. It is good for nothing else.
    CeremonyPurpose, "purpose of a WebAuthn ceremony" {
        /// Binding a security key.
        BindSecurityKey = "bind-security-key",
        /// Binding a passkey.
        BindPasskey = "bind-passkey",
        /// The second factor of a logon.
        SecondFactor = "second-factor",
        /// A logon without a password.
        PasskeyLogon = "passkey-logon",
    }
}

impl CeremonyPurpose {
    /// The purpose of binding a credential of this kind.
    #[must_use]
    pub const fn binding(kind: KeyKind) -> Self {
        match kind {
            KeyKind::SecurityKey => Self::BindSecurityKey,
            KeyKind::Passkey => Self::BindPasskey,
        }
    }

    /// The kind of credential that is bound, if one is.
    #[must_use]
    pub const fn binds(self) -> Option<KeyKind> {
        match self {
            Self::BindSecurityKey => Some(KeyKind::SecurityKey),
            Self::BindPasskey => Some(KeyKind::Passkey),
            Self::SecondFactor | Self::PasskeyLogon => None,
        }
    }
}

/// The model of an authenticator, as it calls itself. All zeros when it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Aaguid([u8; 16]);

/// A text that is no AAGUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an AAGUID: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12")]
pub struct InvalidAaguid;

impl Aaguid {
    /// The AAGUID of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether it tells a model.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.0 != [0; 16]
    }
}

impl std::fmt::Display for Aaguid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let dash = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Aaguid {
    type Err = InvalidAaguid;

    fn from_str(text: &str) -> Result<Self, InvalidAaguid> {
        let lower = text.to_ascii_lowercase();
        let groups: Vec<_> = lower.split('-').map(str::len).collect();
        if !matches!(*groups.as_slice(), [8, 4, 4, 4, 12]) {
            return Err(InvalidAaguid);
        }
        let bytes = data_encoding::HEXLOWER.decode(lower.replace('-', "").as_bytes()).map_err(|_| InvalidAaguid)?;
        bytes.try_into().map(Self).map_err(|_| InvalidAaguid)
    }
}

impl TryFrom<String> for Aaguid {
    type Error = InvalidAaguid;

    fn try_from(text: String) -> Result<Self, InvalidAaguid> {
        text.parse()
    }
}

impl From<Aaguid> for String {
    fn from(aaguid: Aaguid) -> Self {
        aaguid.to_string()
    }
}

/// A credential that is bound to a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAuthnCredential {
    /// The row's id. Every binding makes a new one.
    pub id: KeyId,
    /// The account.
    pub account_id: AccountId,
    /// Whom it belongs to.
    pub principal_id: PrincipalId,
    /// What it is for.
    pub kind: KeyKind,
    /// The credential id, which no other credential of the installation has.
    pub credential_id: Vec<u8>,
    /// The relying party that it was registered with. It answers no other.
    pub rp_id: String,
    /// The public key in COSE.
    pub public_key: Vec<u8>,
    /// The last signature counter.
    pub sign_count: u32,
    /// How its authenticator is reached, as the browser said.
    pub transports: Vec<String>,
    /// The model of its authenticator.
    pub aaguid: Aaguid,
    /// Whether it may leave its device. This never changes.
    pub backup_eligible: bool,
    /// Whether it has, when it was last used.
    pub backed_up: bool,
    /// Whether the user was verified at registration.
    pub user_verified: bool,
    /// The format of the attestation.
    pub attestation_format: String,
    /// How far that was verified.
    pub trust: Trust,
    /// Its name; no other of the principal has it.
    pub name: String,
    /// When it was bound.
    pub created_at: Timestamp,
    /// When it last passed.
    pub last_used_at: Option<Timestamp>,
    /// Why it is held back, if it is.
    pub held: Option<KeyHold>,
}

impl WebAuthnCredential {
    /// What the attestation tells of its authenticator.
    #[must_use]
    pub const fn make(&self) -> Make {
        Make { aaguid: self.aaguid, trust: self.trust, backup_eligible: self.backup_eligible }
    }
}

/// What a policy of attestation looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Make {
    /// The model.
    pub aaguid: Aaguid,
    /// How far the attestation that says so was verified.
    pub trust: Trust,
    /// Whether the credential may leave its device.
    pub backup_eligible: bool,
}

/// Whether the roots of trust of makers are known, so that an attestation can be more than signed by somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// None are known.
    Unknown,
    /// Some are.
    Known,
}

/// Why a policy does not allow a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAllowed {
    /// Its attestation does not prove which model it is.
    Unattested,
    /// Its model is not on the list of those allowed.
    NotOnTheList,
    /// Its model is on the list of those denied.
    OnTheDenyList,
    /// It may leave its device.
    MaySync,
}

impl NotAllowed {
    /// The stable code for the audit log.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unattested => "attestation_missing",
            Self::NotOnTheList => "aaguid_not_allowed",
            Self::OnTheDenyList => "aaguid_denied",
            Self::MaySync => "not_device_bound",
        }
    }
}

impl AttestationPolicy {
    /// Whether it allows a credential. Judged at registration, and at every use: the policy may have become stricter.
    pub fn judge(&self, key: Make, roots: Roots) -> Result<(), NotAllowed> {
        match self {
            Self::DeviceBound if key.backup_eligible => Err(NotAllowed::MaySync),
            Self::Deny(list) if list.contains(&key.aaguid) => Err(NotAllowed::OnTheDenyList),
            Self::Any | Self::DeviceBound | Self::Deny(_) => Ok(()),
            Self::Allow(list) => {
                let enough = match roots {
                    Roots::Known => Trust::Rooted,
                    Roots::Unknown => Trust::Signed,
                };
                if key.trust < enough || !key.aaguid.is_known() {
                    Err(NotAllowed::Unattested)
                } else if list.contains(&key.aaguid) {
                    Ok(())
                } else {
                    Err(NotAllowed::NotOnTheList)
                }
            }
        }
    }
}

/// What second factors a principal has bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Factors {
    /// Whether a virtual MFA device is.
    pub code: bool,
    /// How many security keys are.
    pub security_keys: i64,
    /// How many passkeys are.
    pub passkeys: i64,
}

impl Factors {
    /// Whether there is any.
    #[must_use]
    pub const fn any(self) -> bool {
        self.code || self.keys()
    }

    /// Whether there is a security key or a passkey.
    #[must_use]
    pub const fn keys(self) -> bool {
        self.security_keys > 0 || self.passkeys > 0
    }

    /// How many there are in all.
    #[must_use]
    pub const fn count(self) -> i64 {
        let codes = if self.code { 1 } else { 0 };
        self.security_keys + self.passkeys + codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;
    use std::collections::BTreeSet;

    const ONE: Aaguid = Aaguid([1; 16]);
    const OTHER: Aaguid = Aaguid([2; 16]);

    fn key(aaguid: Aaguid, trust: Trust, backup_eligible: bool) -> WebAuthnCredential {
        WebAuthnCredential {
            id: KeyId::generate(&OsEntropy),
            account_id: AccountId::generate(&OsEntropy),
            principal_id: PrincipalId::generate(&OsEntropy),
            kind: KeyKind::Passkey,
            credential_id: vec![1],
            rp_id: "localhost".into(),
            public_key: vec![],
            sign_count: 0,
            transports: vec![],
            aaguid,
            backup_eligible,
            backed_up: false,
            user_verified: true,
            attestation_format: "packed".into(),
            trust,
            name: "key".into(),
            created_at: Timestamp::from_micros(0),
            last_used_at: None,
            held: None,
        }
    }

    #[test]
    fn attack_083_the_table_of_attestation_policies() {
        use AttestationPolicy::{Allow, Any, Deny, DeviceBound};
        use Roots::{Known, Unknown};
        let list = || BTreeSet::from([ONE]);
        for (policy, aaguid, trust, synced, roots, expected) in [
            (Any, Aaguid::default(), Trust::None, true, Known, Ok(())),
            (Allow(list()), ONE, Trust::Rooted, false, Known, Ok(())),
            (Allow(list()), ONE, Trust::Rooted, true, Known, Ok(())),
            (Allow(list()), ONE, Trust::Signed, false, Known, Err(NotAllowed::Unattested)),
            (Allow(list()), ONE, Trust::Signed, false, Unknown, Ok(())),
            (Allow(list()), ONE, Trust::SelfSigned, false, Unknown, Err(NotAllowed::Unattested)),
            (Allow(list()), ONE, Trust::None, false, Unknown, Err(NotAllowed::Unattested)),
            (Allow(list()), OTHER, Trust::Rooted, false, Known, Err(NotAllowed::NotOnTheList)),
            (
                Allow([Aaguid::default()].into()),
                Aaguid::default(),
                Trust::Rooted,
                false,
                Known,
                Err(NotAllowed::Unattested),
            ),
            (Deny(list()), ONE, Trust::None, false, Unknown, Err(NotAllowed::OnTheDenyList)),
            (Deny(list()), OTHER, Trust::None, true, Unknown, Ok(())),
            (DeviceBound, ONE, Trust::None, true, Known, Err(NotAllowed::MaySync)),
            (DeviceBound, Aaguid::default(), Trust::None, false, Known, Ok(())),
        ] {
            assert_eq!(policy.judge(key(aaguid, trust, synced).make(), roots), expected, "{policy} {aaguid} {trust}");
        }
    }

    #[test]
    fn an_aaguid_is_written_as_a_uuid() {
        let text = "ee882879-721c-4913-9775-3dfcce97072a";
        let aaguid: Aaguid = text.parse().unwrap();
        assert_eq!(aaguid.to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(aaguid));
        for bad in ["", "ee882879", "ee882879721c491397753dfcce97072a", "ee882879-721c-4913-9775-3dfcce97072g", "é"] {
            assert!(bad.parse::<Aaguid>().is_err(), "{bad}");
        }
    }
}
