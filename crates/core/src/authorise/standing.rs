//! What somebody is, and which policies reach him.

use super::{Action, Grants, Kind, Resource};
use crate::actor::{Actor, Insider, Role};
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::policy::{Context, Decision, Pattern, decide};
use countersign_model::settings::SecuritySettings;
use std::sync::Arc;

/// What `authorise` looks at of an actor.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What he is in his account.
    pub role: Role,
    /// His account; none for an operator or a stranger.
    pub account: Option<AccountId>,
    /// Himself; none for an operator or a stranger.
    pub principal: Option<PrincipalId>,
    /// The user name, or the owner's email address; empty for an operator or a stranger.
    pub name: String,
    /// The settings of his account.
    pub settings: Arc<SecuritySettings>,
    /// The policies that reach him. The owner needs none.
    pub grants: Grants,
    /// From where and by what he asks, for the conditions of policies.
    pub context: Context,
}

impl Standing {
    /// The standing of an actor whom policies reach.
    #[must_use]
    pub fn new(actor: &Actor, grants: Grants, address: &str) -> Self {
        let Some(insider) = actor.insider() else {
            return Self {
                role: Role::Operator,
                account: None,
                principal: None,
                name: String::new(),
                settings: Arc::default(),
                grants,
                context: Context::default(),
            };
        };
        let (role, settings, mfa_present) = match insider {
            Insider::Session(actor) => (actor.role(), &actor.found.settings, Some(actor.used_second_factor())),
            Insider::AccessKey(actor) => (actor.role(), &actor.found.settings, None),
        };
        Self {
            role,
            account: Some(insider.account_id().clone()),
            principal: Some(insider.principal_id().clone()),
            name: insider.name().to_owned(),
            settings: Arc::clone(settings),
            grants,
            context: Context::new(address, mfa_present),
        }
    }

    /// Whether he may everything that a principal may whom these policies reach: then he gains nothing by what he does to
    /// him. The owner may everything. Administrators are equals; nobody else outranks one. And what is denied to him must
    /// be denied to the other as well.
    #[must_use]
    pub fn outranks(&self, theirs: &Grants) -> bool {
        match self.role {
            Role::Owner => true,
            Role::Administrator | Role::User => self.grants.cover(theirs),
            Role::Anonymous | Role::Operator => false,
        }
    }

    /// Whether nobody outranks him, so that whom he acts on need not be looked at.
    #[must_use]
    pub fn is_unrestricted(&self) -> bool {
        match self.role {
            Role::Owner => true,
            Role::Administrator | Role::User => self.grants.make_administrator() && !self.grants.deny(),
            Role::Anonymous | Role::Operator => false,
        }
    }

    pub(super) fn decision(&self, action: Action, resource: &Pattern) -> Decision {
        decide(self.grants.statements(), &action.pattern(), resource, &self.context)
    }

    /// What policies say of something that he does for himself.
    pub(super) fn decision_on_oneself(&self, action: Action) -> Decision {
        let Some(account) = &self.account else { return Decision::NotMentioned };
        let oneself = Resource::User(account.clone(), self.name.clone(), None);
        oneself.arn(Kind::User).map_or(Decision::NotMentioned, |arn| self.decision(action, &arn))
    }
}
