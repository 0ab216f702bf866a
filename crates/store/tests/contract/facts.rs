//! Facts of the installation.

use countersign_store::{Store, facts};

use crate::sixteen_at_once;

pub(crate) async fn cases(store: &Store) {
    assert_eq!(look!(store, |tx| facts::find(tx, "colour")), None);
    change!(store, |tx| facts::put(tx, "colour", "red"));
    change!(store, |tx| facts::put(tx, "colour", "Grün ' $1"));
    assert_eq!(look!(store, |tx| facts::find(tx, "colour")).as_deref(), Some("Grün ' $1"));
    assert!(!change!(store, |tx| facts::put_first(tx, "colour", "blue")));
    assert!(change!(store, |tx| facts::put_first(tx, "shape", "round")));
    assert_eq!(look!(store, |tx| facts::find(tx, "shape")).as_deref(), Some("round"));

    assert!(!change!(store, |tx| facts::consume(tx, "colour", "grün ' $1")), "the case of a value counts");
    assert!(!change!(store, |tx| facts::consume(tx, "size", "round")));
    let consumed = sixteen_at_once(store, async |tx| facts::consume(tx, "shape", "round").await).await;
    assert_eq!(consumed, 1);
    assert_eq!(look!(store, |tx| facts::find(tx, "shape")), None);
    change!(store, |tx| facts::consume(tx, "colour", "Grün ' $1"));
    let first = sixteen_at_once(store, async |tx| facts::put_first(tx, "first", "one").await).await;
    assert_eq!(first, 1);
}
