//! Groups through the door.

use countersign_core::groups::GroupFacts;
use countersign_ram_api::api::Api;
use countersign_testkit::people::allowing;
use countersign_testkit::{Kit, both_engines, origin};
use http::StatusCode;
use serde_json::Value;

const ALICE: (&str, &str) = ("UserPrincipalName", "alice@acme.countersign.local");
const DEV: (&str, &str) = ("GroupName", "dev");

fn names(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

both_engines! {
    async fn p01_a_group_is_made_found_changed_and_removed_in_both_versions(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let made = client.ram(&kit, "CreateGroup", &[DEV, ("Comments", "who build & 云")]).await.ok();
        assert_eq!(keys(&made.json["Group"]), ["Comments", "CreateDate", "GroupId", "GroupName"]);
        let id = made.text("/Group/GroupId");
        let found = client.ims(&kit, "GetGroup", &[("GroupName", "DEV")]).await.ok();
        assert_eq!(keys(&found.json["Group"]), ["Comments", "CreateDate", "GroupId", "GroupName", "UpdateDate"]);
        assert_eq!((found.text("/Group/GroupId"), found.text("/Group/Comments")), (id.clone(), "who build & 云".to_owned()));
        let changed = client.ims(&kit, "UpdateGroup", &[DEV, ("NewComments", "they build")]).await.ok();
        assert_eq!(changed.text("/Group/GroupName"), "dev", "what is not named stays");
        let changed = client.ram(&kit, "UpdateGroup", &[DEV, ("NewGroupName", "Builders")]).await.ok();
        assert_eq!((changed.text("/Group/GroupId"), changed.text("/Group/Comments")), (id, "they build".to_owned()));
        assert_eq!(client.ram(&kit, "GetGroup", &[DEV]).await.code(), "EntityNotExist.Group");
        client.ims(&kit, "CreateGroup", &[("GroupName", "ops")]).await.ok();
        for api in [Api::Ram, Api::Ims] {
            let listed = client.call(&kit, api, "ListGroups", &[]).await.ok();
            assert_eq!(names(&listed.json["Groups"]["Group"], "GroupName"), ["Builders", "ops"]);
            assert_eq!((&listed.json["IsTruncated"], listed.text("/Marker")), (&false.into(), String::new()));
        }
        client.ram(&kit, "DeleteGroup", &[("GroupName", "builders")]).await.ok();
        client.ims(&kit, "DeleteGroup", &[("GroupName", "ops")]).await.ok();
        let gone = client.ims(&kit, "DeleteGroup", &[("GroupName", "ops")]).await;
        assert_eq!((gone.status, gone.code()), (StatusCode::NOT_FOUND, "EntityNotExist.Group"));
    }

    async fn p01_users_are_put_in_listed_and_taken_out_in_both_versions(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let user = client.ram(&kit, "CreateUser", &[("UserName", "alice"), ("DisplayName", "Alice A")]).await.ok();
        client.ram(&kit, "CreateUser", &[("UserName", "Bob")]).await.ok();
        client.ram(&kit, "CreateGroup", &[DEV, ("Comments", "who build")]).await.ok();
        client.ims(&kit, "AddUserToGroup", &[DEV, ALICE]).await.ok();
        client.ram(&kit, "AddUserToGroup", &[DEV, ("UserName", "bob")]).await.ok();
        let ram = client.ram(&kit, "ListUsersForGroup", &[DEV]).await.ok();
        let users = &ram.json["Users"]["User"];
        assert_eq!(names(users, "UserName"), ["alice", "Bob"]);
        assert_eq!(keys(&users[0]), ["DisplayName", "JoinDate", "UserName"]);
        let ims = client.ims(&kit, "ListUsersForGroup", &[DEV]).await.ok();
        let users = &ims.json["Users"]["User"];
        assert_eq!(users[0]["UserPrincipalName"], "alice@acme.countersign.local");
        assert_eq!((&users[0]["DisplayName"], &users[0]["UserId"]), (&"Alice A".into(), &user.json["User"]["UserId"]));
        let groups = client.ram(&kit, "ListGroupsForUser", &[("UserName", "alice")]).await.ok();
        assert_eq!(keys(&groups.json["Groups"]["Group"][0]), ["Comments", "GroupId", "GroupName", "JoinDate"]);
        assert_eq!(client.ims(&kit, "ListGroupsForUser", &[ALICE]).await.ok().json["Groups"], groups.json["Groups"]);
        let held = client.ram(&kit, "DeleteGroup", &[DEV]).await;
        assert_eq!((held.status, held.code()), (StatusCode::CONFLICT, "DeleteConflict.Group.User"));
        assert_eq!(client.ram(&kit, "DeleteUser", &[("UserName", "alice")]).await.code(), "DeleteConflict.User.Group");
        client.ram(&kit, "RemoveUserFromGroup", &[DEV, ("UserName", "alice")]).await.ok();
        let twice = client.ims(&kit, "RemoveUserFromGroup", &[DEV, ALICE]).await;
        assert_eq!((twice.status, twice.code()), (StatusCode::NOT_FOUND, "EntityNotExist.User.Group"));
        assert_eq!(client.ims(&kit, "ListGroupsForUser", &[ALICE]).await.ok().json["Groups"]["Group"], Value::Array(vec![]));
    }

    async fn a_group_is_told_in_xml(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await.v1();
        client.ram(&kit, "CreateGroup", &[DEV, ("Comments", "<build> & ship")]).await.ok();
        let listed = client.ram(&kit, "ListGroups", &[("Format", "XML")]).await.ok();
        for part in [
            "<ListGroupsResponse><RequestId>", "<IsTruncated>false</IsTruncated><Groups><Group><GroupId>",
            "<GroupName>dev</GroupName><Comments>&lt;build&gt; &amp; ship</Comments><CreateDate>", "</Group></Groups>",
        ] {
            assert!(listed.body.contains(part), "{part} in {}", listed.body);
        }
        let refused = client.ram(&kit, "GetGroup", &[("GroupName", "ops"), ("Format", "XML")]).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        assert!(refused.body.contains("<Code>EntityNotExist.Group</Code><Message>The group does not exist.</Message>"));
    }

    async fn every_refusal_about_groups_has_the_clouds_code(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let alice = ("UserName", "alice");
        client.ram(&kit, "CreateUser", &[alice]).await.ok();
        client.ram(&kit, "CreateGroup", &[DEV]).await.ok();
        client.ram(&kit, "CreateGroup", &[("GroupName", "ops")]).await.ok();
        client.ram(&kit, "AddUserToGroup", &[DEV, alice]).await.ok();
        let (ops, none, long) = (("GroupName", "ops"), ("GroupName", "none"), "x".repeat(129));
        for (action, parameters, code, status) in [
            ("CreateGroup", vec![], "MissingGroupName", 400),
            ("CreateGroup", vec![("GroupName", "DEV")], "EntityAlreadyExists.Group", 409),
            ("CreateGroup", vec![("GroupName", "a b")], "InvalidParameter.GroupName.InvalidChars", 400),
            ("CreateGroup", vec![("GroupName", &long)], "InvalidParameter.GroupName.Length", 400),
            ("CreateGroup", vec![none, ("Comments", &long)], "InvalidParameter.Comments.Length", 400),
            // There is no such thing here, and nobody is told that there is.
            ("CreateGroup", vec![none, ("DisplayName", "x")], "InvalidParameter.DisplayName", 400),
            ("UpdateGroup", vec![DEV, ("NewDisplayName", "x")], "InvalidParameter.NewDisplayName", 400),
            ("UpdateGroup", vec![DEV, ("NewGroupName", "ops")], "EntityAlreadyExists.Group", 409),
            ("UpdateGroup", vec![DEV, ("NewGroupName", "a b")], "InvalidParameter.NewGroupName.InvalidChars", 400),
            ("UpdateGroup", vec![DEV, ("NewGroupName", &long)], "InvalidParameter.NewGroupName.Length", 400),
            ("UpdateGroup", vec![DEV, ("NewComments", &long)], "InvalidParameter.NewComments.Length", 400),
            ("UpdateGroup", vec![none], "EntityNotExist.Group", 404),
            ("GetGroup", vec![none], "EntityNotExist.Group", 404),
            ("GetGroup", vec![("GroupName", "a/b")], "InvalidParameter.GroupName.InvalidChars", 400),
            ("DeleteGroup", vec![none], "EntityNotExist.Group", 404),
            ("AddUserToGroup", vec![DEV], "MissingUserName", 400),
            ("AddUserToGroup", vec![alice], "MissingGroupName", 400),
            ("AddUserToGroup", vec![none, alice], "EntityNotExist.Group", 404),
            ("AddUserToGroup", vec![DEV, ("UserName", "bob")], "EntityNotExist.User", 404),
            ("AddUserToGroup", vec![DEV, ("UserName", "a b")], "InvalidParameter.UserName.InvalidChars", 400),
            ("AddUserToGroup", vec![DEV, alice], "EntityAlreadyExists.User.Group", 409),
            ("RemoveUserFromGroup", vec![ops, alice], "EntityNotExist.User.Group", 404),
            ("RemoveUserFromGroup", vec![none, alice], "EntityNotExist.Group", 404),
            ("RemoveUserFromGroup", vec![DEV, ("UserName", "bob")], "EntityNotExist.User", 404),
            ("ListUsersForGroup", vec![none], "EntityNotExist.Group", 404),
            ("ListUsersForGroup", vec![DEV, ("MaxItems", "1001")], "InvalidParameter.MaxItems", 400),
            ("ListUsersForGroup", vec![DEV, ("Marker", "alice")], "InvalidParameter.Marker", 400),
            ("ListGroupsForUser", vec![], "MissingUserName", 400),
            ("ListGroupsForUser", vec![("UserName", "bob")], "EntityNotExist.User", 404),
            ("ListGroups", vec![("MaxItems", "101")], "InvalidParameter.MaxItems", 400),
            ("ListGroups", vec![("MaxItems", "0")], "InvalidParameter.MaxItems", 400),
            ("ListGroups", vec![("Marker", "dev")], "InvalidParameter.Marker", 400),
        ] {
            let answer = client.ram(&kit, action, &parameters).await;
            assert_eq!((answer.code(), answer.status.as_u16()), (code, status), "{action} {parameters:?}");
        }
        let foreign = ("UserPrincipalName", "alice@other.countersign.local");
        for (action, parameters, code) in [
            ("ListUsersForGroup", vec![DEV, ("MaxItems", "101")], "InvalidParameter.MaxItems"),
            ("AddUserToGroup", vec![DEV], "MissingUserPrincipalName"),
            ("AddUserToGroup", vec![DEV, foreign], "EntityNotExist.User"),
            ("AddUserToGroup", vec![DEV, ALICE], "EntityAlreadyExists.User.Group"),
            ("RemoveUserFromGroup", vec![ops, ALICE], "EntityNotExist.User.Group"),
        ] {
            assert_eq!(client.ims(&kit, action, &parameters).await.code(), code, "{action} {parameters:?}");
        }
    }

    async fn attack_131_groups_and_their_users_are_walked_through_by_markers(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        let client = kit.owner_client(&acme).await;
        kit.group(&acme, "all", &[], &[]).await;
        for number in 0..6 {
            let user = format!("U{number}");
            client.ram(&kit, "CreateGroup", &[("GroupName", &format!("G{number}"))]).await.ok();
            client.ram(&kit, "CreateUser", &[("UserName", &user)]).await.ok();
            client.ram(&kit, "AddUserToGroup", &[("GroupName", "all"), ("UserName", &user)]).await.ok();
        }
        let all = ("GroupName", "all");
        let first = client.ims(&kit, "ListGroups", &[("MaxItems", "3")]).await.ok();
        assert_eq!(names(&first.json["Groups"]["Group"], "GroupName"), ["all", "G0", "G1"]);
        // Who goes meanwhile moves nobody else.
        client.ram(&kit, "DeleteGroup", &[("GroupName", "G0")]).await.ok();
        client.ram(&kit, "DeleteGroup", &[("GroupName", "G1")]).await.ok();
        let rest = client.ims(&kit, "ListGroups", &[("Marker", &first.text("/Marker"))]).await.ok();
        assert_eq!(names(&rest.json["Groups"]["Group"], "GroupName"), ["G2", "G3", "G4", "G5"]);
        assert_eq!(rest.json["IsTruncated"], false);
        let exact = client.ims(&kit, "ListGroups", &[("MaxItems", "5")]).await.ok();
        assert_eq!((&exact.json["IsTruncated"], exact.text("/Marker")), (&false.into(), String::new()));
        for api in [Api::Ram, Api::Ims] {
            let first = client.call(&kit, api, "ListUsersForGroup", &[all, ("MaxItems", "4")]).await.ok();
            assert_eq!(first.json["IsTruncated"], true);
            let (count, marker) = (first.json["Users"]["User"].as_array().unwrap().len(), first.text("/Marker"));
            let rest = client.call(&kit, api, "ListUsersForGroup", &[all, ("Marker", &marker)]).await.ok();
            assert_eq!((count, rest.json["Users"]["User"].as_array().unwrap().len()), (4, 2));
            // It is good for its own list of its own account.
            assert_eq!(client.call(&kit, api, "ListGroups", &[("Marker", &marker)]).await.code(), "InvalidParameter.Marker");
        }
        let stranger = kit.owner_client(&other).await;
        let stolen = stranger.ims(&kit, "ListGroups", &[("Marker", &first.text("/Marker"))]).await;
        assert_eq!(stolen.code(), "InvalidParameter.Marker");
    }

    async fn groups_and_memberships_have_limits(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        let (owner, alice) = (kit.owner_session(&acme).await.actor, ("UserName", "alice"));
        for number in 0..300 {
            let facts = GroupFacts { name: format!("g{number}").parse().unwrap(), comments: "".parse().unwrap() };
            kit.core().create_group(&owner, facts, origin()).await.unwrap();
        }
        let more = client.ram(&kit, "CreateGroup", &[DEV]).await;
        assert_eq!((more.status, more.code()), (StatusCode::CONFLICT, "LimitExceeded.Group"));
        for number in 0..10 {
            client.ram(&kit, "AddUserToGroup", &[("GroupName", &format!("g{number}")), alice]).await.ok();
        }
        let more = client.ims(&kit, "AddUserToGroup", &[("GroupName", "g10"), ALICE]).await;
        assert_eq!((more.status, more.code()), (StatusCode::CONFLICT, "LimitExceeded.User.Group"));
        assert_eq!(more.text("/Message"), "The count of groups the target user joined beyond the current limits.");
    }

    async fn attack_133_a_helper_may_what_his_policy_names_and_no_more(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        let may = allowing(&["ram:GetGroup", "ram:UpdateGroup", "ram:ListUsersForGroup"], "acs:ram:*:*:group/dev*");
        kit.user_allowed(&acme, "helper", &may).await;
        kit.ram_user(&acme, "alice").await;
        kit.group(&acme, "dev", &[], &[]).await;
        kit.group(&acme, "ops", &[], &[]).await;
        let helper = kit.user_client(&acme, "helper").await;
        helper.ram(&kit, "GetGroup", &[DEV]).await.ok();
        helper.ims(&kit, "UpdateGroup", &[DEV, ("NewComments", "x")]).await.ok();
        for (action, parameters) in [
            ("GetGroup", vec![("GroupName", "ops")]),
            ("UpdateGroup", vec![DEV, ("NewGroupName", "ops2")]),
            ("DeleteGroup", vec![DEV]),
            ("ListGroups", vec![]),
            ("AddUserToGroup", vec![DEV, ("UserName", "alice")]),
            ("ListGroupsForUser", vec![("UserName", "alice")]),
            // Whoever may not learn what exists does not.
            ("GetGroup", vec![("GroupName", "nothing")]),
        ] {
            let answer = helper.ram(&kit, action, &parameters).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "NoPermission"), "{action}");
        }
        let stranger = kit.owner_client(&other).await;
        for action in ["GetGroup", "UpdateGroup", "DeleteGroup", "ListUsersForGroup"] {
            assert_eq!(stranger.ram(&kit, action, &[DEV]).await.code(), "EntityNotExist.Group", "{action}");
        }
    }
}
