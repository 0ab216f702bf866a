//! How a use-case runs: the actor is admitted and the work done in one transaction, with the audit event that tells of it
//! — also when the work was refused.

mod events;
mod still_good;

pub(crate) use events::{Written, is_unjudged, refusal_told};
pub(crate) use still_good::is_good;
use still_good::{good_access_key, good_key, good_session};

use crate::actor::{AccessKeyActor, Actor, Insider, Origin, SessionActor};
use crate::authorise::{Action, Grants, Resource, Standing, authorise, authorise_at_all};
use crate::error::{Error, Refusal};
use crate::step_up::Sensitive;
use crate::{Countersign, token_hash};
use countersign_model::Timestamp;
use countersign_model::audit::Outcome;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::names::UserName;
use countersign_model::principal::Principal;
use countersign_model::token::Token;
use countersign_store::sessions::SessionInFull;
use countersign_store::{Tx, accounts, attachments, principals, sessions};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What is about to be done, as the audit log will tell it.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    /// The stable name; that of the RAM protocol where it has one.
    pub(crate) code: &'static str,
    /// The account that the log entry belongs to.
    pub(crate) account: AccountId,
    /// On whom or what; empty for oneself.
    pub(crate) target: String,
    /// What is asked for, if it wants a proof.
    pub(crate) sensitive: Option<Sensitive>,
}

impl Deed {
    /// Something about the actor himself.
    pub(crate) fn own<'a>(actor: impl Into<Insider<'a>>, code: &'static str) -> Self {
        Self { code, account: actor.into().account_id().clone(), target: String::new(), sensitive: None }
    }

    /// Something about a user or a setting of the actor's account. What was typed as its name is cut to 128 characters and
    /// freed of control characters, which no name has.
    pub(crate) fn on<'a>(actor: impl Into<Insider<'a>>, code: &'static str, target: &str) -> Self {
        let target = target.chars().filter(|c| !c.is_control()).take(128).collect();
        Self { code, account: actor.into().account_id().clone(), target, sensitive: None }
    }

    /// Something in the account of an actor who belongs to one.
    pub(crate) fn by(actor: &Actor, action: Action, target: &str) -> Result<Self, Error> {
        let account = actor.account_id().ok_or(Refusal::NoPermission)?.clone();
        let target = target.chars().filter(|c| !c.is_control()).take(128).collect();
        Ok(Self { code: action.code(), account, target, sensitive: None })
    }

    /// Something that the operator does in an account.
    pub(crate) const fn in_account(account: AccountId, code: &'static str, target: String) -> Self {
        Self { code, account, target, sensitive: None }
    }

    /// The same, asking for a proof where the account wants one for this action. The proof is for these arguments alone.
    pub(crate) fn asking(self, action: Action, arguments: &[&str]) -> Self {
        Self { sensitive: Some(Sensitive::new(action, &self.target, arguments)), ..self }
    }
}

/// An actor whose session or `AccessKey` was looked at again inside the transaction.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) who: Standing,
    pub(crate) session: Option<SessionActor>,
    pub(crate) access_key: Option<AccessKeyActor>,
    pub(crate) now: Timestamp,
    /// From where he asks.
    address: String,
    /// What the event will tell beyond the deed.
    details: Mutex<String>,
    /// On whom it is done, once that is known.
    subject: Arc<Mutex<Option<PrincipalId>>>,
}

impl Admitted {
    /// Adds to what the event of this change will tell: a stable key and its value.
    pub(crate) fn tell(&self, key: &str, value: &str) {
        let value = value.replace(';', ",");
        let _ = write!(self.details.lock().unwrap_or_else(PoisonError::into_inner), "{key}={value};");
    }

    /// Notes on whom it is done, for his history.
    pub(crate) fn aim_at(&self, subject: &PrincipalId) {
        *self.subject.lock().unwrap_or_else(PoisonError::into_inner) = Some(subject.clone());
    }

    fn told(&self) -> String {
        self.details.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn subject(&self) -> Option<PrincipalId> {
        self.subject.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether he may do this to that; the use-case calls it as soon as it knows the resource.
    pub(crate) fn may(&self, action: Action, resource: &Resource) -> Result<(), Error> {
        authorise(&self.who, action, resource).map_err(Error::from)
    }

    /// Whether he may do this to anything. Asked before it is known to what.
    pub(crate) fn may_at_all(&self, action: Action) -> Result<(), Error> {
        authorise_at_all(&self.who, action).map_err(Error::from)
    }

    /// Himself, as somebody of an account; an operator is of none.
    pub(crate) fn insider(&self) -> Option<Insider<'_>> {
        let session = self.session.as_ref().map(Insider::Session);
        session.or(self.access_key.as_ref().map(Insider::AccessKey))
    }

    /// The principal of the session or key; an operator has none.
    pub(crate) fn oneself(&self) -> Result<(&AccountId, &PrincipalId), Error> {
        match (&self.who.account, &self.who.principal) {
            (Some(account), Some(principal)) => Ok((account, principal)),
            (_, None) | (None, _) => Err(Refusal::NoPermission.into()),
        }
    }

    /// The RAM user of this name in the actor's account, if he may do this to him and, where it changes him, outranks him.
    pub(crate) async fn find_user(&self, tx: &mut Tx<'_>, name: &str, action: Action) -> Result<Principal, Error> {
        let user = self.find_user_unranked(tx, name, action).await?;
        self.check_rank(tx, &user, action).await?;
        Ok(user)
    }

    async fn find_user_unranked(&self, tx: &mut Tx<'_>, name: &str, action: Action) -> Result<Principal, Error> {
        let account = self.who.account.as_ref().ok_or(Refusal::NoPermission)?;
        // Whoever may not do it to anybody of this name does not learn who exists.
        self.may_at_all(action)?;
        let name = UserName::parse(name).map_err(|_| Refusal::UserNotFound)?.canonical();
        self.may(action, &Resource::User(account.clone(), name.clone(), None))?;
        let user = principals::find_ram_user(tx, account, &name).await?.ok_or(Refusal::UserNotFound)?;
        self.aim_at(&user.id);
        self.may(action, &Resource::User(account.clone(), name, Some(user.id.clone())))?;
        Ok(user)
    }

    /// Refuses to change a principal whom the actor does not outrank.
    async fn check_rank(&self, tx: &mut Tx<'_>, user: &Principal, action: Action) -> Result<(), Error> {
        if !action.changes_principal() || self.who.is_unrestricted() || self.who.principal.as_ref() == Some(&user.id) {
            return Ok(());
        }
        self.check_outranks(&grants_of(tx, user).await?)
    }

    /// Refuses an actor who is not allowed all that these policies allow.
    pub(crate) fn check_outranks(&self, theirs: &Grants) -> Result<(), Error> {
        if self.who.outranks(theirs) { Ok(()) } else { Err(Error::because(Refusal::NoPermission, OUTRANKED)) }
    }

    /// Takes the row that guards the actor himself, until the unit ends. While it was waited for, another node may have
    /// ended his session: then nothing must be changed any more.
    pub(crate) async fn guard_oneself(&self, tx: &mut Tx<'_>) -> Result<&SessionActor, Error> {
        let session = self.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
        let epoch = principals::guard(tx, session.account_id(), session.principal_id()).await?;
        if epoch != Some(session.found.session.principal_epoch) {
            return Err(Error::because(Refusal::NotLoggedOn, "session_superseded"));
        }
        Ok(session)
    }

    /// As [`Self::guard_oneself`], for an actor by whichever door. While the row was waited for, another node may have
    /// disabled or deleted the key.
    pub(crate) async fn guard_insider(&self, tx: &mut Tx<'_>) -> Result<Insider<'_>, Error> {
        let Some(actor) = &self.access_key else { return Ok(Insider::Session(self.guard_oneself(tx).await?)) };
        principals::guard(tx, actor.account_id(), actor.principal_id()).await?;
        good_access_key(tx, actor.access_key_id(), self.now).await?;
        Ok(Insider::AccessKey(actor))
    }

    /// As [`Self::find_user`], and takes the row that guards the user until the unit ends.
    pub(crate) async fn guard_user(&self, tx: &mut Tx<'_>, name: &str, action: Action) -> Result<Principal, Error> {
        let user = self.find_user_unranked(tx, name, action).await?;
        let epoch = principals::guard(tx, &user.account_id, &user.id).await?.ok_or(Refusal::UserNotFound)?;
        self.check_rank(tx, &user, action).await?;
        Ok(Principal { epoch, ..user })
    }
}

/// Why whoever may less than the one he acts on is refused.
const OUTRANKED: &str = "outranked";

/// The policies that reach a RAM user.
pub(crate) async fn grants_of(tx: &mut Tx<'_>, user: &Principal) -> Result<Grants, Error> {
    Grants::read(attachments::reaching(tx, &user.account_id, &user.id).await?)
}

/// What somebody may do, as far as pages ask.
#[derive(Debug, Clone)]
pub struct Permissions(Standing);

impl Permissions {
    /// Whether he may do this to anything at all.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        authorise_at_all(&self.0, action).is_ok()
    }

    /// Whether he may do this to this. Whether he outranks whom he does it to is not asked here.
    #[must_use]
    pub fn may_to(&self, action: Action, resource: &Resource) -> bool {
        authorise(&self.0, action, resource).is_ok()
    }
}

impl Countersign {
    /// Takes the row that guards the account's policies, groups and administrators until the unit ends, and then looks at
    /// the actor again: while the row was waited for, somebody else may have demoted or removed him.
    pub(crate) async fn guard_administrators(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        action: Action,
    ) -> Result<Admitted, Error> {
        admitted.may_at_all(action)?;
        let again = self.guard_account(tx, admitted).await?;
        again.may_at_all(action)?;
        Ok(again)
    }

    /// Takes the row that guards the account until the unit ends, and then looks at the actor and the settings again: they
    /// do not change any more.
    pub(crate) async fn guard_account(&self, tx: &mut Tx<'_>, admitted: &Admitted) -> Result<Admitted, Error> {
        let insider = admitted.insider().ok_or(Refusal::NoPermission)?;
        accounts::guard(tx, insider.account_id()).await?;
        let again = self.admit(tx, &insider.to_actor(), &admitted.address).await?;
        Ok(Admitted { subject: Arc::clone(&admitted.subject), ..again })
    }

    /// Refuses whoever may not do this to anything. Asked before work that nobody else shall cause; the transaction that
    /// follows asks again.
    pub(crate) async fn check_may<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        action: Action,
        origin: &Origin,
    ) -> Result<(), Error> {
        let (this, actor, from) = (self.clone(), actor.into().to_actor(), origin.address.clone());
        let look = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
            this.admit(tx, &actor, &from).await?.may_at_all(action)
        };
        self.inner.store.read(look).await
    }

    /// The RAM user of this name, for work before the transaction that tells something of him. The transaction that follows
    /// asks again.
    pub(crate) async fn find_user_before(
        &self,
        actor: Insider<'_>,
        (action, name): (Action, &str),
        origin: &Origin,
    ) -> Result<Principal, Error> {
        let (this, actor, from, name) = (self.clone(), actor.to_actor(), origin.address.clone(), name.to_owned());
        let look = async move |tx: &mut Tx<'_>| -> Result<Principal, Error> {
            this.admit(tx, &actor, &from).await?.find_user(tx, &name, action).await
        };
        self.inner.store.read(look).await
    }

    /// What the actor may do, for pages that show no more than that.
    pub async fn permissions(&self, actor: &SessionActor, origin: &Origin) -> Result<Permissions, Error> {
        let actor = Actor::from(actor);
        if !actor.is_governed_by_policies() {
            return Ok(Permissions(Standing::new(&actor, Grants::default(), &origin.address)));
        }
        let (this, from) = (self.clone(), origin.address.clone());
        let look = async move |tx: &mut Tx<'_>| -> Result<Permissions, Error> {
            Ok(Permissions(this.admit(tx, &actor, &from).await?.who))
        };
        self.inner.store.read(look).await
    }

    /// Whose browser this is. One read.
    pub async fn session(&self, token: &Token) -> Result<SessionActor, Error> {
        let hash = token_hash(token);
        let found = self
            .inner
            .store
            .read(async move |tx: &mut Tx<'_>| -> Result<_, Error> { Ok(sessions::find(tx, &hash).await?) });
        let found = found.await?.ok_or(Refusal::NotLoggedOn)?;
        good_session(&found, self.now())?;
        self.note_seen(hash, &found);
        Ok(SessionActor { token_hash: hash, found, proof: None, address: String::new() })
    }

    /// Notes at most once a minute, without waiting, that a session is in use.
    fn note_seen(&self, hash: [u8; 32], found: &SessionInFull) {
        let now = self.now();
        if now.since(found.session.last_seen_at) < Duration::from_mins(1) {
            return;
        }
        let store = self.inner.store.clone();
        tokio::spawn(async move {
            let noted = store.write(async move |tx: &mut Tx<'_>| -> Result<(), Error> {
                Ok(sessions::mark_seen(tx, &hash, now).await?)
            });
            if let Err(error) = noted.await {
                tracing::debug!(%error, "the last use of a session was not noted");
            }
        });
    }

    /// Runs a change: admits the actor, does the work, and writes its audit event, in one transaction.
    pub(crate) async fn act<T, F>(&self, actor: &Actor, origin: &Origin, deed: Deed, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx<'_>, &Admitted) -> Result<T, Error> + Send + 'static,
    {
        let (this, actor, origin) = (self.clone(), actor.clone(), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<T, Error> {
            let (result, told) = match this.admit(tx, &actor, &origin.address).await {
                Ok(admitted) => {
                    let result = this.work_with_proof(tx, &admitted, &deed, &work).await;
                    (result, (admitted.told(), admitted.subject()))
                }
                Err(error) => (Err(error), (actor.details(), None)),
            };
            this.write_down(tx, actor.for_audit(), &origin, (&deed, &told.0, told.1.as_ref()), &result).await?;
            result
        };
        self.inner.store.write(unit).await
    }

    async fn work_with_proof<T, F>(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        deed: &Deed,
        work: &F,
    ) -> Result<T, Error>
    where
        F: AsyncFn(&mut Tx<'_>, &Admitted) -> Result<T, Error>,
    {
        let held = self.hold_proof(tx, admitted, deed.sensitive.as_ref()).await?;
        let done = work(tx, admitted).await?;
        held.consume(tx).await?;
        Ok(done)
    }

    /// Refuses a change before it is begun, because what was typed for it breaks a rule.
    pub(crate) async fn refuse<T>(&self, actor: &Actor, origin: &Origin, deed: Deed, error: Error) -> Result<T, Error>
    where
        T: Send + 'static,
    {
        let work = async move |_: &mut Tx<'_>, _: &Admitted| -> Result<T, Error> { Err(error.clone()) };
        self.act(actor, origin, Deed { sensitive: None, ..deed }, work).await
    }

    /// Runs a part of a change whose event another part writes.
    pub(crate) async fn act_unwritten<T, F>(&self, actor: &Actor, origin: &Origin, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx<'_>, &Admitted) -> Result<T, Error> + Send + 'static,
    {
        let (this, actor, from) = (self.clone(), actor.clone(), origin.address.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<T, Error> {
            let admitted = this.admit(tx, &actor, &from).await?;
            work(tx, &admitted).await
        };
        self.inner.store.write(unit).await
    }

    /// Runs an operator's change of the whole installation, however long it takes: the log of every account tells of it.
    pub(crate) async fn act_everywhere<T, F>(&self, action: Action, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx<'_>, &Admitted) -> Result<T, Error> + Send + 'static,
    {
        let this = self.clone();
        let unit = async move |tx: &mut Tx<'_>| -> Result<T, Error> {
            let admitted = this.admit(tx, &Actor::Operator, "").await?;
            admitted.may(action, &Resource::Installation)?;
            let done = work(tx, &admitted).await?;
            let details = admitted.told();
            for account in accounts::list(tx, i64::MAX).await? {
                let event = Written {
                    actor: Actor::Operator.for_audit(),
                    action: action.code(),
                    target: "",
                    outcome: Outcome::Success,
                    reason: "",
                    details: &details,
                };
                this.write_event(tx, &account.id, &Origin::command_line(), event).await?;
            }
            Ok(done)
        };
        self.inner.store.write_at_length(unit).await
    }

    /// Runs a look at something: no transaction of its own unless it is refused, and then the refusal is written down.
    pub(crate) async fn look<T, F>(&self, actor: &Actor, origin: &Origin, deed: Deed, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx<'_>, &Admitted) -> Result<T, Error> + Send + 'static,
    {
        let (this, asker, from) = (self.clone(), actor.clone(), origin.address.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<T, Error> {
            let admitted = this.admit_again(tx, &asker, &from).await?;
            work(tx, &admitted).await
        };
        let result = self.inner.store.read(unit).await;
        if let Err(Error::Refused {
            refusal:
                refusal @ (Refusal::NoPermission
                | Refusal::UserNotFound
                | Refusal::GroupNotFound
                | Refusal::PolicyNotFound
                | Refusal::Oneself),
            reason,
        }) = &result
        {
            let (this, asker, origin) = (self.clone(), actor.clone(), origin.clone());
            let refused: Result<(), Error> = Err(Error::because(*refusal, reason));
            let note = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
                this.write_down(tx, asker.for_audit(), &origin, (&deed, &asker.details(), None), &refused).await
            };
            self.inner.store.write(note).await?;
        }
        result
    }

    /// Looks at the actor inside the transaction: whether his session or key is still good, and which policies reach him
    /// now. One read for the session or key; a second one for RAM users whom any policy reaches.
    async fn admit(&self, tx: &mut Tx<'_>, actor: &Actor, address: &str) -> Result<Admitted, Error> {
        self.admit_found(tx, actor, address, None).await
    }

    /// The same for a look. A key that was read when nothing less had been committed is not read again.
    async fn admit_again(&self, tx: &mut Tx<'_>, actor: &Actor, address: &str) -> Result<Admitted, Error> {
        let found = match actor {
            Actor::AccessKey(actor) if actor.as_of.is_some() && actor.as_of == self.inner.store.commits() => {
                Some(good_key(actor.as_ref().clone(), self.now())?)
            }
            Actor::AccessKey(_) | Actor::Session(_) | Actor::Operator => None,
        };
        self.admit_found(tx, actor, address, found).await
    }

    async fn admit_found(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        address: &str,
        found: Option<AccessKeyActor>,
    ) -> Result<Admitted, Error> {
        let now = self.now();
        let (mut session, mut access_key) = (None, found);
        match actor {
            Actor::Session(actor) => {
                let found = sessions::find(tx, &actor.token_hash).await?.ok_or(Refusal::NotLoggedOn)?;
                good_session(&found, now)?;
                session = Some(SessionActor { found, ..actor.as_ref().clone() });
            }
            Actor::AccessKey(actor) if access_key.is_none() => {
                access_key = Some(good_access_key(tx, actor.access_key_id(), now).await?);
            }
            Actor::AccessKey(_) | Actor::Operator => {}
        }
        let address = match &session {
            Some(session) if address.is_empty() => session.address.clone(),
            Some(_) | None => address.to_owned(),
        };
        let present = match (&session, &access_key) {
            (Some(session), _) => Actor::from(session),
            (None, Some(key)) => Actor::from(key),
            (None, None) => actor.clone(),
        };
        let grants = match present.insider() {
            Some(insider) if insider.is_governed_by_policies() => {
                Grants::read(attachments::reaching(tx, insider.account_id(), insider.principal_id()).await?)?
            }
            Some(_) | None => Grants::default(),
        };
        let who = Standing::new(&present, grants, &address);
        let (details, subject) = (Mutex::new(actor.details()), Arc::default());
        Ok(Admitted { who, session, access_key, now, address, details, subject })
    }

    /// Bumps the epoch of the actor himself: his other sessions end, this one goes on under a new secret.
    pub(crate) async fn renew_own_session(&self, tx: &mut Tx<'_>, admitted: &Admitted) -> Result<Token, Error> {
        let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
        let epoch = principals::bump_epoch(tx, session.account_id(), session.principal_id(), admitted.now)
            .await?
            .ok_or(Refusal::NotLoggedOn)?;
        let token = Token::generate(&*self.inner.entropy);
        if sessions::renew(tx, &session.token_hash, &token_hash(&token), epoch).await? {
            return Ok(token);
        }
        // A refusal would keep the change. Whoever logged off meanwhile has changed nothing.
        Err(Error::Unavailable("the session ended at this very moment".to_owned()))
    }
}
