//! Policies that an account writes for itself.

use countersign_model::entropy::OsEntropy;
use countersign_model::ids::PolicyId;
use countersign_model::names::Description;
use countersign_model::policy::PolicyDocument;
use countersign_model::principal::Account;
use countersign_store::groups::Part;
use countersign_store::policies::{self, Policy};
use countersign_store::{Store, Tx};

use crate::of_groups::part;
use crate::{NOON, account, second, sixteen_at_once};

pub(crate) const ALLOWS: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
pub(crate) const DENIES: &str = r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

fn new_policy(account: &Account, name: &str) -> Policy {
    Policy {
        account_id: account.id.clone(),
        id: PolicyId::generate(&OsEntropy),
        name: name.parse().unwrap(),
        description: "what it is for".parse().unwrap(),
        default_version: 1,
        last_version: 1,
        created_at: NOON,
        updated_at: NOON,
    }
}

/// A stored policy with one version.
pub(crate) async fn policy(store: &Store, account: &Account, name: &str, document: &'static str) -> Policy {
    let policy = new_policy(account, name);
    assert!(change!(store, |tx, policy| policies::insert(tx, &policy)));
    let (account_id, id, document) =
        (account.id.clone(), policy.id.clone(), document.parse::<PolicyDocument>().unwrap());
    change!(store, |tx, account_id, id, document| policies::insert_version(tx, (&account_id, &id), 1, &document, NOON));
    policy
}

pub(crate) async fn cases(store: &Store) {
    let (house, other) = (account(store, "policies-1").await, account(store, "policies-2").await);
    let made = policy(store, &house, "Look-Only", ALLOWS).await;
    let (account_id, other_id, id) = (house.id.clone(), other.id.clone(), made.id.clone());
    let again = new_policy(&house, "look-only");
    assert!(!change!(store, |tx, again| policies::insert(tx, &again)));
    assert_eq!(look!(store, |tx, account_id| policies::find(tx, &account_id, "look-only")), Some(made.clone()));
    assert_eq!(look!(store, |tx, other_id| policies::find(tx, &other_id, "look-only")), None);
    versions_are_numbered_once(store, &made).await;
    policy(store, &house, "another", DENIES).await;
    for (search, offset, limit, wanted, total) in [
        ("", 0, 10, &["another", "Look-Only"][..], 2),
        ("", 1, 1, &["Look-Only"], 2),
        ("K-O", 0, 10, &["Look-Only"], 1),
    ] {
        let part = part(search, offset, limit);
        let lines = look!(store, |tx, account_id, part| policies::list(tx, &account_id, &part));
        let names: Vec<_> = lines.iter().map(|line| line.policy.name.as_str()).collect();
        assert_eq!(names, wanted, "{search}");
        assert!(lines.iter().all(|line| line.attachments == 0));
        assert_eq!(look!(store, |tx, account_id, part| policies::count(tx, &account_id, &part)), total, "{search}");
    }
    let behind = Part { after: "another".to_owned(), limit: 10, ..Part::default() };
    let rest = look!(store, |tx, account_id, behind| policies::list(tx, &account_id, &behind));
    assert_eq!(rest.iter().map(|line| line.policy.name.as_str()).collect::<Vec<_>>(), ["Look-Only"]);
    let (words, later): (Description, _) = ("other words".parse().unwrap(), NOON.plus(second(9)));
    assert!(change!(store, |tx, account_id, id, words| policies::describe(tx, (&account_id, &id), &words, later)));
    assert!(!change!(store, |tx, other_id, id, words| policies::describe(tx, (&other_id, &id), &words, later)));
    let told = look!(store, |tx, account_id| policies::find(tx, &account_id, "look-only")).unwrap();
    assert_eq!((told.description, told.updated_at), (words, later));
    assert!(change!(store, |tx, account_id, id| policies::delete(tx, &account_id, &id)));
    assert!(!change!(store, |tx, account_id, id| policies::delete(tx, &account_id, &id)));
    assert!(look!(store, |tx, account_id, id| policies::versions(tx, &account_id, &id)).is_empty());
}

async fn versions_are_numbered_once(store: &Store, made: &Policy) {
    let (account_id, id) = (made.account_id.clone(), made.id.clone());
    let (whose, whats) = (account_id.clone(), id.clone());
    let added = sixteen_at_once(store, async move |tx: &mut Tx<'_>| {
        let number = policies::next_version(tx, &whose, &whats, NOON.plus(second(1))).await?.unwrap();
        policies::insert_version(tx, (&whose, &whats), number, &DENIES.parse().unwrap(), NOON).await.map(|()| true)
    });
    assert_eq!(added.await, 16);
    let numbers = async || {
        let versions = look!(store, |tx, account_id, id| policies::versions(tx, &account_id, &id));
        versions.into_iter().map(|version| version.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers().await, (1..=17).rev().collect::<Vec<_>>());
    let version = async |number| {
        let found = look!(store, |tx, account_id, id| policies::find_version(tx, &account_id, &id, number));
        found.map(|version| version.document)
    };
    assert_eq!((version(1).await.as_deref(), version(9).await.as_deref()), (Some(ALLOWS), Some(DENIES)));
    assert_eq!(version(18).await, None);
    let at = NOON.plus(second(2));
    assert!(change!(store, |tx, account_id, id| policies::set_default(tx, &account_id, &id, 9, at)));
    let found = look!(store, |tx, account_id| policies::find(tx, &account_id, "look-only")).unwrap();
    assert_eq!((found.default_version, found.last_version, found.updated_at), (9, 17, at));
    let delete = async || change!(store, |tx, account_id, id| policies::delete_version(tx, &account_id, &id, 17));
    assert!(delete().await && !delete().await);
    assert_eq!(numbers().await.len(), 16);
}
