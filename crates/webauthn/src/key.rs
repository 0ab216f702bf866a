//! Public keys and the signatures they check: ES256, ES384, Ed25519, RS256, by `ring`.

use crate::cbor::{self, Map};
use crate::curve::{P256, P384};
use crate::error::Invalid;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

/// An algorithm of signatures, as COSE numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256 (-7).
    Es256,
    /// Ed25519 (-8).
    EdDsa,
    /// ECDSA over P-384 with SHA-384 (-35).
    Es384,
    /// RSA PKCS #1 v1.5 with SHA-256 (-257), of 2,048 bits at least.
    Rs256,
}

impl Algorithm {
    /// All that are known here, the best liked first.
    pub const ALL: &'static [Self] = &[Self::Es256, Self::EdDsa, Self::Es384, Self::Rs256];

    /// The number that COSE gives it.
    #[must_use]
    pub const fn cose(self) -> i32 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Es384 => -35,
            Self::Rs256 => -257,
        }
    }

    pub(crate) fn of_cose(number: i128) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| i128::from(algorithm.cose()) == number)
    }
}

/// The longest modulus of RSA in bytes.
const LONGEST_MODULUS: usize = 8_192 / 8;
const SHORTEST_MODULUS: usize = 2_048 / 8;

/// A public key of a known algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// The point, uncompressed.
    Es256(Vec<u8>),
    Es384(Vec<u8>),
    EdDsa(Vec<u8>),
    Rs256 {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// Reads a COSE key (RFC 9052 §7): what its algorithm needs, and nothing else.
    pub(crate) fn of_cose(bytes: &[u8]) -> Result<Self, Invalid> {
        let value = cbor::read_all(bytes)?;
        let map = value.as_map().ok_or(Invalid::PublicKey("not a map"))?;
        let number = |label: i128| map.number(label).and_then(cbor::Value::as_int);
        let algorithm = number(3).ok_or(Invalid::PublicKey("no algorithm"))?;
        let algorithm = Algorithm::of_cose(algorithm).ok_or(Invalid::Algorithm)?;
        let key = match (algorithm, number(1)) {
            (Algorithm::Es256, Some(2)) if number(-1) == Some(1) => Self::Es256(point(map, 32)?),
            (Algorithm::Es384, Some(2)) if number(-1) == Some(2) => Self::Es384(point(map, 48)?),
            (Algorithm::EdDsa, Some(1)) if number(-1) == Some(6) => {
                let x = bytes_of(map, -2)?;
                if x.len() != 32 {
                    return Err(Invalid::PublicKey("a point of another length"));
                }
                Self::EdDsa(x.to_vec())
            }
            (Algorithm::Rs256, Some(3)) => rsa(bytes_of(map, -1)?, bytes_of(map, -2)?)?,
            (Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa | Algorithm::Rs256, _) => {
                return Err(Invalid::PublicKey("a type or curve that is not the algorithm's"));
            }
        };
        let parameters = match key {
            Self::Es256(_) | Self::Es384(_) => 5,
            Self::EdDsa(_) | Self::Rs256 { .. } => 4,
        };
        if map.len() == parameters { Ok(key) } else { Err(Invalid::PublicKey("surplus parameters")) }
    }

    /// A key as a certificate holds it: the content of its bit string.
    pub(crate) fn of_point(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, Invalid> {
        match (algorithm, bytes.first(), bytes.len()) {
            (Algorithm::Es256, Some(4), 65) => Ok(Self::Es256(bytes.to_vec())),
            (Algorithm::Es384, Some(4), 97) => Ok(Self::Es384(bytes.to_vec())),
            (Algorithm::EdDsa, _, 32) => Ok(Self::EdDsa(bytes.to_vec())),
            (Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa | Algorithm::Rs256, ..) => {
                Err(Invalid::PublicKey("not a point"))
            }
        }
    }

    /// Whether the point lies on its curve. Whoever checks a signature with the key need not ask: `ring` does.
    pub(crate) fn is_on_its_curve(&self) -> bool {
        let halves = |point: &[u8], half: usize, has: fn(&[u8], &[u8]) -> bool| {
            point.get(1..).and_then(|both| both.split_at_checked(half)).is_some_and(|(x, y)| has(x, y))
        };
        match self {
            Self::Es256(point) => halves(point, 32, |x, y| P256.has(x, y)),
            Self::Es384(point) => halves(point, 48, |x, y| P384.has(x, y)),
            Self::EdDsa(_) | Self::Rs256 { .. } => true,
        }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::Es384(_) => Algorithm::Es384,
            Self::EdDsa(_) => Algorithm::EdDsa,
            Self::Rs256 { .. } => Algorithm::Rs256,
        }
    }

    /// Whether this key made the signature.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let judged = match self {
            Self::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature),
            Self::Es384(point) => UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, point).verify(message, signature),
            Self::EdDsa(point) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature),
            Self::Rs256 { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        judged.is_ok()
    }
}

/// An RSA key within the bounds that are checked here, from big-endian numbers without leading zeros.
pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Result<PublicKey, Invalid> {
    let long_enough = (SHORTEST_MODULUS..=LONGEST_MODULUS).contains(&n.len());
    let starts = |number: &[u8]| number.first().is_some_and(|byte| *byte != 0);
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    if !long_enough || !starts(n) || !starts(e) || !odd(n) || !odd(e) || e.len() > 4 || e == [1] {
        return Err(Invalid::PublicKey("not an RSA key of 2,048 to 8,192 bits"));
    }
    Ok(PublicKey::Rs256 { n: n.to_vec(), e: e.to_vec() })
}

fn bytes_of<'a>(map: &Map<'a>, label: i128) -> Result<&'a [u8], Invalid> {
    map.number(label).and_then(cbor::Value::as_bytes).ok_or(Invalid::PublicKey("a parameter is missing"))
}

fn point(map: &Map<'_>, half: usize) -> Result<Vec<u8>, Invalid> {
    let (x, y) = (bytes_of(map, -2)?, bytes_of(map, -3)?);
    if x.len() == half && y.len() == half {
        Ok([&[4], x, y].concat())
    } else {
        Err(Invalid::PublicKey("a point of another length"))
    }
}
