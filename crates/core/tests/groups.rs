//! Groups: made, changed, removed; who is in them; what their policies are worth.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::groups::{GroupChange, GroupFacts, Part};
use countersign_core::users::{MfaFilter, UsersQuery};
use countersign_core::{Conflict, Limit, Refusal, Role};
use countersign_model::policy::PolicyRef;
use countersign_model::principal::SystemPolicy;
use countersign_testkit::people::{allowing, denying};
use countersign_testkit::{Kit, both_engines, origin, refusal};

fn facts(name: &str, comments: &str) -> GroupFacts {
    GroupFacts { name: name.parse().unwrap(), comments: comments.parse().unwrap() }
}

fn all() -> Part {
    Part { limit: 100, ..Part::default() }
}

fn all_users() -> UsersQuery {
    UsersQuery { search: String::new(), mfa: MfaFilter::Any, offset: 0, limit: 100 }
}

both_engines! {
    async fn a_group_is_made_found_renamed_and_removed(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        let made = core.create_group(&owner, facts("Developers", "who build"), origin()).await.unwrap();
        assert_eq!(refusal(core.create_group(&owner, facts("developers", ""), origin()).await), Refusal::GroupExists);
        assert_eq!(core.group(&owner, "DEVELOPERS", origin()).await.unwrap(), made);
        assert_eq!(refusal(core.group(&owner, "others", origin()).await), Refusal::GroupNotFound);
        assert_eq!(refusal(core.group(&owner, "no name?", origin()).await), Refusal::GroupNotFound);
        core.create_group(&owner, facts("ops", ""), origin()).await.unwrap();
        let taken = core.update_group(&owner, "ops", facts("developers", ""), origin()).await;
        assert_eq!(refusal(taken), Refusal::GroupExists);
        let renamed = core.update_group(&owner, "developers", facts("Builders", ""), origin()).await.unwrap();
        assert_eq!((renamed.id, renamed.name.as_str(), renamed.comments.as_str()), (made.id, "Builders", ""));
        let (lines, total) = core.list_groups(&owner, all(), origin()).await.unwrap();
        assert_eq!(lines.iter().map(|line| line.group.name.as_str()).collect::<Vec<_>>(), ["Builders", "ops"]);
        assert_eq!(total, 2);
        let part = Part { search: "BUILD".to_owned(), offset: -1, ..Part::default() };
        let (lines, total) = core.list_groups(&owner, part, origin()).await.unwrap();
        assert_eq!((lines.len(), total), (1, 1));
        core.delete_group(&owner, "builders", origin()).await.unwrap();
        assert_eq!(refusal(core.delete_group(&owner, "builders", origin()).await), Refusal::GroupNotFound);
        let told = "SELECT COUNT(*) FROM audit_events WHERE action IN ('CreateGroup', 'UpdateGroup', 'DeleteGroup')";
        assert_eq!(kit.int(told, &[]).await, 7);
        // Another account has none of it.
        let other = kit.account("other").await;
        let stranger = kit.owner_session(&other).await.actor;
        assert_eq!(refusal(core.group(&stranger, "ops", origin()).await), Refusal::GroupNotFound);
        assert!(core.list_groups(&stranger, all(), origin()).await.unwrap().0.is_empty());
    }

    async fn what_a_change_of_a_group_does_not_name_stays(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        core.create_group(&owner, facts("dev", "who build"), origin()).await.unwrap();
        let renamed = GroupChange { name: Some("builders".parse().unwrap()), comments: None };
        let group = core.update_group(&owner, "dev", renamed, origin()).await.unwrap();
        assert_eq!((group.name.as_str(), group.comments.as_str()), ("builders", "who build"));
        let remarked = GroupChange { name: None, comments: Some("".parse().unwrap()) };
        core.update_group(&owner, "builders", remarked, origin()).await.unwrap();
        core.update_group(&owner, "builders", GroupChange::default(), origin()).await.unwrap();
        let group = core.group(&owner, "builders", origin()).await.unwrap();
        assert_eq!((group.name.as_str(), group.comments.as_str()), ("builders", ""));
    }

    async fn users_are_put_in_and_taken_out(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "Alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        kit.group(&acme, "dev", &["alice"], &[]).await;
        let again = core.add_user_to_group(&owner, "alice", "dev", origin()).await;
        assert_eq!(refusal(again), Refusal::AlreadyInGroup);
        let nobody = core.add_user_to_group(&owner, "nobody", "dev", origin()).await;
        assert_eq!(refusal(nobody), Refusal::UserNotFound);
        let nowhere = core.add_user_to_group(&owner, "alice", "ops", origin()).await;
        assert_eq!(refusal(nowhere), Refusal::GroupNotFound);
        let (members, total) = core.list_users_for_group(&owner, "dev", all(), origin()).await.unwrap();
        assert_eq!(members.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["Alice"]);
        assert_eq!(total, 1);
        let joined = core.list_groups_for_user(&owner, "ALICE", origin()).await.unwrap();
        assert_eq!(joined.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["dev"]);
        let occupied = core.delete_group(&owner, "dev", origin()).await;
        assert_eq!(refusal(occupied), Refusal::DeleteConflict(Conflict::GroupUser));
        core.remove_user_from_group(&owner, "alice", "dev", origin()).await.unwrap();
        let gone = core.remove_user_from_group(&owner, "alice", "dev", origin()).await;
        assert_eq!(refusal(gone), Refusal::NotInGroup);
        core.attach_policy_to_group(&owner, "dev", SystemPolicy::AliyunRamReadOnlyAccess, origin()).await.unwrap();
        let held = core.delete_group(&owner, "dev", origin()).await;
        assert_eq!(refusal(held), Refusal::DeleteConflict(Conflict::GroupPolicy));
        // A removed user is in no group.
        core.add_user_to_group(&owner, "alice", "dev", origin()).await.unwrap();
        core.delete_user(&owner, "alice", "Alice", origin()).await.unwrap();
        assert_eq!(core.list_users_for_group(&owner, "dev", all(), origin()).await.unwrap().1, 0);
    }

    async fn what_a_group_may_its_users_may_from_the_next_request_on_and_no_longer(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        kit.ram_user(&acme, "bob").await;
        let reader: PolicyRef = SystemPolicy::AliyunRamReadOnlyAccess.into();
        kit.group(&acme, "readers", &[], std::slice::from_ref(&reader)).await;
        let (alices, owner) = (kit.session(&alice).await, kit.owner_session(&acme).await.actor);
        let core = kit.core();
        let may = async || core.list_users(&alices.actor, all_users(), origin()).await.is_ok();
        assert!(!may().await);
        core.add_user_to_group(&owner, "alice", "readers", origin()).await.unwrap();
        assert!(may().await);
        assert_eq!(refusal(core.unlock_user(&alices.actor, "bob", origin()).await), Refusal::NoPermission);
        core.detach_policy_from_group(&owner, "readers", reader.clone(), origin()).await.unwrap();
        assert!(!may().await);
        core.attach_policy_to_group(&owner, "readers", reader.clone(), origin()).await.unwrap();
        assert!(may().await);
        // Deny wins, by whichever way it comes.
        let denied = kit.policy(&acme, "no-list", &denying(&["ram:ListUsers"], "*")).await;
        core.attach_policy(&owner, "alice", denied, origin()).await.unwrap();
        assert!(!may().await);
        assert!(core.user(&alices.actor, "bob", origin()).await.is_ok());
        core.remove_user_from_group(&owner, "alice", "readers", origin()).await.unwrap();
        assert_eq!(refusal(core.user(&alices.actor, "bob", origin()).await), Refusal::NoPermission);
    }

    async fn a_group_makes_administrators(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.ram_user(&acme, "rita").await;
        kit.ram_user(&acme, "alice").await;
        kit.group(&acme, "chiefs", &["rita"], &[SystemPolicy::AdministratorAccess.into()]).await;
        let ritas = kit.session(&rita).await;
        let core = kit.core();
        assert_eq!(ritas.actor.role(), Role::Administrator);
        core.attach_policy(&ritas.actor, "alice", SystemPolicy::AdministratorAccess, origin()).await.unwrap();
        let overview = core.overview(&ritas.actor, origin()).await.unwrap();
        let names: Vec<_> = overview.administrators.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["alice", "rita"]);
        let (lines, _) = core.list_users(&ritas.actor, all_users(), origin()).await.unwrap();
        assert!(lines.iter().all(|line| line.administrator_by.is_some()));
        // Nobody takes from himself what he has by a group.
        let policy = SystemPolicy::AdministratorAccess;
        let own = core.detach_policy_from_group(&ritas.actor, "chiefs", policy, origin()).await;
        assert_eq!(refusal(own), Refusal::Oneself);
        assert_eq!(refusal(core.remove_user_from_group(&ritas.actor, "rita", "chiefs", origin()).await), Refusal::Oneself);
        assert_eq!(core.session(&ritas.token).await.unwrap().role(), Role::Administrator);
    }

    async fn a_user_is_in_ten_groups_at_most_however_he_is_hurried(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        for number in 0..12 {
            kit.core().create_group(&owner, facts(&format!("g{number}"), ""), origin()).await.unwrap();
        }
        let tasks: Vec<_> = (0..12)
            .map(|number| {
                let (core, owner) = (kit.core().clone(), owner.clone());
                tokio::spawn(async move {
                    core.add_user_to_group(&owner, "alice", &format!("g{number}"), origin()).await
                })
            })
            .collect();
        let mut refused = Vec::new();
        for task in tasks {
            if let Err(error) = task.await.unwrap() {
                refused.push(error.refusal());
            }
        }
        assert_eq!(refused, [Some(Refusal::LimitExceeded(Limit::GroupsOfUser)); 2]);
        assert_eq!(kit.count("group_members").await, 10);
    }

    async fn a_group_allows_its_name_and_no_other(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "bob").await;
        let document = allowing(
            &["ram:GetGroup", "ram:AddUserToGroup", "ram:RemoveUserFromGroup", "ram:UpdateGroup"],
            "acs:ram:*:*:group/dev*",
        );
        let heidi = kit.user_allowed(&acme, "heidi", &document).await;
        kit.group(&acme, "dev", &[], &[]).await;
        kit.group(&acme, "ops", &[], &[]).await;
        let (core, heidis) = (kit.core(), kit.session(&heidi).await.actor);
        core.group(&heidis, "dev", origin()).await.unwrap();
        for hidden in ["ops", "nowhere"] {
            assert_eq!(refusal(core.group(&heidis, hidden, origin()).await), Refusal::NoPermission, "{hidden}");
        }
        assert_eq!(refusal(core.group(&heidis, "dev-none", origin()).await), Refusal::GroupNotFound);
        // The group alone is not enough: she must be allowed it to the user as well.
        let added = core.add_user_to_group(&heidis, "bob", "dev", origin()).await;
        assert_eq!(refusal(added), Refusal::NoPermission);
        // Nor may a group become another one that she may not have.
        let renamed = core.update_group(&heidis, "dev", facts("ops2", ""), origin()).await;
        assert_eq!(refusal(renamed), Refusal::NoPermission);
        core.update_group(&heidis, "dev", facts("dev2", ""), origin()).await.unwrap();
    }
}
