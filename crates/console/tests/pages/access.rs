//! Groups and policies, and pages as those see them whom policies allow some of it.

use super::{logged_on, owner};
use countersign_model::principal::SystemPolicy;
use countersign_testkit::{Kit, both_engines, origin};
use http::StatusCode;

const LOOK: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:ListUsers","Resource":"*"}]}"#;

both_engines! {
    async fn a_form_with_a_verb_that_no_page_sends_changes_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        kit.group(&acme, "readers", &[], &[]).await;
        kit.policy(&acme, "look", LOOK).await;
        let mut browser = owner(&kit, &acme).await;
        let before = kit.count("user_policies").await + kit.count("group_policies").await + kit.count("group_members").await;
        for (path, field) in [
            ("/ram/groups/readers/members", ("user", "alice")),
            ("/ram/groups/readers/policies", ("policy", "look")),
            ("/ram/groups/readers/policies", ("policy", "no policy")),
            ("/ram/users/alice/policies", ("policy", "look")),
            ("/ram/policies/look/versions/v1", ("policy", "look")),
        ] {
            for verb in [&[("change", "erase")][..], &[("change", "")], &[]] {
                let page = browser.post(path, &[&[field], verb].concat()).await;
                assert_eq!(page.status, StatusCode::BAD_REQUEST, "{path} {verb:?}: {}", page.text());
                assert!(page.text().contains("nothing was changed"), "{}", page.text());
            }
        }
        assert_eq!(kit.count("user_policies").await + kit.count("group_policies").await + kit.count("group_members").await, before);
    }

    async fn p01_p02_groups_and_policies_are_made_and_attached_on_pages(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (mut browser, mut alices) = (owner(&kit, &acme).await, logged_on(&kit, &alice).await);
        assert!(browser.open("/ram/groups").await.has("No groups yet"));
        let refused = browser.post("/ram/create-group", &[("name", "a b"), ("comments", "")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.has("id=\"name-note\""), "{}", refused.text());
        let made = browser.submit("/ram/create-group", &[("name", "Readers"), ("comments", "who look")]).await;
        assert!(made.has("The group is made.") && made.has("who look"), "{}", made.text());
        for (user, note) in [("nobody", "There is no user of this name."), ("", "There is no user of this name.")] {
            let page = browser.post("/ram/groups/readers/members", &[("user", user), ("change", "add")]).await;
            assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.has(note), "{}", page.text());
        }
        let joined = browser.submit("/ram/groups/readers/members", &[("user", "alice"), ("change", "add")]).await;
        assert!(joined.has("The user is in the group.") && joined.has("/ram/users/alice"), "{}", joined.text());

        let broken = LOOK.replace("Action", "NotAction");
        let fields = |document| [("name", "look"), ("description", "Look at users"), ("document", document)];
        let refused = browser.post("/ram/create-policy", &fields(&broken)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.has("Statement[0].NotAction: This element is unknown or not supported."), "{}", refused.text());
        assert!(refused.has("Look at users") && refused.has("NotAction&#34;"), "what was typed stays");
        let made = browser.submit("/ram/create-policy", &fields(LOOK)).await;
        assert!(made.has("The policy is made."), "{}", made.text());
        let listed = browser.open("/ram/policies?q=look&kind=Custom").await;
        assert!(listed.has("Look at users") && !listed.has("AdministratorAccess</a>"), "{}", listed.text());

        assert_eq!(alices.get("/ram/users").await.status, StatusCode::FORBIDDEN);
        assert!(!alices.open("/me/security").await.has(">RAM</a>"));
        let path = "/ram/groups/readers/policies";
        let page = browser.post(path, &[("policy", "none"), ("change", "attach")]).await;
        assert!(page.has("There is no policy of this name.") && page.has("id=\"policy-note\""), "{}", page.text());
        let attached = browser.submit(path, &[("policy", "look"), ("change", "attach")]).await;
        assert!(attached.has("/ram/policies/look"), "{}", attached.text());
        assert_eq!(alices.get("/ram/users").await.status, StatusCode::OK);
        let own = alices.open("/me/security").await;
        assert!(own.has("href=\"/ram/users\"") && !own.has("href=\"/ram/overview\""), "RAM begins where she may look");
        assert!(browser.open("/ram/policies/look").await.has("/ram/groups/Readers"));
        assert!(browser.open("/ram/users/alice/policies").await.has("/ram/groups/Readers"));

        assert!(browser.open(&format!("{path}?policy=look")).await.has("Detach look from readers?"));
        browser.submit(path, &[("policy", "look"), ("change", "detach")]).await;
        assert_eq!(alices.get("/ram/users").await.status, StatusCode::FORBIDDEN);
        let conflict = browser.post("/ram/groups/readers/delete", &[]).await;
        assert!(conflict.has("There are users in this group."), "{}", conflict.text());
        assert!(browser.open("/ram/groups/readers/members?user=alice").await.has("Remove alice from readers?"));
        browser.submit("/ram/groups/readers/members", &[("user", "alice"), ("change", "remove")]).await;
        let renamed = browser.submit("/ram/groups/readers/edit", &[("name", "lookers"), ("comments", "")]).await;
        assert!(renamed.has("The group is saved."), "{}", renamed.text());
        assert!(browser.open("/ram/groups/lookers/delete").await.has("Delete the group lookers?"));
        assert!(browser.submit("/ram/groups/lookers/delete", &[]).await.has("No groups yet"));
        assert_eq!(browser.get("/ram/groups/lookers").await.status, StatusCode::NOT_FOUND);
    }

    async fn p03_versions_are_written_chosen_and_removed_on_pages(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.policy(&acme, "look", LOOK).await;
        let mut browser = owner(&kit, &acme).await;
        let form = browser.open("/ram/policies/look/versions").await;
        assert!(form.has("ram:ListUsers"), "{}", form.text());
        let path = "/ram/policies/look/versions";
        let page = browser.post(path, &[("document", "{")]).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.has("not well-formed JSON"), "{}", page.text());
        let second = LOOK.replace("ListUsers", "GetUser");
        let made = browser.submit(path, &[("document", &second)]).await;
        assert!(made.has("The version is saved.") && made.has("ram:ListUsers"), "v1 counts: {}", made.text());
        let shown = browser.open("/ram/policies/look/versions/v2").await;
        assert!(shown.has("ram:GetUser") && shown.has("Make this version count"), "{}", shown.text());
        let chosen = browser.submit("/ram/policies/look/versions/v2", &[("change", "default")]).await;
        assert!(chosen.has("ram:GetUser"), "{}", chosen.text());
        let conflict = browser.post("/ram/policies/look/delete", &[]).await;
        assert!(conflict.has("several versions"), "{}", conflict.text());
        let removed = browser.submit("/ram/policies/look/versions/v1", &[("change", "delete")]).await;
        assert!(removed.has("The version is deleted."), "{}", removed.text());
        assert_eq!(browser.get("/ram/policies/look/versions/v1").await.status, StatusCode::NOT_FOUND);
        assert!(browser.open("/ram/policies/look/delete").await.has("Delete the policy look?"));
        assert!(browser.submit("/ram/policies/look/delete", &[]).await.has("The policy is deleted."));
        let system = browser.open("/ram/policies/AdministratorAccess").await;
        assert!(system.has("System policy") && !system.has("New version"), "{}", system.text());
    }

    async fn p06_a_help_desk_sees_and_does_what_its_policy_allows(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_user(&acme, "dev-1").await;
        kit.bound_user(&acme, "ceo").await;
        let document = r#"{"Version":"1","Statement":[
            {"Effect":"Allow","Action":["ram:ListUsers","ram:GetUser"],"Resource":"*"},
            {"Effect":"Allow","Action":"ram:UnbindMFADevice","Resource":"acs:ram:*:*:user/dev-*"}]}"#;
        let desk = kit.user_allowed(&acme, "desk", document).await;
        let mut browser = logged_on(&kit, &desk).await;
        let list = browser.open("/ram/users").await;
        assert!(list.has("/ram/users/dev-1/virtual-mfa/unbind") && !list.has("/ram/users/ceo/virtual-mfa/unbind"));
        for missing in ["/ram/create-user", "/delete\"", "/logon-settings", "href=\"/ram/settings\"", "href=\"/ram/audit\""] {
            assert!(!list.has(missing), "{missing}");
        }
        let ceo = browser.open("/ram/users/ceo?tab=virtual-mfa").await;
        assert!(!ceo.has("/unbind") && !ceo.has("/ram/users/ceo/edit"), "{}", ceo.text());
        assert_eq!(browser.post("/ram/users/ceo/virtual-mfa/unbind", &[]).await.status, StatusCode::FORBIDDEN);
        let page = browser.open("/ram/users/dev-1?tab=virtual-mfa").await;
        assert!(page.has("/ram/users/dev-1/virtual-mfa/unbind"), "{}", page.text());
        let done = browser.submit("/ram/users/dev-1/virtual-mfa/unbind", &[]).await;
        assert!(done.has("callout-success"), "{}", done.text());
        for forbidden in ["/ram/overview", "/ram/settings", "/ram/groups", "/ram/policies", "/ram/audit", "/ram/create-user"] {
            assert_eq!(browser.get(forbidden).await.status, StatusCode::FORBIDDEN, "{forbidden}");
        }
        assert_eq!(browser.get("/ram").await.location.as_deref(), Some("/ram/users"));
    }

    /// Whoever may all of it to everybody still changes nothing of an administrator, and the page says so beforehand.
    async fn attack_133_a_page_offers_nothing_against_whoever_may_more(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        let document = LOOK.replace("ram:ListUsers", "ram:*");
        let sub = kit.user_allowed(&acme, "sub", &document).await;
        let mut browser = logged_on(&kit, &sub).await;
        let page = browser.open("/ram/users/rita").await;
        assert!(page.has("This user may do more than you may"), "{}", page.text());
        for missing in ["/edit", "/delete", "/logon-settings", "/reset-password"] {
            assert!(!page.has(&format!("/ram/users/rita{missing}")), "{missing}");
        }
        assert_eq!(browser.post("/ram/users/rita/reset-password", &[]).await.status, StatusCode::FORBIDDEN);
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().detach_policy(&owner, "rita", SystemPolicy::AdministratorAccess, origin()).await.unwrap();
        assert!(browser.open("/ram/users/rita").await.has("/ram/users/rita/reset-password"));
    }
}
