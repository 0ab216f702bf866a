//! AccessKeys: an id and a secret with which a program signs its calls as its principal.
//!
//! A key opens no session and is never asked for a second factor or a proof. Its secret is shown once, to whoever had it
//! made, and lies sealed in the database, because a signature can only be checked with it. A principal has two keys at
//! most; both are judged under the row that guards him. A key that nobody uses is refused after the days that the settings
//! allow, and then disabled by the server ([`Countersign::disable_idle_access_keys`]).

mod idle;

pub use idle::BATCH;

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{AccessKeyActor, Insider, Origin};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Limit, Refusal};
use crate::keyring::Place;
use crate::notices::Notice;
use countersign_model::Timestamp;
use countersign_model::access_key::{
    ACCESS_KEYS_PER_PRINCIPAL, AccessKey, AccessKeyState, AccessKeyStatus, ApiService, LastUse, generate_secret,
};
use countersign_model::ids::{AccessKeyId, AccountId, PrincipalId};
use countersign_model::notice::NoticeKind;
use countersign_model::settings::IdleDays;
use countersign_store::{Tx, access_keys};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Whose keys are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysOf {
    /// The actor's own: those of the owner, or of the RAM user that he is.
    Oneself,
    /// Those of the RAM user of this name.
    User(String),
}

/// A key that was just made. The secret is told here and never again.
#[derive(Debug, Clone)]
pub struct MadeAccessKey {
    /// Its id.
    pub id: AccessKeyId,
    /// The secret.
    pub secret: SecretString,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key as lists show it: never with its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeyView {
    /// Its id.
    pub id: AccessKeyId,
    /// Whether it may sign, as it was set.
    pub status: AccessKeyStatus,
    /// What it is worth now.
    pub state: AccessKeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its status was last set.
    pub updated_at: Timestamp,
    /// When and for what it was last used, to the minute.
    pub last_use: Option<LastUse>,
}

/// The keys of one principal.
#[derive(Debug, Clone)]
pub struct AccessKeys {
    /// The keys, the oldest first.
    pub keys: Vec<AccessKeyView>,
    /// How many there may be.
    pub most: i64,
    /// After how many days without use a key is refused.
    pub idle_days: IdleDays,
}

impl AccessKeys {
    /// Whether one more may be made.
    #[must_use]
    pub fn has_room(&self) -> bool {
        i64::try_from(self.keys.len()).is_ok_and(|present| present < self.most)
    }
}

/// A key that a call names, with what it is checked by.
pub struct FoundAccessKey {
    /// Who calls, if the signature is right. A key that is not active is found as well: see [`AccessKeyActor::state`].
    /// Every use-case looks again and refuses such a key.
    pub actor: AccessKeyActor,
    /// The secret.
    pub secret: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for FoundAccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundAccessKey").field("id", self.actor.access_key_id()).finish_non_exhaustive()
    }
}

impl Countersign {
    /// The key that a call names, with its secret. One read. A text that is no id is a key that does not exist.
    pub async fn access_key(&self, id: &str) -> Result<FoundAccessKey, Error> {
        let id: AccessKeyId = id.parse().map_err(|_| Refusal::SigningKeyNotFound)?;
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> { Ok(access_keys::find_in_full(tx, &id).await?) };
        let as_of = self.inner.store.commits();
        let found = self.inner.store.read(unit).await?.ok_or(Refusal::SigningKeyNotFound)?;
        let opened = self.inner.keys.open(&place(&found.key), &found.key.sealed_secret);
        let secret = opened.map_err(|error| {
            let (account, key) = (&found.key.account_id, &found.key.id);
            tracing::error!(%account, %key, %error, "the secret of an AccessKey does not open");
            Error::Fault("the secret of an AccessKey does not open".to_owned())
        })?;
        Ok(FoundAccessKey { actor: AccessKeyActor { found: Arc::new(found), as_of }, secret })
    }

    /// Notes at most once a minute, without waiting, that a key has signed a call. The door calls it after the signature
    /// was found right.
    pub fn note_access_key_used(&self, actor: &AccessKeyActor, service: ApiService) {
        let (key, used) = (&actor.found.key, LastUse { at: self.now(), service });
        if key.last_use.is_some_and(|last| used.at.since(last.at) < Duration::from_mins(1)) {
            return;
        }
        let (store, account, id) = (self.inner.store.clone(), key.account_id.clone(), key.id.clone());
        tokio::spawn(async move {
            let noted = store.write(async move |tx: &mut Tx<'_>| -> Result<(), Error> {
                Ok(access_keys::mark_used(tx, &account, &id, used).await?)
            });
            if let Err(error) = noted.await {
                tracing::debug!(%error, "the last use of an AccessKey was not noted");
            }
        });
    }

    /// The keys of oneself or of a RAM user.
    pub async fn list_access_keys<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        of: KeysOf,
        origin: &Origin,
    ) -> Result<AccessKeys, Error> {
        let (actor, action) = (actor.into(), of.pick(Action::ListOwnAccessKeys, Action::ListAccessKeysOfUser));
        let deed = of.deed(actor, action);
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<AccessKeys, Error> {
            let (account, holder) = of.find(tx, admitted, action).await?;
            let idle_days = admitted.who.settings.max_idle_days_access_keys;
            let keys = access_keys::list(tx, &account, &holder).await?;
            let keys = keys.into_iter().map(|key| AccessKeyView::of(key, idle_days, admitted.now)).collect();
            Ok(AccessKeys { keys, most: ACCESS_KEYS_PER_PRINCIPAL, idle_days })
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Makes a key for oneself or for a RAM user, who is told of it.
    pub async fn create_access_key<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        of: KeysOf,
        origin: &Origin,
    ) -> Result<MadeAccessKey, Error> {
        let (actor, action) = (actor.into(), of.pick(Action::CreateOwnAccessKey, Action::CreateAccessKeyForUser));
        let deed = of.deed(actor, action).asking(action, &[]);
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<MadeAccessKey, Error> {
            let holder = of.guard(tx, admitted, action).await?;
            this.make_access_key(tx, admitted, (&holder.0, &holder.1), &from).await
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Enables or disables a key of oneself or of a RAM user.
    pub async fn set_access_key_status<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        (of, id): (KeysOf, &str),
        status: AccessKeyStatus,
        origin: &Origin,
    ) -> Result<(), Error> {
        let (actor, action) = (actor.into(), of.pick(Action::UpdateOwnAccessKey, Action::UpdateAccessKeyOfUser));
        let deed = of.deed(actor, action).asking(action, &[id, status.as_str()]);
        let id = id.to_owned();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let holder = of.guard(tx, admitted, action).await?;
            let key = find_key(tx, &holder, &id).await?;
            admitted.tell("key", key.id.as_str());
            admitted.tell("status", status.as_str());
            let (now, days) = (admitted.now, admitted.who.settings.max_idle_days_access_keys);
            let begins = status == AccessKeyStatus::Active && key.state(days, now) != AccessKeyState::Active;
            if key.status == status && !begins {
                return Ok(());
            }
            let enabled_at = if begins { now } else { key.enabled_at };
            let set = access_keys::set_status(tx, &AccessKey { status, updated_at: now, enabled_at, ..key }).await?;
            if set { Ok(()) } else { Err(Refusal::AccessKeyNotFound.into()) }
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Removes a key of oneself or of a RAM user, for ever.
    pub async fn delete_access_key<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        (of, id): (KeysOf, &str),
        origin: &Origin,
    ) -> Result<(), Error> {
        let (actor, action) = (actor.into(), of.pick(Action::DeleteOwnAccessKey, Action::DeleteAccessKeyOfUser));
        let deed = of.deed(actor, action).asking(action, &[id]);
        let id = id.to_owned();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let holder = of.guard(tx, admitted, action).await?;
            let key = find_key(tx, &holder, &id).await?;
            admitted.tell("key", key.id.as_str());
            let deleted = access_keys::delete(tx, &key.account_id, &key.id).await?;
            if deleted { Ok(()) } else { Err(Refusal::AccessKeyNotFound.into()) }
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// When and for what a key of oneself or of a RAM user was last used; nothing when it never was.
    pub async fn access_key_last_use<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        (of, id): (KeysOf, &str),
        origin: &Origin,
    ) -> Result<Option<LastUse>, Error> {
        let (actor, action) = (actor.into(), of.pick(Action::ViewOwnAccessKeyUse, Action::ViewAccessKeyUseOfUser));
        let (deed, id) = (of.deed(actor, action), id.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Option<LastUse>, Error> {
            let holder = of.find(tx, admitted, action).await?;
            Ok(find_key(tx, &holder, &id).await?.last_use)
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Makes a key for a principal whose row is guarded.
    pub(crate) async fn make_access_key(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        (account, principal): (&AccountId, &PrincipalId),
        origin: &Origin,
    ) -> Result<MadeAccessKey, Error> {
        if access_keys::count(tx, account, principal).await? >= ACCESS_KEYS_PER_PRINCIPAL {
            return Err(Refusal::LimitExceeded(Limit::AccessKeys).into());
        }
        let (now, secret) = (admitted.now, generate_secret(&*self.inner.entropy));
        let mut key = AccessKey {
            account_id: account.clone(),
            id: AccessKeyId::generate(&*self.inner.entropy),
            principal_id: principal.clone(),
            sealed_secret: Vec::new(),
            status: AccessKeyStatus::Active,
            created_at: now,
            updated_at: now,
            enabled_at: now,
            last_use: None,
        };
        let sealed = self.inner.keys.seal(&place(&key), secret.expose_secret().as_bytes(), self.random());
        key.sealed_secret = sealed.map_err(|error| Error::Fault(error.to_string()))?.0;
        if !access_keys::insert(tx, &key).await? {
            return Err(Error::Unavailable("an AccessKey of this very id exists".to_owned()));
        }
        admitted.tell("key", key.id.as_str());
        let notice = Notice { account, principal, kind: NoticeKind::AccessKeyCreated, origin };
        self.notify_by(tx, admitted, notice).await?;
        Ok(MadeAccessKey { id: key.id, secret, created_at: now })
    }
}

impl KeysOf {
    const fn pick(&self, own: Action, of_user: Action) -> Action {
        match self {
            Self::Oneself => own,
            Self::User(_) => of_user,
        }
    }

    fn deed(&self, actor: Insider<'_>, action: Action) -> Deed {
        match self {
            Self::Oneself => Deed::own(actor, action.code()),
            Self::User(name) => Deed::on(actor, action.code(), name),
        }
    }

    /// Whose keys they are, if the actor may do this to him.
    async fn find(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        action: Action,
    ) -> Result<(AccountId, PrincipalId), Error> {
        match self {
            Self::Oneself => {
                admitted.may(action, &Resource::Oneself)?;
                let (account, principal) = admitted.oneself()?;
                Ok((account.clone(), principal.clone()))
            }
            Self::User(name) => {
                let user = admitted.find_user(tx, name, action).await?;
                Ok((user.account_id, user.id))
            }
        }
    }

    /// The same, and takes the row that guards him until the unit ends.
    async fn guard(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        action: Action,
    ) -> Result<(AccountId, PrincipalId), Error> {
        match self {
            Self::Oneself => {
                admitted.may(action, &Resource::Oneself)?;
                let insider = admitted.guard_insider(tx).await?;
                Ok((insider.account_id().clone(), insider.principal_id().clone()))
            }
            Self::User(name) => {
                let user = admitted.guard_user(tx, name, action).await?;
                Ok((user.account_id, user.id))
            }
        }
    }
}

impl AccessKeyView {
    fn of(key: AccessKey, idle_days: IdleDays, now: Timestamp) -> Self {
        Self {
            state: key.state(idle_days, now),
            id: key.id,
            status: key.status,
            created_at: key.created_at,
            updated_at: key.updated_at,
            last_use: key.last_use,
        }
    }
}

/// A key of this holder.
async fn find_key(tx: &mut Tx<'_>, holder: &(AccountId, PrincipalId), id: &str) -> Result<AccessKey, Error> {
    let (account, principal) = holder;
    let id: AccessKeyId = id.parse().map_err(|_| Refusal::AccessKeyNotFound)?;
    let found = access_keys::find(tx, account, &id).await?;
    found.filter(|key| &key.principal_id == principal).ok_or(Refusal::AccessKeyNotFound.into())
}

/// Where the secret of a key lies: it opens nowhere else.
fn place(key: &AccessKey) -> Place<'_> {
    Place {
        table: "access_keys",
        column: "sealed_secret",
        account_id: key.account_id.as_str(),
        principal_id: key.principal_id.as_str(),
        row_id: key.id.as_str(),
    }
}
