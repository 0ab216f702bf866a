//! The challenge of a logon without a password. Anybody may ask for one, and every look at the logon page does, so none is
//! kept: the challenge is a sealed note of when and by which browser it was asked for. The first answer by a credential that
//! is known writes its hash down, right or wrong, and no other is taken.

use crate::error::Error;
use crate::keyring::Place;
use crate::webauthn::Prompt;
use crate::{Countersign, token_hash};
use countersign_model::Timestamp;
use countersign_model::token::Token;
use countersign_model::webauthn::CEREMONY_LIFETIME;
use countersign_store::{Tx, facts};
use countersign_webauthn::{AssertionResponse, Verification};
use data_encoding::HEXLOWER;
use std::time::Duration;

/// The fact that names the present generation of challenges. Another one begins where it is not known any more which were
/// answered.
const GENERATION: &str = "passkey_challenges";
type Generation = [u8; 16];

/// So far the clock of the node that asked may be ahead of the one that is answered.
const SKEW: Duration = Duration::from_mins(1);

/// A challenge that this installation has made for the browser that answers it, and that lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    at: Timestamp,
    generation: Generation,
}

impl Asked {
    /// After this it is worthless.
    pub(super) fn expires_at(self) -> Timestamp {
        self.at.plus(CEREMONY_LIFETIME)
    }

    /// Whether what was answered to it would still be known.
    pub(super) async fn is_remembered(self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        Ok(self.generation == present_generation(tx).await?)
    }
}

async fn present_generation(tx: &mut Tx<'_>) -> Result<Generation, Error> {
    let Some(text) = facts::find(tx, GENERATION).await? else { return Ok(Generation::default()) };
    let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Error::Fault(format!("the fact {GENERATION} is no generation")))
}

impl Countersign {
    /// Makes all challenges of before worthless: which of them were answered is not known any more, or will be forgotten
    /// before they run out.
    pub(crate) async fn forget_challenges(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let next: Generation = self.random();
        Ok(facts::put(tx, GENERATION, &HEXLOWER.encode(&next)).await?)
    }

    /// Asks a browser for any passkey of this installation, by the browser's own dialog or in the list of the name field.
    /// The token is the browser's: nobody else may answer. Nothing is written.
    pub async fn begin_passkey_logon(&self) -> Result<(Token, Prompt), Error> {
        let browser = self.new_token();
        let prompt = self.ask_for_passkey(&browser).await?;
        Ok((browser, prompt))
    }

    /// Asks a browser that has a token once more, in another tab say. Each question is answered for itself.
    pub async fn ask_for_passkey(&self, browser: &Token) -> Result<Prompt, Error> {
        self.check_clock()?;
        let look = async |tx: &mut Tx<'_>| -> Result<Generation, Error> { present_generation(tx).await };
        let asked = Asked { generation: self.inner.store.read(look).await?, at: self.now() };
        let noise: [u8; 32] = self.random();
        let note = [noise.as_slice(), &asked.generation, &asked.at.micros().to_be_bytes()].concat();
        let sealed = self.inner.keys.seal(&place(&browser_of(browser)), &note, self.random());
        let challenge = sealed.map_err(|error| Error::Fault(error.to_string()))?;
        Ok(self.request(&challenge.0, &[], Verification::Required, asked.expires_at()))
    }

    /// What is answered, if this installation has asked this very browser, and lately.
    pub(super) fn asked_of(&self, browser: &Token, response: &str) -> Option<Asked> {
        let challenge = AssertionResponse::parse(response).ok()?.challenge().ok()?;
        // By the keys at hand: what a stranger made up shall not have the key file read.
        let note = self.inner.keys.ring().open(&place(&browser_of(browser)), &challenge).ok()?;
        let (rest, at) = note.split_last_chunk()?;
        let asked = Asked { at: Timestamp::from_micros(i64::from_be_bytes(*at)), generation: *rest.last_chunk()? };
        let now = self.now();
        (asked.at <= now.plus(SKEW) && now < asked.expires_at()).then_some(asked)
    }
}

/// What stands for a browser.
pub(super) fn browser_of(token: &Token) -> String {
    HEXLOWER.encode(&token_hash(token))
}

fn place(browser: &str) -> Place<'_> {
    Place { table: "challenge", column: "passkey logon", account_id: "", principal_id: "", row_id: browser }
}
