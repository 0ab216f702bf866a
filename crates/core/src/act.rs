//! How a use-case runs: the actor is admitted and the work done in one transaction, with the audit event that tells of it
//! — also when the work was refused.

use crate::actor::{AccessKeyActor, Actor, Insider, Origin, SessionActor};
use crate::authorise::{Action, Resource, Standing, authorise};
use crate::error::{Error, Refusal};
use crate::step_up::Sensitive;
use crate::{Countersign, token_hash};
use countersign_model::Timestamp;
use countersign_model::access_key::AccessKeyState;
use countersign_model::audit::{AuditActor, AuditEvent, Outcome};
use countersign_model::ids::{AccessKeyId, AccountId, EventId, PrincipalId};
use countersign_model::names::UserName;
use countersign_model::principal::Principal;
use countersign_model::session::IDLE_LIMIT;
use countersign_model::token::Token;
use countersign_store::sessions::{SessionInFull, SessionLine};
use countersign_store::{Tx, access_keys, accounts, audit, principals, sessions};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
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
    /// What the event will tell beyond the deed.
    details: Mutex<String>,
}

impl Admitted {
    /// Adds to what the event of this change will tell: a stable key and its value.
    pub(crate) fn tell(&self, key: &str, value: &str) {
        let value = value.replace(';', ",");
        let _ = write!(self.details.lock().unwrap_or_else(PoisonError::into_inner), "{key}={value};");
    }

    fn told(&self) -> String {
        self.details.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether he may do this to that; the use-case calls it as soon as it knows the resource.
    pub(crate) fn may(&self, action: Action, resource: &Resource) -> Result<(), Error> {
        authorise(&self.who, action, resource).map_err(Error::from)
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

    /// The RAM user of this name in the actor's account, if he may do this to him.
    pub(crate) async fn find_user(&self, tx: &mut Tx<'_>, name: &str, action: Action) -> Result<Principal, Error> {
        let account = self.who.account.as_ref().ok_or(Refusal::NoPermission)?;
        // Whoever may not do it to anybody does not learn who exists.
        self.may(action, &Resource::Account(account.clone()))?;
        let name = UserName::parse(name).map_err(|_| Refusal::UserNotFound)?.canonical();
        let user = principals::find_ram_user(tx, account, &name).await?.ok_or(Refusal::UserNotFound)?;
        self.may(action, &Resource::Principal(account.clone(), user.id.clone()))?;
        Ok(user)
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
        let user = self.find_user(tx, name, action).await?;
        let epoch = principals::guard(tx, &user.account_id, &user.id).await?.ok_or(Refusal::UserNotFound)?;
        Ok(Principal { epoch, ..user })
    }
}

impl Countersign {
    /// Takes the row that guards the account's administrators until the unit ends, and then looks at the actor again:
    /// while the row was waited for, another administrator may have demoted or removed him.
    pub(crate) async fn guard_administrators(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        action: Action,
    ) -> Result<Admitted, Error> {
        let insider = admitted.insider().ok_or(Refusal::NoPermission)?;
        let account = Resource::Account(insider.account_id().clone());
        admitted.may(action, &account)?;
        accounts::guard(tx, insider.account_id()).await?;
        let again = self.admit(tx, &insider.to_actor()).await?;
        again.may(action, &account)?;
        Ok(again)
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
        Ok(SessionActor { token_hash: hash, found, proof: None })
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
            let (result, details) = match this.admit(tx, &actor).await {
                Ok(admitted) => (this.work_with_proof(tx, &admitted, &deed, &work).await, admitted.told()),
                Err(error) => (Err(error), actor.details()),
            };
            this.write_down(tx, actor.for_audit(), &origin, (&deed, &details), &result).await?;
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
    pub(crate) async fn act_unwritten<T, F>(&self, actor: &Actor, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx<'_>, &Admitted) -> Result<T, Error> + Send + 'static,
    {
        let (this, actor) = (self.clone(), actor.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<T, Error> {
            let admitted = this.admit(tx, &actor).await?;
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
            let admitted = this.admit(tx, &Actor::Operator).await?;
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
        let (this, asker) = (self.clone(), actor.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<T, Error> {
            let admitted = this.admit(tx, &asker).await?;
            work(tx, &admitted).await
        };
        let result = self.inner.store.read(unit).await;
        if let Err(Error::Refused {
            refusal: refusal @ (Refusal::NoPermission | Refusal::UserNotFound | Refusal::Oneself),
            reason,
        }) = &result
        {
            let (this, asker, origin) = (self.clone(), actor.clone(), origin.clone());
            let refused: Result<(), Error> = Err(Error::because(*refusal, reason));
            let note = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
                this.write_down(tx, asker.for_audit(), &origin, (&deed, &asker.details()), &refused).await
            };
            self.inner.store.write(note).await?;
        }
        result
    }

    async fn admit(&self, tx: &mut Tx<'_>, actor: &Actor) -> Result<Admitted, Error> {
        let now = self.now();
        let (mut session, mut access_key) = (None, None);
        match actor {
            Actor::Session(actor) => {
                let found = sessions::find(tx, &actor.token_hash).await?.ok_or(Refusal::NotLoggedOn)?;
                good_session(&found, now)?;
                session = Some(SessionActor { token_hash: actor.token_hash, found, proof: actor.proof.clone() });
            }
            Actor::AccessKey(actor) => access_key = Some(good_access_key(tx, actor.access_key_id(), now).await?),
            Actor::Operator => {}
        }
        let details = Mutex::new(actor.details());
        let mut admitted = Admitted { who: Standing::from(actor), session, access_key, now, details };
        if let Some(insider) = admitted.insider() {
            admitted.who = Standing::from(insider);
        }
        Ok(admitted)
    }

    /// Writes the audit event of what was done or refused. Faults roll back, so nothing of them is written.
    async fn write_down<T>(
        &self,
        tx: &mut Tx<'_>,
        actor: AuditActor,
        origin: &Origin,
        (deed, details): (&Deed, &str),
        result: &Result<T, Error>,
    ) -> Result<(), Error> {
        let (outcome, reason) = match result {
            Ok(_) => (Outcome::Success, ""),
            Err(Error::Refused { refusal, reason }) if is_unjudged(reason) => {
                return Ok(audit::count_refusal(tx, self.now(), &origin.address, refusal.code()).await?);
            }
            Err(Error::Refused { reason, .. }) => (Outcome::Refused, *reason),
            Err(Error::ProofRequired(_)) => (Outcome::Refused, "proof_required"),
            Err(Error::Unavailable(_) | Error::ClockBehind | Error::Fault(_)) => return Ok(()),
        };
        let event = Written { actor, action: deed.code, target: &deed.target, outcome, reason, details };
        self.write_event(tx, &deed.account, origin, event).await
    }

    pub(crate) async fn write_event(
        &self,
        tx: &mut Tx<'_>,
        account: &AccountId,
        origin: &Origin,
        written: Written<'_>,
    ) -> Result<(), Error> {
        let now = self.now();
        let event = AuditEvent {
            account_id: account.clone(),
            id: EventId::at(now, &*self.inner.entropy),
            at: now,
            actor: written.actor,
            action: written.action.to_owned(),
            target: written.target.to_owned(),
            outcome: written.outcome,
            reason: written.reason.to_owned(),
            details: written.details.to_owned(),
            address: origin.address.clone(),
            user_agent: origin.user_agent.clone(),
        };
        Ok(audit::insert(tx, &event).await?)
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

/// Whether a try was refused without a look at it, because a pause runs or the factor is disabled. There is no limit to
/// how many of these somebody can make, so they are counted for each address and minute; the tries that led to the pause
/// stand in the log one by one.
pub(crate) fn is_unjudged(reason: &str) -> bool {
    matches!(
        reason,
        "factor_paused" | "factor_disabled" | "password_paused" | "password_disabled" | "network_exhausted"
    )
}

/// What an audit event tells besides time and origin.
pub(crate) struct Written<'a> {
    pub(crate) actor: AuditActor,
    pub(crate) action: &'static str,
    pub(crate) target: &'a str,
    pub(crate) outcome: Outcome,
    pub(crate) reason: &'a str,
    /// What else there is to know, as `key=value;` words.
    pub(crate) details: &'a str,
}

/// The key of this id as it is now, if it may sign.
async fn good_access_key(tx: &mut Tx<'_>, id: &AccessKeyId, now: Timestamp) -> Result<AccessKeyActor, Error> {
    let found = access_keys::find_in_full(tx, id).await?.ok_or(Refusal::AccessKeyNotFound)?;
    let actor = AccessKeyActor { found };
    match actor.state(now) {
        AccessKeyState::Active => Ok(actor),
        AccessKeyState::Inactive => Err(Refusal::AccessKeyInactive.into()),
        AccessKeyState::Idle => Err(Error::because(Refusal::AccessKeyInactive, "access_key_idle")),
    }
}

/// Whether a session found is still good: both epochs, its end, its idleness.
fn good_session(found: &SessionInFull, now: Timestamp) -> Result<(), Error> {
    let session = &found.session;
    let times = Times { created: session.created_at, seen: session.last_seen_at, end: session.expires_at };
    let carried = (session.principal_epoch, session.account_epoch);
    match why_over(carried, (found.principal_epoch, found.account_epoch), &times, now) {
        None => Ok(()),
        Some(reason) => Err(Error::because(Refusal::NotLoggedOn, reason)),
    }
}

/// Whether a listed session is still good, by the present epochs of its principal and account.
pub(crate) fn is_good(line: &SessionLine, epochs: (i64, i64), now: Timestamp) -> bool {
    let times = Times { created: line.created_at, seen: line.last_seen_at, end: line.expires_at };
    why_over((line.principal_epoch, line.account_epoch), epochs, &times, now).is_none()
}

struct Times {
    created: Timestamp,
    seen: Timestamp,
    end: Timestamp,
}

fn why_over(carried: (i64, i64), present: (i64, i64), times: &Times, now: Timestamp) -> Option<&'static str> {
    if carried != present {
        Some("session_superseded")
    } else if now >= times.end || now < times.created.minus(Duration::from_mins(1)) {
        Some("session_expired")
    } else if now.since(times.seen) >= IDLE_LIMIT {
        Some("session_idle")
    } else {
        None
    }
}
