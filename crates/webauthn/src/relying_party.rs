//! The relying party: who asks, and what it accepts (WebAuthn §7.1 and §7.2, step by step).

use crate::attestation::{self, Attested, Trust};
use crate::authenticator_data::{AaguidBytes, AuthenticatorData, Flags, Head};
use crate::cbor;
use crate::client_data::{self, Ceremony};
use crate::error::Invalid;
use crate::key::{Algorithm, PublicKey};
use crate::response::{AssertionResponse, RegistrationResponse};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use webpki::{EndEntityCert, KeyPurposeIdIter, anchor_from_trusted_cert};

/// Who asks.
#[derive(Debug, Clone)]
pub struct RelyingParty {
    id: String,
    origin: String,
    id_hash: [u8; 32],
    roots: Vec<Root>,
}

#[derive(Debug, Clone)]
struct Root {
    der: CertificateDer<'static>,
    anchor: TrustAnchor<'static>,
}

/// A certificate that cannot be a root of trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a certificate that cannot be a root of trust")]
pub struct NoRoot;

/// Whether the user has to be verified: by fingerprint, face or PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserVerification {
    /// The answer counts only if he was.
    Required,
    /// A touch is enough.
    NotRequired,
}

/// What a registration has to answer.
#[derive(Debug, Clone, Copy)]
pub struct RegistrationDemand<'a> {
    /// What was asked.
    pub challenge: &'a [u8],
    /// Whether the user had to be verified.
    pub user_verification: UserVerification,
    /// The algorithms that were offered.
    pub algorithms: &'a [Algorithm],
    /// The present time since 1970, for the validity of certificates.
    pub now: Duration,
}

/// What an assertion has to answer.
#[derive(Debug, Clone, Copy)]
pub struct AssertionDemand<'a> {
    /// What was asked.
    pub challenge: &'a [u8],
    /// Whether the user had to be verified.
    pub user_verification: UserVerification,
}

/// A registration that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The credential id.
    pub credential_id: Vec<u8>,
    /// The public key in COSE.
    pub public_key: Vec<u8>,
    /// The signature counter.
    pub sign_count: u32,
    /// The authenticator's model, as it calls itself.
    pub aaguid: AaguidBytes,
    /// Whether the user was verified.
    pub user_verified: bool,
    /// Whether the credential may leave its device.
    pub backup_eligible: bool,
    /// Whether it has.
    pub backed_up: bool,
    /// How the authenticator is reached, as the browser says.
    pub transports: Vec<String>,
    /// The format of the attestation.
    pub attestation_format: String,
    /// How far that was verified.
    pub trust: Trust,
}

/// What is known of the credential that an assertion is made with.
#[derive(Debug, Clone, Copy)]
pub struct KnownCredential<'a> {
    /// The credential id.
    pub id: &'a [u8],
    /// The public key in COSE.
    pub public_key: &'a [u8],
    /// The last signature counter.
    pub sign_count: u32,
    /// Whether it was eligible for backup when it was registered.
    pub backup_eligible: bool,
}

/// An assertion that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asserted {
    /// The new signature counter.
    pub sign_count: u32,
    /// Whether the user was verified.
    pub user_verified: bool,
    /// Whether the credential is backed up now.
    pub backed_up: bool,
}

impl RelyingParty {
    /// A relying party by its id, a host name, and the one origin whose pages may ask: scheme, host and port.
    #[must_use]
    pub fn new(id: &str, origin: &str) -> Self {
        let id_hash = Sha256::digest(id.as_bytes()).into();
        Self { id: id.to_owned(), origin: origin.to_owned(), id_hash, roots: Vec::new() }
    }

    /// The same, trusting attestations that lead to one of these certificates (DER).
    pub fn with_roots(self, certificates: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, NoRoot> {
        let root = |certificate: Vec<u8>| {
            let der = CertificateDer::from(certificate);
            let anchor = anchor_from_trusted_cert(&der).map_err(|_| NoRoot)?.to_owned();
            Ok(Root { der, anchor })
        };
        let roots = certificates.into_iter().map(root).collect::<Result<_, NoRoot>>()?;
        Ok(Self { roots, ..self })
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether there are roots of trust, so that an attestation can be more than signed by somebody.
    #[must_use]
    pub const fn has_roots(&self) -> bool {
        !self.roots.is_empty()
    }

    /// Judges a registration (§7.1).
    pub fn verify_registration(
        &self,
        demand: RegistrationDemand<'_>,
        response: &RegistrationResponse,
    ) -> Result<Registered, Invalid> {
        client_data::check(&response.client_data, Ceremony::Create, demand.challenge, &self.origin)?;
        let object = cbor::read_all(&response.attestation_object)?;
        let missing = Invalid::Attestation("an attestation object without its parts");
        let object = object.as_map().filter(|object| object.len() == 3).ok_or(missing)?;
        let part = |name| object.text(name).ok_or(missing);
        let authenticator_data = part("authData")?.as_bytes().ok_or(missing)?;
        let head = Head::read(authenticator_data)?;
        self.check_head(head, demand.user_verification)?;
        let data = AuthenticatorData::read(head)?;
        let credential = data.credential.as_ref().ok_or(Invalid::AuthenticatorData("no credential"))?;
        if credential.id != response.id {
            return Err(Invalid::CredentialId);
        }
        let key = PublicKey::of_cose(credential.public_key)?;
        if !demand.algorithms.contains(&key.algorithm()) {
            return Err(Invalid::Algorithm);
        }
        if !key.is_on_its_curve() {
            return Err(Invalid::PublicKey("a point off its curve"));
        }
        let format = part("fmt")?.as_text().ok_or(missing)?;
        let attested = Attested {
            authenticator_data,
            client_data_hash: Sha256::digest(&response.client_data).into(),
            rp_id_hash: head.rp_id_hash,
            credential,
            key: &key,
        };
        let roots = Roots { roots: &self.roots, now: demand.now };
        let trust = attestation::judge(format, part("attStmt")?.as_map().ok_or(missing)?, &attested, &roots)?;
        Ok(Registered {
            credential_id: credential.id.to_vec(),
            public_key: credential.public_key.to_vec(),
            sign_count: head.sign_count,
            // A U2F attestation signs no AAGUID: one that stands there is anybody's.
            aaguid: if format == "fido-u2f" { AaguidBytes::default() } else { credential.aaguid },
            user_verified: head.flags.user_verified(),
            backup_eligible: head.flags.backup_eligible(),
            backed_up: head.flags.backed_up(),
            transports: response.transports.clone(),
            attestation_format: format.chars().filter(char::is_ascii_graphic).take(32).collect(),
            trust,
        })
    }

    /// Judges an assertion (§7.2). What a thief of the authenticator could tell is judged after the signature.
    pub fn verify_assertion(
        &self,
        demand: AssertionDemand<'_>,
        known: KnownCredential<'_>,
        response: &AssertionResponse,
    ) -> Result<Asserted, Invalid> {
        if response.id != known.id {
            return Err(Invalid::CredentialId);
        }
        client_data::check(&response.client_data, Ceremony::Get, demand.challenge, &self.origin)?;
        let data = Head::read(&response.authenticator_data)?;
        self.check_head(data, demand.user_verification)?;
        if data.flags.has_credential() {
            return Err(Invalid::AuthenticatorData("a credential in an assertion"));
        }
        AuthenticatorData::read(data)?;
        let client_data_hash = Sha256::digest(&response.client_data);
        let signed = [response.authenticator_data.as_slice(), client_data_hash.as_slice()].concat();
        if !PublicKey::of_cose(known.public_key)?.verifies(&signed, &response.signature) {
            return Err(Invalid::Signature);
        }
        if data.flags.backup_eligible() != known.backup_eligible {
            return Err(Invalid::BackupEligibility);
        }
        if !counts_up(known.sign_count, data.sign_count) {
            return Err(Invalid::Counter);
        }
        Ok(Asserted {
            sign_count: data.sign_count,
            user_verified: data.flags.user_verified(),
            backed_up: data.flags.backed_up(),
        })
    }

    fn check_head(&self, head: Head<'_>, user_verification: UserVerification) -> Result<(), Invalid> {
        if head.rp_id_hash != self.id_hash {
            return Err(Invalid::RpId);
        }
        check_flags(head.flags, user_verification)
    }
}

fn check_flags(flags: Flags, user_verification: UserVerification) -> Result<(), Invalid> {
    if !flags.user_present() {
        return Err(Invalid::UserPresence);
    }
    if user_verification == UserVerification::Required && !flags.user_verified() {
        return Err(Invalid::UserVerification);
    }
    if flags.backed_up() && !flags.backup_eligible() {
        return Err(Invalid::BackupFlags);
    }
    Ok(())
}

/// Whether a signature counter may follow another: it rises, or the authenticator has none and it stays 0 (§7.2, step 22).
#[must_use]
pub const fn counts_up(before: u32, after: u32) -> bool {
    after > before || (before == 0 && after == 0)
}

/// The roots of trust at a time.
pub(crate) struct Roots<'a> {
    roots: &'a [Root],
    now: Duration,
}

impl Roots<'_> {
    /// Whether a chain leads to one of them.
    pub(crate) fn lead_to(&self, leaf: &[u8], others: &[&[u8]]) -> bool {
        // Some makers give the certificates themselves as roots.
        if self.roots.iter().any(|root| root.der.as_ref() == leaf) {
            return true;
        }
        let anchors: Vec<_> = self.roots.iter().map(|root| root.anchor.clone()).collect();
        let (leaf, others) = (CertificateDer::from(leaf), others.iter().map(|der| CertificateDer::from(*der)));
        let others: Vec<_> = others.collect();
        let Ok(leaf) = EndEntityCert::try_from(&leaf) else { return false };
        let now = UnixTime::since_unix_epoch(self.now);
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        leaf.verify_for_usage(algorithms, &anchors, &others, now, AnyUsage, None, None).is_ok()
    }
}

/// Certificates for attestation say nothing about what else they are for.
struct AnyUsage;

impl webpki::ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}
