//! Codes and shapes: what is refused is told as the cloud tells it, what is read can be sent back, and nothing that was
//! said is passed over.

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse as _;
use axum::routing::get;
use countersign_testkit::api::Client;
use countersign_testkit::people::USER_PASSWORD;
use countersign_testkit::{Kit, both_engines};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

const ALICE: (&str, &str) = ("UserPrincipalName", "alice@acme.countersign.local");

/// All settings of an answer as a program sends them back: the name of each field and its value as text.
fn as_parameters(preference: &Value, parameters: &mut Vec<(String, String)>) {
    for (name, value) in preference.as_object().unwrap() {
        match value {
            Value::Object(_) => as_parameters(value, parameters),
            Value::String(text) => parameters.push((name.clone(), text.clone())),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                parameters.push((name.clone(), other.to_string()));
            }
        }
    }
}

async fn mfa_for_logon(kit: &Kit, client: &Client) -> String {
    let read = client.ims(kit, "GetSecurityPreference", &[]).await.ok();
    read.text("/SecurityPreference/LoginProfilePreference/MFAOperationForLogin")
}

both_engines! {
    async fn settings_that_were_read_can_be_sent_back_in_both_versions(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        for mfa in ["independent", "adaptive", "mandatory"] {
            client.ims(&kit, "SetSecurityPreference", &[("MFAOperationForLogin", mfa), ("VerificationTypes", "[\"sms\"]")]).await.ok();
            for api in [countersign_ram_api::api::Api::Ram, countersign_ram_api::api::Api::Ims] {
                for (read, write, field) in [
                    ("GetSecurityPreference", "SetSecurityPreference", "SecurityPreference"),
                    ("GetPasswordPolicy", "SetPasswordPolicy", "PasswordPolicy"),
                ] {
                    let before = client.call(&kit, api, read, &[]).await.ok();
                    let mut parameters = Vec::new();
                    as_parameters(&before.json[field], &mut parameters);
                    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                    let after = client.call(&kit, api, write, &parameters).await.ok();
                    assert_eq!(after.json[field], before.json[field], "{mfa} {api:?}");
                }
            }
            assert_eq!(mfa_for_logon(&kit, &client).await, mfa);
        }
        // The cloud's default, which says nothing here.
        client.ims(&kit, "SetSecurityPreference", &[("AllowUserToManagePersonalDingTalk", "true")]).await.ok();
        let risk = client.ims(&kit, "SetSecurityPreference", &[("OperationForRiskLogin", "enforceVerify")]).await;
        assert_eq!(risk.code(), "InvalidParameter.OperationForRiskLogin");
    }

    async fn mfa_is_enforced_by_either_version(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        let enforce = async |truth: &str| {
            let answer = client.ram(&kit, "SetSecurityPreference", &[("EnforceMFAForLogin", truth)]).await.ok();
            assert_eq!(answer.text("/SecurityPreference/LoginProfilePreference/EnforceMFAForLogin"), truth);
            mfa_for_logon(&kit, &client).await
        };
        assert_eq!(enforce("true").await, "mandatory");
        assert_eq!(enforce("false").await, "independent");
        let both = [("EnforceMFAForLogin", "false"), ("MFAOperationForLogin", "mandatory")];
        assert_eq!(client.ims(&kit, "SetSecurityPreference", &both).await.code(), "InvalidParameter.EnforceMFAForLogin");
        assert_eq!(client.ram(&kit, "SetSecurityPreference", &[("EnforceMFAForLogin", "yes")]).await.code(), "InvalidParameter.EnforceMFAForLogin");
    }

    async fn a_list_with_a_gap_is_refused(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        for given in [
            &[("VerificationTypes.2", "sms")][..],
            &[("VerificationTypes.1", "sms"), ("VerificationTypes.3", "email")],
            &[("VerificationTypes.1", "sms"), ("VerificationTypes.x", "email")],
            &[("VerificationTypes", "[\"sms\"]"), ("VerificationTypes.2", "email")],
        ] {
            let answer = client.ims(&kit, "SetSecurityPreference", given).await;
            assert_eq!(answer.code(), "InvalidParameter.VerificationTypes", "{given:?}");
        }
        client.ims(&kit, "SetSecurityPreference", &[("VerificationTypes.2", "sms"), ("VerificationTypes.1", "email")]).await.ok();
    }

    async fn what_is_refused_is_told_under_its_own_name(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        for length in ["7", "33", "300", "x"] {
            let answer = client.ram(&kit, "SetPasswordPolicy", &[("MinimumPasswordLength", length)]).await;
            assert_eq!(answer.code(), "InvalidParameter.MinimumPasswordLength.Range", "{length}");
            assert_eq!(answer.text("/Message"), "The parameter - \"MinimumPasswordLength\" MUST be in the range of 8 and 32.");
        }
        client.ram(&kit, "SetPasswordPolicy", &[("PasswordReusePrevention", "5")]).await.ok();
        client.ram(&kit, "CreateUser", &[("UserName", "alice")]).await.ok();
        client.ram(&kit, "CreateLoginProfile", &[("UserName", "alice"), ("Password", USER_PASSWORD)]).await.ok();
        client.ims(&kit, "UpdateLoginProfile", &[ALICE, ("Password", "another battery staple")]).await.ok();
        let again = client.ims(&kit, "UpdateLoginProfile", &[ALICE, ("Password", USER_PASSWORD)]).await;
        assert_eq!((again.status, again.code()), (StatusCode::BAD_REQUEST, "InvalidParameter.Password.ReusePrevention"));
        let message = "The parameter - \"Password\" is not compliant with the reuse prevention password policy.";
        assert_eq!(again.text("/Message"), message);

        let id = client.ims(&kit, "GetUser", &[ALICE]).await.ok().text("/User/UserId");
        for action in ["GetUser", "UpdateUser", "DeleteUser"] {
            let two = client.ims(&kit, action, &[ALICE, ("UserId", &id)]).await;
            assert_eq!((two.status, two.code()), (StatusCode::BAD_REQUEST, "InvalidParameter"), "{action}");
            assert!(two.text("/Message").contains("UserPrincipalName, UserId"), "{}", two.body);
            assert_eq!(client.ims(&kit, action, &[]).await.code(), "MissingUserPrincipalName");
        }
        client.ims(&kit, "GetUser", &[("UserId", &id)]).await.ok();
    }

    async fn every_device_is_listed_by_the_version_without_pages(kit: Kit) {
        let acme = kit.account("acme").await;
        let client = kit.owner_client(&acme).await;
        kit.bound_user(&acme, "bob").await;
        client.ram(&kit, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "first")]).await.ok();
        let many = "INSERT INTO unbound_mfa (account_id, device_id, name, sealed_seed, created_at, last_step) \
                    WITH RECURSIVE numbers (number) AS (SELECT 100 UNION ALL SELECT number + 1 FROM numbers WHERE number < 1200) \
                    SELECT account_id, SUBSTR(device_id, 1, 28) || (number + 1000), 'd' || number, sealed_seed, created_at, 0 \
                    FROM unbound_mfa, numbers";
        let made = kit.sql(many, &[]).await + 2;
        let all = client.ram(&kit, "ListVirtualMFADevices", &[]).await.ok();
        let all = all.json["VirtualMFADevices"]["VirtualMFADevice"].as_array().unwrap().len();
        assert_eq!(u64::try_from(all).unwrap(), made);
        let page = client.ims(&kit, "ListVirtualMFADevices", &[]).await.ok();
        assert_eq!(page.json["VirtualMFADevices"]["VirtualMFADevice"].as_array().unwrap().len(), 100);
        assert_eq!(client.ims(&kit, "ListVirtualMFADevices", &[("MaxItems", "101")]).await.code(), "InvalidParameter.MaxItems");
    }

    async fn attack_136_an_active_contact_is_not_lost_in_silence(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let client = kit.owner_client(&acme).await;
        let email = |address: &'static str| [ALICE, ("VerifyType", "email"), ("Email", address)];
        let phone = [ALICE, ("VerifyType", "sms"), ("MobilePhone", "86-13900001234")];
        let told = async || {
            kit.int("SELECT COUNT(*) FROM notices WHERE kind = 'verification-changed'", &[]).await
        };
        // A pending one proves nothing: nobody is told, and no session ends.
        let visitor = kit.session(&alice).await;
        client.ims(&kit, "SetVerificationInfo", &email("old@example.com")).await.ok();
        client.ims(&kit, "SetVerificationInfo", &email("mine@example.com")).await.ok();
        client.ims(&kit, "SetVerificationInfo", &phone).await.ok();
        assert_eq!(told().await, 0);
        kit.core().session(&visitor.token).await.unwrap();

        kit.sql("UPDATE verification_contacts SET state = 'active'", &[]).await;
        client.ims(&kit, "SetVerificationInfo", &email("mine@example.com")).await.ok();
        assert_eq!(told().await, 0, "it is the same one");
        client.ims(&kit, "SetVerificationInfo", &email("thief@example.com")).await.ok();
        assert_eq!(told().await, 1);
        kit.core().session(&visitor.token).await.unwrap_err();
        let mails = "SELECT COUNT(*) FROM outbox WHERE recipient = 'mine@example.com'";
        assert_eq!(kit.int(mails, &[]).await, 1, "at the old address");
        assert_eq!(kit.int("SELECT COUNT(*) FROM outbox WHERE recipient LIKE 'thief%'", &[]).await, 0);
        let event = kit.events(&acme.id).await.pop().unwrap();
        assert_eq!((event.action.as_str(), event.target.as_str()), ("SetVerificationInfo", "alice"));
        assert!(event.details.contains("kind=email;lost=active;") && !event.details.contains("example.com"), "{}", event.details);

        let visitor = kit.session(&alice).await;
        client.ims(&kit, "UnbindVerification", &phone).await.ok();
        assert_eq!(told().await, 2);
        kit.core().session(&visitor.token).await.unwrap_err();
        let event = kit.events(&acme.id).await.pop().unwrap();
        assert!(event.details.contains("kind=sms;lost=active;") && !event.details.contains("1390000"), "{}", event.details);
        client.ims(&kit, "UnbindVerification", &email("thief@example.com")).await.ok();
        assert_eq!(told().await, 2, "it was pending");
    }
}

async fn raw(router: &Router, request: Request<Body>) -> (StatusCode, String, String) {
    let answer = router.clone().oneshot(request).await.unwrap();
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    assert!(answer.headers().contains_key("x-acs-request-id"));
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, kind, String::from_utf8(body.to_vec()).unwrap())
}

both_engines! {
    async fn what_cannot_be_decoded_is_refused_in_the_format_of_its_version(kit: Kit) {
        let router = kit.api_router();
        let form = "application/x-www-form-urlencoded";
        let call = |target: &str, scheme: Option<&str>, body: &'static str| {
            let request = Request::builder().method(Method::POST).uri(target).header(header::CONTENT_TYPE, form);
            let request = match scheme {
                Some(scheme) => request.header(header::AUTHORIZATION, scheme),
                None => request,
            };
            request.body(Body::from(body)).unwrap()
        };
        let (xml, json) = ("text/xml;charset=utf-8", "application/json;charset=utf-8");
        for (target, scheme, body, expected) in [
            ("/?Action=%zz", None, "", xml),
            ("/?Action=%zz&Format=json", None, "", json),
            ("/", None, "Action=%zz", xml),
            ("/", None, "Action=%zz&Format=JSON", json),
            ("/?Action=%zz", Some("ACS3-HMAC-SHA256 x"), "", json),
            ("/?Action=%zz&Format=XML", Some("ACS3-HMAC-SHA256 x"), "", xml),
            ("/elsewhere", None, "", xml),
        ] {
            let (_, kind, body) = raw(&router, call(target, scheme, body)).await;
            assert_eq!(kind, expected, "{target} {body}");
            for part in ["RequestId", "HostId", "Code", "Message"] {
                assert!(body.contains(part), "{body}");
            }
        }
    }

    async fn what_the_layers_answer_has_the_shape_of_the_doors_errors(kit: Kit) {
        let answer = |status: StatusCode| get(async move || (status, "something went wrong").into_response());
        let router = Router::new()
            .route("/413", answer(StatusCode::PAYLOAD_TOO_LARGE))
            .route("/503", answer(StatusCode::SERVICE_UNAVAILABLE))
            .route("/504", answer(StatusCode::GATEWAY_TIMEOUT))
            .route("/500", answer(StatusCode::INTERNAL_SERVER_ERROR))
            .layer(from_fn_with_state(kit.core().clone(), countersign_ram_api::in_shape));
        for (number, code) in
            [(413, "InvalidParameter"), (503, "ServiceUnavailable"), (504, "ServiceUnavailable"), (500, "InternalError")]
        {
            let request = |query: &str| Request::get(format!("/{number}{query}")).body(Body::empty()).unwrap();
            let (status, _, body) = raw(&router, request("?Format=JSON")).await;
            let json: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((status.as_u16(), &json["Code"]), (number, &code.into()));
            assert!(["RequestId", "HostId", "Message"].iter().all(|field| json[field].is_string()), "{body}");
            let (_, kind, body) = raw(&router, request("")).await;
            assert!(kind.starts_with("text/xml") && body.contains(&format!("<Code>{code}</Code>")), "{body}");
        }
    }
}
