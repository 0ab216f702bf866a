//! Login profiles, settings, contacts, AccessKeys and the account through the door.

use countersign_core::logon::LogonStep;
use countersign_testkit::api::{Client, Key};
use countersign_testkit::people::{USER_PASSWORD, allowing};
use countersign_testkit::{Kit, both_engines};
use http::StatusCode;
use std::time::Duration;

const ALICE: (&str, &str) = ("UserPrincipalName", "alice@acme.countersign.local");

async fn code(kit: &Kit, client: &Client, action: &str, parameters: &[(&str, &str)]) -> String {
    client.ims(kit, action, parameters).await.code().to_owned()
}

both_engines! {
    async fn k06_k07_a_login_profile_is_made_changed_in_part_and_taken_away(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        client.ram(&kit, "CreateUser", &[("UserName", "alice")]).await.ok();
        let none = client.ram(&kit, "GetLoginProfile", &[("UserName", "alice")]).await;
        assert_eq!((none.status, none.code()), (StatusCode::NOT_FOUND, "EntityNotExist.User.LoginProfile"));
        let weak = [("UserName", "alice"), ("Password", "short")];
        assert_eq!(client.ram(&kit, "CreateLoginProfile", &weak).await.code(), "InvalidParameter.Password.TooWeak");
        let good = [("UserName", "alice"), ("Password", USER_PASSWORD), ("MFABindRequired", "True")];
        let made = client.ram(&kit, "CreateLoginProfile", &good).await.ok();
        assert_eq!(made.json["LoginProfile"]["MFABindRequired"], true);
        assert_eq!(client.ram(&kit, "CreateLoginProfile", &good).await.code(), "EntityAlreadyExists.User.LoginProfile");

        let alice = kit.ram_user(&acme, "bob").await;
        let person = countersign_testkit::Person {
            name: "alice".to_owned(),
            logon_name: countersign_testkit::people::ram_user_name("alice", "acme"),
            ..alice
        };
        assert!(matches!(kit.log_on(&person).await.unwrap(), LogonStep::Ask { .. }), "a device must be bound first");
        let changed = client.ims(&kit, "UpdateLoginProfile", &[ALICE, ("MFABindRequired", "false")]).await.ok();
        assert_eq!(changed.json["LoginProfile"]["MFABindRequired"], false);
        assert_eq!(changed.text("/LoginProfile/Status"), "Active", "what is not named stays");
        assert!(matches!(kit.log_on(&person).await.unwrap(), LogonStep::Open { .. }));
        client.ims(&kit, "UpdateLoginProfile", &[ALICE, ("Status", "Inactive")]).await.ok();
        assert!(kit.log_on(&person).await.is_err());
        client.ims(&kit, "DeleteLoginProfile", &[ALICE]).await.ok();
        assert_eq!(code(&kit, &client, "DeleteLoginProfile", &[ALICE]).await, "EntityNotExist.User.LoginProfile");
        client.ram(&kit, "DeleteUser", &[("UserName", "alice")]).await.ok();
    }

    async fn a_user_changes_his_own_password_by_his_key(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let client = kit.user_client(&acme, "alice").await;
        let change = async |client: &Client, old: &str, new: &str| {
            client.ram(&kit, "ChangePassword", &[("OldPassword", old), ("NewPassword", new)]).await.code().to_owned()
        };
        let new = "another battery staple";
        assert_eq!(change(&client, "wrong", new).await, "InvalidParameter.OldPassword.Incorrect");
        assert_eq!(change(&client, USER_PASSWORD, "short").await, "InvalidParameter.NewPassword.TooWeak");
        assert_eq!(change(&client, USER_PASSWORD, USER_PASSWORD).await, "InvalidParameter.NewPassword.ReusePrevention");
        assert_eq!(change(&client, USER_PASSWORD, new).await, "");
        assert_eq!(change(&kit.owner_client(&acme).await, "x", new).await, "NotSupport.Account");
    }

    async fn settings_are_read_and_changed_in_part_in_both_versions(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let answer = client.ims(&kit, "SetSecurityPreference", &[
            ("MFAOperationForLogin", "mandatory"), ("EnableSaveMFATicket", "True"), ("LoginSessionDuration", "8"),
            ("LoginNetworkMasks", "10.0.0.0/8;192.0.2.0/24"), ("VerificationTypes", "[\"sms\",\"email\"]"),
            ("MaxIdleDaysForUsers", "180"),
        ]).await.ok();
        assert_eq!(answer.text("/SecurityPreference/LoginProfilePreference/MFAOperationForLogin"), "mandatory");
        let ram = client.ram(&kit, "GetSecurityPreference", &[]).await.ok();
        let login = &ram.json["SecurityPreference"]["LoginProfilePreference"];
        assert_eq!((&login["EnforceMFAForLogin"], &login["EnableSaveMFATicket"]), (&true.into(), &true.into()));
        assert_eq!((&login["LoginSessionDuration"], &login["AllowUserToChangePassword"]), (&8.into(), &true.into()));
        assert_eq!(login["LoginNetworkMasks"], "10.0.0.0/8;192.0.2.0/24");
        assert_eq!(ram.json["SecurityPreference"]["PublicKeyPreference"]["AllowUserToManagePublicKeys"], false);
        // What is not named stays; the flattened list; the older word; an empty text is every address.
        let flat = [("VerificationTypes.1", "email"), ("EnforceMFAForLogin", "false"), ("LoginNetworkMasks", "")];
        let answer = client.clone().v1().ims(&kit, "SetSecurityPreference", &flat).await.ok();
        let preference = &answer.json["SecurityPreference"];
        assert_eq!(preference["VerificationPreference"]["VerificationTypes"], serde_json::json!(["email"]));
        assert_eq!(preference["LoginProfilePreference"]["MFAOperationForLogin"], "independent");
        assert_eq!(preference["LoginProfilePreference"]["LoginNetworkMasks"], "");
        assert_eq!(preference["LoginProfilePreference"]["LoginSessionDuration"], 8);
        assert_eq!(preference["MaxIdleDays"]["MaxIdleDaysForUsers"], 180);
        for (parameter, expected) in [
            (("LoginSessionDuration", "25"), "InvalidParameter.LoginSessionDuration"),
            (("LoginNetworkMasks", "here"), "InvalidParameter.LoginNetworkMasks.Format"),
            (("MFAOperationForLogin", "never"), "InvalidParameter.MFAOperationForLogin"),
            (("VerificationTypes", "[\"pigeon\"]"), "InvalidParameter.VerificationTypes"),
            (("EnableSaveMFATicket", "yes"), "InvalidParameter.EnableSaveMFATicket"),
            (("AllowUserToManagePublicKeys", "true"), "InvalidParameter.AllowUserToManagePublicKeys"),
            (("MaxIdleDaysForUsers", "91"), "InvalidParameter.MaxIdleDaysForUsers"),
        ] {
            assert_eq!(code(&kit, &client, "SetSecurityPreference", &[parameter]).await, expected);
        }
        let policy = [("MinimumPasswordLength", "14"), ("RequireNumbers", "true"), ("HardExpiry", "true"), ("MaxLoginAttemps", "5")];
        client.ram(&kit, "SetPasswordPolicy", &policy).await.ok();
        let policy = client.ims(&kit, "GetPasswordPolicy", &[]).await.ok();
        let policy = &policy.json["PasswordPolicy"];
        assert_eq!((&policy["MinimumPasswordLength"], &policy["HardExpire"], &policy["InitialPasswordAge"]), (&14.into(), &true.into(), &14.into()));
        assert_eq!(code(&kit, &client, "SetPasswordPolicy", &[("MinimumPasswordLength", "7")]).await, "InvalidParameter.MinimumPasswordLength.Range");
    }

    async fn attack_136_d10_an_email_address_serves_five_users_however_many_ask_at_once(kit: Kit) {
        let mut kit = kit;
        let acme = kit.account("acme").await;
        let other = kit.second_node().await;
        let client = kit.owner_client(&acme).await;
        for number in 0..10 {
            client.ram(&kit, "CreateUser", &[("UserName", &format!("u{number}"))]).await.ok();
        }
        let calls: Vec<_> = (0..10).map(|number| {
            let who = format!("u{number}@acme.countersign.local");
            let email = if number % 2 == 0 { "Team@example.com" } else { "team@EXAMPLE.com" };
            let call = client.signed(&kit, countersign_ram_api::api::Api::Ims, "SetVerificationInfo", &[
                ("UserPrincipalName", &who), ("VerifyType", "email"), ("Email", email),
            ]);
            // Each spelling of the address, from each node.
            let client = if number % 4 < 2 { client.clone() } else { client.clone().at(&other) };
            tokio::spawn(async move { client.send(&call).await })
        }).collect();
        let mut bound = 0;
        for call in calls {
            let answer = call.await.unwrap();
            match answer.status {
                StatusCode::OK => bound += 1,
                _ => assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "LimitExceeded.Email.User")),
            }
        }
        assert_eq!(bound, 5);
    }

    async fn contacts_are_bound_shown_pending_and_unbound(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        let phone = [ALICE, ("VerifyType", "sms"), ("MobilePhone", "86-13900001234")];
        client.ims(&kit, "SetVerificationInfo", &phone).await.ok();
        let info = client.ims(&kit, "GetVerificationInfo", &[ALICE]).await.ok();
        assert_eq!(info.json["SecurityPhoneDevice"], serde_json::json!({"AreaCode": "86", "PhoneNumber": "13900001234", "Status": "pending"}));
        assert_eq!(info.json.get("SecurityEmailDevice"), None);
        client.ims(&kit, "UnbindVerification", &phone).await.ok();
        assert_eq!(code(&kit, &client, "UnbindVerification", &phone).await, "EntityNotExist.User.Verification");
        assert_eq!(code(&kit, &client, "SetVerificationInfo", &[ALICE, ("VerifyType", "fax")]).await, "InvalidParameter.VerifyType");
        assert_eq!(code(&kit, &client, "SetVerificationInfo", &[ALICE, ("VerifyType", "email")]).await, "MissingEmail");
        let passkeys = client.ims(&kit, "ListPasskeys", &[ALICE]).await.ok();
        assert_eq!(passkeys.json["Passkeys"], serde_json::json!([]));
        assert_eq!(code(&kit, &client, "DeletePasskey", &[ALICE]).await, "MissingPasskeyId");
        assert_eq!(code(&kit, &client, "DeletePasskey", &[ALICE, ("PasskeyId", "x")]).await, "EntityNotExist.User.Passkey");
    }

    async fn access_keys_are_made_listed_disabled_and_removed(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        let made = client.ims(&kit, "CreateAccessKey", &[ALICE]).await.ok();
        let key = Key { id: made.text("/AccessKey/AccessKeyId"), secret: made.text("/AccessKey/AccessKeySecret") };
        let alice = kit.client(key.clone());
        alice.call(&kit, countersign_ram_api::api::Api::Sts, "GetCallerIdentity", &[]).await.ok();
        client.ims(&kit, "CreateAccessKey", &[ALICE]).await.ok();
        assert_eq!(code(&kit, &client, "CreateAccessKey", &[ALICE]).await, "LimitExceeded.User.AccessKey");
        let listed = client.ram(&kit, "ListAccessKeys", &[("UserName", "alice")]).await.ok();
        assert_eq!(listed.json["AccessKeys"]["AccessKey"].as_array().unwrap().len(), 2);
        assert!(!listed.body.contains(&key.secret));
        let of = [ALICE, ("UserAccessKeyId", key.id.as_str())];
        client.ims(&kit, "GetAccessKeyLastUsed", &of).await.ok();
        client.ims(&kit, "UpdateAccessKey", &[of[0], of[1], ("Status", "Inactive")]).await.ok();
        assert_eq!(alice.ram(&kit, "ListAccessKeys", &[]).await.code(), "InvalidAccessKeyId.Inactive");
        client.ims(&kit, "DeleteAccessKey", &of).await.ok();
        assert_eq!(code(&kit, &client, "DeleteAccessKey", &of).await, "EntityNotExist.User.AccessKey");
        assert_eq!(alice.ram(&kit, "ListAccessKeys", &[]).await.code(), "InvalidAccessKeyId.NotFound");
    }

    async fn the_alias_is_changed_and_the_logon_names_with_it(kit: Kit) {
        let (acme, _) = (kit.account("acme").await, kit.account("other").await);
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        assert_eq!(client.ram(&kit, "GetAccountAlias", &[]).await.ok().text("/AccountAlias"), "acme");
        let taken = client.ram(&kit, "SetAccountAlias", &[("AccountAlias", "other")]).await;
        assert_eq!((taken.status, taken.code()), (StatusCode::CONFLICT, "EntityAlreadyExists.AccountAlias"));
        let digits = client.ram(&kit, "SetAccountAlias", &[("AccountAlias", "1234567890123456")]).await;
        assert_eq!(digits.code(), "InvalidParameter.AccountAlias.Format");
        client.ims(&kit, "SetDefaultDomain", &[("DefaultDomainName", "acme-2.countersign.local")]).await.ok();
        assert_eq!(client.ram(&kit, "GetAccountAlias", &[]).await.ok().text("/AccountAlias"), "acme-2");
        let user = client.ims(&kit, "GetUser", &[("UserPrincipalName", "alice@acme-2.countersign.local")]).await.ok();
        assert_eq!(user.text("/User/UserPrincipalName"), "alice@acme-2.countersign.local");
        client.ram(&kit, "ClearAccountAlias", &[]).await.ok();
        assert_eq!(client.ram(&kit, "GetAccountAlias", &[]).await.ok().text("/AccountAlias"), "");
        let domain = format!("{}.countersign.local", acme.id);
        assert_eq!(client.ims(&kit, "GetDefaultDomain", &[]).await.ok().text("/DefaultDomainName"), domain);
        let foreign = code(&kit, &client, "SetDefaultDomain", &[("DefaultDomainName", "acme.example.com")]).await;
        assert_eq!(foreign, "InvalidParameter.DefaultDomainName.Format");
    }

    async fn reports_tell_who_is_protected(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.ram_user(&acme, "alice").await;
        kit.bound_user(&acme, "bob").await;
        client.ram(&kit, "CreateUser", &[("UserName", "program")]).await.ok();
        let look = kit.policy(&acme, "look", &allowing(&["oss:Get*"], "*")).await;
        kit.policy(&acme, "look-too", &allowing(&["oss:Get*"], "*")).await;
        kit.group(&acme, "dev", &["alice"], &[look]).await;
        kit.group(&kit.account("other").await, "dev", &[], &[]).await;
        let summary = client.ims(&kit, "GetAccountSummary", &[]).await.ok();
        let map = &summary.json["SummaryMap"];
        for (name, number) in [
            ("Users", 3), ("MFADevices", 1), ("MFADevicesInUse", 1), ("VirtualMFADevicesQuota", 5_000),
            ("AccessKeysPerUserQuota", 2), ("AccountAccessKeysPerAccountQuota", 2),
            ("Groups", 1), ("GroupsQuota", 300), ("GroupsPerUserQuota", 10),
            ("Policies", 2), ("PoliciesQuota", 1_500), ("PolicySizeQuota", 6_144), ("VersionsPerPolicyQuota", 5),
            ("AttachedPoliciesPerUserQuota", 10), ("AttachedPoliciesPerGroupQuota", 10),
            ("AttachedSystemPoliciesPerUserQuota", 20), ("AttachedSystemPoliciesPerGroupQuota", 20), ("Roles", 0),
        ] {
            assert_eq!(map[name], number, "{name}");
        }
        let report = client.ims(&kit, "GetAccountSecurityPracticeReport", &[]).await.ok();
        let info = &report.json["AccountSecurityPracticeInfo"];
        let users = &info["AccountSecurityPracticeUserInfo"];
        assert_eq!((&users["SubUser"], &users["SubUserBindMfa"], &users["BindMfa"]), (&3.into(), &1.into(), &false.into()));
        assert_eq!((&users["RootWithAccessKey"], &info["Score"]), (&1.into(), &26.into()));

        assert_eq!(code(&kit, &client, "GetCredentialReport", &[]).await, "EntityNotExist.CredentialReport");
        assert_eq!(client.ims(&kit, "GenerateCredentialReport", &[]).await.ok().text("/State"), "COMPLETED");
        let (mut csv, mut token) = (String::new(), String::new());
        loop {
            let part = client.ims(&kit, "GetCredentialReport", &[("MaxItems", "2"), ("NextToken", &token)]).await.ok();
            csv += &String::from_utf8(data_encoding::BASE64.decode(part.text("/Content").as_bytes()).unwrap()).unwrap();
            token = part.text("/NextToken");
            if part.json["IsTruncated"] == "false" {
                break;
            }
        }
        let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(lines.len(), 5);
        assert!(lines.iter().all(|line| line.len() == 28));
        assert_eq!((lines[0][0], lines[1][0], lines[1][8]), ("user", "<root>", "TRUE"));
        let of = |name: &str| lines.iter().find(|line| line[0] == name).unwrap();
        assert_eq!((of("alice")[3], of("alice")[7]), ("TRUE", "FALSE"));
        assert_eq!((of("bob")[3], of("bob")[7]), ("TRUE", "TRUE"));
        assert_eq!((of("program")[3], of("program")[4]), ("FALSE", "N/A"));
        // Within four hours it is the same one.
        let made = client.ims(&kit, "GetCredentialReport", &[]).await.ok().text("/GeneratedTime");
        kit.advance(Duration::from_hours(3));
        client.ims(&kit, "GenerateCredentialReport", &[]).await.ok();
        assert_eq!(client.ims(&kit, "GetCredentialReport", &[]).await.ok().text("/GeneratedTime"), made);
        kit.advance(Duration::from_hours(1));
        client.ims(&kit, "GenerateCredentialReport", &[]).await.ok();
        assert_ne!(client.ims(&kit, "GetCredentialReport", &[]).await.ok().text("/GeneratedTime"), made);
    }

    async fn attack_133_every_action_refuses_a_plain_user_a_stranger_and_another_account(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        kit.ram_user(&acme, "alice").await;
        kit.bound_user(&acme, "bob").await;
        let alice = kit.user_client(&acme, "alice").await;
        let bob = format!("bob@{}.countersign.local", acme.alias);
        let serial = format!("acs:ram::{}:mfa/bob", acme.id);
        let stranger = kit.owner_client(&other).await;
        let everything = [
            ("UserName", "bob"), ("UserPrincipalName", &bob), ("SerialNumber", &serial), ("DisplayName", "x"),
            ("AuthenticationCode1", "123456"), ("AuthenticationCode2", "123456"), ("VirtualMFADeviceName", "x"),
            ("Password", USER_PASSWORD), ("VerifyType", "email"), ("Email", "x@example.com"), ("PasskeyId", "x"),
            ("PasskeyName", "x"),
            ("UserAccessKeyId", &alice.key.id), ("Status", "Active"), ("AccountAlias", "xyz"),
            ("DefaultDomainName", "xyz.countersign.local"), ("MinimumPasswordLength", "9"),
            ("GroupName", "dev"), ("PolicyName", "look"), ("PolicyType", "Custom"), ("VersionId", "v1"),
            ("PolicyDocument", &allowing(&["oss:Get*"], "*")), ("NewDescription", "x"), ("Format", "JSON"),
        ];
        for (action, apis) in countersign_ram_api::ACTIONS {
            for api in *apis {
                // Everybody may ask who he is, and change his own password by the old one.
                if matches!(*action, "GetCallerIdentity" | "ChangePassword") {
                    continue;
                }
                let is_list = matches!(*action, "ListUsers" | "ListUserBasicInfos");
                let left_out = |name: &str| match name {
                    "Status" => is_list,
                    "UserAccessKeyId" => *action == "GetUser",
                    "DisplayName" => *action == "CreateGroup",
                    _ => false,
                };
                let parameters: Vec<_> = everything.iter().filter(|(name, _)| !left_out(name)).copied().collect();
                let plain = alice.call(&kit, *api, action, &parameters).await;
                assert_eq!((plain.status, plain.code()), (StatusCode::FORBIDDEN, "NoPermission"), "{action} {api:?} {}", plain.body);
                let foreign = stranger.call(&kit, *api, action, &parameters).await;
                assert!(!foreign.body.contains(acme.id.as_str()), "{action}");
                let mut unsigned = alice.clone().v1().signed(&kit, *api, action, &parameters);
                let kept: Vec<&str> = unsigned.body.split('&').filter(|pair| !pair.starts_with("Signature=")).collect();
                unsigned.body = kept.join("&");
                assert_eq!(alice.send(&unsigned).await.code(), "MissingSignature", "{action}");
            }
        }
        // Nothing of this has touched anybody.
        assert_eq!(kit.int("SELECT COUNT(*) FROM virtual_mfa WHERE state = 'bound'", &[]).await, 1);
        assert_eq!(kit.int("SELECT COUNT(*) FROM principals WHERE kind = 'ram-user'", &[]).await, 2);
    }
}
