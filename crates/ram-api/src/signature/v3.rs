//! Signatures of version 3: `ACS3-HMAC-SHA256` over the method, the query, the headers listed and the hash of the body.
//!
//! The clients sign different headers: some all they send, some only `host`, `content-type` and `x-acs-*`. The values are
//! taken from the request as it came, for whatever is listed; six headers have to be.

use super::{canonical, keyed};
use crate::error::ApiError;
use crate::request::Request;
use hmac::Mac as _;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use subtle::ConstantTimeEq as _;

/// The only algorithm that is listened to.
pub const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// What has to be signed: nothing that tells what is asked for, of whom and when can be changed on the way.
pub const SIGNED_ALWAYS: [&str; 6] =
    ["host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"];

/// The most headers that are listed.
const MOST_SIGNED: usize = 64;

/// The header `Authorization` of this scheme.
#[derive(Debug, Clone)]
pub struct Authorization<'a> {
    /// Whose key is said to have signed it.
    pub access_key_id: &'a str,
    /// The names of the signed headers as they were sent, joined by `;`.
    pub signed_headers: &'a str,
    /// The signature in hexadecimal.
    pub signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads the header, if the request has one of this family. Clients of version 1 send `x-acs-*` headers too, so those
    /// tell nothing.
    pub fn read(request: &'a Request) -> Result<Option<Self>, ApiError> {
        let Some(header) = request.header("authorization").filter(|header| header.starts_with("ACS3-")) else {
            return Ok(None);
        };
        let rest = header.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' '));
        // SM3 and RSA, which the SDKs know too, are none of ours.
        let authorization = rest.and_then(Self::parse).ok_or_else(ApiError::incomplete_signature)?;
        if authorization.access_key_id.is_empty() {
            return Err(ApiError::missing("AccessKeyId"));
        }
        authorization.check_signed_headers(request)?;
        Ok(Some(authorization))
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (mut credential, mut headers, mut signature) = (None, None, None);
        for part in text.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        Some(Self { access_key_id: credential?, signed_headers: headers?, signature: signature? })
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.signed_headers.split(';')
    }

    /// Each header that is listed is there once; the six that count are listed; the body is the one that was signed.
    fn check_signed_headers(&self, request: &Request) -> Result<(), ApiError> {
        let mut listed: Vec<&str> = self.names().collect();
        listed.sort_unstable();
        let count = listed.len();
        listed.dedup();
        let plain = |name: &&str| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
        let is_complete = SIGNED_ALWAYS.iter().all(|name| listed.binary_search(name).is_ok());
        if count > MOST_SIGNED || listed.len() != count || !listed.iter().all(plain) || !is_complete {
            return Err(ApiError::incomplete_signature());
        }
        if listed.iter().any(|name| request.only_header(name).is_none()) {
            return Err(ApiError::incomplete_signature());
        }
        let hash = request.header("x-acs-content-sha256").unwrap_or_default();
        if hash != data_encoding::HEXLOWER.encode(request.body_hash()) {
            return Err(ApiError::incomplete_signature());
        }
        Ok(())
    }

    /// What is hashed and signed.
    pub fn canonical_request(&self, request: &Request) -> Result<String, ApiError> {
        let mut text = format!("{}\n/\n{}\n", request.method(), canonical::query(request.query()));
        for name in self.names() {
            let value = request.only_header(name).ok_or_else(ApiError::incomplete_signature)?;
            let _ = writeln!(text, "{name}:{}", value.trim());
        }
        let hash = request.header("x-acs-content-sha256").unwrap_or_default();
        let _ = write!(text, "\n{}\n{hash}", self.signed_headers);
        Ok(text)
    }
}

/// What is signed: the algorithm and the hash of the canonical request.
#[must_use]
pub fn string_to_sign(canonical_request: &str) -> String {
    let hash = Sha256::digest(canonical_request.as_bytes());
    format!("{ALGORITHM}\n{}", data_encoding::HEXLOWER.encode(&hash))
}

/// The signature of a string under a secret, in hexadecimal.
#[must_use]
pub fn sign(string_to_sign: &str, secret: &str) -> String {
    let mut mac = keyed::<Sha256>(secret.as_bytes());
    mac.update(string_to_sign.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Whether `signature` is that of the string under the secret. Takes as long for a wrong one as for the right one.
#[must_use]
pub fn is_right(string_to_sign: &str, secret: &str, signature: &str) -> bool {
    sign(string_to_sign, secret).as_bytes().ct_eq(signature.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Claim;
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const SIGNED: &str = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";

    /// The headers of a request of the SDKs.
    struct Sent {
        headers: HeaderMap,
        query: &'static str,
        body: &'static str,
    }

    impl Sent {
        fn bind() -> Self {
            Self::new(
                "AuthenticationCode1=123456&AuthenticationCode2=654321&SerialNumber=acs%3Aram%3A%3A1234567890123456%3Amfa%2Fdevice001\
                 &UserPrincipalName=alice%40example.onaliyun.com",
                &[
                    ("host", "127.0.0.1:18080"),
                    ("x-acs-action", "BindMFADevice"),
                    ("x-acs-version", "2019-08-15"),
                    ("x-acs-date", "2026-01-02T03:04:05Z"),
                    ("x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"),
                    ("x-acs-content-sha256", EMPTY),
                ],
            )
            .authorized("testid", SIGNED, "f142dda0b2a227dd259786ed0ce8029f111e5c966061a5ff5969cd13743ad5cb")
        }

        fn new(query: &'static str, headers: &[(&'static str, &str)]) -> Self {
            let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            Self { headers: headers.collect(), query, body: "" }
        }

        fn authorized(self, id: &str, signed: &str, signature: &str) -> Self {
            self.with(
                "authorization",
                &format!("{ALGORITHM} Credential={id},SignedHeaders={signed},Signature={signature}"),
            )
        }

        fn with(mut self, name: &'static str, value: &str) -> Self {
            self.headers.insert(name, value.parse().unwrap());
            self
        }

        fn twice(mut self, name: &'static str, value: &'static str) -> Self {
            self.headers.append(name, HeaderValue::from_static(value));
            self
        }

        fn without(mut self, name: &'static str) -> Self {
            self.headers.remove(name);
            self
        }

        fn decoded(&self) -> Request {
            let uri = format!("/?{}", self.query).parse().unwrap();
            Request::decode(&Method::POST, &uri, self.headers.clone(), self.body.as_bytes()).unwrap()
        }

        fn judged(&self, secret: &str) -> Result<(), String> {
            let request = self.decoded();
            let claim = Claim::read(&request).map_err(|error| error.code().to_owned())?;
            claim.verify(&request, secret).map_err(|error| error.code().to_owned())
        }
    }

    fn hash_of(request: &Request) -> String {
        let authorization = Authorization::read(request).unwrap().unwrap();
        let canonical = authorization.canonical_request(request).unwrap();
        string_to_sign(&canonical).split_once('\n').unwrap().1.to_owned()
    }

    #[test]
    fn the_vectors_of_the_protocol_hold() {
        let official = Sent::new(
            "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
            &[
                ("host", "ecs.cn-shanghai.aliyuncs.com"),
                ("x-acs-action", "RunInstances"),
                ("x-acs-version", "2014-05-26"),
                ("x-acs-date", "2023-10-26T10:22:32Z"),
                ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
                ("x-acs-content-sha256", EMPTY),
            ],
        )
        .authorized(
            "YourAccessKeyId",
            SIGNED,
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
        );
        assert_eq!(hash_of(&official.decoded()), "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259");
        assert_eq!(official.judged("YourAccessKeySecret"), Ok(()));
        assert_eq!(
            hash_of(&Sent::bind().decoded()),
            "bbe75ac52902fa0cad3190ba5522d05e522f20208c6e7aefb8e2eb4bb4992142"
        );
        assert_eq!(Sent::bind().judged("testsecret"), Ok(()));
        assert_eq!(Sent::bind().judged("testsecre"), Err("SignatureDoesNotMatch".to_owned()));
    }

    #[test]
    fn what_is_signed_cannot_be_changed() {
        for (name, value) in [
            ("host", "127.0.0.1:18081"),
            ("x-acs-action", "UnbindMFADevice"),
            ("x-acs-version", "2015-05-01"),
            ("x-acs-date", "2026-01-02T03:04:06Z"),
            ("x-acs-signature-nonce", "1123456789abcdef0123456789abcdef"),
        ] {
            let judged = Sent::bind().with(name, value).judged("testsecret");
            assert_eq!(judged, Err("SignatureDoesNotMatch".to_owned()), "{name}");
        }
        let query = Sent { query: "UserPrincipalName=bob%40example.onaliyun.com", ..Sent::bind() };
        assert_eq!(query.judged("testsecret"), Err("SignatureDoesNotMatch".to_owned()));
        let spaced = Sent::bind().with("x-not-signed", "anything");
        assert_eq!(spaced.judged("testsecret"), Ok(()), "what is not signed does not count");
    }

    #[test]
    fn a_body_that_was_not_signed_is_refused() {
        let form = "application/x-www-form-urlencoded";
        let body = Sent { body: "UserPrincipalName=mallory", ..Sent::new("", &[]) };
        let body = Sent { headers: Sent::bind().with("content-type", form).headers, ..body };
        assert_eq!(body.judged("testsecret"), Err("IncompleteSignature".to_owned()));
    }

    #[test]
    fn what_counts_has_to_be_signed_and_there_once() {
        for name in SIGNED_ALWAYS {
            let fewer = SIGNED.split(';').filter(|listed| *listed != name).collect::<Vec<_>>().join(";");
            let sent = Sent::bind().authorized("testid", &fewer, "x");
            assert_eq!(sent.judged("testsecret"), Err("IncompleteSignature".to_owned()), "{name}");
        }
        for signed in
            [format!("{SIGNED};host"), format!("{SIGNED};absent"), format!("{SIGNED};"), SIGNED.to_uppercase()]
        {
            let sent = Sent::bind().authorized("testid", &signed, "x");
            assert_eq!(sent.judged("testsecret"), Err("IncompleteSignature".to_owned()), "{signed}");
        }
        let twice = Sent::bind().twice("x-acs-action", "DeleteUser");
        assert_eq!(twice.judged("testsecret"), Err("IncompleteSignature".to_owned()));
    }

    #[test]
    fn other_algorithms_and_broken_headers_are_refused() {
        let rest = format!("Credential=testid,SignedHeaders={SIGNED},Signature=x");
        for header in [
            format!("ACS3-HMAC-SM3 {rest}"),
            format!("ACS3-RSA-SHA256 {rest}"),
            format!("ACS3-HMAC-SHA256-X {rest}"),
            format!("ACS3-HMAC-SHA256{rest}"),
            format!("{ALGORITHM} {rest},Signature=y"),
            format!("{ALGORITHM} {rest},Other=y"),
            format!("{ALGORITHM} Credential=testid"),
            format!("{ALGORITHM} "),
        ] {
            let judged = Sent::bind().with("authorization", &header).judged("testsecret");
            assert_eq!(judged, Err("IncompleteSignature".to_owned()), "{header}");
        }
        let basic = Sent::bind().with("authorization", "Basic dGVzdA==").judged("testsecret");
        assert_eq!(basic, Err("MissingAccessKeyId".to_owned()));
        let unsigned = Sent::bind().without("authorization").judged("testsecret");
        assert_eq!(unsigned, Err("MissingAccessKeyId".to_owned()));
        let token = Sent::bind().with("x-acs-security-token", "CAIS").judged("testsecret");
        assert_eq!(token, Err("InvalidSecurityToken.Malformed".to_owned()));
        let nonce = "n".repeat(200);
        let long = Sent::bind().with("x-acs-signature-nonce", &nonce).judged("testsecret");
        assert_eq!(long, Err("InvalidParameter.SignatureNonce".to_owned()));
        let date = Sent::bind().with("x-acs-date", "yesterday").judged("testsecret");
        assert_eq!(date, Err("InvalidTimeStamp.Format".to_owned()));
    }
}
