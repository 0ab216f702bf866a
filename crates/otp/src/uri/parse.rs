//! Reads `otpauth` URIs, strictly: a URI that two programs could understand differently is refused.
//!
//! The grammar is `otpauth://TYPE/LABEL?PARAMETERS`. `LABEL` is the account, or the issuer, a colon (plain or
//! percent-encoded), spaces, and the account.

use std::borrow::Cow;
use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::{KeyUri, KeyUriError, Kind};
use crate::algorithm::UnsupportedDigits;
use crate::label::{LabelError, LabelPart};
use crate::{Algorithm, Digits, Label, Period, Secret};

impl KeyUri {
    /// Reads a URI of at most [`KeyUri::MAX_BYTES`].
    ///
    /// - The scheme and the type may be in either case (RFC 3986 section 3.1 and 3.2.2), parameter names may not.
    /// - `secret` is required, for a HOTP `counter` too. `algorithm`, `digits` and `period` have the defaults of their
    ///   types. A TOTP has no `counter` and a HOTP no `period`.
    /// - The issuer is taken from the label or from its parameter; where both name one, they must agree.
    /// - No parameter stands twice, not even an unknown one. Unknown ones, as `image`, are skipped otherwise.
    /// - A plain plus sign in a parameter is refused: some read it as a space.
    pub fn parse(uri: &str) -> Result<Self, KeyUriError> {
        check_characters(uri)?;
        let (scheme, rest) = uri.split_once("://").ok_or(KeyUriError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("otpauth") {
            return Err(KeyUriError::Scheme);
        }
        let (path, query) = rest.split_once('?').ok_or(KeyUriError::MissingSecret)?;
        let (name, label) = path.split_once('/').ok_or(KeyUriError::Label(LabelError::Empty(LabelPart::Account)))?;
        let parameters = Parameters::parse(query)?;
        Ok(Self {
            kind: parameters.kind(name)?,
            label: parameters.label(label)?,
            secret: parameters.secret()?,
            algorithm: parameters.algorithm()?,
            digits: parameters.digits()?,
        })
    }
}

/// Only what a URI is made of (RFC 3986 section 2) and no broken percent-encoding; then everything can be sliced and
/// decoded without a second thought.
fn check_characters(uri: &str) -> Result<(), KeyUriError> {
    if uri.len() > KeyUri::MAX_BYTES {
        return Err(KeyUriError::TooLong);
    }
    if !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(KeyUriError::Character);
    }
    let mut after_percent = uri.split('%').skip(1).map(str::bytes);
    let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    if !after_percent.all(|mut bytes| is_hex(bytes.next()) && is_hex(bytes.next())) {
        return Err(KeyUriError::PercentEncoding);
    }
    if uri.contains('#') {
        return Err(KeyUriError::Fragment);
    }
    Ok(())
}

/// The parameters that mean something, as they stand.
#[derive(Default)]
struct Parameters<'a> {
    secret: Option<&'a str>,
    issuer: Option<&'a str>,
    algorithm: Option<&'a str>,
    digits: Option<&'a str>,
    period: Option<&'a str>,
    counter: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    fn parse(query: &'a str) -> Result<Self, KeyUriError> {
        if query.contains('+') {
            return Err(KeyUriError::PlusSign);
        }
        let mut parameters = Self::default();
        let mut seen = BTreeSet::new();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').ok_or(KeyUriError::Parameter)?;
            let name = decoded(name)?;
            match name.as_ref() {
                "" => return Err(KeyUriError::Parameter),
                "secret" => parameters.secret = Some(value),
                "issuer" => parameters.issuer = Some(value),
                "algorithm" => parameters.algorithm = Some(value),
                "digits" => parameters.digits = Some(value),
                "period" => parameters.period = Some(value),
                "counter" => parameters.counter = Some(value),
                _ => {}
            }
            if !seen.insert(name) {
                return Err(KeyUriError::RepeatedParameter);
            }
        }
        Ok(parameters)
    }

    fn kind(&self, name: &str) -> Result<Kind, KeyUriError> {
        if name.eq_ignore_ascii_case("totp") {
            if self.counter.is_some() {
                return Err(KeyUriError::MisplacedParameter);
            }
            return Ok(Kind::Totp { period: self.period()? });
        }
        if name.eq_ignore_ascii_case("hotp") {
            if self.period.is_some() {
                return Err(KeyUriError::MisplacedParameter);
            }
            let counter = self.counter.ok_or(KeyUriError::MissingCounter)?;
            let counter = number(counter)?.ok_or(KeyUriError::Counter)?;
            return Ok(Kind::Hotp { counter });
        }
        Err(KeyUriError::Kind)
    }

    fn label(&self, label: &str) -> Result<Label, KeyUriError> {
        let label = decoded(label)?;
        let (prefix, account) = match label.split_once(':') {
            Some((prefix, account)) => (Some(prefix), account.trim_start_matches(' ')),
            None => (None, label.as_ref()),
        };
        let issuer = self.issuer.map(decoded).transpose()?;
        let issuer = match (prefix, issuer.as_deref()) {
            (Some(prefix), Some(issuer)) if prefix != issuer => return Err(KeyUriError::IssuersDiffer),
            (prefix, issuer) => prefix.or(issuer),
        };
        Ok(Label::new(issuer, account)?)
    }

    fn secret(&self) -> Result<Secret, KeyUriError> {
        let text = decoded(self.secret.ok_or(KeyUriError::MissingSecret)?)?;
        let text = Zeroizing::new(text.into_owned());
        Ok(Secret::from_base32(&text)?)
    }

    fn algorithm(&self) -> Result<Algorithm, KeyUriError> {
        match self.algorithm {
            Some(name) => Ok(decoded(name)?.parse()?),
            None => Ok(Algorithm::default()),
        }
    }

    fn digits(&self) -> Result<Digits, KeyUriError> {
        let Some(digits) = self.digits else {
            return Ok(Digits::default());
        };
        let digits = number(digits)?.and_then(|digits| u8::try_from(digits).ok());
        Ok(Digits::try_from(digits.ok_or(UnsupportedDigits)?)?)
    }

    fn period(&self) -> Result<Period, KeyUriError> {
        let Some(seconds) = self.period else {
            return Ok(Period::default());
        };
        let seconds = number(seconds)?.and_then(|seconds| u16::try_from(seconds).ok());
        seconds.and_then(Period::new).ok_or(KeyUriError::Period)
    }
}

fn decoded(text: &str) -> Result<Cow<'_, str>, KeyUriError> {
    percent_decode_str(text).decode_utf8().map_err(|_| KeyUriError::PercentEncoding)
}

/// A number of decimal digits and nothing else: the parser of the standard library would take a sign as well.
fn number(text: &str) -> Result<Option<u64>, KeyUriError> {
    let text = decoded(text)?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    Ok(text.parse().ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::algorithm::UnknownAlgorithm;
    use crate::label::LabelPart::{Account, Issuer};
    use crate::secret::SecretError;

    const SECRET: &str = "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn parse(uri: &str) -> Result<KeyUri, KeyUriError> {
        KeyUri::parse(&uri.replace("SECRET", SECRET))
    }

    fn label(issuer: Option<&str>, account: &str) -> Label {
        Label::new(issuer, account).unwrap()
    }

    #[test]
    fn v05_what_others_write_is_read() {
        for (uri, expected) in [
            ("otpauth://totp/alice?SECRET", label(None, "alice")),
            ("OTPAUTH://TOTP/alice?SECRET", label(None, "alice")),
            ("otpauth://totp/Corp:alice@example.com?SECRET", label(Some("Corp"), "alice@example.com")),
            ("otpauth://totp/Corp%3Aalice?SECRET&issuer=Corp", label(Some("Corp"), "alice")),
            ("otpauth://totp/Corp:%20%20alice?SECRET", label(Some("Corp"), "alice")),
            ("otpauth://totp/alice?issuer=Big%20Corp&SECRET", label(Some("Big Corp"), "alice")),
            ("otpauth://totp/alice?SECRET&image=https%3A%2F%2Fexample.com", label(None, "alice")),
            ("otpauth://totp/a+b/c?SECRET", label(None, "a+b/c")),
        ] {
            let parsed = parse(uri).unwrap();
            assert_eq!(parsed.label, expected, "{uri}");
            assert_eq!(parsed.secret.expose(), b"12345678901234567890", "{uri}");
        }
    }

    #[test]
    fn v05_parameters_are_read_and_have_defaults() {
        let parsed = parse("otpauth://totp/alice?SECRET").unwrap();
        assert_eq!(parsed, KeyUri::totp(parsed.label.clone(), parsed.secret.clone()));

        let parsed = parse("otpauth://totp/alice?SECRET&algorithm=sha256&digits=8&period=60").unwrap();
        let period = Period::new(60).unwrap();
        assert_eq!(
            (parsed.algorithm, parsed.digits, parsed.kind),
            (Algorithm::Sha256, Digits::Eight, Kind::Totp { period })
        );

        let parsed = parse("otpauth://hotp/alice?SECRET&counter=18446744073709551615").unwrap();
        assert_eq!(parsed.kind, Kind::Hotp { counter: u64::MAX });
    }

    #[test]
    fn v05_a_padded_secret_is_read() {
        let secret = Secret::from_bytes(b"1234567890123456").unwrap();
        for padding in ["======", "%3D%3D%3D%3D%3D%3D"] {
            let uri = format!("otpauth://totp/alice?secret=gezdgnbvgy3tqojqgezdgnbvgy{padding}");
            assert_eq!(KeyUri::parse(&uri).unwrap().secret, secret);
        }
    }

    #[test]
    fn v09_what_could_be_read_in_two_ways_is_refused() {
        let long = format!("otpauth://totp/alice?SECRET&x={}", "x".repeat(2048));
        for (uri, reason) in [
            ("", KeyUriError::Scheme),
            ("https://totp/alice?SECRET", KeyUriError::Scheme),
            ("otpauth:totp/alice?SECRET", KeyUriError::Scheme),
            ("otpauth://steam/alice?SECRET", KeyUriError::Kind),
            ("otpauth://user@totp/alice?SECRET", KeyUriError::Kind),
            ("otpauth://totp:443/alice?SECRET", KeyUriError::Kind),
            ("otpauth://totp?SECRET", LabelError::Empty(Account).into()),
            ("otpauth://totp/?SECRET", LabelError::Empty(Account).into()),
            ("otpauth://totp/:alice?SECRET", LabelError::Empty(Issuer).into()),
            ("otpauth://totp/Corp:?SECRET", LabelError::Empty(Account).into()),
            ("otpauth://totp/Corp:a%3Ab?SECRET", LabelError::Colon(Account).into()),
            ("otpauth://totp/alice?SECRET&issuer=a:b", LabelError::Colon(Issuer).into()),
            ("otpauth://totp/alice?SECRET&issuer=", LabelError::Empty(Issuer).into()),
            ("otpauth://totp/a%00b?SECRET", LabelError::ControlCharacter(Account).into()),
            ("otpauth://totp/Corp:alice?SECRET&issuer=corp", KeyUriError::IssuersDiffer),
            ("otpauth://totp/alice?SECRET&issuer=Big+Corp", KeyUriError::PlusSign),
            ("otpauth://totp/alice?SECRET#x", KeyUriError::Fragment),
            ("otpauth://totp/al ice?SECRET", KeyUriError::Character),
            ("otpauth://totp/\u{e9}?SECRET", KeyUriError::Character),
            ("otpauth://totp/alice%2?SECRET", KeyUriError::PercentEncoding),
            ("otpauth://totp/alice?SECRET&x=%zz", KeyUriError::PercentEncoding),
            ("otpauth://totp/%ff?SECRET", KeyUriError::PercentEncoding),
            (&long, KeyUriError::TooLong),
        ] {
            assert_eq!(parse(uri), Err(reason), "{uri}");
        }
    }

    #[test]
    fn v09_wrong_parameters_are_refused() {
        for (query, reason) in [
            ("", KeyUriError::Parameter),
            ("issuer=Corp", KeyUriError::MissingSecret),
            ("SECRET&", KeyUriError::Parameter),
            ("SECRET&x", KeyUriError::Parameter),
            ("SECRET&=x", KeyUriError::Parameter),
            ("SECRET&SECRET", KeyUriError::RepeatedParameter),
            ("SECRET&%73ecret=AAAA", KeyUriError::RepeatedParameter),
            ("SECRET&x=1&x=1", KeyUriError::RepeatedParameter),
            ("secret=", SecretError::TooShort.into()),
            ("secret=GEZDGNBVGY3TQOJ1", SecretError::NotBase32.into()),
            ("Secret=GEZDGNBVGY3TQOJQ", KeyUriError::MissingSecret),
            ("SECRET&algorithm=MD5", UnknownAlgorithm.into()),
            ("SECRET&digits=9", UnsupportedDigits.into()),
            ("SECRET&digits=262", UnsupportedDigits.into()),
            ("SECRET&digits=%2B6", UnsupportedDigits.into()),
            ("SECRET&period=0", KeyUriError::Period),
            ("SECRET&period=3601", KeyUriError::Period),
            ("SECRET&period=", KeyUriError::Period),
            ("SECRET&period=-30", KeyUriError::Period),
            ("SECRET&counter=1", KeyUriError::MisplacedParameter),
        ] {
            assert_eq!(parse(&format!("otpauth://totp/alice?{query}")), Err(reason), "{query}");
        }
        for (query, reason) in [
            ("SECRET", KeyUriError::MissingCounter),
            ("SECRET&counter=x", KeyUriError::Counter),
            ("SECRET&counter=18446744073709551616", KeyUriError::Counter),
            ("SECRET&counter=1&period=30", KeyUriError::MisplacedParameter),
        ] {
            assert_eq!(parse(&format!("otpauth://hotp/alice?{query}")), Err(reason), "{query}");
        }
        assert_eq!(parse("otpauth://totp/alice"), Err(KeyUriError::MissingSecret));
    }

    proptest! {
        #[test]
        fn key_uri_parse_never_panics(text in any::<String>()) {
            let _ = KeyUri::parse(&text);
        }

        #[test]
        fn v09_what_is_read_is_written_and_read_again(
            label in "[a-z]{0,3}(:|%3A|%3a)?(%20)*[a-z%:0-9/+]{0,5}",
            query in "(&(issuer=[a-z]{1,4}|digits=[678]|period=[0-9]{1,4}|x=[%20a]{0,3})){0,3}",
        ) {
            if let Ok(read) = KeyUri::parse(&format!("otpauth://totp/{label}?{SECRET}{query}")) {
                                prop_assert_eq!(KeyUri::parse(read.to_uri().expose_secret()), Ok(read));
            }
        }
    }
}
