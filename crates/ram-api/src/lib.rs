//! The signed RPC door of Countersign: RAM (2015-05-01), IMS (2019-08-15) and STS (2015-04-01), as the public cloud's SDKs
//! speak them. It turns a signed request into a call of core and the answer back, and decides nothing.
//!
//! - [`router`]: the door itself. It finds out who signed a request, runs its action, and writes the answer. [`in_shape`]
//!   is for what the layers around it answer.
//! - [`request`]: a request decoded, with limits on everything.
//! - [`signature`]: who signed it, and whether the signature is right.
//! - [`answer`]: one tree of values, written as JSON or XML. [`error`]: what is answered when something is not done.
//! - `actions/`: one file for each group of actions, and [`ACTIONS`], the table of all of them.
//! - `refusals`: what core refuses, in the words of the protocol.

mod actions;
pub mod answer;
pub mod api;
mod call;
mod door;
pub mod error;
mod refusals;
pub mod request;
pub mod signature;

pub use actions::{ACTIONS, exists};
pub use door::{BODY_LIMIT, Options, in_shape, router};
