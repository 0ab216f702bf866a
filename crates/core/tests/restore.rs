//! A backup of yesterday comes back: nothing that was used, ended or revoked since is worth anything again.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::Refusal;
use countersign_core::operator::Restored;
use countersign_model::audit::Outcome;
use countersign_model::logon::LogonState;
use countersign_store::{Value, params};
use countersign_testkit::people::expose;
use countersign_testkit::{Kit, Person, Phone, both_engines, origin, reason, refusal};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
const STEP: Duration = Duration::from_secs(30);

both_engines! {
    async fn attack_143_a_restored_backup_takes_nothing_twice(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let at_code = kit.waiting(&alice, LogonState::SecondFactor).await;
        let owner = kit.owner_session(&acme).await;
        kit.ram_user(&acme, "bob").await;
        kit.core().start_binding_for(&owner.actor, "bob", origin()).await.unwrap();
        leave_things_open(&kit, &alice).await;

        // A day later the backup comes back: the tables are those of yesterday, and nobody knows which codes were used
        // since.
        kit.advance(DAY);
        let used: Vec<String> = (-2..=2).map(|step| phone.code_at(&kit, step)).collect();
        let (restored, told) = kit.told(&acme.id, kit.core().mark_restored()).await;
        let Restored { ended, devices, stale, codes_from, keys_disabled, passkeys_held } = restored.unwrap();
        assert_eq!(told, ["operator RestoreInstallation success"]);
        assert!(ended.sessions >= 2 && ended.logons >= 1 && ended.browsers >= 1, "{ended:?}");
        assert_eq!((ended.machines, ended.bindings, ended.proofs, devices, stale), (1, 1, 2, 1, 1));
        assert_eq!((keys_disabled, passkeys_held), (0, 0));

        // What was open is over, for everybody.
        for token in [&visitor.token, &owner.token] {
            assert_eq!(refusal(kit.core().session(token).await), Refusal::NotLoggedOn);
        }
        let late = kit.core().logon_with_code(&at_code, phone.code(&kit), origin()).await;
        assert_eq!(refusal(late), Refusal::LogonOver);
        for table in ["sessions", "logons", "remembered_machines", "machine_secrets", "known_browsers", "proofs", "proof_windows"] {
            assert_eq!(kit.count(table).await, 0, "{table}");
        }
        assert_eq!(kit.int("SELECT COUNT(*) FROM virtual_mfa WHERE state = 'pending'", &[]).await, 0);
        assert_eq!(kit.int("SELECT COUNT(*) FROM recovery_codes WHERE used_at IS NULL", &[]).await, 0);

        // No code that can have been used is taken, whichever way the device's clock is off.
        for code in used {
            assert_eq!(try_code(&kit, &alice, code).await, "otp_replay");
            release(&kit).await;
        }
        kit.clock().set(codes_from.minus(Duration::from_secs(20)));
        assert_eq!(try_code(&kit, &alice, phone.code(&kit)).await, "otp_replay");
        release(&kit).await;
        // And the next one is.
        kit.clock().set(codes_from.plus(Duration::from_secs(10)));
        kit.advance(STEP);
        kit.session_with(&alice, &phone).await;
    }

    /// Mail that waited may have been sent since, and a link may have been used: neither comes again.
    async fn attack_143_waiting_mail_and_links_of_a_backup_are_over(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_owner(&acme).await;
        let link = expose(&kit.core().claim_notices(10).await.unwrap().remove(0).notice.disown_token);
        kit.core().notice_of_link(&link).await.unwrap();
        kit.advance(DAY);
        assert!(kit.core().mark_restored().await.unwrap().ended.mails >= 1);
        assert_eq!(kit.core().claim_notices(10).await.unwrap().len(), 0);
        assert_eq!(reason(kit.core().notice_of_link(&link).await), "link_expired");
        assert_eq!(reason(kit.core().disown_by_link(&link, origin()).await), "link_expired");
        // What is told from now on is sent, and its links are good.
        kit.advance(DAY);
        kit.core().reset_owner_mfa("acme").await.unwrap();
        let link = expose(&kit.core().claim_notices(10).await.unwrap().remove(0).notice.disown_token);
        kit.core().disown_by_link(&link, origin()).await.unwrap();
    }

    async fn attack_143_a_clock_measured_ten_steps_off_is_covered(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        kit.sql("UPDATE virtual_mfa SET drift = 10", &[]).await;
        kit.core().mark_restored().await.unwrap();
        for ahead in 9..=11 {
            try_code(&kit, &alice, phone.code_at(&kit, ahead)).await;
            release(&kit).await;
        }
    }

    async fn the_mark_is_whole_and_can_be_made_again(kit: Kit) {
        let acme = kit.account("acme").await;
        let other = kit.account("other").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let epochs = "SELECT CAST(SUM(epoch) AS BIGINT) FROM principals";
        let before = (kit.int(epochs, &[]).await, kit.int("SELECT CAST(SUM(epoch) AS BIGINT) FROM accounts", &[]).await);
        kit.core().tick().await.unwrap();
        let mark = "SELECT CAST(value AS BIGINT) FROM facts WHERE name = 'high_water'";
        let high = kit.int(mark, &[]).await;
        kit.core().mark_restored().await.unwrap();
        let principals = kit.count("principals").await;
        assert_eq!(kit.int(epochs, &[]).await, before.0 + principals);
        assert_eq!(kit.int("SELECT CAST(SUM(epoch) AS BIGINT) FROM accounts", &[]).await, before.1 + 2);
        assert_eq!(kit.int(mark, &[]).await, high, "the time seen stays");

        let again = kit.core().mark_restored().await.unwrap();
        assert_eq!((again.ended.sessions, again.devices, again.stale), (0, 0, 0));
        for account in [&acme.id, &other.id] {
            let events = kit.events(account).await;
            let marks = events.iter().filter(|event| event.action == "RestoreInstallation");
            assert_eq!(marks.filter(|event| event.outcome == Outcome::Success).count(), 2);
        }
        kit.advance(STEP * 12);
        kit.session_with(&alice, &phone).await;
    }

    async fn a_code_spent_later_than_the_mark_stays_spent(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.bound_user(&acme, "alice").await;
        kit.sql("UPDATE virtual_mfa SET last_step = 9000000000", &[]).await;
        assert_eq!(kit.core().mark_restored().await.unwrap().devices, 0);
        assert_eq!(kit.int("SELECT last_step FROM virtual_mfa", &[]).await, 9_000_000_000);
    }
}

/// What other parts of the house write: a remembered machine, a known browser, recovery codes, a proof and its window.
async fn leave_things_open(kit: &Kit, person: &Person) {
    let find = "SELECT principal_id FROM principals WHERE name = $1";
    let rows = kit.rows(find, params![person.name]).await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let [Value::Text(id)] = row.as_slice() else { panic!("{row:?}") };
    let (account, hash, later) = (person.account.as_str(), [7_u8; 32], 4_000_000_000_000_000_i64);
    kit.sql(
        "INSERT INTO remembered_machines (account_id, machine_id, principal_id, principal_epoch, account_epoch, created_at, \
         expires_at, last_used_at, address, user_agent) VALUES ($1, 'm', $2, 1, 1, 0, $3, 0, '', '')",
        params![account, id, later],
    )
    .await;
    kit.sql(
        "INSERT INTO machine_secrets (token_hash, account_id, machine_id) VALUES ($1, $2, 'm')",
        params![hash, account],
    )
    .await;
    kit.sql(
        "INSERT INTO known_browsers (token_hash, account_id, principal_id, browser_id, created_at, expires_at) \
         VALUES ($1, $2, $3, 'b', 0, $4)",
        params![hash, account, id, later],
    )
    .await;
    for number in 0..3_u8 {
        let used: Option<i64> = (number == 0).then_some(1);
        kit.sql(
            "INSERT INTO recovery_codes (account_id, principal_id, code_hash, created_at, used_at) VALUES ($1, $2, $3, 0, $4)",
            params![account, id, [number; 32], used],
        )
        .await;
    }
    kit.sql(
        "INSERT INTO proofs (token_hash, account_id, principal_id, session_id, operation, arguments, expires_at) \
         VALUES ($1, $2, $3, 's', 'o', $1, $4)",
        params![hash, account, id, later],
    )
    .await;
    kit.sql("INSERT INTO proof_windows (session_id, ends_at) VALUES ('s', $1)", params![later]).await;
}

/// Clears the counts, so that a test may try more often than a pause allows.
async fn release(kit: &Kit) {
    kit.sql("UPDATE budgets SET failures = 0, blocked_until = 0", &[]).await;
}

/// The reason for which a code is refused.
async fn try_code(kit: &Kit, person: &Person, code: String) -> &'static str {
    let token = kit.waiting(person, LogonState::SecondFactor).await;
    reason(kit.core().logon_with_code(&token, code, origin()).await)
}

/// A whole round with files: backed up, used on, and put back.
#[test]
fn attack_143_yesterdays_file_put_back_takes_no_code_of_today() {
    countersign_testkit::run(countersign_testkit::Engine::Sqlite, async |kit: Kit| {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let folder = kit.folder().unwrap();
        let (database, backup) = (folder.join("data/countersign.db"), folder.join("backup.db"));
        countersign_store::copies::take(&database, &backup).unwrap();
        assert!(countersign_store::copies::take(&database, &backup).is_err(), "an existing file is never overwritten");

        kit.advance(DAY);
        let code = phone.code(&kit);
        kit.session_with(&alice, &phone).await;
        // Half an hour later the disk breaks.
        let (restored, store) = kit.open_copy(&copy(&backup, "restored")).await;
        restored.mark_restored().await.unwrap();
        assert_eq!(refusal(restored.session(&visitor.token).await), Refusal::NotLoggedOn);
        let logon = async |code: String| {
            let token = restored.begin_logon(alice.logon_name.clone()).await.unwrap();
            let step = restored.logon_with_password(&token, alice.secret(), origin()).await.unwrap();
            let countersign_core::logon::LogonStep::Ask { token, .. } = step else { panic!("{step:?}") };
            restored.logon_with_code(&token, code, origin()).await
        };
        assert_eq!(reason(logon(code).await), "otp_replay");
        assert_eq!(reason(logon(phone.code(&kit)).await), "otp_replay");
        kit.advance(STEP * 12);
        logon(phone.code(&kit)).await.unwrap();
        store.close().await;
        unmarked_would_have_taken_it(&kit, &backup, &alice, &phone).await;
    });
}

/// So that the test above shows something: without the mark the used code is taken.
async fn unmarked_would_have_taken_it(kit: &Kit, backup: &std::path::Path, alice: &Person, phone: &Phone) {
    let (unmarked, store) = kit.open_copy(&copy(backup, "unmarked")).await;
    let token = unmarked.begin_logon(alice.logon_name.clone()).await.unwrap();
    let step = unmarked.logon_with_password(&token, alice.secret(), origin()).await.unwrap();
    let countersign_core::logon::LogonStep::Ask { token, .. } = step else { panic!("{step:?}") };
    unmarked.logon_with_code(&token, phone.code(kit), origin()).await.unwrap();
    store.close().await;
}

fn copy(backup: &std::path::Path, name: &str) -> std::path::PathBuf {
    let folder = backup.parent().unwrap().join(name);
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(backup, folder.join("countersign.db")).unwrap();
    folder.join("countersign.db")
}
