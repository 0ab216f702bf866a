//! Passwords, hashed and compared.

use super::*;
use argon2::password_hash::PasswordHasher as _;
use std::sync::mpsc;
use tokio::task::JoinHandle;

const SMALL: HashParams = HashParams { memory_kib: 64, passes: 1, lanes: 1 };
const SALT: [u8; SALT_BYTES] = *b"sixteen byte nil";

fn hasher(permits: usize) -> PasswordHasher {
    PasswordHasher::with_permits(SMALL, permits).unwrap()
}

fn password(text: &str) -> SecretString {
    text.to_owned().into()
}

/// Takes a turn and holds it until something is sent, or the sender dropped.
fn occupy(hasher: &PasswordHasher) -> (mpsc::Sender<()>, JoinHandle<Result<(), HashError>>) {
    let (release, released) = mpsc::channel();
    let hasher = hasher.clone();
    let work = move |_: &mut [Block]| {
        released.recv().ok();
    };
    (release, tokio::spawn(async move { hasher.run(64, work).await }))
}

async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_reference_implementations_vector_is_verified() {
    let stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let verdict = hasher(1).verify(&password("password"), Some(stored.to_owned())).await.unwrap();
    assert_eq!(verdict, Verdict::Right { rehash_due: true });
}

#[tokio::test]
async fn hashes_are_what_the_plain_argon2_api_makes() {
    let params = HashParams::default();
    let ours = PasswordHasher::new(params, 0).unwrap().hash(&password("p ä"), SALT).await.unwrap();
    let plain = Argon2::default().hash_password_with_salt("p ä".as_bytes(), &SALT).unwrap().to_string();
    assert_eq!(ours, plain);
    assert!(ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{ours}");
}

#[tokio::test]
async fn only_the_password_itself_is_right() {
    let hasher = hasher(1);
    let stored = hasher.hash(&password("correct horse"), SALT).await.unwrap();
    let too_long = "x".repeat(MAX_PASSWORD_BYTES + 1);
    for (typed, expected) in [
        ("correct horse", Verdict::Right { rehash_due: false }),
        ("correct\u{3000}horse", Verdict::Right { rehash_due: false }),
        ("Correct horse", Verdict::Wrong),
        ("correct horse ", Verdict::Wrong),
        ("", Verdict::Wrong),
        (&too_long, Verdict::Wrong),
    ] {
        assert_eq!(hasher.verify(&password(typed), Some(stored.clone())).await.unwrap(), expected, "{typed}");
    }
}

#[tokio::test]
async fn nobodys_password_is_wrong_even_if_it_hits_the_dummy() {
    let hasher = hasher(1);
    let verdict = hasher.verify(&password("anything"), None).await.unwrap();
    assert_eq!(verdict, Verdict::Wrong);
    assert_eq!(hasher.idle_areas(), 1, "the work was done");
    assert_eq!(hasher.verify(&password(""), None).await.unwrap(), Verdict::Wrong);
}

#[tokio::test]
async fn no_impossible_password_matches_the_hash_of_an_empty_one() {
    let argon2 = Argon2::from(SMALL.checked().unwrap());
    let stored = argon2.hash_password_with_salt(b"", &SALT).unwrap().to_string();
    let verdict = hasher(1).verify(&password(&"x".repeat(5000)), Some(stored)).await.unwrap();
    assert_eq!(verdict, Verdict::Wrong);
}

#[tokio::test]
async fn new_passwords_have_1_to_1024_bytes_after_preparation() {
    let hasher = hasher(1);
    let a_with_ring = "a\u{30a}"; // 3 bytes, 2 when composed
    for (text, fits) in [
        (String::new(), false),
        ("x".to_owned(), true),
        ("x".repeat(1024), true),
        ("x".repeat(1025), false),
        (a_with_ring.repeat(512), true),
        (a_with_ring.repeat(513), false),
    ] {
        let result = hasher.hash(&password(&text), SALT).await;
        assert_eq!(result.is_ok(), fits, "{} bytes", text.len());
        assert!(fits || matches!(result, Err(HashError::Length)));
    }
}

#[test]
fn keyboards_that_compose_differently_type_the_same_password() {
    let prepared = |text| prepare(&password(text)).unwrap().to_string();
    assert_eq!(prepared("e\u{301}tude"), prepared("\u{e9}tude"));
    assert_eq!(prepared("a\u{a0}b\u{2003}c\u{3000}d"), "a b c d");
    assert_eq!(prepared("\u{d7}\u{ff21}\u{5d0}A"), "\u{d7}\u{ff21}\u{5d0}A", "width and case stay");
}

#[tokio::test]
async fn a_change_of_any_parameter_makes_the_rehash_due() {
    let stored = hasher(1).hash(&password("secret"), SALT).await.unwrap();
    for (params, rehash_due) in [
        (SMALL, false),
        (HashParams { memory_kib: 72, ..SMALL }, true),
        (HashParams { memory_kib: 32, ..SMALL }, true),
        (HashParams { passes: 2, ..SMALL }, true),
        (HashParams { lanes: 2, ..SMALL }, true),
    ] {
        let hasher = PasswordHasher::with_permits(params, 2).unwrap();
        let verdict = hasher.verify(&password("secret"), Some(stored.clone())).await.unwrap();
        assert_eq!(verdict, Verdict::Right { rehash_due }, "{params:?}");
    }
}

#[tokio::test]
async fn an_unreadable_hash_is_reported_after_the_same_work() {
    let good = hasher(1).hash(&password("secret"), SALT).await.unwrap();
    for stored in [
        String::new(),
        "secret".to_owned(),
        good.replace("argon2id", "argon2i"),
        good.replace("v=19", "v=16"),
        good.replace("m=64", "m=4294967295"),
        good.replace("t=1", "t=65"),
        good.rsplit_once('$').unwrap().0.to_owned(),
    ] {
        let hasher = hasher(1);
        let result = hasher.verify(&password("secret"), Some(stored.clone())).await;
        assert!(matches!(result, Err(HashError::Corrupt)), "{stored}");
        assert_eq!(hasher.idle_areas(), 1, "the work was done");
    }
}

#[test]
fn parameters_out_of_range_are_refused() {
    for params in [
        HashParams { memory_kib: 7, ..SMALL },
        HashParams { memory_kib: MAX_MEMORY_KIB + 1, ..SMALL },
        HashParams { passes: 0, ..SMALL },
        HashParams { passes: 65, ..SMALL },
        HashParams { lanes: 0, ..SMALL },
        HashParams { memory_kib: 64, lanes: 9, ..SMALL },
    ] {
        assert!(matches!(PasswordHasher::new(params, u64::MAX), Err(HashError::Params)), "{params:?}");
    }
}

#[test]
fn the_budget_bounds_how_many_run_at_once() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let area = 64 * 1024;
    for (budget, permits) in [(0, 1), (area, 1), (2 * area, 2), (u64::MAX, cores + 1)] {
        assert_eq!(PasswordHasher::new(SMALL, budget).unwrap().concurrency(), permits);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_than_the_permits_run_and_the_areas_are_reused() {
    let hasher = hasher(2);
    let (started, starts) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (hasher, started, released) = (hasher.clone(), started.clone(), Arc::clone(&released));
            let work = move |_: &mut [Block]| {
                started.send(()).unwrap();
                released.lock().unwrap().recv().ok();
            };
            tokio::spawn(async move { hasher.run(64, work).await })
        })
        .collect();
    until(|| hasher.shared.places.available_permits() == 2 * 65 - 6).await;
    for finished in 0..=4 {
        for _ in 0..if finished == 0 { 2 } else { 1 } {
            starts.recv().unwrap();
        }
        assert!(starts.try_recv().is_err(), "no more than two have started without finishing");
        assert_eq!(hasher.shared.turns.available_permits(), 0);
        release.send(()).unwrap();
    }
    release.send(()).unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(hasher.idle_areas(), 2);
}

#[tokio::test]
async fn a_full_queue_answers_busy_and_recovers() {
    let hasher = hasher(1);
    let (releases, tasks): (Vec<_>, Vec<_>) = (0..65).map(|_| occupy(&hasher)).unzip();
    until(|| hasher.shared.places.available_permits() == 0).await;
    let result = hasher.verify(&password("secret"), None).await;
    assert!(matches!(result, Err(HashError::Busy)));
    drop(releases);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(hasher.verify(&password("secret"), None).await.unwrap(), Verdict::Wrong);
}

#[tokio::test]
async fn callers_who_go_away_leave_the_accounts_right() {
    let hasher = hasher(1);
    let (release, running) = occupy(&hasher);
    until(|| hasher.shared.turns.available_permits() == 0).await;
    let (_waits, waiting) = occupy(&hasher);
    until(|| hasher.shared.places.available_permits() == 63).await;

    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_eq!(hasher.shared.places.available_permits(), 64, "who waited leaves the queue at once");

    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(hasher.shared.turns.available_permits(), 0, "a hash that runs keeps its turn to the end");
    release.send(()).unwrap();
    until(|| hasher.shared.turns.available_permits() == 1).await;
    assert_eq!((hasher.shared.places.available_permits(), hasher.idle_areas()), (65, 1));
}

#[tokio::test]
async fn a_panic_is_a_fault_and_frees_the_turn() {
    let hasher = hasher(1);
    let result = hasher.run(64, |_| panic!("a test panics")).await;
    assert!(matches!(result, Err::<(), _>(HashError::Fault(_))));
    assert_eq!(hasher.verify(&password("secret"), None).await.unwrap(), Verdict::Wrong);
}

#[tokio::test]
async fn a_hash_that_needs_more_memory_takes_more_turns_and_its_area_is_not_kept() {
    let hasher = hasher(4);
    for (blocks, turns) in [(1, 1), (64, 1), (65, 2), (129, 3), (100_000, 4)] {
        assert_eq!(hasher.shared.turns_for(blocks), turns, "{blocks}");
    }
    assert_eq!(hasher.run(100, |area| area.len()).await.unwrap(), 100);
    assert_eq!(hasher.idle_areas(), 0);
}

#[tokio::test]
async fn areas_unused_between_two_releases_are_freed() {
    let hasher = hasher(3);
    let areas: Vec<_> = (0..3).map(|_| hasher.shared.pool.take(64).unwrap()).collect();
    for area in areas {
        hasher.shared.pool.put_back(area);
    }
    hasher.release_idle();
    assert_eq!(hasher.idle_areas(), 3, "they were in use until now");
    hasher.hash(&password("secret"), SALT).await.unwrap();
    hasher.release_idle();
    assert_eq!(hasher.idle_areas(), 1, "one was used since");
    hasher.release_idle();
    assert_eq!(hasher.idle_areas(), 0);
}

/// More than once, because it is the first free that makes glibc keep the next areas on its heap.
#[cfg(target_os = "linux")]
#[test]
fn released_memory_goes_back_to_the_system() {
    let resident_kib = || -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let pool = Pool::new(19_456);
    for round in 0..3 {
        let areas: Vec<_> = (0..4).map(|_| pool.take(19_456).unwrap()).collect();
        for area in areas {
            pool.put_back(area);
        }
        let held = resident_kib();
        pool.release_idle();
        pool.release_idle();
        let left = resident_kib();
        assert!(left + 3 * 19_456 < held, "round {round}: {held} KiB before the release, {left} KiB after");
    }
}
