//! Logging on by a passkey, without name and password.

use countersign_core::Refusal;
use countersign_core::logon::LogonStep;
use countersign_core::settings::SettingsChange;
use countersign_core::users::LoginChange;
use countersign_model::logon::{LogonState, Method};
use countersign_model::webauthn::KeyKind;
use countersign_store::params;
use countersign_testkit::people::{OWNER_PASSWORD, login};
use countersign_testkit::{Kit, SoftKey, both_engines, origin, reason, refusal};

both_engines! {
    async fn d03_a_passkey_takes_the_place_of_name_password_and_code(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::synced();
        let alice = kit.ram_user_with(&acme, "alice", Some(LoginChange { mfa_required: true, ..login() })).await;
        kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut key).await.unwrap();
        let (_, prompt) = kit.core().begin_passkey_logon().await.unwrap();
        let options: serde_json::Value = serde_json::from_str(&prompt.options).unwrap();
        assert_eq!(options["userVerification"], "required");
        assert!(options["allowCredentials"].as_array().unwrap().is_empty(), "nobody is named before he shows himself");
        let step = kit.log_on_with_passkey(&mut key).await.unwrap();
        let visitor = kit.opened(step).await;
        assert_eq!(visitor.actor.session().session.methods, [Method::Passkey]);
        assert!(visitor.actor.used_second_factor());
        assert_eq!(visitor.actor.session().name, alice.name);
        // The pages of the owner, too.
        let session = kit.owner_session(&acme).await;
        let mut of_owner = SoftKey::passkey();
        kit.bind_own_key(&session, OWNER_PASSWORD, KeyKind::Passkey, &mut of_owner).await.unwrap();
        let step = kit.log_on_with_passkey(&mut of_owner).await.unwrap();
        assert!(matches!(step, LogonStep::Open { urge_binding: false, .. }), "{step:?}");
    }

    async fn attack_074_a_passkey_that_did_not_verify_its_user_does_not_log_on(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        key.user_verified = false;
        let (refused, told) = kit.told(&acme.id, kit.log_on_with_passkey(&mut key)).await;
        assert_eq!(reason(refused), "user_not_verified");
        assert!(told.len() == 1 && told[0].contains("ConsoleSignin"), "{told:?}");
        assert_eq!(kit.count("logons").await, 0, "no logon stays behind");
    }

    async fn attack_089_a_u2f_key_is_no_passkey(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::u2f().that(|key| key.user_verified = true);
        let alice = kit.keyed_user(&acme, "alice", KeyKind::SecurityKey, &mut key).await;
        assert_eq!(reason(kit.log_on_with_passkey(&mut key).await), "not_a_passkey");
        kit.session_with_key(&alice, &mut key).await;
    }

    async fn attack_088_a_passkey_that_was_removed_is_unknown(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        kit.ram_user(&acme, "alice").await;
        let bound = kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut key).await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        let id = (KeyKind::Passkey, bound.id.as_str());
        let removed = kit.core().unbind_key_of(&owner, "alice", id, origin()).await.unwrap();
        assert_eq!(removed.credential_id, bound.credential_id);
        let (refused, told) = kit.told(&acme.id, kit.log_on_with_passkey(&mut key)).await;
        assert_eq!(refusal(refused), Refusal::KeyUnknown);
        assert!(told.is_empty(), "it is nobody's any more: {told:?}");
        assert_eq!(kit.refusals_of_strangers().await, 1);
    }

    async fn the_account_says_whether_users_log_on_by_passkey(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        let passkey_logon = Some(false);
        crate::set(&kit, &acme, SettingsChange { passkey_logon, ..SettingsChange::default() }).await;
        assert_eq!(reason(kit.log_on_with_passkey(&mut key).await), "passkey_logon_off");
        kit.session_with_key(&alice, &mut key).await;
    }

    async fn a_passkey_skips_no_other_rule(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        kit.sql("UPDATE login_profiles SET password_reset_required = $1 WHERE principal_id IN \
                 (SELECT principal_id FROM principals WHERE name = 'alice')", params![true]).await;
        let step = kit.log_on_with_passkey(&mut key).await.unwrap();
        let LogonStep::Ask { state: LogonState::ChoosePassword, token } = step else { panic!("{step:?}") };
        let step = kit.core().logon_with_new_password(&token, "a quite new password".into(), origin()).await.unwrap();
        kit.opened(step).await;
        let logon_networks = Some("10.0.0.0/8".parse().unwrap());
        crate::set(&kit, &acme, SettingsChange { logon_networks, ..SettingsChange::default() }).await;
        assert_eq!(reason(kit.log_on_with_passkey(&mut key).await), "network_refused");
        let logon_networks = Some("".parse().unwrap());
        crate::set(&kit, &acme, SettingsChange { logon_networks, ..SettingsChange::default() }).await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().delete_user(&owner, &alice.name, &alice.name, origin()).await.unwrap();
        assert_eq!(refusal(kit.log_on_with_passkey(&mut key).await), Refusal::KeyUnknown);
    }

    async fn strangers_cannot_lock_a_passkey_and_a_lock_holds_for_strangers(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut key = SoftKey::passkey();
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut key).await;
        key.bogus_signature = true;
        for _ in 0..10 {
            assert_eq!(reason(kit.log_on_with_passkey(&mut key).await), "signature_wrong");
        }
        key.bogus_signature = false;
        kit.log_on_with_passkey(&mut key).await.unwrap();
        key.bogus_signature = true;
        for _ in 0..5 {
            assert_eq!(reason(kit.log_on_with_key(&alice, &mut key).await), "signature_wrong");
        }
        key.bogus_signature = false;
        assert_eq!(reason(kit.log_on_with_passkey(&mut key).await), "factor_paused");
    }
}
