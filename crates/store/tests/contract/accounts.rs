//! Accounts.

use countersign_model::names::AccountAlias;
use countersign_model::principal::Account;
use countersign_model::settings::{BindingCodes, MfaDeviceTypes, SecuritySettings};
use countersign_store::{Store, accounts};

use crate::{account, new_account, sixteen_at_once};

pub(crate) async fn cases(store: &Store) {
    an_account_comes_back_as_it_went_in(store).await;
    ids_and_aliases_are_unique(store).await;
    accounts_are_listed_by_alias_byte_by_byte(store).await;
    settings_are_replaced(store).await;
    an_alias_is_replaced_by_a_free_one_or_none(store).await;
}

async fn an_alias_is_replaced_by_a_free_one_or_none(store: &Store) {
    let (one, other) = (account(store, "accounts-8").await, account(store, "accounts-9").await);
    let id = one.id.clone();
    let change = async |alias: AccountAlias| change!(store, |tx, id, alias| accounts::change_alias(tx, &id, &alias));
    let alias = async || look!(store, |tx, id| accounts::find(tx, &id)).unwrap().alias;
    assert!(!change(other.alias.clone()).await);
    assert_eq!(alias().await, one.alias);
    assert!(change(one.alias.clone()).await, "its own");
    assert!(change(AccountAlias::parse("accounts-10").unwrap()).await);
    assert!(change(AccountAlias::none_of(&one.id)).await);
    assert_eq!(alias().await.as_str(), one.id.as_str());
}

async fn an_account_comes_back_as_it_went_in(store: &Store) {
    let stored = account(store, "accounts-1").await;
    let (id, alias) = (stored.id.clone(), stored.alias.clone());
    let found = look!(store, |tx, id| accounts::find(tx, &id)).unwrap();
    assert_eq!((&found.id, &found.alias, &found.settings), (&id, &alias, &stored.settings));
    assert_eq!((found.epoch, found.created_at), (stored.epoch, stored.created_at));
    let other = new_account("accounts-2").id;
    assert!(look!(store, |tx, other| accounts::find(tx, &other)).is_none());
    for name in [id.as_str(), alias.as_str()] {
        let name = name.to_owned();
        assert_eq!(look!(store, |tx, name| accounts::find_by_name(tx, &name)).unwrap().id, id);
    }
    for name in ["", "ACCOUNTS-1", "accounts-2", "accounts%"] {
        assert!(look!(store, |tx| accounts::find_by_name(tx, name)).is_none(), "{name}");
    }
    assert!(change!(store, |tx, id| accounts::guard(tx, &id)));
    assert!(!change!(store, |tx, other| accounts::guard(tx, &other)));
}

async fn ids_and_aliases_are_unique(store: &Store) {
    let stored = account(store, "accounts-3").await;
    let same_id = Account { id: stored.id.clone(), ..new_account("accounts-4") };
    assert!(!change!(store, |tx, same_id| accounts::insert(tx, &same_id)));
    let same_alias = new_account("accounts-3");
    assert!(!change!(store, |tx, same_alias| accounts::insert(tx, &same_alias)));
    let raced = async |tx: &mut countersign_store::Tx<'_>| accounts::insert(tx, &new_account("accounts-5")).await;
    assert_eq!(sixteen_at_once(store, raced).await, 1);
}

async fn accounts_are_listed_by_alias_byte_by_byte(store: &Store) {
    for alias in ["aab", "aa-b", "aa1"] {
        account(store, alias).await;
    }
    let listed = look!(store, |tx| accounts::list(tx, 3));
    let aliases: Vec<_> = listed.iter().map(|account| account.alias.as_str()).collect();
    assert_eq!(aliases, ["aa-b", "aa1", "aab"]);
}

async fn settings_are_replaced(store: &Store) {
    let id = account(store, "accounts-6").await.id;
    let settings = SecuritySettings {
        users_manage_mfa_devices: false,
        users_change_password: false,
        binding_codes: BindingCodes::Two,
        mfa_device_types: MfaDeviceTypes::Several,
        session_hours: 24,
        ..SecuritySettings::default()
    };
    assert!(change!(store, |tx, id, settings| accounts::change_settings(tx, &id, &settings)));
    assert_eq!(look!(store, |tx, id| accounts::find(tx, &id)).unwrap().settings, settings);
    let other = new_account("accounts-7").id;
    assert_eq!(change!(store, |tx, id| accounts::bump_epoch(tx, &id)), Some(2));
    assert_eq!(change!(store, |tx, other| accounts::bump_epoch(tx, &other)), None);
    assert_eq!(look!(store, |tx, id| accounts::find(tx, &id)).unwrap().epoch, 2);
    assert!(!change!(store, |tx, other, settings| accounts::change_settings(tx, &other, &settings)));
}
