//! Unbinding: by oneself with a current code, by an administrator without.
//!
//! A session without a second factor can stand beside a bound device only if it bound the device itself, with a code of
//! it: every other way to bind ends the principal's sessions. So every session that comes here has shown the device.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::notices::Notice;
use countersign_model::notice::NoticeKind;
use countersign_model::token::Token;
use countersign_store::{Tx, login_profiles, principals, virtual_mfa};

impl Countersign {
    /// Unbinds the actor's own device by a current code of it. Where a device is required it can only be replaced. His
    /// other sessions end; this one goes on under the token returned.
    pub async fn unbind_own(&self, actor: &SessionActor, typed: String, origin: &Origin) -> Result<Token, Error> {
        self.check_clock()?;
        let (this, deed, from) = (self.clone(), Deed::own(actor, Action::UnbindOwnMfa.code()), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Token, Error> {
            admitted.may(Action::UnbindOwnMfa, &Resource::Oneself)?;
            let session = admitted.guard_oneself(tx).await?;
            let (account, principal) = (session.account_id(), session.principal_id());
            let device = virtual_mfa::find_bound(tx, account, principal).await?.ok_or(Refusal::MfaNotBound)?;
            let profile = login_profiles::find(tx, account, principal).await?;
            if profile.is_none_or(|profile| profile.mfa_bind_required) {
                return Err(Refusal::MfaRequired.into());
            }
            this.spend_code(tx, &device, &typed, admitted.now).await?;
            virtual_mfa::delete_bound(tx, account, principal).await?;
            let kind = NoticeKind::MfaUnbound;
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await?;
            this.renew_own_session(tx, admitted).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Unbinds the device of a RAM user. His sessions end; if he must have a device, he binds a new one at his next logon.
    pub async fn unbind_for(&self, actor: &SessionActor, user: &str, origin: &Origin) -> Result<(), Error> {
        let deed = Deed::on(actor, Action::UnbindMfaForUser.code(), user);
        let (this, user, from) = (self.clone(), user.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, Action::UnbindMfaForUser).await?;
            if !virtual_mfa::delete_bound(tx, &user.account_id, &user.id).await? {
                return Err(Refusal::MfaNotBound.into());
            }
            principals::bump_epoch(tx, &user.account_id, &user.id, admitted.now).await?;
            let (account, principal, kind) = (&user.account_id, &user.id, NoticeKind::MfaUnbound);
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}
