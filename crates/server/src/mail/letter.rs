//! A mail as it goes out: headers and both forms of its text (RFC 5322, RFC 2046).

use super::NotSent;
use countersign_console::mails::Mail;
use countersign_model::Timestamp;
use countersign_model::names::EmailAddress;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use std::time::{Duration, UNIX_EPOCH};

/// A mail with its envelope.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// Stays the same when the mail is sent a second time, so that the recipient's program shows it once.
    pub(super) id: String,
    /// What it is about, in a word.
    pub(super) kind: &'static str,
    pub(super) recipient: EmailAddress,
    pub(super) at: Timestamp,
    pub(super) mail: Mail,
}

impl Letter {
    /// The message. An address that cannot stand in one never can.
    pub(super) fn message(&self, from: &Mailbox, host: &str) -> Result<Message, NotSent> {
        let address: Address =
            self.recipient.as_str().parse().map_err(|_| NotSent::for_good("no mail can be sent to this address"))?;
        let built = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, address))
            .subject(self.mail.subject.as_str())
            .message_id(Some(format!("<{}@{host}>", self.id)))
            .date(UNIX_EPOCH + Duration::from_secs(self.at.unix_seconds()))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(self.mail.text.clone(), self.mail.html.clone()));
        built.map_err(|error| NotSent::for_good(format!("no message can be made of it: {error}")))
    }
}

/// Tells other programs not to answer (RFC 3834).
#[derive(Debug, Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
