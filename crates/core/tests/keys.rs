//! The keys are rotated while people log on: nothing stops working, and what stops half-way goes on.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::Error;
use countersign_core::keyring::KeyRing;
use countersign_core::operator::{KeyState, KeyVersion, Resealed};
use countersign_model::logon::LogonState;
use countersign_testkit::kit::keys;
use countersign_testkit::{Kit, Person, Phone, both_engines, origin, reason};
use std::time::Duration;

fn next() -> KeyRing {
    keys().with_next_version(|key| key.fill(8)).unwrap()
}

fn one(version: u32, state: KeyState, sealed: u64) -> KeyVersion {
    KeyVersion { version, state, sealed }
}

both_engines! {
    async fn a_rotation_seals_everything_anew_and_codes_work_throughout(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.ram_user(&acme, "bob").await;
        kit.core().start_binding_for(&owner, "bob", origin()).await.unwrap();
        assert_eq!(kit.core().list_keys().await.unwrap(), [one(1, KeyState::InUse, 2)]);
        assert_eq!(kit.core().use_prepared_key().await.unwrap(), None);

        kit.restart_with(next()).await.unwrap();
        assert_eq!(kit.core().list_keys().await.unwrap(), [one(1, KeyState::InUse, 2), one(2, KeyState::Prepared, 0)]);
        log_on(&kit, &alice, &phone).await;

        let (used, told) = kit.told(&acme.id, kit.core().use_prepared_key()).await;
        assert_eq!((used.unwrap(), told), (Some(2), vec!["operator RotateKeys success".to_owned()]));
        log_on(&kit, &alice, &phone).await;
        let done = kit.core().reseal(|_| ()).await.unwrap();
        assert_eq!(done, Resealed { values: 2, unreadable: 0 });
        assert_eq!(kit.core().list_keys().await.unwrap(), [one(1, KeyState::Old, 0), one(2, KeyState::InUse, 2)]);
        log_on(&kit, &alice, &phone).await;
        assert_eq!(kit.core().reseal(|_| ()).await.unwrap(), Resealed::default());
        // A device bound before is confirmed after.
        kit.core().binding_for(&owner, "bob").await.unwrap();
    }

    async fn a_rotation_that_was_killed_goes_on_where_it_stopped(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let mut people = Vec::new();
        for number in 0..5 {
            people.push(kit.bound_user(&acme, &format!("user-{number}")).await);
        }
        kit.restart_with(next()).await.unwrap();
        kit.core().use_prepared_key().await.unwrap();
        // Killed before the first batch, between two, and while one is under way.
        kit.restart_with(next()).await.unwrap();
        assert_eq!(kit.core().list_keys().await.unwrap(), [one(1, KeyState::Old, 5), one(2, KeyState::InUse, 0)]);
        let (batch, end) = kit.core().reseal_batch(None, 2).await.unwrap();
        assert_eq!(batch.values, 2);
        {
            let core = kit.core().clone();
            let mut torn = std::pin::pin!(async move { core.reseal_batch(end.as_ref(), 2).await });
            std::future::poll_fn(|context| std::task::Poll::Ready(torn.as_mut().poll(context).is_pending())).await;
        }
        kit.restart_with(next()).await.unwrap();
        for (person, phone) in &people {
            log_on(&kit, person, phone).await;
        }
        let left = kit.core().reseal(|_| ()).await.unwrap().values;
        assert!(left == 3 || left == 1, "{left}");
        assert_eq!(kit.core().list_keys().await.unwrap(), [one(1, KeyState::Old, 0), one(2, KeyState::InUse, 5)]);
        assert_eq!(kit.core().reseal(|_| ()).await.unwrap(), Resealed::default());
        for (person, phone) in &people {
            log_on(&kit, person, phone).await;
        }
    }

    async fn a_server_that_sweeps_finishes_a_rotation(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        kit.restart_with(next()).await.unwrap();
        kit.core().use_prepared_key().await.unwrap();
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.core().list_keys().await.unwrap(), [one(1, KeyState::Old, 0), one(2, KeyState::InUse, 1)]);
        log_on(&kit, &alice, &phone).await;
        // For an hour it looks again, and then no more.
        let looked_for = "SELECT COUNT(*) FROM facts WHERE name = 'keys_rotated'";
        assert_eq!(kit.int(looked_for, &[]).await, 1);
        kit.advance(Duration::from_hours(2));
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.int(looked_for, &[]).await, 0);
    }

    async fn what_does_not_open_is_told_and_left_alone(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (mallory, _) = kit.bound_user(&acme, "mallory").await;
        kit.sql(
            "UPDATE virtual_mfa SET sealed_seed = (SELECT sealed_seed FROM virtual_mfa WHERE name = 'alice') \
             WHERE name = 'mallory'",
            &[],
        )
        .await;
        kit.restart_with(next()).await.unwrap();
        kit.core().use_prepared_key().await.unwrap();
        assert_eq!(kit.core().reseal(|_| ()).await.unwrap(), Resealed { values: 1, unreadable: 1 });
        log_on(&kit, &alice, &phone).await;
        let token = kit.waiting(&mallory, LogonState::SecondFactor).await;
        let moved = kit.core().logon_with_code(&token, phone.code(&kit), origin()).await;
        assert_eq!(reason(moved), "seed_does_not_open");
    }

    async fn of_two_rotations_one_is_refused(mut kit: Kit) {
        kit.account("acme").await;
        kit.restart_with(next()).await.unwrap();
        let other = keys().with_next_version(|key| key.fill(9)).unwrap();
        // Another node has named its own second key meanwhile.
        let check = other.check_value();
        let put = "UPDATE facts SET value = $1 WHERE name = 'key_check'";
        kit.sql(put, countersign_store::params![check]).await;
        assert!(matches!(kit.core().use_prepared_key().await, Err(Error::Fault(_))));
        assert_eq!(kit.count("audit_events").await, 1, "nothing of it was written");
        assert!(matches!(kit.core().ready().await, Err(Error::Unavailable(_))), "this node lacks a key now");
        assert!(kit.restart_with(next()).await.is_err());
        kit.restart_with(other).await.unwrap();
    }

    async fn an_unknown_name_keeps_its_count_over_a_rotation(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let nobody = countersign_testkit::people::ram_user_name("nobody", &acme.alias);
        for _ in 0..3 {
            countersign_testkit::refusal(kit.log_on_as(&nobody, "wrong").await);
        }
        kit.restart_with(next()).await.unwrap();
        kit.core().use_prepared_key().await.unwrap();
        countersign_testkit::refusal(kit.log_on_as(&nobody, "wrong").await);
        assert_eq!(kit.int("SELECT failures FROM budgets", &[]).await, 4);
    }
}

async fn log_on(kit: &Kit, person: &Person, phone: &Phone) {
    kit.session_with(person, phone).await;
}
