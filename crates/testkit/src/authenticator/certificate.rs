//! The certificates of a maker of soft authenticators, right ones and flawed ones.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use std::sync::LazyLock;

/// The maker's certificate authority of every soft authenticator.
static MAKER: LazyLock<Maker> = LazyLock::new(Maker::make);

struct Maker {
    root: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Maker {
    fn make() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = name("A maker of soft keys");
        let root = params.self_signed(&key).unwrap().der().to_vec();
        Self { root, issuer: Issuer::new(params, key) }
    }
}

/// The root that the attestations of soft authenticators lead to (DER).
#[must_use]
pub fn maker_root() -> Vec<u8> {
    MAKER.root.clone()
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "ZZ");
    name.push(DnType::OrganizationName, "Soft keys");
    name.push(DnType::OrganizationalUnitName, "Authenticator Attestation");
    name.push(DnType::CommonName, common_name);
    name
}

/// What is wrong with a certificate for attestation (WebAuthn §8.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It is of version 2.
    Version,
    /// The subject tells no country.
    Country,
    /// The subject tells no organization.
    Organization,
    /// The subject is of another unit.
    Unit,
    /// The subject has no common name.
    CommonName,
    /// It may sign certificates.
    Authority,
    /// It does not say that it may not.
    NoConstraints,
    /// The extension that tells the model is critical.
    CriticalModel,
}

impl Flaw {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Version,
        Self::Country,
        Self::Organization,
        Self::Unit,
        Self::CommonName,
        Self::Authority,
        Self::NoConstraints,
        Self::CriticalModel,
    ];
}

/// A certificate for attestation and its key; one that is forged leads to no maker.
pub(super) fn certificate(aaguid: [u8; 16], forged: bool, flaw: Option<Flaw>) -> (Vec<u8>, EcdsaKeyPair) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = name("A soft key");
    params.is_ca = match flaw {
        Some(Flaw::Authority) => IsCa::Ca(BasicConstraints::Unconstrained),
        Some(Flaw::NoConstraints) => IsCa::NoCa,
        _ => IsCa::ExplicitNoCa,
    };
    match flaw {
        Some(Flaw::Country) => drop(params.distinguished_name.remove(DnType::CountryName)),
        Some(Flaw::Organization) => drop(params.distinguished_name.remove(DnType::OrganizationName)),
        Some(Flaw::Unit) => params.distinguished_name.push(DnType::OrganizationalUnitName, "Authenticators"),
        Some(Flaw::CommonName) => drop(params.distinguished_name.remove(DnType::CommonName)),
        _ => {}
    }
    let content = [&[0x04, 16], aaguid.as_slice()].concat();
    let mut model = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 45_724, 1, 1, 4], content);
    model.set_criticality(flaw == Some(Flaw::CriticalModel));
    params.custom_extensions = vec![model];
    let made = if forged { params.self_signed(&key) } else { params.signed_by(&key, &MAKER.issuer) };
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.serialize_der(), &SystemRandom::new());
    let mut made = made.unwrap().der().to_vec();
    if flaw == Some(Flaw::Version) {
        let version = made.windows(5).position(|part| part == [0xa0, 3, 2, 1, 2]).unwrap();
        made[version + 4] = 1;
    }
    (made, pair.unwrap())
}
