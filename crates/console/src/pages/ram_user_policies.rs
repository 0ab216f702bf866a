//! A RAM user's permissions: the two system policies that make an administrator.

use super::ram_asker::{Asker, Subject};
use crate::answer::{form_page, see_done};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use countersign_model::principal::SystemPolicy;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "ram_user_policies.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    u: Subject,
    policies: Vec<Line>,
    is_oneself: bool,
}

struct Line {
    policy: SystemPolicy,
    allows: String,
    attached: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    done: String,
}

/// `GET /ram/users/{name}/policies`.
pub(crate) async fn show(asker: Asker, Path(name): Path<String>, AddressQuery(query): AddressQuery<Query>) -> Response {
    ask(&asker, &name, &query.done, Problems::default()).await
}

/// `POST /ram/users/{name}/policies`: attaches or detaches one.
pub(crate) async fn change(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let Ok(policy) = fields.text("policy").parse::<SystemPolicy>() else {
        return ask(&asker, &name, "", Problems::default()).await;
    };
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    let (changed, done) = match fields.text("change").as_str() {
        "attach" => (core.attach_policy(actor, &name, policy, origin).await, "administrator-made"),
        "detach" => (core.detach_policy(actor, &name, policy, origin).await, "administrator-unmade"),
        _ => return ask(&asker, &name, "", Problems::default()).await,
    };
    match changed {
        Ok(()) => see_done(&format!("{}/policies", super::ram_asker::user_path(&name)), done),
        Err(error) => asker.failure(error),
    }
}

async fn ask(asker: &Asker, name: &str, done: &str, problems: Problems) -> Response {
    let user = match asker.user(name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let u = asker.subject(&user);
    let words = &asker.visitor.words;
    let line = |policy: &SystemPolicy| Line {
        policy: *policy,
        allows: words.s(allows_key(*policy)),
        attached: user.policies.contains(policy),
    };
    let page = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, format!("{}/policies", u.path)).with_done(Some(done)),
        problems,
        policies: SystemPolicy::ALL.iter().map(line).collect(),
        is_oneself: user.is_oneself,
        u,
    };
    form_page(&page.problems, &page)
}

/// The key of the sentence that says what a policy allows.
const fn allows_key(policy: SystemPolicy) -> &'static str {
    match policy {
        SystemPolicy::AdministratorAccess => "ram-policy-administrator",
        SystemPolicy::AliyunRamFullAccess => "ram-policy-ram",
    }
}
