//! RAM users: making, finding, changing and removing them; their login profiles; who is an administrator.

mod login_profile;

pub(crate) use login_profile::enabled_at;
pub use login_profile::{LoginChange, PasswordChange};

use crate::Countersign;
use crate::act::{Admitted, Deed, grants_of};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::codes::counted;
use crate::error::{Error, Refusal};
use crate::logon::requires_device;
use crate::notices::Notice;
use crate::overview::DeviceView;
use crate::passwords::password_expires_at;
use crate::webauthn::KeyView;
use countersign_model::Timestamp;
use countersign_model::budget::{Budget, BudgetKind};
use countersign_model::ids::PrincipalId;
use countersign_model::names::{Comments, DisplayName, EmailAddress, UserName};
use countersign_model::notice::NoticeKind;
use countersign_model::principal::{LoginProfile, Principal, PrincipalKind};
use countersign_model::settings::PasswordPolicy;
use countersign_store::attachments::AttachedLine;
use countersign_store::budgets::Counted;
use countersign_store::groups::JoinedGroup;
use countersign_store::users::{UserLine, UserQuery};
use countersign_store::{
    Tx, access_keys, attachments, budgets, groups, login_profiles, principals, recovery_codes, virtual_mfa,
};
use secrecy::{ExposeSecret, SecretString};

pub use countersign_store::users::{MfaFilter, UserLine as ListedUser, UserQuery as UsersQuery};

/// The most users that one page of a list gives.
pub const LONGEST_PAGE: i64 = 1_000;

/// The names and remarks of a RAM user, checked.
#[derive(Debug, Clone)]
pub struct UserFacts {
    /// The user name.
    pub name: UserName,
    /// A name for people to read.
    pub display_name: DisplayName,
    /// A remark.
    pub comments: Comments,
    /// An unverified contact address, for notices only.
    pub email: Option<EmailAddress>,
}

impl UserFacts {
    /// What a proof for writing these is bound to.
    fn arguments(&self) -> Vec<SecretString> {
        let email = self.email.as_ref().map_or("", EmailAddress::as_str);
        [self.name.as_str(), self.display_name.as_str(), self.comments.as_str(), email].map(SecretString::from).into()
    }
}

/// A RAM user as his page shows him.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct UserInFull {
    /// Names, remarks, times.
    pub user: Principal,
    /// The login profile, without the password's hash.
    pub profile: Option<ProfileView>,
    /// Whether he must have a second factor to log on: his profile says so, or the account says it of all.
    pub mfa_required: bool,
    /// The bound virtual MFA device.
    pub device: Option<DeviceView>,
    /// The security keys and passkeys, the oldest first.
    pub keys: Vec<KeyView>,
    /// The policies attached to him.
    pub policies: Vec<AttachedLine>,
    /// The groups that he is in.
    pub groups: Vec<JoinedGroup>,
    /// Whether a policy makes him an administrator, his own or one of a group.
    pub is_administrator: bool,
    /// Whether the actor outranks him: otherwise nothing of him can be changed.
    pub is_outranked: bool,
    /// Tries of his password.
    pub password_budget: Budget,
    /// Tries of his device.
    pub device_budget: Budget,
    /// Tries of his recovery codes.
    pub recovery_budget: Budget,
    /// How many recovery codes he has left.
    pub codes_left: i64,
    /// How many AccessKeys he has.
    pub access_keys: i64,
    /// Whether the actor looks at himself.
    pub is_oneself: bool,
    /// The present time, by which locks are judged.
    pub now: Timestamp,
}

/// A login profile as pages show it: never with the password's hash.
#[derive(Debug, Clone)]
pub struct ProfileView {
    /// Whether the password logs on.
    pub console_logon: countersign_model::principal::ConsoleLogon,
    /// When the password was last changed; nothing when there is none.
    pub password_changed_at: Option<Timestamp>,
    /// Whether it must be changed at the next logon.
    pub password_reset_required: bool,
    /// When it runs out; nothing when it never does.
    pub password_expires_at: Option<Timestamp>,
    /// Whether an MFA device is required.
    pub mfa_bind_required: bool,
}

impl ProfileView {
    fn of(profile: &LoginProfile, kind: PrincipalKind, policy: &PasswordPolicy) -> Self {
        Self {
            console_logon: profile.console_logon,
            password_changed_at: profile.password_changed_at,
            password_reset_required: profile.password_reset_required,
            password_expires_at: password_expires_at(kind, profile, policy),
            mfa_bind_required: profile.mfa_bind_required,
        }
    }
}

impl Countersign {
    /// A page of the users of the actor's account, and how many match in all.
    pub async fn list_users(
        &self,
        actor: &SessionActor,
        query: UserQuery,
        origin: &Origin,
    ) -> Result<(Vec<UserLine>, i64), Error> {
        let deed = Deed::on(actor, Action::ListUsers.code(), "");
        let query = UserQuery {
            search: query.search.chars().filter(|c| !c.is_control()).collect(),
            offset: query.offset.max(0),
            limit: query.limit.clamp(1, LONGEST_PAGE),
            ..query
        };
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ListUsers, &Resource::Account(account.clone()))?;
            Ok(countersign_store::users::list(tx, account, &query).await?)
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// One user.
    pub async fn user(&self, actor: &SessionActor, name: &str, origin: &Origin) -> Result<UserInFull, Error> {
        let (this, deed, name) = (self.clone(), Deed::on(actor, Action::ViewUser.code(), name), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<UserInFull, Error> {
            let user = admitted.find_user(tx, &name, Action::ViewUser).await?;
            let account = &user.account_id;
            let grants = grants_of(tx, &user).await?;
            let device = virtual_mfa::find_bound(tx, account, &user.id).await?;
            let password = Counted { account, subject: user.id.as_str(), kind: BudgetKind::Password };
            let recovery = Counted { kind: BudgetKind::RecoveryCode, ..password };
            let profile = login_profiles::find(tx, account, &user.id).await?;
            let settings = &admitted.who.settings;
            Ok(UserInFull {
                mfa_required: profile.as_ref().is_some_and(|profile| requires_device(user.kind, settings, profile)),
                profile: profile.map(|profile| ProfileView::of(&profile, user.kind, &admitted.who.settings.password)),
                keys: this.key_views(tx, (account, &user.id), &admitted.who.settings.attestation).await?,
                policies: attachments::of_user(tx, account, &user.id).await?,
                groups: groups::of_user(tx, account, &user.id).await?,
                is_administrator: grants.make_administrator(),
                is_outranked: admitted.who.outranks(&grants),
                password_budget: budgets::find(tx, password).await?,
                device_budget: match &device {
                    Some(device) => budgets::find(tx, counted(device)).await?,
                    None => Budget::UNUSED,
                },
                recovery_budget: budgets::find(tx, recovery).await?,
                codes_left: recovery_codes::count(tx, account, &user.id).await?.left,
                access_keys: access_keys::count(tx, account, &user.id).await?,
                device: device.as_ref().and_then(DeviceView::of),
                is_oneself: admitted.who.principal.as_ref() == Some(&user.id),
                now: admitted.now,
                user,
            })
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Makes a RAM user, with console logon if `login` says so. A random password is returned, to be shown once.
    pub async fn create_user(
        &self,
        actor: &SessionActor,
        facts: UserFacts,
        login: Option<LoginChange>,
        origin: &Origin,
    ) -> Result<Option<SecretString>, Error> {
        let mut arguments = facts.arguments();
        arguments.extend(login.iter().flat_map(LoginChange::arguments));
        let arguments: Vec<_> = arguments.iter().map(ExposeSecret::expose_secret).collect();
        let deed = Deed::on(actor, Action::CreateUser.code(), facts.name.as_str());
        let deed = deed.asking(Action::CreateUser, &arguments);
        let prepared = match login {
            Some(login) => match self
                .prepare_login(actor, Action::CreateUser, (login, facts.name.as_str()), origin)
                .await
            {
                Ok(prepared) => Some(prepared),
                Err(error) => return self.refuse(&Actor::Session(Box::new(actor.clone())), origin, deed, error).await,
            },
            None => None,
        };
        let shown = prepared.as_ref().and_then(|prepared| prepared.generated.clone());
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::CreateUser, &Resource::User(account.clone(), facts.name.canonical(), None))?;
            let user = Principal {
                account_id: account.clone(),
                id: PrincipalId::generate(&*this.inner.entropy),
                kind: PrincipalKind::RamUser,
                name: facts.name.as_str().to_owned(),
                display_name: facts.display_name.clone(),
                comments: facts.comments.clone(),
                email: facts.email.clone(),
                mobile: None,
                epoch: 1,
                created_at: admitted.now,
                updated_at: admitted.now,
                last_logon_at: None,
            };
            // Decided before anything is written: a refusal keeps what is.
            let profile = prepared.as_ref().map(|prepared| prepared.apply(None, admitted.now)).transpose()?;
            if !principals::insert(tx, &user).await? {
                return Err(Refusal::UserExists.into());
            }
            admitted.aim_at(&user.id);
            if let Some(profile) = &profile {
                login_profiles::put(tx, account, &user.id, profile).await?;
            }
            Ok(())
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await?;
        Ok(shown)
    }

    /// Changes names and remarks of a RAM user.
    pub async fn update_user(
        &self,
        actor: &SessionActor,
        name: &str,
        facts: UserFacts,
        origin: &Origin,
    ) -> Result<(), Error> {
        let arguments = facts.arguments();
        let arguments: Vec<_> = arguments.iter().map(ExposeSecret::expose_secret).collect();
        let deed = Deed::on(actor, Action::UpdateUser.code(), name).asking(Action::UpdateUser, &arguments);
        let (this, name, from) = (self.clone(), name.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            // Two users must not be given one name at once.
            let admitted = this.guard_administrators(tx, admitted, Action::UpdateUser).await?;
            let user = admitted.guard_user(tx, &name, Action::UpdateUser).await?;
            // He must be allowed to have a user of the new name as well.
            let renamed = Resource::User(user.account_id.clone(), facts.name.canonical(), Some(user.id.clone()));
            admitted.may(Action::UpdateUser, &renamed)?;
            let earlier = user.email.clone();
            let changed = Principal {
                name: facts.name.as_str().to_owned(),
                display_name: facts.display_name.clone(),
                comments: facts.comments.clone(),
                email: facts.email.clone(),
                updated_at: admitted.now,
                ..user
            };
            if !principals::update(tx, &changed).await? {
                return Err(Refusal::UserExists.into());
            }
            if earlier == changed.email {
                return Ok(());
            }
            let kind = NoticeKind::ContactChanged;
            let notice = Notice { account: &changed.account_id, principal: &changed.id, kind, origin: &from };
            this.notify_also_at(tx, &admitted, notice, earlier.as_ref()).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Removes a RAM user with all that hangs on him, after his name was typed to confirm.
    pub async fn delete_user(
        &self,
        actor: &SessionActor,
        name: &str,
        typed_name: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        let deed = Deed::on(actor, Action::DeleteUser.code(), name).asking(Action::DeleteUser, &[]);
        let (this, name, typed_name) = (self.clone(), name.to_owned(), typed_name.trim().to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let admitted = this.guard_administrators(tx, admitted, Action::DeleteUser).await?;
            let user = admitted.find_user(tx, &name, Action::DeleteUser).await?;
            if typed_name != user.name {
                return Err(Refusal::NotConfirmed.into());
            }
            let deleted = principals::delete(tx, &user.account_id, &user.id).await?;
            if deleted { Ok(()) } else { Err(Refusal::UserNotFound.into()) }
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Lifts every lock on a RAM user: on his password, in whichever browser, his device, his recovery codes.
    pub async fn unlock_user(&self, actor: &SessionActor, name: &str, origin: &Origin) -> Result<(), Error> {
        let deed = Deed::on(actor, Action::UnlockUser.code(), name).asking(Action::UnlockUser, &[]);
        let name = name.to_owned();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &name, Action::UnlockUser).await?;
            budgets::clear_all_of(tx, &user.account_id, &user.id, admitted.now).await?;
            Ok(())
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}
