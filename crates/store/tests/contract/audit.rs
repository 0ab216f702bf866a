//! The audit log and the counts of strangers.

use countersign_model::audit::{ActorKind, AuditActor, AuditEvent, Outcome};
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::{AccountId, EventId};
use countersign_store::{Store, Tx, audit};

use crate::{NOON, account, second, sixteen_at_once};

pub(crate) async fn cases(store: &Store) {
    events_come_back_newest_first(store).await;
    strangers_are_counted_by_minute_address_and_reason(store).await;
}

async fn events_come_back_newest_first(store: &Store) {
    let (house, other) = (account(store, "audit-1").await.id, account(store, "audit-2").await.id);
    let mut written = Vec::new();
    for number in 0..5 {
        let event = new_event(&house, number);
        change!(store, |tx, event| audit::insert(tx, &event));
        written.push(event);
    }
    let foreign = new_event(&other, 9);
    change!(store, |tx, foreign| audit::insert(tx, &foreign));
    written.reverse();
    let latest = look!(store, |tx, house| audit::latest(tx, &house, 100));
    assert_eq!(format!("{latest:?}"), format!("{written:?}"));
    let latest = look!(store, |tx, house| audit::latest(tx, &house, 2));
    assert_eq!(latest.iter().map(|event| &event.id).collect::<Vec<_>>(), [&written[0].id, &written[1].id]);
    assert_eq!(look!(store, |tx, other| audit::latest(tx, &other, 100)).len(), 1);
    let refused = new_event(&house, 3);
    for (actor, reason, most, alike) in [
        ("123", refused.reason.as_str(), 10, 2),
        ("123", refused.reason.as_str(), 1, 1),
        ("9", &refused.reason, 10, 0),
        ("123", "x", 10, 0),
    ] {
        let actor = AuditActor { id: actor.to_owned(), ..refused.actor.clone() };
        let event = AuditEvent { actor, reason: reason.to_owned(), ..refused.clone() };
        assert_eq!(look!(store, |tx, event| audit::count_alike(tx, &event, NOON, most)), alike);
    }
    assert_eq!(look!(store, |tx, refused| audit::count_alike(tx, &refused, NOON.plus(second(2)), 10)), 1);
    // An entry is written once.
    let again = written[0].clone();
    let again = async move |tx: &mut Tx<'_>| audit::insert(tx, &again).await;
    assert!(store.write(again).await.is_err());
}

async fn strangers_are_counted_by_minute_address_and_reason(store: &Store) {
    // Far from what other cases count.
    let at = NOON.plus(second(86_400 * 365));
    let since = async |time| look!(store, |tx| audit::refusals_since(tx, time));
    assert_eq!(since(at).await, 0);
    let count = async |time, address: &'static str, reason| {
        change!(store, |tx| audit::count_refusal(tx, time, address, reason));
    };
    count(at, "192.0.2.1", "LogonFail").await;
    count(at.plus(second(59)), "192.0.2.1", "LogonFail").await;
    count(at, "192.0.2.1", "Other").await;
    count(at, "2001:db8::1", "LogonFail").await;
    count(at.plus(second(60)), "192.0.2.1", "LogonFail").await;
    assert_eq!((since(at).await, since(at.plus(second(60))).await), (5, 1));
    let raced = async move |tx: &mut Tx<'_>| {
        audit::count_refusal(tx, at, "192.0.2.9", "LogonFail").await?;
        Ok(true)
    };
    assert_eq!(sixteen_at_once(store, raced).await, 16);
    assert_eq!(since(at).await, 21, "no refusal is lost");
    assert_eq!(change!(store, |tx| audit::sweep_refusals(tx, at.plus(second(60)))), 4, "rows, not refusals");
    assert_eq!(since(at).await, 1);
}

pub(crate) fn new_event(account: &AccountId, number: u64) -> AuditEvent {
    let at = NOON.plus(second(number));
    AuditEvent {
        account_id: account.clone(),
        id: EventId::at(at, &OsEntropy),
        at,
        actor: AuditActor { kind: ActorKind::RamUser, id: "123".to_owned(), name: "Zoë".to_owned() },
        action: "BindMFADevice".to_owned(),
        target: "alice 'x'".to_owned(),
        outcome: if number.is_multiple_of(2) { Outcome::Success } else { Outcome::Refused },
        reason: "code_wrong".to_owned(),
        details: format!("number={number};"),
        address: "2001:db8::7".to_owned(),
        user_agent: "a \"browser\"".to_owned(),
    }
}
