//! Attack 133: whoever is allowed some things makes himself or others no mightier, and touches nobody who is.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::access_keys::KeysOf;
use countersign_core::policies::{NewPolicy, policy_ref};
use countersign_core::{Error, Refusal, SessionActor};
use countersign_model::names::Description;
use countersign_model::policy::{PolicyRef, PolicyType};
use countersign_model::principal::SystemPolicy;
use countersign_testkit::people::{allowing, denying, facts, login};
use countersign_testkit::{Kit, both_engines, origin, reason, refusal};

/// Everything about users, groups and policies, but not everything of RAM.
const SUB_ADMINISTRATOR: &[&str] =
    &["ram:*User*", "ram:*Group*", "ram:*Polic*", "ram:*Profile", "ram:*MFADevice", "ram:*AccessKey*"];

/// What can be done to a user by whoever is allowed to.
async fn everything_to(kit: &Kit, actor: &SessionActor, name: &str) -> Vec<(&'static str, Result<(), Error>)> {
    let (core, reader) = (kit.core(), SystemPolicy::AliyunRamReadOnlyAccess);
    vec![
        ("unlock", core.unlock_user(actor, name, origin()).await),
        ("bind", core.start_binding_for(actor, name, origin()).await),
        ("unbind", core.unbind_for(actor, name, origin()).await),
        ("reset", core.reset_password(actor, name, origin()).await.map(drop)),
        ("profile", core.change_login_profile(actor, name, login(), origin()).await.map(drop)),
        ("update", core.update_user(actor, name, facts(name), origin()).await),
        ("attach", core.attach_policy(actor, name, reader, origin()).await),
        ("detach", core.detach_policy(actor, name, SystemPolicy::AdministratorAccess, origin()).await),
        ("key", core.create_access_key(actor, KeysOf::User(name.to_owned()), origin()).await.map(drop)),
        ("join", core.add_user_to_group(actor, name, "empty", origin()).await),
        ("delete", core.delete_user(actor, name, name, origin()).await),
    ]
}

both_engines! {
    async fn attack_133_a_sub_administrator_touches_nobody_who_may_more(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        kit.user_allowed(&acme, "keeper", &allowing(&["oss:*"], "*")).await;
        let sub = kit.user_allowed(&acme, "sub", &allowing(SUB_ADMINISTRATOR, "*")).await;
        kit.ram_user(&acme, "plain").await;
        kit.ram_user(&acme, "by-group").await;
        kit.group(&acme, "chiefs", &["by-group"], &[SystemPolicy::AliyunRamFullAccess.into()]).await;
        kit.group(&acme, "empty", &[], &[]).await;
        let subs = kit.session(&sub).await.actor;
        for mightier in ["rita", "keeper", "by-group"] {
            for (what, tried) in everything_to(&kit, &subs, mightier).await {
                assert_eq!(reason(tried), "outranked", "{what} {mightier}");
            }
            // He may look at them, as his policy says.
            let shown = kit.core().user(&subs, mightier, origin()).await.unwrap();
            assert!(!shown.is_outranked);
        }
        kit.core().reset_password(&subs, "plain", origin()).await.unwrap();
        kit.core().add_user_to_group(&subs, "plain", "empty", origin()).await.unwrap();
        kit.core().delete_user(&subs, "plain", "plain", origin()).await.unwrap();
        let told = "SELECT COUNT(*) FROM audit_events WHERE reason = 'outranked'";
        assert_eq!(kit.int(told, &[]).await, 33);
    }

    async fn attack_133_nobody_gives_what_he_does_not_have(kit: Kit) {
        let acme = kit.account("acme").await;
        let sub = kit.user_allowed(&acme, "sub", &allowing(SUB_ADMINISTRATOR, "*")).await;
        kit.ram_user(&acme, "friend").await;
        kit.group(&acme, "chiefs", &[], &[SystemPolicy::AdministratorAccess.into()]).await;
        kit.group(&acme, "dev", &["friend"], &[]).await;
        let mighty = kit.policy(&acme, "mighty", &allowing(&["*"], "*")).await;
        let weak = kit.policy(&acme, "weak", &allowing(&["ram:GetUser"], "acs:ram:*:*:user/dev-*")).await;
        let (core, subs) = (kit.core(), kit.session(&sub).await.actor);
        let full: PolicyRef = SystemPolicy::AliyunRamFullAccess.into();
        for (what, tried) in [
            ("attach system", core.attach_policy(&subs, "friend", full.clone(), origin()).await),
            ("attach custom", core.attach_policy(&subs, "friend", mighty.clone(), origin()).await),
            ("join", core.add_user_to_group(&subs, "friend", "chiefs", origin()).await),
            ("attach to group", core.attach_policy_to_group(&subs, "dev", mighty.clone(), origin()).await),
            ("attach to empty group", core.attach_policy_to_group(&subs, "chiefs", mighty.clone(), origin()).await),
        ] {
            assert_eq!(reason(tried), "outranked", "{what}");
        }
        core.attach_policy(&subs, "friend", weak.clone(), origin()).await.unwrap();
        // What he writes he can attach; making more of it afterwards is for whoever may more.
        let version = (allowing(&["*"], "*").parse().unwrap(), true);
        let grown = core.create_policy_version(&subs, "weak", version.clone(), origin()).await;
        assert_eq!(reason(grown), "outranked");
        core.create_policy_version(&subs, "weak", (version.0, false), origin()).await.unwrap();
        assert_eq!(reason(core.set_default_policy_version(&subs, ("weak", "v2"), origin()).await), "outranked");
        let smaller = (allowing(&["ram:GetUser"], "acs:ram:*:*:user/dev-1").parse().unwrap(), true);
        core.create_policy_version(&subs, "weak", smaller, origin()).await.unwrap();
    }

    async fn attack_133_nobody_changes_what_reaches_himself(kit: Kit) {
        let acme = kit.account("acme").await;
        let everything = allowing(&["*"], "*");
        let sub = kit.user_allowed(&acme, "sub", &everything).await;
        kit.policy(&acme, "bind", &denying(&["ram:DeleteUser"], "*")).await;
        let bind = policy_ref(PolicyType::Custom, "bind").unwrap();
        kit.group(&acme, "bound", &["sub"], std::slice::from_ref(&bind)).await;
        kit.group(&acme, "other", &[], &[]).await;
        let (core, subs) = (kit.core(), kit.session(&sub).await.actor);
        let allow_all = || everything.parse().unwrap();
        for (what, tried) in [
            ("attach", core.attach_policy(&subs, "sub", SystemPolicy::AdministratorAccess, origin()).await),
            ("detach", core.detach_policy(&subs, "SUB", bind.clone(), origin()).await),
            ("join", core.add_user_to_group(&subs, "sub", "other", origin()).await),
            ("leave", core.remove_user_from_group(&subs, "sub", "bound", origin()).await),
            ("loose", core.detach_policy_from_group(&subs, "bound", bind.clone(), origin()).await),
            ("rewrite", core.create_policy_version(&subs, "bind", (allow_all(), true), origin()).await.map(drop)),
            ("reset", core.reset_password(&subs, "sub", origin()).await.map(drop)),
        ] {
            assert_eq!(refusal(tried), Refusal::Oneself, "{what}");
        }
        core.create_policy_version(&subs, "bind", (allow_all(), false), origin()).await.unwrap();
        let chosen = core.set_default_policy_version(&subs, ("bind", "v2"), origin()).await;
        assert_eq!(refusal(chosen), Refusal::Oneself);
    }

    /// A Deny that binds somebody must not be escaped by the hand of another one.
    async fn attack_133_what_is_denied_to_somebody_is_not_done_through_others(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        kit.administrator(&acme, "chief").await;
        kit.administrator(&acme, "peer").await;
        kit.user_allowed(&acme, "reader", &allowing(&["ram:Get*"], "*")).await;
        kit.ram_user(&acme, "plain").await;
        let denied = kit.policy(&acme, "denied", &denying(&["ram:DeleteUser"], "acs:ram:*:*:user/ceo")).await;
        kit.group(&acme, "bound", &["rita", "peer"], std::slice::from_ref(&denied)).await;
        let (core, ritas) = (kit.core(), kit.session(&rita).await.actor);
        // Whom it does not bind may more than she.
        for unbound in ["chief", "reader"] {
            assert_eq!(reason(core.reset_password(&ritas, unbound, origin()).await), "outranked", "{unbound}");
        }
        core.reset_password(&ritas, "peer", origin()).await.unwrap();
        core.reset_password(&ritas, "plain", origin()).await.unwrap();
        // Nor does she unbind a peer, nor make a new one who is not bound.
        let freed = core.remove_user_from_group(&ritas, "peer", "bound", origin()).await;
        assert_eq!(reason(freed), "outranked");
        let made = core.attach_policy(&ritas, "plain", SystemPolicy::AdministratorAccess, origin()).await;
        assert_eq!(reason(made), "outranked");
    }

    async fn attack_133_members_of_a_group_count_one_by_one(kit: Kit) {
        let acme = kit.account("acme").await;
        let sub = kit.user_allowed(&acme, "sub", &allowing(SUB_ADMINISTRATOR, "*")).await;
        kit.administrator(&acme, "rita").await;
        kit.ram_user(&acme, "plain").await;
        let weak = kit.policy(&acme, "weak", &allowing(&["ram:GetUser"], "*")).await;
        let no = kit.policy(&acme, "no", &denying(&["*"], "*")).await;
        kit.group(&acme, "plain-ones", &["plain"], &[]).await;
        kit.group(&acme, "mixed", &["plain", "rita"], &[]).await;
        let (core, subs) = (kit.core(), kit.session(&sub).await.actor);
        core.attach_policy_to_group(&subs, "plain-ones", weak.clone(), origin()).await.unwrap();
        core.detach_policy_from_group(&subs, "plain-ones", weak.clone(), origin()).await.unwrap();
        for policy in [weak, no.clone()] {
            let tried = core.attach_policy_to_group(&subs, "mixed", policy, origin()).await;
            assert_eq!(reason(tried), "outranked");
        }
        // Nor by a new version of a policy that reaches somebody mightier.
        kit.core().attach_policy_to_group(&kit.owner_session(&acme).await.actor, "mixed", no, origin()).await.unwrap();
        let version = (allowing(&["ram:GetUser"], "*").parse().unwrap(), true);
        assert_eq!(reason(core.create_policy_version(&subs, "no", version, origin()).await), "outranked");
    }

    async fn attack_133_whoever_may_only_some_of_it_writes_policies_without_use(kit: Kit) {
        let acme = kit.account("acme").await;
        let writer = kit.user_allowed(&acme, "writer", &allowing(&["ram:CreatePolicy", "ram:AttachPolicyToUser"], "*")).await;
        kit.ram_user(&acme, "friend").await;
        let (core, writers) = (kit.core(), kit.session(&writer).await.actor);
        let new = NewPolicy {
            name: "all".parse().unwrap(),
            description: Description::default(),
            document: allowing(&["*"], "*").parse().unwrap(),
        };
        let made = core.create_policy(&writers, new, origin()).await.unwrap().policy;
        assert_eq!(reason(core.attach_policy(&writers, "friend", made, origin()).await), "outranked");
        assert_eq!(kit.count("user_policies").await, 1);
    }
}
