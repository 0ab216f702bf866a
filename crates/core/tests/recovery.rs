//! Recovery codes: made, used once, and followed by a new device.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_core::logon::LogonStep;
use countersign_core::{Error, Refusal};
use countersign_model::logon::{LogonState, Method};
use countersign_testkit::people::{expose, one_code};
use countersign_testkit::{Kit, Person, Phone, Visitor, both_engines, origin, reason, refusal};
use std::time::Duration;

/// The ten codes of somebody with a device, and his session.
async fn make(kit: &Kit, person: &Person, phone: &Phone) -> (Visitor, Vec<String>) {
    let visitor = kit.session_with(person, phone).await;
    let core = kit.core();
    let (_, made) = kit
        .proved(&visitor, &phone.code(kit), async |actor| core.make_own_recovery_codes(&actor, origin()).await)
        .await;
    kit.next_step();
    let made = made.unwrap();
    (kit.visitor(made.token).await, made.codes.iter().map(expose).collect())
}

async fn use_code(kit: &Kit, person: &Person, code: &str) -> Result<LogonStep, Error> {
    let token = kit.waiting(person, LogonState::SecondFactor).await;
    kit.core().logon_with_recovery_code(&token, code.to_owned(), origin()).await
}

both_engines! {
    async fn x13_attack_053_a_recovery_code_leads_to_a_new_device_and_nowhere_else(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, lost) = kit.bound_user(&acme, "alice").await;
        let (_, codes) = make(&kit, &alice, &lost).await;
        assert_eq!(codes.len(), 10);
        let step = use_code(&kit, &alice, &codes[0]).await.unwrap();
        let LogonStep::Ask { state: LogonState::Bind, token } = step else { panic!("{step:?}") };
        // Until the new device is bound there is no session, and the old one stays.
        let core = kit.core();
        core.start_logon_binding(&token, origin()).await.unwrap();
        let phone = Phone::scan(&core.logon_binding(&token).await.unwrap());
        let wrong = phone.wrong_codes(&kit).next().unwrap();
        assert_eq!(refusal(core.confirm_logon_binding(&token, one_code(wrong), origin()).await), Refusal::WrongCode);
        let step = core.confirm_logon_binding(&token, one_code(phone.code(&kit)), origin()).await.unwrap();
        kit.next_step();
        let visitor = kit.opened(step).await;
        assert_eq!(visitor.actor.session().session.methods, [Method::Password, Method::RecoveryCode]);
        // A logon by a recovery code proves nothing to sensitive operations.
        countersign_testkit::demand(core.make_own_recovery_codes(&visitor.actor, origin()).await);
        // The old device is gone, the new one works, nine codes are left.
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        assert_eq!(refusal(core.logon_with_code(&token, lost.code(&kit), origin()).await), Refusal::WrongCode);
        let visitor = kit.session_with(&alice, &phone).await;
        assert_eq!(core.own_security(&visitor.actor).await.unwrap().codes_left, 9);
    }

    async fn attack_049_a_used_code_is_refused_in_every_spelling(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (_, codes) = make(&kit, &alice, &phone).await;
        use_code(&kit, &alice, &codes[3]).await.unwrap();
        for again in [codes[3].clone(), codes[3].to_lowercase(), codes[3].replace('-', ""), codes[3].replace('-', " ")] {
            assert_eq!(reason(use_code(&kit, &alice, &again).await), "recovery_code_wrong", "{again}");
        }
        assert!(use_code(&kit, &alice, &codes[4].to_lowercase().replace('-', "")).await.is_ok());
    }

    async fn attack_050_codes_of_somebody_else_are_refused(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (bob, bobs_phone) = kit.bound_user(&acme, "bob").await;
        make(&kit, &alice, &phone).await;
        let (_, codes) = make(&kit, &bob, &bobs_phone).await;
        assert_eq!(reason(use_code(&kit, &alice, &codes[0]).await), "recovery_code_wrong");
        assert!(use_code(&kit, &bob, &codes[0]).await.is_ok());
    }

    async fn attack_051_old_codes_are_worthless_after_new_ones_or_another_device(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (_, old) = make(&kit, &alice, &phone).await;
        let (_, new) = make(&kit, &alice, &phone).await;
        assert_eq!(reason(use_code(&kit, &alice, &old[0]).await), "recovery_code_wrong");
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().unbind_for(&owner, "alice", origin()).await.unwrap();
        kit.bind_for(&acme, "alice").await;
        assert_eq!(reason(use_code(&kit, &alice, &new[0]).await), "recovery_code_wrong");
        // Without a device there are none to be had.
        let carol = kit.ram_user(&acme, "carol").await;
        let session = kit.session(&carol).await.actor;
        let demand = countersign_testkit::demand(kit.core().make_own_recovery_codes(&session, origin()).await);
        let token = kit.core().prove(&session, &demand.token, carol.secret(), origin()).await.unwrap();
        let proved = kit.visitor(token).await.actor.with_proof(demand.token);
        assert_eq!(refusal(kit.core().make_own_recovery_codes(&proved, origin()).await), Refusal::MfaNotBound);
    }

    async fn attack_012_sixty_four_logons_with_one_recovery_code_use_it_once(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (visitor, codes) = make(&kit, &alice, &phone).await;
        let mut tokens = Vec::new();
        for _ in 0..8 {
            tokens.push(kit.waiting(&alice, LogonState::SecondFactor).await);
        }
        let tasks: Vec<_> = (0..64)
            .map(|number| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let (token, code) = (tokens[number % 8].clone(), codes[0].clone());
                tokio::spawn(async move { core.logon_with_recovery_code(&token, code, origin()).await.is_ok() })
            })
            .collect();
        let mut used = 0;
        for task in tasks {
            used += usize::from(task.await.unwrap());
        }
        assert_eq!(used, 1);
        assert_eq!(kit.core().own_security(&visitor.actor).await.unwrap().codes_left, 9);
    }

    async fn attack_032_guesses_have_a_budget_of_their_own(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (_, codes) = make(&kit, &alice, &phone).await;
        for _ in 0..5 {
            assert_eq!(refusal(use_code(&kit, &alice, "AAAA-BBBB-CCCC-DDDD").await), Refusal::WrongCode);
        }
        assert_eq!(reason(use_code(&kit, &alice, &codes[0]).await), "factor_paused");
        // The device has its own count.
        kit.session_with(&alice, &phone).await;
        kit.advance(Duration::from_secs(30));
        assert!(use_code(&kit, &alice, &codes[0]).await.is_ok());
    }

    async fn x13_a_recovery_code_lets_in_past_a_disabled_device(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (_, codes) = make(&kit, &alice, &phone).await;
        for _ in 0..100 {
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            kit.core().logon_with_code(&token, "000000".to_owned(), origin()).await.unwrap_err();
            kit.advance(Duration::from_hours(1));
        }
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        assert_eq!(reason(kit.core().logon_with_code(&token, phone.code(&kit), origin()).await), "factor_disabled");
        let step = use_code(&kit, &alice, &codes[0]).await.unwrap();
        assert!(matches!(step, LogonStep::Ask { state: LogonState::Bind, .. }));
    }

    async fn attack_135_codes_are_stored_as_keyed_hashes_only(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (_, codes) = make(&kit, &alice, &phone).await;
        for table in ["recovery_codes", "audit_events", "notices"] {
            let dump = kit.dump_of(table).await;
            assert!(codes.iter().all(|code| !dump.holds(code.as_bytes()) && !dump.holds(code.replace('-', "").as_bytes())), "{table}");
        }
    }
}
