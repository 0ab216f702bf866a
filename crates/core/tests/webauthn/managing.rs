//! Listing, renaming, unbinding.

use countersign_core::mfa_check::{CheckQuery, CheckResult};
use countersign_core::{Refusal, SessionActor};
use countersign_model::settings::{AttestationPolicy, SensitiveOperation, Strength};
use countersign_model::webauthn::KeyKind;
use countersign_store::users::MfaFilter;
use countersign_testkit::people::{USER_PASSWORD, login_with_mfa};
use countersign_testkit::{Kit, SoftKey, both_engines, demand, origin, reason, refusal};

both_engines! {
    async fn d02_keys_have_names_that_their_owner_changes(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        let mut key = SoftKey::passkey();
        let (session, first) = kit.bind_own_key(&session, USER_PASSWORD, KeyKind::Passkey, &mut key).await.unwrap();
        kit.bind_another_key(&session, &mut key, KeyKind::Passkey, &mut SoftKey::passkey()).await.unwrap();
        let session = kit.session_with_key(&alice, &mut key).await;
        let core = kit.core();
        let id = first.id.as_str();
        let rename = async |actor: SessionActor, name| core.rename_own_key(&actor, id, name, origin()).await;
        let to_laptop = async |actor: SessionActor| rename(actor, "laptop").await;
        let (session, renamed) = kit.proved_by_key(&session, &mut key, to_laptop).await;
        renamed.unwrap();
        let to_taken = async |actor: SessionActor| rename(actor, "passkey 2").await;
        let (session, taken) = kit.proved_by_key(&session, &mut key, to_taken).await;
        assert_eq!(reason(taken), "key_name_taken");
        let own = core.own_security(&session.actor).await.unwrap();
        let names: Vec<_> = own.keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["laptop", "Passkey 2"]);
        assert!(own.keys[0].last_used_at.is_some() && own.keys[1].last_used_at.is_none());
        // Nobody else's.
        let bob = kit.ram_user(&acme, "bob").await;
        let bob = kit.session(&bob).await;
        let mine = async |actor: SessionActor| rename(actor, "mine").await;
        let (bob, theirs) = kit.proved(&bob, USER_PASSWORD, mine).await;
        assert_eq!(refusal(theirs), Refusal::PasskeyNotFound);
        let theirs = core.rename_key_of(&bob.actor, "alice", (KeyKind::Passkey, id, "mine"), origin()).await;
        assert_eq!(refusal(theirs), Refusal::NoPermission);
    }

    async fn attack_111_renaming_ones_own_key_asks_for_a_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut key = SoftKey::passkey();
        let bound = kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut key).await.unwrap();
        let session = kit.session_with_key(&alice, &mut key).await;
        let rename = async |actor: SessionActor| {
            kit.core().rename_own_key(&actor, bound.id.as_str(), "laptop", origin()).await
        };
        let (refused, told) = kit.told(&acme.id, rename(session.actor.clone())).await;
        assert!(demand(refused).ways.key);
        assert!(told.len() == 1 && told[0].contains("proof_required"), "{told:?}");
        let own = kit.core().own_security(&session.actor).await.unwrap();
        assert_eq!(own.keys[0].name, "Passkey");
        let (session, renamed) = kit.proved_by_key(&session, &mut key, rename).await;
        renamed.unwrap();
        assert_eq!(kit.core().own_security(&session.actor).await.unwrap().keys[0].name, "laptop");
    }

    async fn attack_063_111_unbinding_ones_own_key_always_asks_for_a_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut key = SoftKey::passkey();
        let bound = kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut key).await.unwrap();
        let mut change = countersign_core::settings::SettingsChange::default();
        change.strengths.push((SensitiveOperation::OwnMfa, Strength::Off));
        crate::set(&kit, &acme, change).await;
        let session = kit.session_with_key(&alice, &mut key).await;
        let unbind = async |actor: SessionActor| kit.core().unbind_own_key(&actor, bound.id.as_str(), origin()).await;
        demand(unbind(session.actor.clone()).await);
        let (_, unbound) = kit.proved_by_key(&session, &mut key, unbind).await;
        let (token, _) = unbound.unwrap();
        let own = kit.core().own_security(&kit.visitor(token).await.actor).await.unwrap();
        assert!(!own.factors.any());
        assert_eq!(refusal(kit.core().session(&session.token).await), Refusal::NotLoggedOn, "other sessions have ended");
    }

    async fn x8_a_lost_key_is_unbound_by_another_factor_and_a_virtual_device_by_its_own_code_alone(kit: Kit) {
        let acme = kit.account("acme").await;
        crate::allow_several_types(&kit, &acme).await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let (mut kept, mut lost) = (SoftKey::u2f(), SoftKey::u2f());
        kit.bind_key_for(&acme, "alice", KeyKind::SecurityKey, &mut kept).await.unwrap();
        let gone = kit.bind_key_for(&acme, "alice", KeyKind::SecurityKey, &mut lost).await.unwrap();
        let session = kit.session_with_key(&alice, &mut kept).await;
        let unbind = async |actor: SessionActor| kit.core().unbind_own_key(&actor, gone.id.as_str(), origin()).await;
        assert!(demand(unbind(session.actor.clone()).await).ways.code);
        let (_, unbound) = kit.proved(&session, &phone.code(&kit), unbind).await;
        let session = kit.visitor(unbound.unwrap().0).await;
        let own = kit.core().own_security(&session.actor).await.unwrap();
        assert_eq!((own.factors.code, own.factors.security_keys), (true, 1));
        // The device that goes is asked itself; that a key is at hand does not help.
        kit.next_step();
        let wrong = kit.core().unbind_own(&session.actor, phone.wrong_code(&kit), origin()).await;
        assert_eq!(refusal(wrong), Refusal::WrongCode);
        let token = kit.core().unbind_own(&session.actor, phone.code(&kit), origin()).await.unwrap();
        let own = kit.core().own_security(&kit.visitor(token).await.actor).await.unwrap();
        assert_eq!((own.factors.code, own.factors.security_keys), (false, 1));
    }

    async fn x8_the_last_factor_stays_where_one_is_required(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let mut key = SoftKey::passkey();
        let first = kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut key).await.unwrap();
        let session = kit.session_with_key(&alice, &mut key).await;
        let unbind = async |actor: SessionActor| kit.core().unbind_own_key(&actor, first.id.as_str(), origin()).await;
        let (session, refused) = kit.proved_by_key(&session, &mut key, unbind).await;
        assert_eq!(refusal(refused), Refusal::MfaRequired);
        let bound = kit.bind_another_key(&session, &mut key, KeyKind::Passkey, &mut SoftKey::passkey()).await;
        let (session, _) = bound.unwrap();
        let (_, unbound) = kit.proved_by_key(&session, &mut key, unbind).await;
        unbound.unwrap();
        // With a virtual MFA device beside it likewise: that one is the last then.
        let (bob, phone) = { let bob = kit.ram_user_with(&acme, "bob", Some(login_with_mfa())).await; (bob, kit.bind_for(&acme, "bob").await) };
        let session = kit.session_with(&bob, &phone).await;
        let code = phone.code(&kit);
        let bound = kit.bind_own_key(&session, &code, KeyKind::Passkey, &mut SoftKey::passkey()).await;
        let (session, _) = bound.unwrap();
        kit.next_step();
        kit.core().unbind_own(&session.actor, phone.code(&kit), origin()).await.unwrap();
    }

    /// A key that the policy refuses is no factor to be left with.
    async fn x8_the_last_factor_that_can_be_used_stays(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let phone = kit.bind_for(&acme, "alice").await;
        let session = kit.session_with(&alice, &phone).await;
        let (code, mut synced) = (phone.code(&kit), SoftKey::synced());
        let (_, synced_view) = kit.bind_own_key(&session, &code, KeyKind::Passkey, &mut synced).await.unwrap();
        kit.next_step();
        crate::set_policy(&kit, &acme, AttestationPolicy::DeviceBound).await;
        let session = kit.session_with(&alice, &phone).await;
        let own = kit.core().own_security(&session.actor).await.unwrap();
        assert_eq!((own.factors.count(), own.keeps_device()), (2, Some(Refusal::MfaRequired)));
        assert_eq!(own.keeps_key(&synced_view.id), None);
        let refused = kit.core().unbind_own(&session.actor, phone.code(&kit), origin()).await;
        assert_eq!(refusal(refused), Refusal::MfaRequired);
        // Where none is required, whoever unbinds it could not log on any more.
        let bob = kit.ram_user(&acme, "bob").await;
        let of_bob = kit.bind_for(&acme, "bob").await;
        crate::set_policy(&kit, &acme, AttestationPolicy::Any).await;
        let session = kit.session_with(&bob, &of_bob).await;
        let code = of_bob.code(&kit);
        let bound = kit.bind_own_key(&session, &code, KeyKind::Passkey, &mut SoftKey::synced()).await;
        let (session, key) = bound.unwrap();
        kit.next_step();
        kit.sql("UPDATE webauthn_credentials SET rp_id = 'old.example'", &[]).await;
        let refused = kit.core().unbind_own(&session.actor, of_bob.code(&kit), origin()).await;
        assert_eq!(refusal(refused), Refusal::LastUsableFactor);
        let unbind = async |actor: SessionActor| kit.core().unbind_own_key(&actor, key.id.as_str(), origin()).await;
        let (_, unbound) = kit.proved(&session, &of_bob.code(&kit), unbind).await;
        kit.next_step();
        let session = kit.visitor(unbound.unwrap().0).await;
        kit.core().unbind_own(&session.actor, of_bob.code(&kit), origin()).await.unwrap();
    }

    async fn c28_k01_lists_and_counts_see_keys_as_factors(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        kit.bind_key_for(&acme, "alice", KeyKind::SecurityKey, &mut key).await.unwrap();
        kit.keyed_user(&acme, "bob", KeyKind::Passkey, &mut SoftKey::passkey()).await;
        kit.ram_user_with(&acme, "carol", Some(login_with_mfa())).await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        for (mfa, expected) in [
            (MfaFilter::Bound, vec!["alice", "bob"]),
            (MfaFilter::NotAttached, vec!["carol"]),
            (MfaFilter::RequiredUnbound, vec!["carol"]),
        ] {
            let query = countersign_core::users::UsersQuery { search: String::new(), mfa, offset: 0, limit: 10 };
            let (users, total) = core.list_users(&owner, query, origin()).await.unwrap();
            assert_eq!(users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), expected);
            assert_eq!(total, i64::try_from(expected.len()).unwrap());
        }
        let posture = core.overview(&owner, origin()).await.unwrap().posture;
        assert_eq!((posture.console_users, posture.protected, posture.required_unbound), (3, 2, 1));
        assert_eq!(core.practice(&owner, origin()).await.unwrap().users_with_mfa, 2);
        let query = CheckQuery { search: String::new(), result: Some(CheckResult::Passed), offset: 0, limit: 10 };
        let check = core.mfa_check(&owner, query, origin()).await.unwrap();
        assert_eq!(check.users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["alice", "bob"]);
        assert_eq!((check.summary.in_scope, check.summary.passed), (3, 2));
        let shown = core.mfa_of(&owner, Some("alice"), origin()).await.unwrap().unwrap();
        assert!(shown.serial_number.starts_with(&format!("acs:ram::{}:u2f/", acme.id)), "{shown:?}");
        assert_eq!(core.passkeys_of(&owner, "bob", origin()).await.unwrap().len(), 1);
        assert!(core.passkeys_of(&owner, "alice", origin()).await.unwrap().is_empty());
        core.reset_owner_mfa("acme").await.unwrap_err();
    }
}
