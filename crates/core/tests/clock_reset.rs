//! The clock ran ahead and was set right: the operator lowers the mark, and nothing can be played again.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::operator::Stuck;
use countersign_core::{Error, Refusal};
use countersign_model::Clock as _;
use countersign_model::audit::ActorKind;
use countersign_model::logon::LogonState;
use countersign_model::webauthn::KeyKind;
use countersign_store::params;
use countersign_testkit::rows::line;
use countersign_testkit::{Account, Kit, SoftKey, both_engines, origin, reason, refusal};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

both_engines! {
    async fn attack_141_after_a_reset_no_code_of_the_wrong_time_is_taken_again(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (bob, bobs_phone) = kit.bound_user(&acme, "bob").await;
        let before = kit.session_with(&bob, &bobs_phone).await;
        let right = kit.clock().now();
        kit.advance(DAY);
        let code = phone.code(&kit);
        let visitor = kit.session_with(&alice, &phone).await;
        let pending = kit.waiting(&bob, LogonState::SecondFactor).await;
        kit.core().tick().await.unwrap();

        kit.clock().set(right);
        assert!(matches!(kit.log_on(&alice).await, Err(Error::ClockBehind)));
        let reset = kit.core().reset_clock(Stuck::Keep).await.unwrap().unwrap();
        assert_eq!(by_operator(&kit, &acme).await, ["operator ResetClock success"]);
        assert!(reset.mark >= right.plus(DAY) && reset.now < right.plus(Duration::from_secs(1)));
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.core().logon_with_code(&pending, code.clone(), origin()).await), Refusal::LogonOver);
        kit.core().session(&before.token).await.unwrap();

        // Alice's device stays locked until its time comes, and is named.
        assert_eq!(reset.stuck.len(), 1);
        let stuck = reset.stuck.first().unwrap();
        assert_eq!((stuck.alias.as_str(), stuck.name.as_str()), ("acme", "alice"));
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        assert_eq!(reason(kit.core().logon_with_code(&token, phone.code(&kit), origin()).await), "otp_replay");
        kit.next_step();
        kit.session_with(&bob, &bobs_phone).await;
        // When that time comes, the used code is still a used one, and the next one works.
        kit.clock().set(right.plus(DAY));
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        assert_eq!(reason(kit.core().logon_with_code(&token, code, origin()).await), "otp_replay");
        kit.clock().set(stuck.until.plus(Duration::from_secs(10)));
        kit.next_step();
        kit.session_with(&alice, &phone).await;
    }

    async fn a_locked_device_is_unbound_on_demand(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (bob, bobs_phone) = kit.bound_user(&acme, "bob").await;
        let right = kit.clock().now();
        kit.advance(DAY);
        kit.session_with(&alice, &phone).await;
        kit.sql(
            "INSERT INTO recovery_codes (account_id, principal_id, code_hash, created_at) \
             SELECT account_id, principal_id, $1, 1 FROM principals WHERE name = 'alice'",
            params![[7_u8; 32]],
        )
        .await;
        kit.core().tick().await.unwrap();
        kit.clock().set(right);
        assert_eq!(kit.core().reset_clock(Stuck::Unbind).await.unwrap().unwrap().stuck.len(), 1);
        let told = by_operator(&kit, &acme).await;
        assert_eq!(told, ["operator UnbindMFADevice alice success clock_ran_ahead", "operator ResetClock success"]);
        assert_eq!(kit.count("recovery_codes").await, 0, "they go with the device");
        kit.session(&alice).await;
        kit.session_with(&bob, &bobs_phone).await;
    }

    async fn pauses_are_cut_to_an_hour(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let right = kit.clock().now();
        kit.advance(DAY);
        for _ in 0..5 {
            refusal(kit.log_on_as(&alice.logon_name, "wrong").await);
        }
        kit.core().tick().await.unwrap();
        kit.clock().set(right);
        assert_eq!(kit.core().reset_clock(Stuck::Keep).await.unwrap().unwrap().pauses, 1);
        refusal(kit.log_on(&alice).await);
        kit.advance(Duration::from_mins(61));
        kit.session(&alice).await;
    }

    /// What lies in the future neither grants anything for longer nor holds anything up.
    async fn times_of_the_future_are_cut(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let right = kit.clock().now();
        kit.advance(DAY * 10);
        kit.sql("UPDATE principals SET email = 'alice@acme.example' WHERE name = 'alice'", &[]).await;
        kit.session_with(&alice, &phone).await;
        kit.core().reset_password(&kit.owner_session(&acme).await.actor, "alice", origin()).await.unwrap();
        kit.sql("UPDATE login_profiles SET enabled_at = password_changed_at", &[]).await;
        kit.sql("UPDATE outbox SET due_at = due_at + 864000000000", &[]).await;
        kit.keyed_user(&acme, "bob", KeyKind::SecurityKey, &mut SoftKey::u2f()).await;
        kit.sql("UPDATE virtual_mfa SET bound_at = last_used_at", &[]).await;
        kit.sql(
            "INSERT INTO recovery_codes (account_id, principal_id, code_hash, created_at) \
             SELECT account_id, principal_id, $1, last_logon_at FROM principals WHERE name = 'alice'",
            params![[8_u8; 32]],
        )
        .await;
        kit.sql(
            "INSERT INTO access_keys (account_id, access_key_id, principal_id, sealed_secret, status, created_at, \
             updated_at, enabled_at, last_used_at, last_used_service) SELECT account_id, 'LTAI00000000000000000000', principal_id, $1, 'Active', \
             last_logon_at, last_logon_at, last_logon_at, last_logon_at, 'Ram' FROM principals WHERE name = 'alice'",
            params![[7_u8; 32]],
        )
        .await;
        let now = right.plus(Duration::from_secs(2)).micros();
        let columns = [
            ("known_networks", "last_mfa_at"),
            ("known_browsers", "created_at"),
            ("known_browsers", "last_mfa_at"),
            ("login_profiles", "password_changed_at"),
            ("login_profiles", "enabled_at"),
            ("principals", "last_logon_at"),
            ("access_keys", "enabled_at"),
            ("access_keys", "last_used_at"),
            ("notices", "created_at"),
            ("recovery_codes", "created_at"),
            ("virtual_mfa", "bound_at"),
            ("webauthn_credentials", "created_at"),
            ("outbox", "due_at"),
            ("budgets", "updated_at"),
        ];
        let later = async |now: i64| {
            let mut later = Vec::new();
            for (table, column) in columns {
                let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} > $1").leak();
                later.push(kit.int(sql, params![now]).await > 0);
            }
            later
        };
        assert_eq!(later(now).await, [true; 14]);
        kit.core().tick().await.unwrap();
        kit.clock().set(right);
        kit.core().reset_clock(Stuck::Keep).await.unwrap().unwrap();
        assert_eq!(later(now).await, [false; 14]);
    }

    async fn every_node_takes_the_lower_mark(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let second = kit.second_node().await;
        let right = kit.clock().now();
        kit.advance(DAY);
        kit.core().tick().await.unwrap();
        second.tick().await.unwrap();
        kit.clock().set(right);
        assert!(matches!(second.ready().await, Err(Error::ClockBehind)));
        kit.core().reset_clock(Stuck::Keep).await.unwrap();
        second.tick().await.unwrap();
        second.ready().await.unwrap();
        kit.session(&acme.owner).await;
        kit.restart().await;
        let second = kit.second_node().await;
        kit.core().ready().await.unwrap();
        // And from there it rises again, and is believed again.
        kit.advance(Duration::from_hours(2));
        second.tick().await.unwrap();
        kit.clock().set(right);
        kit.core().tick().await.unwrap();
        assert!(matches!(kit.core().ready().await, Err(Error::ClockBehind)));
    }

    async fn a_clock_that_is_right_has_nothing_to_reset(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        kit.core().tick().await.unwrap();
        kit.next_step();
        let (reset, told) = kit.told(&acme.id, kit.core().reset_clock(Stuck::Unbind)).await;
        assert!(reset.unwrap().is_none() && told.is_empty());
        kit.session_with(&alice, &phone).await;
    }
}

/// What the operator has done, beyond making the account. The log sorts by time, and time went back.
async fn by_operator(kit: &Kit, account: &Account) -> Vec<String> {
    let events = kit.events(&account.id).await;
    let his = events.iter().filter(|event| event.actor.kind == ActorKind::Operator && event.action != "CreateAccount");
    his.map(line).collect()
}
