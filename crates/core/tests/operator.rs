//! The owner's way back, by the command line on the host.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::Refusal;
use countersign_core::operator::OwnerPassword;
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
