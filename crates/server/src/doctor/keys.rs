//! The key ring: there, for its owner alone, the one that the data was sealed with, no version forgotten.

use super::Line;
use crate::config::Settings;
use crate::installation::key_file;
use countersign_core::keyring::{KeyRing, KeyRingError};
use countersign_core::operator::{KeyState, KeyVersion, Look};

const CHECK: &str = "key ring";

pub(super) fn check(settings: &Settings, look: Option<&Look>) -> Vec<Line> {
    let path = key_file(settings);
    match KeyRing::load(&path) {
        Ok(_) => {}
        Err(KeyRingError::Read(..)) if !path.exists() => {
            let sealed = look.is_none_or(|look| look.sealed);
            let found = format!("there is none at {}", path.display());
            let advice = "put it back from its backup (`countersign restore --keys`), or copy it from another node";
            return vec![if sealed {
                Line::fail(CHECK, found, advice)
            } else {
                Line::ok(CHECK, "made at the first start")
            }];
        }
        Err(error) => return vec![Line::fail(CHECK, error.to_string(), "without it no device works")],
    }
    match look.and_then(|look| look.keys_match) {
        Some(true) => {}
        Some(false) => {
            let found = format!("{} is not the one that this database was sealed with", path.display());
            return vec![Line::fail(
                CHECK,
                found,
                "bring back the right one; after a rotation, that of the node where it was done",
            )];
        }
        None => return vec![Line::warn(CHECK, "it can be read; whether it fits, the database has to tell", "")],
    }
    versions(look.map(|look| look.keys.as_slice()).unwrap_or_default())
}

fn versions(versions: &[KeyVersion]) -> Vec<Line> {
    let in_use = versions.iter().find(|one| one.state == KeyState::InUse);
    let version = in_use.map_or_else(|| "none".to_owned(), |one| one.version.to_string());
    let mut lines = vec![Line::ok(CHECK, format!("it fits; version {version} of the keys is in use"))];
    for one in versions {
        match one.state {
            KeyState::InUse => {}
            KeyState::Old if one.sealed == 0 => {
                let found = format!("version {} seals nothing here any more; older backups need it", one.version);
                lines.push(Line::ok(CHECK, found));
            }
            KeyState::Old => lines.push(Line::warn(
                CHECK,
                format!("version {} still seals {} values", one.version, one.sealed),
                "a rotation was not finished: run `countersign keys rotate --resume`",
            )),
            KeyState::Prepared => lines.push(Line::warn(
                CHECK,
                format!("version {} is prepared and not in use", one.version),
                "when every node has it, run `countersign keys rotate`",
            )),
            KeyState::Missing => lines.push(Line::fail(
                CHECK,
                format!("version {} seals {} values and is not in the key ring", one.version, one.sealed),
                "bring back the key ring that holds it: those devices do not work",
            )),
        }
    }
    lines
}
