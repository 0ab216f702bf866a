//! The audit log as a chain: numbered without gaps, signed, verified, dropped when it is old enough.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_core::Countersign;
use countersign_core::audit_chain::{
    AuditCheck, Checkpoint, CheckpointKind, ExportFormat, GENESIS, OutsideCheckpoints, ProblemKind, Sequenced,
    chained_hash, checkpoint_to_line,
};
use countersign_core::audit_log::EventFilter;
use countersign_model::audit::ActorKind;
use countersign_store::{StoreError, Tx, Value, audit_chain, params};
use countersign_testkit::{Account, Engine, Kit, Visitor, both_engines, origin};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// Writes so many entries into the log of an account.
async fn write(core: &Countersign, owner: &Visitor, entries: usize) {
    for _ in 0..entries {
        core.export_audit_log(&owner.actor, EventFilter::default(), ExportFormat::Jsonl, origin()).await.unwrap();
    }
}

/// An account with so many entries more than its making left.
async fn account(kit: &Kit, alias: &str, entries: usize) -> (Account, Visitor) {
    let account = kit.account(alias).await;
    let owner = kit.owner_session(&account).await;
    write(kit.core(), &owner, entries).await;
    (account, owner)
}

async fn finish(core: &Countersign) -> Sequenced {
    core.sequencer().finish().await.unwrap()
}

async fn check(kit: &Kit, account: &Account) -> AuditCheck {
    kit.core().verify_audit_log(&account.id, &OutsideCheckpoints::default()).await.unwrap()
}

/// The verification with the checkpoints that were written to a file.
async fn check_with(kit: &Kit, account: &Account, file: &[Checkpoint]) -> AuditCheck {
    let text = file.iter().map(checkpoint_to_line).collect::<Vec<_>>().join("\n") + "\n";
    let mut outside = OutsideCheckpoints::default();
    outside.read(text.as_bytes(), &kit.core().audit_public_keys()).unwrap();
    assert!(outside.problems().is_empty());
    kit.core().verify_audit_log(&account.id, &outside).await.unwrap()
}

/// What is wrong, and where.
fn found(check: &AuditCheck) -> Vec<(ProblemKind, i64)> {
    assert_eq!(check.is_tampered(), !check.is_proved());
    check.problems.iter().map(|problem| (problem.kind, problem.seq)).collect()
}

async fn numbers(kit: &Kit, account: &Account) -> Vec<i64> {
    let sql = "SELECT seq FROM audit_events WHERE account_id = $1 ORDER BY seq";
    let rows = kit.rows(sql, params![account.id]).await;
    rows.into_iter().flatten().map(|value| if let Value::Int(seq) = value { seq } else { 0 }).collect()
}

/// Makes the hashes of the first entries anew, as somebody may who can write to the table.
async fn rehash(kit: &Kit, account: &Account, up_to: i64) {
    let of = account.id.clone();
    let unit = async move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        let mut hash = GENESIS;
        for entry in audit_chain::entries(tx, &of, (0, up_to), 100).await? {
            hash = chained_hash(&hash, entry.seq, &entry);
            let sql = "UPDATE audit_events SET hash = $1 WHERE account_id = $2 AND seq = $3";
            tx.execute(sql, params![hash, of, entry.seq]).await?;
        }
        Ok(())
    };
    kit.store().write(unit).await.unwrap();
}

both_engines! {
    /// Entries that many write at once get the numbers 1, 2, 3 …, each once, whoever of two sequencers gives them.
    async fn parallel_writers_and_two_sequencers_leave_one_chain_without_gaps(mut kit: Kit) {
        let (acme, owner) = account(&kit, "acme", 0).await;
        let (other, others) = account(&kit, "other", 3).await;
        let (first, second) = (kit.core().clone(), kit.second_node().await);
        let writers = [(first.clone(), owner.clone()), (second.clone(), owner.clone()), (second.clone(), others)];
        let mut tasks: Vec<_> = writers
            .into_iter()
            .map(|(core, visitor)| tokio::spawn(async move { write(&core, &visitor, 60).await }))
            .collect();
        for core in [first.clone(), second] {
            tasks.push(tokio::spawn(async move {
                let mut sequencer = core.sequencer();
                for _ in 0..40 {
                    sequencer.step().await.unwrap();
                    tokio::task::yield_now().await;
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        finish(&first).await;
        for (account, entries) in [(&acme, 120), (&other, 63)] {
            let numbers = numbers(&kit, account).await;
            assert!(numbers.len() >= entries);
            assert_eq!(numbers, (1..=i64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
            let check = check(&kit, account).await;
            assert!(check.is_proved() && check.waiting == 0, "{check:?}");
            assert_eq!((check.last, check.signed), (*numbers.last().unwrap(), *numbers.last().unwrap()));
        }
        assert_eq!(finish(&first).await.chained, 0);
    }

    /// Waiting entries are numbered in the order of their ids, more than one unit takes in several.
    async fn waiting_entries_are_numbered_in_their_order(kit: Kit) {
        let (acme, _) = account(&kit, "acme", 30).await;
        let mut sequencer = kit.core().sequencer();
        let step = sequencer.step().await.unwrap();
        assert!(step.chained >= 30 && !step.more && step.broken.is_empty());
        let sql = "SELECT seq FROM audit_events WHERE account_id = $1 ORDER BY event_id";
        let rows = kit.rows(sql, params![acme.id]).await;
        let expected: Vec<_> = (1..=i64::try_from(rows.len()).unwrap()).map(|seq| vec![Value::Int(seq)]).collect();
        assert_eq!(rows, expected);
    }

    /// Under load a head is signed every few seconds; a log that went quiet is signed to its end.
    async fn heads_are_signed_every_few_seconds_and_when_it_is_quiet(kit: Kit) {
        let (acme, owner) = account(&kit, "acme", 1).await;
        let mut sequencer = kit.core().sequencer();
        assert_eq!(sequencer.step().await.unwrap().checkpoints.len(), 1, "the first at once");
        let mut signed = 0;
        for _ in 0..22 {
            write(kit.core(), &owner, 1).await;
            kit.advance(Duration::from_secs(1));
            signed += sequencer.step().await.unwrap().checkpoints.len();
        }
        assert!((2..=4).contains(&signed), "{signed} in 22 seconds");
        kit.advance(Duration::from_secs(6));
        let last = numbers(&kit, &acme).await.len();
        let signed = sequencer.step().await.unwrap().checkpoints;
        assert_eq!(signed.iter().map(|one| one.seq).collect::<Vec<_>>(), [i64::try_from(last).unwrap()]);
        let idle = sequencer.step().await.unwrap();
        assert!(idle.checkpoints.is_empty() && idle.chained == 0);
        assert_eq!(kit.int("SELECT COUNT(*) FROM audit_checkpoints", &[]).await, 1, "one an hour is kept");
        kit.advance(Duration::from_hours(1));
        kit.core().reset_owner_mfa("acme").await.unwrap_err();
        sequencer.step().await.unwrap();
        assert_eq!(kit.int("SELECT COUNT(*) FROM audit_checkpoints", &[]).await, 2);
        // A clock that was ahead keeps nothing from being signed.
        kit.clock().set_back(Duration::from_mins(30));
        kit.core().reset_owner_mfa("acme").await.unwrap_err();
        assert_eq!(sequencer.step().await.unwrap().checkpoints.len(), 1);
        assert!(check(&kit, &acme).await.is_proved());
    }

    /// Whoever writes to the table, the verification names the place.
    async fn attack_137_a_changed_log_is_found_and_the_place_is_named(kit: Kit) {
        let mut accounts = std::collections::BTreeMap::new();
        for alias in [
            "edited", "removed", "first", "tail", "swapped", "moved", "copied", "joined", "signature", "checkpoint",
            "reset", "late", "good",
        ] {
            accounts.insert(alias, account(&kit, alias, 9).await.0);
        }
        let file = finish(kit.core()).await.checkpoints;
        let of = |alias: &str| &accounts[alias];
        for account in accounts.values() {
            assert!(check_with(&kit, account, &file).await.is_proved());
        }
        let last = i64::try_from(numbers(&kit, of("good")).await.len()).unwrap();

        for (column, alias) in [
            ("UPDATE audit_events SET reason = 'x' WHERE account_id = $1 AND seq = 5", "edited"),
            ("UPDATE audit_events SET at = at + 1 WHERE account_id = $1 AND seq = 7", "edited"),
        ] {
            assert_eq!(kit.sql(column, params![of(alias).id]).await, 1);
        }
        assert_eq!(found(&check(&kit, of("edited")).await), [(ProblemKind::Edited, 5), (ProblemKind::Edited, 7)]);

        kit.sql("DELETE FROM audit_events WHERE account_id = $1 AND seq IN (4, 5, 8)", params![of("removed").id]).await;
        assert_eq!(found(&check(&kit, of("removed")).await), [(ProblemKind::Removed, 4), (ProblemKind::Removed, 8)]);
        kit.sql("DELETE FROM audit_events WHERE account_id = $1 AND seq < 3", params![of("first").id]).await;
        assert_eq!(found(&check(&kit, of("first")).await), [(ProblemKind::Removed, 1)]);

        kit.sql("DELETE FROM audit_events WHERE account_id = $1 AND seq > 6", params![of("tail").id]).await;
        assert!(found(&check(&kit, of("tail")).await).iter().all(|problem| *problem == (ProblemKind::Cut, 6)));

        // Two entries change places, with their hashes and without.
        for seq in [[3_i64, -1], [6, 3], [-1, 6]] {
            let sql = "UPDATE audit_events SET seq = $1 WHERE account_id = $2 AND seq = $3";
            assert_eq!(kit.sql(sql, params![seq[1], of("swapped").id, seq[0]]).await, 1);
        }
        let swapped = found(&check(&kit, of("swapped")).await);
        assert_eq!(swapped, [(ProblemKind::Reordered, 3), (ProblemKind::Reordered, 6)]);
        kit.sql(
            "UPDATE audit_events SET event_id = (SELECT e.event_id || 'x' FROM audit_events e \
             WHERE e.account_id = $1 AND e.seq = 4) WHERE account_id = $1 AND seq = 5",
            params![of("moved").id],
        )
        .await;
        assert_eq!(found(&check(&kit, of("moved")).await), [(ProblemKind::Edited, 5)]);

        // An entry of another account in the place of one's own.
        kit.sql(
            "UPDATE audit_events SET event_id = (SELECT e.event_id FROM audit_events e \
             WHERE e.account_id = $1 AND e.seq = 5) WHERE account_id = $2 AND seq = 5",
            params![of("good").id, of("copied").id],
        )
        .await;
        assert_eq!(found(&check(&kit, of("copied")).await), [(ProblemKind::Foreign, 5)]);
        // … and behind one's own.
        kit.sql(
            "INSERT INTO audit_events (account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, \
             outcome, reason, address, user_agent, details, seq, hash) SELECT $1, event_id, at, actor_kind, actor_id, \
             actor_name, action, target, outcome, reason, address, user_agent, details, seq + 1, hash \
             FROM audit_events WHERE account_id = $2 AND seq = $3",
            params![of("joined").id, of("good").id, last],
        )
        .await;
        let joined = found(&check(&kit, of("joined")).await);
        assert!(joined.contains(&(ProblemKind::Head, last)), "{joined:?}");
        assert!(joined.contains(&(ProblemKind::Foreign, last + 1)), "{joined:?}");

        let forge = "UPDATE audit_checkpoints SET signature = hash WHERE account_id = $1";
        kit.sql(forge, params![of("signature").id]).await;
        assert_eq!(found(&check(&kit, of("signature")).await), [(ProblemKind::BadSignature, last)]);
        kit.sql(
            "UPDATE audit_checkpoints SET hash = (SELECT hash FROM audit_events WHERE account_id = $1 AND seq = 1) \
             WHERE account_id = $2",
            params![of("good").id, of("checkpoint").id],
        )
        .await;
        assert_eq!(found(&check(&kit, of("checkpoint")).await), [(ProblemKind::BadSignature, last)]);

        // All of it goes: the database alone cannot tell, the file can.
        for sql in [
            "DELETE FROM audit_events WHERE account_id = $1",
            "DELETE FROM audit_checkpoints WHERE account_id = $1",
            "DELETE FROM audit_chains WHERE account_id = $1",
        ] {
            kit.sql(sql, params![of("reset").id]).await;
        }
        assert_eq!(found(&check_with(&kit, of("reset"), &file).await), [(ProblemKind::Cut, 0)]);

        // An entry goes back among the waiting ones: its place is empty.
        kit.sql("UPDATE audit_events SET seq = NULL WHERE account_id = $1 AND seq = 5", params![of("late").id]).await;
        assert_eq!(found(&check(&kit, of("late")).await), [(ProblemKind::Removed, 5)]);
        assert!(check_with(&kit, of("good"), &file).await.is_proved());
    }

    /// An old copy of the whole log, put back with all that belongs to it, is found by the checkpoints outside it. So
    /// is another log that goes on from there.
    async fn attack_137_an_old_copy_of_the_log_is_found_by_the_checkpoint_file(kit: Kit) {
        let (acme, owner) = account(&kit, "acme", 3).await;
        let mut file = finish(kit.core()).await.checkpoints;
        for sql in [
            "CREATE TABLE old_events AS SELECT * FROM audit_events",
            "CREATE TABLE old_chains AS SELECT * FROM audit_chains",
            "CREATE TABLE old_checkpoints AS SELECT * FROM audit_checkpoints",
        ] {
            kit.sql(sql, &[]).await;
        }
        let before = i64::try_from(numbers(&kit, &acme).await.len()).unwrap();
        kit.advance(Duration::from_mins(1));
        write(kit.core(), &owner, 3).await;
        file.extend(finish(kit.core()).await.checkpoints);
        for sql in [
            "DELETE FROM audit_events",
            "DELETE FROM audit_chains",
            "DELETE FROM audit_checkpoints",
            "INSERT INTO audit_events SELECT * FROM old_events",
            "INSERT INTO audit_chains SELECT * FROM old_chains",
            "INSERT INTO audit_checkpoints SELECT * FROM old_checkpoints",
        ] {
            kit.sql(sql, &[]).await;
        }
        assert!(check(&kit, &acme).await.is_proved(), "the database alone is in order");
        assert_eq!(found(&check_with(&kit, &acme, &file).await), [(ProblemKind::Cut, before)]);
        write(kit.core(), &owner, 5).await;
        finish(kit.core()).await;
        assert_eq!(found(&check_with(&kit, &acme, &file).await), [(ProblemKind::Replaced, before + 3)]);
    }

    /// Nothing is chained behind a head that somebody else wrote; other accounts go on.
    async fn attack_137_a_forged_head_is_not_extended(kit: Kit) {
        let ((acme, owner), (other, others)) = (account(&kit, "acme", 2).await, account(&kit, "other", 2).await);
        finish(kit.core()).await;
        assert_eq!(kit.sql("UPDATE audit_chains SET seq = seq + 1 WHERE account_id = $1", params![acme.id]).await, 1);
        write(kit.core(), &owner, 2).await;
        write(kit.core(), &others, 2).await;
        let step = finish(kit.core()).await;
        assert_eq!((step.chained, step.broken), (2, vec![acme.id.clone()]));
        assert!(check(&kit, &other).await.is_proved());
        let check = check(&kit, &acme).await;
        assert_eq!((check.problems[0].kind, check.waiting), (ProblemKind::Head, 2));
        // Neither is one that is gone.
        kit.sql("DELETE FROM audit_chains WHERE account_id = $1", params![acme.id]).await;
        assert_eq!(finish(kit.core()).await.broken, std::slice::from_ref(&acme.id));
    }

    /// What was kept long enough goes, the oldest first, and a signed stub says up to where.
    async fn old_entries_are_dropped_and_a_stub_stays(kit: Kit) {
        let (acme, _) = account(&kit, "acme", 5).await;
        let mut file = finish(kit.core()).await.checkpoints;
        let old = numbers(&kit, &acme).await.len();
        kit.advance(DAY * 200);
        write(kit.core(), &kit.owner_session(&acme).await, 3).await;
        let trimmed = kit.core().trim_audit_logs().await.unwrap();
        assert_eq!((trimmed.entries, trimmed.checkpoints.len()), (0, 0), "not yet");
        kit.advance(DAY * 166);
        let waiting = numbers(&kit, &acme).await.len() - old;
        let trimmed = kit.core().trim_audit_logs().await.unwrap();
        assert_eq!(trimmed.entries, u64::try_from(old).unwrap());
        let stub = &trimmed.checkpoints[0];
        assert_eq!((stub.kind, stub.seq), (CheckpointKind::Stub, i64::try_from(old).unwrap()));
        file.extend(trimmed.checkpoints.clone());
        file.extend(finish(kit.core()).await.checkpoints);
        let checked = check_with(&kit, &acme, &file).await;
        assert!(checked.is_proved(), "{checked:?}");
        assert_eq!((checked.after, checked.entries), (stub.seq, u64::try_from(waiting + 1).unwrap()));
        let events = kit.events(&acme.id).await;
        let told = events.last().unwrap();
        assert_eq!((told.action.as_str(), told.actor.kind), ("TrimAuditLog", ActorKind::System));
        assert_eq!(told.details, format!("entries={old};last={old};"));
        // Nothing is left to drop, so nothing is written down.
        assert_eq!(kit.core().trim_audit_logs().await.unwrap().entries, 0);
        assert_eq!(kit.events(&acme.id).await.len(), events.len());

        // A stub is not forged, and not moved on.
        let forge = "UPDATE audit_checkpoints SET seq = seq + 1 WHERE account_id = $1 AND kind = 'stub'";
        kit.sql(forge, params![acme.id]).await;
        let forged = found(&check(&kit, &acme).await);
        assert!(forged.contains(&(ProblemKind::BadSignature, stub.seq + 1)), "{forged:?}");
        assert!(forged.contains(&(ProblemKind::Removed, 1)), "{forged:?}");
    }

    /// What was edited, taken away or put between is not dropped with what is old: nothing would show it any more.
    async fn attack_137_a_changed_log_is_not_laundered_by_dropping_it(kit: Kit) {
        let make = async |alias| account(&kit, alias, 9).await.0;
        let (aged, removed, stub) = (&make("aged").await, &make("removed").await, &make("stub").await);
        let (rehashed, days, good) = (&make("rehashed").await, &make("days").await, &make("good").await);
        finish(kit.core()).await;
        kit.advance(DAY);
        // Entries that are not old are made old.
        kit.sql("UPDATE audit_events SET at = 0 WHERE account_id = $1 AND seq <= 5", params![aged.id]).await;
        let settings = "UPDATE accounts SET settings = REPLACE(settings, '\"audit_retention_days\":365', \
                        '\"audit_retention_days\":0') WHERE account_id = $1";
        assert_eq!(kit.sql(settings, params![days.id]).await, 1);
        let trimmed = kit.core().trim_audit_logs().await.unwrap();
        assert_eq!((trimmed.entries, trimmed.broken.as_slice()), (0, std::slice::from_ref(&aged.id)));
        assert_eq!(found(&check(&kit, aged).await)[0], (ProblemKind::Edited, 1));

        // Old ones are changed before they go.
        kit.sql("DELETE FROM audit_events WHERE account_id = $1 AND seq = 4", params![removed.id]).await;
        kit.sql("UPDATE audit_events SET reason = 'x' WHERE account_id = $1 AND seq = 2", params![rehashed.id]).await;
        rehash(&kit, rehashed, 2).await;
        kit.sql(
            "INSERT INTO audit_checkpoints (account_id, seq, kind, hash, at, key_version, signature) \
             SELECT account_id, 3, 'stub', hash, at, key_version, signature FROM audit_checkpoints WHERE account_id = $1",
            params![stub.id],
        )
        .await;
        kit.advance(DAY * 366);
        let trimmed = kit.core().trim_audit_logs().await.unwrap();
        let mut broken = vec![aged.id.clone(), removed.id.clone(), stub.id.clone(), rehashed.id.clone()];
        broken.sort();
        assert_eq!(trimmed.broken, broken);
        assert_eq!(trimmed.checkpoints.len(), 2);
        for kept in [aged, stub, rehashed] {
            assert!(numbers(&kit, kept).await.len() > 9);
        }
        assert!(check(&kit, good).await.is_proved() && check(&kit, days).await.is_proved());

        // The administrators have a finding each, and one at a time.
        let open = "SELECT COUNT(*) FROM findings WHERE kind = 'audit-log-broken' AND settled_at IS NULL";
        assert_eq!(kit.int(open, &[]).await, 4);
        kit.core().trim_audit_logs().await.unwrap();
        assert_eq!(kit.int(open, &[]).await, 4);
    }

    /// A chain that is broken is looked at again after ever longer times, and the others go on meanwhile.
    async fn a_broken_chain_is_let_alone_for_a_while(kit: Kit) {
        let ((acme, owner), (_, others)) = (account(&kit, "acme", 2).await, account(&kit, "other", 2).await);
        let mut sequencer = kit.core().sequencer();
        sequencer.step().await.unwrap();
        kit.sql("UPDATE audit_chains SET seq = seq + 1 WHERE account_id = $1", params![acme.id]).await;
        write(kit.core(), &owner, 2).await;
        assert_eq!(sequencer.step().await.unwrap().broken, std::slice::from_ref(&acme.id));
        let mut looks = 0;
        for second in 1..=600_usize {
            kit.advance(Duration::from_secs(1));
            if second.is_multiple_of(100) {
                write(kit.core(), &others, 1).await;
            }
            let step = sequencer.step().await.unwrap();
            looks += step.broken.len();
            assert_eq!(step.chained, usize::from(second.is_multiple_of(100)));
        }
        assert_eq!(looks, 2, "after one minute, and after four more");
        let open = "SELECT COUNT(*) FROM findings WHERE kind = 'audit-log-broken' AND settled_at IS NULL";
        assert_eq!(kit.int(open, &[]).await, 1);
        // Once it is mended, its entries are numbered.
        kit.sql("UPDATE audit_chains SET seq = seq - 1 WHERE account_id = $1", params![acme.id]).await;
        kit.advance(Duration::from_hours(1));
        assert_eq!(sequencer.step().await.unwrap().chained, 2);
        assert!(check(&kit, &acme).await.is_proved());
    }

    /// Entries without a number or a signature stay, however old they are; after the last one went, the chain goes on.
    async fn only_what_is_signed_is_dropped(kit: Kit) {
        let (acme, _) = account(&kit, "acme", 2).await;
        kit.advance(DAY * 400);
        assert_eq!(kit.core().trim_audit_logs().await.unwrap().entries, 0);
        finish(kit.core()).await;
        let all = u64::try_from(numbers(&kit, &acme).await.len()).unwrap();
        assert_eq!(kit.core().trim_audit_logs().await.unwrap().entries, all);
        assert!(check(&kit, &acme).await.is_proved());
        finish(kit.core()).await;
        let check = check(&kit, &acme).await;
        assert!(check.is_proved() && check.entries == 1 && check.last == i64::try_from(all + 1).unwrap(), "{check:?}");
    }

    /// After the keys were rotated, what the old ones signed and proved still counts.
    async fn a_rotation_of_the_keys_breaks_no_chain(mut kit: Kit) {
        let (acme, _) = account(&kit, "acme", 2).await;
        let mut file = finish(kit.core()).await.checkpoints;
        let rotated = countersign_testkit::kit::keys().with_next_version(|bytes| bytes.fill(9)).unwrap();
        kit.restart_with(rotated).await.unwrap();
        assert_eq!(kit.core().use_prepared_key().await.unwrap(), Some(2));
        kit.advance(Duration::from_mins(1));
        write(kit.core(), &kit.owner_session(&acme).await, 2).await;
        file.extend(finish(kit.core()).await.checkpoints);
        assert_eq!(file.iter().map(|one| one.key_version).collect::<Vec<_>>(), [1, 2]);
        assert!(check_with(&kit, &acme, &file).await.is_proved());
        assert_eq!(kit.core().audit_public_keys().to_string().lines().count(), 2);
    }
}

/// Lines of the checkpoint file that were changed, forged or torn.
#[test]
fn attack_137_a_changed_checkpoint_file_is_told() {
    countersign_testkit::run(Engine::Sqlite, async |kit: Kit| {
        account(&kit, "acme", 2).await;
        let line = checkpoint_to_line(&finish(kit.core()).await.checkpoints[0]);
        let (torn, _) = line.split_at(40);
        let keys = kit.core().audit_public_keys();
        let read = |text: String| {
            let mut outside = OutsideCheckpoints::default();
            outside.read(text.as_bytes(), &keys).unwrap();
            let kinds: Vec<_> = outside.problems().iter().map(|problem| problem.kind).collect();
            (outside.accounts().count(), kinds)
        };
        assert_eq!(read(format!("{line}\n\n{line}\n")), (1, vec![]));
        assert_eq!(read(format!("{line}\n{torn}")), (1, vec![]), "torn while it was written");
        assert_eq!(read(format!("{torn}\n{line}\n")), (1, vec![]), "and the next server went on");
        assert_eq!(read(format!("{{}}\n{line}\n")), (1, vec![ProblemKind::Malformed]));
        let forged = line.replace("\"seq\":", "\"seq\":1");
        assert_eq!(read(format!("{forged}\n")), (0, vec![ProblemKind::BadSignature]));
        let unknown = line.replace("\"key_version\":1", "\"key_version\":7");
        assert_eq!(read(format!("{unknown}\n")), (0, vec![ProblemKind::UnknownKey]));
    });
}
