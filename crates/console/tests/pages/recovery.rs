//! Recovery codes: making them, and logging on with one.

use super::{named, owner, past_password};
use countersign_testkit::http::{Browser, Page};
use countersign_testkit::people::{OWNER_PASSWORD, login_with_mfa};
use countersign_testkit::{Kit, Person, Phone, both_engines};
use http::StatusCode;

const CODES: &str = "/me/security/recovery-codes";
const BY_CODE: &str = "/logon/recovery-code";

/// A browser of somebody with a device.
async fn logged_on_with(kit: &Kit, person: &Person, phone: &Phone) -> Browser {
    let (mut browser, _) = past_password(kit, person).await;
    let page = browser.post("/logon/second-factor", &[("code", &phone.code(kit))]).await;
    assert!(browser.cookie("countersign-session").is_some(), "{}", page.text());
    kit.next_step();
    browser
}

/// Passes the page Verify Identity, which came in the place of an answer.
async fn verify(kit: &Kit, browser: &mut Browser, asked: &Page, phone: &Phone) -> Page {
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED, "{}", asked.text());
    let (request, form) = (asked.value_of("verify_request").unwrap(), asked.value_of("verify_form").unwrap());
    let proof = phone.code(kit);
    kit.next_step();
    let fields = [("verify_request", request.as_str()), ("verify_form", &form), ("verify_proof", &proof)];
    browser.post(&asked.path, &fields).await
}

/// The codes that a page shows.
fn shown(page: &Page) -> Vec<String> {
    let list = page.body.split("id=\"codes\" data-value=\"").nth(1).unwrap_or_else(|| panic!("{}", page.text()));
    list.split('"').next().unwrap().lines().map(str::to_owned).collect()
}

/// Makes recovery codes; `replace` is what the page that asks has in its form.
async fn make(kit: &Kit, browser: &mut Browser, phone: &Phone, replace: Option<&str>) -> Vec<String> {
    let fields: Vec<_> = replace.map(|replace| ("replace", replace)).into_iter().collect();
    let asked = browser.post(CODES, &fields).await;
    let page = verify(kit, browser, &asked, phone).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    shown(&page)
}

/// Binds the device that a logon asks for; the page after it.
async fn bind_at_logon(kit: &Kit, browser: &mut Browser) -> (Phone, Page) {
    let page = browser.submit("/logon/bind", &[("type", "virtual-mfa")]).await;
    let key = page.body.split("id=\"setup-key\" data-value=\"").nth(1).unwrap().split('"').next().unwrap();
    let phone = Phone::with_key(key);
    let done = browser.post("/logon/bind/virtual-mfa", &[("code", &phone.code(kit))]).await;
    kit.next_step();
    (phone, done)
}

both_engines! {
    /// Ten codes are shown in the answer to the form and nowhere again; other sessions end and this one goes on.
    async fn x13_ten_codes_are_shown_once(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut browser = logged_on_with(&kit, &alice, &phone).await;
        let mut other = logged_on_with(&kit, &alice, &phone).await;
        let page = browser.open("/me/security").await;
        assert!(page.has("href=\"/me/security/recovery-codes\"") && page.text().contains("None"), "{}", page.text());
        assert!(browser.open(CODES).await.has("Make recovery codes"));
        let before = browser.cookie("countersign-session").unwrap().value.clone();
        let codes = make(&kit, &mut browser, &phone, None).await;
        assert_eq!(codes.len(), 10);
        assert!(codes.iter().all(|code| code.len() == 19 && code.split('-').count() == 4), "{codes:?}");
        assert_ne!(browser.cookie("countersign-session").unwrap().value, before, "attack_092");
        assert_eq!(other.get("/me/security").await.location.as_deref(), Some("/?notice=session-over"));
        for path in ["/me/security", CODES, "/me/security/recovery-codes?replace=1", "/me/notices", "/me/history"] {
            let page = browser.open(path).await;
            assert!(page.status == StatusCode::OK && !codes.iter().any(|code| page.has(code)), "{path}");
        }
        assert!(browser.open("/me/security").await.text().contains("10 left"));
        let dump = kit.dump().await;
        assert!(!codes.iter().any(|code| dump.holds(code.as_bytes())));
    }

    /// Present codes are given up only by whoever has seen which: neither by loading the page of the codes again nor from a
    /// page that was opened before there were any.
    async fn x13_present_codes_are_replaced_only_when_that_was_confirmed(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut browser = logged_on_with(&kit, &alice, &phone).await;
        let first = make(&kit, &mut browser, &phone, None).await;
        kit.next_step();
        for fields in [&[][..], &[("replace", "1")], &[("replace", "")]] {
            let asked = browser.post(CODES, fields).await;
            assert!(asked.status == StatusCode::OK && asked.text().contains("Replace your recovery codes?"));
            assert!(asked.text().contains("worthless from then on"), "{}", asked.text());
        }
        let named = browser.open("/me/security/recovery-codes?replace=1").await.value_of("replace").unwrap();
        let second = make(&kit, &mut browser, &phone, Some(&named)).await;
        kit.next_step();
        assert!(browser.post(CODES, &[("replace", &named)]).await.text().contains("Replace your recovery codes?"));

        let (mut logon, _) = past_password(&kit, &alice).await;
        let wrong = logon.post(BY_CODE, &[("recovery_code", &first[0])]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "attack_051");
        let right = logon.post(BY_CODE, &[("recovery_code", &second[0])]).await;
        assert_eq!(right.location.as_deref(), Some("/logon/bind"), "{}", right.text());
    }

    /// A recovery code leads to binding and to nothing else; the new device takes the place of the lost one.
    async fn x13_attack_053_a_recovery_code_leads_to_a_new_device_before_anything_else(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, lost) = kit.bound_user(&acme, "alice").await;
        let mut hers = logged_on_with(&kit, &alice, &lost).await;
        let codes = make(&kit, &mut hers, &lost, None).await;
        let (mut browser, page) = past_password(&kit, &alice).await;
        assert_eq!(page.location.as_deref(), Some("/logon/second-factor"));
        assert!(browser.get("/logon/second-factor").await.has("href=\"/logon/recovery-code\""));
        assert!(browser.get(BY_CODE).await.text().contains("The old one stops working"));
        let spelled = codes[3].to_lowercase().replace('-', " ");
        let page = browser.post(BY_CODE, &[("recovery_code", &spelled)]).await;
        assert_eq!(page.location.as_deref(), Some("/logon/bind"), "{}", page.text());
        assert!(browser.cookie("countersign-session").is_none() && browser.cookie("countersign-machine").is_none());
        for path in ["/me/security", "/me/sessions", CODES, "/ram/overview", "/"] {
            let page = browser.clone().get(path).await;
            assert!(path == "/" || page.location.as_deref() == Some("/"), "{path}: {:?}", page.location);
        }
        let page = browser.get("/logon/bind").await;
        assert!(page.text().contains("Bind your new device; the old one stops working"), "{}", page.text());
        let (fresh, done) = bind_at_logon(&kit, &mut browser).await;
        assert_eq!(done.location.as_deref(), Some("/"), "there are codes left: {}", done.text());
        assert!(browser.open("/me/security").await.text().contains("9 left"));
        assert!(browser.open("/me/sessions").await.text().contains("Password + Recovery code"));

        let (mut thief, _) = past_password(&kit, &alice).await;
        let old = thief.post("/logon/second-factor", &[("code", &lost.code(&kit))]).await;
        assert_eq!(old.status, StatusCode::UNPROCESSABLE_ENTITY);
        let used = thief.post(BY_CODE, &[("recovery_code", &codes[3])]).await;
        assert_eq!(used.status, StatusCode::UNPROCESSABLE_ENTITY);
        let right = thief.post("/logon/second-factor", &[("code", &fresh.code(&kit))]).await;
        assert_eq!(right.location.as_deref(), Some("/"), "{}", right.text());
    }

    /// Whatever is wrong with a code, the page is the same to the byte; also for somebody who never had any.
    async fn attack_122_every_wrong_recovery_code_gets_the_same_page(kit: Kit) {
        let acme = kit.account("acme").await;
        let (with, phone) = kit.bound_user(&acme, "aaaaa").await;
        let (without, _) = kit.bound_user(&acme, "bbbbb").await;
        let mut browser = logged_on_with(&kit, &with, &phone).await;
        let codes = make(&kit, &mut browser, &phone, None).await;
        let mut bodies = Vec::new();
        for (person, typed) in [
            (&with, "ABCD-EFGH-IJKL-MNOP"),
            (&with, "not a code"),
            (&with, ""),
            (&without, codes[0].as_str()),
            (&without, "ABCD-EFGH-IJKL-MNOP"),
        ] {
            let (mut browser, _) = past_password(&kit, person).await;
            let page = browser.post(BY_CODE, &[("recovery_code", typed)]).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(typed.is_empty() || !page.has(typed), "what was typed is not shown again");
            let name = &person.name;
            bodies.push(page.body.replace(name.as_str(), "NAME").replace(&name[..2].to_uppercase(), "NA"));
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "the answers differ");
    }

    /// The page takes a code only in its turn.
    async fn attack_036_a_recovery_code_counts_only_after_the_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut hers = logged_on_with(&kit, &alice, &phone).await;
        let codes = make(&kit, &mut hers, &phone, None).await;
        let mut browser = named(&kit, &alice).await;
        assert_eq!(browser.get(BY_CODE).await.location.as_deref(), Some("/logon/password"));
        let page = browser.post(BY_CODE, &[("recovery_code", &codes[0])]).await;
        assert!(page.location.unwrap().starts_with("/?notice=logon-over"));
        assert_eq!(kit.int("SELECT COUNT(*) FROM recovery_codes WHERE used_at IS NOT NULL", &[]).await, 0);
    }

    /// Without a device there are none; with the first device they are offered, also when it was bound at logon.
    async fn x13_codes_are_offered_after_the_first_binding(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let mut browser = owner(&kit, &acme).await;
        let path = "/account/security/recovery-codes";
        assert_eq!(browser.get(path).await.location.as_deref(), Some("/account/security"));
        assert!(!browser.open("/account/security").await.has("recovery-codes"));
        let refused = browser.post(path, &[]).await;
        assert!(refused.status == StatusCode::UNAUTHORIZED || refused.status == StatusCode::UNPROCESSABLE_ENTITY);
        let bind =
            browser.submit("/account/security/virtual-mfa/verify", &[("password", OWNER_PASSWORD)]).await;
        let key = bind.body.split("id=\"setup-key\" data-value=\"").nth(1).unwrap().split('"').next().unwrap();
        let phone = Phone::with_key(key);
        let page = browser.post("/account/security/virtual-mfa/bind", &[("code", &phone.code(&kit))]).await;
        let offer = page.location.clone().unwrap();
        assert_eq!(offer, "/account/security/recovery-codes?offered=1&done=mfa-bound");
        let page = browser.follow(page).await;
        assert!(page.has("Make recovery codes now") && page.has("callout-success"), "{}", page.text());
        assert!(page.has("href=\"/account/security\">Later</a>"));

        let (mut browser, _) = past_password(&kit, &alice).await;
        let (_, done) = bind_at_logon(&kit, &mut browser).await;
        assert_eq!(done.location.as_deref(), Some("/me/security/recovery-codes?offered=1"), "{}", done.text());
        assert_eq!(browser.follow(done).await.status, StatusCode::OK);
        // The other's pages lead to one's own.
        assert_eq!(browser.get(path).await.location.as_deref(), Some(CODES));
    }

    /// An administrator sees how many are left and that they are locked, lifts the lock, and sees no code.
    async fn x13_an_administrator_sees_how_many_codes_are_left_and_lifts_their_lock(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut hers = logged_on_with(&kit, &alice, &phone).await;
        let codes = make(&kit, &mut hers, &phone, None).await;
        let (mut logon, _) = past_password(&kit, &alice).await;
        for _ in 0..5 {
            logon.post(BY_CODE, &[("recovery_code", "ABCD-EFGH-IJKL-MNOP")]).await;
        }
        let paused = logon.post(BY_CODE, &[("recovery_code", &codes[0])]).await;
        assert_eq!(paused.status, StatusCode::UNPROCESSABLE_ENTITY, "a pause runs");
        let mut owner = owner(&kit, &acme).await;
        let page = owner.open("/ram/users/alice").await;
        let text = page.text();
        assert!(text.contains("10 left") && text.contains("Wrong recovery codes Locked until"), "{text}");
        assert!(!codes.iter().any(|code| page.has(code)));
        let page = owner.submit("/ram/users/alice/unlock", &[]).await;
        assert!(page.text().contains("Wrong recovery codes Not locked"), "{}", page.text());
        let right = logon.post(BY_CODE, &[("recovery_code", &codes[0])]).await;
        assert_eq!(right.location.as_deref(), Some("/logon/bind"), "{}", right.text());
    }
}
