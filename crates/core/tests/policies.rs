//! Policies: written, versioned, attached; what they grant, and under which conditions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::access_keys::KeysOf;
use countersign_core::authorise::Action;
use countersign_core::groups::{GroupFacts, Part};
use countersign_core::policies::{MOST_VERSIONS, NewPolicy, policy_ref};
use countersign_core::ram::users::{UserChange, UserKey};
use countersign_core::settings::{PolicyChange, SettingsChange};
use countersign_core::users::{LoginChange, MfaFilter, PasswordChange, UsersQuery};
use countersign_core::{Conflict, Limit, Origin, Refusal, SessionActor};
use countersign_model::names::{Comments, Description};
use countersign_model::policy::{PolicyDocument, PolicyRef, PolicyType};
use countersign_model::principal::{ConsoleLogon, SystemPolicy};
use countersign_testkit::people::{allowing, denying};
use countersign_testkit::{Kit, both_engines, demand, origin, refusal};
use std::time::Duration;

fn document(text: &str) -> PolicyDocument {
    text.parse().unwrap()
}

fn all() -> Part {
    Part { limit: 100, ..Part::default() }
}

fn all_users() -> UsersQuery {
    UsersQuery { search: String::new(), mfa: MfaFilter::Any, offset: 0, limit: 100 }
}

fn new(name: &str, text: &str) -> NewPolicy {
    NewPolicy { name: name.parse().unwrap(), description: Description::default(), document: document(text) }
}

fn group_facts(name: &str) -> GroupFacts {
    GroupFacts { name: name.parse().unwrap(), comments: Comments::default() }
}

async fn lists_users(kit: &Kit, actor: &SessionActor, from: &Origin) -> bool {
    kit.core().list_users(actor, all_users(), from).await.is_ok()
}

both_engines! {
    async fn a_policy_is_written_found_and_removed(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        let look = allowing(&["ram:Get*"], "*");
        let made = core.create_policy(&owner, new("Look-Only", &look), origin()).await.unwrap();
        assert_eq!((made.policy.name(), made.default_version, made.attachments), ("Look-Only", 1, 0));
        for taken in ["look-only", "administratoraccess"] {
            let again = core.create_policy(&owner, new(taken, &look), origin()).await;
            assert_eq!(refusal(again), Refusal::PolicyExists, "{taken}");
        }
        let custom = policy_ref(PolicyType::Custom, "LOOK-ONLY").unwrap();
        let (view, version) = core.policy(&owner, custom.clone(), origin()).await.unwrap();
        assert_eq!((view.policy.name(), version.id().as_str(), version.document.as_str()), ("Look-Only", "v1", look.as_str()));
        let system: PolicyRef = SystemPolicy::AdministratorAccess.into();
        let (view, version) = core.policy(&owner, system.clone(), origin()).await.unwrap();
        assert!(view.created_at.is_none() && version.is_default && version.document.contains("\"*\""));
        assert!(policy_ref(PolicyType::System, "Look-Only").is_err());
        let (views, total) = core.list_policies(&owner, None, all(), origin()).await.unwrap();
        let names: Vec<_> = views.iter().map(|view| view.policy.name()).collect();
        assert_eq!(names, ["AdministratorAccess", "AliyunRAMFullAccess", "AliyunRAMReadOnlyAccess", "Look-Only"]);
        assert_eq!(total, 4);
        for (kind, search, offset, limit, wanted, total) in [
            (Some(PolicyType::Custom), "", 0, 100, &["Look-Only"][..], 1),
            (Some(PolicyType::System), "", 1, 1, &["AliyunRAMFullAccess"], 3),
            (None, "only", 0, 100, &["AliyunRAMReadOnlyAccess", "Look-Only"], 2),
            (None, "", 2, 2, &["AliyunRAMReadOnlyAccess", "Look-Only"], 4),
            (None, "", 3, 5, &["Look-Only"], 4),
            (None, "", 4, 5, &[], 4),
        ] {
            let part = Part { search: search.to_owned(), offset, limit, ..Part::default() };
            let (views, counted) = core.list_policies(&owner, kind, part, origin()).await.unwrap();
            let names: Vec<_> = views.iter().map(|view| view.policy.name()).collect();
            assert_eq!((names.as_slice(), counted), (wanted, total), "{kind:?} {search} {offset}");
        }
        kit.ram_user(&acme, "alice").await;
        core.attach_policy(&owner, "alice", custom.clone(), origin()).await.unwrap();
        let held = core.delete_policy(&owner, "look-only", origin()).await;
        assert_eq!(refusal(held), Refusal::DeleteConflict(Conflict::PolicyUser));
        core.detach_policy(&owner, "alice", custom.clone(), origin()).await.unwrap();
        kit.group(&acme, "dev", &[], std::slice::from_ref(&custom)).await;
        let held = core.delete_policy(&owner, "look-only", origin()).await;
        assert_eq!(refusal(held), Refusal::DeleteConflict(Conflict::PolicyGroup));
        core.detach_policy_from_group(&owner, "dev", custom.clone(), origin()).await.unwrap();
        core.delete_policy(&owner, "look-only", origin()).await.unwrap();
        assert_eq!(refusal(core.policy(&owner, custom, origin()).await), Refusal::PolicyNotFound);
        assert_eq!(refusal(core.delete_policy(&owner, "AdministratorAccess", origin()).await), Refusal::PolicyNotFound);
    }

    async fn of_five_versions_one_counts(kit: Kit) {
        let acme = kit.account("acme").await;
        let document_one = allowing(&["ram:GetUser"], "*");
        let alice = kit.user_allowed(&acme, "alice", &document_one).await;
        let (owner, alices) = (kit.owner_session(&acme).await.actor, kit.session(&alice).await.actor);
        let (core, name) = (kit.core(), "alice-policy");
        let policy = policy_ref(PolicyType::Custom, name).unwrap();
        assert!(!lists_users(&kit, &alices, origin()).await);
        let list = document(&allowing(&["ram:ListUsers"], "*"));
        let second = core.create_policy_version(&owner, name, (list.clone(), false), origin()).await.unwrap();
        assert_eq!((second.id().as_str(), second.is_default), ("v2", false));
        assert!(!lists_users(&kit, &alices, origin()).await, "it does not count yet");
        core.set_default_policy_version(&owner, (name, "v2"), origin()).await.unwrap();
        assert!(lists_users(&kit, &alices, origin()).await);
        let empty = document(&denying(&["ram:ListUsers"], "*"));
        let third = core.create_policy_version(&owner, name, (empty, true), origin()).await.unwrap();
        assert!(third.is_default && !lists_users(&kit, &alices, origin()).await);
        let versions = core.list_policy_versions(&owner, policy.clone(), origin()).await.unwrap();
        let told: Vec<_> = versions.iter().map(|version| (version.id(), version.is_default)).collect();
        assert_eq!(told, [("v3".to_owned(), true), ("v2".to_owned(), false), ("v1".to_owned(), false)]);
        let first = core.policy_version(&owner, (policy.clone(), "v1"), origin()).await.unwrap();
        assert_eq!(first.document, document_one);
        for (bad, expected) in [
            ("v9", Refusal::PolicyVersionNotFound),
            ("3", Refusal::Invalid("InvalidParameter.VersionId.Format")),
            ("v0", Refusal::Invalid("InvalidParameter.VersionId.Format")),
            ("v99999999999999999999", Refusal::Invalid("InvalidParameter.VersionId.Format")),
        ] {
            let found = core.policy_version(&owner, (policy.clone(), bad), origin()).await;
            assert_eq!(refusal(found), expected, "{bad}");
            assert_eq!(refusal(core.set_default_policy_version(&owner, (name, bad), origin()).await), expected, "{bad}");
        }
        let counts = core.delete_policy_version(&owner, (name, "v3"), origin()).await;
        assert_eq!(refusal(counts), Refusal::DeleteConflict(Conflict::PolicyDefaultVersion));
        core.delete_policy_version(&owner, (name, "v2"), origin()).await.unwrap();
        let gone = core.delete_policy_version(&owner, (name, "v2"), origin()).await;
        assert_eq!(refusal(gone), Refusal::PolicyVersionNotFound);
        // However many come at once, there are five, and a number is never used twice.
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (core, owner, list) = (core.clone(), owner.clone(), list.clone());
                tokio::spawn(async move { core.create_policy_version(&owner, name, (list, false), origin()).await })
            })
            .collect();
        let mut made = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(version) => made.push(version.id()),
                Err(error) => assert_eq!(error.refusal(), Some(Refusal::LimitExceeded(Limit::PolicyVersions))),
            }
        }
        made.sort_unstable();
        assert_eq!(made, ["v4", "v5", "v6"]);
        assert_eq!(core.list_policy_versions(&owner, policy, origin()).await.unwrap().len(), MOST_VERSIONS);
        core.detach_policy(&owner, "alice", policy_ref(PolicyType::Custom, name).unwrap(), origin()).await.unwrap();
        let several = core.delete_policy(&owner, name, origin()).await;
        assert_eq!(refusal(several), Refusal::DeleteConflict(Conflict::PolicyVersion));
        let system: PolicyRef = SystemPolicy::AdministratorAccess.into();
        assert_eq!(core.list_policy_versions(&owner, system, origin()).await.unwrap().len(), 1);
    }

    async fn what_is_attached_is_told_and_limited(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        kit.group(&acme, "dev", &[], &[]).await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        let mut policies = Vec::new();
        for number in 0..11 {
            let new = new(&format!("p{number}"), &allowing(&["oss:Get*"], "*"));
            policies.push(core.create_policy(&owner, new, origin()).await.unwrap().policy);
        }
        let (last, ten) = policies.split_last().unwrap();
        for policy in ten {
            core.attach_policy(&owner, "alice", policy.clone(), origin()).await.unwrap();
            core.attach_policy_to_group(&owner, "dev", policy.clone(), origin()).await.unwrap();
        }
        let one_more = core.attach_policy(&owner, "alice", last.clone(), origin()).await;
        assert_eq!(refusal(one_more), Refusal::LimitExceeded(Limit::PoliciesOfUser));
        let one_more = core.attach_policy_to_group(&owner, "dev", last.clone(), origin()).await;
        assert_eq!(refusal(one_more), Refusal::LimitExceeded(Limit::PoliciesOfGroup));
        // Those that come with the account do not count among them.
        let reader: PolicyRef = SystemPolicy::AliyunRamReadOnlyAccess.into();
        core.attach_policy(&owner, "alice", reader.clone(), origin()).await.unwrap();
        let first = policies.first().unwrap();
        assert_eq!(refusal(core.attach_policy(&owner, "alice", first.clone(), origin()).await), Refusal::UserPolicyExists);
        let again = core.attach_policy_to_group(&owner, "dev", first.clone(), origin()).await;
        assert_eq!(refusal(again), Refusal::GroupPolicyExists);
        assert_eq!(core.list_policies_for_user(&owner, "alice", origin()).await.unwrap().len(), 11);
        assert_eq!(core.list_policies_for_group(&owner, "dev", origin()).await.unwrap().len(), 10);
        let entities = core.list_entities_for_policy(&owner, first.clone(), 10, origin()).await.unwrap();
        assert_eq!((entities.users.len(), entities.groups.len()), (1, 1));
        core.detach_policy(&owner, "alice", reader.clone(), origin()).await.unwrap();
        assert_eq!(refusal(core.detach_policy(&owner, "alice", reader.clone(), origin()).await), Refusal::UserPolicyNotFound);
        let gone = core.detach_policy_from_group(&owner, "dev", reader, origin()).await;
        assert_eq!(refusal(gone), Refusal::GroupPolicyNotFound);
        let none = policy_ref(PolicyType::Custom, "none").unwrap();
        assert_eq!(refusal(core.attach_policy(&owner, "alice", none, origin()).await), Refusal::PolicyNotFound);
        assert_eq!(refusal(core.attach_policy(&owner, "nobody", first.clone(), origin()).await), Refusal::UserNotFound);
    }

    async fn a_policy_grants_what_it_says_on_whom_it_says(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_user(&acme, "dev-1").await;
        kit.bound_user(&acme, "ceo").await;
        let text = format!(
            r#"{{"Version":"1","Statement":[
                {{"Effect":"Allow","Action":["ram:ListUsers","ram:GetUser"],"Resource":"*"}},
                {{"Effect":"Allow","Action":"ram:UnbindMFADevice","Resource":"acs:ram::{}:user/dev-*"}}]}}"#,
            acme.id
        );
        let desk = kit.user_allowed(&acme, "desk", &text).await;
        let (core, desks) = (kit.core(), kit.session(&desk).await.actor);
        assert_eq!(core.list_users(&desks, all_users(), origin()).await.unwrap().1, 3);
        core.user(&desks, "ceo", origin()).await.unwrap();
        for name in ["ceo", "nobody", "desk"] {
            assert_eq!(refusal(core.unbind_for(&desks, name, origin()).await), Refusal::NoPermission, "{name}");
        }
        assert_eq!(refusal(core.unbind_for(&desks, "dev-9", origin()).await), Refusal::UserNotFound);
        core.unbind_for(&desks, "DEV-1", origin()).await.unwrap();
        for refused in [
            core.unlock_user(&desks, "dev-1", origin()).await,
            core.start_binding_for(&desks, "dev-1", origin()).await,
            core.settings(&desks, origin()).await.map(drop),
            core.overview(&desks, origin()).await.map(drop),
            core.create_user(&desks, countersign_testkit::people::facts("dev-2"), None, origin()).await.map(drop),
        ] {
            assert_eq!(refusal(refused), Refusal::NoPermission);
        }
        assert_eq!(kit.count("virtual_mfa").await, 1);
    }

    async fn users_are_made_and_renamed_only_to_names_that_are_allowed(kit: Kit) {
        let acme = kit.account("acme").await;
        let text = allowing(&["ram:CreateUser", "ram:UpdateUser"], "acs:ram:*:*:user/dev-*");
        let maker = kit.user_allowed(&acme, "maker", &text).await;
        let (core, makers) = (kit.core(), kit.session(&maker).await.actor);
        let facts = countersign_testkit::people::facts;
        core.create_user(&makers, facts("dev-1"), None, origin()).await.unwrap();
        assert_eq!(refusal(core.create_user(&makers, facts("ceo"), None, origin()).await), Refusal::NoPermission);
        let renamed = core.update_user(&makers, "dev-1", facts("ceo"), origin()).await;
        assert_eq!(refusal(renamed), Refusal::NoPermission);
        core.update_user(&makers, "dev-1", facts("dev-2"), origin()).await.unwrap();
        // The same by the other door's way to change a user.
        let change = |name: &str| UserChange { name: Some(name.parse().unwrap()), ..UserChange::default() };
        let key = || UserKey::Name("dev-2".to_owned());
        let renamed = core.change_user(&makers, key(), change("ceo"), origin()).await;
        assert_eq!(refusal(renamed), Refusal::NoPermission);
        core.change_user(&makers, key(), change("dev-3"), origin()).await.unwrap();
    }

    async fn devices_are_made_and_removed_under_names_that_are_allowed(kit: Kit) {
        let acme = kit.account("acme").await;
        let text = allowing(&["ram:CreateVirtualMFADevice", "ram:DeleteVirtualMFADevice"], "acs:ram:*:*:mfa/alice*");
        let alice = kit.user_allowed(&acme, "alice", &text).await;
        let (owner, alices) = (kit.owner_session(&acme).await.actor, kit.session(&alice).await.actor);
        let core = kit.core();
        core.create_mfa_device(&owner, "bobs".parse().unwrap(), origin()).await.unwrap();
        let made = core.create_mfa_device(&alices, "bobs-2".parse().unwrap(), origin()).await;
        assert_eq!(refusal(made.map(drop)), Refusal::NoPermission);
        for hidden in ["bobs", "nobodys"] {
            let removed = core.delete_mfa_device(&alices, hidden, origin()).await;
            assert_eq!(refusal(removed), Refusal::NoPermission, "{hidden}");
        }
        core.create_mfa_device(&alices, "alices".parse().unwrap(), origin()).await.unwrap();
        core.delete_mfa_device(&alices, "alices", origin()).await.unwrap();
    }

    async fn conditions_see_the_address_and_the_second_factor(kit: Kit) {
        let acme = kit.account("acme").await;
        let text = r#"{"Version":"1","Statement":[
            {"Effect":"Allow","Action":"ram:ListUsers","Resource":"*","Condition":{
                "IpAddress":{"acs:SourceIp":"192.0.2.0/24"},"Bool":{"acs:MFAPresent":"true"}}}]}"#;
        let alice = kit.user_allowed(&acme, "alice", text).await;
        let without = kit.session(&alice).await.actor;
        assert!(!lists_users(&kit, &without, origin()).await);
        let phone = kit.bind_for(&acme, "alice").await;
        let with = kit.session_with(&alice, &phone).await.actor;
        assert!(lists_users(&kit, &with, origin()).await);
        for elsewhere in ["198.51.100.1", "", "command line"] {
            let from = Origin::new(elsewhere.to_owned(), "a test");
            assert!(!lists_users(&kit, &with, &from).await, "{elsewhere}");
        }
    }

    async fn policies_decide_over_calls_that_are_signed_as_well(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.user_allowed(&acme, "alice", &allowing(&["ram:ListGroups"], "*")).await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        let of_alice = KeysOf::User(alice.name.clone());
        let made = core.create_access_key(&owner, of_alice, origin()).await.unwrap();
        let key = core.access_key(made.id.as_str()).await.unwrap().actor;
        core.list_groups(&key, all(), origin()).await.unwrap();
        let made_group = core.create_group(&key, group_facts("dev"), origin()).await;
        assert_eq!(refusal(made_group), Refusal::NoPermission);
        // C36: a Deny without a second factor binds people, and an Allow with one is of no use to programs.
        let asking = |effect, action, present: bool| {
            format!(
                r#"{{"Version":"1","Statement":[{{"Effect":"{effect}","Action":"{action}","Resource":"*",
                "Condition":{{"Bool":{{"acs:MFAPresent":"{present}"}}}}}}]}}"#
            )
        };
        let unless = kit.policy(&acme, "unless-mfa", &asking("Deny", "ram:ListGroups", false)).await;
        let only = kit.policy(&acme, "only-mfa", &asking("Allow", "ram:ListPolicies", true)).await;
        core.attach_policy(&owner, "alice", unless, origin()).await.unwrap();
        core.attach_policy(&owner, "alice", only, origin()).await.unwrap();
        core.list_groups(&key, all(), origin()).await.unwrap();
        assert_eq!(refusal(core.list_policies(&key, None, all(), origin()).await), Refusal::NoPermission);
        let alices = kit.session(&alice).await.actor;
        assert_eq!(refusal(core.list_groups(&alices, all(), origin()).await), Refusal::NoPermission);
    }

    async fn who_may_do_everything_to_some_users_does_nothing_to_the_account(kit: Kit) {
        let acme = kit.account("acme").await;
        let text = allowing(&["*"], "acs:ram:*:*:user/dev-*");
        let head = kit.user_allowed(&acme, "head", &text).await;
        let heads = kit.session(&head).await.actor;
        let core = kit.core();
        let stricter = || SettingsChange { session_hours: Some(1), ..SettingsChange::default() };
        let length = || PolicyChange { minimum_length: Some(20), ..PolicyChange::default() };
        let both = || SettingsChange { password: length(), ..stricter() };
        for (what, tried) in [
            ("settings", core.change_settings(&heads, stricter(), origin()).await.map(drop)),
            ("password policy", core.change_password_policy(&heads, length(), origin()).await.map(drop)),
            ("nothing of it", core.change_password_policy(&heads, PolicyChange::default(), origin()).await.map(drop)),
            ("alias", core.change_alias(&heads, Action::SetAlias, None, origin()).await),
        ] {
            assert_eq!(refusal(tried), Refusal::NoPermission, "{what}");
        }
        // Settings and the rules for passwords in one go take the right to both.
        let one = kit.policy(&acme, "one", &allowing(&["ram:SetSecurityPreference"], "*")).await;
        let owner = kit.owner_session(&acme).await.actor;
        core.attach_policy(&owner, "head", one, origin()).await.unwrap();
        assert_eq!(refusal(core.change_settings(&heads, both(), origin()).await), Refusal::NoPermission);
        core.change_settings(&heads, stricter(), origin()).await.unwrap();
    }

    async fn nobody_tries_passwords_on_somebody_whom_he_may_not_change(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        let password = PolicyChange { reuse_prevention: Some(5), ..PolicyChange::default() };
        core.change_password_policy(&owner, password, origin()).await.unwrap();
        let boss = kit.ram_user(&acme, "ceo").await;
        let head = kit.user_allowed(&acme, "head", &allowing(&["*"], "acs:ram:*:*:user/dev-*")).await;
        let heads = kit.session(&head).await.actor;
        for (name, guess) in [("ceo", boss.password.as_str()), ("ceo", "another horse of his"), ("nobody", "a third horse")] {
            let change = LoginChange {
                console_logon: ConsoleLogon::Enabled,
                password: PasswordChange::Custom(guess.to_owned().into()),
                reset_required: false,
                mfa_required: false,
            };
            let tried = core.change_login_profile(&heads, name, change, origin()).await;
            assert_eq!(refusal(tried.map(drop)), Refusal::NoPermission, "{name} {guess}");
        }
    }

    async fn what_a_policy_grants_by_ones_own_name_it_grants_without_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.user_allowed(&acme, "alice", &allowing(&["ram:ListAccessKeys"], "acs:ram:*:*:user/alice")).await;
        let alices = kit.session(&alice).await.actor;
        let core = kit.core();
        core.list_access_keys(&alices, KeysOf::User("alice".to_owned()), origin()).await.unwrap();
        core.list_access_keys(&alices, KeysOf::Oneself, origin()).await.unwrap();
        let made = core.create_access_key(&alices, KeysOf::Oneself, origin()).await;
        assert_eq!(refusal(made.map(drop)), Refusal::NoPermission);
    }

    async fn who_may_see_some_users_does_not_learn_of_others_by_their_ids(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "ceo").await;
        let owner = kit.owner_session(&acme).await.actor;
        let head = kit.user_allowed(&acme, "head", &allowing(&["ram:GetUser"], "acs:ram:*:*:user/dev-*")).await;
        let heads = kit.session(&head).await.actor;
        let core = kit.core();
        let key = core.create_access_key(&owner, KeysOf::User("ceo".to_owned()), origin()).await.unwrap();
        let boss = core.find_user_by(&owner, UserKey::Name("ceo".to_owned()), origin()).await.unwrap();
        for hidden in [
            UserKey::Id(boss.id.to_string()),
            UserKey::AccessKey(key.id.to_string()),
            UserKey::Id("100000000000000000".to_owned()),
        ] {
            let found = core.find_user_by(&heads, hidden.clone(), origin()).await;
            assert_eq!(refusal(found.map(drop)), Refusal::UserNotFound, "{hidden:?}");
        }
    }

    async fn read_only_sees_what_an_administrator_sees_and_changes_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.ram_user(&acme, "rita").await;
        kit.ram_user(&acme, "bob").await;
        kit.group(&acme, "dev", &["bob"], &[]).await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        core.attach_policy(&owner, "rita", SystemPolicy::AliyunRamReadOnlyAccess, origin()).await.unwrap();
        let ritas = kit.session(&rita).await.actor;
        let reader: PolicyRef = SystemPolicy::AliyunRamReadOnlyAccess.into();
        core.list_users(&ritas, all_users(), origin()).await.unwrap();
        core.user(&ritas, "bob", origin()).await.unwrap();
        core.overview(&ritas, origin()).await.unwrap();
        core.settings(&ritas, origin()).await.unwrap();
        core.places_of(&ritas, "bob", origin()).await.unwrap();
        core.user_history(&ritas, "bob", None, origin()).await.unwrap();
        core.group(&ritas, "dev", origin()).await.unwrap();
        core.list_users_for_group(&ritas, "dev", all(), origin()).await.unwrap();
        core.list_policies(&ritas, None, all(), origin()).await.unwrap();
        core.list_entities_for_policy(&ritas, reader.clone(), 10, origin()).await.unwrap();
        for refused in [
            core.unlock_user(&ritas, "bob", origin()).await,
            core.start_binding_for(&ritas, "bob", origin()).await,
            core.binding_for(&ritas, "bob").await.map(drop),
            core.delete_user(&ritas, "bob", "bob", origin()).await,
            core.reset_password(&ritas, "bob", origin()).await.map(drop),
            core.attach_policy(&ritas, "bob", reader.clone(), origin()).await,
            core.add_user_to_group(&ritas, "bob", "dev", origin()).await,
            core.remove_user_from_group(&ritas, "bob", "dev", origin()).await,
            core.attach_policy_to_group(&ritas, "dev", reader.clone(), origin()).await,
            core.create_policy(&ritas, new("own", &allowing(&["*"], "*")), origin()).await.map(drop),
            core.delete_group(&ritas, "dev", origin()).await,
        ] {
            assert_eq!(refusal(refused), Refusal::NoPermission);
        }
    }

    async fn changing_policies_asks_for_a_proof_for_just_that(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let policy = kit.policy(&acme, "own", &allowing(&["oss:*"], "*")).await;
        let owner = kit.owner_session(&acme).await;
        kit.clock().advance(Duration::from_mins(16));
        let core = kit.core();
        let asked = demand(core.attach_policy(&owner.actor, "alice", policy.clone(), origin()).await);
        let token = core
            .prove(&owner.actor, &asked.token, acme.owner.secret(), origin())
            .await
            .unwrap();
        let renewed = kit.visitor(token).await.actor.with_proof(asked.token);
        // The account asks once in 15 minutes; the proof itself is for that policy and that user.
        core.attach_policy(&renewed, "alice", policy, origin()).await.unwrap();
        assert_eq!(kit.count("user_policies").await, 1);
    }

    async fn a_change_and_a_refusal_are_written_down(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let policy = kit.policy(&acme, "own", &allowing(&["oss:*"], "*")).await;
        let (owner, alices) = (kit.owner_session(&acme).await.actor, kit.session(&alice).await.actor);
        let core = kit.core();
        core.attach_policy(&owner, "alice", policy.clone(), origin()).await.unwrap();
        assert_eq!(refusal(core.attach_policy(&alices, "alice", policy, origin()).await), Refusal::NoPermission);
        let done = "SELECT COUNT(*) FROM audit_events WHERE action = 'AttachPolicyToUser' AND target = 'alice own' \
                    AND outcome = 'success' AND details = 'mfa=no;policy=own;'";
        let refused = "SELECT COUNT(*) FROM audit_events WHERE action = 'AttachPolicyToUser' AND target = 'alice own' \
                       AND outcome = 'refused' AND reason = 'NoPermission'";
        assert_eq!((kit.int(done, &[]).await, kit.int(refused, &[]).await), (1, 1));
    }
}
