//! A RAM user's permissions: the policies attached to him, and the groups that he is in.

use super::ram_asker::{Asker, Subject};
use super::ram_policies::{policy_named, system_allows};
use crate::answer::{form_page, form_unknown, see_done};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use countersign_core::authorise::Action;
use countersign_core::groups::JoinedGroup;
use countersign_core::users::UserInFull;
use countersign_model::principal::SystemPolicy;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "ram_user_policies.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    u: Subject,
    system: Vec<SystemLine>,
    custom: Vec<CustomLine>,
    groups: Vec<JoinedGroup>,
    known: Vec<String>,
    typed: String,
    is_oneself: bool,
    is_mightier: bool,
    can_change: bool,
}

impl Page {
    fn policies_path(&self) -> String {
        format!("{}/policies", self.u.path)
    }
}

struct SystemLine {
    policy: SystemPolicy,
    allows: String,
    attached: bool,
}

struct CustomLine {
    name: String,
    description: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    done: String,
}

/// `GET /ram/users/{name}/policies`.
pub(crate) async fn show(asker: Asker, Path(name): Path<String>, AddressQuery(query): AddressQuery<Query>) -> Response {
    ask(&asker, &name, (&query.done, String::new()), Problems::default()).await
}

/// `POST /ram/users/{name}/policies`: attaches or detaches one.
pub(crate) async fn change(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let typed = fields.text("policy");
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    let (changed, done) = match (policy_named(&typed), fields.text("change").as_str()) {
        (Ok(policy), "attach") => (core.attach_policy(actor, &name, policy, origin).await, "administrator-made"),
        (Ok(policy), "detach") => (core.detach_policy(actor, &name, policy, origin).await, "administrator-unmade"),
        (Err(error), "attach" | "detach") => (Err(error), ""),
        (Ok(_) | Err(_), _) => return form_unknown(&asker.visitor),
    };
    match changed {
        Ok(()) => see_done(&format!("{}/policies", super::ram_asker::user_path(&name)), done),
        Err(error) => match asker.problems_of_policy(error, "policy") {
            Ok(problems) => ask(&asker, &name, ("", typed), problems).await,
            Err(error) => asker.failure(error),
        },
    }
}

async fn ask(asker: &Asker, name: &str, (done, typed): (&str, String), problems: Problems) -> Response {
    let user = match asker.user(name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let known = match asker.known_policies(asker.may(Action::AttachPolicy)).await {
        Ok(known) => known,
        Err(response) => return response,
    };
    let UserInFull { policies, groups, is_oneself, is_outranked, .. } = &user;
    let u = asker.subject(&user);
    let can = asker.doable(&user.user.name, &user.user.id);
    let attached = |policy: &SystemPolicy| policies.iter().any(|line| line.name == policy.as_str());
    let page = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, format!("{}/policies", u.path)).with_done(Some(done)),
        problems,
        system: SystemPolicy::ALL
            .iter()
            .map(|policy| SystemLine {
                policy: *policy,
                allows: asker.visitor.words.s(system_allows(*policy)),
                attached: attached(policy),
            })
            .collect(),
        custom: policies
            .iter()
            .filter(|line| line.name.parse::<SystemPolicy>().is_err())
            .map(|line| CustomLine { name: line.name.clone(), description: line.description.clone() })
            .collect(),
        groups: groups.clone(),
        known,
        typed,
        is_oneself: *is_oneself,
        is_mightier: can.any() && !is_outranked && !is_oneself,
        can_change: can.to_one_outranked(*is_outranked).policies,
        u,
    };
    form_page(&page.problems, &page)
}
