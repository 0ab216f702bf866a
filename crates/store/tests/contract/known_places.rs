//! Known browsers and networks.

use countersign_model::Timestamp;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::BrowserId;
use countersign_model::machine::KnownBrowser;
use countersign_store::{Store, known_places};

use crate::{NOON, account, second, user};

pub(crate) async fn cases(store: &Store) {
    a_browser_is_known_to_its_principal_alone(store).await;
    a_network_is_known_since_its_last_logon(store).await;
}

fn browser(expires_at: Timestamp, last_mfa_at: Option<Timestamp>) -> KnownBrowser {
    KnownBrowser { id: BrowserId::generate(&OsEntropy), expires_at, last_mfa_at }
}

async fn a_browser_is_known_to_its_principal_alone(store: &Store) {
    let house = account(store, "places-1").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let (account_id, hash) = (house.id, [9; 32]);
    let first = browser(NOON.plus(second(60)), Some(NOON));
    let (alice, bob) = (alice.id, bob.id);
    change!(store, |tx, account_id, alice, first| known_places::put_browser(
        tx,
        &account_id,
        &alice,
        &hash,
        (&first, NOON)
    ));
    let found = look!(store, |tx, account_id, alice| known_places::find_browser(tx, &account_id, &alice, &hash));
    assert_eq!(found, Some(first.clone()));
    assert_eq!(look!(store, |tx, account_id, bob| known_places::find_browser(tx, &account_id, &bob, &hash)), None);
    assert_eq!(
        look!(store, |tx, account_id, alice| known_places::find_browser(tx, &account_id, &alice, &[8; 32])),
        None
    );
    // Used again without a second factor: longer known, the id and the last second factor stay.
    let again = browser(NOON.plus(second(120)), None);
    change!(store, |tx, account_id, alice, again| known_places::put_browser(
        tx,
        &account_id,
        &alice,
        &hash,
        (&again, NOON)
    ));
    let found = look!(store, |tx, account_id, alice| known_places::find_browser(tx, &account_id, &alice, &hash));
    assert_eq!(found, Some(KnownBrowser { expires_at: again.expires_at, ..first.clone() }));
    let id = first.id.clone();
    assert!(!change!(store, |tx, account_id, bob, id| known_places::forget_browser(tx, &account_id, &bob, &id)));
    assert!(change!(store, |tx, account_id, alice, id| known_places::forget_browser(tx, &account_id, &alice, &id)));
    assert_eq!(look!(store, |tx, account_id, alice| known_places::find_browser(tx, &account_id, &alice, &hash)), None);
}

async fn a_network_is_known_since_its_last_logon(store: &Store) {
    let house = account(store, "places-2").await;
    let alice = user(store, &house, "alice").await.id;
    let account_id = house.id;
    let find = async |network: &'static str| {
        look!(store, |tx, account_id, alice| known_places::find_network(tx, &account_id, &alice, network))
    };
    assert_eq!(find("192.0.2.0/24").await, None);
    for at in [NOON, NOON.plus(second(9))] {
        change!(store, |tx, account_id, alice| known_places::put_network(tx, &account_id, &alice, "192.0.2.0/24", at));
    }
    assert_eq!(find("192.0.2.0/24").await, Some(NOON.plus(second(9))));
    let known = browser(NOON.plus(second(9)), None);
    change!(store, |tx, account_id, alice, known| known_places::put_browser(
        tx,
        &account_id,
        &alice,
        &[7; 32],
        (&known, NOON)
    ));
    assert_eq!(change!(store, |tx| known_places::sweep(tx, NOON.plus(second(9)), NOON.plus(second(9)))), 0);
    assert!(change!(store, |tx| known_places::sweep(tx, NOON.plus(second(10)), NOON.plus(second(10)))) >= 2);
    assert_eq!(find("192.0.2.0/24").await, None);
    change!(store, |tx, account_id, alice| known_places::put_network(tx, &account_id, &alice, "10.0.0.0/24", NOON));
    assert_eq!(change!(store, |tx, account_id, alice| known_places::forget_all(tx, &account_id, &alice)), 1);
    assert_eq!(find("10.0.0.0/24").await, None);
}
