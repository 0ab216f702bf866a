//! Virtual MFA devices that are bound to nobody.

use countersign_model::entropy::OsEntropy;
use countersign_model::ids::DeviceId;
use countersign_model::principal::Account;
use countersign_store::unbound_mfa::{self, UnboundMfa};
use countersign_store::{Store, Tx};

use crate::of_virtual_mfa::bind;
use crate::{NOON, account, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    let (house, other) = (account(store, "unbound-1").await, account(store, "unbound-2").await);
    let id = house.id.clone();
    let find = async |name: &'static str| look!(store, |tx, id| unbound_mfa::find(tx, &id, name));
    assert!(find("one").await.is_none());
    let one = new_device(&house, "one");
    assert!(change!(store, |tx, one| unbound_mfa::insert(tx, &one)));
    assert_eq!(format!("{:?}", find("one").await.unwrap()), format!("{one:?}"));
    let (same_name, elsewhere) = (new_device(&house, "one"), new_device(&other, "one"));
    assert!(!change!(store, |tx, same_name| unbound_mfa::insert(tx, &same_name)));
    assert!(change!(store, |tx, elsewhere| unbound_mfa::insert(tx, &elsewhere)));
    assert_eq!(look!(store, |tx, id| unbound_mfa::count(tx, &id)), 1);

    let alice = user(store, &house, "alice").await;
    bind(store, &alice, 1).await;
    assert_eq!(look!(store, |tx, id| unbound_mfa::count_bound(tx, &id)), 1);
    assert_eq!(look!(store, |tx, id| unbound_mfa::holder_of(tx, &id, "alice")), Some(alice.id.clone()));
    assert_eq!(look!(store, |tx, id| unbound_mfa::holder_of(tx, &id, "one")), None);
    let all = look!(store, |tx, id| unbound_mfa::list(tx, &id, ("", ""), 10));
    let names: Vec<_> = all.iter().map(|line| (line.name.as_str(), line.bound.is_some())).collect();
    assert_eq!(names, [("alice", true), ("one", false)]);
    assert_eq!(all[0].bound.as_ref().unwrap().1.name, "alice");
    let (name, device) = (all[0].name.clone(), all[0].id.clone());
    let rest = look!(store, |tx, id, name, device| unbound_mfa::list(tx, &id, (&name, device.as_str()), 1));
    assert_eq!(rest, all[1..]);

    let taken = {
        let (id, device) = (house.id.clone(), one.id.clone());
        async move |tx: &mut Tx<'_>| unbound_mfa::delete(tx, &id, &device).await
    };
    assert_eq!(sixteen_at_once(store, taken).await, 1);
    assert!(find("one").await.is_none());
}

pub(crate) fn new_device(account: &Account, name: &str) -> UnboundMfa {
    UnboundMfa {
        account_id: account.id.clone(),
        id: DeviceId::generate(&OsEntropy),
        name: name.to_owned(),
        sealed_seed: vec![0, 1, 2, 3, 0xff, 9],
        created_at: NOON,
        last_step: 7,
    }
}
