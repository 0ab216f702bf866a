//! Policies: those that come with every account, those that an account writes for itself with their versions, and what is
//! attached to whom.
//!
//! A change of rights takes the row that guards the account's policies and administrators. Whoever makes it must outrank
//! everybody whom it reaches, before it and after it, and it must not reach himself.

mod attaching;
mod listing;
mod versions;

pub use attaching::{AttachedPolicy, Entities};
pub use versions::{NewVersion, PolicyVersion, WhenFull, version_id};

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin};
use crate::authorise::{Action, Resource};
use crate::error::{Conflict, Error, Limit, Refusal};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PolicyId};
use countersign_model::names::{Description, PolicyName};
use countersign_model::policy::{PolicyDocument, PolicyRef, PolicyType};
use countersign_model::principal::SystemPolicy;
use countersign_store::attachments::Attached;
use countersign_store::groups::Part;
use countersign_store::policies::Policy;
use countersign_store::{Tx, attachments, policies};

pub use countersign_store::attachments::HolderLine;

/// The most policies that an account writes for itself.
pub const MOST_POLICIES: i64 = 1_500;
/// The most versions of a policy.
pub const MOST_VERSIONS: usize = 5;
/// The most policies of an account's own that are attached to one user or group.
pub const MOST_CUSTOM_ATTACHED: usize = 10;
/// The most system policies that are attached to one user or group.
pub const MOST_SYSTEM_ATTACHED: usize = 20;

/// A policy that is to be written, checked.
#[derive(Debug, Clone)]
pub struct NewPolicy {
    /// The name.
    pub name: PolicyName,
    /// What it is for.
    pub description: Description,
    /// What it says.
    pub document: PolicyDocument,
}

/// A policy as it is shown.
#[derive(Debug, Clone)]
pub struct PolicyView {
    /// Which.
    pub policy: PolicyRef,
    /// What it is for. Of a system policy in English.
    pub description: String,
    /// The version that counts.
    pub default_version: i64,
    /// To how many users and groups it is attached.
    pub attachments: i64,
    /// When it was made; a system policy has always been there.
    pub created_at: Option<Timestamp>,
    /// When its description or its versions last changed.
    pub updated_at: Option<Timestamp>,
}

/// What the versions that do not count are to the removal of their policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OtherVersions {
    /// They hold it up.
    Hold,
    /// They go with it.
    Go,
}

/// A policy that was looked up.
pub(crate) enum Found {
    /// One that comes with every account, seen from this one.
    System(AccountId, SystemPolicy),
    /// One of the account's own.
    Custom(Policy),
}

impl Found {
    const fn account(&self) -> &AccountId {
        match self {
            Self::System(account, _) => account,
            Self::Custom(policy) => &policy.account_id,
        }
    }

    fn attached(&self) -> Attached {
        match self {
            Self::System(_, policy) => Attached::System(*policy),
            Self::Custom(policy) => Attached::Custom(policy.id.clone()),
        }
    }

    fn view(&self, attachments: i64) -> PolicyView {
        match self {
            Self::System(_, policy) => system_view(*policy, attachments),
            Self::Custom(policy) => PolicyView {
                policy: PolicyRef::Custom(policy.name.clone()),
                description: policy.description.to_string(),
                default_version: policy.default_version,
                attachments,
                created_at: Some(policy.created_at),
                updated_at: Some(policy.updated_at),
            },
        }
    }
}

fn system_view(policy: SystemPolicy, attachments: i64) -> PolicyView {
    PolicyView {
        policy: PolicyRef::System(policy),
        description: system_description(policy).to_owned(),
        default_version: 1,
        attachments,
        created_at: None,
        updated_at: None,
    }
}

/// What a system policy is for.
#[must_use]
pub const fn system_description(policy: SystemPolicy) -> &'static str {
    match policy {
        SystemPolicy::AdministratorAccess => "Everything in the account.",
        SystemPolicy::AliyunRamFullAccess => "Everything about RAM users, groups and policies and their logon.",
        SystemPolicy::AliyunRamReadOnlyAccess => {
            "Seeing everything about RAM users, groups and policies and their logon."
        }
    }
}

/// The policy of this type and name, as programs give them.
pub fn policy_ref(kind: PolicyType, name: &str) -> Result<PolicyRef, Error> {
    let name = PolicyName::parse(name)?;
    match kind {
        PolicyType::Custom => Ok(PolicyRef::Custom(name)),
        PolicyType::System => {
            let found = SystemPolicy::ALL.iter().find(|policy| policy.as_str().eq_ignore_ascii_case(name.as_str()));
            found.map(|policy| PolicyRef::System(*policy)).ok_or_else(|| Refusal::PolicyNotFound.into())
        }
    }
}

impl Countersign {
    /// The policy that a program means. That there is none of this name is told to those alone who may do this to policies.
    pub async fn policy_meant(
        &self,
        actor: impl Into<Actor>,
        (action, kind, name): (Action, PolicyType, &str),
        origin: &Origin,
    ) -> Result<PolicyRef, Error> {
        let meant = policy_ref(kind, name);
        if !matches!(&meant, Err(Error::Refused { refusal: Refusal::PolicyNotFound, .. })) {
            return meant;
        }
        let actor = actor.into();
        let deed = Deed::by(&actor, action, name)?;
        let work = async move |_: &mut Tx<'_>, admitted: &Admitted| -> Result<PolicyRef, Error> {
            admitted.may_at_all(action)?;
            Err(Refusal::PolicyNotFound.into())
        };
        self.look(&actor, origin, deed, work).await
    }
}

impl Admitted {
    /// A policy, if the actor may do this to it.
    pub(crate) async fn find_policy(
        &self,
        tx: &mut Tx<'_>,
        policy: &PolicyRef,
        action: Action,
    ) -> Result<Found, Error> {
        let account = self.who.account.as_ref().ok_or(Refusal::NoPermission)?.clone();
        self.may_at_all(action)?;
        match policy {
            PolicyRef::System(policy) => {
                self.may(action, &Resource::SystemPolicy(account.clone(), policy.as_str()))?;
                Ok(Found::System(account, *policy))
            }
            PolicyRef::Custom(name) => {
                let name = name.canonical();
                self.may(action, &Resource::Policy(account.clone(), name.clone()))?;
                let stored = policies::find(tx, &account, &name).await?.ok_or(Refusal::PolicyNotFound)?;
                Ok(Found::Custom(stored))
            }
        }
    }

    /// As [`Self::find_policy`] for one that an account wrote.
    pub(crate) async fn find_custom(&self, tx: &mut Tx<'_>, name: &str, action: Action) -> Result<Policy, Error> {
        self.may_at_all(action)?;
        let name = PolicyName::parse(name).map_err(|_| Refusal::PolicyNotFound)?;
        match self.find_policy(tx, &PolicyRef::Custom(name), action).await? {
            Found::Custom(policy) => Ok(policy),
            Found::System(..) => Err(Refusal::PolicyNotFound.into()),
        }
    }
}

impl Countersign {
    /// Writes a policy; its first version counts. It grants nothing before it is attached.
    pub async fn create_policy(
        &self,
        actor: impl Into<Actor>,
        new: NewPolicy,
        origin: &Origin,
    ) -> Result<PolicyView, Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::CreatePolicy, new.name.as_str())?;
        let deed = deed.asking(Action::CreatePolicy, &[new.description.as_str(), new.document.text()]);
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<PolicyView, Error> {
            let admitted = this.guard_administrators(tx, admitted, Action::CreatePolicy).await?;
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::CreatePolicy, &Resource::Policy(account.clone(), new.name.canonical()))?;
            if SystemPolicy::ALL.iter().any(|one| one.as_str().eq_ignore_ascii_case(new.name.as_str())) {
                return Err(Refusal::PolicyExists.into());
            }
            if policies::count(tx, account, &Part::default()).await? >= MOST_POLICIES {
                return Err(Refusal::LimitExceeded(Limit::Policies).into());
            }
            let policy = Policy {
                account_id: account.clone(),
                id: PolicyId::generate(&*this.inner.entropy),
                name: new.name.clone(),
                description: new.description.clone(),
                default_version: 1,
                last_version: 1,
                created_at: admitted.now,
                updated_at: admitted.now,
            };
            if !policies::insert(tx, &policy).await? {
                return Err(Refusal::PolicyExists.into());
            }
            policies::insert_version(tx, (account, &policy.id), 1, &new.document, admitted.now).await?;
            Ok(Found::Custom(policy).view(0))
        };
        self.act(&actor, origin, deed, work).await
    }

    /// One policy with the version that counts.
    pub async fn policy(
        &self,
        actor: impl Into<Actor>,
        policy: PolicyRef,
        origin: &Origin,
    ) -> Result<(PolicyView, PolicyVersion), Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::ViewPolicy, policy.name())?;
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let found = admitted.find_policy(tx, &policy, Action::ViewPolicy).await?;
            let held = attachments::count(tx, found.account(), &found.attached()).await?;
            let view = found.view(held.users + held.groups);
            let version = versions::find(tx, &found, view.default_version).await?;
            Ok((view, version))
        };
        self.look(&actor, origin, deed, work).await
    }

    /// Writes what a policy of the account is for.
    pub async fn describe_policy(
        &self,
        actor: impl Into<Actor>,
        name: &str,
        description: Description,
        origin: &Origin,
    ) -> Result<PolicyView, Error> {
        const ACTION: Action = Action::UpdatePolicyDescription;
        let actor = actor.into();
        let deed = Deed::by(&actor, ACTION, name)?.asking(ACTION, &[description.as_str()]);
        let (this, name) = (self.clone(), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<PolicyView, Error> {
            let admitted = this.guard_administrators(tx, admitted, ACTION).await?;
            let policy = admitted.find_custom(tx, &name, ACTION).await?;
            if !policies::describe(tx, (&policy.account_id, &policy.id), &description, admitted.now).await? {
                return Err(Refusal::PolicyNotFound.into());
            }
            let held = attachments::count(tx, &policy.account_id, &Attached::Custom(policy.id.clone())).await?;
            let changed = Policy { description: description.clone(), updated_at: admitted.now, ..policy };
            Ok(Found::Custom(changed).view(held.users + held.groups))
        };
        self.act(&actor, origin, deed, work).await
    }

    /// Removes a policy that is attached to nothing and has no version but the one that counts.
    pub async fn delete_policy(&self, actor: impl Into<Actor>, name: &str, origin: &Origin) -> Result<(), Error> {
        self.remove_policy(actor.into(), (name, OtherVersions::Hold), origin).await
    }

    /// Removes a policy that is attached to nothing, with all its versions.
    pub async fn delete_policy_with_versions(
        &self,
        actor: impl Into<Actor>,
        name: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.remove_policy(actor.into(), (name, OtherVersions::Go), origin).await
    }

    async fn remove_policy(
        &self,
        actor: Actor,
        (name, others): (&str, OtherVersions),
        origin: &Origin,
    ) -> Result<(), Error> {
        let deed = Deed::by(&actor, Action::DeletePolicy, name)?;
        let deed = deed.asking(Action::DeletePolicy, if others == OtherVersions::Go { &["versions"] } else { &[] });
        let (this, name) = (self.clone(), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let admitted = this.guard_administrators(tx, admitted, Action::DeletePolicy).await?;
            let policy = admitted.find_custom(tx, &name, Action::DeletePolicy).await?;
            let (account_id, id) = (policy.account_id, policy.id);
            let held = attachments::count(tx, &account_id, &Attached::Custom(id.clone())).await?;
            if held.users > 0 {
                return Err(Refusal::DeleteConflict(Conflict::PolicyUser).into());
            }
            if held.groups > 0 {
                return Err(Refusal::DeleteConflict(Conflict::PolicyGroup).into());
            }
            if policies::versions(tx, &account_id, &id).await?.len() > 1 {
                match others {
                    OtherVersions::Hold => return Err(Refusal::DeleteConflict(Conflict::PolicyVersion).into()),
                    OtherVersions::Go => {
                        let resource = Resource::Policy(account_id.clone(), policy.name.canonical());
                        admitted.may(Action::DeletePolicyVersion, &resource)?;
                    }
                }
            }
            let deleted = policies::delete(tx, &account_id, &id).await?;
            if deleted { Ok(()) } else { Err(Refusal::PolicyNotFound.into()) }
        };
        self.act(&actor, origin, deed, work).await
    }
}
