//! Who signed a call, and whether it was made already.

use countersign_core::access_keys::KeysOf;
use countersign_model::Clock as _;
use countersign_model::access_key::AccessKeyStatus;
use countersign_ram_api::api::Api;
use countersign_testkit::api::{Key, Version};
use countersign_testkit::{Engine, Kit, both_engines, origin};
use http::StatusCode;
use std::time::Duration;

const GET_CALLER: (Api, &str) = (Api::Sts, "GetCallerIdentity");

both_engines! {
    async fn a_signed_call_is_answered_in_both_versions_and_both_formats(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        for client in [client.clone(), client.clone().v1()] {
            let answer = client.call(&kit, Api::Sts, "GetCallerIdentity", &[]).await.ok();
            assert_eq!(answer.text("/IdentityType"), "Account");
            assert_eq!(answer.text("/AccountId"), acme.id.as_str());
            assert_eq!(answer.text("/Arn"), format!("acs:ram::{}:root", acme.id));
            assert_eq!(answer.headers["content-type"], "application/json;charset=utf-8");
            assert_eq!(answer.headers["x-acs-request-id"], answer.text("/RequestId").as_str());
            let xml = client.call(&kit, Api::Sts, "GetCallerIdentity", &[("Format", "XML")]).await.ok();
            assert_eq!(xml.headers["content-type"], "text/xml;charset=utf-8");
            assert!(xml.body.contains("<GetCallerIdentityResponse><RequestId>"), "{}", xml.body);
        }
        let alice = kit.ram_user(&acme, "alice").await;
        let answer = kit.user_client(&acme, "alice").await.call(&kit, Api::Sts, "GetCallerIdentity", &[]).await.ok();
        assert_eq!(answer.text("/IdentityType"), "RAMUser");
        assert_eq!(answer.text("/Arn"), format!("acs:ram::{}:user/{}", alice.account, alice.name));
    }

    async fn attack_145_a_call_counts_once_wherever_it_is_sent_again(kit: Kit) {
        let mut kit = kit;
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.advance(Duration::from_secs(2));
        let at = kit.clock().now().to_rfc3339();
        let call = client.signed_at(&at, "nonce-1", GET_CALLER, &[]);
        assert_eq!(client.send(&call).await.status, StatusCode::OK);
        assert_eq!(client.send(&call).await.code(), "SignatureNonceUsed");
        kit.advance(Duration::from_mins(10));
        assert_eq!(client.send(&call).await.code(), "SignatureNonceUsed");
        // The same nonce for another call.
        let again = client.signed_at(&kit.clock().now().to_rfc3339(), "nonce-1", GET_CALLER, &[]);
        assert_eq!(client.send(&again).await.code(), "SignatureNonceUsed");
        // Another node, and the same one after a restart.
        let other = kit.second_node().await;
        assert_eq!(client.clone().at(&other).send(&call).await.code(), "SignatureNonceUsed");
        kit.restart().await;
        let refused = kit.client(client.key.clone()).send(&call).await;
        let expected = match kit.engine() {
            Engine::Sqlite => "InvalidTimeStamp.Expired",
            Engine::Postgres => "SignatureNonceUsed",
        };
        assert_eq!(refused.code(), expected, "signed before the start");
        kit.advance(Duration::from_mins(6));
        let late = kit.client(client.key.clone()).send(&call).await;
        assert_eq!((late.status, late.code()), (StatusCode::BAD_REQUEST, "InvalidTimeStamp.Expired"));
    }

    async fn attack_145_a_call_signed_ahead_does_not_come_back_after_a_restart(kit: Kit) {
        let mut kit = kit;
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let ahead = kit.clock().now().plus(Duration::from_mins(10)).to_rfc3339();
        let call = client.signed_at(&ahead, "ahead", GET_CALLER, &[]);
        assert_eq!(client.send(&call).await.status, StatusCode::OK);
        kit.restart().await;
        let client = kit.client(client.key.clone());
        assert_eq!(client.send(&call).await.code(), "SignatureNonceUsed");
        kit.advance(Duration::from_mins(11));
        assert_eq!(client.send(&call).await.code(), "SignatureNonceUsed", "its time has come, and it was used");
        kit.advance(Duration::from_mins(20));
        assert_eq!(client.send(&call).await.code(), "InvalidTimeStamp.Expired");
    }

    async fn attack_145_sixty_four_copies_at_once_count_once(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.advance(Duration::from_secs(2));
        let call = client.signed(&kit, Api::Ram, "CreateUser", &[("UserName", "alice")]);
        let copies: Vec<_> = (0..64).map(|_| {
            let (client, call) = (client.clone(), call.clone());
            tokio::spawn(async move { client.send(&call).await.status })
        }).collect();
        let mut taken = 0;
        for copy in copies {
            taken += usize::from(copy.await.unwrap() == StatusCode::OK);
        }
        assert_eq!(taken, 1);
    }

    async fn who_cannot_be_told_is_refused_as_by_the_gateway(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let call = async |client: &countersign_testkit::api::Client| client.call(&kit, GET_CALLER.0, GET_CALLER.1, &[]).await;
        let unknown = kit.client(Key { id: "LTAI0000000000000000".to_owned(), secret: "x".to_owned() });
        let answer = call(&unknown).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "InvalidAccessKeyId.NotFound"));
        for version in [Version::V1, Version::V3] {
            let thief = kit.client(Key { secret: "guessed".to_owned(), ..client.key.clone() });
            let answer = call(&thief.signing(version)).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "SignatureDoesNotMatch"));
            assert!(!answer.body.contains(&client.key.secret));
            let message = answer.text("/Message");
            match version {
                // One of the SDKs reads what stands behind the colon.
                Version::V1 => assert!(message.split(':').nth(1).unwrap().starts_with("POST&%2F&AccessKeyId%3D"), "{message}"),
                Version::V3 => assert!(message.contains("server StringToSign is [ACS3-HMAC-SHA256\n"), "{message}"),
            }
        }
        for (at, code) in [
            (kit.clock().now().minus(Duration::from_mins(16)).to_rfc3339(), "InvalidTimeStamp.Expired"),
            (kit.clock().now().plus(Duration::from_mins(16)).to_rfc3339(), "InvalidTimeStamp.Expired"),
            (kit.clock().now().to_rfc3339_micros(), "InvalidTimeStamp.Format"),
        ] {
            let signed = client.signed_at(&at, "n", GET_CALLER, &[]);
            assert_eq!(client.send(&signed).await.code(), code, "{at}");
        }
        // Nothing of these has spent a nonce.
        let now = client.signed_at(&kit.clock().now().plus(Duration::from_secs(1)).to_rfc3339(), "n", GET_CALLER, &[]);
        assert_eq!(client.send(&now).await.status, StatusCode::OK);
        assert!(kit.refusals_of_strangers().await >= 3);
    }

    async fn a_disabled_key_is_told_only_to_who_holds_its_secret(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let owner = kit.owner_session(&acme).await.actor;
        let of = (KeysOf::Oneself, client.key.id.as_str());
        kit.core().set_access_key_status(&owner, of, AccessKeyStatus::Inactive, origin()).await.unwrap();
        let answer = client.call(&kit, GET_CALLER.0, GET_CALLER.1, &[]).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "InvalidAccessKeyId.Inactive"));
        let thief = kit.client(Key { secret: "guessed".to_owned(), ..client.key.clone() });
        assert_eq!(thief.call(&kit, GET_CALLER.0, GET_CALLER.1, &[]).await.code(), "SignatureDoesNotMatch");
    }

    async fn what_is_not_built_is_not_found(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let answer = client.ims(&kit, "CreateSAMLProvider", &[]).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "InvalidAction.NotFound"));
        assert_eq!(client.ram(&kit, "GetCallerIdentity", &[]).await.code(), "InvalidAction.NotFound");
        let mut call = client.signed(&kit, Api::Sts, "GetCallerIdentity", &[]);
        call.headers.insert("x-acs-version", "2014-05-26".parse().unwrap());
        assert_eq!(client.send(&call).await.code(), "InvalidVersion");
    }

    async fn c36_an_accesskey_is_never_asked_for_a_factor(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.bound_owner(&acme).await;
        client.ram(&kit, "CreateUser", &[("UserName", "alice")]).await.ok();
        client.ram(&kit, "DeleteUser", &[("UserName", "alice")]).await.ok();
    }
}
