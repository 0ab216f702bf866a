//! The entities of Countersign with their ids, limits and lifecycles. No I/O happens here.
//!
//! | module | holds |
//! |---|---|
//! | [`clock`] | [`Timestamp`], the [`Clock`] through which all time comes in |
//! | [`entropy`] | the [`Entropy`] through which all randomness comes in |
//! | [`ids`] | typed ids of every row |
//! | [`names`] | what people type as names: user names, aliases, email addresses, with their limits |
//! | [`principal`] | owners, RAM users, login profiles and the policies that make administrators |
//! | [`group`] | groups of RAM users |
//! | [`policy`] | the policy language: reading, deciding, comparing |
//! | [`settings`] | the security settings of an account |
//! | [`virtual_mfa`] | the TOTP device of a principal |
//! | [`webauthn`] | security keys and passkeys |
//! | [`logon`] | the state of one attempt to open a session |
//! | [`session`] | what a finished logon opens |
//! | [`machine`] | remembered machines, known browsers and networks |
//! | [`budget`] | how often a factor may be tried |
//! | [`access_key`] | the keys with which programs sign their calls |
//! | [`contact`] | the email addresses and phones by which RAM users are to prove themselves |
//! | [`audit`] | what is written down about every change and refusal |
//! | [`notice`] | what people are told, and what administrators have to look at |
//!
//! A new entity gets its file here, its id in [`ids`], and its limits beside its fields.

pub mod access_key;
pub mod audit;
pub mod budget;
pub mod clock;
pub mod contact;
pub mod entropy;
pub mod group;
pub mod ids;
pub mod logon;
pub mod machine;
pub mod names;
pub mod notice;
pub mod policy;
pub mod principal;
pub mod session;
pub mod settings;
mod text_enum;
pub mod token;
pub mod virtual_mfa;
pub mod webauthn;

pub use clock::{Clock, Timestamp};
pub use entropy::Entropy;
pub use text_enum::UnknownWord;
