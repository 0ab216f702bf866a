//! Delivery to a real server on loopback, from the outbox to the letter, and what becomes of mails that do not get
//! through.

use super::letter::Letter;
use super::smtp::Smtp;
use super::worker::Delivery;
use super::{Mailer, NotSent, Way};
use crate::config::{Layer, Settings};
use countersign_console::mails::{Mail, Mails};
use countersign_core::delivery::MailFailure;
use countersign_model::Timestamp;
use countersign_testkit::smtp::{Encryption, Manner, ReceivedMail, SmtpServer};
use countersign_testkit::{Engine, Kit, run};
use lettre::message::Mailbox;
use secrecy::SecretString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const URL: &str = "https://logon.example.com";

/// A mailer for a server, as the settings make one.
fn mailer_for(server: &SmtpServer, folder: &Path, url: &str, patience: Duration) -> Mailer {
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, &server.certificate).unwrap();
    let layer = Layer {
        mail_from: Some("Countersign <no-reply@example.com>".to_owned()),
        mail_smtp: Some(SecretString::from(url.replace("PORT", &server.address.port().to_string()))),
        mail_ca: Some(ca),
        ..Layer::default()
    };
    let mail = Settings::from_layer(layer).unwrap().mail.unwrap();
    let smtp = Smtp::open(&mail, patience).unwrap();
    Mailer { from: mail.from, host: "logon.example.com".to_owned(), way: Way::Smtp(Box::new(smtp)) }
}

async fn send(server: &SmtpServer, url: &str) -> Result<String, NotSent> {
    let folder = TempDir::new().unwrap();
    mailer_for(server, folder.path(), url, Duration::from_secs(20)).send(&letter()).await
}

fn letter() -> Letter {
    let mail = Mail {
        subject: "密码已修改 – Zoë".to_owned(),
        text: ".\n..\n.leading point\n密码\n".to_owned(),
        html: "<p>密码</p>\n".to_owned(),
    };
    let recipient = "alice@mail.example".parse().unwrap();
    Letter { id: "0".repeat(32), kind: "test", recipient, at: Timestamp::from_seconds(1_800_000_000), mail }
}

#[tokio::test]
async fn mail_goes_out_plain_by_starttls_and_by_implicit_tls() {
    for (encryption, url) in [
        (Encryption::None, "smtp://127.0.0.1:PORT"),
        (Encryption::StartTls, "smtp://127.0.0.1:PORT?tls=required"),
        (Encryption::Implicit, "smtps://localhost:PORT"),
    ] {
        let server = SmtpServer::start(encryption, None, &[]).await;
        let said = send(&server, url).await.unwrap();
        assert!(said.ends_with("said: 250 queued as 42"), "{said}");
        let [mail] = server.mails().try_into().unwrap();
        assert_eq!(mail.encrypted, encryption != Encryption::None);
        assert_eq!(
            (mail.from.as_str(), mail.to.as_slice()),
            ("no-reply@example.com", ["alice@mail.example".to_owned()].as_slice())
        );
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_password_gets_it() {
    let server = SmtpServer::start(Encryption::StartTls, Some(("me@example.com", "hush:/")), &[]).await;
    send(&server, "smtp://me%40example.com:hush%3A%2F@127.0.0.1:PORT?tls=required").await.unwrap();
    assert_eq!(server.mails().remove(0).user.as_deref(), Some("me@example.com"));
    for url in ["smtp://me%40example.com:wrong@127.0.0.1:PORT?tls=required", "smtp://127.0.0.1:PORT?tls=required"] {
        let refused = send(&server, url).await.unwrap_err();
        assert_eq!(refused.failure, MailFailure::ForNow, "the operator mends it: {refused}");
        assert!(refused.text.contains("53") && !refused.text.contains("wrong"), "{refused}");
    }
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn no_mail_and_no_password_goes_to_a_server_that_cannot_prove_its_name() {
    for (encryption, url) in [
        (Encryption::StartTls, "smtp://u:hush@127.0.0.1:PORT?tls=required"),
        (Encryption::Implicit, "smtps://u:hush@127.0.0.1:PORT"),
    ] {
        let server = SmtpServer::start(encryption, None, &[]).await;
        let other = SmtpServer::start(encryption, None, &[]).await;
        let folder = TempDir::new().unwrap();
        // The certificate trusted is another server's.
        let url = url.replace("PORT", &server.address.port().to_string());
        let refused =
            mailer_for(&other, folder.path(), &url, Duration::from_secs(20)).send(&letter()).await.unwrap_err();
        assert_eq!(refused.failure, MailFailure::ForNow);
        assert!(refused.text.to_lowercase().contains("certificate"), "{refused}");
        assert!(server.mails().is_empty());
    }
    // Nor where somebody on the way answers in the server's place.
    let injected = SmtpServer::start(Encryption::StartTlsInjected, None, &[]).await;
    let refused = send(&injected, "smtp://u:hush@127.0.0.1:PORT?tls=required").await.unwrap_err();
    assert!(refused.text.contains("in the clear where TLS had to begin"), "{refused}");
    assert_eq!((refused.failure, injected.mails().len()), (MailFailure::ForNow, 0));
    // Nor where TLS was taken out on the way.
    let stripped = SmtpServer::start(Encryption::None, None, &[]).await;
    let refused = send(&stripped, "smtp://u:hush@127.0.0.1:PORT?tls=required").await.unwrap_err();
    assert_eq!((refused.failure, stripped.mails().len()), (MailFailure::ForNow, 0), "{refused}");
}

#[tokio::test]
async fn what_a_server_says_against_the_mail_is_for_good_and_the_rest_for_now() {
    use MailFailure::{ForGood, ForNow};
    for (manner, failure) in [
        (Manner::AnswersRecipient(450), ForNow),
        (Manner::AnswersRecipient(550), ForGood),
        (Manner::AnswersRecipient(503), ForNow),
        (Manner::AnswersData(451), ForNow),
        (Manner::AnswersData(554), ForGood),
        (Manner::DiesInData, ForNow),
    ] {
        let server = SmtpServer::start(Encryption::None, None, &[manner]).await;
        let not_sent = send(&server, "smtp://127.0.0.1:PORT").await.unwrap_err();
        assert_eq!(not_sent.failure, failure, "{manner:?}: {not_sent}");
        assert!(server.mails().is_empty(), "{manner:?}");
        send(&server, "smtp://127.0.0.1:PORT").await.unwrap();
    }
    let gone = SmtpServer::start(Encryption::None, None, &[]).await;
    let url = format!("smtp://127.0.0.1:{}", gone.address.port());
    let folder = TempDir::new().unwrap();
    let mailer = mailer_for(&gone, folder.path(), &url, Duration::from_secs(20));
    drop(gone);
    tokio::task::yield_now().await;
    assert_eq!(mailer.send(&letter()).await.unwrap_err().failure, ForNow);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_the_next_mail_has_a_fresh_connection() {
    let server = SmtpServer::start(Encryption::None, None, &[Manner::Hangs]).await;
    let folder = TempDir::new().unwrap();
    let hasty = mailer_for(&server, folder.path(), "smtp://127.0.0.1:PORT", Duration::from_millis(300));
    let not_sent = hasty.send(&letter()).await.unwrap_err();
    assert_eq!(not_sent.failure, MailFailure::ForNow);
    assert!(not_sent.text.contains("did not finish"), "{not_sent}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_letter_is_well_formed() {
    let server = SmtpServer::start(Encryption::None, None, &[]).await;
    let mut letter = letter();
    letter.mail.text += &"长".repeat(2_000);
    letter.mail.html += &"<b>x</b>".repeat(1_000);
    let folder = TempDir::new().unwrap();
    let mailer = mailer_for(&server, folder.path(), "smtp://127.0.0.1:PORT", Duration::from_secs(20));
    mailer.send(&letter).await.unwrap();
    mailer.send(&letter).await.unwrap();
    let [first, again] = server.mails().try_into().unwrap();
    let message = &first.message;
    assert!(message.is_ascii() && message.lines().all(|line| line.len() <= 998), "{message}");
    for header in [
        "From: Countersign <no-reply@example.com>\r\n",
        "To: alice@mail.example\r\n",
        "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "MIME-Version: 1.0\r\n",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
    ] {
        assert!(message.contains(header), "{header} is missing in {message}");
    }
    let id = format!("Message-ID: <{}@logon.example.com>\r\n", "0".repeat(32));
    assert!(message.contains(&id) && again.message.contains(&id), "a mail sent twice is one mail");
    assert_eq!(decoded(&first, "Subject: "), "密码已修改 – Zoë");
    assert!(text_of(&first).starts_with(".\r\n..\r\n.leading point\r\n密码\r\n"), "{}", text_of(&first));
}

#[tokio::test]
async fn attack_128_no_name_makes_a_header() {
    let server = SmtpServer::start(Encryption::None, None, &[]).await;
    let folder = TempDir::new().unwrap();
    let mailer = mailer_for(&server, folder.path(), "smtp://127.0.0.1:PORT", Duration::from_secs(20));
    let mut letter = letter();
    letter.mail.subject = "x\r\nBcc: all@evil.example\r\n\r\n.\r\nMAIL FROM:<evil@evil.example>".to_owned();
    letter.mail.text = "\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n.\r\n".to_owned();
    // Whether it is sent or refused, nobody else gets anything.
    mailer.send(&letter).await.map(drop).unwrap_or_default();
    for mail in server.mails() {
        let head = mail.message.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
        assert_eq!((mail.from.as_str(), mail.to.len()), ("no-reply@example.com", 1));
    }
    assert!(server.mails().len() <= 1);
    letter.recipient = "o'brien&co@mail.example".parse().unwrap();
    letter.mail.subject = "x".to_owned();
    mailer.send(&letter).await.unwrap();
    assert_eq!(server.mails().pop().unwrap().to, ["o'brien&co@mail.example"]);
    letter.recipient = "(comment)@mail.example".parse().unwrap();
    assert_eq!(mailer.send(&letter).await.unwrap_err().failure, MailFailure::ForGood);
}

#[test]
fn the_worker_delivers_what_the_outbox_holds_in_both_languages() {
    run(Engine::Sqlite, async |kit: Kit| {
        let server = SmtpServer::start(Encryption::StartTls, None, &[]).await;
        let (delivery, _folder) = delivery(&kit, &server, "smtp://127.0.0.1:PORT?tls=required");
        let acme = kit.account("acme").await;
        let (visitor, phone) = kit.bound_owner(&acme).await;
        kit.sql("UPDATE principals SET language = 'zh-CN'", &[]).await;
        kit.core().unbind_own(&visitor.actor, phone.code(&kit), countersign_testkit::origin()).await.unwrap();
        assert_eq!(delivery.send_due().await, 2);
        assert_eq!(delivery.send_due().await, 0);
        let mut subjects: Vec<String> = server.mails().iter().map(|mail| decoded(mail, "Subject: ")).collect();
        subjects.sort();
        assert_eq!(subjects, ["An MFA device was bound to owner@acme.example", "owner@acme.example 的 MFA 设备已解绑"]);
        let mails = server.mails();
        let link = text_of(&mails[0]);
        let link = link.lines().find_map(|line| line.strip_prefix("https://logon.example.com/not-me?notice=")).unwrap();
        kit.core().notice_of_link(link).await.unwrap();
        let code = phone.code(&kit);
        let seed = countersign_testkit::people::expose(&phone.seed().to_base32());
        for mail in &mails {
            // Attack 60: neither in the text nor in what is sent along.
            assert!(!text_of(mail).contains(&code) && !mail.message.contains(&seed));
        }
    });
}

#[test]
fn the_worker_tries_again_what_was_refused_for_now() {
    run(Engine::Sqlite, async |kit: Kit| {
        let server =
            SmtpServer::start(Encryption::None, None, &[Manner::AnswersRecipient(451), Manner::DiesInData]).await;
        let (delivery, _folder) = delivery(&kit, &server, "smtp://127.0.0.1:PORT");
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        for (pause, waits) in [(0, 1), (60, 1), (300, 0)] {
            kit.advance(Duration::from_secs(pause));
            assert_eq!(delivery.send_due().await, 1);
            let state = kit.int("SELECT COUNT(*) FROM outbox WHERE state = 'waiting'", &[]).await;
            assert_eq!(state, waits);
        }
        assert_eq!(server.mails().len(), 1);
    });
}

#[test]
fn the_worker_gives_up_what_was_refused_for_good() {
    run(Engine::Sqlite, async |kit: Kit| {
        let server = SmtpServer::start(Encryption::None, None, &[Manner::AnswersRecipient(550)]).await;
        let (delivery, _folder) = delivery(&kit, &server, "smtp://127.0.0.1:PORT");
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        assert_eq!(delivery.send_due().await, 1);
        let failed =
            "SELECT COUNT(*) FROM outbox WHERE state = 'failed' AND last_error LIKE '%(550)%this recipient, no%'";
        assert_eq!(kit.int(failed, &[]).await, 1);
        kit.advance(Duration::from_hours(72));
        assert_eq!(delivery.send_due().await, 0);
        assert!(server.mails().is_empty());
    });
}

#[test]
fn without_a_server_mails_become_files_for_this_user_alone() {
    run(Engine::Sqlite, async |kit: Kit| {
        let data = TempDir::new().unwrap();
        let settings = Settings::from_layer(Layer { data: Some(data.path().to_owned()), ..Layer::default() }).unwrap();
        let mailer = Mailer::open(&settings, &settings.public_url_at(8080)).unwrap();
        let folder = mailer.folder().unwrap().to_owned();
        assert!(!folder.exists(), "nothing is made before there is a mail");
        let delivery = Arc::new(Delivery {
            core: kit.core().clone(),
            mailer,
            mails: Mails::load(),
            public_url: "http://localhost:8080".to_owned(),
        });
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        assert_eq!(delivery.send_due().await, 1);
        let [file] = std::fs::read_dir(&folder).unwrap().map(Result::unwrap).collect::<Vec<_>>().try_into().unwrap();
        let name = file.file_name().into_string().unwrap();
        assert!(
            name.contains("Z_mfa-bound_owner@acme.example_")
                && file.path().extension().is_some_and(|ending| ending == "eml"),
            "{name}"
        );
        assert!(name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&file.path())), (0o700, 0o600));
        let message = std::fs::read_to_string(file.path()).unwrap();
        assert!(message.contains("From: Countersign <no-reply@localhost>\r\n"), "{message}");
        let mut letter = letter();
        letter.recipient = "../../x/'$(y)'@mail.example".parse().unwrap();
        let refused = delivery.mailer.send(&letter).await;
        assert!(refused.is_ok() || refused.is_err_and(|refused| refused.failure == MailFailure::ForGood));
        assert!(std::fs::read_dir(data.path()).unwrap().count() == 1, "no file leaves the folder");
    });
}

fn delivery(kit: &Kit, server: &SmtpServer, url: &str) -> (Arc<Delivery>, TempDir) {
    let folder = TempDir::new().unwrap();
    let mailer = mailer_for(server, folder.path(), url, Duration::from_secs(20));
    let delivery = Delivery { core: kit.core().clone(), mailer, mails: Mails::load(), public_url: URL.to_owned() };
    (Arc::new(delivery), folder)
}

/// The value of a header, as a mail program shows it (RFC 2047).
fn decoded(mail: &ReceivedMail, header: &str) -> String {
    let unfolded = mail.message.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    let line = unfolded.lines().find_map(|line| line.strip_prefix(header)).unwrap();
    let words =
        line.split(' ').map(|word| match word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?=")) {
            Some(encoded) => {
                (true, String::from_utf8(data_encoding::BASE64.decode(encoded.as_bytes()).unwrap()).unwrap())
            }
            None => (false, word.to_owned()),
        });
    let mut text = String::new();
    let mut after_encoded = false;
    for (encoded, word) in words {
        if !(text.is_empty() || after_encoded && encoded) {
            text.push(' ');
        }
        text += &word;
        after_encoded = encoded;
    }
    text
}

/// The plain text of a mail, decoded.
fn text_of(mail: &ReceivedMail) -> String {
    let part = mail.message.split("Content-Type: text/plain").nth(1).unwrap();
    let (head, body) = part.split_once("\r\n\r\n").unwrap();
    let body = body.split("\r\n--").next().unwrap();
    if head.contains("base64") {
        let joined: String = body.split_whitespace().collect();
        return String::from_utf8(data_encoding::BASE64.decode(joined.as_bytes()).unwrap()).unwrap();
    }
    if !head.contains("quoted-printable") {
        return body.to_owned();
    }
    let unfolded = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = unfolded.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let encoded = (*first == b'=').then(|| after.split_at_checked(2)).flatten();
        rest = after;
        if let Some((hex, behind)) = encoded {
            bytes.extend(data_encoding::HEXUPPER.decode(hex).unwrap());
            rest = behind;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_sender_can_be_parsed() {
    assert!("Countersign <no-reply@localhost>".parse::<Mailbox>().is_ok());
}
