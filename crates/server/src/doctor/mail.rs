//! Mail: a server is configured, its settings fit, and it is reached. Whether it takes mail, `mail test` shows.

use super::Line;
use crate::config::Settings;
use crate::mail::Mailer;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

const CHECK: &str = "mail";
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn check(settings: &Settings) -> Line {
    let mailer = Mailer::open(settings, &settings.public_url_at(settings.listen.port()));
    let mailer = match mailer {
        Ok(mailer) => mailer,
        Err(failure) => return Line::fail(CHECK, failure.to_string(), "mend [mail] in the configuration"),
    };
    let Some(mail) = &settings.mail else {
        let folder = mailer.folder().map_or_else(String::new, |folder| folder.display().to_string());
        let found = format!("no mail server is set: mails become files in {folder}");
        if settings.public_url.as_ref().is_some_and(|url| !url.is_local()) {
            return Line::warn(CHECK, found, "set [mail], so that people learn what happens to their factors");
        }
        return Line::ok(CHECK, found);
    };
    let (host, port) = (mail.server.host.as_str(), mail.server.port);
    match timeout(PATIENCE, TcpStream::connect((host.trim_matches(['[', ']']), port))).await {
        Ok(Ok(_)) => {
            Line::ok(CHECK, format!("{host}:{port} is reached; `countersign mail test` shows whether it takes mail"))
        }
        Ok(Err(error)) => {
            Line::fail(CHECK, format!("{host}:{port}: {error}"), "see that it runs; mails wait until it does")
        }
        Err(_) => {
            Line::fail(CHECK, format!("{host}:{port} does not answer"), "see that it runs; mails wait until it does")
        }
    }
}
