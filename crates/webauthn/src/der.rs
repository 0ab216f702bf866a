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
const PRINTABLE_STRING: u8 = 0x13;
const UTF8_STRING: u8 = 0x0c;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const ORGANIZATIONAL_UNIT: &[u8] = &[0x55, 0x04, 0x0b];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// `id-fido-gen-ce-aaguid`, 1.3.6.1.4.1.45724.1.1.4.
const FIDO_AAGUID: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xe5, 0x1c, 0x01, 0x01, 0x04];
/// Apple's anonymous attestation, 1.2.840.113635.100.8.2.
const APPLE_NONCE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x08, 0x02];

/// What attestation looks at in a certificate.
pub(crate) struct Certificate {
    is_version_3: bool,
    /// What the basic constraints say, if there are any.
    is_ca: Option<bool>,
    subject: Subject,
    /// Whether the extension that tells the model is critical.
    is_aaguid_critical: bool,
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
            is_ca: None,
            subject: Subject::read(subject)?,
            is_aaguid_critical: false,
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
        let is_critical = is_true(extension.take_if(BOOLEAN)?);
        let mut value = Der(extension.expect(OCTET_STRING)?);
        match id {
            BASIC_CONSTRAINTS => {
                let is_ca = is_true(Der(value.expect(SEQUENCE)?).take_if(BOOLEAN)?);
                once(self.is_ca.is_some())?;
                self.is_ca = Some(is_ca);
            }
            FIDO_AAGUID => {
                let aaguid = value.expect(OCTET_STRING)?;
                once(self.aaguid.is_some())?;
                self.is_aaguid_critical = is_critical;
                self.aaguid = Some(aaguid.try_into().map_err(|_| MALFORMED)?);
            }
            APPLE_NONCE => {
                let mut field = Der(value.expect(SEQUENCE)?);
                once(self.apple_nonce.is_some())?;
                self.apple_nonce = Some(Der(field.expect(0xa1)?).expect(OCTET_STRING)?.to_vec());
            }
            _ => {}
        }
        Ok(())
    }

    /// What WebAuthn §8.2.1 asks of the certificate of a packed attestation.
    pub(crate) fn check_for_packed(&self) -> Result<(), Invalid> {
        let what = if !self.is_version_3 {
            "a certificate that is not of version 3"
        } else if !self.subject.is_for_attestation() {
            "a certificate whose subject is not for attestation"
        } else if self.is_ca != Some(false) {
            "a certificate that does not say that it is no authority"
        } else if self.is_aaguid_critical {
            "a certificate that tells its model in a critical extension"
        } else {
            return Ok(());
        };
        Err(Invalid::Attestation(what))
    }
}

/// RFC 5280 §4.2: a certificate has no extension twice.
const fn once(is_there: bool) -> Result<(), Invalid> {
    if is_there { Err(MALFORMED) } else { Ok(()) }
}

fn is_true(boolean: Option<&[u8]>) -> bool {
    boolean.is_some_and(|truth| truth != [0])
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

/// What the subject of a certificate tells, as far as attestation asks.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Subject {
    country: bool,
    organization: bool,
    unit: bool,
    common_name: bool,
}

impl Subject {
    fn read(name: &[u8]) -> Result<Self, Invalid> {
        let (mut name, mut read) = (Der(name), Self::default());
        while !name.0.is_empty() {
            let mut set = Der(name.expect(SET)?);
            while !set.0.is_empty() {
                let mut attribute = Der(set.expect(SEQUENCE)?);
                let kind = attribute.expect(OID)?;
                let (tag, value) = attribute.next()?;
                // The specification asks for UTF8String; makers write PrintableString, too, where the text allows it.
                let is_text = matches!(tag, UTF8_STRING | PRINTABLE_STRING) && !value.is_empty();
                match kind {
                    COUNTRY => read.country |= is_text && value.len() == 2 && value.iter().all(u8::is_ascii_alphabetic),
                    ORGANIZATION => read.organization |= is_text,
                    ORGANIZATIONAL_UNIT => read.unit |= is_text && value == b"Authenticator Attestation",
                    COMMON_NAME => read.common_name |= is_text,
                    _ => {}
                }
            }
        }
        Ok(read)
    }

    /// Whether it tells country, organization and common name, and is of the unit `Authenticator Attestation`.
    const fn is_for_attestation(&self) -> bool {
        self.country && self.organization && self.unit && self.common_name
    }
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
