//! The log of an account on its way out of the house, page by page: lines of JSON that can be verified with the public keys
//! alone, a table for a spreadsheet, or events in the shape of `ActionTrail`.
//!
//! ```text
//! {"export":{"format":1,"account_id":"…","made_at":"…","selection":false}}
//! {"start":{"seq":0,"hash":"00…"}}
//! {"entry":{"seq":1,"event_id":"…",…,"hash":"…"}}
//! {"checkpoint":{…,"kind":"head","seq":1,…}}
//! {"checkpoint":{…,"kind":"export","after":0,"seq":1,…}}
//! ```
//! The last line signs which entries the export holds, so that it cannot be cut at either end. It is left out when the chain
//! itself is broken. A selection, from which entries were left out on purpose, is signed by nobody.

use super::checkpoint::{CheckpointLine, PublicKeys, Statement, parse_hash};
use super::entry::GENESIS;
use super::problem::{Problem, ProblemKind};
use super::verifier::Verifier;
use crate::Countersign;
use crate::audit_trail::TrailEvent;
use crate::error::Error;
use countersign_model::Timestamp;
use countersign_model::audit::{Checkpoint, CheckpointKind};
use countersign_model::ids::AccountId;
use countersign_store::Tx;
use countersign_store::audit_chain::{self, StoredEntry};
use countersign_store::audit_search::EventFilter;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

const PAGE: i64 = 1_000;
pub(crate) const FORMAT: u32 = 1;

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Lines of JSON.
    Jsonl,
    /// Comma-separated values (RFC 4180), safe to be opened by a spreadsheet.
    Csv,
    /// Events in the shape of `ActionTrail`, a line of JSON each.
    ActionTrail,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Jsonl, Self::Csv, Self::ActionTrail];

    /// The stable word, as in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::ActionTrail => "actiontrail",
        }
    }

    /// The format of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.as_str() == word)
    }

    /// The ending of a file's name.
    #[must_use]
    pub const fn file_ending(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::ActionTrail => "actiontrail.jsonl",
        }
    }

    /// Whether it holds the chain. Only then it can be verified; otherwise it holds exactly what was asked for.
    const fn holds_chain(self) -> bool {
        match self {
            Self::Jsonl => true,
            Self::Csv | Self::ActionTrail => false,
        }
    }
}

/// An export that was begun and written into the log: [`next_part`](Self::next_part) until there is none.
#[derive(Debug)]
pub struct AuditExport {
    core: Countersign,
    account: AccountId,
    format: ExportFormat,
    filter: EventFilter,
    keys: PublicKeys,
    made_at: Timestamp,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Begin,
    Entries(Box<Walk>),
    Done,
}

/// Where an export has come to.
#[derive(Debug)]
struct Walk {
    /// The number before the first entry, and its hash.
    after: i64,
    start: [u8; 32],
    last: i64,
    reached: i64,
    reached_hash: [u8; 32],
    /// Whether every entry so far is what its hash says, and every checkpoint agrees.
    is_good: bool,
}

/// A line of an export in JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "nearly all lines are entries, and one is there at a time")]
pub(crate) enum ExportLine {
    Export(HeaderLine),
    Start(StartLine),
    Entry(EntryLine),
    Checkpoint(CheckpointLine),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderLine {
    pub(crate) format: u32,
    pub(crate) account_id: AccountId,
    pub(crate) made_at: String,
    pub(crate) selection: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartLine {
    pub(crate) seq: i64,
    pub(crate) hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryLine {
    seq: i64,
    account_id: String,
    event_id: String,
    at: String,
    actor_kind: String,
    actor_id: String,
    actor_name: String,
    action: String,
    target: String,
    outcome: String,
    reason: String,
    details: String,
    address: String,
    user_agent: String,
    hash: String,
}

impl From<StoredEntry> for EntryLine {
    fn from(entry: StoredEntry) -> Self {
        Self {
            seq: entry.seq,
            account_id: entry.account_id,
            event_id: entry.event_id,
            at: Timestamp::from_micros(entry.at).to_rfc3339_micros(),
            actor_kind: entry.actor_kind,
            actor_id: entry.actor_id,
            actor_name: entry.actor_name,
            action: entry.action,
            target: entry.target,
            outcome: entry.outcome,
            reason: entry.reason,
            details: entry.details,
            address: entry.address,
            user_agent: entry.user_agent,
            hash: HEXLOWER.encode(&entry.hash),
        }
    }
}

impl EntryLine {
    pub(crate) fn into_entry(self) -> Option<StoredEntry> {
        Some(StoredEntry {
            hash: parse_hash(&self.hash)?.to_vec(),
            at: Timestamp::parse_rfc3339(&self.at)?.micros(),
            seq: self.seq,
            account_id: self.account_id,
            event_id: self.event_id,
            actor_kind: self.actor_kind,
            actor_id: self.actor_id,
            actor_name: self.actor_name,
            action: self.action,
            target: self.target,
            outcome: self.outcome,
            reason: self.reason,
            details: self.details,
            address: self.address,
            user_agent: self.user_agent,
        })
    }
}

const COLUMNS: &str = "seq,time,account_id,event_id,actor_kind,actor_id,actor_name,action,target,outcome,reason,details,\
                       address,user_agent,hash\r\n";

impl AuditExport {
    /// An export that nobody has written into the log yet: that is its caller's to do. A filter by more than time makes a
    /// selection.
    pub(crate) fn begin(core: &Countersign, account: AccountId, filter: EventFilter, format: ExportFormat) -> Self {
        Self {
            core: core.clone(),
            keys: core.audit_public_keys(),
            made_at: core.now(),
            filter,
            stage: Stage::Begin,
            account,
            format,
        }
    }

    /// Whether entries inside its time are left out.
    #[must_use]
    pub const fn is_selection(&self) -> bool {
        !self.filter.is_by_time_alone()
    }

    /// The next piece of the text, of some hundred kilobytes at most.
    pub async fn next_part(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Begin => {
                let walk = self.bounds().await?;
                let part = self.opening(&walk)?;
                self.stage = Stage::Entries(Box::new(walk));
                Ok(Some(part))
            }
            Stage::Entries(walk) => self.page(walk).await,
            Stage::Done => Ok(None),
        }
    }

    /// Between which numbers the export lies, and the hash before them.
    async fn bounds(&self) -> Result<Walk, Error> {
        let (account, filter) = (self.account.clone(), self.filter.clone());
        let look = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            let stub = audit_chain::latest_checkpoint(tx, &account, CheckpointKind::Stub).await?;
            let begin = stub.map_or((0, GENESIS), |stub| (stub.seq, stub.hash));
            let head = audit_chain::find_head(tx, &account).await?.map_or(0, |head| head.seq);
            let all = EventFilter::default();
            let first = if filter.from > all.from {
                // Nothing since then: the export is empty, and begins behind the last entry.
                audit_chain::first_since(tx, &account, filter.from).await?.unwrap_or(head.saturating_add(1))
            } else {
                begin.0 + 1
            };
            let last = if filter.until < all.until {
                audit_chain::last_before(tx, &account, filter.until).await?.unwrap_or(begin.0)
            } else {
                head
            };
            let after = (first - 1).max(begin.0).min(head.max(begin.0));
            let start = if after == begin.0 {
                begin.1
            } else {
                let before = audit_chain::entries(tx, &account, (after - 1, after), 1).await?;
                let hash = before.first().and_then(|entry| <[u8; 32]>::try_from(entry.hash.as_slice()).ok());
                hash.unwrap_or_default()
            };
            Ok((after, start, last.max(after).min(head.max(after))))
        };
        let (after, start, last) = self.core.inner.store.read(look).await?;
        Ok(Walk { after, start, last, reached: after, reached_hash: start, is_good: true })
    }

    fn opening(&self, walk: &Walk) -> Result<Vec<u8>, Error> {
        match self.format {
            // The mark tells spreadsheets that the text is UTF-8.
            ExportFormat::Csv => return Ok(format!("\u{feff}{COLUMNS}").into_bytes()),
            ExportFormat::ActionTrail => return Ok(Vec::new()),
            ExportFormat::Jsonl => {}
        }
        let mut part = Vec::new();
        let header = HeaderLine {
            format: FORMAT,
            account_id: self.account.clone(),
            made_at: self.made_at.to_rfc3339_micros(),
            selection: self.is_selection(),
        };
        write_line(&mut part, &ExportLine::Export(header))?;
        if !self.is_selection() {
            let start = StartLine { seq: walk.after, hash: HEXLOWER.encode(&walk.start) };
            write_line(&mut part, &ExportLine::Start(start))?;
        }
        Ok(part)
    }

    async fn page(&mut self, mut walk: Box<Walk>) -> Result<Option<Vec<u8>>, Error> {
        let (entries, checkpoints) = self.read(walk.reached, walk.last).await?;
        let mut verifier = Verifier::new(self.account.as_str(), &self.keys, &[]);
        verifier.start_behind(walk.reached, walk.reached_hash);
        let mut part = Vec::new();
        let mut checkpoints = checkpoints.into_iter().peekable();
        let is_last = entries.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        // A checkpoint of the entry before the first says that the export begins rightly.
        while let Some(checkpoint) = checkpoints.next_if(|next| next.seq <= walk.reached) {
            verifier.checkpoint(&checkpoint, "a checkpoint");
        }
        for entry in entries {
            verifier.entry(&entry);
            let seq = entry.seq;
            self.write_entry(&mut part, entry)?;
            while let Some(checkpoint) = checkpoints.next_if(|next| next.seq <= seq) {
                verifier.checkpoint(&checkpoint, "a checkpoint");
                self.write_checkpoint(&mut part, &checkpoint)?;
            }
        }
        (walk.reached, walk.reached_hash) = (verifier.last(), *verifier.last_hash());
        walk.is_good &= verifier.is_good();
        if is_last {
            self.write_end(&mut part, &walk).await?;
        } else {
            self.stage = Stage::Entries(walk);
        }
        Ok(Some(part))
    }

    /// A page of entries with the checkpoints in it.
    async fn read(&self, after: i64, last: i64) -> Result<(Vec<StoredEntry>, Vec<Checkpoint>), Error> {
        let account = self.account.clone();
        let page = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            let entries = audit_chain::entries(tx, &account, (after, last), PAGE).await?;
            let end = entries.last().map_or(after, |entry| entry.seq);
            let mut checkpoints = audit_chain::checkpoints(tx, &account, after, PAGE + 1).await?;
            checkpoints.retain(|checkpoint| checkpoint.seq <= end);
            Ok((entries, checkpoints))
        };
        self.core.inner.store.read(page).await
    }

    fn write_entry(&self, part: &mut Vec<u8>, entry: StoredEntry) -> Result<(), Error> {
        // Numbers follow the order of commits, so that at the edges of a time a neighbour may lie outside it. A chain
        // needs him, a list does not.
        let exact = self.is_selection() || !self.format.holds_chain();
        if exact && !matches(&self.filter, &entry) {
            return Ok(());
        }
        match self.format {
            ExportFormat::Jsonl => write_line(part, &ExportLine::Entry(entry.into())),
            ExportFormat::Csv => {
                write_row(part, &entry);
                Ok(())
            }
            ExportFormat::ActionTrail => TrailEvent::of(&entry).map_or(Ok(()), |event| write_line(part, &event)),
        }
    }

    fn write_checkpoint(&self, part: &mut Vec<u8>, checkpoint: &Checkpoint) -> Result<(), Error> {
        if self.is_selection() || !self.format.holds_chain() {
            return Ok(());
        }
        write_line(part, &ExportLine::Checkpoint(checkpoint.into()))
    }

    /// Signs what the export holds, if it leads to something that is signed already.
    async fn write_end(&self, part: &mut Vec<u8>, walk: &Walk) -> Result<(), Error> {
        if self.is_selection() || !self.format.holds_chain() {
            return Ok(());
        }
        if !walk.is_good || walk.reached != walk.last || !self.leads_to_what_is_known(walk).await? {
            let problem = Problem::new(ProblemKind::Head, walk.last, "an export is not signed: the chain is broken");
            tracing::error!(target: "audit", account = %self.account, "{problem}");
            return Ok(());
        }
        let statement = Statement {
            account_id: &self.account,
            kind: CheckpointKind::Export,
            after: walk.after,
            seq: walk.last,
            hash: walk.reached_hash,
            at: self.made_at,
        };
        write_line(part, &ExportLine::Checkpoint((&statement.sign(&self.core.inner.keys.ring())).into()))
    }

    /// Whether the chain goes on from the last entry of the export to the next checkpoint, or to the head of the chain.
    async fn leads_to_what_is_known(&self, walk: &Walk) -> Result<bool, Error> {
        let (account, from) = (self.account.clone(), walk.last);
        let look = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            let head = audit_chain::find_head(tx, &account).await?;
            let next = audit_chain::checkpoints(tx, &account, from, 1).await?.pop();
            let stub = audit_chain::latest_checkpoint(tx, &account, CheckpointKind::Stub).await?;
            Ok((head, next.or_else(|| stub.filter(|stub| stub.seq == from))))
        };
        let (head, next) = self.core.inner.store.read(look).await?;
        let known = match (next, head) {
            (Some(next), _) if self.keys.check(&next) == super::SignatureCheck::Good => (next.seq, next.hash),
            (None, Some(head)) if self.core.is_proven(&head) => (head.seq, head.hash),
            (Some(_), _) | (None, Some(_)) => return Ok(false),
            // There is no entry yet.
            (None, None) => (0, GENESIS),
        };
        let mut verifier = Verifier::new(self.account.as_str(), &self.keys, &[]);
        verifier.start_behind(walk.reached, walk.reached_hash);
        while verifier.last() < known.0 {
            let (entries, _) = self.read(verifier.last(), known.0).await?;
            if entries.is_empty() {
                return Ok(false);
            }
            for entry in &entries {
                verifier.entry(entry);
            }
        }
        Ok(verifier.is_good() && verifier.last() == known.0 && *verifier.last_hash() == known.1)
    }
}

/// Whether an entry is one that the filter asks for.
fn matches(filter: &EventFilter, entry: &StoredEntry) -> bool {
    let user = filter.user.trim().to_ascii_lowercase();
    let holds = |text: &str| text.to_ascii_lowercase().contains(&user);
    (filter.from.micros()..filter.until.micros()).contains(&entry.at)
        && (filter.action.is_empty() || filter.action == entry.action)
        && filter.outcome.is_none_or(|outcome| outcome.as_str() == entry.outcome)
        && (user.is_empty() || holds(&entry.actor_name) || holds(&entry.target))
}

fn write_line(part: &mut Vec<u8>, line: &impl Serialize) -> Result<(), Error> {
    serde_json::to_writer(&mut *part, line)
        .map_err(|error| Error::Fault(format!("a line that is no JSON: {error}")))?;
    part.push(b'\n');
    Ok(())
}

fn write_row(part: &mut Vec<u8>, entry: &StoredEntry) {
    let (seq, time) = (entry.seq.to_string(), Timestamp::from_micros(entry.at).to_rfc3339_micros());
    let hash = HEXLOWER.encode(&entry.hash);
    let cells = [
        &seq,
        &time,
        &entry.account_id,
        &entry.event_id,
        &entry.actor_kind,
        &entry.actor_id,
        &entry.actor_name,
        &entry.action,
        &entry.target,
        &entry.outcome,
        &entry.reason,
        &entry.details,
        &entry.address,
        &entry.user_agent,
        &hash,
    ];
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            part.push(b',');
        }
        write_cell(part, cell);
    }
    part.extend(b"\r\n");
}

/// A cell in quotation marks. One that a spreadsheet would take for a formula gets an apostrophe before it.
pub(crate) fn write_cell(part: &mut Vec<u8>, cell: &str) {
    part.push(b'"');
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        part.push(b'\'');
    }
    part.extend(cell.replace('"', "\"\"").bytes());
    part.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let cell = |text: &str| {
            let mut part = Vec::new();
            write_cell(&mut part, text);
            String::from_utf8(part).unwrap()
        };
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""));
        }
        assert_eq!(cell("a=b, \"c\""), "\"a=b, \"\"c\"\"\"");
        assert_eq!(cell(""), "\"\"");
    }

    #[test]
    fn an_entry_comes_back_as_it_was() {
        let entry = StoredEntry {
            seq: 3,
            hash: vec![7; 32],
            at: 1_767_323_045_000_006,
            actor_name: "Zoë \"x\"\n\u{7f}".to_owned(),
            ..StoredEntry::default()
        };
        let text = serde_json::to_string(&ExportLine::Entry(entry.clone().into())).unwrap();
        assert!(!text.contains('\n'), "{text}");
        let ExportLine::Entry(line) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
        assert_eq!(line.into_entry(), Some(entry));
    }
}
