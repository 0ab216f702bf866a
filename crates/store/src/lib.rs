//! What Countersign keeps: one SQL text over SQLite and PostgreSQL.
//!
//! - [`Store`] opens a database, brings its schema up to date, runs units of work over it. Nothing else knows that there
//!   are two engines.
//! - One module per aggregate ([`accounts`], [`principals`], [`virtual_mfa`], …) holds plain functions over [`Tx`]:
//!   `find`, `insert`, `consume_step`. They know SQL and decide nothing.
//! - [`params!`] is what goes into a statement, [`Row`] what comes out, [`StoreError`] what can go wrong.
//!
//! A new aggregate gets its table in both folders of `migrations/`, a module here with its texts in `statements!`, its
//! line in [`statements`], and its cases in the contract suite (`tests/contract.rs`), which runs on both engines and fails
//! when a statement ran on only one of them.

mod conversions;
mod engine;
mod error;
mod migrate;
mod value;

pub mod access_keys;
pub mod accounts;
pub mod api_nonces;
pub mod attachments;
pub mod audit;
pub mod audit_chain;
pub mod audit_search;
pub mod budgets;
pub mod clock;
pub mod contacts;
pub mod credential_reports;
pub mod factors;
pub mod facts;
pub mod findings;
pub mod forecast;
pub mod groups;
pub mod known_places;
pub mod login_profiles;
pub mod logons;
pub mod machines;
pub mod mfa_check;
pub mod network_budgets;
pub mod notices;
pub mod outbox;
pub mod password_history;
pub mod policies;
pub mod practice;
pub mod principals;
pub mod proofs;
pub mod recovery_codes;
pub mod restore;
pub mod sealed;
pub mod sessions;
pub mod unbound_mfa;
pub mod users;
pub mod virtual_mfa;
pub mod webauthn_ceremonies;
pub mod webauthn_credentials;

pub use engine::{Access, CommitCount, Examined, Location, Options, Store, Tx, copies, examine, placeholders_ascend};
pub use error::{Settle, Settles, StoreError};
pub use migrate::Migration;
pub use value::{Param, Row, RowReader, ToParam, Value};

pub(crate) use engine::statements;

/// Every statement of every aggregate.
#[must_use]
pub fn statements() -> Vec<&'static str> {
    [
        access_keys::ALL,
        accounts::ALL,
        api_nonces::ALL,
        attachments::ALL,
        audit::ALL,
        audit_chain::ALL,
        audit_search::ALL,
        budgets::ALL,
        clock::ALL,
        contacts::ALL,
        credential_reports::ALL,
        factors::ALL,
        facts::ALL,
        known_places::ALL,
        login_profiles::ALL,
        logons::ALL,
        machines::ALL,
        network_budgets::ALL,
        forecast::ALL,
        groups::ALL,
        password_history::ALL,
        findings::ALL,
        notices::ALL,
        outbox::ALL,
        policies::ALL,
        practice::ALL,
        principals::ALL,
        proofs::ALL,
        recovery_codes::ALL,
        restore::ALL,
        sealed::ALL,
        sessions::ALL,
        unbound_mfa::ALL,
        users::ALL,
        mfa_check::ALL,
        virtual_mfa::ALL,
        webauthn_ceremonies::ALL,
        webauthn_credentials::ALL,
    ]
    .concat()
}
