//! The pages: one file each, with its handler, what its template shows, and the fields it reads.

pub(crate) mod log_off;
pub(crate) mod logon_bind;
pub(crate) mod logon_choose_password;
pub(crate) mod logon_name;
pub(crate) mod logon_password;
pub(crate) mod logon_second_factor;
pub(crate) mod not_me;
pub(crate) mod own_history;
pub(crate) mod own_mfa;
pub(crate) mod own_notices;
pub(crate) mod own_password;
pub(crate) mod preferences;
pub(crate) mod ram_audit;
pub(crate) mod ram_findings;
pub(crate) mod ram_overview;
pub(crate) mod ram_settings;
mod ram_settings_form;
pub(crate) mod ram_user;
pub(crate) mod ram_user_create;
pub(crate) mod ram_user_delete;
pub(crate) mod ram_user_edit;
pub(crate) mod ram_user_logon;
pub(crate) mod ram_user_mfa;
pub(crate) mod ram_user_policies;
pub(crate) mod ram_user_reset;
pub(crate) mod ram_users;
pub(crate) mod security;
pub(crate) mod setup;

mod audit_rows;
mod binding_form;
mod logon_steps;
mod ram_asker;
mod ram_facts_form;
mod ram_login_form;
mod ram_password_shown;
