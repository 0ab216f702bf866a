//! Binding a security key or passkey: by oneself, by an administrator who has the key at hand, at a logon that must.
//!
//! By oneself and by an administrator it is a sensitive operation: the proof is taken when it begins, and only the session
//! that began it may finish it.

use super::registration::{MadeKey, NewKey, Others};
use super::{KeyAnswer, KeyView, OtherType, Prompt, method_of};
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::logon::{Advance, LogonStep, guard_subject};
use crate::notices::Notice;
use crate::{Countersign, token_hash};
use countersign_model::budget::Budget;
use countersign_model::logon::LogonState;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::PrincipalKind;
use countersign_model::token::Token;
use countersign_model::webauthn::{KeyKind, WebAuthnCredential};
use countersign_store::logons::LogonInFull;
use countersign_store::{Tx, factors, principals, virtual_mfa};
use countersign_webauthn::{Invalid, Registered};

use super::Read;

/// The log's word for asking a browser to make a credential.
const START: &str = "StartKeyBinding";

impl Countersign {
    /// Asks the actor's browser to make a credential of his own. Asks for a proof first.
    pub async fn begin_own_key(
        &self,
        actor: &SessionActor,
        kind: KeyKind,
        other: OtherType,
        origin: &Origin,
    ) -> Result<Prompt, Error> {
        let (action, others) = match (other, kind) {
            (OtherType::Replace, _) => (Action::ReplaceOwnMfa, Others::Replace),
            (OtherType::Keep, KeyKind::SecurityKey) => (Action::BindOwnMfa, Others::Keep),
            (OtherType::Keep, KeyKind::Passkey) => (Action::BindOwnPasskey, Others::Keep),
        };
        let deed = Deed::own(actor, START).asking(action, &[kind.as_str()]);
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Prompt, Error> {
            admitted.may(action, &Resource::Oneself)?;
            admitted.tell("kind", kind.as_str());
            let session = admitted.guard_oneself(tx).await?;
            let new = NewKey {
                whose: (session.account_id(), session.principal_id()),
                holder: session.found.kind,
                logon_name: &this.logon_name(session.found.kind, &session.found.name, session.found.alias.as_str()),
                kind,
                started_by: session.found.session.id.as_str(),
                settings: &session.found.settings,
                others,
                now: admitted.now,
            };
            this.ask_for_key(tx, &new).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Binds the credential that the actor's browser has made. His other sessions end; this one goes on under the token
    /// returned.
    pub async fn finish_own_key(
        &self,
        actor: &SessionActor,
        answer: KeyAnswer,
        origin: &Origin,
    ) -> Result<(Token, KeyView), Error> {
        self.check_clock()?;
        let read = self.read_registration(&answer);
        let (this, deed, from) = (self.clone(), Deed::own(actor, Action::BindOwnMfa.code()), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(Token, KeyView), Error> {
            admitted.may(Action::BindOwnMfa, &Resource::Oneself)?;
            let session = admitted.guard_oneself(tx).await?;
            let (account, principal) = (session.account_id(), session.principal_id());
            let made = MadeKey {
                whose: (account, principal),
                holder: session.found.kind,
                started_by: session.found.session.id.as_str(),
                settings: &session.found.settings,
                name: &answer.name,
                answer: &read,
                others_lost: false,
                now: admitted.now,
            };
            let (key, others) = this.keep_key(tx, &made).await?;
            tell_of_key(admitted, &key);
            let kind = if others == Others::Replace { NoticeKind::MfaReplaced } else { NoticeKind::KeyBound };
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await?;
            let token = this.renew_own_session(tx, admitted).await?;
            Ok((token, this.fresh_view(key, &made)))
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Asks the actor's browser to make a credential for a RAM user, whose security key is at hand. Asks for a proof first. A
    /// passkey logs on without a password: its user alone binds it.
    pub async fn begin_key_for(
        &self,
        actor: &SessionActor,
        user: &str,
        kind: KeyKind,
        origin: &Origin,
    ) -> Result<Prompt, Error> {
        let deed = Deed::on(actor, START, user).asking(Action::BindMfaForUser, &[kind.as_str()]);
        let (this, user) = (self.clone(), user.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Prompt, Error> {
            let user = admitted.guard_user(tx, &user, Action::BindMfaForUser).await?;
            admitted.tell("kind", kind.as_str());
            match kind {
                KeyKind::SecurityKey => {}
                KeyKind::Passkey => return Err(Error::because(Refusal::NoPermission, "passkey_of_another")),
            }
            let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
            let new = NewKey {
                whose: (&user.account_id, &user.id),
                holder: user.kind,
                logon_name: &this.logon_name(user.kind, &user.name, session.found.alias.as_str()),
                kind,
                started_by: session.found.session.id.as_str(),
                settings: &session.found.settings,
                others: Others::Keep,
                now: admitted.now,
            };
            this.ask_for_key(tx, &new).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Binds the credential that the actor's browser has made for a RAM user. The user's sessions end.
    pub async fn finish_key_for(
        &self,
        actor: &SessionActor,
        user: &str,
        answer: KeyAnswer,
        origin: &Origin,
    ) -> Result<KeyView, Error> {
        self.check_clock()?;
        let read = self.read_registration(&answer);
        let deed = Deed::on(actor, Action::BindMfaForUser.code(), user);
        let (this, user, from) = (self.clone(), user.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<KeyView, Error> {
            let user = admitted.guard_user(tx, &user, Action::BindMfaForUser).await?;
            let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
            let made = MadeKey {
                whose: (&user.account_id, &user.id),
                holder: user.kind,
                started_by: session.found.session.id.as_str(),
                settings: &session.found.settings,
                name: &answer.name,
                answer: &read,
                others_lost: false,
                now: admitted.now,
            };
            let (key, _) = this.keep_key(tx, &made).await?;
            tell_of_key(admitted, &key);
            principals::bump_epoch(tx, &user.account_id, &user.id, admitted.now).await?;
            let (account, principal, kind) = (&user.account_id, &user.id, NoticeKind::KeyBound);
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await?;
            Ok(this.fresh_view(key, &made))
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Asks the browser of a logon that must bind a factor to make a credential.
    pub async fn begin_logon_key_binding(
        &self,
        token: &Token,
        kind: KeyKind,
        origin: &Origin,
    ) -> Result<Prompt, Error> {
        self.check_clock()?;
        let (this, hash, origin) = (self.clone(), token_hash(token), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<Prompt, Error> {
            let LogonInFull { logon, subject, .. } = this.hold_logon_in(tx, &hash, LogonState::Bind).await?;
            guard_subject(tx, &logon).await?;
            let subject = subject.ok_or(Refusal::LogonOver)?;
            let new = NewKey {
                whose: (&logon.account_id, &logon.principal_id),
                holder: logon.kind,
                logon_name: &this.logon_name(logon.kind, &subject.name, subject.alias.as_str()),
                kind,
                started_by: logon.id.as_str(),
                settings: &subject.settings,
                others: if logon.facts.has_lost_factor() { Others::Lost } else { Others::Keep },
                now: this.now(),
            };
            let begun = this.ask_for_key(tx, &new).await;
            if begun.is_ok() {
                this.write_change_at_logon(tx, &logon, &origin, START).await?;
            }
            this.settle_step(tx, &logon, &origin, begun).await
        };
        self.inner.store.write(unit).await
    }

    /// Binds the credential that the browser of a logon has made, and ends the logon with a session.
    pub async fn finish_logon_key_binding(
        &self,
        token: &Token,
        answer: KeyAnswer,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        self.check_clock()?;
        let read = self.read_registration(&answer);
        let (this, hash, origin) = (self.clone(), token_hash(token), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            let found = this.hold_logon_in(tx, &hash, LogonState::Bind).await?;
            let result = this.bind_key_at_logon(tx, &hash, &found, (&answer.name, &read), &origin).await;
            this.settle_step(tx, &found.logon, &origin, result).await
        };
        self.inner.store.write(unit).await
    }

    async fn bind_key_at_logon(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        found: &LogonInFull,
        (name, answer): (&str, &Read<Result<Registered, Invalid>>),
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        let (now, logon) = (self.now(), &found.logon);
        let mut subject = found.subject.clone().ok_or(Refusal::LogonOver)?;
        guard_subject(tx, logon).await?;
        let (account, principal) = (&logon.account_id, &logon.principal_id);
        let made = MadeKey {
            whose: (account, principal),
            holder: logon.kind,
            started_by: logon.id.as_str(),
            settings: &subject.settings,
            name,
            answer,
            others_lost: logon.facts.has_lost_factor(),
            now,
        };
        let (key, _) = self.keep_key(tx, &made).await?;
        let mut after = logon.clone();
        after.facts.second_factor = after.facts.second_factor.or(Some((method_of(key.kind), now)));
        after.facts.device_bound = true;
        after.principal_epoch = principals::bump_epoch(tx, account, principal, now).await?.ok_or(Refusal::LogonOver)?;
        subject.device = virtual_mfa::find_bound(tx, account, principal).await?;
        subject.factors = factors::of(tx, account, principal).await?;
        self.write_change_at_logon(tx, logon, origin, Action::BindOwnMfa.code()).await?;
        self.notify(tx, Notice { account, principal, kind: NoticeKind::KeyBound, origin }).await?;
        self.advance(tx, Advance { hash, before: logon, after, subject: &subject, origin, now }).await
    }

    fn fresh_view(&self, key: WebAuthnCredential, made: &MadeKey<'_>) -> KeyView {
        KeyView::of(key, self.terms(&made.settings.attestation), Budget::UNUSED)
    }

    /// The name that somebody logs on with.
    pub(crate) fn logon_name(&self, kind: PrincipalKind, name: &str, alias: &str) -> String {
        match kind {
            PrincipalKind::Owner => name.to_owned(),
            PrincipalKind::RamUser => format!("{name}@{alias}.{}", self.inner.identity.suffix),
        }
    }
}

/// What the log tells of a key that was bound or unbound.
pub(super) fn tell_of_key(admitted: &Admitted, key: &WebAuthnCredential) {
    for (word, value) in words_of(key) {
        admitted.tell(word, value);
    }
}

/// The same, for an event beside that of the deed.
pub(super) fn told_of_key(key: &WebAuthnCredential) -> String {
    words_of(key).map(|(word, value)| format!("{word}={};", value.replace(';', ","))).concat()
}

fn words_of(key: &WebAuthnCredential) -> [(&'static str, &str); 3] {
    [("kind", key.kind.as_str()), ("key", key.id.as_str()), ("name", &key.name)]
}
