//! The secret that a device and the server share.
//!
//! RFC 4226 section 4 asks for 128 bits at the least and recommends 160: that is what [`Secret::generate`] makes.
//! Secrets that others made are taken from 80 bits (the shortest that authenticator apps have handed out) to 512
//! (the longest of RFC 6238). The bytes are not printed by `{:?}`, are compared in constant time and are
//! overwritten when dropped.

use std::fmt;

use data_encoding::{BASE32, BASE32_NOPAD};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// The key of the HMAC, 10 to 64 bytes.
#[derive(Clone)]
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// What [`Secret::generate`] makes: 160 bits, as RFC 4226 section 4 (R6) recommends.
    pub const GENERATED_BYTES: usize = 20;
    /// The shortest secret that is taken from elsewhere.
    pub const MIN_BYTES: usize = 10;
    /// The longest secret. None is longer than a block of any of the hashes, so HMAC never has to hash its key.
    pub const MAX_BYTES: usize = 64;
    /// Longer base32 text is refused before it is looked at; the longest secret in groups of four has 129 characters.
    pub const MAX_TEXT_BYTES: usize = 256;

    /// A new secret of [`Secret::GENERATED_BYTES`] bytes. `fill` overwrites them all with unpredictable ones.
    #[must_use]
    pub fn generate(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut bytes = vec![0; Self::GENERATED_BYTES].into_boxed_slice();
        fill(&mut bytes);
        Self(SecretSlice::from(bytes))
    }

    /// The secret of these 10 to 64 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        if bytes.len() < Self::MIN_BYTES {
            return Err(SecretError::TooShort);
        }
        if bytes.len() > Self::MAX_BYTES {
            return Err(SecretError::TooLong);
        }
        Ok(Self(SecretSlice::from(bytes.to_vec())))
    }

    /// Reads a secret from base32 (RFC 4648 section 6), as a person types it: in either case, with white space and
    /// hyphens anywhere, with its padding or without.
    ///
    /// There is one text only for each secret besides that: padding must be complete where it is there, and bits
    /// beyond the last whole byte must be zero.
    pub fn from_base32(text: &str) -> Result<Self, SecretError> {
        if text.len() > Self::MAX_TEXT_BYTES {
            return Err(SecretError::TooLong);
        }
        let mut compact = Zeroizing::new(String::with_capacity(text.len()));
        compact.extend(
            text.chars()
                .filter(|&character| character != '-' && !character.is_whitespace())
                .map(|character| character.to_ascii_uppercase()),
        );
        let encoding = if compact.ends_with('=') { BASE32 } else { BASE32_NOPAD };
        let bytes = encoding.decode(compact.as_bytes()).map(Zeroizing::new).map_err(|_| SecretError::NotBase32)?;
        Self::from_bytes(&bytes)
    }

    /// The bytes themselves, for sealing them and for keying an HMAC.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// The secret in base32, upper case and without padding, as `otpauth` URIs carry it.
    #[must_use]
    pub fn to_base32(&self) -> SecretString {
        SecretString::from(BASE32_NOPAD.encode(self.expose()))
    }

    /// The secret in base32 with a space after every fourth character, for a person to type into an app.
    #[must_use]
    pub fn to_groups_of_four(&self) -> SecretString {
        let base32 = self.to_base32();
        let mut groups = Zeroizing::new(String::with_capacity(Self::MAX_TEXT_BYTES));
        for (place, character) in base32.expose_secret().chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                groups.push(' ');
            }
            groups.push(character);
        }
        SecretString::from(groups.as_str())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([REDACTED])")
    }
}

/// Why something is no secret. None of them repeats any of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Fewer than [`Secret::MIN_BYTES`] bytes: whoever made the secret made it guessable.
    #[error("the secret is shorter than {} bytes", Secret::MIN_BYTES)]
    TooShort,
    /// More than [`Secret::MAX_BYTES`] bytes, or more text than [`Secret::MAX_TEXT_BYTES`].
    #[error("the secret is longer than {} bytes", Secret::MAX_BYTES)]
    TooLong,
    /// The text has a character that base32 has not, or has been cut off.
    #[error("the secret is not base32")]
    NotBase32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BYTES: &[u8] = b"12345678901234567890";
    const TEXT: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn v10_setup_keys_are_read_as_people_type_them() {
        let expected = Secret::from_bytes(BYTES).unwrap();
        for text in [
            TEXT,
            "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
            "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
            " GEZD-GNBV-GY3T-QOJQ\u{3000}GEZD-GNBV-GY3T-QOJQ\n",
        ] {
            assert_eq!(Secret::from_base32(text), Ok(expected.clone()), "{text:?}");
        }
    }

    #[test]
    fn v10_padding_is_optional_and_never_partial() {
        let sixteen = Secret::from_bytes(&BYTES[..16]).unwrap();
        for text in ["GEZDGNBVGY3TQOJQGEZDGNBVGY", "GEZDGNBVGY3TQOJQGEZDGNBVGY======"] {
            assert_eq!(Secret::from_base32(text), Ok(sixteen.clone()), "{text:?}");
        }
        for text in
            ["GEZDGNBVGY3TQOJQGEZDGNBVGY=", "GEZDGNBVGY3TQOJQGEZDGNBVGY=======", "GEZDGNBVGY3TQOJQ====GEZDGNBVGY======"]
        {
            assert_eq!(Secret::from_base32(text), Err(SecretError::NotBase32), "{text:?}");
        }
    }

    #[test]
    fn v10_anything_but_base32_is_refused() {
        for text in [
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ0",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ8",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ",
            "GEZDGNBVGY3TQOJQGEZDGNBVGZ",
            "GEZDGNBVGY3TQOJQ_EZDGNBVGY3TQOJQ",
            "\u{ff27}EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        ] {
            assert_eq!(Secret::from_base32(text), Err(SecretError::NotBase32), "{text:?}");
        }
    }

    #[test]
    fn secrets_outside_the_lengths_are_refused() {
        assert_eq!(Secret::from_base32(""), Err(SecretError::TooShort));
        assert_eq!(Secret::from_bytes(&[7; 9]), Err(SecretError::TooShort));
        assert!(Secret::from_bytes(&[7; 10]).is_ok());
        assert!(Secret::from_bytes(&[7; 64]).is_ok());
        assert_eq!(Secret::from_bytes(&[7; 65]), Err(SecretError::TooLong));
        assert_eq!(Secret::from_base32(&" ".repeat(257)), Err(SecretError::TooLong));
    }

    #[test]
    fn v10_the_setup_key_is_shown_in_groups_of_four() {
        let secret = Secret::from_bytes(BYTES).unwrap();
        assert_eq!(secret.to_base32().expose_secret(), TEXT);
        assert_eq!(secret.to_groups_of_four().expose_secret(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }

    #[test]
    fn v01_a_generated_secret_has_160_bits_of_the_given_randomness() {
        let secret = Secret::generate(|bytes| bytes.copy_from_slice(BYTES));
        assert_eq!(secret.expose(), BYTES);
    }

    #[test]
    fn a_secret_is_not_printed_by_accident() {
        let secret = Secret::from_bytes(BYTES).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret([REDACTED])");
    }

    proptest! {
        #[test]
        fn v10_every_secret_is_read_back_from_its_texts(bytes in prop::collection::vec(any::<u8>(), 10..=64)) {
            let secret = Secret::from_bytes(&bytes).unwrap();
            prop_assert_eq!(secret.expose(), &bytes);
            for text in [secret.to_base32(), secret.to_groups_of_four()] {
                prop_assert_eq!(Secret::from_base32(text.expose_secret()), Ok(secret.clone()));
                let lower = text.expose_secret().to_lowercase();
                prop_assert_eq!(Secret::from_base32(&lower), Ok(secret.clone()));
            }
        }

        #[test]
        fn secret_from_base32_never_panics(text in any::<String>()) {
            let _ = Secret::from_base32(&text);
        }
    }
}
