//! What core refuses, in the words of the protocol.

use crate::error::ApiError;
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
        | R::TooManyAccessKeys
        | R::MfaDeviceNotFound
        | R::MfaDeviceExists
        | R::MfaDeviceTaken
        | R::MfaDeviceInUse
        | R::TooManyMfaDevices
        | R::LoginProfileExists
        | R::UserHasAccessKeys
        | R::UserHasLoginProfile
        | R::UserHasMfaDevice
        | R::UserHasPolicies
        | R::EmailOnTooManyUsers
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
        // What no signed call can meet.
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
    // The cloud has one code for a password that was used before, be it the present one or an earlier one.
    let code = if code == "InvalidParameter.NewPassword.UsedBefore" {
        "InvalidParameter.NewPassword.ReusePrevention"
    } else {
        code
    };
    let status = match code.split('.').next().unwrap_or_default() {
        "EntityNotExist" => 404,
        "EntityAlreadyExists" | "LimitExceeded" | "DeleteConflict" | "OperationConflict" => 409,
        "CheckAuthenticationCodeFail" => 403,
        _ => 400,
    };
    ApiError::new(status, code.to_owned(), message_of(code))
}

/// The messages as the cloud writes them, its slips of the pen included: programs compare them.
fn message_of(code: &str) -> String {
    let known = KNOWN.iter().find(|(known, _)| *known == code);
    if let Some((_, message)) = known {
        return (*message).to_owned();
    }
    let Some(parameter) = code.strip_prefix("InvalidParameter.") else {
        return "The request was refused.".to_owned();
    };
    match parameter.rsplit_once('.') {
        Some((name, "Length")) => format!("The parameter - \"{name}\" beyond the length limit."),
        Some((name, "InvalidChars")) => format!("The parameter - \"{name}\" contains invalid chars."),
        Some((name, "Format")) => format!("The format of the parameter - \"{name}\" is incorrect."),
        Some((name, "ReusePrevention")) => {
            format!("The parameter - \"{name}\" is not compliant with the reuse prevention password policy.")
        }
        Some((name, "TooWeak")) => format!("The parameter - \"{name}\" is not compliant with the password policy."),
        Some((name, _)) => format!("The parameter - \"{name}\" is incorrect."),
        None => format!("The parameter - \"{parameter}\" is incorrect."),
    }
}

const KNOWN: &[(&str, &str)] = &[
    ("CheckAuthenticationCodeFail", "The authentication code is incorrect."),
    ("InvalidParameter.AuthenticationCode.Format", "The parameter - \"AuthenticationCode\" MUST be 6 numbers."),
    ("InvalidParameter.AccountAlias.Format", "The format of parameter - \"AccountAlias\" is incorrect."),
    ("InvalidParameter.AccountAlias.Length", "The parameter - \"AccountAlias\" MUST be in the range of 3 and 63."),
    (
        "InvalidParameter.LoginNetworkMasks.OwnAddress",
        "The parameter - \"LoginNetworkMasks\" does not hold the address that the call comes from.",
    ),
    (
        "InvalidParameter.MinimumPasswordLength.Range",
        "The parameter - \"MinimumPasswordLength\" MUST be in the range of 8 and 32.",
    ),
    ("NotSupport.Account", "This method can be only invoked by sub user."),
    ("EntityNotExist.User", "The user does not exist."),
    ("EntityNotExist.Account", "The account does not exist."),
    ("EntityNotExist.CredentialReport", "The credential report does not exist."),
    ("EntityNotExist.User.AccessKey", "The user access key does not exist."),
    ("EntityNotExist.User.LoginProfile", "login policy not exists"),
    ("EntityNotExist.User.MFADevice", "The user has not bound any MFA device."),
    ("EntityNotExist.User.Passkey", "The passkey does not exist."),
    ("EntityNotExist.User.Verification", "The verification info does not exist."),
    ("EntityNotExist.VirtualMFADevice", "The virtual mfa device does not exist."),
    ("DeleteConflict.User.AccessKey", "The user CAN NOT has any access key while deleting the user."),
    ("DeleteConflict.User.LoginProfile", "The user CAN NOT has any login profile while deleting the user."),
    ("DeleteConflict.User.MFADevice", "The user CAN NOT has any mfa device while deleting the user."),
    ("DeleteConflict.User.Policy", "The user CAN NOT has any attached policy while deleting the user."),
    (
        "DeleteConflict.VirtualMFADevice.User",
        "The virtual mfa device CAN NOT been bound to any user while deleting it.",
    ),
    ("EntityAlreadyExists.User", "The user does already EXIST."),
    ("EntityAlreadyExists.AccountAlias", "The account alias does already exist."),
    ("EntityAlreadyExists.User.LoginProfile", "The user login profile does already EXIST."),
    ("EntityAlreadyExists.User.MFADevice", "The user has already bound a MFA device."),
    ("EntityAlreadyExists.VirtualMFADevice", "The virtual mfa device does already EXIST."),
    ("EntityAlreadyExists.VirtualMFADevice.User", "The virtual mfa device does already been bound to a user."),
    ("LimitExceeded.User.AccessKey", "The access key count of the user access keys beyond the current limits."),
    ("LimitExceeded.VirtualMFADevice", "The count of virtual mfa devices beyond the current limits."),
    ("LimitExceeded.Email.User", "The count of users that the email is bound to beyond the current limits."),
    ("OperationConflict.NoAdministratorPath", "Nobody could administrate the account under these settings."),
    ("OperationConflict.MFARequired", "The user must have an MFA device."),
    ("OperationConflict.SettingsChanged", "Somebody else has changed the settings at this very moment."),
];

#[cfg(test)]
mod tests {
    use super::*;

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
