//! When the disk is full, the process dies or a caller hangs up: a code is spent with its session or not at all.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::logon::LogonStep;
use countersign_core::{Error, Origin};
use countersign_model::logon::LogonState;
use countersign_store::virtual_mfa::{self, SpentStep};
use countersign_store::{StoreError, Tx, Value};
use countersign_testkit::{Engine, Kit, Person, Phone, both_engines, origin, reason, run};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

both_engines! {
    async fn attack_148_what_is_torn_off_after_the_mark_leaves_nothing(mut kit: Kit) {
        let (alice, phone) = alice_and_her_phone(&kit).await;
        let sessions = kit.count("sessions").await;
        let device = "SELECT account_id, device_id, last_step FROM virtual_mfa";
        let before = kit.rows(device, &[]).await;
        let [row] = before.as_slice() else { panic!("{before:?}") };
        let [Value::Text(account), Value::Text(id), Value::Int(last)] = row.as_slice() else { panic!("{row:?}") };
        let (account, id, step) = (account.parse().unwrap(), id.parse().unwrap(), last + 100);
        // The unit of a logon, as far as the mark, and then the end.
        let torn = async move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            let spent = SpentStep { step, drift: 0, at: countersign_testkit::ManualClock::START };
            assert!(virtual_mfa::consume_step(tx, &account, &id, spent).await?);
            panic!("the process dies here")
        };
        assert!(matches!(kit.store().write(torn).await, Err(StoreError::Fault(_))));
        kit.restart().await;
        assert_eq!(kit.rows(device, &[]).await, before);
        assert_eq!(kit.count("sessions").await, sessions);
        kit.session_with(&alice, &phone).await;
    }

    async fn attack_148_a_caller_who_hangs_up_leaves_a_spent_code_and_a_whole_session(mut kit: Kit) {
        let (alice, phone) = alice_and_her_phone(&kit).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let (sessions, code) = (kit.count("sessions").await, phone.code(&kit));
        {
            let mut logon = pin!(kit.core().logon_with_code(&token, code.clone(), origin()));
            poll_fn(|context| Poll::Ready(logon.as_mut().poll(context).is_pending())).await;
        }
        // What was begun goes on to its end: wait for it behind it.
        while kit.count("sessions").await == sessions {
            tokio::task::yield_now().await;
        }
        kit.restart().await;
        assert_eq!((kit.count("sessions").await, kit.count("logons").await), (sessions + 1, 0));
        assert_eq!(try_code(&kit, &alice, code).await, "otp_replay");
        kit.next_step();
        kit.session_with(&alice, &phone).await;
    }

    async fn attack_148_what_was_told_is_there_after_a_restart(mut kit: Kit) {
        let (alice, phone) = alice_and_her_phone(&kit).await;
        let code = phone.code(&kit);
        let visitor = kit.session_with(&alice, &phone).await;
        kit.restart().await;
        kit.core().session(&visitor.token).await.unwrap();
        assert_eq!(try_code(&kit, &alice, code).await, "otp_replay");
    }
}

/// The files as a process leaves them that was killed right after it had told of a logon.
#[test]
fn attack_148_what_was_told_is_on_disk_when_the_process_is_killed() {
    run(Engine::Sqlite, async |kit: Kit| {
        let (alice, phone) = alice_and_her_phone(&kit).await;
        let code = phone.code(&kit);
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let LogonStep::Open { token, .. } = kit.core().logon_with_code(&token, code.clone(), origin()).await.unwrap()
        else {
            panic!("no session")
        };
        let copy = kit.folder().unwrap().join("copy");
        std::fs::create_dir(&copy).unwrap();
        for file in ["countersign.db", "countersign.db-wal"] {
            std::fs::copy(kit.folder().unwrap().join("data").join(file), copy.join(file)).unwrap();
        }
        let (killed, store) = kit.open_copy(&copy.join("countersign.db")).await;
        killed.session(&token).await.unwrap();
        let token = killed.begin_logon(alice.logon_name.clone()).await.unwrap();
        let step = killed.logon_with_password(&token, alice.secret(), origin()).await.unwrap();
        let LogonStep::Ask { token, .. } = step else { panic!("{step:?}") };
        assert_eq!(reason(killed.logon_with_code(&token, code, origin()).await), "otp_replay");
        store.close().await;
    });
}

#[test]
fn attack_147_a_full_disk_refuses_and_accepts_no_code_without_its_mark() {
    run(Engine::Sqlite, async |kit: Kit| {
        let (alice, phone) = alice_and_her_phone(&kit).await;
        let mut tokens = Vec::new();
        for _ in 0..18 {
            tokens.push(kit.waiting(&alice, LogonState::SecondFactor).await);
        }
        let state = async || {
            let last_step = kit.int("SELECT last_step FROM virtual_mfa", &[]).await;
            (last_step, kit.count("sessions").await, kit.count("logons").await)
        };
        // The last pages have room for a few sessions of talkative browsers.
        kit.fill_disk(0).await.unwrap();
        let talkative = Origin::new("192.0.2.7".to_owned(), &"x".repeat(256));
        for token in tokens {
            let (before, code) = (state().await, phone.code(&kit));
            match kit.core().logon_with_code(&token, code.clone(), &talkative).await {
                Ok(_) => {
                    let (last_step, sessions, logons) = state().await;
                    assert!(last_step > before.0 && sessions == before.1 + 1 && logons == before.2 - 1);
                    kit.next_step();
                }
                Err(Error::Unavailable(_)) => {
                    assert_eq!(state().await, before, "no mark, no session");
                    kit.free_disk().await.unwrap();
                    kit.core().logon_with_code(&token, code.clone(), origin()).await.unwrap();
                    assert_eq!(try_code(&kit, &alice, code).await, "otp_replay");
                    return;
                }
                Err(error) => panic!("a full disk is no fault: {error}"),
            }
        }
        panic!("the disk was never full");
    });
}

async fn alice_and_her_phone(kit: &Kit) -> (Person, Phone) {
    let acme = kit.account("acme").await;
    kit.bound_user(&acme, "alice").await
}

/// The reason for which a code is refused.
async fn try_code(kit: &Kit, person: &Person, code: String) -> &'static str {
    let token = kit.waiting(person, LogonState::SecondFactor).await;
    reason(kit.core().logon_with_code(&token, code, origin()).await)
}
