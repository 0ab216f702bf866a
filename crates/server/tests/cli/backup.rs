//! Backups and what comes of them, and the keys.

use crate::place::{OWNER, PASSWORD, Place, audit_log, bind_owner, code, log_on_owner, owner_session, with_core};
use crate::process::{Server, json, refusal, run};
use countersign_core::Origin;
use countersign_core::logon::LogonStep;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const PASSPHRASE: &str = "six words are better than two\n";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_backup_is_taken_beside_a_server_and_put_in_place_elsewhere() {
    let (place, account) = Place::with_account();
    let server = Server::on(place.data());
    let backup = place.around().join("backup.db");
    let bundle = place.around().join("backup.db.keys");
    let made = json(
        &["backup", "--output", text(&backup), "--with-keys", "--passphrase-stdin", "--json", "--data", place.text()],
        PASSPHRASE,
    );
    assert_eq!(made["bytes"].as_u64().unwrap(), backup.metadata().unwrap().len());
    assert_eq!(made["keys"], text(&bundle));
    for file in [&backup, &bundle] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    assert!(!place.around().join("backup.db.part").exists());
    assert!(!fs::read_to_string(&bundle).unwrap().contains("keys\":"), "the keys lie open in the bundle");
    // What is made after the backup is not in it.
    json(&place.create("later", "later@example.com"), PASSWORD);
    assert!(server.stop().0.success());

    let new = place.around().join("new");
    let restore = ["restore", "--from", text(&backup), "--data", text(&new)];
    assert!(refusal(1, &restore, "").contains("there is no key ring"));
    let with_keys = [&restore[..], &["--keys", text(&bundle), "--passphrase-stdin", "--json"]].concat();
    assert!(refusal(1, &with_keys, "six words are worse than two\n").contains("the passphrase is not the one"));
    assert!(!new.join("countersign.db").exists() && !new.join("keyring.json").exists());
    let restored = json(&with_keys, PASSPHRASE);
    assert_eq!(restored["ended"]["sessions"], 0);
    assert_eq!(fs::metadata(new.join("countersign.db")).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(&new).unwrap().count(), 3, "database, keys, lock");
    let listed = json(&["account", "list", "--json", "--data", text(&new)], "");
    assert_eq!(listed.as_array().unwrap().len(), 1);
    with_core(&new, async |core, store| {
        owner_session(core, OWNER, PASSWORD).await;
        let log = audit_log(store, &account).await;
        let mark = log.iter().find(|event| event.action == "RestoreInstallation").unwrap();
        assert_eq!(mark.actor.name, "operator");
    });
    // Nothing is put over what is there.
    assert!(refusal(1, &with_keys, PASSPHRASE).contains("nothing is overwritten"));
}

#[test]
fn attack_143_a_session_and_a_code_from_before_are_refused_after_a_restore() {
    let (place, _) = Place::with_account();
    let totp = with_core(place.data(), async |core, _| bind_owner(core).await);
    let backup = place.around().join("backup.db");
    json(&["backup", "--output", text(&backup), "--json", "--data", place.text()], "");
    fs::remove_file(place.data().join("countersign.db")).unwrap();
    let restored = json(&["restore", "--from", text(&backup), "--json", "--data", place.text()], "");
    assert!(restored["ended"]["sessions"].as_u64().unwrap() >= 1);
    assert_eq!(restored["devices"], 1);
    with_core(place.data(), async |core, _| {
        let Some(LogonStep::Ask { token, .. }) = log_on_owner(core, OWNER, PASSWORD).await else {
            panic!("no question")
        };
        let spent = core.logon_with_code(&token, code(core, &totp), &Origin::default()).await;
        assert!(spent.is_err(), "the step is spent");
    });
}

#[test]
fn a_backup_overwrites_nothing_and_a_restore_takes_only_whole_backups() {
    let (place, _) = Place::with_account();
    let backup = place.around().join("backup.db");
    fs::write(&backup, "precious").unwrap();
    let args = ["backup", "--output", text(&backup), "--data", place.text()];
    assert!(refusal(1, &args, "").contains("none is overwritten"));
    assert_eq!(fs::read_to_string(&backup).unwrap(), "precious");
    let nowhere = place.around().join("no/where.db");
    assert!(refusal(1, &["backup", "--output", text(&nowhere), "--data", place.text()], "").contains("No such file"));

    let new = place.around().join("new");
    let from = |path: &Path| refusal(1, &["restore", "--from", text(path), "--data", text(&new)], "");
    assert!(from(&backup).contains("no backup of Countersign"));
    assert!(from(&nowhere).contains("no such file"));
    fs::remove_file(&backup).unwrap();
    assert!(run(&args, "").status.success());
    let whole = fs::read(&backup).unwrap();
    fs::write(&backup, &whole[..whole.len() / 2]).unwrap();
    let told = from(&backup);
    assert!(told.contains("damaged") || told.contains("no backup"), "{told}");
    assert!(!new.exists());
    assert!(refusal(2, &["restore", "--data", place.text()], "").contains("--from"));
}

#[test]
fn a_restore_refuses_a_folder_that_is_served() {
    let (place, _) = Place::with_account();
    let backup = place.around().join("backup.db");
    json(&["backup", "--output", text(&backup), "--json", "--data", place.text()], "");
    let server = Server::on(place.data());
    for args in [&["restore", "--from", text(&backup)][..], &["restore", "--mark"]] {
        let told = refusal(1, &[args, &["--data", place.text()]].concat(), "");
        assert!(told.contains("stop the server") || told.contains("another process serves"), "{told}");
    }
    assert!(server.stop().0.success());
    // In place, with nobody serving, it is marked.
    let marked = json(&["restore", "--mark", "--json", "--data", place.text()], "");
    assert_eq!(marked["from"], serde_json::Value::Null);
    // The file of another database's log would be read into this one.
    fs::remove_file(place.data().join("countersign.db")).unwrap();
    fs::write(place.data().join("countersign.db-wal"), "of another").unwrap();
    let told = refusal(1, &["restore", "--from", text(&backup), "--data", place.text()], "");
    assert!(told.contains("countersign.db-wal"), "{told}");
}

#[test]
fn the_keys_are_rotated_beside_a_server_which_goes_on() {
    let (place, account) = Place::with_account();
    let totp = with_core(place.data(), async |core, _| bind_owner(core).await);
    let server = Server::on(place.data());
    let listed = || json(&["keys", "list", "--json", "--data", place.text()], "");
    assert_eq!(listed()[0]["sealed_values"], 1);
    let rotated = json(&["keys", "rotate", "--json", "--data", place.text()], "");
    assert_eq!((&rotated["version"], &rotated["sealed_anew"]), (&2.into(), &1.into()));
    let versions = listed();
    assert_eq!((&versions[0]["state"], &versions[0]["sealed_values"]), (&"old".into(), &0.into()));
    assert_eq!((&versions[1]["state"], &versions[1]["sealed_values"]), (&"in use".into(), &1.into()));
    assert_eq!(fs::metadata(place.data().join("keyring.json")).unwrap().permissions().mode() & 0o7777, 0o600);
    // The server learns of it when it is asked whether it is ready, at the latest at its next tick.
    assert_eq!(server.ask("/readyz").status, 200);
    let (_, log) = server.stop();
    assert!(log.contains("the keys were rotated"), "{log}");
    with_core(place.data(), async |core, store| {
        let Some(LogonStep::Ask { token, .. }) = log_on_owner(core, OWNER, PASSWORD).await else {
            panic!("no question")
        };
        // The code of the step after the one that was used to bind.
        let next = totp.code_at(totp.step_at(core.now().unix_seconds()).saturating_add(1));
        let next = secrecy::ExposeSecret::expose_secret(&next.expose()).to_owned();
        core.logon_with_code(&token, next, &Origin::default()).await.unwrap();
        let log = audit_log(store, &account).await;
        assert_eq!(log.iter().filter(|event| event.action == "RotateKeys").count(), 1);
    });

    let prepared = json(&["keys", "rotate", "--prepare", "--json", "--data", place.text()], "");
    assert_eq!(prepared["prepared"], 3);
    assert!(refusal(1, &["keys", "rotate", "--prepare", "--data", place.text()], "").contains("prepared already"));
    assert_eq!((&listed()[1]["state"], &listed()[2]["state"]), (&"in use".into(), &"prepared".into()));
    let resumed = json(&["keys", "rotate", "--resume", "--json", "--data", place.text()], "");
    assert_eq!((&resumed["rotated"], &resumed["version"]), (&false.into(), &2.into()));
    let rotated = json(&["keys", "rotate", "--json", "--data", place.text()], "");
    assert_eq!((&rotated["version"], &rotated["sealed_anew"]), (&3.into(), &1.into()));
}

#[test]
fn the_keys_go_under_a_passphrase() {
    let (place, _) = Place::with_account();
    let bundle = place.around().join("keys");
    let export = ["keys", "export", "--output", text(&bundle), "--passphrase-stdin", "--json", "--data", place.text()];
    assert!(refusal(1, &export, "short\n").contains("too short"));
    assert!(!bundle.exists());
    json(&export, PASSPHRASE);
    assert!(refusal(1, &export, PASSPHRASE).contains("none is overwritten"));
    // The same keys, on a machine that lost its own.
    fs::remove_file(place.data().join("keyring.json")).unwrap();
    let mark = ["restore", "--mark", "--keys", text(&bundle), "--passphrase-stdin", "--json", "--data", place.text()];
    json(&mark, PASSPHRASE);
    with_core(place.data(), async |core, _| owner_session(core, OWNER, PASSWORD).await);
    // A stranger's bundle does not fit, and is taken back.
    let (other, _) = Place::with_account();
    fs::remove_file(other.data().join("keyring.json")).unwrap();
    let mark = ["restore", "--mark", "--keys", text(&bundle), "--passphrase-stdin", "--data", other.text()];
    assert!(refusal(1, &mark, PASSPHRASE).contains("not the one this database was sealed with"));
    assert!(!other.data().join("keyring.json").exists());
}
