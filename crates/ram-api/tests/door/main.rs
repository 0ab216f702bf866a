//! The door from the signed request to the database and back, on both engines.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod attachments;
mod attacks;
mod clock;
mod forging;
mod groups;
mod keys;
mod mfa;
mod policies;
mod reports;
mod rest;
mod shapes;
mod signing;
mod trail;
mod users;
