//! Credential reports, and what the reports count.

use countersign_model::principal::PrincipalKind;
use countersign_store::practice::KeyCounts;
use countersign_store::{Store, credential_reports, practice, principals};

use crate::of_access_keys::new_key;
use crate::of_virtual_mfa::bind;
use crate::{NOON, account, new_owner, second, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "reports-1").await;
    let id = house.id.clone();
    assert_eq!(look!(store, |tx, id| credential_reports::find(tx, &id)), None);
    assert_eq!(look!(store, |tx, id| credential_reports::generated_at(tx, &id)), None);
    for (at, content) in [(NOON, "a\n"), (NOON.plus(second(1)), "b\n")] {
        change!(store, |tx, id| credential_reports::put(tx, &id, at, content));
        assert_eq!(look!(store, |tx, id| credential_reports::find(tx, &id)), Some((at, content.to_owned())));
        assert_eq!(look!(store, |tx, id| credential_reports::generated_at(tx, &id)), Some(at));
    }

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
