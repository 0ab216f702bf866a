//! RAM > Audit: the log of the account, filtered and paged, and on its way out as a file.

use super::audit_rows::Row;
use super::ram_asker::{Asker, grouped};
use super::ram_overview::EVENTS;
use crate::answer::form_page;
use crate::fields::{AddressQuery, Fields};
use crate::frame::{Frame, Place, Problems, When};
use crate::locales::Words;
use askama::Template;
use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use countersign_core::audit_chain::{AuditExport, ExportFormat};
use countersign_core::audit_log::{AuditPage, COUNTED, Cursor, EventFilter};
use countersign_model::Timestamp;
use countersign_model::audit::Outcome;
use countersign_model::ids::EventId;
use form_urlencoded::Serializer;
use http_body_util::channel::{Channel, Sender};
use serde::Deserialize;
use std::convert::Infallible;

/// So many pieces of an export wait for a slow reader at most.
const PIECES: usize = 2;

#[derive(Template)]
#[template(path = "ram_audit.html")]
struct Page {
    t: Words,
    frame: Frame,
    problems: Problems,
    wanted: Wanted,
    rows: Vec<Row>,
    total: Option<String>,
    older: Option<String>,
    newer: Option<String>,
    /// Up to when the search has come, if it was not to the end.
    searched_to: Option<When>,
    intact: bool,
    signed: String,
    signed_at: Option<When>,
    unsigned: bool,
}

/// What the fields of the filter hold.
#[derive(Deserialize, Default, Clone, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct Wanted {
    from: String,
    to: String,
    user: String,
    event: String,
    outcome: String,
    before: String,
    after: String,
}

/// `GET /ram/audit?from=&to=&user=&event=&outcome=&before=&after=`.
pub(crate) async fn show(asker: Asker, AddressQuery(wanted): AddressQuery<Wanted>) -> Response {
    let wanted = wanted.tidied();
    let mut problems = Problems::default();
    let filter = wanted.filter(&asker.visitor.words, &mut problems);
    let found = asker.console.core.audit_log(asker.actor(), (filter, wanted.cursor()), asker.origin()).await;
    match found {
        Ok(found) => {
            let page = fill(&asker, wanted, problems, &found);
            form_page(&page.problems, &page)
        }
        Err(error) => asker.failure(error),
    }
}

/// `POST /ram/audit/export`: the file, piece by piece as it is read.
pub(crate) async fn export(asker: Asker, fields: Fields) -> Response {
    let field = |name| fields.text(name);
    let wanted = Wanted {
        from: field("from"),
        to: field("to"),
        user: field("user"),
        event: field("event"),
        outcome: field("outcome"),
        ..Wanted::default()
    };
    let wanted = wanted.tidied();
    let mut problems = Problems::default();
    let filter = wanted.filter(&asker.visitor.words, &mut problems);
    let format = ExportFormat::named(&fields.text("format")).unwrap_or(ExportFormat::Jsonl);
    if !problems.is_empty() {
        // What cannot be read as a time must not become an export of everything.
        return crate::answer::see(&wanted.address(None));
    }
    match asker.console.core.export_audit_log(asker.actor(), filter, format, asker.origin()).await {
        Ok(export) => file(export, format, asker.actor().session().alias.as_str()),
        Err(error) => asker.failure(error),
    }
}

fn fill(asker: &Asker, wanted: Wanted, problems: Problems, found: &AuditPage) -> Page {
    let chain = found.chain;
    let cursor_address = |cursor: &Option<Cursor>| cursor.as_ref().map(|cursor| wanted.address(Some(cursor)));
    Page {
        t: asker.words(),
        frame: asker.frame(Place::RamAudit, wanted.address(Some(&wanted.cursor()))),
        problems,
        rows: found.events.iter().map(|event| Row::new(&asker.visitor.words, event)).collect(),
        total: found.total.map(|total| if total > COUNTED { format!("{}+", grouped(COUNTED)) } else { grouped(total) }),
        older: cursor_address(&found.older),
        newer: cursor_address(&found.newer),
        searched_to: found.searched_to.map(When::from),
        intact: chain.is_intact,
        signed: grouped(chain.signed),
        signed_at: chain.signed_at.map(When::from),
        unsigned: chain.chained > chain.signed,
        wanted,
    }
}

impl Page {
    /// The choices of the event filter: code, words, whether it is the present one. The words are sorted.
    fn events(&self) -> Vec<(&'static str, String, bool)> {
        let choice = |code: &&'static str| (*code, self.t.s(&format!("ram-event-{code}")), *code == self.wanted.event);
        let mut choices: Vec<_> = EVENTS.iter().map(choice).collect();
        choices.sort_by(|a, b| a.1.cmp(&b.1));
        choices
    }
}

impl Wanted {
    /// What cannot be meant is nothing, and nothing is longer than it has to be.
    fn tidied(self) -> Self {
        let short = |text: String| text.trim().chars().filter(|c| !c.is_control()).take(128).collect::<String>();
        let one_of = |text: String, known: &[&str]| if known.contains(&text.as_str()) { text } else { String::new() };
        Self {
            from: short(self.from),
            to: short(self.to),
            user: short(self.user),
            event: one_of(self.event, EVENTS),
            outcome: one_of(self.outcome, &Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>()),
            before: self.before,
            after: self.after,
        }
    }

    fn filter(&self, words: &Words, problems: &mut Problems) -> EventFilter {
        let all = EventFilter::default();
        let mut time = |field: &str, text: &str, otherwise: Timestamp| {
            if text.is_empty() {
                return otherwise;
            }
            instant(text).unwrap_or_else(|| {
                problems.add(field, words.s("audit-no-time"));
                otherwise
            })
        };
        EventFilter {
            from: time("from", &self.from, all.from),
            until: time("to", &self.to, all.until),
            action: self.event.clone(),
            outcome: self.outcome.parse().ok(),
            user: self.user.clone(),
        }
    }

    fn cursor(&self) -> Cursor {
        let id = |text: &str| text.parse::<EventId>().ok();
        match (id(&self.before), id(&self.after)) {
            (Some(before), _) => Cursor::Before(before),
            (None, Some(after)) => Cursor::After(after),
            (None, None) => Cursor::Latest,
        }
    }

    /// Whether nothing is filtered.
    fn shows_all(&self) -> bool {
        [&self.from, &self.to, &self.user, &self.event, &self.outcome].iter().all(|text| text.is_empty())
    }

    /// The address of this filter, at a cursor.
    fn address(&self, cursor: Option<&Cursor>) -> String {
        let mut query = Serializer::new(String::new());
        let pairs = [
            ("from", &self.from),
            ("to", &self.to),
            ("user", &self.user),
            ("event", &self.event),
            ("outcome", &self.outcome),
        ];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        match cursor {
            Some(Cursor::Before(id)) => drop(query.append_pair("before", id.as_str())),
            Some(Cursor::After(id)) => drop(query.append_pair("after", id.as_str())),
            Some(Cursor::Latest) | None => {}
        }
        let query = query.finish();
        if query.is_empty() { "/ram/audit".to_owned() } else { format!("/ram/audit?{query}") }
    }
}

/// What a field for date and time holds, in UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let tails = ["", "Z", ":00Z", "T00:00:00Z"];
    tails.iter().find_map(|tail| Timestamp::parse_rfc3339(&format!("{text}{tail}")))
}

fn file(export: AuditExport, format: ExportFormat, alias: &str) -> Response {
    let (sender, body) = Channel::<Bytes, Infallible>::new(PIECES);
    let selection = if export.is_selection() { "-selection" } else { "" };
    tokio::spawn(send(export, sender));
    let mut response = Response::new(Body::new(body));
    let kind = match format {
        ExportFormat::Jsonl | ExportFormat::ActionTrail => "application/jsonl; charset=utf-8",
        ExportFormat::Csv => "text/csv; charset=utf-8",
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // An alias has letters, digits and hyphens only.
    let name = format!("attachment; filename=\"{alias}-audit{selection}.{}\"", format.file_ending());
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}

/// Reads on as fast as the reader takes it. One that hangs up ends it; so does a failure, and then the file breaks off,
/// which its verification tells.
async fn send(mut export: AuditExport, mut sender: Sender<Bytes, Infallible>) {
    loop {
        match export.next_part().await {
            Ok(Some(part)) => {
                if sender.send_data(Bytes::from(part)).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "an export of the audit log breaks off");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_browsers_send_them() {
        let noon = Timestamp::parse_rfc3339("2026-01-02T12:00:00Z");
        for text in ["2026-01-02T12:00", "2026-01-02T12:00:00", "2026-01-02T12:00:00Z"] {
            assert_eq!(instant(text), noon, "{text}");
        }
        assert_eq!(instant("2026-01-02"), Timestamp::parse_rfc3339("2026-01-02T00:00:00Z"));
        assert_eq!(instant("yesterday"), None);
    }

    #[test]
    fn the_way_to_other_pages_keeps_the_filter() {
        let wanted = Wanted { user: "a&b".to_owned(), event: "nonsense".to_owned(), ..Wanted::default() }.tidied();
        assert_eq!(wanted.address(None), "/ram/audit?user=a%26b");
        assert!(!wanted.shows_all() && Wanted::default().shows_all());
        let forged = Wanted { before: "'; DROP".to_owned(), ..Wanted::default() };
        assert_eq!(
            (forged.cursor(), forged.address(Some(&forged.cursor()))),
            (Cursor::Latest, "/ram/audit".to_owned())
        );
    }
}
