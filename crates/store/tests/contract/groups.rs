//! Groups of RAM users.

use countersign_model::entropy::OsEntropy;
use countersign_model::group::Group;
use countersign_model::ids::{GroupId, PrincipalId};
use countersign_model::principal::Account;
use countersign_store::groups::{self, Part};
use countersign_store::{Store, Tx, principals};

use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) fn new_group(account: &Account, name: &str) -> Group {
    Group {
        account_id: account.id.clone(),
        id: GroupId::generate(&OsEntropy),
        name: name.parse().unwrap(),
        comments: "a remark".parse().unwrap(),
        created_at: NOON,
        updated_at: NOON,
    }
}

/// A stored group.
pub(crate) async fn group(store: &Store, account: &Account, name: &str) -> Group {
    let group = new_group(account, name);
    assert!(change!(store, |tx, group| groups::insert(tx, &group)));
    group
}

pub(crate) fn part(search: &str, offset: i64, limit: i64) -> Part {
    Part { search: search.to_owned(), offset, limit, ..Part::default() }
}

pub(crate) async fn cases(store: &Store) {
    let (house, other) = (account(store, "groups-1").await, account(store, "groups-2").await);
    group(store, &other, "Elsewhere").await;
    names_are_unique_and_found_in_any_case(store, &house, &other).await;
    lists_are_searched_and_paged(store, &house).await;
    users_join_and_leave(store, &house, &other).await;
}

async fn names_are_unique_and_found_in_any_case(store: &Store, house: &Account, other: &Account) {
    let (account_id, other_id) = (house.id.clone(), other.id.clone());
    let made = group(store, house, "Developers").await;
    let again = new_group(house, "DEVELOPERS");
    assert!(!change!(store, |tx, again| groups::insert(tx, &again)));
    assert_eq!(look!(store, |tx, account_id| groups::find(tx, &account_id, "developers")), Some(made.clone()));
    assert_eq!(look!(store, |tx, other_id| groups::find(tx, &other_id, "developers")), None);
    let second_one = group(store, house, "Ops_Team").await;
    let renamed = Group { name: "developers".parse().unwrap(), ..second_one.clone() };
    assert!(!change!(store, |tx, renamed| groups::update(tx, &renamed)));
    let renamed = Group {
        name: "ops".parse().unwrap(),
        comments: "".parse().unwrap(),
        updated_at: NOON.plus(second(1)),
        ..second_one
    };
    assert!(change!(store, |tx, renamed| groups::update(tx, &renamed)));
    assert_eq!(look!(store, |tx, account_id| groups::find(tx, &account_id, "ops")), Some(renamed.clone()));
    let id = renamed.id;
    assert!(change!(store, |tx, account_id, id| groups::delete(tx, &account_id, &id)));
    assert!(!change!(store, |tx, account_id, id| groups::delete(tx, &account_id, &id)));
    let raced = Group { name: "raced".parse().unwrap(), ..made };
    let made = sixteen_at_once(store, async move |tx: &mut Tx<'_>| {
        groups::insert(tx, &Group { id: GroupId::generate(&OsEntropy), ..raced.clone() }).await
    });
    assert_eq!(made.await, 1);
}

async fn lists_are_searched_and_paged(store: &Store, house: &Account) {
    for name in ["alpha", "beta_1", "betaX1"] {
        group(store, house, name).await;
    }
    let account_id = house.id.clone();
    for (search, offset, limit, wanted, total) in [
        ("", 0, 10, &["alpha", "beta_1", "betaX1", "Developers", "raced"][..], 5),
        ("", 1, 2, &["beta_1", "betaX1"], 5),
        (" BETA", 0, 10, &["beta_1", "betaX1"], 2),
        ("a_1", 0, 10, &["beta_1"], 1),
        ("%", 0, 10, &[], 0),
    ] {
        let part = part(search, offset, limit);
        let lines = look!(store, |tx, account_id, part| groups::list(tx, &account_id, &part));
        let names: Vec<_> = lines.iter().map(|line| line.group.name.as_str()).collect();
        assert_eq!(names, wanted, "{search}");
        assert!(lines.iter().all(|line| (line.members, line.policies) == (0, 0)));
        assert_eq!(look!(store, |tx, account_id, part| groups::count(tx, &account_id, &part)), total, "{search}");
    }
    for (after, wanted) in [("alpha", &["beta_1", "betaX1"][..]), ("betax1", &["Developers", "raced"]), ("raced", &[])]
    {
        let part = Part { after: after.to_owned(), limit: 2, ..Part::default() };
        let lines = look!(store, |tx, account_id, part| groups::list(tx, &account_id, &part));
        assert_eq!(lines.iter().map(|line| line.group.name.as_str()).collect::<Vec<_>>(), wanted, "behind {after}");
        assert_eq!(look!(store, |tx, account_id, part| groups::count(tx, &account_id, &part)), 5, "behind {after}");
    }
}

async fn users_join_and_leave(store: &Store, house: &Account, other: &Account) {
    let (account_id, id) = (house.id.clone(), group(store, house, "members").await.id);
    let (alice, bob) = (user(store, house, "alice").await.id, user(store, house, "Bob").await.id);
    let join = async |who: PrincipalId| {
        change!(store, |tx, account_id, id, who| groups::join(tx, &account_id, &id, &who, NOON))
    };
    assert!(join(alice.clone()).await && join(bob.clone()).await && !join(alice.clone()).await);
    let is_in =
        async |who: PrincipalId| look!(store, |tx, account_id, id, who| groups::is_member(tx, &account_id, &id, &who));
    assert!(is_in(alice.clone()).await);
    let members = async |search: &str| {
        let part = part(search, 0, 10);
        let lines = look!(store, |tx, account_id, id, part| groups::members(tx, &account_id, &id, &part));
        let count = look!(store, |tx, account_id, id, part| groups::count_members(tx, &account_id, &id, &part));
        assert_eq!(i64::try_from(lines.len()).unwrap(), count);
        lines.into_iter().map(|line| line.name).collect::<Vec<_>>()
    };
    assert_eq!(members("").await, ["alice", "Bob"]);
    assert_eq!(members("bo").await, ["Bob"]);
    let behind = Part { after: "alice".to_owned(), limit: 10, ..Part::default() };
    let rest = look!(store, |tx, account_id, id, behind| groups::members(tx, &account_id, &id, &behind));
    assert_eq!(rest.into_iter().map(|line| line.name).collect::<Vec<_>>(), ["Bob"]);
    let joined = look!(store, |tx, account_id, alice| groups::of_user(tx, &account_id, &alice));
    assert_eq!(joined.iter().map(|one| (one.name.as_str(), one.joined_at)).collect::<Vec<_>>(), [("members", NOON)]);
    let other_id = other.id.clone();
    assert!(look!(store, |tx, other_id, alice| groups::of_user(tx, &other_id, &alice)).is_empty());
    let leave =
        async |who: PrincipalId| change!(store, |tx, account_id, id, who| groups::leave(tx, &account_id, &id, &who));
    assert!(leave(alice.clone()).await && !leave(alice.clone()).await && !is_in(alice).await);
    // Whoever is removed has left.
    change!(store, |tx, account_id, bob| principals::delete(tx, &account_id, &bob));
    assert!(members("").await.is_empty());
}
