//! The secure email address and phone of a RAM user. One is pending until he has shown that it is his; a pending one proves
//! nothing; an active one is a factor, so its user is told when it is replaced or unbound, and his sessions end.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin};
use crate::authorise::Action;
use crate::error::{Error, Limit, Refusal};
use crate::notices::Notice;
use countersign_model::contact::{Contact, ContactKind, ContactState, USERS_PER_EMAIL};
use countersign_model::names::EmailAddress;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::Principal;
use countersign_store::{Tx, contacts, principals};

impl Countersign {
    /// The contacts of a RAM user.
    pub async fn contacts_of<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        origin: &Origin,
    ) -> Result<Vec<Contact>, Error> {
        let (actor, user) = (actor.into(), user.to_owned());
        let deed = Deed::on(actor, Action::ViewVerification.code(), &user);
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Vec<Contact>, Error> {
            let user = admitted.find_user(tx, &user, Action::ViewVerification).await?;
            Ok(contacts::list(tx, &user.account_id, &user.id).await?)
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Binds a contact to a RAM user, in place of one of the same kind. An email address serves five users at most.
    pub async fn bind_contact<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        (kind, value): (ContactKind, String),
        origin: &Origin,
    ) -> Result<(), Error> {
        let (actor, user) = (actor.into(), user.to_owned());
        let deed = Deed::on(actor, Action::BindVerification.code(), &user);
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.may_at_all(Action::BindVerification)?;
            // Whoever binds the same address to another user waits here.
            let again = this.guard_account(tx, admitted).await?;
            let user = again.guard_user(tx, &user, Action::BindVerification).await?;
            let who = (&user.account_id, &user.id);
            let contact = Contact { kind, value: value.clone(), state: ContactState::Pending };
            let present = contacts::list(tx, who.0, who.1).await?;
            if present.iter().any(|present| present.kind == kind && present.canonical() == contact.canonical()) {
                return Ok(());
            }
            let replaced = present.into_iter().find(|present| present.kind == kind);
            if kind == ContactKind::Email && contacts::count_others(tx, who, &contact).await? >= USERS_PER_EMAIL {
                return Err(Refusal::LimitExceeded(Limit::UsersOfEmail).into());
            }
            admitted.tell("kind", kind.as_str());
            contacts::put(tx, who, &contact, admitted.now).await?;
            this.lose_contact(tx, admitted, (&user, replaced), &from).await
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// Unbinds this very contact from a RAM user.
    pub async fn unbind_contact<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        (kind, value): (ContactKind, String),
        origin: &Origin,
    ) -> Result<(), Error> {
        let (actor, user) = (actor.into(), user.to_owned());
        let deed = Deed::on(actor, Action::UnbindVerification.code(), &user);
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, Action::UnbindVerification).await?;
            admitted.tell("kind", kind.as_str());
            let (who, canonical) = ((&user.account_id, &user.id), value.to_lowercase());
            let present = contacts::list(tx, who.0, who.1).await?.into_iter().find(|present| present.kind == kind);
            if !contacts::delete(tx, who, kind, &canonical).await? {
                return Err(Refusal::ContactNotFound.into());
            }
            this.lose_contact(tx, admitted, (&user, present), &from).await
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// What follows when a user has lost a contact: if it was active, he is told, at that address too, and his sessions end.
    async fn lose_contact(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        (user, lost): (&Principal, Option<Contact>),
        origin: &Origin,
    ) -> Result<(), Error> {
        let Some(lost) = lost.filter(|lost| lost.state == ContactState::Active) else { return Ok(()) };
        admitted.tell("lost", lost.state.as_str());
        let earlier = match lost.kind {
            ContactKind::Email => EmailAddress::parse(&lost.value).ok(),
            ContactKind::Sms => None,
        };
        // One mail is enough where both are the same.
        let earlier = earlier.filter(|earlier| {
            user.email.as_ref().is_none_or(|email| email.as_str().to_lowercase() != earlier.as_str().to_lowercase())
        });
        let (account, principal) = (&user.account_id, &user.id);
        principals::bump_epoch(tx, account, principal, admitted.now).await?;
        let notice = Notice { account, principal, kind: NoticeKind::VerificationChanged, origin };
        self.notify_also_at(tx, admitted, notice, earlier.as_ref()).await
    }
}
