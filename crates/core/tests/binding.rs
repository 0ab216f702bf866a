//! Binding, replacing and unbinding a virtual MFA device: who may, which codes it takes, what becomes of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::binding::TypedCodes;
use countersign_core::settings::SettingsChange;
use countersign_core::users::{LoginChange, PasswordChange};
use countersign_core::{Countersign, Refusal, SessionActor};
use countersign_model::logon::LogonState;
use countersign_model::settings::BindingCodes;
use countersign_store::{Value, params};
use countersign_testkit::people::{OWNER_PASSWORD, expose, login, login_with_mfa, one_code};
use countersign_testkit::{Account, Kit, Person, Phone, Visitor, both_engines, origin, reason, refusal};
use std::time::Duration;

both_engines! {
    async fn a14_c06_x1_one_code_binds_and_is_spent(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        let phone = start(&kit, &alice, &session).await;
        let code = phone.code(&kit);
        kit.core().confirm_own_binding(&session.actor, one_code(code.clone()), origin()).await.unwrap();
        assert_eq!(reason(log_on_with(&kit, &alice, code).await), "otp_replay");
        let next = phone.code_at(&kit, 1);
        log_on_with(&kit, &alice, next).await.unwrap();
    }

    async fn a14_an_owner_binds_with_one_code(kit: Kit) {
        let acme = kit.account("acme").await;
        let (visitor, phone) = kit.bound_owner(&acme).await;
        let security = kit.core().own_security(&visitor.actor).await.unwrap();
        let serial = security.device.unwrap().serial_number;
        assert_eq!(serial, format!("acs:ram::{}:mfa/root-account-mfa-device", acme.id));
        kit.session_with(&acme.owner, &phone).await;
    }

    async fn x1_a_code_of_the_step_ahead_spends_that_step_and_all_before(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        let phone = start(&kit, &alice, &session).await;
        let (present, ahead) = (phone.code(&kit), phone.code_at(&kit, 1));
        kit.core().confirm_own_binding(&session.actor, one_code(ahead.clone()), origin()).await.unwrap();
        assert_eq!(reason(log_on_with(&kit, &alice, present).await), "otp_replay");
        assert_eq!(reason(log_on_with(&kit, &alice, ahead).await), "otp_replay");
        kit.next_step();
        kit.next_step();
        log_on_with(&kit, &alice, phone.code(&kit)).await.unwrap();
    }

    async fn v01_v02_the_key_has_160_bits_and_the_app_is_told_issuer_and_account(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        kit.core().start_own_binding(&session.actor, alice.secret(), origin()).await.unwrap();
        let view = kit.core().own_binding(&session.actor).await.unwrap();
        assert_eq!((view.issuer.as_str(), view.label.as_str()), ("Countersign", "alice@acme.countersign.local"));
        let key = expose(&view.key);
        assert_eq!(key.split(' ').map(str::len).collect::<Vec<_>>(), [4; 8]);
        assert!(expose(&view.qr_svg).contains("<svg") && !expose(&view.qr_svg).contains(&key.replace(' ', "")));
        assert!(!format!("{view:?}").contains(&key));
        assert_eq!(Phone::scan(&view).code(&kit).len(), 6);

        let owner = kit.owner_session(&acme).await;
        kit.core().start_own_binding(&owner.actor, OWNER_PASSWORD.into(), origin()).await.unwrap();
        let view = kit.core().own_binding(&owner.actor).await.unwrap();
        assert_eq!(view.label, "owner@acme.example");
        assert_ne!(expose(&view.key), key);
    }

    async fn v12_k10_two_consecutive_codes_bind_measure_the_drift_and_are_spent(kit: Kit) {
        let acme = with_two_codes(&kit).await;
        let alice = kit.ram_user(&acme, "alice").await;
        for ahead in [-9, -1, 0, 5, 10] {
            let owner = kit.owner_session(&acme).await.actor;
            kit.core().start_binding_for(&owner, "alice", origin()).await.unwrap();
            let view = kit.core().binding_for(&owner, "alice").await.unwrap();
            assert_eq!(view.codes, BindingCodes::Two);
            let phone = Phone::scan(&view);
            let typed = two(phone.code_at(&kit, ahead - 1), phone.code_at(&kit, ahead));
            kit.core().confirm_binding_for(&owner, "alice", typed.clone(), origin()).await.unwrap();
            assert_eq!(kit.int("SELECT drift FROM virtual_mfa", &[]).await, ahead, "{ahead}");
            for spent in [typed.first, typed.second] {
                assert_eq!(reason(log_on_with(&kit, &alice, spent).await), "otp_replay", "{ahead}");
            }
            kit.next_step();
            log_on_with(&kit, &alice, phone.code_at(&kit, ahead)).await.unwrap();
            kit.core().unbind_for(&owner, "alice", origin()).await.unwrap();
        }
    }

    async fn attack_016_two_codes_that_do_not_follow_each_other_bind_nothing(kit: Kit) {
        let acme = with_two_codes(&kit).await;
        let alice = kit.ram_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        for pair in [[0, 0], [0, 2], [1, 0], [-1, 1], [-12, -11], [11, 12]] {
            // A start makes a device with a budget of its own.
            kit.core().start_binding_for(&owner, "alice", origin()).await.unwrap();
            let phone = Phone::scan(&kit.core().binding_for(&owner, "alice").await.unwrap());
            let [first, second] = pair.map(|step| phone.code_at(&kit, step));
            let refused = kit.core().confirm_binding_for(&owner, "alice", two(first, second), origin()).await;
            assert_eq!(reason(refused), "codes_not_consecutive", "{pair:?}");
            let present = phone.code(&kit);
            let one = kit.core().confirm_binding_for(&owner, "alice", one_code(present), origin()).await;
            assert_eq!(reason(one), "code_malformed", "{pair:?}");
        }
        assert_eq!(kit.int("SELECT COUNT(*) FROM virtual_mfa WHERE state = 'bound'", &[]).await, 0);
        kit.session(&alice).await;
    }

    async fn c01_c04_c05_owner_and_administrator_bind_for_a_user(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        let by = [kit.owner_session(&acme).await.actor, kit.session(&rita).await.actor];
        for (actor, name) in by.iter().zip(["alice", "bob"]) {
            let person = kit.ram_user(&acme, name).await;
            let before = kit.session(&person).await;
            kit.core().start_binding_for(actor, name, origin()).await.unwrap();
            let phone = Phone::scan(&kit.core().binding_for(actor, name).await.unwrap());
            let wrong = one_code(phone.wrong_code(&kit));
            let refused = kit.core().confirm_binding_for(actor, name, wrong, origin()).await;
            assert_eq!(refusal(refused), Refusal::WrongCode);
            let typed = one_code(phone.code(&kit));
            kit.core().confirm_binding_for(actor, name, typed, origin()).await.unwrap();
            assert_eq!(refusal(kit.core().session(&before.token).await), Refusal::NotLoggedOn);
            kit.next_step();
            kit.session_with(&person, &phone).await;
            assert_eq!(refusal(kit.core().start_binding_for(actor, name, origin()).await), Refusal::MfaAlreadyBound);
        }
        kit.session(&acme.owner).await; // The owner's own logon is apart from theirs.
    }

    async fn c07_who_may_not_manage_his_device_neither_binds_nor_unbinds_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (bob, bobs_phone) = kit.bound_user(&acme, "bob").await;
        let alices = kit.session(&alice).await;
        let pending = start(&kit, &alice, &alices).await;
        let owner = kit.owner_session(&acme).await.actor;
        let forbid = SettingsChange { users_manage_mfa_devices: Some(false), ..SettingsChange::default() };
        kit.core().change_settings(&owner, forbid, origin()).await.unwrap();
        // What becomes stricter ends the sessions; they log on anew.
        assert_eq!(refusal(kit.core().own_binding(&alices.actor).await), Refusal::NotLoggedOn);
        let (alices, bobs) = (kit.session(&alice).await, kit.session_with(&bob, &bobs_phone).await);

        let core = kit.core();
        assert_eq!(
            refusal(core.start_own_binding(&alices.actor, alice.secret(), origin()).await),
            Refusal::NoPermission
        );
        assert_eq!(refusal(core.own_binding(&alices.actor).await), Refusal::NoPermission);
        let typed = one_code(pending.code(&kit));
        assert_eq!(refusal(core.confirm_own_binding(&alices.actor, typed, origin()).await), Refusal::NoPermission);
        let code = bobs_phone.code(&kit);
        assert_eq!(refusal(core.unbind_own(&bobs.actor, code, origin()).await), Refusal::NoPermission);
        let shown = core.own_security(&alices.actor).await.unwrap();
        assert!(!shown.may_manage_mfa && shown.may_change_password);

        // An administrator manages his own, and a logon that must bind still can.
        let rita = kit.administrator(&acme, "rita").await;
        let ritas = kit.session(&rita).await;
        kit.bind_own(&rita, &ritas).await;
        let carol = kit.ram_user_with(&acme, "carol", Some(login_with_mfa())).await;
        let token = kit.waiting(&carol, LogonState::Bind).await;
        core.start_logon_binding(&token, origin()).await.unwrap();
    }

    async fn c27_c28_an_administrator_unbinds_a_lost_device_and_the_user_binds_a_new_one(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let lost = kit.bind_for(&acme, "alice").await;
        let before = kit.session_with(&alice, &lost).await;
        let ritas = kit.session(&rita).await.actor;
        kit.core().unbind_for(&ritas, "alice", origin()).await.unwrap();
        assert_eq!(refusal(kit.core().session(&before.token).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.core().unbind_for(&ritas, "alice", origin()).await), Refusal::MfaNotBound);
        let token = kit.waiting(&alice, LogonState::Bind).await;
        kit.core().start_logon_binding(&token, origin()).await.unwrap();
        let phone = Phone::scan(&kit.core().logon_binding(&token).await.unwrap());
        let old = one_code(lost.code(&kit));
        assert_eq!(refusal(kit.core().confirm_logon_binding(&token, old, origin()).await), Refusal::WrongCode);
        let typed = one_code(phone.code(&kit));
        kit.core().confirm_logon_binding(&token, typed, origin()).await.unwrap();
        kit.next_step();
        kit.session_with(&alice, &phone).await;
    }

    async fn a17_a_current_code_unbinds_ones_own_device(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (visitor, other) = (kit.session_with(&alice, &phone).await, kit.session_with(&alice, &phone).await);
        let token = kit.core().unbind_own(&visitor.actor, phone.code(&kit), origin()).await.unwrap();
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.core().session(&other.token).await), Refusal::NotLoggedOn);
        let visitor = kit.visitor(token).await;
        assert!(kit.core().own_security(&visitor.actor).await.unwrap().device.is_none());
        let again = kit.core().unbind_own(&visitor.actor, phone.code_at(&kit, 1), origin()).await;
        assert_eq!(refusal(again), Refusal::MfaNotBound);
        kit.session(&alice).await;
    }

    async fn x8_a_required_device_is_replaced_in_one_step(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let old = kit.bind_for(&acme, "alice").await;
        let (visitor, other) = (kit.session_with(&alice, &old).await, kit.session_with(&alice, &old).await);
        let code = old.code(&kit);
        assert_eq!(refusal(kit.core().unbind_own(&visitor.actor, code, origin()).await), Refusal::MfaRequired);

        let new = start(&kit, &alice, &visitor).await;
        assert!(kit.core().own_binding(&visitor.actor).await.unwrap().replaces);
        let typed = TypedCodes { of_replaced: old.code(&kit), ..one_code(new.code(&kit)) };
        let token = kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await.unwrap();
        assert_eq!(refusal(kit.core().session(&other.token).await), Refusal::NotLoggedOn);
        assert!(kit.visitor(token).await.actor.used_second_factor(), "a session is worth what it was at its logon");
        kit.next_step();
        assert_eq!(refusal(log_on_with(&kit, &alice, old.code(&kit)).await), Refusal::WrongCode);
        log_on_with(&kit, &alice, new.code(&kit)).await.unwrap();
    }

    async fn x8_the_old_device_stays_when_either_code_is_wrong(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, old) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &old).await;
        let new = start(&kit, &alice, &visitor).await;
        let (old_code, new_code) = (old.code(&kit), new.code(&kit));
        let cases = [
            (new.wrong_code(&kit), old_code.clone()),
            (new_code.clone(), old.wrong_code(&kit)),
            (new_code.clone(), String::new()),
            (old_code.clone(), new_code.clone()),
        ];
        for (first, of_replaced) in cases {
            let typed = TypedCodes { of_replaced, ..one_code(first) };
            let refused = kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await;
            assert_eq!(refusal(refused), Refusal::WrongCode);
        }
        // Nothing was taken away, nothing was spent, and the same two codes still do it.
        assert_eq!(kit.count("virtual_mfa").await, 2);
        log_on_with(&kit, &alice, old_code.clone()).await.unwrap();
        kit.next_step();
        let typed = TypedCodes { of_replaced: old.code(&kit), ..one_code(new.code(&kit)) };
        kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await.unwrap();
        assert_eq!(kit.count("virtual_mfa").await, 1);
    }

    async fn attack_004_one_ledger_for_logon_unbinding_and_replacing(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let code = phone.code(&kit);
        log_on_with(&kit, &alice, code.clone()).await.unwrap();
        assert_eq!(reason(kit.core().unbind_own(&visitor.actor, code.clone(), origin()).await), "otp_replay");
        let new = start(&kit, &alice, &visitor).await;
        let typed = TypedCodes { of_replaced: code, ..one_code(new.code(&kit)) };
        assert_eq!(reason(kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await), "otp_replay");
        // The other way round: what was spent outside a logon logs nobody on. A replacement that is refused for the new
        // device's code does not get as far as spending the old one's.
        kit.next_step();
        let code = phone.code(&kit);
        let typed = TypedCodes { of_replaced: code.clone(), ..one_code(new.wrong_code(&kit)) };
        assert_eq!(reason(kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await), "code_wrong");
        log_on_with(&kit, &alice, code).await.unwrap();
    }

    async fn attack_063_a_device_is_not_unbound_without_its_own_code(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (_, bobs_phone) = kit.bound_user(&acme, "bob").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let pending = start(&kit, &alice, &visitor).await;
        for typed in [String::new(), bobs_phone.code(&kit), pending.code(&kit), phone.code_at(&kit, -2)] {
            let refused = kit.core().unbind_own(&visitor.actor, typed.clone(), origin()).await;
            assert_eq!(refusal(refused), Refusal::WrongCode, "{typed}");
        }
        let security = kit.core().own_security(&visitor.actor).await.unwrap();
        assert!(security.device.is_some());
    }

    async fn attack_065_an_unconfirmed_device_is_inert_and_starts_are_limited(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let mut newest = start(&kit, &alice, &visitor).await;
        // Two were started within the hour: the one of the bound device and this one.
        for number in 3..=200 {
            let started = kit.core().start_own_binding(&visitor.actor, alice.secret(), origin()).await;
            if number <= 20 {
                started.unwrap();
                newest = Phone::scan(&kit.core().own_binding(&visitor.actor).await.unwrap());
            } else {
                assert_eq!(refusal(started), Refusal::TooManyBindings, "{number}");
            }
        }
        assert_eq!(kit.count("virtual_mfa").await, 2, "the bound one and the latest start");
        assert_eq!(refusal(log_on_with(&kit, &alice, newest.code(&kit)).await), Refusal::WrongCode);
        log_on_with(&kit, &alice, phone.code(&kit)).await.unwrap();
        // Another principal has his own count, and an hour later there is room again.
        kit.bound_user(&acme, "bob").await;
        kit.advance(Duration::from_mins(59));
        let visitor = kit.session_with(&alice, &phone).await;
        start(&kit, &alice, &visitor).await;
    }

    async fn attack_065_starts_at_logon_are_limited_too(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        for number in 0..40 {
            let token = kit.waiting(&alice, LogonState::Bind).await;
            let started = kit.core().start_logon_binding(&token, origin()).await;
            assert_eq!(started.is_ok(), number < 20, "{number}: {started:?}");
        }
    }

    async fn attack_067_only_who_started_a_binding_sees_and_confirms_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let ritas = kit.session(&rita).await.actor;
        let (own, other) = (kit.session(&alice).await.actor, kit.session(&alice).await.actor);
        let phone = start_with(kit.core(), &own, &alice).await;
        let core = kit.core();
        assert_eq!(reason(core.own_binding(&other).await), "binding_started_elsewhere");
        let typed = one_code(phone.code(&kit));
        let elsewhere = core.confirm_own_binding(&other, typed.clone(), origin()).await;
        assert_eq!(reason(elsewhere), "binding_started_elsewhere");
        assert_eq!(reason(core.binding_for(&ritas, "alice").await), "binding_started_elsewhere");
        let elsewhere = core.confirm_binding_for(&ritas, "alice", typed.clone(), origin()).await;
        assert_eq!(reason(elsewhere), "binding_started_elsewhere");
        core.confirm_own_binding(&own, typed, origin()).await.unwrap();
    }

    async fn a_setup_key_is_shown_for_ten_minutes_while_it_is_pending(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let visitor = kit.session(&alice).await;
        let phone = start(&kit, &alice, &visitor).await;
        kit.advance(Duration::from_secs(599));
        kit.core().own_binding(&visitor.actor).await.unwrap();
        kit.advance(Duration::from_secs(1));
        assert_eq!(reason(kit.core().own_binding(&visitor.actor).await), "binding_expired");
        let typed = one_code(phone.code(&kit));
        assert_eq!(reason(kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await), "binding_expired");
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("virtual_mfa").await, 0);

        let (visitor, _) = kit.bind_own(&alice, &visitor).await;
        assert_eq!(reason(kit.core().own_binding(&visitor.actor).await), "no_pending_device", "bound: never again");
    }

    async fn attack_068_of_two_bindings_confirmed_at_once_one_stands(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let rita = kit.administrator(&acme, "rita").await;
        let ritas = kit.session(&rita).await.actor;
        let token = kit.waiting(&alice, LogonState::Bind).await;
        kit.core().start_logon_binding(&token, origin()).await.unwrap();
        let at_logon = Phone::scan(&kit.core().logon_binding(&token).await.unwrap());
        let (typed, code) = (one_code(at_logon.code(&kit)), at_logon.code_at(&kit, 1));
        let confirm = {
            let (core, typed) = (kit.core().clone(), typed.clone());
            tokio::spawn(async move { core.confirm_logon_binding(&token, typed, origin()).await.map(drop) })
        };
        // The administrator starts over the user's head, and tries to confirm with what the user's app shows.
        let over_his_head = tokio::spawn(async move {
            second.start_binding_for(&ritas, "alice", origin()).await?;
            second.confirm_binding_for(&ritas, "alice", typed, origin()).await
        });
        let (confirmed, over_his_head) = (confirm.await.unwrap(), over_his_head.await.unwrap());
        assert!(over_his_head.is_err());
        let bound = kit.int("SELECT COUNT(*) FROM virtual_mfa WHERE state = 'bound'", &[]).await;
        match confirmed {
            Ok(()) => {
                assert_eq!(bound, 1);
                log_on_with(&kit, &alice, code).await.unwrap();
            }
            Err(error) => {
                assert_eq!((error.refusal(), bound), (Some(Refusal::BindingOver), 0));
                kit.waiting(&alice, LogonState::Bind).await;
            }
        }
    }

    async fn attack_068_one_pending_device_confirmed_64_times_is_bound_once(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let visitor = kit.session(&alice).await;
        let phone = start(&kit, &alice, &visitor).await;
        let typed = one_code(phone.code(&kit));
        let tasks: Vec<_> = (0..64)
            .map(|number| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let (actor, typed) = (visitor.actor.clone(), typed.clone());
                tokio::spawn(async move { core.confirm_own_binding(&actor, typed, origin()).await })
            })
            .collect();
        let mut bound = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => bound += 1,
                // Whoever came later finds his session under a new secret.
                Err(error) => assert_eq!(error.refusal(), Some(Refusal::NotLoggedOn), "{error}"),
            }
        }
        assert_eq!(bound, 1);
        assert_eq!(kit.count("virtual_mfa").await, 1);
    }

    async fn attack_068_unbinding_and_logging_on_at_once_leave_no_half_state(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        for round in 0..8 {
            let name = format!("alice{round}");
            let (alice, phone) = kit.bound_user(&acme, &name).await;
            let visitor = kit.session_with(&alice, &phone).await;
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let code = phone.code(&kit);
            let (core, typed) = (kit.core().clone(), code.clone());
            let logon = tokio::spawn(async move { core.logon_with_code(&token, typed, origin()).await });
            let (core, actor) = (second.clone(), visitor.actor.clone());
            let unbind = tokio::spawn(async move { core.unbind_own(&actor, code, origin()).await });
            let (logon, unbind) = (logon.await.unwrap(), unbind.await.unwrap());
            // One code: it opens a session or it unbinds, not both.
            assert!(logon.is_ok() != unbind.is_ok(), "{logon:?} {unbind:?}");
            let refused = logon.map(drop).and(unbind.map(drop)).unwrap_err();
            let refused = refused.refusal().unwrap();
            assert!(matches!(refused, Refusal::WrongCode | Refusal::LogonOver), "{refused}");
        }
    }

    async fn attack_068_unbinding_by_an_administrator_and_logging_on_at_once(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        for round in 0..8 {
            let name = format!("alice{round}");
            let (alice, phone) = kit.bound_user(&acme, &name).await;
            let owner = kit.owner_session(&acme).await.actor;
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let (core, code) = (kit.core().clone(), phone.code(&kit));
            let logon = tokio::spawn(async move { core.logon_with_code(&token, code, origin()).await });
            let core = second.clone();
            let unbind = tokio::spawn(async move { core.unbind_for(&owner, &name, origin()).await });
            let (logon, unbind) = (logon.await.unwrap(), unbind.await.unwrap());
            unbind.unwrap();
            // If the logon came first, its session ended with the unbinding.
            let alive = "SELECT COUNT(*) FROM sessions s JOIN principals p ON p.principal_id = s.principal_id \
                         AND p.epoch = s.principal_epoch WHERE p.name = $1";
            assert_eq!(kit.int(alive, params![alice.name]).await, 0, "{logon:?}");
        }
    }

    async fn a_phone_that_runs_ahead_is_learned_step_by_step(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        kit.advance(Duration::from_mins(5));
        let drift = async || kit.int("SELECT drift FROM virtual_mfa", &[]).await;
        for (ahead, learned) in [(1, 1), (2, 2), (3, 2)] {
            log_on_with(&kit, &alice, phone.code_at(&kit, ahead)).await.unwrap();
            assert_eq!(drift().await, learned, "{ahead}");
            kit.advance(Duration::from_mins(5));
        }
        assert_eq!(reason(log_on_with(&kit, &alice, phone.code_at(&kit, 4)).await), "code_out_of_window");
        assert_eq!(reason(log_on_with(&kit, &alice, phone.code(&kit)).await), "code_out_of_window");
        log_on_with(&kit, &alice, phone.code_at(&kit, 1)).await.unwrap();
        assert_eq!(drift().await, 1);
    }

    async fn a_stolen_session_binds_nothing_without_the_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let visitor = kit.session(&alice).await;
        let refused = kit.core().start_own_binding(&visitor.actor, "not the password".into(), origin()).await;
        assert_eq!(refusal(refused), Refusal::OldPasswordIncorrect);
        assert_eq!(kit.count("virtual_mfa").await, 0);
    }

    async fn c07_permission_withdrawn_during_a_password_proof_counts(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login())).await;
        let visitor = kit.session(&alice).await;
        let owner = kit.owner_session(&acme).await.actor;
        let change = LoginChange { password: PasswordChange::Keep, ..login() };
        kit.core().change_login_profile(&owner, "alice", change, origin()).await.unwrap();
        let refused = kit.core().start_own_binding(&visitor.actor, alice.secret(), origin()).await;
        assert_eq!(refusal(refused), Refusal::NotLoggedOn, "the session found before the change is over");
    }

    async fn devices_of_one_person_never_share_a_row(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, old) = kit.bound_user(&acme, "alice").await;
        let id = async || kit.rows("SELECT device_id, sealed_seed FROM virtual_mfa WHERE state = 'bound'", &[]).await;
        let before = id().await;
        let visitor = kit.session_with(&alice, &old).await;
        let new = start(&kit, &alice, &visitor).await;
        let typed = TypedCodes { of_replaced: old.code(&kit), ..one_code(new.code(&kit)) };
        kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await.unwrap();
        let after = id().await;
        let [[Value::Text(old_id), old_seed], [Value::Text(new_id), new_seed]] =
            [&before, &after].map(|rows| <[Value; 2]>::try_from(rows.first().unwrap().clone()).unwrap())
        else {
            panic!("{before:?} {after:?}")
        };
        assert!(old_id != new_id && old_seed != new_seed);
    }
}

/// Starts a binding of one's own and scans it.
async fn start(kit: &Kit, person: &Person, visitor: &Visitor) -> Phone {
    start_with(kit.core(), &visitor.actor, person).await
}

async fn start_with(core: &Countersign, actor: &SessionActor, person: &Person) -> Phone {
    core.start_own_binding(actor, person.secret(), origin()).await.unwrap();
    Phone::scan(&core.own_binding(actor).await.unwrap())
}

/// A logon with a code, from its beginning.
async fn log_on_with(kit: &Kit, person: &Person, code: String) -> Result<Visitor, countersign_core::Error> {
    let token = kit.waiting(person, LogonState::SecondFactor).await;
    let step = kit.core().logon_with_code(&token, code, origin()).await?;
    Ok(kit.opened(step).await)
}

const fn two(first: String, second: String) -> TypedCodes {
    TypedCodes { first, second, of_replaced: String::new() }
}

/// An account where binding takes two codes.
async fn with_two_codes(kit: &Kit) -> Account {
    let acme = kit.account("acme").await;
    let owner = kit.owner_session(&acme).await.actor;
    let change = SettingsChange { binding_codes: Some(BindingCodes::Two), ..SettingsChange::default() };
    kit.core().change_settings(&owner, change, origin()).await.unwrap();
    acme
}
