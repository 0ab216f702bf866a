//! Login profiles.

use countersign_model::principal::{ConsoleLogon, LoginProfile};
use countersign_store::{Store, login_profiles, principals};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{NOON, account, second, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "profiles-1").await;
    let (alice, bob) = (user(store, &house, "alice").await.id, user(store, &house, "bob").await.id);
    let account_id = house.id;
    assert!(look!(store, |tx, account_id, alice| login_profiles::find(tx, &account_id, &alice)).is_none());

    let bare = new_profile(None);
    change!(store, |tx, account_id, alice, bare| login_profiles::put(tx, &account_id, &alice, &bare));
    let found = look!(store, |tx, account_id, alice| login_profiles::find(tx, &account_id, &alice)).unwrap();
    assert_eq!((found.password_hash.is_none(), found.password_changed_at), (true, None));
    assert_eq!((found.console_logon, found.created_at), (ConsoleLogon::Disabled, NOON));
    assert!(!found.password_reset_required && !found.mfa_bind_required);

    let full = LoginProfile {
        console_logon: ConsoleLogon::Enabled,
        password_changed_at: Some(NOON.plus(second(1))),
        password_reset_required: true,
        password_is_initial: true,
        mfa_bind_required: true,
        created_at: NOON.plus(second(2)),
        enabled_at: NOON.plus(second(3)),
        ..new_profile(Some("$argon2id$one"))
    };
    change!(store, |tx, account_id, alice, full| login_profiles::put(tx, &account_id, &alice, &full));
    let found = look!(store, |tx, account_id, alice| login_profiles::find(tx, &account_id, &alice)).unwrap();
    assert_eq!(found.password_hash.unwrap().expose_secret(), "$argon2id$one");
    assert_eq!((found.console_logon, found.password_changed_at), (ConsoleLogon::Enabled, full.password_changed_at));
    assert!(found.password_reset_required && found.password_is_initial && found.mfa_bind_required);
    assert_eq!(found.enabled_at, full.enabled_at);
    assert_eq!(found.created_at, NOON, "a profile is made once");
    assert!(look!(store, |tx, account_id, bob| login_profiles::find(tx, &account_id, &bob)).is_none());

    change!(store, |tx, account_id, bob, bare| login_profiles::put(tx, &account_id, &bob, &bare));
    assert!(change!(store, |tx, account_id, bob| login_profiles::delete(tx, &account_id, &bob)));
    assert!(!change!(store, |tx, account_id, bob| login_profiles::delete(tx, &account_id, &bob)));

    // A rehash replaces the very hash that was checked, and no other.
    let hash = async || {
        let found = look!(store, |tx, account_id, alice| login_profiles::find(tx, &account_id, &alice));
        found.unwrap().password_hash.unwrap().expose_secret().to_owned()
    };
    let rehash = async |old: &str, new: &'static str| {
        let old = SecretString::from(old);
        change!(store, |tx, account_id, alice, old| login_profiles::rehash(tx, &account_id, &alice, &old, new));
    };
    rehash("$argon2id$other", "$argon2id$two").await;
    assert_eq!(hash().await, "$argon2id$one");
    rehash("$argon2id$one", "$argon2id$two").await;
    assert_eq!(hash().await, "$argon2id$two");

    // Idle is whoever has console logon that was neither used nor enabled since.
    let idle = async |since: u64| {
        let since = NOON.plus(second(since));
        let idle = look!(store, |tx, account_id| login_profiles::list_idle(tx, &account_id, since, 10));
        idle.into_iter().map(|user| (user.name, user.last_logon_at, user.enabled_at)).collect::<Vec<_>>()
    };
    assert_eq!(idle(2).await, []);
    assert_eq!(idle(3).await, [("alice".to_owned(), None, full.enabled_at)]);
    let at = NOON.plus(second(5));
    change!(store, |tx, account_id, alice| principals::mark_logon(tx, &account_id, &alice, ("", "en"), at));
    assert_eq!(idle(4).await, []);
    assert_eq!(idle(5).await.len(), 1);
    let off = LoginProfile { console_logon: ConsoleLogon::Disabled, ..full.clone() };
    change!(store, |tx, account_id, alice, off| login_profiles::put(tx, &account_id, &alice, &off));
    assert_eq!(idle(5).await, []);

    change!(store, |tx, account_id, alice| principals::delete(tx, &account_id, &alice));
    assert!(look!(store, |tx, account_id, alice| login_profiles::find(tx, &account_id, &alice)).is_none());
}

pub(crate) fn new_profile(hash: Option<&str>) -> LoginProfile {
    LoginProfile {
        console_logon: ConsoleLogon::Disabled,
        password_hash: hash.map(SecretString::from),
        password_changed_at: None,
        password_reset_required: false,
        password_is_initial: false,
        mfa_bind_required: false,
        created_at: NOON,
        enabled_at: NOON,
    }
}
