//! Proofs for sensitive operations.

use countersign_model::entropy::OsEntropy;
use countersign_model::ids::SessionId;
use countersign_model::logon::Method;
use countersign_store::proofs::{self, Proof};
use countersign_store::{Store, Tx};

use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "proofs-1").await;
    let alice = user(store, &house, "alice").await;
    let session_id = SessionId::generate(&OsEntropy);
    let proof = Proof {
        account_id: house.id,
        principal_id: alice.id,
        session_id: session_id.clone(),
        operation: "ChangePassword".to_owned(),
        arguments: [5; 32],
        method: None,
        expires_at: NOON.plus(second(300)),
    };
    change!(store, |tx, proof| proofs::ask(tx, &[41; 32], &proof));
    let found = look!(store, |tx| proofs::find(tx, &[41; 32])).unwrap();
    assert_eq!(format!("{found:?}"), format!("{proof:?}"));
    assert!(!change!(store, |tx| proofs::consume(tx, &[41; 32])), "asked for is not given");
    assert!(change!(store, |tx| proofs::hold(tx, &[41; 32])));
    assert!(!change!(store, |tx| proofs::hold(tx, &[42; 32])));
    assert!(!change!(store, |tx| proofs::take_challenge(tx, &[41; 32], &[7; 32])), "no key was asked");
    assert!(change!(store, |tx| proofs::challenge(tx, &[41; 32], &[6; 32])));
    assert!(change!(store, |tx| proofs::challenge(tx, &[41; 32], &[7; 32])));
    assert!(!change!(store, |tx| proofs::take_challenge(tx, &[41; 32], &[6; 32])), "the later one counts");
    assert!(!look!(store, |tx| proofs::has_challenge(tx, &[41; 32], &[6; 32])));
    assert!(look!(store, |tx| proofs::has_challenge(tx, &[41; 32], &[7; 32])));
    let take = async |tx: &mut Tx<'_>| proofs::take_challenge(tx, &[41; 32], &[7; 32]).await;
    assert_eq!(sixteen_at_once(store, take).await, 1);
    assert!(change!(store, |tx| proofs::give(tx, &[41; 32], Method::VirtualMfa)));
    assert!(!change!(store, |tx| proofs::challenge(tx, &[41; 32], &[8; 32])), "it was given");
    assert!(!change!(store, |tx| proofs::give(tx, &[41; 32], Method::Password)), "given once");
    assert_eq!(look!(store, |tx| proofs::find(tx, &[41; 32])).unwrap().method, Some(Method::VirtualMfa));
    assert_eq!(sixteen_at_once(store, async |tx: &mut Tx<'_>| proofs::consume(tx, &[41; 32]).await).await, 1);
    assert!(look!(store, |tx| proofs::find(tx, &[41; 32])).is_none());

    for byte in 50..55 {
        let late = Proof { expires_at: NOON.plus(second(u64::from(byte))), ..proof.clone() };
        change!(store, |tx, late| proofs::ask(tx, &[byte; 32], &late));
    }
    assert_eq!(change!(store, |tx, session_id| proofs::trim(tx, &session_id, 2)), 3);
    assert!(look!(store, |tx| proofs::find(tx, &[54; 32])).is_some(), "the latest stay");

    let other = user(store, &account(store, "proofs-2").await, "bob").await;
    let (account_id, alice_id) = (proof.account_id.clone(), proof.principal_id.clone());
    assert_eq!(change!(store, |tx, other| proofs::end_all_of(tx, &other.account_id, &other.id)), 0);
    assert_eq!(change!(store, |tx, account_id, alice_id| proofs::end_all_of(tx, &account_id, &alice_id)), 2);
    change!(store, |tx, proof| proofs::ask(tx, &[56; 32], &proof));

    let window = async || look!(store, |tx, session_id| proofs::window(tx, &session_id));
    assert_eq!(window().await, None);
    for end in [1, 9] {
        change!(store, |tx, session_id| proofs::open_window(tx, &session_id, NOON.plus(second(end))));
    }
    assert_eq!(window().await, Some(NOON.plus(second(9))));
    change!(store, |tx, session_id| proofs::close_window(tx, &session_id));
    assert_eq!(window().await, None);
    change!(store, |tx, session_id| proofs::open_window(tx, &session_id, NOON));
    assert!(change!(store, |tx| proofs::sweep(tx, NOON.plus(second(301)))) >= 2);
    assert_eq!(window().await, None);
}
