//! The file that the keys lie in: JSON that its owner alone can read.

use super::{Key, KeyRing, KeyRingError};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use zeroize::Zeroizing;

/// The format of the key file.
const FILE_FORMAT: u32 = 1;

/// A key file of thousands of versions is smaller.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

impl KeyRing {
    /// Reads the key file at `path`, which must be readable by its owner alone.
    pub fn load(path: &Path) -> Result<Self, KeyRingError> {
        let read_error = |error| KeyRingError::Read(path.to_owned(), error);
        let file = File::open(path).map_err(read_error)?;
        let metadata = file.metadata().map_err(read_error)?;
        refuse_exposed(&metadata, path)?;
        // Room for the whole text, so that growth leaves no copies behind.
        let room = usize::try_from(metadata.len().min(MAX_FILE_BYTES)).unwrap_or_default() + 64;
        let mut text = Zeroizing::new(Vec::with_capacity(room));
        file.take(MAX_FILE_BYTES).read_to_end(&mut text).map_err(read_error)?;
        let ring = Self::parse(&text).map_err(|reason| KeyRingError::Malformed(path.to_owned(), reason))?;
        Ok(Self { file: Some(path.to_owned()), ..ring })
    }

    /// Writes the ring in the place of the file at `path`: beside it first, and then under its name, so that there is a
    /// whole file at every moment. Whoever calls it holds the lock of the keys (`keyring.lock`).
    pub fn save_over(&self, path: &Path) -> Result<(), KeyRingError> {
        let beside = path.with_extension("json.new");
        let failed = |error| KeyRingError::Write(path.to_owned(), error);
        match fs::remove_file(&beside) {
            // What an attempt that was killed has left.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        self.save_new(&beside)?;
        fs::rename(&beside, path).and_then(|()| sync_folder_of(path)).map_err(failed)
    }

    /// Writes the ring to a new file at `path` that its owner alone can read; it is on disk when this returns.
    /// A file that exists is never overwritten: after a rotation, save beside it and rename.
    pub fn save_new(&self, path: &Path) -> Result<(), KeyRingError> {
        let mut file = create_new_private(path).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                return KeyRingError::Exists(path.to_owned());
            }
            KeyRingError::Write(path.to_owned(), error)
        })?;
        let written = self.write_to(&mut file).and_then(|()| file.sync_all()).and_then(|()| sync_folder_of(path));
        written.map_err(|error| {
            // Half a key ring would stand in the way of the next attempt. Best effort: the first error is the one to tell.
            fs::remove_file(path).ok();
            KeyRingError::Write(path.to_owned(), error)
        })
    }

    /// The reasons name no content of the file, as that is secret.
    pub(super) fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let file: KeyFile<'_> = serde_json::from_slice(text).map_err(|_| "it is not the JSON of a key ring")?;
        if file.format != FILE_FORMAT {
            return Err("its format is of another version of Countersign");
        }
        let mut keys = Vec::with_capacity(file.keys.len());
        for (version, hex) in &file.keys {
            keys.push(Key::parse(*version, hex).ok_or("a key is not 64 hexadecimal digits in lower case")?);
        }
        let mut keys = keys.into_iter();
        let oldest = keys.next().ok_or("it has no key")?;
        let ring = Self { in_use: oldest.version, oldest, newer: keys.collect(), file: None };
        Ok(Self { in_use: ring.newest_version(), ..ring })
    }

    fn write_to(&self, file: &mut File) -> io::Result<()> {
        file.write_all(&self.to_text()?)
    }

    /// What stands in the key file.
    pub(super) fn to_text(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let keys: Vec<_> =
            self.keys().map(|key| (key.version, Zeroizing::new(HEXLOWER.encode(&*key.master)))).collect();
        let content =
            KeyFile { format: FILE_FORMAT, keys: keys.iter().map(|(version, hex)| (*version, hex.as_str())).collect() };
        let mut text = Zeroizing::new(Vec::with_capacity(128 * (keys.len() + 1)));
        serde_json::to_writer_pretty(&mut *text, &content)?;
        text.push(b'\n');
        Ok(text)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile<'a> {
    format: u32,
    /// Hexadecimal, borrowed from the text so that nothing is left behind.
    #[serde(borrow)]
    keys: BTreeMap<u32, &'a str>,
}

#[cfg(unix)]
fn refuse_exposed(metadata: &Metadata, path: &Path) -> Result<(), KeyRingError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    let others = mode & 0o077;
    if others == 0 { Ok(()) } else { Err(KeyRingError::Exposed(path.to_owned(), mode)) }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Metadata, _: &Path) -> Result<(), KeyRingError> {
    Ok(())
}

/// A new file that its owner alone can read.
fn create_new_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
