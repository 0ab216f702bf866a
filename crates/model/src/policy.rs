//! The policy language of RAM: statements that allow or deny actions on resources.
//!
//! A document is read strictly: whatever it says that would not be honoured is refused when it is written, never ignored.
//! Deny wins, and what no statement allows is denied. Nothing here does I/O or takes more steps than its budget.

mod condition;
mod cover;
mod decide;
mod json;
mod pattern;
mod problem;
mod read;

pub use condition::{Condition, Context};
pub use cover::is_covered;
pub use decide::{Decision, decide, decide_at_all};
pub use pattern::{Pattern, Steps};
pub use problem::{MalformedPolicy, Problem};

use crate::names::PolicyName;
use crate::principal::SystemPolicy;
use crate::text_enum::text_enum;
use std::str::FromStr;

/// The most characters of a document.
pub const LONGEST_DOCUMENT: usize = 6_144;

text_enum! {
    /// Who wrote a policy.
    PolicyType, "policy type" {
        /// It comes with every account and cannot be changed.
        System = "System",
        /// An account wrote it for itself.
        Custom = "Custom",
    }
}

/// A policy as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyRef {
    /// One that comes with every account.
    System(SystemPolicy),
    /// One of the account's own.
    Custom(PolicyName),
}

impl PolicyRef {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::System(policy) => policy.as_str(),
            Self::Custom(name) => name.as_str(),
        }
    }

    /// Who wrote it.
    #[must_use]
    pub const fn policy_type(&self) -> PolicyType {
        match self {
            Self::System(_) => PolicyType::System,
            Self::Custom(_) => PolicyType::Custom,
        }
    }
}

impl From<SystemPolicy> for PolicyRef {
    fn from(policy: SystemPolicy) -> Self {
        Self::System(policy)
    }
}

impl From<PolicyName> for PolicyRef {
    fn from(name: PolicyName) -> Self {
        Self::Custom(name)
    }
}

/// A policy document that was read and understood, with its text as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    text: String,
    statements: Vec<Statement>,
}

impl PolicyDocument {
    /// The text as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Whether it denies anything.
    #[must_use]
    pub fn denies(&self) -> bool {
        self.statements.iter().any(|statement| statement.effect == Effect::Deny)
    }
}

impl FromStr for PolicyDocument {
    type Err = MalformedPolicy;

    fn from_str(text: &str) -> Result<Self, MalformedPolicy> {
        if text.chars().count() > LONGEST_DOCUMENT {
            return Err(MalformedPolicy::new(String::new(), Problem::TooLong));
        }
        Ok(Self { text: text.to_owned(), statements: read::statements(&json::parse(text)?)? })
    }
}

text_enum! {
    /// What a statement does with what it matches.
    Effect, "effect" {
        /// It is allowed, unless another statement denies it.
        Allow = "Allow",
        /// It is denied, whatever other statements say.
        Deny = "Deny",
    }
}

/// One statement. It holds for an action on a resource when one pattern of each matches and all conditions hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it does.
    pub effect: Effect,
    /// Which actions, as `ram:GetUser`.
    pub actions: Vec<Pattern>,
    /// On which resources, as `acs:ram::1234567890123456:user/alice`.
    pub resources: Vec<Pattern>,
    /// Under which conditions.
    pub conditions: Vec<Condition>,
}

#[cfg(test)]
mod tests;
