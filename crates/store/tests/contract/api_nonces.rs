//! Nonces of signed calls.

use countersign_store::{Store, Tx, api_nonces};

use crate::{NOON, second, sixteen_at_once};

pub(crate) async fn cases(store: &Store) {
    let end = NOON.plus(second(900));
    let spend = async |hash: [u8; 16], now| change!(store, |tx| api_nonces::spend(tx, &hash, end, now));
    assert!(spend([1; 16], NOON).await);
    assert!(!spend([1; 16], NOON).await && !spend([1; 16], end.minus(second(1))).await);
    assert!(spend([2; 16], NOON).await);
    let raced = async move |tx: &mut Tx<'_>| api_nonces::spend(tx, &[3; 16], end, NOON).await;
    assert_eq!(sixteen_at_once(store, raced).await, 1);
    let unexpired = look!(store, |tx| api_nonces::unexpired(tx, NOON));
    assert_eq!(unexpired.len(), 3);
    assert!(unexpired.contains(&(vec![3; 16], end)));
    assert_eq!(look!(store, |tx| api_nonces::unexpired(tx, end)), []);
    assert!(spend([1; 16], end).await, "what has run out can be spent again");
    assert!(change!(store, |tx| api_nonces::sweep(tx, end)) >= 2);
}
