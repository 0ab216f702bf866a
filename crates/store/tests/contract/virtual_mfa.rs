//! Virtual MFA devices.

use countersign_model::entropy::OsEntropy;
use countersign_model::ids::DeviceId;
use countersign_model::principal::Principal;
use countersign_model::virtual_mfa::{VirtualMfa, VirtualMfaState};
use countersign_store::virtual_mfa::{self, SpentStep};
use countersign_store::{Store, StoreError, Tx, principals};

use crate::{NOON, account, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    a_device_is_started_confirmed_used_and_unbound(store).await;
    a_step_is_spent_once_and_only_forward(store).await;
    a_principal_has_one_pending_and_one_bound_device(store).await;
    starts_are_counted_by_the_hour(store).await;
    unconfirmed_devices_are_swept(store).await;
}

async fn a_device_is_started_confirmed_used_and_unbound(store: &Store) {
    let house = account(store, "devices-1").await;
    let alice = user(store, &house, "alice").await;
    let (account_id, id) = (house.id.clone(), alice.id.clone());
    let pending = async || look!(store, |tx, account_id, id| virtual_mfa::find_pending(tx, &account_id, &id));
    let bound = async || look!(store, |tx, account_id, id| virtual_mfa::find_bound(tx, &account_id, &id));
    assert!(pending().await.is_none() && bound().await.is_none());
    let device = new_device(&alice, "logon 1");
    assert!(change!(store, |tx, device| virtual_mfa::replace_pending(tx, &device)));
    assert_eq!(format!("{:?}", pending().await.unwrap()), format!("{device:?}"));
    assert!(bound().await.is_none());

    let (device_id, step) = (device.id.clone(), spent(100, -3));
    assert!(!change!(store, |tx, account_id, device_id| virtual_mfa::consume_step(tx, &account_id, &device_id, step)));
    let confirm = {
        let (account_id, device_id) = (account_id.clone(), device_id.clone());
        async move |tx: &mut Tx<'_>| virtual_mfa::confirm(tx, &account_id, &device_id, step).await
    };
    assert_eq!(sixteen_at_once(store, confirm).await, 1);
    let state = VirtualMfaState::Bound { bound_at: step.at, last_step: 100, drift: -3, last_used_at: None };
    assert!(pending().await.is_none());
    let found = bound().await.unwrap();
    assert_eq!((&found.state, &found.sealed_seed, &found.name), (&state, &device.sealed_seed, &device.name));
    let name = look!(store, |tx, account_id, id| virtual_mfa::name_of_bound(tx, &account_id, &id));
    assert_eq!(name, Some(device.name));

    let later = SpentStep { at: NOON.plus(second(60)), ..spent(102, 10) };
    assert!(change!(store, |tx, account_id, device_id| virtual_mfa::consume_step(tx, &account_id, &device_id, later)));
    let state = VirtualMfaState::Bound { bound_at: step.at, last_step: 102, drift: 10, last_used_at: Some(later.at) };
    assert_eq!(bound().await.unwrap().state, state);
    let not_pending = StoreError::Fault("only a pending device can be started".to_owned());
    let bound_device = bound().await.unwrap();
    let refused = store.write(async move |tx: &mut Tx<'_>| virtual_mfa::replace_pending(tx, &bound_device).await);
    assert_eq!(refused.await, Err(not_pending));

    assert!(!change!(store, |tx, account_id, id| virtual_mfa::delete_pending(tx, &account_id, &id)));
    assert!(change!(store, |tx, account_id, id| virtual_mfa::delete_bound(tx, &account_id, &id)));
    assert!(!change!(store, |tx, account_id, id| virtual_mfa::delete_bound(tx, &account_id, &id)));
    assert!(bound().await.is_none());
}

async fn a_step_is_spent_once_and_only_forward(store: &Store) {
    let house = account(store, "devices-2").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let (device, other) = (bind(store, &alice, 10).await, bind(store, &bob, 10).await);
    let account_id = house.id.clone();
    let consume = async |device: &DeviceId, step| {
        let device = device.clone();
        change!(store, |tx, account_id, device| virtual_mfa::consume_step(tx, &account_id, &device, spent(step, 0)))
    };
    assert!(!consume(&device, 9).await && !consume(&device, 10).await);
    let raced = {
        let (account_id, device) = (account_id.clone(), device.clone());
        async move |tx: &mut Tx<'_>| virtual_mfa::consume_step(tx, &account_id, &device, spent(11, 0)).await
    };
    assert_eq!(sixteen_at_once(store, raced).await, 1);
    assert!(!consume(&device, 11).await);
    assert!(consume(&device, i64::MAX).await);
    assert!(consume(&other, 11).await, "each device has a ledger of its own");
    let elsewhere = account(store, "devices-3").await.id;
    let across = change!(store, |tx, elsewhere, other| virtual_mfa::consume_step(tx, &elsewhere, &other, spent(12, 0)));
    assert!(!across);
}

async fn a_principal_has_one_pending_and_one_bound_device(store: &Store) {
    let house = account(store, "devices-4").await;
    let alice = user(store, &house, "alice").await;
    let (account_id, id) = (house.id.clone(), alice.id.clone());
    let bound = bind(store, &alice, 1).await;
    let (first, second) = (new_device(&alice, "a"), new_device(&alice, "b"));
    assert!(change!(store, |tx, first| virtual_mfa::replace_pending(tx, &first)));
    assert!(change!(store, |tx, second| virtual_mfa::replace_pending(tx, &second)));
    let found = look!(store, |tx, account_id, id| virtual_mfa::find_pending(tx, &account_id, &id));
    assert_eq!(found.unwrap().id, second.id);
    let gone = first.id;
    assert!(!change!(store, |tx, account_id, gone| virtual_mfa::confirm(tx, &account_id, &gone, spent(1, 0))));
    // The constraint stands behind the rule: nothing is bound beside what is bound.
    let (of, device) = (account_id.clone(), second.id.clone());
    let beside = async move |tx: &mut Tx<'_>| virtual_mfa::confirm(tx, &of, &device, spent(1, 0)).await;
    assert!(matches!(store.write(beside).await, Err(StoreError::Fault(_))));
    let found = look!(store, |tx, account_id, id| virtual_mfa::find_bound(tx, &account_id, &id));
    assert_eq!(found.unwrap().id, bound);
    // Replacing: away with the old and in with the new, in one unit.
    let (of, who, new) = (account_id.clone(), id.clone(), second.id.clone());
    let replace = async move |tx: &mut Tx<'_>| {
        let old = virtual_mfa::delete_bound(tx, &of, &who).await?;
        Ok::<_, StoreError>(old && virtual_mfa::confirm(tx, &of, &new, spent(1, 0)).await?)
    };
    assert!(store.write(replace).await.unwrap());
    let found = look!(store, |tx, account_id, id| virtual_mfa::find_bound(tx, &account_id, &id));
    assert_eq!(found.unwrap().id, second.id);
    change!(store, |tx, account_id, id| principals::delete(tx, &account_id, &id));
    assert!(look!(store, |tx, account_id, id| virtual_mfa::find_bound(tx, &account_id, &id)).is_none());
}

async fn starts_are_counted_by_the_hour(store: &Store) {
    let house = account(store, "devices-5").await;
    let (alice, bob) = (user(store, &house, "alice").await.id, user(store, &house, "bob").await.id);
    let account_id = house.id;
    let start =
        async |hour| change!(store, |tx, account_id, alice| virtual_mfa::count_start(tx, &account_id, &alice, hour));
    assert_eq!((start(7).await, start(7).await, start(7).await), (1, 2, 3));
    assert_eq!(change!(store, |tx, account_id, bob| virtual_mfa::count_start(tx, &account_id, &bob, 7)), 1);
    assert_eq!((start(8).await, start(8).await), (1, 2));
    let raced = {
        let (account_id, alice) = (account_id.clone(), alice.clone());
        async move |tx: &mut Tx<'_>| Ok(virtual_mfa::count_start(tx, &account_id, &alice, 8).await? > 0)
    };
    assert_eq!(sixteen_at_once(store, raced).await, 16);
    assert_eq!(start(8).await, 19, "no start is lost");
}

async fn unconfirmed_devices_are_swept(store: &Store) {
    let house = account(store, "devices-6").await;
    let alice = user(store, &house, "alice").await;
    let (account_id, id) = (house.id.clone(), alice.id.clone());
    bind(store, &alice, 1).await;
    let device = new_device(&alice, "a");
    change!(store, |tx, device| virtual_mfa::replace_pending(tx, &device));
    let end = NOON.plus(second(600));
    change!(store, |tx| virtual_mfa::sweep_pending(tx, end));
    assert!(look!(store, |tx, account_id, id| virtual_mfa::find_pending(tx, &account_id, &id)).is_some());
    assert!(change!(store, |tx| virtual_mfa::sweep_pending(tx, end.plus(second(1)))) >= 1);
    assert!(look!(store, |tx, account_id, id| virtual_mfa::find_pending(tx, &account_id, &id)).is_none());
    assert!(look!(store, |tx, account_id, id| virtual_mfa::find_bound(tx, &account_id, &id)).is_some());
}

pub(crate) fn new_device(principal: &Principal, started_by: &str) -> VirtualMfa {
    VirtualMfa {
        id: DeviceId::generate(&OsEntropy),
        account_id: principal.account_id.clone(),
        principal_id: principal.id.clone(),
        name: principal.name.clone(),
        sealed_seed: vec![0, 1, 2, 0xff],
        state: VirtualMfaState::Pending { started_by: started_by.to_owned(), expires_at: NOON.plus(second(600)) },
        created_at: NOON,
    }
}

/// A bound device whose steps up to `step` are spent.
pub(crate) async fn bind(store: &Store, principal: &Principal, step: i64) -> DeviceId {
    let device = new_device(principal, "somebody");
    assert!(change!(store, |tx, device| virtual_mfa::replace_pending(tx, &device)));
    let (account_id, id) = (device.account_id, device.id);
    assert!(change!(store, |tx, account_id, id| virtual_mfa::confirm(tx, &account_id, &id, spent(step, 0))));
    id
}

const fn spent(step: i64, drift: i8) -> SpentStep {
    SpentStep { step, drift, at: NOON }
}
