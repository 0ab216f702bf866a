//! The check that every user with a console password has an MFA device.

use super::{logged_on, owner};
use countersign_model::principal::SystemPolicy;
use countersign_testkit::{Kit, both_engines, origin};
use http::StatusCode;

both_engines! {
    async fn k01_k02_k03_k11_every_user_has_a_result_and_a_way_to_the_fix(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut browser = owner(&kit, &acme).await;
        assert!(browser.open("/ram/mfa-check").await.has("No users yet"));
        kit.bound_user(&acme, "alice").await;
        let bob = kit.ram_user(&acme, "bob").await;
        kit.ram_user_with(&acme, "carol", None).await;
        let page = browser.open("/ram/overview").await;
        assert!(page.has("href=\"/ram/mfa-check\""), "{}", page.text());
        let page = browser.open("/ram/mfa-check").await;
        for words in [
            "1 user has a console password and no MFA device",
            "Description", "Rationale", "a second proof to name and password", "so the password alone opens nothing",
            "In scope: 2", "passed: 1", "out of scope: 1", "Users without a console password are out of scope",
            "How to mend it", "<ol class=\"howto\"><li>",
        ] {
            assert!(page.has(words), "{words}: {}", page.text());
        }
        let row = |name: &str| {
            let body = page.body.split_once("<tbody>").unwrap().1;
            let found = body.split("</tr>").find(|row| row.contains(&format!("/ram/users/{name}\""))).unwrap();
            found.to_owned()
        };
        assert!(row("alice").contains(">Passed<") && !row("alice").contains("logon-settings"), "{}", row("alice"));
        assert!(row("bob").contains(">Failed<") && row("bob").contains("href=\"/ram/users/bob/logon-settings\""));
        assert!(row("carol").contains(">Out of scope<") && !row("carol").contains("logon-settings"));
        assert_eq!(browser.get("/ram/users/bob/logon-settings").await.status, StatusCode::OK);
        // Filtered; a page behind the last is the last; nobody found.
        let failed = browser.open("/ram/mfa-check?result=failed&page=9").await;
        assert!(failed.has("/ram/users/bob\"") && !failed.has("/ram/users/alice\""));
        assert!(browser.open("/ram/mfa-check?q=nobody").await.has("No user found"));
        // The same as a file, of all users or of those who are asked for.
        let file = browser.get("/ram/mfa-check?format=csv").await;
        assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"acme-mfa-check.csv\""));
        let lines: Vec<&str> = file.body.lines().collect();
        assert_eq!(lines.len(), 4, "{}", file.body);
        assert_eq!(lines.first(), Some(&"\u{feff}user,display_name,console_password,mfa_enabled,mfa_required,result"));
        assert!(lines.iter().any(|line| line.starts_with("\"alice\",") && line.ends_with(",\"TRUE\",\"TRUE\",\"FALSE\",\"passed\"")));
        assert!(lines.iter().any(|line| line.starts_with("\"carol\",") && line.ends_with(",\"FALSE\",\"FALSE\",\"FALSE\",\"out-of-scope\"")));
        let part = browser.get("/ram/mfa-check?result=failed&format=csv").await;
        assert_eq!(part.body.lines().count(), 2, "{}", part.body);
        // Who may not read the credential report does not see it.
        let mut bobs = logged_on(&kit, &bob).await;
        for path in ["/ram/mfa-check", "/ram/mfa-check?format=csv"] {
            assert_eq!(bobs.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        let readers = kit.owner_session(&acme).await.actor;
        kit.core().attach_policy(&readers, "bob", SystemPolicy::AliyunRamReadOnlyAccess, origin()).await.unwrap();
        let page = bobs.open("/ram/mfa-check").await;
        assert!(page.has("Failed") && !page.has("/logon-settings"), "he looks and mends nothing of others");
        assert!(page.has("href=\"/me/security\">This is you"), "but his own: {}", page.text());
    }
}
