//! Identities > Groups: all groups of the account, searched and paged; making one, and changing its name.

use super::ram_asker::{Asker, MOST_PAGES, Pager, take};
use crate::answer::{form_page, page, see_done};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::Refusal;
use countersign_core::authorise::Action;
use countersign_core::groups::{GroupFacts, GroupLine};
use countersign_model::names::{Comments, GroupName};
use form_urlencoded::Serializer;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "ram_groups.html")]
struct List {
    t: Words,
    frame: Frame,
    search: String,
    lines: Vec<GroupLine>,
    pager: Pager,
    may_create: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    page: String,
    done: String,
}

/// The address of a page of a list.
pub(super) fn list_address(path: &str, search: &str, number: i64) -> String {
    let mut query = Serializer::new(String::new());
    if !search.is_empty() {
        query.append_pair("q", search);
    }
    if number > 1 {
        query.append_pair("page", &number.to_string());
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// `GET /ram/groups?q=&page=`.
pub(crate) async fn show(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    let search: String = query.q.trim().chars().take(128).collect();
    let number = query.page.parse::<i64>().unwrap_or(1).clamp(1, MOST_PAGES);
    let (core, actor, origin) = (&asker.console.core, asker.actor(), asker.origin());
    let mut found = core.list_groups(actor, Pager::part(&search, number), origin).await.map(|found| (found, number));
    if let Ok(((_, total), number)) = &found
        && *number > Pager::last_page(*total)
    {
        let last = Pager::last_page(*total);
        found = core.list_groups(actor, Pager::part(&search, last), origin).await.map(|found| (found, last));
    }
    let ((lines, total), number) = match found {
        Ok(found) => found,
        Err(error) => return asker.failure(error),
    };
    let address = |number| list_address("/ram/groups", &search, number);
    let template = List {
        t: asker.words(),
        frame: asker.frame(Place::RamGroups, address(number)).with_done(Some(&query.done)),
        pager: Pager::new((number, total), address),
        lines,
        may_create: asker.may(Action::CreateGroup),
        search: search.clone(),
    };
    page(StatusCode::OK, &template)
}

#[derive(Template)]
#[template(path = "ram_group_form.html")]
struct Form {
    t: Words,
    frame: Frame,
    problems: Problems,
    /// The group that is changed; nothing for a new one.
    of: Option<String>,
    name: String,
    comments: String,
}

impl Form {
    const fn path(&self) -> &String {
        &self.frame.path
    }

    fn back(&self) -> String {
        self.of.as_ref().map_or_else(|| "/ram/groups".to_owned(), |name| format!("/ram/groups/{name}"))
    }
}

/// `GET /ram/create-group`.
pub(crate) async fn show_create(asker: Asker) -> Response {
    if !asker.may(Action::CreateGroup) {
        return asker.failure(Refusal::NoPermission.into());
    }
    ask(&asker, None, (String::new(), String::new()), Problems::default())
}

/// `POST /ram/create-group`.
pub(crate) async fn create(asker: Asker, fields: Fields) -> Response {
    let typed = (fields.text("name"), fields.text("comments"));
    let facts = match check(&asker, &typed) {
        Ok(facts) => facts,
        Err(problems) => return ask(&asker, None, typed, problems),
    };
    match asker.console.core.create_group(asker.actor(), facts, asker.origin()).await {
        Ok(group) => see_done(&format!("/ram/groups/{}", group.name), "group-created"),
        Err(error) => match asker.problems(error, "name") {
            Ok(problems) => ask(&asker, None, typed, problems),
            Err(error) => asker.failure(error),
        },
    }
}

/// `GET /ram/groups/{name}/edit`.
pub(crate) async fn show_edit(asker: Asker, Path(name): Path<String>) -> Response {
    match asker.console.core.group(asker.actor(), &name, asker.origin()).await {
        Ok(group) => {
            let typed = (group.name.to_string(), group.comments.to_string());
            ask(&asker, Some(group.name.to_string()), typed, Problems::default())
        }
        Err(error) => asker.failure(error),
    }
}

/// `POST /ram/groups/{name}/edit`.
pub(crate) async fn edit(asker: Asker, Path(name): Path<String>, fields: Fields) -> Response {
    let typed = (fields.text("name"), fields.text("comments"));
    let facts = match check(&asker, &typed) {
        Ok(facts) => facts,
        Err(problems) => return ask(&asker, Some(name), typed, problems),
    };
    match asker.console.core.update_group(asker.actor(), &name, facts, asker.origin()).await {
        Ok(group) => see_done(&format!("/ram/groups/{}", group.name), "group-updated"),
        Err(error) => match asker.problems(error, "name") {
            Ok(problems) => ask(&asker, Some(name), typed, problems),
            Err(error) => asker.failure(error),
        },
    }
}

fn check(asker: &Asker, (name, comments): &(String, String)) -> Result<GroupFacts, Problems> {
    let (words, mut problems) = (&asker.visitor.words, Problems::default());
    let name = take(&mut problems, words, "name", GroupName::parse(name));
    let comments = take(&mut problems, words, "comments", Comments::parse(comments));
    match (name, comments) {
        (Some(name), Some(comments)) => Ok(GroupFacts { name, comments }),
        _ => Err(problems),
    }
}

fn ask(asker: &Asker, of: Option<String>, (name, comments): (String, String), problems: Problems) -> Response {
    let path = of.as_ref().map_or_else(|| "/ram/create-group".to_owned(), |name| format!("/ram/groups/{name}/edit"));
    let form = Form { t: asker.words(), frame: asker.frame(Place::RamGroups, path), problems, of, name, comments };
    form_page(&form.problems, &form)
}
