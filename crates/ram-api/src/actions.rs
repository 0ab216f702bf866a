//! Every action that is built, with the products that have it. One file for each group.
//!
//! An action is an `async fn(&Call<'_>) -> Answered`: it reads its parameters from [`Call::request`], calls one use-case
//! of core, and gives the fields of its answer. A new one is such a function and a line below; what is not there answers
//! `InvalidAction.NotFound`.

mod mfa;
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
}

/// Whether the product has the action.
#[must_use]
pub fn exists(api: Api, action: &str) -> bool {
    ACTIONS.iter().any(|(name, apis)| *name == action && apis.contains(&api))
}
