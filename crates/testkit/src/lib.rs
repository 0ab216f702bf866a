//! A whole Countersign in a test: the clock in hand, randomness that repeats, a database to throw away.
//!
//! - [`Kit`] is an installation of its own: a store on either [`Engine`], the use-cases over it, a [`ManualClock`]. It can
//!   be restarted, and on PostgreSQL it has a second node.
//! - [`both_engines!`] makes two tests of each function, `name::sqlite` and `name::postgres`.
//! - [`people`] makes accounts, owners, administrators and RAM users, and logs them on; a [`Phone`] is their authenticator.
//! - [`SoftKey`] is an authenticator with its browser, which lies when told; [`keys`] gives it to people.
//! - [`rows`] looks below the use-cases: the audit log, the tables, the bytes on disk.
//! - [`smtp`] is a mail server on loopback, which misbehaves when told.
//! - [`api`] has a client that signs its calls of the RAM protocol.
//! - [`http`] has a [`Browser`](http::Browser) that drives the pages in process.
//!
//! ```ignore
//! both_engines! {
//!     async fn c02_a_code_is_asked_after_the_password(kit: Kit) {
//!         let acme = kit.account("acme").await;
//!         let (alice, phone) = kit.bound_user(&acme, "alice").await;
//!         let token = kit.waiting(&alice, LogonState::SecondFactor).await;
//!         let step = kit.core().logon_with_code(&token, phone.code(&kit), origin()).await.unwrap();
//!         assert!(matches!(step, LogonStep::Open { .. }));
//!     }
//! }
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot have what it needs stops, and says why"
)]

pub mod api;
pub mod authenticator;
pub mod clock;
pub mod entropy;
pub mod http;
pub mod keys;
pub mod kit;
pub mod people;
pub mod phone;
pub mod postgres;
pub mod rows;
pub mod smtp;

pub use authenticator::SoftKey;
pub use clock::ManualClock;
pub use entropy::SeededEntropy;
pub use kit::{Engine, Kit, run};
pub use people::{Account, Person, Visitor, demand, origin, reason, refusal};
pub use phone::Phone;

/// Makes two tests of each function, one on each engine: `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($($kit:tt)*) $body:block)+) => {
        $($(#[$meta])* mod $name {
            use super::*;

            async fn body($($kit)*) $body

            #[test]
            fn sqlite() {
                $crate::run($crate::Engine::Sqlite, body);
            }

            #[test]
            fn postgres() {
                $crate::run($crate::Engine::Postgres, body);
            }
        })+
    };
}
