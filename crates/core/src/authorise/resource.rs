//! What something is done to, and how policies name it.

use super::Kind;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::policy::Pattern;

/// On what an action acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// The actor himself.
    Oneself,
    /// An account as a whole, or all of its users, groups or policies, whichever the action is about.
    Account(AccountId),
    /// A principal. Names none, so whoever acts on it must be allowed to act on all.
    Principal(AccountId, PrincipalId),
    /// A RAM user by his name, and by his id once he was found.
    User(AccountId, String, Option<PrincipalId>),
    /// A group by its name.
    Group(AccountId, String),
    /// A policy of an account by its name.
    Policy(AccountId, String),
    /// A virtual MFA device that is bound to nobody, by its name.
    Mfa(AccountId, String),
    /// A policy that comes with every account, seen from one of them.
    SystemPolicy(AccountId, &'static str),
    /// The installation.
    Installation,
}

impl Resource {
    /// The account that it belongs to.
    pub(super) const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(account)
            | Self::Principal(account, _)
            | Self::User(account, ..)
            | Self::Group(account, _)
            | Self::Policy(account, _)
            | Self::Mfa(account, _)
            | Self::SystemPolicy(account, _) => Some(account),
            Self::Oneself | Self::Installation => None,
        }
    }

    /// As policies name it, for an action on a kind of things; nothing for what no policy governs.
    pub(super) fn arn(&self, kind: Kind) -> Option<Pattern> {
        let named = |account: &AccountId, name: &str| Some(Pattern::new(&format!("acs:ram::{account}:{name}")));
        match self {
            Self::Account(account) => named(account, kind.all()),
            Self::Principal(account, _) => named(account, Kind::User.all()),
            Self::User(account, name, _) => named(account, &format!("user/{name}")),
            Self::Group(account, name) => named(account, &format!("group/{name}")),
            Self::Policy(account, name) => named(account, &format!("policy/{name}")),
            Self::Mfa(account, name) => named(account, &format!("mfa/{name}")),
            Self::SystemPolicy(_, name) => Some(Pattern::new(&format!("acs:ram::system:policy/{name}"))),
            Self::Oneself | Self::Installation => None,
        }
    }
}
