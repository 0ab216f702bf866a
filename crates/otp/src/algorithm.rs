//! The two choices that a device and a server must share besides the secret: the hash under the HMAC
//! (RFC 6238 section 1.2) and how many digits of its result a person types (RFC 4226 section 5.3).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use zeroize::DefaultIsZeroes;

/// The hash function under the HMAC.
///
/// SHA-1 is the default because it is what every authenticator app computes; HMAC does not rest on the collision
/// resistance that SHA-1 has lost (RFC 4226 appendix B.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// HMAC-SHA-1, the one of RFC 4226.
    #[default]
    Sha1,
    /// HMAC-SHA-256, added by RFC 6238.
    Sha256,
    /// HMAC-SHA-512, added by RFC 6238.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, weakest first.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name that the `algorithm` parameter of an `otpauth` URI carries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Reads a [name](Algorithm::name) in upper or lower case.
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name)).ok_or(UnknownAlgorithm)
    }
}

/// The caller's program, or the URI it was given, names a hash that no one-time password uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the algorithm is none of SHA1, SHA256 and SHA512")]
pub struct UnknownAlgorithm;

/// How many decimal digits a code has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Digits {
    /// Six digits: what authenticator apps show unless told otherwise.
    #[default]
    Six,
    /// Seven digits.
    Seven,
    /// Eight digits: the most that the 31 bits of a truncated HMAC fill evenly (RFC 4226 section 5.3).
    Eight,
}

/// `Six`, so that a zeroed [`Code`](crate::Code) is a code of nothing but zeros.
impl DefaultIsZeroes for Digits {}

impl Digits {
    /// Every length, shortest first.
    pub const ALL: [Self; 3] = [Self::Six, Self::Seven, Self::Eight];

    /// The length as a number, 6 to 8.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::Six => 6,
            Self::Seven => 7,
            Self::Eight => 8,
        }
    }

    /// The last `count` decimal digits of `number`.
    ///
    /// Each modulus is a constant, which the compiler divides by with a multiplication: the time of a division
    /// instruction may depend on the number, which is secret here.
    pub(crate) const fn last_of(self, number: u32) -> u32 {
        match self {
            Self::Six => number % 1_000_000,
            Self::Seven => number % 10_000_000,
            Self::Eight => number % 100_000_000,
        }
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.count().fmt(f)
    }
}

impl TryFrom<u8> for Digits {
    type Error = UnsupportedDigits;

    fn try_from(count: u8) -> Result<Self, UnsupportedDigits> {
        Self::ALL.into_iter().find(|digits| digits.count() == count).ok_or(UnsupportedDigits)
    }
}

/// The caller's program, or the URI it was given, asks for codes of a length outside RFC 4226.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a code has 6, 7 or 8 digits")]
pub struct UnsupportedDigits;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v01_algorithm_names_are_read_back_in_any_case() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
            assert_eq!(algorithm.to_string().to_lowercase().parse(), Ok(algorithm));
        }
        for unknown in ["", "MD5", "SHA-1", "SHA1 ", "SHA2"] {
            assert_eq!(unknown.parse::<Algorithm>(), Err(UnknownAlgorithm), "{unknown:?}");
        }
    }

    #[test]
    fn v02_codes_have_six_digits_unless_told_otherwise() {
        assert_eq!(Digits::default().count(), 6);
        for digits in Digits::ALL {
            assert_eq!(Digits::try_from(digits.count()), Ok(digits));
            assert_eq!(digits.to_string(), digits.count().to_string());
        }
        for count in [0, 5, 9, 255] {
            assert_eq!(Digits::try_from(count), Err(UnsupportedDigits));
        }
    }
}
