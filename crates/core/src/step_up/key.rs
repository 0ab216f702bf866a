//! A proof by a security key or passkey. Its challenge is random and lies in the proof's own row, beside the hash of the
//! operation with its arguments, the principal and the session: what is signed proves that very operation.

use super::open_proof;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::Action;
use crate::error::{Error, Refusal};
use crate::webauthn::{Awaited, KeyTry, Prompt, TryStanding, hash_of, over, verification_for, wrong};
use crate::{Countersign, token_hash};
use countersign_model::token::Token;
use countersign_store::{Tx, proofs};

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
            Ok(this.request(&challenge, &keys, verification_for(&keys), proof.expires_at))
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
            let method = this.spend_assertion(tx, &answer.verified, &asked, &from).await?;
            this.give_proof(tx, session, (&hash, action, method), admitted).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}
