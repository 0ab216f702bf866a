//! From a name to a session: the steps, their order, and what does not lead to a session.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on stops"
)]

use countersign_core::binding::TypedCodes;
use countersign_core::logon::LogonStep;
use countersign_core::sessions::Ending;
use countersign_core::settings::SettingsChange;
use countersign_core::users::{LoginChange, PasswordChange};
use countersign_core::{Countersign, Error, Refusal};
use countersign_model::logon::{LogonState, Method};
use countersign_model::names::LogonName;
use countersign_model::principal::{ConsoleLogon, PrincipalKind};
use countersign_model::settings::MfaForLogon;
use countersign_model::token::Token;
use countersign_testkit::people::{USER_PASSWORD, login, login_with_mfa, one_code, ram_user_name};
use countersign_testkit::{Kit, Person, Phone, both_engines, origin, reason, refusal};
use std::collections::BTreeSet;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

both_engines! {
    async fn a01_c02_c33_a_logon_takes_the_password_and_then_a_code(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (_, owners_phone) = kit.bound_owner(&acme).await;
        for (person, phone, kind) in
            [(&alice, phone, PrincipalKind::RamUser), (&acme.owner, owners_phone, PrincipalKind::Owner)]
        {
            let token = kit.core().begin_logon(person.logon_name.clone()).await.unwrap();
            let view = kit.core().logon(&token).await.unwrap();
            assert_eq!((view.state, view.kind), (LogonState::Password, kind));
            assert_eq!(view.name, person.logon_name.canonical());

            let step = kit.core().logon_with_password(&token, person.secret(), origin()).await.unwrap();
            let LogonStep::Ask { state: LogonState::SecondFactor, token } = step else { panic!("{step:?}") };
            assert_eq!(kit.core().logon(&token).await.unwrap().state, LogonState::SecondFactor);

            let step = kit.core().logon_with_code(&token, phone.code(&kit), origin()).await.unwrap();
            let visitor = kit.opened(step).await;
            assert_eq!(visitor.actor.session().session.methods, [Method::Password, Method::VirtualMfa]);
            assert!(visitor.actor.used_second_factor());
            assert_eq!(visitor.actor.session().name, person.name);
        }
        assert_eq!(kit.count("logons").await, 0, "a finished logon is gone");
    }

    async fn a02_a_stolen_password_alone_opens_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, _) = kit.bound_user(&acme, "alice").await;
        let (_, phone_of_another) = kit.bound_user(&acme, "bob").await;
        let sessions = kit.count("sessions").await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        assert_eq!(refusal(kit.core().session(&token).await), Refusal::NotLoggedOn);
        for guess in [phone_of_another.code(&kit), "000000".to_owned(), USER_PASSWORD.to_owned()] {
            assert_eq!(refusal(kit.core().logon_with_code(&token, guess, origin()).await), Refusal::WrongCode);
        }
        assert_eq!(kit.count("sessions").await, sessions);
    }

    async fn c08_c09_k08_required_user_gets_no_session_before_binding(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let sessions = kit.count("sessions").await;
        let token = kit.waiting(&alice, LogonState::Bind).await;
        assert_eq!(refusal(kit.core().logon_binding(&token).await), Refusal::BindingOver, "nothing was started");
        kit.core().start_logon_binding(&token, origin()).await.unwrap();
        let view = kit.core().logon_binding(&token).await.unwrap();
        assert_eq!((view.name.as_str(), view.label.as_str()), ("alice", "alice@acme.countersign.local"));
        let phone = Phone::scan(&view);
        let wrong = one_code(phone.wrong_code(&kit));
        assert_eq!(refusal(kit.core().confirm_logon_binding(&token, wrong, origin()).await), Refusal::WrongCode);
        assert_eq!(kit.count("sessions").await, sessions, "no session before a device is bound");

        let typed = one_code(phone.code(&kit));
        let step = kit.core().confirm_logon_binding(&token, typed.clone(), origin()).await.unwrap();
        let visitor = kit.opened(step).await;
        assert_eq!(visitor.actor.session().session.methods, [Method::Password, Method::VirtualMfa]);
        assert_eq!(refusal(kit.core().confirm_logon_binding(&token, typed, origin()).await), Refusal::LogonOver);
        kit.next_step();
        kit.session_with(&alice, &phone).await;
    }

    async fn k05_k06_k07_a_user_whom_mfa_is_required_of_later_binds_at_his_next_logon(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let before = kit.session(&alice).await;
        let owner = kit.owner_session(&acme).await.actor;
        let change = LoginChange { password: PasswordChange::Keep, ..login_with_mfa() };
        kit.core().change_login_profile(&owner, "alice", change, origin()).await.unwrap();
        assert_eq!(refusal(kit.core().session(&before.token).await), Refusal::NotLoggedOn);
        kit.waiting(&alice, LogonState::Bind).await;
    }

    async fn c26_v15_without_the_device_there_is_no_logon_and_no_way_to_bind_another(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, _) = kit.bound_user(&acme, "alice").await;
        for required in [false, true] {
            let owner = kit.owner_session(&acme).await.actor;
            let change = LoginChange { password: PasswordChange::Keep, mfa_required: required, ..login() };
            kit.core().change_login_profile(&owner, "alice", change, origin()).await.unwrap();
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            assert_eq!(refusal(kit.core().start_logon_binding(&token, origin()).await), Refusal::LogonOver);
        }
    }

    async fn c38_console_logon_is_a_switch(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let bob = kit.ram_user_with(&acme, "bob", None).await;
        assert_eq!(refusal(kit.log_on(&bob).await), Refusal::WrongCredentials, "no login profile");
        let pending = kit.waiting(&alice, LogonState::SecondFactor).await;
        let session = kit.session_with(&alice, &phone).await;

        let owner = kit.owner_session(&acme).await.actor;
        let off = LoginChange { console_logon: ConsoleLogon::Disabled, password: PasswordChange::Keep, ..login() };
        kit.core().change_login_profile(&owner, "alice", off, origin()).await.unwrap();
        let (refused, told) = kit.told(&acme.id, kit.log_on(&alice)).await;
        assert_eq!(refusal(refused), Refusal::WrongCredentials);
        assert_eq!(told, ["alice@acme ConsoleSignin refused console_logon_disabled"]);
        assert_eq!(refusal(kit.core().session(&session.token).await), Refusal::NotLoggedOn);
        let code = phone.code(&kit);
        assert_eq!(refusal(kit.core().logon_with_code(&pending, code, origin()).await), Refusal::LogonOver);

        let on = LoginChange { password: PasswordChange::Keep, ..login() };
        kit.core().change_login_profile(&owner, "alice", on, origin()).await.unwrap();
        kit.session_with(&alice, &phone).await;
    }

    async fn the_steps_come_in_one_order_second_factor_new_password_binding(kit: Kit) {
        let acme = kit.account("acme").await;
        let all_due = LoginChange { reset_required: true, ..login_with_mfa() };
        let alice = kit.ram_user_with(&acme, "alice", Some(all_due.clone())).await;
        let token = kit.waiting(&alice, LogonState::ChoosePassword).await;
        let chosen = "another long phrase";
        let step = kit.core().logon_with_new_password(&token, chosen.into(), origin()).await.unwrap();
        let LogonStep::Ask { state: LogonState::Bind, token } = step else { panic!("{step:?}") };
        kit.core().start_logon_binding(&token, origin()).await.unwrap();
        let phone = Phone::scan(&kit.core().logon_binding(&token).await.unwrap());
        let step = kit.core().confirm_logon_binding(&token, one_code(phone.code(&kit)), origin()).await.unwrap();
        kit.opened(step).await;
        kit.next_step();

        let alice = Person { password: chosen.to_owned(), ..alice };
        let owner = kit.owner_session(&acme).await.actor;
        let change = LoginChange { password: PasswordChange::Keep, ..all_due };
        kit.core().change_login_profile(&owner, "alice", change, origin()).await.unwrap();
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let step = kit.core().logon_with_code(&token, phone.code(&kit), origin()).await.unwrap();
        let LogonStep::Ask { state: LogonState::ChoosePassword, token } = step else { panic!("{step:?}") };
        let step = kit.core().logon_with_new_password(&token, "yet another phrase".into(), origin()).await.unwrap();
        let visitor = kit.opened(step).await;
        assert_eq!(visitor.actor.session().session.methods, [Method::Password, Method::VirtualMfa]);
    }

    async fn a_new_password_at_logon_is_neither_the_old_nor_a_weak_one(kit: Kit) {
        let acme = kit.account("acme").await;
        let due = LoginChange { reset_required: true, ..login() };
        let alice = kit.ram_user_with(&acme, "alice", Some(due)).await;
        let token = kit.waiting(&alice, LogonState::ChoosePassword).await;
        let choose =
            async |chosen: &'static str| kit.core().logon_with_new_password(&token, chosen.into(), origin()).await;
        assert_eq!(refusal(choose("").await), Refusal::PasswordTooWeak);
        assert_eq!(refusal(choose("alice in the house").await), Refusal::PasswordTooWeak);
        assert_eq!(refusal(choose(USER_PASSWORD).await), Refusal::PasswordUnchanged);
        assert_eq!(kit.core().logon(&token).await.unwrap().state, LogonState::ChoosePassword);
        let step = choose("another long phrase").await.unwrap();
        kit.opened(step).await;
        assert_eq!(refusal(kit.log_on(&alice).await), Refusal::WrongCredentials, "the old one is over");
        kit.session(&Person { password: "another long phrase".to_owned(), ..alice }).await;
    }

    async fn an_owner_without_device_is_urged_to_bind_one(kit: Kit) {
        let acme = kit.account("acme").await;
        let urged = |step: &LogonStep| match step {
            LogonStep::Open { urge_binding, .. } => *urge_binding,
            LogonStep::Ask { .. } => panic!("{step:?}"),
        };
        assert!(urged(&kit.log_on(&acme.owner).await.unwrap()));
        let alice = kit.ram_user(&acme, "alice").await;
        assert!(!urged(&kit.log_on(&alice).await.unwrap()));
        let (_, phone) = kit.bound_owner(&acme).await;
        let token = kit.waiting(&acme.owner, LogonState::SecondFactor).await;
        assert!(!urged(&kit.core().logon_with_code(&token, phone.code(&kit), origin()).await.unwrap()));
    }

    async fn a_logon_name_may_be_typed_with_the_alias_or_the_id_in_any_case(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "Alice.B").await;
        for typed in [
            "alice.b@acme".to_owned(),
            " ALICE.B@ACME.Countersign.Local ".to_owned(),
            format!("Alice.b@{}", acme.id),
            format!("alice.B@{}.countersign.local", acme.id),
        ] {
            let name = LogonName::ram_user(&typed, "countersign.local").unwrap();
            let step = kit.log_on_as(&name, &alice.password).await.unwrap();
            assert_eq!(kit.opened(step).await.actor.session().name, "Alice.B", "{typed}");
        }
        let owner = LogonName::owner(" OWNER@acme.EXAMPLE").unwrap();
        kit.log_on_as(&owner, &acme.owner.password).await.unwrap();
    }

    async fn attack_001_a_used_code_is_refused_from_the_same_and_from_another_browser(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (first, second) = two_logons(&kit, &alice).await;
        let code = phone.code(&kit);
        kit.core().logon_with_code(&first, code.clone(), origin()).await.unwrap();
        let same = kit.core().logon_with_code(&first, code.clone(), origin()).await;
        assert_eq!(refusal(same), Refusal::LogonOver);
        let replay = kit.core().logon_with_code(&second, code, origin());
        let (refused, told) = kit.told(&acme.id, replay).await;
        assert_eq!(refusal(refused), Refusal::WrongCode);
        assert_eq!(told, ["alice@acme ConsoleSignin refused otp_replay"]);
        assert_eq!(kit.count("sessions").await, sessions_of_helpers(&kit, &alice).await + 1);
    }

    async fn attack_002_parallel_submissions_succeed_once(kit: Kit) {
        race_of_64(&kit, &[kit.core().clone()]).await;
    }

    async fn attack_003_parallel_submissions_to_two_processes_succeed_once(mut kit: Kit) {
        let second = kit.second_node().await;
        race_of_64(&kit, &[kit.core().clone(), second]).await;
    }

    async fn attack_006_only_steps_after_the_last_accepted_one_count(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let try_code = async |code: String| {
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            kit.core().logon_with_code(&token, code, origin()).await
        };
        kit.next_step();
        let (before, now) = (phone.code_at(&kit, -1), phone.code(&kit));
        try_code(now.clone()).await.unwrap();
        assert_eq!(reason(try_code(before).await), "otp_replay");
        kit.next_step();
        assert_eq!(reason(try_code(now).await), "otp_replay");
        // The step ahead first, then the present one.
        let (present, ahead) = (phone.code(&kit), phone.code_at(&kit, 1));
        try_code(ahead).await.unwrap();
        assert_eq!(reason(try_code(present).await), "otp_replay");
        kit.next_step();
        kit.next_step();
        try_code(phone.code(&kit)).await.unwrap();
    }

    async fn v03_a_code_lives_its_step_and_one_to_either_side(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        kit.advance(Duration::from_mins(10));
        for (offset, accepted) in [(-2, false), (2, false), (-1, true), (0, true), (1, true)] {
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let tried = kit.core().logon_with_code(&token, phone.code_at(&kit, offset), origin()).await;
            assert_eq!(tried.is_ok(), accepted, "{offset}");
            // The device has learned a drift by the codes beside the present one; what it learned is not looked at here.
            kit.sql("UPDATE virtual_mfa SET drift = 0, last_step = 0", &[]).await;
        }
    }

    async fn attack_013_malformed_codes_are_counted_and_refused_like_wrong_ones(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let code = phone.code(&kit);
        let malformed = [
            String::new(),
            " ".to_owned(),
            "null".to_owned(),
            "true".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            "[\"000000\",\"000001\"]".to_owned(),
            "1".repeat(10_240),
            "12345".to_owned(),
            "1234567".to_owned(),
            "-12345".to_owned(),
            "0x1234".to_owned(),
            "12 34\0".to_owned(),
            "\u{202e}123456".to_owned(),
            format!("{code}{code}"),
            format!("{code}\n000000"),
        ];
        for typed in malformed {
            kit.sql("DELETE FROM budgets", &[]).await;
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let submit = kit.core().logon_with_code(&token, typed.clone(), origin());
            let (refused, told) = kit.told(&acme.id, submit).await;
            assert_eq!(refusal(refused), Refusal::WrongCode, "{typed:?}");
            assert_eq!(told, ["alice@acme ConsoleSignin refused code_malformed"], "{typed:?}");
            let failures = "SELECT failures FROM budgets WHERE kind = 'virtual-mfa'";
            assert_eq!(kit.int(failures, &[]).await, 1, "{typed:?}");
        }
    }

    async fn attack_013_malformed_passwords_are_refused_like_wrong_ones(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        for typed in ["", "\0", "a\0b", " ", &"x".repeat(10_240), &format!("{USER_PASSWORD}\0"), "\u{7}"] {
            kit.sql("DELETE FROM budgets", &[]).await;
            let refused = kit.log_on_as(&alice.logon_name, typed).await;
            assert_eq!(refusal(refused), Refusal::WrongCredentials, "{typed:?}");
            assert_eq!(kit.int("SELECT failures FROM budgets", &[]).await, 1, "{typed:?}");
        }
    }

    async fn v02_a_code_may_be_typed_in_two_groups_or_with_wide_digits(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        for write in [
            |code: &str| format!("{} {}", &code[..3], &code[3..]),
            |code: &str| code.chars().map(|c| char::from_u32(u32::from(c) - 0x30 + 0xff10).unwrap()).collect(),
        ] {
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            kit.core().logon_with_code(&token, write(&phone.code(&kit)), origin()).await.unwrap();
            kit.next_step();
        }
    }

    async fn attack_035_a_pending_logon_is_no_session_in_any_state(kit: Kit) {
        for (token, state) in in_every_state(&kit).await {
            assert_eq!(kit.core().logon(&token).await.unwrap().state, state);
            // Every other use-case takes the actor that only this one gives.
            assert_eq!(refusal(kit.core().session(&token).await), Refusal::NotLoggedOn, "{state}");
        }
    }

    async fn attack_036_what_is_not_the_turn_of_a_logon_changes_nothing(kit: Kit) {
        let states = in_every_state(&kit).await;
        for (token, state) in &states {
            for (step, tried) in every_step(kit.core(), token).await {
                if step != *state {
                    assert_eq!(refusal(tried), Refusal::LogonOver, "{step} in {state}");
                }
                assert_eq!(kit.core().logon(token).await.unwrap().state, *state, "{step} in {state}");
            }
        }
        // A try out of turn is not booked; of those in turn were two: an empty password and an empty code. No binding was
        // started that an empty code could be for.
        let booked = "SELECT CAST(SUM(failures) AS BIGINT) FROM budgets";
        assert_eq!(kit.int(booked, &[]).await, 2);
    }

    async fn attack_036_a_passed_step_cannot_be_taken_again(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let first = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        let step = kit.core().logon_with_password(&first, alice.secret(), origin()).await.unwrap();
        let LogonStep::Ask { token: second, .. } = step else { panic!("{step:?}") };
        let again = kit.core().logon_with_password(&first, alice.secret(), origin()).await;
        assert_eq!(refusal(again), Refusal::LogonOver);
        assert_eq!(refusal(kit.core().logon(&first).await), Refusal::LogonOver);
        kit.core().logon_with_code(&second, phone.code(&kit), origin()).await.unwrap();
        kit.next_step();
        let again = kit.core().logon_with_code(&second, phone.code(&kit), origin()).await;
        assert_eq!(refusal(again), Refusal::LogonOver);
    }

    async fn attack_038_a_pending_logon_dies_when_password_factor_or_profile_change(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let finish = async |token: &Token| refusal(kit.core().logon_with_code(token, phone.code(&kit), origin()).await);
        // Alice changes her password.
        let pending = kit.waiting(&alice, LogonState::SecondFactor).await;
        let session = kit.session_with(&alice, &phone).await;
        let new = "another long phrase";
        let token = kit.change_password(&session, &phone, &alice.password, new).await;
        assert_eq!(finish(&pending).await, Refusal::LogonOver);
        let alice = Person { password: new.to_owned(), ..alice };

        // Alice replaces her device.
        let pending = kit.waiting(&alice, LogonState::SecondFactor).await;
        let session = kit.visitor(token).await;
        kit.core().start_own_binding(&session.actor, alice.secret(), origin()).await.unwrap();
        let new_phone = Phone::scan(&kit.core().own_binding(&session.actor).await.unwrap());
        let typed = TypedCodes { of_replaced: phone.code(&kit), ..one_code(new_phone.code(&kit)) };
        kit.core().confirm_own_binding(&session.actor, typed, origin()).await.unwrap();
        kit.next_step();
        assert_eq!(finish(&pending).await, Refusal::LogonOver);

        // An administrator unbinds it.
        let pending = kit.waiting(&alice, LogonState::SecondFactor).await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().unbind_for(&owner, "alice", origin()).await.unwrap();
        assert_eq!(finish(&pending).await, Refusal::LogonOver);

        // An administrator changes the profile while the password is about to be typed.
        let pending = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        let change = LoginChange { password: PasswordChange::Generate, ..login() };
        kit.core().change_login_profile(&owner, "alice", change, origin()).await.unwrap();
        let old = kit.core().logon_with_password(&pending, alice.secret(), origin()).await;
        assert_eq!(reason(old), "password_wrong");
    }

    /// Whatever an administrator does: who only typed a name learns nothing from it.
    async fn attack_122_a_logon_before_its_password_does_not_tell_that_the_name_exists(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let begun = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        let unknown = kit.core().begin_logon(ram_user_name("nobody", "acme")).await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().end_of(&owner, "alice", Ending::Sessions, origin()).await.unwrap();
        kit.core().change_login_profile(&owner, "alice", login(), origin()).await.unwrap();
        let mandatory = SettingsChange { mfa_for_logon: Some(MfaForLogon::Mandatory), ..SettingsChange::default() };
        kit.core().change_settings(&owner, mandatory, origin()).await.unwrap();
        for token in [&begun, &unknown] {
            assert_eq!(kit.core().logon(token).await.unwrap().state, LogonState::Password);
            let wrong = kit.core().logon_with_password(token, "not the password".into(), origin()).await;
            assert_eq!(refusal(wrong), Refusal::WrongCredentials);
        }
        // It goes on under the rules of now.
        let step = kit.core().logon_with_password(&begun, alice.secret(), origin()).await.unwrap();
        assert!(matches!(step, LogonStep::Ask { state: LogonState::Bind, .. }), "{step:?}");
    }

    async fn attack_038_a_deleted_users_pending_logon_opens_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let at_password = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        let at_code = kit.waiting(&alice, LogonState::SecondFactor).await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().delete_user(&owner, "alice", "alice", origin()).await.unwrap();
        // A new user of the same name inherits nothing.
        kit.bound_user(&acme, "alice").await;
        let password = kit.core().logon_with_password(&at_password, alice.secret(), origin()).await;
        assert_eq!(refusal(password), Refusal::WrongCredentials);
        let code = kit.core().logon_with_code(&at_code, phone.code(&kit), origin()).await;
        assert_eq!(refusal(code), Refusal::LogonOver);
    }

    async fn attack_039_a_cancelled_logon_cannot_be_finished(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        kit.core().cancel_logon(&token).await.unwrap();
        kit.core().cancel_logon(&token).await.unwrap();
        let code = phone.code(&kit);
        assert_eq!(refusal(kit.core().logon_with_code(&token, code, origin()).await), Refusal::LogonOver);
        assert_eq!(kit.count("logons").await, 0);
    }

    async fn attack_040_a_logon_lives_ten_minutes_and_holds_no_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let dump = kit.dump_of("logons").await;
        assert!(!dump.holds(alice.password.as_bytes()) && !dump.holds(b"$argon2") && !dump.holds(b"argon2id"));
        assert!(!dump.holds(token.expose().as_bytes()));

        kit.advance(Duration::from_secs(599));
        assert!(kit.core().logon(&token).await.is_ok());
        kit.advance(Duration::from_secs(1));
        assert_eq!(refusal(kit.core().logon(&token).await), Refusal::LogonOver);
        let code = phone.code(&kit);
        assert_eq!(refusal(kit.core().logon_with_code(&token, code, origin()).await), Refusal::LogonOver);
        // No step prolongs it.
        let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        kit.advance(MINUTE * 9);
        let step = kit.core().logon_with_password(&token, alice.secret(), origin()).await.unwrap();
        let LogonStep::Ask { token, .. } = step else { panic!("{step:?}") };
        kit.advance(MINUTE);
        let code = phone.code(&kit);
        assert_eq!(refusal(kit.core().logon_with_code(&token, code, origin()).await), Refusal::LogonOver);
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("logons").await, 0);
    }

    async fn attack_042_who_must_bind_first_can_do_nothing_else_and_bind_only_once(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let first = kit.waiting(&alice, LogonState::Bind).await;
        let second = kit.waiting(&alice, LogonState::Bind).await;
        for (step, tried) in every_step(kit.core(), &first).await {
            let expected = if step == LogonState::Bind { Refusal::BindingOver } else { Refusal::LogonOver };
            assert_eq!(refusal(tried), expected, "{step}");
        }
        // Both start; the later start counts, and when it is confirmed the other logon is over.
        kit.core().start_logon_binding(&first, origin()).await.unwrap();
        let stale = Phone::scan(&kit.core().logon_binding(&first).await.unwrap());
        kit.core().start_logon_binding(&second, origin()).await.unwrap();
        let phone = Phone::scan(&kit.core().logon_binding(&second).await.unwrap());
        assert_eq!(reason(kit.core().logon_binding(&first).await), "binding_started_elsewhere");
        let typed = one_code(stale.code(&kit));
        assert_eq!(
            reason(kit.core().confirm_logon_binding(&first, typed, origin()).await),
            "binding_started_elsewhere"
        );
        let typed = one_code(phone.code(&kit));
        kit.core().confirm_logon_binding(&second, typed, origin()).await.unwrap();
        assert_eq!(refusal(kit.core().start_logon_binding(&first, origin()).await), Refusal::LogonOver);
        assert_eq!(refusal(kit.core().logon_binding(&first).await), Refusal::LogonOver);
    }

    async fn attack_043_a_session_by_password_ends_when_mfa_becomes_required(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        assert!(second.session(&session.token).await.is_ok());
        let owner = kit.owner_session(&acme).await.actor;
        let change = LoginChange { password: PasswordChange::Keep, ..login_with_mfa() };
        kit.core().change_login_profile(&owner, "alice", change, origin()).await.unwrap();
        for node in [kit.core(), &second] {
            assert_eq!(refusal(node.session(&session.token).await), Refusal::NotLoggedOn);
            // Also where the session was looked up before the change.
            let password = node.change_own_password(&session.actor, alice.secret(), "a new phrase".into(), origin());
            assert_eq!(refusal(password.await), Refusal::NotLoggedOn);
        }
    }

    async fn attack_121_an_unknown_name_takes_the_same_statements_and_rows(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let names = [
            alice.logon_name.clone(),
            ram_user_name("nobody", "acme"),
            ram_user_name("alice", "nowhere"),
            acme.owner.logon_name.clone(),
            LogonName::owner("nobody@acme.example").unwrap(),
        ];
        let mut shapes = Vec::new();
        for name in names {
            // A restart forgets which statements ran.
            kit.restart().await;
            kit.sql("DELETE FROM budgets", &[]).await;
            kit.sql("DELETE FROM logons", &[]).await;
            let start: BTreeSet<_> = kit.store().executed().into_iter().collect();
            let written = kit.count("audit_events").await + kit.refusals_of_strangers().await;
            let mut rows = Vec::new();
            for _ in 0..7 {
                assert_eq!(refusal(kit.log_on_as(&name, "not the password").await), Refusal::WrongCredentials);
                let after = kit.count("audit_events").await + kit.refusals_of_strangers().await;
                rows.push((kit.rows("SELECT failures FROM budgets", &[]).await, after - written));
            }
            assert_eq!(kit.count("logons").await, 7);
            let ran: BTreeSet<_> = kit.store().executed().into_iter().collect();
            let of_logon = |sql: &&str| {
                let written_down = sql.contains("INTO audit_events") || sql.contains("INTO anonymous_refusals");
                // Who exists is told of a lock, after the answer.
                let told = sql.contains("INTO notices") || sql.contains("INTO outbox") || sql.contains("p.language");
                !told && !written_down && !start.contains(sql) && !sql.starts_with("SELECT COUNT") && !sql.contains("SUM(times)")
            };
            let kind = matches!(name, LogonName::Owner { .. });
            shapes.push((kind, ran.into_iter().filter(of_logon).collect::<BTreeSet<_>>(), rows));
        }
        for kind in [false, true] {
            let alike: Vec<_> = shapes.iter().filter(|shape| shape.0 == kind).collect();
            assert!(alike.windows(2).all(|pair| pair[0] == pair[1]), "{alike:#?}");
        }
    }

    async fn attack_122_unknown_disabled_locked_and_unprotected_users_get_one_answer(kit: Kit) {
        let acme = kit.account("acme").await;
        let plain = kit.ram_user(&acme, "plain").await;
        let (bound, _) = kit.bound_user(&acme, "bound").await;
        let off = LoginChange { console_logon: ConsoleLogon::Disabled, ..login() };
        let disabled = kit.ram_user_with(&acme, "disabled", Some(off)).await;
        let without = kit.ram_user_with(&acme, "without", None).await;
        let locked = kit.ram_user(&acme, "locked").await;
        for _ in 0..5 {
            refusal(kit.log_on_as(&locked.logon_name, "not the password").await);
        }
        let name = |person: &Person| person.logon_name.clone();
        let wrong = "not the password";
        let cases = [
            (name(&plain), wrong),
            (name(&bound), wrong),
            (name(&disabled), wrong),
            (name(&disabled), USER_PASSWORD),
            (name(&without), wrong),
            (name(&locked), wrong),
            (name(&locked), USER_PASSWORD),
            (ram_user_name("nobody", "acme"), wrong),
            (ram_user_name("nobody", "nowhere"), wrong),
            (LogonName::owner("nobody@acme.example").unwrap(), wrong),
            (name(&acme.owner), wrong),
        ];
        for (name, password) in cases {
            // attack 124: the state before the password is right tells nothing either.
            let token = kit.core().begin_logon(name.clone()).await.unwrap();
            let view = kit.core().logon(&token).await.unwrap();
            assert_eq!((view.state, view.name), (LogonState::Password, name.canonical()));
            let refused = kit.core().logon_with_password(&token, password.into(), origin()).await;
            assert_eq!(refusal(refused), Refusal::WrongCredentials, "{name:?}");
            assert_eq!(kit.core().logon(&token).await.unwrap().state, LogonState::Password, "{name:?}");
        }
    }

    async fn attack_124_factors_are_told_only_after_the_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, _) = kit.bound_user(&acme, "alice").await;
        let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        let code = kit.core().logon_with_code(&token, "123456".to_owned(), origin()).await;
        assert_eq!(refusal(code), Refusal::LogonOver);
        assert_eq!(refusal(kit.core().start_logon_binding(&token, origin()).await), Refusal::LogonOver);
        let wrong = kit.core().logon_with_password(&token, "not the password".into(), origin()).await;
        assert_eq!(refusal(wrong), Refusal::WrongCredentials);
        kit.core().logon_with_password(&token, alice.secret(), origin()).await.unwrap();
    }

    async fn a_password_is_hashed_anew_when_the_cost_has_changed(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let hash = "SELECT password_hash FROM login_profiles WHERE principal_id = \
                    (SELECT principal_id FROM principals WHERE name = 'alice')";
        let epoch = "SELECT epoch FROM principals WHERE name = 'alice'";
        let (old, before) = (kit.rows(hash, &[]).await, kit.int(epoch, &[]).await);
        let costly = countersign_core::hashing::HashParams { passes: 2, ..countersign_testkit::kit::CHEAP };
        let hasher = countersign_core::hashing::PasswordHasher::new(costly, 1 << 20).unwrap();
        let dearer = hasher.hash(&alice.secret(), [3; 16]).await.unwrap();
        let id = kit.rows("SELECT principal_id FROM principals WHERE name = 'alice'", &[]).await;
        let [row] = id.as_slice() else { panic!("{id:?}") };
        let [countersign_store::Value::Text(id)] = row.as_slice() else { panic!("{row:?}") };
        let update = "UPDATE login_profiles SET password_hash = $1 WHERE principal_id = $2";
        kit.sql(update, countersign_store::params![dearer, id]).await;
        kit.session(&alice).await;
        let renewed = kit.rows(hash, &[]).await;
        assert!(renewed != old && format!("{renewed:?}").contains("t=1"), "{renewed:?}");
        assert_eq!(kit.int(epoch, &[]).await, before, "a new hash of the same password ends nothing");
        kit.session(&alice).await;
    }
}

/// Two logons of one person that wait for a code.
async fn two_logons(kit: &Kit, person: &Person) -> (Token, Token) {
    (kit.waiting(person, LogonState::SecondFactor).await, kit.waiting(person, LogonState::SecondFactor).await)
}

/// The sessions of everybody else.
async fn sessions_of_helpers(kit: &Kit, person: &Person) -> i64 {
    let sql = "SELECT COUNT(*) FROM sessions s JOIN principals p ON p.principal_id = s.principal_id WHERE p.name <> $1";
    kit.int(sql, countersign_store::params![person.name]).await
}

/// Two logons of Alice, and 64 submissions of one code at once: half for each, spread over the processes.
async fn race_of_64(kit: &Kit, nodes: &[Countersign]) {
    let acme = kit.account("acme").await;
    let (alice, phone) = kit.bound_user(&acme, "alice").await;
    let (first, second) = two_logons(kit, &alice).await;
    let typed = phone.code(kit);
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let node = nodes[number % nodes.len()].clone();
            let token = if number / 2 % 2 == 0 { first.clone() } else { second.clone() };
            let code = typed.clone();
            tokio::spawn(async move { node.logon_with_code(&token, code, origin()).await })
        })
        .collect();
    let mut opened = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(LogonStep::Open { .. }) => opened += 1,
            Err(Error::Refused { refusal: Refusal::WrongCode | Refusal::LogonOver, .. }) => {}
            other => panic!("neither a session nor the plain refusal: {other:?}"),
        }
    }
    assert_eq!(opened, 1);
    assert_eq!(kit.count("sessions").await, sessions_of_helpers(kit, &alice).await + 1);
}

/// A logon in each of the states, each of another person.
async fn in_every_state(kit: &Kit) -> Vec<(Token, LogonState)> {
    let acme = kit.account("acme").await;
    let plain = kit.ram_user(&acme, "plain").await;
    let (bound, _) = kit.bound_user(&acme, "bound").await;
    let due = LoginChange { reset_required: true, ..login() };
    let due = kit.ram_user_with(&acme, "due", Some(due)).await;
    let required = kit.ram_user_with(&acme, "required", Some(login_with_mfa())).await;
    vec![
        (kit.core().begin_logon(plain.logon_name).await.unwrap(), LogonState::Password),
        (kit.waiting(&bound, LogonState::SecondFactor).await, LogonState::SecondFactor),
        (kit.waiting(&due, LogonState::ChoosePassword).await, LogonState::ChoosePassword),
        (kit.waiting(&required, LogonState::Bind).await, LogonState::Bind),
    ]
}

/// What comes of an empty form of each step.
async fn every_step(core: &Countersign, token: &Token) -> Vec<(LogonState, Result<(), Error>)> {
    vec![
        (LogonState::Password, core.logon_with_password(token, "".into(), origin()).await.map(drop)),
        (LogonState::SecondFactor, core.logon_with_code(token, String::new(), origin()).await.map(drop)),
        (LogonState::ChoosePassword, core.logon_with_new_password(token, "".into(), origin()).await.map(drop)),
        (LogonState::Bind, core.confirm_logon_binding(token, TypedCodes::default(), origin()).await.map(drop)),
    ]
}
