//! The test vectors of Web Authentication Level 3, §16, as data/webauthn-l3-vectors.json holds them. The table says of each
//! whether it is accepted, and why if not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_webauthn::{
    Algorithm, AssertionDemand, AssertionResponse, Invalid, KnownCredential, Registered, RegistrationDemand,
    RegistrationResponse, RelyingParty, Trust, UserVerification,
};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use serde_json::{Value, json};
use std::time::Duration;

/// How a vector is judged: its registration, and the assertion behind it.
enum Expected {
    /// Both are accepted; how far the attestation is verified, given the root of the vectors.
    Accepted(Trust),
    /// The registration is refused.
    Refused(Invalid),
}

use Expected::{Accepted, Refused};

#[test]
fn the_fifteen_vectors_of_the_specification() {
    let table: &[(&str, Expected, &str)] = &[
        ("sctn-test-vectors-none-es256", Accepted(Trust::None), ""),
        ("sctn-test-vectors-packed-self-es256", Accepted(Trust::SelfSigned), ""),
        ("sctn-test-vectors-none-es256-crossOrigin", Refused(Invalid::CrossOrigin), "no page embeds a logon of ours"),
        ("sctn-test-vectors-none-es256-topOrigin", Refused(Invalid::CrossOrigin), "no page embeds a logon of ours"),
        ("sctn-test-vectors-none-es256-long-credential-id", Accepted(Trust::None), ""),
        ("sctn-test-vectors-packed-es256", Accepted(Trust::Rooted), ""),
        ("sctn-test-vectors-packed-es384", Accepted(Trust::Rooted), ""),
        ("sctn-test-vectors-packed-es512", Refused(Invalid::Algorithm), "ES512 is not offered: ring has no P-521"),
        ("sctn-test-vectors-packed-rs256", Accepted(Trust::Rooted), ""),
        ("sctn-test-vectors-packed-eddsa", Accepted(Trust::Rooted), ""),
        ("sctn-test-vectors-packed-ed448", Refused(Invalid::Algorithm), "Ed448 is not offered: ring has none"),
        ("sctn-test-vectors-tpm-es256", Accepted(Trust::None), "the format is not judged, so it proves no maker"),
        (
            "sctn-test-vectors-android-key-es256",
            Accepted(Trust::None),
            "the format is not judged, so it proves no maker",
        ),
        ("sctn-test-vectors-apple-es256", Accepted(Trust::Rooted), ""),
        ("sctn-test-vectors-fido-u2f-es256", Accepted(Trust::Rooted), ""),
    ];
    let vectors = vectors();
    let list = vectors["vectors"].as_array().unwrap();
    assert_eq!(list.len(), table.len());
    let root = bytes(&vectors["attestation_root"]["attestation_ca_cert"]);
    let rp = RelyingParty::new(vectors["rp_id"].as_str().unwrap(), vectors["origin"].as_str().unwrap());
    let (rootless, rp) = (rp.clone(), rp.with_roots([root]).unwrap());
    for (vector, (anchor, expected, _)) in list.iter().zip(table) {
        assert_eq!(vector["anchor"].as_str().unwrap(), *anchor);
        match expected {
            Refused(reason) => assert_eq!(register(&rp, vector).unwrap_err(), *reason, "{anchor}"),
            Accepted(trust) => {
                let registered = register(&rp, vector).unwrap_or_else(|invalid| panic!("{anchor}: {invalid}"));
                assert_eq!(registered.trust, *trust, "{anchor}");
                let unknown_root = register(&rootless, vector).unwrap();
                assert_eq!(unknown_root.trust, (*trust).min(Trust::Signed), "{anchor}");
                authenticate(&rp, vector, &registered).unwrap_or_else(|invalid| panic!("{anchor}: {invalid}"));
            }
        }
    }
}

#[test]
fn attack_073_no_byte_of_an_assertion_can_be_changed() {
    let vectors = vectors();
    let rp = rp(&vectors);
    let vector = &vectors["vectors"][0];
    let registered = register(&rp, vector).unwrap();
    for part in ["authenticatorData", "clientDataJSON", "signature"] {
        let length = bytes(&vector["authentication"][part]).len();
        for at in 0..length {
            let mut changed = vector.clone();
            let mut content = bytes(&changed["authentication"][part]);
            content[at] ^= 1;
            changed["authentication"][part] = json!(HEXLOWER_PERMISSIVE.encode(&content));
            assert!(authenticate(&rp, &changed, &registered).is_err(), "{part}, byte {at}");
        }
    }
}

#[test]
fn attack_083_no_byte_of_an_attested_registration_can_be_changed_unseen() {
    let vectors = vectors();
    let rp = rp(&vectors).with_roots([bytes(&vectors["attestation_root"]["attestation_ca_cert"])]).unwrap();
    let vector = &vectors["vectors"][5];
    let length = bytes(&vector["registration"]["attestationObject"]).len();
    for at in 0..length {
        let mut changed = vector.clone();
        let mut content = bytes(&changed["registration"]["attestationObject"]);
        content[at] ^= 1;
        changed["registration"]["attestationObject"] = json!(HEXLOWER_PERMISSIVE.encode(&content));
        let judged = register(&rp, &changed);
        assert!(judged.is_err() || judged.is_ok_and(|found| found.trust < Trust::Rooted), "byte {at}");
    }
}

#[test]
fn attack_083_the_aaguid_that_a_u2f_attestation_does_not_sign_is_not_believed() {
    let vectors = vectors();
    assert_eq!(register(&rp(&vectors), &vectors["vectors"][14]).unwrap().aaguid, [0; 16]);
}

#[test]
fn attack_077_and_078_another_rp_origin_or_challenge_is_refused() {
    let vectors = vectors();
    let vector = &vectors["vectors"][0];
    let origin = vectors["origin"].as_str().unwrap();
    assert_eq!(register(&RelyingParty::new("example.com", origin), vector).unwrap_err(), Invalid::RpId);
    for other in ["https://example.org:8443", "http://example.org", "https://example.org/", "https://evil.example"] {
        assert_eq!(register(&RelyingParty::new("example.org", other), vector).unwrap_err(), Invalid::Origin, "{other}");
    }
    let rp = rp(&vectors);
    let mut replayed = vector.clone();
    replayed["registration"]["challenge"] = vectors["vectors"][1]["registration"]["challenge"].clone();
    assert_eq!(register(&rp, &replayed).unwrap_err(), Invalid::Challenge);
    // An assertion in the place of a registration, and the other way.
    let registered = register(&rp, vector).unwrap();
    let mut crossed = vector.clone();
    crossed["authentication"]["clientDataJSON"] = vector["registration"]["clientDataJSON"].clone();
    crossed["authentication"]["challenge"] = vector["registration"]["challenge"].clone();
    assert_eq!(authenticate(&rp, &crossed, &registered).unwrap_err(), Invalid::CeremonyType);
}

/// §8.2.1. The attestation signs no certificate, so one with a flaw comes this far.
#[test]
fn attack_083_the_certificate_of_a_packed_attestation_is_for_attestation() {
    let vectors = vectors();
    let rp = rp(&vectors);
    let vector = &vectors["vectors"][5];
    let object = bytes(&vector["registration"]["attestationObject"]);
    let flaws: &[(&str, &[u8], &[u8])] = &[
        ("version 2", &[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 1]),
        ("no country", &[6, 3, 0x55, 4, 6], &[6, 3, 0x55, 4, 7]),
        ("no organization", &[6, 3, 0x55, 4, 10], &[6, 3, 0x55, 4, 8]),
        ("no unit", &[6, 3, 0x55, 4, 11], &[6, 3, 0x55, 4, 8]),
        ("no common name", &[6, 3, 0x55, 4, 3], &[6, 3, 0x55, 4, 4]),
        ("another unit", b"Authenticator Attestation", b"Authenticator Imitations!"),
        ("no basic constraints", &[6, 3, 0x55, 0x1d, 0x13], &[6, 3, 0x55, 0x1d, 0x12]),
    ];
    for (name, from, to) in flaws {
        let mut content = object.clone();
        let places: Vec<_> = content.windows(from.len()).enumerate().filter(|(_, part)| part == from).collect();
        let places: Vec<_> = places.into_iter().map(|(at, _)| at).collect();
        assert!(!places.is_empty(), "{name}");
        for at in places {
            content[at..at + to.len()].copy_from_slice(to);
        }
        let mut changed = vector.clone();
        changed["registration"]["attestationObject"] = json!(HEXLOWER_PERMISSIVE.encode(&content));
        assert!(matches!(register(&rp, &changed), Err(Invalid::Attestation(_))), "{name}");
    }
}

/// What stands behind the head is not read where the head is wrong, and an assertion has nothing long to say.
#[test]
fn attack_073_extensions_are_not_read_before_the_head_is_judged() {
    let vectors = vectors();
    let rp = rp(&vectors);
    let registered = register(&rp, &vectors["vectors"][0]).unwrap();
    let data = bytes(&vectors["vectors"][0]["authentication"]["authenticatorData"]);
    let judge = |data: &[u8]| {
        let mut changed = vectors["vectors"][0].clone();
        changed["authentication"]["authenticatorData"] = json!(HEXLOWER_PERMISSIVE.encode(data));
        authenticate(&rp, &changed, &registered).unwrap_err()
    };
    let with = |at: usize, byte: u8| {
        let mut data = data.clone();
        data[32] |= 0x80;
        data[at] ^= byte;
        // No CBOR.
        [data.as_slice(), &[0xff; 8]].concat()
    };
    assert_eq!(judge(&with(0, 1)), Invalid::RpId);
    assert_eq!(judge(&with(32, 1)), Invalid::UserPresence);
    assert!(matches!(judge(&with(33, 0)), Invalid::Cbor(_)));
    assert_eq!(judge(&[data.as_slice(), &[0; 1_024]].concat()), Invalid::AuthenticatorData("too long"));
}

#[test]
fn attack_082_only_what_was_offered_is_accepted() {
    let vectors = vectors();
    let rp = rp(&vectors);
    for (index, algorithm) in
        [(0, Algorithm::Es256), (6, Algorithm::Es384), (8, Algorithm::Rs256), (9, Algorithm::EdDsa)]
    {
        let vector = &vectors["vectors"][index];
        for offered in Algorithm::ALL {
            let judged = register_offering(&rp, vector, &[*offered]);
            assert_eq!(
                judged.err(),
                (*offered != algorithm).then_some(Invalid::Algorithm),
                "{algorithm:?} {offered:?}"
            );
        }
    }
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("data/webauthn-l3-vectors.json")).unwrap()
}

fn rp(vectors: &Value) -> RelyingParty {
    RelyingParty::new(vectors["rp_id"].as_str().unwrap(), vectors["origin"].as_str().unwrap())
}

fn bytes(hex: &Value) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(hex.as_str().unwrap().as_bytes()).unwrap()
}

fn base64(hex: &Value) -> String {
    BASE64URL_NOPAD.encode(&bytes(hex))
}

fn register(rp: &RelyingParty, vector: &Value) -> Result<Registered, Invalid> {
    register_offering(rp, vector, Algorithm::ALL)
}

fn register_offering(rp: &RelyingParty, vector: &Value, algorithms: &[Algorithm]) -> Result<Registered, Invalid> {
    let part = &vector["registration"];
    let id = base64(&part["credential_id"]);
    let response = json!({
        "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
        "response": {
            "clientDataJSON": base64(&part["clientDataJSON"]),
            "attestationObject": base64(&part["attestationObject"]),
            "transports": ["usb", "usb", "NOT A WORD"],
        },
    });
    let response = RegistrationResponse::parse(&response.to_string())?;
    let demand = RegistrationDemand {
        challenge: &bytes(&part["challenge"]),
        user_verification: UserVerification::NotRequired,
        algorithms,
        now: Duration::from_hours(490_908),
    };
    rp.verify_registration(demand, &response)
}

fn authenticate(rp: &RelyingParty, vector: &Value, registered: &Registered) -> Result<(), Invalid> {
    let part = &vector["authentication"];
    let id = base64(&vector["registration"]["credential_id"]);
    let response = json!({
        "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
        "response": {
            "clientDataJSON": base64(&part["clientDataJSON"]),
            "authenticatorData": base64(&part["authenticatorData"]),
            "signature": base64(&part["signature"]),
        },
    });
    let response = AssertionResponse::parse(&response.to_string())?;
    let demand =
        AssertionDemand { challenge: &bytes(&part["challenge"]), user_verification: UserVerification::NotRequired };
    let known = KnownCredential {
        id: &registered.credential_id,
        public_key: &registered.public_key,
        sign_count: registered.sign_count,
        backup_eligible: registered.backup_eligible,
    };
    rp.verify_assertion(demand, known, &response).map(drop)
}
