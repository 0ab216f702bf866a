//! Lists of policies: those that come with every account stand before those that it wrote.

use super::{Found, PolicyView, system_view};
use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin};
use crate::authorise::{Action, Resource};
use crate::error::Error;
use crate::groups::tidied;
use crate::ram::Page;
use countersign_model::policy::{PolicyRef, PolicyType};
use countersign_model::principal::SystemPolicy;
use countersign_store::attachments::Attached;
use countersign_store::groups::Part;
use countersign_store::policies::PolicyLine;
use countersign_store::{Tx, attachments, policies};

impl Countersign {
    /// A page of the policies, those that come with every account first, and how many match in all.
    pub async fn list_policies(
        &self,
        actor: impl Into<Actor>,
        kind: Option<PolicyType>,
        part: Part,
        origin: &Origin,
    ) -> Result<(Vec<PolicyView>, i64), Error> {
        let actor = actor.into();
        let (deed, part) = (Deed::by(&actor, Action::ListPolicies, "")?, tidied(&part));
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ListPolicies, &Resource::Account(account.clone()))?;
            let wanted = part.search.trim().to_lowercase();
            let system = SystemPolicy::ALL.iter().filter(|_| kind != Some(PolicyType::Custom));
            let system: Vec<_> = system.filter(|one| one.as_str().to_lowercase().contains(&wanted)).collect();
            let (most, before) = (i64::try_from(system.len()).unwrap_or(i64::MAX), part.offset);
            let mut views = Vec::new();
            let page = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
            for policy in system.into_iter().skip(page(before)).take(page(part.limit)) {
                let held = attachments::count(tx, account, &Attached::System(*policy)).await?;
                views.push(system_view(*policy, held.users + held.groups));
            }
            if kind == Some(PolicyType::System) {
                return Ok((views, most));
            }
            let limit = part.limit - i64::try_from(views.len()).unwrap_or(i64::MAX);
            let rest = Part { offset: (before - most).max(0), limit, ..part.clone() };
            let custom = if limit > 0 { policies::list(tx, account, &rest).await? } else { Vec::new() };
            views.extend(
                custom.into_iter().map(|PolicyLine { policy, attachments }| Found::Custom(policy).view(attachments)),
            );
            Ok((views, most + policies::count(tx, account, &part).await?))
        };
        self.look(&actor, origin, deed, work).await
    }

    /// A page of the policies by name, those that come with every account first, behind one of them.
    pub async fn page_of_policies(
        &self,
        actor: impl Into<Actor>,
        kind: Option<PolicyType>,
        (after, limit): (Option<PolicyRef>, i64),
        origin: &Origin,
    ) -> Result<Page<PolicyView>, Error> {
        let actor = actor.into();
        let deed = Deed::by(&actor, Action::ListPolicies, "")?;
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ListPolicies, &Resource::Account(account.clone()))?;
            let (most, mut views) = (limit.saturating_add(1), Vec::new());
            if kind != Some(PolicyType::Custom) {
                for policy in system_after(after.as_ref()).iter().take(usize::try_from(most).unwrap_or(usize::MAX)) {
                    let held = attachments::count(tx, account, &Attached::System(*policy)).await?;
                    views.push(system_view(*policy, held.users + held.groups));
                }
            }
            let room = most.saturating_sub(i64::try_from(views.len()).unwrap_or(i64::MAX));
            if kind != Some(PolicyType::System) && room > 0 {
                let part = Part { after: custom_after(after.as_ref()), limit: room, ..Part::default() };
                let custom = policies::list(tx, account, &part).await?.into_iter();
                views.extend(custom.map(|PolicyLine { policy, attachments }| Found::Custom(policy).view(attachments)));
            }
            Ok(Page::of(views, limit))
        };
        self.look(&actor, origin, deed, work).await
    }
}

/// The system policies behind one of the list.
fn system_after(after: Option<&PolicyRef>) -> &'static [SystemPolicy] {
    let all = SystemPolicy::ALL;
    match after {
        None => all,
        Some(PolicyRef::Custom(_)) => &[],
        Some(PolicyRef::System(last)) => {
            let seen = all.iter().position(|policy| policy == last).map_or(0, |at| at + 1);
            all.get(seen..).unwrap_or_default()
        }
    }
}

/// The canonical name that the account's own policies begin behind.
fn custom_after(after: Option<&PolicyRef>) -> String {
    match after {
        Some(PolicyRef::Custom(name)) => name.canonical(),
        Some(PolicyRef::System(_)) | None => String::new(),
    }
}
