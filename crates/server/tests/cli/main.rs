//! The binary itself, as an operator meets it: started, asked over HTTP, stopped by a signal, its commands run beside it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod access_key;
mod accounts;
mod audit;
mod backup;
mod demo;
mod doctor;
mod http;
mod mail;
mod place;
// The server stands below the crate `testkit`, which is made of everything.
#[expect(unreachable_pub, reason = "the crate `testkit` exports it")]
#[path = "../../../testkit/src/postgres.rs"]
mod postgres;
mod postgres_commands;
mod process;
mod starting;
mod tls;
