//! What a restored database must forget.

use countersign_model::access_key::AccessKeyStatus;
use countersign_model::ids::PrincipalId;
use countersign_model::virtual_mfa::VirtualMfaState;
use countersign_model::webauthn::KeyHold;
use countersign_store::{
    Store, access_keys, accounts, principals, restore, sessions, unbound_mfa, virtual_mfa, webauthn_credentials,
};

use crate::of_access_keys::new_key;
use crate::of_virtual_mfa::{bind, new_device};
use crate::{NOON, account, of_sessions, of_unbound_mfa, of_webauthn_credentials, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "restore-1").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    of_sessions::open(store, &alice, [253; 32], NOON).await;
    bind(store, &alice, 100).await;
    bind(store, &bob, 9_000_000_000).await;
    let pending = new_device(&alice, "somebody");
    assert!(change!(store, |tx, pending| virtual_mfa::replace_pending(tx, &pending)));

    let ended = change!(store, |tx| restore::end_all(tx));
    assert!(ended.sessions >= 1 && ended.bindings >= 1);
    assert_eq!(change!(store, |tx| restore::end_all(tx)), restore::Ended::default());
    assert!(look!(store, |tx| sessions::find(tx, &[253; 32])).is_none());
    let (account_id, id) = (house.id.clone(), alice.id.clone());
    assert_eq!(look!(store, |tx, account_id| accounts::find(tx, &account_id)).unwrap().epoch, house.epoch + 2);
    let found = look!(store, |tx, account_id, id| principals::find(tx, &account_id, &id)).unwrap();
    assert_eq!(found.epoch, alice.epoch + 2);
    assert!(look!(store, |tx, account_id, id| virtual_mfa::find_pending(tx, &account_id, &id)).is_none());

    assert!(change!(store, |tx| restore::spend_steps(tx, 200)) >= 1);
    assert_eq!(change!(store, |tx| restore::spend_steps(tx, 200)), 0, "a ledger never goes back");
    let last_step = async |id: PrincipalId| {
        let found = look!(store, |tx, account_id, id| virtual_mfa::find_bound(tx, &account_id, &id));
        match found.map(|device| device.state) {
            Some(VirtualMfaState::Bound { last_step, .. }) => last_step,
            Some(VirtualMfaState::Pending { .. }) | None => 0,
        }
    };
    let unbound = of_unbound_mfa::new_device(&house, "spare");
    assert!(change!(store, |tx, unbound| unbound_mfa::insert(tx, &unbound)));
    assert_eq!(change!(store, |tx| restore::spend_steps(tx, 200)), 1, "a device that nobody has is not forgotten");
    let found = look!(store, |tx, account_id| unbound_mfa::find(tx, &account_id, "spare")).unwrap();
    assert_eq!(found.last_step, 200);
    assert_eq!((last_step(alice.id).await, last_step(bob.id.clone()).await), (200, 9_000_000_000));
    assert_eq!(change!(store, |tx| restore::spend_recovery_codes(tx, NOON)), []);

    let key = new_key(&bob);
    assert!(change!(store, |tx, key| access_keys::insert(tx, &key)));
    let disabled = change!(store, |tx| restore::disable_access_keys(tx, NOON));
    assert!(disabled.iter().any(|one| one.principal == bob.id && (one.name.as_str(), one.count) == ("bob", 1)));
    assert_eq!(change!(store, |tx| restore::disable_access_keys(tx, NOON)), []);
    let found = look!(store, |tx, account_id, key| access_keys::find(tx, &account_id, &key.id)).unwrap();
    assert_eq!(found.status, AccessKeyStatus::Inactive);

    let passkey = of_webauthn_credentials::new_key(&bob, b"restore-1", "Passkey");
    assert!(change!(store, |tx, passkey| webauthn_credentials::insert(tx, &passkey)));
    let held = change!(store, |tx| restore::hold_passkeys(tx));
    assert!(held.iter().any(|one| one.principal == bob.id && (one.name.as_str(), one.count) == ("bob", 1)));
    assert_eq!(change!(store, |tx| restore::hold_passkeys(tx)), []);
    let found = look!(store, |tx| webauthn_credentials::find_by_credential_id(tx, b"restore-1")).unwrap();
    assert_eq!(found.held, Some(KeyHold::Restored));
}
