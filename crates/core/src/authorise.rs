//! The one place that authorises. [`authorise`] is a pure function; a table test holds it against every role and fails
//! when an action has no row.

use crate::actor::{Actor, Insider, Role};
use crate::error::Refusal;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::settings::{SecuritySettings, SensitiveOperation};

macro_rules! actions {
    ($($(#[$meta:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// Everything that can be asked for outside a logon.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$meta])* $name),+ }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// A name that no other action has.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// The action of this [`Self::name`].
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.name() == name)
            }

            /// The name in the audit log; that of the RAM protocol where it has one.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }
        }
    };
}

actions! {
    /// See one's own security information.
    ViewOwnSecurity = "GetOwnSecurity",
    /// Change one's own password.
    ChangeOwnPassword = "ChangePassword",
    /// Bind or replace one's own MFA device.
    BindOwnMfa = "BindMFADevice",
    /// Unbind one's own MFA device.
    UnbindOwnMfa = "UnbindMFADevice",
    /// Make one's own recovery codes.
    MakeOwnRecoveryCodes = "CreateRecoveryCodes",
    /// Prove who one is, before a sensitive operation.
    VerifyIdentity = "VerifyIdentity",
    /// Say of a notice that it was not oneself.
    DisownNotice = "DisownNotice",
    /// End one's own session.
    LogOff = "ConsoleSignout",
    /// End one's own other sessions, forget one's own machines.
    EndOwnSessions = "EndSessions",
    /// See the Account Center.
    ViewAccount = "GetAccount",
    /// See the overview of the RAM console.
    ViewOverview = "GetAccountSummary",
    /// List and search RAM users.
    ListUsers = "ListUsers",
    /// See one RAM user.
    ViewUser = "GetUser",
    /// Make a RAM user.
    CreateUser = "CreateUser",
    /// Change the names and remarks of a RAM user.
    UpdateUser = "UpdateUser",
    /// Remove a RAM user.
    DeleteUser = "DeleteUser",
    /// Change the console logon settings of a RAM user, with his password.
    ChangeLoginProfile = "UpdateLoginProfile",
    /// Bind an MFA device for a RAM user.
    BindMfaForUser = "BindMFADevice",
    /// Unbind the MFA device of a RAM user.
    UnbindMfaForUser = "UnbindMFADevice",
    /// Lift the lock on a factor of a RAM user.
    UnlockUser = "UnlockUser",
    /// End the sessions of a RAM user, forget his machines.
    EndUserSessions = "EndUserSessions",
    /// See one's own AccessKeys.
    ListOwnAccessKeys = "ListAccessKeys",
    /// Make an AccessKey for oneself.
    CreateOwnAccessKey = "CreateAccessKey",
    /// Enable or disable an AccessKey of one's own.
    UpdateOwnAccessKey = "UpdateAccessKey",
    /// Remove an AccessKey of one's own.
    DeleteOwnAccessKey = "DeleteAccessKey",
    /// See when an AccessKey of one's own was last used.
    ViewOwnAccessKeyUse = "GetAccessKeyLastUsed",
    /// See the AccessKeys of a RAM user.
    ListAccessKeysOfUser = "ListAccessKeys",
    /// Make an AccessKey for a RAM user.
    CreateAccessKeyForUser = "CreateAccessKey",
    /// Enable or disable an AccessKey of a RAM user.
    UpdateAccessKeyOfUser = "UpdateAccessKey",
    /// Remove an AccessKey of a RAM user.
    DeleteAccessKeyOfUser = "DeleteAccessKey",
    /// See when an AccessKey of a RAM user was last used.
    ViewAccessKeyUseOfUser = "GetAccessKeyLastUsed",
    /// List the names of RAM users.
    ListUserBasics = "ListUserBasicInfos",
    /// See the MFA device of a RAM user.
    ViewUserMfa = "GetUserMFAInfo",
    /// See one's own MFA device by a signed call.
    ViewOwnMfa = "GetUserMFAInfo",
    /// See whether the owner has an MFA device.
    ViewAccountMfa = "GetAccountMFAInfo",
    /// Make a virtual MFA device that is bound to nobody yet.
    CreateMfaDevice = "CreateVirtualMFADevice",
    /// List the virtual MFA devices of the account.
    ListMfaDevices = "ListVirtualMFADevices",
    /// Remove a virtual MFA device that is bound to nobody.
    DeleteMfaDevice = "DeleteVirtualMFADevice",
    /// Unbind the MFA device of a RAM user and remove it.
    DisableMfaForUser = "DisableVirtualMFA",
    /// Give a RAM user console logon.
    CreateLoginProfile = "CreateLoginProfile",
    /// See the console logon settings of a RAM user.
    ViewLoginProfile = "GetLoginProfile",
    /// Take console logon away from a RAM user.
    DeleteLoginProfile = "DeleteLoginProfile",
    /// See the rules for passwords.
    ViewPasswordPolicy = "GetPasswordPolicy",
    /// See the secure email address and phone of a RAM user.
    ViewVerification = "GetVerificationInfo",
    /// Bind a secure email address or phone to a RAM user.
    BindVerification = "SetVerificationInfo",
    /// Unbind the secure email address or phone of a RAM user.
    UnbindVerification = "UnbindVerification",
    /// List the passkeys of a RAM user.
    ListPasskeysOfUser = "ListPasskeys",
    /// Rename a passkey of a RAM user.
    RenamePasskeyOfUser = "UpdatePasskey",
    /// Remove a passkey of a RAM user.
    DeletePasskeyOfUser = "DeletePasskey",
    /// See the alias of the account.
    ViewAlias = "GetAccountAlias",
    /// Give the account another alias.
    SetAlias = "SetAccountAlias",
    /// Take the alias of the account away.
    ClearAlias = "ClearAccountAlias",
    /// See the domain of the logon names.
    ViewDefaultDomain = "GetDefaultDomain",
    /// Give the logon names another domain.
    SetDefaultDomain = "SetDefaultDomain",
    /// See how well the account is protected.
    ViewPractice = "GetAccountSecurityPracticeReport",
    /// Have the credential report made.
    MakeCredentialReport = "GenerateCredentialReport",
    /// Read the credential report.
    ViewCredentialReport = "GetCredentialReport",
    /// Attach a system policy to a RAM user.
    AttachPolicy = "AttachPolicyToUser",
    /// Detach a system policy from a RAM user.
    DetachPolicy = "DetachPolicyFromUser",
    /// See the security settings.
    ViewSettings = "GetSecurityPreference",
    /// Change the security settings.
    ChangeSettings = "SetSecurityPreference",
    /// Change the rules for passwords.
    ChangePasswordPolicy = "SetPasswordPolicy",
    /// See what administrators have to look at.
    ListFindings = "ListFindings",
    /// Settle what was looked at.
    SettleFinding = "SettleFinding",
    /// Read the audit log of the account.
    ListAudit = "ListAuditEvents",
    /// Take the audit log out of the house.
    ExportAudit = "ExportAuditEvents",
    /// See what one did oneself, and what was done to oneself.
    ViewOwnHistory = "GetOwnHistory",
    /// Make an account.
    CreateAccount = "CreateAccount",
    /// List all accounts of the installation.
    ListAccounts = "ListAccounts",
    /// Unbind the owner's MFA device by the command line.
    ResetOwnerMfa = "ResetOwnerMFADevice",
    /// Set the owner's password by the command line.
    ResetOwnerPassword = "ResetOwnerPassword",
    /// Lift all locks on somebody by the command line.
    UnlockByOperator = "UnlockUser",
    /// Make an AccessKey for the owner or a RAM user by the command line.
    CreateAccessKeyByOperator = "CreateAccessKey",
    /// End what a restored backup holds open.
    RestoreInstallation = "RestoreInstallation",
    /// Take a new version of the keys into use.
    RotateKeys = "RotateKeys",
    /// Set the highest time seen back.
    ResetClock = "ResetClock",
}

impl Action {
    /// Which kind of sensitive operation it is: one that wants a fresh proof of who asks. Unbinding one's own device is not
    /// here: it takes a code of the very device, whatever the account says.
    #[must_use]
    pub const fn sensitive(self) -> Option<SensitiveOperation> {
        match self {
            Self::ChangeOwnPassword => Some(SensitiveOperation::OwnPassword),
            Self::BindOwnMfa | Self::MakeOwnRecoveryCodes => Some(SensitiveOperation::OwnMfa),
            Self::CreateUser
            | Self::UpdateUser
            | Self::DeleteUser
            | Self::ChangeLoginProfile
            | Self::BindMfaForUser
            | Self::UnbindMfaForUser
            | Self::UnlockUser
            | Self::CreateMfaDevice
            | Self::DeleteMfaDevice
            | Self::DisableMfaForUser
            | Self::CreateLoginProfile
            | Self::DeleteLoginProfile
            | Self::BindVerification
            | Self::UnbindVerification
            | Self::RenamePasskeyOfUser
            | Self::DeletePasskeyOfUser
            | Self::EndUserSessions => Some(SensitiveOperation::Users),
            Self::CreateOwnAccessKey
            | Self::UpdateOwnAccessKey
            | Self::DeleteOwnAccessKey
            | Self::CreateAccessKeyForUser
            | Self::UpdateAccessKeyOfUser
            | Self::DeleteAccessKeyOfUser => Some(SensitiveOperation::AccessKeys),
            Self::AttachPolicy | Self::DetachPolicy => Some(SensitiveOperation::Policies),
            Self::ChangeSettings
            | Self::ChangePasswordPolicy
            | Self::SetAlias
            | Self::ClearAlias
            | Self::SetDefaultDomain => Some(SensitiveOperation::SecuritySettings),
            Self::ViewOwnSecurity
            | Self::UnbindOwnMfa
            | Self::LogOff
            | Self::EndOwnSessions
            | Self::VerifyIdentity
            | Self::ViewOwnMfa
            | Self::ListUserBasics
            | Self::ViewUserMfa
            | Self::ViewAccountMfa
            | Self::ListMfaDevices
            | Self::ViewLoginProfile
            | Self::ViewPasswordPolicy
            | Self::ViewVerification
            | Self::ListPasskeysOfUser
            | Self::ViewAlias
            | Self::ViewDefaultDomain
            | Self::ViewPractice
            | Self::MakeCredentialReport
            | Self::ViewCredentialReport
            | Self::ViewAccount
            | Self::ViewOverview
            | Self::ListUsers
            | Self::ViewUser
            | Self::ListOwnAccessKeys
            | Self::ViewOwnAccessKeyUse
            | Self::ListAccessKeysOfUser
            | Self::ViewAccessKeyUseOfUser
            | Self::CreateAccessKeyByOperator
            | Self::ViewSettings
            | Self::CreateAccount
            | Self::ListAccounts
            | Self::ResetOwnerMfa
            | Self::ResetOwnerPassword
            | Self::UnlockByOperator
            | Self::RestoreInstallation
            | Self::RotateKeys
            | Self::ResetClock
            | Self::DisownNotice
            | Self::ListFindings
            | Self::SettleFinding
            | Self::ListAudit
            | Self::ExportAudit
            | Self::ViewOwnHistory => None,
        }
    }
}

/// On what an action acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// The actor himself.
    Oneself,
    /// An account as a whole.
    Account(AccountId),
    /// A principal.
    Principal(AccountId, PrincipalId),
    /// The installation.
    Installation,
}

/// What `authorise` looks at of an actor.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What he is in his account.
    pub role: Role,
    /// His account; none for an operator or a stranger.
    pub account: Option<AccountId>,
    /// Himself; none for an operator or a stranger.
    pub principal: Option<PrincipalId>,
    /// The settings of his account.
    pub settings: SecuritySettings,
}

impl From<Insider<'_>> for Standing {
    fn from(insider: Insider<'_>) -> Self {
        let (role, settings) = match insider {
            Insider::Session(actor) => (actor.role(), &actor.found.settings),
            Insider::AccessKey(actor) => (actor.role(), &actor.found.settings),
        };
        Self {
            role,
            account: Some(insider.account_id().clone()),
            principal: Some(insider.principal_id().clone()),
            settings: settings.clone(),
        }
    }
}

impl From<&Actor> for Standing {
    fn from(actor: &Actor) -> Self {
        let operator =
            Self { role: Role::Operator, account: None, principal: None, settings: SecuritySettings::default() };
        actor.insider().map_or(operator, Self::from)
    }
}

/// Whether the actor may do this to that. Of another account nobody learns whether it has the resource.
pub fn authorise(who: &Standing, action: Action, resource: &Resource) -> Result<(), Refusal> {
    in_reach(who, resource)?;
    may(who, action)?;
    if not_to_oneself(action) && is_oneself(who, resource) {
        return Err(Refusal::Oneself);
    }
    Ok(())
}

fn in_reach(who: &Standing, resource: &Resource) -> Result<(), Refusal> {
    match (who.role, resource) {
        (Role::Operator, _) | (_, Resource::Oneself | Resource::Installation) => Ok(()),
        (_, Resource::Account(account)) if who.account.as_ref() == Some(account) => Ok(()),
        (_, Resource::Principal(account, _)) if who.account.as_ref() == Some(account) => Ok(()),
        (_, Resource::Account(_)) => Err(Refusal::AccountNotFound),
        (_, Resource::Principal(..)) => Err(Refusal::UserNotFound),
    }
}

fn may(who: &Standing, action: Action) -> Result<(), Refusal> {
    use Action as A;
    use Role as R;
    let allowed = match action {
        A::ViewOwnSecurity
        | A::ViewOwnHistory
        | A::ViewOwnMfa
        | A::DisownNotice
        | A::LogOff
        | A::EndOwnSessions
        | A::VerifyIdentity => {
            matches!(who.role, R::User | R::Administrator | R::Owner)
        }
        A::ChangeOwnPassword => match who.role {
            R::Owner | R::Administrator => true,
            R::User => who.settings.users_change_password,
            R::Anonymous | R::Operator => false,
        },
        A::BindOwnMfa | A::UnbindOwnMfa | A::MakeOwnRecoveryCodes => match who.role {
            R::Owner | R::Administrator => true,
            R::User => who.settings.users_manage_mfa_devices,
            R::Anonymous | R::Operator => false,
        },
        A::ListOwnAccessKeys
        | A::CreateOwnAccessKey
        | A::UpdateOwnAccessKey
        | A::DeleteOwnAccessKey
        | A::ViewOwnAccessKeyUse => match who.role {
            R::Owner | R::Administrator => true,
            R::User => who.settings.users_manage_access_keys,
            R::Anonymous | R::Operator => false,
        },
        A::ViewAccount => matches!(who.role, R::Owner),
        A::ViewOverview
        | A::ListUsers
        | A::ViewUser
        | A::CreateUser
        | A::UpdateUser
        | A::DeleteUser
        | A::ChangeLoginProfile
        | A::BindMfaForUser
        | A::UnbindMfaForUser
        | A::UnlockUser
        | A::EndUserSessions
        | A::ListAccessKeysOfUser
        | A::CreateAccessKeyForUser
        | A::UpdateAccessKeyOfUser
        | A::DeleteAccessKeyOfUser
        | A::ViewAccessKeyUseOfUser
        | A::ListUserBasics
        | A::ViewUserMfa
        | A::ViewAccountMfa
        | A::ListMfaDevices
        | A::ViewLoginProfile
        | A::ViewPasswordPolicy
        | A::ViewVerification
        | A::ListPasskeysOfUser
        | A::ViewAlias
        | A::ViewDefaultDomain
        | A::ViewPractice
        | A::MakeCredentialReport
        | A::ViewCredentialReport
        | A::CreateMfaDevice
        | A::DeleteMfaDevice
        | A::DisableMfaForUser
        | A::CreateLoginProfile
        | A::DeleteLoginProfile
        | A::BindVerification
        | A::UnbindVerification
        | A::RenamePasskeyOfUser
        | A::DeletePasskeyOfUser
        | A::SetAlias
        | A::ClearAlias
        | A::SetDefaultDomain
        | A::AttachPolicy
        | A::DetachPolicy
        | A::ViewSettings
        | A::ChangeSettings
        | A::ChangePasswordPolicy
        | A::ListFindings
        | A::SettleFinding
        | A::ListAudit => matches!(who.role, R::Owner | R::Administrator),
        A::ExportAudit => matches!(who.role, R::Owner | R::Administrator | R::Operator),
        A::CreateAccount
        | A::ListAccounts
        | A::ResetOwnerMfa
        | A::ResetOwnerPassword
        | A::UnlockByOperator
        | A::CreateAccessKeyByOperator
        | A::RestoreInstallation
        | A::RotateKeys
        | A::ResetClock => matches!(who.role, R::Operator),
    };
    if allowed { Ok(()) } else { Err(Refusal::NoPermission) }
}

/// What an administrator does to others only: for himself there are his own pages, which ask for his code or password.
const fn not_to_oneself(action: Action) -> bool {
    matches!(
        action,
        Action::DeleteUser
            | Action::ChangeLoginProfile
            | Action::BindMfaForUser
            | Action::UnbindMfaForUser
            | Action::UnlockUser
            | Action::EndUserSessions
            | Action::DisableMfaForUser
            | Action::CreateLoginProfile
            | Action::DeleteLoginProfile
            | Action::BindVerification
            | Action::UnbindVerification
            | Action::RenamePasskeyOfUser
            | Action::DeletePasskeyOfUser
            | Action::AttachPolicy
            | Action::DetachPolicy
    )
}

fn is_oneself(who: &Standing, resource: &Resource) -> bool {
    match resource {
        Resource::Oneself => true,
        Resource::Principal(_, id) => who.principal.as_ref() == Some(id),
        Resource::Account(_) | Resource::Installation => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::entropy::OsEntropy;

    /// One row for each action: anonymous, user, administrator, owner, operator.
    const fn row(action: Action) -> [bool; 5] {
        const NOBODY_ELSE: bool = false;
        match action {
            Action::ViewOwnSecurity
            | Action::DisownNotice
            | Action::ViewOwnHistory
            | Action::ViewOwnMfa
            | Action::LogOff
            | Action::EndOwnSessions
            | Action::MakeOwnRecoveryCodes
            | Action::VerifyIdentity
            | Action::ChangeOwnPassword
            | Action::BindOwnMfa
            | Action::UnbindOwnMfa => [NOBODY_ELSE, true, true, true, false],
            Action::ViewAccount => [NOBODY_ELSE, false, false, true, false],
            // The first five: a user only where the account says so, which it does not by default.
            Action::ListOwnAccessKeys
            | Action::CreateOwnAccessKey
            | Action::UpdateOwnAccessKey
            | Action::DeleteOwnAccessKey
            | Action::ViewOwnAccessKeyUse
            | Action::ViewOverview
            | Action::ListUsers
            | Action::ViewUser
            | Action::CreateUser
            | Action::UpdateUser
            | Action::DeleteUser
            | Action::ChangeLoginProfile
            | Action::BindMfaForUser
            | Action::UnbindMfaForUser
            | Action::UnlockUser
            | Action::EndUserSessions
            | Action::ListAccessKeysOfUser
            | Action::CreateAccessKeyForUser
            | Action::UpdateAccessKeyOfUser
            | Action::DeleteAccessKeyOfUser
            | Action::ViewAccessKeyUseOfUser
            | Action::ListUserBasics
            | Action::ViewUserMfa
            | Action::ViewAccountMfa
            | Action::ListMfaDevices
            | Action::ViewLoginProfile
            | Action::ViewPasswordPolicy
            | Action::ViewVerification
            | Action::ListPasskeysOfUser
            | Action::ViewAlias
            | Action::ViewDefaultDomain
            | Action::ViewPractice
            | Action::MakeCredentialReport
            | Action::ViewCredentialReport
            | Action::CreateMfaDevice
            | Action::DeleteMfaDevice
            | Action::DisableMfaForUser
            | Action::CreateLoginProfile
            | Action::DeleteLoginProfile
            | Action::BindVerification
            | Action::UnbindVerification
            | Action::RenamePasskeyOfUser
            | Action::DeletePasskeyOfUser
            | Action::SetAlias
            | Action::ClearAlias
            | Action::SetDefaultDomain
            | Action::AttachPolicy
            | Action::DetachPolicy
            | Action::ViewSettings
            | Action::ChangeSettings
            | Action::ChangePasswordPolicy
            | Action::ListFindings
            | Action::SettleFinding
            | Action::ListAudit => [NOBODY_ELSE, false, true, true, false],
            Action::ExportAudit => [NOBODY_ELSE, false, true, true, true],
            Action::CreateAccount
            | Action::ListAccounts
            | Action::ResetOwnerMfa
            | Action::ResetOwnerPassword
            | Action::UnlockByOperator
            | Action::CreateAccessKeyByOperator
            | Action::RestoreInstallation
            | Action::RotateKeys
            | Action::ResetClock => [NOBODY_ELSE, false, false, false, true],
        }
    }

    fn standing(role: Role) -> Standing {
        Standing {
            role,
            account: Some(AccountId::generate(&OsEntropy)),
            principal: Some(PrincipalId::generate(&OsEntropy)),
            settings: SecuritySettings::default(),
        }
    }

    #[test]
    fn attack_133_every_action_has_a_row_for_every_role() {
        for action in Action::ALL {
            for (role, expected) in Role::ALL.iter().zip(row(*action)) {
                let who = standing(*role);
                let account = who.account.clone().unwrap();
                let other = Resource::Principal(account, PrincipalId::generate(&OsEntropy));
                assert_eq!(authorise(&who, *action, &other).is_ok(), expected, "{role:?} {action:?}");
            }
        }
    }

    #[test]
    fn another_account_has_nothing_to_find() {
        for action in Action::ALL {
            for role in [Role::User, Role::Administrator, Role::Owner] {
                let who = standing(role);
                let foreign = AccountId::generate(&OsEntropy);
                let user = Resource::Principal(foreign.clone(), PrincipalId::generate(&OsEntropy));
                assert_eq!(authorise(&who, *action, &user), Err(Refusal::UserNotFound), "{role:?} {action:?}");
                let account = Resource::Account(foreign);
                assert_eq!(authorise(&who, *action, &account), Err(Refusal::AccountNotFound), "{role:?} {action:?}");
            }
        }
    }

    #[test]
    fn nobody_deletes_disables_or_demotes_himself() {
        let who = standing(Role::Administrator);
        let himself = Resource::Principal(who.account.clone().unwrap(), who.principal.clone().unwrap());
        for action in [
            Action::DeleteUser,
            Action::ChangeLoginProfile,
            Action::DetachPolicy,
            Action::AttachPolicy,
            Action::UnbindMfaForUser,
            Action::BindMfaForUser,
            Action::UnlockUser,
            Action::EndUserSessions,
        ] {
            assert_eq!(authorise(&who, action, &himself), Err(Refusal::Oneself), "{action:?}");
        }
        assert_eq!(authorise(&who, Action::UpdateUser, &himself), Ok(()));
    }

    #[test]
    fn c07_a_user_manages_his_own_device_only_where_the_account_allows_it() {
        let mut who = standing(Role::User);
        who.settings.users_manage_mfa_devices = false;
        who.settings.users_change_password = false;
        for action in [Action::BindOwnMfa, Action::UnbindOwnMfa, Action::ChangeOwnPassword] {
            assert_eq!(authorise(&who, action, &Resource::Oneself), Err(Refusal::NoPermission), "{action:?}");
        }
    }

    #[test]
    fn a_user_manages_his_own_access_keys_only_where_the_account_allows_it() {
        let mut who = standing(Role::User);
        let own = [
            Action::ListOwnAccessKeys,
            Action::CreateOwnAccessKey,
            Action::UpdateOwnAccessKey,
            Action::DeleteOwnAccessKey,
            Action::ViewOwnAccessKeyUse,
        ];
        assert!(own.iter().all(|action| authorise(&who, *action, &Resource::Oneself).is_err()));
        who.settings.users_manage_access_keys = true;
        assert!(own.iter().all(|action| authorise(&who, *action, &Resource::Oneself).is_ok()));
    }
}
