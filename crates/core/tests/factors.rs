//! Whose factor counts, where a pending logon stops, and what a confirmed binding is worth a second time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::Refusal;
use countersign_model::logon::LogonState;
use countersign_model::principal::SystemPolicy;
use countersign_testkit::people::{login_with_mfa, one_code};
use countersign_testkit::{Kit, both_engines, origin, reason, refusal};

both_engines! {
    async fn attack_007_a_code_counts_for_its_own_device_only(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, alices_phone) = kit.bound_user(&acme, "alice").await;
        let (bob, bobs_phone) = kit.bound_user(&acme, "bob").await;
        let alices = kit.waiting(&alice, LogonState::SecondFactor).await;
        let refused = kit.core().logon_with_code(&alices, bobs_phone.code(&kit), origin()).await;
        assert_eq!(reason(refused), "code_wrong");
        // Each device has its own ledger: the same step counts once for each.
        kit.core().logon_with_code(&alices, alices_phone.code(&kit), origin()).await.unwrap();
        let bobs = kit.waiting(&bob, LogonState::SecondFactor).await;
        kit.core().logon_with_code(&bobs, bobs_phone.code(&kit), origin()).await.unwrap();
    }

    async fn attack_062_a_logon_that_waits_for_a_code_binds_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        for state in [LogonState::Password, LogonState::SecondFactor] {
            let token = match state {
                LogonState::Password => kit.core().begin_logon(alice.logon_name.clone()).await.unwrap(),
                LogonState::SecondFactor | LogonState::ChoosePassword | LogonState::Bind => {
                    kit.waiting(&alice, state).await
                }
            };
            let started = kit.core().start_logon_binding(&token, origin()).await;
            assert_eq!(refusal(started), Refusal::LogonOver, "{state}");
            let typed = one_code(phone.code(&kit));
            assert_eq!(refusal(kit.core().confirm_logon_binding(&token, typed, origin()).await), Refusal::LogonOver);
            assert_eq!(refusal(kit.core().logon_binding(&token).await), Refusal::LogonOver, "{state}");
        }
        assert_eq!(kit.count("virtual_mfa").await, 1);
    }

    async fn attack_069_a_confirmed_binding_cannot_be_confirmed_again(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let token = kit.waiting(&alice, LogonState::Bind).await;
        kit.core().start_logon_binding(&token, origin()).await.unwrap();
        let phone = countersign_testkit::Phone::scan(&kit.core().logon_binding(&token).await.unwrap());
        let typed = one_code(phone.code(&kit));
        kit.core().confirm_logon_binding(&token, typed.clone(), origin()).await.unwrap();
        let bound = "SELECT device_id, state, last_step, bound_at FROM virtual_mfa";
        let (devices, sessions) = (kit.rows(bound, &[]).await, kit.count("sessions").await);
        for _ in 0..3 {
            let replayed = kit.core().confirm_logon_binding(&token, typed.clone(), origin()).await;
            assert_eq!(refusal(replayed), Refusal::LogonOver);
        }
        assert_eq!(kit.rows(bound, &[]).await, devices);
        assert_eq!(kit.count("sessions").await, sessions);
    }

    async fn attack_133_of_two_administrators_who_demote_each_other_one_stays(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let (rita, sara) = (kit.administrator(&acme, "rita").await, kit.administrator(&acme, "sara").await);
        let (ritas, saras) = (kit.session(&rita).await.actor, kit.session(&sara).await.actor);
        let policy = SystemPolicy::AdministratorAccess;
        let first = kit.core().clone();
        let one = tokio::spawn(async move { first.detach_policy(&ritas, "sara", policy, origin()).await });
        let other = tokio::spawn(async move { second.detach_policy(&saras, "rita", policy, origin()).await });
        let results = [one.await.unwrap(), other.await.unwrap()];
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        assert_eq!(kit.count("user_policies").await, 1);
    }
}
