//! The database: reached, of this program's schema, whole, writable, durable.

use super::Line;
use crate::config::Settings;
use crate::installation::{key_file, location};
use countersign_core::keyring::KeyRing;
use countersign_core::operator::{Look, look};
use countersign_model::clock::SystemClock;
use countersign_model::{Clock as _, Timestamp};
use countersign_store::{Examined, Location, Options, Store, examine};

const CHECK: &str = "database";

/// What was found, and what other checks look at.
pub(super) struct Database {
    pub(super) lines: Vec<Line>,
    pub(super) look: Option<Look>,
    /// What the database's own clock said.
    pub(super) clock: Option<Timestamp>,
}

impl Database {
    fn broken(line: Line) -> Self {
        Self { lines: vec![line], look: None, clock: None }
    }
}

pub(super) async fn check(settings: &Settings) -> Database {
    let place = match location(settings) {
        Ok(place) => place,
        Err(failure) => {
            return Database::broken(Line::fail(CHECK, failure.to_string(), "mend `database` in the settings"));
        }
    };
    if let Location::Sqlite(path) = &place
        && !path.exists()
    {
        let advice =
            "name the right folder with --data; the first start makes it, `countersign restore` puts a backup there";
        return Database::broken(Line::fail(CHECK, format!("there is none at {}", path.display()), advice));
    }
    let examined = match examine(&place).await {
        Ok(examined) => examined,
        Err(error) => {
            let advice = "see that it runs, that the URL is right, and that this user may read it";
            return Database::broken(Line::fail(CHECK, error.to_string(), advice));
        }
    };
    let mut lines = lines(&examined);
    let look = if up_to_date(&examined) { inside(settings, place, &mut lines).await } else { None };
    Database { lines, look, clock: examined.clock }
}

fn up_to_date(examined: &Examined) -> bool {
    matches!(examined.schema, Ok((found, known)) if found == known)
}

fn lines(examined: &Examined) -> Vec<Line> {
    let mut lines = vec![match &examined.schema {
        Ok((found, known)) if found == known => {
            Line::ok(CHECK, format!("reached; its schema is {found}, as this program's"))
        }
        Ok((found, known)) => Line::warn(
            CHECK,
            format!("its schema is {found}, and this program's is {known}"),
            "the server brings it up to date when it starts; make a backup before",
        ),
        Err(error) => Line::fail(CHECK, error.to_string(), "use the version of Countersign that wrote it, or a backup"),
    }];
    lines.push(match examined.damage.first() {
        None => Line::ok(CHECK, "no damage found"),
        Some(damage) => Line::fail(
            CHECK,
            format!("it is damaged: {damage}"),
            "stop the server, keep the files, and restore a backup (`countersign restore`)",
        ),
    });
    lines.push(match &examined.writable {
        Ok(()) => Line::ok(CHECK, "can be written"),
        Err(error) => {
            Line::fail(CHECK, error.to_string(), "logons are refused until it can be written: look at disk and rights")
        }
    });
    lines.extend(examined.forgetful.iter().map(|setting| {
        Line::fail(
            CHECK,
            format!("it may forget what it has told: {setting}"),
            "set it back: a used code could be used again",
        )
    }));
    lines
}

async fn inside(settings: &Settings, place: Location, lines: &mut Vec<Line>) -> Option<Look> {
    let opened = Store::open(Options::operate(place, SystemClock.now().micros())).await;
    let store = match opened {
        Ok(store) => store,
        Err(error) => {
            lines.push(Line::fail(CHECK, error.to_string(), "try again in a moment"));
            return None;
        }
    };
    let looked = look(&store, KeyRing::load(&key_file(settings)).ok()).await;
    store.close().await;
    match looked {
        Ok(look) => {
            if !look.set_up {
                let advice = "open the link that `countersign serve` prints, or run `countersign account create`";
                lines.push(Line::warn(CHECK, "there is no account yet", advice));
            }
            Some(look)
        }
        Err(error) => {
            lines.push(Line::fail(CHECK, error.to_string(), "restore a backup"));
            None
        }
    }
}
