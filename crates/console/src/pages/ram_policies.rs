//! Permissions > Policies: those that come with the account and its own, searched and paged; writing one.

use super::ram_asker::{Asker, MOST_PAGES, Pager, take};
use super::ram_groups::list_address;
use crate::answer::{form_page, page, see_done};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, Problems};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::authorise::Action;
use countersign_core::policies::{NewPolicy, PolicyView, policy_ref};
use countersign_core::{Error, Refusal};
use countersign_model::names::{Description, PolicyName};
use countersign_model::policy::{MalformedPolicy, PolicyDocument, PolicyRef, PolicyType};
use countersign_model::principal::SystemPolicy;
use serde::Deserialize;

/// What a new document begins with.
const EXAMPLE: &str = r#"{
  "Version": "1",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["ram:ListUsers", "ram:GetUser"],
      "Resource": "*"
    }
  ]
}"#;

/// The policy of this name. No policy of an account is named like one that comes with it.
pub(super) fn policy_named(name: &str) -> Result<PolicyRef, Error> {
    policy_ref(PolicyType::System, name).or_else(|_| policy_ref(PolicyType::Custom, name))
}

/// The key of the sentence that says what a policy allows.
pub(super) const fn system_allows(policy: SystemPolicy) -> &'static str {
    match policy {
        SystemPolicy::AdministratorAccess => "ram-policy-administrator",
        SystemPolicy::AliyunRamFullAccess => "ram-policy-ram",
        SystemPolicy::AliyunRamReadOnlyAccess => "ram-policy-read-only",
    }
}

/// What a policy is for, in the reader's language where it comes with the account.
pub(super) fn description(words: &Words, view: &PolicyView) -> String {
    match &view.policy {
        PolicyRef::System(policy) => words.s(system_allows(*policy)),
        PolicyRef::Custom(_) => view.description.clone(),
    }
}

/// What is wrong with a document, and where.
pub(super) fn malformed_text(words: &Words, malformed: &MalformedPolicy) -> String {
    let problem = words.s(&problem_key(malformed.problem.as_str()));
    if malformed.at.is_empty() { problem } else { format!("{}: {problem}", malformed.at) }
}

fn problem_key(problem: &str) -> String {
    format!("policy-problem-{problem}")
}

#[derive(Template)]
#[template(path = "ram_policies.html")]
struct List {
    t: Words,
    frame: Frame,
    search: String,
    kind: String,
    lines: Vec<Line>,
    pager: Pager,
    may_create: bool,
}

struct Line {
    name: String,
    system: bool,
    description: String,
    attachments: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    kind: String,
    page: String,
    done: String,
}

/// `GET /ram/policies?q=&kind=&page=`.
pub(crate) async fn show(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    let search: String = query.q.trim().chars().take(128).collect();
    let kind = query.kind.parse::<PolicyType>().ok();
    let number = query.page.parse::<i64>().unwrap_or(1).clamp(1, MOST_PAGES);
    let list = async |number| {
        let part = Pager::part(&search, number);
        asker.console.core.list_policies(asker.actor(), kind, part, asker.origin()).await.map(|found| (found, number))
    };
    let found = match list(number).await {
        Ok(((_, total), number)) if number > Pager::last_page(total) => list(Pager::last_page(total)).await,
        found => found,
    };
    let ((views, total), number) = match found {
        Ok(found) => found,
        Err(error) => return asker.failure(error),
    };
    let word = kind.map_or("", PolicyType::as_str);
    let address = |number| {
        let address = list_address("/ram/policies", &search, number);
        let sign = if address.contains('?') { '&' } else { '?' };
        if word.is_empty() { address } else { format!("{address}{sign}kind={word}") }
    };
    let words = &asker.visitor.words;
    let line = |view: PolicyView| Line {
        description: description(words, &view),
        name: view.policy.name().to_owned(),
        system: view.policy.policy_type() == PolicyType::System,
        attachments: view.attachments,
    };
    let template = List {
        t: asker.words(),
        frame: asker.frame(Place::RamPolicies, address(number)).with_done(Some(&query.done)),
        pager: Pager::new((number, total), address),
        lines: views.into_iter().map(line).collect(),
        may_create: asker.may(Action::CreatePolicy),
        kind: word.to_owned(),
        search: search.clone(),
    };
    page(StatusCode::OK, &template)
}

#[derive(Template)]
#[template(path = "ram_policy_form.html")]
struct Form {
    t: Words,
    frame: Frame,
    problems: Problems,
    name: String,
    description: String,
    document: String,
}

/// `GET /ram/create-policy`.
pub(crate) async fn show_create(asker: Asker) -> Response {
    if !asker.may(Action::CreatePolicy) {
        return asker.failure(Refusal::NoPermission.into());
    }
    ask(&asker, (String::new(), String::new(), EXAMPLE.to_owned()), Problems::default())
}

/// `POST /ram/create-policy`.
pub(crate) async fn create(asker: Asker, fields: Fields) -> Response {
    let typed = (fields.text("name"), fields.text("description"), fields.text("document"));
    let new = match check(&asker, &typed) {
        Ok(new) => new,
        Err(problems) => return ask(&asker, typed, problems),
    };
    match asker.console.core.create_policy(asker.actor(), new, asker.origin()).await {
        Ok(view) => see_done(&format!("/ram/policies/{}", view.policy.name()), "policy-created"),
        Err(error) => match asker.problems(error, "name") {
            Ok(problems) => ask(&asker, typed, problems),
            Err(error) => asker.failure(error),
        },
    }
}

fn check(asker: &Asker, (name, description, document): &(String, String, String)) -> Result<NewPolicy, Problems> {
    let (words, mut problems) = (&asker.visitor.words, Problems::default());
    let name = take(&mut problems, words, "name", PolicyName::parse(name));
    let description = take(&mut problems, words, "description", Description::parse(description));
    let document = take_document(&mut problems, words, document);
    match (name, description, document) {
        (Some(name), Some(description), Some(document)) => Ok(NewPolicy { name, description, document }),
        _ => Err(problems),
    }
}

/// Takes a document, or notes at its field what is wrong with it and where. Browsers send line ends of two characters.
pub(super) fn take_document(problems: &mut Problems, words: &Words, typed: &str) -> Option<PolicyDocument> {
    let read = typed.replace("\r\n", "\n").parse::<PolicyDocument>();
    read.inspect_err(|malformed| problems.add("document", malformed_text(words, malformed))).ok()
}

fn ask(asker: &Asker, (name, description, document): (String, String, String), problems: Problems) -> Response {
    let frame = asker.frame(Place::RamPolicies, "/ram/create-policy".to_owned());
    let form = Form { t: asker.words(), frame, problems, name, description, document };
    form_page(&form.problems, &form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use countersign_model::policy::Problem;
    use std::sync::Arc;

    #[test]
    fn every_problem_of_a_document_has_words() {
        let locales = Arc::new(Locales::load());
        for language in [Language::English, Language::Chinese] {
            let words = Words::new(Arc::clone(&locales), language);
            for problem in Problem::ALL {
                let key = problem_key(problem.as_str());
                assert_ne!(words.s(&key), key);
            }
        }
    }

    #[test]
    fn the_example_is_a_policy() {
        EXAMPLE.parse::<PolicyDocument>().unwrap();
    }
}
