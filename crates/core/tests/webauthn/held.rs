//! Keys that are bound and refused: disowned by their user, or back with a backup.

use countersign_core::findings::Which;
use countersign_core::{Refusal, SessionActor};
use countersign_model::logon::LogonState;
use countersign_model::notice::{FindingKind, NoticeKind};
use countersign_model::webauthn::{KeyHold, KeyKind};
use countersign_testkit::people::USER_PASSWORD;
use countersign_testkit::{Kit, SoftKey, Visitor, both_engines, demand, origin, reason, refusal};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// The latest notice of this kind that somebody can disown.
async fn notice(kit: &Kit, visitor: &Visitor, kind: NoticeKind) -> String {
    let told = kit.core().own_notices(&visitor.actor).await.unwrap();
    told.iter().find(|notice| notice.kind == kind).unwrap().id.to_string()
}

both_engines! {
    async fn attack_056_a_disowned_key_serves_nobody_and_stays_bound(kit: Kit) {
        let acme = kit.account("acme").await;
        let (mut own, mut evil) = (SoftKey::u2f(), SoftKey::passkey());
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut own).await;
        kit.advance(DAY);
        let session = kit.session_with_key(&alice, &mut own).await;
        let (session, _) = kit.bind_another_key(&session, &mut own, KeyKind::Passkey, &mut evil).await.unwrap();
        kit.log_on_with_passkey(&mut evil).await.unwrap();
        let id = notice(&kit, &session, NoticeKind::KeyBound).await;
        let disowned = kit.core().disown(&session.actor, &id, origin()).await.unwrap();
        assert_eq!(disowned.keys, ["Passkey"]);
        // Told to those who have to see to it.
        assert!(kit.events(&acme.id).await.pop().unwrap().details.contains("keys_held=Passkey;"));
        let owner = kit.owner_session(&acme).await.actor;
        let found = kit.core().findings(&owner, Which::Open, (0, 10), origin()).await.unwrap();
        assert!(found.lines[0].finding.details.contains("keys_held=Passkey;"), "{}", found.lines[0].finding.details);
        let shown = kit.core().user(&owner, "alice", origin()).await.unwrap().keys;
        assert_eq!(shown.iter().map(|key| (key.held, key.is_usable)).collect::<Vec<_>>(), [
            (None, true),
            (Some(KeyHold::Disowned), false),
        ]);
        // Not without a password, not behind it, not as a proof.
        let (refused, told) = kit.told(&acme.id, kit.log_on_with_passkey(&mut evil)).await;
        assert_eq!(refusal(refused), Refusal::KeyDisowned);
        assert!(told.len() == 1 && told[0].ends_with("key_disowned"), "{told:?}");
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let prompt = kit.core().begin_logon_key(&token).await.unwrap();
        let response = evil.get_unasked(&prompt.options);
        let typed = countersign_core::logon::TypedKey { response, remember: false };
        assert_eq!(reason(kit.core().logon_with_key(&token, typed, origin()).await), "key_disowned");
        let session = kit.session_with_key(&alice, &mut own).await;
        let evil_id = shown[1].id.to_string();
        let unbind = async |actor: SessionActor| kit.core().unbind_own_key(&actor, &evil_id, origin()).await;
        let asked = demand(unbind(session.actor.clone()).await);
        let prompt = kit.core().begin_proof(&session.actor, &asked.token, origin()).await.unwrap();
        let answer = evil.get_unasked(&prompt.options);
        assert_eq!(reason(kit.core().prove_with_key(&session.actor, &asked.token, answer, origin()).await), "key_disowned");
        // Behind the key that is his, he unbinds it.
        kit.proved_by_key(&session, &mut own, unbind).await.1.unwrap();
        assert_eq!(refusal(kit.log_on_with_passkey(&mut evil).await), Refusal::KeyUnknown);
    }

    /// The password alone must never do what it did not before.
    async fn attack_056_whoever_has_only_a_disowned_key_needs_an_administrator(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        let mut evil = SoftKey::passkey();
        let bound = kit.bind_own_key(&session, USER_PASSWORD, KeyKind::Passkey, &mut evil).await;
        let (session, _) = bound.unwrap();
        let id = notice(&kit, &session, NoticeKind::KeyBound).await;
        assert_eq!(kit.core().disown(&session.actor, &id, origin()).await.unwrap().keys, ["Passkey"]);
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let shown = kit.core().logon(&token).await.unwrap();
        assert!(shown.keys_refused && !shown.factors.any(), "{shown:?}");
        assert_eq!(refusal(kit.core().begin_logon_key(&token).await), Refusal::NoKeyUsable);
        assert_eq!(refusal(kit.log_on_with_passkey(&mut evil).await), Refusal::KeyDisowned);
        let owner = kit.owner_session(&acme).await.actor;
        let key = kit.core().user(&owner, "alice", origin()).await.unwrap().keys.remove(0);
        kit.core().unbind_key_of(&owner, "alice", (KeyKind::Passkey, key.id.as_str()), origin()).await.unwrap();
        kit.session(&alice).await;
    }

    /// A passkey that was removed after the backup is back with it; its thief has no password.
    async fn attack_143_a_restored_passkey_logs_nobody_on_until_it_has_passed_behind_the_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let (mut passkey, mut security_key) = (SoftKey::passkey(), SoftKey::u2f());
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut passkey).await;
        let bob = kit.keyed_user(&acme, "bob", KeyKind::SecurityKey, &mut security_key).await;
        assert_eq!(kit.core().mark_restored().await.unwrap().passkeys_held, 1);
        let (refused, told) = kit.told(&acme.id, kit.log_on_with_passkey(&mut passkey)).await;
        assert_eq!(refusal(refused), Refusal::KeyRestored);
        assert!(told.len() == 1 && told[0].ends_with("key_restored"), "{told:?}");
        let owner = kit.owner_session(&acme).await.actor;
        let found = kit.core().findings(&owner, Which::Open, (0, 10), origin()).await.unwrap();
        let told: Vec<_> = found.lines.iter().map(|line| &line.finding).collect();
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].kind, told[0].principal_name.as_str()), (FindingKind::PasskeysStale, "alice"));
        assert_eq!(told[0].details, "passkeys=1;");
        // A wrong try clears nothing; a good one behind the password does.
        passkey.bogus_signature = true;
        assert_eq!(reason(kit.log_on_with_key(&alice, &mut passkey).await), "signature_wrong");
        passkey.bogus_signature = false;
        assert_eq!(refusal(kit.log_on_with_passkey(&mut passkey).await), Refusal::KeyRestored);
        kit.session_with_key(&alice, &mut passkey).await;
        kit.log_on_with_passkey(&mut passkey).await.unwrap();
        kit.session_with_key(&bob, &mut security_key).await;
        // A second mark holds it once more, and a disowned key stays what it is.
        kit.sql("UPDATE webauthn_credentials SET held = 'disowned' WHERE kind = 'passkey'", &[]).await;
        assert_eq!(kit.core().mark_restored().await.unwrap().passkeys_held, 0);
        assert_eq!(refusal(kit.log_on_with_passkey(&mut passkey).await), Refusal::KeyDisowned);
    }

    async fn an_administrator_binds_no_passkey_for_a_user(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let begun = kit.core().begin_key_for(&owner, "alice", KeyKind::Passkey, origin()).await;
        assert_eq!(reason(begun), "passkey_of_another");
    }
}
