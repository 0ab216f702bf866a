//! An authenticator and its browser in software, which answers as it is told: rightly, or with any of the lies that its
//! fields hold. Every field may be changed between two calls.
#![expect(clippy::indexing_slicing, reason = "a test that cannot have what it needs stops, and says why")]

mod certificate;

pub use certificate::{Flaw, maker_root};

use certificate::certificate;
use data_encoding::BASE64URL_NOPAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The model of a soft authenticator, unless it says otherwise.
pub const SOFT_AAGUID: [u8; 16] = *b"a soft key in ts";

/// How an authenticator attests what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attestation {
    /// Not at all.
    None,
    /// `packed`, signed with the credential's own key.
    PackedSelf,
    /// `packed`, by a certificate of the maker's.
    Packed,
    /// `packed`, by a certificate that names itself its root.
    Forged,
    /// `packed`, by a certificate for another model.
    OtherModel,
    /// `packed`, by a certificate of the maker's that is not as §8.2.1 asks.
    Flawed(Flaw),
    /// `fido-u2f`.
    U2f,
    /// A format that nobody knows.
    Unknown,
}

/// A credential that an authenticator holds.
#[derive(Debug)]
struct Held {
    id: Vec<u8>,
    rp_id: String,
    user_handle: Vec<u8>,
    pair: EcdsaKeyPair,
}

/// An authenticator, with the browser before it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a lie of its own")]
pub struct SoftKey {
    /// The origin that the browser says it is at.
    pub origin: String,
    /// The relying party that is signed for, where it is not the one asked for.
    pub rp_id: Option<String>,
    /// The model.
    pub aaguid: [u8; 16],
    /// How it attests.
    pub attestation: Attestation,
    /// Whether somebody touches it.
    pub user_present: bool,
    /// Whether it verifies its user.
    pub user_verified: bool,
    /// Whether its credentials may leave it.
    pub backup_eligible: bool,
    /// Whether they have.
    pub backed_up: bool,
    /// The next counter; it rises by `counter_step`.
    pub counter: u32,
    /// By how much the counter rises.
    pub counter_step: u32,
    /// Whether its signatures are wrong.
    pub bogus_signature: bool,
    /// Whether the browser says that it was asked across origins.
    pub cross_origin: bool,
    /// The challenge that is answered in the place of the one asked.
    pub challenge: Option<String>,
    /// The user handle that it gives in the place of the one it keeps.
    pub user_handle: Option<Vec<u8>>,
    /// The id that a new credential gets, where it is not a fresh one.
    pub credential_id: Option<Vec<u8>>,
    /// The COSE key that it registers in the place of its own.
    pub cose_key: Option<Vec<u8>>,
    held: Vec<Held>,
}

impl SoftKey {
    /// A passkey provider of a device: verifies its user, and its credentials stay on it.
    #[must_use]
    pub fn passkey() -> Self {
        Self {
            origin: "http://localhost:8080".to_owned(),
            rp_id: None,
            aaguid: SOFT_AAGUID,
            attestation: Attestation::None,
            user_present: true,
            user_verified: true,
            backup_eligible: false,
            backed_up: false,
            counter: 0,
            counter_step: 0,
            bogus_signature: false,
            cross_origin: false,
            challenge: None,
            user_handle: None,
            credential_id: None,
            cose_key: None,
            held: Vec::new(),
        }
    }

    /// One whose credentials are copied between devices.
    #[must_use]
    pub fn synced() -> Self {
        Self { backup_eligible: true, backed_up: true, ..Self::passkey() }
    }

    /// A U2F key: a touch, a counter, an attestation.
    #[must_use]
    pub fn u2f() -> Self {
        Self {
            attestation: Attestation::U2f,
            user_verified: false,
            counter: 1,
            counter_step: 1,
            aaguid: [0; 16],
            ..Self::passkey()
        }
    }

    /// The same, changed.
    #[must_use]
    pub fn that(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Makes a credential for these options, as `navigator.credentials.create` would, and gives what `toJSON()` gives.
    pub fn create(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        let rp_id = options["rp"]["id"].as_str().unwrap().to_owned();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        let held = Held {
            id: self.credential_id.clone().unwrap_or_else(|| fresh().to_vec()),
            rp_id,
            user_handle: decode(&options["user"]["id"]),
            pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &SystemRandom::new())
                .unwrap(),
        };
        let client_data = self.client_data("webauthn.create", &options);
        let (_, point) = held.pair.public_key().as_ref().split_first().unwrap();
        let (x, y) = point.split_at(32);
        let key = self.cose_key.clone().unwrap_or_else(|| cose_key(x, y));
        let length = u16::try_from(held.id.len()).unwrap().to_be_bytes();
        let attested = [self.aaguid.as_slice(), &length, &held.id, &key].concat();
        let data = [self.data(&held.rp_id, 0x40), attested].concat();
        let (format, statement) = self.attest(&held, &data, &client_data, (x, y));
        let object =
            [head(5, 3), text("fmt"), text(format), text("attStmt"), statement, text("authData"), bytes(&data)]
                .concat();
        let id = encode(&held.id);
        self.held.push(held);
        let answer = json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&client_data),
                "attestationObject": encode(&object),
                "transports": ["usb"],
            },
        });
        answer.to_string()
    }

    /// Signs a challenge with the credential that the options allow, as `navigator.credentials.get` would. Panics when it
    /// has none.
    pub fn get(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        let rp_id = options["rpId"].as_str().unwrap();
        let allowed: Vec<Vec<u8>> =
            options["allowCredentials"].as_array().unwrap().iter().map(|one| decode(&one["id"])).collect();
        let fits = |held: &&Held| held.rp_id == rp_id && (allowed.is_empty() || allowed.contains(&held.id));
        let held = self.held.iter().rfind(fits).unwrap();
        self.sign(held, &options)
    }

    /// Signs a challenge with its newest credential, whatever the options allow.
    pub fn get_unasked(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        let held = self.held.last().unwrap();
        self.sign(held, &options)
    }

    /// The id of its newest credential.
    #[must_use]
    pub fn id(&self) -> Vec<u8> {
        self.held.last().unwrap().id.clone()
    }

    /// The public key of its newest credential, in COSE.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        let pair = &self.held.last().unwrap().pair;
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        cose_key(x, y)
    }

    fn sign(&self, held: &Held, options: &Value) -> String {
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(&held.rp_id, 0);
        let signed = [data.as_slice(), Sha256::digest(&client_data).as_slice()].concat();
        let mut signature = held.pair.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec();
        if self.bogus_signature {
            signature = held.pair.sign(&SystemRandom::new(), b"something else").unwrap().as_ref().to_vec();
        }
        let id = encode(&held.id);
        let handle = self.user_handle.clone().unwrap_or_else(|| held.user_handle.clone());
        let answer = json!({
            "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&client_data),
                "authenticatorData": encode(&data),
                "signature": encode(&signature),
                "userHandle": encode(&handle),
            },
        });
        answer.to_string()
    }

    /// Lets the counter rise, as a touch does. [`Self::get`] does not, so that a copy can be played.
    pub fn count(&mut self) {
        self.counter += self.counter_step;
    }

    fn client_data(&self, ceremony: &str, options: &Value) -> Vec<u8> {
        let challenge = self.challenge.clone().unwrap_or_else(|| options["challenge"].as_str().unwrap().to_owned());
        let data = json!({
            "type": ceremony, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin,
        });
        data.to_string().into_bytes()
    }

    fn data(&self, rp_id: &str, more_flags: u8) -> Vec<u8> {
        let rp_id = self.rp_id.as_deref().unwrap_or(rp_id);
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let flags = flag(self.user_present, 0x01)
            | flag(self.user_verified, 0x04)
            | flag(self.backup_eligible, 0x08)
            | flag(self.backed_up, 0x10)
            | more_flags;
        [Sha256::digest(rp_id).as_slice(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn attest(&self, held: &Held, data: &[u8], client_data: &[u8], (x, y): (&[u8], &[u8])) -> (&'static str, Vec<u8>) {
        let client_data_hash = Sha256::digest(client_data);
        let signed = [data, client_data_hash.as_slice()].concat();
        let packed = |signature: &[u8], certificate: Option<&[u8]>| {
            let entries = if certificate.is_some() { 3 } else { 2 };
            let mut statement = [head(5, entries), text("alg"), vec![0x26], text("sig"), bytes(signature)].concat();
            if let Some(certificate) = certificate {
                statement.extend([text("x5c"), head(4, 1), bytes(certificate)].concat());
            }
            statement
        };
        match self.attestation {
            Attestation::None => ("none", head(5, 0)),
            Attestation::Unknown => ("made-up", head(5, 0)),
            Attestation::PackedSelf => {
                let signature = held.pair.sign(&SystemRandom::new(), &signed).unwrap();
                ("packed", packed(signature.as_ref(), None))
            }
            Attestation::Packed | Attestation::Forged | Attestation::OtherModel | Attestation::Flawed(_) => {
                let aaguid = if self.attestation == Attestation::OtherModel { [1; 16] } else { self.aaguid };
                let flaw = if let Attestation::Flawed(flaw) = self.attestation { Some(flaw) } else { None };
                let (certificate, pair) = certificate(aaguid, self.attestation == Attestation::Forged, flaw);
                ("packed", packed(&sign(&pair, &signed), Some(&certificate)))
            }
            Attestation::U2f => {
                let rp_id_hash = &data[..32];
                let message = [&[0], rp_id_hash, client_data_hash.as_slice(), &held.id, &[4], x, y].concat();
                let (certificate, pair) = certificate([0; 16], false, None);
                let statement = [
                    head(5, 2),
                    text("sig"),
                    bytes(&sign(&pair, &message)),
                    text("x5c"),
                    head(4, 1),
                    bytes(&certificate),
                ];
                ("fido-u2f", statement.concat())
            }
        }
    }
}

fn sign(pair: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
    pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
}

/// A key of ES256 in COSE.
#[must_use]
pub fn cose_key(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21], bytes(x).as_slice(), &[0x22], &bytes(y)].concat()
}

fn fresh() -> [u8; 32] {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn decode(text: &Value) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_str().unwrap().as_bytes()).unwrap()
}

/// The head of a CBOR value.
fn head(major: u8, length: usize) -> Vec<u8> {
    let length = u16::try_from(length).unwrap();
    match (u8::try_from(length), length) {
        (Ok(short), ..=23) => vec![major << 5 | short],
        (Ok(byte), _) => vec![major << 5 | 0x18, byte],
        (Err(_), _) => [vec![major << 5 | 0x19], length.to_be_bytes().to_vec()].concat(),
    }
}

fn bytes(content: &[u8]) -> Vec<u8> {
    [head(2, content.len()), content.to_vec()].concat()
}

fn text(content: &str) -> Vec<u8> {
    [head(3, content.len()), content.as_bytes().to_vec()].concat()
}
