//! Tries of factors.

use countersign_model::budget::{Budget, BudgetKind, Exhausted};
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_store::budgets::{self, Counted, Locked};
use countersign_store::{Store, Tx};

use crate::of_virtual_mfa::bind;
use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    tries_are_counted_until_a_pause_and_cleared(store).await;
    parallel_tries_do_not_outrun_the_count(store).await;
    counts_of_what_is_not_there_are_swept(store).await;
    all_counts_of_a_principal_are_cleared_and_listed(store).await;
}

const PASSWORD: BudgetKind = BudgetKind::Password;
const DEVICE: BudgetKind = BudgetKind::VirtualMfa;

async fn tries_are_counted_until_a_pause_and_cleared(store: &Store) {
    let house = account(store, "budgets-1").await;
    let account_id = house.id;
    assert_eq!(find(store, &account_id, "a", PASSWORD).await, Budget::UNUSED);
    for failures in 1..=5 {
        book(store, &account_id, "a", PASSWORD).await.unwrap();
        assert_eq!(find(store, &account_id, "a", PASSWORD).await.failures, failures);
    }
    let until = NOON.plus(second(30));
    let paused = Budget { failures: 5, blocked_until: until, window_since: NOON, window_tries: 5 };
    assert_eq!(find(store, &account_id, "a", PASSWORD).await, paused);
    assert_eq!(book(store, &account_id, "a", PASSWORD).await, Err(Exhausted::Paused { until }));
    assert_eq!(find(store, &account_id, "a", PASSWORD).await, paused, "what is not judged is not counted");
    // Another kind, another subject and another account have counts of their own.
    book(store, &account_id, "a", DEVICE).await.unwrap();
    book(store, &account_id, "A", PASSWORD).await.unwrap();
    let other = account(store, "budgets-2").await.id;
    book(store, &other, "a", PASSWORD).await.unwrap();
    assert!(clear(store, &account_id, "a", PASSWORD).await);
    assert_eq!(find(store, &account_id, "a", PASSWORD).await, Budget::UNUSED);
    assert!(!clear(store, &account_id, "never tried", PASSWORD).await);
    book(store, &account_id, "a", PASSWORD).await.unwrap();
    assert_eq!(find(store, &account_id, "a", PASSWORD).await.failures, 1);
    assert_eq!(find(store, &account_id, "a", DEVICE).await.failures, 1);
}

async fn parallel_tries_do_not_outrun_the_count(store: &Store) {
    let account_id = account(store, "budgets-3").await.id;
    for round in 0..4 {
        let subject = format!("raced {round}");
        let raced = {
            let (account_id, subject) = (account_id.clone(), subject.clone());
            async move |tx: &mut Tx<'_>| {
                let counted = Counted { account: &account_id, subject: &subject, kind: DEVICE };
                Ok(budgets::book(tx, counted, None, NOON).await?.is_ok())
            }
        };
        assert_eq!(sixteen_at_once(store, raced).await, 5);
        assert_eq!(find(store, &account_id, &subject, DEVICE).await.failures, 5);
    }
}

async fn counts_of_what_is_not_there_are_swept(store: &Store) {
    let house = account(store, "budgets-4").await;
    let alice = user(store, &house, "alice").await;
    let (device, account_id) = (bind(store, &alice, 1).await, house.id);
    let phantom = PrincipalId::phantom([7; 16]);
    let subjects =
        [(alice.id.as_str(), PASSWORD), (device.as_str(), DEVICE), (phantom.as_str(), PASSWORD), ("cleared", PASSWORD)];
    for (subject, kind) in subjects {
        book(store, &account_id, subject, kind).await.unwrap();
    }
    clear(store, &account_id, "cleared", PASSWORD).await;
    change!(store, |tx| budgets::sweep(tx, NOON));
    assert_eq!(find(store, &account_id, phantom.as_str(), PASSWORD).await.failures, 1, "not idle for long enough");
    assert!(change!(store, |tx| budgets::sweep(tx, NOON.plus(second(1)))) >= 2);
    assert_eq!(find(store, &account_id, phantom.as_str(), PASSWORD).await, Budget::UNUSED);
    for (subject, kind) in [(alice.id.as_str(), PASSWORD), (device.as_str(), DEVICE)] {
        assert_eq!(find(store, &account_id, subject, kind).await.failures, 1, "a failure of somebody real stays");
    }
    assert!(!clear(store, &account_id, "cleared", PASSWORD).await);
}

async fn find(store: &Store, account: &AccountId, subject: &str, kind: BudgetKind) -> Budget {
    let subject = subject.to_owned();
    look!(store, |tx, account, subject| budgets::find(tx, Counted { account: &account, subject: &subject, kind }))
}

pub(crate) async fn book(store: &Store, account: &AccountId, subject: &str, kind: BudgetKind) -> Result<(), Exhausted> {
    let subject = subject.to_owned();
    change!(store, |tx, account, subject| budgets::book(
        tx,
        Counted { account: &account, subject: &subject, kind },
        None,
        NOON
    ))
    .map(drop)
}

async fn clear(store: &Store, account: &AccountId, subject: &str, kind: BudgetKind) -> bool {
    let subject = subject.to_owned();
    change!(store, |tx, account, subject| budgets::clear(
        tx,
        Counted { account: &account, subject: &subject, kind },
        NOON
    ))
}

async fn all_counts_of_a_principal_are_cleared_and_listed(store: &Store) {
    let house = account(store, "budgets-9").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let device = bind(store, &alice, 1).await;
    let (account_id, id) = (house.id.clone(), alice.id.clone());
    for subject in [alice.id.as_str(), device.as_str(), bob.id.as_str()] {
        let kind = if subject == device.as_str() { DEVICE } else { PASSWORD };
        for _ in 0..5 {
            book(store, &account_id, subject, kind).await.unwrap();
        }
    }
    let locked = async || look!(store, |tx| budgets::locked(tx, NOON, 1_000));
    let ours = async || -> Vec<(String, BudgetKind)> {
        let of = |line: Locked| (line.alias == "budgets-9").then_some((line.name, line.factor));
        locked().await.into_iter().filter_map(of).collect()
    };
    let (alices, bobs) = (("alice".to_owned(), PASSWORD), ("bob".to_owned(), PASSWORD));
    assert_eq!(ours().await, [alices, ("alice".to_owned(), DEVICE), bobs.clone()]);
    assert_eq!(look!(store, |tx| budgets::locked(tx, NOON, 1)).len(), 1);
    let later = NOON.plus(second(31));
    assert!(look!(store, |tx| budgets::locked(tx, later, 1_000)).iter().all(|line| line.alias != "budgets-9"));
    let clear_all = async || change!(store, |tx, account_id, id| budgets::clear_all_of(tx, &account_id, &id, NOON));
    assert_eq!(clear_all().await, 2);
    assert_eq!(clear_all().await, 0, "what stands at nought is not counted");
    assert_eq!(find(store, &account_id, alice.id.as_str(), PASSWORD).await, Budget::UNUSED);
    assert_eq!(ours().await, [bobs]);
    let other = account(store, "budgets-10").await.id;
    assert_eq!(change!(store, |tx, other, id| budgets::clear_all_of(tx, &other, &id, NOON)), 0);
    let bob = bob.id;
    assert_eq!(change!(store, |tx, account_id, bob| budgets::clear_all_of(tx, &account_id, &bob, NOON)), 1);
}
