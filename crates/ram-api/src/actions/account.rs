//! The account as a whole.

use crate::answer::Node;
use crate::call::{Answered, Call, answered, time, under};
use crate::error::ApiError;
use crate::refusals::of_code;
use countersign_core::authorise::Action;
use countersign_core::policies::{MOST_CUSTOM_ATTACHED, MOST_POLICIES, MOST_SYSTEM_ATTACHED, MOST_VERSIONS};
use countersign_core::ram::credential_report::{MOST_LINES, ReportState};
use countersign_model::group::{MOST_GROUPS, MOST_GROUPS_OF_USER};
use countersign_model::names::AccountAlias;
use countersign_model::policy::LONGEST_DOCUMENT;

pub(crate) async fn get_alias(call: &Call<'_>) -> Answered {
    let alias = answered(call.core.account_alias(call.actor, Action::ViewAlias, call.origin).await)?;
    let has_none = alias.as_str() == call.actor.account_id().as_str();
    Ok(vec![("AccountAlias", if has_none { "" } else { alias.as_str() }.into())])
}

pub(crate) async fn set_alias(call: &Call<'_>) -> Answered {
    let alias = read_alias(call.request.required("AccountAlias")?, "AccountAlias")?;
    answered(call.core.change_alias(call.actor, Action::SetAlias, Some(alias), call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn clear_alias(call: &Call<'_>) -> Answered {
    answered(call.core.change_alias(call.actor, Action::ClearAlias, None, call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn get_default_domain(call: &Call<'_>) -> Answered {
    let alias = answered(call.core.account_alias(call.actor, Action::ViewDefaultDomain, call.origin).await)?;
    Ok(vec![("DefaultDomainName", domain_of(call, alias.as_str()).into())])
}

/// `SetDefaultDomain`: the domain is the alias and the suffix of the installation, so the alias is what changes.
pub(crate) async fn set_default_domain(call: &Call<'_>) -> Answered {
    let name = call.request.required("DefaultDomainName")?;
    let suffix = &call.core.identity().suffix;
    let label = name.strip_suffix(suffix.as_str()).and_then(|rest| rest.strip_suffix('.'));
    let label = label.ok_or_else(|| of_code("InvalidParameter.DefaultDomainName.Format"))?;
    let is_id = label == call.actor.account_id().as_str();
    let alias = if is_id { None } else { Some(read_alias(label, "DefaultDomainName")?) };
    answered(call.core.change_alias(call.actor, Action::SetDefaultDomain, alias, call.origin).await)?;
    Ok(vec![("DefaultDomainName", domain_of(call, label).into())])
}

fn domain_of(call: &Call<'_>, alias: &str) -> String {
    format!("{alias}.{}", call.core.identity().suffix)
}

fn read_alias(text: &str, parameter: &str) -> Result<AccountAlias, ApiError> {
    AccountAlias::parse(text).map_err(|invalid| under(parameter, "AccountAlias", invalid))
}

pub(crate) async fn get_summary(call: &Call<'_>) -> Answered {
    let summary = answered(call.core.summary(call.actor, call.origin).await)?;
    let map = Node::object([
        ("Users", summary.users.into()),
        ("MFADevices", summary.mfa_devices.into()),
        ("MFADevicesInUse", summary.mfa_devices_in_use.into()),
        ("VirtualMFADevicesQuota", summary.mfa_devices_quota.into()),
        ("AccessKeysPerUserQuota", summary.access_keys_per_user.into()),
        ("AccountAccessKeysPerAccountQuota", summary.access_keys_per_user.into()),
        ("Groups", summary.groups.into()),
        ("GroupsQuota", MOST_GROUPS.into()),
        ("GroupsPerUserQuota", quota(MOST_GROUPS_OF_USER)),
        ("Policies", summary.policies.into()),
        ("PoliciesQuota", MOST_POLICIES.into()),
        ("PolicySizeQuota", quota(LONGEST_DOCUMENT)),
        ("VersionsPerPolicyQuota", quota(MOST_VERSIONS)),
        ("AttachedPoliciesPerUserQuota", quota(MOST_CUSTOM_ATTACHED)),
        ("AttachedPoliciesPerGroupQuota", quota(MOST_CUSTOM_ATTACHED)),
        ("AttachedSystemPoliciesPerUserQuota", quota(MOST_SYSTEM_ATTACHED)),
        ("AttachedSystemPoliciesPerGroupQuota", quota(MOST_SYSTEM_ATTACHED)),
        ("Roles", 0_i64.into()),
        ("RolesQuota", 0_i64.into()),
    ]);
    Ok(vec![("SummaryMap", map)])
}

fn quota(most: usize) -> Node {
    i64::try_from(most).unwrap_or(i64::MAX).into()
}

pub(crate) async fn get_practice_report(call: &Call<'_>) -> Answered {
    let practice = answered(call.core.practice(call.actor, call.origin).await)?;
    let users = Node::object([
        ("BindMfa", practice.owner_has_mfa.into()),
        ("RootWithAccessKey", practice.owner_keys.into()),
        ("SubUser", practice.users.into()),
        ("SubUserBindMfa", practice.users_with_mfa.into()),
        ("SubUserPwdLevel", practice.password_level.as_str().into()),
        ("OldAkNum", practice.keys.old.into()),
        ("SubUserWithOldAccessKey", practice.keys.users_with_old.into()),
        ("UnusedAkNum", practice.keys.unused.into()),
        ("SubUserWithUnusedAccessKey", practice.keys.users_with_unused.into()),
    ]);
    let info = Node::object([("Score", practice.score().into()), ("AccountSecurityPracticeUserInfo", users)]);
    Ok(vec![("AccountSecurityPracticeInfo", info)])
}

/// The report is made at once, so it is complete when this is answered, unless another call makes it.
pub(crate) async fn generate_credential_report(call: &Call<'_>) -> Answered {
    let state = match answered(call.core.make_credential_report(call.actor, call.origin).await)? {
        ReportState::Complete => "COMPLETED",
        ReportState::InProgress => "INPROGRESS",
    };
    Ok(vec![("State", state.into())])
}

pub(crate) async fn get_credential_report(call: &Call<'_>) -> Answered {
    let most = match call.request.number::<usize>("MaxItems")? {
        None => MOST_LINES,
        Some(items) if (1..=MOST_LINES).contains(&items) => items,
        Some(_) => return Err(ApiError::invalid_parameter("MaxItems")),
    };
    // A token holds the report's time: lines of two reports do not make one.
    let position = call.position("NextToken")?;
    let (made, from) = position.split_once(' ').unwrap_or(("", "0"));
    let from = from.parse().map_err(|_| ApiError::invalid_parameter("NextToken"))?;
    let part = answered(call.core.credential_report(call.actor, (from, most), call.origin).await)?;
    let at = part.generated_at.to_rfc3339_micros();
    if !made.is_empty() && made != at {
        return Err(ApiError::invalid_parameter("NextToken"));
    }
    let mut fields = vec![
        ("Content", data_encoding::BASE64.encode(part.content.as_bytes()).into()),
        ("GeneratedTime", time(part.generated_at)),
        ("IsTruncated", if part.next.is_some() { "true" } else { "false" }.into()),
    ];
    if let Some(next) = part.next {
        fields.push(("NextToken", call.marker(&format!("{at} {next}")).into()));
    }
    Ok(fields)
}
