//! Challenges: each is for one purpose and whoever asked, answered once, within five minutes.

use countersign_core::logon::TypedKey;
use countersign_core::webauthn::OtherType;
use countersign_core::{Refusal, SessionActor};
use countersign_model::logon::LogonState;
use countersign_model::webauthn::KeyKind;
use countersign_testkit::keys::unnamed;
use countersign_testkit::people::USER_PASSWORD;
use countersign_testkit::{Kit, SoftKey, both_engines, origin, reason, refusal};
use std::time::Duration;

fn typed(response: String) -> TypedKey {
    TypedKey { response, remember: false }
}

both_engines! {
    async fn attack_069_a_registration_is_not_taken_twice(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        kit.ram_user(&acme, "bob").await;
        let owner = kit.owner_session(&acme).await.actor;
        let prompt = kit.core().begin_key_for(&owner, "alice", KeyKind::SecurityKey, origin()).await.unwrap();
        let made = SoftKey::passkey().create(&prompt.options);
        kit.core().finish_key_for(&owner, "alice", unnamed(made.clone()), origin()).await.unwrap();
        for user in ["alice", "bob"] {
            let again = kit.core().finish_key_for(&owner, user, unnamed(made.clone()), origin()).await;
            assert_eq!(reason(again), "ceremony_unknown", "{user}");
        }
        // Begun for one and finished for another.
        let prompt = kit.core().begin_key_for(&owner, "alice", KeyKind::SecurityKey, origin()).await.unwrap();
        let made = unnamed(SoftKey::passkey().create(&prompt.options));
        let crossed = kit.core().finish_key_for(&owner, "bob", made, origin()).await;
        assert_eq!(reason(crossed), "ceremony_of_another_subject");
    }

    async fn attack_078_a_challenge_is_answered_once_in_time_and_by_whoever_asked(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        let first = kit.waiting(&alice, LogonState::SecondFactor).await;
        let second = kit.waiting(&alice, LogonState::SecondFactor).await;
        let prompt = kit.core().begin_logon_key(&first).await.unwrap();
        let answer = key.get(&prompt.options);
        let elsewhere = kit.core().logon_with_key(&second, typed(answer.clone()), origin()).await;
        assert_eq!(refusal(elsewhere), Refusal::CeremonyOver);
        key.count();
        let answer = key.get(&prompt.options);
        kit.core().logon_with_key(&first, typed(answer.clone()), origin()).await.unwrap();
        let replayed = kit.core().logon_with_key(&second, typed(answer), origin()).await;
        assert_eq!(refusal(replayed), Refusal::CeremonyOver);
        // Too late.
        let prompt = kit.core().begin_logon_key(&second).await.unwrap();
        kit.advance(Duration::from_mins(5));
        key.count();
        let late = kit.core().logon_with_key(&second, typed(key.get(&prompt.options)), origin()).await;
        assert_eq!(refusal(late), Refusal::CeremonyOver);
        kit.show_key(&second, &mut key).await.unwrap();
    }

    async fn attack_078_a_wrong_answer_uses_the_challenge_up_as_well(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let prompt = kit.core().begin_logon_key(&token).await.unwrap();
        key.count();
        key.bogus_signature = true;
        let bogus = kit.core().logon_with_key(&token, typed(key.get(&prompt.options)), origin()).await;
        assert_eq!(reason(bogus), "signature_wrong");
        key.bogus_signature = false;
        let again = kit.core().logon_with_key(&token, typed(key.get(&prompt.options)), origin()).await;
        assert_eq!(refusal(again), Refusal::CeremonyOver);
    }

    async fn attack_078_a_challenge_for_one_thing_is_good_for_no_other(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        // A registration's challenge in a logon, and a logon's in a registration.
        let session = kit.session_with_key(&alice, &mut key).await;
        let begin = async |actor: SessionActor| {
            kit.core().begin_own_key(&actor, KeyKind::Passkey, OtherType::Keep, origin()).await
        };
        let (session, registration) = kit.proved_by_key(&session, &mut key, begin).await;
        let registration = registration.unwrap();
        let challenge = |options: &str| {
            let options: serde_json::Value = serde_json::from_str(options).unwrap();
            options["challenge"].as_str().unwrap().to_owned()
        };
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let logon = kit.core().begin_logon_key(&token).await.unwrap();
        key.challenge = Some(challenge(&registration.options));
        let crossed = kit.core().logon_with_key(&token, typed(key.get(&logon.options)), origin()).await;
        assert_eq!(refusal(crossed), Refusal::CeremonyOver);
        let mut other = SoftKey::passkey();
        other.challenge = Some(challenge(&logon.options));
        let made = unnamed(other.create(&registration.options));
        assert_eq!(refusal(kit.core().finish_own_key(&session.actor, made, origin()).await), Refusal::CeremonyOver);
        // A logon without a password has a browser of its own.
        key.challenge = None;
        let (one, prompt) = kit.core().begin_passkey_logon().await.unwrap();
        let (other, _) = kit.core().begin_passkey_logon().await.unwrap();
        let answer = key.get(&prompt.options);
        let stolen = kit.core().logon_with_passkey(&other, answer.clone(), origin()).await;
        assert_eq!(refusal(stolen), Refusal::CeremonyOver);
        kit.core().logon_with_passkey(&one, answer.clone(), origin()).await.unwrap();
        let replayed = kit.core().logon_with_passkey(&one, answer, origin()).await;
        assert_eq!(refusal(replayed), Refusal::CeremonyOver);
    }

    async fn attack_062_a_logon_that_waits_for_its_factor_binds_none(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let begun = kit.core().begin_logon_key_binding(&token, KeyKind::Passkey, origin()).await;
        assert_eq!(reason(begun), "logon_out_of_turn");
        let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        assert_eq!(refusal(kit.core().begin_logon_key(&token).await), Refusal::LogonOver);
        assert!(!kit.core().logon(&token).await.unwrap().factors.any(), "told only after the password");
    }

    async fn attack_145_a_challenge_survives_nothing_that_ends_its_session(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        let begin = async |actor: SessionActor| {
            kit.core().begin_own_key(&actor, KeyKind::Passkey, OtherType::Keep, origin()).await
        };
        let (session, prompt) = kit.proved(&session, USER_PASSWORD, begin).await;
        kit.core().log_off(&session.actor, origin()).await.unwrap();
        let made = unnamed(SoftKey::passkey().create(&prompt.unwrap().options));
        assert_eq!(refusal(kit.core().finish_own_key(&session.actor, made, origin()).await), Refusal::NotLoggedOn);
    }

    async fn attack_112_sixteen_answers_at_once_open_one_session(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let (token, prompt) = kit.core().begin_passkey_logon().await.unwrap();
        let answer = key.get(&prompt.options);
        let tries: Vec<_> = (0..16)
            .map(|_| {
                let (core, token, answer) = (kit.core().clone(), token.clone(), answer.clone());
                tokio::spawn(async move { core.logon_with_passkey(&token, answer, origin()).await.is_ok() })
            })
            .collect();
        let mut opened = 0;
        for one in tries {
            opened += u32::from(one.await.unwrap());
        }
        assert_eq!(opened, 1);
    }
}
