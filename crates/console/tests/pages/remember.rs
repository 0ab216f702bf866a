//! Remembering a machine at logon, as the browser sees it.

use super::{logged_on, named, owner, past_password, typed_name};
use countersign_core::settings::SettingsChange;
use countersign_testkit::http::{Browser, Page};
use countersign_testkit::{Account, Kit, Person, Phone, both_engines, origin};
use http::StatusCode;
use std::time::Duration;

const SECOND_FACTOR: &str = "/logon/second-factor";
const MACHINE: &str = "countersign-machine";
const DAY: Duration = Duration::from_hours(24);

/// Allows remembering, as C29 does on the settings page.
pub(super) async fn allow(kit: &Kit, account: &Account) {
    let owner = kit.owner_session(account).await.actor;
    let change = SettingsChange { remember_machines: Some(true), ..SettingsChange::default() };
    kit.core().change_settings(&owner, change, origin()).await.unwrap();
}

/// Logs on with a code in a browser that may have cookies already, and has the machine remembered.
pub(super) async fn remembered(kit: &Kit, browser: Browser, person: &Person, phone: &Phone) -> Browser {
    let (mut browser, page) = again(browser, person).await;
    assert_eq!(page.location.as_deref(), Some(SECOND_FACTOR), "{}", page.text());
    let page = browser.post(SECOND_FACTOR, &[("code", &phone.code(kit)), ("remember", "1")]).await;
    assert_eq!(page.location.as_deref(), Some("/"), "{}", page.text());
    kit.next_step();
    browser
}

/// Name and password in a browser that keeps its cookies.
async fn again(mut browser: Browser, person: &Person) -> (Browser, Page) {
    let (kind, name) = typed_name(person);
    browser.post("/logon", &[("as", kind), ("name", &name)]).await;
    let page = browser.post("/logon/password", &[("password", &person.password)]).await;
    (browser, page)
}

both_engines! {
    /// The administrator allows it on the settings page; only then the step offers it, and to RAM users alone.
    async fn c29_c30_the_box_stands_only_where_the_account_allows_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (mut browser, _) = past_password(&kit, &alice).await;
        let page = browser.get(SECOND_FACTOR).await;
        assert!(!page.has("name=\"remember\""), "{}", page.text());
        // Asked for all the same, it is not done.
        let page = browser.post(SECOND_FACTOR, &[("code", &phone.code(&kit)), ("remember", "1")]).await;
        assert_eq!(page.location.as_deref(), Some("/"));
        assert!(browser.cookie(MACHINE).is_none());
        kit.next_step();

        allow(&kit, &acme).await;
        let (mut browser, _) = past_password(&kit, &alice).await;
        let page = browser.get(SECOND_FACTOR).await;
        assert!(page.text().contains("Remember this machine for 7 days before you have to be authenticated again"));
        assert!(page.has("name=\"remember\" value=\"1\">"), "not ticked by itself");
        // What was ticked stays when the code was wrong.
        let page = browser.post(SECOND_FACTOR, &[("code", &phone.wrong_code(&kit)), ("remember", "1")]).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.has("name=\"remember\" value=\"1\" checked>"));

        let (_, phone) = kit.bound_owner(&acme).await;
        let (mut owner, _) = past_password(&kit, &acme.owner).await;
        assert!(!owner.get(SECOND_FACTOR).await.has("name=\"remember\""));
        owner.post(SECOND_FACTOR, &[("code", &phone.code(&kit)), ("remember", "1")]).await;
        assert!(owner.cookie(MACHINE).is_none());
    }

    /// Within seven days the password is enough in this browser, in no other one, and after them it is not.
    async fn c31_x11_a_remembered_machine_is_not_asked_for_seven_days(kit: Kit) {
        let acme = kit.account("acme").await;
        allow(&kit, &acme).await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut browser = remembered(&kit, kit.browser(), &alice, &phone).await;
        for _ in 0..3 {
            kit.advance(2 * DAY);
            let (after, page) = again(browser, &alice).await;
            assert_eq!(page.location.as_deref(), Some("/"), "{}", page.text());
            browser = after;
        }
        let page = browser.open("/me/sessions").await;
        assert!(page.text().contains("Password + Remembered machine"), "{}", page.text());
        let (_, page) = past_password(&kit, &alice).await;
        assert_eq!(page.location.as_deref(), Some(SECOND_FACTOR));
        kit.advance(2 * DAY);
        let (_, page) = again(browser, &alice).await;
        assert_eq!(page.location.as_deref(), Some(SECOND_FACTOR));
    }

    /// No cookie that remembers anything is set before the code was right.
    async fn attack_096_nothing_is_remembered_before_the_code_was_right(kit: Kit) {
        let acme = kit.account("acme").await;
        allow(&kit, &acme).await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let browsers = kit.count("known_browsers").await;
        let mut browser = named(&kit, &alice).await;
        let field = ("remember", "1");
        browser.post("/logon/password", &[("password", &alice.password), field]).await;
        let wrong = browser.post(SECOND_FACTOR, &[("code", &phone.wrong_code(&kit)), field]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let held: Vec<&str> = browser.cookies().keys().map(String::as_str).collect();
        assert_eq!(held, ["countersign-logon"]);
        assert_eq!(kit.count("remembered_machines").await, 0);
        assert_eq!(kit.count("known_browsers").await, browsers);
        browser.post(SECOND_FACTOR, &[("code", &phone.code(&kit)), field]).await;
        let held: Vec<&str> = browser.cookies().keys().map(String::as_str).collect();
        assert_eq!(held, ["countersign-browser", MACHINE, "countersign-session"]);
        for (name, age) in [("countersign-browser", 90), (MACHINE, 7)] {
            let cookie = browser.cookie(name).unwrap();
            let expected = format!("Path=/; HttpOnly; SameSite=Lax; Max-Age={}", age * 24 * 3_600);
            assert_eq!(cookie.attributes, expected, "{name}");
        }
        assert!(!browser.cookie("countersign-session").unwrap().attributes.contains("Max-Age"));
    }

    /// What remembers a machine is no session and no password, and serves nobody else.
    async fn x11_the_secret_of_a_machine_opens_nothing_by_itself(kit: Kit) {
        let acme = kit.account("acme").await;
        allow(&kit, &acme).await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (bob, _) = kit.bound_user(&acme, "bob").await;
        let browser = remembered(&kit, kit.browser(), &alice, &phone).await;
        let secret = browser.cookie(MACHINE).unwrap().value.clone();
        let mut thief = kit.browser();
        thief.set_cookie("countersign-session", &secret);
        assert!(thief.get("/me/security").await.location.is_some());
        let mut thief = kit.browser();
        thief.set_cookie(MACHINE, &secret);
        let (_, page) = again(thief, &bob).await;
        assert_eq!(page.location.as_deref(), Some(SECOND_FACTOR));
    }

    /// The owner forgets the machine of a user, who is asked again.
    async fn c31_a_machine_that_an_administrator_forgets_is_asked_again(kit: Kit) {
        let acme = kit.account("acme").await;
        allow(&kit, &acme).await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let browser = remembered(&kit, kit.browser(), &alice, &phone).await;
        let mut owner = owner(&kit, &acme).await;
        let page = owner.open("/ram/users/alice/sessions?end=machines").await;
        assert!(page.text().contains("Forget all machines of alice?"), "{}", page.text());
        let page = owner.submit("/ram/users/alice/sessions", &[("end", "machines")]).await;
        assert!(page.has("callout-success") && page.text().contains("No remembered machine"), "{}", page.text());
        let (_, page) = again(browser, &alice).await;
        assert_eq!(page.location.as_deref(), Some(SECOND_FACTOR));
        let bob = kit.ram_user(&acme, "bob").await;
        logged_on(&kit, &bob).await;
    }
}
