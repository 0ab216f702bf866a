//! `serve --demo`.

use crate::place::{log_on_owner, with_core};
use crate::process::{Server, countersign};
use countersign_core::logon::LogonStep;
use countersign_core::users::{MfaFilter, UsersQuery};
use countersign_core::{Countersign, Origin};
use countersign_model::logon::LogonState;
use countersign_model::names::LogonName;
use countersign_model::token::Token;
use countersign_otp::{Secret, Totp};
use secrecy::ExposeSecret as _;
use std::path::PathBuf;

/// The cells of the row of the printed table that begins with this.
fn row<'a>(greeting: &'a str, first: &str) -> Vec<&'a str> {
    let line = greeting.lines().find(|line| line.trim_start().starts_with(first)).unwrap();
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

async fn with_password(core: &Countersign, name: &str, password: &str) -> Option<LogonStep> {
    let name = LogonName::ram_user(name, "countersign.local").unwrap();
    let token = core.begin_logon(name).await.unwrap();
    core.logon_with_password(&token, password.into(), &Origin::default()).await.ok()
}

async fn with_code(core: &Countersign, token: &Token, key: &str) -> Option<LogonStep> {
    let totp = Totp::new(&Secret::from_base32(key).unwrap());
    let typed = totp.code_at(totp.step_at(core.now().unix_seconds())).expose().expose_secret().to_owned();
    core.logon_with_code(token, typed, &Origin::default()).await.ok()
}

#[test]
fn the_demo_prints_what_logs_on_and_goes_away_at_the_end() {
    let around = tempfile::tempdir().unwrap();
    let mut command = countersign(&["serve", "--demo"]);
    command.env("TMPDIR", around.path()).env("COUNTERSIGN_DATABASE", "postgres://must-not-be-touched.invalid/x");
    let server = Server::start(command);
    let folders = || std::fs::read_dir(around.path()).unwrap().map(|entry| entry.unwrap().path());
    let data: PathBuf = folders().next().unwrap();

    with_core(&data, async |core, _| {
        let owner = row(&server.greeting, "Account owner");
        let Some(LogonStep::Open { token, urge_binding: true, .. }) = log_on_owner(core, owner[1], owner[2]).await
        else {
            panic!("the owner does not log on")
        };
        let actor = core.session(&token).await.unwrap();
        let everybody = UsersQuery { search: String::new(), mfa: MfaFilter::default(), offset: 0, limit: 1 };
        let (_, users) = core.list_users(&actor, everybody, &Origin::default()).await.unwrap();
        assert_eq!(users, 41, "forty users and the administrator");
        for (who, locked) in [("dana", true), ("eleni", false)] {
            let user = core.user(&actor, who, &Origin::default()).await.unwrap();
            assert_eq!(user.password_budget.is_locked(user.now), locked, "{who}");
            assert_eq!(user.device_budget.is_locked(user.now), !locked, "{who}");
        }

        for who in ["Administrator", "User with a device"] {
            let cells = row(&server.greeting, who);
            let step = with_password(core, cells[1], cells[2]).await;
            let Some(LogonStep::Ask { state: LogonState::SecondFactor, token }) = step else { panic!("{who}") };
            assert!(matches!(with_code(core, &token, cells[3]).await, Some(LogonStep::Open { .. })), "{who}");
        }
        let cells = row(&server.greeting, "User who must bind");
        let step = with_password(core, cells[1], cells[2]).await;
        assert!(matches!(step, Some(LogonStep::Ask { state: LogonState::Bind, .. })));
        let cells = row(&server.greeting, "User, no MFA");
        assert!(matches!(with_password(core, cells[1], cells[2]).await, Some(LogonStep::Open { .. })));
    });
    assert_eq!(server.ask("/readyz").status, 200);
    assert!(server.stop().0.success());
    assert_eq!(folders().count(), 0, "the throw-away folder stays behind");
}
