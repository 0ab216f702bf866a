//! The verification of an export, with nothing but the export and the public keys.

use super::check::AuditCheck;
use super::checkpoint::{PublicKeys, parse_hash};
use super::export::{ExportLine, FORMAT, HeaderLine};
use super::lines::Lines;
use super::problem::{Problem, ProblemKind};
use super::verifier::Verifier;
use countersign_model::Timestamp;
use countersign_model::audit::{Checkpoint, CheckpointKind};
use std::io::{self, BufRead};

/// Why an export cannot be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It cannot be read.
    #[error("the export cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is something else.
    #[error("this is no export of Countersign: its first line does not say so")]
    NoExport,
    /// A newer version made it.
    #[error("the export has format {0}, which this version does not know")]
    Format(u32),
    /// Entries were left out on purpose.
    #[error("the export is a selection: entries were left out on purpose, so that no chain is left to verify")]
    Selection,
}

/// Verifies an export, line by line. Whatever the bytes are, it ends with an answer.
pub fn verify_export(export: impl BufRead, keys: &PublicKeys) -> Result<AuditCheck, Unreadable> {
    let mut lines = Lines::new(export);
    let header = header(&mut lines)?;
    let account = header.account_id.as_str();
    let mut reading = Reading {
        verifier: Verifier::new(account, keys, &[]),
        after: 0,
        started: false,
        end: None,
        made_at: Timestamp::parse_rfc3339(&header.made_at),
    };
    while let Some(line) = lines.next()? {
        reading.line(line.text, i64::try_from(line.number).unwrap_or(i64::MAX));
    }
    reading.finish();
    Ok(AuditCheck::of(account, reading.after, reading.verifier.end()))
}

fn header(lines: &mut Lines<impl BufRead>) -> Result<HeaderLine, Unreadable> {
    let line = lines.next()?.ok_or(Unreadable::NoExport)?;
    let Ok(ExportLine::Export(header)) = serde_json::from_slice(line.text) else { return Err(Unreadable::NoExport) };
    if header.format != FORMAT {
        return Err(Unreadable::Format(header.format));
    }
    if header.selection { Err(Unreadable::Selection) } else { Ok(header) }
}

struct Reading<'k> {
    verifier: Verifier<'k>,
    after: i64,
    started: bool,
    /// The signed end of the export. Nothing may come behind it.
    end: Option<Checkpoint>,
    made_at: Option<Timestamp>,
}

impl Reading<'_> {
    fn line(&mut self, text: &[u8], number: i64) {
        if self.end.is_some() {
            return self.malformed(number, "stands behind the end of the export");
        }
        match serde_json::from_slice(text) {
            Ok(ExportLine::Start(start)) if !self.started => match parse_hash(&start.hash) {
                Some(hash) if start.seq >= 0 => {
                    (self.after, self.started) = (start.seq, true);
                    self.verifier.start_behind(start.seq, hash);
                }
                Some(_) | None => self.malformed(number, "is no start of an export"),
            },
            Ok(ExportLine::Entry(entry)) if self.started => match entry.into_entry() {
                Some(entry) => self.verifier.entry(&entry),
                None => self.malformed(number, "is no entry"),
            },
            Ok(ExportLine::Checkpoint(checkpoint)) if self.started => match checkpoint.into_checkpoint() {
                Some(checkpoint) => self.checkpoint(checkpoint, number),
                None => self.malformed(number, "is no checkpoint"),
            },
            Ok(ExportLine::Export(_) | ExportLine::Start(_) | ExportLine::Entry(_) | ExportLine::Checkpoint(_)) => {
                self.malformed(number, "does not belong there");
            }
            Err(_) => self.malformed(number, "is no line of an export"),
        }
    }

    fn checkpoint(&mut self, checkpoint: Checkpoint, number: i64) {
        let place = format!("line {number}");
        if checkpoint.kind != CheckpointKind::Export {
            return self.verifier.checkpoint(&checkpoint, &place);
        }
        if self.verifier.is_genuine(&checkpoint, &place) {
            self.compare_with_end(&checkpoint, &place);
        }
        self.end = Some(checkpoint);
    }

    /// The end says which entries there are, and when the export was made.
    fn compare_with_end(&mut self, end: &Checkpoint, place: &str) {
        if end.after != self.after {
            let text = format!("{place} says that the export begins with entry {}", end.after.saturating_add(1));
            self.verifier.report(Problem::new(ProblemKind::Cut, self.after.saturating_add(1), text));
        }
        if Some(end.at) != self.made_at {
            let text = format!("{place} says that the export was made at another time than its first line says");
            self.verifier.report(Problem::new(ProblemKind::Edited, 1, text));
        }
        if end.seq < self.verifier.last() {
            let text = format!("{place} says that the export ends with entry {}", end.seq);
            self.verifier.report(Problem::new(ProblemKind::Foreign, self.verifier.last(), text));
        }
        // Tells a last entry that is missing, and one whose hash is another.
        self.verifier.compare_end(end.seq, &end.hash, place);
        self.verifier.checkpoint(end, place);
    }

    fn malformed(&mut self, number: i64, what: &str) {
        self.verifier.report(Problem::new(ProblemKind::Malformed, number, format!("line {number} {what}")));
    }

    fn finish(&mut self) {
        if self.end.is_none() {
            let last = self.verifier.last();
            let text =
                format!("the export has no end: behind entry {last} it was cut, or the chain was broken already");
            self.verifier.report(Problem::new(ProblemKind::Cut, last, text));
        }
    }
}
