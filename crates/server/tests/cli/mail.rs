//! Mail, from the command line to a server and to files.

use super::place::Place;
use super::process::{Server, countersign, json, refusal, run};
use countersign_testkit::smtp::{Encryption, Manner, SmtpServer};

#[test]
fn a_test_mail_goes_to_the_server_and_its_answer_is_told() {
    let (server, runtime) = smtp(&[]);
    let place = Place::new();
    let config = config(&place, &server);
    let told = json(&["mail", "test", "--to", "owner@example.com", "--json", "--config", &config], "");
    assert_eq!(told["to"], "owner@example.com");
    assert_eq!(told["by_server"], true);
    assert!(told["answer"].as_str().unwrap().ends_with("said: 250 queued as 42"), "{told}");
    let output = run(&["mail", "test", "--to", "owner@example.com", "--language", "zh-CN", "--config", &config], "");
    assert!(
        String::from_utf8(output.stdout).unwrap().starts_with("The mail to owner@example.com was taken. 127.0.0.1:")
    );
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails[0].encrypted && mails[0].user.as_deref() == Some("me"));
    assert!(mails[0].message.contains("Subject: Test of the mail of Countersign\r\n"), "{}", mails[0].message);
    assert!(!place.data().exists(), "a test mail needs no data");
    drop(runtime);
}

#[test]
fn a_refused_test_mail_tells_why_without_the_password() {
    let (server, runtime) = smtp(&[Manner::AnswersRecipient(550)]);
    let place = Place::new();
    let config = config(&place, &server);
    let told = refusal(1, &["mail", "test", "--to", "owner@example.com", "--config", &config], "");
    assert!(told.contains("550") && told.contains("this recipient, no") && !told.contains("hush"), "{told}");
    assert!(refusal(2, &["mail", "test", "--to", "owner"], "").contains("one @"));
    drop(runtime);
}

#[test]
fn without_a_server_a_mail_becomes_a_file_and_serve_says_so() {
    let (place, _) = Place::with_account();
    json(&["account", "reset-password", "--account", "acme", "--json", "--data", place.text()], "");
    let server = Server::on(place.data());
    let folder = place.data().join("outbox");
    assert!(server.greeting.contains("no server is configured: mails become files in"), "{}", server.greeting);
    while !server.ask("/metrics").body.contains("countersign_outbox_sent_total 1") {}
    let metrics = server.ask("/metrics").body;
    assert!(metrics.contains("countersign_outbox_failed 0"), "{metrics}");
    let [file] = std::fs::read_dir(&folder).unwrap().map(Result::unwrap).collect::<Vec<_>>().try_into().unwrap();
    let name = file.file_name().into_string().unwrap();
    assert!(name.contains("_password-changed_owner@example.com_"), "{name}");
    let message = std::fs::read_to_string(file.path()).unwrap();
    assert!(message.contains("Subject: The password of owner@example.com was changed\r\n"), "{message}");
    let (status, log) = server.stop();
    assert!(status.success() && !log.contains("mail"), "{log}");
}

#[test]
fn a_broken_section_is_told_and_nothing_is_served() {
    let place = Place::new();
    let told = |variables: &[(&str, &str)]| {
        let mut command = countersign(&["serve", "--data", place.text()]);
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let from = ("COUNTERSIGN_MAIL_FROM", "c@example.com");
    assert!(told(&[from]).contains("has no `smtp`"));
    let plain = told(&[from, ("COUNTERSIGN_MAIL_SMTP", "smtp://u:hush@mail.example.com")]);
    assert!(plain.contains("in the clear") && !plain.contains("hush"), "{plain}");
    let smtp = ("COUNTERSIGN_MAIL_SMTP", "smtps://mail.example.com");
    let missing = told(&[from, smtp, ("COUNTERSIGN_MAIL_CA", "/nowhere.pem")]);
    assert!(missing.contains("/nowhere.pem"), "{missing}");
}

/// A server with a password, and the runtime that it lives in.
fn smtp(manners: &[Manner]) -> (SmtpServer, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(SmtpServer::start(Encryption::StartTls, Some(("me", "hush")), manners));
    (server, runtime)
}

/// A configuration that names the server.
fn config(place: &Place, server: &SmtpServer) -> String {
    let (ca, file) = (place.around().join("ca.pem"), place.around().join("countersign.toml"));
    std::fs::write(&ca, &server.certificate).unwrap();
    let port = server.address.port();
    let text = format!(
        "data = '{}'\n[mail]\nfrom = 'Countersign <no-reply@example.com>'\n\
         smtp = 'smtp://me:hush@127.0.0.1:{port}?tls=required'\nca = '{}'\n",
        place.text(),
        ca.display()
    );
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}
