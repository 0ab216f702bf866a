//! The secure email address and phone of a RAM user. One is pending until he has shown that it is his; a pending one proves
//! nothing.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin};
use crate::authorise::Action;
use crate::error::{Error, Limit, Refusal};
use countersign_model::contact::{Contact, ContactKind, ContactState, USERS_PER_EMAIL};
use countersign_store::{Tx, accounts, contacts};

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
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, Action::BindVerification).await?;
            // Whoever binds the same address to another user waits here.
            accounts::guard(tx, &user.account_id).await?;
            let who = (&user.account_id, &user.id);
            let contact = Contact { kind, value: value.clone(), state: ContactState::Pending };
            let present = contacts::list(tx, who.0, who.1).await?;
            if present.iter().any(|present| present.kind == kind && present.canonical() == contact.canonical()) {
                return Ok(());
            }
            if kind == ContactKind::Email && contacts::count_others(tx, who, &contact).await? >= USERS_PER_EMAIL {
                return Err(Refusal::LimitExceeded(Limit::UsersOfEmail).into());
            }
            admitted.tell("kind", kind.as_str());
            Ok(contacts::put(tx, who, &contact, admitted.now).await?)
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
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, Action::UnbindVerification).await?;
            admitted.tell("kind", kind.as_str());
            let canonical = value.to_lowercase();
            if contacts::delete(tx, (&user.account_id, &user.id), kind, &canonical).await? {
                Ok(())
            } else {
                Err(Refusal::ContactNotFound.into())
            }
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// The passkeys of a RAM user. There are none until passkeys can be bound; whether there is such a user is told.
    pub async fn no_passkey_of<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        user: &str,
        action: Action,
        origin: &Origin,
    ) -> Result<(), Error> {
        let (actor, user) = (actor.into(), user.to_owned());
        let deed = Deed::on(actor, action.code(), &user);
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.find_user(tx, &user, action).await.map(drop)
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }
}
