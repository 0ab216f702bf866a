//! RAM users through the door.

use countersign_testkit::{Kit, both_engines};
use http::StatusCode;

both_engines! {
    async fn a_user_is_made_found_changed_and_removed_in_both_versions(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let made = client.ram(&kit, "CreateUser", &[
            ("UserName", "alice"), ("DisplayName", "Alice A"), ("Comments", "云 engineer"),
            ("Email", "alice@example.com"), ("MobilePhone", "86-13900001234"), ("RegionId", "cn-hangzhou"),
        ]).await.ok();
        assert_eq!(made.text("/User/UserName"), "alice");
        let id = made.text("/User/UserId");
        let found = client.ims(&kit, "GetUser", &[("UserPrincipalName", "alice@acme.countersign.local")]).await.ok();
        assert_eq!(found.text("/User/UserId"), id);
        assert_eq!(found.text("/User/UserPrincipalName"), "alice@acme.countersign.local");
        assert_eq!(found.text("/User/Comments"), "云 engineer");
        assert_eq!(found.text("/User/MobilePhone"), "86-13900001234");
        let by_id = format!("alice@{}.countersign.local", acme.id);
        assert_eq!(client.ims(&kit, "GetUser", &[("UserPrincipalName", &by_id)]).await.ok().text("/User/UserId"), id);
        let changed = client.ims(&kit, "UpdateUser", &[("UserId", &id), ("NewDisplayName", "Al")]).await.ok();
        assert_eq!(changed.text("/User/DisplayName"), "Al");
        assert_eq!(changed.text("/User/Email"), "alice@example.com", "what is not named stays");
        client.ram(&kit, "UpdateUser", &[("UserName", "alice"), ("NewUserName", "alina")]).await.ok();
        assert_eq!(client.ram(&kit, "GetUser", &[("UserName", "alice")]).await.code(), "EntityNotExist.User");
        client.ram(&kit, "DeleteUser", &[("UserName", "alina")]).await.ok();
        assert_eq!(client.ram(&kit, "DeleteUser", &[("UserName", "alina")]).await.status, StatusCode::NOT_FOUND);
    }

    async fn every_refusal_has_the_clouds_code(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        client.ram(&kit, "CreateUser", &[("UserName", "alice")]).await.ok();
        let long = "x".repeat(129);
        for (action, parameters, code) in [
            ("CreateUser", vec![], "MissingUserName"),
            ("CreateUser", vec![("UserName", "Alice")], "EntityAlreadyExists.User"),
            ("CreateUser", vec![("UserName", "a b")], "InvalidParameter.UserName.InvalidChars"),
            ("CreateUser", vec![("UserName", &long)], "InvalidParameter.UserName.Length"),
            ("CreateUser", vec![("UserName", "b"), ("Comments", &long)], "InvalidParameter.Comments.Length"),
            ("CreateUser", vec![("UserName", "b"), ("DisplayName", &long)], "InvalidParameter.DisplayName.Length"),
            ("CreateUser", vec![("UserName", "b"), ("Email", "b")], "InvalidParameter.Email.Format"),
            ("CreateUser", vec![("UserName", "b"), ("MobilePhone", "1")], "InvalidParameter.MobilePhone.Format"),
            ("UpdateUser", vec![("UserName", "alice"), ("NewUserName", "a b")], "InvalidParameter.NewUserName.InvalidChars"),
            ("UpdateUser", vec![("UserName", "alice"), ("NewEmail", "b")], "InvalidParameter.NewEmail.Format"),
            ("UpdateUser", vec![("UserName", "bob")], "EntityNotExist.User"),
            ("ListUsers", vec![("MaxItems", "0")], "InvalidParameter.MaxItems"),
            ("ListUsers", vec![("MaxItems", "1001")], "InvalidParameter.MaxItems"),
            ("ListUsers", vec![("Marker", "EXAMPLE")], "InvalidParameter.Marker"),
        ] {
            assert_eq!(client.ram(&kit, action, &parameters).await.code(), code, "{action} {parameters:?}");
        }
    }

    async fn a_principal_name_is_refused_for_what_is_wrong_with_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        for (user, code) in [
            ("a b@acme.countersign.local", "InvalidParameter.UserPrincipalName.InvalidChars"),
            (&format!("{}@acme.countersign.local", "x".repeat(65)), "InvalidParameter.UserPrincipalName.Length"),
            (&format!("{}@acme.countersign.local", "x".repeat(500)), "InvalidParameter.UserPrincipalName.Length"),
            ("@acme.countersign.local", "InvalidParameter.UserPrincipalName.Length"),
            ("alice", "InvalidParameter.UserPrincipalName.Format"),
            ("alice@", "InvalidParameter.UserPrincipalName.Format"),
            ("alice@other.countersign.local", "EntityNotExist.User"),
            ("alice@acme.countersign.local", "EntityNotExist.User"),
        ] {
            let answer = client.ims(&kit, "GetUserMFAInfo", &[("UserPrincipalName", user)]).await;
            assert_eq!(answer.code(), code, "{user}");
        }
        let renamed = [("UserPrincipalName", "alice@acme"), ("NewUserPrincipalName", "a b@acme")];
        let answer = client.ims(&kit, "UpdateUser", &renamed).await;
        assert_eq!(answer.code(), "InvalidParameter.NewUserPrincipalName.InvalidChars");
    }

    async fn attack_131_a_list_is_walked_through_by_markers_that_cannot_be_made(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        let client = kit.owner_client(&acme).await;
        for number in 0..25 {
            client.ram(&kit, "CreateUser", &[("UserName", &format!("U{number:02}"))]).await.ok();
        }
        let (mut names, mut marker) = (Vec::new(), String::new());
        loop {
            let page = client.ram(&kit, "ListUsers", &[("MaxItems", "10"), ("Marker", &marker)]).await.ok();
            names.extend(page.json["Users"]["User"].as_array().unwrap().iter().map(|user| user["UserName"].clone()));
            marker = page.text("/Marker");
            if page.json["IsTruncated"] == false {
                assert_eq!(marker, "", "no marker behind the last page");
                break;
            }
        }
        assert_eq!(names.len(), 25);
        assert!(names.is_sorted_by_key(ToString::to_string));
        let first = client.ram(&kit, "ListUsers", &[("MaxItems", "10")]).await.ok().text("/Marker");
        let stranger = kit.owner_client(&other).await;
        assert_eq!(stranger.ram(&kit, "ListUsers", &[("Marker", &first)]).await.code(), "InvalidParameter.Marker");
        let mut forged = first.clone().into_bytes();
        forged[3] ^= 1;
        let forged = String::from_utf8(forged).unwrap();
        let answer = client.ram(&kit, "ListUsers", &[("Marker", &forged)]).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "InvalidParameter.Marker"));
        let basic = client.ims(&kit, "ListUserBasicInfos", &[("MaxItems", "3"), ("Status", "active,freeze")]).await.ok();
        assert_eq!(basic.json["UserBasicInfos"]["UserBasicInfo"].as_array().unwrap().len(), 3);
    }

    async fn attack_133_a_plain_users_key_may_nothing_and_another_accounts_finds_nothing(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        kit.ram_user(&acme, "alice").await;
        kit.ram_user(&acme, "bob").await;
        let alice = kit.user_client(&acme, "alice").await;
        for action in ["CreateUser", "GetUser", "UpdateUser", "DeleteUser", "ListUsers"] {
            let answer = alice.ram(&kit, action, &[("UserName", "bob")]).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "NoPermission"), "{action}");
        }
        let stranger = kit.owner_client(&other).await;
        assert_eq!(stranger.ram(&kit, "GetUser", &[("UserName", "bob")]).await.code(), "EntityNotExist.User");
        let named = [("UserPrincipalName", "bob@acme.countersign.local")];
        assert_eq!(stranger.ims(&kit, "DeleteUser", &named).await.code(), "EntityNotExist.User");
    }

    async fn a_user_on_whom_something_hangs_is_not_removed(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.administrator(&acme, "rita").await;
        kit.bind_for(&acme, "rita").await;
        kit.user_client(&acme, "rita").await;
        let refused = client.ram(&kit, "DeleteUser", &[("UserName", "rita")]).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "DeleteConflict.User.AccessKey"));
        kit.sql("DELETE FROM access_keys WHERE principal_id IN (SELECT principal_id FROM principals WHERE name = 'rita')", &[]).await;
        assert_eq!(client.ram(&kit, "DeleteUser", &[("UserName", "rita")]).await.code(), "DeleteConflict.User.MFADevice");
        client.ims(&kit, "DisableVirtualMFA", &[("UserPrincipalName", "rita@acme.countersign.local")]).await.ok();
        assert_eq!(client.ram(&kit, "DeleteUser", &[("UserName", "rita")]).await.code(), "DeleteConflict.User.Policy");
        kit.sql("DELETE FROM user_policies", &[]).await;
        assert_eq!(client.ram(&kit, "DeleteUser", &[("UserName", "rita")]).await.code(), "DeleteConflict.User.LoginProfile");
    }
}
