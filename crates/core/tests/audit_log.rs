//! The audit log as people read it and take it out of the house.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_core::audit_chain::{
    AuditCheck, AuditExport, ExportFormat, ProblemKind, PublicKeys, Unreadable, verify_export,
};
use countersign_core::audit_log::{Cursor, EventFilter, PER_PAGE};
use countersign_core::keyring::KeyRing;
use countersign_core::{Origin, Refusal};
use countersign_model::audit::Outcome;
use countersign_model::principal::SystemPolicy;
use countersign_store::params;
use countersign_testkit::people::facts;
use countersign_testkit::{Account, Engine, Kit, Visitor, both_engines, origin, refusal};
use proptest::prelude::*;
use std::time::Duration;

/// Writes so many entries. Of refusals that are alike only some are written down within a minute.
async fn write(kit: &Kit, owner: &Visitor, entries: usize) {
    for number in 1..=entries {
        kit.core().user(&owner.actor, "nobody", origin()).await.unwrap_err();
        if number.is_multiple_of(10) {
            kit.advance(Duration::from_secs(61));
        }
    }
}

async fn account(kit: &Kit, entries: usize) -> (Account, Visitor) {
    let acme = kit.account("acme").await;
    let owner = kit.owner_session(&acme).await;
    write(kit, &owner, entries).await;
    kit.core().sequencer().finish().await.unwrap();
    (acme, owner)
}

async fn text_of(mut export: AuditExport) -> String {
    let mut text = Vec::new();
    while let Some(part) = export.next_part().await.unwrap() {
        text.extend(part);
    }
    String::from_utf8(text).unwrap()
}

async fn export(kit: &Kit, owner: &Visitor, filter: EventFilter, format: ExportFormat) -> String {
    text_of(kit.core().export_audit_log(&owner.actor, filter, format, origin()).await.unwrap()).await
}

fn verify(text: &str, keys: &PublicKeys) -> AuditCheck {
    verify_export(text.as_bytes(), keys).unwrap()
}

fn found(check: &AuditCheck) -> Vec<(ProblemKind, i64)> {
    check.problems.iter().map(|problem| (problem.kind, problem.seq)).collect()
}

both_engines! {
    /// Pages of fifty, there and back, without a gap and without a repetition.
    async fn pages_of_the_log_go_there_and_back(kit: Kit) {
        let (_acme, owner) = account(&kit, 120).await;
        let all = EventFilter::default;
        let page = async |cursor: Cursor| kit.core().audit_log(&owner.actor, (all(), cursor), origin()).await.unwrap();
        let (mut seen, mut pages, mut cursor) = (Vec::new(), Vec::new(), Some(Cursor::Latest));
        while let Some(at) = cursor {
            let found = page(at).await;
            seen.extend(found.events.iter().map(|event| event.id.clone()));
            pages.push(found.events.iter().map(|event| event.id.clone()).collect::<Vec<_>>());
            cursor = found.older;
        }
        assert!(seen.is_sorted_by(|a, b| a > b) && pages.len() == 3 && pages[0].len() == PER_PAGE);
        let first = page(Cursor::Latest).await;
        assert_eq!(first.total, Some(i64::try_from(seen.len()).unwrap()));
        assert!(first.newer.is_none() && first.chain.is_intact && first.chain.signed == first.chain.chained);
        let third = page(Cursor::Before(pages[1][PER_PAGE - 1].clone())).await;
        let back = page(third.newer.unwrap()).await;
        assert_eq!(back.events.iter().map(|event| event.id.clone()).collect::<Vec<_>>(), pages[1]);
        let back = page(back.newer.unwrap()).await;
        assert_eq!(back.events.iter().map(|event| event.id.clone()).collect::<Vec<_>>(), pages[0]);
        let less_than_a_page = page(Cursor::After(pages[0][3].clone())).await;
        assert_eq!(less_than_a_page.events[0].id, pages[0][0], "then it is the first");
    }

    /// Administrators read the log and every user's history; a plain user his own, and nothing from where others acted.
    async fn everybody_sees_his_own_history(kit: Kit) {
        let acme = kit.account("acme").await;
        let (owner, rita) = (kit.owner_session(&acme).await, kit.administrator(&acme, "rita").await);
        let (alice, _phone) = kit.bound_user(&acme, "alice").await;
        kit.log_on_as(&alice.logon_name, "wrong").await.unwrap_err();
        let from = Origin::new("2001:db8::1".to_owned(), "a secret browser");
        kit.core().attach_policy(&owner.actor, "alice", SystemPolicy::AdministratorAccess, &from).await.unwrap();
        kit.core().detach_policy(&owner.actor, "alice", SystemPolicy::AdministratorAccess, &from).await.unwrap();
        kit.core().unbind_for(&owner.actor, "alice", &from).await.unwrap();
        let alices = kit.session(&alice).await;
        let own = kit.core().own_history(&alices.actor, None).await.unwrap();
        let told = |events: &[countersign_model::audit::AuditEvent]| {
            events.iter().map(countersign_testkit::rows::line).collect::<Vec<_>>()
        };
        let lines = told(&own.events);
        assert_eq!(lines[0], "alice@acme ConsoleSignin success password");
        assert_eq!(lines[1], "owner@acme.example UnbindMFADevice alice success");
        assert!(lines.contains(&"alice@acme ConsoleSignin refused password_wrong".to_owned()), "{lines:#?}");
        let detached = "owner@acme.example DetachPolicyFromUser alice AdministratorAccess success";
        assert!(lines.contains(&detached.to_owned()));
        let told_where = |address: &str, browser: &str| address == "2001:db8::1" || browser == "a secret browser";
        assert!(!own.events.iter().any(|event| told_where(&event.address, &event.user_agent)));
        let others = kit.session(&rita).await;
        let history = kit.core().user_history(&others.actor, "alice", None, origin()).await.unwrap();
        assert_eq!(told(&history.events), lines);
        assert!(history.events.iter().any(|event| event.address == "2001:db8::1"));
        for refused in [
            refusal(kit.core().audit_log(&alices.actor, (EventFilter::default(), Cursor::Latest), origin()).await),
            refusal(kit.core().user_history(&alices.actor, "rita", None, origin()).await),
            refusal(
                kit.core()
                    .export_audit_log(&alices.actor, EventFilter::default(), ExportFormat::Csv, origin())
                    .await,
            ),
        ] {
            assert_eq!(refused, Refusal::NoPermission);
        }
        let other = kit.account("other").await;
        let stranger = kit.owner_session(&other).await;
        let reached = kit.core().user_history(&stranger.actor, "alice", None, origin()).await;
        assert_eq!(refusal(reached), Refusal::UserNotFound, "attack_133");
        let all = (EventFilter::default(), Cursor::Latest);
        let page = kit.core().audit_log(&stranger.actor, all, origin()).await.unwrap();
        assert!(page.events.iter().all(|event| event.account_id == other.id));
    }

    /// A history is of a person, under whatever names; whoever gets an old name gets nothing of its past.
    async fn a_history_follows_the_person_and_not_the_name(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.ram_user(&acme, "alice").await;
        kit.ram_user(&acme, "bob").await;
        kit.core().attach_policy(&owner, "alice", SystemPolicy::AdministratorAccess, origin()).await.unwrap();
        kit.core().update_user(&owner, "alice", facts("zoe"), origin()).await.unwrap();
        kit.core().update_user(&owner, "bob", facts("alice"), origin()).await.unwrap();
        let history = async |name: &str| {
            let page = kit.core().user_history(&owner, name, None, origin()).await.unwrap();
            page.events.iter().map(|event| format!("{} {}", event.action, event.target)).collect::<Vec<_>>()
        };
        let zoe = ["UpdateUser alice", "AttachPolicyToUser alice AdministratorAccess", "CreateUser alice"];
        assert_eq!(history("zoe").await, zoe);
        assert_eq!(history("alice").await, ["UpdateUser bob", "CreateUser bob"]);
    }

    /// A search that fits little looks at a part of a long log at a time, and says how far it came.
    async fn a_search_of_a_long_log_goes_on_where_it_stopped(kit: Kit) {
        let (acme, owner) = account(&kit, 1).await;
        let id = match kit.engine() {
            Engine::Sqlite => "printf('%016x%016x', 1000 + n, n)",
            Engine::Postgres => "LPAD(TO_HEX(1000 + n), 16, '0') || LPAD(TO_HEX(n), 16, '0')",
        };
        let sql = format!(
            "INSERT INTO audit_events (account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome, \
             reason, address, user_agent) WITH RECURSIVE many (n) AS \
             (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM many WHERE n < 45000) \
             SELECT $1, {id}, 1000 + n, 'owner', '', CASE WHEN n = 7 THEN 'needle' ELSE 'hay' END, 'Look', '', 'success', \
             '', '', '' FROM many"
        );
        kit.sql(Box::leak(sql.into_boxed_str()), params![acme.id]).await;
        let needle = || EventFilter { user: "needle".to_owned(), ..EventFilter::default() };
        let (mut cursor, mut pages) = (Some(Cursor::Latest), Vec::new());
        while let Some(at) = cursor {
            let page = kit.core().audit_log(&owner.actor, (needle(), at), origin()).await.unwrap();
            assert_eq!(page.searched_to.is_some(), page.older.is_some());
            pages.push(page.events.len());
            cursor = page.older;
        }
        assert_eq!(pages, [0, 0, 1]);
        // And back again.
        let first = format!("{:016x}{:016x}", 1_007, 7).parse().unwrap();
        let page = kit.core().audit_log(&owner.actor, (needle(), Cursor::After(first)), origin()).await.unwrap();
        assert!(page.events.is_empty() && page.searched_to.is_some() && page.newer.is_some());
    }

    /// A user of the same name is not the one who was deleted.
    async fn a_new_user_of_an_old_name_has_no_past(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await;
        kit.bound_user(&acme, "alice").await;
        kit.core().delete_user(&owner.actor, "alice", "alice", origin()).await.unwrap();
        let alice = kit.ram_user(&acme, "alice").await;
        let own = kit.core().own_history(&kit.session(&alice).await.actor, None).await.unwrap();
        let actions: Vec<_> = own.events.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(actions, ["ConsoleSignin", "CreateUser"]);
    }

    /// An export is verified with the public keys alone, whole or in part, and says in the log that it was made.
    async fn an_export_is_verified_without_database_and_keys(kit: Kit) {
        let (acme, owner) = account(&kit, 30).await;
        kit.advance(Duration::from_hours(3));
        let middle = kit.core().now();
        let owner_again = kit.owner_session(&acme).await;
        write(&kit, &owner_again, 20).await;
        kit.core().sequencer().finish().await.unwrap();
        kit.advance(Duration::from_hours(1));
        let end = kit.core().now();
        let owner_again = kit.owner_session(&acme).await;
        write(&kit, &owner_again, 5).await;
        kit.core().sequencer().finish().await.unwrap();
        let keys = kit.core().audit_public_keys();
        let all = EventFilter::default;
        let whole = export(&kit, &owner_again, all(), ExportFormat::Jsonl).await;
        let check = verify(&whole, &keys);
        assert!(check.is_proved() && check.after == 0 && check.signed == check.last, "{check:?}");
        assert!(check.entries > 55 && whole.matches("\"kind\":\"head\"").count() == 3);
        let part = EventFilter { from: middle, until: end, ..all() };
        let check = verify(&export(&kit, &owner_again, part.clone(), ExportFormat::Jsonl).await, &keys);
        assert!(check.is_proved() && check.signed == check.last, "{check:?}");
        assert!(check.after > 30 && check.entries >= 20, "{check:?}");
        let long_ago = owner.actor.session().session.created_at.minus(Duration::from_hours(1));
        for (from, until) in [(end.plus(Duration::from_hours(9)), all().until), (all().from, long_ago)] {
            let none = EventFilter { from, until, ..all() };
            let check = verify(&export(&kit, &owner_again, none, ExportFormat::Jsonl).await, &keys);
            assert!(check.is_proved() && check.entries == 0, "{check:?}");
        }
        let told = kit.events(&acme.id).await.into_iter().find(|event| event.action == "ExportAuditEvents").unwrap();
        assert_eq!((told.details.as_str(), told.outcome), ("mfa=no;format=jsonl;", Outcome::Success));

        let selection = EventFilter { user: "nobody".to_owned(), ..part };
        let text = export(&kit, &owner_again, selection.clone(), ExportFormat::Jsonl).await;
        assert_eq!(text.matches("{\"entry\":").count(), 20);
        assert!(matches!(verify_export(text.as_bytes(), &keys), Err(Unreadable::Selection)));
        let table = export(&kit, &owner_again, selection, ExportFormat::Csv).await;
        assert_eq!(table.lines().count(), 21);
        assert!(table.starts_with("\u{feff}seq,time,") && table.contains(",\"nobody\",\"refused\","));
        let told = kit.events(&acme.id).await.pop().unwrap();
        let details = told.details;
        assert!(details.starts_with("mfa=no;format=csv;from=") && details.ends_with("user=nobody;"), "{details}");
    }

    /// The export of a log whose beginning was dropped begins at the stub.
    async fn an_export_behind_a_stub_is_verified(kit: Kit) {
        let (acme, _) = account(&kit, 5).await;
        kit.advance(Duration::from_hours(24 * 366));
        let owner = kit.owner_session(&acme).await;
        kit.core().trim_audit_logs().await.unwrap();
        kit.core().sequencer().finish().await.unwrap();
        let text = export(&kit, &owner, EventFilter::default(), ExportFormat::Jsonl).await;
        let check = verify(&text, &kit.core().audit_public_keys());
        assert!(check.is_proved() && check.after > 5 && check.entries == 2, "{check:?}");
        let nobody = kit.account("empty").await;
        let empty = kit.core().export_audit_log_of(&nobody.id, EventFilter::default(), ExportFormat::Jsonl).await;
        let check = verify(&text_of(empty.unwrap()).await, &kit.core().audit_public_keys());
        assert!(check.is_proved() && check.entries == 0, "nothing has a number yet: {check:?}");
    }

    /// An export of a changed log is not signed, and its verification names the place.
    async fn attack_137_a_changed_log_gives_no_signed_export(kit: Kit) {
        let (acme, owner) = account(&kit, 9).await;
        let edit = "UPDATE audit_events SET reason = 'x' WHERE account_id = $1 AND seq = 5";
        kit.sql(edit, countersign_store::params![acme.id]).await;
        let text = export(&kit, &owner, EventFilter::default(), ExportFormat::Jsonl).await;
        assert!(!text.contains("\"kind\":\"export\""));
        let found = found(&verify(&text, &kit.core().audit_public_keys()));
        assert_eq!(found[0], (ProblemKind::Edited, 5));
        assert_eq!(found[1].0, ProblemKind::Cut);
    }
}

/// Every way to change an export is found, whatever else stays as it was.
#[test]
fn attack_137_a_changed_export_is_found() {
    countersign_testkit::run(Engine::Sqlite, async |kit: Kit| {
        let (_acme, owner) = account(&kit, 9).await;
        let text = export(&kit, &owner, EventFilter::default(), ExportFormat::Jsonl).await;
        let keys = kit.core().audit_public_keys();
        let lines: Vec<&str> = text.lines().collect();
        let last = i64::try_from(lines.len() - 4).unwrap();
        let places = |lines: &[&str]| found(&verify(&(lines.join("\n") + "\n"), &keys));
        assert!(places(&lines).is_empty(), "as it was: {:?}", places(&lines));
        let entry = |seq: usize| lines.iter().position(|line| line.contains(&format!("{{\"seq\":{seq},"))).unwrap();
        let with = |at: usize, line: &str| {
            let mut changed = lines.clone();
            changed[at] = line;
            places(&changed)
        };
        let without = |from: usize, to: usize| {
            let mut changed = lines.clone();
            changed.drain(from..to);
            places(&changed)
        };
        let edited = lines[entry(5)].replace("NoPermission", "x").replace("EntityNotExist", "EntityExists");
        assert_eq!(with(entry(5), &edited), [(ProblemKind::Edited, 5)]);
        let renumbered = lines[entry(5)].replace("\"seq\":5", "\"seq\":6");
        assert!(with(entry(5), &renumbered).contains(&(ProblemKind::Removed, 5)));
        assert_eq!(without(entry(5), entry(5) + 1), [(ProblemKind::Removed, 5)]);
        assert_eq!(without(entry(1), entry(3)), [(ProblemKind::Removed, 1)]);
        let mut swapped = lines.clone();
        swapped.swap(entry(4), entry(6));
        let swapped = places(&swapped);
        assert!(swapped.iter().all(|(kind, _)| *kind == ProblemKind::Reordered), "{swapped:?}");
        assert!(swapped.contains(&(ProblemKind::Reordered, 4)), "{swapped:?}");
        let mut twice = lines.clone();
        twice.insert(entry(6), lines[entry(5)]);
        assert_eq!(places(&twice), [(ProblemKind::Repeated, 5)]);
        // The end is gone, with the entries before it or without.
        assert_eq!(without(lines.len() - 1, lines.len()), [(ProblemKind::Cut, last)]);
        assert_eq!(without(entry(7), lines.len()), [(ProblemKind::Cut, 6)]);
        assert!(without(entry(9), lines.len() - 1).contains(&(ProblemKind::Cut, 8)));
        // A beginning that is made up.
        let start = format!("{{\"start\":{{\"seq\":2,\"hash\":\"{}\"}}}}", "0".repeat(64));
        let mut later = lines.clone();
        later[1] = &start;
        later.drain(2..4);
        let later = places(&later);
        assert!(later.contains(&(ProblemKind::Cut, 3)) && later.contains(&(ProblemKind::Edited, 3)), "{later:?}");
        let forged = lines[lines.len() - 1].replace("\"signature\":\"", "\"signature\":\"00");
        assert_eq!(with(lines.len() - 1, &forged)[0].0, ProblemKind::BadSignature);
        let renamed = lines[entry(5)].replace("\"reason\":", "\"reason\":\"x\",\"reason\":");
        assert!(with(entry(5), &renamed).contains(&(ProblemKind::Removed, 5)), "a field that comes twice");
        let hidden = lines[entry(5)].replace("\"seq\":5", "\"note\":\"x\",\"seq\":5");
        assert!(with(entry(5), &hidden).iter().any(|(kind, _)| *kind == ProblemKind::Malformed), "a field too many");
        let header = lines[0].replace("\"made_at\":\"2", "\"made_at\":\"3");
        assert_eq!(with(0, &header), [(ProblemKind::Edited, 1)]);
        let more = [&lines[..], &[lines[entry(1)]]].concat();
        assert_eq!(places(&more)[0].0, ProblemKind::Malformed);

        // Other keys, and keys from before a rotation.
        let strangers = PublicKeys::of(&KeyRing::generate(|bytes| bytes.fill(8)));
        assert!(verify(&text, &strangers).is_tampered());
        let missing = PublicKeys::parse(&keys.to_string().replace("ed25519 1 ", "ed25519 2 ")).unwrap();
        let check = verify(&text, &missing);
        assert!(!check.is_tampered() && !check.is_proved(), "nothing can be told: {check:?}");
    });
}

/// A small export of a made-up account, to be damaged.
fn sample() -> (String, PublicKeys) {
    let (sender, receiver) = std::sync::mpsc::channel();
    countersign_testkit::run(Engine::Sqlite, async |kit: Kit| {
        let (_acme, owner) = account(&kit, 3).await;
        let text = export(&kit, &owner, EventFilter::default(), ExportFormat::Jsonl).await;
        sender.send((text, kit.core().audit_public_keys())).unwrap();
    });
    receiver.recv().unwrap()
}

/// No bytes make the verification stop without an answer, and none but the true ones pass.
#[test]
fn no_junk_passes_for_an_export_and_none_breaks_the_verification() {
    let (text, keys) = sample();
    let length = text.len();
    proptest!(ProptestConfig::with_cases(400), |(junk in prop::collection::vec(any::<u8>(), 0..300))| {
        prop_assert!(verify_export(junk.as_slice(), &keys).is_err());
    });
    proptest!(ProptestConfig::with_cases(600), |(at in 0..length, byte in any::<u8>(), cut in any::<bool>())| {
        let mut bytes = text.clone().into_bytes();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let changed = bytes != text.as_bytes();
        let passes = verify_export(bytes.as_slice(), &keys).is_ok_and(|check| check.is_proved());
        // The end of the last line is the only byte that says nothing.
        prop_assert!(passes != changed || (at + 1 == length && cut), "{at} {byte}");
    });
    proptest!(ProptestConfig::with_cases(200), |(from in 0..length, to in 0..length, into in 0..length)| {
        let bytes = text.as_bytes();
        let piece = &bytes[from.min(to)..from.max(to)];
        let moved = [&bytes[..into], piece, &bytes[into..]].concat();
        let passes = verify_export(moved.as_slice(), &keys).is_ok_and(|check| check.is_proved());
        prop_assert_eq!(passes, piece.is_empty());
    });
}
