//! Users counted by what a change of the settings would do to them.

use countersign_model::Timestamp;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::{MachineId, SessionId};
use countersign_model::logon::Method;
use countersign_model::machine::RememberedMachine;
use countersign_model::principal::{Account, ConsoleLogon, LoginProfile, SystemPolicy};
use countersign_model::session::Session;
use countersign_store::forecast::{self, Alike, Class, Thresholds};
use countersign_store::sessions::{self, Origin};
use countersign_store::{Store, accounts, attachments, login_profiles, machines, principals, webauthn_credentials};

use crate::of_login_profiles::new_profile;
use crate::of_virtual_mfa::bind;
use crate::of_webauthn_credentials::new_key;
use crate::{NOON, account, second, user};

/// Console logon with a password of its own, long before everything.
fn enabled(at: Timestamp, initial: bool) -> LoginProfile {
    LoginProfile {
        console_logon: ConsoleLogon::Enabled,
        password_changed_at: Some(at),
        password_is_initial: initial,
        enabled_at: at,
        ..new_profile(Some("x"))
    }
}

const LATE: u64 = 1_000;

pub(crate) async fn cases(store: &Store) {
    let (house, empty) = (account(store, "forecast-1").await, account(store, "forecast-2").await);
    let late = NOON.plus(second(LATE));
    let profiles = [
        ("alice", enabled(NOON, false)),
        ("bob", enabled(late, true)),
        ("carol", LoginProfile { mfa_bind_required: true, ..enabled(NOON, true) }),
        ("dave", enabled(NOON, false)),
        ("off", LoginProfile { console_logon: ConsoleLogon::Disabled, ..enabled(NOON, false) }),
    ];
    for (name, profile) in profiles {
        let made = user(store, &house, name).await;
        let (account_id, id) = (house.id.clone(), made.id.clone());
        change!(store, |tx, account_id, id, profile| login_profiles::put(tx, &account_id, &id, &profile));
        if name == "alice" {
            bind(store, &made, 1).await;
            let from = ("192.0.2.7", "en");
            change!(store, |tx, account_id, id| principals::mark_logon(tx, &account_id, &id, from, late));
            for policy in [SystemPolicy::AdministratorAccess, SystemPolicy::AliyunRamFullAccess] {
                change!(store, |tx, account_id, id| attachments::attach_to_user(
                    tx,
                    &account_id,
                    &id,
                    &policy.into(),
                    NOON
                ));
            }
        }
    }
    users_are_sorted_into_classes(store, &house, &empty).await;
    administrators_are_named(store, &house).await;
    users_are_told_with_their_addresses(store, &house).await;
    users_with_a_remembered_machine_are_told(store, &house).await;
    good_sessions_are_counted(store, &house).await;
    keys_of_those_who_have_nothing_else_are_told(store, &house).await;
}

fn thresholds(after: u64) -> Thresholds {
    let at = NOON.plus(second(after));
    Thresholds { idle_since: at, changed_before: at, initial_before: at }
}

const NOBODY_SPECIAL: Class =
    Class { bound: false, bind_required: false, idle: false, outlived: false, initial_outlived: false };

async fn users_are_sorted_into_classes(store: &Store, house: &Account, empty: &Account) {
    let (account_id, other) = (house.id.clone(), empty.id.clone());
    let classes = look!(store, |tx, account_id| forecast::classes(tx, &account_id, thresholds(1)));
    assert_eq!(classes.iter().map(|alike| alike.users).sum::<i64>(), 4, "those without console logon do not count");
    let expected = [
        Class { bound: true, outlived: true, ..NOBODY_SPECIAL },
        NOBODY_SPECIAL,
        Class { bind_required: true, idle: true, outlived: true, initial_outlived: true, ..NOBODY_SPECIAL },
        Class { idle: true, outlived: true, ..NOBODY_SPECIAL },
    ];
    for class in expected {
        assert!(classes.contains(&Alike { class, address: None, users: 1 }), "{class:?} in {classes:?}");
    }
    assert!(look!(store, |tx, other| forecast::classes(tx, &other, thresholds(1))).is_empty());
}

async fn administrators_are_named(store: &Store, house: &Account) {
    let account_id = house.id.clone();
    let rows = look!(store, |tx, account_id| forecast::administrators(tx, &account_id, thresholds(LATE), 10));
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!((row.name.as_str(), row.address.as_deref()), ("alice", Some("192.0.2.7")));
    assert_eq!(row.class, Class { bound: true, idle: true, outlived: true, ..NOBODY_SPECIAL });
    let none = look!(store, |tx, account_id| forecast::administrators(tx, &account_id, thresholds(1), 0));
    assert!(none.is_empty());
}

async fn users_are_told_with_their_addresses(store: &Store, house: &Account) {
    let account_id = house.id.clone();
    let places = look!(store, |tx, account_id| forecast::places(tx, &account_id, thresholds(1)));
    assert_eq!(places.iter().map(|alike| alike.users).sum::<i64>(), 4);
    let class = Class { bound: true, outlived: true, ..NOBODY_SPECIAL };
    assert!(places.contains(&Alike { class, address: Some("192.0.2.7".to_owned()), users: 1 }), "{places:?}");
    assert_eq!(places.iter().filter(|alike| alike.address.is_none()).count(), 3);
}

async fn users_with_a_remembered_machine_are_told(store: &Store, house: &Account) {
    let made = user(store, house, "frank").await;
    let (account_id, id, profile) = (house.id.clone(), made.id.clone(), enabled(NOON, false));
    change!(store, |tx, account_id, id, profile| login_profiles::put(tx, &account_id, &id, &profile));
    let machine = RememberedMachine {
        id: MachineId::generate(&OsEntropy),
        account_id: account_id.clone(),
        principal_id: id.clone(),
        principal_epoch: 1,
        account_epoch: 1,
        created_at: NOON,
        expires_at: NOON.plus(second(10)),
        last_used_at: NOON,
        address: String::new(),
        user_agent: String::new(),
    };
    change!(store, |tx, machine| machines::insert(tx, &machine, &[86; 32]));
    let remembered = async |epoch: i64, at: u64| {
        let now = NOON.plus(second(at));
        look!(store, |tx, account_id| forecast::remembered(tx, &account_id, epoch, now))
    };
    assert_eq!(remembered(1, 0).await, std::slice::from_ref(&id));
    assert_eq!(remembered(2, 0).await, [], "under an older policy");
    assert_eq!(remembered(1, 10).await, [], "no more");
    change!(store, |tx, account_id, id| principals::bump_epoch(tx, &account_id, &id, NOON));
    assert_eq!(remembered(1, 0).await, [], "something about him has changed");
}

async fn keys_of_those_who_have_nothing_else_are_told(store: &Store, house: &Account) {
    for name in ["disowned", "keyed", "beside a phone"] {
        let made = user(store, house, name).await;
        let (account_id, id, profile) = (house.id.clone(), made.id.clone(), enabled(NOON, false));
        change!(store, |tx, account_id, id, profile| login_profiles::put(tx, &account_id, &id, &profile));
        let key = new_key(&made, format!("forecast {name}").as_bytes(), "Key");
        change!(store, |tx, key| webauthn_credentials::insert(tx, &key));
        if name == "keyed" {
            let account_id = house.id.clone();
            let keys = look!(store, |tx, account_id| forecast::keys(tx, &account_id, "localhost"));
            assert_eq!(keys, [(made.id, key.make())]);
            assert_eq!(look!(store, |tx, account_id| forecast::keys(tx, &account_id, "elsewhere")), []);
        } else if name == "disowned" {
            let (account_id, id) = (house.id.clone(), made.id.clone());
            let since = Timestamp::from_micros(0);
            change!(store, |tx, account_id, id| webauthn_credentials::hold_since(tx, (&account_id, &id), since));
        } else {
            bind(store, &made, 1).await;
        }
    }
    let account_id = house.id.clone();
    assert_eq!(look!(store, |tx, account_id| forecast::keys(tx, &account_id, "localhost")).len(), 1);
}

async fn good_sessions_are_counted(store: &Store, house: &Account) {
    let made = user(store, house, "erin").await;
    for (hash, principal_epoch, account_epoch) in [(81, 1, 1), (82, 1, 1), (83, 2, 1), (84, 1, 2)] {
        let session = Session {
            id: SessionId::generate(&OsEntropy),
            account_id: house.id.clone(),
            principal_id: made.id.clone(),
            principal_epoch,
            account_epoch,
            methods: vec![Method::Password],
            created_at: NOON,
            last_seen_at: NOON.plus(second(hash)),
            expires_at: NOON.plus(second(500)),
        };
        let (key, from) = ([u8::try_from(hash).unwrap(); 32], Origin { address: "192.0.2.7", user_agent: "" });
        change!(store, |tx, session| sessions::insert(tx, &key, &session, from));
    }
    let account_id = house.id.clone();
    let good = async |now: u64, idle_since: u64| {
        let (now, idle_since) = (NOON.plus(second(now)), NOON.plus(second(idle_since)));
        look!(store, |tx, account_id| forecast::sessions(tx, &account_id, 1, now, idle_since))
    };
    assert_eq!(good(100, 0).await, 2, "not those of older epochs");
    assert_eq!(good(100, 81).await, 1, "not the idle one");
    assert_eq!(good(500, 0).await, 0, "not those that have ended");
    change!(store, |tx, account_id| accounts::bump_epoch(tx, &account_id));
}
