//! What a finished logon opens. What a session is worth is written once and never edited.

use crate::clock::Timestamp;
use crate::ids::{AccountId, PrincipalId, SessionId};
use crate::logon::Method;
use std::time::Duration;

/// How long a session may lie idle.
pub const IDLE_LIMIT: Duration = Duration::from_hours(1);

/// How many sessions a principal may have open; the oldest gives way.
pub const SESSIONS_PER_PRINCIPAL: i64 = 48;

/// An open session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id. The secret that the browser holds is another one.
    pub id: SessionId,
    /// The account.
    pub account_id: AccountId,
    /// The principal.
    pub principal_id: PrincipalId,
    /// The principal's epoch it was opened in.
    pub principal_epoch: i64,
    /// The account's epoch likewise.
    pub account_epoch: i64,
    /// The methods used at logon, in their order.
    pub methods: Vec<Method>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}
