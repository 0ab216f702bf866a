//! Who decides over an action, and what it is about. Each action has its place in every table here: a new one does not
//! compile without.

use super::Action;
use countersign_model::policy::Pattern;

/// Who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Everybody for himself, as the settings of the account say.
    Own(Own),
    /// The owner alone.
    Owner,
    /// Policies, over things of this kind.
    Granted(Kind),
    /// The same, and the operator besides.
    GrantedOrOperator(Kind),
    /// The operator alone.
    Operator,
}

/// What somebody does for himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// What nothing takes from him.
    Always,
    /// What he does to his password.
    Password,
    /// What he does to his second factors.
    Devices,
    /// What he does to his AccessKeys.
    AccessKeys,
}

/// A kind of things that policies name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The account as a whole.
    Account,
    /// RAM users.
    User,
    /// Groups.
    Group,
    /// Policies.
    Policy,
    /// Virtual MFA devices.
    Mfa,
}

impl Kind {
    /// All of the kind, as the last part of a resource's name.
    pub(super) const fn all(self) -> &'static str {
        match self {
            Self::Account => "*",
            Self::User => "user/*",
            Self::Group => "group/*",
            Self::Policy => "policy/*",
            Self::Mfa => "mfa/*",
        }
    }
}

impl Action {
    /// As policies name it.
    #[must_use]
    pub fn ram_name(self) -> String {
        format!("ram:{}", self.code())
    }

    pub(super) fn pattern(self) -> Pattern {
        Pattern::new(&self.ram_name())
    }

    /// Who decides over it.
    #[expect(clippy::too_many_lines, reason = "a table with a line for each action")]
    pub(crate) const fn rule(self) -> Rule {
        match self {
            Self::ViewOwnSecurity
            | Self::ViewOwnHistory
            | Self::DisownNotice
            | Self::LogOff
            | Self::EndOwnSessions
            | Self::ViewOwnMfa
            | Self::VerifyIdentity => Rule::Own(Own::Always),
            Self::ChangeOwnPassword => Rule::Own(Own::Password),
            Self::BindOwnMfa
            | Self::UnbindOwnMfa
            | Self::ReplaceOwnMfa
            | Self::BindOwnPasskey
            | Self::RenameOwnKey
            | Self::UnbindOwnKey
            | Self::MakeOwnRecoveryCodes => Rule::Own(Own::Devices),
            Self::ListOwnAccessKeys
            | Self::CreateOwnAccessKey
            | Self::UpdateOwnAccessKey
            | Self::DeleteOwnAccessKey
            | Self::ViewOwnAccessKeyUse => Rule::Own(Own::AccessKeys),
            Self::ViewAccount => Rule::Owner,
            Self::ViewOverview
            | Self::ViewSettings
            | Self::ChangeSettings
            | Self::ChangePasswordPolicy
            | Self::ListFindings
            | Self::SettleFinding
            | Self::ViewPasswordPolicy
            | Self::ViewAccountMfa
            | Self::ViewAlias
            | Self::SetAlias
            | Self::ClearAlias
            | Self::ViewDefaultDomain
            | Self::SetDefaultDomain
            | Self::ViewPractice
            | Self::MakeCredentialReport
            | Self::ViewCredentialReport
            | Self::ListAudit => Rule::Granted(Kind::Account),
            Self::CreateMfaDevice | Self::ListMfaDevices | Self::DeleteMfaDevice => Rule::Granted(Kind::Mfa),
            Self::ListUsers
            | Self::ViewUser
            | Self::CreateUser
            | Self::UpdateUser
            | Self::DeleteUser
            | Self::ChangeLoginProfile
            | Self::BindMfaForUser
            | Self::UnbindMfaForUser
            | Self::UnlockUser
            | Self::EndUserSessions
            | Self::ListAccessKeysOfUser
            | Self::CreateAccessKeyForUser
            | Self::UpdateAccessKeyOfUser
            | Self::DeleteAccessKeyOfUser
            | Self::ViewAccessKeyUseOfUser
            | Self::AttachPolicy
            | Self::DetachPolicy
            | Self::AddUserToGroup
            | Self::RemoveUserFromGroup
            | Self::ListPoliciesForUser
            | Self::ListUserBasics
            | Self::ViewUserMfa
            | Self::DisableMfaForUser
            | Self::CreateLoginProfile
            | Self::ViewLoginProfile
            | Self::DeleteLoginProfile
            | Self::ViewVerification
            | Self::BindVerification
            | Self::UnbindVerification
            | Self::ListPasskeysOfUser
            | Self::RenamePasskeyOfUser
            | Self::DeletePasskeyOfUser
            | Self::ListGroupsForUser => Rule::Granted(Kind::User),
            Self::ListGroups
            | Self::ViewGroup
            | Self::CreateGroup
            | Self::UpdateGroup
            | Self::DeleteGroup
            | Self::ListUsersForGroup
            | Self::AttachPolicyToGroup
            | Self::DetachPolicyFromGroup
            | Self::ListPoliciesForGroup => Rule::Granted(Kind::Group),
            Self::ListPolicies
            | Self::ViewPolicy
            | Self::CreatePolicy
            | Self::DeletePolicy
            | Self::ListPolicyVersions
            | Self::ViewPolicyVersion
            | Self::CreatePolicyVersion
            | Self::SetDefaultPolicyVersion
            | Self::DeletePolicyVersion
            | Self::UpdatePolicyDescription
            | Self::ListEntitiesForPolicy => Rule::Granted(Kind::Policy),
            Self::ExportAudit => Rule::GrantedOrOperator(Kind::Account),
            Self::CreateAccount
            | Self::ListAccounts
            | Self::ResetOwnerMfa
            | Self::ResetOwnerPassword
            | Self::UnlockByOperator
            | Self::CreateAccessKeyByOperator
            | Self::RestoreInstallation
            | Self::RotateKeys
            | Self::ResetClock => Rule::Operator,
        }
    }

    /// Whether it changes the credentials, the rights or the facts of another principal: then the actor must outrank him.
    #[expect(clippy::too_many_lines, reason = "a table with a line for each action")]
    pub(crate) const fn changes_principal(self) -> bool {
        match self {
            Self::UpdateUser
            | Self::DeleteUser
            | Self::ChangeLoginProfile
            | Self::BindMfaForUser
            | Self::UnbindMfaForUser
            | Self::UnlockUser
            | Self::EndUserSessions
            | Self::CreateAccessKeyForUser
            | Self::UpdateAccessKeyOfUser
            | Self::DeleteAccessKeyOfUser
            | Self::AttachPolicy
            | Self::DetachPolicy
            | Self::DisableMfaForUser
            | Self::CreateLoginProfile
            | Self::DeleteLoginProfile
            | Self::BindVerification
            | Self::UnbindVerification
            | Self::RenamePasskeyOfUser
            | Self::DeletePasskeyOfUser
            | Self::AddUserToGroup
            | Self::RemoveUserFromGroup => true,
            Self::ViewOwnSecurity
            | Self::ViewOwnHistory
            | Self::DisownNotice
            | Self::LogOff
            | Self::EndOwnSessions
            | Self::VerifyIdentity
            | Self::ChangeOwnPassword
            | Self::BindOwnMfa
            | Self::UnbindOwnMfa
            | Self::ReplaceOwnMfa
            | Self::BindOwnPasskey
            | Self::RenameOwnKey
            | Self::UnbindOwnKey
            | Self::MakeOwnRecoveryCodes
            | Self::ListOwnAccessKeys
            | Self::CreateOwnAccessKey
            | Self::UpdateOwnAccessKey
            | Self::DeleteOwnAccessKey
            | Self::ViewOwnAccessKeyUse
            | Self::ListAccessKeysOfUser
            | Self::ViewAccessKeyUseOfUser
            | Self::CreateAccessKeyByOperator
            | Self::ListUserBasics
            | Self::ViewUserMfa
            | Self::ViewOwnMfa
            | Self::ViewAccountMfa
            | Self::CreateMfaDevice
            | Self::ListMfaDevices
            | Self::DeleteMfaDevice
            | Self::ViewLoginProfile
            | Self::ViewPasswordPolicy
            | Self::ViewVerification
            | Self::ListPasskeysOfUser
            | Self::ViewAlias
            | Self::SetAlias
            | Self::ClearAlias
            | Self::ViewDefaultDomain
            | Self::SetDefaultDomain
            | Self::ViewPractice
            | Self::MakeCredentialReport
            | Self::ViewCredentialReport
            | Self::ViewAccount
            | Self::ViewOverview
            | Self::ViewSettings
            | Self::ChangeSettings
            | Self::ChangePasswordPolicy
            | Self::ListFindings
            | Self::SettleFinding
            | Self::ListAudit
            | Self::ListUsers
            | Self::ViewUser
            | Self::CreateUser
            | Self::ListPoliciesForUser
            | Self::ListGroupsForUser
            | Self::ListGroups
            | Self::ViewGroup
            | Self::CreateGroup
            | Self::UpdateGroup
            | Self::DeleteGroup
            | Self::ListUsersForGroup
            | Self::AttachPolicyToGroup
            | Self::DetachPolicyFromGroup
            | Self::ListPoliciesForGroup
            | Self::ListPolicies
            | Self::ViewPolicy
            | Self::CreatePolicy
            | Self::DeletePolicy
            | Self::ListPolicyVersions
            | Self::ViewPolicyVersion
            | Self::CreatePolicyVersion
            | Self::SetDefaultPolicyVersion
            | Self::DeletePolicyVersion
            | Self::UpdatePolicyDescription
            | Self::ListEntitiesForPolicy
            | Self::ExportAudit
            | Self::CreateAccount
            | Self::ListAccounts
            | Self::ResetOwnerMfa
            | Self::ResetOwnerPassword
            | Self::UnlockByOperator
            | Self::RestoreInstallation
            | Self::RotateKeys
            | Self::ResetClock => false,
        }
    }

    /// What is done to others only: for himself there are everybody's own pages, which ask for his code or password, and
    /// nobody gives himself rights or takes them from himself.
    pub(crate) const fn is_not_for_oneself(self) -> bool {
        let also_for_oneself = matches!(
            self,
            Self::UpdateUser | Self::CreateAccessKeyForUser | Self::UpdateAccessKeyOfUser | Self::DeleteAccessKeyOfUser
        );
        self.changes_principal() && !also_for_oneself
    }
}
