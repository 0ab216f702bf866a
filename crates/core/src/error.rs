//! What a use-case answers when it does not do what it was asked.
//!
//! A [`Refusal`] is a decision: it commits, with its count and its audit event, and carries a code that pages, programs
//! and the audit log share. Everything else broke: it rolls back and denies.

mod bounds;

pub use bounds::{Conflict, Limit};

use crate::hashing::HashError;
use crate::step_up::ProofDemand;
use countersign_model::names::InvalidName;
use countersign_model::policy::MalformedPolicy;
use countersign_store::{Settle, Settles, StoreError};

/// Why a use-case did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A decision. `reason` is for the audit log alone; from outside equal refusals look alike.
    #[error("refused: {refusal} ({reason})")]
    Refused {
        /// What the asker is told.
        refusal: Refusal,
        /// What the audit log keeps.
        reason: &'static str,
    },
    /// A question: the operation is sensitive, and the person has to prove first who he is. The door asks him for
    /// [`ProofDemand::ways`] and calls again.
    #[error("a proof is asked for")]
    ProofRequired(Box<ProofDemand>),
    /// The weather: the same request may succeed in a moment. Doors answer 503.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The operator: the clock lies behind a time that was already seen. Doors answer 503; `doctor` explains.
    #[error("the clock is behind a time already seen")]
    ClockBehind,
    /// Us or the data. Doors answer 500 and tell nothing.
    #[error("fault: {0}")]
    Fault(String),
}

impl Error {
    /// A refusal whose reason is its own code.
    #[must_use]
    pub const fn refused(refusal: Refusal) -> Self {
        Self::Refused { refusal, reason: refusal.code() }
    }

    /// A refusal that tells the audit log more than the asker.
    #[must_use]
    pub const fn because(refusal: Refusal, reason: &'static str) -> Self {
        Self::Refused { refusal, reason }
    }

    /// The refusal, if it is one.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            Self::ProofRequired(_) | Self::Unavailable(_) | Self::ClockBehind | Self::Fault(_) => None,
        }
    }
}

/// What an asker is told. The person at fault is named in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// There is no good session (any more): log on.
    NotLoggedOn,
    /// The logon ran out, was finished, or something about the principal has changed: begin again.
    LogonOver,
    /// Name or password are not right, or may not log on, or too many tries were made.
    WrongCredentials,
    /// The code is not right, or was used, or too many tries were made.
    WrongCode,
    /// The actor may not do this.
    NoPermission,
    /// There is no such user in the account.
    UserNotFound,
    /// The user name is taken.
    UserExists,
    /// The alias is taken.
    AliasExists,
    /// The email address belongs to another owner.
    EmailExists,
    /// There is no such account.
    AccountNotFound,
    /// A typed name breaks its limits; the code says which and how.
    Invalid(&'static str),
    /// The password breaks the rules.
    PasswordTooWeak,
    /// The new password is the old one.
    PasswordUnchanged,
    /// The present password is not right, or too many tries were made.
    OldPasswordIncorrect,
    /// The two passwords typed differ.
    PasswordsDiffer,
    /// Nobody deletes, disables or demotes himself, nor manages his own factors as an administrator.
    Oneself,
    /// A device is bound already.
    MfaAlreadyBound,
    /// No device is bound.
    MfaNotBound,
    /// A device must stay bound: it can be replaced, not unbound.
    MfaRequired,
    /// The other factors that are bound cannot be used at present: without this one nobody could log on.
    LastUsableFactor,
    /// Only one type of MFA device is allowed, and one of another type is bound.
    OtherMfaTypeBound,
    /// What the browser sent is no credential that can be bound: begin again.
    KeyNotAccepted,
    /// The account's policy does not allow this security key or passkey.
    KeyNotAllowed,
    /// The key's user says that he did not bind it.
    KeyDisowned,
    /// The passkey came back with a backup: it has to pass behind the password once.
    KeyRestored,
    /// None of the keys that are bound can be used at present.
    NoKeyUsable,
    /// Nobody has this passkey (any more).
    KeyUnknown,
    /// The credential is bound already, or another key has the name.
    KeyExists,
    /// The principal has as many security keys and passkeys as he may.
    TooManyKeys,
    /// The challenge ran out, was answered, or was somebody else's: begin again.
    CeremonyOver,
    /// The binding ran out, was finished, or was begun elsewhere: begin again.
    BindingOver,
    /// Too many bindings were begun within an hour.
    TooManyBindings,
    /// The name typed to confirm is not that of the thing.
    NotConfirmed,
    /// The set-up link is not (any longer) good.
    SetUpOver,
    /// The user has no login profile, or no password to keep.
    NoPassword,
    /// The proof asked for was given already, or ran out, or is somebody else's: begin again.
    ProofOver,
    /// The session has ended, or the machine is not remembered any more.
    AlreadyEnded,
    /// Somebody else has changed the settings since they were shown.
    SettingsChanged,
    /// Nobody could administrate the account under these settings.
    NoAdministratorPath,
    /// The new password is one that its user had before.
    PasswordUsedBefore,
    /// The link to a notice is not (any longer) good, or there is no such notice to disown.
    NoticeOver,
    /// There is no such finding, or somebody has settled it.
    FindingNotFound,
    /// The call was signed too long ago, in the future, or before this server could tell whether it was made already.
    CallOutOfTime,
    /// The call's nonce was used.
    NonceUsed,
    /// There is no such virtual MFA device in the account.
    MfaDeviceNotFound,
    /// A virtual MFA device of the account has this name.
    MfaDeviceExists,
    /// The virtual MFA device is bound to somebody already.
    MfaDeviceTaken,
    /// The user has a login profile already.
    LoginProfileExists,
    /// The user has no such email address or phone.
    ContactNotFound,
    /// The user has no such passkey.
    PasskeyNotFound,
    /// Only a RAM user can ask for this.
    OnlyForUsers,
    /// No credential report has been made yet.
    NoCredentialReport,
    /// There is no such group in the account.
    GroupNotFound,
    /// The group name is taken.
    GroupExists,
    /// The user is not in the group.
    NotInGroup,
    /// The user is in the group already.
    AlreadyInGroup,
    /// There is no such policy.
    PolicyNotFound,
    /// The policy name is taken.
    PolicyExists,
    /// The policy has no such version.
    PolicyVersionNotFound,
    /// The policy is not attached to the user.
    UserPolicyNotFound,
    /// The policy is attached to the user already.
    UserPolicyExists,
    /// The policy is not attached to the group.
    GroupPolicyNotFound,
    /// The policy is attached to the group already.
    GroupPolicyExists,
    /// There are as many of them as there may be.
    LimitExceeded(Limit),
    /// Something hangs on what was to be removed.
    DeleteConflict(Conflict),
    /// There is no such AccessKey, or it is somebody else's.
    AccessKeyNotFound,
    /// The AccessKey that signed is not there (any longer).
    SigningKeyNotFound,
    /// The AccessKey is disabled, or was not used for as long as the settings allow.
    AccessKeyInactive,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotLoggedOn => "NotLoggedOn",
            Self::LogonOver => "LogonOver",
            Self::WrongCredentials => "LogonFail",
            Self::WrongCode => "CheckAuthenticationCodeFail",
            Self::NoPermission => "NoPermission",
            Self::UserNotFound => "EntityNotExist.User",
            Self::UserExists => "EntityAlreadyExists.User",
            Self::AliasExists => "EntityAlreadyExists.AccountAlias",
            Self::EmailExists => "EntityAlreadyExists.Email",
            Self::AccountNotFound => "EntityNotExist.Account",
            Self::Invalid(code) => code,
            Self::LimitExceeded(limit) => limit.code(),
            Self::DeleteConflict(conflict) => conflict.code(),
            Self::PasswordTooWeak => "InvalidParameter.Password.TooWeak",
            Self::PasswordUnchanged => "InvalidParameter.NewPassword.ReusePrevention",
            Self::OldPasswordIncorrect => "InvalidParameter.OldPassword.Incorrect",
            Self::PasswordsDiffer => "InvalidParameter.Password.Repetition",
            Self::Oneself => "OperationConflict.Oneself",
            Self::MfaAlreadyBound => "EntityAlreadyExists.User.MFADevice",
            Self::MfaNotBound => "EntityNotExist.User.MFADevice",
            Self::MfaRequired => "OperationConflict.MFARequired",
            Self::LastUsableFactor => "OperationConflict.LastUsableFactor",
            Self::OtherMfaTypeBound => "OperationConflict.MFADeviceType",
            Self::KeyNotAccepted => "InvalidParameter.SecurityKey",
            Self::KeyNotAllowed => "NotSupport.SecurityKey",
            Self::KeyDisowned => "NotSupport.SecurityKey.Disowned",
            Self::KeyRestored => "NotSupport.SecurityKey.Restored",
            Self::NoKeyUsable => "NotSupport.SecurityKey.None",
            Self::KeyUnknown => "EntityNotExist.SecurityKey",
            Self::KeyExists => "EntityAlreadyExists.SecurityKey",
            Self::TooManyKeys => "LimitExceeded.SecurityKey",
            Self::CeremonyOver => "CeremonyOver",
            Self::BindingOver => "BindingOver",
            Self::TooManyBindings => "Throttling.Binding",
            Self::NotConfirmed => "InvalidParameter.Confirmation",
            Self::SetUpOver => "SetUpOver",
            Self::NoPassword => "EntityNotExist.User.LoginProfile",
            Self::ProofOver => "ProofOver",
            Self::AlreadyEnded => "EntityNotExist.Session",
            Self::SettingsChanged => "OperationConflict.SettingsChanged",
            Self::NoAdministratorPath => "OperationConflict.NoAdministratorPath",
            Self::PasswordUsedBefore => "InvalidParameter.NewPassword.UsedBefore",
            Self::NoticeOver => "NoticeOver",
            Self::FindingNotFound => "EntityNotExist.Finding",
            Self::CallOutOfTime => "InvalidTimeStamp.Expired",
            Self::NonceUsed => "SignatureNonceUsed",
            Self::MfaDeviceNotFound => "EntityNotExist.VirtualMFADevice",
            Self::MfaDeviceExists => "EntityAlreadyExists.VirtualMFADevice",
            Self::MfaDeviceTaken => "EntityAlreadyExists.VirtualMFADevice.User",
            Self::LoginProfileExists => "EntityAlreadyExists.User.LoginProfile",
            Self::ContactNotFound => "EntityNotExist.User.Verification",
            Self::PasskeyNotFound => "EntityNotExist.User.Passkey",
            Self::OnlyForUsers => "NotSupport.Account",
            Self::NoCredentialReport => "EntityNotExist.CredentialReport",
            Self::GroupNotFound => "EntityNotExist.Group",
            Self::GroupExists => "EntityAlreadyExists.Group",
            Self::NotInGroup => "EntityNotExist.User.Group",
            Self::AlreadyInGroup => "EntityAlreadyExists.User.Group",
            Self::PolicyNotFound => "EntityNotExist.Policy",
            Self::PolicyExists => "EntityAlreadyExists.Policy",
            Self::PolicyVersionNotFound => "EntityNotExist.Policy.Version",
            Self::UserPolicyNotFound => "EntityNotExist.User.Policy",
            Self::UserPolicyExists => "EntityAlreadyExists.User.Policy",
            Self::GroupPolicyNotFound => "EntityNotExist.Group.Policy",
            Self::GroupPolicyExists => "EntityAlreadyExists.Group.Policy",
            Self::AccessKeyNotFound => "EntityNotExist.User.AccessKey",
            Self::SigningKeyNotFound => "InvalidAccessKeyId.NotFound",
            Self::AccessKeyInactive => "AccessKeyInactive",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::refused(refusal)
    }
}

impl From<InvalidName> for Error {
    fn from(invalid: InvalidName) -> Self {
        Self::refused(Refusal::Invalid(invalid.code))
    }
}

impl From<MalformedPolicy> for Error {
    fn from(malformed: MalformedPolicy) -> Self {
        Self::refused(Refusal::Invalid(malformed.code()))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        if let StoreError::Unavailable(what) = error { Self::Unavailable(what) } else { Self::Fault(error.to_string()) }
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        if let HashError::Busy = error {
            Self::Unavailable("too many passwords are being checked at once".to_owned())
        } else {
            Self::Fault(error.to_string())
        }
    }
}

impl Settles for Error {
    fn settle(&self) -> Settle {
        match self {
            Self::Refused { .. } | Self::ProofRequired(_) => Settle::Commit,
            Self::Unavailable(_) | Self::ClockBehind | Self::Fault(_) => Settle::RollBack,
        }
    }
}
