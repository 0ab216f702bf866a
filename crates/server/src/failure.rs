//! Why a command did not do what it was asked, in one line for the operator that says what to do.

use countersign_core::keyring::KeyRingError;
use countersign_core::keyring::bundle::BundleError;
use countersign_core::{Error, Limit, Refusal};
use countersign_store::StoreError;
use countersign_store::copies::CopyError;

/// A command that failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if let StoreError::AlreadyServed { .. } = error {
            return Self(format!("{error}: stop it first, or choose another folder with --data"));
        }
        Self(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused { refusal, .. } => Self(explain(refusal)),
            Error::Unavailable(what) => Self(format!("{what}. Try again in a moment")),
            Error::ClockBehind => {
                Self("the clock lies behind a time that was already seen: set the clock of this machine right; `countersign doctor` says more".into())
            }
            Error::ProofRequired(_) => Self("this can only be done by somebody who is logged on".into()),
            Error::Fault(what) => Self(what),
        }
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Store(error) => error.into(),
            other @ (CopyError::Exists(_) | CopyError::Files(..) | CopyError::Foreign(..) | CopyError::Damaged(..)) => {
                Self(other.to_string())
            }
        }
    }
}

impl From<KeyRingError> for Failure {
    fn from(error: KeyRingError) -> Self {
        Self(error.to_string())
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        Self(error.to_string())
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self(error.to_string())
    }
}

/// What the operator's commands can be refused for, and what to do then.
fn explain(refusal: Refusal) -> String {
    let sentence = if refusal == Refusal::AliasExists {
        "there is an account of this alias already: choose another one; `countersign account list` shows what there is"
    } else if refusal == Refusal::EmailExists {
        "this email address belongs to the owner of another account: an owner has one account, choose another address"
    } else if refusal == Refusal::AccountNotFound {
        "there is no such account: `countersign account list` shows aliases and ids"
    } else if refusal == Refusal::UserNotFound {
        "there is no such user in this account: give the user name alone, as the console lists it. The owner is no user"
    } else if refusal == Refusal::PasswordTooWeak {
        "the password is too weak: take 8 to 128 characters, at least four different ones, without the name it is for"
    } else if refusal == Refusal::MfaNotBound {
        "the owner of this account has no MFA device bound: there is nothing to take off"
    } else if refusal == Refusal::LimitExceeded(Limit::AccessKeys) {
        "there are two AccessKeys already, and nobody has more: delete one in the console before you make another"
    } else {
        return format!("refused: {refusal}");
    };
    sentence.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        for refusal in [
            Refusal::AliasExists,
            Refusal::EmailExists,
            Refusal::AccountNotFound,
            Refusal::UserNotFound,
            Refusal::PasswordTooWeak,
            Refusal::MfaNotBound,
            Refusal::LimitExceeded(Limit::AccessKeys),
            Refusal::NoPermission,
        ] {
            let text = Failure::from(Error::from(refusal)).to_string();
            assert!(!text.is_empty() && !text.contains('\n'), "{text}");
        }
    }
}
