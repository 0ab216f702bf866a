//! What holds for every route.

use super::{logged_on, named, past_password};
use countersign_console::{Needs, route_table};
use countersign_testkit::{Kit, both_engines};
use http::{HeaderName, Method, StatusCode};

fn paths() -> Vec<(String, Needs)> {
    route_table()
        .into_iter()
        .map(|route| {
            let path = route.path.replace("{domain}", "acme.countersign.local");
            let path = if path.starts_with("/assets/") { path.replace("{name}", "countersign.css") } else { path };
            (path.replace("{name}", "alice"), route.needs)
        })
        .collect()
}

both_engines! {
    /// With the cookie of a logon that waits, no route that needs a session answers.
    async fn attack_035_a_waiting_logon_opens_no_route(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, _phone) = kit.bound_user(&acme, "alice").await;
        let (mut waiting, page) = past_password(&kit, &alice).await;
        assert_eq!(page.location.as_deref(), Some("/logon/second-factor"));
        let logon = waiting.cookie("countersign-logon").unwrap().value.clone();
        let sessions = kit.count("sessions").await;
        // The same secret as a session's is none either.
        waiting.set_cookie("countersign-session", &logon);
        for (path, needs) in paths() {
            if needs != Needs::Session {
                continue;
            }
            for method in [Method::GET, Method::POST] {
                let mut browser = waiting.clone();
                let page = browser.send(method.clone(), &path, None).await;
                let led_away = page.location.as_deref().is_some_and(|to| to.starts_with("/?notice=") || to == "/");
                let refused = led_away || page.status == StatusCode::METHOD_NOT_ALLOWED;
                assert!(refused, "{method} {path}: {} {:?}", page.status, page.location);
            }
        }
        assert_eq!(kit.count("sessions").await, sessions);
    }

    /// A stranger learns nothing from any route, and none fails.
    async fn attack_042_a_stranger_is_led_to_the_logon(kit: Kit) {
        kit.account("acme").await;
        for (path, needs) in paths() {
            let page = kit.browser().get(&path).await;
            assert!(page.status.as_u16() < 500, "{path}: {}", page.status);
            if needs != Needs::Nobody && page.status != StatusCode::METHOD_NOT_ALLOWED {
                assert!(page.location.is_some_and(|to| to.starts_with('/')), "{path}");
            }
        }
    }

    /// A form from another site changes nothing, whatever its type, and neither does looking.
    async fn attack_064_foreign_forms_are_not_taken(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut browser = logged_on(&kit, &alice).await;
        let mut evil = browser.clone().on_site("https://evil.example");
        for (path, _) in paths() {
            for (kind, body) in [
                ("application/x-www-form-urlencoded", b"name=x".to_vec()),
                ("text/plain", b"{\"name\": \"x\"}".to_vec()),
                ("multipart/form-data; boundary=b", b"--b--".to_vec()),
            ] {
                let page = evil.send(Method::POST, &path, Some((kind, body))).await;
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
            }
            browser.clone().send(Method::HEAD, &path, None).await;
        }
        assert_eq!(browser.get("/me/security").await.status, StatusCode::OK);
    }

    /// Somebody else's logon form in this browser is refused.
    async fn attack_125_a_foreign_site_cannot_log_somebody_on(kit: Kit) {
        let acme = kit.account("acme").await;
        let mallory = kit.ram_user(&acme, "mallory").await;
        let mut browser = named(&kit, &mallory).await.on_site("https://evil.example");
        let page = browser.post("/logon/password", &[("password", &mallory.password)]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(browser.cookie("countersign-session").is_none());
    }

    /// No link, cookie or origin follows a header of the request.
    async fn attack_126_headers_of_the_request_name_no_host(kit: Kit) {
        for name in ["x-forwarded-host", "forwarded", "x-forwarded-proto", "x-original-url"] {
            let name = HeaderName::from_static(name);
            let mut browser = kit.browser().with_header(name, "host=evil.example;proto=https");
            let page = browser.get("/").await;
            assert!(!page.body.contains("evil.example"));
            let page = browser.post("/logon", &[("as", "ram-user"), ("name", "a@acme")]).await;
            assert!(page.location.unwrap().starts_with('/'));
        }
    }

    /// Every answer carries the headers that keep pages from frames, caches and scripts of others.
    async fn attack_070_every_answer_is_kept_from_frames_and_caches(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = crate::owner(&kit, &acme).await;
        for (path, _) in paths() {
            let page = browser.clone().get(&path).await;
            let policy = page.header("content-security-policy").unwrap_or_else(|| panic!("{path}"));
            assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{path}");
            assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{path}");
            if !path.starts_with("/assets/") {
                assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
            }
            assert!(!page.body.contains(" style=") && !page.body.contains(" onclick="), "{path}");
        }
        browser.get("/").await;
    }

    /// Cookies cannot be read by script; a forged or changed one opens nothing.
    async fn attack_097_attack_100_forged_cookies_open_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let browser = logged_on(&kit, &alice).await;
        let cookie = browser.cookie("countersign-session").unwrap().clone();
        assert!(cookie.attributes.contains("HttpOnly") && cookie.attributes.contains("SameSite=Lax"));
        let good = cookie.value;
        let mut changed: Vec<String> = vec![
            good.to_lowercase(),
            good.to_uppercase(),
            format!("{good}="),
            good.chars().rev().collect(),
            String::new(),
            "0".repeat(43),
            format!("\"{good}\""),
        ];
        changed.retain(|value| *value != good);
        for value in changed {
            let mut forged = kit.browser();
            forged.set_cookie("countersign-session", &value);
            assert!(forged.get("/me/security").await.location.is_some(), "{value}");
        }
    }

    /// Texts of strangers are shown as texts.
    async fn attack_128_texts_of_strangers_are_inert(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = crate::owner(&kit, &acme).await;
        let corpus = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'`{{7*7}}";
        let page = browser
            .submit(
                "/ram/create-user",
                &[("name", "alice"), ("display_name", corpus), ("comments", corpus), ("console_logon", "disabled")],
            )
            .await;
        assert!(page.status.is_success(), "{}", page.text());
        for path in ["/ram/users", "/ram/users/alice", "/ram/users/alice/edit", "/ram/overview"] {
            let page = browser.open(path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert!(!page.has("<script>alert") && !page.has("<img src=x"), "{path}");
        }
        let search = browser.open("/ram/users?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert!(!search.has("<script>alert"));
    }

    /// Strange addresses and filters are answered, never with an error of the database.
    async fn attack_131_strange_filters_find_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let mut browser = crate::owner(&kit, &acme).await;
        for path in [
            "/ram/users?q=%27%20OR%201=1--",
            "/ram/users?q=%25",
            "/ram/users?page=-1",
            "/ram/users?page=99999999999999999999",
            "/ram/users?mfa=%27",
            "/ram/users/%27%20OR%201=1--",
            "/ram/users/..%2f..%2fetc",
            "/ram/users/%00",
        ] {
            let page = browser.get(path).await;
            assert!(page.status.as_u16() < 500, "{path}: {}", page.status);
            assert!(!page.has("SQL") && !page.has("sqlite"), "{path}");
        }
        assert!(!browser.get("/ram/users?q=%25").await.has("href=\"/ram/users/alice\""));
    }
}
