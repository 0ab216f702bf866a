//! `countersign doctor`: looks at the whole installation, whether a server runs or not, and says what to do. It changes
//! nothing, and brings no schema up to date.
//!
//! A check is a function that gives [`Line`]s; [`examine`] calls them all, so a new one is a module here and a line there.

mod audit_log;
mod clock;
mod database;
mod folder;
mod keys;
mod mail;
mod network;

use crate::cli::DoctorFlags;
use crate::config::Settings;
use crate::failure::Failure;
use crate::operate::{block_on, settings_of};
use crate::output::{say, say_json};
use countersign_model::Clock as _;
use countersign_model::clock::SystemClock;
use serde_json::json;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// As it should be.
    Ok,
    /// It works, and should be looked at.
    Warn,
    /// It does not work, or is not safe.
    Fail,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    status: Status,
    /// What was looked at, in a word.
    check: &'static str,
    /// What was found.
    found: String,
    /// What to do; empty where there is nothing.
    advice: String,
}

impl Line {
    pub(crate) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { status: Status::Ok, check, found: found.into(), advice: String::new() }
    }

    pub(crate) fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { status: Status::Warn, check, found: found.into(), advice: advice.into() }
    }

    pub(crate) fn fail(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { status: Status::Fail, check, found: found.into(), advice: advice.into() }
    }
}

/// Looks, and tells.
pub(crate) fn run(flags: DoctorFlags) -> Result<(), Failure> {
    let json = flags.common.json;
    let settings = settings_of(flags.common)?;
    let lines = block_on(async { Ok(examine(&settings).await) })?;
    let count = |status| lines.iter().filter(|line| line.status == status).count();
    let (failed, warned) = (count(Status::Fail), count(Status::Warn));
    if json {
        let checks: Vec<_> = lines.iter().map(line_json).collect();
        say_json(&json!({ "healthy": failed == 0, "failed": failed, "warned": warned, "checks": checks }))?;
    } else {
        for line in &lines {
            say(&line_text(line))?;
        }
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure::new("1 check has failed")),
        more => Err(Failure::new(format!("{more} checks have failed"))),
    }
}

/// All checks, in the order in which an operator would look.
async fn examine(settings: &Settings) -> Vec<Line> {
    let now = SystemClock.now();
    let mut lines = settings_lines(settings);
    lines.extend(folder::check(settings));
    let database = database::check(settings).await;
    lines.extend(database.lines);
    lines.extend(keys::check(settings, database.look.as_ref()));
    lines.extend(clock::check(now, database.clock, database.look.as_ref()));
    lines.extend(database.look.as_ref().map(audit_log::check));
    lines.extend(network::check(settings).await);
    lines.extend(database.look.as_ref().and_then(|look| network::key_hosts(settings, look)));
    lines.extend(database.look.as_ref().and_then(|look| network::unrooted_keys(settings, look)));
    lines.push(mail::check(settings).await);
    lines
}

fn settings_lines(settings: &Settings) -> Vec<Line> {
    const CHECK: &str = "settings";
    let mut lines = Vec::new();
    if let Err(error) = settings.check_serving() {
        lines.push(Line::fail(CHECK, error.to_string(), "the server does not start so"));
    }
    lines.extend(settings.doubts().into_iter().map(|doubt| Line::warn(CHECK, doubt, "change it, unless it is meant")));
    if lines.is_empty() {
        lines.push(Line::ok(CHECK, "no doubts"));
    }
    lines
}

fn line_json(line: &Line) -> serde_json::Value {
    json!({ "status": line.status.as_str(), "check": line.check, "found": line.found, "advice": line.advice })
}

fn line_text(line: &Line) -> String {
    let first = format!("{:4}  {:12}  {}", line.status.as_str(), line.check, line.found);
    if line.advice.is_empty() { first } else { format!("{first}\n{:20}→ {}", "", line.advice) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_found_and_what_to_do() {
        assert_eq!(line_text(&Line::ok("clock", "right")), "ok    clock         right");
        let fail = Line::fail("key ring", "it is missing", "put it back");
        assert_eq!(line_text(&fail), "fail  key ring      it is missing\n                    → put it back");
    }
}
