use super::*;
use crate::authorise::grants::Grant;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::{AccountId, PolicyId, PrincipalId};
use countersign_model::policy::Context;
use countersign_model::principal::SystemPolicy;
use countersign_store::attachments::Attached;
use std::sync::Arc;

/// Who asks, in the columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Anonymous,
    PlainUser,
    ReadOnly,
    Administrator,
    /// Who has the policy for RAM alone.
    RamAdministrator,
    Owner,
    /// An administrator of another account.
    Foreign,
    Operator,
}

const COLUMNS: [Column; 8] = [
    Column::Anonymous,
    Column::PlainUser,
    Column::ReadOnly,
    Column::Administrator,
    Column::RamAdministrator,
    Column::Owner,
    Column::Foreign,
    Column::Operator,
];

/// One row for each action, in the order of [`COLUMNS`]. A new action does not compile without one.
#[expect(clippy::too_many_lines, reason = "a table with a line for each action")]
const fn row(action: Action) -> [bool; 8] {
    const NO: bool = false;
    const YES: bool = true;
    match action {
        // What everybody does for himself; asked of somebody else's account it is still for himself.
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
        | Action::ReplaceOwnMfa
        | Action::BindOwnPasskey
        | Action::RenameOwnKey
        | Action::UnbindOwnKey
        | Action::UnbindOwnMfa => [NO, YES, YES, YES, YES, YES, NO, NO],
        Action::ViewAccount => [NO, NO, NO, NO, NO, YES, NO, NO],
        // What only looks.
        Action::ViewOverview
        | Action::ListUsers
        | Action::ViewUser
        | Action::ListAccessKeysOfUser
        | Action::ViewAccessKeyUseOfUser
        | Action::ListPoliciesForUser
        | Action::ListGroupsForUser
        | Action::ListPoliciesForGroup
        | Action::ListEntitiesForPolicy
        | Action::ListPolicies
        | Action::ViewPolicy
        | Action::ListPolicyVersions
        | Action::ViewPolicyVersion
        | Action::ListGroups
        | Action::ViewGroup
        | Action::ListUsersForGroup
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
        | Action::ViewCredentialReport
        | Action::ViewSettings
        | Action::ListFindings
        | Action::ListOwnAccessKeys
        | Action::ViewOwnAccessKeyUse
        | Action::ListAudit => [NO, NO, YES, YES, YES, YES, NO, NO],
        // What changes something; and AccessKeys of one's own, which are a user's only where the account or a policy says so.
        Action::CreateOwnAccessKey
        | Action::UpdateOwnAccessKey
        | Action::DeleteOwnAccessKey
        | Action::CreateUser
        | Action::UpdateUser
        | Action::DeleteUser
        | Action::ChangeLoginProfile
        | Action::BindMfaForUser
        | Action::UnbindMfaForUser
        | Action::UnlockUser
        | Action::EndUserSessions
        | Action::CreateAccessKeyForUser
        | Action::UpdateAccessKeyOfUser
        | Action::DeleteAccessKeyOfUser
        | Action::AttachPolicy
        | Action::DetachPolicy
        | Action::AttachPolicyToGroup
        | Action::DetachPolicyFromGroup
        | Action::CreatePolicy
        | Action::DeletePolicy
        | Action::CreatePolicyVersion
        | Action::SetDefaultPolicyVersion
        | Action::DeletePolicyVersion
        | Action::UpdatePolicyDescription
        | Action::CreateGroup
        | Action::UpdateGroup
        | Action::DeleteGroup
        | Action::AddUserToGroup
        | Action::RemoveUserFromGroup
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
        | Action::MakeCredentialReport
        | Action::ChangeSettings
        | Action::ChangePasswordPolicy
        | Action::SettleFinding => [NO, NO, NO, YES, YES, YES, NO, NO],
        Action::ExportAudit => [NO, NO, NO, YES, YES, YES, NO, YES],
        Action::CreateAccount
        | Action::ListAccounts
        | Action::ResetOwnerMfa
        | Action::ResetOwnerPassword
        | Action::UnlockByOperator
        | Action::CreateAccessKeyByOperator
        | Action::RestoreInstallation
        | Action::RotateKeys
        | Action::ResetClock => [NO, NO, NO, NO, NO, NO, NO, YES],
    }
}

fn standing(role: Role, policies: &[SystemPolicy]) -> Standing {
    Standing {
        role,
        account: Some(AccountId::generate(&OsEntropy)),
        principal: Some(PrincipalId::generate(&OsEntropy)),
        name: "rita".to_owned(),
        settings: Arc::default(),
        grants: Grants::of_system(policies).unwrap(),
        context: Context::default(),
    }
}

fn column(column: Column) -> Standing {
    use SystemPolicy::{AdministratorAccess, AliyunRamFullAccess, AliyunRamReadOnlyAccess};
    match column {
        Column::Anonymous => standing(Role::Anonymous, &[]),
        Column::PlainUser => standing(Role::User, &[]),
        Column::ReadOnly => standing(Role::User, &[AliyunRamReadOnlyAccess]),
        Column::Administrator | Column::Foreign => standing(Role::Administrator, &[AdministratorAccess]),
        Column::RamAdministrator => standing(Role::Administrator, &[AliyunRamFullAccess]),
        Column::Owner => standing(Role::Owner, &[]),
        Column::Operator => standing(Role::Operator, &[]),
    }
}

/// Somebody with policies of these documents besides.
fn with_documents(who: Standing, documents: &[&str]) -> Standing {
    let grants = documents.iter().fold(who.grants, |grants, document| {
        let policy = Attached::Custom(PolicyId::generate(&OsEntropy));
        grants.with(&Grant::read(policy, Some(document)).unwrap().into())
    });
    Standing { grants, ..who }
}

fn document(statements: &[(&str, &str, &str)]) -> String {
    let one = |(effect, action, resource): &(&str, &str, &str)| {
        format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}"#)
    };
    format!(r#"{{"Version":"1","Statement":[{}]}}"#, statements.iter().map(one).collect::<Vec<_>>().join(","))
}

/// Everything of an account that somebody could act on.
fn things_of(account: &AccountId) -> Vec<Resource> {
    vec![
        Resource::Account(account.clone()),
        Resource::Principal(account.clone(), PrincipalId::generate(&OsEntropy)),
        Resource::User(account.clone(), "alice".to_owned(), Some(PrincipalId::generate(&OsEntropy))),
        Resource::User(account.clone(), "nobody".to_owned(), None),
        Resource::Group(account.clone(), "developers".to_owned()),
        Resource::Policy(account.clone(), "own".to_owned()),
        Resource::Mfa(account.clone(), "device".to_owned()),
        Resource::SystemPolicy(account.clone(), "AdministratorAccess"),
    ]
}

#[test]
fn attack_133_every_action_has_a_row_for_everybody() {
    for action in Action::ALL {
        for (asker, expected) in COLUMNS.into_iter().zip(row(*action)) {
            let who = column(asker);
            let (own, foreign) = (who.account.clone().unwrap(), AccountId::generate(&OsEntropy));
            let account = if asker == Column::Foreign { foreign } else { own };
            for resource in things_of(&account) {
                let may = authorise(&who, *action, &resource).is_ok();
                assert_eq!(may, expected, "{asker:?} {action:?} {resource:?}");
            }
        }
    }
}

#[test]
fn whoever_may_do_it_to_nothing_is_told_so_before_anything_is_looked_up() {
    for action in Action::ALL {
        for (asker, expected) in COLUMNS.into_iter().zip(row(*action)) {
            // A foreigner asks in his own account here.
            let expected = if asker == Column::Foreign { row(*action)[3] } else { expected };
            assert_eq!(authorise_at_all(&column(asker), *action).is_ok(), expected, "{asker:?} {action:?}");
        }
    }
}

#[test]
fn attack_133_another_account_has_nothing_to_find() {
    for action in Action::ALL {
        for asker in [Column::PlainUser, Column::ReadOnly, Column::Administrator, Column::Owner] {
            let who = column(asker);
            for resource in things_of(&AccountId::generate(&OsEntropy)) {
                let expected = match resource {
                    Resource::Principal(..) | Resource::User(..) => Refusal::UserNotFound,
                    Resource::Group(..) => Refusal::GroupNotFound,
                    Resource::Policy(..) | Resource::SystemPolicy(..) => Refusal::PolicyNotFound,
                    Resource::Mfa(..) => Refusal::MfaDeviceNotFound,
                    Resource::Account(_) | Resource::Oneself | Resource::Installation => Refusal::AccountNotFound,
                };
                assert_eq!(authorise(&who, *action, &resource), Err(expected), "{asker:?} {action:?} {resource:?}");
            }
        }
    }
}

#[test]
fn nobody_deletes_disables_or_demotes_himself() {
    for asker in [Column::Administrator, Column::RamAdministrator] {
        let who = column(asker);
        let (account, oneself) = (who.account.clone().unwrap(), who.principal.clone().unwrap());
        for himself in [
            Resource::Principal(account.clone(), oneself.clone()),
            Resource::User(account.clone(), "rita".to_owned(), Some(oneself.clone())),
        ] {
            for action in Action::ALL.iter().filter(|action| action.changes_principal()) {
                let expected = if action.is_not_for_oneself() { Err(Refusal::Oneself) } else { Ok(()) };
                assert_eq!(authorise(&who, *action, &himself), expected, "{action:?}");
            }
        }
    }
}

#[test]
fn only_names_and_access_keys_are_changed_of_oneself_like_those_of_others() {
    let own: Vec<_> =
        Action::ALL.iter().filter(|action| action.changes_principal() && !action.is_not_for_oneself()).collect();
    let expected = [
        Action::UpdateUser,
        Action::CreateAccessKeyForUser,
        Action::UpdateAccessKeyOfUser,
        Action::DeleteAccessKeyOfUser,
    ];
    assert_eq!(own, expected.iter().collect::<Vec<_>>());
}

#[test]
fn a_user_manages_his_own_access_keys_only_where_the_account_allows_it() {
    let mut who = column(Column::PlainUser);
    let own: Vec<_> = Action::ALL.iter().filter(|action| action.rule() == Rule::Own(Own::AccessKeys)).collect();
    assert_eq!(own.len(), 5);
    assert!(own.iter().all(|action| authorise(&who, **action, &Resource::Oneself).is_err()));
    Arc::make_mut(&mut who.settings).users_manage_access_keys = true;
    assert!(own.iter().all(|action| authorise(&who, **action, &Resource::Oneself).is_ok()));
}

#[test]
fn c07_a_user_manages_his_own_device_only_where_the_account_allows_it() {
    let mut who = column(Column::PlainUser);
    Arc::make_mut(&mut who.settings).users_manage_mfa_devices = false;
    Arc::make_mut(&mut who.settings).users_change_password = false;
    // No policy gives what the settings take.
    let granted = with_documents(who.clone(), &[&document(&[("Allow", "*", "*")])]);
    for who in [who, granted] {
        for action in [Action::BindOwnMfa, Action::UnbindOwnMfa, Action::ChangeOwnPassword] {
            assert_eq!(authorise(&who, action, &Resource::Oneself), Err(Refusal::NoPermission), "{action:?}");
        }
    }
}

#[test]
fn a_policy_takes_from_somebody_what_the_settings_leave_to_him_but_never_what_is_always_his() {
    let denied = document(&[("Deny", "*", "*")]);
    for asker in [Column::PlainUser, Column::Administrator] {
        let who = with_documents(column(asker), &[&denied]);
        for action in Action::ALL {
            let expected = matches!(action.rule(), Rule::Own(Own::Always));
            assert_eq!(authorise(&who, *action, &Resource::Oneself).is_ok(), expected, "{asker:?} {action:?}");
        }
    }
    let who = with_documents(
        column(Column::PlainUser),
        &[&document(&[("Deny", "ram:BindMFADevice", "acs:ram:*:*:user/rita")])],
    );
    assert_eq!(authorise(&who, Action::BindOwnMfa, &Resource::Oneself), Err(Refusal::NoPermission));
    assert_eq!(authorise(&who, Action::UnbindOwnMfa, &Resource::Oneself), Ok(()));
}

#[test]
fn custom_policies_grant_what_they_say_on_what_they_say() {
    let helpdesk = document(&[
        ("Allow", "ram:ListUsers", "*"),
        ("Allow", "ram:GetUser", "*"),
        ("Allow", "ram:UnbindMFADevice", "acs:ram:*:*:user/dev-*"),
    ]);
    let who = with_documents(column(Column::PlainUser), &[&helpdesk]);
    let account = who.account.clone().unwrap();
    let user = |name: &str| Resource::User(account.clone(), name.to_owned(), Some(PrincipalId::generate(&OsEntropy)));
    for action in Action::ALL {
        let own = matches!(action.rule(), Rule::Own(Own::Always | Own::Password | Own::Devices));
        let looks = matches!(action, Action::ListUsers | Action::ViewUser);
        let expected = [own || looks, own || looks || *action == Action::UnbindMfaForUser, own || looks];
        for (resource, expected) in
            [Resource::Account(account.clone()), user("dev-1"), user("ceo")].iter().zip(expected)
        {
            assert_eq!(authorise(&who, *action, resource).is_ok(), expected, "{action:?} {resource:?}");
        }
    }
    assert_eq!(authorise_at_all(&who, Action::UnbindMfaForUser), Ok(()));
    assert_eq!(authorise_at_all(&who, Action::BindMfaForUser), Err(Refusal::NoPermission));
}

#[test]
fn deny_wins_over_full_access_too() {
    let who = with_documents(
        column(Column::Administrator),
        &[&document(&[("Deny", "ram:DeleteUser", "acs:ram:*:*:user/ceo")])],
    );
    let account = who.account.clone().unwrap();
    let user = |name: &str| Resource::User(account.clone(), name.to_owned(), None);
    assert_eq!(authorise(&who, Action::DeleteUser, &user("ceo")), Err(Refusal::NoPermission));
    assert_eq!(authorise(&who, Action::DeleteUser, &user("dev-1")), Ok(()));
    assert!(!who.is_unrestricted() && column(Column::Administrator).is_unrestricted());
    assert!(column(Column::Owner).is_unrestricted() && !column(Column::ReadOnly).is_unrestricted());
}

#[test]
fn attack_133_who_outranks_whom() {
    let [plain, reader, chief, ram_chief, owner] =
        [Column::PlainUser, Column::ReadOnly, Column::Administrator, Column::RamAdministrator, Column::Owner]
            .map(column);
    let everything = with_documents(column(Column::PlainUser), &[&document(&[("Allow", "*", "*")])]);
    let all_of_ram = with_documents(column(Column::PlainUser), &[&document(&[("Allow", "ram:*", "*")])]);
    let denied = document(&[("Deny", "ram:DeleteUser", "*")]);
    let bound = with_documents(column(Column::Administrator), &[&denied]);
    let bound_too = with_documents(column(Column::Administrator), &[&denied]);
    for (who, whom, outranks) in [
        (&plain, &plain, true),
        (&plain, &reader, false),
        (&reader, &plain, true),
        (&reader, &reader, true),
        (&reader, &chief, false),
        (&all_of_ram, &plain, true),
        (&all_of_ram, &ram_chief, false),
        (&everything, &reader, true),
        (&everything, &all_of_ram, true),
        // However much a policy allows: administrators are changed by administrators.
        (&everything, &chief, false),
        (&everything, &ram_chief, false),
        (&chief, &ram_chief, true),
        (&ram_chief, &chief, true),
        (&ram_chief, &everything, true),
        (&chief, &bound, true),
        (&bound, &plain, true),
        (&bound, &chief, false),
        (&bound, &reader, false),
        (&bound, &bound_too, true),
        (&owner, &chief, true),
    ] {
        assert_eq!(who.outranks(&whom.grants), outranks, "{who:?} over {whom:?}");
    }
}

#[test]
fn the_documents_of_system_policies_are_policies() {
    for policy in SystemPolicy::ALL {
        let grants = Grants::of_system(&[*policy]).unwrap();
        assert_eq!(grants.make_administrator(), policy.makes_administrator());
        assert!(!grants.deny());
    }
}
