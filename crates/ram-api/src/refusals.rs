//! What core refuses, in the words of the protocol.

use crate::error::ApiError;
use countersign_core::ram::words::{message_of, told};
use countersign_core::{Error, Refusal};

/// The answer to what core did not do.
pub(crate) fn api_error(error: &Error) -> ApiError {
    match error {
        Error::Refused { refusal, .. } => of_refusal(*refusal),
        // Nobody asks a program to prove who it is; should it ever happen, it is not done.
        Error::ProofRequired(_) => ApiError::no_permission(),
        Error::Unavailable(why) => {
            tracing::warn!(why, "a signed call could not be served");
            ApiError::unavailable()
        }
        Error::ClockBehind => {
            tracing::error!("a signed call was refused: the clock is behind a time already seen");
            ApiError::unavailable()
        }
        Error::Fault(fault) => {
            tracing::error!(fault, "a signed call failed");
            ApiError::internal()
        }
    }
}

fn of_refusal(refusal: Refusal) -> ApiError {
    use Refusal as R;
    match refusal {
        R::CallOutOfTime => ApiError::timestamp_expired(),
        R::NonceUsed => ApiError::nonce_used(),
        R::SigningKeyNotFound => ApiError::access_key_not_found(),
        R::AccessKeyInactive => ApiError::access_key_inactive(),
        R::NotLoggedOn | R::NoPermission | R::Oneself => ApiError::no_permission(),
        R::TooManyBindings => ApiError::throttled(),
        R::Invalid(code) => of_code(code),
        R::WrongCode
        | R::UserNotFound
        | R::UserExists
        | R::AliasExists
        | R::EmailExists
        | R::AccountNotFound
        | R::PasswordTooWeak
        | R::PasswordUnchanged
        | R::PasswordUsedBefore
        | R::OldPasswordIncorrect
        | R::MfaAlreadyBound
        | R::MfaNotBound
        | R::NoPassword
        | R::AccessKeyNotFound
        | R::MfaDeviceNotFound
        | R::MfaDeviceExists
        | R::MfaDeviceTaken
        | R::LoginProfileExists
        | R::ContactNotFound
        | R::PasskeyNotFound
        | R::OnlyForUsers
        | R::NoCredentialReport
        | R::GroupNotFound
        | R::GroupExists
        | R::NotInGroup
        | R::AlreadyInGroup
        | R::PolicyNotFound
        | R::PolicyExists
        | R::PolicyVersionNotFound
        | R::UserPolicyNotFound
        | R::UserPolicyExists
        | R::GroupPolicyNotFound
        | R::GroupPolicyExists
        | R::LimitExceeded(_)
        | R::DeleteConflict(_)
        | R::MfaRequired
        | R::SettingsChanged
        | R::NoAdministratorPath
        | R::KeyExists
        | R::OtherMfaTypeBound
        // What no signed call can meet.
        | R::KeyNotAccepted
        | R::KeyNotAllowed
        | R::KeyDisowned
        | R::KeyRestored
        | R::NoKeyUsable
        | R::LastUsableFactor
        | R::KeyUnknown
        | R::TooManyKeys
        | R::CeremonyOver
        | R::LogonOver
        | R::WrongCredentials
        | R::PasswordsDiffer
        | R::BindingOver
        | R::NotConfirmed
        | R::SetUpOver
        | R::ProofOver
        | R::AlreadyEnded
        | R::NoticeOver
        | R::FindingNotFound => of_code(refusal.code()),
    }
}

/// The error of a code that core and the protocol share.
pub(crate) fn of_code(code: &str) -> ApiError {
    let code = told(code);
    let status = match code.split('.').next().unwrap_or_default() {
        "EntityNotExist" => 404,
        "EntityAlreadyExists" | "LimitExceeded" | "DeleteConflict" | "OperationConflict" => 409,
        "CheckAuthenticationCodeFail" => 403,
        _ => 400,
    };
    ApiError::new(status, code.to_owned(), message_of(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The audit log is exported with the code and the words that the caller was told.
    #[test]
    fn the_log_says_what_the_caller_was_told() {
        use Refusal as R;
        for refusal in [
            R::NotLoggedOn,
            R::NoPermission,
            R::Oneself,
            R::TooManyBindings,
            R::AccessKeyInactive,
            R::CallOutOfTime,
            R::NonceUsed,
            R::PasswordUsedBefore,
            R::UserNotFound,
            R::WrongCode,
            R::PasswordTooWeak,
            R::OnlyForUsers,
        ] {
            let error = of_refusal(refusal);
            let code = told(refusal.code());
            assert_eq!((error.code(), error.message()), (code, message_of(code).as_str()), "{refusal}");
        }
    }

    #[test]
    fn a_key_that_signed_and_a_key_that_is_meant_are_told_apart() {
        let told = |refusal| {
            let error = api_error(&Error::refused(refusal));
            (error.status(), error.code().to_owned())
        };
        assert_eq!(told(Refusal::SigningKeyNotFound), (404, "InvalidAccessKeyId.NotFound".to_owned()));
        assert_eq!(told(Refusal::AccessKeyNotFound), (404, "EntityNotExist.User.AccessKey".to_owned()));
    }
}
