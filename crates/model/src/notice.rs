//! What people are told about their own security, and what administrators have to look at.

use crate::clock::Timestamp;
use crate::ids::{AccountId, FindingId, NoticeId, PrincipalId};
use crate::text_enum::text_enum;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a notice is kept and shown.
pub const NOTICES_KEPT: Duration = Duration::from_hours(24 * 90);

/// How long the link in a mail is good that says: this was not me.
pub const DISOWN_LINK_LIFETIME: Duration = Duration::from_hours(24 * 7);

/// Something that a principal was told about his own security.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The account.
    pub account_id: AccountId,
    /// Its id.
    pub id: NoticeId,
    /// Who was told.
    pub principal_id: PrincipalId,
    /// What it tells.
    pub kind: NoticeKind,
    /// Around it.
    pub facts: NoticeFacts,
    /// When what it tells of happened.
    pub at: Timestamp,
    /// When he said that it was not he.
    pub disowned_at: Option<Timestamp>,
}

impl Notice {
    /// Whether he may still say that it was not he: once, and not for ever.
    #[must_use]
    pub fn may_be_disowned(&self, now: Timestamp) -> bool {
        self.disowned_at.is_none() && now < self.at.plus(DISOWN_LINK_LIFETIME)
    }
}

/// What a notice tells beside its kind. Never a secret, a code or a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFacts {
    /// The alias of the account.
    pub alias: String,
    /// The name to log on with.
    pub logon_name: String,
    /// Who did it.
    pub by: Doer,
    /// From which network address.
    pub address: String,
    /// With which program, as it called itself.
    pub user_agent: String,
}

/// Who did what a notice tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doer {
    /// Whoever was logged on, or logging on, as the principal himself.
    Oneself,
    /// An administrator of the account, by his name.
    Administrator(String),
    /// The operator of the installation.
    Operator,
}

/// Something that administrators have to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The account.
    pub account_id: AccountId,
    /// Its id.
    pub id: FindingId,
    /// What it is.
    pub kind: FindingKind,
    /// Whom it is about.
    pub principal_id: PrincipalId,
    /// His name at that time.
    pub principal_name: String,
    /// What else there is to know, as `key=value` words that end with `;`. May be empty.
    pub details: String,
    /// When it was raised.
    pub at: Timestamp,
    /// When an administrator settled it, and his name.
    pub settled: Option<(Timestamp, String)>,
}

text_enum! {
    /// What a person is told, by mail.
    NoticeKind, "kind of notice" {
        /// A device was bound.
        MfaBound = "mfa-bound",
        /// A device was put in the place of another.
        MfaReplaced = "mfa-replaced",
        /// A device was unbound.
        MfaUnbound = "mfa-unbound",
        /// The password was changed.
        PasswordChanged = "password-changed",
        /// A contact address was changed.
        ContactChanged = "contact-changed",
        /// An email address or phone that could prove the user was replaced or unbound.
        VerificationChanged = "verification-changed",
        /// Recovery codes were made; earlier ones are worthless.
        RecoveryCodesMade = "recovery-codes-made",
        /// A recovery code was used.
        RecoveryCodeUsed = "recovery-code-used",
        /// Somebody logged on from a browser or network not seen before.
        NewMachine = "new-machine",
        /// A factor was locked after too many failures.
        Locked = "locked",
        /// A code that was used before was sent again.
        CodeReplayed = "code-replayed",
        /// The secret of a remembered machine was used a second time; the machine is forgotten.
        MachineReplayed = "machine-replayed",
        /// A security key or passkey was bound.
        KeyBound = "key-bound",
        /// A security key or passkey was unbound.
        KeyUnbound = "key-unbound",
        /// A security key or passkey gave a counter that it had given before: there may be a copy of it.
        KeyCopied = "key-copied",
        /// An `AccessKey` was made.
        AccessKeyCreated = "access-key-created",
    }
}

text_enum! {
    /// What administrators have to look at.
    FindingKind, "kind of finding" {
        /// Somebody said of a notice that it was not he.
        Disowned = "disowned",
        /// The secret of a remembered machine was used a second time.
        MachineReplayed = "machine-replayed",
        /// A security key or passkey gave a counter that it had given before, or is not any more what it was.
        KeyCopied = "key-copied",
        /// Wrong passwords come for many users at once.
        Spraying = "spraying",
        /// Recovery codes were restored from a backup and have to be made anew.
        RecoveryCodesStale = "recovery-codes-stale",
        /// The audit log of the account is not what was written.
        AuditLogBroken = "audit-log-broken",
        /// AccessKeys were restored from a backup and are disabled until somebody says that they are still wanted.
        AccessKeysStale = "access-keys-stale",
        /// Passkeys were restored from a backup: they log on without a password once they have passed behind one.
        PasskeysStale = "passkeys-stale",
        /// An `AccessKey` was used while the clock ran ahead and is disabled: its calls could be sent again.
        AccessKeysAhead = "access-keys-ahead",
    }
}
