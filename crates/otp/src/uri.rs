//! `otpauth` URIs: how a secret gets from a QR code into an app.
//!
//! There is no RFC for them; the form is that of the Key URI Format of Google Authenticator, which every app reads.
//! What is written here avoids all that readers differ on: everything but unreserved characters (RFC 3986 section
//! 2.3) is percent-encoded, a space never becomes a plus sign, and no parameter is left to a default. What is read is
//! held to the same: see [`KeyUri::parse`], in the file `uri/parse.rs`.

mod error;
mod parse;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

pub use self::error::KeyUriError;
use crate::{Algorithm, Digits, Label, Period, Secret, Totp};

/// A secret with all that an app has to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUri {
    /// What the app shows beside the code.
    pub label: Label,
    /// The key of the codes.
    pub secret: Secret,
    /// What moves the codes on.
    pub kind: Kind,
    /// The hash under the HMAC.
    pub algorithm: Algorithm,
    /// How many digits a code has.
    pub digits: Digits,
}

impl KeyUri {
    /// The longest URI that is read, in bytes. No URI that is written comes near it.
    pub const MAX_BYTES: usize = 2048;

    /// What every app can read: a TOTP with SHA-1, six digits and thirty seconds.
    #[must_use]
    pub fn totp(label: Label, secret: Secret) -> Self {
        Self {
            label,
            secret,
            kind: Kind::Totp { period: Period::default() },
            algorithm: Algorithm::default(),
            digits: Digits::default(),
        }
    }

    /// The codes of the secret, or `None` when a counter moves them on.
    #[must_use]
    pub fn to_totp(&self) -> Option<Totp> {
        match self.kind {
            Kind::Totp { period } => Some(Totp::with(&self.secret, self.algorithm, self.digits, period)),
            Kind::Hotp { .. } => None,
        }
    }

    /// Writes the URI. It carries the secret.
    #[must_use]
    pub fn to_uri(&self) -> SecretString {
        // With room enough from the start, no copy of the secret is left behind by growing.
        let mut uri = Zeroizing::new(String::with_capacity(Self::MAX_BYTES));
        uri.push_str("otpauth://");
        uri.push_str(self.kind.name());
        uri.push('/');
        if let Some(issuer) = self.label.issuer() {
            uri.extend(encoded(issuer));
            uri.push(':');
        }
        uri.extend(encoded(self.label.account()));
        uri.push_str("?secret=");
        uri.push_str(self.secret.to_base32().expose_secret());
        if let Some(issuer) = self.label.issuer() {
            uri.push_str("&issuer=");
            uri.extend(encoded(issuer));
        }
        uri.push_str("&algorithm=");
        uri.push_str(self.algorithm.name());
        uri.push_str("&digits=");
        uri.push_str(&self.digits.to_string());
        match self.kind {
            Kind::Totp { period } => {
                uri.push_str("&period=");
                uri.push_str(&period.seconds().to_string());
            }
            Kind::Hotp { counter } => {
                uri.push_str("&counter=");
                uri.push_str(&counter.to_string());
            }
        }
        SecretString::from(uri.as_str())
    }
}

/// What moves the codes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Time (RFC 6238).
    Totp {
        /// How long a code lasts.
        period: Period,
    },
    /// A counter that the device and the server keep (RFC 4226).
    Hotp {
        /// The counter of the first code.
        counter: u64,
    },
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Totp { .. } => "totp",
            Self::Hotp { .. } => "hotp",
        }
    }
}

/// All but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(text: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret() -> Secret {
        Secret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn v09_the_uri_leaves_nothing_to_defaults() {
        let label = Label::new(Some("Big Corp"), "alice+1@example.com").unwrap();
        assert_eq!(
            KeyUri::totp(label, secret()).to_uri().expose_secret(),
            "otpauth://totp/Big%20Corp:alice%2B1%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Big%20Corp&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn v09_a_counter_and_a_missing_issuer_are_written_as_such() {
        let uri = KeyUri {
            kind: Kind::Hotp { counter: 7 },
            algorithm: Algorithm::Sha512,
            digits: Digits::Eight,
            ..KeyUri::totp(Label::new(None, "alice").unwrap(), secret())
        };
        assert_eq!(
            uri.to_uri().expose_secret(),
            "otpauth://hotp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA512&digits=8&counter=7"
        );
        assert!(uri.to_totp().is_none());
    }

    #[test]
    fn v09_the_longest_uri_can_be_read() {
        let widest = "\u{10ffff}";
        let uri = KeyUri {
            kind: Kind::Hotp { counter: u64::MAX },
            algorithm: Algorithm::Sha512,
            ..KeyUri::totp(
                Label::new(Some(&widest.repeat(32)), &widest.repeat(64)).unwrap(),
                Secret::from_bytes(&[0xff; 64]).unwrap(),
            )
        };
        let text = uri.to_uri();
        assert!(text.expose_secret().len() <= KeyUri::MAX_BYTES);
        assert_eq!(KeyUri::parse(text.expose_secret()), Ok(uri));
    }

    #[test]
    fn a_key_uri_is_not_printed_by_accident() {
        let uri = KeyUri::totp(Label::new(None, "alice").unwrap(), secret());
        assert!(format!("{uri:?}").contains("secret: Secret([REDACTED])"));
        assert!(!format!("{:?}", uri.to_uri()).contains("GEZD"));
    }

    fn any_name() -> impl Strategy<Value = String> {
        "\\PC{1,30}".prop_filter("is a part of a label", |name| Label::new(Some(name), name).is_ok())
    }

    fn any_key_uri() -> impl Strategy<Value = KeyUri> {
        let kind = prop_oneof![
            (1u16..=3600).prop_map(|seconds| Kind::Totp { period: Period::new(seconds).unwrap() }),
            any::<u64>().prop_map(|counter| Kind::Hotp { counter }),
        ];
        (
            (prop::option::of(any_name()), any_name()),
            prop::collection::vec(any::<u8>(), 10..=64),
            kind,
            prop::sample::select(Algorithm::ALL.to_vec()),
            prop::sample::select(Digits::ALL.to_vec()),
        )
            .prop_map(|((issuer, account), secret, kind, algorithm, digits)| KeyUri {
                label: Label::new(issuer.as_deref(), &account).unwrap(),
                secret: Secret::from_bytes(&secret).unwrap(),
                kind,
                algorithm,
                digits,
            })
    }

    proptest! {
        #[test]
        fn v09_every_uri_that_is_written_is_read_back(uri in any_key_uri()) {
            let text = uri.to_uri();
            prop_assert!(text.expose_secret().len() <= KeyUri::MAX_BYTES);
            prop_assert!(!text.expose_secret().contains(['+', ' ']));
            prop_assert_eq!(KeyUri::parse(text.expose_secret()), Ok(uri));
        }

        #[test]
        fn v04_v05_another_implementation_reads_the_same_codes(uri in any_key_uri(), second in 0u64..=1 << 40) {
            let Some(totp) = uri.to_totp() else { return Ok(()) };
            let theirs = totp_rs::Totp::from_url_unchecked(uri.to_uri().expose_secret()).unwrap();
            prop_assert_eq!(theirs.issuer(), uri.label.issuer());
            prop_assert_eq!(theirs.account_name(), uri.label.account());
            let code = totp.code_at(totp.step_at(second)).expose();
            prop_assert_eq!(theirs.generate(second).to_string(), code.expose_secret());
        }
    }
}
