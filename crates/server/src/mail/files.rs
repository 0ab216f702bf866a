//! Mails as files, while no mail server is configured: any mail program opens them.

use super::NotSent;
use super::letter::Letter;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The folder of the files, for this user alone.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a mail under a name that sorts by its time; the same mail has the same name.
    pub(super) fn write(&self, letter: &Letter, message: &[u8]) -> Result<String, NotSent> {
        let path = self.0.join(file_name(letter));
        let unfinished = path.with_extension("unfinished");
        let written = || {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
            file.write_all(message)?;
            std::fs::rename(&unfinished, &path)
        };
        match written() {
            Ok(()) => Ok(format!("written to {}", path.display())),
            Err(error) => Err(NotSent::for_now(format!("{} cannot be written: {error}", path.display()))),
        }
    }
}

/// `20260102T030405Z_mfa-bound_alice@example.com_<id>.eml`.
fn file_name(letter: &Letter) -> String {
    let at: String = letter.at.to_rfc3339().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '+') { c } else { '_' };
    let recipient: String = letter.recipient.as_str().chars().map(plain).collect();
    format!("{at}_{}_{recipient}_{}.eml", letter.kind, letter.id)
}
