//! The door from the signed request to the database and back, on both engines.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod attacks;
mod forging;
mod mfa;
mod rest;
mod signing;
mod trail;
mod users;
