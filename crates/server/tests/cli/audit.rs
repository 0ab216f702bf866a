//! The audit log by the command line: verified, exported, verified again elsewhere; and the file of checkpoints.

use super::place::{OWNER, Place, with_core};
use super::process::{Server, json, refusal, run};
use countersign_model::ids::AccountId;
use countersign_store::{Store, StoreError, Tx, params};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// A place whose server ran and stopped, so that its log is numbered and signed.
fn served() -> (Place, AccountId) {
    let (place, account) = Place::with_account();
    for _ in 0..3 {
        refusal(1, &["account", "reset-mfa", "--account", "acme", "--data", place.text()], "");
    }
    let (status, log) = Server::on(place.data()).stop();
    assert!(status.success(), "{log}");
    assert!(log.contains("\\\"kind\\\":\\\"head\\\""), "the log keeps them too: {log}");
    (place, account)
}

fn checkpoints(place: &Place) -> PathBuf {
    place.data().join("audit-checkpoints.jsonl")
}

fn change(place: &Place, sql: &'static str) {
    with_core(place.data(), async move |_, store: &Store| {
        let unit = async move |tx: &mut Tx<'_>| -> Result<u64, StoreError> { tx.execute(sql, params![]).await };
        assert!(store.write(unit).await.unwrap() > 0);
    });
}

#[test]
fn a_served_log_is_chained_and_its_checkpoints_lie_outside_the_database() {
    let (place, account) = served();
    let file = checkpoints(&place);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.lines().count() >= 1 && kept.contains(account.as_str()), "{kept}");

    let verify = ["audit", "verify", "--json", "--data", place.text(), "--checkpoint", file.to_str().unwrap()];
    let found = json(&verify, "");
    assert_eq!((&found["verdict"], &found["logs"][0]["waiting"]), (&"good".into(), &0.into()), "{found}");
    assert_eq!(found["logs"][0]["last"], found["logs"][0]["signed"]);
    let text = run(&["audit", "verify", "--account", "acme", "--data", place.text()], "");
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("good.") && text.contains("signed up to"), "{text}");

    // Torn by a crash, or taken away: the next server goes on.
    std::fs::write(&file, format!("{kept}{{\"account_id\":")).unwrap();
    Server::on(place.data()).stop();
    assert_eq!(json(&verify, "")["verdict"], "good");
    std::fs::remove_file(&file).unwrap();
    Server::on(place.data()).stop();
    assert!(std::fs::read_to_string(&file).unwrap().contains("\"kind\":\"head\""));
    assert_eq!(json(&verify, "")["verdict"], "good");
}

#[test]
fn attack_137_verify_says_by_its_status_that_somebody_meddled() {
    let (place, account) = served();
    let kept = place.around().join("kept.jsonl");
    std::fs::copy(checkpoints(&place), &kept).unwrap();
    let verify = ["audit", "verify", "--data", place.text(), "--checkpoint", kept.to_str().unwrap()];
    assert_eq!(run(&verify, "").status.code(), Some(0));
    change(&place, "UPDATE audit_events SET actor_name = 'nobody' WHERE seq = 2");
    let output = run(&verify, "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("TAMPERED") && told.contains("entry 2"), "{told}");
    // Everything that the database knows of it is gone.
    for sql in ["DELETE FROM audit_events", "DELETE FROM audit_checkpoints", "DELETE FROM audit_chains"] {
        change(&place, sql);
    }
    assert_eq!(run(&verify[..4], "").status.code(), Some(0), "the database alone cannot tell");
    let output = run(&[&verify[..], &["--json"]].concat(), "");
    assert_eq!(output.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["logs"][0]["problems"][0]["kind"], "cut");
    assert_eq!(found["logs"][0]["account_id"], account.as_str());
}

#[test]
fn an_export_is_verified_elsewhere_with_the_public_key() {
    let (place, account) = served();
    let (export, key) = (place.around().join("acme.jsonl"), place.around().join("key"));
    let out = export.to_str().unwrap();
    let take = ["audit", "export", "--account", "acme", "--data", place.text()];
    let with_output = [&take[..], &["--output", out]].concat();
    assert!(run(&with_output, "").status.success());
    assert_eq!(std::fs::metadata(&export).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(refusal(1, &with_output, "").contains("cannot be made"), "nothing is overwritten");
    let printed = run(&["audit", "public-key", "--data", place.text()], "");
    std::fs::write(&key, &printed.stdout).unwrap();
    assert_eq!(json(&["audit", "public-key", "--json", "--data", place.text()], "")[0]["version"], 1);

    let verify = ["audit", "verify", "--export", out, "--public-key", key.to_str().unwrap()];
    let elsewhere = [&verify[..], &["--json"]].concat();
    std::fs::rename(place.data(), place.around().join("away")).unwrap();
    let found = json(&elsewhere, "");
    assert_eq!((&found["verdict"], &found["logs"][0]["account_id"]), (&"good".into(), &account.as_str().into()));
    std::fs::rename(place.around().join("away"), place.data()).unwrap();
    let text = std::fs::read_to_string(&export).unwrap();
    assert!(text.contains("ExportAuditEvents") && text.contains(OWNER), "the log says that it was taken out");
    std::fs::write(&export, text.replace(OWNER, "other@example.com")).unwrap();
    let output = run(&verify, "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("does not match"));
    std::fs::write(&export, "not an export").unwrap();
    assert!(refusal(2, &verify, "").contains("no export of Countersign"));
    assert!(
        refusal(2, &["audit", "verify", "--export", "/nowhere", "--public-key", "/nowhere"], "")
            .contains("cannot be read")
    );

    let table = run(&[&take[..], &["--format", "csv", "--since", "2020-01-01", "--until", "2999-12-31"]].concat(), "");
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("\"ResetOwnerMFADevice\"") && table.contains("seq,time,"), "{table}");
    let trail = run(&[&take[..], &["--format", "actiontrail"]].concat(), "");
    let trail = String::from_utf8(trail.stdout).unwrap();
    let events: Vec<serde_json::Value> = trail.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!trail.contains("ResetOwnerMFADevice"), "what the operator does is no event: {trail}");
    assert!(events.iter().all(|event| event["userIdentity"]["accountId"] == account.as_str()), "{trail}");
    let none = run(&[&take[..], &["--until", "2020-01-01"]].concat(), "");
    assert_eq!(String::from_utf8(none.stdout).unwrap().lines().count(), 3, "header, start and end");
}
