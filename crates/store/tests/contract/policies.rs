//! Attached policies.

use countersign_model::principal::SystemPolicy::{AdministratorAccess, AliyunRamFullAccess};
use countersign_model::principal::{ConsoleLogon, LoginProfile};
use countersign_store::{Store, login_profiles, policies, principals};

use crate::of_login_profiles::new_profile;
use crate::{NOON, account, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "policies-1").await;
    let (alice, bob) = (user(store, &house, "alice").await.id, user(store, &house, "bob").await.id);
    let account_id = house.id;
    let attach =
        async |policy| change!(store, |tx, account_id, alice| policies::attach(tx, &account_id, &alice, policy, NOON));
    let detach =
        async |policy| change!(store, |tx, account_id, alice| policies::detach(tx, &account_id, &alice, policy));
    let attached = async || look!(store, |tx, account_id, alice| policies::of_principal(tx, &account_id, &alice));
    assert!(attached().await.is_empty());
    assert!(attach(AliyunRamFullAccess).await);
    assert!(attach(AdministratorAccess).await);
    assert!(!attach(AdministratorAccess).await);
    assert_eq!(attached().await, [AdministratorAccess, AliyunRamFullAccess]);
    assert!(look!(store, |tx, account_id, bob| policies::of_principal(tx, &account_id, &bob)).is_empty());
    assert!(detach(AliyunRamFullAccess).await);
    assert!(!detach(AliyunRamFullAccess).await);
    assert_eq!(attached().await, [AdministratorAccess]);
    // An administrator without console logon is none who could act.
    let other = async || look!(store, |tx, account_id, bob| policies::has_other_administrator(tx, &account_id, &bob));
    assert!(!other().await);
    let enabled = LoginProfile { console_logon: ConsoleLogon::Enabled, ..new_profile(Some("x")) };
    change!(store, |tx, account_id, alice, enabled| login_profiles::put(tx, &account_id, &alice, &enabled));
    assert!(other().await);
    assert!(!look!(store, |tx, account_id, alice| policies::has_other_administrator(tx, &account_id, &alice)));

    change!(store, |tx, account_id, alice| principals::delete(tx, &account_id, &alice));
    assert!(attached().await.is_empty());
}
