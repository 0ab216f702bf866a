//! The chain of the audit log: who waits, the numbers, the heads, the checkpoints.

use countersign_model::audit::{Checkpoint, CheckpointKind};
use countersign_model::ids::AccountId;
use countersign_model::principal::Account;
use countersign_store::audit_chain::{self, Head, StoredEntry};
use countersign_store::{Store, Tx, audit};

use crate::of_audit::new_event;
use crate::{NOON, account, second, sixteen_at_once};

pub(crate) async fn cases(store: &Store) {
    entries_wait_until_they_have_a_number(store).await;
    heads_are_signed_when_they_are_due(store).await;
    checkpoints_come_by_number(store).await;
    the_oldest_entries_are_dropped(store).await;
}

async fn with_events(store: &Store, alias: &str, events: u64) -> Account {
    let house = account(store, alias).await;
    for number in 0..events {
        let event = new_event(&house.id, number);
        change!(store, |tx, event| audit::insert(tx, &event));
    }
    house
}

/// Numbers all entries of an account; the hash of each is its number.
async fn number_all(store: &Store, house: &AccountId) -> Vec<StoredEntry> {
    let waiting = look!(store, |tx, house| audit_chain::waiting(tx, &house, 100));
    for (entry, seq) in waiting.into_iter().zip(1..) {
        let hash = hash(seq);
        let id = entry.event_id;
        assert!(change!(store, |tx, house, id| audit_chain::link(tx, &house, &id, seq, &hash)));
    }
    look!(store, |tx, house| audit_chain::entries(tx, &house, (0, i64::MAX), 100))
}

fn hash(seq: i64) -> [u8; 32] {
    [u8::try_from(seq).unwrap(); 32]
}

async fn entries_wait_until_they_have_a_number(store: &Store) {
    let (house, other) = (with_events(store, "chain-1", 5).await.id, with_events(store, "chain-2", 1).await.id);
    let (low, high) = if house < other { (&house, &other) } else { (&other, &house) };
    let below = (low.as_str().parse::<u64>().unwrap() - 1).to_string();
    assert_eq!(look!(store, |tx, below| audit_chain::next_waiting(tx, &below)).as_ref(), Some(low));
    let from = low.to_string();
    assert!(look!(store, |tx, from| audit_chain::next_waiting(tx, &from)).is_some_and(|next| next <= *high));
    assert_eq!(look!(store, |tx, house| audit_chain::highest(tx, &house)), None);
    assert_eq!(look!(store, |tx, house| audit_chain::count_waiting(tx, &house)), 5);
    let waiting = look!(store, |tx, house| audit_chain::waiting(tx, &house, 2));
    assert_eq!(waiting.iter().map(|entry| entry.details.as_str()).collect::<Vec<_>>(), ["number=0;", "number=1;"]);
    assert!(waiting.iter().all(|entry| entry.seq == 0 && entry.hash.is_empty()));

    let numbered = number_all(store, &house).await;
    assert_eq!(numbered.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(numbered[4].hash, hash(5));
    assert_eq!((numbered[0].actor_name.as_str(), numbered[0].at), ("Zoë", NOON.micros()));
    assert_eq!(look!(store, |tx, house| audit_chain::count_waiting(tx, &house)), 0);
    assert_eq!(look!(store, |tx, house| audit_chain::highest(tx, &house)), Some(5));
    assert_eq!(look!(store, |tx, house| audit_chain::entries(tx, &house, (1, 4), 2))[1].seq, 3);
    assert_eq!(look!(store, |tx, house| audit_chain::entries(tx, &house, (3, 4), 9)).len(), 1);
    assert!(look!(store, |tx, other| audit_chain::entries(tx, &other, (0, 9), 9)).is_empty());
    let (since, until) = (NOON.plus(second(2)), NOON.plus(second(3)));
    assert_eq!(look!(store, |tx, house| audit_chain::first_since(tx, &house, since)), Some(3));
    assert_eq!(look!(store, |tx, house| audit_chain::last_before(tx, &house, until)), Some(3));
    assert_eq!(look!(store, |tx, house| audit_chain::last_before(tx, &house, NOON)), None);

    // An entry gets one number, and a number one entry.
    let event = numbered[0].event_id.clone();
    assert!(!change!(store, |tx, house, event| audit_chain::link(tx, &house, &event, 6, &hash(6))));
    let again = new_event(&house, 7);
    let id = again.id.to_string();
    change!(store, |tx, again| audit::insert(tx, &again));
    let taken = house.clone();
    let twice = async move |tx: &mut Tx<'_>| audit_chain::link(tx, &taken, &id, 5, &hash(5)).await;
    assert!(store.write(twice).await.is_err());

    assert_eq!(look!(store, |tx, other, event| audit_chain::elsewhere(tx, &other, &event)), Some(house.clone()));
    assert_eq!(look!(store, |tx, house, event| audit_chain::elsewhere(tx, &house, &event)), None);
}

fn head(account_id: &AccountId, seq: i64, signed_seq: i64) -> Head {
    let signed_at = NOON.plus(second(60));
    Head { account_id: account_id.clone(), seq, hash: hash(seq), signed_seq, signed_at, proof: vec![1, 2] }
}

async fn heads_are_signed_when_they_are_due(store: &Store) {
    let house = account(store, "chain-3").await.id;
    assert_eq!(look!(store, |tx, house| audit_chain::find_head(tx, &house)), None);
    for head in [head(&house, 1, 0), head(&house, 3, 1)] {
        change!(store, |tx, head| audit_chain::put_head(tx, &head));
    }
    assert_eq!(look!(store, |tx, house| audit_chain::find_head(tx, &house)), Some(head(&house, 3, 1)));
    let due = async |before: u64, now: u64, after: &str| {
        let (times, after) = ((NOON.plus(second(before)), NOON.plus(second(now))), after.to_owned());
        let heads = look!(store, |tx, after| audit_chain::unsigned(tx, &after, times, 10));
        heads.iter().any(|head| head.account_id == house)
    };
    assert!(due(60, 70, "").await && due(61, 61, "").await, "long enough ago");
    assert!(!due(59, 64, "").await, "just now");
    assert!(due(20, 59, "").await, "a clock that was ahead");
    assert!(!due(60, 70, house.as_str()).await, "behind it there are others");
    let signed = head(&house, 3, 3);
    change!(store, |tx, signed| audit_chain::put_head(tx, &signed));
    assert!(!due(60, 70, "").await);
    let below = (house.as_str().parse::<u64>().unwrap() - 1).to_string();
    let accounts = look!(store, |tx, below| audit_chain::accounts(tx, &below, 1));
    assert_eq!(accounts, std::slice::from_ref(&house));
    // Whoever holds the row keeps others out until he is done.
    let held = async move |tx: &mut Tx<'_>| {
        audit_chain::hold(tx, NOON).await?;
        Ok(true)
    };
    assert_eq!(sixteen_at_once(store, held).await, 16);
}

fn checkpoint(account_id: &AccountId, seq: i64, kind: CheckpointKind) -> Checkpoint {
    Checkpoint {
        account_id: account_id.clone(),
        kind,
        after: 0,
        seq,
        hash: hash(seq),
        // Far from what other cases sign.
        at: NOON.plus(second(86_400 * 365 + u64::try_from(seq).unwrap())),
        key_version: 2,
        signature: vec![9; 64],
    }
}

async fn checkpoints_come_by_number(store: &Store) {
    let house = account(store, "chain-4").await.id;
    let all = [
        checkpoint(&house, 2, CheckpointKind::Stub),
        checkpoint(&house, 2, CheckpointKind::Head),
        checkpoint(&house, 4, CheckpointKind::Head),
        checkpoint(&house, 9, CheckpointKind::Head),
    ];
    for signed in all.clone() {
        let older = Checkpoint { hash: hash(7), ..signed.clone() };
        change!(store, |tx, older| audit_chain::insert_checkpoint(tx, &older));
        change!(store, |tx, signed| audit_chain::insert_checkpoint(tx, &signed));
    }
    let from = async |from, limit| look!(store, |tx, house| audit_chain::checkpoints(tx, &house, from, limit));
    assert_eq!(from(0, 9).await, all[1..]);
    assert_eq!(from(3, 1).await, all[2..3]);
    let latest = async |kind| look!(store, |tx, house| audit_chain::latest_checkpoint(tx, &house, kind));
    assert_eq!(latest(CheckpointKind::Stub).await.as_ref(), Some(&all[0]));
    assert_eq!(latest(CheckpointKind::Head).await.as_ref(), Some(&all[3]));
    assert_eq!(latest(CheckpointKind::Export).await, None);
    let since = NOON.plus(second(86_400 * 365));
    let mut behind: Option<Checkpoint> = None;
    let mut found = Vec::new();
    loop {
        let page = look!(store, |tx, behind| audit_chain::signed_since(tx, since, behind.as_ref(), 1));
        let Some(next) = page.into_iter().next() else { break };
        behind = Some(next.clone());
        found.push(next);
    }
    assert_eq!(found, [&all[1], &all[0], &all[2], &all[3]].map(Clone::clone), "by number, then by kind");
    let kind = CheckpointKind::Head;
    assert!(change!(store, |tx, house| audit_chain::drop_checkpoint(tx, &house, kind, 4)));
    assert!(!change!(store, |tx, house| audit_chain::drop_checkpoint(tx, &house, kind, 4)));
    assert_eq!(from(0, 9).await.len(), 2);
}

async fn the_oldest_entries_are_dropped(store: &Store) {
    let house = with_events(store, "chain-5", 4).await.id;
    number_all(store, &house).await;
    let late = new_event(&house, 9);
    change!(store, |tx, late| audit::insert(tx, &late));
    for seq in 1..=3 {
        let signed = checkpoint(&house, seq, CheckpointKind::Head);
        change!(store, |tx, signed| audit_chain::insert_checkpoint(tx, &signed));
    }
    assert_eq!(change!(store, |tx, house| audit_chain::drop_entries(tx, &house, 3)), 3);
    let left = look!(store, |tx, house| audit_chain::entries(tx, &house, (0, 9), 9));
    assert_eq!(left.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [4]);
    assert_eq!(look!(store, |tx, house| audit_chain::count_waiting(tx, &house)), 1, "what has no number stays");
    let kept = look!(store, |tx, house| audit_chain::checkpoints(tx, &house, 0, 9));
    assert_eq!(kept.iter().map(|checkpoint| checkpoint.seq).collect::<Vec<_>>(), [3]);
}
