//! `countersign access-key create`.

use crate::place::{OWNER, PASSWORD, Place, audit_log, owner_session, with_core};
use crate::process::{Server, json, refusal, run};
use countersign_core::access_keys::KeysOf;
use countersign_core::users::UserFacts;
use countersign_core::{Origin, Role};
use countersign_model::audit::{ActorKind, Outcome};
use countersign_model::names::{Comments, DisplayName};

#[test]
fn the_owner_and_a_user_get_keys_beside_a_running_server() {
    let (place, account) = Place::with_account();
    let server = Server::on(place.data());
    with_core(place.data(), async |core, _| {
        let owner = owner_session(core, OWNER, PASSWORD).await;
        let (name, display_name, comments) = ("deployer".parse().unwrap(), DisplayName::default(), Comments::default());
        let facts = UserFacts { name, display_name, comments, email: None };
        core.create_user(&owner, facts, None, &Origin::default()).await.unwrap();
    });
    let create = ["access-key", "create", "--account", "acme", "--json", "--data", place.text()];
    let of_owner = json(&create, "");
    let of_user = json(&[&create[..], &["--user", "Deployer"]].concat(), "");
    assert_eq!((&of_owner["user"], &of_user["user"]), (&serde_json::Value::Null, &"Deployer".into()));
    for (made, role) in [(&of_owner, Role::Owner), (&of_user, Role::User)] {
        let [id, secret] = ["access_key_id", "access_key_secret"].map(|key| made[key].as_str().unwrap().to_owned());
        let found = with_core(place.data(), async |core, _| core.access_key(&id).await.unwrap());
        assert_eq!((found.actor.role(), found.secret.as_slice()), (role, secret.as_bytes()));
    }
    let id = account.to_string();
    let told = run(&["access-key", "create", "--account", &id, "--data", place.text()], "");
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains("AccessKey ID      LTAI") && told.contains("the owner of") && told.contains("not shown"),
        "{told}"
    );
    let (listed, events) = with_core(place.data(), async |core, store| {
        let owner = owner_session(core, OWNER, PASSWORD).await;
        let keys = core.list_access_keys(&owner, KeysOf::Oneself, &Origin::default()).await.unwrap().keys;
        (keys, audit_log(store, &account).await)
    });
    assert_eq!(listed.len(), 2);
    let made: Vec<_> = events.iter().filter(|event| event.action == "CreateAccessKey").collect();
    assert!(made.iter().all(|event| (event.actor.kind, event.outcome) == (ActorKind::Operator, Outcome::Success)));
    assert_eq!(made.len(), 3);
    assert!(made.iter().any(|event| event.details == format!("key={};", of_owner["access_key_id"].as_str().unwrap())));
    drop(server);
}

#[test]
fn a_third_key_and_a_key_of_nobody_are_refused_with_what_to_do() {
    let (place, _) = Place::with_account();
    let create = ["access-key", "create", "--account", "acme", "--data", place.text()];
    for _ in 0..2 {
        assert!(run(&create, "").status.success());
    }
    assert!(refusal(1, &create, "").contains("two AccessKeys"));
    assert!(refusal(1, &[&create[..], &["--user", "nobody"]].concat(), "").contains("no such user"));
    let elsewhere = ["access-key", "create", "--account", "nowhere", "--data", place.text()];
    assert!(refusal(1, &elsewhere, "").contains("no such account"));
    assert!(refusal(2, &["access-key", "create"], "").contains("--account"));
}
