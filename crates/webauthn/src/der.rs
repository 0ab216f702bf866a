//! As much of an X.509 certificate as attestation asks for. Whether a chain leads to a root is judged by `webpki`.

use crate::authenticator_data::AaguidBytes;
use crate::error::Invalid;
use crate::key::{Algorithm, PublicKey, rsa};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const BOOLEAN: u8 = 0x01;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const ORGANIZATIONAL_UNIT: &[u8] = &[0x55, 0x04, 0x0b];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// `id-fido-gen-ce-aaguid`, 1.3.6.1.4.1.45724.1.1.4.
const FIDO_AAGUID: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xe5, 0x1c, 0x01, 0x01, 0x04];
/// Apple's anonymous attestation, 1.2.840.113635.100.8.2.
const APPLE_NONCE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x08, 0x02];

/// What attestation looks at in a certificate.
pub(crate) struct Certificate {
    pub(crate) is_version_3: bool,
    pub(crate) is_ca: bool,
    /// Whether the subject is of the unit `Authenticator Attestation`.
    pub(crate) is_for_attestation: bool,
    pub(crate) key: PublicKey,
    pub(crate) aaguid: Option<AaguidBytes>,
    pub(crate) apple_nonce: Option<Vec<u8>>,
}

impl Certificate {
    pub(crate) fn read(der: &[u8]) -> Result<Self, Invalid> {
        let mut whole = Der(der);
        let mut certificate = Der(whole.expect(SEQUENCE)?);
        if !whole.0.is_empty() {
            return Err(MALFORMED);
        }
        let mut signed = Der(certificate.expect(SEQUENCE)?);
        let version = signed.take_if(VERSION)?;
        signed.expect(INTEGER)?;
        signed.expect(SEQUENCE)?;
        signed.expect(SEQUENCE)?;
        signed.expect(SEQUENCE)?;
        let subject = signed.expect(SEQUENCE)?;
        let key = read_key(signed.expect(SEQUENCE)?)?;
        let mut read = Self {
            is_version_3: version == Some(&[INTEGER, 1, 2]),
            is_ca: false,
            is_for_attestation: has_unit(subject, b"Authenticator Attestation")?,
            key,
            aaguid: None,
            apple_nonce: None,
        };
        while !signed.0.is_empty() {
            let (tag, content) = signed.next()?;
            if tag == EXTENSIONS {
                let mut list = Der(Der(content).expect(SEQUENCE)?);
                while !list.0.is_empty() {
                    read.take_extension(list.expect(SEQUENCE)?)?;
                }
            }
        }
        Ok(read)
    }

    fn take_extension(&mut self, extension: &[u8]) -> Result<(), Invalid> {
        let mut extension = Der(extension);
        let id = extension.expect(OID)?;
        extension.take_if(BOOLEAN)?;
        let mut value = Der(extension.expect(OCTET_STRING)?);
        match id {
            BASIC_CONSTRAINTS => {
                let is_ca = Der(value.expect(SEQUENCE)?).take_if(BOOLEAN)?;
                self.is_ca = is_ca.is_some_and(|truth| truth != [0]);
            }
            FIDO_AAGUID => {
                let aaguid = value.expect(OCTET_STRING)?;
                self.aaguid = Some(aaguid.try_into().map_err(|_| MALFORMED)?);
            }
            APPLE_NONCE => {
                let mut field = Der(value.expect(SEQUENCE)?);
                self.apple_nonce = Some(Der(field.expect(0xa1)?).expect(OCTET_STRING)?.to_vec());
            }
            _ => {}
        }
        Ok(())
    }
}

const MALFORMED: Invalid = Invalid::Attestation("a certificate that cannot be read");

fn read_key(info: &[u8]) -> Result<PublicKey, Invalid> {
    let mut info = Der(info);
    let mut algorithm = Der(info.expect(SEQUENCE)?);
    let bits = info.expect(BIT_STRING)?;
    let (unused, bits) = bits.split_first().ok_or(MALFORMED)?;
    if *unused != 0 {
        return Err(MALFORMED);
    }
    match algorithm.expect(OID)? {
        EC_PUBLIC_KEY => match algorithm.expect(OID)? {
            P256 => PublicKey::of_point(Algorithm::Es256, bits),
            P384 => PublicKey::of_point(Algorithm::Es384, bits),
            _ => Err(Invalid::Attestation("a key on a curve that is not known here")),
        },
        ED25519 => PublicKey::of_point(Algorithm::EdDsa, bits),
        RSA => {
            let mut numbers = Der(Der(bits).expect(SEQUENCE)?);
            let (n, e) = (numbers.expect(INTEGER)?, numbers.expect(INTEGER)?);
            rsa(n.strip_prefix(&[0]).unwrap_or(n), e.strip_prefix(&[0]).unwrap_or(e))
        }
        _ => Err(Invalid::Attestation("a key of a kind that is not known here")),
    }
}

/// Whether a name has this organizational unit.
fn has_unit(name: &[u8], unit: &[u8]) -> Result<bool, Invalid> {
    let mut name = Der(name);
    while !name.0.is_empty() {
        let mut set = Der(name.expect(SET)?);
        while !set.0.is_empty() {
            let mut attribute = Der(set.expect(SEQUENCE)?);
            if attribute.expect(OID)? == ORGANIZATIONAL_UNIT && attribute.next()?.1 == unit {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What is left to read of some DER.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next tag and its content.
    fn next(&mut self) -> Result<(u8, &'a [u8]), Invalid> {
        let (tag, rest) = self.0.split_first().ok_or(MALFORMED)?;
        let (first, rest) = rest.split_first().ok_or(MALFORMED)?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f)).ok_or(MALFORMED)?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return Err(MALFORMED),
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(MALFORMED)?;
        self.0 = rest;
        Ok((*tag, content))
    }

    fn expect(&mut self, tag: u8) -> Result<&'a [u8], Invalid> {
        let (found, content) = self.next()?;
        if found == tag { Ok(content) } else { Err(MALFORMED) }
    }

    fn take_if(&mut self, tag: u8) -> Result<Option<&'a [u8]>, Invalid> {
        if self.0.first() == Some(&tag) { self.expect(tag).map(Some) } else { Ok(None) }
    }
}
