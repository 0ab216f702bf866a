//! A proof by a security key or passkey. Its challenge is random and lies in the proof's own row, beside the hash of the
//! operation with its arguments, the principal and the session: what is signed proves that very operation. A passkey has to
//! verify its user, as it does when it logs on; a security key shows presence, as it does at the second factor.

use super::open_proof;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::Action;
use crate::error::{Error, Refusal};
use crate::webauthn::{Assertion, Awaited, KeyTry, Prompt, TryStanding, hash_of, over, verification_for, wrong};
use crate::{Countersign, token_hash};
use countersign_model::token::Token;
use countersign_model::webauthn::{KeyKind, WebAuthnCredential};
use countersign_store::{Tx, proofs};
use countersign_webauthn::{Invalid, Verification};

impl Countersign {
    /// Asks the actor's browser for one of his keys, to give a proof that was asked for.
    pub async fn begin_proof(&self, actor: &SessionActor, token: &Token, origin: &Origin) -> Result<Prompt, Error> {
        self.check_clock()?;
        let (this, hash) = (self.clone(), token_hash(token));
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Prompt, Error> {
            let (proof, _) = open_proof(tx, admitted, &hash).await?;
            let policy = &admitted.who.settings.attestation;
            let keys = this.keys_to_ask_for(tx, (&proof.account_id, &proof.principal_id), policy).await?;
            let challenge: [u8; 32] = this.random();
            if !proofs::challenge(tx, &hash, &hash_of(&challenge)).await? {
                return Err(Refusal::ProofOver.into());
            }
            Ok(this.request(&challenge, &keys, verification_in_proof(&keys), proof.expires_at))
        };
        self.act_unwritten(&Actor::Session(Box::new(actor.clone())), origin, work).await
    }

    /// Gives a proof by a key of the actor's. His session goes on under the token returned; the proof is then shown with
    /// [`SessionActor::with_proof`].
    pub async fn prove_with_key(
        &self,
        actor: &SessionActor,
        token: &Token,
        response: String,
        origin: &Origin,
    ) -> Result<Token, Error> {
        self.check_clock()?;
        let demand = self.proof_demand(actor, token).await?;
        let answer = self.read_assertion(Awaited::Proof(token_hash(token)), &response).await?;
        let (this, hash, from) = (self.clone(), token_hash(token), origin.clone());
        let deed = Deed::on(actor, Action::VerifyIdentity.code(), demand.action.code());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Token, Error> {
            let session = admitted.guard_oneself(tx).await?;
            if !proofs::hold(tx, &hash).await? {
                return Err(Refusal::ProofOver.into());
            }
            let (_, action) = open_proof(tx, admitted, &hash).await?;
            let answer = answer.as_ref().map_err(|invalid| wrong(invalid.code()))?;
            if !proofs::take_challenge(tx, &hash, &answer.challenge_hash).await? {
                return Err(over("challenge_of_another_proof"));
            }
            let asked = KeyTry {
                account: session.account_id(),
                principal: session.principal_id(),
                name: &session.found.name,
                policy: &session.found.settings.attestation,
                standing: TryStanding::Known,
                now: admitted.now,
            };
            check_verification(&answer.verified)?;
            let method = this.spend_assertion(tx, &answer.verified, &asked, &from).await?;
            this.give_proof(tx, session, (&hash, action, method), admitted).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}

/// How the user shall be verified where any of these keys will do. A security key proves that somebody touches it; a passkey
/// proves who, and where there is nothing else the browser is told that it must. An old security key could not do what must
/// be: beside one the browser is told to try.
fn verification_in_proof(keys: &[WebAuthnCredential]) -> Verification {
    let only_passkeys = keys.iter().all(|key| key.kind == KeyKind::Passkey);
    if only_passkeys { Verification::Required } else { verification_for(keys) }
}

/// Refuses a passkey that signs well and has not verified its user.
fn check_verification(assertion: &Assertion) -> Result<(), Error> {
    match &assertion.key {
        Some((key, Ok(asserted))) if key.kind == KeyKind::Passkey && !asserted.user_verified => {
            Err(wrong(Invalid::UserVerification.code()))
        }
        Some(_) | None => Ok(()),
    }
}
