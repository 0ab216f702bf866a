//! What administrators have to look at.

use countersign_model::Timestamp;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::FindingId;
use countersign_model::notice::{Finding, FindingKind};
use countersign_model::principal::{Principal, PrincipalKind};
use countersign_store::findings::{self, Which};
use countersign_store::{Store, Tx, principals};

use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    let (house, other) = (account(store, "findings-1").await, account(store, "findings-2").await);
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let mut raised = Vec::new();
    for (number, person) in [(0, &alice), (1, &bob), (2, &alice)] {
        raised.push(raise(store, person, NOON.plus(second(number))).await);
    }
    raise(store, &user(store, &other, "carol").await, NOON).await;

    let list = async |which, limit, offset| {
        let house = house.id.clone();
        look!(store, |tx, house| findings::list(tx, &house, which, limit, offset))
    };
    let count = async |which| {
        let house = house.id.clone();
        look!(store, |tx, house| findings::count(tx, &house, which))
    };
    for (since, has) in [(1, true), (2, false)] {
        let (house, since) = (house.id.clone(), NOON.plus(second(since)));
        let found = look!(store, |tx, house| findings::has_since(tx, &house, FindingKind::Disowned, since));
        assert_eq!(found, has);
    }
    let open = list(Which::Open, 2, 0).await;
    assert_eq!([&open[0].finding, &open[1].finding], [&raised[2], &raised[1]], "the newest first");
    assert_eq!(open[0].about, Some((PrincipalKind::RamUser, "alice".to_owned())));
    assert_eq!(list(Which::Open, 2, 2).await[0].finding, raised[0]);
    assert_eq!((count(Which::Open).await, count(Which::Settled).await), (3, 0));

    let kind = FindingKind::Disowned;
    let (of, elsewhere) = (house.id.clone(), other.id.clone());
    assert_eq!(look!(store, |tx, of| findings::count_open_of(tx, &of, kind)), 3);
    assert_eq!(look!(store, |tx, elsewhere| findings::count_open_of(tx, &elsewhere, kind)), 1);
    assert_eq!(look!(store, |tx, of| findings::count_open_of(tx, &of, FindingKind::Spraying)), 0);
    assert_eq!(look!(store, |tx| findings::count_open_everywhere(tx, kind)), 4);

    // Renamed and removed people are told as they are now.
    let zoe = Principal { name: "zoe".to_owned(), ..alice };
    change!(store, |tx, zoe| principals::update(tx, &zoe));
    change!(store, |tx, bob| principals::delete(tx, &bob.account_id, &bob.id));
    let open = list(Which::Open, 2, 0).await;
    assert_eq!(open[0].about.as_ref().unwrap().1, "zoe");
    assert_eq!((open[1].about.as_ref(), open[1].finding.principal_name.as_str()), (None, "bob"));

    let (account_id, id) = (house.id.clone(), raised[1].id.clone());
    let foreign = other.id.clone();
    let missed = change!(store, |tx, foreign, id| findings::settle(tx, &foreign, &id, "mallory", NOON));
    assert!(missed.is_none(), "another account settles nothing here");
    let settle = async move |tx: &mut Tx<'_>| {
        Ok(findings::settle(tx, &account_id, &id, "rita", NOON.plus(second(9))).await?.is_some())
    };
    assert_eq!(sixteen_at_once(store, settle).await, 1);
    let settled = list(Which::Settled, 10, 0).await;
    assert_eq!(settled[0].finding.settled, Some((NOON.plus(second(9)), "rita".to_owned())));
    assert_eq!((count(Which::Open).await, count(Which::Settled).await), (2, 1));
}

async fn raise(store: &Store, about: &Principal, at: Timestamp) -> Finding {
    let finding = Finding {
        account_id: about.account_id.clone(),
        id: FindingId::at(at, &OsEntropy),
        kind: FindingKind::Disowned,
        principal_id: about.id.clone(),
        principal_name: about.name.clone(),
        details: "kind=mfa-bound;".to_owned(),
        at,
        settled: None,
    };
    change!(store, |tx, finding| findings::insert(tx, &finding));
    finding
}
