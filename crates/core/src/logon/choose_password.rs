//! The step *choose password*: a new one in place of one that somebody else gave, or that is due.

use super::{Advance, LogonStep, guard_subject};
use crate::actor::Origin;
use crate::authorise::Action;
use crate::error::{Error, Refusal};
use crate::hashing::Verdict;
use crate::notices::Notice;
use crate::passwords::check_rules;
use crate::{Countersign, token_hash};
use countersign_model::logon::LogonState;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::LoginProfile;
use countersign_model::token::Token;
use countersign_store::logons::LogonInFull;
use countersign_store::{Tx, login_profiles, principals};
use secrecy::{ExposeSecret as _, SecretString};

impl Countersign {
    /// Sets the password that the logon's principal has chosen.
    pub async fn logon_with_new_password(
        &self,
        token: &Token,
        chosen: SecretString,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        self.check_clock()?;
        let (this, hash, origin) = (self.clone(), token_hash(token), origin.clone());
        let looking = this.clone();
        let look = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            looking.logon_in(tx, &hash, LogonState::ChoosePassword).await
        };
        let found = self.inner.store.read(look).await?;
        let new_hash = self.hash_chosen_password(&found, &chosen).await;
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            let found = this.hold_logon_in(tx, &hash, LogonState::ChoosePassword).await?;
            let result = match &new_hash {
                Ok(new_hash) => this.take_chosen_password(tx, &hash, &found, new_hash, &origin).await,
                Err(error) => Err(error.clone()),
            };
            this.settle_step(tx, &found.logon, &origin, result).await
        };
        self.inner.store.write(unit).await
    }

    async fn hash_chosen_password(&self, found: &LogonInFull, chosen: &SecretString) -> Result<SecretString, Error> {
        let subject = found.subject.as_ref().ok_or(Refusal::LogonOver)?;
        check_rules(chosen, &subject.name)?;
        let old = subject.profile.as_ref().and_then(|profile| profile.password_hash.as_ref());
        let old = old.map(|hash| hash.expose_secret().to_owned());
        if let Verdict::Right { .. } = self.inner.hasher.verify(chosen, old).await? {
            return Err(Refusal::PasswordUnchanged.into());
        }
        self.hash_password(chosen).await.map(SecretString::from)
    }

    async fn take_chosen_password(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        found: &LogonInFull,
        new_hash: &SecretString,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        let now = self.now();
        guard_subject(tx, &found.logon).await?;
        let mut subject = found.subject.clone().ok_or(Refusal::LogonOver)?;
        let profile = subject.profile.take().ok_or(Refusal::LogonOver)?;
        let profile = LoginProfile {
            password_hash: Some(new_hash.clone()),
            password_changed_at: Some(now),
            password_reset_required: false,
            ..profile
        };
        let (account, principal) = (&found.logon.account_id, &found.logon.principal_id);
        login_profiles::put(tx, account, principal, &profile).await?;
        subject.profile = Some(profile);
        let mut after = found.logon.clone();
        after.facts.password_chosen = true;
        after.principal_epoch = principals::bump_epoch(tx, account, principal, now).await?.ok_or(Refusal::LogonOver)?;
        self.write_change_at_logon(tx, &found.logon, origin, Action::ChangeOwnPassword.code()).await?;
        let kind = NoticeKind::PasswordChanged;
        self.notify(tx, Notice { account, principal, kind, origin }).await?;
        self.advance(tx, Advance { hash, before: &found.logon, after, subject: &subject, origin, now }).await
    }
}
