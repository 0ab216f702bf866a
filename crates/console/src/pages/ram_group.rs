//! A group's page: who is in it, what is attached to it; and what asks before something of it goes.

use super::ram_asker::{Asker, MOST_PAGES, Pager};
use super::ram_confirm::{self, Confirm};
use super::ram_groups::list_address;
use super::ram_policies::policy_named;
use crate::answer::{form_page, form_unknown, see_done};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, Problems, When};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use countersign_core::authorise::{Action, Resource};
use countersign_core::groups::MemberLine;
use countersign_core::policies::AttachedPolicy;
use countersign_core::{Error, Refusal};
use countersign_model::group::Group;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "ram_group.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: String,
    path: String,
    comments: String,
    created: When,
    search: String,
    /// Nothing where the asker may not see who is in the group.
    members: Option<(Vec<Member>, Pager)>,
    /// Nothing where he may not see what is attached.
    policies: Option<Vec<AttachedPolicy>>,
    known: Vec<String>,
    typed: Typed,
    can: Can,
}

impl Page {
    fn policies_path(&self) -> String {
        format!("{}/policies", self.path)
    }
}

struct Member {
    path: String,
    name: String,
    display_name: String,
    joined: When,
}

/// What the page offers.
#[expect(clippy::struct_excessive_bools, reason = "each is a button of its own")]
struct Can {
    edit: bool,
    delete: bool,
    add: bool,
    remove: bool,
    attach: bool,
    detach: bool,
}

/// What was typed into its two forms.
#[derive(Default)]
struct Typed {
    user: String,
    policy: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    page: String,
    done: String,
}

fn group_path(name: &str) -> String {
    format!("/ram/groups/{name}")
}

/// `GET /ram/groups/{name}?q=&page=`.
pub(crate) async fn show(asker: Asker, Path(name): Path<String>, AddressQuery(query): AddressQuery<Query>) -> Response {
    ask(&asker, &name, &query, (Typed::default(), Problems::default())).await
}

async fn ask(asker: &Asker, name: &str, query: &Query, (typed, problems): (Typed, Problems)) -> Response {
    match fill(asker, name, query, (typed, problems)).await {
        Ok(page) => form_page(&page.problems, &page),
        Err(error) => asker.failure(error),
    }
}

async fn fill(asker: &Asker, name: &str, query: &Query, (typed, problems): (Typed, Problems)) -> Result<Page, Error> {
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    let group: Group = core.group(actor, name, origin).await?;
    let resource = Resource::Group(group.account_id.clone(), group.name.canonical());
    let may = |action| asker.may_to(action, &resource);
    let search: String = query.q.trim().chars().take(128).collect();
    let number = query.page.parse::<i64>().unwrap_or(1).clamp(1, MOST_PAGES);
    let path = group_path(group.name.as_str());
    let members = if may(Action::ListUsersForGroup) {
        let found = core.list_users_for_group(actor, name, Pager::part(&search, number), origin).await?;
        let pager = Pager::new((number, found.1), |number| list_address(&path, &search, number));
        Some((found.0.into_iter().map(member).collect(), pager))
    } else {
        None
    };
    let policies = if may(Action::ListPoliciesForGroup) {
        Some(core.list_policies_for_group(actor, name, origin).await?)
    } else {
        None
    };
    let can = Can {
        edit: may(Action::UpdateGroup),
        delete: may(Action::DeleteGroup),
        add: may(Action::AddUserToGroup),
        remove: may(Action::RemoveUserFromGroup),
        attach: may(Action::AttachPolicyToGroup),
        detach: may(Action::DetachPolicyFromGroup),
    };
    Ok(Page {
        t: asker.words(),
        frame: asker.frame(Place::RamGroups, list_address(&path, &search, number)).with_done(Some(&query.done)),
        known: asker.known_policies(can.attach).await.unwrap_or_default(),
        problems,
        name: group.name.to_string(),
        path,
        comments: group.comments.to_string(),
        created: group.created_at.into(),
        search,
        members,
        policies,
        typed,
        can,
    })
}

fn member(line: MemberLine) -> Member {
    Member {
        path: super::ram_asker::user_path(&line.name),
        name: line.name,
        display_name: line.display_name,
        joined: line.joined_at.into(),
    }
}

/// Which user or policy a page asks about.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Which {
    user: String,
    policy: String,
}

/// `GET /ram/groups/{name}/members?user=`: asks before somebody is taken out.
pub(crate) async fn show_remove(
    asker: Asker,
    Path(name): Path<String>,
    AddressQuery(which): AddressQuery<Which>,
) -> Response {
    if let Err(error) = asker.console.core.group(asker.actor(), &name, asker.origin()).await {
        return asker.failure(error);
    }
    let (words, path) = (&asker.visitor.words, group_path(&name));
    let confirm = Confirm {
        title: words.with_two("access-remove-member-title", ("user", &which.user), ("group", &name)),
        effects: vec![words.s("access-remove-member-effect")],
        action: format!("{path}/members"),
        fields: vec![("user", which.user), ("change", "remove".to_owned())],
        button: words.s("access-remove-member"),
        crumbs: vec![("/ram/groups".to_owned(), words.s("nav-groups")), (path.clone(), name)],
        back: path,
    };
    ram_confirm::show(&asker, Place::RamGroups, confirm)
}

/// `POST /ram/groups/{name}/members`: puts somebody in or takes somebody out.
pub(crate) async fn change_members(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let user = fields.text("user");
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    let (changed, done) = match fields.text("change").as_str() {
        "add" => (core.add_user_to_group(actor, &user, &name, origin).await, "member-added"),
        "remove" => (core.remove_user_from_group(actor, &user, &name, origin).await, "member-removed"),
        _ => return form_unknown(&asker.visitor),
    };
    let typed = Typed { user, ..Typed::default() };
    answer(&asker, &name, (changed, done), ("user", typed)).await
}

/// `GET /ram/groups/{name}/policies?policy=`: asks before a policy is detached.
pub(crate) async fn show_detach(
    asker: Asker,
    Path(name): Path<String>,
    AddressQuery(which): AddressQuery<Which>,
) -> Response {
    if let Err(error) = asker.console.core.group(asker.actor(), &name, asker.origin()).await {
        return asker.failure(error);
    }
    let (words, path) = (&asker.visitor.words, group_path(&name));
    let confirm = Confirm {
        title: words.with_two("access-detach-title", ("policy", &which.policy), ("group", &name)),
        effects: vec![words.s("access-detach-effect")],
        action: format!("{path}/policies"),
        fields: vec![("policy", which.policy), ("change", "detach".to_owned())],
        button: words.s("ram-detach"),
        crumbs: vec![("/ram/groups".to_owned(), words.s("nav-groups")), (path.clone(), name)],
        back: path,
    };
    ram_confirm::show(&asker, Place::RamGroups, confirm)
}

/// `POST /ram/groups/{name}/policies`: attaches or detaches one.
pub(crate) async fn change_policies(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let policy = fields.text("policy");
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    let (changed, done) = match (policy_named(&policy), fields.text("change").as_str()) {
        (Ok(policy), "attach") => {
            (core.attach_policy_to_group(actor, &name, policy, origin).await, "administrator-made")
        }
        (Ok(policy), "detach") => {
            (core.detach_policy_from_group(actor, &name, policy, origin).await, "administrator-unmade")
        }
        (Err(error), "attach" | "detach") => (Err(error), ""),
        (Ok(_) | Err(_), _) => return form_unknown(&asker.visitor),
    };
    let typed = Typed { policy, ..Typed::default() };
    answer(&asker, &name, (changed, done), ("policy", typed)).await
}

async fn answer(
    asker: &Asker,
    name: &str,
    (changed, done): (Result<(), Error>, &str),
    (field, typed): (&str, Typed),
) -> Response {
    let error = match changed {
        Ok(()) => return see_done(&group_path(name), done),
        Err(error) => error,
    };
    let problems = match error.refusal() {
        Some(Refusal::GroupNotFound) => Err(error),
        Some(_) | None => asker.problems_of_policy(error, field),
    };
    match problems {
        Ok(problems) => ask(asker, name, &Query::default(), (typed, problems)).await,
        Err(error) => asker.failure(error),
    }
}

/// `GET /ram/groups/{name}/delete`.
pub(crate) async fn show_delete(asker: Asker, Path(name): Path<String>) -> Response {
    match asker.console.core.group(asker.actor(), &name, asker.origin()).await {
        Ok(group) => {
            let (words, path) = (&asker.visitor.words, group_path(&name));
            let confirm = Confirm {
                title: words.with("access-delete-group-title", "name", &group.name),
                effects: vec![words.s("access-delete-group-effect"), words.s("ram-cannot-be-undone")],
                action: format!("{path}/delete"),
                fields: Vec::new(),
                button: words.s("access-delete-group"),
                crumbs: vec![("/ram/groups".to_owned(), words.s("nav-groups")), (path.clone(), name)],
                back: path,
            };
            ram_confirm::show(&asker, Place::RamGroups, confirm)
        }
        Err(error) => asker.failure(error),
    }
}

/// `POST /ram/groups/{name}/delete`.
pub(crate) async fn delete(asker: Asker, Path(name): Path<String>) -> Response {
    match asker.console.core.delete_group(asker.actor(), &name, asker.origin()).await {
        Ok(()) => see_done("/ram/groups", "group-deleted"),
        Err(error) => match asker.problems(error, "main") {
            Ok(problems) => ask(&asker, &name, &Query::default(), (Typed::default(), problems)).await,
            Err(error) => asker.failure(error),
        },
    }
}
