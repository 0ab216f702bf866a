//! The security settings of an account.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use countersign_model::settings::{BindingCodes, MfaDeviceTypes, SecuritySettings};
use countersign_store::{Tx, accounts};

/// A change of the settings. What is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct SettingsChange {
    /// Whether RAM users bind and unbind their own MFA devices.
    pub users_manage_mfa_devices: Option<bool>,
    /// How many codes confirm a binding in the console.
    pub binding_codes: Option<BindingCodes>,
    /// How many types of MFA devices one RAM user may have.
    pub mfa_device_types: Option<MfaDeviceTypes>,
}

impl Countersign {
    /// The settings as they are.
    pub async fn settings(&self, actor: &SessionActor, origin: &Origin) -> Result<SecuritySettings, Error> {
        let deed = Deed::on(actor, Action::ViewSettings.code(), "");
        let work = async move |_: &mut Tx<'_>, admitted: &Admitted| -> Result<SecuritySettings, Error> {
            let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
            admitted.may(Action::ViewSettings, &Resource::Account(session.account_id().clone()))?;
            Ok(session.found.settings.clone())
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Changes the settings; they count from the next request on.
    pub async fn change_settings(
        &self,
        actor: &SessionActor,
        change: SettingsChange,
        origin: &Origin,
    ) -> Result<SecuritySettings, Error> {
        let deed = Deed::on(actor, Action::ChangeSettings.code(), "");
        let deed = deed.asking(Action::ChangeSettings, &[&format!("{change:?}")]);
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<SecuritySettings, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ChangeSettings, &Resource::Account(account.clone()))?;
            accounts::guard(tx, account).await?;
            let present = accounts::find(tx, account).await?.ok_or(Refusal::AccountNotFound)?.settings;
            let changed = SecuritySettings {
                users_manage_mfa_devices: change.users_manage_mfa_devices.unwrap_or(present.users_manage_mfa_devices),
                binding_codes: change.binding_codes.unwrap_or(present.binding_codes),
                mfa_device_types: change.mfa_device_types.unwrap_or(present.mfa_device_types),
                ..present
            };
            accounts::change_settings(tx, account, &changed).await?;
            Ok(changed)
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}
