//! Security keys and passkeys, and what second factors principals have.

use countersign_model::budget::BudgetKind;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::KeyId;
use countersign_model::principal::Principal;
use countersign_model::webauthn::{Aaguid, Factors, KeyHold, KeyKind, Trust, WebAuthnCredential};
use countersign_store::budgets::Counted;
use countersign_store::users::{MfaFilter, UserQuery};
use countersign_store::webauthn_credentials::{self, Use};
use countersign_store::{Store, Tx, budgets, factors, users};

use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    a_credential_is_kept_used_renamed_and_removed(store).await;
    a_counter_only_rises(store).await;
    credential_ids_and_names_are_unique(store).await;
    keys_are_second_factors(store).await;
    other_relying_parties_are_told(store).await;
    a_disowned_credential_passes_no_more(store).await;
    failures_of_keys_are_found(store).await;
}

async fn failures_of_keys_are_found(store: &Store) {
    let house = account(store, "keys-7").await;
    let alice = user(store, &house, "alice").await;
    let key = new_key(&alice, b"keys-7", "Key");
    change!(store, |tx, key| webauthn_credentials::insert(tx, &key));
    let failed = async || look!(store, |tx, alice| budgets::have_keys_failed(tx, &alice.account_id, &alice.id));
    assert!(!failed().await);
    let (account_id, id) = (house.id.clone(), key.id.clone());
    let book = async move |tx: &mut Tx<'_>| {
        let counted = Counted { account: &account_id, subject: id.as_str(), kind: BudgetKind::WebAuthn };
        budgets::book(tx, counted, None, NOON).await
    };
    store.write(book).await.unwrap().unwrap();
    assert!(failed().await);
    assert!(change!(store, |tx, alice| budgets::clear_all_of(tx, &alice.account_id, &alice.id, NOON)) > 0);
    assert!(!failed().await);
}

async fn a_credential_is_kept_used_renamed_and_removed(store: &Store) {
    let house = account(store, "keys-1").await;
    let alice = user(store, &house, "alice").await;
    let key = new_key(&alice, b"keys-1 one", "Blue");
    assert!(change!(store, |tx, key| webauthn_credentials::insert(tx, &key)));
    let (account_id, id, key_id) = (house.id.clone(), alice.id.clone(), key.id.clone());
    let found =
        async || look!(store, |tx, account_id, id, key_id| webauthn_credentials::find(tx, &account_id, &id, &key_id));
    assert_eq!(found().await, Some(key.clone()));
    let by_id = look!(store, |tx| webauthn_credentials::find_by_credential_id(tx, b"keys-1 one"));
    assert_eq!(by_id, Some(key.clone()));
    assert_eq!(look!(store, |tx| webauthn_credentials::find_by_credential_id(tx, b"keys-1 ONE")), None);

    let used = Use { sign_count: 4_000_000_000, backed_up: true, at: NOON.plus(second(9)) };
    assert!(change!(store, |tx, account_id, key_id| webauthn_credentials::note_use(tx, &account_id, &key_id, used)));
    let name = "Büro".parse().unwrap();
    let rename = async |name: countersign_model::names::KeyName| {
        change!(store, |tx, account_id, id, key_id, name| webauthn_credentials::rename(
            tx,
            (&account_id, &id),
            &key_id,
            &name
        ))
    };
    assert!(rename(name).await);
    let after = WebAuthnCredential {
        sign_count: used.sign_count,
        backed_up: true,
        last_used_at: Some(used.at),
        name: "Büro".into(),
        ..key.clone()
    };
    assert_eq!(found().await, Some(after.clone()));
    assert!(rename("BÜRO".parse().unwrap()).await, "the same in other case");

    let other = WebAuthnCredential { kind: KeyKind::SecurityKey, ..new_key(&alice, b"keys-1 two", "Red") };
    assert!(change!(store, |tx, other| webauthn_credentials::insert(tx, &other)));
    assert!(!rename("RED".parse().unwrap()).await, "another one has the name");
    let list = look!(store, |tx, account_id, id| webauthn_credentials::list(tx, &account_id, &id));
    assert_eq!(list.len(), 2);

    let elsewhere = user(store, &house, "bob").await.id;
    let remove = async |id: countersign_model::ids::PrincipalId| {
        change!(store, |tx, account_id, id, key_id| webauthn_credentials::delete(tx, &account_id, &id, &key_id))
    };
    assert!(!remove(elsewhere).await, "somebody else's");
    assert!(remove(id.clone()).await && !remove(id.clone()).await);
    let security = KeyKind::SecurityKey;
    let removed =
        change!(store, |tx, account_id, id| webauthn_credentials::delete_kind(tx, &account_id, &id, security));
    assert_eq!(removed, 1);
    assert!(look!(store, |tx, account_id, id| webauthn_credentials::list(tx, &account_id, &id)).is_empty());
}

async fn a_counter_only_rises(store: &Store) {
    let house = account(store, "keys-2").await;
    let alice = user(store, &house, "alice").await;
    let key = new_key(&alice, b"keys-2", "key");
    change!(store, |tx, key| webauthn_credentials::insert(tx, &key));
    let note = async |sign_count: u32| {
        let used = Use { sign_count, backed_up: false, at: NOON };
        change!(store, |tx, key| webauthn_credentials::note_use(tx, &key.account_id, &key.id, used))
    };
    assert!(note(0).await && note(0).await, "it has no counter");
    let raced = {
        let key = key.clone();
        let used = Use { sign_count: 5, backed_up: false, at: NOON };
        async move |tx: &mut Tx<'_>| webauthn_credentials::note_use(tx, &key.account_id, &key.id, used).await
    };
    assert_eq!(sixteen_at_once(store, raced).await, 1);
    assert!(!note(5).await && !note(4).await && !note(0).await);
    assert!(note(u32::MAX).await);
}

async fn credential_ids_and_names_are_unique(store: &Store) {
    let house = account(store, "keys-3").await;
    let other_house = account(store, "keys-4").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let carol = user(store, &other_house, "carol").await;
    let insert = async |key: WebAuthnCredential| change!(store, |tx, key| webauthn_credentials::insert(tx, &key));
    assert!(insert(new_key(&alice, b"keys-3 one", "Key")).await);
    for thief in [&alice, &bob, &carol] {
        assert!(!insert(new_key(thief, b"keys-3 one", "Mine")).await, "{}", thief.name);
    }
    assert!(!insert(new_key(&alice, b"keys-3 two", "KEY")).await, "the name in another case");
    assert!(insert(new_key(&bob, b"keys-3 two", "KEY")).await);
    let raced = {
        let key = new_key(&carol, b"keys-3 three", "Key");
        async move |tx: &mut Tx<'_>| {
            let key = WebAuthnCredential { id: KeyId::generate(&OsEntropy), ..key.clone() };
            webauthn_credentials::insert(tx, &key).await
        }
    };
    assert_eq!(sixteen_at_once(store, raced).await, 1);
}

async fn keys_are_second_factors(store: &Store) {
    let house = account(store, "keys-5").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let account_id = house.id.clone();
    let of = async |who: &Principal| {
        let id = who.id.clone();
        look!(store, |tx, account_id, id| factors::of(tx, &account_id, &id))
    };
    let bound = async || {
        let query = UserQuery { search: String::new(), mfa: MfaFilter::Bound, offset: 0, limit: 10 };
        let (users, total) = look!(store, |tx, account_id, query| users::list(tx, &account_id, &query));
        (users.into_iter().map(|user| (user.name, user.mfa_bound)).collect::<Vec<_>>(), total)
    };
    assert!(!of(&alice).await.any());
    assert_eq!(bound().await, (vec![], 0));
    let key = new_key(&alice, b"keys-5 one", "Key");
    change!(store, |tx, key| webauthn_credentials::insert(tx, &key));
    let key = WebAuthnCredential { kind: KeyKind::SecurityKey, ..new_key(&alice, b"keys-5 two", "Other") };
    change!(store, |tx, key| webauthn_credentials::insert(tx, &key));
    assert_eq!(of(&alice).await, Factors { code: false, security_keys: 1, passkeys: 1 });
    assert!(!of(&bob).await.any());
    assert_eq!(bound().await, (vec![("alice".to_owned(), true)], 1));
    assert_eq!(look!(store, |tx, account_id| factors::count_holders(tx, &account_id)), 1);
}

async fn other_relying_parties_are_told(store: &Store) {
    let house = account(store, "keys-6").await;
    let alice = user(store, &house, "alice").await;
    for (index, rp_id) in ["one.example", "one.example", "two.example"].into_iter().enumerate() {
        let id = format!("keys-6 {index}");
        let key = WebAuthnCredential { rp_id: rp_id.to_owned(), ..new_key(&alice, id.as_bytes(), &id) };
        change!(store, |tx, key| webauthn_credentials::insert(tx, &key));
    }
    let others = look!(store, |tx| webauthn_credentials::of_others(tx, "localhost"));
    assert_eq!(others, [("one.example".to_owned(), 2), ("two.example".to_owned(), 1)]);
}

async fn a_disowned_credential_passes_no_more(store: &Store) {
    let house = account(store, "keys-8").await;
    let alice = user(store, &house, "alice").await;
    let early = new_key(&alice, b"keys-8 early", "Early");
    let late = WebAuthnCredential { created_at: NOON.plus(second(9)), ..new_key(&alice, b"keys-8 late", "Late") };
    for key in [&early, &late] {
        change!(store, |tx, key| webauthn_credentials::insert(tx, &key));
    }
    let (account_id, id) = (house.id.clone(), alice.id.clone());
    let makes = look!(store, |tx, account_id| webauthn_credentials::count_by_make(tx, &account_id));
    assert_eq!(makes, [(early.make(), 2)]);
    let since = NOON.plus(second(9));
    let hold =
        async || change!(store, |tx, account_id, id| webauthn_credentials::hold_since(tx, (&account_id, &id), since));
    assert_eq!(hold().await, [(late.id.clone(), "Late".to_owned())]);
    assert_eq!(hold().await, [], "once");
    let used = Use { sign_count: 1, backed_up: false, at: since };
    let note = async |key: KeyId| {
        change!(store, |tx, account_id, key| webauthn_credentials::note_use(tx, &account_id, &key, used))
    };
    assert!(note(early.id.clone()).await && !note(late.id.clone()).await);
    let list = look!(store, |tx, account_id, id| webauthn_credentials::list(tx, &account_id, &id));
    assert_eq!(list.iter().map(|key| key.held).collect::<Vec<_>>(), [None, Some(KeyHold::Disowned)]);
}

pub(crate) fn new_key(whose: &Principal, credential_id: &[u8], name: &str) -> WebAuthnCredential {
    WebAuthnCredential {
        id: KeyId::generate(&OsEntropy),
        account_id: whose.account_id.clone(),
        principal_id: whose.id.clone(),
        kind: KeyKind::Passkey,
        credential_id: credential_id.to_vec(),
        rp_id: "localhost".to_owned(),
        public_key: vec![1, 2, 3],
        sign_count: 0,
        transports: vec!["internal".to_owned(), "hybrid".to_owned()],
        aaguid: Aaguid::new([9; 16]),
        backup_eligible: true,
        backed_up: false,
        user_verified: true,
        attestation_format: "none".to_owned(),
        trust: Trust::None,
        name: name.to_owned(),
        created_at: NOON,
        last_used_at: None,
        held: None,
    }
}
