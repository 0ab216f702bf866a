//! The keeper of the audit log: runs its sequencer while the server runs, and keeps the signed checkpoints outside the
//! database, in an append-only file and in the log.

use crate::failure::Failure;
use countersign_core::audit_chain::{Checkpoint, Sequencer, checkpoint_from_line, checkpoint_to_line};
use countersign_core::{Countersign, Error};
use countersign_model::Timestamp;
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
/// So many steps are one minute: no more often is the same trouble told.
const STEPS_BETWEEN_ALARMS: u64 = 200;
/// Longer than the last line of the file.
const TAIL: u64 = 64 * 1024;

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
        let since = file.last_signed_at()?.map_or(Timestamp::from_micros(0), |at| at.plus(Duration::from_micros(1)));
        let mut behind = None;
        loop {
            let page = core.checkpoints_since(since, behind).await?;
            if page.is_empty() {
                break;
            }
            file.append(&page)?;
            behind = page.into_iter().next_back();
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
        if step.is_multiple_of(STEPS_BETWEEN_TRIMS) {
            let trimmed = self.core.trim_audit_logs().await.map(|done| self.keep(&done.checkpoints));
            tell(trimmed, "old entries of the audit log are not dropped");
        }
    }

    /// Keeps checkpoints where somebody with the database cannot change them.
    fn keep(&mut self, checkpoints: &[Checkpoint]) {
        for checkpoint in checkpoints {
            tracing::info!(target: "audit", checkpoint = checkpoint_to_line(checkpoint), "signed");
        }
        if let Err(error) = self.file.append(checkpoints) {
            tracing::error!(target: "audit", %error, file = %self.file.path.display(), "checkpoints are not kept in the file");
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
        Ok(Self { path, file })
    }

    /// When the last checkpoint in the file was signed. A line that breaks off is ended.
    fn last_signed_at(&mut self) -> Result<Option<Timestamp>, Failure> {
        let tail = self.tail().map_err(|error| {
            Failure::new(format!("the file of checkpoints {} cannot be read: {error}", self.path.display()))
        })?;
        Ok(tail.rsplit(|byte| *byte == b'\n').find_map(checkpoint_from_line).map(|checkpoint| checkpoint.at))
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

    /// Adds lines, which are on disk when this returns.
    fn append(&mut self, checkpoints: &[Checkpoint]) -> io::Result<()> {
        if checkpoints.is_empty() {
            return Ok(());
        }
        let lines: String = checkpoints.iter().map(|checkpoint| checkpoint_to_line(checkpoint) + "\n").collect();
        // In one piece, so that it stays whole beside what an operator's command adds.
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(format!("the file of checkpoints cannot be written: {error}"))
    }
}
