//! The files of the project.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies in crates/").to_owned()
}

/// All files below `folder`, without what is built, fetched or left behind by a run. None where the folder is not there.
pub(crate) fn files_under(folder: &Path) -> Vec<PathBuf> {
    const LEFT_OUT: &[&str] = &[".git", "target", "node_modules", "data", "out"];
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let left_out = path.file_name().is_some_and(|name| LEFT_OUT.iter().any(|other| name == *other));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !left_out => files.extend(files_under(&path)),
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
    files.sort();
    files
}

pub(crate) fn has_extension(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|found| endings.iter().any(|ending| found == *ending))
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
