//! RAM > Settings: what is typed is held against what it would do, and saved only then.

use super::{logged_on, owner};
use countersign_testkit::people::USER_PASSWORD;
use countersign_testkit::{Kit, both_engines};
use http::StatusCode;
use std::sync::Arc;

const SETTINGS: &str = "/ram/settings";
const POLICY: &str = "/ram/settings/password-policy";

/// The fields of the security settings as they are by default, with some of them changed. Boxes that are not ticked are not
/// sent.
fn security<'a>(seen: &'a str, changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let by_default = [
        ("seen", seen),
        ("mfa_for_logon", "independent"),
        ("binding_codes", "one"),
        ("mfa_device_types", "one"),
        ("session_hours", "6"),
        ("logon_networks", ""),
        ("passkey_logon", "on"),
        ("users_change_password", "on"),
        ("users_manage_mfa_devices", "on"),
        ("max_idle_days_users", "730"),
        ("max_idle_days_access_keys", "730"),
        ("audit_retention_days", "365"),
    ];
    let kept = by_default.into_iter().filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    kept.chain(changed.iter().copied()).filter(|(_, value)| *value != "off").collect()
}

fn passwords<'a>(seen: &'a str, changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let by_default = [
        ("seen", seen),
        ("minimum_length", "8"),
        ("minimum_different", "0"),
        ("max_age_days", "0"),
        ("initial_age_days", "14"),
        ("reuse_prevention", "0"),
        ("max_logon_attempts", "0"),
    ];
    let kept = by_default.into_iter().filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    kept.chain(changed.iter().copied()).collect()
}

both_engines! {
    /// The page tells what would happen, saves when it is told to, and the session goes on under a new secret.
    async fn c32_settings_are_checked_and_then_saved(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (mut browser, mut hers) = (owner(&kit, &acme).await, logged_on(&kit, &alice).await);
        let page = browser.open(SETTINGS).await;
        assert_eq!(page.status, StatusCode::OK);
        let seen = page.value_of("seen").unwrap();
        let told = browser.post(SETTINGS, &security(&seen, &[("mfa_for_logon", "mandatory")])).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.text());
        assert!(told.has("Must bind a device at the next logon") && told.has("href=\"/ram/users/rita\""), "{}", told.text());
        assert!(told.has("All users") && told.has("1 administrator among them"));
        assert!(browser.open(SETTINGS).await.has("value=\"independent\" checked"), "nothing is saved yet");
        let before = browser.cookie("countersign-session").unwrap().value.clone();
        let save = security(&seen, &[("mfa_for_logon", "mandatory"), ("step", "save")]);
        let saved = browser.submit(SETTINGS, &save).await;
        assert!(saved.has("callout-success") && saved.has("value=\"mandatory\" checked"), "{}", saved.text());
        assert_ne!(browser.cookie("countersign-session").unwrap().value, before);
        assert_eq!(hers.get("/me/security").await.location.as_deref(), Some("/?notice=session-over"), "attack_043");
    }

    /// Without script: the page that asks carries on all that was typed, forth and back.
    async fn c32_what_was_typed_is_carried_on(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = owner(&kit, &acme).await;
        let seen = browser.open(SETTINGS).await.value_of("seen").unwrap();
        let changed = [("logon_networks", "10.0.0.0/8\r\nfd00::/8"), ("remember_machines", "on"), ("session_hours", "12")];
        let told = browser.post(SETTINGS, &security(&seen, &changed)).await;
        assert_eq!(told.value_of("session_hours").as_deref(), Some("12"));
        assert_eq!(told.value_of("remember_machines").as_deref(), Some("on"));
        assert_eq!(told.value_of("users_manage_access_keys").as_deref(), Some("off"));
        assert!(told.has("10.0.0.0/8, fd00::/8") && told.has("You are outside these networks"), "{}", told.text());
        let mut back: Vec<_> = changed.to_vec();
        back.push(("step", "back"));
        let form = browser.post(SETTINGS, &security(&seen, &back)).await;
        assert_eq!(form.value_of("session_hours").as_deref(), Some("12"));
        assert!(form.has("10.0.0.0/8\r\nfd00::/8</textarea>") || form.has("10.0.0.0/8\nfd00::/8</textarea>"), "{}", form.body);
        let unchanged = browser.submit(SETTINGS, &security(&seen, &[])).await;
        assert!(unchanged.has("Nothing was changed"), "{}", unchanged.text());
    }

    /// What is wrong is told next to its field, all of it at once, and what was typed stays.
    async fn c32_wrong_values_are_told_next_to_their_fields(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        let mut browser = logged_on(&kit, &rita).await;
        let seen = browser.open(SETTINGS).await.value_of("seen").unwrap();
        let wrong = [("session_hours", "25"), ("logon_networks", "example.com"), ("audit_retention_days", "many")];
        let page = browser.post(SETTINGS, &security(&seen, &wrong)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        for (field, typed) in wrong {
            assert!(page.has(&format!("id=\"{field}-note\"")) && page.has(typed), "{field}: {}", page.text());
        }
        let page = browser.post(SETTINGS, &security(&seen, &[("logon_networks", "198.51.100.0/24")])).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text());
        assert!(page.has("you would lock yourself out"));
        let seen = browser.open(POLICY).await.value_of("seen").unwrap();
        let wrong = [("minimum_length", "7"), ("max_age_days", "-1"), ("reuse_prevention", "25"), ("initial_age_days", "")];
        let page = browser.post(POLICY, &passwords(&seen, &wrong)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        for (field, _) in wrong {
            assert!(page.has(&format!("id=\"{field}-note\"")), "{field}: {}", page.text());
        }
    }

    /// Two administrators at once: the second sees both before he saves.
    async fn c32_a_page_shown_before_somebody_else_saved_asks_again(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        let (mut one, mut other) = (owner(&kit, &acme).await, logged_on(&kit, &rita).await);
        let seen = one.open(SETTINGS).await.value_of("seen").unwrap();
        assert_eq!(other.open(SETTINGS).await.value_of("seen").as_deref(), Some(seen.as_str()));
        let save = security(&seen, &[("session_hours", "7"), ("step", "save")]);
        assert!(one.submit(SETTINGS, &save).await.has("callout-success"));
        let told = other.post(SETTINGS, &security(&seen, &[("audit_retention_days", "400"), ("step", "save")])).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.text());
        assert!(told.has("Somebody else has saved meanwhile") && told.has("7 hours") && told.has("400 days"));
        let fresh = told.value_of("seen").unwrap();
        assert_ne!(fresh, seen);
        let save = security(&fresh, &[("audit_retention_days", "400"), ("step", "save")]);
        let saved = other.submit(SETTINGS, &save).await;
        assert!(saved.has("callout-success"), "{}", saved.text());
    }

    /// The password policy has a page of its own; its rules stand at every field for a new password.
    async fn c32_the_rules_are_told_where_a_password_is_chosen(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (mut browser, mut hers) = (owner(&kit, &acme).await, logged_on(&kit, &alice).await);
        let seen = browser.open(POLICY).await.value_of("seen").unwrap();
        let change = [("minimum_length", "14"), ("require_numbers", "on"), ("step", "save")];
        let saved = browser.submit(POLICY, &passwords(&seen, &change)).await;
        assert!(saved.has("callout-success"), "{}", saved.text());
        let page = hers.open("/me/security/password").await;
        assert!(page.has("at least 14 characters") && page.has("a digit"), "{}", page.text());
        let fields = [("password", USER_PASSWORD), ("new_password", "no figures"), ("repeat_password", "no figures")];
        let page = hers.post("/me/security/password", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has("It needs at least 14 characters, a digit."), "{}", page.text());
        for path in ["/ram/create-user", "/ram/users/alice/logon-settings"] {
            assert!(browser.open(path).await.has("at least 14 characters"), "{path}");
        }
        let user = browser.open("/ram/users/alice").await;
        assert!(user.has("Good until"), "{}", user.text());
    }

    async fn only_administrators_see_the_settings(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = logged_on(&kit, &kit.ram_user(&acme, "alice").await).await;
        for path in [SETTINGS, POLICY] {
            assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN);
            let posted = browser.post(path, &security("", &[("step", "save")])).await;
            assert_ne!(posted.status, StatusCode::SEE_OTHER, "{path}");
        }
        assert_eq!(kit.owner_session(&acme).await.actor.session().settings, Arc::default());
    }
}
