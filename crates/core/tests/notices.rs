//! Notices: each change of a person's security is told to him, in the transaction of the change, and nothing else is.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_core::delivery::{AfterFailure, ClaimedMail, LEASE, MailFailure};
use countersign_core::logon::LogonStep;
use countersign_core::operator::OwnerPassword;
use countersign_core::users::{LoginChange, PasswordChange, UserFacts};
use countersign_core::{Countersign, Origin, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::notice::{Doer, NoticeKind};
use countersign_testkit::people::{OWNER_PASSWORD, USER_PASSWORD, expose, facts, login, login_with_mfa, one_code};
use countersign_testkit::{Account, Kit, Person, Phone, both_engines, origin, reason, refusal};
use std::time::Duration;

both_engines! {
    async fn every_change_by_oneself_is_told(kit: Kit) {
        let acme = kit.account("acme").await;
        let core = kit.core();
        let visitor = kit.owner_session(&acme).await;
        let (visitor, old) = kit.bind_own(&acme.owner, &visitor).await;
        core.start_own_binding(&visitor.actor, OWNER_PASSWORD.into(), origin()).await.unwrap();
        let new = Phone::scan(&core.own_binding(&visitor.actor).await.unwrap());
        let mut typed = one_code(new.code(&kit));
        typed.of_replaced = old.code(&kit);
        let visitor = kit.visitor(core.confirm_own_binding(&visitor.actor, typed, origin()).await.unwrap()).await;
        kit.next_step();
        let visitor = kit.visitor(core.unbind_own(&visitor.actor, new.code(&kit), origin()).await.unwrap()).await;
        let change = core.change_own_password(&visitor.actor, OWNER_PASSWORD.into(), "another long one".into(), origin());
        let visitor = kit.visitor(change.await.unwrap()).await;

        let told = core.own_notices(&visitor.actor).await.unwrap();
        let kinds: Vec<NoticeKind> = told.iter().rev().map(|notice| notice.kind).collect();
        assert_eq!(
            kinds,
            [
                NoticeKind::MfaBound,
                NoticeKind::MfaReplaced,
                NoticeKind::MfaUnbound,
                NoticeKind::PasswordChanged
            ]
        );
        for notice in &told {
            assert_eq!(notice.facts.by, Doer::Oneself);
            assert_eq!((notice.facts.logon_name.as_str(), notice.facts.alias.as_str()), ("owner@acme.example", "acme"));
            assert_eq!((notice.facts.address.as_str(), notice.facts.user_agent.as_str()), ("192.0.2.7", "a test"));
        }
        let mails = claim(core).await;
        assert_eq!(mails.len(), 4);
        assert!(mails.iter().all(|mail| mail.recipient.as_str() == "owner@acme.example" && mail.language == "en"));
    }

    async fn every_change_by_an_administrator_is_told(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.administrator(&acme, "rita").await;
        let rita = kit.session(&rita).await.actor;
        let alice = reachable(&kit, &acme, "alice").await;
        let core = kit.core();
        kit.bind_for(&acme, "alice").await;
        core.unbind_for(&rita, "alice", origin()).await.unwrap();
        core.reset_password(&rita, "alice", origin()).await.unwrap();
        core.change_login_profile(&rita, "alice", login(), origin()).await.unwrap();
        let keep = LoginChange { password: PasswordChange::Keep, ..login() };
        core.change_login_profile(&rita, "alice", keep, origin()).await.unwrap();

        let mails = claim(core).await;
        let told: Vec<(NoticeKind, Doer)> =
            mails.iter().map(|mail| (mail.notice.kind, mail.notice.facts.by.clone())).collect();
        let by = |name: &str| Doer::Administrator(name.to_owned());
        assert_eq!(told, [
            (NoticeKind::MfaBound, by("owner@acme.example")),
            (NoticeKind::MfaUnbound, by("rita")),
            (NoticeKind::PasswordChanged, by("rita")),
            (NoticeKind::PasswordChanged, by("rita")),
        ], "a kept password is none that changed");
        assert!(mails.iter().all(|mail| mail.recipient.as_str() == "alice@mail.example"));
        assert_eq!(mails[0].notice.facts.logon_name, "alice@acme.countersign.local");
        let own = core.own_notices(&kit.session(&alice).await.actor).await.unwrap();
        assert_eq!(own.iter().filter(|notice| notice.kind != NoticeKind::NewMachine).count(), 4);
    }

    async fn changes_at_logon_are_told(kit: Kit) {
        let acme = kit.account("acme").await;
        let core = kit.core();
        let must = LoginChange { reset_required: true, ..login_with_mfa() };
        let alice = kit.ram_user_with(&acme, "alice", Some(must)).await;
        let token = kit.waiting(&alice, LogonState::ChoosePassword).await;
        let step = core.logon_with_new_password(&token, "another long phrase".into(), origin()).await.unwrap();
        let LogonStep::Ask { token, .. } = step else { panic!("{step:?}") };
        core.start_logon_binding(&token, origin()).await.unwrap();
        let phone = Phone::scan(&core.logon_binding(&token).await.unwrap());
        let step = core.confirm_logon_binding(&token, one_code(phone.code(&kit)), origin()).await.unwrap();
        let visitor = kit.opened(step).await;
        let told = core.own_notices(&visitor.actor).await.unwrap();
        let told: Vec<_> = told.iter().map(|notice| (notice.kind, &notice.facts.by)).collect();
        assert_eq!(told, [(NoticeKind::MfaBound, &Doer::Oneself), (NoticeKind::PasswordChanged, &Doer::Oneself)]);
        // Nobody knows an address of his: the notices wait for him, and no mail does.
        assert_eq!(kit.count("outbox").await, 0);
    }

    async fn what_the_operator_does_is_told(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        kit.core().reset_owner_mfa("acme").await.unwrap();
        kit.core().reset_owner_password("acme", OwnerPassword::Generate).await.unwrap();
        let mails = claim(kit.core()).await;
        let told: Vec<_> = mails.iter().skip(1).map(|mail| (mail.notice.kind, &mail.notice.facts.by)).collect();
        assert_eq!(told, [(NoticeKind::MfaUnbound, &Doer::Operator), (NoticeKind::PasswordChanged, &Doer::Operator)]);
    }

    async fn attack_071_a_changed_contact_is_told_at_the_old_address_too(kit: Kit) {
        let acme = kit.account("acme").await;
        reachable(&kit, &acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let set = async |email: Option<&str>| {
            let facts = UserFacts { email: email.map(|email| email.parse().unwrap()), ..facts("alice") };
            kit.core().update_user(&owner, "alice", facts, origin()).await.unwrap();
            let mut to: Vec<_> = claim(kit.core()).await.iter().map(|mail| mail.recipient.to_string()).collect();
            to.sort();
            to
        };
        assert_eq!(set(Some("evil@mail.example")).await, ["alice@mail.example", "evil@mail.example"]);
        assert_eq!(set(Some("evil@mail.example")).await, [""; 0], "nothing changed");
        assert_eq!(set(None).await, ["evil@mail.example"]);
        assert_eq!(set(Some("alice@mail.example")).await, ["alice@mail.example"]);
        assert_eq!(kit.int("SELECT COUNT(*) FROM notices WHERE kind = 'contact-changed'", &[]).await, 3);
    }

    async fn attack_001_a_replayed_code_is_told_once_an_hour(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let replay = async || {
            let code = phone.code(&kit);
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let step = kit.core().logon_with_code(&token, code.clone(), origin()).await.unwrap();
            let visitor = kit.opened(step).await;
            for _ in 0..3 {
                let token = kit.waiting(&alice, LogonState::SecondFactor).await;
                assert_eq!(reason(kit.core().logon_with_code(&token, code.clone(), origin()).await), "otp_replay");
            }
            kit.next_step();
            let told = kit.core().own_notices(&visitor.actor).await.unwrap();
            told.iter().filter(|notice| notice.kind == NoticeKind::CodeReplayed).count()
        };
        assert_eq!(replay().await, 1);
        assert_eq!(replay().await, 1);
        kit.advance(Duration::from_hours(1));
        assert_eq!(replay().await, 2);
    }

    async fn refused_changes_are_told_nobody(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let before = kit.count("notices").await;
        let core = kit.core();
        refusal(core.unbind_own(&visitor.actor, phone.wrong_code(&kit), origin()).await);
        refusal(core.change_own_password(&visitor.actor, "no".into(), "another long one".into(), origin()).await);
        refusal(core.change_own_password(&visitor.actor, USER_PASSWORD.into(), "short".into(), origin()).await);
        refusal(core.unbind_for(&visitor.actor, "alice", origin()).await);
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        refusal(core.logon_with_code(&token, phone.wrong_code(&kit), origin()).await);
        assert_eq!(kit.count("notices").await, before);
    }

    async fn a_notice_that_cannot_be_written_undoes_the_change(kit: Kit) {
        let acme = kit.account("acme").await;
        let visitor = kit.owner_session(&acme).await;
        kit.sql("ALTER TABLE notices RENAME TO lost", &[]).await;
        let change = kit.core().change_own_password(&visitor.actor, OWNER_PASSWORD.into(), "another long one".into(), origin());
        assert!(matches!(change.await, Err(countersign_core::Error::Fault(_))));
        kit.sql("ALTER TABLE lost RENAME TO notices", &[]).await;
        kit.session(&acme.owner).await;
    }

    async fn attack_060_no_notice_holds_a_code_a_password_or_a_seed(kit: Kit) {
        let acme = kit.account("acme").await;
        let core = kit.core();
        let alice = reachable(&kit, &acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let generated = core.reset_password(&owner, "alice", origin()).await.unwrap();
        let alice = Person { password: expose(&generated), ..alice };
        let token = kit.waiting(&alice, LogonState::ChoosePassword).await;
        let chosen = "another long phrase";
        let step = core.logon_with_new_password(&token, chosen.into(), origin()).await.unwrap();
        let visitor = kit.opened(step).await;
        let alice = Person { password: chosen.to_owned(), ..alice };
        let (visitor, phone) = kit.bind_own(&alice, &visitor).await;
        let code = phone.code(&kit);
        core.unbind_own(&visitor.actor, code.clone(), origin()).await.unwrap();
        let tokens: Vec<String> =
            claim(core).await.iter().map(|mail| expose(&mail.notice.disown_token)).collect();
        assert_eq!(tokens.len(), 4);
        for table in ["notices", "outbox"] {
            let dump = kit.dump_of(table).await;
            for secret in [USER_PASSWORD, chosen, &alice.password, &expose(&generated), visitor.token.expose()] {
                assert!(!dump.holds(secret.as_bytes()), "{table}: {secret}");
            }
            assert!(!dump.holds(expose(&phone.seed().to_base32()).as_bytes()));
            for token in &tokens {
                assert!(!dump.holds(token.split('.').nth(1).unwrap().as_bytes()), "a link is not stored");
            }
        }
        let told = kit.rows("SELECT facts FROM notices", &[]).await;
        assert!(told.iter().all(|row| !format!("{row:?}").contains(&code)));
    }

    async fn the_language_is_that_of_the_last_logon(kit: Kit) {
        let acme = kit.account("acme").await;
        reachable(&kit, &acme, "alice").await;
        kit.sql("UPDATE principals SET language = 'zh-CN' WHERE name = 'alice'", &[]).await;
        kit.bind_for(&acme, "alice").await;
        assert_eq!(claim(kit.core()).await[0].language, "zh-CN");
    }

    async fn a_mail_is_taken_up_by_one_of_two_nodes(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let second = kit.second_node().await;
        for number in 0..20 {
            let name = format!("user{number}");
            reachable(&kit, &acme, &name).await;
            kit.core().reset_password(&kit.owner_session(&acme).await.actor, &name, origin()).await.unwrap();
        }
        let first = kit.core().clone();
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let node = if number % 2 == 0 { first.clone() } else { second.clone() };
                tokio::spawn(async move { without_logons(node.claim_notices(5).await.unwrap()) })
            })
            .collect();
        let mut ids = Vec::new();
        for task in tasks {
            ids.extend(task.await.unwrap().into_iter().map(|mail| mail.notice.id));
        }
        ids.extend(claim(kit.core()).await.into_iter().map(|mail| mail.notice.id));
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((all, ids.len()), (20, 20));
    }

    async fn a_mail_whose_sender_died_is_due_again_and_sent_once_told(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        let core = kit.core();
        let [first] = claim(core).await.try_into().unwrap();
        assert!(claim(core).await.is_empty(), "it is being sent");
        kit.advance(LEASE);
        let [again] = claim(core).await.try_into().unwrap();
        assert_eq!((&again.notice.id, again.attempt), (&first.notice.id, 2));
        assert_eq!(expose(&again.notice.disown_token), expose(&first.notice.disown_token));
        // The first was slow, not dead: what it sent is sent, and what it could not is not its to say any more.
        core.notice_failed(&first, MailFailure::ForGood, "slow").await.unwrap();
        core.notice_sent(&first).await.unwrap();
        core.notice_failed(&again, MailFailure::ForNow, "late").await.unwrap();
        kit.advance(Duration::from_hours(72));
        assert!(claim(core).await.is_empty());
        assert_eq!(states(&kit).await, ["sent "]);
    }

    async fn a_mail_that_fails_is_tried_for_two_days_and_then_given_up(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        let core = kit.core();
        let begun = core.now();
        let mut attempts = 0;
        loop {
            let [mail] = claim(core).await.try_into().unwrap();
            attempts += 1;
            let error = format!("450 busy\r\nX-Evil: {}", "x".repeat(2_000));
            match core.notice_failed(&mail, MailFailure::ForNow, &error).await.unwrap() {
                AfterFailure::RetryAt(at) => {
                    assert!(claim(core).await.is_empty());
                    kit.advance(at.since(core.now()));
                }
                AfterFailure::GivenUp => break,
            }
        }
        assert_eq!(attempts, 9);
        assert!(core.now().since(begun) > Duration::from_hours(46));
        kit.advance(Duration::from_hours(72));
        assert!(claim(core).await.is_empty());
        let [state] = states(&kit).await.try_into().unwrap();
        assert!(state.starts_with("failed 450 busyX-Evil: x") && state.len() < 520, "{state}");
    }

    async fn a_mail_refused_for_good_is_given_up_at_once(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        let [mail] = claim(kit.core()).await.try_into().unwrap();
        let after = kit.core().notice_failed(&mail, MailFailure::ForGood, "550 no such mailbox").await.unwrap();
        assert_eq!(after, AfterFailure::GivenUp);
        assert_eq!(states(&kit).await, ["failed 550 no such mailbox"]);
        let owner = kit.core();
        kit.advance(Duration::from_hours(72));
        assert!(claim(owner).await.is_empty());
    }

    async fn a_mail_that_kills_its_senders_is_given_up(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        for _ in 0..12 {
            assert_eq!(claim(kit.core()).await.len(), 1);
            kit.advance(LEASE);
        }
        assert!(claim(kit.core()).await.is_empty());
        assert!(states(&kit).await[0].starts_with("failed "));
    }

    async fn notices_go_after_ninety_days(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        kit.advance(Duration::from_hours(24 * 89));
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("notices").await, 1);
        kit.advance(Duration::from_hours(25));
        kit.core().sweep().await.unwrap();
        assert_eq!((kit.count("notices").await, kit.count("outbox").await), (0, 0));
    }

    async fn a_deleted_user_leaves_no_mail_behind(kit: Kit) {
        let acme = kit.account("acme").await;
        reachable(&kit, &acme, "alice").await;
        kit.bind_for(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().delete_user(&owner, "alice", "alice", &Origin::default()).await.unwrap();
        assert!(claim(kit.core()).await.is_empty());
        assert_eq!(refusal(kit.core().disown(&owner, "x", origin()).await), Refusal::NoticeOver);
    }
}

/// All mails that are due.
/// The mails but those of logons: each logon of these tests comes from a browser not seen before.
fn without_logons(mut mails: Vec<ClaimedMail>) -> Vec<ClaimedMail> {
    mails.retain(|mail| mail.notice.kind != NoticeKind::NewMachine);
    mails
}

async fn claim(core: &Countersign) -> Vec<ClaimedMail> {
    without_logons(core.claim_notices(100).await.unwrap())
}

/// A RAM user with [`USER_PASSWORD`] and a contact address.
async fn reachable(kit: &Kit, account: &Account, name: &str) -> Person {
    let owner = kit.owner_session(account).await.actor;
    let facts = UserFacts { email: Some(format!("{name}@mail.example").parse().unwrap()), ..facts(name) };
    kit.core().create_user(&owner, facts, Some(login()), origin()).await.unwrap();
    Person {
        account: account.id.clone(),
        name: name.to_owned(),
        logon_name: countersign_testkit::people::ram_user_name(name, &account.alias),
        password: USER_PASSWORD.to_owned(),
    }
}

/// The state and the last error of every mail.
async fn states(kit: &Kit) -> Vec<String> {
    let rows = kit.rows("SELECT state || ' ' || last_error FROM outbox", &[]).await;
    rows.into_iter()
        .flatten()
        .filter_map(|value| if let countersign_store::Value::Text(text) = value { Some(text) } else { None })
        .collect()
}
