//! Unbinding: by oneself with a current code, by an administrator without.
//!
//! By oneself it takes a current code of the very device, whatever the session has shown: one that was opened by a
//! remembered machine, or by a logon that was not unusual, has shown none. Recovery codes go with the device.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::logon::requires_device;
use crate::notices::Notice;
use crate::webauthn::{Leaving, Left};
use countersign_model::notice::NoticeKind;
use countersign_model::token::Token;
use countersign_store::{Tx, login_profiles, recovery_codes, virtual_mfa};

impl Countersign {
    /// Unbinds the actor's own device by a current code of it. Where a device is required it can only be replaced. His
    /// other sessions end; this one goes on under the token returned.
    pub async fn unbind_own(&self, actor: &SessionActor, typed: String, origin: &Origin) -> Result<Token, Error> {
        self.check_clock()?;
        let (this, deed, from) = (self.clone(), Deed::own(actor, Action::UnbindOwnMfa.code()), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Token, Error> {
            admitted.may(Action::UnbindOwnMfa, &Resource::Oneself)?;
            // Which of the other factors serve is settled: nobody changes the account's policy meanwhile.
            let again = this.guard_account(tx, admitted).await?;
            let session = again.guard_oneself(tx).await?;
            let (account, principal) = (session.account_id(), session.principal_id());
            let device = virtual_mfa::find_bound(tx, account, principal).await?.ok_or(Refusal::MfaNotBound)?;
            let profile = login_profiles::find(tx, account, principal).await?;
            let (kind, settings) = (session.found.kind, &session.found.settings);
            let terms = this.terms(&settings.attestation);
            let left = Left::without(tx, (account, principal), Leaving::Device, terms).await?;
            left.judge(profile.is_none_or(|profile| requires_device(kind, settings, &profile)))?;
            this.spend_code(tx, &device, &typed, &from, admitted.now).await?;
            virtual_mfa::delete_bound(tx, account, principal).await?;
            if left.bound == 0 {
                recovery_codes::delete_all(tx, account, principal).await?;
            }
            let kind = NoticeKind::MfaUnbound;
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await?;
            this.renew_own_session(tx, admitted).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Unbinds the device of a RAM user. His sessions end; if he must have a device, he binds a new one at his next logon.
    pub async fn unbind_for(&self, actor: &SessionActor, user: &str, origin: &Origin) -> Result<(), Error> {
        let deed = Deed::on(actor, Action::UnbindMfaForUser.code(), user).asking(Action::UnbindMfaForUser, &[]);
        let (this, user, from) = (self.clone(), user.to_owned(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let user = admitted.guard_user(tx, &user, Action::UnbindMfaForUser).await?;
            this.unbind_device_of(tx, &user, admitted, &from).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}
