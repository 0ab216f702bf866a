//! Sensitive operations ask for a fresh proof of who is there.
//!
//! A use-case that is called without a proof answers [`Error::ProofRequired`]. The door asks the person, calls
//! [`Countersign::prove`] or [`Countersign::prove_with_key`], and then calls the use-case again with
//! [`SessionActor::with_proof`]. A proof is for one operation with its arguments, of one principal in one session; it lives
//! five minutes and is used up by the change that it allows. It raises nothing else. Where the account asks once in 15
//! minutes only, it also opens that window for its session.

mod key;

use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::Action;
use crate::error::{Error, Refusal};
use crate::keyring::Place;
use crate::{Countersign, token_hash};
use countersign_model::logon::Method;
use countersign_model::settings::Strength;
use countersign_model::token::Token;
use countersign_model::webauthn::Factors;
use countersign_store::proofs::Proof;
use countersign_store::{Tx, factors, proofs, sessions, virtual_mfa};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a proof may take to be given and used.
pub const PROOF_LIFETIME: Duration = Duration::from_mins(5);
/// For how long a proof serves in its session where the account asks once in a while.
pub const PROOF_WINDOW: Duration = Duration::from_mins(15);
/// How many proofs a session may have been asked for and not used.
const PROOFS_PER_SESSION: i64 = 20;

/// What a person may prove himself by: any factor that he has bound, or his password where he has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// A code of his virtual MFA device.
    pub code: bool,
    /// A security key or passkey of his.
    pub key: bool,
    /// His password, because he has no second factor.
    pub password: bool,
}

impl Ways {
    const fn of(factors: Factors) -> Self {
        Self { code: factors.code, key: factors.keys(), password: !factors.any() }
    }
}

/// A proof that is asked for.
#[derive(Debug, Clone)]
pub struct ProofDemand {
    /// Under what it is given and used.
    pub token: Token,
    /// What for.
    pub action: Action,
    /// By what.
    pub ways: Ways,
}

/// A sensitive operation with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Sensitive {
    action: Action,
    arguments: Zeroizing<Vec<u8>>,
}

impl Sensitive {
    pub(crate) fn new(action: Action, target: &str, arguments: &[&str]) -> Self {
        let mut encoded = Zeroizing::new(Vec::new());
        for part in [action.name(), target].iter().chain(arguments) {
            encoded.extend(part.len().to_be_bytes());
            encoded.extend(part.as_bytes());
        }
        Self { action, arguments: encoded }
    }
}

/// A proof that allows the change which is under way, or none because none is asked for.
#[must_use]
pub(crate) struct HeldProof(Option<[u8; 32]>);

impl HeldProof {
    /// Uses the proof up with the change.
    pub(crate) async fn consume(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        match self.0 {
            Some(hash) if !proofs::consume(tx, &hash).await? => Err(Error::Fault("a held proof has gone".to_owned())),
            Some(_) | None => Ok(()),
        }
    }
}

impl Countersign {
    /// Whether the actor would be asked for a proof, and by what. For pages that ask in their own form.
    pub async fn proof_asked(&self, actor: &SessionActor, action: Action) -> Result<Option<Ways>, Error> {
        let this = self.clone();
        let deed = Deed::own(actor, action.code());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Option<Ways>, Error> {
            this.ways_to_prove(tx, admitted, action).await
        };
        self.look(&Actor::Session(Box::new(actor.clone())), &Origin::default(), deed, work).await
    }

    /// What a proof that was asked for is about.
    pub async fn proof_demand(&self, actor: &SessionActor, token: &Token) -> Result<ProofDemand, Error> {
        let (hash, token) = (token_hash(token), token.clone());
        let deed = Deed::own(actor, Action::VerifyIdentity.code());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<ProofDemand, Error> {
            let (proof, action) = open_proof(tx, admitted, &hash).await?;
            if proof.method.is_some() {
                return Err(Refusal::ProofOver.into());
            }
            let ways = ways_of(tx, admitted).await?;
            Ok(ProofDemand { token: token.clone(), action, ways })
        };
        self.look(&Actor::Session(Box::new(actor.clone())), &Origin::default(), deed, work).await
    }

    /// Gives a proof: a code of the actor's device, or his password if he has no second factor. His session goes on under the token
    /// returned; the proof is then shown with [`SessionActor::with_proof`].
    pub async fn prove(
        &self,
        actor: &SessionActor,
        token: &Token,
        answer: SecretString,
        origin: &Origin,
    ) -> Result<Token, Error> {
        self.check_clock()?;
        let demand = self.proof_demand(actor, token).await?;
        if demand.ways.password {
            self.prove_by_password(actor, &answer, Action::VerifyIdentity, origin).await?;
        }
        let (this, hash, from) = (self.clone(), token_hash(token), origin.clone());
        let deed = Deed::on(actor, Action::VerifyIdentity.code(), demand.action.code());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Token, Error> {
            let session = admitted.guard_oneself(tx).await?;
            if !proofs::hold(tx, &hash).await? {
                return Err(Refusal::ProofOver.into());
            }
            let (_, action) = open_proof(tx, admitted, &hash).await?;
            let device = virtual_mfa::find_bound(tx, session.account_id(), session.principal_id()).await?;
            let ways = ways_of(tx, admitted).await?;
            let method = match &device {
                // A factor was bound or unbound since the proof was asked for.
                _ if ways != demand.ways => return Err(Refusal::ProofOver.into()),
                Some(device) => {
                    this.spend_code(tx, device, answer.expose_secret(), &from, admitted.now).await?;
                    Method::VirtualMfa
                }
                None if ways.password => Method::Password,
                // Neither a code nor a password takes the place of a key.
                None => return Err(Error::because(Refusal::WrongCode, "proof_by_another_way")),
            };
            this.give_proof(tx, session, (&hash, action, method), admitted).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Notes that a proof was given, and lets the session go on under a new secret. The proof's row is held.
    async fn give_proof(
        &self,
        tx: &mut Tx<'_>,
        session: &SessionActor,
        (hash, action, method): (&[u8; 32], Action, Method),
        admitted: &Admitted,
    ) -> Result<Token, Error> {
        if !proofs::give(tx, hash, method).await? {
            return Err(Refusal::ProofOver.into());
        }
        let strength = action.sensitive().map(|kind| session.found.settings.strengths.of(kind));
        if strength == Some(Strength::OnceIn15Minutes) {
            proofs::open_window(tx, &session.found.session.id, admitted.now.plus(PROOF_WINDOW)).await?;
        }
        let token = self.new_token();
        let epoch = session.found.session.principal_epoch;
        if sessions::renew(tx, &session.token_hash, &token_hash(&token), epoch).await? {
            return Ok(token);
        }
        Err(Error::Unavailable("the session ended at this very moment".to_owned()))
    }

    /// Takes the proof that allows an operation, until the unit ends; or asks for one.
    pub(crate) async fn hold_proof(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        sensitive: Option<&Sensitive>,
    ) -> Result<HeldProof, Error> {
        let (Some(sensitive), Some(session)) = (sensitive, &admitted.session) else { return Ok(HeldProof(None)) };
        // Whoever may not do it is not asked to prove who he is.
        admitted.may_at_all(sensitive.action)?;
        let Some(ways) = self.ways_to_prove(tx, admitted, sensitive.action).await? else { return Ok(HeldProof(None)) };
        let asked = Proof {
            account_id: session.account_id().clone(),
            principal_id: session.principal_id().clone(),
            session_id: session.found.session.id.clone(),
            operation: sensitive.action.name().to_owned(),
            arguments: self.inner.keys.ring().keyed_hash("arguments of an operation", &sensitive.arguments),
            method: None,
            expires_at: admitted.now.plus(PROOF_LIFETIME),
        };
        if let Some(token) = &session.proof {
            let hash = token_hash(token);
            if proofs::hold(tx, &hash).await?
                && let Some(given) = proofs::find(tx, &hash).await?
                && allows(&given, &asked, admitted)
            {
                return Ok(HeldProof(Some(hash)));
            }
        }
        let token = self.new_token();
        proofs::ask(tx, &token_hash(&token), &asked).await?;
        proofs::trim(tx, &asked.session_id, PROOFS_PER_SESSION).await?;
        Err(Error::ProofRequired(Box::new(ProofDemand { token, action: sensitive.action, ways })))
    }

    /// By what an operation wants to be proved at present; nothing when it does not.
    async fn ways_to_prove(&self, tx: &mut Tx<'_>, admitted: &Admitted, action: Action) -> Result<Option<Ways>, Error> {
        let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
        let Some(kind) = action.sensitive() else { return Ok(None) };
        let strength = session.found.settings.strengths.of(kind);
        let strength = if asks_always(action) { Strength::Always } else { strength };
        if strength == Strength::Off {
            return Ok(None);
        }
        let ways = ways_of(tx, admitted).await?;
        if strength == Strength::OnceIn15Minutes && has_proved_lately(tx, admitted, session, ways).await? {
            return Ok(None);
        }
        // Whoever changes his password types the old one into the same form.
        let in_form = action == Action::ChangeOwnPassword && ways.password;
        Ok((!in_form).then_some(ways))
    }

    /// Seals a form that waits for a proof, so that what was typed can lie in a page.
    pub fn seal_form(&self, actor: &SessionActor, path: &str, form: &[u8]) -> Result<String, Error> {
        let sealed = self.inner.keys.seal(&form_place(actor, path), form, self.random());
        let sealed = sealed.map_err(|error| Error::Fault(error.to_string()))?;
        Ok(data_encoding::BASE64URL_NOPAD.encode(&sealed.0))
    }

    /// Opens a form that [`Self::seal_form`] sealed in this session for this path; nothing if it is another one.
    #[must_use]
    pub fn open_form(&self, actor: &SessionActor, path: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = data_encoding::BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        self.inner.keys.open(&form_place(actor, path), &sealed).ok()
    }
}

/// Whether an operation wants a proof whatever the account says: what adds a factor, takes its place or takes it away. A factor
/// proves from the moment in which it is bound; whoever found a session open could otherwise bind one of his own first, and
/// prove everything else by it.
const fn asks_always(action: Action) -> bool {
    matches!(
        action,
        Action::BindOwnMfa
            | Action::BindOwnPasskey
            | Action::ReplaceOwnMfa
            | Action::MakeOwnRecoveryCodes
            | Action::UnbindOwnKey
    )
}

fn form_place<'a>(actor: &'a SessionActor, path: &'a str) -> Place<'a> {
    Place {
        table: "form",
        column: path,
        account_id: actor.account_id().as_str(),
        principal_id: actor.principal_id().as_str(),
        row_id: actor.found.session.id.as_str(),
    }
}

/// Whether a proof was given for this very operation, and in time.
fn allows(given: &Proof, asked: &Proof, admitted: &Admitted) -> bool {
    given.method.is_some()
        && given.account_id == asked.account_id
        && given.principal_id == asked.principal_id
        && given.session_id == asked.session_id
        && given.operation == asked.operation
        && given.arguments == asked.arguments
        && admitted.now < given.expires_at
}

/// The proof asked for under a secret, if it is the actor's in this session, and the action that it is for.
async fn open_proof(tx: &mut Tx<'_>, admitted: &Admitted, hash: &[u8; 32]) -> Result<(Proof, Action), Error> {
    let session = admitted.session.as_ref().ok_or(Refusal::NotLoggedOn)?;
    let proof = proofs::find(tx, hash).await?.ok_or(Refusal::ProofOver)?;
    let own = &proof.principal_id == session.principal_id()
        && &proof.account_id == session.account_id()
        && proof.session_id == session.found.session.id;
    let action = Action::named(&proof.operation);
    match action {
        Some(action) if own && admitted.now < proof.expires_at => Ok((proof, action)),
        Some(_) | None => Err(Refusal::ProofOver.into()),
    }
}

/// A principal with second factors proves himself by any of them, everybody else by his password.
async fn ways_of(tx: &mut Tx<'_>, admitted: &Admitted) -> Result<Ways, Error> {
    let (account, principal) = admitted.oneself()?;
    Ok(Ways::of(factors::of(tx, account, principal).await?))
}

/// Whether a session has proved itself within the last 15 minutes: by a proof, or by the logon that opened it. A logon by a
/// remembered machine or a recovery code does not count.
async fn has_proved_lately(
    tx: &mut Tx<'_>,
    admitted: &Admitted,
    session: &SessionActor,
    ways: Ways,
) -> Result<bool, Error> {
    let opened = &session.found.session;
    let proves = |method: &Method| if ways.password { *method == Method::Password } else { method.is_bound_factor() };
    if opened.methods.iter().any(proves) && admitted.now.since(opened.created_at) < PROOF_WINDOW {
        return Ok(true);
    }
    Ok(proofs::window(tx, &opened.id).await?.is_some_and(|end| admitted.now < end))
}
