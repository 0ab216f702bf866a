//! RAM users as the RAM protocol has them: made without console logon, changed in part, removed only when nothing hangs on
//! them, listed behind a mark.

use super::Page;
use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin};
use crate::authorise::{Action, Resource};
use crate::error::{Conflict, Error, Refusal};
use crate::notices::Notice;
use countersign_model::ids::{AccessKeyId, PrincipalId};
use countersign_model::names::{Comments, DisplayName, EmailAddress, MobilePhone, UserName};
use countersign_model::notice::NoticeKind;
use countersign_model::principal::{Principal, PrincipalKind};
use countersign_store::{Tx, access_keys, attachments, factors, groups, login_profiles, principals};

/// By what a user is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserKey {
    /// The user name.
    Name(String),
    /// The id.
    Id(String),
    /// One of his AccessKeys.
    AccessKey(String),
}

impl UserKey {
    fn as_str(&self) -> &str {
        match self {
            Self::Name(text) | Self::Id(text) | Self::AccessKey(text) => text,
        }
    }

    async fn find(&self, tx: &mut Tx<'_>, admitted: &Admitted, action: Action) -> Result<Principal, Error> {
        let (account, _) = admitted.oneself()?;
        let id: PrincipalId = match self {
            Self::Name(name) => return admitted.find_user(tx, name, action).await,
            Self::Id(id) => {
                admitted.may_at_all(action)?;
                id.parse().map_err(|_| Refusal::UserNotFound)?
            }
            Self::AccessKey(id) => {
                admitted.may_at_all(action)?;
                let id: AccessKeyId = id.parse().map_err(|_| Refusal::UserNotFound)?;
                access_keys::find(tx, account, &id).await?.ok_or(Refusal::UserNotFound)?.principal_id
            }
        };
        let found = principals::find(tx, account, &id).await?;
        let user = found.filter(|user| user.kind == PrincipalKind::RamUser).ok_or(Refusal::UserNotFound)?;
        // Whoever may not do it to this one does not learn that there is one.
        let (account, name) = (account.clone(), user.name.to_ascii_lowercase());
        let in_reach = admitted.may(action, &Resource::User(account, name, Some(user.id.clone())));
        if in_reach.is_err_and(|error| error.refusal() == Some(Refusal::NoPermission)) {
            return Err(Refusal::UserNotFound.into());
        }
        admitted.find_user(tx, &user.name, action).await
    }
}

/// What a new user is made of.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user name.
    pub name: UserName,
    /// A name for people to read.
    pub display_name: DisplayName,
    /// A remark.
    pub comments: Comments,
    /// An unverified contact address, for notices only.
    pub email: Option<EmailAddress>,
    /// A contact number.
    pub mobile: Option<MobilePhone>,
}

/// A change of a user. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// The user name.
    pub name: Option<UserName>,
    /// The name for people to read.
    pub display_name: Option<DisplayName>,
    /// The remark.
    pub comments: Option<Comments>,
    /// The contact address.
    pub email: Option<EmailAddress>,
    /// The contact number.
    pub mobile: Option<MobilePhone>,
}

impl Countersign {
    /// Makes a RAM user without console logon.
    pub async fn add_user<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        new: NewUser,
        origin: &Origin,
    ) -> Result<Principal, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::CreateUser.code(), new.name.as_str());
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Principal, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::CreateUser, &Resource::User(account.clone(), new.name.canonical(), None))?;
            let user = Principal {
                account_id: account.clone(),
                id: PrincipalId::generate(&*this.inner.entropy),
                kind: PrincipalKind::RamUser,
                name: new.name.as_str().to_owned(),
                display_name: new.display_name.clone(),
                comments: new.comments.clone(),
                email: new.email.clone(),
                mobile: new.mobile.clone(),
                epoch: 1,
                created_at: admitted.now,
                updated_at: admitted.now,
                last_logon_at: None,
            };
            if principals::insert(tx, &user).await? { Ok(user) } else { Err(Refusal::UserExists.into()) }
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// One user.
    pub async fn find_user_by<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        key: UserKey,
        origin: &Origin,
    ) -> Result<Principal, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::ViewUser.code(), key.as_str());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Principal, Error> {
            key.find(tx, admitted, Action::ViewUser).await
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// A page of the users of the account by name, behind a canonical name.
    pub async fn page_of_users<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        action: Action,
        (after, limit): (String, i64),
        origin: &Origin,
    ) -> Result<Page<Principal>, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, action.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Page<Principal>, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            let found = principals::page(tx, account, &after, limit.saturating_add(1)).await?;
            Ok(Page::of(found, limit))
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Changes some of what is known of a user. Gives him as he is then.
    pub async fn change_user<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        key: UserKey,
        change: UserChange,
        origin: &Origin,
    ) -> Result<Principal, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::UpdateUser.code(), key.as_str());
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Principal, Error> {
            // Two users must not be given one name at once.
            let admitted = this.guard_administrators(tx, admitted, Action::UpdateUser).await?;
            let user = key.find(tx, &admitted, Action::UpdateUser).await?;
            let user = admitted.guard_user(tx, &user.name, Action::UpdateUser).await?;
            let earlier = user.email.clone();
            let change = change.clone();
            let changed = Principal {
                name: change.name.map_or_else(|| user.name.clone(), |name| name.as_str().to_owned()),
                display_name: change.display_name.unwrap_or_else(|| user.display_name.clone()),
                comments: change.comments.unwrap_or_else(|| user.comments.clone()),
                email: change.email.or_else(|| user.email.clone()),
                mobile: change.mobile.or_else(|| user.mobile.clone()),
                updated_at: admitted.now,
                ..user
            };
            // He must be allowed to have a user of the new name as well.
            let (account, canonical) = (changed.account_id.clone(), changed.name.to_ascii_lowercase());
            admitted.may(Action::UpdateUser, &Resource::User(account, canonical, Some(changed.id.clone())))?;
            if !principals::update(tx, &changed).await? {
                return Err(Refusal::UserExists.into());
            }
            if earlier != changed.email {
                let kind = NoticeKind::ContactChanged;
                let notice = Notice { account: &changed.account_id, principal: &changed.id, kind, origin: &from };
                this.notify_also_at(tx, &admitted, notice, earlier.as_ref()).await?;
            }
            Ok(changed)
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Removes a user on whom nothing hangs: no AccessKey, no device, no policy, no login profile.
    pub async fn remove_user<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        key: UserKey,
        origin: &Origin,
    ) -> Result<(), Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::DeleteUser.code(), key.as_str());
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let admitted = this.guard_administrators(tx, admitted, Action::DeleteUser).await?;
            let user = key.find(tx, &admitted, Action::DeleteUser).await?;
            let (account, id) = (&user.account_id, &user.id);
            // What could be hung on him meanwhile waits for this row.
            principals::guard(tx, account, id).await?.ok_or(Refusal::UserNotFound)?;
            if access_keys::count(tx, account, id).await? > 0 {
                return Err(Refusal::DeleteConflict(Conflict::UserAccessKey).into());
            }
            if factors::of(tx, account, id).await?.any() {
                return Err(Refusal::DeleteConflict(Conflict::UserMfaDevice).into());
            }
            if !groups::of_user(tx, account, id).await?.is_empty() {
                return Err(Refusal::DeleteConflict(Conflict::UserGroup).into());
            }
            if !attachments::of_user(tx, account, id).await?.is_empty() {
                return Err(Refusal::DeleteConflict(Conflict::UserPolicy).into());
            }
            if login_profiles::find(tx, account, id).await?.is_some() {
                return Err(Refusal::DeleteConflict(Conflict::UserLoginProfile).into());
            }
            if principals::delete(tx, account, id).await? { Ok(()) } else { Err(Refusal::UserNotFound.into()) }
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }
}
