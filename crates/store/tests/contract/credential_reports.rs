//! Credential reports, and what the reports count.

use countersign_model::Timestamp;
use countersign_model::ids::AccountId;
use countersign_model::principal::PrincipalKind;
use countersign_store::credential_reports::Report;
use countersign_store::practice::KeyCounts;
use countersign_store::{Store, credential_reports, practice, principals};

use crate::of_access_keys::new_key;
use crate::of_virtual_mfa::bind;
use crate::{NOON, account, new_owner, second, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "reports-1").await;
    let id = house.id.clone();
    assert_eq!(look!(store, |tx, id| credential_reports::find(tx, &id)), None);
    a_report_is_made_by_one_and_read_in_parts(store, &id).await;

    let owner = new_owner(&house, "owner@reports.example");
    assert!(change!(store, |tx, owner| principals::insert(tx, &owner)));
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    bind(store, &alice, 1).await;
    let rows = async |after: String, kind, limit| {
        look!(store, |tx, id, after| credential_reports::rows(tx, &id, (&after, kind), limit))
    };
    assert_eq!(rows(String::new(), PrincipalKind::Owner, 10).await.len(), 1);
    let users = rows(String::new(), PrincipalKind::RamUser, 10).await;
    assert_eq!(users.iter().map(|row| row.mfa_bound).filter(|bound| *bound).count(), 1);
    assert!(users.iter().all(|row| !row.has_password && row.console_logon.is_none()));
    let behind = rows(users[0].id.to_string(), PrincipalKind::RamUser, 10).await;
    assert_eq!(behind.iter().map(|row| &row.id).collect::<Vec<_>>(), [&users[1].id]);

    for who in [&alice, &bob] {
        let key = new_key(who);
        assert!(change!(store, |tx, key| countersign_store::access_keys::insert(tx, &key)));
    }
    let last = users[1].id.to_string();
    assert_eq!(look!(store, |tx, id, last| credential_reports::keys(tx, &id, ("", &last))).len(), 2);
    let first = users[0].id.to_string();
    assert_eq!(look!(store, |tx, id, first| credential_reports::keys(tx, &id, ("", &first))).len(), 1);
    let counts = look!(store, |tx, id| practice::key_counts(tx, &id, NOON.plus(second(86_400))));
    assert_eq!(counts, KeyCounts { old: 2, users_with_old: 2, unused: 2, users_with_unused: 2 });
    let counts = look!(store, |tx, id| practice::key_counts(tx, &id, NOON));
    assert_eq!((counts.old, counts.unused), (0, 0));
}

async fn a_report_is_made_by_one_and_read_in_parts(store: &Store, house: &AccountId) {
    let claim = async |now: Timestamp, fresh| {
        let (id, until, beyond) = (house.clone(), now.plus(second(60)), now.plus(second(120)));
        change!(store, |tx, id| credential_reports::claim(tx, &id, (now, until), (fresh, beyond)))
    };
    let found = async |id: AccountId| look!(store, |tx, id| credential_reports::find(tx, &id));
    let id = house.clone();
    assert!(claim(NOON, NOON.minus(second(100))).await);
    assert!(!claim(NOON.plus(second(59)), NOON).await, "somebody makes one");
    assert_eq!(found(id.clone()).await, None);
    let hold = async |at, until| {
        let id = house.clone();
        change!(store, |tx, id| credential_reports::hold(tx, &id, at, until))
    };
    assert!(hold(NOON, NOON.plus(second(120))).await);
    assert!(!claim(NOON.plus(second(119)), NOON).await);
    for (number, content) in [(0, "a\n"), (1, "b\n"), (2, "c\n")] {
        change!(store, |tx, id| credential_reports::put_part(tx, (&id, NOON), number, content));
    }
    assert!(change!(store, |tx, id| credential_reports::finish(tx, &id, NOON, 3)));
    assert!(!change!(store, |tx, id| credential_reports::finish(tx, &id, NOON, 3)));
    assert_eq!(found(id.clone()).await, Some(Report { generated_at: NOON, lines: 3 }));
    let parts = look!(store, |tx, id| credential_reports::parts(tx, (&id, NOON), (1, 2)));
    assert_eq!(parts, ["b\n", "c\n"]);

    // It is fresh, then it is not; one of a time to come is not.
    let (now, later) = (NOON.plus(second(200)), NOON.plus(second(201)));
    assert!(!claim(now, NOON.minus(second(1))).await);
    assert!(claim(now, NOON).await);
    assert!(!claim(later, NOON).await);
    assert!(!claim(NOON.minus(second(10)), NOON.minus(second(20))).await, "another clock may be a little ahead");
    assert!(claim(NOON.minus(second(200)), NOON.minus(second(300))).await, "claims and reports of the future are none");
    assert!(!hold(now, later).await, "it was claimed by somebody else");
    assert!(!change!(store, |tx, id| credential_reports::finish(tx, &id, now, 0)));
    let making = NOON.minus(second(200));
    assert!(change!(store, |tx, id| credential_reports::finish(tx, &id, making, 0)));
    assert!(look!(store, |tx, id| credential_reports::parts(tx, (&id, NOON), (0, 9))).is_empty(), "they went");
}
