//! A policy's page: what it says, its versions, to whom it is attached; and what asks before something of it changes.

use super::ram_asker::{Asker, user_path};
use super::ram_confirm::{self, Confirm};
use super::ram_policies::{description, policy_named, take_document};
use crate::answer::{form_page, form_unknown, see_done};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, Problems, When};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use countersign_core::Error;
use countersign_core::authorise::{Action, Resource};
use countersign_core::policies::PolicyVersion;
use countersign_model::policy::{PolicyRef, PolicyType};
use serde::Deserialize;

/// How many users and how many groups a policy is shown with.
const MOST_HOLDERS: i64 = 1_000;

#[derive(Template)]
#[template(path = "ram_policy.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is a button of its own")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: String,
    path: String,
    system: bool,
    description: String,
    version: PolicyVersion,
    /// Nothing where the asker may not see them.
    versions: Option<Vec<Version>>,
    holders: Option<Vec<Holder>>,
    can_write: bool,
    can_choose: bool,
    can_delete_version: bool,
    can_delete: bool,
}

struct Version {
    id: String,
    is_default: bool,
    created: Option<When>,
}

struct Holder {
    path: String,
    name: String,
    is_group: bool,
    attached: When,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    done: String,
}

fn policy_path(name: &str) -> String {
    format!("/ram/policies/{name}")
}

/// `GET /ram/policies/{name}`.
pub(crate) async fn show(asker: Asker, Path(name): Path<String>, AddressQuery(query): AddressQuery<Query>) -> Response {
    ask(&asker, &name, &query.done, Problems::default()).await
}

async fn ask(asker: &Asker, name: &str, done: &str, problems: Problems) -> Response {
    match fill(asker, name, problems).await {
        Ok(page) => {
            let page = Page { frame: page.frame.with_done(Some(done)), ..page };
            form_page(&page.problems, &page)
        }
        Err(error) => asker.failure(error),
    }
}

async fn fill(asker: &Asker, name: &str, problems: Problems) -> Result<Page, Error> {
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    let policy = policy_named(name)?;
    let (view, version) = core.policy(actor, policy.clone(), origin).await?;
    let resource = resource(asker, &policy);
    let may = |action| asker.may_to(action, &resource);
    let system = policy.policy_type() == PolicyType::System;
    let versions = if may(Action::ListPolicyVersions) {
        Some(core.list_policy_versions(actor, policy.clone(), origin).await?.into_iter().map(Version::from).collect())
    } else {
        None
    };
    let holders = if may(Action::ListEntitiesForPolicy) { Some(holders(asker, policy.clone()).await?) } else { None };
    let path = policy_path(view.policy.name());
    Ok(Page {
        t: asker.words(),
        frame: asker.frame(Place::RamPolicies, path.clone()),
        problems,
        name: view.policy.name().to_owned(),
        path,
        system,
        description: description(&asker.visitor.words, &view),
        version,
        versions,
        holders,
        can_write: !system && may(Action::CreatePolicyVersion),
        can_choose: !system && may(Action::SetDefaultPolicyVersion),
        can_delete_version: !system && may(Action::DeletePolicyVersion),
        can_delete: !system && may(Action::DeletePolicy),
    })
}

impl From<PolicyVersion> for Version {
    fn from(version: PolicyVersion) -> Self {
        Self { id: version.id(), is_default: version.is_default, created: version.created_at.map(When::from) }
    }
}

async fn holders(asker: &Asker, policy: PolicyRef) -> Result<Vec<Holder>, Error> {
    let core = &asker.console.core;
    let found = core.list_entities_for_policy(asker.actor(), policy, MOST_HOLDERS, asker.origin()).await?;
    let groups = found.groups.into_iter().map(|line| Holder {
        path: format!("/ram/groups/{}", line.name),
        name: line.name,
        is_group: true,
        attached: line.attached_at.into(),
    });
    let users = found.users.into_iter().map(|line| Holder {
        path: user_path(&line.name),
        name: line.name,
        is_group: false,
        attached: line.attached_at.into(),
    });
    Ok(groups.chain(users).collect())
}

fn resource(asker: &Asker, policy: &PolicyRef) -> Resource {
    let account = asker.actor().account_id().clone();
    match policy {
        PolicyRef::System(policy) => Resource::SystemPolicy(account, policy.as_str()),
        PolicyRef::Custom(name) => Resource::Policy(account, name.canonical()),
    }
}

#[derive(Template)]
#[template(path = "ram_policy_version.html")]
struct VersionForm {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: String,
    path: String,
    document: String,
    as_default: bool,
}

/// `GET /ram/policies/{name}/versions`: a form for a new version, beginning with the one that counts.
pub(crate) async fn show_new_version(asker: Asker, Path(name): Path<String>) -> Response {
    let found = match policy_named(&name) {
        Ok(policy) => asker.console.core.policy(asker.actor(), policy, asker.origin()).await,
        Err(error) => Err(error),
    };
    match found {
        Ok((_, version)) => write_version(&asker, name, (version.document, true), Problems::default()),
        Err(error) => asker.failure(error),
    }
}

/// `POST /ram/policies/{name}/versions`.
pub(crate) async fn create_version(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let (typed, as_default) = (fields.text("document"), fields.ticked("default"));
    let mut problems = Problems::default();
    let Some(document) = take_document(&mut problems, &asker.visitor.words, &typed) else {
        return write_version(&asker, name, (typed, as_default), problems);
    };
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    match core.create_policy_version(actor, &name, (document, as_default), origin).await {
        Ok(_) => see_done(&policy_path(&name), "version-created"),
        Err(error) => match asker.problems(error, "document") {
            Ok(problems) => write_version(&asker, name, (typed, as_default), problems),
            Err(error) => asker.failure(error),
        },
    }
}

fn write_version(asker: &Asker, name: String, (document, as_default): (String, bool), problems: Problems) -> Response {
    let path = policy_path(&name);
    let frame = asker.frame(Place::RamPolicies, format!("{path}/versions"));
    let form = VersionForm { t: asker.words(), frame, problems, name, path, document, as_default };
    form_page(&form.problems, &form)
}

#[derive(Template)]
#[template(path = "ram_policy_version_shown.html")]
struct VersionPage {
    t: Words,
    frame: Frame,
    name: String,
    path: String,
    id: String,
    version: PolicyVersion,
    can_choose: bool,
    can_delete: bool,
}

/// `GET /ram/policies/{name}/versions/{version}`: the document, and making it count or removing it.
pub(crate) async fn show_version(asker: Asker, Path((name, id)): Path<(String, String)>) -> Response {
    let found = match policy_named(&name) {
        Ok(policy) => {
            let which = (policy.clone(), id.as_str());
            let found = asker.console.core.policy_version(asker.actor(), which, asker.origin()).await;
            found.map(|version| (policy, version))
        }
        Err(error) => Err(error),
    };
    let (policy, version) = match found {
        Ok(found) => found,
        Err(error) => return asker.failure(error),
    };
    let resource = resource(&asker, &policy);
    let changeable = policy.policy_type() == PolicyType::Custom && !version.is_default;
    let path = policy_path(&name);
    let page = VersionPage {
        t: asker.words(),
        frame: asker.frame(Place::RamPolicies, format!("{path}/versions/{}", version.id())),
        can_choose: changeable && asker.may_to(Action::SetDefaultPolicyVersion, &resource),
        can_delete: changeable && asker.may_to(Action::DeletePolicyVersion, &resource),
        id: version.id(),
        name,
        path,
        version,
    };
    form_page(&Problems::default(), &page)
}

/// `POST /ram/policies/{name}/versions/{version}`: makes it count or removes it.
pub(crate) async fn change_version(asker: Asker, Path((name, id)): Path<(String, String)>, fields: Fields) -> Response {
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    let (changed, done) = match fields.text("change").as_str() {
        "default" => (core.set_default_policy_version(actor, (&name, &id), origin).await, "version-default"),
        "delete" => (core.delete_policy_version(actor, (&name, &id), origin).await, "version-deleted"),
        _ => return form_unknown(&asker.visitor),
    };
    back(&asker, &name, changed, &policy_path(&name), done).await
}

/// `GET /ram/policies/{name}/delete`.
pub(crate) async fn show_delete(asker: Asker, Path(name): Path<String>) -> Response {
    let found = match policy_named(&name) {
        Ok(policy) => asker.console.core.policy(asker.actor(), policy, asker.origin()).await,
        Err(error) => Err(error),
    };
    if let Err(error) = found {
        return asker.failure(error);
    }
    let (words, path) = (&asker.visitor.words, policy_path(&name));
    let confirm = Confirm {
        title: words.with("access-delete-policy-title", "name", &name),
        effects: vec![words.s("access-delete-policy-effect"), words.s("ram-cannot-be-undone")],
        action: format!("{path}/delete"),
        fields: Vec::new(),
        button: words.s("access-delete-policy"),
        crumbs: vec![("/ram/policies".to_owned(), words.s("nav-policies")), (path.clone(), name)],
        back: path,
    };
    ram_confirm::show(&asker, Place::RamPolicies, confirm)
}

/// `POST /ram/policies/{name}/delete`.
pub(crate) async fn delete(asker: Asker, Path(name): Path<String>) -> Response {
    let deleted = asker.console.core.delete_policy(asker.actor(), &name, asker.origin()).await;
    back(&asker, &name, deleted, "/ram/policies", "policy-deleted").await
}

/// On to where the change shows, or back to the policy with what went wrong.
async fn back(asker: &Asker, name: &str, changed: Result<(), Error>, on: &str, done: &str) -> Response {
    match changed {
        Ok(()) => see_done(on, done),
        Err(error) => match asker.problems(error, "main") {
            Ok(problems) => ask(asker, name, "", problems).await,
            Err(error) => asker.failure(error),
        },
    }
}
