//! A logon without a password. A passkey that has verified its user tells who he is and is both factors; what else the
//! logon asks for is decided by `next`, as after a password.

use super::passkey_challenge::{Asked, browser_of};
use super::{Advance, LogonStep};
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::webauthn::{Assertion, Awaited, KeyTry, Read, TryStanding, over};
use crate::{Countersign, token_hash};
use countersign_model::ids::LogonId;
use countersign_model::logon::{LOGON_LIFETIME, Logon, LogonFacts, LogonState, Method};
use countersign_model::principal::PrincipalKind;
use countersign_model::token::Token;
use countersign_model::webauthn::WebAuthnCredential;
use countersign_store::logons::LogonInFull;
use countersign_store::{Tx, accounts, audit, logons, principals, webauthn_ceremonies};

/// A logon that its passkey has begun, and the secret that it goes on under.
struct Begun {
    hash: [u8; 32],
    found: LogonInFull,
}

impl Countersign {
    /// Judges a passkey in the place of name, password and second factor.
    pub async fn logon_with_passkey(
        &self,
        token: &Token,
        response: String,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        self.check_clock()?;
        let asked = self.asked_of(token, &response);
        let awaited = Awaited::PasskeyLogon { was_asked: asked.is_some() };
        let answer = self.read_assertion(awaited, &response).await?;
        let (this, browser, origin) = (self.clone(), browser_of(token), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            let known = match find_passkey(tx, (&browser, asked), &answer).await {
                Ok(known) => known,
                Err(error) => {
                    // Nobody is known yet to whose log it could belong.
                    if let Error::Refused { refusal, .. } = &error {
                        audit::count_refusal(tx, this.now(), &origin.address, refusal.code()).await?;
                    }
                    return Err(error);
                }
            };
            let begun = this.begin_logon_of(tx, known).await?;
            let result = this.take_passkey(tx, &begun, &answer, &origin).await;
            if result.is_err() {
                logons::consume(tx, &begun.hash).await?;
            }
            this.settle_step(tx, &begun.found.logon, &origin, result).await
        };
        self.inner.store.write(unit).await
    }

    /// A logon of the principal of a credential.
    async fn begin_logon_of(&self, tx: &mut Tx<'_>, key: &WebAuthnCredential) -> Result<Begun, Error> {
        let (account, principal) = (&key.account_id, &key.principal_id);
        let who = principals::find(tx, account, principal).await?.ok_or(Refusal::KeyUnknown)?;
        let house = accounts::find(tx, account).await?.ok_or(Refusal::KeyUnknown)?;
        let logon = Logon {
            id: LogonId::generate(&*self.inner.entropy),
            account_id: account.clone(),
            principal_id: principal.clone(),
            kind: who.kind,
            name: match who.kind {
                PrincipalKind::Owner => who.name.clone(),
                PrincipalKind::RamUser => format!("{}@{}", who.name, house.alias),
            },
            state: LogonState::Password,
            facts: LogonFacts::default(),
            principal_epoch: who.epoch,
            account_epoch: house.epoch,
            expires_at: self.now().plus(LOGON_LIFETIME),
        };
        let hash = token_hash(&self.new_token());
        logons::insert(tx, &hash, &logon).await?;
        let found = logons::find(tx, &hash).await?;
        let found = found.ok_or_else(|| Error::Fault("a logon that was just begun has gone".to_owned()))?;
        Ok(Begun { hash, found })
    }

    async fn take_passkey(
        &self,
        tx: &mut Tx<'_>,
        Begun { hash, found }: &Begun,
        answer: &Read<Assertion>,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        let (now, logon) = (self.now(), &found.logon);
        let subject = found.subject.as_ref().ok_or(Refusal::LogonOver)?;
        let answer = answer.as_ref().map_err(|invalid| Error::because(Refusal::WrongCredentials, invalid.code()))?;
        if !answer.verified.names((&logon.account_id, &logon.principal_id)) {
            return Err(Error::because(Refusal::WrongCredentials, "wrong_user_handle"));
        }
        let asked = KeyTry {
            account: &logon.account_id,
            principal: &logon.principal_id,
            name: &subject.name,
            policy: &subject.settings.attestation,
            standing: TryStanding::Stranger,
            now,
        };
        self.spend_assertion(tx, &answer.verified, &asked, origin).await.map_err(of_logon)?;
        let mut after = logon.clone();
        after.facts.passkey_at = Some(now);
        after.facts.second_factor = Some((Method::Passkey, now));
        self.look_around(tx, (&mut after, subject), false, origin, now).await?;
        self.advance(tx, Advance { hash, before: logon, after, subject, origin, now }).await
    }
}

/// Finds the credential that answers a challenge, and uses the challenge up, whether it signs well or not. What names no
/// credential that is known is refused without a row.
async fn find_passkey<'a>(
    tx: &mut Tx<'_>,
    (browser, asked): (&str, Option<Asked>),
    answer: &'a Read<Assertion>,
) -> Result<&'a WebAuthnCredential, Error> {
    let answer = answer.as_ref().map_err(|invalid| Error::because(Refusal::WrongCredentials, invalid.code()))?;
    let asked = asked.ok_or_else(|| over("ceremony_unknown"))?;
    let (key, _) = answer.verified.key.as_ref().ok_or(Refusal::KeyUnknown)?;
    let is_first = asked.is_remembered(tx).await?
        && webauthn_ceremonies::use_up(tx, &answer.challenge_hash, browser, asked.expires_at()).await?;
    if is_first { Ok(key) } else { Err(over("ceremony_unknown")) }
}

/// Where a password would be wrong, so is a passkey.
fn of_logon(error: Error) -> Error {
    if let Error::Refused { refusal: Refusal::WrongCode, reason } = error {
        return Error::because(Refusal::WrongCredentials, reason);
    }
    error
}
