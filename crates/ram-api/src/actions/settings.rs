//! The security settings and the rules for passwords. Both versions are views of one record; what is not named stays.

use crate::answer::Node;
use crate::api::Api;
use crate::call::{Answered, Call, answered};
use crate::error::ApiError;
use crate::refusals::of_code;
use countersign_core::Insider;
use countersign_core::settings::{PolicyChange, SettingsChange};
use countersign_model::settings::{IdleDays, MfaForLogon, NetworkMasks, PasswordPolicy, SecuritySettings};

/// What a user is asked at an unusual logon, which here follows from the settings of MFA alone.
const AUTONOMOUS: &str = "autonomous";

pub(crate) async fn get(call: &Call<'_>) -> Answered {
    let settings = answered(call.core.settings(call.actor, call.origin).await)?;
    Ok(vec![("SecurityPreference", node(call, &settings))])
}

pub(crate) async fn set(call: &Call<'_>) -> Answered {
    let request = call.request;
    let mut change = SettingsChange {
        remember_machines: request.boolean("EnableSaveMFATicket")?,
        users_change_password: request.boolean("AllowUserToChangePassword")?,
        users_manage_access_keys: request.boolean("AllowUserToManageAccessKeys")?,
        users_manage_mfa_devices: request.boolean("AllowUserToManageMFADevices")?,
        session_hours: request.number("LoginSessionDuration")?,
        // Here an empty text says something: every address.
        logon_networks: request.parameter("LoginNetworkMasks").map(masks).transpose()?,
        ..SettingsChange::default()
    };
    change.mfa_for_logon = mfa_for_logon(call)?;
    // Settings that are not there cannot be switched on.
    never(call, "AllowUserToManagePublicKeys")?;
    if call.api == Api::Ims {
        never(call, "AllowUserToManageServiceCredentials")?;
        // Nobody can link such an account here, whatever is said; programs say the cloud's default, which is `true`.
        request.boolean("AllowUserToManagePersonalDingTalk")?;
        if request.text("OperationForRiskLogin").is_some_and(|operation| operation != AUTONOMOUS) {
            return Err(ApiError::invalid_parameter("OperationForRiskLogin"));
        }
        change.passkey_logon = request.boolean("AllowUserToLoginWithPasskey")?;
        change.max_idle_days_users = idle_days(call, "MaxIdleDaysForUsers")?;
        change.max_idle_days_access_keys = idle_days(call, "MaxIdleDaysForAccessKeys")?;
        if let Some(types) = request.list("VerificationTypes")? {
            // `mfa` always proves an operation; older programs name it.
            if types.iter().any(|kind| !matches!(kind.as_str(), "sms" | "email" | "mfa")) {
                return Err(ApiError::invalid_parameter("VerificationTypes"));
            }
            change.verify_by_sms = Some(types.iter().any(|kind| kind == "sms"));
            change.verify_by_email = Some(types.iter().any(|kind| kind == "email"));
        }
    }
    let changed = answered(call.core.change_settings(call.actor, change, call.origin).await)?;
    Ok(vec![("SecurityPreference", node(call, &changed.settings))])
}

fn masks(text: &str) -> Result<NetworkMasks, ApiError> {
    text.parse().map_err(|_| of_code("InvalidParameter.LoginNetworkMasks.Format"))
}

/// A setting that is always off here: saying so is no change, anything else is refused.
fn never(call: &Call<'_>, name: &'static str) -> Result<(), ApiError> {
    match call.request.boolean(name)? {
        Some(true) => Err(ApiError::invalid_parameter(name)),
        Some(false) | None => Ok(()),
    }
}

/// `MFAOperationForLogin`, which the older version does not know, or the older `EnforceMFAForLogin`; two that contradict
/// each other are refused. Whoever says `false` as he has read it changes nothing: it also stands for `adaptive`.
fn mfa_for_logon(call: &Call<'_>) -> Result<Option<MfaForLogon>, ApiError> {
    let named = call.request.text("MFAOperationForLogin").filter(|_| call.api == Api::Ims);
    let named = named.map(str::parse::<MfaForLogon>).transpose();
    let named = named.map_err(|_| ApiError::invalid_parameter("MFAOperationForLogin"))?;
    let is_mandatory = Insider::from(call.actor).settings().mfa_for_logon == MfaForLogon::Mandatory;
    match (named, call.request.boolean("EnforceMFAForLogin")?) {
        (Some(named), Some(enforced)) if (named == MfaForLogon::Mandatory) != enforced => {
            Err(ApiError::invalid_parameter("EnforceMFAForLogin"))
        }
        (Some(named), _) => Ok(Some(named)),
        (None, Some(true)) => Ok(Some(MfaForLogon::Mandatory)),
        (None, Some(false)) => Ok(is_mandatory.then_some(MfaForLogon::Independent)),
        (None, None) => Ok(None),
    }
}

fn idle_days(call: &Call<'_>, name: &'static str) -> Result<Option<IdleDays>, ApiError> {
    let days = call.request.text(name).map(str::parse::<IdleDays>).transpose();
    days.map_err(|_| ApiError::invalid_parameter(name))
}

fn node(call: &Call<'_>, settings: &SecuritySettings) -> Node {
    let is_ims = call.api == Api::Ims;
    let access_keys = Node::object([("AllowUserToManageAccessKeys", settings.users_manage_access_keys.into())])
        .with("AllowUserToManageServiceCredentials", is_ims.then_some(false));
    let is_mandatory = settings.mfa_for_logon == MfaForLogon::Mandatory;
    let login = Node::object([
        ("EnableSaveMFATicket", settings.remember_machines.into()),
        ("AllowUserToChangePassword", settings.users_change_password.into()),
        ("LoginSessionDuration", settings.session_hours.into()),
        ("LoginNetworkMasks", settings.logon_networks.to_string().into()),
        // Older programs read this one.
        ("EnforceMFAForLogin", is_mandatory.into()),
    ])
    .with("AllowUserToLoginWithPasskey", is_ims.then_some(settings.passkey_logon))
    .with("MFAOperationForLogin", is_ims.then_some(settings.mfa_for_logon.as_str()))
    .with("OperationForRiskLogin", is_ims.then_some(AUTONOMOUS));
    let mfa = Node::object([("AllowUserToManageMFADevices", settings.users_manage_mfa_devices.into())]);
    let common =
        Node::object([("AccessKeyPreference", access_keys), ("LoginProfilePreference", login), ("MFAPreference", mfa)]);
    if !is_ims {
        let public_keys = Node::object([("AllowUserToManagePublicKeys", false.into())]);
        return common.with("PublicKeyPreference", Some(public_keys));
    }
    let types = &settings.verification_types;
    let types = [("sms", types.sms), ("email", types.email)].into_iter().filter(|(_, on)| *on);
    let types = Node::List(types.map(|(kind, _)| kind.into()).collect());
    let days = |days: IdleDays| Node::Number(i64::try_from(days.days()).unwrap_or(0));
    common
        .with("PersonalInfoPreference", Some(Node::object([("AllowUserToManagePersonalDingTalk", false.into())])))
        .with("VerificationPreference", Some(Node::object([("VerificationTypes", types)])))
        .with(
            "MaxIdleDays",
            Some(Node::object([
                ("MaxIdleDaysForUsers", days(settings.max_idle_days_users)),
                ("MaxIdleDaysForAccessKeys", days(settings.max_idle_days_access_keys)),
            ])),
        )
}

pub(crate) async fn get_password_policy(call: &Call<'_>) -> Answered {
    let policy = answered(call.core.password_policy(call.actor, call.origin).await)?;
    Ok(vec![("PasswordPolicy", policy_node(call, &policy))])
}

pub(crate) async fn set_password_policy(call: &Call<'_>) -> Answered {
    let request = call.request;
    let mut password = PolicyChange {
        minimum_length: request
            .number("MinimumPasswordLength")
            .map_err(|_| of_code("InvalidParameter.MinimumPasswordLength.Range"))?,
        require_lowercase: request.boolean("RequireLowercaseCharacters")?,
        require_uppercase: request.boolean("RequireUppercaseCharacters")?,
        require_numbers: request.boolean("RequireNumbers")?,
        require_symbols: request.boolean("RequireSymbols")?,
        max_age_days: request.number("MaxPasswordAge")?,
        reuse_prevention: request.number("PasswordReusePrevention")?,
        max_logon_attempts: request.number("MaxLoginAttemps")?,
        ..PolicyChange::default()
    };
    if call.api == Api::Ims {
        password.hard_expire = request.boolean("HardExpire")?;
        password.initial_age_days = request.number("InitialPasswordAge")?;
        password.minimum_different = request.number("MinimumPasswordDifferentCharacter")?;
        password.not_contain_user_name = request.boolean("PasswordNotContainUserName")?;
        never(call, "InterceptRiskPasswordOnApi")?;
    } else {
        password.hard_expire = request.boolean("HardExpiry")?;
    }
    let policy = answered(call.core.change_password_policy(call.actor, password, call.origin).await)?;
    Ok(vec![("PasswordPolicy", policy_node(call, &policy))])
}

fn policy_node(call: &Call<'_>, policy: &PasswordPolicy) -> Node {
    let is_ims = call.api == Api::Ims;
    let expire = if is_ims { "HardExpire" } else { "HardExpiry" };
    Node::object([
        ("MinimumPasswordLength", policy.minimum_length.into()),
        ("RequireLowercaseCharacters", policy.require_lowercase.into()),
        ("RequireUppercaseCharacters", policy.require_uppercase.into()),
        ("RequireNumbers", policy.require_numbers.into()),
        ("RequireSymbols", policy.require_symbols.into()),
        (expire, policy.hard_expire.into()),
        ("MaxPasswordAge", policy.max_age_days.into()),
        ("PasswordReusePrevention", policy.reuse_prevention.into()),
        ("MaxLoginAttemps", policy.max_logon_attempts.into()),
    ])
    .with("InitialPasswordAge", is_ims.then_some(policy.initial_age_days))
    .with("MinimumPasswordDifferentCharacter", is_ims.then_some(policy.minimum_different))
    .with("PasswordNotContainUserName", is_ims.then_some(policy.not_contain_user_name))
    .with("InterceptRiskPasswordOnApi", is_ims.then_some(false))
}
