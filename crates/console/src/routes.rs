//! Every path with the state it needs. A route that needs a session has it behind the guard; the default is none.

use crate::pages::{
    key_help, log_off, logon_bind, logon_bind_key, logon_choose_password, logon_name, logon_passkey, logon_password,
    logon_recovery_code, logon_second_factor, not_me, own_access_keys, own_history, own_key_bind, own_keys, own_mfa,
    own_notices, own_password, own_recovery, own_sessions, preferences, ram_audit, ram_findings, ram_group, ram_groups,
    ram_mfa_check, ram_overview, ram_policies, ram_policy, ram_settings, ram_user, ram_user_access_keys,
    ram_user_create, ram_user_delete, ram_user_edit, ram_user_keys, ram_user_logon, ram_user_mfa, ram_user_policies,
    ram_user_reset, ram_user_sessions, ram_users, security, setup,
};
use crate::visitor::Visitor;
use crate::{Console, answer, assets, guard, step_up};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{Redirect, Response};
use axum::routing::{MethodRouter, get, post};

/// What a route needs of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nobody,
    /// The secret of a logon that goes on.
    Logon,
    /// A good session.
    Session,
}

/// A route as tests walk over it.
#[derive(Debug, Clone, Copy)]
pub struct RouteInfo {
    /// The path, with `{name}` for what varies.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
}

type Route = (&'static str, Needs, MethodRouter<Console>);

fn routes() -> Vec<Route> {
    use Needs::{Logon, Nobody, Session};
    let mut routes: Vec<Route> = vec![
        ("/", Nobody, get(logon_name::show)),
        ("/login/{domain}", Nobody, get(logon_name::show_for)),
        ("/logon", Nobody, post(logon_name::begin)),
        ("/logon/passkey/begin", Nobody, post(logon_passkey::begin)),
        ("/logon/passkey", Nobody, post(logon_passkey::prove)),
        ("/logon/password", Logon, get(logon_password::show).post(logon_password::prove)),
        ("/logon/second-factor", Logon, get(logon_second_factor::show).post(logon_second_factor::prove)),
        ("/logon/second-factor/begin", Logon, post(logon_second_factor::begin_key)),
        ("/logon/recovery-code", Logon, get(logon_recovery_code::show).post(logon_recovery_code::prove)),
        ("/logon/choose-password", Logon, get(logon_choose_password::show).post(logon_choose_password::choose)),
        ("/logon/bind", Logon, get(logon_bind::show_types).post(logon_bind::start)),
        ("/logon/bind/virtual-mfa", Logon, get(logon_bind::show).post(logon_bind::confirm)),
        ("/logon/bind/security-keys", Logon, get(logon_bind_key::show).post(logon_bind_key::bind)),
        ("/logon/bind/passkeys", Logon, get(logon_bind_key::show).post(logon_bind_key::bind)),
        ("/logon/cancel", Logon, post(logon_name::cancel)),
        ("/logoff", Session, post(log_off::log_off)),
        ("/setup", Nobody, get(setup::show).post(setup::create)),
        ("/not-me", Nobody, get(not_me::show).post(not_me::disown)),
        ("/preferences", Nobody, post(preferences::set)),
        ("/assets/{name}", Nobody, get(assets::show)),
        ("/account", Session, get(|| async { Redirect::to("/account/security") })),
        ("/account/welcome", Session, get(security::welcome)),
        ("/account/security", Session, get(security::show_account)),
        ("/me/security", Session, get(security::show_own)),
        ("/ram", Session, get(ram_overview::show_first)),
        ("/help/keys", Session, get(key_help::show)),
    ];
    routes.extend(own_pages());
    routes.extend(key_pages());
    routes.extend(ram_pages());
    routes.extend(access_pages());
    routes
}

/// What everybody does for himself, the owner in the Account Center and a RAM user in Security Information Management.
fn own_pages() -> Vec<Route> {
    use Needs::Session;
    vec![
        ("/account/history", Session, get(own_history::show_account)),
        ("/me/history", Session, get(own_history::show_own)),
        ("/account/security/password", Session, get(own_password::show).post(own_password::change)),
        ("/account/security/bind", Session, get(security::choose_type)),
        ("/account/security/virtual-mfa/verify", Session, get(own_mfa::show_verify).post(own_mfa::verify)),
        ("/account/security/virtual-mfa/bind", Session, get(own_mfa::show_bind).post(own_mfa::bind)),
        ("/account/security/virtual-mfa/unbind", Session, get(own_mfa::show_unbind).post(own_mfa::unbind)),
        ("/account/security/recovery-codes", Session, get(own_recovery::show).post(own_recovery::make)),
        ("/account/security/access-keys", Session, get(own_access_keys::show).post(own_access_keys::change)),
        ("/me/security/access-keys", Session, get(own_access_keys::show).post(own_access_keys::change)),
        ("/account/sessions", Session, get(own_sessions::show).post(own_sessions::end)),
        (
            "/account/sessions/log-off-everywhere",
            Session,
            get(own_sessions::ask_everywhere).post(own_sessions::log_off_everywhere),
        ),
        ("/me/security/recovery-codes", Session, get(own_recovery::show).post(own_recovery::make)),
        ("/me/sessions", Session, get(own_sessions::show).post(own_sessions::end)),
        (
            "/me/sessions/log-off-everywhere",
            Session,
            get(own_sessions::ask_everywhere).post(own_sessions::log_off_everywhere),
        ),
        ("/account/notices", Session, get(own_notices::show).post(own_notices::disown)),
        ("/me/notices", Session, get(own_notices::show).post(own_notices::disown)),
        ("/me/security/password", Session, get(own_password::show).post(own_password::change)),
        ("/me/security/virtual-mfa/verify", Session, get(own_mfa::show_verify).post(own_mfa::verify)),
        ("/me/security/virtual-mfa/bind", Session, get(own_mfa::show_bind).post(own_mfa::bind)),
        ("/me/security/virtual-mfa/unbind", Session, get(own_mfa::show_unbind).post(own_mfa::unbind)),
    ]
}

/// Security keys and passkeys, one's own and those of a RAM user.
fn key_pages() -> Vec<Route> {
    use Needs::Session;
    vec![
        ("/account/security/security-keys", Session, get(own_keys::show).post(own_keys::change)),
        ("/account/security/security-keys/bind", Session, get(own_key_bind::show).post(own_key_bind::bind)),
        ("/account/security/passkeys", Session, get(own_keys::show).post(own_keys::change)),
        ("/account/security/passkeys/bind", Session, get(own_key_bind::show).post(own_key_bind::bind)),
        ("/me/security/security-keys", Session, get(own_keys::show).post(own_keys::change)),
        ("/me/security/security-keys/bind", Session, get(own_key_bind::show).post(own_key_bind::bind)),
        ("/me/security/passkeys", Session, get(own_keys::show).post(own_keys::change)),
        ("/me/security/passkeys/bind", Session, get(own_key_bind::show).post(own_key_bind::bind)),
        ("/ram/users/{name}/security-keys", Session, get(ram_user_keys::show).post(ram_user_keys::change)),
        ("/ram/users/{name}/security-keys/bind", Session, get(ram_user_keys::show_bind).post(ram_user_keys::bind)),
        ("/ram/users/{name}/passkeys", Session, get(ram_user_keys::show).post(ram_user_keys::change)),
    ]
}

/// The RAM console.
fn ram_pages() -> Vec<Route> {
    use Needs::Session;
    vec![
        ("/ram/overview", Session, get(ram_overview::show)),
        ("/ram/mfa-check", Session, get(ram_mfa_check::show)),
        ("/ram/findings", Session, get(ram_findings::show).post(ram_findings::settle)),
        ("/ram/users", Session, get(ram_users::show)),
        ("/ram/create-user", Session, get(ram_user_create::show).post(ram_user_create::create)),
        ("/ram/users/{name}", Session, get(ram_user::show)),
        ("/ram/users/{name}/edit", Session, get(ram_user_edit::show).post(ram_user_edit::save)),
        ("/ram/users/{name}/delete", Session, get(ram_user_delete::show).post(ram_user_delete::delete)),
        ("/ram/users/{name}/logon-settings", Session, get(ram_user_logon::show).post(ram_user_logon::save)),
        ("/ram/users/{name}/reset-password", Session, get(ram_user_reset::show).post(ram_user_reset::reset)),
        ("/ram/users/{name}/unlock", Session, post(ram_user::unlock)),
        ("/ram/users/{name}/policies", Session, get(ram_user_policies::show).post(ram_user_policies::change)),
        ("/ram/users/{name}/sessions", Session, get(ram_user_sessions::show).post(ram_user_sessions::end)),
        ("/ram/users/{name}/access-keys", Session, get(ram_user_access_keys::show).post(ram_user_access_keys::change)),
        ("/ram/users/{name}/virtual-mfa/start", Session, post(ram_user_mfa::start)),
        ("/ram/users/{name}/virtual-mfa/bind", Session, get(ram_user_mfa::show_bind).post(ram_user_mfa::bind)),
        ("/ram/users/{name}/virtual-mfa/unbind", Session, get(ram_user_mfa::show_unbind).post(ram_user_mfa::unbind)),
        ("/ram/audit", Session, get(ram_audit::show)),
        ("/ram/audit/export", Session, post(ram_audit::export)),
        ("/ram/settings", Session, get(ram_settings::show).post(ram_settings::save)),
        (
            "/ram/settings/password-policy",
            Session,
            get(ram_settings::show_passwords).post(ram_settings::save_passwords),
        ),
    ]
}

/// Groups and policies.
fn access_pages() -> Vec<Route> {
    use Needs::Session;
    vec![
        ("/ram/groups", Session, get(ram_groups::show)),
        ("/ram/create-group", Session, get(ram_groups::show_create).post(ram_groups::create)),
        ("/ram/groups/{name}", Session, get(ram_group::show)),
        ("/ram/groups/{name}/edit", Session, get(ram_groups::show_edit).post(ram_groups::edit)),
        ("/ram/groups/{name}/members", Session, get(ram_group::show_remove).post(ram_group::change_members)),
        ("/ram/groups/{name}/policies", Session, get(ram_group::show_detach).post(ram_group::change_policies)),
        ("/ram/groups/{name}/delete", Session, get(ram_group::show_delete).post(ram_group::delete)),
        ("/ram/policies", Session, get(ram_policies::show)),
        ("/ram/create-policy", Session, get(ram_policies::show_create).post(ram_policies::create)),
        ("/ram/policies/{name}", Session, get(ram_policy::show)),
        ("/ram/policies/{name}/versions", Session, get(ram_policy::show_new_version).post(ram_policy::create_version)),
        (
            "/ram/policies/{name}/versions/{version}",
            Session,
            get(ram_policy::show_version).post(ram_policy::change_version),
        ),
        ("/ram/policies/{name}/delete", Session, get(ram_policy::show_delete).post(ram_policy::delete)),
    ]
}

/// Every route, for tests that walk over all of them.
#[must_use]
pub fn route_table() -> Vec<RouteInfo> {
    routes().into_iter().map(|(path, needs, _)| RouteInfo { path, needs }).collect()
}

pub(crate) fn router(console: Console) -> Router {
    let mut router = Router::new();
    for (path, needs, methods) in routes() {
        let methods = match needs {
            Needs::Session => methods
                .route_layer(from_fn_with_state(console.clone(), step_up::layer))
                .route_layer(from_fn_with_state(console.clone(), guard::session)),
            Needs::Nobody | Needs::Logon => methods,
        };
        router = router.route(path, methods);
    }
    router
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed_so)
        .layer(from_fn_with_state(console.clone(), guard::same_origin))
        .layer(from_fn(guard::headers))
        .with_state(console)
}

/// A form's address opened like a page, as browsers propose it: there is a page to say so.
async fn not_allowed_so(_: State<Console>, visitor: Visitor) -> Response {
    answer::plain_page(&visitor, StatusCode::METHOD_NOT_ALLOWED, "error-not-found")
}

async fn not_found(_: State<Console>, visitor: Visitor, _: Uri) -> Response {
    answer::plain_page(&visitor, StatusCode::NOT_FOUND, "error-not-found")
}
