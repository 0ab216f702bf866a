//! Logons.

use countersign_model::entropy::OsEntropy;
use countersign_model::ids::{AccountId, LogonId, PrincipalId};
use countersign_model::logon::{Logon, LogonFacts, LogonState, Method};
use countersign_model::principal::PrincipalKind;
use countersign_store::{Store, Tx, login_profiles, logons, principals};

use crate::of_login_profiles::new_profile;
use crate::of_virtual_mfa::bind;
use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    a_logon_knows_its_subject_as_it_is_now(store).await;
    a_logon_goes_on_once_from_each_state(store).await;
    logons_are_consumed_and_swept(store).await;
}

async fn a_logon_knows_its_subject_as_it_is_now(store: &Store) {
    let house = account(store, "logons-1").await;
    let alice = user(store, &house, "Alice").await;
    let (account_id, id) = (house.id.clone(), alice.id.clone());
    let logon = Logon { account_id: house.id.clone(), principal_id: alice.id.clone(), ..new_logon() };
    change!(store, |tx, logon| logons::insert(tx, &[1; 32], &logon));
    let find = async || look!(store, |tx| logons::find(tx, &[1; 32])).unwrap();
    let found = find().await;
    assert_eq!(format!("{:?}", found.logon), format!("{logon:?}"));
    let subject = found.subject.unwrap();
    assert_eq!((subject.name.as_str(), subject.alias.as_str()), ("Alice", "logons-1"));
    assert_eq!((subject.principal_epoch, subject.account_epoch), (1, 1));
    assert!(subject.profile.is_none() && subject.device.is_none());
    assert_eq!(*subject.settings, house.settings);

    let profile = new_profile(Some("$argon2id$x"));
    change!(store, |tx, account_id, id, profile| login_profiles::put(tx, &account_id, &id, &profile));
    let device = bind(store, &alice, 5).await;
    change!(store, |tx, account_id, id| principals::bump_epoch(tx, &account_id, &id, NOON));
    let subject = find().await.subject.unwrap();
    assert_eq!(subject.principal_epoch, 2);
    assert!(subject.profile.unwrap().password_hash.is_some());
    assert_eq!(subject.device.unwrap().id, device);

    change!(store, |tx, account_id, id| principals::delete(tx, &account_id, &id));
    assert!(find().await.subject.is_none());
    // A name that does not exist is a logon as well.
    let phantom = new_logon();
    change!(store, |tx, phantom| logons::insert(tx, &[2; 32], &phantom));
    assert!(look!(store, |tx| logons::find(tx, &[2; 32])).unwrap().subject.is_none());
    assert!(look!(store, |tx| logons::find(tx, &[3; 32])).is_none());
}

async fn a_logon_goes_on_once_from_each_state(store: &Store) {
    let before = new_logon();
    change!(store, |tx, before| logons::insert(tx, &[10; 32], &before));
    let facts = LogonFacts {
        password_at: Some(NOON),
        second_factor: Some((Method::VirtualMfa, NOON.plus(second(1)))),
        password_chosen: true,
        ..LogonFacts::default()
    };
    let after =
        Logon { state: LogonState::SecondFactor, facts, principal_epoch: 7, account_epoch: 8, ..before.clone() };
    let wrong = Logon { state: LogonState::Bind, ..before.clone() };
    assert!(!change!(store, |tx, wrong, after| logons::advance(tx, &[10; 32], &wrong, &[11; 32], &after)));
    let raced = {
        let (before, after) = (before.clone(), after.clone());
        async move |tx: &mut Tx<'_>| logons::advance(tx, &[10; 32], &before, &[11; 32], &after).await
    };
    assert_eq!(sixteen_at_once(store, raced).await, 1);
    assert!(look!(store, |tx| logons::find(tx, &[10; 32])).is_none(), "the old secret is worthless");
    let found = look!(store, |tx| logons::find(tx, &[11; 32])).unwrap().logon;
    assert_eq!(format!("{found:?}"), format!("{after:?}"));
}

async fn logons_are_consumed_and_swept(store: &Store) {
    let kept = Logon { principal_id: PrincipalId::phantom([8; 16]), ..new_logon() };
    let ended = Logon { id: new_logon().id, state: LogonState::Bind, ..kept.clone() };
    let (account_id, id) = (ended.account_id.clone(), ended.principal_id.clone());
    change!(store, |tx, ended| logons::insert(tx, &[23; 32], &ended));
    change!(store, |tx, kept| logons::insert(tx, &[24; 32], &kept));
    assert_eq!(change!(store, |tx, account_id, id| logons::end_all_of(tx, &account_id, &id)), 1);
    assert!(look!(store, |tx| logons::find(tx, &[23; 32])).is_none());
    assert!(look!(store, |tx| logons::find(tx, &[24; 32])).is_some(), "it has shown no password");
    let logon = new_logon();
    change!(store, |tx, logon| logons::insert(tx, &[20; 32], &logon));
    change!(store, |tx, logon| logons::insert(tx, &[21; 32], &logon));
    assert!(change!(store, |tx| logons::hold(tx, &[20; 32])));
    assert!(!change!(store, |tx| logons::hold(tx, &[22; 32])));
    assert!(change!(store, |tx| logons::hold(tx, &[20; 32])));
    assert!(!change!(store, |tx| logons::hold(tx, &[29; 32])));
    let held = look!(store, |tx| logons::find(tx, &[20; 32])).unwrap().logon;
    assert_eq!(format!("{held:?}"), format!("{logon:?}"), "to hold it changes nothing");
    let consumed = sixteen_at_once(store, async |tx| logons::consume(tx, &[20; 32]).await).await;
    assert_eq!(consumed, 1);
    change!(store, |tx, logon| logons::sweep(tx, logon.expires_at));
    assert!(look!(store, |tx| logons::find(tx, &[21; 32])).is_some());
    assert!(change!(store, |tx, logon| logons::sweep(tx, logon.expires_at.plus(second(1)))) >= 1);
    assert!(look!(store, |tx| logons::find(tx, &[21; 32])).is_none());
}

/// A logon of nobody.
fn new_logon() -> Logon {
    Logon {
        id: LogonId::generate(&OsEntropy),
        account_id: AccountId::phantom([9; 16]),
        principal_id: PrincipalId::phantom([9; 16]),
        kind: PrincipalKind::RamUser,
        name: "nobody@nowhere".to_owned(),
        state: LogonState::Password,
        facts: LogonFacts::default(),
        principal_epoch: 0,
        account_epoch: 0,
        expires_at: NOON.plus(second(600)),
    }
}
