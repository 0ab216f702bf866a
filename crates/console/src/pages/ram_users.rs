//! Identities > Users: all RAM users of the account, searched, filtered and paged.

use super::ram_asker::{Asker, Doable, grouped, user_path};
use crate::answer::page;
use crate::fields::AddressQuery;
use crate::frame::{Frame, LogonName, Place, When};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::authorise::Action;
use countersign_core::users::{ListedUser, MfaFilter, UsersQuery};
use countersign_model::principal::ConsoleLogon;
use form_urlencoded::Serializer;
use serde::Deserialize;

const PER_PAGE: i64 = 50;
/// More than any account has, so that no number in an address overflows.
const MOST_PAGES: i64 = 1_000_000;
const FILTERS: [MfaFilter; 4] = [MfaFilter::Any, MfaFilter::Bound, MfaFilter::NotAttached, MfaFilter::RequiredUnbound];

#[derive(Template)]
#[template(path = "ram_users.html")]
struct Page {
    t: Words,
    frame: Frame,
    search: String,
    mfa: MfaFilter,
    lines: Vec<Line>,
    range: String,
    total: String,
    previous: Option<String>,
    next: Option<String>,
    may_create: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a chip or a word of its own in the list")]
struct Line {
    path: String,
    name: String,
    logon_name: LogonName,
    display_name: String,
    enabled: bool,
    bound: bool,
    required: bool,
    locked: bool,
    administrator: bool,
    is_oneself: bool,
    last_logon: Option<When>,
    can: Doable,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    mfa: String,
    page: String,
    done: String,
}

/// `GET /ram/users?q=&mfa=&page=`. A page behind the last one is the last one.
pub(crate) async fn show(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    let search: String = query.q.trim().chars().take(128).collect();
    let mfa = FILTERS.into_iter().find(|filter| filter.as_str() == query.mfa).unwrap_or_default();
    let wanted = query.page.parse::<i64>().unwrap_or(1).clamp(1, MOST_PAGES);
    let list = async |number: i64| {
        let part = UsersQuery { search: search.clone(), mfa, offset: (number - 1) * PER_PAGE, limit: PER_PAGE };
        asker.console.core.list_users(asker.actor(), part, asker.origin()).await
    };
    let found = match list(wanted).await {
        Ok((_, total)) if wanted > last_page(total) => {
            list(last_page(total)).await.map(|(users, total)| (users, total, last_page(total)))
        }
        found => found.map(|(users, total)| (users, total, wanted)),
    };
    let (users, total, number) = match found {
        Ok(found) => found,
        Err(error) => return asker.failure(error),
    };
    let address = |number: i64| address(&search, mfa, number);
    let first = (number - 1) * PER_PAGE + 1;
    let end = total.min(number * PER_PAGE);
    let template = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamUsers, address(number)).with_done(Some(&query.done)),
        lines: users.into_iter().map(|user| line(&asker, user)).collect(),
        range: format!("{}–{}", grouped(first), grouped(end)),
        total: grouped(total),
        previous: (number > 1).then(|| address(number - 1)),
        next: (end < total).then(|| address(number + 1)),
        search: search.clone(),
        mfa,
        may_create: asker.may(Action::CreateUser),
    };
    page(StatusCode::OK, &template)
}

impl Page {
    /// Whether the list is empty because nobody asked for less.
    fn shows_all(&self) -> bool {
        self.search.is_empty() && self.mfa == MfaFilter::Any
    }

    /// The choices of the filter: word, label, whether it is the present one.
    fn filters(&self) -> [(&'static str, String, bool); 4] {
        FILTERS.map(|filter| (filter.as_str(), self.t.s(filter_key(filter)), filter == self.mfa))
    }
}

const fn filter_key(filter: MfaFilter) -> &'static str {
    match filter {
        MfaFilter::Any => "ram-filter-any",
        MfaFilter::Bound => "ram-bound",
        MfaFilter::NotAttached => "ram-not-attached",
        MfaFilter::RequiredUnbound => "ram-required-unbound",
    }
}

fn line(asker: &Asker, user: ListedUser) -> Line {
    let now = asker.console.core.now();
    Line {
        path: user_path(&user.name),
        logon_name: asker.logon_name(&user.name),
        enabled: user.console_logon == Some(ConsoleLogon::Enabled),
        bound: user.mfa_bound,
        required: user.mfa_required,
        locked: user.password_budget.is_locked(now) || user.device_budget.is_locked(now),
        administrator: user.administrator_by.is_some(),
        is_oneself: &user.id == asker.actor().principal_id(),
        last_logon: user.last_logon_at.map(When::from),
        can: asker.doable(&user.name, &user.id),
        display_name: user.display_name,
        name: user.name,
    }
}

fn last_page(total: i64) -> i64 {
    total.max(1).div_euclid(PER_PAGE) + i64::from(total.max(1).rem_euclid(PER_PAGE) > 0)
}

fn address(search: &str, mfa: MfaFilter, number: i64) -> String {
    let mut query = Serializer::new(String::new());
    if !search.is_empty() {
        query.append_pair("q", search);
    }
    if mfa != MfaFilter::Any {
        query.append_pair("mfa", mfa.as_str());
    }
    if number > 1 {
        query.append_pair("page", &number.to_string());
    }
    let query = query.finish();
    if query.is_empty() { "/ram/users".to_owned() } else { format!("/ram/users?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_page_and_never_an_empty_one_behind_it() {
        for (total, page) in [(0, 1), (1, 1), (50, 1), (51, 2), (100, 2), (12_345, 247)] {
            assert_eq!(last_page(total), page, "{total}");
        }
    }

    #[test]
    fn the_way_to_other_pages_keeps_the_search() {
        assert_eq!(address("", MfaFilter::Any, 1), "/ram/users");
        assert_eq!(address("a&b", MfaFilter::Bound, 3), "/ram/users?q=a%26b&mfa=bound&page=3");
    }
}
