//! `countersign mail …`: whether mail arrives.

use super::Mailer;
use super::letter::Letter;
use crate::cli::{Common, MailCommand};
use crate::config::{Settings, Sources};
use crate::failure::Failure;
use crate::logs;
use crate::output::{say, say_json};
use countersign_console::mails::Mails;
use countersign_model::Clock as _;
use countersign_model::clock::SystemClock;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::NoticeId;
use countersign_model::names::EmailAddress;
use serde_json::json;

/// Does one of the commands.
pub(crate) fn run(command: MailCommand) -> Result<(), Failure> {
    match command {
        MailCommand::Test { to, language, common } => test(to, &language, common),
    }
}

fn test(to: EmailAddress, language: &str, common: Common) -> Result<(), Failure> {
    let settings = Settings::load(Sources::of_this_process(common.place.config.clone(), common.place.layer()))?;
    logs::begin(settings.log.as_deref().unwrap_or("warn"), settings.log_format)?;
    let public_url = settings.public_url_at(settings.listen.port());
    let mailer = Mailer::open(&settings, &public_url)?;
    let now = SystemClock.now();
    let letter = Letter {
        id: NoticeId::at(now, &OsEntropy).to_string(),
        kind: "test",
        recipient: to,
        at: now,
        mail: Mails::load().test(language, &public_url.to_string()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("the runtime does not start: {error}")))?;
    let said = runtime.block_on(mailer.send(&letter));
    let said = said.map_err(|not_sent| Failure::new(format!("the mail was not sent. {not_sent}")))?;
    let recipient = letter.recipient.as_str();
    if common.json {
        return say_json(&json!({ "to": recipient, "answer": said, "by_server": mailer.folder().is_none() }));
    }
    if mailer.folder().is_some() {
        return say(&format!("No mail server is configured, so the mail to {recipient} became a file: {said}"));
    }
    say(&format!("The mail to {recipient} was taken. {said}"))
}
