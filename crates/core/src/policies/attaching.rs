//! What is attached to whom.

use super::{Found, MOST_CUSTOM_ATTACHED, MOST_SYSTEM_ATTACHED, system_description};
use crate::Countersign;
use crate::act::{Admitted, Deed, grants_of};
use crate::actor::{Actor, Origin};
use crate::authorise::{Action, Grant, Grants};
use crate::error::{Error, Limit, Refusal};
use countersign_model::Timestamp;
use countersign_model::group::Group;
use countersign_model::policy::PolicyRef;
use countersign_model::principal::Principal;
use countersign_store::attachments::{Attached, AttachedLine, HolderLine, Reaching};
use countersign_store::{Tx, attachments, policies};

/// How many policies of other principals one decision looks at. Where there are more, only whoever outranks everybody
/// decides.
pub(super) const MOST_LOOKED_AT: i64 = 10_000;

/// A policy as a list of what is attached shows it.
#[derive(Debug, Clone)]
pub struct AttachedPolicy {
    /// Which.
    pub policy: PolicyRef,
    /// What it is for. Of a system policy in English.
    pub description: String,
    /// The version that counts.
    pub default_version: i64,
    /// Since when it is attached.
    pub attached_at: Timestamp,
}

impl AttachedPolicy {
    /// A stored attachment as it is shown.
    pub fn of(line: AttachedLine) -> Result<Self, Error> {
        let (policy, description) = match line.policy {
            Attached::System(policy) => (policy.into(), system_description(policy).to_owned()),
            Attached::Custom(_) => {
                let name = line.name.parse().map_err(|_| Error::Fault("a stored policy has no name".to_owned()))?;
                (PolicyRef::Custom(name), line.description)
            }
        };
        Ok(Self { policy, description, default_version: line.default_version, attached_at: line.attached_at })
    }
}

/// To whom a policy is attached.
#[derive(Debug, Clone)]
pub struct Entities {
    /// The first users.
    pub users: Vec<HolderLine>,
    /// The first groups.
    pub groups: Vec<HolderLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Attach,
    Detach,
}

impl Countersign {
    /// Attaches a policy to a RAM user. From the next request on he may what it allows.
    pub async fn attach_policy(
        &self,
        actor: impl Into<Actor>,
        user: &str,
        policy: impl Into<PolicyRef>,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.change_of_user(actor.into(), user, (policy.into(), Change::Attach), origin).await
    }

    /// Detaches a policy from a RAM user; what he was allowed by it he is refused from the next request on.
    pub async fn detach_policy(
        &self,
        actor: impl Into<Actor>,
        user: &str,
        policy: impl Into<PolicyRef>,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.change_of_user(actor.into(), user, (policy.into(), Change::Detach), origin).await
    }

    async fn change_of_user(
        &self,
        actor: Actor,
        name: &str,
        (policy, change): (PolicyRef, Change),
        origin: &Origin,
    ) -> Result<(), Error> {
        let action = match change {
            Change::Attach => Action::AttachPolicy,
            Change::Detach => Action::DetachPolicy,
        };
        let deed = Deed::by(&actor, action, &format!("{name} {}", policy.name()))?;
        let deed = deed.asking(action, &[name, policy.policy_type().as_str(), policy.name()]);
        let (this, name) = (self.clone(), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.tell("policy", policy.name());
            let admitted = this.guard_administrators(tx, admitted, action).await?;
            let user = admitted.find_user(tx, &name, action).await?;
            let found = admitted.find_policy(tx, &policy, action).await?;
            if !admitted.who.is_unrestricted() {
                check_after(tx, &admitted, &user, &found, change).await?;
            }
            let (account, attached) = (&user.account_id, &found.attached());
            match change {
                Change::Attach => {
                    let present = attachments::of_user(tx, account, &user.id).await?;
                    check_room(&present, attached, Refusal::UserPolicyExists, Limit::PoliciesOfUser)?;
                    let fresh = attachments::attach_to_user(tx, account, &user.id, attached, admitted.now).await?;
                    if fresh { Ok(()) } else { Err(Refusal::UserPolicyExists.into()) }
                }
                Change::Detach => {
                    let gone = attachments::detach_from_user(tx, account, &user.id, attached).await?;
                    if gone { Ok(()) } else { Err(Refusal::UserPolicyNotFound.into()) }
                }
            }
        };
        self.act(&actor, origin, deed, work).await
    }

    /// Attaches a policy to a group. From the next request on all who are in it may what it allows.
    pub async fn attach_policy_to_group(
        &self,
        actor: impl Into<Actor>,
        group: &str,
        policy: impl Into<PolicyRef>,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.change_of_group(actor.into(), group, (policy.into(), Change::Attach), origin).await
    }

    /// Detaches a policy from a group.
    pub async fn detach_policy_from_group(
        &self,
        actor: impl Into<Actor>,
        group: &str,
        policy: impl Into<PolicyRef>,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.change_of_group(actor.into(), group, (policy.into(), Change::Detach), origin).await
    }

    async fn change_of_group(
        &self,
        actor: Actor,
        name: &str,
        (policy, change): (PolicyRef, Change),
        origin: &Origin,
    ) -> Result<(), Error> {
        let action = match change {
            Change::Attach => Action::AttachPolicyToGroup,
            Change::Detach => Action::DetachPolicyFromGroup,
        };
        let deed = Deed::by(&actor, action, &format!("{name} {}", policy.name()))?;
        let deed = deed.asking(action, &[name, policy.policy_type().as_str(), policy.name()]);
        let (this, name) = (self.clone(), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.tell("policy", policy.name());
            let admitted = this.guard_administrators(tx, admitted, action).await?;
            let group = admitted.find_group(tx, &name, action).await?;
            let found = admitted.find_policy(tx, &policy, action).await?;
            admitted.check_not_member(tx, &group).await?;
            if !admitted.who.is_unrestricted() {
                check_members(tx, &admitted, &group, &found, change).await?;
            }
            let (account, attached) = (&group.account_id, &found.attached());
            match change {
                Change::Attach => {
                    let present = attachments::of_group(tx, account, &group.id).await?;
                    check_room(&present, attached, Refusal::GroupPolicyExists, Limit::PoliciesOfGroup)?;
                    let fresh = attachments::attach_to_group(tx, account, &group.id, attached, admitted.now).await?;
                    if fresh { Ok(()) } else { Err(Refusal::GroupPolicyExists.into()) }
                }
                Change::Detach => {
                    let gone = attachments::detach_from_group(tx, account, &group.id, attached).await?;
                    if gone { Ok(()) } else { Err(Refusal::GroupPolicyNotFound.into()) }
                }
            }
        };
        self.act(&actor, origin, deed, work).await
    }

    /// The policies attached to a RAM user himself.
    pub async fn list_policies_for_user(
        &self,
        actor: impl Into<Actor>,
        user: &str,
        origin: &Origin,
    ) -> Result<Vec<AttachedPolicy>, Error> {
        let actor = actor.into();
        let (deed, user) = (Deed::by(&actor, Action::ListPoliciesForUser, user)?, user.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let user = admitted.find_user(tx, &user, Action::ListPoliciesForUser).await?;
            let lines = attachments::of_user(tx, &user.account_id, &user.id).await?;
            lines.into_iter().map(AttachedPolicy::of).collect()
        };
        self.look(&actor, origin, deed, work).await
    }

    /// The policies attached to a group.
    pub async fn list_policies_for_group(
        &self,
        actor: impl Into<Actor>,
        group: &str,
        origin: &Origin,
    ) -> Result<Vec<AttachedPolicy>, Error> {
        let actor = actor.into();
        let (deed, group) = (Deed::by(&actor, Action::ListPoliciesForGroup, group)?, group.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let group = admitted.find_group(tx, &group, Action::ListPoliciesForGroup).await?;
            let lines = attachments::of_group(tx, &group.account_id, &group.id).await?;
            lines.into_iter().map(AttachedPolicy::of).collect()
        };
        self.look(&actor, origin, deed, work).await
    }

    /// To whom a policy is attached: the first `most` users and as many groups.
    pub async fn list_entities_for_policy(
        &self,
        actor: impl Into<Actor>,
        policy: PolicyRef,
        most: i64,
        origin: &Origin,
    ) -> Result<Entities, Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::ListEntitiesForPolicy, policy.name())?;
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Entities, Error> {
            let found = admitted.find_policy(tx, &policy, Action::ListEntitiesForPolicy).await?;
            let (account, attached) = (found.account(), &found.attached());
            Ok(Entities {
                users: attachments::users_with(tx, account, attached, most).await?,
                groups: attachments::groups_with(tx, account, attached, most).await?,
            })
        };
        self.look(&actor, origin, deed, work).await
    }
}

/// A policy that was looked up, as something that is granted.
async fn granted(tx: &mut Tx<'_>, found: &Found) -> Result<Grants, Error> {
    let version = match found {
        Found::Custom(policy) => {
            policies::find_version(tx, &policy.account_id, &policy.id, policy.default_version).await?
        }
        Found::System(..) => None,
    };
    let document = version.as_ref().map(|version| version.document.as_str());
    Ok(Grant::read(found.attached(), document)?.into())
}

fn after(present: &Grants, granted: &Grants, change: Change) -> Grants {
    match change {
        Change::Attach => present.with(granted),
        Change::Detach => present.without_all(granted),
    }
}

/// Refuses an actor who does not outrank the user as he will be, or what he gives him.
async fn check_after(
    tx: &mut Tx<'_>,
    admitted: &Admitted,
    user: &Principal,
    found: &Found,
    change: Change,
) -> Result<(), Error> {
    let granted = granted(tx, found).await?;
    admitted.check_outranks(&granted)?;
    admitted.check_outranks(&after(&grants_of(tx, user).await?, &granted, change))
}

/// Refuses an actor who does not outrank everybody in a group, as they are and as they will be, or what he gives them.
async fn check_members(
    tx: &mut Tx<'_>,
    admitted: &Admitted,
    group: &Group,
    found: &Found,
    change: Change,
) -> Result<(), Error> {
    let granted = granted(tx, found).await?;
    admitted.check_outranks(&granted)?;
    let reached = attachments::reaching_members(tx, &group.account_id, &group.id, MOST_LOOKED_AT).await?;
    for grants in by_principal(reached)? {
        admitted.check_outranks(&grants)?;
        admitted.check_outranks(&after(&grants, &granted, change))?;
    }
    Ok(())
}

/// What reaches each of several principals, who come one after the other.
pub(super) fn by_principal(rows: Vec<Reaching>) -> Result<Vec<Grants>, Error> {
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) >= MOST_LOOKED_AT {
        return Err(Error::because(Refusal::NoPermission, "too_many_to_compare"));
    }
    let mut rest = rows.into_iter().peekable();
    let mut grants = Vec::new();
    while let Some(first) = rest.next() {
        let mut of_one = vec![first];
        while let Some(row) = rest.next_if(|row| of_one.first().is_some_and(|first| first.whom == row.whom)) {
            of_one.push(row);
        }
        grants.push(Grants::read(of_one)?);
    }
    Ok(grants)
}

/// Refuses what is attached already, or one too many.
fn check_room(present: &[AttachedLine], wanted: &Attached, exists: Refusal, too_many: Limit) -> Result<(), Error> {
    if present.iter().any(|line| line.policy == *wanted) {
        return Err(exists.into());
    }
    let is_custom = |policy: &Attached| matches!(policy, Attached::Custom(_));
    let alike = present.iter().filter(|line| is_custom(&line.policy) == is_custom(wanted)).count();
    let most = if is_custom(wanted) { MOST_CUSTOM_ATTACHED } else { MOST_SYSTEM_ATTACHED };
    if alike >= most { Err(Refusal::LimitExceeded(too_many).into()) } else { Ok(()) }
}
