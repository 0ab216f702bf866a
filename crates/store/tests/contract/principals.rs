//! Principals.

use countersign_model::principal::{Principal, PrincipalKind};
use countersign_store::{Store, Tx, principals};

use crate::{NOON, account, new_account, new_owner, new_user, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    a_principal_comes_back_as_it_went_in(store).await;
    names_are_unique_in_their_account_and_owners_addresses_everywhere(store).await;
    epochs_rise_by_one(store).await;
    names_and_remarks_are_changed(store).await;
    users_are_deleted_and_owners_are_not(store).await;
    users_come_in_pages_by_name(store).await;
}

async fn users_come_in_pages_by_name(store: &Store) {
    let house = account(store, "principals-pages").await;
    let owner = new_owner(&house, "a@principals-pages.example");
    assert!(change!(store, |tx, owner| principals::insert(tx, &owner)));
    for name in ["Bob", "alice", "c_c", "c-c"] {
        user(store, &house, name).await;
    }
    let id = house.id;
    let page = async |after: &'static str, limit| {
        let found = look!(store, |tx, id| principals::page(tx, &id, after, limit));
        found.into_iter().map(|user| user.name).collect::<Vec<_>>()
    };
    assert_eq!(page("", 10).await, ["alice", "Bob", "c-c", "c_c"]);
    assert_eq!(page("", 2).await, ["alice", "Bob"]);
    assert_eq!(page("bob", 2).await, ["c-c", "c_c"]);
    assert!(page("c_c", 2).await.is_empty());
}

async fn a_principal_comes_back_as_it_went_in(store: &Store) {
    let house = account(store, "principals-1").await;
    let full = Principal {
        display_name: "Zoë 双因素 'x'".parse().unwrap(),
        comments: "50% $1".parse().unwrap(),
        email: Some("Zoe@Example.com".parse().unwrap()),
        mobile: Some("86-13900001234".parse().unwrap()),
        ..new_user(&house, "Zoe.B")
    };
    assert!(change!(store, |tx, full| principals::insert(tx, &full)));
    let owner = new_owner(&house, "Boss@Principals-1.example");
    assert!(change!(store, |tx, owner| principals::insert(tx, &owner)));

    let (account_id, id) = (house.id.clone(), full.id.clone());
    let found = look!(store, |tx, account_id, id| principals::find(tx, &account_id, &id)).unwrap();
    assert_eq!(format!("{found:?}"), format!("{full:?}"));
    let found = look!(store, |tx, account_id| principals::find_ram_user(tx, &account_id, "zoe.b")).unwrap();
    assert_eq!(found.id, id);
    for name in ["Zoe.B", "zoe", "", "boss@principals-1.example"] {
        let found = look!(store, |tx, account_id| principals::find_ram_user(tx, &account_id, name));
        assert!(found.is_none(), "{name}");
    }
    let found = look!(store, |tx, account_id| principals::find_owner_of(tx, &account_id)).unwrap();
    assert_eq!((found.kind, &found.id), (PrincipalKind::Owner, &owner.id));
    let found = look!(store, |tx| principals::find_owner(tx, "boss@principals-1.example")).unwrap();
    assert_eq!(found.id, owner.id);
    // A contact address of a RAM user is no owner's.
    assert!(look!(store, |tx| principals::find_owner(tx, "zoe@example.com")).is_none());
    let elsewhere = new_account("principals-x").id;
    assert!(look!(store, |tx, elsewhere, id| principals::find(tx, &elsewhere, &id)).is_none());
    assert!(look!(store, |tx, elsewhere| principals::find_owner_of(tx, &elsewhere)).is_none());

    let at = NOON.plus(second(5));
    change!(store, |tx, account_id, id| principals::mark_logon(tx, &account_id, &id, ("192.0.2.7", "zh-CN"), at));
    let found = look!(store, |tx, account_id, id| principals::find(tx, &account_id, &id)).unwrap();
    assert_eq!((found.last_logon_at, found.updated_at), (Some(at), NOON));
}

async fn names_are_unique_in_their_account_and_owners_addresses_everywhere(store: &Store) {
    let (one, two) = (account(store, "principals-2").await, account(store, "principals-3").await);
    user(store, &one, "Alice").await;
    let same = new_user(&one, "aLICE");
    assert!(!change!(store, |tx, same| principals::insert(tx, &same)));
    user(store, &two, "alice").await;
    let owner = new_owner(&one, "same@principals.example");
    assert!(change!(store, |tx, owner| principals::insert(tx, &owner)));
    let same = new_owner(&two, "SAME@principals.example");
    assert!(!change!(store, |tx, same| principals::insert(tx, &same)));
    // One contact address may be that of many.
    let with_address = Principal { email: owner.email.clone(), ..new_user(&two, "bob") };
    assert!(change!(store, |tx, with_address| principals::insert(tx, &with_address)));
    let raced = async move |tx: &mut Tx<'_>| principals::insert(tx, &new_user(&two, "carol")).await;
    assert_eq!(sixteen_at_once(store, raced).await, 1);
}

async fn epochs_rise_by_one(store: &Store) {
    let house = account(store, "principals-4").await;
    let alice = user(store, &house, "alice").await;
    let (account_id, id, nobody) = (house.id.clone(), alice.id.clone(), new_user(&house, "nobody").id);
    assert_eq!(change!(store, |tx, account_id, id| principals::guard(tx, &account_id, &id)), Some(1));
    let at = NOON.plus(second(9));
    assert_eq!(change!(store, |tx, account_id, id| principals::bump_epoch(tx, &account_id, &id, at)), Some(2));
    assert_eq!(change!(store, |tx, account_id, id| principals::guard(tx, &account_id, &id)), Some(2));
    assert_eq!(change!(store, |tx, account_id, nobody| principals::guard(tx, &account_id, &nobody)), None);
    let bumped = change!(store, |tx, account_id, nobody| principals::bump_epoch(tx, &account_id, &nobody, at));
    assert_eq!(bumped, None);
    let bump = {
        let (account_id, id) = (account_id.clone(), id.clone());
        async move |tx: &mut Tx<'_>| Ok(principals::bump_epoch(tx, &account_id, &id, NOON).await?.is_some())
    };
    assert_eq!(sixteen_at_once(store, bump).await, 16);
    let found = look!(store, |tx, account_id, id| principals::find(tx, &account_id, &id)).unwrap();
    assert_eq!(found.epoch, 18, "no bump is lost");
}

async fn names_and_remarks_are_changed(store: &Store) {
    let house = account(store, "principals-5").await;
    let (alice, _) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let changed = Principal {
        name: "Alicia".to_owned(),
        display_name: "A. B.".parse().unwrap(),
        comments: "moved".parse().unwrap(),
        email: Some("a@b.example".parse().unwrap()),
        mobile: Some("49-301234".parse().unwrap()),
        updated_at: NOON.plus(second(1)),
        ..alice.clone()
    };
    assert!(change!(store, |tx, changed| principals::update(tx, &changed)));
    let (account_id, id) = (house.id.clone(), alice.id.clone());
    let found = look!(store, |tx, account_id, id| principals::find(tx, &account_id, &id)).unwrap();
    assert_eq!(format!("{found:?}"), format!("{changed:?}"));
    assert!(look!(store, |tx, account_id| principals::find_ram_user(tx, &account_id, "alice")).is_none());
    assert!(look!(store, |tx, account_id| principals::find_ram_user(tx, &account_id, "alicia")).is_some());
    let taken = Principal { name: "BOB".to_owned(), ..alice.clone() };
    assert!(!change!(store, |tx, taken| principals::update(tx, &taken)));
    let own = Principal { name: "ALICIA".to_owned(), email: None, ..alice.clone() };
    assert!(change!(store, |tx, own| principals::update(tx, &own)));
    let gone = new_user(&house, "gone");
    assert!(!change!(store, |tx, gone| principals::update(tx, &gone)));
}

async fn users_are_deleted_and_owners_are_not(store: &Store) {
    let house = account(store, "principals-6").await;
    let alice = user(store, &house, "alice").await;
    let owner = new_owner(&house, "owner@principals-6.example");
    assert!(change!(store, |tx, owner| principals::insert(tx, &owner)));
    let (account_id, id, owner, other) = (house.id.clone(), alice.id, owner.id, new_account("principals-y").id);
    assert!(!change!(store, |tx, account_id, owner| principals::delete(tx, &account_id, &owner)));
    assert!(!change!(store, |tx, other, id| principals::delete(tx, &other, &id)));
    let delete = {
        let (account_id, id) = (account_id.clone(), id.clone());
        async move |tx: &mut Tx<'_>| principals::delete(tx, &account_id, &id).await
    };
    assert_eq!(sixteen_at_once(store, delete).await, 1);
    assert!(look!(store, |tx, account_id, id| principals::find(tx, &account_id, &id)).is_none());
    assert!(look!(store, |tx, account_id, owner| principals::find(tx, &account_id, &owner)).is_some());
}
