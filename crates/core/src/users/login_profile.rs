//! Console logon settings of a RAM user: console logon, password, whether an MFA device is required.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Insider, Origin, SessionActor};
use crate::authorise::Action;
use crate::error::{Error, Refusal};
use crate::notices::Notice;
use crate::passwords::{check_policy, keep_replaced};
use countersign_model::Timestamp;
use countersign_model::budget::BudgetKind;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::{ConsoleLogon, LoginProfile, Principal};
use countersign_store::budgets::Counted;
use countersign_store::{Tx, budgets, login_profiles, principals};
use secrecy::{ExposeSecret, SecretString};

/// What an administrator sets.
#[derive(Debug, Clone)]
pub struct LoginChange {
    /// Whether the password logs on.
    pub console_logon: ConsoleLogon,
    /// What becomes of the password.
    pub password: PasswordChange,
    /// Whether it must be changed at the next logon. A generated one always must.
    pub reset_required: bool,
    /// Whether an MFA device is required.
    pub mfa_required: bool,
}

impl LoginChange {
    /// What a proof for this change is bound to.
    pub(super) fn arguments(&self) -> Vec<SecretString> {
        let password = match &self.password {
            PasswordChange::Keep => "keep".into(),
            PasswordChange::Generate => "generate".into(),
            PasswordChange::Custom(chosen) => SecretString::from(format!("custom {}", chosen.expose_secret())),
        };
        let rest = format!("{} {} {}", self.console_logon, self.reset_required, self.mfa_required);
        vec![rest.into(), password]
    }
}

/// What becomes of a password.
#[derive(Debug, Clone)]
pub enum PasswordChange {
    /// It stays.
    Keep,
    /// A random one, shown once.
    Generate,
    /// One that the administrator chose.
    Custom(SecretString),
}

/// A change whose password is already hashed, so that the transaction hashes nothing.
#[derive(Debug, Clone)]
pub(crate) struct PreparedLogin {
    pub(crate) change: LoginChange,
    pub(crate) new_hash: Option<SecretString>,
    /// The random password, to be shown once.
    pub(crate) generated: Option<SecretString>,
}

impl PreparedLogin {
    /// The profile after the change.
    pub(crate) fn apply(&self, present: Option<LoginProfile>, now: Timestamp) -> Result<LoginProfile, Error> {
        let kept = present.as_ref().and_then(|profile| profile.password_hash.clone());
        let password_hash = self.new_hash.clone().or(kept);
        if password_hash.is_none() && self.change.console_logon == ConsoleLogon::Enabled {
            return Err(Refusal::NoPassword.into());
        }
        let changed_at = if self.new_hash.is_some() {
            Some(now)
        } else {
            present.as_ref().and_then(|profile| profile.password_changed_at)
        };
        Ok(LoginProfile {
            console_logon: self.change.console_logon,
            password_hash,
            password_changed_at: changed_at,
            password_reset_required: self.change.reset_required || self.generated.is_some(),
            password_is_initial: match &present {
                Some(present) if self.new_hash.is_none() => present.password_is_initial,
                Some(_) | None => true,
            },
            mfa_bind_required: self.change.mfa_required,
            enabled_at: enabled_at(present.as_ref(), self.change.console_logon, now),
            created_at: present.map_or(now, |profile| profile.created_at),
        })
    }
}

/// From when on the idleness of console logon is counted: since an administrator last said that it is enabled.
pub(crate) fn enabled_at(present: Option<&LoginProfile>, becomes: ConsoleLogon, now: Timestamp) -> Timestamp {
    match (present, becomes) {
        (Some(present), ConsoleLogon::Disabled) => present.enabled_at,
        (Some(_) | None, ConsoleLogon::Enabled) | (None, ConsoleLogon::Disabled) => now,
    }
}

impl Countersign {
    /// Changes the console logon settings of a RAM user. His sessions and logons end. A random password is returned, to
    /// be shown once.
    pub async fn change_login_profile(
        &self,
        actor: &SessionActor,
        name: &str,
        change: LoginChange,
        origin: &Origin,
    ) -> Result<Option<SecretString>, Error> {
        let arguments = change.arguments();
        let arguments: Vec<_> = arguments.iter().map(ExposeSecret::expose_secret).collect();
        let deed = Deed::on(actor, Action::ChangeLoginProfile.code(), name);
        let deed = deed.asking(Action::ChangeLoginProfile, &arguments);
        let prepared = match self.prepare_login(actor, Action::ChangeLoginProfile, (change, name), origin).await {
            Ok(prepared) => prepared,
            Err(error) => return self.refuse(&Actor::Session(Box::new(actor.clone())), origin, deed, error).await,
        };
        let (shown, name) = (prepared.generated.clone(), name.to_owned());
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &name, Action::ChangeLoginProfile).await?;
            let present = login_profiles::find(tx, &user.account_id, &user.id).await?;
            this.write_login(tx, admitted, (&user, present, &prepared), &from).await.map(drop)
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await?;
        Ok(shown)
    }

    /// Gives a RAM user a random password, to be changed at his next logon; his other logon settings stay. His sessions
    /// and logons end, and the lock on his password is lifted. The password is returned, to be shown once.
    pub async fn reset_password(
        &self,
        actor: &SessionActor,
        name: &str,
        origin: &Origin,
    ) -> Result<SecretString, Error> {
        let deed = Deed::on(actor, Action::ChangeLoginProfile.code(), name);
        let deed = deed.asking(Action::ChangeLoginProfile, &["reset"]);
        if let Err(error) = self.check_may(actor, Action::ChangeLoginProfile, origin).await {
            return self.refuse(&Actor::Session(Box::new(actor.clone())), origin, deed, error).await;
        }
        let policy = actor.found.settings.password;
        let (password, name) = (self.generate_password(&policy, name), name.to_owned());
        let new_hash = SecretString::from(self.hash_password(&password).await?);
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &name, Action::ChangeLoginProfile).await?;
            let present = login_profiles::find(tx, &user.account_id, &user.id).await?.ok_or(Refusal::NoPassword)?;
            let profile = LoginProfile {
                password_hash: Some(new_hash.clone()),
                password_changed_at: Some(admitted.now),
                password_reset_required: true,
                password_is_initial: true,
                ..present.clone()
            };
            keep_replaced(tx, (&user.account_id, &user.id), Some(&present), admitted.now).await?;
            release_password(tx, &user, admitted.now).await?;
            this.notify_by(tx, admitted, password_changed(&user, &from)).await?;
            put_profile(tx, &user, &profile, admitted.now).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await?;
        Ok(password)
    }

    /// Writes a prepared change of a user who is guarded, and ends what was opened under the old profile. Gives the
    /// profile as it is then.
    pub(crate) async fn write_login(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        (user, present, prepared): (&Principal, Option<LoginProfile>, &PreparedLogin),
        origin: &Origin,
    ) -> Result<LoginProfile, Error> {
        let profile = prepared.apply(present.clone(), admitted.now)?;
        if prepared.new_hash.is_some() {
            keep_replaced(tx, (&user.account_id, &user.id), present.as_ref(), admitted.now).await?;
            release_password(tx, user, admitted.now).await?;
            self.notify_by(tx, admitted, password_changed(user, origin)).await?;
        }
        put_profile(tx, user, &profile, admitted.now).await?;
        Ok(profile)
    }

    /// Makes and hashes the password of a change, outside any transaction, for an actor who may ask for it.
    pub(crate) async fn prepare_login<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        action: Action,
        (change, name): (LoginChange, &str),
        origin: &Origin,
    ) -> Result<PreparedLogin, Error> {
        let actor = actor.into();
        self.check_may(actor, action, origin).await?;
        let policy = actor.settings().password;
        let (password, generated) = match &change.password {
            PasswordChange::Keep => (None, None),
            PasswordChange::Generate => {
                let random = self.generate_password(&policy, name);
                (Some(random.clone()), Some(random))
            }
            PasswordChange::Custom(chosen) => {
                check_policy(chosen, name, &policy)?;
                if action == Action::ChangeLoginProfile {
                    self.check_reuse_for(actor, (action, name), chosen, origin).await?;
                }
                (Some(chosen.clone()), None)
            }
        };
        let new_hash = match password {
            Some(password) => Some(SecretString::from(self.hash_password(&password).await?)),
            None => None,
        };
        Ok(PreparedLogin { change, new_hash, generated })
    }
}

fn password_changed<'a>(user: &'a Principal, origin: &'a Origin) -> Notice<'a> {
    Notice { account: &user.account_id, principal: &user.id, kind: NoticeKind::PasswordChanged, origin }
}

/// Writes a profile and ends what was opened under the old one.
async fn put_profile(tx: &mut Tx<'_>, user: &Principal, profile: &LoginProfile, now: Timestamp) -> Result<(), Error> {
    login_profiles::put(tx, &user.account_id, &user.id, profile).await?;
    principals::bump_epoch(tx, &user.account_id, &user.id, now).await?;
    Ok(())
}

/// Lifts the lock on a password that is replaced.
async fn release_password(tx: &mut Tx<'_>, user: &Principal, now: Timestamp) -> Result<(), Error> {
    let counted = Counted { account: &user.account_id, subject: user.id.as_str(), kind: BudgetKind::Password };
    budgets::clear(tx, counted, now).await?;
    Ok(())
}
