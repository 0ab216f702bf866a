//! The audit log as people read it.

use countersign_model::audit::{ActorKind, AuditActor, AuditEvent, Outcome};
use countersign_model::ids::AccountId;
use countersign_store::audit_search::{self, Bound, EventFilter};
use countersign_store::{Store, audit};

use crate::of_audit::new_event;
use crate::{NOON, account, second, user};

pub(crate) async fn cases(store: &Store) {
    filters_narrow_the_log(store).await;
    pages_go_both_ways(store).await;
    a_history_is_of_one_principal(store).await;
    a_search_looks_at_no_more_than_it_may(store).await;
}

async fn insert(store: &Store, event: AuditEvent) -> AuditEvent {
    let written = event.clone();
    change!(store, |tx, event| audit::insert(tx, &event));
    written
}

fn event(account: &AccountId, number: u64, actor: &str, target: &str) -> AuditEvent {
    AuditEvent {
        actor: AuditActor { kind: ActorKind::RamUser, id: String::new(), name: actor.to_owned() },
        target: target.to_owned(),
        ..new_event(account, number)
    }
}

async fn filters_narrow_the_log(store: &Store) {
    let (house, other) = (account(store, "search-1").await.id, account(store, "search-2").await.id);
    insert(store, event(&house, 0, "Alice", "")).await;
    insert(store, event(&house, 1, "bob", "alice x")).await;
    insert(store, AuditEvent { action: "CreateUser".to_owned(), ..event(&house, 2, "bob", "50%") }).await;
    insert(store, event(&other, 3, "alice", "")).await;
    let found = async |filter: EventFilter| {
        let events = look!(store, |tx, house, filter| audit_search::older(tx, &house, &filter, None, bound(10))).events;
        events.iter().map(|event| event.details.clone()).collect::<Vec<_>>().concat()
    };
    let all = EventFilter::default;
    assert_eq!(found(all()).await, "number=2;number=1;number=0;");
    assert_eq!(found(EventFilter { user: " ALICE".to_owned(), ..all() }).await, "number=1;number=0;");
    assert_eq!(found(EventFilter { user: "%".to_owned(), ..all() }).await, "number=2;", "attack_131");
    assert_eq!(found(EventFilter { action: "CreateUser".to_owned(), ..all() }).await, "number=2;");
    assert_eq!(found(EventFilter { outcome: Some(Outcome::Refused), ..all() }).await, "number=1;");
    let span = EventFilter { from: NOON.plus(second(1)), until: NOON.plus(second(2)), ..all() };
    assert_eq!(found(span.clone()).await, "number=1;");
    let counted = async |filter: EventFilter, most| {
        look!(store, |tx, house, filter| audit_search::count(tx, &house, &filter, most))
    };
    assert_eq!((counted(all(), 10).await, counted(all(), 2).await, counted(span, 10).await), (3, 2, 1));
}

async fn pages_go_both_ways(store: &Store) {
    let house = account(store, "search-3").await.id;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(insert(store, event(&house, number, "alice", "")).await.id);
    }
    let all = EventFilter::default();
    let before = Some(ids[3].clone());
    let older =
        look!(store, |tx, house, all, before| audit_search::older(tx, &house, &all, before.as_ref(), bound(2))).events;
    assert_eq!(older.iter().map(|event| &event.id).collect::<Vec<_>>(), [&ids[2], &ids[1]]);
    let after = ids[3].clone();
    let newer = look!(store, |tx, house, all, after| audit_search::newer(tx, &house, &all, &after, bound(9))).events;
    assert_eq!(newer.iter().map(|event| &event.id).collect::<Vec<_>>(), [&ids[4], &ids[5]]);
}

const fn bound(given: i64) -> Bound {
    Bound { given, looked_at: 1_000 }
}

async fn a_search_looks_at_no_more_than_it_may(store: &Store) {
    let house = account(store, "search-5").await.id;
    let mut ids = Vec::new();
    for number in 0..10 {
        let target = if number == 0 || number == 9 { "rare" } else { "frequent" };
        ids.push(insert(store, event(&house, number, "rita", target)).await.id);
    }
    let rare = EventFilter { user: "rare".to_owned(), ..EventFilter::default() };
    let narrow = Bound { given: 5, looked_at: 4 };
    let (mut before, mut found, mut steps) = (None, Vec::new(), 0);
    loop {
        let page =
            look!(store, |tx, house, rare, before| audit_search::older(tx, &house, &rare, before.as_ref(), narrow));
        found.extend(page.events.into_iter().map(|event| event.id));
        steps += 1;
        let Some(reached) = page.reached else { break };
        before = Some(reached);
    }
    assert_eq!((found.as_slice(), steps), ([ids[9].clone(), ids[0].clone()].as_slice(), 3));
    let after = ids[0].clone();
    let page = look!(store, |tx, house, rare, after| audit_search::newer(tx, &house, &rare, &after, narrow));
    assert_eq!((page.events.len(), page.reached), (0, Some(ids[4].clone())));
    // Without a filter nothing is looked at in vain.
    let all = EventFilter::default();
    let page = look!(store, |tx, house, all| audit_search::older(tx, &house, &all, None, narrow));
    assert_eq!((page.events.len(), page.reached), (5, None));
}

async fn a_history_is_of_one_principal(store: &Store) {
    let house = account(store, "search-4").await;
    let alice = user(store, &house, "Alice").await;
    let own = |number| {
        let actor = AuditActor { kind: ActorKind::RamUser, id: alice.id.to_string(), name: "Alice".to_owned() };
        AuditEvent { actor, target: "alice".to_owned(), ..new_event(&house.id, number) }
    };
    insert(store, own(1)).await;
    for (number, target) in [(2, "alice"), (3, "alicia AdministratorAccess"), (4, "alice"), (5, "")] {
        let event = insert(store, event(&house.id, number, "rita", target)).await;
        if number <= 3 {
            let subject = alice.id.clone();
            change!(store, |tx, event, subject| audit::insert_subject(tx, &event, &subject));
        }
    }
    let read = async |before: Option<u64>| {
        let of = alice.clone();
        let id = match before {
            Some(number) => Some(insert(store, event(&house.id, number, "x", "")).await.id),
            None => None,
        };
        let (did, suffered) = store
            .read(async move |tx: &mut countersign_store::Tx<'_>| {
                let person = (&of.account_id, &of.id);
                let did = audit_search::by_actor(tx, person, id.as_ref(), 9).await?;
                let suffered = audit_search::by_subject(tx, person, id.as_ref(), 9).await?;
                Ok::<_, countersign_store::StoreError>((did, suffered))
            })
            .await
            .unwrap();
        let words = |events: Vec<AuditEvent>| {
            events.iter().map(|event| event.details.replace("number=", "")).collect::<Vec<_>>().concat()
        };
        (words(did), words(suffered))
    };
    assert_eq!(read(None).await, ("1;".to_owned(), "3;2;".to_owned()), "under both names, and not another's");
    assert_eq!(read(Some(2)).await.0, "1;");
}
