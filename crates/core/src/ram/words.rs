//! How the RAM protocol words what is refused: codes and messages that the door answers with and that the audit log is
//! exported with.

/// The code that the protocol has for the code of a refusal.
#[must_use]
pub fn told(code: &str) -> &str {
    match code {
        "NotLoggedOn" | "OperationConflict.Oneself" => "NoPermission",
        "Throttling.Binding" => "Throttling.User",
        "AccessKeyInactive" => "InvalidAccessKeyId.Inactive",
        // The cloud has one code for a password that was used before, be it the present one or an earlier one.
        "InvalidParameter.NewPassword.UsedBefore" => "InvalidParameter.NewPassword.ReusePrevention",
        code => code,
    }
}

/// The messages as the cloud writes them, its slips of the pen included: programs compare them.
#[must_use]
pub fn message_of(code: &str) -> String {
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
    ("NoPermission", "You are not authorized to do this action."),
    ("Throttling.User", "Request was denied due to user flow control."),
    ("InvalidAccessKeyId.Inactive", "Specified access key is disabled."),
    ("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."),
    ("SignatureNonceUsed", "Specified signature nonce was used already."),
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
    ("EntityNotExist.Group", "The group does not exist."),
    ("EntityNotExist.Group.Policy", "The indicate policy attached to the group does not exist."),
    ("EntityNotExist.Policy", "The policy does not exist."),
    ("EntityNotExist.Policy.Version", "The policy version does not exist."),
    ("EntityNotExist.User.AccessKey", "The user access key does not exist."),
    ("EntityNotExist.User.Group", "The user has not joined the group."),
    ("EntityNotExist.User.LoginProfile", "login policy not exists"),
    ("EntityNotExist.User.MFADevice", "The user has not bound any MFA device."),
    ("EntityNotExist.User.Passkey", "The passkey does not exist."),
    ("EntityNotExist.User.Policy", "The indicate policy of the user does not exist."),
    ("EntityAlreadyExists.SecurityKey", "The name of the passkey does already exist."),
    ("OperationConflict.MFADeviceType", "The user has already bound an MFA device of another type."),
    ("EntityNotExist.User.Verification", "The verification info does not exist."),
    ("EntityNotExist.VirtualMFADevice", "The virtual mfa device does not exist."),
    ("DeleteConflict.Group.Policy", "The entity CAN NOT has any attached policy while deleting the group."),
    ("DeleteConflict.Group.User", "The group CAN NOT has any user member while deleting the group."),
    ("DeleteConflict.Policy.Group", "The policy CAN NOT been attached to any group while deleting the policy."),
    ("DeleteConflict.Policy.User", "The policy CAN NOT been attached to any user while deleting the policy."),
    ("DeleteConflict.Policy.Version", "The policy CAN NOT has any version except the default version."),
    ("DeleteConflict.Policy.Version.Default", "The default policy version CAN NOT been deleted directly."),
    ("DeleteConflict.User.AccessKey", "The user CAN NOT has any access key while deleting the user."),
    ("DeleteConflict.User.Group", "The user CAN NOT be in any group while deleting the user."),
    ("DeleteConflict.User.LoginProfile", "The user CAN NOT has any login profile while deleting the user."),
    ("DeleteConflict.User.MFADevice", "The user CAN NOT has any mfa device while deleting the user."),
    ("DeleteConflict.User.Policy", "The user CAN NOT has any attached policy while deleting the user."),
    (
        "DeleteConflict.VirtualMFADevice.User",
        "The virtual mfa device CAN NOT been bound to any user while deleting it.",
    ),
    ("EntityAlreadyExists.User", "The user does already EXIST."),
    ("EntityAlreadyExists.AccountAlias", "The account alias does already exist."),
    ("EntityAlreadyExists.Group", "The group does already EXIST."),
    ("EntityAlreadyExists.Group.Policy", "The group has already been attached this policy."),
    ("EntityAlreadyExists.Policy", "The group does already EXIST."),
    ("EntityAlreadyExists.User.Group", "The user has already joined the group."),
    ("EntityAlreadyExists.User.LoginProfile", "The user login profile does already EXIST."),
    ("EntityAlreadyExists.User.MFADevice", "The user has already bound a MFA device."),
    ("EntityAlreadyExists.User.Policy", "The user has already been attached this policy."),
    ("EntityAlreadyExists.VirtualMFADevice", "The virtual mfa device does already EXIST."),
    ("EntityAlreadyExists.VirtualMFADevice.User", "The virtual mfa device does already been bound to a user."),
    ("LimitExceeded.Email.User", "The count of users that the email is bound to beyond the current limits."),
    ("LimitExceeded.Group", "The count of groups beyond the current limits."),
    ("LimitExceeded.Group.Policy", "The policy count of the group beyond the current limits."),
    ("LimitExceeded.Policy", "The count of policy beyond the current limits."),
    ("LimitExceeded.Policy.Version", "The count of policy version beyond the current limits."),
    ("LimitExceeded.User.AccessKey", "The access key count of the user access keys beyond the current limits."),
    ("LimitExceeded.User.Group", "The count of groups the target user joined beyond the current limits."),
    ("LimitExceeded.User.Policy", "The policy count of the user attached policies beyond the current limits."),
    ("LimitExceeded.VirtualMFADevice", "The count of virtual mfa devices beyond the current limits."),
    ("OperationConflict.NoAdministratorPath", "Nobody could administrate the account under these settings."),
    ("OperationConflict.MFARequired", "The user must have an MFA device."),
    ("OperationConflict.SettingsChanged", "Somebody else has changed the settings at this very moment."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Conflict, Limit};

    #[test]
    fn every_limit_and_every_conflict_has_the_clouds_words() {
        let limits = Limit::ALL.iter().map(|limit| limit.code());
        for code in limits.chain(Conflict::ALL.iter().map(|conflict| conflict.code())) {
            assert!(KNOWN.iter().any(|(known, _)| *known == code), "{code}");
        }
    }
}
