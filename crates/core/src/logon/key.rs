//! The step *second factor* by a security key or passkey, beside the code of a virtual MFA device.

use super::places::may_remember;
use super::{Advance, LogonStep};
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::webauthn::{Assertion, Awaited, KeyTry, Prompt, Read, TryStanding, over, verification_for, wrong};
use crate::{Countersign, token_hash};
use countersign_model::logon::LogonState;
use countersign_model::token::Token;
use countersign_model::webauthn::{CEREMONY_LIFETIME, CeremonyPurpose};
use countersign_store::logons::LogonInFull;
use countersign_store::webauthn_ceremonies::Ceremony;
use countersign_store::{Tx, webauthn_ceremonies};

/// What a browser answered to show a key.
#[derive(Debug, Clone)]
pub struct TypedKey {
    /// The JSON that `PublicKeyCredential.toJSON()` gave.
    pub response: String,
    /// Whether the machine is to be remembered for seven days. Where the account does not allow it, it is not.
    pub remember: bool,
}

impl Countersign {
    /// Asks the browser of a logon for one of the keys of its principal.
    pub async fn begin_logon_key(&self, token: &Token) -> Result<Prompt, Error> {
        self.check_clock()?;
        let (this, hash) = (self.clone(), token_hash(token));
        let unit = async move |tx: &mut Tx<'_>| -> Result<Prompt, Error> {
            let LogonInFull { logon, subject, .. } = this.logon_in(tx, &hash, LogonState::SecondFactor).await?;
            let policy = subject.ok_or(Refusal::LogonOver)?.settings.attestation.clone();
            let keys = this.keys_to_ask_for(tx, (&logon.account_id, &logon.principal_id), &policy).await?;
            let expires_at = this.now().plus(CEREMONY_LIFETIME);
            let subject = Some((logon.account_id, logon.principal_id));
            let ceremony = Ceremony { purpose: CeremonyPurpose::SecondFactor, subject, replaces: false, expires_at };
            let challenge = this.begin_ceremony(tx, logon.id.as_str(), &ceremony).await?;
            Ok(this.request(&challenge, &keys, verification_for(&keys), expires_at))
        };
        self.inner.store.write(unit).await
    }

    /// Judges a key that was bound to the logon's principal.
    pub async fn logon_with_key(&self, token: &Token, typed: TypedKey, origin: &Origin) -> Result<LogonStep, Error> {
        self.check_clock()?;
        let (this, hash, origin) = (self.clone(), token_hash(token), origin.clone());
        let answer = self.read_assertion(Awaited::SecondFactor(hash), &typed.response).await?;
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            let found = this.logon_in(tx, &hash, LogonState::SecondFactor).await?;
            let result = this.take_key(tx, &hash, &found, (&answer, typed.remember), &origin).await;
            this.settle_step(tx, &found.logon, &origin, result).await
        };
        self.inner.store.write(unit).await
    }

    async fn take_key(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        found: &LogonInFull,
        (answer, remember): (&Read<Assertion>, bool),
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        let (now, logon) = (self.now(), &found.logon);
        let subject = found.subject.as_ref().ok_or(Refusal::LogonOver)?;
        let answer = answer.as_ref().map_err(|invalid| wrong(invalid.code()))?;
        let ceremony = webauthn_ceremonies::consume(tx, &answer.challenge_hash, logon.id.as_str(), now).await?;
        if ceremony.is_none_or(|ceremony| ceremony.purpose != CeremonyPurpose::SecondFactor) {
            return Err(over("ceremony_unknown"));
        }
        let asked = KeyTry {
            account: &logon.account_id,
            principal: &logon.principal_id,
            name: &subject.name,
            policy: &subject.settings.attestation,
            standing: TryStanding::Known,
            now,
        };
        let method = self.spend_assertion(tx, &answer.verified, &asked, origin).await?;
        let mut after = logon.clone();
        after.facts.second_factor = Some((method, now));
        after.facts.remember = remember && may_remember(after.kind, &subject.settings);
        self.advance(tx, Advance { hash, before: logon, after, subject, origin, now }).await
    }
}
