//! Every action that is built, with the products that have it. One file for each group.
//!
//! An action is an `async fn(&Call<'_>) -> Answered`: it reads its parameters from [`Call::request`], calls one use-case
//! of core, and gives the fields of its answer. A new one is such a function and a line below; what is not there answers
//! `InvalidAction.NotFound`.

mod access_keys;
mod account;
mod attachments;
mod contacts;
mod groups;
mod login_profiles;
mod mfa;
mod passkeys;
mod policies;
mod policy_versions;
mod settings;
mod sts;
mod users;

use crate::api::Api;
use crate::call::{Answered, Call};
use crate::error::ApiError;

macro_rules! actions {
    ($($name:literal [$($api:ident)+] => $action:path),+ $(,)?) => {
        /// Every action with the products that have it.
        pub const ACTIONS: &[(&str, &[Api])] = &[$(($name, &[$(Api::$api),+])),+];

        /// Runs an action.
        pub(crate) async fn run(call: &Call<'_>) -> Answered {
            match (call.action, call.api) {
                $(($name, $(Api::$api)|+) => Box::pin($action(call)).await,)+
                _ => Err(ApiError::action_not_found()),
            }
        }
    };
}

actions! {
    "GetCallerIdentity" [Sts] => sts::get_caller_identity,

    "CreateUser" [Ram Ims] => users::create,
    "GetUser" [Ram Ims] => users::get,
    "UpdateUser" [Ram Ims] => users::update,
    "DeleteUser" [Ram Ims] => users::delete,
    "ListUsers" [Ram Ims] => users::list,
    "ListUserBasicInfos" [Ims] => users::list_basic_infos,

    "CreateVirtualMFADevice" [Ram Ims] => mfa::create,
    "ListVirtualMFADevices" [Ram Ims] => mfa::list,
    "BindMFADevice" [Ram Ims] => mfa::bind,
    "UnbindMFADevice" [Ram Ims] => mfa::unbind,
    "DisableVirtualMFA" [Ims] => mfa::disable,
    "DeleteVirtualMFADevice" [Ram Ims] => mfa::delete,
    "GetUserMFAInfo" [Ram Ims] => mfa::get_user_info,
    "GetAccountMFAInfo" [Ims] => mfa::get_account_info,

    "CreateLoginProfile" [Ram Ims] => login_profiles::create,
    "GetLoginProfile" [Ram Ims] => login_profiles::get,
    "UpdateLoginProfile" [Ram Ims] => login_profiles::update,
    "DeleteLoginProfile" [Ram Ims] => login_profiles::delete,
    "ChangePassword" [Ram Ims] => login_profiles::change_password,

    "GetSecurityPreference" [Ram Ims] => settings::get,
    "SetSecurityPreference" [Ram Ims] => settings::set,
    "GetPasswordPolicy" [Ram Ims] => settings::get_password_policy,
    "SetPasswordPolicy" [Ram Ims] => settings::set_password_policy,

    "GetVerificationInfo" [Ims] => contacts::get,
    "SetVerificationInfo" [Ims] => contacts::bind,
    "UnbindVerification" [Ims] => contacts::unbind,
    "ListPasskeys" [Ims] => passkeys::list,
    "UpdatePasskey" [Ims] => passkeys::update,
    "DeletePasskey" [Ims] => passkeys::delete,

    "CreateAccessKey" [Ram Ims] => access_keys::create,
    "ListAccessKeys" [Ram Ims] => access_keys::list,
    "UpdateAccessKey" [Ram Ims] => access_keys::update,
    "DeleteAccessKey" [Ram Ims] => access_keys::delete,
    "GetAccessKeyLastUsed" [Ram Ims] => access_keys::get_last_used,

    "CreateGroup" [Ram Ims] => groups::create,
    "GetGroup" [Ram Ims] => groups::get,
    "UpdateGroup" [Ram Ims] => groups::update,
    "DeleteGroup" [Ram Ims] => groups::delete,
    "ListGroups" [Ram Ims] => groups::list,
    "AddUserToGroup" [Ram Ims] => groups::add_user,
    "RemoveUserFromGroup" [Ram Ims] => groups::remove_user,
    "ListUsersForGroup" [Ram Ims] => groups::list_users,
    "ListGroupsForUser" [Ram Ims] => groups::list_for_user,

    "CreatePolicy" [Ram] => policies::create,
    "GetPolicy" [Ram] => policies::get,
    "UpdatePolicyDescription" [Ram] => policies::update_description,
    "DeletePolicy" [Ram] => policies::delete,
    "ListPolicies" [Ram] => policies::list,
    "CreatePolicyVersion" [Ram] => policy_versions::create,
    "GetPolicyVersion" [Ram] => policy_versions::get,
    "ListPolicyVersions" [Ram] => policy_versions::list,
    "SetDefaultPolicyVersion" [Ram] => policy_versions::set_default,
    "DeletePolicyVersion" [Ram] => policy_versions::delete,
    "AttachPolicyToUser" [Ram] => attachments::attach_to_user,
    "DetachPolicyFromUser" [Ram] => attachments::detach_from_user,
    "AttachPolicyToGroup" [Ram] => attachments::attach_to_group,
    "DetachPolicyFromGroup" [Ram] => attachments::detach_from_group,
    "ListPoliciesForUser" [Ram] => attachments::list_for_user,
    "ListPoliciesForGroup" [Ram] => attachments::list_for_group,
    "ListEntitiesForPolicy" [Ram] => attachments::list_entities,

    "GetAccountAlias" [Ram] => account::get_alias,
    "SetAccountAlias" [Ram] => account::set_alias,
    "ClearAccountAlias" [Ram] => account::clear_alias,
    "GetDefaultDomain" [Ims] => account::get_default_domain,
    "SetDefaultDomain" [Ims] => account::set_default_domain,
    "GetAccountSummary" [Ims] => account::get_summary,
    "GetAccountSecurityPracticeReport" [Ims] => account::get_practice_report,
    "GenerateCredentialReport" [Ims] => account::generate_credential_report,
    "GetCredentialReport" [Ims] => account::get_credential_report,
}

/// Whether the product has the action.
#[must_use]
pub fn exists(api: Api, action: &str) -> bool {
    ACTIONS.iter().any(|(name, apis)| *name == action && apis.contains(&api))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_lists_what_is_built_and_nothing_else() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operators/ram-api.md");
        let page = std::fs::read_to_string(page).unwrap();
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let listed: Vec<(String, String)> =
            rows.map(|(name, rest)| (name.to_owned(), rest.split(" |").next().unwrap().to_owned())).collect();
        let built: Vec<(String, String)> = ACTIONS
            .iter()
            .map(|(name, apis)| {
                let apis: Vec<String> = apis.iter().map(|api| api.product().to_uppercase()).collect();
                ((*name).to_owned(), apis.join(", "))
            })
            .collect();
        assert_eq!(listed, built);
    }
}
