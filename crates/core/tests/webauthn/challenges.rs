//! Challenges of logons by passkey: nothing is kept of them until they are answered, and all the same each is answered once,
//! in time, and by the browser that was asked.

use countersign_core::Refusal;
use countersign_model::webauthn::KeyKind;
use countersign_testkit::{Kit, SoftKey, both_engines, origin, reason, refusal};
use std::time::Duration;

/// How many rows there are in all tables.
async fn rows(kit: &Kit) -> i64 {
    let mut rows = 0;
    for table in kit.tables().await {
        rows += kit.count(&table).await;
    }
    rows
}

/// The challenge in options, with its last byte changed.
fn edited(options: &str) -> String {
    let options: serde_json::Value = serde_json::from_str(options).unwrap();
    let mut bytes = data_encoding::BASE64URL_NOPAD.decode(options["challenge"].as_str().unwrap().as_bytes()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}

both_engines! {
    async fn attack_078_looking_at_the_logon_page_writes_nothing_and_each_tab_is_answered_once(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let before = rows(&kit).await;
        let (browser, first) = kit.core().begin_passkey_logon().await.unwrap();
        let second = kit.core().ask_for_passkey(&browser).await.unwrap();
        assert_ne!(first.options, second.options);
        assert_eq!(rows(&kit).await, before);
        for prompt in [first, second] {
            key.count();
            let answer = key.get(&prompt.options);
            kit.core().logon_with_passkey(&browser, answer.clone(), origin()).await.unwrap();
            let again = kit.core().logon_with_passkey(&browser, answer, origin()).await;
            assert_eq!(refusal(again), Refusal::CeremonyOver);
            key.count();
            let anew = kit.core().logon_with_passkey(&browser, key.get(&prompt.options), origin()).await;
            assert_eq!(refusal(anew), Refusal::CeremonyOver, "signed anew");
        }
    }

    async fn attack_078_a_challenge_that_another_browser_was_asked_or_nobody_is_not_answered(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let (browser, prompt) = kit.core().begin_passkey_logon().await.unwrap();
        let (other, _) = kit.core().begin_passkey_logon().await.unwrap();
        let elsewhere = kit.core().logon_with_passkey(&other, key.get(&prompt.options), origin()).await;
        assert_eq!(refusal(elsewhere), Refusal::CeremonyOver);
        let waiting = kit.waiting(&alice, countersign_model::logon::LogonState::SecondFactor).await;
        let second_factor: serde_json::Value =
            serde_json::from_str(&kit.core().begin_logon_key(&waiting).await.unwrap().options).unwrap();
        let of_logon = second_factor["challenge"].as_str().unwrap().to_owned();
        for made_up in [edited(&prompt.options), of_logon, String::new(), "AQAAAAE".to_owned(), "A".repeat(400)] {
            key.challenge = Some(made_up.clone());
            let refused = kit.core().logon_with_passkey(&browser, key.get(&prompt.options), origin()).await;
            assert_eq!(refusal(refused), Refusal::CeremonyOver, "{made_up}");
        }
        key.challenge = None;
        let mut unknown = SoftKey::passkey();
        unknown.create(&registration_of(&kit, &acme).await);
        let nobody = kit.core().logon_with_passkey(&browser, unknown.get(&prompt.options), origin()).await;
        assert_eq!(refusal(nobody), Refusal::KeyUnknown);
        let used = "SELECT COUNT(*) FROM webauthn_ceremonies WHERE purpose = 'passkey-logon'";
        assert_eq!(kit.int(used, &[]).await, 0, "strangers leave no row");
        kit.core().logon_with_passkey(&browser, key.get(&prompt.options), origin()).await.unwrap();
    }

    async fn attack_078_an_answer_by_a_known_passkey_uses_the_challenge_up_right_or_wrong(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let (browser, prompt) = kit.core().begin_passkey_logon().await.unwrap();
        key.count();
        key.bogus_signature = true;
        let bogus = kit.core().logon_with_passkey(&browser, key.get(&prompt.options), origin()).await;
        assert_eq!(reason(bogus), "signature_wrong");
        key.bogus_signature = false;
        let right = kit.core().logon_with_passkey(&browser, key.get(&prompt.options), origin()).await;
        assert_eq!(refusal(right), Refusal::CeremonyOver);
    }

    async fn attack_078_a_challenge_lives_five_minutes_and_not_before_it_was_asked(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let (browser, prompt) = kit.core().begin_passkey_logon().await.unwrap();
        kit.advance(Duration::from_mins(5));
        let late = kit.core().logon_with_passkey(&browser, key.get(&prompt.options), origin()).await;
        assert_eq!(refusal(late), Refusal::CeremonyOver);
        let prompt = kit.core().ask_for_passkey(&browser).await.unwrap();
        kit.clock().set_back(Duration::from_secs(90));
        let early = kit.core().logon_with_passkey(&browser, key.get(&prompt.options), origin()).await;
        assert_eq!(refusal(early), Refusal::CeremonyOver);
        kit.advance(Duration::from_secs(90 + 290));
        kit.core().logon_with_passkey(&browser, key.get(&prompt.options), origin()).await.unwrap();
        // What was answered is kept for longer than any node takes it.
        kit.core().tick().await.unwrap();
        assert_eq!(kit.count("webauthn_ceremonies").await, 1);
        kit.advance(Duration::from_mins(6));
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("webauthn_ceremonies").await, 0);
    }

    async fn attack_145_a_challenge_outlives_a_restart_and_is_answered_once_for_all_nodes(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let (browser, prompt) = kit.core().begin_passkey_logon().await.unwrap();
        kit.restart().await;
        let second = kit.second_node().await;
        key.count();
        let answer = key.get(&prompt.options);
        second.logon_with_passkey(&browser, answer.clone(), origin()).await.unwrap();
        let again = kit.core().logon_with_passkey(&browser, answer.clone(), origin()).await;
        assert_eq!(refusal(again), Refusal::CeremonyOver);
        kit.restart().await;
        let again = kit.core().logon_with_passkey(&browser, answer, origin()).await;
        assert_eq!(refusal(again), Refusal::CeremonyOver);
    }

    async fn attack_112_sixty_four_answers_to_two_processes_open_one_session(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        // A synced passkey counts nothing, so the counter does not help.
        let mut key = SoftKey::synced();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let (browser, prompt) = second.begin_passkey_logon().await.unwrap();
        let answer = key.get(&prompt.options);
        let tries: Vec<_> = (0..64)
            .map(|number| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let (browser, answer) = (browser.clone(), answer.clone());
                tokio::spawn(async move { core.logon_with_passkey(&browser, answer, origin()).await.is_ok() })
            })
            .collect();
        let mut opened = 0;
        for one in tries {
            opened += u32::from(one.await.unwrap());
        }
        assert_eq!(opened, 1);
    }

    async fn attack_145_a_restored_backup_takes_no_answer_of_before(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::synced();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let (browser, prompt) = kit.core().begin_passkey_logon().await.unwrap();
        let answer = key.get(&prompt.options);
        kit.core().logon_with_passkey(&browser, answer.clone(), origin()).await.unwrap();
        kit.core().mark_restored().await.unwrap();
        assert_eq!(kit.count("webauthn_ceremonies").await, 0, "which were answered is forgotten");
        let again = kit.core().logon_with_passkey(&browser, answer, origin()).await;
        assert_eq!(refusal(again), Refusal::CeremonyOver);
        assert_eq!(refusal(kit.log_on_with_passkey(&mut key).await), Refusal::KeyRestored);
    }

    async fn attack_141_after_a_clock_that_ran_ahead_no_answered_challenge_is_answered_again(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::synced();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        kit.advance(Duration::from_hours(20));
        let (browser, prompt) = kit.core().begin_passkey_logon().await.unwrap();
        let answer = key.get(&prompt.options);
        kit.core().logon_with_passkey(&browser, answer.clone(), origin()).await.unwrap();
        kit.advance(Duration::from_mins(12));
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("webauthn_ceremonies").await, 0);
        kit.core().tick().await.unwrap();
        kit.clock().set_back(Duration::from_hours(20) + Duration::from_mins(12));
        kit.core().reset_clock(countersign_core::operator::Stuck::Keep).await.unwrap().unwrap();
        // Twenty hours later it is the time again at which it was asked.
        kit.advance(Duration::from_hours(20));
        let again = kit.core().logon_with_passkey(&browser, answer, origin()).await;
        assert_eq!(refusal(again), Refusal::CeremonyOver);
        kit.log_on_with_passkey(&mut key).await.unwrap();
    }
}

/// What an authenticator is asked that shall make a credential which is never bound.
async fn registration_of(kit: &Kit, account: &countersign_testkit::Account) -> String {
    let owner = kit.owner_session(account).await.actor;
    kit.core().begin_key_for(&owner, "alice", KeyKind::SecurityKey, origin()).await.unwrap().options
}
