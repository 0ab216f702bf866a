//! What can be wrong with an `otpauth` URI.

use thiserror::Error;

use super::KeyUri;
use crate::algorithm::{UnknownAlgorithm, UnsupportedDigits};
use crate::label::LabelError;
use crate::secret::SecretError;
use crate::step::Period;

/// Why a text is no `otpauth` URI: whoever wrote it is at fault. No variant repeats any of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyUriError {
    /// It is longer than [`KeyUri::MAX_BYTES`].
    #[error("the URI is longer than {} bytes", KeyUri::MAX_BYTES)]
    TooLong,
    /// It has a character that no URI may have.
    #[error("the URI has a character that must be percent-encoded")]
    Character,
    /// It has a percent sign without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("the percent-encoding of the URI is broken")]
    PercentEncoding,
    /// It has a fragment.
    #[error("the URI has a fragment")]
    Fragment,
    /// It does not begin with `otpauth://`.
    #[error("the URI does not begin with otpauth://")]
    Scheme,
    /// It is for another type of code.
    #[error("the type of the URI is neither totp nor hotp")]
    Kind,
    /// Its label cannot be used.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// Its label names one issuer and its parameter another.
    #[error("the issuer in the label and the issuer parameter differ")]
    IssuersDiffer,
    /// A parameter has no name or no equals sign.
    #[error("a parameter is not of the form name=value")]
    Parameter,
    /// A parameter stands twice.
    #[error("a parameter is repeated")]
    RepeatedParameter,
    /// A parameter has a plain plus sign, which may or may not mean a space.
    #[error("a parameter has a plus sign that is not percent-encoded")]
    PlusSign,
    /// There is no secret.
    #[error("there is no secret parameter")]
    MissingSecret,
    /// The secret cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The hash is unknown.
    #[error(transparent)]
    Algorithm(#[from] UnknownAlgorithm),
    /// The number of digits is not supported.
    #[error(transparent)]
    Digits(#[from] UnsupportedDigits),
    /// The period is no number of seconds from 1 to [`Period::MAX_SECONDS`].
    #[error("the period is not between 1 and {} seconds", Period::MAX_SECONDS)]
    Period,
    /// The counter is no number of 64 bits.
    #[error("the counter is not a number of 64 bits")]
    Counter,
    /// A HOTP has no counter.
    #[error("a hotp URI needs a counter parameter")]
    MissingCounter,
    /// A HOTP has a period, or a TOTP a counter.
    #[error("a hotp URI has no period, and a totp URI no counter")]
    MisplacedParameter,
}
