//! The step *second factor*: one unit of work books the try, judges the code, spends it, and goes on.

use super::places::may_remember;
use super::{Advance, LogonStep};
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::notices::Notice;
use crate::{Countersign, token_hash};
use countersign_model::logon::{Logon, LogonState, Method};
use countersign_model::notice::NoticeKind;
use countersign_model::token::Token;
use countersign_store::Tx;
use countersign_store::logons::LogonInFull;

/// What a person typed to show his device.
#[derive(Debug, Clone)]
pub struct TypedFactor {
    /// The code.
    pub code: String,
    /// Whether the machine is to be remembered for seven days. Where the account does not allow it, it is not.
    pub remember: bool,
}

impl From<String> for TypedFactor {
    fn from(code: String) -> Self {
        Self { code, remember: false }
    }
}

impl Countersign {
    /// Judges a code of the bound virtual MFA device.
    pub async fn logon_with_code(
        &self,
        token: &Token,
        typed: impl Into<TypedFactor> + Send,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        self.check_clock()?;
        let (this, hash, typed, origin) = (self.clone(), token_hash(token), typed.into(), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            let found = this.logon_in(tx, &hash, LogonState::SecondFactor).await?;
            let result = this.take_code(tx, &hash, &found, &typed, &origin).await;
            this.settle_step(tx, &found.logon, &origin, result).await
        };
        self.inner.store.write(unit).await
    }

    async fn take_code(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        found: &LogonInFull,
        typed: &TypedFactor,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        let now = self.now();
        let subject = found.subject.as_ref().ok_or(Refusal::LogonOver)?;
        let device = subject.device.as_ref().ok_or(Refusal::LogonOver)?;
        if let Err(error) = self.spend_code(tx, device, &typed.code, origin, now).await {
            self.tell_of_replay(tx, &found.logon, &error, origin).await?;
            return Err(error);
        }
        let mut after = found.logon.clone();
        after.facts.second_factor = Some((Method::VirtualMfa, now));
        after.facts.remember = typed.remember && may_remember(after.kind, &subject.settings);
        self.advance(tx, Advance { hash, before: &found.logon, after, subject, origin, now }).await
    }

    /// Tells the principal when the code was right once and is used up: somebody may have seen it.
    async fn tell_of_replay(
        &self,
        tx: &mut Tx<'_>,
        logon: &Logon,
        error: &Error,
        origin: &Origin,
    ) -> Result<(), Error> {
        let Error::Refused { reason: "otp_replay", .. } = error else { return Ok(()) };
        let (account, principal, kind) = (&logon.account_id, &logon.principal_id, NoticeKind::CodeReplayed);
        self.notify(tx, Notice { account, principal, kind, origin }).await
    }
}
