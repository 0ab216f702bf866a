//! A backup of a database of a gigabyte, taken while people log on at 500 a second.

use crate::client::{Client, Told, Waiting};
use crate::house::{House, binary};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PEOPLE: usize = 40_000;
const RATE: u32 = 500;
const CLIENTS: u32 = 8;
const BEFORE: Duration = Duration::from_secs(10);
const AFTER: Duration = Duration::from_secs(5);
/// Entries of the audit log that make the database a gigabyte large.
const ENTRIES: i64 = 1_150_000;

/// When the backup ran.
const PHASES: [&str; 3] = ["before", "while it is taken", "after"];

pub fn run() {
    println!("\nA backup while {RATE} codes a second are accepted");
    let house = House::with(PEOPLE);
    fill(&house);
    let waiting = house.waiting(&house.users);
    let bytes = house.database().metadata().unwrap().len();
    println!("  the database                          {:>6} MiB", bytes >> 20);
    let server = house.serve();
    let phase = AtomicU32::new(0);
    let measured: Mutex<Vec<(u32, Duration)>> = Mutex::default();
    let failed: Mutex<Vec<String>> = Mutex::default();
    let queue = Mutex::new(waiting.into_iter());
    let output = house.data().join("../backup.db");
    let mut took = Duration::ZERO;
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| load(server.address, &queue, &phase, &measured, &failed));
        }
        sleep(BEFORE);
        phase.store(1, Ordering::SeqCst);
        let begun = Instant::now();
        let mut backup = Command::new(binary());
        backup.args(["backup", "--json", "--output"]).arg(&output).arg("--data").arg(house.data());
        let done = backup.output().unwrap();
        took = begun.elapsed();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        phase.store(2, Ordering::SeqCst);
        sleep(AFTER);
        phase.store(3, Ordering::SeqCst);
    });
    println!(
        "  the copy                              {:>6} MiB in {:.1} s",
        output.metadata().unwrap().len() >> 20,
        took.as_secs_f64()
    );
    let measured = measured.into_inner().unwrap();
    for (number, name) in (0_u32..).zip(PHASES) {
        let mut times: Vec<Duration> = measured.iter().filter(|(of, _)| *of == number).map(|(_, time)| *time).collect();
        times.sort();
        let at = |share: usize| times[(times.len() * share / 1_000).min(times.len() - 1)].as_secs_f64() * 1_000.0;
        let (median, late, last) = (at(500), at(990), at(1_000));
        println!(
            "  {name:<18} {:>6} codes, median {median:.1} ms, 99 % within {late:.1} ms, slowest {last:.0} ms",
            times.len()
        );
    }
    let failed = failed.into_inner().unwrap();
    println!("  failed                                {:>6}", failed.len());
    assert!(failed.is_empty(), "{:?}", failed.first());
    server.kill();
}

/// Sends codes at its share of the rate, whatever the server does meanwhile.
fn load(
    address: SocketAddr,
    queue: &Mutex<std::vec::IntoIter<Waiting>>,
    phase: &AtomicU32,
    measured: &Mutex<Vec<(u32, Duration)>>,
    failed: &Mutex<Vec<String>>,
) {
    let mut client = Client::connect(address).unwrap();
    let every = Duration::from_secs(1) * CLIENTS / RATE;
    let mut due = Instant::now();
    loop {
        let now = phase.load(Ordering::SeqCst);
        let Some((token, user)) = queue.lock().unwrap().next().filter(|_| now < 3) else { return };
        if let Some(wait) = due.checked_duration_since(Instant::now()) {
            sleep(wait);
        }
        // From when it was due: a server that stalls is charged with all who would have come.
        let told = client.send_code(&token, &user.code());
        measured.lock().unwrap().push((now, due.elapsed()));
        due += every;
        match told {
            Ok(Told::Accepted(_)) => {}
            other => failed.lock().unwrap().push(format!("{other:?}")),
        }
    }
}

/// Makes the database large: the log of an account that nobody logs on to.
fn fill(house: &House) {
    let database = rusqlite::Connection::open(house.database()).unwrap();
    database
        .execute_batch(&format!(
            "PRAGMA synchronous = OFF;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ENTRIES})
             INSERT INTO audit_events (account_id, event_id, at, actor_kind, actor_id, actor_name, action, target, outcome,
                 reason, address, user_agent, seq, hash)
             SELECT '1000000000000000', printf('%032x', i), i, 'operator', '', 'operator', 'ListUsers', hex(randomblob(100)),
                 'success', '', '192.0.2.7', hex(randomblob(250)), i, randomblob(32) FROM n;
             PRAGMA wal_checkpoint(TRUNCATE);"
        ))
        .unwrap();
}
