//! The security settings of an account: reading them, and changing them for whoever logs on or is logged on.
//!
//! A change is judged under the account's guard. Where a rule became stricter it bumps the account's epoch in the same
//! transaction, so that no session, logon or remembered machine outlives it; the session that made the change goes on under
//! a new secret.

mod change;
mod differences;
mod stricter;

pub use change::{Fingerprint, PolicyChange, SettingsChange};
pub use differences::{Difference, differences, strength_name, values};
pub use stricter::is_stricter;
pub(crate) use stricter::{are_ages_stricter, is_a_strength_raised};

use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin, Role, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::{Countersign, forecast, token_hash};
use countersign_model::principal::Account;
use countersign_model::settings::{PasswordPolicy, SecuritySettings};
use countersign_model::token::Token;
use countersign_store::{Tx, accounts, sessions};

/// What came of a change.
#[derive(Debug)]
pub struct Changed {
    /// The settings as they are now.
    pub settings: SecuritySettings,
    /// The new secret of the session that made the change, if a rule became stricter.
    pub token: Option<Token>,
}

impl Countersign {
    /// The settings as they are.
    pub async fn settings<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        origin: &Origin,
    ) -> Result<SecuritySettings, Error> {
        self.settings_for(actor.into(), Action::ViewSettings, origin).await
    }

    /// The same for whoever only looks at the rules for passwords.
    pub async fn password_policy<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        origin: &Origin,
    ) -> Result<PasswordPolicy, Error> {
        Ok(self.settings_for(actor.into(), Action::ViewPasswordPolicy, origin).await?.password)
    }

    async fn settings_for(
        &self,
        actor: Insider<'_>,
        action: Action,
        origin: &Origin,
    ) -> Result<SecuritySettings, Error> {
        let deed = Deed::on(actor, action.code(), "");
        let work = async move |_: &mut Tx<'_>, admitted: &Admitted| -> Result<SecuritySettings, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            Ok(SecuritySettings::clone(&admitted.who.settings))
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Changes the settings; they count from the next request on. Where a rule became stricter, every other session of the
    /// account ends, and the actor's own goes on under the token returned.
    pub async fn change_settings<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        change: SettingsChange,
        origin: &Origin,
    ) -> Result<Changed, Error> {
        let action = change_action(&change);
        self.change_settings_by(actor.into(), action, change, origin).await
    }

    /// The same for the rules for passwords alone, also where nothing is changed.
    pub async fn change_password_policy<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        password: PolicyChange,
        origin: &Origin,
    ) -> Result<PasswordPolicy, Error> {
        let change = SettingsChange { password, ..SettingsChange::default() };
        let changed = self.change_settings_by(actor.into(), Action::ChangePasswordPolicy, change, origin).await?;
        Ok(changed.settings.password)
    }

    async fn change_settings_by(
        &self,
        actor: Insider<'_>,
        action: Action,
        change: SettingsChange,
        origin: &Origin,
    ) -> Result<Changed, Error> {
        let deed = Deed::on(actor, action.code(), "").asking(action, &[&format!("{change:?}")]);
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Changed, Error> {
            let again = this.guard_administrators(tx, admitted, action).await?;
            let (account, _) = again.oneself()?;
            again.may(action, &Resource::Account(account.clone()))?;
            if change.password != PolicyChange::default() {
                again.may(Action::ChangePasswordPolicy, &Resource::Account(account.clone()))?;
            }
            let account = accounts::find(tx, account).await?.ok_or(Refusal::AccountNotFound)?;
            let settings = judge(&change, &account, &again, &from)?;
            forecast::check_administrator_path(tx, &account, (&settings, &this), &again, &from).await?;
            for difference in differences(&account.settings, &settings) {
                admitted.tell(difference.setting, &format!("{}>{}", difference.before, difference.after));
            }
            accounts::change_settings(tx, &account.id, &settings).await?;
            let token = match &again.session {
                _ if !is_stricter(&account.settings, &settings) => None,
                Some(session) => Some(this.renew_in_account(tx, session).await?),
                // A program has no session to go on with.
                None => {
                    accounts::bump_epoch(tx, &account.id).await?.ok_or(Refusal::AccountNotFound)?;
                    None
                }
            };
            Ok(Changed { settings, token })
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Bumps the epoch of the actor's account: all other sessions of the account end, this one goes on under a new secret.
    async fn renew_in_account(&self, tx: &mut Tx<'_>, session: &SessionActor) -> Result<Token, Error> {
        let epoch = accounts::bump_epoch(tx, session.account_id()).await?.ok_or(Refusal::AccountNotFound)?;
        let token = self.new_token();
        if sessions::renew_in_account(tx, &session.token_hash, &token_hash(&token), epoch).await? {
            return Ok(token);
        }
        // A refusal would keep the change. Whoever logged off meanwhile has changed nothing.
        Err(Error::Unavailable("the session ended at this very moment".to_owned()))
    }
}

/// What the audit log calls a change.
pub(crate) fn change_action(change: &SettingsChange) -> Action {
    if change.is_about_passwords() { Action::ChangePasswordPolicy } else { Action::ChangeSettings }
}

/// The settings after a change, if it may be made: its values lie in their ranges, nobody else changed the settings since
/// they were shown, and the actor does not lock himself out.
pub(crate) fn judge(
    change: &SettingsChange,
    account: &Account,
    admitted: &Admitted,
    origin: &Origin,
) -> Result<SecuritySettings, Error> {
    change.check()?;
    if let Some(seen) = &change.seen
        && *seen != Fingerprint::of(&account.settings)?
    {
        return Err(Refusal::SettingsChanged.into());
    }
    let settings = change.apply(&account.settings);
    // The networks bind the logons of RAM users, neither the owner nor programs.
    let is_bound = admitted.who.role != Role::Owner && admitted.session.is_some();
    let narrowed = !settings.logon_networks.covers(&account.settings.logon_networks);
    if is_bound && narrowed && !settings.logon_networks.admit(&origin.address) {
        return Err(Refusal::Invalid("InvalidParameter.LoginNetworkMasks.OwnAddress").into());
    }
    Ok(settings)
}
