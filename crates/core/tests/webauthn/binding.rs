//! Binding: by oneself, by an administrator, at a logon that must; which types stand beside each other.

use crate::allow_several_types;
use countersign_core::logon::LogonStep;
use countersign_core::webauthn::{KeyAnswer, OtherType};
use countersign_core::{Refusal, SessionActor};
use countersign_model::logon::{LogonState, Method};
use countersign_model::settings::{SensitiveOperation, Strength};
use countersign_model::webauthn::{Factors, KeyKind, Trust};
use countersign_testkit::keys::unnamed;
use countersign_testkit::people::{OWNER_PASSWORD, USER_PASSWORD, login_with_mfa};
use countersign_testkit::{Kit, SoftKey, both_engines, demand, origin, reason, refusal};

both_engines! {
    async fn c15_c20_c23_c04_an_administrator_binds_a_u2f_key_and_its_attestation_is_kept(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        let mut key = SoftKey::u2f();
        let bound = kit.bind_key_for(&acme, "alice", KeyKind::SecurityKey, &mut key).await.unwrap();
        assert_eq!((bound.attestation_format.as_str(), bound.trust), ("fido-u2f", Trust::Signed));
        assert_eq!((bound.name.as_str(), bound.transports.as_slice()), ("Security key", ["usb".to_owned()].as_slice()));
        assert_eq!(refusal(kit.core().session(&session.token).await), Refusal::NotLoggedOn);
        let owner = kit.owner_session(&acme).await.actor;
        let shown = kit.core().user(&owner, "alice", origin()).await.unwrap();
        assert_eq!(shown.keys.len(), 1);
        let alice = kit.session_with_key(&alice, &mut key).await;
        assert_eq!(alice.actor.session().session.methods, [Method::Password, Method::SecurityKey]);
    }

    async fn attack_061_d02_binding_ones_own_key_asks_for_a_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        for kind in [KeyKind::SecurityKey, KeyKind::Passkey] {
            let begun = kit.core().begin_own_key(&session.actor, kind, OtherType::Keep, origin()).await;
            assert!(demand(begun).ways.password, "he has no factor yet");
        }
        let mut key = SoftKey::passkey();
        let (session, first) = kit.bind_own_key(&session, USER_PASSWORD, KeyKind::Passkey, &mut key).await.unwrap();
        assert_eq!((first.name.as_str(), first.kind, first.user_verified), ("Passkey", KeyKind::Passkey, true));
        // Whoever has one shows it before another is bound, whatever he knows.
        let begin = async |actor: SessionActor| {
            kit.core().begin_own_key(&actor, KeyKind::Passkey, OtherType::Keep, origin()).await
        };
        let asked = demand(begin(session.actor.clone()).await);
        assert!(asked.ways.key && !asked.ways.password && !asked.ways.code);
        let by_password = kit.core().prove(&session.actor, &asked.token, USER_PASSWORD.into(), origin()).await;
        assert_eq!(refusal(by_password), Refusal::WrongCode);
        let begun = kit.core().start_own_binding(&session.actor, USER_PASSWORD.into(), origin()).await;
        assert!(demand(begun).ways.key, "a password adds no virtual MFA device to a passkey");
        let (session, prompt) = kit.proved_by_key(&session, &mut key, begin).await;
        let made = unnamed(SoftKey::synced().create(&prompt.unwrap().options));
        let (token, second) = kit.core().finish_own_key(&session.actor, made, origin()).await.unwrap();
        assert_eq!((second.name.as_str(), second.may_sync, second.is_synced), ("Passkey 2", true, true));
        let own = kit.core().own_security(&kit.visitor(token).await.actor).await.unwrap();
        assert_eq!(own.factors, Factors { code: false, security_keys: 0, passkeys: 2 });
    }

    async fn attack_061_111_no_factor_is_ever_added_without_a_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut change = countersign_core::settings::SettingsChange::default();
        change.strengths.push((SensitiveOperation::OwnMfa, Strength::Off));
        crate::set(&kit, &acme, change).await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        let begin = async |actor: SessionActor, kind| {
            kit.core().begin_own_key(&actor, kind, OtherType::Keep, origin()).await
        };
        // Whatever is bound proves everything else from then on.
        for kind in [KeyKind::SecurityKey, KeyKind::Passkey] {
            assert!(demand(begin(session.actor.clone(), kind).await).ways.password, "he has no factor yet");
        }
        let device = kit.core().start_own_binding(&session.actor, "not his password".into(), origin()).await;
        assert!(device.is_err(), "{device:?}");
        let mut key = SoftKey::passkey();
        kit.bind_own_key(&session, USER_PASSWORD, KeyKind::Passkey, &mut key).await.unwrap();
        let session = kit.session_with_key(&alice, &mut key).await;
        assert!(demand(begin(session.actor, KeyKind::Passkey).await).ways.key, "and now he has one");
        // At a logon that must bind, the password just typed is the proof.
        let bob = kit.ram_user_with(&acme, "bob", Some(login_with_mfa())).await;
        let token = kit.waiting(&bob, LogonState::Bind).await;
        let prompt = kit.core().begin_logon_key_binding(&token, KeyKind::Passkey, origin()).await.unwrap();
        let made = unnamed(SoftKey::passkey().create(&prompt.options));
        kit.core().finish_logon_key_binding(&token, made, origin()).await.unwrap();
    }

    async fn c10_c09_a_logon_that_must_bind_offers_security_keys_and_passkeys(kit: Kit) {
        let acme = kit.account("acme").await;
        for (name, kind, method) in
            [("alice", KeyKind::SecurityKey, Method::SecurityKey), ("bob", KeyKind::Passkey, Method::Passkey)]
        {
            let person = kit.ram_user_with(&acme, name, Some(login_with_mfa())).await;
            let token = kit.waiting(&person, LogonState::Bind).await;
            let prompt = kit.core().begin_logon_key_binding(&token, kind, origin()).await.unwrap();
            let mut key = SoftKey::passkey();
            let made = unnamed(key.create(&prompt.options));
            let step = kit.core().finish_logon_key_binding(&token, made, origin()).await.unwrap();
            let LogonStep::Open { offer_recovery_codes: true, .. } = &step else { panic!("{step:?}") };
            let visitor = kit.opened(step).await;
            assert_eq!(visitor.actor.session().session.methods, [Method::Password, method]);
            kit.session_with_key(&person, &mut key).await;
        }
    }

    async fn c03_x4_one_type_of_device_unless_the_account_allows_several(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let bound = kit.bind_key_for(&acme, "alice", KeyKind::SecurityKey, &mut SoftKey::u2f()).await;
        assert_eq!(refusal(bound), Refusal::OtherMfaTypeBound);
        let session = kit.session_with(&alice, &phone).await;
        kit.bind_own_key(&session, &phone.code(&kit), KeyKind::Passkey, &mut SoftKey::passkey()).await.unwrap();
        kit.next_step();
        // The other way round.
        kit.keyed_user(&acme, "bob", KeyKind::SecurityKey, &mut SoftKey::u2f()).await;
        let owner = kit.owner_session(&acme).await.actor;
        let begun = kit.core().start_binding_for(&owner, "bob", origin()).await;
        assert_eq!(refusal(begun), Refusal::OtherMfaTypeBound);
        allow_several_types(&kit, &acme).await;
        let mut key = SoftKey::u2f();
        kit.bind_key_for(&acme, "alice", KeyKind::SecurityKey, &mut key).await.unwrap();
        kit.session_with(&alice, &phone).await;
        kit.session_with_key(&alice, &mut key).await;
        kit.bind_for(&acme, "bob").await;
    }

    async fn a03_the_owner_has_as_many_types_as_he_likes(kit: Kit) {
        let acme = kit.account("acme").await;
        let (owner, phone) = kit.bound_owner(&acme).await;
        let mut key = SoftKey::u2f();
        let code = phone.code(&kit);
        kit.bind_own_key(&owner, &code, KeyKind::SecurityKey, &mut key).await.unwrap();
        kit.next_step();
        kit.session_with(&acme.owner, &phone).await;
        kit.session_with_key(&acme.owner, &mut key).await;
    }

    async fn c25_x8_a_security_key_takes_the_place_of_a_virtual_device_in_one_step(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let phone = kit.bind_for(&acme, "alice").await;
        let session = kit.session_with(&alice, &phone).await;
        let begin = async |actor: SessionActor| {
            kit.core().begin_own_key(&actor, KeyKind::SecurityKey, OtherType::Replace, origin()).await
        };
        let (session, prompt) = kit.proved(&session, &phone.code(&kit), begin).await;
        kit.next_step();
        let mut key = SoftKey::u2f();
        let made = unnamed(key.create(&prompt.unwrap().options));
        let (token, _) = kit.core().finish_own_key(&session.actor, made, origin()).await.unwrap();
        let own = kit.core().own_security(&kit.visitor(token).await.actor).await.unwrap();
        assert_eq!(own.factors, Factors { code: false, security_keys: 1, passkeys: 0 });
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let by_code = kit.core().logon_with_code(&token, phone.code(&kit), origin()).await;
        assert_eq!(refusal(by_code), Refusal::LogonOver, "the device is gone");
        kit.session_with_key(&alice, &mut key).await;
    }

    async fn c07_who_may_not_manage_his_devices_binds_no_key(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let change = countersign_core::settings::SettingsChange {
            users_manage_mfa_devices: Some(false),
            ..Default::default()
        };
        crate::set(&kit, &acme, change).await;
        let session = kit.session(&alice).await;
        let begun = kit.core().begin_own_key(&session.actor, KeyKind::Passkey, OtherType::Keep, origin()).await;
        assert_eq!(refusal(begun), Refusal::NoPermission);
    }

    async fn the_owner_binds_passkeys_and_names_them(kit: Kit) {
        let acme = kit.account("acme").await;
        let session = kit.owner_session(&acme).await;
        let mut key = SoftKey::synced();
        key.aaguid = *b"\xfb\xfc\x30\x07\x15\x4e\x4e\xcc\x8c\x0b\x6e\x02\x05\x57\xd7\xbd";
        let (session, bound) = kit.bind_own_key(&session, OWNER_PASSWORD, KeyKind::Passkey, &mut key).await.unwrap();
        assert_eq!((bound.name.as_str(), bound.product), ("iCloud Keychain", Some("iCloud Keychain")));
        // A name that is taken does not use the answer up.
        let begin = async |actor: SessionActor| {
            kit.core().begin_own_key(&actor, KeyKind::Passkey, OtherType::Keep, origin()).await
        };
        let (session, prompt) = kit.proved_by_key(&session, &mut key, begin).await;
        let response = SoftKey::passkey().create(&prompt.unwrap().options);
        let taken = KeyAnswer { name: "ICLOUD keychain".into(), response: response.clone() };
        let refused = kit.core().finish_own_key(&session.actor, taken, origin()).await;
        assert_eq!(reason(refused), "key_name_taken");
        let long = KeyAnswer { name: "x".repeat(65), response: response.clone() };
        let refused = kit.core().finish_own_key(&session.actor, long, origin()).await;
        assert_eq!(refusal(refused), Refusal::Invalid("InvalidParameter.PasskeyName.Length"));
        let named = KeyAnswer { name: " Bürorechner ".into(), response };
        let (_, bound) = kit.core().finish_own_key(&session.actor, named, origin()).await.unwrap();
        assert_eq!(bound.name, "Bürorechner");
    }

    async fn attack_065_an_unconfirmed_binding_changes_nothing_and_begins_are_limited(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        let owner = kit.owner_session(&acme).await.actor;
        let mut last = None;
        for _ in 0..20 {
            last = Some(kit.core().begin_key_for(&owner, "alice", KeyKind::SecurityKey, origin()).await);
        }
        assert_eq!(refusal(last.unwrap()), Refusal::TooManyBindings);
        kit.session_with_key(&alice, &mut key).await;
    }

    async fn x13_whoever_lost_his_factors_binds_a_new_one_and_the_old_ones_are_gone(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let session = kit.session(&alice).await;
        let mut lost = SoftKey::passkey();
        let (session, _) = kit.bind_own_key(&session, USER_PASSWORD, KeyKind::Passkey, &mut lost).await.unwrap();
        let make = async |actor: SessionActor| kit.core().make_own_recovery_codes(&actor, origin()).await;
        let (_, made) = kit.proved_by_key(&session, &mut lost, make).await;
        let code = countersign_testkit::people::expose(&made.unwrap().codes[0]);
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let step = kit.core().logon_with_recovery_code(&token, code, origin()).await.unwrap();
        let LogonStep::Ask { state: LogonState::Bind, token } = step else { panic!("{step:?}") };
        assert!(kit.core().logon(&token).await.unwrap().replaces_device);
        let prompt = kit.core().begin_logon_key_binding(&token, KeyKind::SecurityKey, origin()).await.unwrap();
        let mut new = SoftKey::u2f();
        let made = unnamed(new.create(&prompt.options));
        let step = kit.core().finish_logon_key_binding(&token, made, origin()).await.unwrap();
        let session = kit.opened(step).await;
        let own = kit.core().own_security(&session.actor).await.unwrap();
        assert_eq!(own.factors, Factors { code: false, security_keys: 1, passkeys: 0 });
        assert_eq!(refusal(kit.log_on_with_passkey(&mut lost).await), Refusal::KeyUnknown);
        kit.session_with_key(&alice, &mut new).await;
    }
}
