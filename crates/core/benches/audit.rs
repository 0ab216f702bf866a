//! How many entries a second the verification walks over: an export with the public keys alone, and the database.
//!
//! `cargo bench -p countersign-core --bench audit`; `ENTRIES=1000000` for more of them than 200,000.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on stops, and tells its figures"
)]

use countersign_core::audit_chain::{ExportFormat, OutsideCheckpoints, verify_export};
use countersign_core::audit_log::EventFilter;
use countersign_model::Clock as _;
use countersign_model::audit::{ActorKind, AuditActor, AuditEvent, Outcome};
use countersign_model::entropy::OsEntropy;
use countersign_model::ids::{AccountId, EventId};
use countersign_store::{StoreError, Tx, audit};
use countersign_testkit::{Engine, Kit};
use std::time::Instant;

const ROUNDS: usize = 5;

fn main() {
    let entries = std::env::var("ENTRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000_u64);
    countersign_testkit::run(Engine::Sqlite, async |kit: Kit| {
        let account = kit.account("acme").await.id;
        write(&kit, &account, entries).await;
        let began = now();
        let done = kit.core().sequencer().finish().await.unwrap();
        tell("number, hash and sign", done.chained, began);

        let export = kit.core().export_audit_log_of(&account, EventFilter::default(), ExportFormat::Jsonl).await;
        let (mut export, mut text) = (export.unwrap(), Vec::new());
        kit.core().sequencer().finish().await.unwrap();
        let began = now();
        while let Some(part) = export.next_part().await.unwrap() {
            text.extend(part);
        }
        tell("export", done.chained, began);
        let keys = kit.core().audit_public_keys();
        for _ in 0..ROUNDS {
            let began = now();
            let check = verify_export(text.as_slice(), &keys).unwrap();
            assert!(check.is_proved());
            tell("verify an export", usize::try_from(check.entries).unwrap(), began);
        }
        for _ in 0..ROUNDS {
            let began = now();
            let check = kit.core().verify_audit_log(&account, &OutsideCheckpoints::default()).await.unwrap();
            assert!(check.is_proved());
            tell("verify the database", usize::try_from(check.entries).unwrap(), began);
        }
    });
}

async fn write(kit: &Kit, account: &AccountId, entries: u64) {
    let mut left = entries;
    while left > 0 {
        let (account, some, clock) = (account.clone(), left.min(5_000), kit.clock().now());
        let unit = async move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            for number in 0..some {
                let at = clock.plus(std::time::Duration::from_micros(number));
                audit::insert(tx, &event(&account, at)).await?;
            }
            Ok(())
        };
        kit.store().write(unit).await.unwrap();
        kit.advance(std::time::Duration::from_millis(10));
        left -= some;
    }
}

fn event(account: &AccountId, at: countersign_model::Timestamp) -> AuditEvent {
    AuditEvent {
        account_id: account.clone(),
        id: EventId::at(at, &OsEntropy),
        at,
        actor: AuditActor {
            kind: ActorKind::RamUser,
            id: "200000000000000001".to_owned(),
            name: "alice@acme".to_owned(),
        },
        action: "ConsoleSignin".to_owned(),
        target: String::new(),
        outcome: Outcome::Success,
        reason: "password+virtual-mfa".to_owned(),
        details: "unusual=new-browser;".to_owned(),
        address: "2001:db8::7".to_owned(),
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}

fn tell(what: &str, entries: usize, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    let entries = f64::from(u32::try_from(entries).unwrap());
    println!("{what:24} {:>9.0} entries a second ({seconds:.2} s)", entries / seconds);
}
