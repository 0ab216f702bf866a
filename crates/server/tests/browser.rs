//! A real Chromium walks through the pages of the real binary. The scripts are in `tests/browser`: they read the QR code
//! off the page with `zbarimg`, compute the codes with `oathtool` and look at every page with axe-core.
//!
//! `SCREENS_DIR` names the folder for the pictures; without it they go to `.ci/out/screens`.
#![expect(clippy::expect_used, reason = "a test that cannot go on stops")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the scripts need besides the binary.
const PROGRAMS: &[&str] = &["node", "zbarimg", "oathtool"];

#[test]
fn browser_walk_english_wide() {
    run("walk.mjs", &["en", "1280"]);
}

#[test]
fn x7_browser_walk_english_narrow() {
    run("walk.mjs", &["en", "360"]);
}

#[test]
fn browser_walk_chinese_wide() {
    run("walk.mjs", &["zh-CN", "1280", "main"]);
}

#[test]
fn browser_walk_chinese_narrow() {
    run("walk.mjs", &["zh-CN", "360"]);
}

#[test]
fn x11_x13_browser_recovery_english_wide() {
    run("recovery.mjs", &["en", "1280"]);
}

#[test]
fn browser_recovery_chinese_narrow() {
    run("recovery.mjs", &["zh-CN", "360"]);
}

#[test]
fn c20_d03_browser_keys_english_wide() {
    run("keys.mjs", &["en", "1280"]);
}

#[test]
fn browser_keys_english_narrow() {
    run("keys.mjs", &["en", "360"]);
}

#[test]
fn browser_keys_chinese_wide() {
    run("keys.mjs", &["zh-CN", "1280"]);
}

#[test]
fn browser_keys_chinese_narrow() {
    run("keys.mjs", &["zh-CN", "360"]);
}

#[test]
fn browser_without_script() {
    run("without_script.mjs", &[]);
}

#[test]
fn browser_attacks() {
    run("attacks.mjs", &[]);
}

#[test]
fn browser_demo() {
    run("demo.mjs", &[]);
}

/// Runs a script; its account is shown when it fails.
fn run(script: &str, args: &[&str]) {
    let missing: Vec<&str> = PROGRAMS.iter().copied().filter(|name| find(name).is_none()).collect();
    let chromium = find("chromium").or_else(|| find("chromium-browser")).or_else(|| find("google-chrome"));
    assert!(
        missing.is_empty() && chromium.is_some(),
        "missing: {missing:?}, chromium {chromium:?}; `./test` installs them"
    );
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser");
    let packages = scripts.join("node_modules/playwright-core");
    assert!(packages.is_dir(), "the packages of tests/browser are missing; `./test` installs them");

    let output = Command::new("node")
        .arg(scripts.join(script))
        .args(args)
        .env("COUNTERSIGN", env!("CARGO_BIN_EXE_countersign"))
        .env("CHROMIUM", chromium.unwrap_or_default())
        .output()
        .expect("node runs");
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script} {args:?} ended with {}\n{said}\n{complained}", output.status);
}

/// A program on the path.
fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
