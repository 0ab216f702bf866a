//! The binary itself, as an operator meets it: started, asked over HTTP, stopped by a signal, its commands run beside it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod accounts;
mod audit;
mod backup;
mod demo;
mod doctor;
mod http;
mod mail;
mod place;
mod process;
mod starting;
mod tls;
