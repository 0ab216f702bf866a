//! Security keys and passkeys as signed calls see them.

use countersign_core::Refusal;
use countersign_model::audit::AuditEvent;
use countersign_model::webauthn::KeyKind;
use countersign_testkit::people::allowing;
use countersign_testkit::{Kit, SoftKey, both_engines, origin, refusal};
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

    async fn a_security_key_is_no_passkey_for_the_calls_about_passkeys(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        let key = kit.bind_key_for(&acme, "alice", KeyKind::SecurityKey, &mut SoftKey::u2f()).await.unwrap();
        let id = format!("PASSKEY-{}", key.id);
        let update = [ALICE, ("PasskeyId", id.as_str()), ("PasskeyName", "renamed")];
        let refused = client.ims(&kit, "UpdatePasskey", &update).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::NOT_FOUND, "EntityNotExist.User.Passkey"));
        let refused = client.ims(&kit, "DeletePasskey", &update[..2]).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::NOT_FOUND, "EntityNotExist.User.Passkey"));
        let owner = kit.owner_session(&acme).await.actor;
        let keys = kit.core().user(&owner, "alice", origin()).await.unwrap().keys;
        assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["Security key"]);
    }

    async fn a_call_unbinds_the_security_keys_of_a_user_who_has_no_virtual_device(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let (mut first, mut passkey) = (SoftKey::u2f(), SoftKey::passkey());
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut first).await;
        kit.bind_key_for(&acme, "alice", KeyKind::SecurityKey, &mut SoftKey::u2f()).await.unwrap();
        let session = kit.session_with_key(&alice, &mut first).await;
        let bound = kit.bind_another_key(&session, &mut first, KeyKind::Passkey, &mut passkey).await;
        let (session, bound) = bound.unwrap();
        let shown = client.ram(&kit, "GetUserMFAInfo", &[("UserName", "alice")]).await.ok();
        // Only the virtual device has a call of its own that removes it.
        let disabled = client.ims(&kit, "DisableVirtualMFA", &[ALICE]).await;
        assert_eq!(disabled.code(), "EntityNotExist.User.MFADevice");

        let notices = kit.count("notices").await;
        let unbound = client.ram(&kit, "UnbindMFADevice", &[("UserName", "alice")]).await.ok();
        assert_eq!(unbound.text("/MFADevice/SerialNumber"), shown.text("/MFADevice/SerialNumber"));
        let events = kit.events(&acme.id).await;
        let told: Vec<_> = events.iter().filter(|event| event.action == "UnbindMFADevice").collect();
        assert_eq!(told.len(), 2, "one for each key: {told:?}");
        for name in ["name=Security key;", "name=Security key 2;"] {
            let details = |event: &&AuditEvent| event.details.contains(name) && event.details.contains("access_key=");
            assert!(told.iter().any(|event| details(event) && event.target == "alice"), "{name}: {told:?}");
        }
        assert_eq!(kit.count("notices").await, notices + 2, "the user is told of each");
        assert_eq!(refusal(kit.core().session(&session.token).await), Refusal::NotLoggedOn);
        let left = client.ram(&kit, "GetUserMFAInfo", &[("UserName", "alice")]).await.ok();
        assert_eq!(left.text("/MFADevice/Type"), "PASSKEY");
        kit.session_with_key(&alice, &mut passkey).await;

        let none = client.ram(&kit, "UnbindMFADevice", &[("UserName", "alice")]).await;
        assert_eq!(none.code(), "EntityNotExist.User.MFADevice", "passkeys have a call of their own");
        let refused = client.ram(&kit, "DeleteUser", &[("UserName", "alice")]).await;
        assert_eq!(refused.code(), "DeleteConflict.User.MFADevice");
        let id = format!("PASSKEY-{}", bound.id);
        client.ims(&kit, "DeletePasskey", &[ALICE, ("PasskeyId", id.as_str())]).await.ok();
        client.ram(&kit, "DeleteLoginProfile", &[("UserName", "alice")]).await.ok();
        client.ram(&kit, "DeleteUser", &[("UserName", "alice")]).await.ok();
    }

    async fn who_may_not_unbind_devices_unbinds_no_security_keys(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut SoftKey::u2f()).await;
        kit.user_allowed(&acme, "helper", &allowing(&["ram:*Passkey*", "ram:GetUserMFAInfo"], "*")).await;
        let helper = kit.user_client(&acme, "helper").await;
        let refused = helper.ram(&kit, "UnbindMFADevice", &[("UserName", "alice")]).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "NoPermission"));
        assert_eq!(kit.count("webauthn_credentials").await, 1);
    }
}
