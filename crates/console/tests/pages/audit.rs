//! The audit log and the histories.

use super::{logged_on, owner};
use countersign_core::audit_chain::verify_export;
use countersign_testkit::http::{Browser, Page};
use countersign_testkit::people::USER_PASSWORD;
use countersign_testkit::{Kit, both_engines};
use http::StatusCode;
use std::time::Duration;

/// The part of a page that is about entries: the filter above it names all events, too.
fn rows(page: &Page) -> &str {
    page.body.split("<tbody>").nth(1).unwrap_or_default().split("</tbody>").next().unwrap()
}

/// Follows the links to older entries to the last page; how many rows each had.
async fn walk(browser: &mut Browser, first: &str) -> Vec<usize> {
    let mut pages = Vec::new();
    let mut path = Some(first.to_owned());
    while let Some(at) = path {
        let page = browser.get(&at).await;
        assert_eq!(page.status, StatusCode::OK);
        pages.push(rows(&page).matches("<tr>").count());
        let older = page.body.split("rel=\"next\"").next().filter(|_| page.has("rel=\"next\""));
        let link = older.and_then(|text| text.rsplit("href=\"").next()?.split('"').next());
        path = link.map(|link| link.replace("&#38;", "&"));
    }
    pages
}

/// Lets time go on after some refusals: of those that are alike only twenty within a minute stand in the log.
fn apart(kit: &Kit, number: usize) {
    if number.is_multiple_of(20) {
        kit.advance(Duration::from_secs(61));
    }
}

both_engines! {
    /// The log is filtered by user, event, outcome and time, and shows its entries in words.
    async fn the_log_is_filtered_and_shown_in_words(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        kit.ram_user(&acme, "bob").await;
        kit.log_on_as(&alice.logon_name, "wrong").await.unwrap_err();
        let mut browser = owner(&kit, &acme).await;
        let page = browser.open("/ram/audit").await;
        assert!(page.has("aria-current=\"page\"") && page.has("Not signed yet"));
        for words in ["Log on", "Wrong password", "alice@acme", "192.0.2.7", "Event ID"] {
            assert!(rows(&page).contains(words), "{words}");
        }
        let filtered = async |query: &str| {
            let page = browser.clone().get(&format!("/ram/audit?{query}")).await;
            (page.status, rows(&page).matches("<tr>").count(), rows(&page).to_owned())
        };
        let (_, bobs, text) = filtered("user=BOB").await;
        assert!(bobs == 1 && text.contains("Create user"), "{text}");
        let (_, refused, text) = filtered("outcome=refused&event=ConsoleSignin").await;
        assert!(refused == 1 && text.contains("Wrong password"), "{text}");
        assert_eq!(filtered("from=2999-01-01T00:00").await.1, 0);
        assert!(filtered("from=2001-01-01T00:00&to=2999-01-01T00:00").await.1 > 3);
        let (status, _, _) = filtered("from=yesterday").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let wild = ["user=%27%20OR%201=1--", "user=%25", "event=%27", "outcome=x", "before=%27", "after=zz", "user=%00"];
        for strange in wild {
            assert_eq!(filtered(strange).await.0, StatusCode::OK, "attack_131: {strange}");
        }
        assert_eq!(filtered("user=%25").await.1, 0);
        kit.core().sequencer().finish().await.unwrap();
        assert!(browser.get("/ram/audit").await.has("Chained and signed up to entry"));
        kit.sql("UPDATE audit_chains SET seq = seq + 1", &[]).await;
        assert!(browser.get("/ram/audit").await.has("The log was changed"));
    }

    /// Fifty entries a page, older ones behind, newer ones before.
    async fn the_log_has_pages(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = owner(&kit, &acme).await;
        for number in 1..=105 {
            browser.get("/ram/users/nobody").await;
            apart(&kit, number);
        }
        let pages = walk(&mut browser, "/ram/audit").await;
        assert!(pages.len() == 3 && pages[..2] == [50, 50] && pages[2] > 5, "{pages:?}");
        let second = browser.get("/ram/audit?user=nobody").await;
        let older = second.body.split("before=").nth(1).unwrap().split('"').next().unwrap();
        let second = browser.get(&format!("/ram/audit?user=nobody&before={older}")).await;
        assert!(second.has("rel=\"prev\"") && second.has("user=nobody"), "the filter goes with the pages");
    }

    /// Only administrators see the log and take it out; taking it out is written down, and needs our own form.
    async fn only_administrators_see_and_export_the_log(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut alices = logged_on(&kit, &alice).await;
        for path in ["/ram/audit", "/ram/users/alice?tab=history"] {
            assert_eq!(alices.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        let export = [("format", "jsonl")];
        assert_eq!(alices.post("/ram/audit/export", &export).await.status, StatusCode::FORBIDDEN);
        let mut browser = owner(&kit, &acme).await;
        assert_eq!(browser.get("/ram/audit/export").await.status, StatusCode::METHOD_NOT_ALLOWED);
        kit.core().sequencer().finish().await.unwrap();
        let file = browser.post("/ram/audit/export", &export).await;
        assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"acme-audit.jsonl\""));
        assert_eq!(file.header("cache-control"), Some("no-store"));
        let check = verify_export(file.body.as_bytes(), &kit.core().audit_public_keys()).unwrap();
        assert!(check.is_proved() && check.entries > 3, "{check:?}");
        let export = [("format", "csv"), ("user", "alice")];
        let (table, told) = kit.told(&acme.id, browser.post("/ram/audit/export", &export)).await;
        assert_eq!(told, ["owner@acme.example ExportAuditEvents success"]);
        assert_eq!(table.header("content-disposition"), Some("attachment; filename=\"acme-audit-selection.csv\""));
        assert!(table.body.lines().count() > 2, "{}", table.body);
        assert!(table.body.lines().skip(1).all(|line| line.contains("alice")), "{}", table.body);
        let export = [("format", "actiontrail"), ("event", "ConsoleSignin")];
        let events = browser.post("/ram/audit/export", &export).await;
        let name = "attachment; filename=\"acme-audit-selection.actiontrail.jsonl\"";
        assert_eq!(events.header("content-disposition"), Some(name));
        assert!(events.body.lines().count() > 1, "{}", events.body);
        assert!(events.body.lines().all(|line| line.contains(r#""eventType":"ConsoleSignin""#)), "{}", events.body);
        let unread = browser.post("/ram/audit/export", &[("format", "csv"), ("from", "yesterday")]).await;
        assert_eq!(unread.location.as_deref(), Some("/ram/audit?from=yesterday"));
    }

    /// Everybody has a history of his own; administrators read those of their users.
    async fn everybody_has_a_history(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        kit.log_on_as(&alice.logon_name, "wrong").await.unwrap_err();
        kit.session_with(&alice, &phone).await;
        let mut browser = owner(&kit, &acme).await;
        let page = browser.get("/ram/users/alice?tab=history").await;
        for words in ["Password + Virtual MFA", "Wrong password", "Bind MFA device"] {
            assert!(page.has(words), "{words}: {}", page.text());
        }
        assert!(page.has("/ram/users/alice?tab=history\" aria-current=\"page\""));
        assert!(!page.has("Console Logon Management"));
        assert_eq!(browser.get("/me/history").await.location.as_deref(), Some("/account/history"));
        let own = browser.get("/account/history").await;
        assert!(own.has("Log on") && !own.has("Wrong password"), "{}", own.text());

        let bob = kit.ram_user(&acme, "bob").await;
        let mut bobs = logged_on(&kit, &bob).await;
        assert_eq!(bobs.get("/account/history").await.location.as_deref(), Some("/me/history"));
        let own = bobs.get("/me/history").await;
        assert!(own.has("owner@acme.example") && own.has("Create user") && !own.has("alice"), "{}", own.text());
        let weak = [("password", USER_PASSWORD), ("new_password", "x"), ("repeat_password", "x")];
        for number in 1..=60 {
            bobs.post("/me/security/password", &weak).await;
            apart(&kit, number);
        }
        let pages = walk(&mut bobs, "/me/history").await;
        assert_eq!((pages.len(), pages[0]), (2, 50), "{pages:?}");
        assert_eq!(bobs.get("/me/history?before=%27").await.status, StatusCode::OK);
        let chinese = bobs.submit("/preferences", &[("language", "zh-CN"), ("back", "/me/history")]).await;
        assert!(chinese.has("密码强度不足") && chinese.has("历史记录"), "{}", chinese.text());
    }

    /// Names and browsers of strangers are inert in the log, too.
    async fn attack_128_the_log_shows_texts_of_strangers_as_texts(kit: Kit) {
        let acme = kit.account("acme").await;
        let script = "<script>alert(1)</script>";
        let mut browser = owner(&kit, &acme).await.with_header(http::header::USER_AGENT, script);
        browser.get(&format!("/ram/users/{}", "%3Cscript%3Ealert(1)%3C%2Fscript%3E")).await;
        for path in ["/ram/audit", "/ram/audit?user=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/account/history"] {
            assert!(!browser.get(path).await.has("<script>alert"), "{path}");
        }
        assert!(browser.get("/ram/audit").await.has("&#60;script&#62;alert"));
    }
}
