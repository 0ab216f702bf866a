//! The data folder: who may read it, how much room there is, the file of the audit log's checkpoints.

use super::Line;
use crate::backup::size;
use crate::config::Settings;
use crate::installation::{key_file, location};
use countersign_store::Location;
use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

const FOLDER: &str = "data folder";
const DISK: &str = "disk space";
const CHECKPOINTS: &str = "checkpoints";
/// Under this a day of a busy server may fill the disk, or an hour.
const LITTLE: u64 = 1 << 30;
const TOO_LITTLE: u64 = 100 << 20;

pub(super) fn check(settings: &Settings) -> Vec<Line> {
    let folder = settings.data.as_path();
    if !folder.is_dir() {
        let found = format!("there is no folder {}", folder.display());
        return vec![Line::fail(FOLDER, found, "name the right one with --data; the first start makes it")];
    }
    let mut lines = modes(settings);
    lines.push(room(folder));
    lines.push(checkpoints(&folder.join("audit-checkpoints.jsonl")));
    lines
}

/// Who besides the user of the server may do anything with what lies there.
fn modes(settings: &Settings) -> Vec<Line> {
    let mut paths: Vec<(PathBuf, u32)> = vec![(settings.data.clone(), 0o700), (key_file(settings), 0o600)];
    if let Ok(Location::Sqlite(database)) = location(settings) {
        paths.push((database, 0o600));
    }
    let open = paths.iter().filter_map(|(path, right)| {
        let mode = path.metadata().ok()?.permissions().mode() & 0o7777;
        let advice = format!("run `chmod {right:o} {}`, and think about who has read it", path.display());
        (mode & 0o077 != 0)
            .then(|| Line::fail(FOLDER, format!("{} is open to others (mode {mode:04o})", path.display()), advice))
    });
    let open: Vec<Line> = open.collect();
    if !open.is_empty() {
        return open;
    }
    vec![Line::ok(FOLDER, format!("{} is for its owner alone", settings.data.display()))]
}

fn room(folder: &Path) -> Line {
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return Line::warn(DISK, format!("it cannot be told: {error}"), "look with `df`"),
    };
    let found = format!("{} free", size(free));
    let advice = "make room: when the disk is full, logons are refused until there is some";
    match free {
        ..TOO_LITTLE => Line::fail(DISK, found, advice),
        TOO_LITTLE..LITTLE => Line::warn(DISK, found, advice),
        LITTLE.. => Line::ok(DISK, found),
    }
}

/// The append-only file in which the audit log's checkpoints lie outside the database.
fn checkpoints(path: &Path) -> Line {
    if !path.exists() {
        return Line::ok(CHECKPOINTS, "none written yet");
    }
    match OpenOptions::new().append(true).open(path) {
        Ok(_) => Line::ok(CHECKPOINTS, format!("{} can be added to", path.display())),
        Err(error) => Line::fail(
            CHECKPOINTS,
            format!("{} cannot be written: {error}", path.display()),
            "give it back to the user of the server; without it nobody sees that the audit log was cut",
        ),
    }
}
