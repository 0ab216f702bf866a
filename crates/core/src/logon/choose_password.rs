//! The step *choose password*: a new one in place of one that somebody else gave, or that is due.

use super::{Advance, LogonStep, guard_subject};
use crate::actor::Origin;
use crate::authorise::Action;
use crate::error::{Error, Refusal};
use crate::notices::Notice;
use crate::passwords::{Chooser, ChosenPassword, policy_for};
use crate::{Countersign, token_hash};
use countersign_model::logon::LogonState;
use countersign_model::notice::NoticeKind;
use countersign_model::token::Token;
use countersign_store::logons::LogonInFull;
use countersign_store::{Tx, principals};
use secrecy::SecretString;

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
        let judged = self.judge_chosen_password(&found, &chosen).await;
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            let found = this.hold_logon_in(tx, &hash, LogonState::ChoosePassword).await?;
            let result = match &judged {
                Ok(chosen) => this.take_chosen_password(tx, &hash, &found, chosen, &origin).await,
                Err(error) => Err(error.clone()),
            };
            this.settle_step(tx, &found.logon, &origin, result).await
        };
        self.inner.store.write(unit).await
    }

    async fn judge_chosen_password(&self, found: &LogonInFull, chosen: &SecretString) -> Result<ChosenPassword, Error> {
        let (logon, subject) = (&found.logon, found.subject.as_ref().ok_or(Refusal::LogonOver)?);
        let chooser = Chooser {
            account: &logon.account_id,
            principal: &logon.principal_id,
            name: &subject.name,
            policy: policy_for(logon.kind, &subject.settings),
        };
        self.choose_password(chooser, chosen).await
    }

    async fn take_chosen_password(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        found: &LogonInFull,
        chosen: &ChosenPassword,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        let now = self.now();
        guard_subject(tx, &found.logon).await?;
        let mut subject = found.subject.clone().ok_or(Refusal::LogonOver)?;
        let profile = subject.profile.take().ok_or(Refusal::LogonOver)?;
        let (account, principal) = (&found.logon.account_id, &found.logon.principal_id);
        subject.profile = Some(chosen.write(tx, (account, principal), profile, now).await?);
        let mut after = found.logon.clone();
        after.facts.password_chosen = true;
        after.principal_epoch = principals::bump_epoch(tx, account, principal, now).await?.ok_or(Refusal::LogonOver)?;
        self.write_change_at_logon(tx, &found.logon, origin, Action::ChangeOwnPassword.code()).await?;
        let kind = NoticeKind::PasswordChanged;
        self.notify(tx, Notice { account, principal, kind, origin }).await?;
        self.advance(tx, Advance { hash, before: &found.logon, after, subject: &subject, origin, now }).await
    }
}
