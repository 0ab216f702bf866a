//! "This was not me": the answer to a notice, by the link in its mail or from a session. It ends all that was opened as
//! the principal, takes back what can be taken back, disables the AccessKeys that were made or enabled since, holds back the
//! security keys and passkeys that were bound since, deletes recovery codes that were made since, and tells the
//! administrators.
//!
//! The link's secret is not stored: it is a keyed hash of what the notice is, so that a copy of the database makes none.

use crate::Countersign;
use crate::act::{Admitted, Deed, Written};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::notices::Finding;
use crate::sessions::end_everything;
use countersign_model::Timestamp;
use countersign_model::audit::{ActorKind, AuditActor, Outcome};
use countersign_model::ids::{AccessKeyId, NoticeId};
use countersign_model::notice::{FindingKind, Notice, NoticeKind};
use countersign_model::principal::LoginProfile;
use countersign_store::{
    Tx, access_keys, audit, facts, login_profiles, notices, principals, recovery_codes, virtual_mfa,
    webauthn_credentials,
};
use data_encoding::HEXLOWER;
use secrecy::SecretString;
use std::time::Duration;

/// Keeps these hashes apart from all others.
const PURPOSE: &str = "not me";
/// Links of notices up to this instant are over.
const LINKS_ENDED_AT: &str = "disown_links_ended_at";
/// A key of either sort is a little older than the notice that tells of it.
const KEYS_BEFORE: Duration = Duration::from_mins(1);

impl Countersign {
    /// What the link to a notice carries: its id, a point, and a keyed hash in hexadecimal.
    pub(crate) fn disown_token(&self, notice: &Notice) -> SecretString {
        let mac = self.inner.keys.ring().keyed_hash(PURPOSE, &bound_to(notice));
        format!("{}.{}", notice.id, HEXLOWER.encode(&mac)).into()
    }

    /// The notice that a link is for, as long as the link is good. Changes nothing: programs look at links, too.
    pub async fn notice_of_link(&self, token: &str) -> Result<Notice, Error> {
        self.check_clock()?;
        let (this, token) = (self.clone(), token.to_owned());
        let unit = async move |tx: &mut Tx<'_>| -> Result<Notice, Error> { this.judge_link(tx, &token).await };
        self.inner.store.read(unit).await
    }

    /// "This was not me", by a link. Good once.
    pub async fn disown_by_link(&self, token: &str, origin: &Origin) -> Result<Disowned, Error> {
        self.check_clock()?;
        let (this, token, origin) = (self.clone(), token.to_owned(), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<Disowned, Error> {
            let judged = this.judge_link(tx, &token).await;
            if let Err(Error::Refused { refusal, .. }) = &judged {
                // Anybody can send anything here, so it is counted, not written down.
                audit::count_refusal(tx, this.now(), &origin.address, refusal.code()).await?;
            }
            let notice = judged?;
            let done = this.end_all(tx, notice).await?;
            let notice = &done.notice;
            let actor = AuditActor {
                kind: ActorKind::Logon,
                id: notice.principal_id.to_string(),
                name: notice.facts.logon_name.clone(),
            };
            let action = Action::DisownNotice.code();
            let details = done.told();
            let written =
                Written { actor, action, target: "", outcome: Outcome::Success, reason: "by_link", details: &details };
            this.write_event(tx, &notice.account_id, &origin, written).await?;
            Ok(done)
        };
        self.inner.store.write(unit).await
    }

    /// "This was not me", of a notice of one's own, from a session. The session ends with all others.
    pub async fn disown(&self, actor: &SessionActor, notice: &str, origin: &Origin) -> Result<Disowned, Error> {
        let (this, deed, id) = (self.clone(), Deed::own(actor, Action::DisownNotice.code()), notice.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Disowned, Error> {
            admitted.may(Action::DisownNotice, &Resource::Oneself)?;
            let (account, principal) = admitted.oneself()?;
            let id: NoticeId = id.parse().map_err(|_| Refusal::NoticeOver)?;
            let notice = notices::find(tx, &id).await?.ok_or(Refusal::NoticeOver)?;
            let own = &notice.account_id == account && &notice.principal_id == principal;
            if !own || !notice.may_be_disowned(admitted.now) {
                return Err(Refusal::NoticeOver.into());
            }
            admitted.guard_oneself(tx).await?;
            let done = this.end_all(tx, notice).await?;
            admitted.tell("notice", done.notice.id.as_str());
            admitted.tell("kind", done.notice.kind.as_str());
            if let Some(what) = TakenBack::with(done.notice.kind).code() {
                admitted.tell("taken_back", what);
            }
            for (key, value) in done.keys_told() {
                admitted.tell(key, &value);
            }
            Ok(done)
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// The notice, if the hash is right, the link is not too old and nobody used it.
    async fn judge_link(&self, tx: &mut Tx<'_>, token: &str) -> Result<Notice, Error> {
        let over = |reason| Error::because(Refusal::NoticeOver, reason);
        let (id, mac) = token.split_once('.').ok_or_else(|| over("link_malformed"))?;
        let id: NoticeId = id.parse().map_err(|_| over("link_malformed"))?;
        let mac = HEXLOWER.decode(mac.as_bytes()).map_err(|_| over("link_malformed"))?;
        let notice = notices::find(tx, &id).await?.ok_or_else(|| over("link_unknown"))?;
        if !self.inner.keys.ring().keyed_hash_matches(PURPOSE, &bound_to(&notice), &mac) {
            return Err(over("link_forged"));
        }
        if notice.disowned_at.is_some() {
            return Err(over("link_used"));
        }
        if !notice.may_be_disowned(self.now()) || notice.at <= links_ended_at(tx).await? {
            return Err(over("link_expired"));
        }
        Ok(notice)
    }

    /// Marks the notice, ends what was opened as the principal, and tells the administrators. The mark is what makes it
    /// happen once.
    async fn end_all(&self, tx: &mut Tx<'_>, notice: Notice) -> Result<Disowned, Error> {
        let (account, principal, now) = (&notice.account_id, &notice.principal_id, self.now());
        // The row that guards him comes first, as everywhere.
        principals::guard(tx, account, principal).await?.ok_or(Refusal::NoticeOver)?;
        if !notices::consume(tx, account, &notice.id, now).await? {
            return Err(Error::because(Refusal::NoticeOver, "link_used"));
        }
        end_everything(tx, (account, principal), now).await?;
        virtual_mfa::delete_pending(tx, account, principal).await?;
        take_back(tx, &notice).await?;
        // Whoever did it may have left himself a way back in. What served before goes on serving.
        let since = notice.at.minus(KEYS_BEFORE);
        let codes = recovery_codes::delete_since(tx, account, principal, since).await?;
        let access_keys = access_keys::disable_since(tx, (account, principal), since, now).await?;
        // They stay bound: whoever has the password must not need less than before.
        let held = webauthn_credentials::hold_since(tx, (account, principal), since).await?;
        let keys = held.into_iter().map(|(_, name)| name).collect();
        let done = Disowned { notice, access_keys, keys, codes };
        let finding = Finding {
            account: &done.notice.account_id,
            principal: &done.notice.principal_id,
            principal_name: &done.notice.facts.logon_name,
            kind: FindingKind::Disowned,
            details: &done.told(),
        };
        self.raise(tx, finding).await?;
        Ok(done)
    }
}

/// What "This was not me" has done, beyond ending what was open.
#[derive(Debug, Clone)]
pub struct Disowned {
    /// The notice that was disowned.
    pub notice: Notice,
    /// The AccessKeys that were disabled.
    pub access_keys: Vec<AccessKeyId>,
    /// The names of the security keys and passkeys that are refused from now on.
    pub keys: Vec<String>,
    /// How many recovery codes were deleted because they were made since.
    pub codes: u64,
}

impl Disowned {
    /// What the log and the finding tell: which notice, of what, and the keys.
    fn told(&self) -> String {
        let keys = self.keys_told().into_iter().map(|(key, value)| format!("{key}={};", value.replace(';', ",")));
        told(&self.notice) + &keys.collect::<String>()
    }

    /// The keys of both sorts and the recovery codes, as far as there are any.
    fn keys_told(&self) -> Vec<(&'static str, String)> {
        let access_keys: Vec<_> = self.access_keys.iter().map(AccessKeyId::as_str).collect();
        let codes = if self.codes == 0 { String::new() } else { self.codes.to_string() };
        let told = [
            ("access_keys_disabled", access_keys.join(" ")),
            ("keys_held", self.keys.join(", ")),
            ("recovery_codes_deleted", codes),
        ];
        told.into_iter().filter(|(_, keys)| !keys.is_empty()).collect()
    }
}

/// What is taken back when a notice is disowned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBack {
    /// Whoever made or used recovery codes has them: all are deleted.
    RecoveryCodes,
    /// Whoever changed the password knows it: a new one is chosen at the next logon, behind the second factor.
    Password,
    /// Nothing but what was open. A device is not unbound: whoever reads the mails of somebody would need no more than
    /// his password then.
    Nothing,
}

impl TakenBack {
    /// What is taken back with a notice of this kind.
    #[must_use]
    pub const fn with(kind: NoticeKind) -> Self {
        match kind {
            NoticeKind::RecoveryCodesMade | NoticeKind::RecoveryCodeUsed => Self::RecoveryCodes,
            NoticeKind::PasswordChanged => Self::Password,
            NoticeKind::MfaBound
            | NoticeKind::MfaReplaced
            | NoticeKind::MfaUnbound
            | NoticeKind::ContactChanged
            | NoticeKind::VerificationChanged
            | NoticeKind::AccessKeyCreated
            | NoticeKind::NewMachine
            | NoticeKind::Locked
            | NoticeKind::CodeReplayed
            | NoticeKind::KeyBound
            | NoticeKind::KeyUnbound
            | NoticeKind::KeyCopied
            | NoticeKind::MachineReplayed => Self::Nothing,
        }
    }

    /// As the log tells it.
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::RecoveryCodes => Some("recovery_codes"),
            Self::Password => Some("password"),
            Self::Nothing => None,
        }
    }
}

async fn take_back(tx: &mut Tx<'_>, notice: &Notice) -> Result<(), Error> {
    let (account, principal) = (&notice.account_id, &notice.principal_id);
    match TakenBack::with(notice.kind) {
        TakenBack::RecoveryCodes => recovery_codes::delete_all(tx, account, principal).await.map(drop)?,
        TakenBack::Password => {
            if let Some(profile) = login_profiles::find(tx, account, principal).await? {
                let profile = LoginProfile { password_reset_required: true, ..profile };
                login_profiles::put(tx, account, principal, &profile).await?;
            }
        }
        TakenBack::Nothing => {}
    }
    Ok(())
}

/// Ends the links of all notices up to now: in a restored backup nobody can tell which were used.
pub(crate) async fn end_links(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Error> {
    Ok(facts::put(tx, LINKS_ENDED_AT, &now.micros().to_string()).await?)
}

async fn links_ended_at(tx: &mut Tx<'_>) -> Result<Timestamp, Error> {
    let micros = match facts::find(tx, LINKS_ENDED_AT).await? {
        None => 0,
        Some(text) => text.parse().map_err(|_| Error::Fault(format!("the fact {LINKS_ENDED_AT} is no number")))?,
    };
    Ok(Timestamp::from_micros(micros))
}

/// What else the log and the finding tell: which notice, of what.
fn told(notice: &Notice) -> String {
    let address = notice.facts.address.replace(';', ",");
    let taken_back = TakenBack::with(notice.kind).code().map(|what| format!("taken_back={what};")).unwrap_or_default();
    format!("notice={};kind={};from={address};{taken_back}", notice.id, notice.kind)
}

/// What the hash is of: account, notice and principal, none of which can run into the next.
fn bound_to(notice: &Notice) -> Vec<u8> {
    [notice.account_id.as_str(), notice.id.as_str(), notice.principal_id.as_str()].join("/").into_bytes()
}
