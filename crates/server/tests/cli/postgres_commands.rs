//! The operator's commands over PostgreSQL.

use crate::place::{OWNER, PASSWORD, Place};
use crate::postgres::Postgres;
use crate::process::countersign;
use std::io::Write as _;
use std::process::{Output, Stdio};

/// A folder for the keys, and a database beside it.
struct House {
    place: Place,
    database: Postgres,
}

impl House {
    fn with_account() -> Self {
        let house = Self { place: Place::new(), database: Postgres::throw_away() };
        let made = house.run(&house.place.create("acme", OWNER)[..8], PASSWORD);
        assert!(made.status.success(), "{made:?}");
        house
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut command = countersign(args);
        command.args(["--data", self.place.text()]).env("COUNTERSIGN_DATABASE", self.database.url());
        command.env("COUNTERSIGN_LISTEN", "127.0.0.1:0").env("COUNTERSIGN_OPS_LISTEN", "127.0.0.1:0");
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap_or_default();
        child.wait_with_output().unwrap()
    }

    fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.run(&[args, &["--json"]].concat(), "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn backup_names_the_recipe_of_postgresql() {
    let house = House::with_account();
    let file = house.place.around().join("backup.db");
    for args in [["backup", "--output"], ["restore", "--from"]] {
        let output = house.run(&[&args[..], &[file.to_str().unwrap()]].concat(), "");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && told.contains("restore --mark") && told.contains("pg_"), "{told}");
        assert!(!told.contains(&house.database.url()), "the URL holds a password");
    }
    assert!(!file.exists());
}

#[test]
fn a_database_of_postgresql_is_marked_rotated_and_examined() {
    let house = House::with_account();
    let examined = house.run(&["doctor", "--json"], "");
    assert_eq!(examined.status.code(), Some(1), "the tests' cluster forgets what it has told");
    let examined: serde_json::Value = serde_json::from_slice(&examined.stdout).unwrap();
    let lines = examined["checks"].to_string();
    assert!(lines.contains("agrees with the database's") && lines.contains("can be written"), "{lines}");
    assert!(lines.contains("fsync = off") && examined["failed"] == 3, "{lines}");
    assert_eq!(house.json(&["keys", "rotate"])["version"], 2);
    assert_eq!(house.json(&["restore", "--mark"])["devices"], 0);
    assert_eq!(house.json(&["user", "list-locked"]), serde_json::json!([]));
    assert_eq!(house.json(&["account", "clock-reset", "--yes"])["reset"], false);
    assert_eq!(house.json(&["keys", "list"])[1]["state"], "in use");
}
