//! The attestation policy of an account: at registration, and at every use after it became stricter.

use crate::set_policy;
use countersign_core::settings::SettingsChange;
use countersign_core::{Refusal, webauthn};
use countersign_model::settings::AttestationPolicy;
use countersign_model::webauthn::{Aaguid, KeyKind, Trust};
use countersign_testkit::authenticator::{Attestation, SOFT_AAGUID, maker_root};
use countersign_testkit::people::OWNER_PASSWORD;
use countersign_testkit::{Kit, SoftKey, both_engines, origin, reason, refusal};

fn only_soft_keys() -> AttestationPolicy {
    AttestationPolicy::Allow([Aaguid::new(SOFT_AAGUID)].into())
}

fn attesting(attestation: Attestation) -> SoftKey {
    SoftKey::passkey().that(|key| key.attestation = attestation)
}

both_engines! {
    async fn attack_083_only_models_that_prove_themselves_are_on_the_allow_list(mut kit: Kit) {
        kit.restart_trusting(vec![maker_root()]).await;
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        set_policy(&kit, &acme, only_soft_keys()).await;
        let other_model = attesting(Attestation::Packed).that(|key| key.aaguid = [3; 16]);
        for (name, mut key, expected) in [
            ("none", attesting(Attestation::None), "attestation_missing"),
            ("self", attesting(Attestation::PackedSelf), "attestation_missing"),
            ("unknown", attesting(Attestation::Unknown), "attestation_missing"),
            ("forged root", attesting(Attestation::Forged), "attestation_missing"),
            ("AAGUID mismatch", attesting(Attestation::OtherModel), "attestation_malformed"),
            ("another model", other_model, "aaguid_not_allowed"),
            ("U2F, which signs no AAGUID", SoftKey::u2f().that(|key| key.aaguid = SOFT_AAGUID), "attestation_missing"),
        ] {
            let kind = if key.attestation == Attestation::U2f { KeyKind::SecurityKey } else { KeyKind::Passkey };
            let refused = kit.bind_key_for(&acme, "alice", kind, &mut key).await;
            assert_eq!(reason(refused), expected, "{name}");
        }
        let bound = kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut attesting(Attestation::Packed)).await.unwrap();
        assert_eq!((bound.trust, bound.is_allowed), (Trust::Rooted, true));
    }

    async fn attack_083_without_known_roots_a_list_keeps_honest_people_to_it(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        set_policy(&kit, &acme, only_soft_keys()).await;
        for attestation in [Attestation::None, Attestation::PackedSelf, Attestation::Unknown] {
            let refused = kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut attesting(attestation)).await;
            assert_eq!(reason(refused), "attestation_missing", "{attestation:?}");
        }
        let bound = kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut attesting(Attestation::Packed)).await.unwrap();
        assert_eq!(bound.trust, Trust::Signed);
    }

    async fn a_stricter_policy_counts_at_the_next_use(kit: Kit) {
        let acme = kit.account("acme").await;
        let (mut synced, mut bound_to_device) = (SoftKey::synced(), SoftKey::passkey());
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut synced).await;
        kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut bound_to_device).await.unwrap();
        let session = kit.session_with_key(&alice, &mut synced).await;
        set_policy(&kit, &acme, AttestationPolicy::DeviceBound).await;
        assert_eq!(refusal(kit.core().session(&session.token).await), Refusal::NotLoggedOn, "a stricter rule ends sessions");
        assert_eq!(refusal(kit.log_on_with_key(&alice, &mut synced).await), Refusal::KeyNotAllowed);
        assert_eq!(reason(kit.log_on_with_passkey(&mut synced).await), "not_device_bound");
        let session = kit.session_with_key(&alice, &mut bound_to_device).await;
        let own = kit.core().own_security(&session.actor).await.unwrap();
        assert_eq!(own.keys.iter().map(|key| key.is_allowed).collect::<Vec<_>>(), [false, true]);
        let denied = kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut SoftKey::synced()).await;
        assert_eq!(reason(denied), "not_device_bound");
        set_policy(&kit, &acme, AttestationPolicy::Deny([Aaguid::new(SOFT_AAGUID)].into())).await;
        assert_eq!(reason(kit.log_on_with_key(&alice, &mut bound_to_device).await), "aaguid_denied");
        set_policy(&kit, &acme, AttestationPolicy::Any).await;
        kit.session_with_key(&alice, &mut synced).await;
    }

    async fn nobody_locks_himself_out_by_the_policy(kit: Kit) {
        let acme = kit.account("acme").await;
        let session = kit.owner_session(&acme).await;
        let mut key = SoftKey::synced();
        kit.bind_own_key(&session, OWNER_PASSWORD, KeyKind::Passkey, &mut key).await.unwrap();
        let owner = kit.session_with_key(&acme.owner, &mut key).await.actor;
        let attestation = Some(AttestationPolicy::DeviceBound);
        let change = SettingsChange { attestation, ..SettingsChange::default() };
        let refused = kit.core().change_settings(&owner, change.clone(), origin()).await;
        assert_eq!(refusal(refused), Refusal::Invalid("InvalidParameter.Attestation.OwnKeys"));
        let foreseen = kit.core().forecast_settings(&owner, change, origin()).await;
        assert_eq!(refusal(foreseen), Refusal::Invalid("InvalidParameter.Attestation.OwnKeys"));
    }

    async fn the_browser_is_asked_for_the_model_where_the_policy_looks_at_it(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let asked = async |kind: KeyKind| {
            let owner = kit.owner_session(&acme).await.actor;
            let prompt = kit.core().begin_key_for(&owner, "alice", kind, origin()).await.unwrap();
            let options: serde_json::Value = serde_json::from_str(&prompt.options).unwrap();
            let selection = &options["authenticatorSelection"];
            [&options["attestation"], &selection["residentKey"], &selection["userVerification"]]
                .map(|word| word.as_str().unwrap().to_owned())
        };
        assert_eq!(asked(KeyKind::SecurityKey).await, ["direct", "discouraged", "discouraged"]);
        assert_eq!(asked(KeyKind::Passkey).await, ["none", "required", "required"]);
        set_policy(&kit, &acme, only_soft_keys()).await;
        assert_eq!(asked(KeyKind::Passkey).await, ["direct", "required", "required"]);
    }

    async fn keys_of_another_host_are_told(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut SoftKey::passkey()).await;
        assert!(kit.core().stranded_keys().await.unwrap().is_empty());
        kit.sql("UPDATE webauthn_credentials SET rp_id = 'old.example'", &[]).await;
        assert_eq!(kit.core().stranded_keys().await.unwrap(), [("old.example".to_owned(), 1)]);
        assert!(webauthn::product_name(&Aaguid::new(SOFT_AAGUID)).is_none());
    }
}
