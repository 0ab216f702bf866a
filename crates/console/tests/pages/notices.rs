//! "This was not me" behind the link of a mail and from one's own list; findings for administrators.

use super::{logged_on, owner};
use countersign_core::users::UserFacts;
use countersign_testkit::people::{expose, facts, login};
use countersign_testkit::{Account, Kit, Person, both_engines, origin};
use http::StatusCode;

both_engines! {
    /// The page behind the link says what happened; the button ends all sessions, once, and administrators read of it.
    async fn the_link_asks_and_its_button_ends_all_sessions(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, link) = told(&kit, &acme).await;
        let mut session = logged_on(&kit, &alice).await;
        let mut mail = kit.browser();
        let page = mail.get(&link).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(text.contains("Was this not you?") && text.contains("alice@acme.countersign.local"), "{text}");
        assert!(text.contains("Administrator owner@acme.example") && text.contains("192.0.2.7"), "{text}");
        let token = page.value_of("notice").unwrap();
        let done = mail.post("/not-me", &[("notice", &token)]).await;
        assert_eq!(done.status, StatusCode::OK);
        assert!(done.text().contains("All sessions have ended"), "{}", done.text());
        assert_eq!(session.get("/me/security").await.location.as_deref(), Some("/?notice=session-over"));

        let again = mail.post("/not-me", &[("notice", &token)]).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN);
        assert!(again.text().contains("This link is not good any more"), "{}", again.text());
        assert_eq!(mail.get(&link).await.status, StatusCode::FORBIDDEN);

        let mut owner = owner(&kit, &acme).await;
        let overview = owner.open("/ram/overview").await;
        assert!(overview.has("One finding needs your attention") && overview.has("href=\"/ram/users/alice\""), "{}", overview.text());
        let finding = overview.value_of("finding").unwrap();
        let settled = owner.submit("/ram/findings", &[("finding", &finding), ("back", "overview")]).await;
        assert!(settled.has("The finding is settled") && !settled.has("needs your attention"), "{}", settled.text());
        let gone = owner.post("/ram/findings", &[("finding", &finding)]).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
        let list = owner.open("/ram/findings?state=settled&page=9").await;
        assert!(list.has("by owner@acme.example") && list.has("Password changed"), "{}", list.text());
        assert!(owner.open("/ram/findings").await.has("Nothing to look at"));
    }

    /// Programs that look at the links in mails change nothing, and neither does a page of another site.
    async fn attack_064_looking_at_the_link_or_posting_from_elsewhere_changes_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, link) = told(&kit, &acme).await;
        let mut session = logged_on(&kit, &alice).await;
        let before = (kit.dump_of("notices").await, kit.dump_of("principals").await, kit.dump_of("findings").await);
        let mut scanner = kit.browser();
        for method in [http::Method::GET, http::Method::HEAD, http::Method::OPTIONS] {
            for _ in 0..3 {
                scanner.send(method.clone(), &link, None).await;
            }
        }
        let token = link.split_once('=').unwrap().1;
        for site in ["https://mail.example", "null"] {
            let page = kit.browser().on_site(site).post("/not-me", &[("notice", token)]).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN);
            assert!(page.text().contains("did not come from a page of this site"), "{}", page.text());
        }
        assert_eq!((kit.dump_of("notices").await, kit.dump_of("principals").await, kit.dump_of("findings").await), before);
        assert_eq!(session.get("/me/security").await.status, StatusCode::OK);
    }

    /// Links that nobody was sent lead to one and the same page.
    async fn attack_056_strange_links_lead_to_one_page(kit: Kit) {
        let acme = kit.account("acme").await;
        let (_, link) = told(&kit, &acme).await;
        let mut pages = Vec::new();
        for path in ["/not-me", "/not-me?notice=", "/not-me?notice=%00.%ff", &link.replace("notice=0", "notice=1"), &format!("{link}0")] {
            let page = kit.browser().get(path).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
            pages.push(page.text());
        }
        assert!(pages.iter().all(|page| page == &pages[0]));
        assert_eq!(kit.browser().post("/not-me", &[]).await.status, StatusCode::FORBIDDEN);
    }

    /// One's own list: empty at first, then each notice with its button, whose session ends as well.
    async fn ones_own_notices_are_listed_and_answered(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut session = logged_on(&kit, &alice).await;
        assert!(session.open("/me/notices").await.has("No notices yet"));
        assert_eq!(session.get("/account/notices").await.location.as_deref(), Some("/me/notices"));
        let fields = [("password", alice.password.as_str()), ("new_password", "a new passphrase"), ("repeat_password", "a new passphrase")];
        session.submit("/me/security/password", &fields).await;
        let list = session.open("/me/notices").await;
        assert!(list.has("Password changed") && list.text().contains("192.0.2.7"), "{}", list.text());
        let id = list.value_of("notice").unwrap();
        let mut other = owner(&kit, &acme).await;
        let foreign = other.post("/account/notices", &[("notice", &id)]).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN, "another's notice");
        let done = session.post("/me/notices", &[("notice", &id)]).await;
        assert!(done.text().contains("All sessions have ended"), "{}", done.text());
        assert!(done.text().contains("A new password has to be chosen at the next logon"), "{}", done.text());
        assert!(session.cookie("countersign-session").is_none());
        kit.sql("UPDATE login_profiles SET password_reset_required = (1 = 0)", &[]).await;
        let alice = Person { password: "a new passphrase".to_owned(), ..alice };
        let mut session = logged_on(&kit, &alice).await;
        let list = session.open("/me/notices").await;
        let button = format!("value=\"{id}\"");
        assert!(list.has("You said that it was not you") && !list.has(&button), "{}\n{id}", list.body);
        assert!(session.open("/me/security").await.has("href=\"/me/notices\""));
        assert!(other.open("/account/security").await.has("href=\"/account/notices\""));
    }

    /// A plain user sees no findings and settles none.
    async fn findings_are_for_administrators(kit: Kit) {
        let acme = kit.account("acme").await;
        let (_, link) = told(&kit, &acme).await;
        kit.core().disown_by_link(link.split_once('=').unwrap().1, origin()).await.unwrap();
        let mut session = logged_on(&kit, &kit.ram_user(&acme, "bob").await).await;
        assert_eq!(session.get("/ram/findings").await.status, StatusCode::FORBIDDEN);
        let finding = owner(&kit, &acme).await.open("/ram/findings").await.value_of("finding").unwrap();
        assert_eq!(session.post("/ram/findings", &[("finding", &finding)]).await.status, StatusCode::FORBIDDEN);
        let chinese = owner(&kit, &acme).await.with_header(http::header::ACCEPT_LANGUAGE, "zh-CN").open("/ram/findings").await;
        assert!(chinese.has("用户确认不是本人操作") && chinese.has("密码已修改"), "{}", chinese.text());
    }
}

/// A user whose password the owner changed, and the link in the mail that told him.
async fn told(kit: &Kit, acme: &Account) -> (Person, String) {
    let owner = kit.owner_session(acme).await.actor;
    let facts = UserFacts { email: Some("alice@mail.example".parse().unwrap()), ..facts("alice") };
    kit.core().create_user(&owner, facts, Some(login()), origin()).await.unwrap();
    kit.core().change_login_profile(&owner, "alice", login(), origin()).await.unwrap();
    let alice = Person {
        account: acme.id.clone(),
        name: "alice".to_owned(),
        logon_name: countersign_testkit::people::ram_user_name("alice", "acme"),
        password: countersign_testkit::people::USER_PASSWORD.to_owned(),
    };
    let [mail] = kit.core().claim_notices(10).await.unwrap().try_into().unwrap();
    (alice, format!("/not-me?notice={}", expose(&mail.notice.disown_token)))
}
