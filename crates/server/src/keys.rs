//! `countersign keys …`: see the versions of the keys, rotate them, and put them under a passphrase.

use crate::backup::export_keys;
use crate::cli::{Common, KeysCommand};
use crate::config::Settings;
use crate::failure::Failure;
use crate::installation::{IfAbsent, Installation, key_file, location, require_presence};
use crate::operate::{block_on, on_core, opening, settings_of};
use crate::output::{progress, say, say_json, table};
use countersign_core::keyring::KeyRing;
use countersign_core::operator::{KeyState, KeyVersion, Resealed};
use countersign_model::Entropy as _;
use countersign_model::entropy::OsEntropy;
use countersign_store::Access;
use serde_json::json;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;

/// Does one of the commands.
pub(crate) fn run(command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::List { common } => list(common),
        KeysCommand::Rotate { prepare: true, common, .. } => prepare(common),
        KeysCommand::Rotate { resume, common, .. } => rotate(resume, common),
        KeysCommand::Export { output, passphrase_stdin, common } => {
            let json = common.json;
            export_keys(&settings_of(common)?, &output, passphrase_stdin)?;
            if json {
                return say_json(&json!({ "output": output }));
            }
            say(&format!("{} holds the keys under the passphrase.", output.display()))
        }
    }
}

fn list(common: Common) -> Result<(), Failure> {
    let json = common.json;
    let versions = on_core(common, IfAbsent::Refuse, async |open: &Installation| Ok(open.core.list_keys().await?))?;
    if json {
        return say_json(&versions.iter().map(version_json).collect());
    }
    let rows = versions.iter().map(|one| [one.version.to_string(), state(one).to_owned(), one.sealed.to_string()]);
    let head = ["VERSION", "STATE", "SEALED VALUES"].map(str::to_owned);
    say(&table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()))
}

/// Puts the next version into the key file, and no more.
fn prepare(common: Common) -> Result<(), Failure> {
    let json = common.json;
    let settings = settings_of(common)?;
    require_presence(&location(&settings)?, &key_file(&settings))?;
    let _alone = lock(&settings)?;
    let versions = block_on(open_and(&settings, async |open| Ok(open.core.list_keys().await?)))?;
    if let Some(prepared) = versions.iter().find(|one| one.state == KeyState::Prepared) {
        return Err(Failure::new(format!(
            "version {} is prepared already: copy {} to every other node, and then run `countersign keys rotate`",
            prepared.version,
            key_file(&settings).display()
        )));
    }
    let version = add_version(&settings)?;
    if json {
        return say_json(&json!({ "prepared": version }));
    }
    say(&format!(
        "Version {version} is prepared. Copy {} to every other node, and then run `countersign keys rotate` on one of them. \
         Until then nothing changes.",
        key_file(&settings).display()
    ))
}

/// Finishes what an earlier rotation has left; if there is nothing, takes the next version into use.
fn rotate(only_resume: bool, common: Common) -> Result<(), Failure> {
    let json = common.json;
    let settings = settings_of(common)?;
    require_presence(&location(&settings)?, &key_file(&settings))?;
    let _alone = lock(&settings)?;
    let tell = |sum: Resealed| {
        if !json {
            progress(&format!("{} values sealed anew", sum.values));
        }
    };
    let left = block_on(open_and(&settings, async |open| {
        let versions = open.core.list_keys().await?;
        Ok((versions, open.core.reseal(tell).await?))
    }));
    let (versions, left) = left?;
    if left.values > 0 || only_resume {
        let version = versions.iter().find(|one| one.state == KeyState::InUse).map(|one| one.version);
        return done(version, left, Way::Resumed, json);
    }
    if versions.iter().all(|one| one.state != KeyState::Prepared) {
        add_version(&settings)?;
    }
    let rotated = block_on(open_and(&settings, async |open| {
        let version = open.core.use_prepared_key().await?;
        Ok((version, open.core.reseal(tell).await?))
    }));
    let (version, resealed) = rotated?;
    done(version, resealed, Way::Rotated, json)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Rotated,
    Resumed,
}

fn done(version: Option<u32>, resealed: Resealed, way: Way, json: bool) -> Result<(), Failure> {
    let Resealed { values, unreadable } = resealed;
    if json {
        say_json(&json!({
            "version": version, "rotated": way == Way::Rotated, "sealed_anew": values, "unreadable": unreadable,
        }))?;
    } else {
        let version = version.map_or_else(String::new, |version| format!(" {version}"));
        let first = match way {
            Way::Rotated => format!("Version{version} of the keys is in use."),
            Way::Resumed if values > 0 => {
                format!("The rotation to version{version} is finished; no new one was begun.")
            }
            Way::Resumed => "There was nothing left to seal anew.".to_owned(),
        };
        say(&format!(
            "{first} {values} values were sealed anew. A server that runs takes the key within ten seconds. Make a new copy of \
             the keys (`countersign keys export`), and keep the old versions: backups need them."
        ))?;
    }
    if unreadable == 0 {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{unreadable} values do not open, by whichever key: they were moved or damaged before. The log names their devices; \
         unbind those"
    )))
}

/// Makes the next version, and puts it into the key file.
fn add_version(settings: &Settings) -> Result<u32, Failure> {
    let path = key_file(settings);
    let next = KeyRing::load(&path)?.with_next_version(|bytes| OsEntropy.fill(bytes))?;
    next.save_over(&path)?;
    Ok(next.newest_version())
}

async fn open_and<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Installation) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let installation = Installation::open(settings, opening(Access::Operate, IfAbsent::Refuse)).await?;
    let done = work(&installation).await;
    installation.close().await;
    done
}

/// Of two rotations at once, one would lose the key of the other.
fn lock(settings: &Settings) -> Result<File, Failure> {
    let path = settings.data.join("keyring.lock");
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = opened.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::new("another command is rotating the keys in this folder: wait for it to end"))
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn version_json(one: &KeyVersion) -> serde_json::Value {
    json!({ "version": one.version, "state": state(one), "sealed_values": one.sealed })
}

pub(crate) const fn state(one: &KeyVersion) -> &'static str {
    match one.state {
        KeyState::InUse => "in use",
        KeyState::Old => "old",
        KeyState::Prepared => "prepared",
        KeyState::Missing => "missing",
    }
}
