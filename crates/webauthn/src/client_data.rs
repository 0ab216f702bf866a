//! What the browser says it was asked, and by whom (WebAuthn §5.8.1).

use crate::error::Invalid;
use serde::Deserialize;

/// What a ceremony is for, as the browser writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ceremony {
    Create,
    Get,
}

impl Ceremony {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<String>,
}

/// Refuses client data that are not of this ceremony, challenge and origin, or were asked for across origins.
pub(crate) fn check(json: &[u8], ceremony: Ceremony, challenge: &[u8], origin: &str) -> Result<(), Invalid> {
    let data = read(json)?;
    if data.ceremony != ceremony.as_str() {
        return Err(Invalid::CeremonyType);
    }
    // The browser encodes in one way only, so the texts can be compared.
    if data.challenge != data_encoding::BASE64URL_NOPAD.encode(challenge) {
        return Err(Invalid::Challenge);
    }
    if data.origin != origin {
        return Err(Invalid::Origin);
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(Invalid::CrossOrigin);
    }
    Ok(())
}

/// The challenge that client data answer. Nothing else of them was checked.
pub(crate) fn challenge(json: &[u8]) -> Result<Vec<u8>, Invalid> {
    let data = read(json)?;
    data_encoding::BASE64URL_NOPAD.decode(data.challenge.as_bytes()).map_err(|_| Invalid::Challenge)
}

fn read(json: &[u8]) -> Result<ClientData, Invalid> {
    serde_json::from_slice(json).map_err(|_| Invalid::Response("client data that are no JSON of the kind"))
}
