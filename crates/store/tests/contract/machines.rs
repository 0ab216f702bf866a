//! Remembered machines and their secrets.

use countersign_model::entropy::OsEntropy;
use countersign_model::ids::MachineId;
use countersign_model::machine::RememberedMachine;
use countersign_model::principal::Principal;
use countersign_store::{Store, Tx, machines};

use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    a_machine_is_found_by_every_secret_it_had(store).await;
    a_secret_is_used_once(store).await;
    machines_are_listed_forgotten_and_swept(store).await;
}

fn machine(of: &Principal, age: u64) -> RememberedMachine {
    RememberedMachine {
        id: MachineId::generate(&OsEntropy),
        account_id: of.account_id.clone(),
        principal_id: of.id.clone(),
        principal_epoch: 3,
        account_epoch: 4,
        created_at: NOON.minus(second(age)),
        expires_at: NOON.plus(second(600)),
        last_used_at: NOON,
        address: "192.0.2.1".to_owned(),
        user_agent: "a browser".to_owned(),
    }
}

async fn a_machine_is_found_by_every_secret_it_had(store: &Store) {
    let house = account(store, "machines-1").await;
    let alice = user(store, &house, "alice").await;
    let machine = machine(&alice, 0);
    change!(store, |tx, machine| machines::insert(tx, &machine, &[1; 32]));
    let found = look!(store, |tx| machines::find(tx, &[1; 32])).unwrap();
    assert_eq!((&found.machine, found.secret_used_at), (&machine, None));
    assert!(change!(store, |tx| machines::consume_secret(tx, &[1; 32], NOON)));
    assert!(!change!(store, |tx| machines::consume_secret(tx, &[1; 32], NOON)), "used up");
    let (account_id, id) = (machine.account_id.clone(), machine.id.clone());
    change!(store, |tx, account_id, id| machines::insert_secret(tx, &account_id, &id, &[2; 32]));
    assert_eq!(look!(store, |tx| machines::find(tx, &[1; 32])).unwrap().secret_used_at, Some(NOON));
    assert_eq!(look!(store, |tx| machines::find(tx, &[2; 32])).unwrap().secret_used_at, None);
    assert!(look!(store, |tx| machines::find(tx, &[3; 32])).is_none());
    change!(store, |tx, account_id, id| machines::mark_used(
        tx,
        &account_id,
        &id,
        ("2001:db8::1", "another"),
        NOON.plus(second(5))
    ));
    let used = look!(store, |tx| machines::find(tx, &[2; 32])).unwrap().machine;
    assert_eq!((used.address.as_str(), used.last_used_at), ("2001:db8::1", NOON.plus(second(5))));
}

async fn a_secret_is_used_once(store: &Store) {
    let house = account(store, "machines-2").await;
    let machine = machine(&user(store, &house, "alice").await, 0);
    change!(store, |tx, machine| machines::insert(tx, &machine, &[11; 32]));
    let used =
        sixteen_at_once(store, async |tx: &mut Tx<'_>| machines::consume_secret(tx, &[11; 32], NOON).await).await;
    assert_eq!(used, 1);
}

async fn machines_are_listed_forgotten_and_swept(store: &Store) {
    let house = account(store, "machines-3").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let mut ids = Vec::new();
    for (age, byte) in [(1, 21), (2, 22), (3, 23), (4, 24)] {
        let machine = machine(&alice, age);
        ids.push(machine.id.clone());
        change!(store, |tx, machine| machines::insert(tx, &machine, &[byte; 32]));
    }
    let other = machine(&bob, 9);
    change!(store, |tx, other| machines::insert(tx, &other, &[25; 32]));
    let (account_id, alice, bob) = (house.id, alice.id, bob.id);
    let list = async || look!(store, |tx, account_id, alice| machines::list(tx, &account_id, &alice));
    assert_eq!(list().await.iter().map(|machine| machine.id.clone()).collect::<Vec<_>>(), ids);
    assert_eq!(change!(store, |tx, account_id, alice| machines::trim(tx, &account_id, &alice, 3)), 1);
    assert_eq!(list().await.len(), 3);
    let first = ids[0].clone();
    assert!(!change!(store, |tx, account_id, bob, first| machines::forget(tx, &account_id, &bob, &first)));
    assert!(change!(store, |tx, account_id, alice, first| machines::forget(tx, &account_id, &alice, &first)));
    assert!(look!(store, |tx| machines::find(tx, &[21; 32])).is_none(), "its secrets go with it");
    assert_eq!(change!(store, |tx, account_id, alice| machines::forget_all(tx, &account_id, &alice)), 2);
    assert_eq!(look!(store, |tx, account_id, bob| machines::list(tx, &account_id, &bob)).len(), 1);
    assert!(change!(store, |tx| machines::sweep(tx, NOON.plus(second(601)))) >= 1);
    assert_eq!(look!(store, |tx, account_id, bob| machines::list(tx, &account_id, &bob)).len(), 0);
}
