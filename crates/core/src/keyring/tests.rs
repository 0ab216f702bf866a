//! What is sealed, and the file of the keys.

use super::*;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use std::fs;

const SEED: Place<'_> =
    Place { table: "virtual_mfa", column: "seed", account_id: "100", principal_id: "200", row_id: "300" };
const NONCE: [u8; 12] = [9; 12];

fn ring() -> KeyRing {
    KeyRing::generate(|key| key.fill(7))
}

fn rotated(ring: &KeyRing) -> KeyRing {
    ring.with_next_version(|key| key.fill(8)).unwrap()
}

fn sealed(ring: &KeyRing, place: &Place<'_>, plaintext: &[u8]) -> Vec<u8> {
    ring.seal(place, plaintext, NONCE).unwrap().0
}

fn text_of(error: Option<KeyRingError>) -> String {
    error.expect("it was to fail").to_string()
}

/// The expected values were computed with Python (`hmac`, `cryptography`). A change here makes stored data unreadable.
#[test]
fn what_is_stored_stays_readable() {
    let ring = ring();
    assert_eq!(ring.check_value(), "1:121147eeb24fa51e09ab2f67664c194c");
    assert_eq!(HEXLOWER.encode(&ring.phantom_id("nobody")), "4434c32fb4aeb1a4b9be79c5f87c1de7");
    assert_eq!(
        HEXLOWER.encode(&ring.keyed_hash("email code", b"123456")),
        "79917e7eefc1b0e2464e2c867c1eb31fc0cbf6108a3e151122ed1fe9b7044a11"
    );
    assert_eq!(
        HEXLOWER.encode(&sealed(&ring, &SEED, b"seed")),
        "010000000109090909090909090909090987d2493df18120ec32dc455780150bb5d9ef4aac"
    );
}

#[test]
fn a_sealed_value_opens_in_its_place() {
    let ring = ring();
    let value = sealed(&ring, &SEED, b"a seed");
    assert_eq!(value.len(), 1 + 4 + 12 + 6 + 16);
    assert_eq!(ring.open(&SEED, &value).unwrap().as_slice(), b"a seed");
}

#[test]
fn attack_139_a_sealed_value_opens_nowhere_else() {
    let ring = ring();
    let value = sealed(&ring, &SEED, b"a seed");
    for elsewhere in [
        Place { table: "access_keys", ..SEED },
        Place { column: "other", ..SEED },
        Place { account_id: "101", ..SEED },
        Place { principal_id: "201", ..SEED },
        Place { row_id: "301", ..SEED },
        Place { account_id: "200", principal_id: "100", ..SEED },
        Place { account_id: "1002", principal_id: "00", ..SEED },
        Place { table: "virtual_mfas", column: "eed", ..SEED },
        Place { row_id: "", ..SEED },
    ] {
        assert_eq!(ring.open(&elsewhere, &value), Err(SealError::Refused), "{elsewhere:?}");
    }
}

#[test]
fn attack_139_two_rows_cannot_be_swapped() {
    let ring = ring();
    let (mine, theirs) = (SEED, Place { principal_id: "201", row_id: "301", ..SEED });
    let (my_value, their_value) = (sealed(&ring, &mine, b"mine"), sealed(&ring, &theirs, b"theirs"));
    assert_eq!(ring.open(&mine, &their_value), Err(SealError::Refused));
    assert_eq!(ring.open(&theirs, &my_value), Err(SealError::Refused));
}

#[test]
fn attack_139_any_flipped_bit_and_any_cut_is_refused() {
    let ring = rotated(&ring());
    let value = sealed(&ring, &SEED, b"a seed");
    for bit in 0..value.len() * 8 {
        let mut changed = value.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(ring.open(&SEED, &changed).is_err(), "bit {bit}");
    }
    for length in 0..value.len() {
        assert!(ring.open(&SEED, &value[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn attack_139_the_key_version_is_part_of_the_seal() {
    let twice_the_same = ring().with_next_version(|key| key.fill(7)).unwrap();
    let mut value = sealed(&ring(), &SEED, b"a seed");
    assert!(twice_the_same.open(&SEED, &value).is_ok());
    value[4] = 2;
    assert_eq!(twice_the_same.open(&SEED, &value), Err(SealError::Refused));
    value[4] = 3;
    assert_eq!(twice_the_same.open(&SEED, &value), Err(SealError::NoKey(3)));
}

#[test]
fn a_rotation_opens_old_values_and_reseals_them() {
    let (before, after) = (ring(), rotated(&ring()));
    let (old, new) = (sealed(&before, &SEED, b"a seed"), sealed(&after, &SEED, b"a seed"));
    assert_eq!((before.current_version(), after.current_version()), (1, 2));
    assert_eq!(after.open(&SEED, &old).unwrap(), after.open(&SEED, &new).unwrap());
    assert_eq!(before.open(&SEED, &new), Err(SealError::NoKey(2)));
    assert!(!before.needs_reseal(&old) && after.needs_reseal(&old) && !after.needs_reseal(&new));
    assert!(after.needs_reseal(b""));
}

#[test]
fn phantom_ids_survive_a_rotation_and_keyed_hashes_are_found_again() {
    let (before, after) = (ring(), rotated(&ring()));
    assert_eq!(before.phantom_id("alice"), after.phantom_id("alice"));
    assert_ne!(before.phantom_id("alice"), before.phantom_id("bob"));

    let stored = before.keyed_hash("email code", b"123456");
    assert_ne!(stored, after.keyed_hash("email code", b"123456"));
    assert!(after.keyed_hash_matches("email code", b"123456", &stored));
    assert!(!after.keyed_hash_matches("email code", b"123457", &stored));
    assert!(!after.keyed_hash_matches("email cod", b"e123456", &stored));
    assert!(!after.keyed_hash_matches("email code", b"123456", &stored[..31]));
    assert!(!after.keyed_hash_matches("email code", b"123456", b""));
}

#[test]
fn only_a_ring_with_every_key_of_the_data_matches() {
    let (before, after) = (ring(), rotated(&ring()));
    let stranger = KeyRing::generate(|key| key.fill(1));
    assert!(before.matches(&before.check_value()) && after.matches(&after.check_value()));
    assert!(after.matches(&before.check_value()), "rotated since");
    assert!(!before.matches(&after.check_value()), "a key is missing");
    assert!(!stranger.matches(&before.check_value()));
    let (first, second) = after.check_value().split_once(',').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(after.matches(&format!("{second},{first}")), "the order does not matter");
    for damaged in ["", ",", "1", first.split_at(first.len() - 1).0, &format!("{first},"), &first.replace("1:", "2:")] {
        assert!(!after.matches(damaged), "{damaged}");
    }
}

#[test]
fn a_saved_ring_is_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.json");
    let ring = rotated(&ring());
    ring.save_new(&path).unwrap();
    let loaded = KeyRing::load(&path).unwrap();
    assert_eq!(loaded.check_value(), ring.check_value());
    assert_eq!(loaded.current_version(), 2);
    assert!(loaded.open(&SEED, &sealed(&ring, &SEED, b"a seed")).is_ok());
}

#[test]
fn a_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.json");
    fs::write(&path, "precious").unwrap();
    assert!(matches!(ring().save_new(&path), Err(KeyRingError::Exists(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert!(matches!(ring().save_new(&folder.path().join("no/folder")), Err(KeyRingError::Write(..))));
}

#[cfg(unix)]
#[test]
fn the_key_file_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.json");
    ring().save_new(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    for (mode, refused) in [(0o400, false), (0o640, true), (0o604, true), (0o620, true), (0o601, true)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = KeyRing::load(&path).err();
        assert_eq!(error.is_some(), refused, "{mode:o}");
        if refused {
            let text = text_of(error);
            assert!(text.contains(&format!("(mode {mode:04o}): run `chmod 600 {}`", path.display())), "{text}");
        }
    }
}

#[test]
fn a_damaged_key_file_is_refused_and_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.json");
    ring().save_new(&path).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    for damaged in [
        String::new(),
        good.replace("0707", "07"),
        good.replace("0707", "0g0G"),
        good.replace("\"format\": 1", "\"format\": 2"),
        good.replace("\"1\":", "\"one\":"),
        good.replace("keys", "kexs"),
        good.replace('}', ""),
        "{\"format\": 1, \"keys\": {}}".to_owned(),
    ] {
        fs::write(&path, &damaged).unwrap();
        let text = text_of(KeyRing::load(&path).err());
        assert!(text.contains("Restore it from its backup") && !text.contains("07"), "{text}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(KeyRing::load(&path), Err(KeyRingError::Read(..))));
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_again(
        master: [u8; 32], nonce: [u8; 12], plaintext: Vec<u8>, names in proptest::array::uniform5(".*"),
    ) {
        let [table, column, account_id, principal_id, row_id] = names.each_ref().map(String::as_str);
        let place = Place { table, column, account_id, principal_id, row_id };
        let ring = KeyRing::generate(|key| key.copy_from_slice(&master));
        let value = ring.seal(&place, &plaintext, nonce).unwrap().0;
        prop_assert_eq!(&*ring.open(&place, &value).unwrap(), &plaintext);
    }
}
