//! Attestation statements (WebAuthn §8): who made the authenticator, as far as that can be checked.
//!
//! `none`, `packed`, `fido-u2f` and `apple` are judged; a statement of these that is wrong refuses the registration. Of
//! other formats nothing is believed: the credential counts as one without attestation.

use crate::authenticator_data::CredentialData;
use crate::cbor::{Map, Value};
use crate::der::Certificate;
use crate::error::Invalid;
use crate::key::{Algorithm, PublicKey};
use crate::relying_party::Roots;
use sha2::{Digest as _, Sha256};

/// How far an attestation was verified, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// There was none, or it is of a format that is not judged here.
    None,
    /// Signed with the credential's own key: it says nothing about the maker.
    SelfSigned,
    /// Signed with the key of a certificate that leads to no root known here: anybody may have made it.
    Signed,
    /// Signed with the key of a certificate that leads to a trusted root.
    Rooted,
}

/// What an attestation is about.
pub(crate) struct Attested<'a> {
    pub(crate) authenticator_data: &'a [u8],
    pub(crate) client_data_hash: [u8; 32],
    pub(crate) rp_id_hash: &'a [u8],
    pub(crate) credential: &'a CredentialData<'a>,
    pub(crate) key: &'a PublicKey,
}

impl Attested<'_> {
    fn signed(&self) -> Vec<u8> {
        [self.authenticator_data, &self.client_data_hash].concat()
    }
}

pub(crate) fn judge(
    format: &str,
    statement: &Map<'_>,
    attested: &Attested<'_>,
    roots: &Roots<'_>,
) -> Result<Trust, Invalid> {
    match format {
        "none" if statement.len() == 0 => Ok(Trust::None),
        "none" => Err(Invalid::Attestation("a statement where there is none")),
        "packed" => packed(statement, attested, roots),
        "fido-u2f" => fido_u2f(statement, attested, roots),
        "apple" => apple(statement, attested, roots),
        _ => Ok(Trust::None),
    }
}

/// §8.2.
fn packed(statement: &Map<'_>, attested: &Attested<'_>, roots: &Roots<'_>) -> Result<Trust, Invalid> {
    let algorithm = statement.text("alg").and_then(Value::as_int).ok_or(Invalid::Attestation("no algorithm"))?;
    let algorithm = Algorithm::of_cose(algorithm).ok_or(Invalid::Attestation("an algorithm that is not known here"))?;
    let signature = signature(statement)?;
    if statement.text("ecdaaKeyId").is_some() {
        return Err(Invalid::Attestation("ECDAA is not known here"));
    }
    if statement.text("x5c").is_none() {
        if algorithm != attested.key.algorithm() {
            return Err(Invalid::Attestation("another algorithm than the credential's"));
        }
        let is_right = attested.key.verifies(&attested.signed(), signature);
        return if is_right { Ok(Trust::SelfSigned) } else { Err(Invalid::AttestationSignature) };
    }
    let chain = chain(statement)?;
    let leaf = Certificate::read(chain.leaf)?;
    if leaf.key.algorithm() != algorithm || !leaf.key.verifies(&attested.signed(), signature) {
        return Err(Invalid::AttestationSignature);
    }
    leaf.check_for_packed()?;
    if leaf.aaguid.is_some_and(|aaguid| aaguid != attested.credential.aaguid) {
        return Err(Invalid::Attestation("another AAGUID in the certificate"));
    }
    Ok(chain.trust(roots))
}

/// §8.6.
fn fido_u2f(statement: &Map<'_>, attested: &Attested<'_>, roots: &Roots<'_>) -> Result<Trust, Invalid> {
    let signature = signature(statement)?;
    let chain = chain(statement)?;
    if !chain.others.is_empty() {
        return Err(Invalid::Attestation("more than one certificate"));
    }
    let leaf = Certificate::read(chain.leaf)?;
    let (PublicKey::Es256(_), PublicKey::Es256(point)) = (&leaf.key, attested.key) else {
        return Err(Invalid::Attestation("a key that is not on P-256"));
    };
    let message = [&[0], attested.rp_id_hash, &attested.client_data_hash, attested.credential.id, point].concat();
    if !leaf.key.verifies(&message, signature) {
        return Err(Invalid::AttestationSignature);
    }
    Ok(chain.trust(roots))
}

/// §8.8.
fn apple(statement: &Map<'_>, attested: &Attested<'_>, roots: &Roots<'_>) -> Result<Trust, Invalid> {
    let chain = chain(statement)?;
    let leaf = Certificate::read(chain.leaf)?;
    let nonce = Sha256::digest(attested.signed());
    if leaf.apple_nonce.as_deref() != Some(nonce.as_slice()) || leaf.key != *attested.key {
        return Err(Invalid::AttestationSignature);
    }
    Ok(chain.trust(roots))
}

struct Chain<'a> {
    leaf: &'a [u8],
    others: Vec<&'a [u8]>,
}

impl Chain<'_> {
    fn trust(&self, roots: &Roots<'_>) -> Trust {
        if roots.lead_to(self.leaf, &self.others) { Trust::Rooted } else { Trust::Signed }
    }
}

fn chain<'a>(statement: &Map<'a>) -> Result<Chain<'a>, Invalid> {
    let missing = Invalid::Attestation("no certificate");
    let certificates = statement.text("x5c").and_then(Value::as_array).ok_or(missing)?;
    let mut certificates = certificates.iter().map(Value::as_bytes);
    let leaf = certificates.next().flatten().ok_or(missing)?;
    let others = certificates.collect::<Option<_>>().ok_or(missing)?;
    Ok(Chain { leaf, others })
}

fn signature<'a>(statement: &Map<'a>) -> Result<&'a [u8], Invalid> {
    statement.text("sig").and_then(Value::as_bytes).ok_or(Invalid::Attestation("no signature"))
}
