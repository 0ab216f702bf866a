//! Listing, renaming and unbinding security keys and passkeys, one's own and those of users.

use super::binding::{tell_of_key, told_of_key};
use super::{KeyView, Leaving, Left, Whose};
use crate::Countersign;
use crate::act::{Admitted, Deed, Written};
use crate::actor::{Actor, Insider, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::logon::requires_device;
use crate::notices::Notice;
use countersign_model::audit::Outcome;
use countersign_model::ids::KeyId;
use countersign_model::names::KeyName;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::Principal;
use countersign_model::token::Token;
use countersign_model::webauthn::{KeyKind, WebAuthnCredential};
use countersign_store::{Tx, factors, login_profiles, principals, recovery_codes, webauthn_credentials};
use data_encoding::BASE64URL_NOPAD;

/// A credential that was unbound, for `PublicKeyCredential.signalUnknownCredential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The relying party that it was registered with.
    pub rp_id: String,
    /// The credential id in base64url.
    pub credential_id: String,
}

impl Countersign {
    /// Gives a key of the actor's own another name. Asks for a proof first.
    pub async fn rename_own_key(
        &self,
        actor: &SessionActor,
        id: &str,
        name: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        // What is no name needs no proof.
        let name = KeyName::parse(name)?;
        let deed = Deed::own(actor, Action::RenameOwnKey.code()).asking(Action::RenameOwnKey, &[id, name.as_str()]);
        let id = id.to_owned();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.may(Action::RenameOwnKey, &Resource::Oneself)?;
            let session = admitted.guard_oneself(tx).await?;
            let key = load(tx, (session.account_id(), session.principal_id()), &id).await?;
            rename(tx, &key, &name, admitted).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Gives a key of a RAM user another name. One of the other kind is not found.
    pub async fn rename_key_of<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        (kind, id, name): (KeyKind, &str, &str),
        origin: &Origin,
    ) -> Result<(), Error> {
        let (actor, action) = (actor.into(), Action::RenamePasskeyOfUser);
        let deed = Deed::on(actor, action.code(), user).asking(action, &[id, name]);
        let (user, id, name) = (user.to_owned(), id.to_owned(), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, action).await?;
            let key = load_kind(tx, (&user.account_id, &user.id), (kind, &id)).await?;
            rename(tx, &key, &KeyName::parse(&name)?, admitted).await
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Unbinds a key of the actor's own. Always asks for a proof first. Where a factor is required, the last one that can be
    /// used stays. His other sessions end; this one goes on under the token returned.
    pub async fn unbind_own_key(
        &self,
        actor: &SessionActor,
        id: &str,
        origin: &Origin,
    ) -> Result<(Token, Removed), Error> {
        let deed = Deed::own(actor, Action::UnbindOwnKey.code()).asking(Action::UnbindOwnKey, &[id]);
        let (this, id, from) = (self.clone(), id.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(Token, Removed), Error> {
            admitted.may(Action::UnbindOwnKey, &Resource::Oneself)?;
            // Which of the other factors serve is settled: nobody changes the account's policy meanwhile.
            let again = this.guard_account(tx, admitted).await?;
            let session = again.guard_oneself(tx).await?;
            let (account, principal) = (session.account_id(), session.principal_id());
            let key = load(tx, (account, principal), &id).await?;
            let profile = login_profiles::find(tx, account, principal).await?;
            let (kind, settings) = (session.found.kind, &session.found.settings);
            let is_required = profile.is_none_or(|profile| requires_device(kind, settings, &profile));
            let terms = this.terms(&settings.attestation);
            Left::without(tx, (account, principal), Leaving::Key(&key.id), terms).await?.judge(is_required)?;
            tell_of_key(admitted, &key);
            let removed = remove(tx, &key).await?;
            let kind = NoticeKind::KeyUnbound;
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await?;
            Ok((this.renew_own_session(tx, admitted).await?, removed))
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Unbinds a key of a RAM user. His sessions end; if he must have a factor and has no other, he binds one at his next
    /// logon.
    pub async fn unbind_key_of<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        (kind, id): (KeyKind, &str),
        origin: &Origin,
    ) -> Result<Removed, Error> {
        let actor = actor.into();
        let action = match kind {
            KeyKind::SecurityKey => Action::UnbindMfaForUser,
            KeyKind::Passkey => Action::DeletePasskeyOfUser,
        };
        let deed = Deed::on(actor, action.code(), user).asking(action, &[id]);
        let (this, user, id, from) = (self.clone(), user.to_owned(), id.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Removed, Error> {
            let user = admitted.guard_user(tx, &user, action).await?;
            let (account, principal) = (&user.account_id, &user.id);
            let key = load_kind(tx, (account, principal), (kind, &id)).await?;
            tell_of_key(admitted, &key);
            let removed = remove(tx, &key).await?;
            principals::bump_epoch(tx, account, principal, admitted.now).await?;
            let kind = NoticeKind::KeyUnbound;
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await?;
            Ok(removed)
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Unbinds all security keys of a RAM user: a notice and an event for each, as if they had been unbound one by one. The
    /// event of the deed tells of the first, which is returned; the principal's row is guarded.
    pub(crate) async fn unbind_security_keys_of(
        &self,
        tx: &mut Tx<'_>,
        user: &Principal,
        admitted: &Admitted,
        origin: &Origin,
    ) -> Result<WebAuthnCredential, Error> {
        let (account, principal) = (&user.account_id, &user.id);
        let actor = admitted.insider().ok_or(Refusal::NoPermission)?.to_actor();
        let bound = webauthn_credentials::list(tx, account, principal).await?;
        let mut keys = bound.into_iter().filter(|key| key.kind == KeyKind::SecurityKey);
        let first = keys.next().ok_or(Refusal::MfaNotBound)?;
        tell_of_key(admitted, &first);
        remove(tx, &first).await?;
        let kind = NoticeKind::KeyUnbound;
        self.notify_by(tx, admitted, Notice { account, principal, kind, origin }).await?;
        for key in keys {
            remove(tx, &key).await?;
            self.notify_by(tx, admitted, Notice { account, principal, kind, origin }).await?;
            let written = Written {
                actor: actor.for_audit(),
                action: Action::UnbindMfaForUser.code(),
                target: &user.name,
                outcome: Outcome::Success,
                reason: "",
                details: &format!("{}{}", actor.details(), told_of_key(&key)),
            };
            self.write_event_on(tx, (account, Some(principal)), origin, written).await?;
        }
        principals::bump_epoch(tx, account, principal, admitted.now).await?;
        Ok(first)
    }

    /// The passkeys of a RAM user.
    pub async fn passkeys_of<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        origin: &Origin,
    ) -> Result<Vec<KeyView>, Error> {
        let (actor, action) = (actor.into(), Action::ListPasskeysOfUser);
        let deed = Deed::on(actor, action.code(), user);
        let (this, user) = (self.clone(), user.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Vec<KeyView>, Error> {
            let user = admitted.find_user(tx, &user, action).await?;
            let policy = &admitted.who.settings.attestation;
            let mut keys = this.key_views(tx, (&user.account_id, &user.id), policy).await?;
            keys.retain(|key| key.kind == KeyKind::Passkey);
            Ok(keys)
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }
}

async fn load(tx: &mut Tx<'_>, whose: Whose<'_>, id: &str) -> Result<WebAuthnCredential, Error> {
    let id: KeyId = id.parse().map_err(|_| Refusal::PasskeyNotFound)?;
    Ok(webauthn_credentials::find(tx, whose.0, whose.1, &id).await?.ok_or(Refusal::PasskeyNotFound)?)
}

async fn load_kind(
    tx: &mut Tx<'_>,
    whose: Whose<'_>,
    (kind, id): (KeyKind, &str),
) -> Result<WebAuthnCredential, Error> {
    let key = load(tx, whose, id).await?;
    if key.kind == kind { Ok(key) } else { Err(Refusal::PasskeyNotFound.into()) }
}

async fn rename(tx: &mut Tx<'_>, key: &WebAuthnCredential, name: &KeyName, admitted: &Admitted) -> Result<(), Error> {
    admitted.tell("kind", key.kind.as_str());
    admitted.tell("key", key.id.as_str());
    admitted.tell("name", &format!("{}>{name}", key.name));
    if webauthn_credentials::rename(tx, (&key.account_id, &key.principal_id), &key.id, name).await? {
        return Ok(());
    }
    Err(Error::because(Refusal::KeyExists, "key_name_taken"))
}

/// Removes a key, and the recovery codes with the last factor.
async fn remove(tx: &mut Tx<'_>, key: &WebAuthnCredential) -> Result<Removed, Error> {
    let (account, principal) = (&key.account_id, &key.principal_id);
    if !webauthn_credentials::delete(tx, account, principal, &key.id).await? {
        return Err(Refusal::PasskeyNotFound.into());
    }
    if !factors::of(tx, account, principal).await?.any() {
        recovery_codes::delete_all(tx, account, principal).await?;
    }
    Ok(Removed { rp_id: key.rp_id.clone(), credential_id: BASE64URL_NOPAD.encode(&key.credential_id) })
}
