//! `countersign audit …`: verifies and exports the audit log, whether the server runs or not.

use crate::audit_keeper::AuditKeeper;
use crate::cli::{AuditCommand, Common, LogShape};
use crate::failure::Failure;
use crate::installation::{IfAbsent, Installation};
use crate::operate::on_core;
use crate::output::{complain, say, say_json};
use countersign_core::audit_chain::{
    AuditCheck, AuditExport, ExportFormat, OutsideCheckpoints, Problem, PublicKeys, verify_export,
};
use countersign_core::audit_log::EventFilter;
use countersign_model::Timestamp;
use countersign_model::ids::AccountId;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// More than any file of public keys has.
const MAX_KEY_BYTES: u64 = 1024 * 1024;

/// Does one of the commands.
pub(crate) fn run(command: AuditCommand) -> Result<ExitCode, Failure> {
    match command {
        AuditCommand::Verify { account, checkpoint, export, public_key, common } => {
            let json = common.json;
            let found = match (export, public_key) {
                (Some(export), Some(key)) => verify_file(&export, &key),
                (None, _) | (_, None) => verify_database(account, &checkpoint, common),
            };
            Ok(found.and_then(|found| found.tell(json)).unwrap_or_else(|failure| {
                complain(&failure);
                ExitCode::from(Verdict::Unchecked.status())
            }))
        }
        AuditCommand::Export { account, since, until, format, output, place } => {
            let filter = EventFilter::default();
            let filter =
                EventFilter { from: since.unwrap_or(filter.from), until: until.unwrap_or(filter.until), ..filter };
            let common = Common { place, json: false };
            export(&account, filter, format, output, common).map(|()| ExitCode::SUCCESS)
        }
        AuditCommand::PublicKey { common } => public_key(common).map(|()| ExitCode::SUCCESS),
    }
}

/// What a verification says in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Good,
    Unchecked,
    Tampered,
}

impl Verdict {
    fn of(check: &AuditCheck) -> Self {
        if check.is_tampered() {
            Self::Tampered
        } else if check.is_proved() {
            Self::Good
        } else {
            Self::Unchecked
        }
    }

    fn of_file(problems: &[Problem]) -> Self {
        if problems.iter().any(Problem::is_tampering) {
            Self::Tampered
        } else if problems.is_empty() {
            Self::Good
        } else {
            Self::Unchecked
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unchecked => "unchecked",
            Self::Tampered => "tampered",
        }
    }

    const fn status(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Tampered => 1,
            Self::Unchecked => 2,
        }
    }
}

/// What was verified.
struct Found {
    logs: Vec<AuditCheck>,
    /// What is wrong with the checkpoint files themselves.
    file_problems: Vec<Problem>,
}

impl Found {
    fn tell(self, json: bool) -> Result<ExitCode, Failure> {
        let of_logs = self.logs.iter().map(Verdict::of).max().unwrap_or(Verdict::Good);
        let verdict = of_logs.max(Verdict::of_file(&self.file_problems));
        if json {
            let logs: Vec<_> = self.logs.iter().map(log_json).collect();
            say_json(&json!({ "verdict": verdict.as_str(), "logs": logs, "file_problems": self.file_problems }))?;
        } else {
            let mut lines: Vec<String> = self.logs.iter().map(log_text).collect();
            lines.extend(self.file_problems.iter().map(ToString::to_string));
            if lines.is_empty() {
                lines.push("There is no account yet, and so no log.".to_owned());
            }
            say(&lines.join("\n"))?;
        }
        Ok(ExitCode::from(verdict.status()))
    }
}

fn log_json(check: &AuditCheck) -> serde_json::Value {
    json!({
        "account_id": check.account_id,
        "verdict": Verdict::of(check).as_str(),
        "first": check.after.saturating_add(1),
        "last": check.last,
        "entries": check.entries,
        "signed": check.signed,
        "signed_at": check.signed_at.map(Timestamp::to_rfc3339),
        "waiting": check.waiting,
        "problems": check.problems,
        "more_problems": check.unnamed,
    })
}

fn log_text(check: &AuditCheck) -> String {
    let verdict = match Verdict::of(check) {
        Verdict::Good => "good",
        Verdict::Unchecked => "CANNOT BE CHECKED",
        Verdict::Tampered => "TAMPERED WITH",
    };
    let mut facts = vec![match check.entries {
        0 => "No entry".to_owned(),
        entries => format!("{entries} entries, {} to {}", check.after.saturating_add(1), check.last),
    }];
    if let Some(at) = check.signed_at {
        facts.push(format!("signed up to {} at {}", check.signed, at.to_rfc3339()));
    }
    if check.waiting > 0 {
        facts.push(format!("{} wait for the server to number them", check.waiting));
    }
    let mut lines = vec![format!("{}: {verdict}. {}", check.account_id, facts.join("; "))];
    lines.extend(check.problems.iter().map(|problem| format!("    {problem}")));
    if check.unnamed > 0 {
        lines.push(format!("    and {} more places", check.unnamed));
    }
    lines.join("\n")
}

fn verify_database(account: Option<String>, files: &[PathBuf], common: Common) -> Result<Found, Failure> {
    let files: Vec<_> =
        files.iter().map(|path| open(path).map(|file| (path.clone(), file))).collect::<Result<_, _>>()?;
    on_core(common, IfAbsent::Refuse, async move |place: &Installation| {
        let core = &place.core;
        let keys = core.audit_public_keys();
        let mut outside = OutsideCheckpoints::default();
        for (path, file) in files {
            outside.read(BufReader::new(file), &keys).map_err(|error| unreadable(&path, &error))?;
        }
        let mut accounts = BTreeSet::new();
        if let Some(name) = account {
            accounts.insert(core.audited_account(&name).await?);
        } else {
            accounts.extend(outside.accounts().cloned());
            accounts.extend(all_accounts(place).await?);
        }
        let mut logs = Vec::with_capacity(accounts.len());
        for account in &accounts {
            logs.push(core.verify_audit_log(account, &outside).await?);
        }
        Ok(Found { logs, file_problems: outside.problems().to_vec() })
    })
}

async fn all_accounts(place: &Installation) -> Result<Vec<AccountId>, Failure> {
    let mut all: Vec<AccountId> = Vec::new();
    loop {
        let page = place.core.audited_accounts(all.last()).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn verify_file(export: &Path, key: &Path) -> Result<Found, Failure> {
    let text = std::io::read_to_string(std::io::Read::take(open(key)?, MAX_KEY_BYTES));
    let text = text.map_err(|error| unreadable(key, &error))?;
    let keys = PublicKeys::parse(&text).map_err(|error| Failure::new(format!("{}: {error}", key.display())))?;
    let check = verify_export(BufReader::with_capacity(256 * 1024, open(export)?), &keys);
    let check = check.map_err(|error| Failure::new(format!("{}: {error}", export.display())))?;
    Ok(Found { logs: vec![check], file_problems: Vec::new() })
}

fn export(
    account: &str,
    filter: EventFilter,
    format: LogShape,
    output: Option<PathBuf>,
    common: Common,
) -> Result<(), Failure> {
    let (account, format) = (
        account.to_owned(),
        match format {
            LogShape::Jsonl => ExportFormat::Jsonl,
            LogShape::Csv => ExportFormat::Csv,
            LogShape::ActionTrail => ExportFormat::ActionTrail,
        },
    );
    on_core(common, IfAbsent::Refuse, async move |place: &Installation| {
        let account = place.core.audited_account(&account).await?;
        let file = output.map(|path| make_new(&path).map(|file| (path, file))).transpose()?;
        let export = place.core.export_audit_log_of(&account, filter, format).await?;
        // Also what nobody has numbered yet, as no server runs.
        AuditKeeper::open(&place.core, &place.data).await?.finish().await;
        match file {
            Some((path, mut file)) => {
                write_all(export, &mut file, &path).await?;
                file.sync_all().map_err(|error| unwritable(&path, &error))
            }
            None => write_all(export, &mut std::io::stdout().lock(), Path::new("standard output")).await,
        }
    })
}

async fn write_all(mut export: AuditExport, to: &mut impl Write, path: &Path) -> Result<(), Failure> {
    while let Some(part) = export.next_part().await? {
        match to.write_all(&part) {
            Ok(()) => {}
            // Who stopped reading has what he wanted.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(unwritable(path, &error)),
        }
    }
    to.flush().map_err(|error| unwritable(path, &error))
}

fn public_key(common: Common) -> Result<(), Failure> {
    let json = common.json;
    let keys = on_core(common, IfAbsent::Refuse, async |place: &Installation| Ok(place.core.audit_public_keys()))?;
    if json {
        let listed = keys.by_version().map(|(version, key)| json!({ "version": version, "ed25519": key })).collect();
        return say_json(&listed);
    }
    say(&keys.to_string())
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| unreadable(path, &error))
}

/// A new file for this user alone: the log says who did what from where.
fn make_new(path: &Path) -> Result<File, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| Failure::new(format!("{} cannot be made: {error}", path.display())))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be read: {error}", path.display()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}", path.display()))
}
