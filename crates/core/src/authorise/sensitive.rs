//! Which actions are sensitive operations. Each action has its place here: a new one does not compile without.

use super::Action;
use countersign_model::settings::SensitiveOperation;

impl Action {
    /// Which kind of sensitive operation it is: one that wants a fresh proof of who asks. Unbinding one's own device is not
    /// here: it takes a code of the very device, whatever the account says.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table with a line for each action")]
    pub const fn sensitive(self) -> Option<SensitiveOperation> {
        match self {
            Self::ChangeOwnPassword => Some(SensitiveOperation::OwnPassword),
            Self::BindOwnMfa
            | Self::ReplaceOwnMfa
            | Self::BindOwnPasskey
            | Self::RenameOwnKey
            | Self::UnbindOwnKey
            | Self::MakeOwnRecoveryCodes => Some(SensitiveOperation::OwnMfa),
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
            Self::AttachPolicy
            | Self::DetachPolicy
            | Self::AttachPolicyToGroup
            | Self::DetachPolicyFromGroup
            | Self::CreatePolicy
            | Self::DeletePolicy
            | Self::CreatePolicyVersion
            | Self::SetDefaultPolicyVersion
            | Self::DeletePolicyVersion
            | Self::UpdatePolicyDescription
            | Self::CreateGroup
            | Self::UpdateGroup
            | Self::DeleteGroup
            | Self::AddUserToGroup
            | Self::RemoveUserFromGroup => Some(SensitiveOperation::Policies),
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
            | Self::ListPoliciesForUser
            | Self::ListPoliciesForGroup
            | Self::ListEntitiesForPolicy
            | Self::ListPolicies
            | Self::ViewPolicy
            | Self::ListPolicyVersions
            | Self::ViewPolicyVersion
            | Self::ListGroups
            | Self::ViewGroup
            | Self::ListUsersForGroup
            | Self::ListGroupsForUser
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
