//! Open sessions and remembered machines: a principal sees and ends his own, an administrator those of his users.

use crate::Countersign;
use crate::act::{Admitted, Deed, is_good};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, MachineId, PrincipalId, SessionId};
use countersign_model::machine::RememberedMachine;
use countersign_model::principal::Principal;
use countersign_store::sessions::SessionLine;
use countersign_store::{Tx, accounts, known_places, logons, machines, principals, proofs, sessions};

/// Where somebody is logged on, and which machines are remembered for him.
#[derive(Debug)]
pub struct Places {
    /// The open sessions, the latest first.
    pub sessions: Vec<OpenSession>,
    /// The remembered machines, the latest first.
    pub machines: Vec<RememberedMachine>,
    /// The present time.
    pub now: Timestamp,
}

/// An open session.
#[derive(Debug)]
pub struct OpenSession {
    /// The session.
    pub line: SessionLine,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// What of somebody is to end.
#[derive(Debug, Clone)]
pub enum Ending {
    /// One session.
    Session(SessionId),
    /// All sessions; of one's own all but the one that asks.
    Sessions,
    /// One remembered machine.
    Machine(MachineId),
    /// All remembered machines.
    Machines,
}

impl Ending {
    /// As the audit log tells it.
    const fn word(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Sessions => "sessions",
            Self::Machine(_) => "machine",
            Self::Machines => "machines",
        }
    }
}

impl Countersign {
    /// The actor's own sessions and machines.
    pub async fn own_places(&self, actor: &SessionActor, origin: &Origin) -> Result<Places, Error> {
        let deed = Deed::own(actor, Action::ViewOwnSecurity.code());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Places, Error> {
            admitted.may(Action::ViewOwnSecurity, &Resource::Oneself)?;
            let (account, principal) = admitted.oneself()?;
            places(tx, admitted, (account, principal)).await
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Ends something of the actor's own. His present session he ends by logging off.
    pub async fn end_own(&self, actor: &SessionActor, ending: Ending, origin: &Origin) -> Result<(), Error> {
        let deed = Deed::own(actor, Action::EndOwnSessions.code());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.may(Action::EndOwnSessions, &Resource::Oneself)?;
            admitted.tell("what", ending.word());
            let session = admitted.guard_oneself(tx).await?;
            let (account, principal) = (session.account_id(), session.principal_id());
            end(tx, (account, principal), &ending, Some(&session.found.session.id)).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Logs the actor off everywhere: all his sessions end, this one too, and all his machines and browsers are forgotten.
    pub async fn log_off_everywhere(&self, actor: &SessionActor, origin: &Origin) -> Result<(), Error> {
        let deed = Deed::own(actor, Action::EndOwnSessions.code());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.may(Action::EndOwnSessions, &Resource::Oneself)?;
            admitted.tell("what", "everything");
            let session = admitted.guard_oneself(tx).await?;
            end_everything(tx, (session.account_id(), session.principal_id()), admitted.now).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// The sessions and machines of a RAM user.
    pub async fn places_of(&self, actor: &SessionActor, user: &str, origin: &Origin) -> Result<Places, Error> {
        let (deed, user) = (Deed::on(actor, Action::ViewUser.code(), user), user.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Places, Error> {
            let user = admitted.find_user(tx, &user, Action::ViewUser).await?;
            places(tx, admitted, (&user.account_id, &user.id)).await
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Ends something of a RAM user's.
    pub async fn end_of(&self, actor: &SessionActor, user: &str, ending: Ending, origin: &Origin) -> Result<(), Error> {
        let deed = Deed::on(actor, Action::EndUserSessions.code(), user);
        let (deed, user) = (deed.asking(Action::EndUserSessions, &[&format!("{ending:?}")]), user.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user: Principal = admitted.guard_user(tx, &user, Action::EndUserSessions).await?;
            admitted.tell("what", ending.word());
            end(tx, (&user.account_id, &user.id), &ending, None).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}

type Whose<'a> = (&'a AccountId, &'a PrincipalId);

async fn places(tx: &mut Tx<'_>, admitted: &Admitted, (account, principal): Whose<'_>) -> Result<Places, Error> {
    let now = admitted.now;
    let epochs = (
        principals::find(tx, account, principal).await?.ok_or(Refusal::UserNotFound)?.epoch,
        accounts::find(tx, account).await?.ok_or(Refusal::AccountNotFound)?.epoch,
    );
    let this = admitted.session.as_ref().map(|session| &session.found.session.id);
    let lines = sessions::list(tx, account, principal).await?;
    let open = lines.into_iter().filter(|line| is_good(line, epochs, now));
    let remembered = machines::list(tx, account, principal).await?.into_iter();
    Ok(Places {
        sessions: open.map(|line| OpenSession { is_this: Some(&line.id) == this, line }).collect(),
        machines: remembered
            .filter(|machine| (machine.principal_epoch, machine.account_epoch) == epochs && now < machine.expires_at)
            .collect(),
        now,
    })
}

async fn end(
    tx: &mut Tx<'_>,
    (account, principal): Whose<'_>,
    ending: &Ending,
    but: Option<&SessionId>,
) -> Result<(), Error> {
    let found = match ending {
        Ending::Session(id) => sessions::end(tx, account, principal, id).await?,
        Ending::Sessions => {
            // No session has an empty id, so without an exception all of them end.
            sessions::end_others(tx, account, principal, but.map_or("", SessionId::as_str)).await?;
            // A logon under way would be a session in a moment.
            logons::end_all_of(tx, account, principal).await?;
            true
        }
        Ending::Machine(id) => machines::forget(tx, account, principal, id).await?,
        Ending::Machines => {
            machines::forget_all(tx, account, principal).await?;
            true
        }
    };
    if found { Ok(()) } else { Err(Refusal::AlreadyEnded.into()) }
}

/// Ends whatever a principal has open: sessions, logons, remembered machines, known browsers.
pub(crate) async fn end_everything(
    tx: &mut Tx<'_>,
    (account, principal): Whose<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    principals::bump_epoch(tx, account, principal, now).await?;
    sessions::end_others(tx, account, principal, "").await?;
    logons::end_all_of(tx, account, principal).await?;
    proofs::end_all_of(tx, account, principal).await?;
    machines::forget_all(tx, account, principal).await?;
    known_places::forget_all(tx, account, principal).await?;
    Ok(())
}
