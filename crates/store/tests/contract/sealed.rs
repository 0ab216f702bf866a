//! What is sealed, walked through in batches.

use countersign_store::sealed::{self, HEAD_BYTES, Kind, SealedValue};
use countersign_store::{Store, access_keys, virtual_mfa};

use crate::of_access_keys::new_key;
use crate::of_virtual_mfa::{bind, new_device};
use crate::{account, user};

const FIRST: [u8; HEAD_BYTES] = [1, 0, 0, 0, 0xfe];
const SECOND: [u8; HEAD_BYTES] = [1, 0, 0, 0, 0xff];

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "sealed-1").await;
    for name in ["a", "b", "c"] {
        let who = user(store, &house, name).await;
        bind(store, &who, 1).await;
        let pending = new_device(&who, "somebody");
        assert!(change!(store, |tx, pending| virtual_mfa::replace_pending(tx, &pending)));
        let key = new_key(&who);
        assert!(change!(store, |tx, key| access_keys::insert(tx, &key)));
    }
    // The other cases have sealed nothing: what they have put there begins otherwise.
    for (number, old) in beside(store, FIRST).await.into_iter().enumerate() {
        let value = [&FIRST[..], &number.to_be_bytes()].concat();
        assert!(change!(store, |tx, old, value| sealed::swap(tx, &old, &value)));
        assert!(!change!(store, |tx, old| sealed::swap(tx, &old, b"too late")));
    }
    assert!(beside(store, FIRST).await.is_empty());
    let all = beside(store, SECOND).await;
    assert!(all.is_sorted_by_key(|value| (value.kind, value.account.clone(), value.row.clone())));
    for (kind, least) in [(Kind::MfaSeed, 6), (Kind::AccessKeySecret, 3)] {
        assert!(all.iter().filter(|value| value.kind == kind).count() >= least, "{kind:?}");
    }
    assert_eq!(counts(store).await, [(FIRST.to_vec(), i64::try_from(all.len()).unwrap())]);
    // One of each kind.
    for one in [all[0].clone(), all[all.len() - 1].clone()] {
        let value = [&SECOND[..], b"!"].concat();
        assert!(change!(store, |tx, one, value| sealed::swap(tx, &one, &value)));
    }
    assert_eq!(counts(store).await.iter().map(|(_, count)| *count).min(), Some(2));
    assert_eq!(beside(store, SECOND).await.len(), all.len() - 2);
}

/// All of them, two at a time.
async fn beside(store: &Store, head: [u8; HEAD_BYTES]) -> Vec<SealedValue> {
    let mut all: Vec<SealedValue> = Vec::new();
    loop {
        let last = all.last().cloned();
        let found = look!(store, |tx, last| sealed::beside(tx, head, last.as_ref(), 2));
        if found.is_empty() {
            return all;
        }
        all.extend(found);
    }
}

async fn counts(store: &Store) -> Vec<(Vec<u8>, i64)> {
    look!(store, |tx| sealed::count_by_head(tx))
}
