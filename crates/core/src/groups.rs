//! Groups of RAM users: what is attached to a group counts for all who are in it.
//!
//! Who is in which group decides over rights, so every change takes the row that guards the account's policies and
//! administrators, and whoever makes it must outrank the user before and after it.

use crate::Countersign;
use crate::act::{Admitted, Deed, grants_of};
use crate::actor::{Actor, Origin};
use crate::authorise::{Action, Grants, Resource};
use crate::error::{Conflict, Error, Limit, Refusal};
use crate::ram::Page;
use countersign_model::group::{Group, MOST_GROUPS, MOST_GROUPS_OF_USER};
use countersign_model::ids::GroupId;
use countersign_model::names::{Comments, GroupName};
use countersign_store::{Tx, attachments, groups};

pub use countersign_store::groups::{GroupLine, JoinedGroup, MemberLine, Part};

/// The most lines that one page of a list gives.
pub const LONGEST_PAGE: i64 = 1_000;

/// Name and remark of a group, checked.
#[derive(Debug, Clone)]
pub struct GroupFacts {
    /// The name.
    pub name: GroupName,
    /// A remark.
    pub comments: Comments,
}

/// A change of a group. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct GroupChange {
    /// The name.
    pub name: Option<GroupName>,
    /// The remark.
    pub comments: Option<Comments>,
}

impl From<GroupFacts> for GroupChange {
    fn from(facts: GroupFacts) -> Self {
        Self { name: Some(facts.name), comments: Some(facts.comments) }
    }
}

/// The same part with its numbers in their ranges.
pub(crate) fn tidied(part: &Part) -> Part {
    Part {
        search: part.search.chars().filter(|c| !c.is_control()).take(128).collect(),
        after: part.after.clone(),
        offset: part.offset.max(0),
        limit: part.limit.clamp(1, LONGEST_PAGE),
    }
}

impl Admitted {
    /// The group of this name, if the actor may do this to it.
    pub(crate) async fn find_group(&self, tx: &mut Tx<'_>, name: &str, action: Action) -> Result<Group, Error> {
        let account = self.who.account.as_ref().ok_or(Refusal::NoPermission)?;
        self.may_at_all(action)?;
        let name = GroupName::parse(name).map_err(|_| Refusal::GroupNotFound)?.canonical();
        self.may(action, &Resource::Group(account.clone(), name.clone()))?;
        Ok(groups::find(tx, account, &name).await?.ok_or(Refusal::GroupNotFound)?)
    }

    /// Refuses what would change the actor's own rights by a group that he is in.
    pub(crate) async fn check_not_member(&self, tx: &mut Tx<'_>, group: &Group) -> Result<(), Error> {
        let (account, oneself) = self.oneself()?;
        let is_member = groups::is_member(tx, account, &group.id, oneself).await?;
        if is_member { Err(Refusal::Oneself.into()) } else { Ok(()) }
    }
}

impl Countersign {
    /// Makes a group.
    pub async fn create_group(
        &self,
        actor: impl Into<Actor>,
        facts: GroupFacts,
        origin: &Origin,
    ) -> Result<Group, Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::CreateGroup, facts.name.as_str())?;
        let deed = deed.asking(Action::CreateGroup, &[facts.comments.as_str()]);
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Group, Error> {
            let admitted = this.guard_administrators(tx, admitted, Action::CreateGroup).await?;
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::CreateGroup, &Resource::Group(account.clone(), facts.name.canonical()))?;
            if groups::count(tx, account, &Part::default()).await? >= MOST_GROUPS {
                return Err(Refusal::LimitExceeded(Limit::Groups).into());
            }
            let group = Group {
                account_id: account.clone(),
                id: GroupId::generate(&*this.inner.entropy),
                name: facts.name.clone(),
                comments: facts.comments.clone(),
                created_at: admitted.now,
                updated_at: admitted.now,
            };
            if groups::insert(tx, &group).await? { Ok(group) } else { Err(Refusal::GroupExists.into()) }
        };
        self.act(&actor, origin, deed, work).await
    }

    /// One group.
    pub async fn group(&self, actor: impl Into<Actor>, name: &str, origin: &Origin) -> Result<Group, Error> {
        let actor = actor.into();
        let (deed, name) = (Deed::by(&actor, Action::ViewGroup, name)?, name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Group, Error> {
            admitted.find_group(tx, &name, Action::ViewGroup).await
        };
        self.look(&actor, origin, deed, work).await
    }

    /// A page of the groups, and how many match in all.
    pub async fn list_groups(
        &self,
        actor: impl Into<Actor>,
        part: Part,
        origin: &Origin,
    ) -> Result<(Vec<GroupLine>, i64), Error> {
        let actor = actor.into();
        let (deed, part) = (Deed::by(&actor, Action::ListGroups, "")?, tidied(&part));
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ListGroups, &Resource::Account(account.clone()))?;
            Ok((groups::list(tx, account, &part).await?, groups::count(tx, account, &part).await?))
        };
        self.look(&actor, origin, deed, work).await
    }

    /// A page of the groups by name, behind a canonical name.
    pub async fn page_of_groups(
        &self,
        actor: impl Into<Actor>,
        (after, limit): (String, i64),
        origin: &Origin,
    ) -> Result<Page<Group>, Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::ListGroups, "")?;
        let part = Part { after, limit: limit.saturating_add(1), ..Part::default() };
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ListGroups, &Resource::Account(account.clone()))?;
            let lines = groups::list(tx, account, &part).await?;
            Ok(Page::of(lines.into_iter().map(|line| line.group).collect(), limit))
        };
        self.look(&actor, origin, deed, work).await
    }

    /// Changes name and remark of a group, or one of them. Whoever renames it must be allowed to have one of the new
    /// name.
    pub async fn update_group(
        &self,
        actor: impl Into<Actor>,
        name: &str,
        change: impl Into<GroupChange>,
        origin: &Origin,
    ) -> Result<Group, Error> {
        let (actor, change) = (actor.into(), change.into());
        let named = change.name.iter().flat_map(|name| ["name", name.as_str()]);
        let remarked = change.comments.iter().flat_map(|comments| ["comments", comments.as_str()]);
        let arguments: Vec<&str> = named.chain(remarked).collect();
        let deed = Deed::by(&actor, Action::UpdateGroup, name)?.asking(Action::UpdateGroup, &arguments);
        let (this, name) = (self.clone(), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Group, Error> {
            if let Some(name) = &change.name {
                admitted.tell("name", name.as_str());
            }
            let admitted = this.guard_administrators(tx, admitted, Action::UpdateGroup).await?;
            let group = admitted.find_group(tx, &name, Action::UpdateGroup).await?;
            let name = change.name.clone().unwrap_or_else(|| group.name.clone());
            let comments = change.comments.clone().unwrap_or_else(|| group.comments.clone());
            admitted.may(Action::UpdateGroup, &Resource::Group(group.account_id.clone(), name.canonical()))?;
            let changed = Group { name, comments, updated_at: admitted.now, ..group };
            if groups::update(tx, &changed).await? { Ok(changed) } else { Err(Refusal::GroupExists.into()) }
        };
        self.act(&actor, origin, deed, work).await
    }

    /// Removes a group that nobody is in and nothing is attached to.
    pub async fn delete_group(&self, actor: impl Into<Actor>, name: &str, origin: &Origin) -> Result<(), Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::DeleteGroup, name)?.asking(Action::DeleteGroup, &[]);
        let (this, name) = (self.clone(), name.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let admitted = this.guard_administrators(tx, admitted, Action::DeleteGroup).await?;
            let Group { account_id, id, .. } = admitted.find_group(tx, &name, Action::DeleteGroup).await?;
            if groups::count_members(tx, &account_id, &id, &Part::default()).await? > 0 {
                return Err(Refusal::DeleteConflict(Conflict::GroupUser).into());
            }
            if !attachments::of_group(tx, &account_id, &id).await?.is_empty() {
                return Err(Refusal::DeleteConflict(Conflict::GroupPolicy).into());
            }
            let deleted = groups::delete(tx, &account_id, &id).await?;
            if deleted { Ok(()) } else { Err(Refusal::GroupNotFound.into()) }
        };
        self.act(&actor, origin, deed, work).await
    }

    /// Puts a RAM user into a group. From the next request on he may what its policies allow.
    pub async fn add_user_to_group(
        &self,
        actor: impl Into<Actor>,
        user: &str,
        group: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        const ACTION: Action = Action::AddUserToGroup;
        let actor = actor.into();
        let deed = Deed::by(&actor, ACTION, user)?.asking(ACTION, &[group]);
        let (this, user, group) = (self.clone(), user.to_owned(), group.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.tell("group", &group);
            let admitted = this.guard_administrators(tx, admitted, ACTION).await?;
            let group = admitted.find_group(tx, &group, ACTION).await?;
            let user = admitted.find_user(tx, &user, ACTION).await?;
            if !admitted.who.is_unrestricted() {
                let granted = grants_of_group(tx, &group).await?;
                admitted.check_outranks(&grants_of(tx, &user).await?.with(&granted))?;
                admitted.check_outranks(&granted)?;
            }
            let joined = groups::of_user(tx, &user.account_id, &user.id).await?;
            if joined.iter().any(|one| one.id == group.id) {
                return Err(Refusal::AlreadyInGroup.into());
            }
            if joined.len() >= MOST_GROUPS_OF_USER {
                return Err(Refusal::LimitExceeded(Limit::GroupsOfUser).into());
            }
            let joined = groups::join(tx, &user.account_id, &group.id, &user.id, admitted.now).await?;
            if joined { Ok(()) } else { Err(Refusal::AlreadyInGroup.into()) }
        };
        self.act(&actor, origin, deed, work).await
    }

    /// Takes a RAM user out of a group. What its policies allowed he is refused from the next request on.
    pub async fn remove_user_from_group(
        &self,
        actor: impl Into<Actor>,
        user: &str,
        group: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        const ACTION: Action = Action::RemoveUserFromGroup;
        let actor = actor.into();
        let deed = Deed::by(&actor, ACTION, user)?.asking(ACTION, &[group]);
        let (this, user, group) = (self.clone(), user.to_owned(), group.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.tell("group", &group);
            let admitted = this.guard_administrators(tx, admitted, ACTION).await?;
            let group = admitted.find_group(tx, &group, ACTION).await?;
            let user = admitted.find_user(tx, &user, ACTION).await?;
            if !admitted.who.is_unrestricted() {
                // A group may deny something to those who are in it.
                let granted = grants_of_group(tx, &group).await?;
                admitted.check_outranks(&grants_of(tx, &user).await?.without_all(&granted))?;
            }
            let left = groups::leave(tx, &user.account_id, &group.id, &user.id).await?;
            if left { Ok(()) } else { Err(Refusal::NotInGroup.into()) }
        };
        self.act(&actor, origin, deed, work).await
    }

    /// A page of those who are in a group, and how many match in all.
    pub async fn list_users_for_group(
        &self,
        actor: impl Into<Actor>,
        group: &str,
        part: Part,
        origin: &Origin,
    ) -> Result<(Vec<MemberLine>, i64), Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::ListUsersForGroup, group)?;
        let (group, part) = (group.to_owned(), tidied(&part));
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let Group { account_id, id, .. } = admitted.find_group(tx, &group, Action::ListUsersForGroup).await?;
            let lines = groups::members(tx, &account_id, &id, &part).await?;
            Ok((lines, groups::count_members(tx, &account_id, &id, &part).await?))
        };
        self.look(&actor, origin, deed, work).await
    }

    /// A page of those who are in a group by name, behind a canonical name.
    pub async fn page_of_users_for_group(
        &self,
        actor: impl Into<Actor>,
        group: &str,
        (after, limit): (String, i64),
        origin: &Origin,
    ) -> Result<Page<MemberLine>, Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::ListUsersForGroup, group)?;
        let (group, part) = (group.to_owned(), Part { after, limit: limit.saturating_add(1), ..Part::default() });
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let Group { account_id, id, .. } = admitted.find_group(tx, &group, Action::ListUsersForGroup).await?;
            Ok(Page::of(groups::members(tx, &account_id, &id, &part).await?, limit))
        };
        self.look(&actor, origin, deed, work).await
    }

    /// The groups that a RAM user is in.
    pub async fn list_groups_for_user(
        &self,
        actor: impl Into<Actor>,
        user: &str,
        origin: &Origin,
    ) -> Result<Vec<JoinedGroup>, Error> {
        let actor = actor.into();
        let (deed, user) = (Deed::by(&actor, Action::ListGroupsForUser, user)?, user.to_owned());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let user = admitted.find_user(tx, &user, Action::ListGroupsForUser).await?;
            Ok(groups::of_user(tx, &user.account_id, &user.id).await?)
        };
        self.look(&actor, origin, deed, work).await
    }
}

/// The policies of a group.
pub(crate) async fn grants_of_group(tx: &mut Tx<'_>, group: &Group) -> Result<Grants, Error> {
    Grants::read(attachments::of_group_in_full(tx, &group.account_id, &group.id).await?)
}
