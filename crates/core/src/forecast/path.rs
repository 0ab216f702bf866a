//! Whether somebody could still administrate an account under other settings.

use super::{LOOKED_AT, thresholds};
use crate::Countersign;
use crate::act::Admitted;
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::webauthn::{Terms, has_factor_left};
use countersign_model::principal::{Account, ConsoleLogon};
use countersign_model::settings::SecuritySettings;
use countersign_store::forecast::{self as counted, AdministratorRow};
use countersign_store::{Tx, login_profiles, principals};

/// Refuses settings under which nobody could administrate the account any more. The owner is a way in as long as his
/// console logon is enabled: the settings do not bind him.
pub(crate) async fn check_administrator_path(
    tx: &mut Tx<'_>,
    account: &Account,
    (after, this): (&SecuritySettings, &Countersign),
    admitted: &Admitted,
    origin: &Origin,
) -> Result<(), Error> {
    let fewer = !after.attestation.covers(&account.settings.attestation);
    if let (true, Some(session)) = (fewer, &admitted.session)
        && !has_factor_left(tx, (session.account_id(), session.principal_id()), this.terms(&after.attestation)).await?
    {
        return Err(Refusal::Invalid("InvalidParameter.Attestation.OwnKeys").into());
    }
    // Where nobody gets in as it is, no change makes it worse, and one may mend it.
    if has_way_in(tx, account, (after, this), admitted, origin).await?
        || !has_way_in(tx, account, (&account.settings, this), admitted, origin).await?
    {
        return Ok(());
    }
    Err(Refusal::NoAdministratorPath.into())
}

/// Whether the owner or an administrator could log on under these settings.
async fn has_way_in(
    tx: &mut Tx<'_>,
    account: &Account,
    (settings, this): (&SecuritySettings, &Countersign),
    admitted: &Admitted,
    origin: &Origin,
) -> Result<bool, Error> {
    let keys = this.terms(&settings.attestation);
    if owner_gets_in(tx, account, keys).await? {
        return Ok(true);
    }
    let by = thresholds(settings, admitted.now);
    let oneself = admitted.session.as_ref().map(|session| session.found.name.as_str());
    let narrowed = !settings.logon_networks.covers(&account.settings.logon_networks);
    let rows = counted::administrators(tx, &account.id, by, LOOKED_AT).await?;
    let gets_in = |AdministratorRow { class, id: _, name, address, is_restricted }: &AdministratorRow| {
        let address = if Some(name.as_str()) == oneself { Some(&origin.address) } else { address.as_ref() };
        let from_outside = narrowed && !address.is_some_and(|address| settings.logon_networks.admit(address));
        let expired = class.initial_outlived || (class.outlived && settings.password.hard_expire);
        !is_restricted && !class.idle && !expired && !from_outside
    };
    for row in rows.iter().filter(|row| gets_in(row)) {
        if has_factor_left(tx, (&account.id, &row.id), keys).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the owner of an account can log on, if keys have to meet these terms.
pub(crate) async fn owner_gets_in(tx: &mut Tx<'_>, account: &Account, keys: Terms<'_>) -> Result<bool, Error> {
    let Some(owner) = principals::find_owner_of(tx, &account.id).await? else { return Ok(false) };
    if !has_factor_left(tx, (&account.id, &owner.id), keys).await? {
        return Ok(false);
    }
    let profile = login_profiles::find(tx, &account.id, &owner.id).await?;
    Ok(profile.is_some_and(|profile| profile.console_logon == ConsoleLogon::Enabled && profile.password_hash.is_some()))
}
