//! Wrong passwords by network.

use countersign_store::{Store, Tx, network_budgets};

use crate::{NOON, second, sixteen_at_once};

pub(crate) async fn cases(store: &Store) {
    let book = async |network: &'static str, at| change!(store, |tx| network_budgets::book(tx, network, at));
    assert_eq!(book("192.0.2.1/32", NOON).await, 1);
    assert_eq!(book("192.0.2.1/32", NOON.plus(second(60))).await, 2);
    assert_eq!(book("192.0.2.2/32", NOON).await, 1);
    assert_eq!(book("192.0.2.1/32", NOON.plus(second(3_600))).await, 1, "the next hour begins anew");
    change!(store, |tx| network_budgets::give_back(tx, "192.0.2.1/32", NOON));
    assert_eq!(book("192.0.2.1/32", NOON).await, 2);
    let raced = async |tx: &mut Tx<'_>| network_budgets::book(tx, "192.0.2.9/32", NOON).await.map(|_| true);
    assert_eq!(sixteen_at_once(store, raced).await, 16);
    assert_eq!(book("192.0.2.9/32", NOON).await, 17, "no try is lost");
    assert!(change!(store, |tx| network_budgets::sweep(tx, NOON.plus(second(3_600)))) >= 3);
    assert_eq!(book("192.0.2.9/32", NOON).await, 1);
    assert_eq!(book("192.0.2.1/32", NOON.plus(second(3_601))).await, 2, "the present hour stays");
}
