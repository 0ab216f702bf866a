//! Security keys and passkeys as signed calls see them.

use countersign_model::webauthn::KeyKind;
use countersign_testkit::{Kit, SoftKey, both_engines};
use http::StatusCode;

const ALICE: (&str, &str) = ("UserPrincipalName", "alice@acme.countersign.local");

both_engines! {
    async fn passkeys_are_listed_renamed_and_deleted(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let mut key = SoftKey::passkey();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        kit.session_with_key(&alice, &mut key).await;
        let listed = client.ims(&kit, "ListPasskeys", &[ALICE]).await.ok();
        let passkey = &listed.json["Passkeys"][0];
        let id = passkey["PasskeyId"].as_str().unwrap().to_owned();
        assert!(id.starts_with("PASSKEY-"), "{id}");
        assert_eq!(passkey["PasskeyName"], "Passkey");
        for time in ["CreateDate", "LastUseDate"] {
            assert!(passkey[time].as_str().unwrap().parse::<i64>().is_ok(), "{time}");
        }
        let of = [ALICE, ("PasskeyId", id.as_str())];
        client.ims(&kit, "UpdatePasskey", &[of[0], of[1], ("PasskeyName", "device1")]).await.ok();
        let listed = client.ims(&kit, "ListPasskeys", &[ALICE]).await.ok();
        assert_eq!(listed.json["Passkeys"][0]["PasskeyName"], "device1");
        let refused = client.ims(&kit, "UpdatePasskey", &[of[0], of[1], ("PasskeyName", " ")]).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "InvalidParameter.PasskeyName.Length"));
        let info = client.ims(&kit, "GetUserMFAInfo", &[ALICE]).await.ok();
        assert_eq!((&info.json["IsMFAEnable"], &info.json["MFADevice"]["Type"]), (&true.into(), &"PASSKEY".into()));
        client.ims(&kit, "DeletePasskey", &of).await.ok();
        assert_eq!(client.ims(&kit, "DeletePasskey", &of).await.code(), "EntityNotExist.User.Passkey");
        kit.session(&alice).await;
    }

    async fn c28_a_security_key_is_shown_as_u2f_and_keeps_its_user_from_being_removed(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut SoftKey::u2f()).await;
        let info = client.ram(&kit, "GetUserMFAInfo", &[("UserName", "alice")]).await.ok();
        assert_eq!(info.text("/MFADevice/Type"), "U2F");
        assert!(info.text("/MFADevice/SerialNumber").starts_with(&format!("acs:ram::{}:u2f/", acme.id)));
        assert_eq!(client.ims(&kit, "ListPasskeys", &[ALICE]).await.ok().json["Passkeys"], serde_json::json!([]));
        let refused = client.ram(&kit, "DeleteUser", &[("UserName", "alice")]).await;
        assert_eq!(refused.code(), "DeleteConflict.User.MFADevice");
    }
}
