//! `countersign restore`: puts a backup in place, and marks it: whatever it holds open ends, and codes of which nobody can
//! tell whether they were used count as used.

use crate::asking::Passphrase;
use crate::backup::open_bundle;
use crate::cli::RestoreFlags;
use crate::config::Settings;
use crate::failure::Failure;
use crate::installation::{IfAbsent, Installation, key_file, location, make_folder};
use crate::operate::{block_on, opening, settings_of};
use crate::output::{say, say_json};
use countersign_core::keyring::KeyRing;
use countersign_core::operator::Restored;
use countersign_store::{Access, Location, copies};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Restores or marks.
pub(crate) fn run(flags: RestoreFlags) -> Result<(), Failure> {
    let RestoreFlags { from, mark: _, keys, passphrase_stdin, common } = flags;
    let json = common.json;
    let settings = settings_of(common)?;
    let bundle = keys.map(|path| {
        let passphrase = if passphrase_stdin { Passphrase::Stdin } else { Passphrase::Known }.read()?;
        open_bundle(&path, &passphrase)
    });
    let bundle = bundle.transpose()?;
    let restored = match &from {
        Some(from) => put_in_place(&settings, from, bundle)?,
        None => mark_in_place(&settings, bundle)?,
    };
    tell(&restored, from.as_deref(), json)
}

/// Copies the backup beside the place of the database, marks the copy, and only then gives it its name: a server can never
/// be started on one that is not marked.
fn put_in_place(settings: &Settings, from: &Path, bundle: Option<KeyRing>) -> Result<Restored, Failure> {
    let Location::Sqlite(database) = location(settings)? else {
        return Err(Failure::new(
            "the data is in PostgreSQL: put the backup back with pg_restore, and then run `countersign restore --mark`",
        ));
    };
    require_free(&database)?;
    copies::judge(from)?;
    make_folder(&settings.data)?;
    let keys = KeyFile::put(settings, bundle)?;
    let draft = beside(&database, ".restoring");
    remove(&draft)?;
    copies::place(from, &draft)?;
    let marked = block_on(mark(Location::Sqlite(draft.clone()), settings, Access::Serve));
    let placed = marked.and_then(|restored| {
        require_free(&database)?;
        copies::rename_to_free(&draft, &database)?;
        Ok(restored)
    });
    if placed.is_err() {
        remove(&draft)?;
        keys.take_back();
    }
    placed
}

/// Marks the database where it is. A SQLite file must not be served meanwhile; PostgreSQL does it in one transaction.
fn mark_in_place(settings: &Settings, bundle: Option<KeyRing>) -> Result<Restored, Failure> {
    let place = location(settings)?;
    let access = match &place {
        Location::Sqlite(_) => Access::Serve,
        Location::Postgres(_) => Access::Operate,
    };
    if let Location::Sqlite(database) = &place
        && !database.exists()
    {
        return Err(Failure::new(format!(
            "there is no database at {}: name the right folder with --data",
            database.display()
        )));
    }
    make_folder(&settings.data)?;
    let keys = KeyFile::put(settings, bundle)?;
    let marked = block_on(mark(place, settings, access));
    if marked.is_err() {
        keys.take_back();
    }
    marked
}

async fn mark(place: Location, settings: &Settings, access: Access) -> Result<Restored, Failure> {
    let installation = Installation::open_at(place, settings, opening(access, IfAbsent::Refuse)).await?;
    let restored = installation.core.mark_restored().await;
    installation.close().await;
    Ok(restored?)
}

/// The key file, and whether it was put there by this command.
struct KeyFile {
    made: Option<PathBuf>,
}

impl KeyFile {
    /// Puts the keys of the bundle in place. One that is there stays, and must be the same.
    fn put(settings: &Settings, bundle: Option<KeyRing>) -> Result<Self, Failure> {
        let path = key_file(settings);
        match (bundle, path.exists()) {
            (None, true) => Ok(Self { made: None }),
            (None, false) => Err(Failure::new(format!(
                "there is no key ring at {}: put it there from its backup, or name a bundle with --keys",
                path.display()
            ))),
            (Some(bundle), true) => {
                if KeyRing::load(&path)?.matches(&bundle.check_value()) {
                    return Ok(Self { made: None });
                }
                Err(Failure::new(format!(
                    "the key ring at {} lacks keys of the bundle, and is never overwritten: move it away, or leave --keys out",
                    path.display()
                )))
            }
            (Some(bundle), false) => {
                bundle.save_new(&path)?;
                Ok(Self { made: Some(path) })
            }
        }
    }

    fn take_back(self) {
        if let Some(path) = self.made {
            fs::remove_file(path).unwrap_or_default();
        }
    }
}

/// Neither the database nor what belongs to one may lie there: a log of another database would be read into this one.
fn require_free(database: &Path) -> Result<(), Failure> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let path = beside(database, ending);
        if path.symlink_metadata().is_ok() {
            return Err(Failure::new(format!(
                "{} is there, and nothing is overwritten: stop the server, move the file away, and try again",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Removes what an earlier run has left.
fn remove(draft: &Path) -> Result<(), Failure> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let path = beside(draft, ending);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::new(format!("{} cannot be removed: {error}", path.display())));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn tell(restored: &Restored, from: Option<&Path>, json: bool) -> Result<(), Failure> {
    let ended = restored.ended;
    if json {
        return say_json(&json!({
            "from": from,
            "ended": {
                "sessions": ended.sessions, "logons": ended.logons, "remembered_machines": ended.machines,
                "known_browsers": ended.browsers, "bindings": ended.bindings, "proofs": ended.proofs,
                "waiting_mails": ended.mails,
            },
            "devices": restored.devices,
            "codes_from": restored.codes_from.to_rfc3339(),
            "recovery_codes_of": restored.stale,
            "access_keys_of": restored.keys_disabled,
            "passkeys_of": restored.passkeys_held,
        }));
    }
    let first = if from.is_some() { "The backup is in place, and marked." } else { "The database is marked." };
    say(&format!(
        "{first}\n\n  Ended: {} sessions, {} logons, {} remembered machines, {} known browsers, {} bindings, {} proofs,\n  {} waiting mails.\n  \
         Codes of {} devices are taken from {} on.\n  Recovery codes of {} people have to be made anew.\n  \
         AccessKeys of {} people are disabled until somebody enables them.\n  \
         Passkeys of {} people log on by themselves once they have passed behind the password.\n\n\
         Passwords, devices and policies are those of the backup: whoever was removed or locked since is back, and \
         passwords that were changed since are the old ones. Start the server when you have looked at that.",
        ended.sessions,
        ended.logons,
        ended.machines,
        ended.browsers,
        ended.bindings,
        ended.proofs,
        ended.mails,
        restored.devices,
        restored.codes_from.to_rfc3339(),
        restored.stale,
        restored.keys_disabled,
        restored.passkeys_held
    ))
}
