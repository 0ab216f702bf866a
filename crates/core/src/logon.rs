//! From a name to a session.
//!
//! A logon is a row with a typed state; each step here takes only the state it is for. After every step `next` decides
//! what comes then, from the facts shown so far and the policy, always in the same order. Before the password is right
//! nobody learns whether the user exists: an unknown name gets a phantom id and goes through the same table, the same
//! hash and the same counters.

mod choose_password;
mod key;
mod next;
mod passkey;
mod passkey_challenge;
mod password;
mod places;
mod recovery;
mod second_factor;

pub use key::TypedKey;
pub use second_factor::TypedFactor;

pub(crate) use next::requires_device;
pub(crate) use password::hourly_limit;

use crate::act::{Written, is_unjudged, refusal_told};
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::notices::Notice;
use crate::webauthn::has_one_type;
use crate::{Countersign, token_hash};
use countersign_model::Timestamp;
use countersign_model::audit::{ActorKind, AuditActor, Outcome};
use countersign_model::ids::{AccountId, LogonId, PrincipalId, SessionId};
use countersign_model::logon::{LOGON_LIFETIME, Logon, LogonFacts, LogonState};
use countersign_model::names::LogonName;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::PrincipalKind;
use countersign_model::session::{SESSIONS_PER_PRINCIPAL, Session};
use countersign_model::token::Token;
use countersign_model::webauthn::Factors;
use countersign_store::logons::{LogonInFull, LogonSubject};
use countersign_store::{Tx, accounts, audit, logons, principals, recovery_codes, sessions};
use next::{Asker, Next, next};
use places::may_remember;
use std::time::Duration;

/// What a logon shows of itself to the browser that holds it: never more than the last passed step allows.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct LogonView {
    /// What it waits for.
    pub state: LogonState,
    /// As what one logs on.
    pub kind: PrincipalKind,
    /// As whom one logs on, as canonicalised from what was typed.
    pub name: String,
    /// Whether the machine may be remembered. Told once the password was right.
    pub may_remember: bool,
    /// What can be asked for as second factor, or what is bound where something has to be. Told once the password was right.
    pub factors: Factors,
    /// Whether keys are bound and none of them can be asked for. Told once the password was right.
    pub keys_refused: bool,
    /// Whether he may have a virtual MFA device or security keys, and not both. Told where something has to be bound.
    pub one_mfa_type: bool,
    /// Whether the device that must be bound takes the place of one that was lost. Told after the recovery code.
    pub replaces_device: bool,
}

/// What the browser takes along from a finished logon. Neither opens anything without a password.
#[derive(Debug)]
pub struct GivenSecrets {
    /// By what it is known from now on.
    pub browser: Token,
    /// By what its machine is remembered, if it is: a new secret at each use.
    pub machine: Option<Token>,
}

/// What a passed step leads to.
#[derive(Debug)]
pub enum LogonStep {
    /// Another step, under a new secret.
    Ask {
        /// What the logon waits for now.
        state: LogonState,
        /// The browser's new secret.
        token: Token,
    },
    /// The end: a session.
    Open {
        /// The session's secret.
        token: Token,
        /// When the session ends at the latest.
        expires_at: Timestamp,
        /// Whose it is.
        kind: PrincipalKind,
        /// Whether an owner has no second factor yet and should be urged to bind one.
        urge_binding: bool,
        /// Whether a device was just bound and there are no recovery codes yet.
        offer_recovery_codes: bool,
        /// What the browser takes along.
        given: Box<GivenSecrets>,
    },
}

/// What a logon is called in the audit log.
pub(crate) const SIGN_IN: &str = "ConsoleSignin";

impl Countersign {
    /// Begins a logon for a typed name, whether or not it exists.
    pub async fn begin_logon(&self, name: LogonName) -> Result<Token, Error> {
        self.check_clock()?;
        let token = self.new_token();
        let hash = token_hash(&token);
        let this = self.clone();
        let unit = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
            let logon = this.logon_for(tx, &name).await?;
            Ok(logons::insert(tx, &hash, &logon).await?)
        };
        self.inner.store.write(unit).await?;
        Ok(token)
    }

    /// What the logon of this browser waits for.
    pub async fn logon(&self, token: &Token) -> Result<LogonView, Error> {
        let (hash, this) = (token_hash(token), self.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonView, Error> {
            let LogonInFull { logon, subject, .. } = this.live_logon(tx, &hash).await?;
            let allowed = subject.as_ref().is_some_and(|subject| may_remember(logon.kind, &subject.settings));
            let may_remember = allowed && logon.state == LogonState::SecondFactor;
            let one_mfa_type = match logon.state {
                LogonState::Bind => subject.as_ref().is_some_and(|subject| has_one_type(logon.kind, &subject.settings)),
                LogonState::Password | LogonState::SecondFactor | LogonState::ChoosePassword => false,
            };
            let subject = subject.filter(|_| matches!(logon.state, LogonState::SecondFactor | LogonState::Bind));
            let bound = subject.as_ref().map(|subject| subject.factors).unwrap_or_default();
            let factors = match &subject {
                Some(subject) if bound.keys() && logon.state == LogonState::SecondFactor => {
                    let whose = (&logon.account_id, &logon.principal_id);
                    this.factors_to_ask_for(tx, whose, bound, &subject.settings.attestation).await?
                }
                Some(_) | None => bound,
            };
            let replaces_device = factors.any() && logon.state == LogonState::Bind;
            Ok(LogonView {
                state: logon.state,
                kind: logon.kind,
                name: logon.name,
                may_remember,
                factors,
                keys_refused: bound.keys() && !factors.keys(),
                one_mfa_type,
                replaces_device,
            })
        };
        self.inner.store.read(unit).await
    }

    /// Ends a logon before its time.
    pub async fn cancel_logon(&self, token: &Token) -> Result<(), Error> {
        let hash = token_hash(token);
        let unit = async move |tx: &mut Tx<'_>| -> Result<bool, Error> { Ok(logons::consume(tx, &hash).await?) };
        self.inner.store.write(unit).await.map(drop)
    }

    async fn logon_for(&self, tx: &mut Tx<'_>, name: &LogonName) -> Result<Logon, Error> {
        let mut phantom = self.inner.keys.phantom_id(&name.canonical());
        let (kind, account, principal) = match name {
            LogonName::Owner { email } => {
                let owner = principals::find_owner(tx, email).await?;
                let account = match &owner {
                    Some(owner) => accounts::find(tx, &owner.account_id).await?,
                    None => accounts::find(tx, &AccountId::phantom(phantom)).await?,
                };
                (PrincipalKind::Owner, account, owner)
            }
            LogonName::RamUser { user, account } => {
                let account = accounts::find_by_name(tx, account).await?;
                if let Some(account) = &account {
                    // The same phantom by alias and by id, as a real user is the same by both.
                    phantom = self.inner.keys.phantom_id(&format!("{user}@{}", account.id));
                }
                let account_id = account.as_ref().map_or_else(|| AccountId::phantom(phantom), |a| a.id.clone());
                let user = principals::find_ram_user(tx, &account_id, user).await?;
                (PrincipalKind::RamUser, account, user)
            }
        };
        Ok(Logon {
            id: LogonId::generate(&*self.inner.entropy),
            account_id: account.as_ref().map_or_else(|| AccountId::phantom(phantom), |a| a.id.clone()),
            principal_id: principal.as_ref().map_or_else(|| PrincipalId::phantom(phantom), |p| p.id.clone()),
            kind,
            name: name.canonical(),
            state: LogonState::Password,
            facts: LogonFacts::default(),
            principal_epoch: principal.map_or(0, |p| p.epoch),
            account_epoch: account.map_or(0, |a| a.epoch),
            expires_at: self.now().plus(LOGON_LIFETIME),
        })
    }

    /// The logon of this browser, if it is alive: not run out, and nothing about its principal has changed since his password
    /// was right.
    pub(crate) async fn live_logon(&self, tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<LogonInFull, Error> {
        let found = logons::find(tx, hash).await?.ok_or(Error::because(Refusal::LogonOver, "logon_unknown"))?;
        let now = self.now();
        let begun = found.logon.expires_at.minus(LOGON_LIFETIME);
        if now >= found.logon.expires_at || now < begun.minus(Duration::from_mins(1)) {
            return Err(Error::because(Refusal::LogonOver, "logon_expired"));
        }
        // Before the password is right the logon holds no fact that could be out of date, and its end would tell a stranger
        // that the name exists.
        let waits_for_password = found.logon.state == LogonState::Password;
        let superseded = !waits_for_password
            && found.subject.as_ref().is_some_and(|subject| {
                subject.principal_epoch != found.logon.principal_epoch
                    || subject.account_epoch != found.logon.account_epoch
            });
        if superseded {
            return Err(Error::because(Refusal::LogonOver, "logon_superseded"));
        }
        Ok(found)
    }

    /// The live logon of this browser, if it waits for `state`.
    pub(crate) async fn logon_in(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        state: LogonState,
    ) -> Result<LogonInFull, Error> {
        let found = self.live_logon(tx, hash).await?;
        if found.logon.state == state {
            Ok(found)
        } else {
            Err(Error::because(Refusal::LogonOver, "logon_out_of_turn"))
        }
    }

    /// As [`Self::logon_in`], for a step that changes something about the principal: holds the logon's row first, so that
    /// the change cannot be kept while its logon is finished elsewhere.
    pub(crate) async fn hold_logon_in(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        state: LogonState,
    ) -> Result<LogonInFull, Error> {
        if !logons::hold(tx, hash).await? {
            return Err(Error::because(Refusal::LogonOver, "logon_unknown"));
        }
        self.logon_in(tx, hash, state).await
    }

    /// Takes a logon one step on, after `logon` and `subject` were brought up to date: to the next state under a new
    /// secret, or to a session.
    pub(crate) async fn advance(&self, tx: &mut Tx<'_>, step: Advance<'_>) -> Result<LogonStep, Error> {
        let Advance { hash, before, after, subject, origin, now } = step;
        let asker = Asker { kind: after.kind, subject, address: &origin.address, now };
        match next(&after.facts, &asker) {
            Next::Refuse(reason) => Err(Error::because(Refusal::WrongCredentials, reason)),
            Next::Ask(state) => {
                let token = self.new_token();
                let moved = Logon { state, ..after };
                if !logons::advance(tx, hash, before, &token_hash(&token), &moved).await? {
                    return Err(Error::because(Refusal::LogonOver, "logon_finished_elsewhere"));
                }
                Ok(LogonStep::Ask { state, token })
            }
            Next::Open => {
                if !logons::consume(tx, hash).await? {
                    return Err(Error::because(Refusal::LogonOver, "logon_finished_elsewhere"));
                }
                self.open_session(tx, &after, subject, origin, now).await
            }
        }
    }

    async fn open_session(
        &self,
        tx: &mut Tx<'_>,
        logon: &Logon,
        subject: &LogonSubject,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<LogonStep, Error> {
        let used = self.use_machine(tx, logon, origin, now).await?;
        let given = self.give_secrets(tx, (logon, subject), used, origin, now).await?;
        let token = self.new_token();
        let session = Session {
            id: SessionId::generate(&*self.inner.entropy),
            account_id: logon.account_id.clone(),
            principal_id: logon.principal_id.clone(),
            principal_epoch: logon.principal_epoch,
            account_epoch: logon.account_epoch,
            methods: logon.facts.methods(),
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus(Duration::from_hours(u64::from(subject.settings.session_hours))),
        };
        let from = sessions::Origin { address: &origin.address, user_agent: &origin.user_agent };
        sessions::insert(tx, &token_hash(&token), &session, from).await?;
        sessions::trim(tx, &logon.account_id, &logon.principal_id, SESSIONS_PER_PRINCIPAL).await?;
        let (account, principal) = (&logon.account_id, &logon.principal_id);
        let from = (origin.address.as_str(), origin.language.unwrap_or("en"));
        principals::mark_logon(tx, account, principal, from, now).await?;
        let methods = session.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join("+");
        self.write_logon_event(tx, logon, origin, (Outcome::Success, &methods), &logon_details(logon)).await?;
        if !logon.facts.browser_known && subject.last_logon_at.is_some() {
            self.notify(tx, Notice { account, principal, kind: NoticeKind::NewMachine, origin }).await?;
        }
        let has_codes = recovery_codes::count(tx, account, principal).await?.left > 0;
        Ok(LogonStep::Open {
            token,
            expires_at: session.expires_at,
            kind: logon.kind,
            urge_binding: logon.kind == PrincipalKind::Owner && !subject.factors.any(),
            offer_recovery_codes: logon.facts.device_bound && !has_codes,
            given: Box::new(given),
        })
    }

    /// Writes down that a logon has changed something about its principal.
    pub(crate) async fn write_change_at_logon(
        &self,
        tx: &mut Tx<'_>,
        logon: &Logon,
        origin: &Origin,
        action: &'static str,
    ) -> Result<(), Error> {
        let actor = logon_actor(logon, actor_kind(logon.kind));
        let written = Written { actor, action, target: "", outcome: Outcome::Success, reason: "at_logon", details: "" };
        self.write_event(tx, &logon.account_id, origin, written).await
    }

    /// Writes down how a logon ended, or a step of it was refused.
    pub(crate) async fn write_logon_event(
        &self,
        tx: &mut Tx<'_>,
        logon: &Logon,
        origin: &Origin,
        (outcome, reason): (Outcome, &str),
        details: &str,
    ) -> Result<(), Error> {
        let kind = match outcome {
            Outcome::Success => actor_kind(logon.kind),
            Outcome::Refused => ActorKind::Logon,
        };
        let actor = logon_actor(logon, kind);
        let written = Written { actor, action: SIGN_IN, target: "", outcome, reason, details };
        self.write_event(tx, &logon.account_id, origin, written).await
    }

    /// Passes on the result of a step that a known principal took, its refusal written down first.
    pub(crate) async fn settle_step<T>(
        &self,
        tx: &mut Tx<'_>,
        logon: &Logon,
        origin: &Origin,
        result: Result<T, Error>,
    ) -> Result<T, Error> {
        match &result {
            Err(Error::Refused { refusal, reason }) if is_unjudged(reason) => {
                audit::count_refusal(tx, self.now(), &origin.address, refusal.code()).await?;
            }
            Err(Error::Refused { reason, .. }) => {
                // Whoever was refused is nobody yet; the event tells as whom he wanted to log on.
                let details = format!("as={};{}", logon.kind.as_str(), refusal_told(&result));
                self.write_logon_event(tx, logon, origin, (Outcome::Refused, reason), &details).await?;
            }
            Err(Error::ProofRequired(_) | Error::Unavailable(_) | Error::ClockBehind | Error::Fault(_)) | Ok(_) => {}
        }
        result
    }
}

/// Takes the row that guards the principal of a logon, until the unit ends. While it was waited for, another node may have
/// changed something about him: then the logon is over.
pub(crate) async fn guard_subject(tx: &mut Tx<'_>, logon: &Logon) -> Result<(), Error> {
    let epoch = principals::guard(tx, &logon.account_id, &logon.principal_id).await?;
    if epoch == Some(logon.principal_epoch) {
        return Ok(());
    }
    Err(Error::because(Refusal::LogonOver, "logon_superseded"))
}

/// What the log tells of a finished logon: what was unusual about it, and whether its machine is remembered.
fn logon_details(logon: &Logon) -> String {
    let unusual = logon.facts.unusual.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(",");
    let unusual = if unusual.is_empty() { String::new() } else { format!("unusual={unusual};") };
    let remembered = if logon.facts.remember { "remembered=yes;" } else { "" };
    format!("{unusual}{remembered}")
}

const fn actor_kind(kind: PrincipalKind) -> ActorKind {
    match kind {
        PrincipalKind::Owner => ActorKind::Owner,
        PrincipalKind::RamUser => ActorKind::RamUser,
    }
}

fn logon_actor(logon: &Logon, kind: ActorKind) -> AuditActor {
    AuditActor { kind, id: logon.principal_id.to_string(), name: logon.name.clone() }
}

/// One step of a logon, decided and about to be written.
pub(crate) struct Advance<'a> {
    /// The hash of the browser's present secret.
    pub(crate) hash: &'a [u8; 32],
    /// The logon as it was found.
    pub(crate) before: &'a Logon,
    /// The logon with its new facts and epochs.
    pub(crate) after: Logon,
    /// The principal as he is now.
    pub(crate) subject: &'a LogonSubject,
    pub(crate) origin: &'a Origin,
    pub(crate) now: Timestamp,
}
