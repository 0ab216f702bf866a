//! What is attached to whom through the door, and what it grants.

use countersign_testkit::people::allowing;
use countersign_testkit::{Kit, both_engines};
use http::StatusCode;
use serde_json::Value;

const ALICE: (&str, &str) = ("UserName", "alice");
const DEV: (&str, &str) = ("GroupName", "dev");
const LOOK: (&str, &str) = ("PolicyName", "look");
const CUSTOM: (&str, &str) = ("PolicyType", "Custom");
const READER: (&str, &str) = ("PolicyName", "AliyunRAMReadOnlyAccess");
const SYSTEM: (&str, &str) = ("PolicyType", "System");

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

both_engines! {
    async fn p01_p02_what_is_attached_grants_from_the_next_call_on_and_no_longer(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        kit.policy(&acme, "look", &allowing(&["ram:ListUsers"], "*")).await;
        kit.group(&acme, "dev", &["alice"], &[]).await;
        let alice = kit.user_client(&acme, "alice").await;
        let may = async || alice.ram(&kit, "ListUsers", &[]).await.status == StatusCode::OK;
        assert!(!may().await);
        client.ram(&kit, "AttachPolicyToUser", &[ALICE, LOOK, CUSTOM]).await.ok();
        assert!(may().await);
        client.ram(&kit, "DetachPolicyFromUser", &[ALICE, LOOK, CUSTOM]).await.ok();
        assert!(!may().await);
        client.ram(&kit, "AttachPolicyToGroup", &[DEV, LOOK, CUSTOM]).await.ok();
        assert!(may().await);
        client.ram(&kit, "AttachPolicyToUser", &[ALICE, READER, SYSTEM]).await.ok();
        let of_user = client.ram(&kit, "ListPoliciesForUser", &[ALICE]).await.ok();
        let lines = &of_user.json["Policies"]["Policy"];
        assert_eq!((lines.as_array().unwrap().len(), &lines[0]["PolicyName"]), (1, &READER.1.into()), "his own alone");
        assert_eq!(keys(&lines[0]), ["AttachDate", "DefaultVersion", "Description", "PolicyName", "PolicyType"]);
        let of_group = client.ram(&kit, "ListPoliciesForGroup", &[DEV]).await.ok();
        assert_eq!(of_group.text("/Policies/Policy/0/PolicyName"), "look");
        let entities = client.ram(&kit, "ListEntitiesForPolicy", &[LOOK, CUSTOM]).await.ok();
        assert_eq!(entities.json["Users"]["User"], Value::Array(vec![]));
        assert_eq!(keys(&entities.json["Groups"]["Group"][0]), ["AttachDate", "Comments", "GroupName"]);
        let entities = client.ram(&kit, "ListEntitiesForPolicy", &[READER, SYSTEM]).await.ok();
        assert_eq!(keys(&entities.json["Users"]["User"][0]), ["AttachDate", "DisplayName", "UserId", "UserName"]);
        assert_eq!(entities.json["Roles"]["Role"], Value::Array(vec![]));
        assert_eq!(client.ram(&kit, "GetPolicy", &[LOOK, CUSTOM]).await.ok().json["Policy"]["AttachmentCount"], 1);
        let xml = client.clone().v1().ram(&kit, "ListEntitiesForPolicy", &[READER, SYSTEM, ("Format", "XML")]).await.ok();
        assert!(xml.body.contains("<Groups></Groups><Users><User><UserId>"), "{}", xml.body);
        client.ram(&kit, "DetachPolicyFromGroup", &[DEV, LOOK, CUSTOM]).await.ok();
        assert!(may().await, "by the other policy");
        client.ram(&kit, "DetachPolicyFromUser", &[ALICE, READER, SYSTEM]).await.ok();
        assert!(!may().await);
    }

    async fn every_refusal_about_attachments_has_the_clouds_code(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        let policy = kit.policy(&acme, "look", &allowing(&["oss:Get*"], "*")).await;
        kit.policy(&acme, "idle", &allowing(&["oss:Get*"], "*")).await;
        kit.group(&acme, "dev", &["alice"], &[policy]).await;
        client.ram(&kit, "AttachPolicyToUser", &[ALICE, LOOK, CUSTOM]).await.ok();
        let (idle, none, scope) = (("PolicyName", "idle"), ("PolicyName", "none"), ("ResourceGroupId", "rg-1"));
        for (action, parameters, code, status) in [
            ("AttachPolicyToUser", vec![LOOK, CUSTOM], "MissingUserName", 400),
            ("AttachPolicyToUser", vec![ALICE, LOOK], "MissingPolicyType", 400),
            ("AttachPolicyToUser", vec![ALICE, CUSTOM], "MissingPolicyName", 400),
            ("AttachPolicyToUser", vec![ALICE, LOOK, CUSTOM], "EntityAlreadyExists.User.Policy", 409),
            ("AttachPolicyToUser", vec![ALICE, none, CUSTOM], "EntityNotExist.Policy", 404),
            ("AttachPolicyToUser", vec![ALICE, none, SYSTEM], "EntityNotExist.Policy", 404),
            ("AttachPolicyToUser", vec![ALICE, LOOK, ("PolicyType", "x")], "InvalidParameter.PolicyType", 400),
            ("AttachPolicyToUser", vec![("UserName", "bob"), LOOK, CUSTOM], "EntityNotExist.User", 404),
            // What was meant for one resource group must not count in the whole account.
            ("AttachPolicyToUser", vec![ALICE, idle, CUSTOM, scope], "InvalidParameter.ResourceGroupId", 400),
            ("AttachPolicyToGroup", vec![DEV, idle, CUSTOM, scope], "InvalidParameter.ResourceGroupId", 400),
            ("DetachPolicyFromUser", vec![ALICE, LOOK, CUSTOM, scope], "InvalidParameter.ResourceGroupId", 400),
            ("DetachPolicyFromGroup", vec![DEV, LOOK, CUSTOM, scope], "InvalidParameter.ResourceGroupId", 400),
            ("DetachPolicyFromUser", vec![ALICE, idle, CUSTOM], "EntityNotExist.User.Policy", 404),
            ("DetachPolicyFromUser", vec![ALICE, none, CUSTOM], "EntityNotExist.Policy", 404),
            ("DetachPolicyFromUser", vec![("UserName", "bob"), LOOK, CUSTOM], "EntityNotExist.User", 404),
            ("AttachPolicyToGroup", vec![DEV, LOOK, CUSTOM], "EntityAlreadyExists.Group.Policy", 409),
            ("AttachPolicyToGroup", vec![("GroupName", "ops"), LOOK, CUSTOM], "EntityNotExist.Group", 404),
            ("AttachPolicyToGroup", vec![DEV, none, CUSTOM], "EntityNotExist.Policy", 404),
            ("DetachPolicyFromGroup", vec![DEV, idle, CUSTOM], "EntityNotExist.Group.Policy", 404),
            ("DetachPolicyFromGroup", vec![("GroupName", "ops"), LOOK, CUSTOM], "EntityNotExist.Group", 404),
            ("ListPoliciesForUser", vec![("UserName", "bob")], "EntityNotExist.User", 404),
            ("ListPoliciesForGroup", vec![("GroupName", "ops")], "EntityNotExist.Group", 404),
            ("ListEntitiesForPolicy", vec![none, CUSTOM], "EntityNotExist.Policy", 404),
            ("ListEntitiesForPolicy", vec![LOOK], "MissingPolicyType", 400),
            ("DeletePolicy", vec![LOOK, ("CascadingDelete", "true")], "DeleteConflict.Policy.User", 409),
        ] {
            let answer = client.ram(&kit, action, &parameters).await;
            assert_eq!((answer.code(), answer.status.as_u16()), (code, status), "{action} {parameters:?}");
        }
        client.ram(&kit, "DetachPolicyFromUser", &[ALICE, LOOK, CUSTOM]).await.ok();
        assert_eq!(client.ram(&kit, "DeletePolicy", &[LOOK]).await.code(), "DeleteConflict.Policy.Group");
        client.ram(&kit, "RemoveUserFromGroup", &[DEV, ALICE]).await.ok();
        assert_eq!(client.ram(&kit, "DeleteGroup", &[DEV]).await.code(), "DeleteConflict.Group.Policy");
    }

    async fn what_is_attached_has_limits(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        kit.group(&acme, "dev", &[], &[]).await;
        for number in 0..11 {
            let name = format!("p{number}");
            kit.policy(&acme, &name, &allowing(&["oss:Get*"], "*")).await;
            let policy = ("PolicyName", name.as_str());
            let to_user = client.ram(&kit, "AttachPolicyToUser", &[ALICE, policy, CUSTOM]).await;
            let to_group = client.ram(&kit, "AttachPolicyToGroup", &[DEV, policy, CUSTOM]).await;
            let [user, group] = if number < 10 { ["", ""] } else { ["LimitExceeded.User.Policy", "LimitExceeded.Group.Policy"] };
            assert_eq!((to_user.code(), to_group.code()), (user, group), "{name}");
            let status = if number < 10 { StatusCode::OK } else { StatusCode::CONFLICT };
            assert_eq!((to_user.status, to_group.status), (status, status));
        }
    }
}
