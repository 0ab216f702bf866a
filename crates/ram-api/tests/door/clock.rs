//! A clock that ran ahead, as calls meet it: no copy of a call is taken, neither of one made before nor of one made
//! meanwhile, and calls are taken again soon after the clock was set right.

use countersign_core::operator::Stuck;
use countersign_model::{Clock as _, Timestamp};
use countersign_ram_api::api::Api;
use countersign_testkit::api::Client;
use countersign_testkit::rows::line;
use countersign_testkit::{Engine, Kit, both_engines};
use std::time::Duration;

const GET_CALLER: (Api, &str) = (Api::Sts, "GetCallerIdentity");

const fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

async fn code(kit: &Kit, client: &Client) -> String {
    client.call(kit, GET_CALLER.0, GET_CALLER.1, &[]).await.code().to_owned()
}

/// How many keys whose id begins so were used at this time or later.
async fn used_since(kit: &Kit, key: &str, since: Timestamp) -> i64 {
    let since = since.micros();
    let sql = format!("SELECT COUNT(*) FROM access_keys WHERE access_key_id LIKE '{key}%' AND last_used_at >= {since}");
    kit.int(sql.leak(), &[]).await
}

/// Waits until the last use of a key is noted: nobody waits for that.
async fn noted(kit: &Kit, client: &Client, since: Timestamp) {
    while used_since(kit, &client.key.id, since).await == 0 {
        tokio::task::yield_now().await;
    }
}

both_engines! {
    async fn attack_141_145_no_copy_of_a_call_is_taken_after_a_clock_that_ran_ahead(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let (owner, alice) = (kit.owner_client(&acme).await, kit.user_client(&acme, "alice").await);
        let soon = kit.clock().now().plus(minutes(10)).to_rfc3339();
        let (before, signed_ahead) = (owner.signed(&kit, GET_CALLER.0, GET_CALLER.1, &[]), owner.signed_at(&soon, "n", GET_CALLER, &[]));
        for call in [&before, &signed_ahead] {
            owner.send(call).await.ok();
        }
        let right = kit.clock().now();
        kit.advance(Duration::from_hours(2));
        kit.core().tick().await.unwrap();
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("api_nonces").await, 0, "what ends is swept");
        let later = kit.clock().now();
        let meanwhile = alice.signed(&kit, GET_CALLER.0, GET_CALLER.1, &[]);
        alice.send(&meanwhile).await.ok();
        noted(&kit, &alice, later).await;
        kit.core().tick().await.unwrap();

        kit.clock().set(right.plus(minutes(5)));
        second.tick().await.unwrap();
        assert_eq!(code(&kit, &owner).await, "ServiceUnavailable");
        let now = kit.clock().now();
        let reset = kit.core().reset_clock(Stuck::Keep).await.unwrap().unwrap();
        assert_eq!((reset.keys_disabled, reset.calls_from), (1, reset.now.plus(minutes(32))));
        if kit.engine() == Engine::Postgres {
            let unaware = owner.clone().at(&second).send(&before).await;
            assert_eq!(unaware.code(), "ServiceUnavailable", "a node that does not know");
        }
        second.tick().await.unwrap();
        for owner in [owner.clone(), owner.clone().at(&second)] {
            for call in [&before, &signed_ahead] {
                assert_eq!(owner.send(call).await.code(), "InvalidTimeStamp.Expired");
            }
            assert_eq!(code(&kit, &owner).await, "InvalidTimeStamp.Expired");
        }
        // Alice's key signed while the clock ran ahead.
        let told: Vec<_> = kit.events(&acme.id).await.iter().map(line).collect();
        assert!(told.contains(&"operator UpdateAccessKey alice success clock_ran_ahead".to_owned()), "{told:?}");
        assert_eq!(kit.int("SELECT COUNT(*) FROM findings WHERE kind = 'access-keys-ahead'", &[]).await, 1);
        assert_eq!(used_since(&kit, "", now.plus(minutes(1))).await, 0);
        assert_eq!(code(&kit, &alice).await, "InvalidAccessKeyId.Inactive");
        assert_eq!(alice.send(&meanwhile).await.code(), "InvalidTimeStamp.Expired");
        // The fence holds through a restart, and ends.
        kit.restart().await;
        let (owner, alice) = (kit.client(owner.key), kit.client(alice.key));
        kit.clock().set(right.plus(minutes(24)));
        assert_eq!(owner.send(&signed_ahead).await.code(), "InvalidTimeStamp.Expired");
        kit.clock().set(reset.calls_from.plus(Duration::from_secs(1)));
        assert_eq!(code(&kit, &owner).await, "");
        kit.clock().set(right.plus(Duration::from_hours(2)));
        assert_eq!(alice.send(&meanwhile).await.code(), "InvalidAccessKeyId.Inactive", "its time has come");
    }

    async fn attack_141_after_a_start_behind_the_mark_a_reset_lets_calls_in_again(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_client(&acme).await;
        let right = kit.clock().now();
        kit.advance(Duration::from_hours(24));
        kit.core().tick().await.unwrap();
        kit.clock().set(right);
        kit.restart().await;
        let owner = kit.client(owner.key);
        assert_eq!(code(&kit, &owner).await, "ServiceUnavailable");
        let reset = kit.core().reset_clock(Stuck::Keep).await.unwrap().unwrap();
        assert_eq!((reset.keys_disabled, reset.calls_from), (0, reset.now.plus(minutes(32))));
        assert_eq!(code(&kit, &owner).await, "InvalidTimeStamp.Expired");
        // Another reset does not lower the fence before its time.
        let right = kit.clock().now();
        kit.advance(minutes(3));
        kit.core().tick().await.unwrap();
        kit.clock().set(right);
        assert_eq!(kit.core().reset_clock(Stuck::Keep).await.unwrap().unwrap().calls_from, reset.calls_from);
        kit.advance(minutes(33));
        assert_eq!(code(&kit, &owner).await, "");
        // Beyond the times of the fence a start is a start.
        kit.restart().await;
        assert_eq!(code(&kit, &kit.client(owner.key)).await, "");
    }

    async fn a_clock_that_ran_a_little_ahead_costs_little(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_client(&acme).await;
        let (right, soon) = (kit.clock().now(), kit.clock().now().plus(minutes(10)).to_rfc3339());
        let signed_ahead = owner.signed_at(&soon, "n", GET_CALLER, &[]);
        owner.send(&signed_ahead).await.ok();
        kit.advance(minutes(3));
        kit.core().tick().await.unwrap();
        let later = kit.clock().now();
        let meanwhile = owner.signed(&kit, GET_CALLER.0, GET_CALLER.1, &[]);
        owner.send(&meanwhile).await.ok();
        noted(&kit, &owner, later).await;
        kit.clock().set(right);
        let reset = kit.core().reset_clock(Stuck::Keep).await.unwrap().unwrap();
        let expected = match kit.engine() {
            Engine::Sqlite => reset.mark.plus(Duration::from_secs(15)),
            Engine::Postgres => reset.now,
        };
        assert_eq!((reset.keys_disabled, reset.calls_from), (0, expected));
        assert_eq!(owner.send(&signed_ahead).await.code(), "SignatureNonceUsed", "it is remembered");
        kit.clock().set(reset.calls_from.plus(Duration::from_secs(1)));
        assert_eq!(code(&kit, &owner).await, "");
        let copy = owner.send(&meanwhile).await;
        let expected = match kit.engine() {
            Engine::Sqlite => "InvalidTimeStamp.Expired",
            Engine::Postgres => "SignatureNonceUsed",
        };
        assert_eq!(copy.code(), expected);
        kit.advance(minutes(7));
        assert_eq!(owner.send(&signed_ahead).await.code(), "SignatureNonceUsed", "its time has come, and it was used");
    }
}
