//! Challenges that wait for their answer.

use countersign_model::webauthn::CeremonyPurpose;
use countersign_store::webauthn_ceremonies::{self, Ceremony};
use countersign_store::{Store, Tx};

use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "ceremonies-1").await;
    let alice = user(store, &house, "alice").await;
    let ceremony = Ceremony {
        purpose: CeremonyPurpose::BindPasskey,
        subject: Some((house.id, alice.id)),
        replaces: true,
        expires_at: NOON.plus(second(300)),
    };
    change!(store, |tx, ceremony| webauthn_ceremonies::begin(tx, &[1; 32], "session 1", &ceremony));
    let consume = async |byte: u8, by: &'static str, late: u64| {
        let now = NOON.plus(second(late));
        change!(store, |tx| webauthn_ceremonies::consume(tx, &[byte; 32], by, now))
    };
    assert_eq!(consume(2, "session 1", 0).await, None, "another challenge");
    assert_eq!(consume(1, "session 2", 0).await, None, "another session");
    assert_eq!(consume(1, "session 1", 300).await, None, "too late");
    let is_open = async |by: &'static str, purpose: CeremonyPurpose, late: u64| {
        let now = NOON.plus(second(late));
        look!(store, |tx| webauthn_ceremonies::is_open(tx, &[1; 32], (by, purpose), now))
    };
    assert!(is_open("session 1", CeremonyPurpose::BindPasskey, 299).await);
    assert!(!is_open("session 2", CeremonyPurpose::BindPasskey, 0).await);
    assert!(!is_open("session 1", CeremonyPurpose::SecondFactor, 0).await);
    assert!(!is_open("session 1", CeremonyPurpose::BindPasskey, 300).await);
    let found = ceremony.clone();
    let raced = async move |tx: &mut Tx<'_>| {
        let consumed = webauthn_ceremonies::consume(tx, &[1; 32], "session 1", NOON.plus(second(299))).await?;
        Ok(consumed.is_some_and(|consumed| consumed == found))
    };
    assert_eq!(sixteen_at_once(store, raced).await, 1);

    let stranger = Ceremony {
        purpose: CeremonyPurpose::SecondFactor,
        subject: None,
        replaces: false,
        expires_at: NOON.plus(second(1)),
    };
    change!(store, |tx, stranger| webauthn_ceremonies::begin(tx, &[3; 32], "browser", &stranger));
    assert_eq!(consume(3, "browser", 0).await, Some(stranger.clone()));

    let used = async |by: &'static str| {
        let until = NOON.plus(second(1));
        change!(store, |tx| webauthn_ceremonies::use_up(tx, &[4; 32], by, until))
    };
    assert!(used("browser").await && !used("browser").await && !used("another browser").await);
    assert!(consume(4, "another session", 0).await.is_none(), "nothing waits under it");
    let raced = async move |tx: &mut Tx<'_>| webauthn_ceremonies::use_up(tx, &[5; 32], "browser", NOON).await;
    assert_eq!(sixteen_at_once(store, raced).await, 1);

    for byte in 10..15 {
        let late = Ceremony { expires_at: NOON.plus(second(u64::from(byte))), ..stranger.clone() };
        change!(store, |tx, late| webauthn_ceremonies::begin(tx, &[byte; 32], "busy", &late));
    }
    assert_eq!(change!(store, |tx| webauthn_ceremonies::trim(tx, "busy", 2)), 3);
    assert!(consume(14, "busy", 0).await.is_some() && consume(10, "busy", 0).await.is_none());
    assert_eq!(change!(store, |tx| webauthn_ceremonies::sweep(tx, NOON.plus(second(14)))), 3);
}
