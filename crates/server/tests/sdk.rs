//! The public cloud's own SDKs drive the real binary, on SQLite and on PostgreSQL. The stories are in `tests/sdk`: they
//! call the RAM API with what its vendor publishes for Python, read the QR codes with `zbarimg`, compute the codes with
//! `pyotp`, and look at the console over HTTP.
//!
//! `./test` installs the packages, with the hashes that `requirements.txt` pins, below the target directory.
#![expect(clippy::expect_used, reason = "a test that cannot go on stops")]

// The server stands below the crate `testkit`, which is made of everything.
#[expect(unreachable_pub, reason = "the crate `testkit` exports it")]
#[path = "../../testkit/src/postgres.rs"]
mod postgres;

use postgres::Postgres;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where a story keeps its data.
enum Engine {
    Sqlite,
    Postgres,
}

#[test]
fn v12_sdk_life_of_a_user_on_sqlite() {
    run("life.py", &Engine::Sqlite);
}

#[test]
fn v12_sdk_life_of_a_user_on_postgres() {
    run("life.py", &Engine::Postgres);
}

#[test]
fn v12_sdk_errors_of_the_mfa_actions_on_sqlite() {
    run("mfa_errors.py", &Engine::Sqlite);
}

#[test]
fn v12_sdk_errors_of_the_mfa_actions_on_postgres() {
    run("mfa_errors.py", &Engine::Postgres);
}

#[test]
fn attack_131_sdk_paging_over_2500_users_on_sqlite() {
    run("paging.py", &Engine::Sqlite);
}

#[test]
fn attack_131_sdk_paging_over_2500_users_on_postgres() {
    run("paging.py", &Engine::Postgres);
}

#[test]
fn attack_068_sdk_threads_lose_no_update_on_sqlite() {
    run("threads.py", &Engine::Sqlite);
}

#[test]
fn attack_068_sdk_threads_lose_no_update_on_postgres() {
    run("threads.py", &Engine::Postgres);
}

#[test]
fn c36_attack_118_sdk_signatures_on_sqlite() {
    run("signatures.py", &Engine::Sqlite);
}

#[test]
fn c36_attack_118_sdk_signatures_on_postgres() {
    run("signatures.py", &Engine::Postgres);
}

#[test]
fn sdk_access_keys_live_and_die_on_sqlite() {
    run("access_keys.py", &Engine::Sqlite);
}

#[test]
fn sdk_access_keys_live_and_die_on_postgres() {
    run("access_keys.py", &Engine::Postgres);
}

#[test]
fn p01_p02_p03_sdk_groups_and_policies_on_sqlite() {
    run("policies.py", &Engine::Sqlite);
}

#[test]
fn p01_p02_p03_sdk_groups_and_policies_on_postgres() {
    run("policies.py", &Engine::Postgres);
}

#[test]
fn sdk_examples_of_the_book() {
    run("book.py", &Engine::Sqlite);
}

/// Runs a story; its account is shown when it fails.
fn run(story: &str, engine: &Engine) {
    let stories = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sdk");
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("sdk-venv");
    // What is installed there leaves the list of what it is, when all went well.
    let [wanted, installed] = [&stories, &packages].map(|folder| fs::read(folder.join("requirements.txt")).ok());
    assert!(
        wanted.is_some() && wanted == installed,
        "the SDKs that tests/sdk/requirements.txt lists are not installed in {}; `./test` installs them",
        packages.display()
    );
    let camera = Command::new("zbarimg").arg("--version").output();
    assert!(camera.is_ok(), "zbarimg is missing; `./test` installs it");

    let database = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(Postgres::throw_away()),
    };
    let mut python = Command::new(packages.join("bin/python"));
    // It writes nothing beside the stories, and hears nothing of the machine's proxies and keys.
    python
        .arg("-B")
        .arg(stories.join(story))
        .env("NO_PROXY", "*")
        .env("COUNTERSIGN", env!("CARGO_BIN_EXE_countersign"));
    for (name, _) in env::vars_os() {
        let lower = name.to_string_lossy().to_lowercase();
        if lower.ends_with("_proxy") && lower != "no_proxy" || lower.starts_with("alibaba_cloud_") {
            python.env_remove(name);
        }
    }
    python.env_remove("STORY_DATABASE");
    if let Some(database) = &database {
        python.env("STORY_DATABASE", database.url());
    }
    let output = python.output().expect("the Python of the installed packages runs");
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{story} ended with {}\n{said}\n{complained}", output.status);
}
