//! Authenticators and browsers that lie. Each lie is refused, told in the log, and changes nothing.

use countersign_core::webauthn::{KeyView, OtherType};
use countersign_core::{Refusal, SessionActor};
use countersign_model::logon::LogonState;
use countersign_model::webauthn::KeyKind;
use countersign_testkit::authenticator::{Attestation, Flaw, cose_key};
use countersign_testkit::keys::unnamed;
use countersign_testkit::{Account, Kit, SoftKey, both_engines, demand, origin, reason, refusal};
use std::time::Duration;

/// A lie of an authenticator, and the reason for which it is refused.
type Lie = (&'static str, fn(&mut SoftKey), &'static str);

const AT_LOGON: &[Lie] = &[
    ("attack 73: a bogus signature", |key| key.bogus_signature = true, "signature_wrong"),
    ("attack 75: nobody touched it", |key| key.user_present = false, "user_not_present"),
    ("attack 77: signed for another site", |key| key.rp_id = Some("evil.example".into()), "wrong_rp_id"),
    ("attack 77: asked from another origin", |key| key.origin = "http://localhost:8081".into(), "wrong_origin"),
    ("attack 77: the same host by https", |key| key.origin = "https://localhost:8080".into(), "wrong_origin"),
    ("attack 86: asked across origins", |key| key.cross_origin = true, "cross_origin"),
    ("attack 84: backed up and not eligible", |key| key.backed_up = true, "backup_flags_contradict"),
    ("attack 84: eligible all of a sudden", |key| key.backup_eligible = true, "backup_eligibility_changed"),
    ("a counter that stands still", |key| key.counter = 1, "counter_went_back"),
    ("a counter that is gone", |key| key.counter = 0, "counter_went_back"),
];

async fn register(
    kit: &Kit,
    account: &Account,
    key: &mut SoftKey,
    kind: KeyKind,
) -> Result<KeyView, countersign_core::Error> {
    kit.bind_key_for(account, "alice", kind, key).await
}

both_engines! {
    async fn attack_073_075_077_084_086_lies_at_the_second_factor(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        for (name, lie, expected) in AT_LOGON {
            // No pause stands between one lie and the next.
            kit.advance(Duration::from_hours(1));
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            key.count();
            let honest = (key.counter, key.origin.clone());
            lie(&mut key);
            let prompt = kit.core().begin_logon_key(&token).await.unwrap();
            let typed = countersign_core::logon::TypedKey { response: key.get(&prompt.options), remember: false };
            let (refused, told) = kit.told(&acme.id, kit.core().logon_with_key(&token, typed, origin())).await;
            assert_eq!(reason(refused), *expected, "{name}");
            assert_eq!(told.len(), 1, "{name}: {told:?}");
            (key.counter, key.origin) = honest;
            (key.bogus_signature, key.user_present, key.cross_origin) = (false, true, false);
            (key.rp_id, key.backed_up, key.backup_eligible) = (None, false, false);
        }
        kit.advance(Duration::from_hours(1));
        kit.session_with_key(&alice, &mut key).await;
    }

    async fn a_copied_key_is_refused_and_told(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        kit.session_with_key(&alice, &mut key).await;
        kit.session_with_key(&alice, &mut key).await;
        // The copy was made before the last touches.
        key.counter -= 2;
        assert_eq!(reason(kit.log_on_with_key(&alice, &mut key).await), "counter_went_back");
        assert_eq!(kit.rows("SELECT kind FROM notices WHERE kind = 'key-copied'", &[]).await.len(), 1);
        assert_eq!(kit.rows("SELECT kind FROM findings WHERE kind = 'key-copied'", &[]).await.len(), 1);
        // Keys without a counter stay at 0.
        let mut passkey = SoftKey::passkey();
        let bob = kit.keyed_user(&acme, "bob", KeyKind::Passkey, &mut passkey).await;
        kit.session_with_key(&bob, &mut passkey).await;
        kit.session_with_key(&bob, &mut passkey).await;
    }

    async fn attack_077_082_084_086_lies_at_registration(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let lies: &[Lie] = &[
            ("another site", |key| key.rp_id = Some("evil.example".into()), "wrong_rp_id"),
            ("another origin", |key| key.origin = "http://evil.example".into(), "wrong_origin"),
            ("across origins", |key| key.cross_origin = true, "cross_origin"),
            ("nobody there", |key| key.user_present = false, "user_not_present"),
            ("nobody verified", |key| key.user_verified = false, "user_not_verified"),
            ("backed up and not eligible", |key| key.backed_up = true, "backup_flags_contradict"),
            ("an id of 1,024 bytes", |key| key.credential_id = Some(vec![1; 1_024]), "wrong_credential"),
            ("an empty id", |key| key.credential_id = Some(vec![]), "wrong_credential"),
            ("a point off its curve", |key| key.cose_key = Some(cose_key(&[1; 32], &[2; 32])), "public_key_malformed"),
            ("no key at all", |key| key.cose_key = Some(vec![0xa0]), "public_key_malformed"),
            ("a key twice", |key| key.cose_key = Some(vec![0xa2, 1, 2, 1, 2]), "cbor_malformed"),
            ("ES512", |key| key.cose_key = Some(vec![0xa2, 1, 2, 3, 0x38, 35]), "algorithm_not_offered"),
            ("RS1", |key| key.cose_key = Some(vec![0xa2, 1, 3, 3, 0x39, 0xff, 0xfe]), "algorithm_not_offered"),
            ("another model in the certificate", |key| key.attestation = Attestation::OtherModel, "attestation_malformed"),
        ];
        for (name, lie, expected) in lies {
            let mut key = SoftKey::passkey();
            lie(&mut key);
            let (refused, told) = kit.told(&acme.id, register(&kit, &acme, &mut key, KeyKind::Passkey)).await;
            assert_eq!(reason(refused), *expected, "{name}");
            assert!(told.iter().any(|line| line.contains("refused")), "{name}: {told:?}");
        }
        kit.advance(Duration::from_hours(1));
        for flaw in Flaw::ALL {
            let mut key = SoftKey::passkey().that(|key| key.attestation = Attestation::Flawed(*flaw));
            let refused = register(&kit, &acme, &mut key, KeyKind::SecurityKey).await;
            assert_eq!(reason(refused), "attestation_malformed", "{flaw:?}");
        }
        assert_eq!(kit.count("webauthn_credentials").await, 0);
        // A touch is enough for a security key.
        let mut key = SoftKey::passkey().that(|key| key.user_verified = false);
        register(&kit, &acme, &mut key, KeyKind::SecurityKey).await.unwrap();
    }

    async fn attack_079_a_key_of_somebody_else_or_one_that_was_not_asked_for(kit: Kit) {
        let acme = kit.account("acme").await;
        let other = kit.account("other").await;
        let (mut of_alice, mut of_bob, mut of_carol) = (SoftKey::u2f(), SoftKey::u2f(), SoftKey::u2f());
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut of_alice).await;
        let bob = kit.keyed_user(&acme, "bob", KeyKind::SecurityKey, &mut of_bob).await;
        kit.keyed_user(&other, "carol", KeyKind::SecurityKey, &mut of_carol).await;
        for (stranger, expected) in [
            (&mut of_bob, "credential_of_another_principal"),
            (&mut of_carol, "credential_of_another_principal"),
        ] {
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let prompt = kit.core().begin_logon_key(&token).await.unwrap();
            stranger.count();
            let typed = countersign_core::logon::TypedKey { response: stranger.get_unasked(&prompt.options), remember: false };
            assert_eq!(reason(kit.core().logon_with_key(&token, typed, origin()).await), expected);
        }
        kit.session_with_key(&alice, &mut of_alice).await;
        // A passkey that names somebody else, or nobody.
        let mut passkey = SoftKey::passkey();
        let session = kit.session_with_key(&bob, &mut of_bob).await;
        kit.bind_another_key(&session, &mut of_bob, KeyKind::Passkey, &mut passkey).await.unwrap();
        for handle in [vec![7; 32], vec![]] {
            passkey.user_handle = Some(handle);
            assert_eq!(reason(kit.log_on_with_passkey(&mut passkey).await), "wrong_user_handle");
        }
        // As second factor and at a proof it need not tell whose it is, as U2F keys do not, but it must not tell a lie.
        passkey.user_handle = Some(vec![7; 32]);
        assert_eq!(reason(kit.log_on_with_key(&bob, &mut passkey).await), "wrong_user_handle");
        passkey.user_handle = Some(vec![]);
        let session = kit.session_with_key(&bob, &mut passkey).await;
        let begin = async |actor: SessionActor| {
            kit.core().begin_own_key(&actor, KeyKind::Passkey, OtherType::Keep, origin()).await
        };
        let asked = demand(begin(session.actor.clone()).await);
        let prompt = kit.core().begin_proof(&session.actor, &asked.token, origin()).await.unwrap();
        passkey.user_handle = Some(vec![7; 32]);
        let answer = passkey.get_unasked(&prompt.options);
        let refused = kit.core().prove_with_key(&session.actor, &asked.token, answer, origin()).await;
        assert_eq!(reason(refused), "wrong_user_handle");
        passkey.user_handle = None;
        let (_, begun) = kit.proved_by_key(&session, &mut passkey, begin).await;
        begun.unwrap();
        kit.log_on_with_passkey(&mut passkey).await.unwrap();
    }

    async fn attack_081_a_credential_id_belongs_to_one_principal(mut kit: Kit) {
        let elsewhere = kit.second_node().await;
        let acme = kit.account("acme").await;
        let other = kit.account("other").await;
        let mut key = SoftKey::passkey();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        for account in [&acme, &other] {
            kit.ram_user(account, "mallory").await;
            let mut thief = SoftKey::passkey();
            thief.credential_id = Some(key.id());
            let stolen = kit.bind_key_for(account, "mallory", KeyKind::Passkey, &mut thief).await;
            assert_eq!(reason(stolen), "credential_taken");
        }
        // Two at once: one of them has it.
        let owner = kit.owner_session(&acme).await.actor;
        kit.ram_user(&acme, "bob").await;
        let mut made = Vec::new();
        for user in ["bob", "mallory"] {
            let prompt = kit.core().begin_key_for(&owner, user, KeyKind::SecurityKey, origin()).await.unwrap();
            let mut key = SoftKey::passkey();
            key.credential_id = Some(vec![42; 16]);
            made.push((user, unnamed(key.create(&prompt.options))));
        }
        let tries: Vec<_> = made
            .into_iter()
            .zip([kit.core().clone(), elsewhere])
            .map(|((user, answer), core)| {
                let owner = owner.clone();
                tokio::spawn(async move { core.finish_key_for(&owner, user, answer, origin()).await.is_ok() })
            })
            .collect();
        let mut bound = 0;
        for one in tries {
            bound += u32::from(one.await.unwrap());
        }
        assert_eq!(bound, 1);
    }

    async fn attack_073_what_is_no_answer_is_refused_without_panic(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut SoftKey::u2f()).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let (browser, _) = kit.core().begin_passkey_logon().await.unwrap();
        let long = "x".repeat(100_000);
        let deep = "[".repeat(10_000);
        for text in ["", "null", "{}", "[]", "{\"id\":1}", long.as_str(), deep.as_str()] {
            let typed = countersign_core::logon::TypedKey { response: text.to_owned(), remember: false };
            let refused = kit.core().logon_with_key(&token, typed, origin()).await;
            assert_eq!(reason(refused), "response_malformed");
            let refused = kit.core().logon_with_passkey(&browser, text.to_owned(), origin()).await;
            assert_eq!(refusal(refused), Refusal::WrongCredentials);
        }
    }
}
