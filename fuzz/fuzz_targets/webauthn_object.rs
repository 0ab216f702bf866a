//! Reads any bytes as what an authenticator made when it registered a credential, and judges them as a registration.

#![no_main]

use countersign_webauthn::{Algorithm, RegistrationDemand, RegistrationResponse, RelyingParty, UserVerification};
use libfuzzer_sys::fuzz_target;
use std::fmt::Write as _;
use std::time::Duration;

/// `{"type":"webauthn.create","challenge":"AA","origin":"http://localhost"}` in base64url.
const CLIENT_DATA: &str =
    "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiQUEiLCJvcmlnaW4iOiJodHRwOi8vbG9jYWxob3N0In0";

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let _ = write!(text, "{}", char::from(LETTERS[number >> (18 - 6 * place) & 63]));
        }
    }
    text
}

fuzz_target!(|bytes: &[u8]| {
    let object = base64url(bytes);
    let answer = format!(
        r#"{{"id":"AQ","rawId":"AQ","type":"public-key",
            "response":{{"clientDataJSON":"{CLIENT_DATA}","attestationObject":"{object}"}}}}"#
    );
    let Ok(answer) = RegistrationResponse::parse(&answer) else { return };
    let demand = RegistrationDemand {
        challenge: &[0],
        user_verification: UserVerification::NotRequired,
        algorithms: Algorithm::ALL,
        now: Duration::from_secs(1_800_000_000),
    };
    let _ = RelyingParty::new("localhost", "http://localhost").verify_registration(demand, &answer);
});
