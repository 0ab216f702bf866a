//! Recovery codes.

use countersign_store::recovery_codes::{self, CodesLeft};
use countersign_store::{Store, Tx};

use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "recovery-1").await;
    let (alice, bob) = (user(store, &house, "alice").await.id, user(store, &house, "bob").await.id);
    let account_id = house.id;
    let count = async || look!(store, |tx, account_id, alice| recovery_codes::count(tx, &account_id, &alice));
    assert_eq!(count().await, CodesLeft { made: 0, left: 0, made_at: None });
    let hashes: Vec<[u8; 32]> = (1..=10).map(|byte| [byte; 32]).collect();
    change!(store, |tx, account_id, alice, hashes| recovery_codes::replace(tx, &account_id, &alice, &hashes, NOON));
    assert_eq!(count().await, CodesLeft { made: 10, left: 10, made_at: Some(NOON) });
    assert!(!change!(store, |tx, account_id, bob| recovery_codes::consume(tx, &account_id, &bob, &[3; 32], NOON)));
    assert!(change!(store, |tx, account_id, alice| recovery_codes::consume(tx, &account_id, &alice, &[3; 32], NOON)));
    assert!(!change!(store, |tx, account_id, alice| recovery_codes::consume(tx, &account_id, &alice, &[3; 32], NOON)));
    let raced = {
        let (account_id, alice) = (account_id.clone(), alice.clone());
        async move |tx: &mut Tx<'_>| recovery_codes::consume(tx, &account_id, &alice, &[4; 32], NOON).await
    };
    assert_eq!(sixteen_at_once(store, raced).await, 1);
    assert_eq!(count().await, CodesLeft { made: 10, left: 8, made_at: Some(NOON) });
    let (fewer, later) = (vec![[99; 32]], NOON.plus(second(1)));
    change!(store, |tx, account_id, alice, fewer| recovery_codes::replace(tx, &account_id, &alice, &fewer, later));
    assert_eq!(count().await, CodesLeft { made: 1, left: 1, made_at: Some(later) });
    assert!(!change!(store, |tx, account_id, alice| recovery_codes::consume(tx, &account_id, &alice, &[5; 32], NOON)));
    for (since, gone) in [(later.plus(second(1)), 0), (later, 1)] {
        let deleted =
            change!(store, |tx, account_id, alice| { recovery_codes::delete_since(tx, &account_id, &alice, since) });
        assert_eq!(deleted, gone);
    }
    change!(store, |tx, account_id, alice, fewer| recovery_codes::replace(tx, &account_id, &alice, &fewer, later));
    assert_eq!(change!(store, |tx, account_id, alice| recovery_codes::delete_all(tx, &account_id, &alice)), 1);
}
