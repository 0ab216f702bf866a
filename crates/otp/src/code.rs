//! One code: six to eight digits that a person typed or that a device shows.
//!
//! A code is a password for as long as it lasts. It is not printed by `{:?}`, has no `Display`, is compared in
//! constant time and is overwritten when dropped.

use std::fmt;

use secrecy::SecretString;
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Digits;

/// A one-time password of 6 to 8 digits.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code {
    /// Less than ten to the power of `digits`.
    value: u32,
    digits: Digits,
}

impl Code {
    /// Longer input is refused before it is looked at. Eight full-width digits with a wide space after each are 48.
    pub const MAX_INPUT_BYTES: usize = 64;

    /// Reads what a person typed or pasted.
    ///
    /// White space of every kind is dropped wherever it stands (apps show `123 456`, input methods type U+3000),
    /// and the full-width digits U+FF10 to U+FF19 count as digits. What is left must be exactly `digits` digits.
    pub fn parse(typed: &str, digits: Digits) -> Result<Self, CodeError> {
        if typed.len() > Self::MAX_INPUT_BYTES {
            return Err(CodeError::TooLong);
        }
        let wrong_length = CodeError::WrongLength { expected: digits.count() };
        let mut value = 0;
        let mut count = 0;
        for character in typed.chars().filter(|&character| !is_space(character)) {
            let digit = digit_value(character).ok_or(CodeError::NotDigits)?;
            if count == digits.count() {
                return Err(wrong_length);
            }
            value = value * 10 + digit;
            count += 1;
        }
        if count < digits.count() {
            return Err(wrong_length);
        }
        Ok(Self { value, digits })
    }

    /// The code that is `value` in decimal with leading zeros, or `None` when `value` does not fit into `digits`.
    #[must_use]
    pub fn new(value: u32, digits: Digits) -> Option<Self> {
        (digits.last_of(value) == value).then_some(Self { value, digits })
    }

    /// The last `digits` digits of `number` (RFC 4226 section 5.3, step 3).
    pub(crate) fn last_digits_of(number: u32, digits: Digits) -> Self {
        Self { value: digits.last_of(number), digits }
    }

    /// How many digits the code has.
    #[must_use]
    pub fn digits(&self) -> Digits {
        self.digits
    }

    /// The code as text with its leading zeros. It is called where a code is shown, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> SecretString {
        let width = usize::from(self.digits.count());
        let text = Zeroizing::new(format!("{:0width$}", self.value));
        SecretString::from(text.as_str())
    }
}

/// The two lengths are no secret, the two values are: nothing here depends on where they differ.
impl ConstantTimeEq for Code {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.value.ct_eq(&other.value) & self.digits.count().ct_eq(&other.digits.count())
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code([REDACTED])")
    }
}

/// Why what was typed is no code: each is the person's to mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodeError {
    /// The input is longer than [`Code::MAX_INPUT_BYTES`].
    #[error("a code was expected, and the input is far longer than one")]
    TooLong,
    /// There is something else than digits and white space in it.
    #[error("a code has only digits")]
    NotDigits,
    /// There are too few digits, or too many.
    #[error("a code of {expected} digits was expected")]
    WrongLength {
        /// How many digits the device shows.
        expected: u8,
    },
}

/// White space as Unicode has it, and the characters of no width that come along when a code is copied.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn digit_value(character: char) -> Option<u32> {
    match character {
        '0'..='9' => Some(u32::from(character) - u32::from('0')),
        '\u{ff10}'..='\u{ff19}' => Some(u32::from(character) - u32::from('\u{ff10}')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    const SPACES: [&str; 8] = ["", " ", "\t", "\u{a0}", "\u{2009}", "\u{3000}", "\u{200b}", "\u{feff}"];

    #[test]
    fn v02_what_is_typed_is_normalised_before_it_is_judged() {
        let expected = Code::new(12_345, Digits::Six).unwrap();
        for typed in [
            "012345",
            "012 345",
            "  012345\r\n",
            "0\u{3000}1\u{3000}2\u{3000}3\u{3000}4\u{3000}5",
            "\u{ff10}\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}",
            "\u{feff}012\u{a0}345\u{200b}",
        ] {
            assert_eq!(Code::parse(typed, Digits::Six), Ok(expected.clone()), "{typed:?}");
        }
    }

    #[test]
    fn v02_what_is_no_code_is_refused_with_its_reason() {
        let short = CodeError::WrongLength { expected: 6 };
        for (typed, reason) in [
            ("", short),
            ("12345", short),
            ("1234567", short),
            ("12345a", CodeError::NotDigits),
            ("-12345", CodeError::NotDigits),
            ("+12345", CodeError::NotDigits),
            ("123-456", CodeError::NotDigits),
            ("\u{661}23456", CodeError::NotDigits),
        ] {
            assert_eq!(Code::parse(typed, Digits::Six), Err(reason), "{typed:?}");
        }
    }

    #[test]
    fn v02_input_beyond_the_limit_is_refused_before_it_is_looked_at() {
        let padded = |bytes: usize| format!("123456{}", " ".repeat(bytes - 6));
        assert!(Code::parse(&padded(Code::MAX_INPUT_BYTES), Digits::Six).is_ok());
        assert_eq!(Code::parse(&padded(Code::MAX_INPUT_BYTES + 1), Digits::Six), Err(CodeError::TooLong));
    }

    #[test]
    fn v02_a_value_with_more_digits_is_no_code() {
        assert!(Code::new(999_999, Digits::Six).is_some());
        assert!(Code::new(1_000_000, Digits::Six).is_none());
        assert!(Code::new(99_999_999, Digits::Eight).is_some());
    }

    #[test]
    fn codes_of_different_lengths_are_different() {
        assert_ne!(Code::new(1, Digits::Six), Code::new(1, Digits::Seven));
    }

    #[test]
    fn a_code_is_not_printed_by_accident() {
        let code = Code::new(123_456, Digits::Six).unwrap();
        assert_eq!(format!("{code:?}"), "Code([REDACTED])");
        assert!(!format!("{:?}", code.expose()).contains("123456"));
    }

    #[test]
    fn a_code_is_overwritten() {
        let mut code = Code::new(12_345_678, Digits::Eight).unwrap();
        code.zeroize();
        assert_eq!(code, Code::new(0, Digits::Six).unwrap());
    }

    proptest! {
        #[test]
        fn v02_any_spacing_and_width_of_digits_reads_as_the_same_code(
            value in 0u32..100_000_000,
            length in 0usize..3,
            wide in prop::collection::vec(any::<bool>(), 8),
            spaces in prop::collection::vec(0usize..SPACES.len(), 8),
        ) {
            let digits = Digits::ALL[length];
            let code = Code::last_digits_of(value, digits);
            let mut typed = String::new();
            for (place, digit) in code.expose().expose_secret().chars().enumerate() {
                typed.push_str(SPACES[spaces[place]]);
                let shift = if wide[place] { 0xff10 - u32::from('0') } else { 0 };
                typed.push(char::from_u32(u32::from(digit) + shift).unwrap());
            }
            prop_assert_eq!(Code::parse(&typed, digits), Ok(code));
        }

        #[test]
        fn code_parse_never_panics(typed in any::<String>(), length in 0usize..3) {
            let _ = Code::parse(&typed, Digits::ALL[length]);
        }
    }
}
