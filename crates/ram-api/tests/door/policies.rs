//! Policies and their versions through the door.

use countersign_model::policy::LONGEST_DOCUMENT;
use countersign_testkit::people::allowing;
use countersign_testkit::{Kit, both_engines};
use http::StatusCode;
use serde_json::Value;

const LOOK: (&str, &str) = ("PolicyName", "look");
const CUSTOM: (&str, &str) = ("PolicyType", "Custom");
const SYSTEM: (&str, &str) = ("PolicyType", "System");
const ROTATE: (&str, &str) = ("RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded");

fn names(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

fn document(text: &str) -> (&str, &str) {
    ("PolicyDocument", text)
}

both_engines! {
    async fn who_may_not_read_policies_does_not_learn_which_there_are(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "nobody").await;
        kit.group(&acme, "readers", &[], &[]).await;
        let (client, nobody) = (kit.owner_client(&acme).await, kit.user_client(&acme, "nobody").await);
        let (user, group, version) = (("UserName", "nobody"), ("GroupName", "readers"), ("VersionId", "v1"));
        for (action, more) in [
            ("GetPolicy", None),
            ("GetPolicyVersion", Some(version)),
            ("ListPolicyVersions", None),
            ("ListEntitiesForPolicy", None),
            ("AttachPolicyToUser", Some(user)),
            ("DetachPolicyFromUser", Some(user)),
            ("AttachPolicyToGroup", Some(group)),
            ("DetachPolicyFromGroup", Some(group)),
        ] {
            let parameters = |name| [Some(SYSTEM), Some(("PolicyName", name)), more].into_iter().flatten().collect::<Vec<_>>();
            for name in ["AdministratorAccess", "AdministratorExcess"] {
                let (refused, events) = kit.told(&acme.id, nobody.ram(&kit, action, &parameters(name))).await;
                assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "NoPermission"), "{action} {name}");
                assert_eq!(events.len(), 1, "{action} {name}: {events:?}");
            }
            let absent = client.ram(&kit, action, &parameters("AdministratorExcess")).await;
            assert_eq!((absent.status, absent.code()), (StatusCode::NOT_FOUND, "EntityNotExist.Policy"), "{action}");
        }
    }

    async fn p02_a_policy_is_written_found_described_and_removed(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let text = allowing(&["ram:GetUser"], "*");
        let words = ("Description", "What <everybody> may & 云");
        let made = client.ram(&kit, "CreatePolicy", &[LOOK, document(&text), words]).await.ok();
        let policy = &made.json["Policy"];
        assert_eq!((&policy["PolicyName"], &policy["PolicyType"]), (&"look".into(), &"Custom".into()));
        assert_eq!((&policy["Description"], &policy["DefaultVersion"]), (&words.1.into(), &"v1".into()));
        let found = client.ram(&kit, "GetPolicy", &[("PolicyName", "LOOK"), CUSTOM]).await.ok();
        assert_eq!(found.text("/DefaultPolicyVersion/PolicyDocument"), text, "to the letter");
        let version = &found.json["DefaultPolicyVersion"];
        assert_eq!((&version["VersionId"], &version["IsDefaultVersion"]), (&"v1".into(), &true.into()));
        assert_eq!((&found.json["Policy"]["AttachmentCount"], &found.json["Policy"]["CreateDate"]), (&0.into(), &policy["CreateDate"]));
        let xml = client.clone().v1().ram(&kit, "GetPolicy", &[LOOK, CUSTOM, ("Format", "XML")]).await.ok();
        for part in [
            "<GetPolicyResponse><RequestId>", "<PolicyName>look</PolicyName><PolicyType>Custom</PolicyType>",
            "<Description>What &lt;everybody&gt; may &amp; 云</Description>", "<IsDefaultVersion>true</IsDefaultVersion>",
            "<AttachmentCount>0</AttachmentCount>", "<PolicyDocument>{&quot;Version&quot;:&quot;1&quot;,",
        ] {
            assert!(xml.body.contains(part), "{part} in {}", xml.body);
        }
        let told = client.ram(&kit, "UpdatePolicyDescription", &[LOOK, ("NewDescription", "Other words")]).await.ok();
        assert_eq!(told.text("/Policy/Description"), "Other words");
        client.ram(&kit, "UpdatePolicyDescription", &[LOOK, ("NewDescription", "")]).await.ok();
        assert_eq!(client.ram(&kit, "GetPolicy", &[LOOK, CUSTOM]).await.ok().text("/Policy/Description"), "");
        let system = client.ram(&kit, "GetPolicy", &[("PolicyName", "AdministratorAccess"), SYSTEM]).await.ok();
        assert_eq!((system.text("/Policy/PolicyType"), system.text("/Policy/CreateDate")), ("System".to_owned(), String::new()));
        client.ram(&kit, "DeletePolicy", &[LOOK]).await.ok();
        assert_eq!(client.ram(&kit, "GetPolicy", &[LOOK, CUSTOM]).await.code(), "EntityNotExist.Policy");
    }

    async fn p03_of_five_versions_one_counts_and_the_oldest_makes_room_when_asked(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let (one, two) = (allowing(&["oss:Get*"], "*"), allowing(&["oss:Put*"], "*"));
        client.ram(&kit, "CreatePolicy", &[LOOK, document(&one)]).await.ok();
        let made = client.ram(&kit, "CreatePolicyVersion", &[LOOK, document(&two)]).await.ok();
        let version = &made.json["PolicyVersion"];
        assert_eq!((&version["VersionId"], &version["IsDefaultVersion"]), (&"v2".into(), &false.into()));
        assert_eq!(version["PolicyDocument"], two.as_str());
        let made = client.ram(&kit, "CreatePolicyVersion", &[LOOK, document(&two), ("SetAsDefault", "True")]).await.ok();
        assert_eq!(made.json["PolicyVersion"]["IsDefaultVersion"], true);
        client.ram(&kit, "SetDefaultPolicyVersion", &[LOOK, ("VersionId", "v1")]).await.ok();
        let default = client.ram(&kit, "GetPolicy", &[LOOK, CUSTOM]).await.ok();
        assert_eq!((default.text("/Policy/DefaultVersion"), default.text("/DefaultPolicyVersion/PolicyDocument")), ("v1".to_owned(), one.clone()));
        for _ in 0..2 {
            client.ram(&kit, "CreatePolicyVersion", &[LOOK, document(&one), ("RotateStrategy", "None")]).await.ok();
        }
        let full = client.ram(&kit, "CreatePolicyVersion", &[LOOK, document(&one)]).await;
        assert_eq!((full.status, full.code()), (StatusCode::CONFLICT, "LimitExceeded.Policy.Version"));
        let unknown = client.ram(&kit, "CreatePolicyVersion", &[LOOK, document(&one), ("RotateStrategy", "Oldest")]).await;
        assert_eq!((unknown.status, unknown.code()), (StatusCode::BAD_REQUEST, "InvalidParameter.RotateStrategy"));
        client.ram(&kit, "CreatePolicyVersion", &[LOOK, document(&two), ROTATE]).await.ok();
        let listed = client.ram(&kit, "ListPolicyVersions", &[LOOK, CUSTOM]).await.ok();
        let versions = &listed.json["PolicyVersions"]["PolicyVersion"];
        assert_eq!(names(versions, "VersionId"), ["v6", "v5", "v4", "v3", "v1"], "the default one stays");
        let found = client.ram(&kit, "GetPolicyVersion", &[LOOK, CUSTOM, ("VersionId", "v6")]).await.ok();
        assert_eq!((found.text("/PolicyVersion/PolicyDocument"), &found.json["PolicyVersion"]), (two, &versions[0]));
        let several = client.ram(&kit, "DeletePolicy", &[LOOK, ("CascadingDelete", "false")]).await;
        assert_eq!((several.status, several.code()), (StatusCode::CONFLICT, "DeleteConflict.Policy.Version"));
        let default = client.ram(&kit, "DeletePolicyVersion", &[LOOK, ("VersionId", "v1")]).await;
        assert_eq!((default.status, default.code()), (StatusCode::CONFLICT, "DeleteConflict.Policy.Version.Default"));
        client.ram(&kit, "DeletePolicyVersion", &[LOOK, ("VersionId", "v6")]).await.ok();
        client.ram(&kit, "DeletePolicy", &[LOOK, ("CascadingDelete", "true")]).await.ok();
        let gone = client.ram(&kit, "ListPolicyVersions", &[LOOK, CUSTOM]).await;
        assert_eq!((gone.status, gone.code()), (StatusCode::NOT_FOUND, "EntityNotExist.Policy"));
    }

    async fn attack_131_policies_of_both_types_are_walked_through_by_markers(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        for number in 0..4 {
            kit.policy(&acme, &format!("P{number}"), &allowing(&["oss:Get*"], "*")).await;
        }
        let wanted = ["AdministratorAccess", "AliyunRAMFullAccess", "AliyunRAMReadOnlyAccess", "P0", "P1", "P2", "P3"];
        for size in ["1", "2", "3", "6", "7"] {
            let (mut found, mut marker) = (Vec::new(), String::new());
            loop {
                let page = client.ram(&kit, "ListPolicies", &[("MaxItems", size), ("Marker", &marker)]).await.ok();
                found.extend(names(&page.json["Policies"]["Policy"], "PolicyName"));
                marker = page.text("/Marker");
                assert_eq!(page.json["IsTruncated"] == true, !marker.is_empty());
                if marker.is_empty() {
                    break;
                }
            }
            assert_eq!(found, wanted, "{size} on a page");
        }
        let first = client.ram(&kit, "ListPolicies", &[CUSTOM, ("MaxItems", "2")]).await.ok();
        assert_eq!(names(&first.json["Policies"]["Policy"], "PolicyName"), ["P0", "P1"]);
        client.ram(&kit, "DeletePolicy", &[("PolicyName", "P0")]).await.ok();
        let rest = client.ram(&kit, "ListPolicies", &[CUSTOM, ("Marker", &first.text("/Marker"))]).await.ok();
        assert_eq!(names(&rest.json["Policies"]["Policy"], "PolicyName"), ["P2", "P3"]);
        let system = client.ram(&kit, "ListPolicies", &[SYSTEM, ("Tag", "[]")]).await.ok();
        assert_eq!(names(&system.json["Policies"]["Policy"], "PolicyName"), wanted[..3]);
        let more = client.ram(&kit, "ListPolicies", &[("Marker", "System AdministratorAccess")]).await;
        assert_eq!(more.code(), "InvalidParameter.Marker");
    }

    async fn every_refusal_about_policies_has_the_clouds_code(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let text = allowing(&["oss:Get*"], "*");
        client.ram(&kit, "CreatePolicy", &[LOOK, document(&text)]).await.ok();
        let (none, v1, text) = (("PolicyName", "none"), ("VersionId", "v1"), document(&text));
        let (long, longer) = ("x".repeat(129), "x".repeat(1_025));
        for (action, parameters, code, status) in [
            ("CreatePolicy", vec![text], "MissingPolicyName", 400),
            ("CreatePolicy", vec![LOOK], "MissingPolicyDocument", 400),
            ("CreatePolicy", vec![("PolicyName", "Look"), text], "EntityAlreadyExists.Policy", 409),
            ("CreatePolicy", vec![("PolicyName", "administratoraccess"), text], "EntityAlreadyExists.Policy", 409),
            ("CreatePolicy", vec![("PolicyName", "a_b"), text], "InvalidParameter.PolicyName.InvalidChars", 400),
            ("CreatePolicy", vec![("PolicyName", &long), text], "InvalidParameter.PolicyName.Length", 400),
            ("CreatePolicy", vec![none, text, ("Description", &longer)], "InvalidParameter.Description.Length", 400),
            ("CreatePolicy", vec![none, text, ("Tag.1.Key", "x"), ("Tag.1.Value", "y")], "InvalidParameter.Tag", 400),
            ("CreatePolicy", vec![none, text, ("Tag", "[{\"Key\":\"x\",\"Value\":\"y\"}]")], "InvalidParameter.Tag", 400),
            ("GetPolicy", vec![LOOK], "MissingPolicyType", 400),
            ("GetPolicy", vec![LOOK, ("PolicyType", "Own")], "InvalidParameter.PolicyType", 400),
            ("GetPolicy", vec![LOOK, SYSTEM], "EntityNotExist.Policy", 404),
            ("GetPolicy", vec![none, CUSTOM], "EntityNotExist.Policy", 404),
            ("GetPolicy", vec![("PolicyName", "AdministratorAccess"), CUSTOM], "EntityNotExist.Policy", 404),
            ("GetPolicy", vec![("PolicyName", "a b"), CUSTOM], "InvalidParameter.PolicyName.InvalidChars", 400),
            ("UpdatePolicyDescription", vec![LOOK], "MissingNewDescription", 400),
            ("UpdatePolicyDescription", vec![none, ("NewDescription", "x")], "EntityNotExist.Policy", 404),
            ("UpdatePolicyDescription", vec![LOOK, ("NewDescription", &longer)], "InvalidParameter.NewDescription.Length", 400),
            ("DeletePolicy", vec![none], "EntityNotExist.Policy", 404),
            ("DeletePolicy", vec![("PolicyName", "AdministratorAccess")], "EntityNotExist.Policy", 404),
            ("DeletePolicy", vec![LOOK, ("CascadingDelete", "yes")], "InvalidParameter.CascadingDelete", 400),
            ("ListPolicies", vec![("PolicyType", "own")], "InvalidParameter.PolicyType", 400),
            ("ListPolicies", vec![("MaxItems", "1001")], "InvalidParameter.MaxItems", 400),
            ("ListPolicies", vec![("Tag.1.Key", "x")], "InvalidParameter.Tag", 400),
            ("CreatePolicyVersion", vec![none, text], "EntityNotExist.Policy", 404),
            ("CreatePolicyVersion", vec![LOOK], "MissingPolicyDocument", 400),
            ("CreatePolicyVersion", vec![LOOK, text, ("SetAsDefault", "1")], "InvalidParameter.SetAsDefault", 400),
            ("GetPolicyVersion", vec![LOOK, CUSTOM], "MissingVersionId", 400),
            ("GetPolicyVersion", vec![LOOK, CUSTOM, ("VersionId", "1")], "InvalidParameter.VersionId.Format", 400),
            ("GetPolicyVersion", vec![LOOK, CUSTOM, ("VersionId", "v2")], "EntityNotExist.Policy.Version", 404),
            ("GetPolicyVersion", vec![none, CUSTOM, v1], "EntityNotExist.Policy", 404),
            ("ListPolicyVersions", vec![none, CUSTOM], "EntityNotExist.Policy", 404),
            ("SetDefaultPolicyVersion", vec![LOOK, ("VersionId", "v2")], "EntityNotExist.Policy.Version", 404),
            ("SetDefaultPolicyVersion", vec![LOOK, ("VersionId", "two")], "InvalidParameter.VersionId.Format", 400),
            ("SetDefaultPolicyVersion", vec![none, v1], "EntityNotExist.Policy", 404),
            ("DeletePolicyVersion", vec![LOOK, ("VersionId", "v2")], "EntityNotExist.Policy.Version", 404),
            ("DeletePolicyVersion", vec![LOOK, v1], "DeleteConflict.Policy.Version.Default", 409),
            ("DeletePolicyVersion", vec![none, v1], "EntityNotExist.Policy", 404),
        ] {
            let answer = client.ram(&kit, action, &parameters).await;
            assert_eq!((answer.code(), answer.status.as_u16()), (code, status), "{action} {parameters:?}");
        }
        // The newer version has no policies.
        assert_eq!(client.ims(&kit, "GetPolicy", &[LOOK, CUSTOM]).await.code(), "InvalidAction.NotFound");
    }

    async fn what_is_wrong_with_a_document_is_told_with_its_place(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let text = allowing(&["oss:Get*"], "*");
        for (text, message) in [
            ("{", "line 1, column 1: the text is not well-formed JSON"),
            (&text.replace("oss:Get*", "everything"), "Statement[0].Action[0]: an action is written as"),
            (&text.replace("Allow", "Grant"), "Statement[0].Effect: the effect must be"),
            (&text.replace(r#""Version":"1""#, r#""Version":"2""#), "Version: the version must be"),
        ] {
            for action in ["CreatePolicy", "CreatePolicyVersion"] {
                let answer = client.ram(&kit, action, &[LOOK, document(text)]).await;
                assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "MalformedPolicyDocument"));
                assert!(answer.text("/Message").starts_with(message), "{}", answer.body);
            }
        }
        // As long as a document may be, it comes through either way of signing.
        let resources = vec![format!("\"acs:oss:*:*:{}\"", "云".repeat(400)); 14].join(",");
        let text = format!(r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"oss:*","Resource":[{resources}]}}]}}"#);
        let full = text.clone() + &" ".repeat(LONGEST_DOCUMENT - text.chars().count());
        for (client, name) in [(client.clone(), "wide"), (client.clone().v1(), "wider")] {
            client.ram(&kit, "CreatePolicy", &[("PolicyName", name), document(&full)]).await.ok();
            let found = client.ram(&kit, "GetPolicy", &[("PolicyName", name), CUSTOM]).await.ok();
            assert_eq!(found.text("/DefaultPolicyVersion/PolicyDocument"), full);
            let answer = client.ram(&kit, "CreatePolicyVersion", &[("PolicyName", name), document(&format!("{full} "))]).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "InvalidParameter.PolicyDocument.Length"));
        }
    }

    async fn attack_133_whoever_writes_policies_gains_nothing_by_them(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        let may = ["ram:*Policy*", "ram:AttachPolicyToUser", "ram:AttachPolicyToGroup", "ram:AddUserToGroup"];
        kit.user_allowed(&acme, "writer", &allowing(&may, "*")).await;
        kit.ram_user(&acme, "friend").await;
        kit.group(&acme, "dev", &[], &[]).await;
        let all = allowing(&["*"], "*");
        let writer = kit.user_client(&acme, "writer").await;
        writer.ram(&kit, "CreatePolicy", &[("PolicyName", "all"), document(&all)]).await.ok();
        let own = ("PolicyName", "writer-policy");
        for (action, parameters) in [
            ("AttachPolicyToUser", vec![("UserName", "writer"), ("PolicyName", "all"), CUSTOM]),
            ("AttachPolicyToUser", vec![("UserName", "friend"), ("PolicyName", "all"), CUSTOM]),
            ("AttachPolicyToUser", vec![("UserName", "friend"), ("PolicyName", "AdministratorAccess"), SYSTEM]),
            ("AttachPolicyToGroup", vec![("GroupName", "dev"), ("PolicyName", "all"), CUSTOM]),
            ("CreatePolicyVersion", vec![own, document(&all), ("SetAsDefault", "true")]),
            ("DetachPolicyFromUser", vec![("UserName", "writer"), own, CUSTOM]),
        ] {
            let answer = writer.ram(&kit, action, &parameters).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "NoPermission"), "{action} {parameters:?}");
        }
        let stranger = kit.owner_client(&other).await;
        for action in ["GetPolicy", "DeletePolicy", "ListPolicyVersions", "ListEntitiesForPolicy"] {
            let answer = stranger.ram(&kit, action, &[("PolicyName", "all"), CUSTOM]).await;
            assert_eq!(answer.code(), "EntityNotExist.Policy", "{action}");
        }
    }
}
