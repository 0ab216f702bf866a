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
use std::time::Duration;

/// The time of the last mark of a restored backup, which does not know what was answered before it.
const RESTORED: &str = "passkey_challenges_from";

/// So far the clock of the node that asked may be ahead of the one that is answered.
const SKEW: Duration = Duration::from_mins(1);

/// A challenge that this installation has made for the browser that answers it, and that lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    at: Timestamp,
}

impl Asked {
    /// After this it is worthless.
    pub(super) fn expires_at(self) -> Timestamp {
        self.at.plus(CEREMONY_LIFETIME)
    }

    /// Whether what was answered to it would still be known.
    pub(super) async fn is_remembered(self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let Some(text) = facts::find(tx, RESTORED).await? else { return Ok(true) };
        let micros = text.parse().map_err(|_| Error::Fault(format!("the fact {RESTORED} is no number")))?;
        Ok(Timestamp::from_micros(micros) < self.at)
    }
}

/// Makes all challenges of before worthless: which of them were answered is not known any more.
pub(crate) async fn forget_challenges(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Error> {
    Ok(facts::put(tx, RESTORED, &now.micros().to_string()).await?)
}

impl Countersign {
    /// Asks a browser for any passkey of this installation, by the browser's own dialog or in the list of the name field.
    /// The token is the browser's: nobody else may answer. Nothing is written.
    pub fn begin_passkey_logon(&self) -> Result<(Token, Prompt), Error> {
        let browser = self.new_token();
        let prompt = self.ask_for_passkey(&browser)?;
        Ok((browser, prompt))
    }

    /// Asks a browser that has a token once more, in another tab say. Each question is answered for itself.
    pub fn ask_for_passkey(&self, browser: &Token) -> Result<Prompt, Error> {
        self.check_clock()?;
        let asked = Asked { at: self.now() };
        let noise: [u8; 32] = self.random();
        let note = [noise.as_slice(), &asked.at.micros().to_be_bytes()].concat();
        let sealed = self.inner.keys.seal(&place(&browser_of(browser)), &note, self.random());
        let challenge = sealed.map_err(|error| Error::Fault(error.to_string()))?;
        Ok(self.request(&challenge.0, &[], Verification::Required, asked.expires_at()))
    }

    /// What is answered, if this installation has asked this very browser, and lately.
    pub(super) fn asked_of(&self, browser: &Token, response: &str) -> Option<Asked> {
        let challenge = AssertionResponse::parse(response).ok()?.challenge().ok()?;
        // By the keys at hand: what a stranger made up shall not have the key file read.
        let note = self.inner.keys.ring().open(&place(&browser_of(browser)), &challenge).ok()?;
        let asked = Asked { at: Timestamp::from_micros(i64::from_be_bytes(*note.last_chunk()?)) };
        let now = self.now();
        (asked.at <= now.plus(SKEW) && now < asked.expires_at()).then_some(asked)
    }
}

/// What stands for a browser.
pub(super) fn browser_of(token: &Token) -> String {
    data_encoding::HEXLOWER.encode(&token_hash(token))
}

fn place(browser: &str) -> Place<'_> {
    Place { table: "challenge", column: "passkey logon", account_id: "", principal_id: "", row_id: browser }
}
