//! The browser's answers as `PublicKeyCredential.toJSON()` gives them (WebAuthn §5.1).

use crate::authenticator_data::LONGEST_ASSERTION;
use crate::client_data;
use crate::error::Invalid;
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

/// The longest answer that is read, in bytes of JSON.
pub const LONGEST_RESPONSE: usize = 65_536;

/// How many transports of an answer are kept, and how long each may be.
const TRANSPORTS: usize = 8;
const LONGEST_TRANSPORT: usize = 32;

/// An answer to a registration.
#[derive(Debug, Clone)]
pub struct RegistrationResponse {
    pub(crate) id: Vec<u8>,
    pub(crate) client_data: Vec<u8>,
    pub(crate) attestation_object: Vec<u8>,
    pub(crate) transports: Vec<String>,
}

/// An answer to a request for an assertion.
#[derive(Debug, Clone)]
pub struct AssertionResponse {
    pub(crate) id: Vec<u8>,
    pub(crate) client_data: Vec<u8>,
    pub(crate) authenticator_data: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) user_handle: Option<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<R> {
    id: String,
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: R,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registration {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: String,
    #[serde(default)]
    transports: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

impl RegistrationResponse {
    /// Reads an answer.
    pub fn parse(json: &str) -> Result<Self, Invalid> {
        let (id, answer) = open::<Registration>(json)?;
        let mut transports = answer.transports;
        let is_word = |word: &String| {
            (1..=LONGEST_TRANSPORT).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        };
        transports.retain(is_word);
        transports.sort();
        transports.dedup();
        transports.truncate(TRANSPORTS);
        Ok(Self {
            id,
            client_data: decode(&answer.client_data)?,
            attestation_object: decode(&answer.attestation_object)?,
            transports,
        })
    }

    /// The challenge that it claims to answer, by which the ceremony is found.
    pub fn challenge(&self) -> Result<Vec<u8>, Invalid> {
        client_data::challenge(&self.client_data)
    }
}

impl AssertionResponse {
    /// Reads an answer.
    pub fn parse(json: &str) -> Result<Self, Invalid> {
        let (id, answer) = open::<Assertion>(json)?;
        let handle = answer.user_handle.filter(|handle| !handle.is_empty());
        let authenticator_data = decode(&answer.authenticator_data)?;
        if authenticator_data.len() > LONGEST_ASSERTION {
            return Err(Invalid::AuthenticatorData("too long"));
        }
        Ok(Self {
            id,
            client_data: decode(&answer.client_data)?,
            authenticator_data,
            signature: decode(&answer.signature)?,
            user_handle: handle.map(|handle| decode(&handle)).transpose()?,
        })
    }

    /// The challenge that it claims to answer, by which the ceremony is found.
    pub fn challenge(&self) -> Result<Vec<u8>, Invalid> {
        client_data::challenge(&self.client_data)
    }

    /// The credential that it claims to be made with.
    #[must_use]
    pub fn credential_id(&self) -> &[u8] {
        &self.id
    }

    /// The user handle that the credential was registered with, where the authenticator tells it.
    #[must_use]
    pub fn user_handle(&self) -> Option<&[u8]> {
        self.user_handle.as_deref()
    }
}

fn open<'a, R: Deserialize<'a>>(json: &'a str) -> Result<(Vec<u8>, R), Invalid> {
    if json.len() > LONGEST_RESPONSE {
        return Err(Invalid::Response("too long"));
    }
    let envelope: Envelope<R> = serde_json::from_str(json).map_err(|_| Invalid::Response("not the JSON expected"))?;
    if envelope.kind != "public-key" || envelope.id != envelope.raw_id {
        return Err(Invalid::Response("not a public-key credential"));
    }
    Ok((decode(&envelope.raw_id)?, envelope.response))
}

fn decode(text: &str) -> Result<Vec<u8>, Invalid> {
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Invalid::Response("not base64url without padding"))
}
