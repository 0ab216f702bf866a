//! The door from the signed request to the database and back, on both engines.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod clock;
mod mfa;
mod reports;
mod rest;
mod shapes;
mod signing;
mod users;
