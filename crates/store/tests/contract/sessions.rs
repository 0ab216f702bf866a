//! Sessions.

use countersign_model::Timestamp;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::SessionId;
use countersign_model::logon::Method;
use countersign_model::principal::{Principal, PrincipalKind, SystemPolicy};
use countersign_model::session::Session;
use countersign_store::sessions::{self, Origin};
use countersign_store::{Store, Tx, attachments, principals};

use crate::{NOON, account, new_owner, second, sixteen_at_once, user};

const FROM: Origin<'static> = Origin { address: "192.0.2.7", user_agent: "a browser" };

pub(crate) async fn cases(store: &Store) {
    a_session_knows_whose_it_is_now(store).await;
    a_session_is_renewed_seen_and_ended(store).await;
    the_oldest_sessions_give_way(store).await;
    ended_and_idle_sessions_are_swept(store).await;
    sessions_are_listed_and_ended_one_by_one(store).await;
}

async fn sessions_are_listed_and_ended_one_by_one(store: &Store) {
    let house = account(store, "sessions-9").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let mut stored = Vec::new();
    for (byte, age) in [(91, 1), (92, 2), (93, 3)] {
        stored.push(open(store, &alice, [byte; 32], NOON.minus(second(age))).await.id);
    }
    open(store, &bob, [94; 32], NOON).await;
    let (account_id, alice, bob) = (house.id, alice.id, bob.id);
    let list = async || look!(store, |tx, account_id, alice| sessions::list(tx, &account_id, &alice));
    let listed = list().await;
    assert_eq!(listed.iter().map(|line| line.id.clone()).collect::<Vec<_>>(), stored);
    assert_eq!((listed[0].address.as_str(), listed[0].user_agent.as_str()), (FROM.address, FROM.user_agent));
    assert_eq!((listed[0].principal_epoch, listed[0].account_epoch), (1, 1));
    assert_eq!(listed[0].methods, [Method::Password, Method::VirtualMfa]);
    let first = stored[0].clone();
    assert!(!change!(store, |tx, account_id, bob, first| sessions::end(tx, &account_id, &bob, &first)));
    assert!(change!(store, |tx, account_id, alice, first| sessions::end(tx, &account_id, &alice, &first)));
    assert!(!change!(store, |tx, account_id, alice, first| sessions::end(tx, &account_id, &alice, &first)));
    let kept = stored[2].clone();
    assert_eq!(
        change!(store, |tx, account_id, alice, kept| sessions::end_others(tx, &account_id, &alice, kept.as_str())),
        1
    );
    assert_eq!(list().await.len(), 1);
    assert_eq!(look!(store, |tx, account_id, bob| sessions::list(tx, &account_id, &bob)).len(), 1);
}

async fn a_session_knows_whose_it_is_now(store: &Store) {
    let house = account(store, "sessions-1").await;
    let alice = Principal { display_name: "Alice B.".parse().unwrap(), ..crate::new_user(&house, "alice") };
    assert!(change!(store, |tx, alice| principals::insert(tx, &alice)));
    let owner = new_owner(&house, "owner@sessions-1.example");
    assert!(change!(store, |tx, owner| principals::insert(tx, &owner)));
    let stored = open(store, &alice, [31; 32], NOON).await;
    open(store, &owner, [32; 32], NOON).await;
    let found = look!(store, |tx| sessions::find(tx, &[31; 32])).unwrap();
    assert_eq!(format!("{:?}", found.session), format!("{stored:?}"));
    assert_eq!((found.kind, found.name.as_str()), (PrincipalKind::RamUser, "alice"));
    assert_eq!((found.display_name.as_str(), found.alias.as_str()), ("Alice B.", "sessions-1"));
    assert_eq!(
        (found.principal_epoch, found.account_epoch, found.administrator_by, found.has_policies),
        (1, 1, None, false)
    );
    assert_eq!(*found.settings, house.settings);
    let found = look!(store, |tx| sessions::find(tx, &[32; 32])).unwrap();
    assert_eq!((found.kind, found.name.as_str()), (PrincipalKind::Owner, "owner@sessions-1.example"));
    assert!(look!(store, |tx| sessions::find(tx, &[30; 32])).is_none());

    let (account_id, id) = (house.id, alice.id);
    for policy in [SystemPolicy::AliyunRamFullAccess, SystemPolicy::AdministratorAccess] {
        change!(store, |tx, account_id, id| attachments::attach_to_user(tx, &account_id, &id, &policy.into(), NOON));
    }
    change!(store, |tx, account_id, id| principals::bump_epoch(tx, &account_id, &id, NOON));
    let found = look!(store, |tx| sessions::find(tx, &[31; 32])).unwrap();
    assert_eq!((found.administrator_by, found.has_policies), (Some(SystemPolicy::AdministratorAccess), true));
    assert_eq!((found.principal_epoch, found.session.principal_epoch), (2, 1));
    change!(store, |tx, account_id, id| principals::delete(tx, &account_id, &id));
    assert!(look!(store, |tx| sessions::find(tx, &[31; 32])).is_none());
}

async fn a_session_is_renewed_seen_and_ended(store: &Store) {
    let house = account(store, "sessions-2").await;
    let alice = user(store, &house, "alice").await;
    let stored = open(store, &alice, [41; 32], NOON).await;
    let renew = async |tx: &mut Tx<'_>| sessions::renew(tx, &[41; 32], &[42; 32], 2).await;
    assert_eq!(sixteen_at_once(store, renew).await, 1);
    assert!(look!(store, |tx| sessions::find(tx, &[41; 32])).is_none());
    let found = look!(store, |tx| sessions::find(tx, &[42; 32])).unwrap().session;
    assert_eq!((found.id, found.principal_epoch, found.created_at), (stored.id, 2, NOON));

    let renew = async |tx: &mut Tx<'_>| sessions::renew_in_account(tx, &[42; 32], &[43; 32], 7).await;
    assert_eq!(sixteen_at_once(store, renew).await, 1);
    let found = look!(store, |tx| sessions::find(tx, &[43; 32])).unwrap().session;
    assert_eq!((found.principal_epoch, found.account_epoch, found.created_at), (2, 7, NOON));
    assert!(change!(store, |tx| sessions::renew_in_account(tx, &[43; 32], &[42; 32], 1)));

    let seen = async || look!(store, |tx| sessions::find(tx, &[42; 32])).unwrap().session.last_seen_at;
    let later = NOON.plus(second(60));
    change!(store, |tx| sessions::mark_seen(tx, &[42; 32], later));
    assert_eq!(seen().await, later);
    change!(store, |tx| sessions::mark_seen(tx, &[42; 32], NOON));
    assert_eq!(seen().await, later, "what was seen is not unseen");
    let ended = sixteen_at_once(store, async |tx| sessions::delete(tx, &[42; 32]).await).await;
    assert_eq!(ended, 1);
    assert!(look!(store, |tx| sessions::find(tx, &[42; 32])).is_none());
}

async fn the_oldest_sessions_give_way(store: &Store) {
    let house = account(store, "sessions-3").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    for number in 0..5 {
        open(store, &alice, [50 + number; 32], NOON.plus(second(u64::from(number)))).await;
    }
    open(store, &bob, [59; 32], NOON).await;
    let (account_id, id) = (house.id, alice.id);
    assert_eq!(change!(store, |tx, account_id, id| sessions::trim(tx, &account_id, &id, 5)), 0);
    assert_eq!(change!(store, |tx, account_id, id| sessions::trim(tx, &account_id, &id, 2)), 3);
    for (hash, left) in [(50, false), (51, false), (52, false), (53, true), (54, true), (59, true)] {
        assert_eq!(look!(store, |tx| sessions::find(tx, &[hash; 32])).is_some(), left, "{hash}");
    }
}

async fn ended_and_idle_sessions_are_swept(store: &Store) {
    let house = account(store, "sessions-4").await;
    let alice = user(store, &house, "alice").await;
    open(store, &alice, [61; 32], NOON).await;
    open(store, &alice, [62; 32], NOON.plus(second(100))).await;
    open(store, &alice, [63; 32], NOON.plus(second(200))).await;
    // The first ends at 1,000; the second was last seen at 100.
    change!(store, |tx| sessions::sweep(tx, NOON.plus(second(1_000)), NOON));
    let left = async || {
        let mut left = Vec::new();
        for hash in 61..=63 {
            if look!(store, |tx| sessions::find(tx, &[hash; 32])).is_some() {
                left.push(hash);
            }
        }
        left
    };
    assert_eq!(left().await, [61, 62, 63]);
    change!(store, |tx| sessions::sweep(tx, NOON.plus(second(1_001)), NOON));
    assert_eq!(left().await, [62, 63]);
    change!(store, |tx| sessions::sweep(tx, NOON, NOON.plus(second(101))));
    assert_eq!(left().await, [63]);
}

/// Opens a session that ends a thousand seconds later.
pub(crate) async fn open(store: &Store, principal: &Principal, hash: [u8; 32], at: Timestamp) -> Session {
    let session = Session {
        id: SessionId::generate(&OsEntropy),
        account_id: principal.account_id.clone(),
        principal_id: principal.id.clone(),
        principal_epoch: principal.epoch,
        account_epoch: 1,
        methods: vec![Method::Password, Method::VirtualMfa],
        created_at: at,
        last_seen_at: at,
        expires_at: at.plus(second(1_000)),
    };
    change!(store, |tx, session| sessions::insert(tx, &hash, &session, FROM));
    session
}
