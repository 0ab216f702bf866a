//! What programs may ask for beyond the pages: a version in the place of the oldest one, a policy removed with its versions,
//! another description.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::policies::{NewVersion, WhenFull};
use countersign_core::{Conflict, Limit, Refusal};
use countersign_model::names::Description;
use countersign_model::policy::PolicyDocument;
use countersign_testkit::people::allowing;
use countersign_testkit::{Kit, both_engines, origin, refusal};
use std::time::Duration;

fn document(text: &str) -> PolicyDocument {
    text.parse().unwrap()
}

both_engines! {
    async fn the_oldest_version_that_does_not_count_makes_room_where_that_is_asked_for(kit: Kit) {
        let acme = kit.account("acme").await;
        let writer = allowing(&["ram:CreatePolicyVersion", "ram:ListPolicyVersions"], "*");
        let writer = kit.user_allowed(&acme, "writer", &writer).await;
        let (owner, writers) = (kit.owner_session(&acme).await.actor, kit.session(&writer).await.actor);
        let core = kit.core();
        let (text, name) = (document(&allowing(&["oss:Get*"], "*")), "many");
        let policy = kit.policy(&acme, name, text.text()).await;
        let rotating = |as_default| NewVersion { document: text.clone(), as_default, when_full: WhenFull::RemoveOldest };
        let ids = async || {
            let versions = core.list_policy_versions(&owner, policy.clone(), origin()).await.unwrap();
            versions.iter().map(|version| version.number).collect::<Vec<_>>()
        };
        for _ in 0..4 {
            core.create_policy_version(&writers, name, rotating(false), origin()).await.unwrap();
        }
        assert_eq!(ids().await, [5, 4, 3, 2, 1], "there was room");
        // Whoever may not remove a version does not remove one in this way.
        let refused = core.create_policy_version(&writers, name, rotating(false), origin()).await;
        assert_eq!(refusal(refused), Refusal::NoPermission);
        assert_eq!(ids().await, [5, 4, 3, 2, 1]);
        let made = core.create_policy_version(&owner, name, rotating(false), origin()).await.unwrap();
        assert_eq!((made.number, ids().await), (6, vec![6, 5, 4, 3, 1]), "the first one counts, so it stays");
        core.create_policy_version(&owner, name, rotating(true), origin()).await.unwrap();
        assert_eq!(ids().await, [7, 6, 5, 4, 1]);
        core.create_policy_version(&owner, name, rotating(false), origin()).await.unwrap();
        assert_eq!(ids().await, [8, 7, 6, 5, 4], "now it does not");
        let told = "SELECT COUNT(*) FROM audit_events WHERE action = 'CreatePolicyVersion' AND details LIKE '%removed=v1;%'";
        assert_eq!(kit.int(told, &[]).await, 1);
        let full = core.create_policy_version(&owner, name, (text.clone(), false), origin()).await;
        assert_eq!(refusal(full), Refusal::LimitExceeded(Limit::PolicyVersions));
    }

    async fn a_policy_goes_with_all_its_versions_where_that_is_asked_for(kit: Kit) {
        let acme = kit.account("acme").await;
        let deleter = kit.user_allowed(&acme, "deleter", &allowing(&["ram:DeletePolicy"], "*")).await;
        let (owner, deleters) = (kit.owner_session(&acme).await.actor, kit.session(&deleter).await.actor);
        let (core, text) = (kit.core(), document(&allowing(&["oss:Get*"], "*")));
        let policy = kit.policy(&acme, "many", text.text()).await;
        core.create_policy_version(&owner, "many", (text, false), origin()).await.unwrap();
        kit.group(&acme, "dev", &[], std::slice::from_ref(&policy)).await;
        let held = core.delete_policy_with_versions(&owner, "many", origin()).await;
        assert_eq!(refusal(held), Refusal::DeleteConflict(Conflict::PolicyGroup));
        core.detach_policy_from_group(&owner, "dev", policy.clone(), origin()).await.unwrap();
        let refused = core.delete_policy_with_versions(&deleters, "many", origin()).await;
        assert_eq!(refusal(refused), Refusal::NoPermission, "he may remove no version");
        core.delete_policy_with_versions(&owner, "many", origin()).await.unwrap();
        assert_eq!(refusal(core.policy(&owner, policy, origin()).await), Refusal::PolicyNotFound);
        assert_eq!(kit.int("SELECT COUNT(*) FROM policy_versions WHERE document LIKE '%oss:Get%'", &[]).await, 0);
    }

    async fn what_a_policy_is_for_is_written_anew(kit: Kit) {
        let acme = kit.account("acme").await;
        let plain = kit.user_allowed(&acme, "alice", &allowing(&["ram:GetPolicy"], "*")).await;
        let (owner, alices) = (kit.owner_session(&acme).await.actor, kit.session(&plain).await.actor);
        let (core, words) = (kit.core(), || Description::parse("Look at files").unwrap());
        let policy = kit.policy(&acme, "look", &allowing(&["oss:Get*"], "*")).await;
        kit.advance(Duration::from_secs(1));
        let told = core.describe_policy(&owner, "LOOK", words(), origin()).await.unwrap();
        assert_eq!((told.description.as_str(), told.default_version), ("Look at files", 1));
        assert!(told.updated_at > told.created_at);
        let (found, _) = core.policy(&owner, policy, origin()).await.unwrap();
        assert_eq!((found.description, found.updated_at), (told.description, told.updated_at));
        let gone = core.describe_policy(&owner, "AdministratorAccess", words(), origin()).await;
        assert_eq!(refusal(gone), Refusal::PolicyNotFound, "those of every account are nobody's");
        assert_eq!(refusal(core.describe_policy(&alices, "look", words(), origin()).await), Refusal::NoPermission);
    }
}
