//! The step *second factor* for somebody who has lost his device: a recovery code, and then a new device in its place.

use super::{Advance, LogonStep};
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::notices::Notice;
use crate::{Countersign, token_hash};
use countersign_model::logon::{LogonState, Method};
use countersign_model::notice::NoticeKind;
use countersign_model::token::Token;
use countersign_store::Tx;
use countersign_store::logons::LogonInFull;

impl Countersign {
    /// Judges a recovery code in the place of the bound device. What follows is binding a new device.
    pub async fn logon_with_recovery_code(
        &self,
        token: &Token,
        typed: String,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        self.check_clock()?;
        let (this, hash, origin) = (self.clone(), token_hash(token), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            let found = this.logon_in(tx, &hash, LogonState::SecondFactor).await?;
            let result = this.take_recovery_code(tx, &hash, &found, &typed, &origin).await;
            this.settle_step(tx, &found.logon, &origin, result).await
        };
        self.inner.store.write(unit).await
    }

    async fn take_recovery_code(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        found: &LogonInFull,
        typed: &str,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        let (logon, now) = (&found.logon, self.now());
        let subject = found.subject.as_ref().ok_or(Refusal::LogonOver)?;
        let (account, principal) = (&logon.account_id, &logon.principal_id);
        self.spend_recovery_code(tx, (account, principal), typed, origin, now).await?;
        self.write_change_at_logon(tx, logon, origin, "UseRecoveryCode").await?;
        self.notify(tx, Notice { account, principal, kind: NoticeKind::RecoveryCodeUsed, origin }).await?;
        let mut after = logon.clone();
        after.facts.second_factor = Some((Method::RecoveryCode, now));
        self.advance(tx, Advance { hash, before: logon, after, subject, origin, now }).await
    }
}
