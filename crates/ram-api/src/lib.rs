//! The signed RPC door of Countersign: RAM (2015-05-01), IMS (2019-08-15) and STS (2015-04-01), as the public cloud's SDKs
//! speak them. It turns a signed request into a call of core and the answer back, and decides nothing.
//!
//! - [`request`]: a request decoded, with limits on everything.
//! - [`signature`]: who signed it, and whether the signature is right.
//! - [`answer`]: one tree of values, written as JSON or XML. [`error`]: what is answered when something is not done.

pub mod answer;
pub mod error;
pub mod request;
pub mod signature;
