//! Earlier passwords.

use countersign_store::{Store, password_history, principals};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{NOON, account, second, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "history-1").await;
    let (alice, bob) = (user(store, &house, "alice").await.id, user(store, &house, "bob").await.id);
    let account_id = house.id;
    let latest = async |limit: i64| {
        let hashes = look!(store, |tx, account_id, alice| password_history::latest(tx, &account_id, &alice, limit));
        hashes.iter().map(|hash| hash.expose_secret().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(latest(24).await, [""; 0]);
    for number in 0..30_u64 {
        let (at, hash) = (NOON.plus(second(number)), SecretString::from(format!("hash {number}")));
        change!(store, |tx, account_id, alice, hash| password_history::keep(tx, &account_id, &alice, at, &hash));
    }
    assert_eq!(latest(2).await, ["hash 29", "hash 28"]);
    let kept = latest(100).await;
    assert_eq!((kept.len(), kept.last().unwrap().as_str()), (24, "hash 6"));
    let of_bob = look!(store, |tx, account_id, bob| password_history::latest(tx, &account_id, &bob, 24));
    assert!(of_bob.is_empty());
    change!(store, |tx, account_id, alice| principals::delete(tx, &account_id, &alice));
    assert_eq!(latest(24).await, [""; 0]);
}
