//! What administrators have to look at: open and settled findings, paged.

use super::ram_asker::{Asker, grouped, user_path};
use crate::answer::{page, see_done};
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, When};
use crate::locales::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::findings::{FindingLine, Which};
use countersign_model::notice::NoticeKind;
use countersign_model::principal::PrincipalKind;
use serde::Deserialize;

const PER_PAGE: i64 = 50;
/// More than any account has, so that no number in an address overflows.
const MOST_PAGES: i64 = 1_000_000;

#[derive(Template)]
#[template(path = "ram_findings.html")]
struct Page {
    t: Words,
    frame: Frame,
    settled: bool,
    open: String,
    lines: Vec<Line>,
    range: String,
    total: String,
    previous: Option<String>,
    next: Option<String>,
}

/// A finding as both lists show it.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) note: String,
    pub(super) who: String,
    /// The page of the user, if he is one and still there.
    pub(super) path: Option<String>,
    pub(super) details: String,
    pub(super) at: When,
    pub(super) settled: Option<(When, String)>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Query {
    state: String,
    page: String,
    done: String,
}

/// `GET /ram/findings?state=settled&page=`. A page behind the last one is the last one.
pub(crate) async fn show(asker: Asker, AddressQuery(query): AddressQuery<Query>) -> Response {
    let which = if query.state == "settled" { Which::Settled } else { Which::Open };
    let wanted = query.page.parse::<i64>().unwrap_or(1).clamp(1, MOST_PAGES);
    let list = async |number: i64| {
        let part = ((number - 1) * PER_PAGE, PER_PAGE);
        asker.console.core.findings(asker.actor(), which, part, asker.origin()).await
    };
    let found = match list(wanted).await {
        Ok(page) if wanted > last_page(page.total) => {
            let behind = last_page(page.total);
            list(behind).await.map(|page| (page, behind))
        }
        found => found.map(|page| (page, wanted)),
    };
    let (found, number) = match found {
        Ok(found) => found,
        Err(error) => return asker.failure(error),
    };
    let end = found.total.min(number * PER_PAGE);
    let template = Page {
        t: asker.words(),
        frame: asker.frame(Place::RamFindings, address(which, number)).with_done(Some(&query.done)),
        settled: which == Which::Settled,
        open: grouped(found.open),
        range: format!("{}–{}", grouped((number - 1) * PER_PAGE + 1), grouped(end)),
        total: grouped(found.total),
        previous: (number > 1).then(|| address(which, number - 1)),
        next: (end < found.total).then(|| address(which, number + 1)),
        lines: found.lines.iter().map(|line| told(&asker.visitor.words, line)).collect(),
    };
    page(StatusCode::OK, &template)
}

/// `POST /ram/findings`.
pub(crate) async fn settle(asker: Asker, fields: Fields) -> Response {
    let back = if fields.text("back") == "overview" { "/ram/overview" } else { "/ram/findings" };
    match asker.console.core.settle_finding(asker.actor(), &fields.text("finding"), asker.origin()).await {
        Ok(()) => see_done(back, "finding-settled"),
        Err(error) => asker.failure(error),
    }
}

/// A finding in words.
pub(super) fn told(t: &Words, line: &FindingLine) -> Line {
    let finding = &line.finding;
    let key = format!("ram-finding-{}", finding.kind);
    let (who, path) = match &line.about {
        Some((PrincipalKind::RamUser, name)) => (name.clone(), Some(user_path(name))),
        Some((PrincipalKind::Owner, name)) => (name.clone(), None),
        None => (finding.principal_name.clone(), None),
    };
    Line {
        id: finding.id.to_string(),
        what: t.s(&key),
        note: t.s(&format!("{key}-note")),
        who,
        path,
        details: details(t, &finding.details),
        at: finding.at.into(),
        settled: finding.settled.as_ref().map(|(at, by)| (When::from(*at), t.with("ram-finding-by", "name", by))),
    }
}

/// The details as people read them: what is known by its key in words, the rest as it is.
fn details(t: &Words, details: &str) -> String {
    let word = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        match key {
            "notice" => None,
            "kind" => Some(
                value.parse::<NoticeKind>().map_or_else(|_| value.to_owned(), |kind| t.s(&format!("notice-{kind}"))),
            ),
            "from" => (!value.is_empty()).then(|| format!("{}: {value}", t.s("ram-from"))),
            "keys_held" | "access_keys_disabled" | "recovery_codes_deleted" => {
                Some(format!("{}: {value}", t.s(&format!("ram-detail-{key}"))))
            }
            _ => Some(format!("{key}: {value}")),
        }
    };
    details.split(';').filter_map(word).collect::<Vec<_>>().join(" · ")
}

fn last_page(total: i64) -> i64 {
    total.max(1).div_euclid(PER_PAGE) + i64::from(total.max(1).rem_euclid(PER_PAGE) > 0)
}

fn address(which: Which, number: i64) -> String {
    match (which, number) {
        (Which::Open, 1) => "/ram/findings".to_owned(),
        (Which::Open, number) => format!("/ram/findings?page={number}"),
        (Which::Settled, 1) => "/ram/findings?state=settled".to_owned(),
        (Which::Settled, number) => format!("/ram/findings?state=settled&page={number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use countersign_model::notice::FindingKind;
    use std::sync::Arc;

    #[test]
    fn every_finding_has_words() {
        for language in [Language::English, Language::Chinese] {
            let words = Words::new(Arc::new(Locales::load()), language);
            for kind in FindingKind::ALL {
                for key in [format!("ram-finding-{kind}"), format!("ram-finding-{kind}-note")] {
                    assert_ne!(words.s(&key), key);
                }
            }
        }
    }

    #[test]
    fn details_are_told_in_words() {
        let words = Words::new(Arc::new(Locales::load()), Language::English);
        assert_eq!(details(&words, "notice=12;kind=mfa-bound;from=192.0.2.7;"), "MFA device bound · From: 192.0.2.7");
        assert_eq!(details(&words, "kind=strange;users=12;from=;"), "strange · users: 12");
        assert_eq!(details(&words, ""), "");
        assert_eq!(details(&words, "keys_held=Blue, Red;"), "Security keys and passkeys refused: Blue, Red");
    }
}
