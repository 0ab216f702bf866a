//! Which operations are sensitive, and how often each kind asks for a proof.

use crate::text_enum::text_enum;
use std::collections::BTreeMap;

text_enum! {
    /// The kinds of sensitive operations.
    SensitiveOperation, "sensitive operation" {
        /// Changing one's own password.
        OwnPassword = "own-password",
        /// Binding, replacing and unbinding one's own MFA device; making one's own recovery codes.
        OwnMfa = "own-mfa",
        /// Changing one's own email address or phone.
        OwnContact = "own-contact",
        /// An administrator's changes to RAM users: their logon settings, factors and sessions.
        Users = "users",
        /// An administrator's changes to who is an administrator.
        Policies = "policies",
        /// Making, enabling and deleting AccessKeys.
        AccessKeys = "access-keys",
        /// Changing the security settings and the password policy.
        SecuritySettings = "security-settings",
    }
}

impl SensitiveOperation {
    /// How often it asks unless the account says otherwise: always about oneself, once in 15 minutes as an administrator.
    #[must_use]
    pub const fn default_strength(self) -> Strength {
        match self {
            Self::OwnPassword | Self::OwnMfa | Self::OwnContact => Strength::Always,
            Self::Users | Self::Policies | Self::AccessKeys | Self::SecuritySettings => Strength::OnceIn15Minutes,
        }
    }
}

text_enum! {
    /// How often an operation asks for a proof, the weakest first.
    Strength, "strength" {
        /// Never.
        Off = "off",
        /// Once, and then not again for 15 minutes in the same session.
        OnceIn15Minutes = "once-in-15-minutes",
        /// Each time.
        Always = "always",
    }
}

/// The strengths that an account has set; every other operation has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct StrengthTable(BTreeMap<SensitiveOperation, Strength>);

impl StrengthTable {
    /// How often an operation asks.
    #[must_use]
    pub fn of(&self, operation: SensitiveOperation) -> Strength {
        self.0.get(&operation).copied().unwrap_or_else(|| operation.default_strength())
    }

    /// Sets how often an operation asks.
    pub fn set(&mut self, operation: SensitiveOperation, strength: Strength) {
        if strength == operation.default_strength() {
            self.0.remove(&operation);
        } else {
            self.0.insert(operation, strength);
        }
    }
}
