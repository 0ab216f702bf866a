//! The security settings of an account: who changes them, and that they count from the next request on.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::Refusal;
use countersign_core::settings::SettingsChange;
use countersign_model::settings::{BindingCodes, MfaDeviceTypes, SecuritySettings};
use countersign_testkit::people::one_code;
use countersign_testkit::{Kit, Phone, both_engines, origin, reason, refusal};

both_engines! {
    async fn x1_x4_settings_start_with_their_defaults_and_change_one_by_one(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await;
        let settings = kit.core().settings(&owner.actor, origin()).await.unwrap();
        assert_eq!(settings, SecuritySettings::default());
        assert_eq!((settings.binding_codes, settings.mfa_device_types), (BindingCodes::One, MfaDeviceTypes::One));
        assert!(settings.users_manage_mfa_devices && settings.users_change_password);

        let change = SettingsChange { binding_codes: Some(BindingCodes::Two), ..SettingsChange::default() };
        let changed = kit.core().change_settings(&owner.actor, change, origin()).await.unwrap();
        assert_eq!(changed.settings, SecuritySettings { binding_codes: BindingCodes::Two, ..settings.clone() });
        let change = SettingsChange { mfa_device_types: Some(MfaDeviceTypes::Several), ..SettingsChange::default() };
        kit.core().change_settings(&owner.actor, change, origin()).await.unwrap();
        let shown = kit.core().settings(&owner.actor, origin()).await.unwrap();
        assert_eq!((shown.binding_codes, shown.mfa_device_types), (BindingCodes::Two, MfaDeviceTypes::Several));
        // The session goes on, and knows them at its next request.
        assert_eq!(kit.core().session(&owner.token).await.unwrap().session().settings.as_ref(), &shown);
    }

    async fn only_owner_and_administrators_see_and_change_settings_and_only_their_own(kit: Kit) {
        let acme = kit.account("acme").await;
        let other = kit.account("other").await;
        let (alice, rita) = (kit.ram_user(&acme, "alice").await, kit.administrator(&acme, "rita").await);
        let change = SettingsChange { users_manage_mfa_devices: Some(false), ..SettingsChange::default() };
        let alices = kit.session(&alice).await.actor;
        assert_eq!(refusal(kit.core().settings(&alices, origin()).await), Refusal::NoPermission);
        assert_eq!(refusal(kit.core().change_settings(&alices, change.clone(), origin()).await), Refusal::NoPermission);
        let ritas = kit.session(&rita).await.actor;
        kit.core().change_settings(&ritas, change, origin()).await.unwrap();
        let others = kit.owner_session(&other).await.actor;
        assert!(kit.core().settings(&others, origin()).await.unwrap().users_manage_mfa_devices);
    }

    async fn x1_the_number_of_codes_counts_for_a_binding_that_has_begun(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let visitor = kit.session(&alice).await;
        kit.core().start_own_binding(&visitor.actor, alice.secret(), origin()).await.unwrap();
        let phone = Phone::scan(&kit.core().own_binding(&visitor.actor).await.unwrap());
        let owner = kit.owner_session(&acme).await.actor;
        let two = SettingsChange { binding_codes: Some(BindingCodes::Two), ..SettingsChange::default() };
        kit.core().change_settings(&owner, two, origin()).await.unwrap();
        let typed = one_code(phone.code(&kit));
        let refused = kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await;
        assert_eq!(reason(refused), "code_malformed");
        let typed = countersign_core::binding::TypedCodes {
            first: phone.code_at(&kit, -1),
            second: phone.code(&kit),
            ..Default::default()
        };
        kit.core().confirm_own_binding(&visitor.actor, typed, origin()).await.unwrap();
    }

    async fn settings_changed_from_two_sides_at_once_keep_both(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        for _ in 0..5 {
            let codes = SettingsChange { binding_codes: Some(BindingCodes::Two), ..SettingsChange::default() };
            let types = SettingsChange { mfa_device_types: Some(MfaDeviceTypes::Several), ..SettingsChange::default() };
            let (one, other) = (kit.core().clone(), second.clone());
            let (by, of) = (owner.clone(), owner.clone());
            let one = tokio::spawn(async move { one.change_settings(&by, codes, origin()).await });
            let other = tokio::spawn(async move { other.change_settings(&of, types, origin()).await });
            one.await.unwrap().unwrap();
            other.await.unwrap().unwrap();
            let settings = kit.core().settings(&owner, origin()).await.unwrap();
            let both = (settings.binding_codes, settings.mfa_device_types);
            assert_eq!(both, (BindingCodes::Two, MfaDeviceTypes::Several));
            let back = SettingsChange {
                binding_codes: Some(BindingCodes::One),
                mfa_device_types: Some(MfaDeviceTypes::One),
                ..SettingsChange::default()
            };
            kit.core().change_settings(&owner, back, origin()).await.unwrap();
        }
    }
}
