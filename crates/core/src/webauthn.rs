//! Security keys and passkeys: binding them, and judging what they sign.
//!
//! Each ceremony begins with a challenge that is kept for one purpose and whoever asked: a logon or a session. That of a
//! logon by passkey the browser keeps: see `logon::passkey_challenge`. Its answer is taken apart and verified by the crate
//! `webauthn` outside any transaction; one unit of work then uses the challenge up, whether the answer is right or wrong,
//! and decides. A challenge is answered once and within five minutes.

mod assertion;
mod binding;
mod managing;
mod products;
mod registration;
mod usable;

pub use managing::Removed;
pub use products::{product_name, products};

pub(crate) use assertion::{Assertion, Awaited, KeyTry, TryStanding, wrong};
pub use registration::has_one_type;
pub(crate) use usable::{Leaving, Left, Terms, has_factor_left};

use crate::Countersign;
use crate::error::{Error, Refusal};
use countersign_model::Timestamp;
use countersign_model::budget::Budget;
use countersign_model::ids::{AccountId, KeyId, PrincipalId};
use countersign_model::logon::Method;
use countersign_model::settings::AttestationPolicy;
use countersign_model::webauthn::{Aaguid, CEREMONY_LIFETIME, KeyHold, KeyKind, Roots, Trust, WebAuthnCredential};
use countersign_store::webauthn_ceremonies::Ceremony;
use countersign_store::{Tx, accounts, webauthn_ceremonies, webauthn_credentials};
use countersign_webauthn::{Allowed, Invalid, Request, Verification, request_options};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

pub use countersign_webauthn::{LONGEST_RESPONSE, NoRoot, RelyingParty};

/// How many challenges one logon or session may have waiting.
const CEREMONIES_AT_ONCE: i64 = 20;

/// What a browser is asked.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The JSON that `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` takes.
    pub options: String,
    /// After this the answer comes too late.
    pub expires_at: Timestamp,
}

/// What a browser answered to a request to make a credential.
#[derive(Debug, Clone, Default)]
pub struct KeyAnswer {
    /// How the key shall be called; empty for the name of its product.
    pub name: String,
    /// The JSON that `PublicKeyCredential.toJSON()` gave.
    pub response: String,
}

/// What becomes of a virtual MFA device where only one type of device is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OtherType {
    /// It stays, and a security key is refused.
    #[default]
    Keep,
    /// The security key takes its place.
    Replace,
}

/// A security key or passkey as pages show it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct KeyView {
    /// Its id, as addresses of pages name it.
    pub id: KeyId,
    /// What it is for.
    pub kind: KeyKind,
    /// Its name.
    pub name: String,
    /// The product that its authenticator says to be.
    pub product: Option<&'static str>,
    /// The same as a number.
    pub aaguid: Aaguid,
    /// Whether it may leave its device.
    pub may_sync: bool,
    /// Whether it has.
    pub is_synced: bool,
    /// Whether the user was verified at registration.
    pub user_verified: bool,
    /// How its authenticator is reached, as the browser said.
    pub transports: Vec<String>,
    /// The format of the attestation.
    pub attestation_format: String,
    /// How far that was verified.
    pub trust: Trust,
    /// When it was bound.
    pub created_at: Timestamp,
    /// When it last passed.
    pub last_used_at: Option<Timestamp>,
    /// Whether the account's policy allows it at present.
    pub is_allowed: bool,
    /// Why it is held back, if it is.
    pub held: Option<KeyHold>,
    /// Whether it can be used at present: allowed, of this installation, and not disowned.
    pub is_usable: bool,
    /// Tries of it.
    pub budget: Budget,
    /// The credential id in base64url, for the browser.
    pub credential_id: String,
}

/// The account and the principal of a row.
pub(crate) type Whose<'a> = (&'a AccountId, &'a PrincipalId);

impl Countersign {
    /// The relying party that security keys and passkeys are registered with.
    #[must_use]
    pub fn relying_party(&self) -> &RelyingParty {
        &self.inner.identity.relying_party
    }

    /// The relying parties that credentials are kept of and that are not this one, with how many. Those credentials answer
    /// no request of this installation.
    pub async fn stranded_keys(&self) -> Result<Vec<(String, i64)>, Error> {
        let id = self.relying_party().id().to_owned();
        let unit =
            async move |tx: &mut Tx<'_>| -> Result<_, Error> { Ok(webauthn_credentials::of_others(tx, &id).await?) };
        self.inner.store.read(unit).await
    }

    /// How many keys the lists of allowed models refuse only because roots of trust of makers are known here: they were bound
    /// before.
    pub async fn unrooted_keys(&self) -> Result<i64, Error> {
        match self.roots() {
            Roots::Known => self.inner.store.read(async move |tx: &mut Tx<'_>| count_unrooted(tx).await).await,
            Roots::Unknown => Ok(0),
        }
    }

    /// Whether roots of trust of makers are known here.
    pub(crate) fn roots(&self) -> Roots {
        if self.relying_party().has_roots() { Roots::Known } else { Roots::Unknown }
    }

    /// The keys of a principal as pages show them, the oldest first.
    pub(crate) async fn key_views(
        &self,
        tx: &mut Tx<'_>,
        whose: Whose<'_>,
        policy: &AttestationPolicy,
    ) -> Result<Vec<KeyView>, Error> {
        let mut views = Vec::new();
        for key in webauthn_credentials::list(tx, whose.0, whose.1).await? {
            let budget = countersign_store::budgets::find(tx, assertion::counted(&key)).await?;
            views.push(KeyView::of(key, self.terms(policy), budget));
        }
        Ok(views)
    }

    /// Begins a ceremony: its challenge, which is kept as a hash only.
    pub(crate) async fn begin_ceremony(
        &self,
        tx: &mut Tx<'_>,
        started_by: &str,
        ceremony: &Ceremony,
    ) -> Result<[u8; 32], Error> {
        let challenge: [u8; 32] = self.random();
        webauthn_ceremonies::begin(tx, &hash_of(&challenge), started_by, ceremony).await?;
        webauthn_ceremonies::trim(tx, started_by, CEREMONIES_AT_ONCE).await?;
        Ok(challenge)
    }

    /// Asks one of these credentials to sign a challenge.
    pub(crate) fn request(
        &self,
        challenge: &[u8],
        keys: &[WebAuthnCredential],
        verification: Verification,
        expires_at: Timestamp,
    ) -> Prompt {
        let allow: Vec<Allowed> = keys.iter().map(told_to_browser).collect();
        let options = request_options(&Request {
            rp_id: self.relying_party().id(),
            challenge,
            allow: &allow,
            verification,
            timeout: CEREMONY_LIFETIME,
        });
        Prompt { options, expires_at }
    }
}

impl KeyView {
    fn of(key: WebAuthnCredential, terms: Terms<'_>, budget: Budget) -> Self {
        Self {
            is_allowed: terms.policy.judge(key.make(), terms.roots).is_ok(),
            is_usable: terms.allow(&key),
            held: key.held,
            product: product_name(&key.aaguid),
            credential_id: BASE64URL_NOPAD.encode(&key.credential_id),
            id: key.id,
            kind: key.kind,
            name: key.name,
            aaguid: key.aaguid,
            may_sync: key.backup_eligible,
            is_synced: key.backed_up,
            user_verified: key.user_verified,
            transports: key.transports,
            attestation_format: key.attestation_format,
            trust: key.trust,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            budget,
        }
    }
}

/// How many keys of all accounts would serve if no roots of trust were known, and do not where some are.
pub(crate) async fn count_unrooted(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let mut count = 0;
    for account in accounts::list(tx, i64::MAX).await? {
        let policy = &account.settings.attestation;
        if let AttestationPolicy::Allow(_) = policy {
            let makes = webauthn_credentials::count_by_make(tx, &account.id).await?;
            let is_shut_out =
                |make| policy.judge(make, Roots::Unknown).is_ok() && policy.judge(make, Roots::Known).is_err();
            count += makes.into_iter().filter(|(make, _)| is_shut_out(*make)).map(|(_, keys)| keys).sum::<i64>();
        }
    }
    Ok(count)
}

/// What a credential of this kind proves.
pub(crate) const fn method_of(kind: KeyKind) -> Method {
    match kind {
        KeyKind::SecurityKey => Method::SecurityKey,
        KeyKind::Passkey => Method::Passkey,
    }
}

/// How the user shall be verified where any of these credentials will do: a security key need not, a passkey should.
pub(crate) fn verification_for(keys: &[WebAuthnCredential]) -> Verification {
    let has_passkey = keys.iter().any(|key| key.kind == KeyKind::Passkey);
    if has_passkey { Verification::Preferred } else { Verification::Discouraged }
}

/// By what the answer to a challenge is found again.
pub(crate) fn hash_of(challenge: &[u8]) -> [u8; 32] {
    Sha256::digest(challenge).into()
}

/// What the authenticator keeps of a user: it tells nothing about him, and is the same for all his credentials.
pub(crate) fn user_handle((account, principal): Whose<'_>) -> [u8; 32] {
    Sha256::digest(format!("user handle/{account}/{principal}")).into()
}

fn told_to_browser(key: &WebAuthnCredential) -> Allowed {
    Allowed { id: key.credential_id.clone(), transports: key.transports.clone() }
}

/// An answer that names no challenge of this installation, or one that was used, ran out, or is somebody else's.
pub(crate) const fn over(reason: &'static str) -> Error {
    Error::because(Refusal::CeremonyOver, reason)
}

/// An answer, taken apart and verified against what it claims to answer. Whether anybody asked that is still to be judged.
#[derive(Debug, Clone)]
pub(crate) struct Answer<T> {
    /// The hash of the challenge that it answers.
    pub(crate) challenge_hash: [u8; 32],
    pub(crate) verified: T,
}

/// The result of reading an answer.
pub(crate) type Read<T> = Result<Answer<T>, Invalid>;
