//! WebAuthn as a relying party checks it: what a browser and an authenticator send is taken apart and judged, step by step
//! as the specification says (Web Authentication Level 3, §7). No I/O, no clock, no randomness.
//!
//! - [`RelyingParty`] judges: [`verify_registration`](RelyingParty::verify_registration),
//!   [`verify_assertion`](RelyingParty::verify_assertion). [`Invalid`] tells why not.
//! - [`RegistrationResponse`] and [`AssertionResponse`] read what `PublicKeyCredential.toJSON()` gives.
//! - [`creation_options`] and [`request_options`] write what `parseCreationOptionsFromJSON` takes.
//!
//! Signatures are checked by `ring`, chains of certificates by `webpki`. What is asked of a browser is checked again here:
//! it may be a program of somebody else. The 15 vectors of the specification run in `tests/vectors.rs`.

mod attestation;
mod authenticator_data;
mod cbor;
mod client_data;
mod curve;
mod der;
mod error;
mod key;
mod options;
mod relying_party;
mod response;

pub use attestation::Trust;
pub use authenticator_data::{AaguidBytes, LONGEST_CREDENTIAL_ID};
pub use error::Invalid;
pub use key::Algorithm;
pub use options::{
    Allowed, Attachment, Conveyance, Creation, Request, ResidentKey, Verification, creation_options, request_options,
};
pub use relying_party::{
    Asserted, AssertionDemand, KnownCredential, NoRoot, Registered, RegistrationDemand, RelyingParty, UserVerification,
    counts_up,
};
pub use response::{AssertionResponse, LONGEST_RESPONSE, RegistrationResponse};
