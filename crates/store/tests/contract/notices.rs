//! What people were told, and mail about it.

use countersign_model::Timestamp;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::NoticeId;
use countersign_model::names::EmailAddress;
use countersign_model::notice::{Doer, Notice, NoticeFacts, NoticeKind};
use countersign_model::principal::{Principal, PrincipalKind};
use countersign_store::outbox::{self, Attempt, Census, WaitingMail};
use countersign_store::{Store, Tx, notices, principals};

use crate::{NOON, account, new_owner, second, sixteen_at_once, user};

pub(crate) async fn cases(store: &Store) {
    notices_come_back_newest_first_and_are_disowned_once(store).await;
    an_addressee_is_reached_in_his_language(store).await;
    a_mail_is_leased_sent_and_retried(store).await;
    notices_are_swept_with_their_mail(store).await;
}

async fn notices_come_back_newest_first_and_are_disowned_once(store: &Store) {
    let house = account(store, "notices-1").await;
    let (alice, bob) = (user(store, &house, "alice").await, user(store, &house, "bob").await);
    let mut told = Vec::new();
    for number in 0..3 {
        told.push(tell(store, &alice, NoticeKind::MfaBound, NOON.plus(second(number))).await);
    }
    tell(store, &bob, NoticeKind::Locked, NOON).await;
    told.reverse();
    let list = async |since, limit| {
        let alice = alice.clone();
        look!(store, |tx, alice| notices::list(tx, &alice.account_id, &alice.id, since, limit))
    };
    assert_eq!(list(NOON, 10).await, told);
    assert_eq!(list(NOON, 1).await, told[..1]);
    assert_eq!(list(NOON.plus(second(1)), 10).await, told[..2]);

    let told_since = async |kind, since| {
        let alice = alice.clone();
        look!(store, |tx, alice| notices::was_told_since(tx, &alice.account_id, &alice.id, since, kind))
    };
    assert!(told_since(NoticeKind::MfaBound, NOON.plus(second(2))).await);
    assert!(!told_since(NoticeKind::MfaBound, NOON.plus(second(3))).await);
    assert!(!told_since(NoticeKind::Locked, NOON).await, "another's notice");

    let (account_id, id) = (house.id, told[0].id.clone());
    let disown = async move |tx: &mut Tx<'_>| notices::consume(tx, &account_id, &id, NOON.plus(second(7))).await;
    assert_eq!(sixteen_at_once(store, disown).await, 1);
    let id = told[0].id.clone();
    let found = look!(store, |tx, id| notices::find(tx, &id)).unwrap();
    assert_eq!(found, Notice { disowned_at: Some(NOON.plus(second(7))), ..told[0].clone() });
    let unknown = NoticeId::at(NOON, &OsEntropy);
    assert!(look!(store, |tx, unknown| notices::find(tx, &unknown)).is_none());
}

async fn an_addressee_is_reached_in_his_language(store: &Store) {
    let house = account(store, "notices-2").await;
    let (alice, owner) = (user(store, &house, "alice").await, new_owner(&house, "o@notices-2.example"));
    assert!(change!(store, |tx, owner| principals::insert(tx, &owner)));
    let found = look!(store, |tx, alice| notices::find_addressee(tx, &alice.account_id, &alice.id)).unwrap();
    assert_eq!((found.kind, found.name.as_str(), found.email), (PrincipalKind::RamUser, "alice", None));
    assert_eq!((found.language.as_str(), found.alias.as_str()), ("en", "notices-2"));
    let found = look!(store, |tx, owner| notices::find_addressee(tx, &owner.account_id, &owner.id)).unwrap();
    assert_eq!((found.kind, found.email.unwrap().as_str()), (PrincipalKind::Owner, "o@notices-2.example"));
    change!(store, |tx, alice| principals::delete(tx, &alice.account_id, &alice.id));
    assert!(look!(store, |tx, alice| notices::find_addressee(tx, &alice.account_id, &alice.id)).is_none());
}

async fn a_mail_is_leased_sent_and_retried(store: &Store) {
    let house = account(store, "notices-3").await;
    let alice = user(store, &house, "alice").await;
    let notice = tell(store, &alice, NoticeKind::PasswordChanged, NOON).await;
    for address in ["a@x.example", "b@x.example", "a@x.example"] {
        let address: EmailAddress = address.parse().unwrap();
        change!(store, |tx, notice, address| outbox::insert(tx, &notice, &address, "zh-CN"));
    }
    assert!(due(store, NOON.minus(second(1))).await.is_empty());
    assert_eq!(due(store, NOON).await.len(), 2, "one for each address");
    assert_eq!(look!(store, |tx| outbox::due(tx, NOON, 1)).len(), 1);
    let [a, b] = due(store, NOON).await.try_into().unwrap();
    assert_eq!((&a.notice, a.language.as_str(), a.attempts), (&notice, "zh-CN", 0));
    assert_ne!(a.recipient, b.recipient);

    let later = NOON.plus(second(300));
    let mail = a.clone();
    let lease = async move |tx: &mut Tx<'_>| outbox::lease(tx, &mail, later).await;
    assert_eq!(sixteen_at_once(store, lease).await, 1, "a mail is taken up by one");
    assert_eq!(due(store, NOON).await.len(), 1);
    let again = due(store, later).await.into_iter().find(|mail| mail.recipient == a.recipient).unwrap();
    assert_eq!(again.attempts, 1, "its sender died, and it is due again");

    // Only the latest attempt says that it failed; that it was sent, any.
    assert!(!change!(store, |tx, a| outbox::retry(tx, attempt(&a, 2), later, "no")));
    assert!(change!(store, |tx, a| outbox::retry(tx, attempt(&a, 1), later.plus(second(60)), "busy")));
    assert_eq!(due(store, later).await.len(), 1);
    assert!(!change!(store, |tx, a| outbox::give_up(tx, attempt(&a, 2), "no")));
    assert!(change!(store, |tx, a| outbox::mark_sent(tx, attempt(&a, 9))));
    assert!(!change!(store, |tx, a| outbox::mark_sent(tx, attempt(&a, 1))), "once");
    let before = look!(store, |tx| outbox::census(tx));
    assert!(change!(store, |tx, b| outbox::give_up(tx, attempt(&b, 0), "no such mailbox")));
    let after = look!(store, |tx| outbox::census(tx));
    assert_eq!(after, Census { waiting: before.waiting - 1, failed: before.failed + 1 });
    assert!(!change!(store, |tx, b| outbox::mark_sent(tx, attempt(&b, 0))));
    assert!(due(store, later.plus(second(86_400))).await.is_empty());
}

async fn notices_are_swept_with_their_mail(store: &Store) {
    let house = account(store, "notices-4").await;
    let alice = user(store, &house, "alice").await;
    // Long before what other cases tell of.
    let early = NOON.minus(second(86_400));
    let notice = tell(store, &alice, NoticeKind::Locked, early).await;
    let address: EmailAddress = "a@x.example".parse().unwrap();
    change!(store, |tx, notice, address| outbox::insert(tx, &notice, &address, "en"));
    let waiting = async || look!(store, |tx| outbox::census(tx)).waiting;
    let before = waiting().await;
    assert_eq!(change!(store, |tx| notices::sweep(tx, early)), 0);
    assert_eq!(change!(store, |tx| notices::sweep(tx, early.plus(second(1)))), 1);
    assert_eq!(waiting().await, before - 1);
}

async fn due(store: &Store, now: Timestamp) -> Vec<WaitingMail> {
    look!(store, |tx| outbox::due(tx, now, 100))
}

const fn attempt(mail: &WaitingMail, number: i64) -> Attempt<'_> {
    Attempt { account: &mail.notice.account_id, notice: &mail.notice.id, recipient: &mail.recipient, number }
}

async fn tell(store: &Store, who: &Principal, kind: NoticeKind, at: Timestamp) -> Notice {
    let notice = Notice {
        account_id: who.account_id.clone(),
        id: NoticeId::at(at, &OsEntropy),
        principal_id: who.id.clone(),
        kind,
        facts: NoticeFacts {
            alias: "acme".to_owned(),
            logon_name: "alice@acme 'x'".to_owned(),
            by: Doer::Administrator("rita".to_owned()),
            address: "2001:db8::7".to_owned(),
            user_agent: "a \"browser\"".to_owned(),
        },
        at,
        disowned_at: None,
    };
    change!(store, |tx, notice| notices::insert(tx, &notice));
    notice
}
