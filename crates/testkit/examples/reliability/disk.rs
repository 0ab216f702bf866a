//! The disk is full: no write succeeds beyond a limit. Refused with 503, no code lost or taken twice, and all goes on by
//! itself when there is room again.

use crate::client::{Client, Told};
use crate::house::{House, Server};
use std::process::Command;

const PEOPLE: usize = 1_500;

pub fn run() {
    println!("\nA full disk (RLIMIT_FSIZE on the server), {PEOPLE} logons");
    let house = House::with(PEOPLE);
    let waiting = house.waiting(&house.users);
    let mut server = house.serve_without_signal();
    let mut client = Client::connect(server.address).unwrap();
    let mut accepted = Vec::new();
    let mut refused = Vec::new();
    for (at, (token, user)) in waiting.iter().enumerate() {
        if at == PEOPLE / 3 {
            // No file may be written beyond its first 64 KiB: neither the log goes on, nor the database.
            limit(&server, "65536");
        }
        let code = user.code();
        match client.send_code(token, &code).unwrap() {
            Told::Accepted(cookie) => accepted.push((user.clone(), code, cookie)),
            Told::Other(503) => refused.push((token.clone(), user.clone())),
            Told::Refused => {}
            Told::Other(status) => panic!("status {status}"),
        }
        if refused.len() == 200 {
            break;
        }
    }
    assert!(!refused.is_empty(), "the disk was never full");
    assert!(server.is_alive());
    println!("  accepted until it was full            {:>6}", accepted.len());
    println!("  refused with 503 while it was full    {:>6}", refused.len());
    // The sessions of before are there meanwhile: reading needs no room.
    for (_, _, cookie) in &accepted {
        assert!(client.is_logged_on(cookie).unwrap(), "a session that was told is lost");
    }
    limit(&server, "unlimited");
    let mut recovered = 0;
    for (token, user) in &refused {
        // The logon still waits, and the code was not spent, or it belongs to a step that is over.
        match client.send_code(token, &user.code()).unwrap() {
            Told::Accepted(_) => recovered += 1,
            told @ (Told::Refused | Told::Other(_)) => panic!("{told:?}"),
        }
    }
    let users: Vec<_> = accepted.iter().map(|(user, _, _)| user.clone()).collect();
    let mut replays = 0;
    for ((token, _), (_, code, _)) in house.waiting(&users).iter().zip(&accepted) {
        assert_eq!(client.send_code(token, code).unwrap(), Told::Refused, "a code was accepted twice");
        replays += 1;
    }
    println!("  accepted with room again, no restart  {recovered:>6}   of {}", refused.len());
    println!("  codes of before, refused              {replays:>6}   of {}", accepted.len());
    assert_eq!(house.integrity(), "ok");
    server.kill();
}

fn limit(server: &Server, bytes: &str) {
    let id = server.id().to_string();
    // The soft limit alone: the hard one cannot be raised again.
    let done = Command::new("prlimit").args(["--pid", &id, &format!("--fsize={bytes}:")]).status().unwrap();
    assert!(done.success());
}
