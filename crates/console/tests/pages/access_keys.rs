//! AccessKeys: the tab of a user's page, one's own page, and the one page that shows a secret.

use super::{logged_on, owner};
use countersign_core::settings::SettingsChange;
use countersign_model::settings::{SensitiveOperation, Strength};
use countersign_testkit::http::{Browser, Page};
use countersign_testkit::people::OWNER_PASSWORD;
use countersign_testkit::{Account, Kit, both_engines, origin};
use http::StatusCode;

const OF_ALICE: &str = "/ram/users/alice/access-keys";
const TAB: &str = "/ram/users/alice?tab=access-keys";

/// The value that a page offers to be copied.
fn shown(page: &Page, id: &str) -> String {
    let after =
        page.body.split(&format!("id=\"{id}\" data-value=\"")).nth(1).unwrap_or_else(|| panic!("{}", page.text()));
    after.split('"').next().unwrap().to_owned()
}

/// Presses Create on the list that lies at `list`: id and secret, and the page that shows them.
async fn create(browser: &mut Browser, list: &str, action: &str) -> (String, String, Page) {
    let seen = browser.open(list).await.value_of("seen").unwrap();
    let page = browser.post(action, &[("do", "create"), ("seen", &seen)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    (shown(&page, "access-key-id"), shown(&page, "access-key-secret"), page)
}

/// The address of a question, as the list links to it.
fn question(action: &str, ask: &str, id: &str) -> String {
    format!("{action}?ask={ask}&key={id}")
}

async fn change(kit: &Kit, account: &Account, change: SettingsChange) {
    let actor = kit.owner_session(account).await.actor;
    kit.core().change_settings(&actor, change, origin()).await.unwrap();
}

both_engines! {
    async fn a_key_is_created_disabled_enabled_and_deleted_on_the_users_page(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let mut browser = owner(&kit, &acme).await;
        let empty = browser.open(TAB).await;
        assert!(empty.text().contains("No AccessKey"), "{}", empty.text());
        let (id, secret, made) = create(&mut browser, TAB, OF_ALICE).await;
        assert!(id.starts_with("LTAI") && secret.len() == 30);
        let file = format!("data:text/csv;charset=utf-8,AccessKey%20ID,AccessKey%20Secret%0D%0A{id},{secret}%0D%0A");
        assert!(made.has(&format!("href=\"{file}\" download=\"AccessKey-{id}.csv\"")), "{}", made.body);
        assert_eq!(made.header("cache-control"), Some("no-store"));

        let listed = browser.open(TAB).await;
        assert!(listed.has(&id) && !listed.has(&secret) && listed.text().contains("Active"), "{}", listed.text());
        let asked = browser.open(&question(OF_ALICE, "disable", &id)).await;
        assert!(asked.has(&id) && asked.text().contains("refused at once"), "{}", asked.text());
        let done = browser.submit(OF_ALICE, &[("do", "disable"), ("key", &id)]).await;
        assert!(done.text().contains("The AccessKey is disabled"), "{}", done.text());
        let done = browser.submit(OF_ALICE, &[("do", "enable"), ("key", &id)]).await;
        assert!(done.text().contains("The AccessKey is enabled"), "{}", done.text());
        assert!(browser.open(&question(OF_ALICE, "delete", &id)).await.text().contains("cannot be brought back"));
        let done = browser.submit(OF_ALICE, &[("do", "delete"), ("key", &id)]).await;
        assert!(done.text().contains("The AccessKey is deleted") && !done.has(&id), "{}", done.text());
        // What is gone is told where the list is.
        for gone in [
            browser.open(&question(OF_ALICE, "delete", &id)).await,
            browser.post(OF_ALICE, &[("do", "delete"), ("key", &id)]).await,
            browser.post(OF_ALICE, &[("do", "disable"), ("key", "LTAI")]).await,
        ] {
            assert_eq!(gone.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", gone.text());
            let text = gone.text();
            assert!(text.contains("no such AccessKey") && text.contains("No AccessKey"), "{text}");
        }
    }

    async fn a_form_sent_again_makes_no_second_key_and_two_are_the_limit(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let mut browser = owner(&kit, &acme).await;
        create(&mut browser, TAB, OF_ALICE).await;
        for seen in [&[("do", "create"), ("seen", "")][..], &[("do", "create")]] {
            let again = browser.post(OF_ALICE, seen).await;
            assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(again.text().contains("since this list was shown"), "{}", again.text());
        }
        assert_eq!(kit.count("access_keys").await, 1);
        let seen = browser.open(TAB).await.value_of("seen").unwrap();
        create(&mut browser, TAB, OF_ALICE).await;
        let full = browser.open(TAB).await;
        assert!(full.value_of("seen").is_none() && full.text().contains("There are 2 AccessKeys"), "{}", full.text());
        browser.post(OF_ALICE, &[("do", "create"), ("seen", &seen)]).await;
        assert_eq!((kit.count("access_keys").await, full.body.matches("table-name mono").count()), (2, 2));
        assert!(browser.open("/ram/users/alice/delete").await.text().contains("His AccessKeys are deleted"));
    }

    async fn the_form_comes_back_after_the_proof_and_then_shows_the_secret(kit: Kit) {
        let acme = kit.account("acme").await;
        let strengths = vec![(SensitiveOperation::AccessKeys, Strength::Always)];
        change(&kit, &acme, SettingsChange { strengths, ..SettingsChange::default() }).await;
        let mut browser = owner(&kit, &acme).await;
        let list = "/account/security/access-keys";
        assert!(browser.open("/account/security").await.has("href=\"/account/security/access-keys\""));
        let page = browser.open(list).await;
        assert!(page.text().contains("may do everything"), "{}", page.text());
        let asked = browser.post(list, &[("do", "create"), ("seen", "")]).await;
        assert_eq!(asked.status, StatusCode::UNAUTHORIZED, "{}", asked.text());
        let (request, form) = (asked.value_of("verify_request").unwrap(), asked.value_of("verify_form").unwrap());
        let proof = [("verify_request", request.as_str()), ("verify_form", &form), ("verify_proof", OWNER_PASSWORD)];
        let made = browser.post(&asked.path, &proof).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let secret = shown(&made, "access-key-secret");
        for path in [list, "/account/security", "/account/notices", "/account/history", "/ram/overview", "/ram/audit"] {
            assert!(!browser.open(path).await.has(&secret), "{path}");
        }
        assert!(browser.open("/account/security").await.text().contains("One AccessKey"));
        assert!(browser.open("/ram/overview").await.text().contains("Work without an AccessKey of the owner"));
        // The page that shows it is sent again: nothing more is made.
        browser.post(&asked.path, &proof).await;
        assert_eq!(kit.count("access_keys").await, 1);
    }

    async fn a_user_sees_his_keys_only_where_the_account_lets_him_manage_them(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let own = "/me/security/access-keys";
        let mut browser = logged_on(&kit, &alice).await;
        assert!(!browser.open("/me/security").await.has(own));
        assert_eq!(browser.open(own).await.status, StatusCode::FORBIDDEN);
        let refused = browser.post(own, &[("do", "create"), ("seen", "")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.open(TAB).await.status, StatusCode::FORBIDDEN);
        change(&kit, &acme, SettingsChange { users_manage_access_keys: Some(true), ..SettingsChange::default() }).await;
        let mut browser = logged_on(&kit, &alice).await;
        assert!(browser.open("/me/security").await.has(&format!("href=\"{own}\"")));
        let (id, ..) = create(&mut browser, own, own).await;
        assert!(browser.open(own).await.has(&id));
        assert!(browser.open("/me/notices").await.text().contains("AccessKey created"));
        // The Account Center's page is not his, and leads to his own.
        assert_eq!(browser.get("/account/security/access-keys").await.location.as_deref(), Some(own));
        let asked = browser.open(&question(own, "delete", &id)).await;
        assert!(asked.has(&id), "{}", asked.text());
        let done = browser.submit(own, &[("do", "delete"), ("key", &id)]).await;
        assert!(done.text().contains("The AccessKey is deleted"), "{}", done.text());
    }
}
