//! `countersign backup`: one file that holds the database as it was at one moment, and on demand another with the keys.

use crate::asking::Passphrase;
use crate::cli::BackupFlags;
use crate::config::Settings;
use crate::failure::Failure;
use crate::installation::{key_file, location, require_presence};
use crate::operate::settings_of;
use crate::output::{say, say_json};
use crate::stopwatch::Stopwatch;
use countersign_core::keyring::KeyRing;
use countersign_core::keyring::bundle;
use countersign_model::entropy::OsEntropy;
use countersign_store::{Location, copies};
use secrecy::SecretString;
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const PG_DUMP: &str = "the data is in PostgreSQL, which makes its own backups: pg_dump --format=custom --file=countersign.dump \
                       \"$COUNTERSIGN_DATABASE\". The keys go with `countersign keys export`. After pg_restore, and before a \
                       server starts, run `countersign restore --mark`";

/// Makes a backup.
pub(crate) fn run(flags: BackupFlags) -> Result<(), Failure> {
    let BackupFlags { output, with_keys, passphrase_stdin, common } = flags;
    let json = common.json;
    let settings = settings_of(common)?;
    let place = location(&settings)?;
    require_presence(&place, &key_file(&settings))?;
    let Location::Sqlite(database) = place else { return Err(Failure::new(PG_DUMP)) };
    // The passphrase first: whoever mistypes it should not have waited for the copy.
    let keys = if with_keys { Some(sealed_keys(&settings, &keys_beside(&output), passphrase_stdin)?) } else { None };
    let watch = Stopwatch::start();
    let bytes = copies::take(&database, &output)?;
    let took = watch.elapsed();
    let keys = keys.map(SealedKeys::write).transpose()?;
    if json {
        return say_json(&json!({
            "output": output, "bytes": bytes, "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "keys": keys,
        }));
    }
    say(&format!(
        "{} holds the database, whole and checked: {} in {:.1} s.",
        output.display(),
        size(bytes),
        took.as_secs_f64()
    ))?;
    match keys {
        Some(path) => say(&format!(
            "{} holds the keys under the passphrase. Keep the three apart: the copy, the bundle, the passphrase.",
            path.display()
        )),
        None => say(
            "It holds no keys. Without them its secrets are worth nothing, to you as to a thief: keep a copy of the \
                     keys elsewhere (`countersign keys export`).",
        ),
    }
}

/// `countersign keys export`: the keys alone.
pub(crate) fn export_keys(settings: &Settings, output: &Path, passphrase_stdin: bool) -> Result<(), Failure> {
    sealed_keys(settings, output, passphrase_stdin)?.write().map(drop)
}

/// A bundle that is not written yet.
struct SealedKeys {
    path: PathBuf,
    text: String,
}

fn sealed_keys(settings: &Settings, path: &Path, passphrase_stdin: bool) -> Result<SealedKeys, Failure> {
    if path.symlink_metadata().is_ok() {
        return Err(copies::CopyError::Exists(path.to_owned()).into());
    }
    let ring = KeyRing::load(&key_file(settings))?;
    let passphrase = if passphrase_stdin { Passphrase::Stdin } else { Passphrase::New }.read()?;
    Ok(SealedKeys { path: path.to_owned(), text: bundle::seal(&ring, &passphrase, &OsEntropy)? })
}

impl SealedKeys {
    fn write(self) -> Result<PathBuf, Failure> {
        let failed = |error: io::Error| Failure::new(format!("{}: {error}", self.path.display()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path).map_err(failed)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = file
            .write_all(self.text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(folder)?.sync_all());
        if let Err(error) = written {
            // Half a bundle would be taken for a whole one.
            fs::remove_file(&self.path).unwrap_or_default();
            return Err(failed(error));
        }
        Ok(self.path)
    }
}

/// Opens a bundle that lies in a file.
pub(crate) fn open_bundle(path: &Path, passphrase: &SecretString) -> Result<KeyRing, Failure> {
    let failed = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
    let length = path.metadata().map_err(failed)?.len();
    if length > bundle::MAX_BYTES {
        return Err(bundle::BundleError::Malformed.into());
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    Ok(bundle::open(&text, passphrase)?)
}

fn keys_beside(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".keys");
    PathBuf::from(name)
}

/// A number of bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, of) in UNITS {
        if bytes >= of {
            return format!("{}.{} {unit}", bytes / of, bytes % of * 10 / of);
        }
    }
    format!("{bytes} bytes")
}
