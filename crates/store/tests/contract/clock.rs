//! What a clock that ran ahead has left behind.

use countersign_model::Timestamp;
use countersign_model::access_key::{AccessKeyStatus, ApiService, LastUse};
use countersign_model::budget::BudgetKind;
use countersign_store::clock::{self, Latest};
use countersign_store::{Store, access_keys, sessions};

use crate::of_access_keys::new_key;
use crate::of_virtual_mfa::bind;
use crate::{NOON, account, of_budgets, of_sessions, second, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "clock-1").await;
    let alice = user(store, &house, "alice").await;
    // Later than whatever the other cases have left.
    let now = NOON.plus(second(1_000_000));
    of_sessions::open(store, &alice, [251; 32], now).await;
    of_sessions::open(store, &alice, [252; 32], now.plus(second(1))).await;
    assert_eq!(change!(store, |tx| clock::end_sessions_after(tx, now, Timestamp::from_micros(i64::MAX))), 1);
    change!(store, |tx| clock::cut_times_after(tx, Timestamp::from_micros(i64::MAX), Timestamp::from_micros(i64::MAX)));
    assert!(look!(store, |tx| sessions::find(tx, &[251; 32])).is_some());
    assert!(look!(store, |tx| sessions::find(tx, &[252; 32])).is_none());
    let latest = Latest { logon: now, proof: now, ceremony: now, window: now };
    assert_eq!(change!(store, |tx| clock::end_pending_after(tx, now, latest)), 0);

    for _ in 0..5 {
        of_budgets::book(store, &house.id, "ahead", BudgetKind::Password).await.unwrap();
    }
    assert!(change!(store, |tx| clock::shorten_pauses(tx, NOON.plus(second(10)))) >= 1);
    assert_eq!(change!(store, |tx| clock::shorten_pauses(tx, NOON.plus(second(10)))), 0);
    assert_eq!(change!(store, |tx| clock::shorten_windows(tx, Timestamp::from_micros(i64::MAX))), 0);

    bind(store, &alice, 9_000_000_000).await;
    let ahead = look!(store, |tx| clock::devices_ahead(tx, 8_999_999_999));
    let ahead: Vec<_> = ahead.into_iter().filter(|device| device.alias.as_str() == "clock-1").collect();
    assert_eq!(ahead.len(), 1);
    assert_eq!((ahead[0].name.as_str(), ahead[0].right_from), ("alice", 9_000_000_000));
    assert!(
        look!(store, |tx| clock::devices_ahead(tx, 9_000_000_000)).iter().all(|one| one.alias.as_str() != "clock-1")
    );

    // Later than any key of the other cases was used.
    let last = NOON.plus(second(3_000_000_000));
    let (kept, ahead) = (new_key(&alice), new_key(&alice));
    for (key, at) in [(&kept, last), (&ahead, last.plus(second(1)))] {
        let used = LastUse { at, service: ApiService::Ram };
        assert!(change!(store, |tx, key| access_keys::insert(tx, &key)));
        change!(store, |tx, key| access_keys::mark_used(tx, &key.account_id, &key.id, used));
    }
    let disabled = change!(store, |tx| clock::disable_keys_used_after(tx, last, now));
    let disabled: Vec<_> = disabled.into_iter().map(|one| (one.account, one.principal, one.key)).collect();
    assert_eq!(disabled, [(house.id.clone(), alice.id.clone(), ahead.id.clone())]);
    assert!(change!(store, |tx| clock::disable_keys_used_after(tx, last, now)).is_empty());
    for (key, status) in [(kept, AccessKeyStatus::Active), (ahead, AccessKeyStatus::Inactive)] {
        let (account, id) = (key.account_id, key.id);
        assert_eq!(look!(store, |tx, account, id| access_keys::find(tx, &account, &id)).unwrap().status, status);
    }
}
