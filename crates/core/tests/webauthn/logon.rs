//! A key as second factor after the password.

use countersign_core::Refusal;
use countersign_core::logon::{LogonStep, TypedKey};
use countersign_core::settings::SettingsChange;
use countersign_core::users::LoginChange;
use countersign_model::logon::{LogonState, Method};
use countersign_model::webauthn::{Factors, KeyKind};
use countersign_testkit::people::login;
use countersign_testkit::{Kit, SoftKey, both_engines, origin, reason, refusal};
use std::time::Duration;

both_engines! {
    async fn d13_c33_a_security_key_is_the_second_factor(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let shown = kit.core().logon(&token).await.unwrap();
        assert_eq!(shown.factors, Factors { code: false, security_keys: 1, passkeys: 0 });
        let prompt = kit.core().begin_logon_key(&token).await.unwrap();
        let options: serde_json::Value = serde_json::from_str(&prompt.options).unwrap();
        assert_eq!((options["rpId"].as_str(), options["userVerification"].as_str()), (Some("localhost"), Some("discouraged")));
        assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
        let visitor = kit.session_with_key(&alice, &mut key).await;
        assert!(visitor.actor.used_second_factor());
    }

    async fn attack_044_a_passkey_alone_is_demanded_after_the_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        // Without verification it is one factor, and the password another.
        key.user_verified = false;
        let step = kit.show_key(&token, &mut key).await.unwrap();
        let visitor = kit.opened(step).await;
        assert_eq!(visitor.actor.session().session.methods, [Method::Password, Method::Passkey]);
    }

    async fn d11_any_bound_factor_passes(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut key = SoftKey::passkey();
        let session = kit.session_with(&alice, &phone).await;
        kit.bind_own_key(&session, &phone.code(&kit), KeyKind::Passkey, &mut key).await.unwrap();
        kit.next_step();
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let factors = kit.core().logon(&token).await.unwrap().factors;
        assert_eq!(factors, Factors { code: true, security_keys: 0, passkeys: 1 });
        kit.session_with(&alice, &phone).await;
        kit.session_with_key(&alice, &mut key).await;
    }

    async fn c26_a_lost_key_logs_nobody_on_and_a_disabled_one_counts_as_bound(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        key.bogus_signature = true;
        for _ in 0..5 {
            assert_eq!(reason(kit.log_on_with_key(&alice, &mut key).await), "signature_wrong");
        }
        key.bogus_signature = false;
        assert_eq!(reason(kit.log_on_with_key(&alice, &mut key).await), "factor_paused");
        kit.advance(Duration::from_secs(30));
        kit.session_with_key(&alice, &mut key).await;
        key.bogus_signature = true;
        for _ in 0..100 {
            kit.advance(Duration::from_hours(1));
            assert_eq!(reason(kit.log_on_with_key(&alice, &mut key).await), "signature_wrong");
        }
        key.bogus_signature = false;
        kit.advance(Duration::from_hours(1));
        assert_eq!(reason(kit.log_on_with_key(&alice, &mut key).await), "factor_disabled");
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().unlock_user(&owner, "alice", origin()).await.unwrap();
        kit.session_with_key(&alice, &mut key).await;
    }

    async fn c30_a_key_lets_the_machine_be_remembered(kit: Kit) {
        let acme = kit.account("acme").await;
        let remember_machines = Some(true);
        crate::set(&kit, &acme, SettingsChange { remember_machines, ..SettingsChange::default() }).await;
        let mut key = SoftKey::u2f();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let prompt = kit.core().begin_logon_key(&token).await.unwrap();
        key.count();
        let typed = TypedKey { response: key.get(&prompt.options), remember: true };
        let step = kit.core().logon_with_key(&token, typed, origin()).await.unwrap();
        let LogonStep::Open { given, .. } = step else { panic!("{step:?}") };
        assert!(given.machine.is_some());
    }

    async fn c27_an_administrator_unbinds_and_the_user_binds_anew(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut lost = SoftKey::u2f();
        let alice = kit.ram_user_with(&acme, "alice", Some(LoginChange { mfa_required: true, ..login() })).await;
        let bound = kit.bind_key_for(&acme, "alice", KeyKind::SecurityKey, &mut lost).await.unwrap();
        let session = kit.session_with_key(&alice, &mut lost).await;
        let owner = kit.owner_session(&acme).await.actor;
        let id = (KeyKind::SecurityKey, bound.id.as_str());
        let removed = kit.core().unbind_key_of(&owner, "alice", id, origin()).await.unwrap();
        assert_eq!(removed.rp_id, "localhost");
        assert_eq!(refusal(kit.core().session(&session.token).await), Refusal::NotLoggedOn);
        kit.waiting(&alice, LogonState::Bind).await;
        let again = kit.core().unbind_key_of(&owner, "alice", id, origin()).await;
        assert_eq!(refusal(again), Refusal::PasskeyNotFound);
    }
}
