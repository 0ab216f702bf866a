//! Versions of policies. One of them counts; making another one count changes the rights of all whom the policy reaches.

use super::{Found, MOST_VERSIONS};
use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin};
use crate::authorise::{Action, Grant, Grants, Resource, system_document};
use crate::error::{Conflict, Error, Limit, Refusal};
use crate::policies::attaching::{MOST_LOOKED_AT, by_principal};
use countersign_model::Timestamp;
use countersign_model::policy::{PolicyDocument, PolicyRef};
use countersign_model::principal::SystemPolicy;
use countersign_store::attachments::Attached;
use countersign_store::policies::{Policy, Version};
use countersign_store::{Tx, attachments, policies};

/// A version as it is shown.
#[derive(Debug, Clone)]
pub struct PolicyVersion {
    /// Its number.
    pub number: i64,
    /// Whether it is the one that counts.
    pub is_default: bool,
    /// The document as it was written.
    pub document: String,
    /// When it was made; that of a system policy has always been there.
    pub created_at: Option<Timestamp>,
}

impl PolicyVersion {
    fn of(version: Version, default: i64) -> Self {
        Self {
            number: version.number,
            is_default: version.number == default,
            document: version.document,
            created_at: Some(version.created_at),
        }
    }

    fn of_system(policy: SystemPolicy) -> Self {
        Self { number: 1, is_default: true, document: system_document(policy).to_owned(), created_at: None }
    }

    /// As programs name it: `v1`.
    #[must_use]
    pub fn id(&self) -> String {
        version_id(self.number)
    }
}

/// A version that is to be written.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// What it says.
    pub document: PolicyDocument,
    /// Whether it is to be the one that counts.
    pub as_default: bool,
    /// What to do when the policy has as many versions as it may.
    pub when_full: WhenFull,
}

/// What to do when a policy has as many versions as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// Refuse another one.
    #[default]
    Refuse,
    /// Remove the oldest one that does not count. Whoever asks for it must be allowed to remove versions.
    RemoveOldest,
}

impl From<(PolicyDocument, bool)> for NewVersion {
    fn from((document, as_default): (PolicyDocument, bool)) -> Self {
        Self { document, as_default, when_full: WhenFull::Refuse }
    }
}

/// As programs name a version: `v1`.
#[must_use]
pub fn version_id(number: i64) -> String {
    format!("v{number}")
}

fn number_of(id: &str) -> Result<i64, Error> {
    let digits = id.trim().strip_prefix(['v', 'V']).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| Refusal::Invalid("InvalidParameter.VersionId.Format").into())
}

/// A version of a policy that was looked up.
pub(super) async fn find(tx: &mut Tx<'_>, found: &Found, number: i64) -> Result<PolicyVersion, Error> {
    match found {
        Found::System(_, policy) if number == 1 => Ok(PolicyVersion::of_system(*policy)),
        Found::System(..) => Err(Refusal::PolicyVersionNotFound.into()),
        Found::Custom(Policy { account_id, id, default_version, .. }) => {
            let version = policies::find_version(tx, account_id, id, number).await?;
            Ok(PolicyVersion::of(version.ok_or(Refusal::PolicyVersionNotFound)?, *default_version))
        }
    }
}

impl Countersign {
    /// Writes a new version of a policy, and makes it the one that counts if `as_default` says so.
    pub async fn create_policy_version(
        &self,
        actor: impl Into<Actor>,
        name: &str,
        new: impl Into<NewVersion>,
        origin: &Origin,
    ) -> Result<PolicyVersion, Error> {
        const ACTION: Action = Action::CreatePolicyVersion;
        let (actor, NewVersion { document, as_default, when_full }) = (actor.into(), new.into());
        let counts = if as_default { "default" } else { "" };
        let full = if when_full == WhenFull::RemoveOldest { "remove-oldest" } else { "" };
        let deed = Deed::by(&actor, ACTION, name)?.asking(ACTION, &[document.text(), counts, full]);
        let (this, name) = (self.clone(), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<PolicyVersion, Error> {
            let told = admitted;
            let admitted = this.guard_administrators(tx, admitted, ACTION).await?;
            let policy = admitted.find_custom(tx, &name, ACTION).await?;
            let (account, id, now) = (&policy.account_id, &policy.id, admitted.now);
            let present = policies::versions(tx, account, id).await?;
            let outgoing = if present.len() < MOST_VERSIONS { None } else { oldest(&present, &policy, when_full)? };
            if outgoing.is_some() {
                let resource = Resource::Policy(account.clone(), policy.name.canonical());
                admitted.may(Action::DeletePolicyVersion, &resource)?;
            }
            if as_default {
                check_reach(tx, &admitted, &policy, &document).await?;
            }
            let number = policies::next_version(tx, account, id, now).await?.ok_or(Refusal::PolicyNotFound)?;
            if let Some(outgoing) = outgoing {
                told.tell("removed", &version_id(outgoing));
                policies::delete_version(tx, account, id, outgoing).await?;
            }
            policies::insert_version(tx, (account, id), number, &document, now).await?;
            told.tell("version", &version_id(number));
            if as_default {
                told.tell("default", &version_id(number));
                policies::set_default(tx, account, id, number, now).await?;
            }
            let version = Version { number, document: document.text().to_owned(), created_at: now };
            Ok(PolicyVersion::of(version, if as_default { number } else { policy.default_version }))
        };
        self.act(&actor, origin, deed, work).await
    }

    /// One version, by its id.
    pub async fn policy_version(
        &self,
        actor: impl Into<Actor>,
        (policy, version): (PolicyRef, &str),
        origin: &Origin,
    ) -> Result<PolicyVersion, Error> {
        let actor = actor.into();
        let (deed, version) = (Deed::by(&actor, Action::ViewPolicyVersion, policy.name())?, version.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<PolicyVersion, Error> {
            let found = admitted.find_policy(tx, &policy, Action::ViewPolicyVersion).await?;
            find(tx, &found, number_of(&version)?).await
        };
        self.look(&actor, origin, deed, work).await
    }

    /// All versions of a policy, the newest first.
    pub async fn list_policy_versions(
        &self,
        actor: impl Into<Actor>,
        policy: PolicyRef,
        origin: &Origin,
    ) -> Result<Vec<PolicyVersion>, Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::ListPolicyVersions, policy.name())?;
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let found = admitted.find_policy(tx, &policy, Action::ListPolicyVersions).await?;
            let Found::Custom(stored) = &found else { return Ok(vec![find(tx, &found, 1).await?]) };
            let versions = policies::versions(tx, &stored.account_id, &stored.id).await?.into_iter();
            Ok(versions.map(|version| PolicyVersion::of(version, stored.default_version)).collect())
        };
        self.look(&actor, origin, deed, work).await
    }

    /// Makes another version the one that counts.
    pub async fn set_default_policy_version(
        &self,
        actor: impl Into<Actor>,
        (name, version): (&str, &str),
        origin: &Origin,
    ) -> Result<(), Error> {
        const ACTION: Action = Action::SetDefaultPolicyVersion;
        let actor = actor.into();
        let deed = Deed::by(&actor, ACTION, name)?.asking(ACTION, &[version]);
        let (this, name, version) = (self.clone(), name.to_owned(), version.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.tell("default", &version);
            let admitted = this.guard_administrators(tx, admitted, ACTION).await?;
            let policy = admitted.find_custom(tx, &name, ACTION).await?;
            let number = number_of(&version)?;
            let wanted = policies::find_version(tx, &policy.account_id, &policy.id, number).await?;
            let wanted = wanted.ok_or(Refusal::PolicyVersionNotFound)?;
            if number == policy.default_version {
                return Ok(());
            }
            let document = Grant::read(Attached::Custom(policy.id.clone()), Some(&wanted.document))?.document;
            check_reach(tx, &admitted, &policy, &document).await?;
            policies::set_default(tx, &policy.account_id, &policy.id, number, admitted.now).await?;
            Ok(())
        };
        self.act(&actor, origin, deed, work).await
    }

    /// Removes a version that does not count.
    pub async fn delete_policy_version(
        &self,
        actor: impl Into<Actor>,
        (name, version): (&str, &str),
        origin: &Origin,
    ) -> Result<(), Error> {
        const ACTION: Action = Action::DeletePolicyVersion;
        let actor = actor.into();
        let deed = Deed::by(&actor, ACTION, name)?.asking(ACTION, &[version]);
        let (this, name, version) = (self.clone(), name.to_owned(), version.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.tell("version", &version);
            let admitted = this.guard_administrators(tx, admitted, ACTION).await?;
            let policy = admitted.find_custom(tx, &name, ACTION).await?;
            let number = number_of(&version)?;
            if number == policy.default_version {
                return Err(Refusal::DeleteConflict(Conflict::PolicyDefaultVersion).into());
            }
            let deleted = policies::delete_version(tx, &policy.account_id, &policy.id, number).await?;
            if deleted { Ok(()) } else { Err(Refusal::PolicyVersionNotFound.into()) }
        };
        self.act(&actor, origin, deed, work).await
    }
}

/// The version that makes room for another one.
fn oldest(present: &[Version], policy: &Policy, when_full: WhenFull) -> Result<Option<i64>, Error> {
    match when_full {
        WhenFull::Refuse => Err(Refusal::LimitExceeded(Limit::PolicyVersions).into()),
        WhenFull::RemoveOldest => {
            let removable = present.iter().map(|version| version.number).filter(|one| *one != policy.default_version);
            Ok(removable.min())
        }
    }
}

/// Refuses to let another document count, where that would change the actor's own rights or those of somebody whom he does
/// not outrank, before it or after it.
async fn check_reach(
    tx: &mut Tx<'_>,
    admitted: &Admitted,
    policy: &Policy,
    document: &PolicyDocument,
) -> Result<(), Error> {
    let attached = Attached::Custom(policy.id.clone());
    if admitted.who.grants.hold(&attached) {
        return Err(Refusal::Oneself.into());
    }
    let held = attachments::count(tx, &policy.account_id, &attached).await?;
    if admitted.who.is_unrestricted() || held.users + held.groups == 0 {
        return Ok(());
    }
    let changed = Grants::from(Grant::read(attached.clone(), Some(document.text()))?);
    admitted.check_outranks(&changed)?;
    let reached = attachments::reaching_holders(tx, &policy.account_id, &attached, MOST_LOOKED_AT).await?;
    for grants in by_principal(reached)? {
        admitted.check_outranks(&grants)?;
        admitted.check_outranks(&grants.with(&changed))?;
    }
    Ok(())
}
