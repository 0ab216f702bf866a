//! The binary `countersign`: configuration, wiring, commands. It holds no rule of logon; those are in core.
//!
//! | module | is about |
//! |---|---|
//! | [`cli`] | what can be typed |
//! | [`config`] | the settings, from file, environment and flags |
//! | [`public_url`] | the one address that people type |
//! | `installation` | the store, the key ring and core, opened together |
//! | [`mod@app`] | the pages behind all layers of HTTP: hosts, limits, logs |
//! | [`operations`] | `/healthz`, `/readyz`, `/metrics` |
//! | [`net`] | connections: their limits, TLS, their end |
//! | `serve`, `account`, `user`, `audit`, `mail`, `backup`, `restore`, `keys`, `doctor` | the commands |
//! | `operate`, `asking` | what an operator's commands share: core opened beside the server, questions |
//! | `mail` | notices on their way to people |
//! | `audit_keeper` | the sequencer of the audit log, and the checkpoints outside the database |
//! | `demo` | a furnished house to look around in |
//!
//! A new command is a variant of [`cli::Command`] and a module with a `run`. A new setting is a field of
//! [`config::Layer`] and of [`config::Settings`], a row of `KEYS` beside them, and a line in the operator's book.

pub mod app;
pub mod cli;
pub mod config;
pub mod net;
pub mod operations;
pub mod public_url;

mod access_key;
mod account;
mod asking;
mod audit;
mod audit_keeper;
mod backup;
mod demo;
mod doctor;
mod failure;
mod hosts;
mod http_metrics;
mod installation;
mod keys;
mod logs;
mod mail;
mod operate;
mod output;
mod request_log;
mod restore;
mod serve;
mod stopwatch;
mod user;

pub use app::app;
pub use cli::Cli;
pub use http_metrics::HttpMetrics;

use std::process::ExitCode;

/// Does what was typed. Nought is success; one is a refusal or a failure, told on standard error; two is for a verification
/// that could not be made.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        cli::Command::Serve(flags) => serve::run(*flags).map(|()| ExitCode::SUCCESS),
        cli::Command::Account(command) => account::run(command).map(|()| ExitCode::SUCCESS),
        cli::Command::AccessKey(command) => access_key::run(command).map(|()| ExitCode::SUCCESS),
        cli::Command::User(command) => user::run(command).map(|()| ExitCode::SUCCESS),
        cli::Command::Backup(flags) => backup::run(flags).map(|()| ExitCode::SUCCESS),
        cli::Command::Restore(flags) => restore::run(flags).map(|()| ExitCode::SUCCESS),
        cli::Command::Keys(command) => keys::run(command).map(|()| ExitCode::SUCCESS),
        cli::Command::Doctor(flags) => doctor::run(flags).map(|()| ExitCode::SUCCESS),
        cli::Command::Audit(command) => audit::run(command),
        cli::Command::Mail(command) => mail::run(command).map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(status) => status,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::FAILURE
        }
    }
}
