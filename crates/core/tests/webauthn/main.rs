//! Security keys and passkeys: who may bind which, what they prove, and which lies about them are refused.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod binding;
mod ceremonies;
mod challenges;
mod held;
mod lies;
mod logon;
mod managing;
mod passkey;
mod policy;
mod proof;

use countersign_core::settings::SettingsChange;
use countersign_model::settings::{AttestationPolicy, MfaDeviceTypes};
use countersign_testkit::{Account, Kit, origin};

/// Changes the settings of an account as its owner, who has no factor.
async fn set(kit: &Kit, account: &Account, change: SettingsChange) {
    let owner = kit.owner_session(account).await.actor;
    kit.core().change_settings(&owner, change, origin()).await.unwrap();
}

async fn allow_several_types(kit: &Kit, account: &Account) {
    let mfa_device_types = Some(MfaDeviceTypes::Several);
    set(kit, account, SettingsChange { mfa_device_types, ..SettingsChange::default() }).await;
}

async fn set_policy(kit: &Kit, account: &Account, policy: AttestationPolicy) {
    set(kit, account, SettingsChange { attestation: Some(policy), ..SettingsChange::default() }).await;
}
