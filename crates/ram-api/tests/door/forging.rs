//! Calls whose signature was tampered with, and other ways in than a signature.

use axum::body::Body;
use countersign_model::Clock as _;
use countersign_model::logon::LogonState;
use countersign_ram_api::api::Api;
use countersign_ram_api::signature::v1;
use countersign_testkit::api::{Client, HOST, Signed};
use countersign_testkit::people::USER_PASSWORD;
use countersign_testkit::{Kit, both_engines};
use http::{Method, Request, StatusCode};

/// The call that would do harm.
const HARM: (&str, &[(&str, &str)]) = ("DeleteUser", &[("UserName", "alice")]);

fn header(call: &Signed, name: &str) -> String {
    call.headers[name].to_str().unwrap().to_owned()
}

fn with(call: &Signed, name: &'static str, value: &str) -> Signed {
    let mut call = call.clone();
    call.headers.insert(name, value.parse().unwrap());
    call
}

/// Everything a thief of one call of version 3 can change of it.
fn forged_of_v3(call: &Signed, other: &Client) -> Vec<(&'static str, Signed)> {
    let authorization = header(call, "authorization");
    let authorized = |text: &str| with(call, "authorization", text);
    let (before, signature) = authorization.rsplit_once("Signature=").unwrap();
    let unsigned = |name: &str| authorized(&authorization.replace(&format!("{name};"), ""));
    let mut twice = call.clone();
    twice.headers.append("x-acs-action", "ListUsers".parse().unwrap());
    let in_form = Signed {
        query: String::new(),
        body: call.query.clone(),
        ..with(call, "content-type", "application/x-www-form-urlencoded")
    };
    let besides = Signed { body: "Email=x%40example.com".to_owned(), ..in_form.clone() };
    let besides = Signed { query: call.query.clone(), ..besides };
    vec![
        ("another parameter", Signed { query: call.query.replace("alice", "bob"), ..call.clone() }),
        ("one more parameter", Signed { query: format!("{}&Comments=x", call.query), ..call.clone() }),
        ("a form beside the query", besides),
        ("the query as a form", in_form),
        ("another method", Signed { method: Method::GET, ..call.clone() }),
        ("another action", with(call, "x-acs-action", "DeleteLoginProfile")),
        ("two actions", twice),
        ("another version", with(call, "x-acs-version", "2019-08-15")),
        ("another time", with(call, "x-acs-date", "2026-01-01T00:00:01Z")),
        ("another nonce", with(call, "x-acs-signature-nonce", "fresh")),
        ("another host", with(call, "host", "evil.example")),
        ("another hash of the body", with(call, "x-acs-content-sha256", &"0".repeat(64))),
        ("the action unsigned", unsigned("x-acs-action")),
        ("the nonce unsigned", unsigned("x-acs-signature-nonce")),
        ("the time unsigned", unsigned("x-acs-date")),
        ("the host unsigned", unsigned("host")),
        (
            "nothing signed",
            authorized(&format!(
                "{}SignedHeaders=,Signature={signature}",
                before.split("SignedHeaders").next().unwrap()
            )),
        ),
        ("no signature", authorized(before)),
        ("an empty signature", authorized(&format!("{before}Signature="))),
        ("half a signature", authorized(&format!("{before}Signature={}", signature.split_at(32).0))),
        ("a signature of zeros", authorized(&format!("{before}Signature={}", "0".repeat(64)))),
        ("two signatures", authorized(&format!("{authorization},Signature={signature}"))),
        ("another algorithm", authorized(&authorization.replace("HMAC-SHA256", "HMAC-SM3"))),
        ("no algorithm", authorized(&authorization.replace("ACS3-HMAC-SHA256", "none"))),
        ("the key of somebody else", authorized(&authorization.replace(&call_key(&authorization), &other.key.id))),
    ]
}

fn call_key(authorization: &str) -> String {
    authorization.split_once("Credential=").unwrap().1.split(',').next().unwrap().to_owned()
}

/// The same for version 1, where everything stands in one form.
fn forged_of_v1(call: &Signed, client: &Client, other: &Client) -> Vec<(&'static str, Signed)> {
    let form = |body: String| Signed { body, ..call.clone() };
    let pairs: Vec<&str> = call.body.split('&').collect();
    let without = |name: &str| {
        let kept: Vec<&str> = pairs.iter().filter(|pair| !pair.starts_with(&format!("{name}="))).copied().collect();
        kept.join("&")
    };
    let unsigned = without("Signature");
    let sha256 = call.body.replace("HMAC-SHA1", "HMAC-SHA256");
    vec![
        ("another parameter", form(call.body.replace("alice", "bob"))),
        ("one more parameter", form(format!("{}&Comments=x", call.body))),
        ("one more in the query", Signed { query: "Comments=x".to_owned(), ..call.clone() }),
        ("the parameter twice", form(format!("{}&UserName=alice", call.body))),
        ("the action twice", form(format!("{}&Action=ListUsers", call.body))),
        ("another action", form(call.body.replace("Action=DeleteUser", "Action=DeleteLoginProfile"))),
        ("another version", form(call.body.replace("2015-05-01", "2019-08-15"))),
        ("no signature", form(unsigned.clone())),
        ("an empty signature", form(format!("{unsigned}&Signature="))),
        ("the secret without its sign", form(format!("{unsigned}&Signature={}", v1::sign("", &client.key.secret)))),
        ("two signatures", form(format!("{}&Signature=x", call.body))),
        ("another algorithm", form(sha256)),
        ("no algorithm", form(call.body.replace("HMAC-SHA1", "none"))),
        ("no nonce", form(without("SignatureNonce"))),
        ("no time", form(without("Timestamp"))),
        ("the key of somebody else", form(call.body.replace(&client.key.id, &other.key.id))),
        (
            "another method",
            Signed { method: Method::GET, query: call.body.clone(), body: String::new(), ..call.clone() },
        ),
    ]
}

both_engines! {
    /// Whoever holds a signed call can send it once as it is, and change nothing of it.
    async fn attack_118_a_signature_is_for_one_call_and_one_key(kit: Kit) {
        let acme = kit.account("acme").await;
        for name in ["alice", "bob", "carol"] {
            kit.ram_user_with(&acme, name, None).await;
        }
        let client = kit.owner_client(&acme).await;
        let other = kit.user_client(&acme, "carol").await;
        let users = async || kit.int("SELECT COUNT(*) FROM principals WHERE kind = 'ram-user'", &[]).await;
        for signing in [client.clone(), client.clone().v1()] {
            let call = signing.signed(&kit, Api::Ram, HARM.0, HARM.1);
            let forged = if call.body.is_empty() {
                forged_of_v3(&call, &other)
            } else {
                forged_of_v1(&call, &client, &other)
            };
            for (what, forged) in forged {
                let answer = signing.send(&forged).await;
                assert!(answer.status.is_client_error(), "{what}: {} {}", answer.status, answer.body);
                assert!(!answer.body.contains(&client.key.secret), "{what}");
            }
            assert_eq!(users().await, 3, "nobody is gone");
        }
        // None of them has spent the nonce of the true one.
        let call = client.signed_at(&kit.clock().now().to_rfc3339(), "true", (Api::Ram, HARM.0), HARM.1);
        client.send(&with(&call, "host", "evil.example")).await;
        assert_eq!(client.send(&call).await.status, StatusCode::OK);
        assert_eq!(users().await, 2);
    }

    /// No way in but a signature, and none out to a session: a name and a password, a session's cookie, a bearer's token
    /// open nothing here, and no answer gives a cookie.
    async fn attack_041_a_session_signs_no_call_and_a_call_opens_no_session(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        kit.next_step();
        let session = kit.session_with(&alice, &phone).await;
        let client = kit.owner_client(&acme).await;
        let basic = data_encoding::BASE64.encode(format!("alice@acme:{USER_PASSWORD}").as_bytes());
        let bearer = session.token.expose();
        for (action, apis) in countersign_ram_api::ACTIONS {
            for (name, value) in [
                ("authorization", format!("Basic {basic}")),
                ("authorization", format!("Bearer {bearer}")),
                ("cookie", format!("countersign-session={bearer}; session={bearer}; __Host-session={bearer}")),
                ("x-remote-user", "alice@acme".to_owned()),
                ("x-acs-security-token", bearer.to_owned()),
            ] {
                let query = format!("Action={action}&Version={}&UserName=alice&Format=JSON", apis[0].version());
                let request = Request::builder().method(Method::POST).uri(format!("/?{query}"));
                let request = request.header("host", HOST).header(name, &value).body(Body::empty()).unwrap();
                let answer = client.send_raw(request).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{action} {name}: {}", answer.body);
                assert_eq!(answer.code(), "MissingAccessKeyId", "{action} {name}");
                assert!(answer.headers.get("set-cookie").is_none(), "{action} {name}");
            }
            // Without the alias nobody would log on by it below.
            for api in apis.iter().filter(|_| *action != "ClearAccountAlias") {
                let signed = client.call(&kit, *api, action, &[("UserName", "nobody")]).await;
                assert!(signed.headers.get("set-cookie").is_none(), "{action}");
            }
        }
        assert_eq!(kit.int("SELECT COUNT(*) FROM logons", &[]).await, 0);
        // The key of a user whose device is bound is good without it, and his logon asks for it as before.
        kit.user_client(&acme, "alice").await.call(&kit, Api::Sts, "GetCallerIdentity", &[]).await.ok();
        kit.waiting(&alice, LogonState::SecondFactor).await;
    }
}
