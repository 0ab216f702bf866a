//! The operator's commands.

use crate::place::{OWNER, PASSWORD, Place, audit_log, bind_owner, log_on_owner, owner_session, with_core};
use crate::process::{Server, json, refusal, run};
use countersign_core::logon::LogonStep;
use countersign_model::audit::{ActorKind, Outcome};
use countersign_model::logon::LogonState;

#[test]
fn an_account_is_made_and_listed_beside_a_running_server() {
    let place = Place::new();
    let server = Server::on(place.data());
    let made = json(&place.create("acme", OWNER), PASSWORD);
    assert_eq!(made["alias"], "acme");
    assert_eq!(made["owner"], OWNER);
    assert_eq!(made["account_id"].as_str().unwrap().len(), 16);

    json(&place.create("zeta", "other@example.com"), &format!("{PASSWORD}\r\n"));
    let listed = json(&["account", "list", "--json", "--data", place.text()], "");
    let aliases: Vec<&str> = listed.as_array().unwrap().iter().map(|row| row["alias"].as_str().unwrap()).collect();
    assert_eq!(aliases, ["acme", "zeta"]);
    assert_eq!(listed[0]["owner_last_logon_at"], serde_json::Value::Null);

    let table = run(&["account", "list", "--data", place.text()], "").stdout;
    let table = String::from_utf8(table).unwrap();
    assert!(table.starts_with("ALIAS  ID") && table.contains("never"), "{table}");

    for password in [PASSWORD, "something else"] {
        let opened = with_core(place.data(), async |core, _| log_on_owner(core, "other@example.com", password).await);
        assert_eq!(matches!(opened, Some(LogonStep::Open { .. })), password == PASSWORD);
    }
    drop(server);
}

#[test]
fn an_account_that_cannot_be_made_is_refused_with_what_to_do() {
    let (place, _) = Place::with_account();
    let refused = |alias, owner, password| refusal(1, &place.create(alias, owner), password);
    assert!(refused("acme", "new@example.com", PASSWORD).contains("choose another one"));
    assert!(refused("new", OWNER, PASSWORD).contains("another account"));
    assert!(refused("new", "new@example.com", "short").contains("too weak"));
    assert!(refused("new", "new@example.com", "").contains("on one line"));
    assert!(refused("new", "new@example.com", "two\nlines").contains("on one line"));
    let asked = ["account", "create", "--alias", "new", "--owner", "new@example.com", "--data", place.text()];
    assert!(refusal(1, &asked, "").contains("--password-stdin"));
    assert!(refusal(2, &place.create("Not An Alias", OWNER), PASSWORD).contains("lower-case"));
    assert!(refusal(2, &["account", "create"], "").contains("--alias"));
    assert_eq!(json(&["account", "list", "--json", "--data", place.text()], "").as_array().unwrap().len(), 1);
}

#[test]
fn commands_for_what_is_there_make_no_installation() {
    let place = Place::new();
    let lists = ["account", "list", "--data", place.text()];
    let resets = ["account", "reset-mfa", "--account", "acme", "--data", place.text()];
    for args in [&lists[..], &resets] {
        let told = refusal(1, args, "");
        assert!(told.contains("there is no database at") && told.contains("--data"), "{told}");
    }
    assert!(!place.data().exists());
}

#[test]
fn the_owner_comes_back_after_reset_mfa_and_it_is_audited() {
    let (place, account) = Place::with_account();
    with_core(place.data(), async |core, _| {
        bind_owner(core).await;
        let step = log_on_owner(core, OWNER, PASSWORD).await;
        assert!(matches!(step, Some(LogonStep::Ask { state: LogonState::SecondFactor, .. })));
    });
    let reset = ["account", "reset-mfa", "--account", account.as_str(), "--json", "--data", place.text()];
    assert_eq!(json(&reset, "")["mfa"], "unbound");
    assert!(refusal(1, &reset, "").contains("no MFA device bound"));

    with_core(place.data(), async |core, store| {
        let step = log_on_owner(core, OWNER, PASSWORD).await;
        assert!(matches!(step, Some(LogonStep::Open { urge_binding: true, .. })));
        let log = audit_log(store, &account).await;
        let resets: Vec<_> = log.iter().filter(|event| event.action == "ResetOwnerMFADevice").collect();
        let outcomes: Vec<_> = resets.iter().map(|event| event.outcome).collect();
        assert_eq!(outcomes, [Outcome::Refused, Outcome::Success], "the newest first");
        assert!(resets.iter().all(|event| event.actor.kind == ActorKind::Operator && event.target == OWNER));
        assert!(resets.iter().all(|event| event.address == "command line"));
    });
}

#[test]
fn the_owner_comes_back_after_reset_password_and_it_is_audited() {
    let (place, account) = Place::with_account();
    let reset = ["account", "reset-password", "--account", "acme", "--json", "--data", place.text()];
    let answer = json(&reset, "");
    let random = answer["password"].as_str().unwrap();
    assert_eq!(answer["must_change"], true);
    with_core(place.data(), async |core, _| {
        assert!(log_on_owner(core, OWNER, PASSWORD).await.is_none(), "the old password");
        let step = log_on_owner(core, OWNER, random).await;
        assert!(matches!(step, Some(LogonStep::Ask { state: LogonState::ChoosePassword, .. })));
    });

    let chosen = [&reset[..], &["--password-stdin"]].concat();
    let answer = json(&chosen, "another good password\n");
    assert_eq!(answer["password"], serde_json::Value::Null);
    with_core(place.data(), async |core, store| {
        owner_session(core, OWNER, "another good password").await;
        let log = audit_log(store, &account).await;
        let resets: Vec<_> = log.iter().filter(|event| event.action == "ResetOwnerPassword").collect();
        assert_eq!(resets.len(), 2);
        assert!(
            resets.iter().all(|event| event.actor.kind == ActorKind::Operator && event.outcome == Outcome::Success)
        );
        assert!(!format!("{log:?}").contains(random), "the password stands in the log");
    });
    assert!(refusal(1, &chosen, "weak").contains("too weak"));
    let unknown = ["account", "reset-password", "--account", "nobody", "--data", place.text()];
    assert!(refusal(1, &unknown, "").contains("account list"));
}
