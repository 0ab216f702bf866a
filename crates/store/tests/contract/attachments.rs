//! What is attached to whom, and what reaches whom.

use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::principal::SystemPolicy::{AdministratorAccess, AliyunRamFullAccess, AliyunRamReadOnlyAccess};
use countersign_model::principal::{Account, ConsoleLogon, LoginProfile};
use countersign_store::attachments::{self, Attached, Attachments, Reaching};
use countersign_store::groups;
use countersign_store::{Store, StoreError, login_profiles, policies, principals};

use crate::of_groups::group;
use crate::of_login_profiles::new_profile;
use crate::of_policies::{ALLOWS, DENIES, policy};
use crate::{NOON, account, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "attachments-1").await;
    user(store, &account(store, "attachments-2").await, "alice").await;
    policies_are_attached_and_detached(store, &house).await;
    what_a_group_has_reaches_all_who_are_in_it(store, &house).await;
    let house = account(store, "attachments-3").await;
    an_administrator_counts_where_nothing_is_denied_to_him(store, &house).await;
}

async fn attach(store: &Store, account: &AccountId, who: &PrincipalId, policy: impl Into<Attached>) -> bool {
    let (account, who, policy) = (account.clone(), who.clone(), policy.into());
    change!(store, |tx, account, who, policy| attachments::attach_to_user(tx, &account, &who, &policy, NOON))
}

async fn detach(store: &Store, account: &AccountId, who: &PrincipalId, policy: impl Into<Attached>) -> bool {
    let (account, who, policy) = (account.clone(), who.clone(), policy.into());
    change!(store, |tx, account, who, policy| attachments::detach_from_user(tx, &account, &who, &policy))
}

fn keys(reaching: &[Reaching]) -> Vec<(Attached, Option<&str>)> {
    reaching.iter().map(|one| (one.policy.clone(), one.document.as_deref())).collect()
}

async fn policies_are_attached_and_detached(store: &Store, house: &Account) {
    let (account_id, alice) = (house.id.clone(), user(store, house, "alice").await.id);
    let custom = policy(store, house, "custom", ALLOWS).await;
    let own = Attached::Custom(custom.id.clone());
    assert!(attach(store, &account_id, &alice, AliyunRamReadOnlyAccess).await);
    assert!(!attach(store, &account_id, &alice, AliyunRamReadOnlyAccess).await);
    assert!(attach(store, &account_id, &alice, own.clone()).await);
    let lines = look!(store, |tx, account_id, alice| attachments::of_user(tx, &account_id, &alice));
    let mut told: Vec<_> = lines.iter().map(|line| (line.name.as_str(), line.description.as_str())).collect();
    told.sort_unstable();
    assert_eq!(told, [("AliyunRAMReadOnlyAccess", ""), ("custom", "what it is for")]);
    assert!(lines.iter().all(|line| (line.default_version, line.attached_at) == (1, NOON)));
    let count = async |policy: &Attached| {
        let policy = policy.clone();
        look!(store, |tx, account_id, policy| attachments::count(tx, &account_id, &policy))
    };
    assert_eq!(count(&own).await, Attachments { users: 1, groups: 0 });
    let held = own.clone();
    let users = look!(store, |tx, account_id, held| attachments::users_with(tx, &account_id, &held, 10));
    assert_eq!(users.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["alice"]);
    // What is attached cannot go.
    let (whose, which) = (account_id.clone(), custom.id.clone());
    let gone = store.write(async move |tx: &mut countersign_store::Tx<'_>| -> Result<bool, StoreError> {
        policies::delete(tx, &whose, &which).await
    });
    assert!(gone.await.is_err());
    assert!(detach(store, &account_id, &alice, own.clone()).await);
    assert!(!detach(store, &account_id, &alice, own.clone()).await);
    assert_eq!(count(&own).await, Attachments { users: 0, groups: 0 });
    change!(store, |tx, account_id, alice| principals::delete(tx, &account_id, &alice));
    assert_eq!(count(&AliyunRamReadOnlyAccess.into()).await, Attachments { users: 0, groups: 0 });
}

async fn what_a_group_has_reaches_all_who_are_in_it(store: &Store, house: &Account) {
    let account_id = house.id.clone();
    let (bob, carol) = (user(store, house, "bob").await.id, user(store, house, "carol").await.id);
    let (one, two) = (group(store, house, "one").await.id, group(store, house, "two").await.id);
    let custom = Attached::Custom(policy(store, house, "of-groups", DENIES).await.id);
    for (group, policy) in
        [(&one, custom.clone()), (&two, custom.clone()), (&two, Attached::System(AliyunRamReadOnlyAccess))]
    {
        let group = group.clone();
        let attach = async || {
            change!(store, |tx, account_id, group, policy| attachments::attach_to_group(
                tx,
                &account_id,
                &group,
                &policy,
                NOON
            ))
        };
        assert!(attach().await && !attach().await);
    }
    for (group, who) in [(&one, &bob), (&two, &bob), (&one, &carol)] {
        let (group, who) = (group.clone(), who.clone());
        assert!(change!(store, |tx, account_id, group, who| groups::join(tx, &account_id, &group, &who, NOON)));
    }
    attach(store, &account_id, &carol, AliyunRamFullAccess).await;
    let reaching = look!(store, |tx, account_id, bob| attachments::reaching(tx, &account_id, &bob));
    let mut told = keys(&reaching);
    told.sort_unstable_by_key(|(_, document)| document.is_some());
    assert_eq!(told, [(AliyunRamReadOnlyAccess.into(), None), (custom.clone(), Some(DENIES))], "each once");
    let members = look!(store, |tx, account_id, one| attachments::reaching_members(tx, &account_id, &one, 10));
    assert_eq!(members.len(), 4);
    assert!(members.is_sorted_by_key(|row| row.whom.clone()));
    let few = look!(store, |tx, account_id, one| attachments::reaching_members(tx, &account_id, &one, 3));
    assert_eq!(few.len(), 3);
    let policy: Attached = AliyunRamReadOnlyAccess.into();
    let holders = look!(store, |tx, account_id, policy| attachments::reaching_holders(tx, &account_id, &policy, 10));
    assert!(holders.len() == 2 && holders.iter().all(|row| row.whom == bob.as_str()), "{holders:?}");
    let held = custom.clone();
    let found = look!(store, |tx, account_id, held| attachments::groups_with(tx, &account_id, &held, 10));
    assert_eq!(found.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    let full = look!(store, |tx, account_id, one| attachments::of_group_in_full(tx, &account_id, &one));
    assert_eq!(keys(&full), [(custom.clone(), Some(DENIES))]);
    let lines = look!(store, |tx, account_id, two| attachments::of_group(tx, &account_id, &two));
    assert_eq!(lines.len(), 2);
    let detach = async || {
        let custom = custom.clone();
        change!(store, |tx, account_id, one, custom| attachments::detach_from_group(tx, &account_id, &one, &custom))
    };
    assert!(detach().await && !detach().await);
    let reaching = look!(store, |tx, account_id, carol| attachments::reaching(tx, &account_id, &carol));
    assert_eq!(keys(&reaching), [(AliyunRamFullAccess.into(), None)]);
}

async fn an_administrator_counts_where_nothing_is_denied_to_him(store: &Store, house: &Account) {
    let account_id = house.id.clone();
    let (alice, bob) = (user(store, house, "alice").await.id, user(store, house, "bob").await.id);
    let chiefs = group(store, house, "chiefs").await.id;
    let policy_of_chiefs: Attached = AdministratorAccess.into();
    change!(store, |tx, account_id, chiefs, policy_of_chiefs| attachments::attach_to_group(
        tx,
        &account_id,
        &chiefs,
        &policy_of_chiefs,
        NOON
    ));
    let counts = async |who: &PrincipalId| {
        let who = who.clone();
        look!(store, |tx, account_id, who| attachments::is_unrestricted_administrator(tx, &account_id, &who))
    };
    // Whether there is another one than Bob.
    let other = async || {
        let others = look!(store, |tx, account_id, bob| attachments::other_administrators(tx, &account_id, &bob, 10));
        assert!(others.iter().all(|other| *other == alice));
        !others.is_empty()
    };
    attach(store, &account_id, &alice, AliyunRamReadOnlyAccess).await;
    assert!(!counts(&alice).await);
    assert!(change!(store, |tx, account_id, chiefs, alice| groups::join(tx, &account_id, &chiefs, &alice, NOON)));
    assert!(counts(&alice).await && !counts(&bob).await);
    // One without console logon is none who could act.
    assert!(!other().await);
    let enabled = LoginProfile { console_logon: ConsoleLogon::Enabled, ..new_profile(Some("x")) };
    change!(store, |tx, account_id, alice, enabled| login_profiles::put(tx, &account_id, &alice, &enabled));
    assert!(other().await);
    let others_than_alice =
        look!(store, |tx, account_id, alice| attachments::other_administrators(tx, &account_id, &alice, 10));
    assert!(others_than_alice.is_empty());
    let denying = Attached::Custom(policy(store, house, "denying", DENIES).await.id);
    attach(store, &account_id, &alice, denying.clone()).await;
    assert!(!counts(&alice).await && !other().await);
    detach(store, &account_id, &alice, denying).await;
    assert!(counts(&alice).await && other().await);
}
