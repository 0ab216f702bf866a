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
            | Action::LogOff
            | Action::EndOwnSessions
            | Action::MakeOwnRecoveryCodes
            | Action::VerifyIdentity
            | Action::ChangeOwnPassword
            | Action::BindOwnMfa
            | Action::UnbindOwnMfa => [NOBODY_ELSE, true, true, true, false],
            Action::ViewAccount => [NOBODY_ELSE, false, false, true, false],
            Action::ViewOverview
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
}
