//! A clock that is set back: nothing is accepted twice, and logons wait until time has caught up.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::Error;
use countersign_core::operator::Stuck;
use countersign_model::Clock as _;
use countersign_model::logon::LogonState;
use countersign_testkit::people::one_code;
use countersign_testkit::{Kit, both_engines, origin, reason, refusal};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

both_engines! {
    async fn attack_141_a_used_code_is_refused_when_the_clock_is_set_back(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        for back in [HOUR, HOUR * 24] {
            kit.next_step();
            let code = phone.code(&kit);
            kit.session_with(&alice, &phone).await;
            // Nobody has told the high-water mark yet: the ledger alone holds.
            kit.clock().set_back(back);
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let replay = kit.core().logon_with_code(&token, code, origin()).await;
            assert_eq!(refusal(replay), countersign_core::Refusal::WrongCode);
            // Not even the codes of the hour that comes again.
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let again = kit.core().logon_with_code(&token, phone.code(&kit), origin()).await;
            assert_eq!(reason(again), "otp_replay");
            kit.advance(back);
        }
        kit.session_with(&alice, &phone).await;
    }

    async fn a_clock_behind_a_time_already_seen_refuses_logons_and_recovers(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let bob = kit.ram_user(&acme, "bob").await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().start_binding_for(&owner, "bob", origin()).await.unwrap();
        let at_password = kit.core().begin_logon(bob.logon_name.clone()).await.unwrap();
        let at_code = kit.waiting(&alice, LogonState::SecondFactor).await;
        kit.advance(SECOND * 120);
        kit.core().tick().await.unwrap();

        kit.clock().set_back(SECOND * 59);
        kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        kit.clock().set_back(SECOND * 2);
        kit.restart().await;
        let second = kit.second_node().await;
        for core in [kit.core(), &second] {
            let (from, name) = (origin(), alice.logon_name.clone());
            let results = [
                core.begin_logon(name).await.map(drop),
                core.logon_with_password(&at_password, bob.secret(), from).await.map(drop),
                core.logon_with_code(&at_code, phone.code(&kit), from).await.map(drop),
                core.logon_with_new_password(&at_code, "another long phrase".into(), from).await.map(drop),
                core.start_logon_binding(&at_code, origin()).await,
                core.confirm_logon_binding(&at_code, one_code(phone.code(&kit)), from).await.map(drop),
                core.start_own_binding(&visitor.actor, alice.secret(), from).await,
                core.confirm_own_binding(&visitor.actor, one_code(phone.code(&kit)), from).await.map(drop),
                core.confirm_binding_for(&owner, "bob", one_code(phone.code(&kit)), from).await,
                core.unbind_own(&visitor.actor, phone.code(&kit), from).await.map(drop),
                core.change_own_password(&visitor.actor, alice.secret(), "another long phrase".into(), from)
                    .await
                    .map(drop),
            ];
            for (number, result) in results.into_iter().enumerate() {
                assert!(matches!(result, Err(Error::ClockBehind)), "{number}: {result:?}");
            }
            // What needs no time stays open: who is logged on works on.
            core.session(&visitor.token).await.unwrap();
            assert!(
                matches!(core.ready().await, Err(Error::ClockBehind)),
                "and whoever balances the load goes elsewhere"
            );
        }
        // Nothing was counted, and when time has caught up all goes on.
        assert_eq!(kit.int("SELECT CAST(SUM(failures) AS BIGINT) FROM budgets", &[]).await, 0);
        kit.advance(SECOND * 2);
        kit.core().logon_with_code(&at_code, phone.code(&kit), origin()).await.unwrap();
    }

    async fn the_mark_never_goes_back(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let mark = "SELECT CAST(value AS BIGINT) FROM facts WHERE name = 'high_water'";
        kit.core().tick().await.unwrap();
        let high = kit.int(mark, &[]).await;
        kit.clock().set_back(HOUR);
        kit.core().tick().await.unwrap();
        assert_eq!(kit.int(mark, &[]).await, high);
        kit.restart().await;
        kit.core().tick().await.unwrap();
        assert_eq!(kit.int(mark, &[]).await, high);
        assert!(matches!(kit.log_on(&acme.owner).await, Err(Error::ClockBehind)));
        kit.advance(HOUR * 2);
        kit.core().tick().await.unwrap();
        assert!(kit.int(mark, &[]).await > high);
        kit.session(&acme.owner).await;
    }

    async fn a_mark_that_another_node_set_counts_at_the_next_tick(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        kit.advance(HOUR);
        second.tick().await.unwrap();
        kit.clock().set_back(HOUR);
        kit.core().tick().await.unwrap();
        assert!(matches!(kit.log_on(&acme.owner).await, Err(Error::ClockBehind)));
    }

    /// A clock that jumps ahead makes nothing old, until its time has stood for an hour; then the server was off.
    async fn attack_141_a_clock_that_jumps_ahead_drops_nothing(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let visitor = kit.owner_session(&acme).await;
        kit.core().sequencer().finish().await.unwrap();
        kit.core().tick().await.unwrap();
        let right = kit.clock().now();
        kit.advance(HOUR * 24 * 800);
        for restarted in [false, true] {
            if restarted {
                kit.restart().await;
            }
            kit.core().tick().await.unwrap();
            assert!(!kit.core().is_time_confirmed().await.unwrap());
            assert_eq!(kit.core().trim_audit_logs().await.unwrap().entries, 0);
            assert_eq!((kit.core().sweep().await.unwrap(), kit.count("sessions").await), (0, 1));
            assert_eq!(kit.core().disable_idle_users().await.unwrap(), 0);
        }
        // It is set right: all is there. The operator vouches for the time.
        kit.clock().set(right);
        kit.core().reset_clock(Stuck::Keep).await.unwrap().unwrap();
        assert!(kit.core().is_time_confirmed().await.unwrap());
        kit.core().session(&visitor.token).await.unwrap();
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("sessions").await, 1);
        // Time goes by, almost a day at a time.
        for _ in 0..3 {
            kit.advance(HOUR * 23);
            kit.core().tick().await.unwrap();
            assert!(kit.core().is_time_confirmed().await.unwrap());
        }
        // After a week without a server an hour has to pass.
        kit.advance(HOUR * 24 * 7);
        for _ in 0..=60 {
            assert!(!kit.core().is_time_confirmed().await.unwrap());
            kit.core().tick().await.unwrap();
            kit.advance(SECOND * 60);
        }
        assert!(kit.core().is_time_confirmed().await.unwrap());
        assert!(kit.core().sweep().await.unwrap() > 0);
        assert_eq!(kit.count("sessions").await, 0);
    }

    async fn what_has_run_out_is_swept_and_nothing_else(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        kit.core().sweep().await.unwrap();
        assert_eq!((kit.count("logons").await, kit.count("sessions").await), (1, 1));
        kit.advance(HOUR * 24);
        assert!(kit.core().sweep().await.unwrap() >= 2);
        assert_eq!((kit.count("logons").await, kit.count("sessions").await), (0, 0));
        assert_eq!((kit.count("principals").await, kit.count("login_profiles").await), (2, 2));
        assert!(kit.count("audit_events").await > 0);
    }
}
