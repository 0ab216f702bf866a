//! One's own security pages.

use super::{logged_on, owner};
use countersign_testkit::people::{OWNER_PASSWORD, USER_PASSWORD};
use countersign_testkit::{Kit, Phone, both_engines};
use http::StatusCode;

both_engines! {
    /// The owner binds from the Account Center and reads Bound, then unbinds with a code and reads Not Attached.
    async fn a07_a08_a15_a16_a19_x6_bind_and_unbind_in_the_account_center(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = owner(&kit, &acme).await;
        let page = browser.open("/account/security").await;
        assert!(page.has("Not Attached") && page.has("/account/security/virtual-mfa/verify"));
        let wrong = browser.post("/account/security/virtual-mfa/verify", &[("password", "not mine")]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let bind = browser.submit("/account/security/virtual-mfa/verify", &[("password", OWNER_PASSWORD)]).await;
        let key = bind.body.split("id=\"setup-key\" data-value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(bind.has("What is MFA"), "A05");
        let phone = Phone::with_key(&key);
        let mut other_tab = browser.clone();
        let bound = browser.submit("/account/security/virtual-mfa/bind", &[("code", &phone.code(&kit))]).await;
        assert!(bound.has("callout-success") && bound.has("Make recovery codes now"), "{}", bound.text());
        assert!(browser.open("/account/security").await.has(">Bound<"));
        assert_eq!(other_tab.get("/account/security").await.location.as_deref(), Some("/?notice=session-over"), "attack_092");
        kit.next_step();
        let path = "/account/security/virtual-mfa/unbind";
        let wrong = browser.post(path, &[("code", &phone.wrong_code(&kit))]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "attack_063");
        let unbound = browser.submit(path, &[("code", &phone.code(&kit))]).await;
        assert!(unbound.has("Not Attached"), "{}", unbound.text());
    }

    /// A changed password ends the other sessions, not this one.
    async fn a_changed_password_ends_the_other_sessions(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (mut here, mut there) = (logged_on(&kit, &alice).await, logged_on(&kit, &alice).await);
        let path = "/me/security/password";
        let fields = |old, new, again| [("password", old), ("new_password", new), ("repeat_password", again)];
        for (old, new, again, field) in [
            ("wrong", "a new passphrase", "a new passphrase", "password-note"),
            (USER_PASSWORD, "a new passphrase", "another one", "repeat_password-note"),
            (USER_PASSWORD, "short", "short", "new_password-note"),
            (USER_PASSWORD, USER_PASSWORD, USER_PASSWORD, "new_password-note"),
        ] {
            let page = here.post(path, &fields(old, new, again)).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(page.has(&format!("id=\"{field}\"")), "{field}: {}", page.text());
        }
        let done = here.submit(path, &fields(USER_PASSWORD, "a new passphrase", "a new passphrase")).await;
        assert!(done.has("callout-success"), "{}", done.text());
        assert_eq!(there.get("/me/security").await.location.as_deref(), Some("/?notice=session-over"), "attack_093");
    }

    /// Language and theme are chosen on every page and lead back to it, never away from this site.
    async fn language_and_theme_are_remembered(kit: Kit) {
        let mut browser = kit.browser();
        let page = browser.submit("/preferences", &[("language", "zh-CN"), ("back", "/?as=owner")]).await;
        assert!(page.has("<html lang=\"zh-CN\"") && page.has("邮箱"));
        let page = browser.submit("/preferences", &[("theme", "dark"), ("back", "/")]).await;
        assert!(page.has("data-theme=\"dark\""));
        for away in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""] {
            let page = browser.post("/preferences", &[("theme", "auto"), ("back", away)]).await;
            assert_eq!(page.location.as_deref(), Some("/"), "{away}");
        }
    }
}
