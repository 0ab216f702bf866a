//! One attempt to open a session: a persisted state machine.
//!
//! ```text
//! Password ─► SecondFactor ─► ChoosePassword ─► Bind ─► done: the row goes, a session comes
//! ```
//! Which state comes next is decided in one place, in core, from [`LogonFacts`] and the policy.

use crate::clock::Timestamp;
use crate::ids::{AccountId, LogonId, PrincipalId};
use crate::principal::PrincipalKind;
use crate::text_enum::text_enum;
use std::time::Duration;

/// How long a logon may take from its first page to its session.
pub const LOGON_LIFETIME: Duration = Duration::from_mins(10);

/// An attempt to open a session.
#[derive(Debug, Clone)]
pub struct Logon {
    /// Its id. The secret that the browser holds is another one.
    pub id: LogonId,
    /// The account; a phantom when the name does not exist.
    pub account_id: AccountId,
    /// The principal; a phantom when the name does not exist.
    pub principal_id: PrincipalId,
    /// What the person said he is.
    pub kind: PrincipalKind,
    /// The name as canonicalised, to show as whom one logs on.
    pub name: String,
    /// What it waits for.
    pub state: LogonState,
    /// What was shown so far.
    pub facts: LogonFacts,
    /// The principal's epoch when the logon began or last changed it.
    pub principal_epoch: i64,
    /// The account's epoch likewise.
    pub account_epoch: i64,
    /// After this it is dead.
    pub expires_at: Timestamp,
}

text_enum! {
    /// What a logon waits for. A page may only do what the state allows.
    LogonState, "state of a logon" {
        /// The password.
        Password = "password",
        /// A proof by a bound factor.
        SecondFactor = "second-factor",
        /// A new password, because a change is due.
        ChoosePassword = "choose-password",
        /// A first MFA device, because one is required.
        Bind = "bind",
    }
}

/// What a logon has shown so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and they hold in any combination")]
pub struct LogonFacts {
    /// When the password was right.
    pub password_at: Option<Timestamp>,
    /// When a passkey took the password's place.
    #[serde(default)]
    pub passkey_at: Option<Timestamp>,
    /// When a second factor was right, and which kind. A passkey that verified its user is that as well.
    pub second_factor: Option<(Method, Timestamp)>,
    /// Whether the new password that was due has been chosen.
    pub password_chosen: bool,
    /// Whether a device was bound in this logon.
    #[serde(default)]
    pub device_bound: bool,
    /// Whether the principal has logged on with this browser before.
    #[serde(default)]
    pub browser_known: bool,
    /// What is unusual about it, as judged when the password was right.
    #[serde(default)]
    pub unusual: Vec<Unusual>,
    /// The hash of the secret of a remembered machine that was shown, in hexadecimal. It is used up at the end.
    #[serde(default)]
    pub remembered_by: Option<String>,
    /// Whether the machine is to be remembered from now on.
    #[serde(default)]
    pub remember: bool,
}

impl LogonFacts {
    /// Whether a recovery code stood for the second factor: whoever comes by one has lost what is bound.
    #[must_use]
    pub fn has_lost_factor(&self) -> bool {
        self.second_factor.is_some_and(|(method, _)| method == Method::RecoveryCode)
    }

    /// The methods used, in their order.
    #[must_use]
    pub fn methods(&self) -> Vec<Method> {
        let password = self.password_at.map(|_| Method::Password);
        let passkey = self.passkey_at.map(|_| Method::Passkey);
        let second = self.second_factor.map(|(method, _)| method).filter(|method| Some(*method) != passkey);
        let machine =
            self.remembered_by.as_ref().filter(|_| self.second_factor.is_none()).map(|_| Method::RememberedMachine);
        password.into_iter().chain(passkey).chain(second).chain(machine).collect()
    }
}

text_enum! {
    /// A way to prove who one is.
    Method, "method" {
        /// A password.
        Password = "password",
        /// A code of a virtual MFA device.
        VirtualMfa = "virtual-mfa",
        /// A touch of a security key.
        SecurityKey = "security-key",
        /// A passkey.
        Passkey = "passkey",
        /// A recovery code.
        RecoveryCode = "recovery-code",
        /// No second factor, because the machine was remembered.
        RememberedMachine = "remembered-machine",
    }
}

impl Method {
    /// Whether it is a factor that is bound, and was shown itself.
    #[must_use]
    pub const fn is_bound_factor(self) -> bool {
        match self {
            Self::VirtualMfa | Self::SecurityKey | Self::Passkey => true,
            Self::Password | Self::RecoveryCode | Self::RememberedMachine => false,
        }
    }

    /// Whether it proves more than a password does.
    #[must_use]
    pub const fn is_second_factor(self) -> bool {
        match self {
            Self::VirtualMfa | Self::SecurityKey | Self::Passkey | Self::RecoveryCode => true,
            Self::Password | Self::RememberedMachine => false,
        }
    }
}

text_enum! {
    /// What makes a logon unusual.
    Unusual, "reason of an unusual logon" {
        /// The principal has never shown a second factor in this browser.
        NewBrowser = "new-browser",
        /// He has not shown one from this network for thirty days.
        NewNetwork = "new-network",
        /// Wrong passwords or codes came before it.
        AfterFailures = "after-failures",
    }
}
