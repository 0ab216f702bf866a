//! Ways around: past a lock, past a factor that fails, past the end of a session, past a restart.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::logon::LogonStep;
use countersign_core::operator::OwnerPassword;
use countersign_core::sessions::Ending;
use countersign_core::{Error, Refusal};
use countersign_model::logon::LogonState;
use countersign_testkit::people::{expose, facts, one_code};
use countersign_testkit::{Kit, Person, both_engines, origin, reason, refusal};

both_engines! {
    async fn attack_030_a_reset_password_does_not_lead_past_a_locked_device(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        for wrong in phone.wrong_codes(&kit).take(5) {
            kit.core().logon_with_code(&token, wrong, origin()).await.unwrap_err();
        }
        // A new password, a new logon: the device is locked as before.
        let owner = kit.owner_session(&acme).await.actor;
        let password = kit.core().reset_password(&owner, "alice", origin()).await.unwrap();
        let alice = Person { password: expose(&password), ..alice };
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        assert_eq!(reason(kit.core().logon_with_code(&token, phone.code(&kit), origin()).await), "factor_paused");
        let recovery = kit.core().logon_with_recovery_code(&token, "AAAA-BBBB-CCCC-DDDD".to_owned(), origin()).await;
        assert_eq!(refusal(recovery), Refusal::WrongCode);
    }

    async fn attack_030_the_operators_new_password_does_not_lead_past_the_owners_device(kit: Kit) {
        let acme = kit.account("acme").await;
        let (_, phone) = kit.bound_owner(&acme).await;
        for _ in 0..5 {
            let token = kit.waiting(&acme.owner, LogonState::SecondFactor).await;
            kit.core().logon_with_code(&token, "000000".to_owned(), origin()).await.unwrap_err();
        }
        let password = kit.core().reset_owner_password("acme", OwnerPassword::Generate).await.unwrap().unwrap();
        let owner = Person { password: expose(&password), ..acme.owner };
        let token = kit.waiting(&owner, LogonState::SecondFactor).await;
        assert_eq!(reason(kit.core().logon_with_code(&token, phone.code(&kit), origin()).await), "factor_paused");
    }

    async fn attack_033_five_hundred_logons_with_long_passwords_are_all_answered(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let tasks: Vec<_> = (0..500)
            .map(|number| {
                let (core, name) = (kit.core().clone(), countersign_testkit::people::ram_user_name(&format!("u{number}"), "acme"));
                tokio::spawn(async move {
                    let token = core.begin_logon(name).await?;
                    core.logon_with_password(&token, "x1y2".repeat(250).into(), origin()).await
                })
            })
            .collect();
        for task in tasks {
            match task.await.unwrap() {
                Err(Error::Refused { refusal: Refusal::WrongCredentials, .. } | Error::Unavailable(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        // From elsewhere one logs on.
        let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        let elsewhere = countersign_core::Origin::new("198.51.100.1".to_owned(), "a test");
        let step = kit.core().logon_with_password(&token, alice.secret(), &elsewhere).await.unwrap();
        assert!(matches!(step, LogonStep::Open { .. }));
    }

    async fn attack_048_a_verifier_that_breaks_lets_nobody_in(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        // Whatever a step needs is broken in turn: the stored hash, the sealed seed, the settings, the budget's table.
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        kit.sql("UPDATE virtual_mfa SET sealed_seed = $1", countersign_store::params![&[9_u8; 64]]).await;
        assert_eq!(refusal(kit.core().logon_with_code(&token, phone.code(&kit), origin()).await), Refusal::WrongCode);
        kit.sql("UPDATE login_profiles SET password_hash = 'no hash at all'", &[]).await;
        let broken = kit.log_on(&alice).await;
        assert!(matches!(broken, Err(Error::Fault(_) | Error::Refused { refusal: Refusal::WrongCredentials, .. })));
        kit.sql("UPDATE accounts SET settings = '{'", &[]).await;
        assert!(matches!(kit.log_on(&alice).await, Err(Error::Fault(_))));
        kit.sql("ALTER TABLE budgets RENAME TO budgets_gone", &[]).await;
        assert!(kit.log_on(&alice).await.is_err());
    }

    async fn attack_104_an_ended_session_is_gone_everywhere(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let owner = async || kit.owner_session(&acme).await.actor;
        for way in ["oneself", "administrator", "all", "log off", "row"] {
            let (kept, ended) = (kit.session(&alice).await, kit.session(&alice).await);
            assert!(second.session(&ended.token).await.is_ok());
            let id = ended.actor.session().session.id.clone();
            match way {
                "oneself" => kit.core().end_own(&kept.actor, Ending::Session(id), origin()).await.unwrap(),
                "administrator" => {
                    kit.core().end_of(&owner().await, "alice", Ending::Session(id), origin()).await.unwrap();
                }
                "all" => kit.core().end_own(&kept.actor, Ending::Sessions, origin()).await.unwrap(),
                "log off" => kit.core().log_off(&ended.actor, origin()).await.unwrap(),
                _ => {
                    kit.sql("DELETE FROM sessions WHERE session_id = $1", countersign_store::params![id]).await;
                }
            }
            for node in [kit.core(), &second] {
                assert_eq!(refusal(node.session(&ended.token).await), Refusal::NotLoggedOn, "{way}");
                assert!(node.session(&kept.token).await.is_ok(), "{way}");
            }
        }
    }

    async fn attack_111_a_session_without_the_factor_changes_no_factor(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        // A session by password alone, and a device bound in it: nothing about factors goes without the device's code.
        let visitor = kit.session(&alice).await;
        let (visitor, phone) = kit.bind_own(&alice, &visitor).await;
        assert!(!visitor.actor.used_second_factor());
        let core = kit.core();
        assert_eq!(refusal(core.unbind_own(&visitor.actor, "000000".to_owned(), origin()).await), Refusal::WrongCode);
        countersign_testkit::demand(core.make_own_recovery_codes(&visitor.actor, origin()).await);
        core.start_own_binding(&visitor.actor, alice.secret(), origin()).await.unwrap();
        let new = countersign_testkit::Phone::scan(&core.own_binding(&visitor.actor).await.unwrap());
        let typed = one_code(new.code(&kit));
        assert_eq!(refusal(core.confirm_own_binding(&visitor.actor, typed, origin()).await), Refusal::WrongCode);
        kit.session_with(&alice, &phone).await;
    }

    async fn attack_145_what_was_pending_at_a_restart_is_finished_properly_or_not_at_all(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let demand = countersign_testkit::demand(kit.core().make_own_recovery_codes(&visitor.actor, origin()).await);
        let pending = kit.waiting(&alice, LogonState::SecondFactor).await;
        let code = phone.code(&kit);
        kit.restart().await;
        // The ledgers are rows: what was not used is still good, once.
        let step = kit.core().logon_with_code(&pending, code.clone(), origin()).await.unwrap();
        kit.opened(step).await;
        assert_eq!(refusal(kit.core().logon_with_code(&pending, code.clone(), origin()).await), Refusal::LogonOver);
        let replay = kit.core().prove(&visitor.actor, &demand.token, code.into(), origin()).await;
        assert_eq!(refusal(replay), Refusal::WrongCode);
    }

    async fn attack_026_a_user_made_in_between_has_no_locks_of_his_phantom(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        for _ in 0..6 {
            let name = countersign_testkit::people::ram_user_name("newcomer", "acme");
            kit.log_on_as(&name, "not this one").await.unwrap_err();
        }
        let login = Some(countersign_testkit::people::login());
        kit.core().create_user(&owner, facts("newcomer"), login, origin()).await.unwrap();
        let name = countersign_testkit::people::ram_user_name("newcomer", "acme");
        kit.log_on_as(&name, countersign_testkit::people::USER_PASSWORD).await.unwrap();
    }
}
