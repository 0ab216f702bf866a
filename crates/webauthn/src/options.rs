//! What the browser is asked, as `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` take it (WebAuthn §5.1.8).

use crate::key::Algorithm;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::time::Duration;

/// A credential that the browser is told of.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// The credential id.
    pub id: Vec<u8>,
    /// How its authenticator is reached.
    pub transports: Vec<String>,
}

/// Whether the user shall be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// He must be.
    Required,
    /// Where the authenticator can.
    Preferred,
    /// Better not: a touch is enough.
    Discouraged,
}

/// Which authenticators may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// All.
    Any,
    /// Only those that can be carried from machine to machine.
    CrossPlatform,
}

/// Whether the credential shall be found without a list of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResidentKey {
    /// It must.
    Required,
    /// Better not.
    Discouraged,
}

/// Whether the maker's attestation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conveyance {
    /// No.
    None,
    /// As the authenticator gives it. Browsers ask the user first.
    Direct,
}

/// What a registration asks for.
#[derive(Debug, Clone)]
pub struct Creation<'a> {
    /// The relying party's id.
    pub rp_id: &'a str,
    /// Its name for people.
    pub rp_name: &'a str,
    /// A handle of the user that tells nothing about him, 64 bytes at most.
    pub user_handle: &'a [u8],
    /// His name, as he logs on.
    pub user_name: &'a str,
    /// His name for people.
    pub display_name: &'a str,
    /// The challenge.
    pub challenge: &'a [u8],
    /// The algorithms, the best liked first.
    pub algorithms: &'a [Algorithm],
    /// Credentials that the user has; their authenticators shall not make another.
    pub exclude: &'a [Allowed],
    /// Which authenticators may answer.
    pub attachment: Attachment,
    /// Whether it shall be found without a list.
    pub resident_key: ResidentKey,
    /// Whether the user shall be verified.
    pub verification: Verification,
    /// Whether attestation is wanted.
    pub conveyance: Conveyance,
    /// How long the browser may take.
    pub timeout: Duration,
}

/// What an assertion is asked for.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The relying party's id.
    pub rp_id: &'a str,
    /// The challenge.
    pub challenge: &'a [u8],
    /// The credentials that may answer; none for those that are found without a list.
    pub allow: &'a [Allowed],
    /// Whether the user shall be verified.
    pub verification: Verification,
    /// How long the browser may take.
    pub timeout: Duration,
}

/// The JSON for `PublicKeyCredential.parseCreationOptionsFromJSON`.
#[must_use]
pub fn creation_options(asked: &Creation<'_>) -> String {
    let algorithms: Vec<Value> =
        asked.algorithms.iter().map(|algorithm| json!({ "type": "public-key", "alg": algorithm.cose() })).collect();
    let is_resident = asked.resident_key == ResidentKey::Required;
    let mut selection = json!({
        "residentKey": if is_resident { "required" } else { "discouraged" },
        "requireResidentKey": is_resident,
        "userVerification": verification(asked.verification),
    });
    let mut hints = json!([]);
    if asked.attachment == Attachment::CrossPlatform
        && let Some(selection) = selection.as_object_mut()
    {
        selection.insert("authenticatorAttachment".to_owned(), json!("cross-platform"));
        hints = json!(["security-key"]);
    }
    let options = json!({
        "rp": { "id": asked.rp_id, "name": asked.rp_name },
        "user": {
            "id": BASE64URL_NOPAD.encode(asked.user_handle),
            "name": asked.user_name,
            "displayName": asked.display_name,
        },
        "challenge": BASE64URL_NOPAD.encode(asked.challenge),
        "pubKeyCredParams": algorithms,
        "timeout": millis(asked.timeout),
        "excludeCredentials": list(asked.exclude),
        "authenticatorSelection": selection,
        "hints": hints,
        "attestation": match asked.conveyance {
            Conveyance::None => "none",
            Conveyance::Direct => "direct",
        },
    });
    options.to_string()
}

/// The JSON for `PublicKeyCredential.parseRequestOptionsFromJSON`.
#[must_use]
pub fn request_options(asked: &Request<'_>) -> String {
    let options = json!({
        "rpId": asked.rp_id,
        "challenge": BASE64URL_NOPAD.encode(asked.challenge),
        "timeout": millis(asked.timeout),
        "allowCredentials": list(asked.allow),
        "userVerification": verification(asked.verification),
    });
    options.to_string()
}

const fn verification(verification: Verification) -> &'static str {
    match verification {
        Verification::Required => "required",
        Verification::Preferred => "preferred",
        Verification::Discouraged => "discouraged",
    }
}

fn list(credentials: &[Allowed]) -> Value {
    let credential = |one: &Allowed| json!({ "type": "public-key", "id": BASE64URL_NOPAD.encode(&one.id), "transports": one.transports });
    credentials.iter().map(credential).collect()
}

fn millis(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)
}
