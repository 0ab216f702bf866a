//! Open sessions and remembered machines: one's own, and those of a user for his administrators.

use super::remember::{allow, remembered};
use super::{logged_on, owner, typed_name};
use countersign_testkit::http::{Browser, Page};
use countersign_testkit::{Kit, both_engines};
use http::{HeaderName, StatusCode};

const OWN: &str = "/me/sessions";
const OVER: Option<&str> = Some("/?notice=session-over");
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";

/// A browser that calls itself so.
fn calling_itself(kit: &Kit, name: &str) -> Browser {
    kit.browser().with_header(HeaderName::from_static("user-agent"), name)
}

/// The id beside the first button that ends a thing of this kind.
fn id_of(page: &Page, what: &str) -> String {
    let form = page.body.split("name=\"id\" value=\"").skip(1).find(|form| {
        form.split("</form>").next().is_some_and(|form| form.contains(&format!("name=\"end\" value=\"{what}\"")))
    });
    form.unwrap_or_else(|| panic!("{}", page.text())).split('"').next().unwrap().to_owned()
}

both_engines! {
    /// The list says which browser, from where, by what; another session is ended, and this one is not offered.
    async fn x11_own_sessions_are_listed_and_ended(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut firefox = calling_itself(&kit, FIREFOX);
        let name = typed_name(&alice).1;
        firefox.post("/logon", &[("as", "ram-user"), ("name", &name)]).await;
        firefox.post("/logon/password", &[("password", &alice.password)]).await;
        let mut here = logged_on(&kit, &alice).await;
        let page = here.open(OWN).await;
        let text = page.text();
        assert!(text.contains("Firefox on Linux") && text.contains("192.0.2.7"), "{text}");
        assert!(text.contains("This session") && text.contains("No remembered machine"), "{text}");
        assert_eq!(page.body.matches("name=\"end\" value=\"session\"").count(), 1, "not its own");
        let id = id_of(&page, "session");
        let page = here.submit(OWN, &[("end", "session"), ("id", &id)]).await;
        assert!(page.has("callout-success") && !page.text().contains("Firefox"), "{}", page.text());
        assert_eq!(firefox.get("/me/security").await.location.as_deref(), OVER);
        let again = here.post(OWN, &[("end", "session"), ("id", &id)]).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.has("It has ended already"), "{}", again.text());

        let mut others = [logged_on(&kit, &alice).await, logged_on(&kit, &alice).await];
        here.submit(OWN, &[("end", "sessions")]).await;
        for other in &mut others {
            assert_eq!(other.get(OWN).await.location.as_deref(), OVER);
        }
        assert!(!here.open(OWN).await.has("value=\"sessions\""), "no others are left to end");
    }

    /// Neither a user nor the owner ends by these forms what is somebody else's, and ids that are none say the same.
    async fn attack_133_a_foreign_id_has_ended_already(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, bob) = (kit.ram_user(&acme, "alice").await, kit.ram_user(&acme, "bob").await);
        let (mut hers, mut his) = (logged_on(&kit, &alice).await, logged_on(&kit, &bob).await);
        let foreign = kit.session(&bob).await.actor.session().session.id.to_string();
        for id in [foreign.as_str(), "", "0", "' OR 1=1 --", &"f".repeat(32), &"f".repeat(10_000)] {
            for what in ["session", "machine", "", "everything"] {
                let page = hers.post(OWN, &[("end", what), ("id", id)]).await;
                assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{what} {id}");
                assert!(page.has("It has ended already"));
            }
        }
        assert_eq!(his.get(OWN).await.status, StatusCode::OK);
        for path in ["/ram/users/bob?tab=sessions", "/ram/users/bob/sessions?end=sessions"] {
            assert_eq!(hers.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        let page = hers.post("/ram/users/bob/sessions", &[("end", "session"), ("id", &foreign)]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.text());
        // Another account does not learn that there is a bob.
        let other = kit.account("other").await;
        let mut stranger = owner(&kit, &other).await;
        for path in ["/ram/users/bob?tab=sessions", "/ram/users/bob/sessions?end=sessions"] {
            assert_eq!(stranger.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let page = stranger.post("/ram/users/bob/sessions", &[("end", "session"), ("id", &foreign)]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert_eq!(his.get(OWN).await.status, StatusCode::OK);
    }

    /// An administrator is asked first, ends one session or all, and forgets machines.
    async fn x11_an_administrator_ends_the_sessions_of_a_user(kit: Kit) {
        let acme = kit.account("acme").await;
        allow(&kit, &acme).await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut hers = remembered(&kit, calling_itself(&kit, FIREFOX), &alice, &phone).await;
        let mut owner = owner(&kit, &acme).await;
        let page = owner.open("/ram/users/alice?tab=sessions").await;
        let text = page.text();
        assert!(text.contains("Firefox on Linux") && text.contains("Password + Virtual MFA"), "{text}");
        assert!(text.contains("Remembered machines") && !text.contains("This session"), "{text}");
        let link = page.body.split("href=\"").find(|link| link.contains("end=session&")).unwrap();
        let link = link.split('"').next().unwrap().replace("&amp;", "&");
        let id = link.rsplit('=').next().unwrap().to_owned();
        let asked = owner.open(&link).await;
        assert!(asked.text().contains("End this session of alice?") && asked.text().contains("Firefox on Linux"));
        assert_eq!(hers.get(OWN).await.status, StatusCode::OK, "looking ends nothing");
        let page = owner.submit("/ram/users/alice/sessions", &[("end", "session"), ("id", &id)]).await;
        assert!(page.has("The session has ended") && page.text().contains("No open session"), "{}", page.text());
        assert_eq!(hers.get(OWN).await.location.as_deref(), OVER);
        for gone in [owner.open(&link).await, owner.open("/ram/users/alice/sessions?end=sessions").await] {
            assert!(gone.status == StatusCode::UNPROCESSABLE_ENTITY && gone.has("It has ended already"));
        }
        let page = owner.post("/ram/users/alice/sessions", &[("end", "session"), ("id", &id)]).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.has("Remembered machines"), "{}", page.text());

        let bob = kit.ram_user(&acme, "bob").await;
        let mut his = [logged_on(&kit, &bob).await, logged_on(&kit, &bob).await];
        let page = owner.open("/ram/users/bob/sessions?end=sessions").await;
        assert!(page.text().contains("End all sessions of bob?"), "{}", page.text());
        owner.submit("/ram/users/bob/sessions", &[("end", "sessions")]).await;
        for browser in &mut his {
            assert_eq!(browser.get(OWN).await.location.as_deref(), OVER);
        }
    }

    /// Nobody manages himself there: the tab only shows, and leads to one's own page.
    async fn an_administrator_ends_his_own_sessions_elsewhere(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        let mut browser = logged_on(&kit, &rita).await;
        let page = browser.open("/ram/users/rita?tab=sessions").await;
        assert!(page.text().contains("This session") && !page.has("end=session"), "{}", page.text());
        assert_eq!(browser.get("/ram/users/rita/sessions?end=sessions").await.status, StatusCode::FORBIDDEN);
        let page = browser.post("/ram/users/rita/sessions", &[("end", "sessions")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has("You cannot do this to yourself"), "{}", page.text());
        assert_eq!(browser.get(OWN).await.status, StatusCode::OK);
    }

    /// Everything ends, this session too, and the cookie is worth nothing anywhere.
    async fn attack_094_logging_off_everywhere_ends_all(kit: Kit) {
        let acme = kit.account("acme").await;
        allow(&kit, &acme).await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut here = remembered(&kit, kit.browser(), &alice, &phone).await;
        let mut thief = here.clone();
        let mut there = remembered(&kit, kit.browser(), &alice, &phone).await;
        let path = "/me/sessions/log-off-everywhere";
        assert!(here.open(path).await.text().contains("All your sessions end, this one too"));
        let page = here.post(path, &[]).await;
        assert_eq!(page.location.as_deref(), Some("/?notice=logged-off-everywhere"));
        assert_eq!(page.header("clear-site-data"), Some("\"cache\", \"storage\""));
        assert!(here.cookie("countersign-session").is_none());
        for browser in [&mut thief, &mut there] {
            assert_eq!(browser.get(OWN).await.location.as_deref(), OVER);
        }
        assert!(here.follow(page).await.text().contains("You are logged off everywhere"));
        let name = typed_name(&alice).1;
        here.post("/logon", &[("as", "ram-user"), ("name", &name)]).await;
        let page = here.post("/logon/password", &[("password", &alice.password)]).await;
        assert_eq!(page.location.as_deref(), Some("/logon/second-factor"), "no machine is remembered any more");
    }

    /// What a browser calls itself is shown in known words only.
    async fn attack_128_the_name_of_a_browser_is_inert(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let corpus = "\"><script>alert(1)</script><img src=x onerror=alert(1)> Firefox/1 Linux";
        let mut browser = calling_itself(&kit, corpus);
        let name = typed_name(&alice).1;
        browser.post("/logon", &[("as", "ram-user"), ("name", &name)]).await;
        browser.post("/logon/password", &[("password", &alice.password)]).await;
        let mut owner = owner(&kit, &acme).await;
        let pages = [
            browser.open(OWN).await,
            owner.open("/ram/users/alice?tab=sessions").await,
            owner.open("/ram/users/alice/sessions?end=sessions").await,
        ];
        for page in pages {
            assert!(page.text().contains("Firefox on Linux"), "{}", page.text());
            assert!(!page.has("<script>alert") && !page.has("<img src=x") && !page.has("onerror"), "{}", page.path);
        }
        let echoed = owner.open("/ram/users/alice/sessions?end=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&id=%22%3E").await;
        assert!(echoed.status == StatusCode::UNPROCESSABLE_ENTITY && !echoed.has("<script>alert"));
    }

    /// The owner's page lies in the Account Center.
    async fn the_owner_has_his_sessions_in_the_account_center(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = owner(&kit, &acme).await;
        assert_eq!(browser.get(OWN).await.location.as_deref(), Some("/account/sessions"));
        let mut other = owner(&kit, &acme).await;
        let page = browser.submit("/account/sessions", &[("end", "sessions")]).await;
        assert!(page.status == StatusCode::OK && page.has("The sessions have ended"), "{}", page.text());
        assert_eq!(other.get("/account/security").await.location.as_deref(), OVER);
    }
}
