//! Mail: what is due is put into words, handed to a mail server, and told of to core.
//!
//! Without a mail server each mail becomes a file that a person can open, so that nothing has to be configured to try
//! Countersign.

mod command;
mod connection;
mod files;
mod letter;
mod smtp;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use command::run;
pub(crate) use worker::{Delivery, deliver};

use crate::config::Settings;
use crate::failure::Failure;
use crate::public_url::PublicUrl;
use countersign_core::delivery::MailFailure;
use files::Folder;
use letter::Letter;
use lettre::message::Mailbox;
use smtp::Smtp;
use std::path::Path;

/// What sends mail.
#[derive(Debug)]
pub(crate) struct Mailer {
    from: Mailbox,
    /// The part of message ids behind the `@`.
    host: String,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Smtp(Box<Smtp>),
    Files(Folder),
}

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct NotSent {
    pub(crate) failure: MailFailure,
    pub(crate) text: String,
}

impl Mailer {
    /// What the settings say, for an installation at `public_url`.
    pub(crate) fn open(settings: &Settings, public_url: &PublicUrl) -> Result<Self, Failure> {
        let host = public_url.mail_host();
        if let Some(mail) = &settings.mail {
            let smtp = Smtp::open(mail, smtp::PATIENCE)?;
            return Ok(Self { from: mail.from.clone(), host, way: Way::Smtp(Box::new(smtp)) });
        }
        let from = format!("Countersign <no-reply@{host}>").parse();
        let from = from.map_err(|error| Failure::new(format!("no sender can be made of public_url: {error}")))?;
        Ok(Self { from, host, way: Way::Files(Folder::new(settings.data.join("outbox"))) })
    }

    /// The folder that mails are written to when no server is configured.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.way {
            Way::Smtp(_) => None,
            Way::Files(folder) => Some(folder.path()),
        }
    }

    /// Sends a letter: what the other side said.
    async fn send(&self, letter: &Letter) -> Result<String, NotSent> {
        let message = letter.message(&self.from, &self.host)?;
        match &self.way {
            Way::Smtp(smtp) => smtp.send(&message).await,
            Way::Files(folder) => folder.write(letter, &message.formatted()),
        }
    }
}

impl NotSent {
    fn for_good(text: impl Into<String>) -> Self {
        Self { failure: MailFailure::ForGood, text: text.into() }
    }

    fn for_now(text: impl Into<String>) -> Self {
        Self { failure: MailFailure::ForNow, text: text.into() }
    }
}
