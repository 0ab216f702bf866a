//! How often passwords and codes may be tried: five failures, then a pause that doubles, then the end; one count for all
//! doors, nodes and restarts.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_core::binding::TypedCodes;
use countersign_core::logon::LogonStep;
use countersign_core::settings::{PolicyChange, SettingsChange};
use countersign_core::{Countersign, Error, Origin, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::token::Token;
use countersign_store::params;
use countersign_testkit::people::{USER_PASSWORD, login_with_mfa, one_code, ram_user_name};
use countersign_testkit::{Account, Kit, Person, Phone, both_engines, origin, reason, refusal};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

both_engines! {
    async fn attack_017_wrong_codes_in_one_logon_stop_at_the_budget(kit: Kit) {
        let (acme, alice, phone) = alice_and_her_phone(&kit).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let before = kit.events(&acme.id).await.len();
        for code in phone.wrong_codes(&kit).take(500) {
            assert_eq!(refusal(kit.core().logon_with_code(&token, code, origin()).await), Refusal::WrongCode);
        }
        assert_eq!(judged(&kit, &acme).await, 5);
        // Whoever goes on without an end does not fill the log.
        assert_eq!(kit.events(&acme.id).await.len() - before, 5);
        assert_eq!(kit.refusals_of_strangers().await, 495);
        let code = phone.code(&kit);
        assert_eq!(reason(kit.core().logon_with_code(&token, code, origin()).await), "factor_paused");
        kit.advance(SECOND * 30);
        kit.core().logon_with_code(&token, phone.code(&kit), origin()).await.unwrap();
    }

    async fn attack_018_a_new_logon_after_every_try_has_the_same_budget(kit: Kit) {
        let (acme, alice, phone) = alice_and_her_phone(&kit).await;
        for code in phone.wrong_codes(&kit).take(20) {
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            assert_eq!(refusal(kit.core().logon_with_code(&token, code, origin()).await), Refusal::WrongCode);
        }
        assert_eq!(judged(&kit, &acme).await, 5);
    }

    async fn attack_019_parallel_wrong_codes_over_two_processes_stop_at_the_budget(mut kit: Kit) {
        let second = kit.second_node().await;
        let (acme, alice, phone) = alice_and_her_phone(&kit).await;
        let tokens =
            [kit.waiting(&alice, LogonState::SecondFactor).await, kit.waiting(&alice, LogonState::SecondFactor).await];
        let tasks: Vec<_> = (0..200)
            .zip(phone.wrong_codes(&kit))
            .map(|(number, code)| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let token = tokens[number / 2 % 2].clone();
                tokio::spawn(async move { core.logon_with_code(&token, code, origin()).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(refusal(task.await.unwrap()), Refusal::WrongCode);
        }
        assert_eq!(judged(&kit, &acme).await, 5);
        let code = phone.code(&kit);
        assert_eq!(reason(second.logon_with_code(&tokens[0], code, origin()).await), "factor_paused");
    }

    async fn attack_019_parallel_wrong_passwords_over_two_processes_stop_at_the_budget(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        let tasks: Vec<_> = (0..60)
            .map(|number| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let (token, guess) = (token.clone(), format!("guess number {number}"));
                tokio::spawn(async move { core.logon_with_password(&token, guess.into(), origin()).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(refusal(task.await.unwrap()), Refusal::WrongCredentials);
        }
        let wrong = kit.events(&acme.id).await.iter().filter(|event| event.reason == "password_wrong").count();
        assert_eq!(wrong, 5);
        assert_eq!(refusal(kit.log_on(&alice).await), Refusal::WrongCredentials);
    }

    async fn attack_024_a_lock_outlives_a_restart_and_holds_on_every_node(mut kit: Kit) {
        let (_, alice, phone) = alice_and_her_phone(&kit).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        fail(kit.core(), &token, &phone, &kit, 5).await;
        let second = kit.second_node().await;
        let code = phone.code(&kit);
        assert_eq!(reason(second.logon_with_code(&token, code.clone(), origin()).await), "factor_paused");
        // A thousand other keys push nothing out.
        for number in 0..100 {
            let name = ram_user_name(&format!("nobody{number}"), "acme");
            refusal(kit.log_on_as(&name, "not the password").await);
        }
        kit.restart().await;
        assert_eq!(reason(kit.core().logon_with_code(&token, code, origin()).await), "factor_paused");
        // Sweeping forgets no lock.
        kit.advance(HOUR * 24 * 40);
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.int("SELECT failures FROM budgets WHERE kind = 'virtual-mfa'", &[]).await, 5);
        assert_eq!(kit.int("SELECT COUNT(*) FROM budgets WHERE kind = 'password' AND failures > 0", &[]).await, 0);
    }

    async fn attack_026_logon_unbinding_and_replacing_share_one_count(kit: Kit) {
        let (_, alice, phone) = alice_and_her_phone(&kit).await;
        let visitor = kit.session_with(&alice, &phone).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        kit.core().start_own_binding(&visitor.actor, alice.secret(), origin()).await.unwrap();
        let new = Phone::scan(&kit.core().own_binding(&visitor.actor).await.unwrap());
        let wrong = phone.wrong_code(&kit);
        let core = kit.core();
        for number in 0..5 {
            let refused = match number % 3 {
                0 => core.logon_with_code(&token, wrong.clone(), origin()).await.map(drop),
                1 => core.unbind_own(&visitor.actor, wrong.clone(), origin()).await.map(drop),
                _ => {
                    let typed = TypedCodes { of_replaced: wrong.clone(), ..one_code(new.code(&kit)) };
                    core.confirm_own_binding(&visitor.actor, typed, origin()).await.map(drop)
                }
            };
            assert_eq!(reason(refused), "code_wrong", "{number}");
        }
        let code = phone.code(&kit);
        assert_eq!(reason(core.logon_with_code(&token, code.clone(), origin()).await), "factor_paused");
        assert_eq!(reason(core.unbind_own(&visitor.actor, code.clone(), origin()).await), "factor_paused");
        let typed = TypedCodes { of_replaced: code, ..one_code(new.code(&kit)) };
        assert_eq!(reason(core.confirm_own_binding(&visitor.actor, typed, origin()).await), "factor_paused");
    }

    async fn attack_026_a_known_browser_has_one_count_for_logon_and_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let LogonStep::Open { token, given, .. } = kit.log_on(&alice).await.unwrap() else { panic!("no session") };
        let visitor = kit.visitor(token).await;
        let hers = Origin { browser: Some(given.browser), ..origin().clone() };
        let log_on = async |password: &str| {
            let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
            kit.core().logon_with_password(&token, password.to_owned().into(), &hers).await
        };
        for number in 0..5 {
            let refused = if number % 2 == 0 {
                log_on("not the password").await.map(drop)
            } else {
                kit.core().start_own_binding(&visitor.actor, "not the password".into(), &hers).await
            };
            assert_eq!(reason(refused), "password_wrong", "{number}");
        }
        let proof = kit.core().start_own_binding(&visitor.actor, alice.secret(), &hers).await;
        assert_eq!(reason(proof), "password_paused");
        let new = "another long phrase".into();
        let change = kit.core().change_own_password(&visitor.actor, alice.secret(), new, &hers).await;
        assert_eq!(refusal(change), Refusal::OldPasswordIncorrect);
        assert_eq!(reason(log_on(&alice.password).await), "password_paused");
        kit.advance(SECOND * 30);
        log_on(&alice.password).await.unwrap();
    }

    /// Strangers lock the name, not those who are logged on; and whoever has got hold of a session has a count as well.
    async fn a_session_has_tries_of_its_own_for_its_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (hers, stolen) = (kit.session(&alice).await, kit.session(&alice).await);
        for _ in 0..7 {
            kit.log_on_as(&alice.logon_name, "not the password").await.unwrap_err();
        }
        assert_eq!(reason(kit.log_on(&alice).await), "password_paused");
        for _ in 0..5 {
            let wrong = kit.core().start_own_binding(&stolen.actor, "not the password".into(), origin()).await;
            assert_eq!(reason(wrong), "password_wrong");
        }
        let right = kit.core().start_own_binding(&stolen.actor, alice.secret(), origin()).await;
        assert_eq!(reason(right), "password_paused");
        kit.core().start_own_binding(&hers.actor, alice.secret(), origin()).await.unwrap();
        // An administrator lifts all of it.
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().unlock_user(&owner, "alice", origin()).await.unwrap();
        kit.core().start_own_binding(&stolen.actor, alice.secret(), origin()).await.unwrap();
        kit.session(&alice).await;
    }

    async fn attack_027_a_hundred_failures_disable_the_device_which_stays_bound(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let phone = kit.bind_for(&acme, "alice").await;
        for _ in 0..100 {
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            fail(kit.core(), &token, &phone, &kit, 1).await;
            kit.advance(HOUR);
        }
        kit.advance(HOUR * 24 * 7);
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let code = phone.code(&kit);
        assert_eq!(reason(kit.core().logon_with_code(&token, code, origin()).await), "factor_disabled");
        assert_eq!(
            refusal(kit.core().start_logon_binding(&token, origin()).await),
            Refusal::LogonOver,
            "it counts as bound"
        );
        let owner = kit.owner_session(&acme).await.actor;
        let shown = kit.core().user(&owner, "alice", origin()).await.unwrap();
        assert!(shown.device.is_some() && shown.device_budget.is_disabled());
        kit.core().unlock_user(&owner, "alice", origin()).await.unwrap();
        kit.core().logon_with_code(&token, phone.code(&kit), origin()).await.unwrap();
    }

    async fn attack_029_after_a_lock_every_failure_locks_at_once_and_longer(kit: Kit) {
        let (_, alice, phone) = alice_and_her_phone(&kit).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        fail(kit.core(), &token, &phone, &kit, 5).await;
        for pause in [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
            kit.advance(SECOND * (pause - 1));
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let code = phone.code(&kit);
            assert_eq!(reason(kit.core().logon_with_code(&token, code, origin()).await), "factor_paused", "{pause}");
            kit.advance(SECOND);
            fail(kit.core(), &token, &phone, &kit, 1).await;
        }
        // A right code ends it, and there are five again.
        kit.advance(HOUR);
        kit.session_with(&alice, &phone).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        fail(kit.core(), &token, &phone, &kit, 4).await;
        kit.core().logon_with_code(&token, phone.code(&kit), origin()).await.unwrap();
    }

    async fn who_lacks_the_password_cannot_touch_the_second_factor(kit: Kit) {
        let (_, alice, phone) = alice_and_her_phone(&kit).await;
        let pending = kit.waiting(&alice, LogonState::SecondFactor).await;
        for _ in 0..20 {
            refusal(kit.log_on_as(&alice.logon_name, "not the password").await);
        }
        kit.core().logon_with_code(&pending, phone.code(&kit), origin()).await.unwrap();
        assert_eq!(reason(kit.log_on(&alice).await), "password_paused");
    }

    async fn a_right_password_clears_its_own_count_alone(kit: Kit) {
        let (_, alice, phone) = alice_and_her_phone(&kit).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        fail(kit.core(), &token, &phone, &kit, 4).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        fail(kit.core(), &token, &phone, &kit, 1).await;
        let code = phone.code(&kit);
        assert_eq!(reason(kit.core().logon_with_code(&token, code, origin()).await), "factor_paused");
        for _ in 0..4 {
            assert_eq!(reason(kit.log_on_as(&alice.logon_name, "not the password").await), "password_wrong");
        }
        kit.waiting(&alice, LogonState::SecondFactor).await;
        for _ in 0..4 {
            assert_eq!(reason(kit.log_on_as(&alice.logon_name, "not the password").await), "password_wrong");
        }
        kit.waiting(&alice, LogonState::SecondFactor).await;
    }

    async fn attack_122_an_unknown_name_locks_like_a_known_one(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut tries = Vec::new();
        for name in [alice.logon_name.clone(), ram_user_name("nobody", "acme"), ram_user_name("nobody", "nowhere")] {
            kit.sql("DELETE FROM budgets", &[]).await;
            let mut rows = Vec::new();
            for wait in [0, 0, 0, 0, 0, 0, 30, 0, 60, 120] {
                kit.advance(SECOND * wait);
                let now = countersign_model::Clock::now(kit.clock()).micros();
                assert_eq!(refusal(kit.log_on_as(&name, "not the password").await), Refusal::WrongCredentials);
                let pause =
                    "SELECT CASE WHEN blocked_until = 0 THEN 0 ELSE (blocked_until - $1) / 1000000 END FROM budgets";
                let pause = kit.int(pause, countersign_store::params![now]).await;
                rows.push((kit.int("SELECT failures FROM budgets", &[]).await, pause));
            }
            tries.push(rows);
        }
        assert!(tries.iter().all(|rows| *rows == tries[0]), "{tries:?}");
        // Also after the keys were rotated: the phantom comes from the oldest key.
        let rotated = countersign_testkit::kit::keys().with_next_version(|bytes| bytes.fill(9)).unwrap();
        kit.restart_with(rotated).await.unwrap();
        refusal(kit.log_on_as(&ram_user_name("nobody", "nowhere"), "not the password").await);
        assert_eq!(kit.count("budgets").await, 1);
    }

    async fn attack_122_an_unknown_name_has_one_count_by_alias_and_by_id(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        for name in ["alice", "nobody"] {
            kit.sql("DELETE FROM budgets", &[]).await;
            for account in ["acme", acme.id.as_str()] {
                refusal(kit.log_on_as(&ram_user_name(name, account), "not the password").await);
            }
            assert_eq!(kit.count("budgets").await, 1, "{name}");
            assert_eq!(kit.int("SELECT failures FROM budgets", &[]).await, 2, "{name}");
        }
    }

    async fn a_pending_device_is_counted_by_itself(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let visitor = kit.session(&alice).await;
        kit.core().start_own_binding(&visitor.actor, alice.secret(), origin()).await.unwrap();
        let phone = Phone::scan(&kit.core().own_binding(&visitor.actor).await.unwrap());
        for code in phone.wrong_codes(&kit).take(5) {
            let refused = kit.core().confirm_own_binding(&visitor.actor, one_code(code), origin()).await;
            assert_eq!(reason(refused), "code_wrong");
        }
        let typed = one_code(phone.code(&kit));
        let paused = kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await;
        assert_eq!(reason(paused), "factor_paused");
        kit.advance(SECOND * 30);
        let typed = one_code(phone.code(&kit));
        kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await.unwrap();
        kit.next_step();
        kit.session_with(&alice, &phone).await;
    }

    async fn too_many_hashes_at_once_are_unavailable_and_not_wrong(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut tokens: Vec<Token> = Vec::new();
        for _ in 0..200 {
            tokens.push(kit.core().begin_logon(alice.logon_name.clone()).await.unwrap());
        }
        let tasks: Vec<_> = tokens
            .into_iter()
            .map(|token| {
                let core = kit.core().clone();
                tokio::spawn(async move { core.logon_with_password(&token, USER_PASSWORD.into(), origin()).await })
            })
            .collect();
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) | Err(Error::Unavailable(_)) => {}
                // All of them were booked before the first was judged.
                other => assert_eq!(reason(other), "password_paused"),
            }
        }
    }
}

async fn alice_and_her_phone(kit: &Kit) -> (Account, Person, Phone) {
    let acme = kit.account("acme").await;
    let (alice, phone) = kit.bound_user(&acme, "alice").await;
    (acme, alice, phone)
}

/// How many codes were looked at and found wrong.
async fn judged(kit: &Kit, account: &Account) -> usize {
    kit.events(&account.id).await.iter().filter(|event| event.reason == "code_wrong").count()
}

/// Types wrong codes.
async fn fail(core: &Countersign, token: &Token, phone: &Phone, kit: &Kit, times: usize) {
    for code in phone.wrong_codes(kit).take(times) {
        assert_eq!(reason(core.logon_with_code(token, code, origin()).await), "code_wrong");
    }
}

both_engines! {
    async fn attack_031_one_password_over_many_names_is_stopped_by_network_and_by_all(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        let alice = kit.ram_user(&acme, "alice").await;
        let from = |address: String| Origin::new(address, "a sprayer");
        let spray = async |name: String, address: String| {
            let name = ram_user_name(&name, "acme");
            let token = kit.core().begin_logon(name).await.unwrap();
            kit.core().logon_with_password(&token, "Summer 2026 !".into(), &from(address)).await
        };
        // One network is not listened to after two hundred wrong passwords in an hour, over whatever names.
        for number in 0..201 {
            spray(format!("user{number}"), "2001:db8:1:1::5".to_owned()).await.unwrap_err();
        }
        let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        let here = from("2001:db8:1:1::99".to_owned());
        assert_eq!(reason(kit.core().logon_with_password(&token, alice.secret(), &here).await), "network_exhausted");
        // Others are.
        kit.session(&alice).await;
        // From two hundred addresses: the installation notices, and each has a small part of its tries left.
        let mut judged = 0;
        for number in 0..2_000 {
            let address = format!("198.51.{}.{}", number % 2, number % 100);
            judged += usize::from(reason(spray(format!("name{number}"), address).await) != "network_exhausted");
        }
        assert!(judged < 2_000, "{judged}");
        // Each account that is tried is told of it, once.
        let token = kit.core().begin_logon(other.owner.logon_name.clone()).await.unwrap();
        let elsewhere = from("203.0.113.9".to_owned());
        kit.core().logon_with_password(&token, "Summer 2026 !".into(), &elsewhere).await.unwrap_err();
        let findings = "SELECT COUNT(*) FROM findings WHERE kind = 'spraying' AND account_id = $1";
        for account in [&acme, &other] {
            assert_eq!(kit.int(findings, params![account.id]).await, 1);
        }
        // Somebody elsewhere still logs on, and after the hour everybody does.
        kit.session(&alice).await;
        kit.advance(Duration::from_hours(1));
        let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        kit.core().logon_with_password(&token, alice.secret(), &here).await.unwrap();
    }

    async fn attack_021_addresses_of_one_ipv6_customer_are_counted_together(kit: Kit) {
        let acme = kit.account("acme").await;
        for number in 0..201 {
            let name = ram_user_name(&format!("user{number}"), "acme");
            let token = kit.core().begin_logon(name).await.unwrap();
            let origin = Origin::new(format!("2001:db8:7:7::{number:x}"), "a sprayer");
            kit.core().logon_with_password(&token, "Summer 2026 !".into(), &origin).await.unwrap_err();
        }
        let owner = async |address: &str| {
            let token = kit.core().begin_logon(acme.owner.logon_name.clone()).await.unwrap();
            let origin = Origin::new(address.to_owned(), "a test");
            kit.core().logon_with_password(&token, acme.owner.secret(), &origin).await
        };
        assert_eq!(reason(owner("2001:db8:7:7:ffff::1").await), "network_exhausted");
        assert!(owner("2001:db8:7:8::1").await.is_ok());
    }

    async fn c32_the_password_policy_locks_for_an_hour(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let password = PolicyChange { max_logon_attempts: Some(3), ..PolicyChange::default() };
        let change = SettingsChange { password, ..SettingsChange::default() };
        kit.core().change_settings(&owner, change, origin()).await.unwrap();
        // A name that does not exist locks alike.
        for name in ["alice", "nobody"] {
            let name = ram_user_name(name, "acme");
            for _ in 0..3 {
                assert_ne!(reason(kit.log_on_as(&name, "not this one").await), "password_paused");
            }
            kit.advance(Duration::from_mins(59));
            assert_eq!(reason(kit.log_on_as(&name, "not this one").await), "password_paused");
            kit.advance(Duration::from_mins(1));
        }
        kit.session(&alice).await;
    }
}
