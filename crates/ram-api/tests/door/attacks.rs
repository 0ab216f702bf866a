//! Attacks by whoever has a key, or only an address: guessing, injection, excess, more than one's own, secrets.

use axum::body::Body;
use countersign_core::Refusal;
use countersign_model::logon::LogonState;
use countersign_ram_api::api::Api;
use countersign_testkit::api::{Answer, Client, HOST, Key};
use countersign_testkit::people::{OWNER_PASSWORD, USER_PASSWORD, allowing, expose};
use countersign_testkit::{Kit, Person, both_engines, origin, reason, refusal};
use http::{Method, Request, StatusCode};
use std::time::Duration;

const NEW: &str = "another battery staple";

type Pairs<'a> = &'a [(&'a str, &'a str)];

async fn change(kit: &Kit, client: &Client, old: &str) -> String {
    let parameters = [("OldPassword", old), ("NewPassword", NEW)];
    client.ram(kit, "ChangePassword", &parameters).await.code().to_owned()
}

/// A form that nobody signed.
async fn post(client: &Client, headers: Pairs<'_>, body: Vec<u8>) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri("/").header("host", HOST);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send_raw(request.body(Body::from(body)).unwrap()).await
}

both_engines! {
    async fn attack_021_refused_calls_of_one_customer_are_counted_in_one_row(kit: Kit) {
        let acme = kit.account("acme").await;
        let thief = Key { secret: "guessed".to_owned(), ..kit.owner_client(&acme).await.key };
        let mut client = kit.client(thief);
        let rows = async || kit.count("anonymous_refusals").await;
        for number in 1..=20 {
            client.address = format!("[2001:db8:0:7::{number:x}]:40000").parse().unwrap();
            assert_eq!(client.call(&kit, Api::Sts, "GetCallerIdentity", &[]).await.code(), "SignatureDoesNotMatch");
        }
        assert_eq!(rows().await, 1, "a /64 is one customer");
        for address in ["192.0.2.9:1", "[::ffff:192.0.2.9]:2"] {
            client.address = address.parse().unwrap();
            client.call(&kit, Api::Sts, "GetCallerIdentity", &[]).await;
        }
        assert_eq!(rows().await, 2, "an address is one, however it is written");
        assert_eq!(kit.refusals_of_strangers().await, 22);
    }

    /// A key is counted with the strangers: it has no tries of its own beside those at the logon.
    async fn attack_026_passwords_tried_by_a_key_and_at_the_logon_are_one_count(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let client = kit.user_client(&acme, "alice").await;
        for number in 0..5 {
            if number % 2 == 0 {
                assert_eq!(reason(kit.log_on_as(&alice.logon_name, "not it").await), "password_wrong");
            } else {
                assert_eq!(change(&kit, &client, "not it").await, "InvalidParameter.OldPassword.Incorrect");
            }
        }
        assert_eq!(change(&kit, &client, USER_PASSWORD).await, "InvalidParameter.OldPassword.Incorrect");
        assert_eq!(reason(kit.log_on(&alice).await), "password_paused");
    }

    async fn attack_024_a_pause_at_the_door_outlives_a_restart_and_holds_on_every_node(kit: Kit) {
        let mut kit = kit;
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let client = kit.user_client(&acme, "alice").await;
        for _ in 0..5 {
            assert_eq!(change(&kit, &client, "not it").await, "InvalidParameter.OldPassword.Incorrect");
        }
        let other = kit.second_node().await;
        let incorrect = "InvalidParameter.OldPassword.Incorrect";
        assert_eq!(change(&kit, &client.clone().at(&other), USER_PASSWORD).await, incorrect);
        kit.restart().await;
        let client = kit.client(client.key.clone());
        assert_eq!(change(&kit, &client, USER_PASSWORD).await, incorrect);
        kit.advance(Duration::from_secs(30));
        assert_eq!(change(&kit, &client, USER_PASSWORD).await, "", "and ends when it is over");
    }

    async fn attack_030_what_a_key_changes_does_not_lead_past_a_locked_device(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (owner, own) = (kit.owner_client(&acme).await, kit.user_client(&acme, "alice").await);
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        for wrong in phone.wrong_codes(&kit).take(5) {
            kit.core().logon_with_code(&token, wrong, origin()).await.unwrap_err();
        }
        // By her own key, as a thief of it and of her password would.
        assert_eq!(change(&kit, &own, USER_PASSWORD).await, "");
        let again = Person { password: NEW.to_owned(), ..alice.clone() };
        let locked = async |person: &Person| {
            let token = kit.waiting(person, LogonState::SecondFactor).await;
            reason(kit.core().logon_with_code(&token, phone.code(&kit), origin()).await)
        };
        assert_eq!(locked(&again).await, "factor_paused");
        for action in ["UnbindMFADevice", "CreateAccessKey", "UpdateLoginProfile", "DeleteLoginProfile"] {
            let answer = own.ram(&kit, action, &[("UserName", "alice"), ("MFABindRequired", "false")]).await;
            assert_eq!(answer.code(), "NoPermission", "{action}");
        }
        // By an administrator's key: a new password, a new profile.
        let password = [("UserName", "alice"), ("Password", "yet another long phrase"), ("MFABindRequired", "false")];
        owner.ram(&kit, "UpdateLoginProfile", &password).await.ok();
        let reset = Person { password: "yet another long phrase".to_owned(), ..alice.clone() };
        assert_eq!(locked(&reset).await, "factor_paused");
        owner.ram(&kit, "DeleteLoginProfile", &[("UserName", "alice")]).await.ok();
        owner.ram(&kit, "CreateLoginProfile", &[("UserName", "alice"), ("Password", USER_PASSWORD)]).await.ok();
        assert_eq!(locked(&alice).await, "factor_paused");
        assert_eq!(kit.int("SELECT COUNT(*) FROM sessions WHERE principal_id IN (SELECT principal_id FROM principals \
                            WHERE name = 'alice')", &[]).await, 0);
    }

    /// Every parameter of every action: a text is never more than a text.
    async fn attack_131_no_parameter_reaches_the_database_as_more_than_a_text(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_user(&acme, "bob").await;
        let client = kit.owner_client(&acme).await;
        let names = [
            "UserName", "UserPrincipalName", "UserId", "NewUserName", "SerialNumber", "VirtualMFADeviceName", "PasskeyId",
            "UserAccessKeyId", "AccountAlias", "DefaultDomainName", "Marker", "NextToken", "Status", "Email", "MobilePhone",
            "VerifyType", "LoginNetworkMasks", "VerificationTypes", "MaxItems", "DisplayName", "Filter",
            "GroupName", "NewGroupName", "PolicyName", "PolicyType", "PolicyDocument", "VersionId", "NewDescription",
        ];
        let before = kit.count("principals").await;
        for text in [
            "bob'; DROP TABLE principals; --", "' OR '1'='1", "bob' UNION SELECT password_hash FROM login_profiles --", "%", "_ob", "$1", "b\u{0}b",
        ] {
            for (action, apis) in countersign_ram_api::ACTIONS {
                for api in *apis {
                    // What is not asked for is not looked at; a display name is any text.
                    let parameters: Vec<_> = names.iter().map(|name| (*name, text)).collect();
                    let answer = client.call(&kit, *api, action, &parameters).await;
                    assert!(!answer.status.is_server_error(), "{action} {text:?}: {}", answer.body);
                    assert!(!answer.status.is_success() || !answer.body.contains("argon2"), "{action} {text:?}: {}", answer.body);
                    let told = answer.body.to_lowercase();
                    for word in ["sqlite", "postgres", "syntax error", "select ", "unrecognized token"] {
                        // The message of a refusal repeats nothing of what was typed.
                        assert!(!told.contains(word), "{action} {text:?}: {}", answer.body);
                    }
                }
            }
        }
        assert_eq!(kit.count("principals").await, before);
        assert_eq!(kit.int("SELECT COUNT(*) FROM virtual_mfa WHERE state = 'bound'", &[]).await, 1);
        // A marker of one list is none of another one.
        kit.ram_user_with(&acme, "carol", None).await;
        let marker = client.ram(&kit, "ListUsers", &[("MaxItems", "1")]).await.ok().text("/Marker");
        let elsewhere = client.ims(&kit, "ListUserBasicInfos", &[("Marker", &marker)]).await;
        assert_eq!((elsewhere.status, elsewhere.code()), (StatusCode::BAD_REQUEST, "InvalidParameter.Marker"));
    }

    async fn attack_132_the_door_refuses_excess_and_serves_the_others(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let form = ("content-type", "application/x-www-form-urlencoded");
        let deep = "[".repeat(100_000).into_bytes();
        let bombs: [(&str, Pairs<'_>, Vec<u8>); 5] = [
            ("10 MB", &[form], b"a=".repeat(5_000_000)),
            ("JSON", &[("content-type", "application/json")], deep),
            ("gzip", &[form, ("content-encoding", "gzip")], [&[0x1f, 0x8b, 8, 0][..], &[0xff; 4_096]].concat()),
            ("many parameters", &[form], (0..5_000).flat_map(|number| format!("p{number}=x&").into_bytes()).collect()),
            ("a long value", &[form], format!("UserName={}", "x".repeat(60_000)).into_bytes()),
        ];
        for (what, headers, body) in bombs {
            let answer = post(&client, headers, body).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "InvalidParameter"), "{what}: {}", answer.body);
            assert!(answer.body.len() < 2_000, "{what}");
        }
        // A deep list, signed.
        for deep in ["[".repeat(16_000), "[\"x\",".repeat(3_000)] {
            let answer = client.ims(&kit, "SetSecurityPreference", &[("VerificationTypes", &deep)]).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "InvalidParameter.VerificationTypes"));
        }
        client.call(&kit, Api::Sts, "GetCallerIdentity", &[]).await.ok();
    }

    /// Whoever may everything about users, by a policy, changes nobody who may more, by whichever action.
    async fn attack_133_a_helpers_key_changes_no_administrator_and_nothing_of_its_own_rights(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        kit.bind_for(&acme, "rita").await;
        let ritas = kit.user_client(&acme, "rita").await;
        kit.user_allowed(&acme, "helper", &allowing(&["ram:*User*", "ram:*Profile", "ram:*MFA*", "ram:*AccessKey*", "ram:*Verification*", "ram:*Passkey*"], "*")).await;
        kit.ram_user(&acme, "plain").await;
        let helper = kit.user_client(&acme, "helper").await;
        let key = [("UserAccessKeyId", ritas.key.id.as_str())];
        let changes: [(Api, &str, Pairs<'_>); 13] = [
            (Api::Ram, "UpdateUser", &[("NewDisplayName", "x")]),
            (Api::Ram, "DeleteUser", &[]),
            (Api::Ram, "UpdateLoginProfile", &[("Password", NEW)]),
            (Api::Ram, "CreateLoginProfile", &[("Password", NEW)]),
            (Api::Ram, "DeleteLoginProfile", &[]),
            (Api::Ram, "UnbindMFADevice", &[]),
            (Api::Ims, "DisableVirtualMFA", &[]),
            (Api::Ram, "CreateAccessKey", &[]),
            (Api::Ram, "DeleteAccessKey", &key),
            (Api::Ims, "SetVerificationInfo", &[("VerifyType", "email"), ("Email", "x@example.com")]),
            (Api::Ims, "UnbindVerification", &[("VerifyType", "email"), ("Email", "x@example.com")]),
            (Api::Ims, "DeletePasskey", &[("PasskeyId", "x")]),
            (Api::Ims, "UpdatePasskey", &[("PasskeyId", "x"), ("PasskeyName", "x")]),
        ];
        for (api, action, parameters) in changes {
            let who = match api {
                Api::Ims => ("UserPrincipalName", "rita@acme.countersign.local"),
                Api::Ram | Api::Sts => ("UserName", "rita"),
            };
            let answer = helper.call(&kit, api, action, &[&[who], parameters].concat()).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "NoPermission"), "{action} {}", answer.body);
        }
        // What concerns everybody, and what his policy does not name.
        for action in ["SetSecurityPreference", "SetPasswordPolicy", "GetCredentialReport", "SetAccountAlias"] {
            let (api, parameters) = (if action == "GetCredentialReport" { Api::Ims } else { Api::Ram }, [("AccountAlias", "evil")]);
            assert_eq!(helper.call(&kit, api, action, &parameters).await.code(), "NoPermission", "{action}");
        }
        helper.ram(&kit, "UpdateUser", &[("UserName", "plain"), ("NewDisplayName", "x")]).await.ok();
        assert_eq!(kit.int("SELECT COUNT(*) FROM virtual_mfa WHERE state = 'bound'", &[]).await, 1);
        ritas.call(&kit, Api::Sts, "GetCallerIdentity", &[]).await.ok();
    }

    async fn attack_134_set_up_stays_closed_when_all_users_are_removed_by_a_key(kit: Kit) {
        let token = kit.core().offer_set_up().await.unwrap().unwrap();
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        let owner = kit.owner_client(&acme).await;
        kit.sql("DELETE FROM user_policies", &[]).await;
        owner.ram(&kit, "DeleteLoginProfile", &[("UserName", "rita")]).await.ok();
        owner.ram(&kit, "DeleteUser", &[("UserName", "rita")]).await.ok();
        assert!(kit.core().offer_set_up().await.unwrap().is_none());
        assert_eq!(refusal(kit.core().check_set_up(&token).await), Refusal::SetUpOver);
        let made = ["CreateAccount", "SetUp", "ActivateService"];
        assert!(countersign_ram_api::ACTIONS.iter().all(|(action, _)| !made.contains(action)));
        // The owner is no user, so no action reaches him.
        for (action, apis) in countersign_ram_api::ACTIONS.iter().filter(|(action, _)| action.starts_with("Delete")) {
            let named = [("UserName", "owner@acme.example"), ("UserPrincipalName", "owner@acme.example"), ("UserId", acme.id.as_str())];
            let answer = owner.call(&kit, apis[0], action, &named).await;
            assert!(answer.status.is_client_error(), "{action} {}", answer.body);
        }
        kit.session(&acme.owner).await;
    }

    /// What is told once is told once: no action answers with a seed, a hash, a key's secret or a recovery code.
    async fn attack_135_no_action_reads_a_secret(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let alices = kit.user_client(&acme, "alice").await;
        let made = client.ims(&kit, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "spare")]).await.ok();
        kit.next_step();
        let session = kit.session_with(&alice, &phone).await;
        kit.next_step();
        let core = kit.core();
        let code = phone.code(&kit);
        let made_codes = kit.proved(&session, &code, async |actor| core.make_own_recovery_codes(&actor, origin()).await).await;
        let codes = made_codes.1.unwrap().codes;
        let mut secrets = vec![
            made.text("/VirtualMFADevice/Base32StringSeed"), client.key.secret.clone(), alices.key.secret.clone(),
            expose(&phone.seed().to_base32()), OWNER_PASSWORD.to_owned(), USER_PASSWORD.to_owned(), "$argon2".to_owned(),
            "otpauth".to_owned(),
        ];
        secrets.extend(codes.iter().map(expose));
        client.ims(&kit, "GenerateCredentialReport", &[]).await.ok();
        let bob = format!("alice@{}.countersign.local", acme.alias);
        let serial = format!("acs:ram::{}:mfa/alice", acme.id);
        let named = [
            ("UserName", "alice"), ("UserPrincipalName", bob.as_str()), ("SerialNumber", &serial),
            ("UserAccessKeyId", &alices.key.id), ("VerifyType", "email"),
        ];
        let reads = countersign_ram_api::ACTIONS.iter().filter(|(action, _)| action.starts_with("Get") || action.starts_with("List"));
        let mut answered = 0;
        for (action, apis) in reads {
            for api in *apis {
                let left_out = |name: &str| *action == "GetUser" && name == "UserAccessKeyId";
                let named: Vec<_> = named.iter().filter(|(name, _)| !left_out(name)).copied().collect();
                let answer = client.call(&kit, *api, action, &named).await;
                answered += usize::from(answer.status == StatusCode::OK);
                let content = data_encoding::BASE64.decode(answer.text("/Content").as_bytes()).unwrap_or_default();
                for text in [answer.body.as_str(), &String::from_utf8_lossy(&content)] {
                    for secret in &secrets {
                        assert!(!text.contains(secret.as_str()), "{action} tells {secret}");
                    }
                }
            }
        }
        assert!(answered > 20, "{answered} actions answered");
    }
}
