//! Whose code it is: the issuer and the account that an app shows beside it.
//!
//! The two stand in the path of an `otpauth` URI with a colon between them, and readers differ on whether they split
//! before or after percent-decoding. A colon in either could therefore be read in two ways, and is refused.

use std::fmt;

use thiserror::Error;

/// An issuer, which may be absent, and an account. Every label can be written into a URI and is read back the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    issuer: Option<String>,
    account: String,
}

impl Label {
    /// The longest issuer in bytes.
    pub const MAX_ISSUER_BYTES: usize = 128;
    /// The longest account in bytes.
    pub const MAX_ACCOUNT_BYTES: usize = 256;

    /// The label of `account` at `issuer`. Neither may be empty, too long, begin or end with white space, or hold a
    /// colon or a control character.
    pub fn new(issuer: Option<&str>, account: &str) -> Result<Self, LabelError> {
        if let Some(issuer) = issuer {
            check(LabelPart::Issuer, issuer, Self::MAX_ISSUER_BYTES)?;
        }
        check(LabelPart::Account, account, Self::MAX_ACCOUNT_BYTES)?;
        Ok(Self { issuer: issuer.map(str::to_owned), account: account.to_owned() })
    }

    /// Who issued the secret: the name of the service.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whose secret it is: the name of the user.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }
}

fn check(part: LabelPart, text: &str, max_bytes: usize) -> Result<(), LabelError> {
    if text.is_empty() {
        return Err(LabelError::Empty(part));
    }
    if text.len() > max_bytes {
        return Err(LabelError::TooLong(part));
    }
    if text.contains(':') {
        return Err(LabelError::Colon(part));
    }
    if text.contains(char::is_control) {
        return Err(LabelError::ControlCharacter(part));
    }
    // As a segment of a path they mean something else (RFC 3986 section 5.2.4), written with percent signs or not.
    if matches!(text, "." | "..") {
        return Err(LabelError::Dots(part));
    }
    if text.trim() != text {
        return Err(LabelError::OuterSpace(part));
    }
    Ok(())
}

/// Why a label cannot be written, each with the part that whoever named it has to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LabelError {
    /// There is nothing in it.
    #[error("the {0} is empty")]
    Empty(LabelPart),
    /// It has more bytes than [`Label::MAX_ISSUER_BYTES`] or [`Label::MAX_ACCOUNT_BYTES`].
    #[error("the {0} is too long")]
    TooLong(LabelPart),
    /// It has a colon, which separates the issuer from the account.
    #[error("the {0} has a colon in it")]
    Colon(LabelPart),
    /// It has a character that nothing can show.
    #[error("the {0} has a control character in it")]
    ControlCharacter(LabelPart),
    /// It is `.` or `..`, which readers of URIs leave out.
    #[error("the {0} is nothing but dots")]
    Dots(LabelPart),
    /// It begins or ends with white space, which readers cut off.
    #[error("the {0} begins or ends with white space")]
    OuterSpace(LabelPart),
}

/// One of the two parts of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelPart {
    /// The name of the service.
    Issuer,
    /// The name of the user.
    Account,
}

impl fmt::Display for LabelPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Issuer => "issuer",
            Self::Account => "account",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v11_user_names_of_every_script_are_labels() {
        for (issuer, account) in [
            (None, "alice"),
            (Some("Countersign"), "alice@example.com"),
            (Some("Big Corp & Söhne / 50 %"), "a+b=c?d#e"),
            (Some("\u{963f}\u{91cc}"), "\u{7528}\u{6237}@\u{4f01}\u{4e1a}"),
        ] {
            let label = Label::new(issuer, account).unwrap();
            assert_eq!((label.issuer(), label.account()), (issuer, account));
        }
    }

    #[test]
    fn v11_what_would_be_read_otherwise_is_refused() {
        use LabelPart::{Account, Issuer};
        let (long_issuer, long_account) = ("x".repeat(129), "x".repeat(257));
        for (issuer, account, reason) in [
            (None, "", LabelError::Empty(Account)),
            (Some(""), "alice", LabelError::Empty(Issuer)),
            (Some("a:b"), "alice", LabelError::Colon(Issuer)),
            (None, "a:b", LabelError::Colon(Account)),
            (None, "a\nb", LabelError::ControlCharacter(Account)),
            (Some("\u{0}"), "alice", LabelError::ControlCharacter(Issuer)),
            (None, " alice", LabelError::OuterSpace(Account)),
            (None, ".", LabelError::Dots(Account)),
            (Some(".."), "alice", LabelError::Dots(Issuer)),
            (Some("corp\u{3000}"), "alice", LabelError::OuterSpace(Issuer)),
            (None, &long_account, LabelError::TooLong(Account)),
            (Some(&long_issuer), "alice", LabelError::TooLong(Issuer)),
        ] {
            assert_eq!(Label::new(issuer, account), Err(reason), "{issuer:?} {account:?}");
        }
    }
}
