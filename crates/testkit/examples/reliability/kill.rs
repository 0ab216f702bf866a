//! Forty times: people log on, the server is killed in the middle, comes back, and is held against the ledger.

use crate::client::{Client, Told, Waiting};
use crate::house::{House, Server};
use crate::population::User;
use crate::random;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const ROUNDS: usize = 40;
/// How many try to log on in a round, and over how many connections.
const PEOPLE: usize = 150;
const CLIENTS: usize = 8;

/// What the ledger keeps of a code.
struct Entry {
    user: User,
    code: String,
    /// The session, when it was told that the code was accepted.
    accepted: Option<String>,
    /// Whether it was sent a second time, and refused, before the server was killed.
    replayed: bool,
}

#[derive(Default)]
struct Sums {
    told: usize,
    refused: usize,
    unanswered: usize,
    unanswered_spent: usize,
    sessions_kept: usize,
    replays_refused: usize,
    slowest_start: Duration,
}

pub fn run() {
    println!("\nkill -9, {ROUNDS} rounds of {PEOPLE} logons over {CLIENTS} connections");
    let house = House::with(ROUNDS * PEOPLE);
    let mut sums = Sums::default();
    for (number, people) in house.users.chunks(PEOPLE).enumerate() {
        round(&house, number, people, &mut sums);
    }
    println!("  codes told as accepted                {:>6}", sums.told);
    println!("  … used a second time at once, refused {:>6}", sums.refused);
    println!(
        "  codes without an answer               {:>6}   of these spent: {}",
        sums.unanswered, sums.unanswered_spent
    );
    println!("  after the restart, sessions open      {:>6}   of {}", sums.sessions_kept, sums.told);
    println!(
        "  after the restart, codes refused      {:>6}   of {}",
        sums.replays_refused,
        sums.told + sums.unanswered
    );
    println!("  slowest start after a kill            {:>6} ms", sums.slowest_start.as_millis());
    println!("  accepted twice: 0, lost: 0, integrity_check: ok after every round");
}

fn round(house: &House, number: usize, people: &[User], sums: &mut Sums) {
    let (first, second) = (house.waiting(people), house.waiting(people));
    let server = house.serve();
    let ledger = Mutex::new(Vec::new());
    let pairs: Vec<(Waiting, Waiting)> = first.into_iter().zip(second).collect();
    let address = server.address;
    // Somewhere between before the first answer and after the last one.
    let after = Duration::from_micros(u64::from(u32::from_be_bytes(random())) % 700_000);
    std::thread::scope(|scope| {
        for share in pairs.chunks(PEOPLE.div_ceil(CLIENTS)) {
            let ledger = &ledger;
            scope.spawn(move || log_on(address, share, ledger, number));
        }
        std::thread::sleep(after);
        server.kill();
    });
    let ledger = ledger.into_inner().unwrap();
    assert_eq!(house.integrity(), "ok", "round {number}");
    let begun = Instant::now();
    let server = house.serve();
    sums.slowest_start = sums.slowest_start.max(begun.elapsed());
    hold_against(house, &server, &ledger, number, sums);
    server.kill();
}

/// Sends each one's code, and once more when it was accepted; ends when the server does.
fn log_on(address: SocketAddr, share: &[(Waiting, Waiting)], ledger: &Mutex<Vec<Entry>>, number: usize) {
    let Ok(mut client) = Client::connect(address) else { return };
    for ((token, user), (again, _)) in share {
        let code = user.code();
        let told = client.send_code(token, &code);
        let accepted = match &told {
            Ok(Told::Accepted(cookie)) => Some(cookie.clone()),
            // The step may have ended in between; such a code tells nothing.
            Ok(Told::Refused) => continue,
            Ok(Told::Other(status)) => panic!("round {number}: status {status}"),
            Err(_) => None,
        };
        let mut entry = Entry { user: user.clone(), code: code.clone(), accepted, replayed: false };
        let again = if told.is_ok() { Some(client.send_code(again, &code)) } else { None };
        let over = !matches!(again, Some(Ok(_)));
        match again {
            Some(Ok(Told::Refused)) => entry.replayed = true,
            Some(Ok(other)) => panic!("round {number}: a used code was not refused: {other:?}"),
            Some(Err(_)) | None => {}
        }
        ledger.lock().unwrap().push(entry);
        if over {
            return;
        }
    }
}

/// Nothing that was told as used may be taken again, nothing that was told as open may be closed.
fn hold_against(house: &House, server: &Server, ledger: &[Entry], number: usize, sums: &mut Sums) {
    let people: Vec<User> = ledger.iter().map(|entry| entry.user.clone()).collect();
    let (third, fourth) = (house.waiting(&people), house.waiting(&people));
    let mut client = Client::connect(server.address).unwrap();
    for ((entry, (token, _)), (again, _)) in ledger.iter().zip(third).zip(fourth) {
        let told = client.send_code(&token, &entry.code).unwrap();
        match (&entry.accepted, told) {
            (Some(cookie), Told::Refused) => {
                sums.told += 1;
                sums.refused += usize::from(entry.replayed);
                sums.replays_refused += 1;
                assert!(client.is_logged_on(cookie).unwrap(), "round {number}: a session that was told is lost");
                sums.sessions_kept += 1;
            }
            (Some(_), told) => panic!("round {number}: a code was accepted twice: {told:?}"),
            // Nobody was told: it may have been spent or not, but only once.
            (None, Told::Accepted(_)) => {
                sums.unanswered += 1;
                let twice = client.send_code(&again, &entry.code).unwrap();
                assert_eq!(twice, Told::Refused, "round {number}: a code was accepted twice");
                sums.replays_refused += 1;
            }
            (None, Told::Refused) => {
                sums.unanswered += 1;
                sums.unanswered_spent += 1;
                sums.replays_refused += 1;
            }
            (None, Told::Other(status)) => panic!("round {number}: status {status}"),
        }
    }
}
