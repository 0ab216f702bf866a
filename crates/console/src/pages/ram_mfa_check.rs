//! RAM > MFA check: every user with a console password, and whether he has an MFA device; who is out of scope; how a
//! finding is mended.

use super::ram_asker::{Asker, grouped, user_path};
use crate::answer::page;
use crate::fields::AddressQuery;
use crate::frame::{Frame, LogonName, Place};
use crate::locales::Words;
use askama::Template;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use countersign_core::authorise::Action;
use countersign_core::mfa_check::{CheckQuery, CheckResult, CheckSummary, CheckedUser};
use countersign_model::principal::PrincipalKind;
use form_urlencoded::Serializer;
use serde::Deserialize;

const PER_PAGE: i64 = 50;
/// More than any account has, so that no number in an address overflows.
const MOST_PAGES: i64 = 1_000_000;
/// The numbered steps of the remedy.
const STEPS: usize = 7;

#[derive(Template)]
#[template(path = "ram_mfa_check.html")]
struct Page {
    t: Words,
    frame: Frame,
    search: String,
    result: Option<CheckResult>,
    lines: Vec<Line>,
    users: i64,
    in_scope: String,
    passed: String,
    failed: i64,
    out_of_scope: String,
    range: String,
    total: String,
    previous: Option<String>,
    next: Option<String>,
    file: String,
    links: bool,
}

struct Line {
    path: String,
    logon_name: LogonName,
    display_name: String,
    result: CheckResult,
    bound: bool,
    required: bool,
    /// The page where it is mended, for whoever may, and what is done there.
    mend: Option<(String, String)>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    result: String,
    page: String,
    format: String,
}

/// `GET /ram/mfa-check?q=&result=&page=`, or with `format=csv` all of it as a file. A page behind the last is the last.
pub(crate) async fn show(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    let search: String = query.q.trim().chars().take(128).collect();
    let result = CheckResult::ALL.iter().copied().find(|result| result.as_str() == query.result);
    if query.format == "csv" {
        return file(&asker, CheckQuery { search, result, ..CheckQuery::default() }).await;
    }
    let wanted = query.page.parse::<i64>().unwrap_or(1).clamp(1, MOST_PAGES);
    let check = async |number: i64| {
        let part = CheckQuery { search: search.clone(), result, offset: (number - 1) * PER_PAGE, limit: PER_PAGE };
        asker.console.core.mfa_check(asker.actor(), part, asker.origin()).await
    };
    let found = match check(wanted).await {
        Ok(found) if wanted > last_page(found.total) => {
            let behind = last_page(found.total);
            check(behind).await.map(|found| (found, behind))
        }
        found => found.map(|found| (found, wanted)),
    };
    let (found, number) = match found {
        Ok(found) => found,
        Err(error) => return asker.failure(error),
    };
    let CheckSummary { users, in_scope, passed } = found.summary;
    let end = found.total.min(number * PER_PAGE);
    let address = |number: i64| address(&search, result, number, "");
    let template = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamMfaCheck, address(number)),
        lines: found.users.into_iter().map(|user| line(&asker, user)).collect(),
        users,
        in_scope: grouped(in_scope),
        passed: grouped(passed),
        failed: in_scope - passed,
        out_of_scope: grouped(users - in_scope),
        range: format!("{}–{}", grouped((number - 1) * PER_PAGE + 1), grouped(end)),
        total: grouped(found.total),
        previous: (number > 1).then(|| address(number - 1)),
        next: (end < found.total).then(|| address(number + 1)),
        file: self::address(&search, result, 1, "csv"),
        links: asker.may(Action::ViewUser),
        search: search.clone(),
        result,
    };
    page(StatusCode::OK, &template)
}

async fn file(asker: &Asker, query: CheckQuery) -> Response {
    let file = match asker.console.core.mfa_check_file(asker.actor(), query, asker.origin()).await {
        Ok(file) => file,
        Err(error) => return asker.failure(error),
    };
    let mut response = Response::new(Body::from(file));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    // An alias has letters, digits and hyphens only.
    let name = format!("attachment; filename=\"{}-mfa-check.csv\"", asker.actor().session().alias);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}

impl Page {
    /// Whether nobody asked for less.
    fn shows_all(&self) -> bool {
        self.search.is_empty() && self.result.is_none()
    }

    /// The choices of the filter: word, label, whether it is the present one.
    fn filters(&self) -> Vec<(&'static str, String, bool)> {
        let one = |result: &CheckResult| (result.as_str(), self.t.s(result_key(*result)), Some(*result) == self.result);
        CheckResult::ALL.iter().map(one).collect()
    }

    /// The numbered steps of the remedy.
    fn steps(&self) -> Vec<String> {
        (1..=STEPS).map(|number| self.t.s(&format!("check-step-{number}"))).collect()
    }

    fn failed_text(&self) -> String {
        self.t.count("check-failed", self.failed)
    }
}

impl Line {
    const fn is_passed(&self) -> bool {
        matches!(self.result, CheckResult::Passed)
    }

    const fn is_failed(&self) -> bool {
        matches!(self.result, CheckResult::Failed)
    }
}

const fn result_key(result: CheckResult) -> &'static str {
    match result {
        CheckResult::Passed => "check-passed-chip",
        CheckResult::Failed => "check-failed-chip",
        CheckResult::OutOfScope => "check-out-of-scope-chip",
    }
}

fn line(asker: &Asker, user: CheckedUser) -> Line {
    let path = user_path(&user.name);
    let mend = (user.result == CheckResult::Failed).then(|| mend(asker, &user, &path)).flatten();
    Line {
        logon_name: asker.logon_name(&user.name),
        display_name: user.display_name,
        result: user.result,
        bound: user.mfa_bound,
        required: user.mfa_required,
        mend,
        path,
    }
}

/// Where a user without a device gets one. What can still be done for somebody who has to bind at his next logon is to bind
/// for him now; one's own device is bound on one's own page.
fn mend(asker: &Asker, user: &CheckedUser, path: &str) -> Option<(String, String)> {
    let words = &asker.visitor.words;
    let session = asker.actor().session();
    if session.kind == PrincipalKind::RamUser && session.name == user.name {
        return Some(("/me/security".to_owned(), words.s("ram-you")));
    }
    if !asker.may(Action::ChangeLoginProfile) {
        return None;
    }
    Some(if user.mfa_required {
        (path.to_owned(), words.s("ram-enable-device"))
    } else {
        (format!("{path}/logon-settings"), words.s("ram-modify-logon-settings"))
    })
}

fn last_page(total: i64) -> i64 {
    total.max(1).div_euclid(PER_PAGE) + i64::from(total.max(1).rem_euclid(PER_PAGE) > 0)
}

fn address(search: &str, result: Option<CheckResult>, number: i64, format: &str) -> String {
    let mut query = Serializer::new(String::new());
    if !search.is_empty() {
        query.append_pair("q", search);
    }
    if let Some(result) = result {
        query.append_pair("result", result.as_str());
    }
    if number > 1 {
        query.append_pair("page", &number.to_string());
    }
    if !format.is_empty() {
        query.append_pair("format", format);
    }
    let query = query.finish();
    if query.is_empty() { "/ram/mfa-check".to_owned() } else { format!("/ram/mfa-check?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_other_pages_and_to_the_file_keeps_the_filter() {
        assert_eq!(address("", None, 1, ""), "/ram/mfa-check");
        let address = address("a&b", Some(CheckResult::Failed), 3, "csv");
        assert_eq!(address, "/ram/mfa-check?q=a%26b&result=failed&page=3&format=csv");
        for (total, page) in [(0, 1), (1, 1), (50, 1), (51, 2)] {
            assert_eq!(last_page(total), page, "{total}");
        }
    }
}
