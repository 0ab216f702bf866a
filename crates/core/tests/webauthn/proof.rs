//! Proofs by keys before sensitive operations.

use countersign_core::webauthn::{OtherType, Prompt};
use countersign_core::{Refusal, SessionActor};
use countersign_model::webauthn::KeyKind;
use countersign_testkit::keys::unnamed;
use countersign_testkit::people::{OWNER_PASSWORD, USER_PASSWORD};
use countersign_testkit::{Account, Kit, SoftKey, Visitor, both_engines, demand, origin, reason, refusal};
use std::time::Duration;

const QUARTER: Duration = Duration::from_mins(15);

/// An owner with a passkey whose logon lies longer back than a proof counts.
async fn owner_of_old(kit: &Kit, acme: &Account, key: &mut SoftKey) -> Visitor {
    let session = kit.owner_session(acme).await;
    kit.bind_own_key(&session, OWNER_PASSWORD, KeyKind::Passkey, key).await.unwrap();
    let visitor = kit.session_with_key(&acme.owner, key).await;
    kit.advance(QUARTER);
    visitor
}

/// How the browser is told to verify its user.
fn verification(prompt: &Prompt) -> String {
    let options: serde_json::Value = serde_json::from_str(&prompt.options).unwrap();
    options["userVerification"].as_str().unwrap().to_owned()
}

both_engines! {
    async fn d13_d11_a_key_proves_a_sensitive_operation(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let owner = owner_of_old(&kit, &acme, &mut key).await;
        let make = async |actor| kit.make_user(&actor, "alice").await;
        let (owner, made) = kit.proved_by_key(&owner, &mut key, make).await;
        made.unwrap();
        kit.make_user(&owner.actor, "bob").await.unwrap();
    }

    async fn attack_074_a_passkey_that_did_not_verify_its_user_proves_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let owner = owner_of_old(&kit, &acme, &mut key).await;
        let asked = demand(kit.make_user(&owner.actor, "alice").await);
        let prompt = kit.core().begin_proof(&owner.actor, &asked.token, origin()).await.unwrap();
        assert_eq!(verification(&prompt), "required");
        key.count();
        key.user_verified = false;
        let answer = key.get(&prompt.options);
        let (refused, told) =
            kit.told(&acme.id, kit.core().prove_with_key(&owner.actor, &asked.token, answer, origin())).await;
        assert_eq!(reason(refused), "user_not_verified");
        assert!(told.len() == 1 && told[0].contains("VerifyIdentity"), "{told:?}");
        // A touch is no guess: it does not count against the passkey, however often it comes.
        for _ in 0..10 {
            let prompt = kit.core().begin_proof(&owner.actor, &asked.token, origin()).await.unwrap();
            let answer = key.get(&prompt.options);
            let refused = kit.core().prove_with_key(&owner.actor, &asked.token, answer, origin()).await;
            assert_eq!(reason(refused), "user_not_verified");
        }
        demand(kit.make_user(&owner.actor.clone().with_proof(asked.token), "alice").await);
        key.user_verified = true;
        let make = async |actor| kit.make_user(&actor, "alice").await;
        kit.proved_by_key(&owner, &mut key, make).await.1.unwrap();
    }

    async fn a_security_key_proves_by_a_touch_also_beside_a_passkey(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut u2f = SoftKey::u2f();
        let mut passkey = SoftKey::passkey();
        let session = kit.owner_session(&acme).await;
        kit.bind_own_key(&session, OWNER_PASSWORD, KeyKind::SecurityKey, &mut u2f).await.unwrap();
        let owner = kit.session_with_key(&acme.owner, &mut u2f).await;
        kit.advance(QUARTER);
        let asked = demand(kit.make_user(&owner.actor, "alice").await);
        let prompt = kit.core().begin_proof(&owner.actor, &asked.token, origin()).await.unwrap();
        assert_eq!(verification(&prompt), "discouraged");
        let begin = async |actor: SessionActor| {
            kit.core().begin_own_key(&actor, KeyKind::Passkey, OtherType::Keep, origin()).await
        };
        let (owner, begun) = kit.proved_by_key(&owner, &mut u2f, begin).await;
        let made = unnamed(passkey.create(&begun.unwrap().options));
        let (token, _) = kit.core().finish_own_key(&owner.actor, made, origin()).await.unwrap();
        let owner = kit.visitor(token).await;
        kit.advance(QUARTER);
        let asked = demand(kit.make_user(&owner.actor, "alice").await);
        let prompt = kit.core().begin_proof(&owner.actor, &asked.token, origin()).await.unwrap();
        assert_eq!(verification(&prompt), "preferred", "an old security key could not do what must be");
        passkey.count();
        passkey.user_verified = false;
        let answer = passkey.get(&prompt.options);
        let refused = kit.core().prove_with_key(&owner.actor, &asked.token, answer, origin()).await;
        assert_eq!(reason(refused), "user_not_verified");
        let make = async |actor| kit.make_user(&actor, "alice").await;
        kit.proved_by_key(&owner, &mut u2f, make).await.1.unwrap();
    }

    async fn attack_105_a_proof_is_for_its_operation_arguments_and_session_alone(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let owner = owner_of_old(&kit, &acme, &mut key).await;
        let elsewhere = kit.session_with_key(&acme.owner, &mut key).await;
        kit.advance(QUARTER);
        let alice = demand(kit.make_user(&owner.actor, "alice").await);
        let bob = demand(kit.make_user(&owner.actor, "bob").await);
        // The challenge of one proof given to the other.
        let prompt = kit.core().begin_proof(&owner.actor, &alice.token, origin()).await.unwrap();
        kit.core().begin_proof(&owner.actor, &bob.token, origin()).await.unwrap();
        let answer = key.get(&prompt.options);
        let crossed = kit.core().prove_with_key(&owner.actor, &bob.token, answer.clone(), origin()).await;
        assert_eq!(reason(crossed), "challenge_of_another_proof");
        let stolen = kit.core().prove_with_key(&elsewhere.actor, &alice.token, answer.clone(), origin()).await;
        assert_eq!(refusal(stolen), Refusal::ProofOver);
        let begun = kit.core().begin_proof(&elsewhere.actor, &alice.token, origin()).await;
        assert_eq!(refusal(begun), Refusal::ProofOver);
        let token = kit.core().prove_with_key(&owner.actor, &alice.token, answer.clone(), origin()).await.unwrap();
        let owner = kit.visitor(token).await;
        let replayed = kit.core().prove_with_key(&owner.actor, &alice.token, answer, origin()).await;
        assert_eq!(refusal(replayed), Refusal::ProofOver);
        kit.make_user(&owner.actor.clone().with_proof(alice.token), "alice").await.unwrap();
    }

    async fn attack_106_what_a_key_has_not_shown_does_not_count_as_fresh(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.administrator(&acme, "alice").await;
        let session = kit.session(&alice).await;
        kit.make_user(&session.actor, "one").await.unwrap();
        let mut key = SoftKey::u2f();
        let (session, _) = kit.bind_own_key(&session, USER_PASSWORD, KeyKind::SecurityKey, &mut key).await.unwrap();
        // The session was opened by a password, and a key is what proves now.
        assert!(demand(kit.make_user(&session.actor, "two").await).ways.key);
        let fresh = kit.session_with_key(&alice, &mut key).await;
        kit.make_user(&fresh.actor, "two").await.unwrap();
        kit.advance(QUARTER);
        demand(kit.make_user(&fresh.actor, "three").await);
    }

    async fn attack_107_a_window_closes(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let owner = owner_of_old(&kit, &acme, &mut key).await;
        let (owner, made) = kit.proved_by_key(&owner, &mut key, async |actor| kit.make_user(&actor, "alice").await).await;
        made.unwrap();
        kit.advance(QUARTER);
        demand(kit.make_user(&owner.actor, "bob").await);
    }

    async fn attack_105_the_key_of_somebody_else_proves_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let mut other = SoftKey::passkey();
        kit.keyed_user(&acme, "mallory", KeyKind::Passkey, &mut other).await;
        let owner = owner_of_old(&kit, &acme, &mut key).await;
        let asked = demand(kit.make_user(&owner.actor, "alice").await);
        let prompt = kit.core().begin_proof(&owner.actor, &asked.token, origin()).await.unwrap();
        let answer = other.get_unasked(&prompt.options);
        let refused = kit.core().prove_with_key(&owner.actor, &asked.token, answer, origin()).await;
        assert_eq!(reason(refused), "credential_of_another_principal");
        let prompt = kit.core().begin_proof(&owner.actor, &asked.token, origin()).await.unwrap();
        key.bogus_signature = true;
        let refused = kit.core().prove_with_key(&owner.actor, &asked.token, key.get(&prompt.options), origin()).await;
        assert_eq!(reason(refused), "signature_wrong");
    }

    async fn attack_112_sixteen_proofs_at_once_are_one(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let owner = owner_of_old(&kit, &acme, &mut key).await;
        let asked = demand(kit.make_user(&owner.actor, "alice").await);
        let prompt = kit.core().begin_proof(&owner.actor, &asked.token, origin()).await.unwrap();
        let answer = key.get(&prompt.options);
        let tries: Vec<_> = (0..16)
            .map(|_| {
                let (core, actor, token, answer) =
                    (kit.core().clone(), owner.actor.clone(), asked.token.clone(), answer.clone());
                tokio::spawn(async move { core.prove_with_key(&actor, &token, answer, origin()).await.is_ok() })
            })
            .collect();
        let mut given = 0;
        for one in tries {
            given += u32::from(one.await.unwrap());
        }
        assert_eq!(given, 1);
    }
}
