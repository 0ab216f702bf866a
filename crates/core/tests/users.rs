//! RAM users: made, found, changed and removed; their login profiles; who is an administrator; who may what to whom.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_core::users::{LoginChange, MfaFilter, PasswordChange, UserFacts, UsersQuery};
use countersign_core::{Error, Refusal, Role, SessionActor};
use countersign_model::logon::LogonState;
use countersign_model::names::UserName;
use countersign_model::principal::{ConsoleLogon, SystemPolicy};
use countersign_testkit::people::{USER_PASSWORD, expose, facts, login, login_with_mfa, one_code};
use countersign_testkit::{Engine, Kit, Person, both_engines, origin, reason, refusal};

both_engines! {
    async fn c08_a_user_is_made_with_mfa_required(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let owner = kit.owner_session(&acme).await.actor;
        let shown = kit.core().user(&owner, "alice", origin()).await.unwrap();
        let profile = shown.profile.unwrap();
        assert!(profile.mfa_bind_required && profile.console_logon == ConsoleLogon::Enabled);
        assert!(shown.device.is_none() && shown.policies.is_empty() && !shown.is_oneself);
        kit.waiting(&alice, LogonState::Bind).await;
    }

    async fn a_generated_password_is_shown_once_and_must_be_changed(kit: Kit) {
        let acme = kit.account("acme").await;
        let random = LoginChange { password: PasswordChange::Generate, ..login() };
        let alice = kit.ram_user_with(&acme, "alice", Some(random.clone())).await;
        assert_eq!(alice.password.len(), 23);
        kit.waiting(&alice, LogonState::ChoosePassword).await;
        let owner = kit.owner_session(&acme).await.actor;
        let again = kit.core().change_login_profile(&owner, "alice", random, origin()).await.unwrap().unwrap();
        assert_ne!(expose(&again), alice.password);
        assert_eq!(refusal(kit.log_on(&alice).await), Refusal::WrongCredentials);
        kit.waiting(&Person { password: expose(&again), ..alice }, LogonState::ChoosePassword).await;
        assert!(!kit.dump().await.holds(expose(&again).as_bytes()));
    }

    async fn a_custom_password_keeps_to_the_rules(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        for bad in ["", "short", "aaaaaaaaaaaa", "alice and friends"] {
            let change = LoginChange { password: PasswordChange::Custom(bad.into()), ..login() };
            let made = kit.core().create_user(&owner, facts("alice"), Some(change), origin()).await;
            assert_eq!(refusal(made), Refusal::PasswordTooWeak, "{bad}");
        }
        kit.ram_user(&acme, "alice").await;
        let change = LoginChange { password: PasswordChange::Custom("ALICE in the house".into()), ..login() };
        let changed = kit.core().change_login_profile(&owner, "alice", change, origin()).await;
        assert_eq!(refusal(changed), Refusal::PasswordTooWeak);
    }

    async fn k05_k06_a_user_without_password_gets_no_console_logon_without_one(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", None).await;
        let owner = kit.owner_session(&acme).await.actor;
        let keep = LoginChange { password: PasswordChange::Keep, ..login() };
        let changed = kit.core().change_login_profile(&owner, "alice", keep.clone(), origin()).await;
        assert_eq!(refusal(changed), Refusal::NoPassword);
        let made = kit.core().create_user(&owner, facts("bob"), Some(keep.clone()), origin()).await;
        assert_eq!(refusal(made), Refusal::NoPassword);
        assert_eq!(refusal(kit.core().user(&owner, "bob", origin()).await), Refusal::UserNotFound);
        kit.core().change_login_profile(&owner, "alice", login(), origin()).await.unwrap();
        kit.session(&alice).await;
        // The password stays through a time without console logon.
        let off = LoginChange { console_logon: ConsoleLogon::Disabled, ..keep.clone() };
        kit.core().change_login_profile(&owner, "alice", off, origin()).await.unwrap();
        kit.core().change_login_profile(&owner, "alice", keep, origin()).await.unwrap();
        kit.session(&alice).await;
    }

    async fn users_are_found_by_name_display_name_and_mfa_state(kit: Kit) {
        let acme = kit.account("acme").await;
        let other = kit.account("other").await;
        kit.bound_user(&acme, "alice").await;
        kit.ram_user_with(&acme, "bob", Some(login_with_mfa())).await;
        kit.ram_user_with(&acme, "carol", None).await;
        kit.administrator(&acme, "Dave_1").await;
        kit.ram_user(&other, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let named = UserFacts { display_name: "Zoë 50% Ünsüz".parse().unwrap(), ..facts("carol") };
        kit.core().update_user(&owner, "carol", named, origin()).await.unwrap();

        let find = async |search: &'static str, mfa: MfaFilter| found(&kit, &owner, search, mfa).await;
        assert_eq!(find("", MfaFilter::Any).await, ["alice", "bob", "carol", "Dave_1"]);
        assert_eq!(find("AL", MfaFilter::Any).await, ["alice"]);
        assert_eq!(find("ünsüz", MfaFilter::Any).await, ["carol"]);
        assert_eq!(find(" dave ", MfaFilter::Any).await, ["Dave_1"]);
        assert_eq!(find("", MfaFilter::Bound).await, ["alice"]);
        assert_eq!(find("", MfaFilter::NotAttached).await, ["bob", "carol", "Dave_1"]);
        assert_eq!(find("", MfaFilter::RequiredUnbound).await, ["bob"]);
        assert_eq!(find("o", MfaFilter::NotAttached).await, ["bob", "carol"]);
        // attack 131: what is typed is looked for as it is.
        for (search, expected) in [
            ("%", vec!["carol"]),
            ("_", vec!["Dave_1"]),
            ("' OR '1'='1", vec![]),
            ("!%", vec![]),
            ("\\", vec![]),
            ("alice\n", vec!["alice"]),
            ("a\0b", vec![]),
            ("'; DROP TABLE principals; --", vec![]),
            ("$1", vec![]),
        ] {
            assert_eq!(find(search, MfaFilter::Any).await, expected, "{search:?}");
        }
    }

    async fn lists_come_in_pages_and_know_their_total(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        for number in 0..25 {
            kit.core().create_user(&owner, facts(&format!("user{number:02}")), None, origin()).await.unwrap();
        }
        let page = async |offset, limit| {
            let query = UsersQuery { search: String::new(), mfa: MfaFilter::Any, offset, limit };
            let (lines, total) = kit.core().list_users(&owner, query, origin()).await.unwrap();
            assert_eq!(total, 25);
            lines.into_iter().map(|line| line.name).collect::<Vec<_>>()
        };
        assert_eq!(page(0, 2).await, ["user00", "user01"]);
        assert_eq!(page(20, 20).await.len(), 5);
        assert!(page(25, 20).await.is_empty());
        // attack 131: forged numbers.
        assert_eq!(page(-5, 2).await, ["user00", "user01"]);
        assert_eq!(page(0, -1).await.len(), 1);
        assert!(page(i64::MAX, i64::MAX).await.is_empty());
        assert_eq!(page(0, i64::MAX).await.len(), 25);
    }

    async fn attack_131_a_name_in_an_address_is_never_more_than_a_name(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.ram_user(&acme, "alice").await;
        for name in ["", "%", "alice' --", "a\0b", "\0", "alice\0", "../alice", "\u{202e}", &"a".repeat(100_000)] {
            let core = kit.core();
            assert_eq!(refusal(core.user(&owner, name, origin()).await), Refusal::UserNotFound, "{name:.9}");
            let update = core.update_user(&owner, name, facts("bob"), origin()).await;
            assert_eq!(refusal(update), Refusal::UserNotFound, "{name:.9}");
            assert_eq!(refusal(core.delete_user(&owner, name, name, origin()).await), Refusal::UserNotFound);
            assert_eq!(refusal(core.start_binding_for(&owner, name, origin()).await), Refusal::UserNotFound);
            assert_eq!(refusal(core.binding_for(&owner, name).await), Refusal::UserNotFound);
            let policy = SystemPolicy::AdministratorAccess;
            assert_eq!(refusal(core.attach_policy(&owner, name, policy, origin()).await), Refusal::UserNotFound);
            let profile = core.change_login_profile(&owner, name, login(), origin()).await;
            assert_eq!(refusal(profile), Refusal::UserNotFound, "{name:.9}");
        }
        kit.core().user(&owner, "ALICE", origin()).await.unwrap();
    }

    async fn names_are_unique_in_their_account_whatever_their_case(kit: Kit) {
        let acme = kit.account("acme").await;
        let other = kit.account("other").await;
        kit.ram_user(&acme, "alice").await;
        kit.ram_user(&acme, "bob").await;
        kit.ram_user(&other, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let made = kit.core().create_user(&owner, facts("ALICE"), None, origin()).await;
        assert_eq!(refusal(made), Refusal::UserExists);
        let renamed = kit.core().update_user(&owner, "bob", facts("Alice"), origin()).await;
        assert_eq!(refusal(renamed), Refusal::UserExists);
        kit.core().update_user(&owner, "bob", facts("BOB"), origin()).await.unwrap();
        assert_eq!(kit.core().user(&owner, "bob", origin()).await.unwrap().user.name, "BOB");
    }

    async fn a_renamed_user_logs_on_under_his_new_name_with_what_he_has(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let new = UserFacts {
            display_name: "Alice B.".parse().unwrap(),
            comments: "moved".parse().unwrap(),
            email: Some("Alice@Example.com".parse().unwrap()),
            ..facts("alicia")
        };
        kit.core().update_user(&owner, "alice", new, origin()).await.unwrap();
        assert_eq!(refusal(kit.log_on(&alice).await), Refusal::WrongCredentials);
        let logon_name = countersign_testkit::people::ram_user_name("alicia", "acme");
        let alicia = Person { logon_name, name: "alicia".to_owned(), ..alice };
        kit.session_with(&alicia, &phone).await;
        let shown = kit.core().user(&owner, "alicia", origin()).await.unwrap();
        assert_eq!(shown.user.display_name.as_str(), "Alice B.");
        assert_eq!(shown.user.comments.as_str(), "moved");
        assert_eq!(shown.user.email.unwrap().as_str(), "Alice@Example.com");
    }

    async fn renaming_several_to_one_name_at_once_succeeds_once(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        for number in 0..8 {
            kit.core().create_user(&owner, facts(&format!("user{number}")), None, origin()).await.unwrap();
        }
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let owner = owner.clone();
                tokio::spawn(async move {
                    core.update_user(&owner, &format!("user{number}"), facts("chosen"), origin()).await
                })
            })
            .collect();
        let mut renamed = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => renamed += 1,
                Err(error) => assert_eq!(error.refusal(), Some(Refusal::UserExists), "{error}"),
            }
        }
        assert_eq!(renamed, 1);
    }

    async fn making_one_user_several_times_at_once_succeeds_once(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let owner = owner.clone();
                tokio::spawn(async move { core.create_user(&owner, facts("alice"), Some(login()), origin()).await })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert_eq!(error.refusal(), Some(Refusal::UserExists), "{error}"),
            }
        }
        assert_eq!((made, kit.count("login_profiles").await), (1, 2));
    }

    async fn a_user_is_deleted_with_all_that_hangs_on_him_after_his_name_was_typed(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "Alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().attach_policy(&owner, "alice", SystemPolicy::AdministratorAccess, origin()).await.unwrap();
        for typed in ["", "alice", "bob", "Alice "] {
            let deleted = kit.core().delete_user(&owner, "alice", typed, origin()).await;
            if typed.trim() == "Alice" {
                deleted.unwrap();
            } else {
                assert_eq!(refusal(deleted), Refusal::NotConfirmed, "{typed}");
            }
        }
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.log_on(&alice).await), Refusal::WrongCredentials);
        for table in ["virtual_mfa", "user_policies", "binding_starts"] {
            assert_eq!(kit.count(table).await, 0, "{table}");
        }
        assert_eq!(refusal(kit.core().delete_user(&owner, "alice", "Alice", origin()).await), Refusal::UserNotFound);
    }

    async fn nobody_deletes_disables_or_demotes_himself(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        let visitor = kit.session(&rita).await;
        let ritas = &visitor.actor;
        let core = kit.core();
        let policy = SystemPolicy::AdministratorAccess;
        let off = LoginChange { console_logon: ConsoleLogon::Disabled, password: PasswordChange::Keep, ..login() };
        assert_eq!(refusal(core.delete_user(ritas, "rita", "rita", origin()).await), Refusal::Oneself);
        assert_eq!(refusal(core.change_login_profile(ritas, "RITA", off, origin()).await), Refusal::Oneself);
        assert_eq!(refusal(core.detach_policy(ritas, "rita", policy, origin()).await), Refusal::Oneself);
        assert_eq!(refusal(core.attach_policy(ritas, "rita", policy, origin()).await), Refusal::Oneself);
        assert_eq!(refusal(core.unlock_user(ritas, "rita", origin()).await), Refusal::Oneself);
        assert_eq!(refusal(core.start_binding_for(ritas, "rita", origin()).await), Refusal::Oneself);
        assert_eq!(refusal(core.unbind_for(ritas, "rita", origin()).await), Refusal::Oneself);
        assert!(core.user(ritas, "rita", origin()).await.unwrap().is_oneself);
        assert_eq!(core.session(&visitor.token).await.unwrap().role(), Role::Administrator);
        // The owner is no RAM user at all.
        assert_eq!(
            refusal(core.delete_user(ritas, "owner@acme.example", "owner@acme.example", origin()).await),
            Refusal::UserNotFound
        );
    }

    async fn attack_133_a_plain_user_may_nothing_to_others_and_learns_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        kit.bound_user(&acme, "bob").await;
        let alices = kit.session(&alice).await.actor;
        for name in ["alice", "bob", "nobody"] {
            for (what, tried) in everything_to(&kit, &alices, name).await {
                assert_eq!(refusal(tried), Refusal::NoPermission, "{what} {name}");
            }
        }
        let weak = LoginChange { password: PasswordChange::Custom("weak".into()), ..login() };
        let made = kit.core().create_user(&alices, facts("carol"), Some(weak), origin()).await;
        assert_eq!(refusal(made), Refusal::NoPermission, "who may not is not told what else is wrong");
    }

    async fn attack_133_nobody_reaches_into_another_account(kit: Kit) {
        let acme = kit.account("acme").await;
        let other = kit.account("other").await;
        kit.bound_user(&acme, "alice").await;
        let chief = kit.administrator(&other, "chief").await;
        for actor in [kit.owner_session(&other).await.actor, kit.session(&chief).await.actor] {
            for (what, tried) in everything_to(&kit, &actor, "alice").await {
                if matches!(what, "create" | "list" | "overview" | "settings") {
                    continue;
                }
                assert_eq!(refusal(tried), Refusal::UserNotFound, "{what}");
            }
            let (lines, total) = kit.core().list_users(&actor, all(), origin()).await.unwrap();
            assert!(total <= 2 && lines.iter().all(|line| line.name != "alice"));
            let overview = kit.core().overview(&actor, origin()).await.unwrap();
            assert!(overview.posture.protected == 0);
            assert!(overview.events.iter().all(|event| event.account_id == other.id));
        }
        assert_eq!(kit.count("virtual_mfa").await, 1);
    }

    async fn attack_133_rights_end_with_the_policy_and_begin_with_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        let ritas = kit.session(&rita).await;
        assert_eq!(ritas.actor.role(), Role::Administrator);
        let owner = kit.owner_session(&acme).await.actor;
        let (core, full, ram) = (kit.core(), SystemPolicy::AdministratorAccess, SystemPolicy::AliyunRamFullAccess);
        core.attach_policy(&owner, "rita", ram, origin()).await.unwrap();
        assert_eq!(refusal(core.attach_policy(&owner, "rita", ram, origin()).await), Refusal::UserPolicyExists);
        core.detach_policy(&owner, "rita", full, origin()).await.unwrap();
        core.list_users(&ritas.actor, all(), origin()).await.unwrap();
        core.detach_policy(&owner, "rita", ram, origin()).await.unwrap();
        // The very actor that was looked up before is refused now.
        assert_eq!(refusal(core.list_users(&ritas.actor, all(), origin()).await), Refusal::NoPermission);
        assert_eq!(core.session(&ritas.token).await.unwrap().role(), Role::User);
        core.attach_policy(&owner, "rita", full, origin()).await.unwrap();
        core.list_users(&ritas.actor, all(), origin()).await.unwrap();
    }

    async fn attack_133_an_administrator_who_is_demoted_meanwhile_does_nothing_more(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        kit.ram_user(&acme, "alice").await;
        let ritas = kit.session(&rita).await.actor;
        let demote = match kit.engine() {
            Engine::Sqlite => "DELETE FROM user_policies",
            // One statement that holds the account's row, as whoever demotes her does.
            Engine::Postgres => {
                "WITH demoted AS (DELETE FROM user_policies RETURNING 1) UPDATE accounts SET version = version + 1"
            }
        };
        let (core, actor) = (kit.core().clone(), ritas.clone());
        let deed =
            async move { core.attach_policy(&actor, "alice", SystemPolicy::AdministratorAccess, origin()).await };
        assert_eq!(refusal(kit.overtaken(demote, deed).await), Refusal::NoPermission);
        assert_eq!(kit.count("user_policies").await, 0);
        for deed in [true, false] {
            kit.sql(
                "INSERT INTO user_policies (account_id, principal_id, policy, attached_at) \
                     SELECT account_id, principal_id, 'AdministratorAccess', 0 FROM principals WHERE name = 'rita'",
                &[],
            )
            .await;
            let (core, actor) = (kit.core().clone(), ritas.clone());
            let deed = async move {
                if deed {
                    core.delete_user(&actor, "alice", "alice", origin()).await
                } else {
                    core.update_user(&actor, "alice", facts("alicia"), origin()).await
                }
            };
            assert_eq!(refusal(kit.overtaken(demote, deed).await), Refusal::NoPermission);
        }
        assert_eq!(kit.int("SELECT COUNT(*) FROM principals WHERE name = 'alice'", &[]).await, 1);
    }

    async fn an_administrator_unlocks_a_users_password_and_device(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let pending = kit.waiting(&alice, LogonState::SecondFactor).await;
        for _ in 0..5 {
            refusal(kit.core().logon_with_code(&pending, phone.wrong_code(&kit), origin()).await);
            refusal(kit.log_on_as(&alice.logon_name, "not the password").await);
        }
        assert_eq!(refusal(kit.log_on(&alice).await), Refusal::WrongCredentials);
        let code = phone.code(&kit);
        assert_eq!(reason(kit.core().logon_with_code(&pending, code, origin()).await), "factor_paused");
        let owner = kit.owner_session(&acme).await.actor;
        let shown = kit.core().user(&owner, "alice", origin()).await.unwrap();
        assert!(shown.password_budget.is_locked(shown.now) && shown.device_budget.is_locked(shown.now));
        let (lines, _) = kit.core().list_users(&owner, all(), origin()).await.unwrap();
        assert!(lines.iter().all(|line| line.password_budget.failures == 5 && line.device_budget.failures == 5));
        kit.core().unlock_user(&owner, "alice", origin()).await.unwrap();
        kit.session_with(&alice, &phone).await;
    }

    async fn the_overview_counts_what_there_is(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_user(&acme, "alice").await;
        kit.ram_user_with(&acme, "bob", Some(login_with_mfa())).await;
        let carol = kit.ram_user(&acme, "carol").await;
        kit.session(&carol).await;
        kit.ram_user_with(&acme, "dave", None).await;
        kit.administrator(&acme, "rita").await;
        let owner = kit.owner_session(&acme).await.actor;
        let overview = kit.core().overview(&owner, origin()).await.unwrap();
        let posture = overview.posture;
        assert_eq!((posture.users, posture.console_users, posture.protected), (5, 4, 1));
        assert_eq!((posture.required_unbound, posture.never_logged_on), (1, 3));
        assert_eq!(overview.administrators.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["rita"]);
        assert!(!overview.owner_protected);
        assert_eq!(overview.events.len(), 10);
        kit.bound_owner(&acme).await;
        assert!(kit.core().overview(&owner, origin()).await.is_err(), "that session has ended");
    }

    async fn a_user_changes_his_own_password_where_the_account_allows_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (one, two) = (kit.session(&alice).await, kit.session(&alice).await);
        let change = async |old: &'static str, new: &'static str| {
            kit.core().change_own_password(&one.actor, old.into(), new.into(), origin()).await
        };
        assert_eq!(refusal(change("wrong", "another long phrase").await), Refusal::OldPasswordIncorrect);
        assert_eq!(refusal(change(USER_PASSWORD, USER_PASSWORD).await), Refusal::PasswordUnchanged);
        assert_eq!(refusal(change(USER_PASSWORD, "weak").await), Refusal::PasswordTooWeak);
        let token = change(USER_PASSWORD, "another long phrase").await.unwrap();
        assert_eq!(refusal(kit.core().session(&one.token).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.core().session(&two.token).await), Refusal::NotLoggedOn);
        kit.visitor(token).await;
        assert_eq!(refusal(kit.log_on(&alice).await), Refusal::WrongCredentials);
        kit.session(&Person { password: "another long phrase".to_owned(), ..alice }).await;
    }

    async fn a_password_changed_from_two_sessions_at_once_is_changed_once(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let visitors = [kit.session(&alice).await, kit.session(&alice).await];
        let new = ["another long phrase", "a third long phrase"];
        let tasks: Vec<_> = (0..2)
            .map(|number| {
                let core = if number == 0 { kit.core().clone() } else { second.clone() };
                let (actor, old) = (visitors[number].actor.clone(), alice.secret());
                tokio::spawn(async move { core.change_own_password(&actor, old, new[number].into(), origin()).await })
            })
            .collect();
        let mut changed = Vec::new();
        for (task, new) in tasks.into_iter().zip(new) {
            match task.await.unwrap() {
                Ok(token) => changed.push((token, new)),
                Err(error) => assert_eq!(error.refusal(), Some(Refusal::NotLoggedOn), "{error}"),
            }
        }
        let [(token, new)] = changed.as_slice() else { panic!("{changed:?}") };
        kit.visitor(token.clone()).await;
        kit.session(&Person { password: (*new).to_owned(), ..alice }).await;
    }
}

fn all() -> UsersQuery {
    UsersQuery { search: String::new(), mfa: MfaFilter::Any, offset: 0, limit: 100 }
}

/// The names that a search finds; their number is the total that it tells.
async fn found(kit: &Kit, actor: &SessionActor, search: &str, mfa: MfaFilter) -> Vec<String> {
    let query = UsersQuery { search: search.to_owned(), mfa, ..all() };
    let (lines, total) = kit.core().list_users(actor, query, origin()).await.unwrap();
    assert_eq!(i64::try_from(lines.len()).unwrap(), total, "{search:?}");
    lines.into_iter().map(|line| line.name).collect()
}

/// What comes of everything that an administrator can do to a user or see of one.
async fn everything_to(kit: &Kit, actor: &SessionActor, name: &str) -> Vec<(&'static str, Result<(), Error>)> {
    let core = kit.core();
    let (from, policy) = (origin(), SystemPolicy::AdministratorAccess);
    let renamed = UserFacts { name: UserName::parse("renamed").unwrap(), ..facts("x") };
    let typed = one_code("123456".to_owned());
    vec![
        ("list", core.list_users(actor, all(), from).await.map(drop)),
        ("overview", core.overview(actor, from).await.map(drop)),
        ("settings", core.settings(actor, from).await.map(drop)),
        ("create", core.create_user(actor, facts("created"), Some(login()), from).await.map(drop)),
        ("see", core.user(actor, name, from).await.map(drop)),
        ("update", core.update_user(actor, name, renamed, from).await),
        ("profile", core.change_login_profile(actor, name, login(), from).await.map(drop)),
        ("start binding", core.start_binding_for(actor, name, from).await),
        ("see binding", core.binding_for(actor, name).await.map(drop)),
        ("confirm binding", core.confirm_binding_for(actor, name, typed, from).await),
        ("unbind", core.unbind_for(actor, name, from).await),
        ("unlock", core.unlock_user(actor, name, from).await),
        ("attach", core.attach_policy(actor, name, policy, from).await),
        ("detach", core.detach_policy(actor, name, policy, from).await),
        ("delete", core.delete_user(actor, name, name, from).await),
    ]
}
