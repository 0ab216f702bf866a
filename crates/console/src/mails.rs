//! Notices as mails: a subject, plain text, and the same in HTML for those who read that.
//!
//! A mail fetches nothing and tells nobody that it was read. What strangers typed — names, addresses — is shown as text
//! on one line; a browser's own name is not shown at all, only what it is.

use crate::locales::{Language, Locales, Words};
use crate::program::program;
use askama::Template;
use countersign_core::delivery::NoticeView;
use countersign_model::Timestamp;
use countersign_model::notice::{DISOWN_LINK_LIFETIME, Doer, NoticeFacts};
use secrecy::ExposeSecret as _;
use std::sync::Arc;

/// A mail, put into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Puts notices into words.
#[derive(Clone)]
pub struct Mails {
    locales: Arc<Locales>,
}

impl std::fmt::Debug for Mails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mails").finish_non_exhaustive()
    }
}

/// What both forms of a mail are made from.
#[derive(Template)]
#[template(path = "mail.html")]
struct Content {
    t: Words,
    subject: String,
    what: String,
    facts: Vec<(String, String)>,
    /// The link that says: this was not me.
    link: Option<String>,
    link_help: String,
    public_url: String,
}

impl Mails {
    /// Reads the words.
    #[must_use]
    pub fn load() -> Self {
        Self { locales: Arc::new(Locales::load()) }
    }

    /// A notice as a mail, in the language of this tag; the links lead to `public_url`.
    #[must_use]
    pub fn render(&self, notice: &NoticeView, language: &str, public_url: &str) -> Mail {
        let t = self.words(language);
        let kind = notice.kind.as_str();
        let until = moment(notice.at.plus(DISOWN_LINK_LIFETIME));
        let content = Content {
            subject: t.with(&format!("mail-{kind}-subject"), "name", one_line(&notice.facts.logon_name)),
            what: t.s(&format!("mail-{kind}-what")),
            facts: facts(&t, &notice.facts, notice.at),
            link: Some(format!("{public_url}/not-me?notice={}", notice.disown_token.expose_secret())),
            link_help: t.with("mail-not-me-help", "until", until),
            public_url: public_url.to_owned(),
            t,
        };
        content.into_mail()
    }

    /// A mail that shows that mail arrives.
    #[must_use]
    pub fn test(&self, language: &str, public_url: &str) -> Mail {
        let t = self.words(language);
        let content = Content {
            subject: t.s("mail-test-subject"),
            what: t.s("mail-test-what"),
            facts: Vec::new(),
            link: None,
            link_help: String::new(),
            public_url: public_url.to_owned(),
            t,
        };
        content.into_mail()
    }

    fn words(&self, language: &str) -> Words {
        Words::new(Arc::clone(&self.locales), Language::parse(language).unwrap_or_default())
    }
}

impl Content {
    fn into_mail(self) -> Mail {
        let text = self.text();
        let html = self.render().unwrap_or_else(|error| {
            tracing::error!(%error, "a mail cannot be rendered as HTML");
            String::new()
        });
        Mail { subject: one_line(&self.subject), text, html }
    }

    fn text(&self) -> String {
        let t = &self.t;
        let mut paragraphs = vec![self.what.clone()];
        if !self.facts.is_empty() {
            let lines: Vec<String> = self.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            paragraphs.push(lines.join("\n"));
        }
        if let Some(link) = &self.link {
            paragraphs.push(t.s("mail-if-expected"));
            paragraphs.push(format!("{} {}\n{link}", t.s("mail-if-not"), t.s("mail-not-me")));
            paragraphs.push(self.link_help.clone());
        }
        paragraphs.push(format!(
            "-- \n{}\n{}",
            t.s("mail-never-asked"),
            t.with("mail-sent-by", "url", &self.public_url)
        ));
        paragraphs.join("\n\n") + "\n"
    }
}

/// What a notice tells around its kind: label and value.
pub(crate) fn facts(t: &Words, facts: &NoticeFacts, at: Timestamp) -> Vec<(String, String)> {
    let mut list = vec![
        (t.s("mail-logon-name"), one_line(&facts.logon_name)),
        (t.s("mail-account"), one_line(&facts.alias)),
        (t.s("mail-when"), moment(at)),
    ];
    list.extend(by_whom(t, &facts.by).map(|doer| (t.s("mail-by"), doer)));
    list.extend(place(t, facts).map(|place| (t.s("mail-address"), place)));
    if facts.by != Doer::Operator {
        list.push((t.s("mail-program"), program(t, &facts.user_agent)));
    }
    list
}

/// Who did it, if it was somebody else than whoever seems to be oneself.
pub(crate) fn by_whom(t: &Words, doer: &Doer) -> Option<String> {
    match doer {
        Doer::Oneself => None,
        Doer::Administrator(name) => Some(t.with("mail-by-administrator", "name", one_line(name))),
        Doer::Operator => Some(t.s("mail-by-operator")),
    }
}

/// From where it was done, if that is known.
pub(crate) fn place(t: &Words, facts: &NoticeFacts) -> Option<String> {
    match facts.by {
        Doer::Operator => Some(t.s("mail-command-line")),
        Doer::Oneself | Doer::Administrator(_) => Some(one_line(&facts.address)).filter(|place| !place.is_empty()),
    }
}

/// An instant as both languages read it.
fn moment(at: Timestamp) -> String {
    let exact: String = at.to_rfc3339().chars().filter(|c| *c != 'Z').map(|c| if c == 'T' { ' ' } else { c }).collect();
    format!("{exact} UTC")
}

/// A text that stays on its line, and in its direction.
fn one_line(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|c| !turns(*c) && !breaks(*c)).collect()
}

#[cfg(test)]
mod tests;
