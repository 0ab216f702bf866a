//! The audit log in the shape of `ActionTrail`, after calls and logons.

use countersign_core::audit_chain::ExportFormat;
use countersign_core::audit_log::EventFilter;
use countersign_model::logon::LogonState;
use countersign_testkit::people::USER_PASSWORD;
use countersign_testkit::{Account, Kit, both_engines, origin};
use serde_json::{Value, json};

/// The events of an account.
async fn trail(kit: &Kit, account: &Account, filter: EventFilter) -> Vec<Value> {
    kit.core().sequencer().finish().await.unwrap();
    let owner = kit.owner_session(account).await;
    let export = kit.core().export_audit_log(&owner.actor, filter, ExportFormat::ActionTrail, origin()).await;
    let (mut export, mut text) = (export.unwrap(), Vec::new());
    while let Some(part) = export.next_part().await.unwrap() {
        text.extend(part);
    }
    let text = String::from_utf8(text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn all<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["eventName"] == name).collect()
}

both_engines! {
    async fn calls_and_logons_are_told_in_the_shape_of_the_clouds_log(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_client(&acme).await;
        let made = owner.ram(&kit, "CreateUser", &[("UserName", "dave"), ("Comments", "not told")]).await.ok();
        let secret = [("UserName", "dave"), ("Password", USER_PASSWORD), ("MFABindRequired", "false")];
        owner.ram(&kit, "CreateLoginProfile", &secret).await.ok();
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let program = kit.user_client(&acme, "alice").await;
        let refused = program.ims(&kit, "DeleteUser", &[("UserPrincipalName", "dave@acme.countersign.local")]).await;
        assert_eq!(refused.code(), "NoPermission");
        kit.log_on_as(&alice.logon_name, "wrong").await.unwrap_err();
        kit.next_step();
        let waiting = kit.waiting(&alice, LogonState::SecondFactor).await;
        let wrong = phone.wrong_code(&kit);
        kit.core().logon_with_code(&waiting, wrong, origin()).await.unwrap_err();
        kit.core().logon_with_code(&waiting, phone.code(&kit), origin()).await.unwrap();

        let events = trail(&kit, &acme, EventFilter::default()).await;
        let created = events.iter().find(|event| event["requestId"] == made.text("/RequestId").as_str()).unwrap();
        let id = created["eventId"].clone();
        assert_eq!(*created, json!({
            "eventId": id, "eventVersion": 1, "eventType": "ApiCall", "eventName": "CreateUser",
            "eventSource": "ram.aliyuncs.com", "serviceName": "Ram", "apiVersion": "2015-05-01",
            "eventTime": created["eventTime"], "sourceIpAddress": "192.0.2.9", "userAgent": "a test's program",
            "userIdentity": {
                "type": "root-account", "principalId": acme.id.as_str(), "accountId": acme.id.as_str(),
                "userName": "root", "accessKeyId": owner.key.id,
            },
            "requestId": made.text("/RequestId"),
            "requestParameters": { "UserName": "dave" },
            "resourceName": "dave",
        }));
        let deleted = all(&events, "DeleteUser");
        assert_eq!(deleted.len(), 1);
        let deleted = deleted[0];
        assert_eq!((&deleted["errorCode"], &deleted["errorMessage"]), (&refused.json["Code"], &refused.json["Message"]));
        assert_eq!((&deleted["requestId"], &deleted["serviceName"]), (&refused.json["RequestId"], &"Ims".into()));
        assert_eq!(deleted["requestParameters"], json!({ "UserPrincipalName": "dave@acme.countersign.local" }));
        let identity = &deleted["userIdentity"];
        assert_eq!((&identity["type"], &identity["userName"]), (&"ram-user".into(), &"alice".into()));
        assert_eq!(identity["accessKeyId"], program.key.id.as_str());
        assert_eq!(identity.get("sessionContext"), None, "a key has no session");

        let logons = all(&events, "ConsoleSignin");
        let alices: Vec<_> = logons.iter().filter(|event| event["userIdentity"]["userName"] == "alice").collect();
        let told = |event: &Value, field: &str| event.get(field).cloned().unwrap_or_default();
        let of = |reason: &str| alices.iter().find(|event| told(event, "errorMessage") == reason).unwrap();
        for (reason, code) in [("password_wrong", "LogonFail"), ("code_wrong", "CheckAuthenticationCodeFail")] {
            let event = of(reason);
            assert_eq!((&event["errorCode"], &event["userIdentity"]["type"]), (&code.into(), &"ram-user".into()));
            assert_eq!(event["additionalEventData"], json!({ "mfaChecked": "false" }), "{reason}");
        }
        let opened = alices.last().unwrap();
        assert_eq!(opened.get("errorCode"), None);
        assert_eq!(opened["additionalEventData"], json!({ "mfaChecked": "true" }));
        assert_eq!((&opened["serviceName"], &opened["eventSource"]), (&"AasSub".into(), &"signin.aliyun.com".into()));
        assert_eq!((&opened["sourceIpAddress"], &opened["userAgent"]), (&"192.0.2.7".into(), &"a test".into()));
        let owners = logons.iter().find(|event| event["serviceName"] == "AasCustomer").unwrap();
        let data = json!({ "loginAccount": "owner@acme.example", "isMFAChecked": "false" });
        assert_eq!(owners["additionalEventData"], data);
        // The pages beside it: what the session was worth.
        let by_page = all(&events, "CreateAccessKey");
        assert!(by_page.iter().all(|event| event["eventType"] == "ConsoleOperation"));
        let context = json!({ "attributes": { "mfaAuthenticated": "false" } });
        assert_eq!(by_page[0]["userIdentity"]["sessionContext"], context);
        // No secret is in it, and nothing that the operator did.
        let text = serde_json::to_string(&events).unwrap();
        for secret in [USER_PASSWORD, &owner.key.secret, "not told", &phone.code(&kit)] {
            assert!(!text.contains(secret), "{secret}");
        }
        assert!(all(&events, "CreateAccount").is_empty());
    }

    async fn an_export_in_this_shape_is_filtered_like_the_others_and_holds_no_chain(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        let owner = kit.owner_client(&acme).await;
        for name in ["bob", "carol"] {
            owner.ram(&kit, "CreateUser", &[("UserName", name)]).await.ok();
        }
        let of_bob = EventFilter { user: "bob".to_owned(), ..EventFilter::default() };
        let events = trail(&kit, &acme, of_bob).await;
        assert_eq!(events.iter().map(|event| &event["resourceName"]).collect::<Vec<_>>(), ["bob"]);
        let later = EventFilter { from: kit.core().now().plus(std::time::Duration::from_hours(1)), ..EventFilter::default() };
        assert_eq!(trail(&kit, &acme, later).await, Vec::<Value>::new());
        assert!(all(&trail(&kit, &other, EventFilter::default()).await, "CreateUser").is_empty());
    }
}
