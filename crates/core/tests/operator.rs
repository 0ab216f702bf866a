//! The owner's way back, by the command line on the host.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::Refusal;
use countersign_core::operator::{OwnerPassword, Whom};
use countersign_model::logon::LogonState;
use countersign_testkit::people::expose;
use countersign_testkit::{Kit, Person, both_engines, origin, reason, refusal};

both_engines! {
    async fn c26_an_owner_whose_phone_is_lost_comes_back_by_the_command_line(kit: Kit) {
        let acme = kit.account("acme").await;
        let (visitor, lost) = kit.bound_owner(&acme).await;
        kit.waiting(&acme.owner, LogonState::SecondFactor).await;
        let (reset, told) = kit.told(&acme.id, kit.core().reset_owner_mfa("ACME ")).await;
        reset.unwrap();
        assert_eq!(told, ["operator ResetOwnerMFADevice owner@acme.example success"]);
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        let visitor = kit.session(&acme.owner).await;
        let (_, phone) = kit.bind_own(&acme.owner, &visitor).await;
        let token = kit.waiting(&acme.owner, LogonState::SecondFactor).await;
        let old = kit.core().logon_with_code(&token, lost.code(&kit), origin()).await;
        assert_eq!(refusal(old), Refusal::WrongCode);
        kit.session_with(&acme.owner, &phone).await;
    }

    async fn an_owner_whose_device_is_disabled_comes_back_too(kit: Kit) {
        let acme = kit.account("acme").await;
        let (_, phone) = kit.bound_owner(&acme).await;
        kit.sql("UPDATE budgets SET failures = 100 WHERE kind = 'virtual-mfa'", &[]).await;
        let token = kit.waiting(&acme.owner, LogonState::SecondFactor).await;
        let code = phone.code(&kit);
        assert_eq!(reason(kit.core().logon_with_code(&token, code, origin()).await), "factor_disabled");
        kit.core().reset_owner_mfa(acme.id.as_str()).await.unwrap();
        kit.session(&acme.owner).await;
        let (again, told) = kit.told(&acme.id, kit.core().reset_owner_mfa("acme")).await;
        assert_eq!(refusal(again), Refusal::MfaNotBound);
        assert_eq!(told, ["operator ResetOwnerMFADevice owner@acme.example refused EntityNotExist.User.MFADevice"]);
    }

    async fn an_owner_who_forgot_his_password_comes_back_by_the_command_line(kit: Kit) {
        let acme = kit.account("acme").await;
        let (visitor, phone) = kit.bound_owner(&acme).await;
        for _ in 0..6 {
            refusal(kit.log_on_as(&acme.owner.logon_name, "forgotten").await);
        }
        let reset = kit.core().reset_owner_password("acme", OwnerPassword::Generate);
        let (random, told) = kit.told(&acme.id, reset).await;
        let random = expose(&random.unwrap().unwrap());
        assert_eq!(told, ["operator ResetOwnerPassword owner@acme.example success"]);
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.log_on(&acme.owner).await), Refusal::WrongCredentials);
        // The second factor stays, and the random password must be changed.
        let owner = Person { password: random, ..acme.owner.clone() };
        let token = kit.waiting(&owner, LogonState::SecondFactor).await;
        let step = kit.core().logon_with_code(&token, phone.code(&kit), origin()).await.unwrap();
        let countersign_core::logon::LogonStep::Ask { state, token } = step else { panic!("{step:?}") };
        assert_eq!(state, LogonState::ChoosePassword);
        let step = kit.core().logon_with_new_password(&token, "a brand new phrase".into(), origin()).await.unwrap();
        kit.opened(step).await;
    }

    async fn a_chosen_password_keeps_to_the_rules_and_need_not_be_changed(kit: Kit) {
        let acme = kit.account("acme").await;
        let choose = async |text: &'static str| {
            kit.core().reset_owner_password("acme", OwnerPassword::Chosen(text.into())).await
        };
        let (weak, told) = kit.told(&acme.id, choose("owner's own")).await;
        assert_eq!(refusal(weak), Refusal::PasswordTooWeak);
        assert_eq!(told, ["operator ResetOwnerPassword owner@acme.example refused InvalidParameter.Password.TooWeak"]);
        assert!(choose("a brand new phrase").await.unwrap().is_none());
        kit.session(&Person { password: "a brand new phrase".to_owned(), ..acme.owner.clone() }).await;
    }

    async fn every_lock_on_somebody_is_lifted_by_the_command_line(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let bob = kit.ram_user(&acme, "bob").await;
        let locked = "UPDATE budgets SET failures = 100, window_tries = 50 WHERE subject_id <> 'nobody'";
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        refusal(kit.core().logon_with_code(&token, phone.wrong_code(&kit), origin()).await);
        refusal(kit.log_on_as(&alice.logon_name, "wrong").await);
        refusal(kit.log_on_as(&bob.logon_name, "wrong").await);
        // Browsers that know her, and recovery codes, have counts of their own.
        kit.sql(
            "INSERT INTO known_browsers (token_hash, account_id, principal_id, browser_id, created_at, expires_at) \
             SELECT code_hash, account_id, principal_id, 'a browser', 0, 0 FROM (SELECT sealed_seed AS code_hash, account_id, \
             principal_id FROM virtual_mfa) AS device",
            &[],
        )
        .await;
        kit.sql(
            "INSERT INTO budgets (account_id, subject_id, kind, failures, blocked_until, updated_at) \
             SELECT account_id, browser_id, 'password', 7, 0, 0 FROM known_browsers WHERE browser_id = 'a browser'",
            &[],
        )
        .await;
        kit.sql(locked, &[]).await;
        let listed = kit.core().list_locked().await.unwrap();
        let names: Vec<&str> = listed.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["alice", "alice", "alice", "bob", "owner@acme.example"]);

        let unlock = kit.core().unlock_by_operator("acme", Whom::User("Alice".to_owned()));
        let (cleared, told) = kit.told(&acme.id, unlock).await;
        assert_eq!((cleared.unwrap(), told), (3, vec!["operator UnlockUser Alice success".to_owned()]));
        kit.session_with(&alice, &phone).await;
        assert_eq!(reason(kit.log_on(&bob).await), "password_disabled");

        kit.sql("UPDATE budgets SET failures = 100", &[]).await;
        assert_eq!(kit.core().unlock_by_operator("acme", Whom::Owner).await.unwrap(), 1);
        kit.session(&acme.owner).await;
        let (nobody, told) = kit.told(&acme.id, kit.core().unlock_by_operator("acme", Whom::User("nobody".to_owned()))).await;
        assert_eq!(refusal(nobody), Refusal::UserNotFound);
        assert_eq!(told, ["operator UnlockUser nobody refused EntityNotExist.User"]);
        let elsewhere = kit.account("other").await;
        let unlock = kit.core().unlock_by_operator(&elsewhere.alias, Whom::User("bob".to_owned())).await;
        assert_eq!(refusal(unlock), Refusal::UserNotFound);
    }

    async fn an_account_that_is_not_there_is_not_found(kit: Kit) {
        kit.account("acme").await;
        for name in ["", "nowhere", "1234567890123456", "owner@acme.example", "%", "a\0b"] {
            assert_eq!(refusal(kit.core().reset_owner_mfa(name).await), Refusal::AccountNotFound, "{name:?}");
            let password = kit.core().reset_owner_password(name, OwnerPassword::Generate).await;
            assert_eq!(refusal(password), Refusal::AccountNotFound, "{name:?}");
        }
    }

    async fn the_operator_reaches_the_owner_of_that_account_alone(kit: Kit) {
        let acme = kit.account("acme").await;
        let other = kit.account("other").await;
        kit.bound_user(&other, "alice").await;
        let (visitor, phone) = kit.bound_owner(&other).await;
        kit.bound_owner(&acme).await;
        kit.core().reset_owner_mfa("acme").await.unwrap();
        kit.core().reset_owner_password("acme", OwnerPassword::Generate).await.unwrap();
        kit.core().session(&visitor.token).await.unwrap();
        kit.session_with(&other.owner, &phone).await;
    }
}
