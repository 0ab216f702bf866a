//! AccessKeys.

use countersign_model::access_key::{AccessKey, AccessKeyStatus, ApiService, LastUse};
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::AccessKeyId;
use countersign_model::principal::{Principal, PrincipalKind, SystemPolicy};
use countersign_store::{Store, Tx, access_keys, attachments, principals};

use crate::{NOON, account, new_account, new_owner, second, sixteen_at_once, user};

/// A key that is not stored yet. Its secret begins as nothing that is sealed does.
pub(crate) fn new_key(holder: &Principal) -> AccessKey {
    AccessKey {
        account_id: holder.account_id.clone(),
        id: AccessKeyId::generate(&OsEntropy),
        principal_id: holder.id.clone(),
        sealed_secret: b"sealed".to_vec(),
        status: AccessKeyStatus::Active,
        created_at: NOON,
        updated_at: NOON,
        enabled_at: NOON,
        last_use: None,
    }
}

pub(crate) async fn cases(store: &Store) {
    a_key_comes_back_as_it_went_in(store).await;
    ids_are_unique_everywhere(store).await;
    a_key_is_enabled_disabled_used_and_removed(store).await;
    those_that_lie_idle_are_found(store).await;
    keys_go_with_their_holder(store).await;
}

async fn a_key_comes_back_as_it_went_in(store: &Store) {
    let house = account(store, "access-keys-1").await;
    let owner = new_owner(&house, "boss@access-keys-1.example");
    assert!(change!(store, |tx, owner| principals::insert(tx, &owner)));
    let alice = user(store, &house, "alice").await;
    let (hers, his) = (new_key(&alice), new_key(&owner));
    for key in [&hers, &his] {
        assert!(change!(store, |tx, key| access_keys::insert(tx, &key)));
    }
    let (account_id, id) = (house.id.clone(), hers.id.clone());
    let found = look!(store, |tx, account_id, id| access_keys::find(tx, &account_id, &id)).unwrap();
    assert_eq!(format!("{found:?}"), format!("{hers:?}"));
    let elsewhere = new_account("access-keys-x").id;
    assert!(look!(store, |tx, elsewhere, id| access_keys::find(tx, &elsewhere, &id)).is_none());

    let found = look!(store, |tx, id| access_keys::find_in_full(tx, &id)).unwrap();
    assert_eq!(format!("{:?}", found.key), format!("{hers:?}"));
    assert_eq!((found.kind, found.name.as_str(), found.administrator_by), (PrincipalKind::RamUser, "alice", None));
    assert_eq!((found.principal_epoch, found.account_epoch, found.alias), (1, 1, house.alias.clone()));
    assert_eq!(*found.settings, house.settings);
    let (holder, policy) = (alice.id.clone(), SystemPolicy::AliyunRamFullAccess);
    assert!(change!(store, |tx, account_id, holder| attachments::attach_to_user(
        tx,
        &account_id,
        &holder,
        &policy.into(),
        NOON
    )));
    let found = look!(store, |tx, id| access_keys::find_in_full(tx, &id)).unwrap();
    assert_eq!(found.administrator_by, Some(policy));
    let id = his.id.clone();
    let found = look!(store, |tx, id| access_keys::find_in_full(tx, &id)).unwrap();
    assert_eq!((found.kind, found.administrator_by), (PrincipalKind::Owner, None));
    let unknown = AccessKeyId::generate(&OsEntropy);
    assert!(look!(store, |tx, unknown| access_keys::find_in_full(tx, &unknown)).is_none());
}

async fn ids_are_unique_everywhere(store: &Store) {
    let (one, two) = (account(store, "access-keys-2").await, account(store, "access-keys-3").await);
    let (alice, bob) = (user(store, &one, "alice").await, user(store, &two, "bob").await);
    let key = new_key(&alice);
    let raced = {
        let key = key.clone();
        async move |tx: &mut Tx<'_>| access_keys::insert(tx, &key).await
    };
    assert_eq!(sixteen_at_once(store, raced).await, 1);
    let same = AccessKey { id: key.id, ..new_key(&bob) };
    assert!(!change!(store, |tx, same| access_keys::insert(tx, &same)));
}

async fn a_key_is_enabled_disabled_used_and_removed(store: &Store) {
    let house = account(store, "access-keys-4").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let (account_id, holder) = (house.id.clone(), alice.id.clone());
    let count = async || look!(store, |tx, account_id, holder| access_keys::count(tx, &account_id, &holder));
    let list = async || look!(store, |tx, account_id, holder| access_keys::list(tx, &account_id, &holder));
    assert_eq!(count().await, 0);
    let first = AccessKey { created_at: NOON.plus(second(1)), ..new_key(&alice) };
    let second_key = AccessKey { enabled_at: NOON.plus(second(9)), ..new_key(&alice) };
    for key in [&first, &second_key, &new_key(&bob)] {
        assert!(change!(store, |tx, key| access_keys::insert(tx, &key)));
    }
    assert_eq!(count().await, 2);
    assert_eq!(list().await.iter().map(|key| &key.id).collect::<Vec<_>>(), [&second_key.id, &first.id]);

    let off = AccessKey { status: AccessKeyStatus::Inactive, updated_at: NOON.plus(second(3)), ..first.clone() };
    assert!(change!(store, |tx, off| access_keys::set_status(tx, &off)));
    let id = first.id.clone();
    let found = look!(store, |tx, account_id, id| access_keys::find(tx, &account_id, &id)).unwrap();
    assert_eq!(format!("{found:?}"), format!("{off:?}"));

    // The last use only goes forward.
    for (at, service) in [(5, ApiService::Ram), (7, ApiService::Sts), (6, ApiService::Ims)] {
        let used = LastUse { at: NOON.plus(second(at)), service };
        change!(store, |tx, account_id, id| access_keys::mark_used(tx, &account_id, &id, used));
    }
    let found = look!(store, |tx, account_id, id| access_keys::find(tx, &account_id, &id)).unwrap();
    assert_eq!(found.last_use, Some(LastUse { at: NOON.plus(second(7)), service: ApiService::Sts }));

    // Of what was made or enabled since, only what is active and hers.
    let since = async |at| {
        let (at, now) = (NOON.plus(second(at)), NOON.plus(second(20)));
        change!(store, |tx, account_id, holder| access_keys::disable_since(tx, (&account_id, &holder), at, now))
    };
    assert_eq!(since(10).await, []);
    assert_eq!(since(9).await, std::slice::from_ref(&second_key.id));
    assert_eq!(since(0).await, []);
    assert!(change!(store, |tx, account_id, id| access_keys::delete(tx, &account_id, &id)));
    assert!(!change!(store, |tx, account_id, id| access_keys::delete(tx, &account_id, &id)));
    assert_eq!(count().await, 1);
}

async fn those_that_lie_idle_are_found(store: &Store) {
    let house = account(store, "access-keys-5").await;
    let alice = user(store, &house, "alice").await;
    let (account_id, later) = (house.id.clone(), NOON.plus(second(60)));
    let (never, used, enabled) = (new_key(&alice), new_key(&alice), AccessKey { enabled_at: later, ..new_key(&alice) });
    let off = AccessKey { status: AccessKeyStatus::Inactive, ..new_key(&alice) };
    for key in [&never, &used, &enabled, &off] {
        assert!(change!(store, |tx, key| access_keys::insert(tx, &key)));
    }
    let (id, last) = (used.id.clone(), LastUse { at: later, service: ApiService::Ram });
    change!(store, |tx, account_id, id| access_keys::mark_used(tx, &account_id, &id, last));
    let idle = async |since, limit| {
        let found = look!(store, |tx, account_id| access_keys::list_idle(tx, &account_id, since, limit));
        found.into_iter().map(|key| (key.id, key.holder, key.holder_name)).collect::<Vec<_>>()
    };
    assert_eq!(idle(NOON.minus(second(1)), 9).await, []);
    assert_eq!(idle(NOON, 9).await, [(never.id.clone(), alice.id.clone(), "alice".to_owned())]);
    assert_eq!(idle(later, 9).await.len(), 3);
    assert_eq!(idle(later, 2).await.len(), 2);
    let bob = user(store, &house, "bob").await;
    let his = new_key(&bob);
    assert!(change!(store, |tx, his| access_keys::insert(tx, &his)));
    let holders = async |since| look!(store, |tx, account_id| access_keys::count_idle_holders(tx, &account_id, since));
    assert_eq!((holders(NOON.minus(second(1))).await, holders(later).await), (0, 2));
}

async fn keys_go_with_their_holder(store: &Store) {
    let house = account(store, "access-keys-6").await;
    let alice = user(store, &house, "alice").await;
    let key = new_key(&alice);
    assert!(change!(store, |tx, key| access_keys::insert(tx, &key)));
    let (account_id, holder, id) = (house.id, alice.id, key.id);
    assert!(change!(store, |tx, account_id, holder| principals::delete(tx, &account_id, &holder)));
    assert!(look!(store, |tx, id| access_keys::find_in_full(tx, &id)).is_none());
}
