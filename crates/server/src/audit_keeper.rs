//! The keeper of the audit log: runs its sequencer while the server runs, and keeps the signed checkpoints outside the
//! database, in an append-only file and in the log.

use crate::failure::Failure;
use countersign_core::audit_chain::{Checkpoint, Sequencer, checkpoint_from_line, checkpoint_to_line};
use countersign_core::{Countersign, Error};
use countersign_model::Timestamp;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// The file of checkpoints in the data folder.
pub(crate) const FILE_NAME: &str = "audit-checkpoints.jsonl";

const STEP_EVERY: Duration = Duration::from_millis(300);
/// So many steps are one hour: then what was kept long enough is dropped.
const STEPS_BETWEEN_TRIMS: u64 = 12_000;
/// So many steps are ten seconds: then checkpoints that found no room in the file are tried again.
const STEPS_BETWEEN_TRIES: u64 = 33;
/// So many checkpoints wait for room; of more, those wait that cover the others.
const MOST_WAITING: usize = 10_000;
/// Longer than what is written in one piece, of which the beginning may have come into the file.
const TAIL: u64 = 1024 * 1024;

/// What [`AuditKeeper::start`] started.
pub(crate) struct RunningKeeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RunningKeeper {
    /// Numbers and signs all that was written, and ends.
    pub(crate) async fn stop(self) {
        // Fails when the task has ended already, which the next line tells.
        self.stop.send(()).unwrap_or_default();
        if let Err(error) = self.task.await {
            tracing::error!(target: "audit", %error, "the audit log is not chained to its end");
        }
    }
}

/// Chains the audit log.
pub(crate) struct AuditKeeper {
    core: Countersign,
    sequencer: Sequencer,
    file: CheckpointFile,
}

impl AuditKeeper {
    /// Opens the file, and adds what it lacks: a server that was killed may not have come to it, and a new file begins with
    /// what the database keeps.
    pub(crate) async fn open(core: &Countersign, data: &Path) -> Result<Self, Failure> {
        let mut file = CheckpointFile::open(data)?;
        let Last { signed_at, lines } = file.last()?;
        let since = signed_at.unwrap_or(Timestamp::from_micros(0));
        let mut behind = None;
        loop {
            let page = core.checkpoints_since(since, behind).await?;
            if page.is_empty() {
                break;
            }
            behind = page.last().cloned();
            // Those of the last instant may be there already, or some of them.
            file.keep(page.into_iter().filter(|one| !lines.contains(&checkpoint_to_line(one))))?;
        }
        Ok(Self { core: core.clone(), sequencer: core.sequencer(), file })
    }

    /// Runs until it is stopped.
    pub(crate) fn start(mut self) -> RunningKeeper {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut ticks = interval(STEP_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for step in 0_u64.. {
                tokio::select! {
                    _ = ticks.tick() => self.step(step).await,
                    _ = &mut stopped => break,
                }
            }
            self.finish().await;
        });
        RunningKeeper { stop, task }
    }

    /// Numbers and signs all that was written until now.
    pub(crate) async fn finish(&mut self) {
        let finished = self.sequencer.finish().await.map(|done| self.keep(&done.checkpoints));
        tell(finished, "the audit log is not chained to its end");
    }

    async fn step(&mut self, step: u64) {
        loop {
            let done = match self.sequencer.step().await {
                Ok(done) => done,
                Err(error) => return tell(Err(error), "the audit log is not chained"),
            };
            self.keep(&done.checkpoints);
            if !done.more {
                break;
            }
        }
        if step.is_multiple_of(STEPS_BETWEEN_TRIES) && !self.file.waiting.is_empty() {
            self.keep(&[]);
        }
        if step.is_multiple_of(STEPS_BETWEEN_TRIMS) {
            let trimmed = self.core.trim_audit_logs().await.map(|done| self.keep(&done.checkpoints));
            tell(trimmed, "old entries of the audit log are not dropped");
        }
    }

    /// Keeps checkpoints where somebody with the database cannot change them. What finds no room waits for it, in order.
    fn keep(&mut self, checkpoints: &[Checkpoint]) {
        for checkpoint in checkpoints {
            tracing::info!(target: "audit", checkpoint = checkpoint_to_line(checkpoint), "signed");
        }
        if let Err(error) = self.file.keep(checkpoints.iter().cloned()) {
            let (file, waiting) = (self.file.path.display(), self.file.waiting.len());
            tracing::error!(target: "audit", %error, %file, waiting, "checkpoints are not kept in the file yet");
        }
    }
}

fn tell(done: Result<(), Error>, what: &'static str) {
    if let Err(error) = done {
        tracing::error!(target: "audit", %error, "{what}");
    }
}

/// The append-only file of checkpoints.
struct CheckpointFile {
    path: PathBuf,
    file: File,
    /// What is not in the file yet, in the order in which it was signed.
    waiting: Vec<Checkpoint>,
    /// Whether a line may have broken off.
    is_torn: bool,
}

/// What the file ends with.
#[derive(Default)]
struct Last {
    /// When its last checkpoint was signed.
    signed_at: Option<Timestamp>,
    /// Its last lines.
    lines: BTreeSet<String>,
}

impl CheckpointFile {
    /// Opens the file in the data folder; makes it, for this user alone, when it is not there.
    fn open(data: &Path) -> Result<Self, Failure> {
        let path = data.join(FILE_NAME);
        let failed = |error: io::Error| {
            Failure::new(format!("the file of checkpoints {} cannot be opened: {error}", path.display()))
        };
        let opened = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path);
        let file = opened.map_err(failed)?;
        // The name is on disk, too.
        File::open(data).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(Self { path, file, waiting: Vec::new(), is_torn: false })
    }

    /// What the file ends with. A line that breaks off is ended.
    fn last(&mut self) -> Result<Last, Failure> {
        let tail = self.tail().map_err(|error| {
            Failure::new(format!("the file of checkpoints {} cannot be read: {error}", self.path.display()))
        })?;
        let mut last = Last::default();
        for line in tail.rsplit(|byte| *byte == b'\n') {
            let Some(checkpoint) = checkpoint_from_line(line) else { continue };
            last.signed_at = last.signed_at.or(Some(checkpoint.at));
            last.lines.insert(checkpoint_to_line(&checkpoint));
        }
        Ok(last)
    }

    fn tail(&mut self) -> io::Result<Vec<u8>> {
        let length = self.file.metadata()?.len();
        self.file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut tail = Vec::new();
        self.file.read_to_end(&mut tail)?;
        if tail.last().is_some_and(|byte| *byte != b'\n') {
            self.file.write_all(b"\n")?;
        }
        Ok(tail)
    }

    /// Adds checkpoints behind those that wait. When this succeeds, all of them are on disk; when it fails, they wait.
    fn keep(&mut self, checkpoints: impl IntoIterator<Item = Checkpoint>) -> io::Result<()> {
        self.waiting.extend(checkpoints);
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut lines = if self.is_torn { "\n".to_owned() } else { String::new() };
        lines.extend(self.waiting.iter().map(|checkpoint| checkpoint_to_line(checkpoint) + "\n"));
        // In one piece, so that it stays whole beside what an operator's command adds.
        if let Err(error) = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data()) {
            self.is_torn = true;
            self.thin_out();
            return Err(error);
        }
        (self.waiting, self.is_torn) = (Vec::new(), false);
        Ok(())
    }

    /// When too many wait, the last one of each account and kind goes on waiting: it covers the earlier ones.
    fn thin_out(&mut self) {
        if self.waiting.len() <= MOST_WAITING {
            return;
        }
        let mut covered = BTreeSet::new();
        self.waiting.reverse();
        self.waiting.retain(|one| covered.insert((one.account_id.clone(), one.kind.as_str())));
        self.waiting.reverse();
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(format!("the file of checkpoints cannot be written: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::audit_chain::CheckpointKind;
    use countersign_model::entropy::OsEntropy;
    use countersign_model::ids::AccountId;

    fn checkpoint(account_id: &AccountId, seq: i64) -> Checkpoint {
        let (kind, at) = (CheckpointKind::Head, Timestamp::from_seconds(1_800_000_000 + seq));
        let (account_id, hash, signature) = (account_id.clone(), [7; 32], vec![9; 64]);
        Checkpoint { account_id, kind, after: 0, seq, hash, at, key_version: 1, signature }
    }

    fn numbers(path: &Path) -> Vec<i64> {
        let text = std::fs::read(path).unwrap();
        text.split(|byte| *byte == b'\n').filter_map(checkpoint_from_line).map(|checkpoint| checkpoint.seq).collect()
    }

    #[test]
    fn checkpoints_that_find_no_room_are_added_later_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let account = AccountId::generate(&OsEntropy);
        let one = |seq| checkpoint(&account, seq);
        let mut file = CheckpointFile::open(folder.path()).unwrap();
        file.keep([one(1)]).unwrap();
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let good = std::mem::replace(&mut file.file, full);
        file.keep([one(2), one(3)]).unwrap_err();
        file.keep([one(4)]).unwrap_err();
        file.keep([]).unwrap_err();
        // The disk took the beginning of a line before it was full.
        let torn = checkpoint_to_line(&one(2));
        (&good).write_all(&torn.as_bytes()[..torn.len() / 2]).unwrap();
        file.file = good;
        file.keep([one(5)]).unwrap();
        assert!(file.waiting.is_empty());
        assert_eq!(numbers(&file.path), [1, 2, 3, 4, 5]);
        let last = file.last().unwrap();
        assert_eq!((last.signed_at, last.lines.len()), (Some(one(5).at), 5));
    }

    #[test]
    fn of_too_many_those_wait_that_cover_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let (account, other) = (AccountId::generate(&OsEntropy), AccountId::generate(&OsEntropy));
        let mut file = CheckpointFile::open(folder.path()).unwrap();
        file.file = OpenOptions::new().append(true).open("/dev/full").unwrap();
        file.keep((1..=5_000).map(|seq| checkpoint(&account, seq))).unwrap_err();
        file.keep((1..=5_001).map(|seq| checkpoint(&other, seq))).unwrap_err();
        assert_eq!(file.waiting, [checkpoint(&account, 5_000), checkpoint(&other, 5_001)]);
    }
}
