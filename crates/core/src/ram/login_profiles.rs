//! Login profiles as the RAM protocol has them: made once, changed in part, taken away.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin};
use crate::authorise::Action;
use crate::error::{Error, Refusal};
use crate::passwords::{PasswordState, password_state};
use crate::users::{LoginChange, PasswordChange};
use countersign_model::Timestamp;
use countersign_model::principal::{ConsoleLogon, LoginProfile, Principal};
use countersign_store::{Tx, login_profiles, principals};
use secrecy::SecretString;

/// A login profile with its user.
#[derive(Debug, Clone)]
pub struct UserProfile {
    /// The user name.
    pub user: String,
    /// Whether the password logs on.
    pub console_logon: ConsoleLogon,
    /// Whether it must be changed at the next logon.
    pub password_reset_required: bool,
    /// Whether an MFA device is required.
    pub mfa_bind_required: bool,
    /// Whether a right password lets its user in.
    pub password_state: PasswordState,
    /// When the profile was made.
    pub created_at: Timestamp,
    /// When it, or something else that logon asks for, was last changed.
    pub updated_at: Timestamp,
    /// When the user last opened a session.
    pub last_logon_at: Option<Timestamp>,
}

/// A change of a profile. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// A new password.
    pub password: Option<SecretString>,
    /// Whether the password logs on.
    pub console_logon: Option<ConsoleLogon>,
    /// Whether it must be changed at the next logon.
    pub reset_required: Option<bool>,
    /// Whether an MFA device is required.
    pub mfa_required: Option<bool>,
}

impl Countersign {
    /// Gives a RAM user console logon.
    pub async fn create_login_profile<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        login: LoginChange,
        origin: &Origin,
    ) -> Result<UserProfile, Error> {
        let (actor, action) = (actor.into(), Action::CreateLoginProfile);
        let deed = Deed::on(actor, action.code(), user);
        let prepared = match self.prepare_login(actor, action, (login, user), origin).await {
            Ok(prepared) => prepared,
            Err(error) => return self.refuse(&actor.to_actor(), origin, deed, error).await,
        };
        let (this, user, from) = (self.clone(), user.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<UserProfile, Error> {
            let user = admitted.guard_user(tx, &user, action).await?;
            if login_profiles::find(tx, &user.account_id, &user.id).await?.is_some() {
                return Err(Refusal::LoginProfileExists.into());
            }
            let profile = this.write_login(tx, admitted, (&user, None, &prepared), &from).await?;
            Ok(view(&user, &profile, (admitted, admitted.now)))
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// The login profile of a RAM user.
    pub async fn login_profile<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        origin: &Origin,
    ) -> Result<UserProfile, Error> {
        let (actor, action, user) = (actor.into(), Action::ViewLoginProfile, user.to_owned());
        let deed = Deed::on(actor, action.code(), &user);
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<UserProfile, Error> {
            let user = admitted.find_user(tx, &user, action).await?;
            let profile = login_profiles::find(tx, &user.account_id, &user.id).await?.ok_or(Refusal::NoPassword)?;
            Ok(view(&user, &profile, (admitted, user.updated_at)))
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Changes some of the logon settings of a RAM user. His sessions and logons end.
    pub async fn update_login_profile<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        change: ProfileChange,
        origin: &Origin,
    ) -> Result<UserProfile, Error> {
        let (actor, action) = (actor.into(), Action::ChangeLoginProfile);
        let deed = Deed::on(actor, action.code(), user);
        // What stays is filled in where the present profile is known.
        let login = LoginChange {
            console_logon: ConsoleLogon::Disabled,
            password: change.password.clone().map_or(PasswordChange::Keep, PasswordChange::Custom),
            reset_required: false,
            mfa_required: false,
        };
        let prepared = match self.prepare_login(actor, action, (login, user), origin).await {
            Ok(prepared) => prepared,
            Err(error) => return self.refuse(&actor.to_actor(), origin, deed, error).await,
        };
        let (this, user, from) = (self.clone(), user.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<UserProfile, Error> {
            let user = admitted.guard_user(tx, &user, action).await?;
            let present = login_profiles::find(tx, &user.account_id, &user.id).await?.ok_or(Refusal::NoPassword)?;
            let mut prepared = prepared.clone();
            prepared.change = LoginChange {
                console_logon: change.console_logon.unwrap_or(present.console_logon),
                reset_required: change.reset_required.unwrap_or(present.password_reset_required),
                mfa_required: change.mfa_required.unwrap_or(present.mfa_bind_required),
                ..prepared.change
            };
            let profile = this.write_login(tx, admitted, (&user, Some(present), &prepared), &from).await?;
            Ok(view(&user, &profile, (admitted, admitted.now)))
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Takes console logon away from a RAM user, with his password. His sessions and logons end.
    pub async fn delete_login_profile<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        let (actor, action, user) = (actor.into(), Action::DeleteLoginProfile, user.to_owned());
        let deed = Deed::on(actor, action.code(), &user);
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, action).await?;
            if !login_profiles::delete(tx, &user.account_id, &user.id).await? {
                return Err(Refusal::NoPassword.into());
            }
            principals::bump_epoch(tx, &user.account_id, &user.id, admitted.now).await?;
            Ok(())
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }
}

fn view(user: &Principal, profile: &LoginProfile, (admitted, updated_at): (&Admitted, Timestamp)) -> UserProfile {
    let policy = &admitted.who.settings.password;
    UserProfile {
        user: user.name.clone(),
        console_logon: profile.console_logon,
        password_reset_required: profile.password_reset_required,
        mfa_bind_required: profile.mfa_bind_required,
        password_state: password_state(user.kind, profile, policy, admitted.now),
        created_at: profile.created_at,
        updated_at,
        last_logon_at: user.last_logon_at,
    }
}
