//! The doctor, the clock, and who is locked.

use crate::place::{Ahead, OWNER, PASSWORD, Place, log_on_owner, owner_session, with_core, with_core_at};
use crate::process::{Server, countersign, json, refusal, run};
use countersign_core::Countersign;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

/// What the doctor says, and whether he is content. The ports are free ones.
fn examine(place: &Place, more: &[&str]) -> (bool, serde_json::Value) {
    let output = countersign(&["doctor", "--json", "--data", place.text()])
        .args(more)
        .env("COUNTERSIGN_LISTEN", "127.0.0.1:0")
        .env("COUNTERSIGN_OPS_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["healthy"], output.status.success());
    assert_eq!(output.status.code(), Some(i32::from(told["healthy"] != true)));
    (output.status.success(), told)
}

/// The lines of one status.
fn of(told: &serde_json::Value, status: &str) -> Vec<String> {
    let lines = told["checks"].as_array().unwrap().iter().filter(|line| line["status"] == status);
    lines.map(|line| format!("{}: {} -> {}", line["check"], line["found"], line["advice"])).collect()
}

#[test]
fn the_doctor_is_content_with_a_healthy_house_served_or_not() {
    let (place, _) = Place::with_account();
    let (content, told) = examine(&place, &[]);
    assert!(content && of(&told, "warn").is_empty(), "{told:#}");
    let server = Server::on(place.data());
    let ops = server.operations().to_string();
    let output = countersign(&["doctor", "--json", "--data", place.text()])
        .env("COUNTERSIGN_LISTEN", server.pages().to_string())
        .env("COUNTERSIGN_OPS_LISTEN", &ops)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("the server serves logons"), "{told}");
    assert!(server.stop().0.success());
    let text = String::from_utf8(run(&["doctor", "--data", place.text()], "").stdout).unwrap();
    assert!(text.contains("ok    key ring      it fits; version 1"), "{text}");
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let place = Place::new();
    let (content, told) = examine(&place, &[]);
    assert!(!content && of(&told, "fail").iter().any(|line| line.contains("there is no folder")), "{told:#}");
    assert!(!place.data().exists(), "he makes nothing");

    let (place, _) = Place::with_account();
    let keys = place.data().join("keyring.json");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).unwrap();
    let fails = of(&examine(&place, &[]).1, "fail");
    assert!(
        fails.iter().any(|line| line.contains("open to others (mode 0644)") && line.contains("chmod 600")),
        "{fails:?}"
    );
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    let kept = fs::read(&keys).unwrap();
    let (other, _) = Place::with_account();
    fs::copy(other.data().join("keyring.json"), &keys).unwrap();
    let fails = of(&examine(&place, &[]).1, "fail");
    assert!(fails.iter().any(|line| line.contains("not the one that this database was sealed with")), "{fails:?}");
    fs::remove_file(&keys).unwrap();
    let fails = of(&examine(&place, &[]).1, "fail");
    assert!(fails.iter().any(|line| line.contains("key ring") && line.contains("put it back")), "{fails:?}");
    fs::write(&keys, kept).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(examine(&place, &[]).0);

    // Another program where the pages should be.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = countersign(&["doctor", "--data", place.text()])
        .env("COUNTERSIGN_LISTEN", taken.local_addr().unwrap().to_string())
        .env("COUNTERSIGN_OPS_LISTEN", "127.0.0.1:0")
        .env("COUNTERSIGN_PUBLIC_URL", "https://does-not-exist.invalid")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("another program listens") && told.contains("does-not-exist.invalid is not found"), "{told}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("checks have failed"));

    // A database that is none.
    fs::write(place.data().join("countersign.db"), "x".repeat(8192)).unwrap();
    assert!(of(&examine(&place, &[]).1, "fail").iter().any(|line| line.contains("database")));
}

#[test]
fn attack_141_a_clock_that_ran_ahead_is_explained_and_reset_beside_a_server() {
    let (place, _) = Place::with_account();
    with_core_at(place.data(), Arc::new(Ahead(Duration::from_hours(24))), async |core, _| {
        owner_session(core, OWNER, PASSWORD).await;
        core.tick().await.unwrap();
    });
    let server = Server::on(place.data());
    assert_eq!(server.ask("/readyz").status, 503);
    let fails = of(&examine(&place, &[]).1, "fail");
    assert!(fails.iter().any(|line| line.contains("was seen already") && line.contains("clock-reset")), "{fails:?}");

    let reset = ["account", "clock-reset", "--data", place.text()];
    assert!(refusal(1, &reset, "").contains("say --yes"));
    assert_eq!(server.ask("/readyz").status, 503);
    let done = json(&[&reset[..], &["--yes", "--json"]].concat(), "");
    assert_eq!((&done["reset"], &done["sessions_ended"]), (&true.into(), &1.into()));
    assert_eq!(server.ask("/readyz").status, 200);
    assert_eq!(json(&[&reset[..], &["--yes", "--json"]].concat(), "")["reset"], false);
    assert!(examine(&place, &[]).0);
    assert!(server.stop().0.success());
}

#[test]
fn somebody_who_is_locked_is_listed_and_let_in_again() {
    async fn fail(core: &Countersign) {
        for _ in 0..5 {
            assert!(log_on_owner(core, OWNER, "wrong").await.is_none());
        }
    }
    let (place, account) = Place::with_account();
    let list = ["user", "list-locked", "--json", "--data", place.text()];
    assert_eq!(json(&list, ""), serde_json::json!([]));
    with_core(place.data(), async |core, _| fail(core).await);
    let listed = json(&list, "");
    assert_eq!((&listed[0]["name"], &listed[0]["factor"]), (&OWNER.into(), &"password".into()));
    assert_eq!((&listed[0]["account"], &listed[0]["failures"]), (&"acme".into(), &5.into()));

    let unlock = ["user", "unlock", "--account", account.as_str(), "--owner", "--json", "--data", place.text()];
    assert_eq!(json(&unlock, "")["counts_cleared"], 1);
    assert_eq!(json(&list, ""), serde_json::json!([]));
    with_core(place.data(), async |core, _| owner_session(core, OWNER, PASSWORD).await);
    let nobody = ["user", "unlock", "--account", "acme", "--user", "nobody", "--data", place.text()];
    assert!(refusal(1, &nobody, "").contains("no such user"));
    assert!(refusal(2, &["user", "unlock", "--account", "acme"], "").contains("--owner"));
}
