//! Groups of RAM users.

use crate::Timestamp;
use crate::ids::{AccountId, GroupId};
use crate::names::{Comments, GroupName};

/// The most groups of an account.
pub const MOST_GROUPS: i64 = 300;
/// The most groups that one user is in.
pub const MOST_GROUPS_OF_USER: usize = 10;

/// A group. Policies attached to it count for all who are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The account.
    pub account_id: AccountId,
    /// The id.
    pub id: GroupId,
    /// The name, unique in the account without regard to case.
    pub name: GroupName,
    /// A remark.
    pub comments: Comments,
    /// When it was made.
    pub created_at: Timestamp,
    /// When name or remark last changed.
    pub updated_at: Timestamp,
}
