//! Who can log on: the owner of an account and its RAM users, and what makes a RAM user an administrator.

use crate::clock::Timestamp;
use crate::ids::{AccountId, PrincipalId};
use crate::names::{AccountAlias, Comments, DisplayName, EmailAddress, MobilePhone};
use crate::settings::SecuritySettings;
use crate::text_enum::text_enum;
use secrecy::SecretString;

/// The tenant: an owner and the RAM users under it.
#[derive(Debug, Clone)]
pub struct Account {
    /// The sixteen-digit id.
    pub id: AccountId,
    /// The alias, unique in the installation; part of the logon names of its RAM users.
    pub alias: AccountAlias,
    /// The security settings.
    pub settings: SecuritySettings,
    /// Rises when a policy is made stricter; whatever carries an older value is dead.
    pub epoch: i64,
    /// When the account was made.
    pub created_at: Timestamp,
}

text_enum! {
    /// The two kinds of principals.
    PrincipalKind, "kind of principal" {
        /// The root identity of an account, who logs on with an email address.
        Owner = "owner",
        /// A user under an account.
        RamUser = "ram-user",
    }
}

/// Whoever can log on. Factors, sessions and counters hang on a principal.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// Its id.
    pub id: PrincipalId,
    /// Owner or RAM user.
    pub kind: PrincipalKind,
    /// The user name as typed, or the owner's email address.
    pub name: String,
    /// A name for people to read.
    pub display_name: DisplayName,
    /// A remark of an administrator.
    pub comments: Comments,
    /// A contact address: the owner's logon name, or for notices to a RAM user (unverified).
    pub email: Option<EmailAddress>,
    /// A contact number, for people to read.
    pub mobile: Option<MobilePhone>,
    /// Rises with every change of a password, factor or login profile; whatever carries an older value is dead.
    pub epoch: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last opened a session.
    pub last_logon_at: Option<Timestamp>,
}

/// The console logon settings of a principal.
#[derive(Debug, Clone)]
pub struct LoginProfile {
    /// Whether the password logs on to the console.
    pub console_logon: ConsoleLogon,
    /// The hash of the password (PHC string), if one was ever set.
    pub password_hash: Option<SecretString>,
    /// When the password was last changed.
    pub password_changed_at: Option<Timestamp>,
    /// Whether the password must be changed at the next logon.
    pub password_reset_required: bool,
    /// Whether somebody else gave the password, and its user has not chosen one since.
    pub password_is_initial: bool,
    /// Whether the principal must have an MFA device.
    pub mfa_bind_required: bool,
    /// When the profile was made.
    pub created_at: Timestamp,
    /// When console logon was last enabled: from then on its idleness is counted.
    pub enabled_at: Timestamp,
}

text_enum! {
    /// Console password logon as a switch.
    ConsoleLogon, "console logon state" {
        /// The password logs on.
        Enabled = "enabled",
        /// The password does not log on.
        Disabled = "disabled",
    }
}

text_enum! {
    /// The policies that come with every account. Two of them make an administrator.
    SystemPolicy, "system policy" {
        /// Everything in the account.
        AdministratorAccess = "AdministratorAccess",
        /// Everything about RAM users and their logon.
        AliyunRamFullAccess = "AliyunRAMFullAccess",
        /// Looking at everything about RAM users and their logon.
        AliyunRamReadOnlyAccess = "AliyunRAMReadOnlyAccess",
    }
}

impl SystemPolicy {
    /// Whether it makes an administrator. The store knows these by their words as well.
    #[must_use]
    pub const fn makes_administrator(self) -> bool {
        match self {
            Self::AdministratorAccess | Self::AliyunRamFullAccess => true,
            Self::AliyunRamReadOnlyAccess => false,
        }
    }
}
