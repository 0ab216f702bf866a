//! Signatures of version 1: HMAC-SHA1 over all parameters, with the secret and a `&` as the key.

use super::{canonical, keyed};
use hmac::Mac as _;
use sha1::Sha1;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The parameter that carries the signature and is the only one not signed.
pub const SIGNATURE: &str = "Signature";

/// What is signed: `METHOD&%2F&` and the canonical query, encoded once more. Every parameter counts, of the query and of
/// the form, also an empty one and one that nobody knows.
#[must_use]
pub fn string_to_sign<'a>(method: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let signed = parameters.filter(|(name, _)| *name != SIGNATURE);
    format!("{method}&%2F&{}", canonical::encode(&canonical::query(signed)))
}

/// The signature of a string under a secret, in base64.
#[must_use]
pub fn sign(string_to_sign: &str, secret: &str) -> String {
    let key = Zeroizing::new(format!("{secret}&"));
    let mut mac = keyed::<Sha1>(key.as_bytes());
    mac.update(string_to_sign.as_bytes());
    data_encoding::BASE64.encode(&mac.finalize().into_bytes())
}

/// Whether `signature` is that of the string under the secret. Takes as long for a wrong one as for the right one.
#[must_use]
pub fn is_right(string_to_sign: &str, secret: &str, signature: &str) -> bool {
    sign(string_to_sign, secret).as_bytes().ct_eq(signature.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signature(method: &str, pairs: &[(&str, &str)]) -> String {
        sign(&string_to_sign(method, pairs.iter().copied()), "testsecret")
    }

    const COMMON: [(&str, &str); 4] =
        [("AccessKeyId", "testid"), ("Format", "JSON"), ("SignatureMethod", "HMAC-SHA1"), ("SignatureVersion", "1.0")];

    #[test]
    fn the_vectors_of_the_protocol_hold() {
        let ram = [
            ("Action", "CreateUser"),
            ("Version", "2015-05-01"),
            ("UserName", "test"),
            ("SignatureNonce", "6a6e0ca6-4557-11e5-86a2-b8e8563dc8d2"),
            ("Timestamp", "2015-08-18T03:15:45Z"),
        ];
        assert_eq!(signature("GET", &[&COMMON[..], &ram[..]].concat()), "kRA2cnpJVacIhDMzXnoNZG9tDCI=");
        let ims = [
            ("Action", "CreateUser"),
            ("Version", "2019-08-15"),
            ("UserPrincipalName", "test@example.onaliyun.com"),
            ("DisplayName", "test"),
            ("SignatureNonce", "3f6b4e80-56f7-11eb-a256-a9f756ea7e85"),
            ("Timestamp", "2021-01-15T06:02:28Z"),
        ];
        assert_eq!(signature("GET", &[&COMMON[..], &ims[..]].concat()), "02heLegtw4+BFamznl1Ltj+vJ4A=");
        let ecs = [
            ("Action", "DescribeDedicatedHosts"),
            ("Version", "2014-05-26"),
            ("RegionId", "cn-beijing"),
            ("SignatureNonce", "edb2b34af0af9a6d14deaf7c1a5315eb"),
            ("Timestamp", "2023-03-13T08:34:30Z"),
        ];
        assert_eq!(signature("GET", &[&COMMON[..], &ecs[..]].concat()), "9NaGiOspFP5UPcwX8Iwt2YJXXuk=");
    }

    #[test]
    fn what_is_signed_is_method_and_all_parameters_but_the_signature() {
        let signed = string_to_sign("POST", [("b", "1 2"), ("Signature", "x"), ("a", "")].into_iter());
        assert_eq!(signed, "POST&%2F&a%3D%26b%3D1%25202");
    }

    proptest! {
        #[test]
        fn any_change_breaks_the_signature(name in "[a-z]{1,4}", value in ".{0,6}", other in ".{0,6}", secret in ".{1,30}") {
            let one = string_to_sign("GET", [(name.as_str(), value.as_str())].into_iter());
            let signature = sign(&one, &secret);
            prop_assert!(is_right(&one, &secret, &signature));
            let changed = string_to_sign("GET", [(name.as_str(), other.as_str())].into_iter());
            prop_assert_eq!(is_right(&changed, &secret, &signature), value == other);
            prop_assert!(!is_right(&one.replace("GET", "POST"), &secret, &signature));
            let longer = format!("{secret}x");
            prop_assert!(!is_right(&one, &longer, &signature));
            prop_assert!(!is_right(&one, &secret, signature.get(1..).unwrap_or_default()));
        }
    }
}
