//! The attestation policy of an account: at registration, and at every use after it became stricter.

use crate::set_policy;
use countersign_core::forecast::Effect;
use countersign_core::logon::{LogonStep, TypedKey};
use countersign_core::settings::SettingsChange;
use countersign_core::webauthn::OtherType;
use countersign_core::{Error, Refusal, SessionActor, webauthn};
use countersign_model::logon::LogonState;
use countersign_model::settings::AttestationPolicy;
use countersign_model::webauthn::{Aaguid, Factors, KeyKind, Trust};
use countersign_testkit::authenticator::{Attestation, SOFT_AAGUID, maker_root};
use countersign_testkit::people::{OWNER_PASSWORD, USER_PASSWORD};
use countersign_testkit::{Kit, Person, SoftKey, both_engines, origin, reason, refusal};

fn only_soft_keys() -> AttestationPolicy {
    AttestationPolicy::Allow([Aaguid::new(SOFT_AAGUID)].into())
}

fn attesting(attestation: Attestation) -> SoftKey {
    SoftKey::passkey().that(|key| key.attestation = attestation)
}

/// Shows a key that is not asked for, behind the password.
async fn show_unasked(kit: &Kit, person: &Person, key: &mut SoftKey) -> Result<LogonStep, Error> {
    let token = kit.waiting(person, LogonState::SecondFactor).await;
    let prompt = kit.core().begin_logon_key(&token).await?;
    let typed = TypedKey { response: key.get_unasked(&prompt.options), remember: false };
    kit.core().logon_with_key(&token, typed, origin()).await
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
        let session = kit.session_with_key(&alice, &mut synced).await;
        let bound = kit.bind_another_key(&session, &mut synced, KeyKind::Passkey, &mut bound_to_device).await;
        let (session, _) = bound.unwrap();
        set_policy(&kit, &acme, AttestationPolicy::DeviceBound).await;
        assert_eq!(refusal(kit.core().session(&session.token).await), Refusal::NotLoggedOn, "a stricter rule ends sessions");
        assert_eq!(refusal(show_unasked(&kit, &alice, &mut synced).await), Refusal::KeyNotAllowed);
        assert_eq!(reason(kit.log_on_with_passkey(&mut synced).await), "not_device_bound");
        let session = kit.session_with_key(&alice, &mut bound_to_device).await;
        let own = kit.core().own_security(&session.actor).await.unwrap();
        assert_eq!(own.keys.iter().map(|key| key.is_allowed).collect::<Vec<_>>(), [false, true]);
        let mut another = SoftKey::synced();
        let denied = kit.bind_another_key(&session, &mut bound_to_device, KeyKind::Passkey, &mut another).await;
        assert_eq!(reason(denied.map(drop)), "not_device_bound");
        set_policy(&kit, &acme, AttestationPolicy::Deny([Aaguid::new(SOFT_AAGUID)].into())).await;
        // None is left that could be asked for.
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        assert_eq!(refusal(kit.core().begin_logon_key(&token).await), Refusal::NoKeyUsable);
        let shown = kit.core().logon(&token).await.unwrap();
        assert!(shown.keys_refused && !shown.factors.any());
        set_policy(&kit, &acme, AttestationPolicy::Any).await;
        kit.session_with_key(&alice, &mut synced).await;
    }

    /// Whoever shows a key that the policy refuses has not failed: no try is booked, and a wrong one is judged no more.
    async fn attack_083_what_the_policy_refuses_is_not_asked_for_and_books_no_try(kit: Kit) {
        let acme = kit.account("acme").await;
        let (mut synced, mut kept) = (SoftKey::synced(), SoftKey::passkey());
        let alice = kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut synced).await;
        let session = kit.session_with_key(&alice, &mut synced).await;
        kit.bind_another_key(&session, &mut synced, KeyKind::Passkey, &mut kept).await.unwrap();
        set_policy(&kit, &acme, AttestationPolicy::DeviceBound).await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let shown = kit.core().logon(&token).await.unwrap();
        assert_eq!((shown.factors, shown.keys_refused), (Factors { code: false, security_keys: 0, passkeys: 1 }, false));
        let prompt = kit.core().begin_logon_key(&token).await.unwrap();
        let options: serde_json::Value = serde_json::from_str(&prompt.options).unwrap();
        assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
        for bogus in [false, true] {
            synced.bogus_signature = bogus;
            for _ in 0..6 {
                assert_eq!(reason(show_unasked(&kit, &alice, &mut synced).await), "not_device_bound");
            }
        }
        assert_eq!(kit.int("SELECT COUNT(*) FROM budgets WHERE kind = 'webauthn' AND failures > 0", &[]).await, 0);
        synced.bogus_signature = false;
        set_policy(&kit, &acme, AttestationPolicy::Any).await;
        kit.session_with_key(&alice, &mut synced).await;
    }

    async fn a_forecast_counts_those_whom_a_policy_leaves_no_key(kit: Kit) {
        let acme = kit.account("acme").await;
        let (mut one, mut other) = (SoftKey::synced(), SoftKey::synced());
        kit.keyed_user(&acme, "alice", KeyKind::Passkey, &mut one).await;
        let bob = kit.keyed_user(&acme, "bob", KeyKind::Passkey, &mut other).await;
        let session = kit.session_with_key(&bob, &mut other).await;
        kit.bind_another_key(&session, &mut other, KeyKind::Passkey, &mut SoftKey::passkey()).await.unwrap();
        let (carol, phone) = kit.bound_user(&acme, "carol").await;
        let session = kit.session_with(&carol, &phone).await;
        let code = phone.code(&kit);
        kit.bind_own_key(&session, &code, KeyKind::Passkey, &mut SoftKey::synced()).await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        let change = SettingsChange { attestation: Some(AttestationPolicy::DeviceBound), ..SettingsChange::default() };
        let foreseen = kit.core().forecast_settings(&owner, change.clone(), origin()).await.unwrap();
        let group = foreseen.groups.iter().find(|group| group.effect == Effect::NoKeyLeft).unwrap();
        assert_eq!((group.users, group.administrators), (1, 0), "alice; bob has another key, and carol a phone");
        kit.core().change_settings(&owner, change, origin()).await.unwrap();
        // Who is shut out already is not shut out again.
        let owner = kit.owner_session(&acme).await.actor;
        let denied = AttestationPolicy::Deny([Aaguid::new(SOFT_AAGUID)].into());
        let change = SettingsChange { attestation: Some(denied), ..SettingsChange::default() };
        let foreseen = kit.core().forecast_settings(&owner, change, origin()).await.unwrap();
        let group = foreseen.groups.iter().find(|group| group.effect == Effect::NoKeyLeft).unwrap();
        assert_eq!(group.users, 1, "bob");
    }

    async fn keys_that_were_bound_without_roots_are_counted_once_there_are_some(mut kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        set_policy(&kit, &acme, only_soft_keys()).await;
        kit.bind_key_for(&acme, "alice", KeyKind::Passkey, &mut attesting(Attestation::Packed)).await.unwrap();
        assert_eq!(kit.core().unrooted_keys().await.unwrap(), 0);
        kit.restart_trusting(vec![maker_root()]).await;
        assert_eq!(kit.core().unrooted_keys().await.unwrap(), 1);
        set_policy(&kit, &acme, AttestationPolicy::Any).await;
        assert_eq!(kit.core().unrooted_keys().await.unwrap(), 0);
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
        let alice = kit.ram_user(&acme, "alice").await;
        let asked = async |kind: KeyKind| {
            let session = kit.session(&alice).await;
            let begin = async |actor: SessionActor| {
                kit.core().begin_own_key(&actor, kind, OtherType::Keep, origin()).await
            };
            let prompt = kit.proved(&session, USER_PASSWORD, begin).await.1.unwrap();
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
