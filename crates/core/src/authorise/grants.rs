//! The policies that reach a principal.

use crate::error::Error;
use countersign_model::policy::{Effect, Pattern, PolicyDocument, Statement, is_covered};
use countersign_model::principal::SystemPolicy;
use countersign_store::attachments::{Attached, Reaching};
use std::sync::Arc;

/// One policy with its document.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) policy: Attached,
    pub(crate) document: Arc<PolicyDocument>,
}

/// The policies that reach a principal: those attached to him and those of his groups.
#[derive(Debug, Clone, Default)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// What system policies grant.
    pub fn of_system(policies: &[SystemPolicy]) -> Result<Self, Error> {
        policies.iter().map(|policy| Grant::read(Attached::System(*policy), None)).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn read(rows: Vec<Reaching>) -> Result<Self, Error> {
        rows.into_iter().map(|row| Grant::read(row.policy, row.document.as_deref())).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.0.iter().flat_map(|grant| grant.document.statements())
    }

    /// Whether this policy is among them.
    pub(crate) fn hold(&self, policy: &Attached) -> bool {
        self.0.iter().any(|grant| grant.policy == *policy)
    }

    pub(crate) fn make_administrator(&self) -> bool {
        self.0.iter().any(|grant| match &grant.policy {
            Attached::System(policy) => policy.makes_administrator(),
            Attached::Custom(_) => false,
        })
    }

    pub(crate) fn deny(&self) -> bool {
        self.0.iter().any(|grant| grant.document.denies())
    }

    /// The same with these besides, each in the place of an earlier one if it is the same policy.
    #[must_use]
    pub(crate) fn with(&self, more: &Self) -> Self {
        let kept = self.0.iter().filter(|grant| !more.hold(&grant.policy));
        Self(kept.chain(&more.0).cloned().collect())
    }

    /// The same without any of these.
    #[must_use]
    pub(crate) fn without_all(&self, less: &Self) -> Self {
        Self(self.0.iter().filter(|grant| !less.hold(&grant.policy)).cloned().collect())
    }

    /// Whether whoever has these is allowed all that others allow, and nothing is denied to him that they leave open.
    pub(crate) fn cover(&self, theirs: &Self) -> bool {
        let is_administrator = self.make_administrator();
        if theirs.make_administrator() && !is_administrator {
            return false;
        }
        // An administrator can give himself whatever he lacks, by the hand of another one.
        let everything = Statement {
            effect: Effect::Allow,
            actions: vec![Pattern::new("*")],
            resources: vec![Pattern::new("*")],
            conditions: vec![],
        };
        let own: Vec<_> = self.statements().chain(is_administrator.then_some(&everything)).collect();
        is_covered(&theirs.statements().collect::<Vec<_>>(), &own)
    }
}

impl From<Grant> for Grants {
    fn from(grant: Grant) -> Self {
        Self(vec![grant])
    }
}

impl Grant {
    /// A policy as it is stored. One that cannot be read allows nothing: whoever it reaches is refused everything.
    pub(crate) fn read(policy: Attached, document: Option<&str>) -> Result<Self, Error> {
        let document = match (&policy, document) {
            (Attached::System(policy), _) => system_document(*policy),
            (Attached::Custom(_), Some(document)) => document,
            (Attached::Custom(id), None) => {
                return Err(Error::Fault(format!("policy {id} has no version that counts")));
            }
        };
        let document = document.parse().map_err(|error| Error::Fault(format!("a stored policy: {error}")))?;
        Ok(Self { policy, document: Arc::new(document) })
    }
}

/// The document of a system policy.
#[must_use]
pub const fn system_document(policy: SystemPolicy) -> &'static str {
    match policy {
        SystemPolicy::AdministratorAccess => {
            r#"{
  "Version": "1",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    }
  ]
}"#
        }
        SystemPolicy::AliyunRamFullAccess => {
            r#"{
  "Version": "1",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["ram:*", "ims:*"],
      "Resource": "*"
    }
  ]
}"#
        }
        SystemPolicy::AliyunRamReadOnlyAccess => {
            r#"{
  "Version": "1",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["ram:Get*", "ram:List*", "ims:Get*", "ims:List*"],
      "Resource": "*"
    }
  ]
}"#
        }
    }
}
