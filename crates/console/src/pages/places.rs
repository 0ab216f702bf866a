//! Open sessions and remembered machines as pages show them, one's own and those of a RAM user.

use crate::fields::Fields;
use crate::frame::When;
use crate::locales::Words;
use crate::program::program;
use countersign_core::sessions::{Ending, OpenSession, Places};
use countersign_core::{Error, Refusal};
use countersign_model::machine::RememberedMachine;
use serde::Deserialize;

/// What the tables show, and what can be done about it.
pub(crate) struct PlacesShown {
    pub(crate) sessions: Vec<SessionRow>,
    pub(crate) machines: Vec<MachineRow>,
    /// Where the forms go.
    pub(crate) action: String,
    /// What the reader may end.
    pub(crate) ends: Ends,
}

/// What the reader of the tables may end, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// His own: at once, and all but the session that asks.
    Own,
    /// Those of somebody else: after a page that asks.
    Others,
    /// Nothing.
    Nothing,
}

pub(crate) struct SessionRow {
    pub(crate) id: String,
    pub(crate) browser: String,
    pub(crate) address: String,
    pub(crate) methods: String,
    pub(crate) since: When,
    pub(crate) seen: When,
    pub(crate) until: When,
    pub(crate) is_this: bool,
}

pub(crate) struct MachineRow {
    pub(crate) id: String,
    pub(crate) browser: String,
    pub(crate) address: String,
    pub(crate) since: When,
    pub(crate) until: When,
    pub(crate) used: When,
}

impl PlacesShown {
    pub(crate) fn new(t: &Words, places: &Places, action: String, ends: Ends) -> Self {
        Self {
            sessions: places.sessions.iter().map(|open| SessionRow::new(t, open)).collect(),
            machines: places.machines.iter().map(|machine| MachineRow::new(t, machine)).collect(),
            action,
            ends,
        }
    }

    pub(crate) fn is_own(&self) -> bool {
        self.ends == Ends::Own
    }

    pub(crate) fn asks_first(&self) -> bool {
        self.ends == Ends::Others
    }

    pub(crate) fn may_end(&self) -> bool {
        self.ends != Ends::Nothing
    }

    /// Whether there are sessions that one button would end.
    pub(crate) fn has_several(&self) -> bool {
        match self.ends {
            Ends::Own => self.sessions.iter().any(|row| !row.is_this),
            Ends::Others => !self.sessions.is_empty(),
            Ends::Nothing => false,
        }
    }
}

impl SessionRow {
    fn new(t: &Words, open: &OpenSession) -> Self {
        let line = &open.line;
        let methods: Vec<String> = line.methods.iter().map(|method| t.s(&format!("method-{method}"))).collect();
        Self {
            id: line.id.to_string(),
            browser: program(t, &line.user_agent),
            address: line.address.clone(),
            methods: methods.join(" + "),
            since: line.created_at.into(),
            seen: line.last_seen_at.into(),
            until: line.expires_at.into(),
            is_this: open.is_this,
        }
    }
}

impl MachineRow {
    fn new(t: &Words, machine: &RememberedMachine) -> Self {
        Self {
            id: machine.id.to_string(),
            browser: program(t, &machine.user_agent),
            address: machine.address.clone(),
            since: machine.created_at.into(),
            until: machine.expires_at.into(),
            used: machine.last_used_at.into(),
        }
    }
}

/// What is to end, as a form or an address names it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct NamedEnding {
    pub(crate) end: String,
    pub(crate) id: String,
}

impl NamedEnding {
    pub(crate) fn of(fields: &Fields) -> Self {
        Self { end: fields.text("end"), id: fields.text("id") }
    }

    /// What it names. An id that is none names something that has ended.
    pub(crate) fn ending(&self) -> Result<Ending, Error> {
        let over = || Error::from(Refusal::AlreadyEnded);
        match self.end.as_str() {
            "session" => self.id.parse().map(Ending::Session).map_err(|_| over()),
            "sessions" => Ok(Ending::Sessions),
            "machine" => self.id.parse().map(Ending::Machine).map_err(|_| over()),
            "machines" => Ok(Ending::Machines),
            _ => Err(over()),
        }
    }
}

/// The word of the message that it was done.
pub(crate) const fn done(ending: &Ending) -> &'static str {
    match ending {
        Ending::Session(_) => "session-ended",
        Ending::Sessions => "sessions-ended",
        Ending::Machine(_) => "machine-forgotten",
        Ending::Machines => "machines-forgotten",
    }
}
