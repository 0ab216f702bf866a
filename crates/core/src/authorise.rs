//! The one place that authorises. [`authorise`] is a pure function over what somebody is and which policies reach him; a
//! table test holds it against every role and fails when an action has no row.
//!
//! The owner may everything in his account. For a RAM user policies decide, those attached to him and those of his groups,
//! for every door alike. What he does for himself the account's settings decide, and a policy that denies it; his AccessKeys
//! a policy may grant him as well.
//! Whoever changes another principal must besides be allowed all that this one is: see [`Standing::outranks`].

mod grants;
mod resource;
mod rule;
mod sensitive;
mod standing;

pub(crate) use grants::Grant;
pub use grants::{Grants, system_document};
pub use resource::Resource;
pub(crate) use rule::{Kind, Own, Rule};
pub use standing::Standing;

use crate::actor::Role;
use crate::error::Refusal;
use countersign_model::policy::{Decision, decide_at_all};

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
    /// Bind a security key in the place of one's own virtual MFA device.
    ReplaceOwnMfa = "BindMFADevice",
    /// Bind a passkey of one's own, which is a whole logon.
    BindOwnPasskey = "BindMFADevice",
    /// Rename a security key or passkey of one's own.
    RenameOwnKey = "UpdatePasskey",
    /// Unbind a security key or passkey of one's own.
    UnbindOwnKey = "DeletePasskey",
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
    /// Attach a policy to a RAM user.
    AttachPolicy = "AttachPolicyToUser",
    /// Detach a policy from a RAM user.
    DetachPolicy = "DetachPolicyFromUser",
    /// Attach a policy to a group.
    AttachPolicyToGroup = "AttachPolicyToGroup",
    /// Detach a policy from a group.
    DetachPolicyFromGroup = "DetachPolicyFromGroup",
    /// See which policies are attached to a RAM user.
    ListPoliciesForUser = "ListPoliciesForUser",
    /// See which policies are attached to a group.
    ListPoliciesForGroup = "ListPoliciesForGroup",
    /// See to whom a policy is attached.
    ListEntitiesForPolicy = "ListEntitiesForPolicy",
    /// Write what a policy is for.
    UpdatePolicyDescription = "UpdatePolicyDescription",
    /// List and search policies.
    ListPolicies = "ListPolicies",
    /// See one policy.
    ViewPolicy = "GetPolicy",
    /// Write a policy.
    CreatePolicy = "CreatePolicy",
    /// Remove a policy.
    DeletePolicy = "DeletePolicy",
    /// List the versions of a policy.
    ListPolicyVersions = "ListPolicyVersions",
    /// See one version of a policy.
    ViewPolicyVersion = "GetPolicyVersion",
    /// Write a new version of a policy.
    CreatePolicyVersion = "CreatePolicyVersion",
    /// Make another version of a policy the one that counts.
    SetDefaultPolicyVersion = "SetDefaultPolicyVersion",
    /// Remove a version of a policy.
    DeletePolicyVersion = "DeletePolicyVersion",
    /// List and search groups.
    ListGroups = "ListGroups",
    /// See one group.
    ViewGroup = "GetGroup",
    /// Make a group.
    CreateGroup = "CreateGroup",
    /// Change name and remark of a group.
    UpdateGroup = "UpdateGroup",
    /// Remove a group.
    DeleteGroup = "DeleteGroup",
    /// Put a RAM user into a group.
    AddUserToGroup = "AddUserToGroup",
    /// Take a RAM user out of a group.
    RemoveUserFromGroup = "RemoveUserFromGroup",
    /// See who is in a group.
    ListUsersForGroup = "ListUsersForGroup",
    /// See in which groups a RAM user is.
    ListGroupsForUser = "ListGroupsForUser",
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

/// Whether the actor may do this to that. Of another account nobody learns whether it has the resource.
pub fn authorise(who: &Standing, action: Action, resource: &Resource) -> Result<(), Refusal> {
    in_reach(who, resource)?;
    let allowed = match action.rule() {
        Rule::Own(own) => may_for_oneself(who, action, own),
        Rule::Owner => matches!(who.role, Role::Owner),
        Rule::Granted(kind) => is_granted(who, action, kind, resource),
        Rule::GrantedOrOperator(kind) => matches!(who.role, Role::Operator) || is_granted(who, action, kind, resource),
        Rule::Operator => matches!(who.role, Role::Operator),
    };
    if !allowed {
        return Err(Refusal::NoPermission);
    }
    if action.is_not_for_oneself() && is_oneself(who, resource) {
        return Err(Refusal::Oneself);
    }
    Ok(())
}

/// Whether the actor may do this to anything in his account. Asked before it is known to what.
pub fn authorise_at_all(who: &Standing, action: Action) -> Result<(), Refusal> {
    let Some(account) = &who.account else { return Err(Refusal::NoPermission) };
    let is_governed = matches!(action.rule(), Rule::Granted(_) | Rule::GrantedOrOperator(_));
    match who.role {
        Role::Administrator | Role::User if is_governed => {
            let decision = decide_at_all(who.grants.statements(), &action.pattern(), &who.context);
            if decision.is_allowed() { Ok(()) } else { Err(Refusal::NoPermission) }
        }
        Role::Administrator | Role::User | Role::Owner | Role::Anonymous | Role::Operator => {
            authorise(who, action, &Resource::Account(account.clone()))
        }
    }
}

fn in_reach(who: &Standing, resource: &Resource) -> Result<(), Refusal> {
    let Some(account) = resource.account() else { return Ok(()) };
    if who.role == Role::Operator || who.account.as_ref() == Some(account) {
        return Ok(());
    }
    Err(match resource {
        Resource::Account(_) | Resource::Oneself | Resource::Installation => Refusal::AccountNotFound,
        Resource::Principal(..) | Resource::User(..) => Refusal::UserNotFound,
        Resource::Group(..) => Refusal::GroupNotFound,
        Resource::Policy(..) | Resource::SystemPolicy(..) => Refusal::PolicyNotFound,
        Resource::Mfa(..) => Refusal::MfaDeviceNotFound,
    })
}

fn may_for_oneself(who: &Standing, action: Action, own: Own) -> bool {
    let settings = &who.settings;
    let decision = || who.decision_on_oneself(action);
    let by_settings = match own {
        Own::Always => return matches!(who.role, Role::User | Role::Administrator | Role::Owner),
        Own::Password => settings.users_change_password,
        Own::Devices => settings.users_manage_mfa_devices,
        // Whom a policy grants somebody's keys has them by that somebody's name, be it his own.
        Own::AccessKeys => settings.users_manage_access_keys || decision().is_allowed(),
    };
    match who.role {
        Role::Owner => true,
        Role::Administrator => decision() != Decision::Denied,
        Role::User => by_settings && decision() != Decision::Denied,
        Role::Anonymous | Role::Operator => false,
    }
}

fn is_granted(who: &Standing, action: Action, kind: Kind, resource: &Resource) -> bool {
    match who.role {
        Role::Owner => true,
        Role::Administrator | Role::User => {
            resource.arn(kind).is_some_and(|arn| who.decision(action, &arn).is_allowed())
        }
        Role::Anonymous | Role::Operator => false,
    }
}

fn is_oneself(who: &Standing, resource: &Resource) -> bool {
    match resource {
        Resource::Oneself => true,
        Resource::Principal(_, id) | Resource::User(_, _, Some(id)) => who.principal.as_ref() == Some(id),
        Resource::User(_, _, None)
        | Resource::Account(_)
        | Resource::Group(..)
        | Resource::Policy(..)
        | Resource::Mfa(..)
        | Resource::SystemPolicy(..)
        | Resource::Installation => false,
    }
}

#[cfg(test)]
mod tests;
