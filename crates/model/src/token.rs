//! Secrets that a browser holds: 256 random bits, of which only the SHA-256 is ever stored.

use crate::entropy::{Entropy, random_bytes};
use secrecy::{ExposeSecret as _, SecretString};

/// A bearer secret as it goes to the browser: 43 characters of base64url.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

impl Token {
    /// A fresh token.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let bytes = zeroize::Zeroizing::new(random_bytes::<32>(entropy));
        Self(data_encoding::BASE64URL_NOPAD.encode(&*bytes).into())
    }

    /// What a browser sent, if it has the shape of a token. Whether it is one, only its hash in the database tells.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 43
            && data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).is_ok_and(|bytes| bytes.len() == 32);
        well_formed.then(|| Self(text.to_owned().into()))
    }

    /// The text for the browser.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    #[test]
    fn attack_100_only_the_exact_shape_is_a_token() {
        let token = Token::generate(&OsEntropy);
        let text = token.expose();
        assert!(Token::parse(text).is_some());
        assert!(Token::parse(text.get(1..).unwrap()).is_none());
        assert!(Token::parse(&format!("{text}A")).is_none());
        assert!(Token::parse(&text.replace(char::is_alphanumeric, "*")).is_none());
        assert!(!format!("{token:?}").contains(text));
    }
}
