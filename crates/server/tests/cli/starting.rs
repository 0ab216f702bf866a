//! Starting and stopping, and every reason not to start.

use crate::place::{Ahead, OWNER, PASSWORD, Place, owner_session, with_core, with_core_at};
use crate::process::{Server, countersign, get, json, refusal, run};
use countersign_core::settings::SettingsChange;
use countersign_core::{Origin, SessionActor};
use countersign_model::Timestamp;
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::KeyId;
use countersign_model::settings::AttestationPolicy;
use countersign_model::token::Token;
use countersign_model::webauthn::{Aaguid, KeyKind, Trust, WebAuthnCredential};
use countersign_store::{Tx, webauthn_credentials};
use countersign_testkit::authenticator::maker_root;
use data_encoding::BASE64;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_first_start_makes_a_private_folder_and_prints_one_link() {
    let place = Place::new();
    let server = Server::on(place.data());
    assert_eq!(mode(place.data()), 0o700);
    assert_eq!(mode(&place.data().join("countersign.db")), 0o600);
    assert_eq!(mode(&place.data().join("keyring.json")), 0o600);
    let link = format!("http://{}/setup?token={}", server.host(), server.set_up_token().unwrap());
    assert_eq!(server.greeting.matches(&link).count(), 1, "{}", server.greeting);
    assert!(server.host().starts_with("localhost:"), "{}", server.host());
    assert!(Token::parse(server.set_up_token().unwrap()).is_some());
}

#[test]
fn attack_147_a_log_on_a_full_disk_stops_nobody() {
    let place = Place::new();
    let mut command = countersign(&["serve", "--data", place.data().to_str().unwrap()]);
    command.stderr(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let server = Server::start(command);
    for _ in 0..3 {
        assert_eq!(get(server.pages(), server.host(), "/").status, 200);
        assert_eq!(server.ask("/readyz").status, 200);
    }
}

#[test]
fn a_stop_finishes_and_closes_the_database() {
    let place = Place::new();
    let server = Server::on(place.data());
    let token = server.set_up_token().unwrap().to_owned();
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    assert!(log.contains(r#""message":"stopped""#), "{log}");
    assert!(!log.contains(&token), "the log holds the token of the set-up link");
    assert!(!place.data().join("countersign.db-wal").exists(), "the write-ahead log stays behind");
}

#[test]
fn an_interrupt_stops_it_as_well() {
    let place = Place::new();
    let server = Server::on(place.data());
    assert!(server.stop_by("INT").0.success());
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let place = Place::new();
    let _first = Server::on(place.data());
    let told = refusal(1, &["serve", "--data", place.text(), "--listen", "127.0.0.1:0"], "");
    assert!(told.contains("another process serves") && told.contains("--data"), "{told}");
}

#[test]
fn a_port_that_is_taken_is_named_with_its_flag() {
    let place = Place::new();
    let first = Server::on(place.data());
    let place = Place::new();
    let taken = first.pages().to_string();
    let told = refusal(1, &["serve", "--data", place.text(), "--listen", &taken], "");
    assert!(told.contains(&format!("cannot listen on {taken}")) && told.contains("--listen"), "{told}");
}

#[test]
fn a_strangers_key_ring_is_refused() {
    let (place, _) = Place::with_account();
    let (other, _) = Place::with_account();
    let key_ring = place.data().join("keyring.json");
    fs::copy(other.data().join("keyring.json"), &key_ring).unwrap();
    let told = refusal(1, &["serve", "--data", place.text(), "--listen", "127.0.0.1:0"], "");
    assert!(told.contains("not the one this database was sealed with") && told.contains("keyring.json"), "{told}");
}

#[test]
fn attack_140_a_missing_key_ring_is_refused_and_no_new_one_made() {
    let (place, _) = Place::with_account();
    let key_ring = place.data().join("keyring.json");
    let away = place.around().join("away.json");
    fs::rename(&key_ring, &away).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["account", "list"]] {
        let told = refusal(1, &[command, &["--data", place.text()]].concat(), "");
        assert!(told.contains("keyring.json is missing") && told.contains("backup"), "{told}");
        assert!(!key_ring.exists());
    }
    fs::rename(&away, &key_ring).unwrap();
    assert_eq!(json(&["account", "list", "--json", "--data", place.text()], "").as_array().unwrap().len(), 1);
}

#[test]
fn attack_134_only_the_link_of_the_last_start_is_good_and_none_once_there_is_an_account() {
    let place = Place::new();
    let first = Server::on(place.data());
    let old = Token::parse(first.set_up_token().unwrap()).unwrap();
    first.stop();
    let second = Server::on(place.data());
    let new = Token::parse(second.set_up_token().unwrap()).unwrap();
    let good = |token: &Token| with_core(place.data(), async |core, _| core.check_set_up(token).await.is_ok());
    assert!(!good(&old) && good(&new));

    json(&place.create("acme", "owner@example.com"), "correct horse battery");
    assert!(!good(&new), "an account was made by the command line meanwhile");
    second.stop();
    assert!(Server::on(place.data()).set_up_token().is_none());
}

#[test]
fn attack_134_two_first_starts_make_one_installation() {
    let place = Place::new();
    let serve = || {
        countersign(&[
            "serve",
            "--data",
            place.text(),
            "--listen",
            "127.0.0.1:0",
            "--api-listen",
            "127.0.0.1:0",
            "--ops-listen",
            "127.0.0.1:0",
        ])
    };
    let winners = std::thread::scope(|scope| {
        let race = || {
            let mut racer = serve().spawn().unwrap();
            let mut lines = BufReader::new(racer.stdout.take().unwrap()).lines();
            let serves = lines.any(|line| line.unwrap().contains("/setup?token="));
            (serves, racer)
        };
        let racers: Vec<_> = (0..4).map(|_| scope.spawn(race)).collect();
        // Nobody is ended before all have tried.
        let mut racers: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        for (_, racer) in &mut racers {
            racer.kill().unwrap_or_default();
            racer.wait().unwrap();
        }
        racers.iter().filter(|(serves, _)| *serves).count()
    });
    assert_eq!(winners, 1);
    Server::on(place.data());
}

#[test]
fn plain_http_beyond_this_machine_is_refused_before_anything_is_made() {
    let place = Place::new();
    let told = refusal(1, &["serve", "--data", place.text(), "--listen", "0.0.0.0:0"], "");
    for way in ["--tls-cert", "--trusted-proxy-hops", "--danger-insecure-http"] {
        assert!(told.contains(way), "{told}");
    }
    assert!(!place.data().exists());
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    let place = Place::new();
    let refused = countersign(&["serve", "--data", place.text()]).env("COUNTERSIGN_PUBLIC_ULR", "x").output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(told.contains("Did you mean COUNTERSIGN_PUBLIC_URL?"), "{told}");

    let config = place.around().join("c.toml");
    fs::write(&config, "trusted_proxy_hop = 1").unwrap();
    let told = refusal(1, &["serve", "--config", config.to_str().unwrap()], "");
    assert!(told.contains("Did you mean trusted_proxy_hops?"), "{told}");
}

#[test]
fn the_environment_configures_it() {
    let place = Place::new();
    let mut command = countersign(&["serve"]);
    command.env("COUNTERSIGN_DATA", place.text()).env("COUNTERSIGN_PUBLIC_URL", "https://logon.example.com");
    let server = Server::start(command);
    assert_eq!(server.told("Pages"), "https://logon.example.com");
    assert!(server.greeting.contains("    https://logon.example.com/setup?token="));
}

#[test]
fn attack_141_a_clock_that_is_behind_is_told_and_not_ready() {
    let (place, _) = Place::with_account();
    let ahead = Arc::new(Ahead(Duration::from_hours(1)));
    with_core_at(place.data(), ahead, async |core, _| core.tick().await.unwrap());
    let server = Server::on(place.data());
    let answer = server.ask("/readyz");
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("clock"), "{}", answer.body);
    assert_eq!(server.ask("/healthz").status, 200);
    let (_, log) = server.stop();
    assert!(log.contains("the clock is behind"), "{log}");
}

#[test]
fn help_tells_a_stranger_what_to_type() {
    for (args, expected) in [
        (&["--help"][..], "countersign serve"),
        (&["serve", "--help"], "--danger-insecure-http"),
        (&["account", "--help"], "reset-mfa"),
        (&["account", "create", "--help"], "--password-stdin"),
        (&["account", "reset-password", "--help"], "random"),
    ] {
        let output = run(args, "");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(expected), "{text}");
        assert!(text.contains("Examples:") || args == ["account", "--help"], "{text}");
    }
}

/// A passkey that was registered at another host.
fn key_of(owner: &SessionActor, now: Timestamp) -> WebAuthnCredential {
    WebAuthnCredential {
        id: KeyId::generate(&OsEntropy),
        account_id: owner.account_id().clone(),
        principal_id: owner.principal_id().clone(),
        kind: KeyKind::Passkey,
        credential_id: vec![1],
        rp_id: "logon.example.com".to_owned(),
        public_key: vec![],
        sign_count: 0,
        transports: vec![],
        aaguid: Aaguid::default(),
        backup_eligible: false,
        backed_up: false,
        user_verified: true,
        attestation_format: "none".to_owned(),
        trust: Trust::None,
        name: "laptop".to_owned(),
        created_at: now,
        last_used_at: None,
        held: None,
    }
}

#[test]
fn security_keys_of_another_host_keep_it_from_starting_unless_it_is_meant() {
    let place = Place::new();
    json(&place.create("acme", OWNER), PASSWORD);
    with_core(place.data(), async |core, store| {
        let owner = owner_session(core, OWNER, PASSWORD).await;
        let key = key_of(&owner, core.now());
        let insert = async move |tx: &mut Tx<'_>| webauthn_credentials::insert(tx, &key).await;
        assert!(store.write(insert).await.unwrap());
    });
    let serve = ["serve", "--data", place.text(), "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0"];
    let serve = [&serve[..], &["--ops-listen", "127.0.0.1:0"]].concat();
    let told = refusal(1, &serve, "");
    assert!(told.contains("1 at logon.example.com") && told.contains("--danger-strand-keys"), "{told}");
    let told = run(&["doctor", "--data", place.text()], "");
    assert!(String::from_utf8(told.stdout).unwrap().contains("1 at logon.example.com"));
    let server = Server::start(countersign(&["serve", "--data", place.text(), "--danger-strand-keys"]));
    assert_eq!(get(server.pages(), server.host(), "/").status, 200);
}

#[test]
fn keys_from_before_the_roots_are_counted_at_the_start_and_by_doctor() {
    let place = Place::new();
    json(&place.create("acme", OWNER), PASSWORD);
    with_core(place.data(), async |core, store| {
        let owner = owner_session(core, OWNER, PASSWORD).await;
        let model = Aaguid::new([7; 16]);
        let attestation = Some(AttestationPolicy::Allow([model].into()));
        let change = SettingsChange { attestation, ..SettingsChange::default() };
        core.change_settings(&owner, change, &Origin::default()).await.unwrap();
        let key = WebAuthnCredential {
            rp_id: core.relying_party().id().to_owned(),
            aaguid: model,
            attestation_format: "packed".to_owned(),
            trust: Trust::Signed,
            ..key_of(&owner, core.now())
        };
        let insert = async move |tx: &mut Tx<'_>| webauthn_credentials::insert(tx, &key).await;
        assert!(store.write(insert).await.unwrap());
    });
    let file = place.around().join("roots.pem");
    fs::write(&file, pem(&maker_root())).unwrap();
    let doctor = |with_roots: bool| {
        let mut command = countersign(&["doctor", "--data", place.text()]);
        if with_roots {
            command.env("COUNTERSIGN_ATTESTATION_ROOTS", &file);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(!doctor(false).contains("bound without attestation_roots"));
    let told = doctor(true);
    assert!(told.contains("1 security keys and passkeys were bound without attestation_roots"), "{told}");
    let mut serve = countersign(&["serve", "--data", place.text()]);
    serve.env("COUNTERSIGN_ATTESTATION_ROOTS", &file);
    let (_, log) = Server::start(serve).stop();
    assert!(log.contains("1 security keys and passkeys were bound without attestation_roots"), "{log}");
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64.encode(der))
}

#[test]
fn roots_that_are_no_certificates_are_refused() {
    let place = Place::new();
    let file = place.around().join("roots.pem");
    fs::write(&file, "not a certificate").unwrap();
    let serve = ["serve", "--data", place.text(), "--listen", "127.0.0.1:0"];
    let refused = countersign(&serve).env("COUNTERSIGN_ATTESTATION_ROOTS", &file).output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("attestation_roots"), "{told}");
}
