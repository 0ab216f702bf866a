//! The steps of a logon.

use super::{logged_on, named, past_password};
use countersign_testkit::people::{login_with_mfa, ram_user_name};
use countersign_testkit::{Kit, both_engines};
use http::{Method, StatusCode};

both_engines! {
    /// An owner and a RAM user come to their pages; the other's page leads to one's own.
    async fn a01_a06_password_opens_the_own_page(kit: Kit) {
        let acme = kit.account("acme").await;
        let (mut owner, page) = past_password(&kit, &acme.owner).await;
        assert_eq!(page.location.as_deref(), Some("/account/welcome"));
        assert!(owner.open("/account/welcome").await.has("/account/security/bind"));
        let choice = owner.open("/account/security/bind").await;
        for (kind, first) in [
            ("virtual-mfa", "/account/security/virtual-mfa/verify"),
            ("security-key", "/account/security/security-keys/bind"),
            ("passkey", "/account/security/passkeys/bind"),
        ] {
            assert!(choice.has(&format!("name=\"type\" value=\"{kind}\"")), "{kind}: {}", choice.body);
            let chosen = owner.get(&format!("/account/security/bind?type={kind}")).await;
            assert_eq!(chosen.location.as_deref(), Some(first));
            assert_eq!(owner.get(first).await.status, StatusCode::OK);
        }
        assert_eq!(owner.get("/account/security/bind?type=none").await.status, StatusCode::OK);
        assert_eq!(owner.open("/me/security").await.path, "/account/security");
        let alice = kit.ram_user(&acme, "alice").await;
        let mut browser = logged_on(&kit, &alice).await;
        assert_eq!(browser.open("/").await.path, "/me/security");
        assert_eq!(browser.open("/account/security").await.path, "/me/security");
    }

    /// A right password alone opens nothing where a device is bound.
    async fn a02_c33_a_bound_user_is_asked_for_a_code(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (mut browser, page) = past_password(&kit, &alice).await;
        assert_eq!(page.location.as_deref(), Some("/logon/second-factor"));
        assert!(browser.cookie("countersign-session").is_none());
        let wrong = browser.post("/logon/second-factor", &[("code", &phone.wrong_code(&kit))]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.has("aria-invalid=\"true\""));
        let right = browser.post("/logon/second-factor", &[("code", &phone.code(&kit))]).await;
        assert_eq!(right.location.as_deref(), Some("/"), "{}", right.text());
        assert!(browser.cookie("countersign-session").is_some());
        assert!(browser.cookie("countersign-logon").is_none());
    }

    /// A user who must bind is led to it and has no session before.
    async fn c09_required_user_is_led_to_binding(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let (mut browser, page) = past_password(&kit, &alice).await;
        assert_eq!(page.location.as_deref(), Some("/logon/bind"));
        assert!(browser.cookie("countersign-session").is_none());
        assert!(browser.open("/logon/bind").await.has("value=\"virtual-mfa\""));
        let bind = browser.submit("/logon/bind", &[("type", "virtual-mfa")]).await;
        assert!(bind.has("<svg") && bind.has("id=\"setup-key\""), "{}", bind.text());
        assert_eq!(bind.header("cache-control"), Some("no-store"));
        let key = bind.body.split("id=\"setup-key\" data-value=\"").nth(1).unwrap().split('"').next().unwrap();
        let phone = countersign_testkit::Phone::with_key(key);
        let done = browser.post("/logon/bind/virtual-mfa", &[("code", &phone.code(&kit))]).await;
        // Whoever has bound his first device is offered recovery codes.
        let offer = "/me/security/recovery-codes?offered=1";
        assert_eq!(done.location.as_deref(), Some(offer), "{}", done.text());
        assert!(browser.cookie("countersign-session").is_some());
        // The key is never shown again.
        assert!(!browser.open("/me/security").await.has(key));
    }

    /// Whatever is wrong at the password step, the answer is the same to the byte.
    async fn attack_122_unknown_disabled_and_locked_users_get_the_same_page(kit: Kit) {
        let acme = kit.account("acme").await;
        let known = kit.ram_user(&acme, "aaaaa").await;
        let mut off = countersign_testkit::people::login();
        off.console_logon = countersign_model::principal::ConsoleLogon::Disabled;
        let mut disabled = kit.ram_user_with(&acme, "bbbbb", Some(off)).await;
        disabled.logon_name = ram_user_name("bbbbb", "acme");
        let locked = kit.ram_user(&acme, "ccccc").await;
        for _ in 0..6 {
            kit.log_on_as(&locked.logon_name, "not this one").await.unwrap_err();
        }
        let mut bodies = Vec::new();
        for (name, password) in [
            ("aaaaa", "wrong and wrong"),
            ("bbbbb", disabled.password.as_str()),
            ("ccccc", locked.password.as_str()),
            ("ddddd", "never was there"),
        ] {
            let mut browser = kit.browser();
            let full = format!("{name}@acme.countersign.local");
            let begun = browser.post("/logon", &[("as", "ram-user"), ("name", &full)]).await;
            assert_eq!(begun.location.as_deref(), Some("/logon/password"));
            let shown = browser.get("/logon/password").await.body.replace(name, "NAME").replace(&name[..2].to_uppercase(), "NA");
            let page = browser.post("/logon/password", &[("password", password)]).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
            let mut headers: Vec<_> = page.headers.keys().map(|name| name.as_str().to_owned()).collect();
            headers.sort();
            bodies.push((shown, page.body.replace(name, "NAME").replace(&name[..2].to_uppercase(), "NA"), headers));
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "the answers differ");
        drop(known);
    }

    /// A body that is no form, or a form with strange fields, is a wrong code and counts as one.
    async fn attack_013_strange_bodies_are_wrong_codes(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (mut browser, _) = past_password(&kit, &alice).await;
        let path = "/logon/second-factor";
        let long = format!("code={}", "1".repeat(10_000));
        let bodies: [(&str, Vec<u8>); 5] = [
            ("application/json", b"{\"code\": true}".to_vec()),
            ("application/x-www-form-urlencoded", b"".to_vec()),
            ("application/x-www-form-urlencoded", b"code[]=000000&code[]=000001".to_vec()),
            ("application/x-www-form-urlencoded", format!("code={0}&code={0}", phone.code(&kit)).into_bytes()),
            ("application/x-www-form-urlencoded", long.into_bytes()),
        ];
        for (kind, body) in bodies {
            let page = browser.send(Method::POST, path, Some((kind, body))).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        // Five tries were booked: now even the right code waits for the pause.
        let refused = browser.post(path, &[("code", &phone.code(&kit))]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        kit.advance(std::time::Duration::from_secs(31));
        let right = browser.post(path, &[("code", &phone.code(&kit))]).await;
        assert_eq!(right.location.as_deref(), Some("/"), "{}", right.text());
    }

    /// A page out of turn leads to the page that the logon waits for, and changes nothing.
    async fn attack_036_guessed_pages_lead_back(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut browser = named(&kit, &alice).await;
        for path in ["/logon/second-factor", "/logon/choose-password", "/logon/bind", "/logon/bind/virtual-mfa"] {
            assert_eq!(browser.get(path).await.location.as_deref(), Some("/logon/password"), "{path}");
        }
        let out_of_turn = browser.post("/logon/second-factor", &[("code", &phone.code(&kit))]).await;
        assert!(out_of_turn.location.unwrap().starts_with("/?notice=logon-over"));
    }

    /// The cookie that was there before the logon is worth nothing after it, and each step has a new one.
    async fn attack_091_attack_092_every_step_has_a_new_secret(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut browser = named(&kit, &alice).await;
        let thief_before = browser.clone();
        browser.post("/logon/password", &[("password", &alice.password)]).await;
        let thief_between = browser.clone();
        browser.post("/logon/second-factor", &[("code", &phone.code(&kit))]).await;
        kit.next_step();
        for mut thief in [thief_before, thief_between] {
            assert!(thief.get("/me/security").await.location.unwrap().starts_with('/'));
            let page = thief.post("/logon/second-factor", &[("code", &phone.code(&kit))]).await;
            assert!(page.location.unwrap().starts_with("/?notice=logon-over"));
        }
        assert_eq!(browser.get("/me/security").await.status, StatusCode::OK);
    }

    /// After logging off the cookie opens nothing.
    async fn attack_094_a_replayed_cookie_opens_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut browser = logged_on(&kit, &alice).await;
        let mut thief = browser.clone();
        let page = browser.post("/logoff", &[]).await;
        assert!(page.header("clear-site-data").is_some());
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(thief.get("/me/security").await.location.as_deref(), Some("/?notice=session-over"));
    }

    /// Names that are none are told at the field; what was typed stays.
    async fn a_name_that_is_none_is_told_at_its_field(kit: Kit) {
        let mut browser = kit.browser();
        let page = browser.post("/logon", &[("as", "ram-user"), ("name", "al ice")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has("id=\"name-note\"") && page.has("value=\"al ice\""));
        let page = browser.post("/logon", &[("as", "owner"), ("name", "<script>alert(1)</script>")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!page.has("<script>alert"), "attack_128");
    }
}
