//! Who signed a request, how, and whether the signature is right. Nothing here looks anything up: the door finds the
//! secret of the AccessKey that [`Claim::access_key_id`] names and asks [`Claim::verify`].
//!
//! - [`canonical`]: the one form that equal requests have.
//! - [`v1`]: HMAC-SHA1 over the parameters (`SignatureVersion=1.0`).
//! - [`v3`]: `ACS3-HMAC-SHA256` over parameters, headers and the hash of the body.

pub mod canonical;
pub mod v1;
pub mod v3;

use crate::error::ApiError;
use crate::request::Request;
use countersign_model::Timestamp;
use hmac::digest::{Digest, Key};
use hmac::{EagerHash, Hmac, KeyInit};
use zeroize::Zeroize as _;

/// The longest nonce that is listened to. The SDKs send 32 to 64 characters.
const LONGEST_NONCE: usize = 128;

/// What a request says of its own signature.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// Whose key is said to have signed it: letters and digits.
    pub access_key_id: &'a str,
    /// What makes the request unlike any other.
    pub nonce: &'a str,
    /// When it says it was signed.
    pub signed_at: Timestamp,
    scheme: Scheme<'a>,
}

#[derive(Debug, Clone)]
enum Scheme<'a> {
    V1 { signature: &'a str },
    V3(v3::Authorization<'a>),
}

impl<'a> Claim<'a> {
    /// Reads what a request says of its signature. A request that is not signed, or so that nothing can be made of it, is
    /// refused here.
    pub fn read(request: &'a Request) -> Result<Self, ApiError> {
        let claim = match v3::Authorization::read(request)? {
            Some(authorization) => Self::of_v3(request, authorization)?,
            None => Self::of_v1(request)?,
        };
        if claim.nonce.len() > LONGEST_NONCE {
            return Err(ApiError::invalid_parameter("SignatureNonce"));
        }
        Ok(claim)
    }

    fn of_v1(request: &'a Request) -> Result<Self, ApiError> {
        let access_key_id = required(request, "AccessKeyId")?;
        let method = required(request, "SignatureMethod")?;
        let version = required(request, "SignatureVersion")?;
        let nonce = required(request, "SignatureNonce")?;
        let signed_at = timestamp(required(request, "Timestamp")?)?;
        let signature = required(request, v1::SIGNATURE)?;
        if method != "HMAC-SHA1" || version != "1.0" {
            return Err(ApiError::incomplete_signature());
        }
        refuse_security_token(request.parameter("SecurityToken"))?;
        Ok(Self { access_key_id, nonce, signed_at, scheme: Scheme::V1 { signature } })
    }

    fn of_v3(request: &'a Request, authorization: v3::Authorization<'a>) -> Result<Self, ApiError> {
        let nonce = request.header("x-acs-signature-nonce").unwrap_or_default();
        if nonce.is_empty() {
            return Err(ApiError::missing("SignatureNonce"));
        }
        let signed_at = timestamp(request.header("x-acs-date").unwrap_or_default())?;
        refuse_security_token(request.header("x-acs-security-token"))?;
        let access_key_id = authorization.access_key_id;
        Ok(Self { access_key_id, nonce, signed_at, scheme: Scheme::V3(authorization) })
    }

    /// Whether the request was signed as it is with this secret. The refusal tells what the server would have signed: a
    /// client compares it with its own. It is made of the request alone.
    pub fn verify(&self, request: &Request, secret: &str) -> Result<(), ApiError> {
        match &self.scheme {
            Scheme::V1 { signature } => {
                let string = v1::string_to_sign(request.method().as_str(), request.all());
                if v1::is_right(&string, secret, signature) {
                    Ok(())
                } else {
                    Err(ApiError::wrong_signature_v1(&string))
                }
            }
            Scheme::V3(authorization) => {
                let canonical = authorization.canonical_request(request)?;
                let string = v3::string_to_sign(&canonical);
                if v3::is_right(&string, secret, authorization.signature) {
                    Ok(())
                } else {
                    Err(ApiError::wrong_signature_v3(&string, &canonical))
                }
            }
        }
    }
}

fn required<'a>(request: &'a Request, name: &'static str) -> Result<&'a str, ApiError> {
    request.parameter(name).filter(|value| !value.is_empty()).ok_or_else(|| ApiError::missing(name))
}

/// Nobody has temporary credentials here, so no token is a good one. SDKs send an empty one.
fn refuse_security_token(token: Option<&str>) -> Result<(), ApiError> {
    if token.is_some_and(|token| !token.is_empty()) { Err(ApiError::malformed_security_token()) } else { Ok(()) }
}

/// Reads `2026-01-02T03:04:05Z`: UTC, whole seconds, nothing else.
fn timestamp(text: &str) -> Result<Timestamp, ApiError> {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    let fits = text.len() == 20 && text.bytes().enumerate().all(shape);
    fits.then(|| Timestamp::parse_rfc3339(text)).flatten().ok_or_else(ApiError::malformed_timestamp)
}

/// An HMAC under a key of any length (RFC 2104: one longer than a block counts as its hash).
fn keyed<H: EagerHash + Digest>(secret: &[u8]) -> Hmac<H>
where
    Hmac<H>: KeyInit,
{
    let mut key = Key::<Hmac<H>>::default();
    let hashed = (secret.len() > key.len()).then(|| H::digest(secret));
    let bytes = hashed.as_deref().unwrap_or(secret);
    key.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    let mac = Hmac::new(&key);
    key.zeroize();
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::Mac as _;
    use sha2::Sha256;

    #[test]
    fn only_whole_seconds_of_utc_are_a_time() {
        assert_eq!(timestamp("2026-01-02T03:04:05Z").unwrap(), Timestamp::from_seconds(1_767_323_045));
        for text in [
            "",
            "2026-01-02T03:04:05.0Z",
            "2026-01-02T03:04:05.000Z",
            "2026-01-02 03:04:05Z",
            "2026-01-02T03:04:05+00:00",
            "2026-01-02T03:04:05",
            "2026-13-02T03:04:05Z",
            "20260102T030405Z",
            "２026-01-02T03:04Z",
        ] {
            assert_eq!(timestamp(text).unwrap_err().code(), "InvalidTimeStamp.Format", "{text}");
        }
    }

    #[test]
    fn a_long_key_counts_as_its_hash() {
        // RFC 4231, test case 6.
        let mut mac = keyed::<Sha256>(&[0xaa; 131]);
        mac.update(b"Test Using Larger Than Block-Size Key - Hash Key First");
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()), expected);
    }
}
