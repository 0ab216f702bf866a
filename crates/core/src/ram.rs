//! What the RAM protocol does otherwise than the pages: a user and his login profile are made apart, a user on whom
//! something hangs is not removed, a virtual MFA device exists before and after it is bound, and what is not named in a
//! change stays.
//!
//! These use-cases decide by the same steps as the pages' ones: codes are judged and spent in `codes`,
//! passwords in [`passwords`](crate::passwords), rights in [`authorise`](crate::authorise). What one door changes the other
//! sees at once.

pub mod account;
pub mod contacts;
pub mod credential_report;
pub mod login_profiles;
pub mod mfa;
pub mod practice;
pub mod users;
pub mod words;

pub use countersign_store::unbound_mfa::{DeviceLine, Holder};

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What it lists.
    pub items: Vec<T>,
    /// Whether there is more behind the last of them.
    pub is_truncated: bool,
}

impl<T> Page<T> {
    /// The page that `found` makes, where one more than `limit` was looked for.
    pub(crate) fn of(mut found: Vec<T>, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let is_truncated = found.len() > limit;
        found.truncate(limit);
        Self { items: found, is_truncated }
    }
}
