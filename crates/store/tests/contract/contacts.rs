//! Secure email addresses and phones.

use countersign_model::contact::{Contact, ContactKind, ContactState};
use countersign_store::{Store, contacts};

use crate::{NOON, account, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "contacts-1").await;
    let (alice, bob) = (user(store, &house, "alice").await.id, user(store, &house, "bob").await.id);
    let id = house.id;
    let contact = |kind, value: &str| Contact { kind, value: value.to_owned(), state: ContactState::Pending };
    let email = contact(ContactKind::Email, "Team@Example.com");
    let phone = contact(ContactKind::Sms, "86-13900001234");
    change!(store, |tx, id, alice, email| contacts::put(tx, (&id, &alice), &email, NOON));
    change!(store, |tx, id, alice, phone| contacts::put(tx, (&id, &alice), &phone, NOON));
    assert_eq!(look!(store, |tx, id, alice| contacts::list(tx, &id, &alice)), [email.clone(), phone.clone()]);
    let lower = contact(ContactKind::Email, "team@example.com");
    assert_eq!(look!(store, |tx, id, bob, lower| contacts::count_others(tx, (&id, &bob), &lower)), 1);
    assert_eq!(look!(store, |tx, id, alice, lower| contacts::count_others(tx, (&id, &alice), &lower)), 0);
    let active = Contact { state: ContactState::Active, ..lower };
    change!(store, |tx, id, alice, active| contacts::put(tx, (&id, &alice), &active, NOON));
    assert_eq!(look!(store, |tx, id, alice| contacts::list(tx, &id, &alice)), [active, phone]);
    let drop = async |kind, value: &'static str| {
        change!(store, |tx, id, alice| contacts::delete(tx, (&id, &alice), kind, value))
    };
    assert!(!drop(ContactKind::Email, "other@example.com").await);
    assert!(drop(ContactKind::Email, "team@example.com").await);
    assert!(!drop(ContactKind::Email, "team@example.com").await);
}
