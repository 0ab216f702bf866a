//! Recovery codes: ten, shown once, for whoever has lost his second factor.
//!
//! A code is 80 random bits in base32, in groups of four: `ABCD-EFGH-IJKL-MNOP`. It is stored as a keyed hash bound to its
//! principal, so that it works for nobody else. Digits that base32 does not have are read as the letters they look like.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::notices::Notice;
use countersign_model::Entropy;
use countersign_model::entropy::random_bytes;
use countersign_model::ids::PrincipalId;
use countersign_model::notice::NoticeKind;
use countersign_model::token::Token;
use countersign_store::{Tx, factors, recovery_codes};
use data_encoding::BASE32_NOPAD;
use secrecy::SecretString;
use zeroize::Zeroizing;

/// What the keyed hashes of recovery codes are for.
pub(crate) const RECOVERY_CODES: &str = "recovery code";

/// How many codes are made at once.
pub const CODES_MADE: usize = 10;

const CODE_BYTES: usize = 10;

/// The ten codes, to be shown once.
#[derive(Debug)]
pub struct MadeCodes {
    /// The codes as they are written down.
    pub codes: Vec<SecretString>,
    /// The new secret of the actor's session.
    pub token: Token,
}

/// A well-formed recovery code.
pub(crate) struct RecoveryCode(Zeroizing<[u8; CODE_BYTES]>);

impl RecoveryCode {
    fn generate(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(random_bytes(entropy)))
    }

    /// Reads a code as a person types it: in any case, with or without dashes and spaces.
    pub(crate) fn parse(typed: &str) -> Option<Self> {
        // Longer than any spelling of a code, and not worth reading.
        if typed.len() > 200 {
            return None;
        }
        let letters = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '‑' | '–' | '—' | '_'));
        let letters: Zeroizing<String> = Zeroizing::new(letters.map(read_letter).collect());
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(letters.as_bytes()).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// What is hashed: the code and whose it is.
    pub(crate) fn bound_to(&self, principal: &PrincipalId) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([principal.as_str().as_bytes(), b"/", self.0.as_slice()].concat())
    }

    fn written(&self) -> SecretString {
        let letters = Zeroizing::new(BASE32_NOPAD.encode(self.0.as_slice()));
        let mut written = String::with_capacity(letters.len() + 3);
        for (index, letter) in letters.chars().enumerate() {
            if index > 0 && index.is_multiple_of(4) {
                written.push('-');
            }
            written.push(letter);
        }
        written.into()
    }
}

/// Full-width letters and small ones are read as capitals; 0, 1 and 8, which are not in the alphabet, as O, I and B.
fn read_letter(c: char) -> char {
    let plain = match u32::from(c) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    match plain.to_ascii_uppercase() {
        '0' => 'O',
        '1' => 'I',
        '8' => 'B',
        letter => letter,
    }
}

impl Countersign {
    /// Makes ten recovery codes for the actor, in the place of all earlier ones. He must have a second factor; a code leads to a
    /// new one. His other sessions end; this one goes on under the token returned.
    pub async fn make_own_recovery_codes(&self, actor: &SessionActor, origin: &Origin) -> Result<MadeCodes, Error> {
        let deed = Deed::own(actor, Action::MakeOwnRecoveryCodes.code()).asking(Action::MakeOwnRecoveryCodes, &[]);
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<MadeCodes, Error> {
            admitted.may(Action::MakeOwnRecoveryCodes, &Resource::Oneself)?;
            let session = admitted.guard_oneself(tx).await?;
            let (account, principal) = (session.account_id(), session.principal_id());
            if !factors::of(tx, account, principal).await?.any() {
                return Err(Refusal::MfaNotBound.into());
            }
            let codes: Vec<_> = (0..CODES_MADE).map(|_| RecoveryCode::generate(&*this.inner.entropy)).collect();
            let hashes: Vec<_> = codes
                .iter()
                .map(|code| this.inner.keys.ring().keyed_hash(RECOVERY_CODES, &code.bound_to(principal)))
                .collect();
            recovery_codes::replace(tx, account, principal, &hashes, admitted.now).await?;
            let notice = Notice { account, principal, kind: NoticeKind::RecoveryCodesMade, origin: &from };
            this.notify(tx, notice).await?;
            let token = this.renew_own_session(tx, admitted).await?;
            Ok(MadeCodes { codes: codes.iter().map(RecoveryCode::written).collect(), token })
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::entropy::OsEntropy;
    use secrecy::ExposeSecret as _;

    #[test]
    fn attack_049_a_code_is_one_code_in_every_spelling() {
        let code = RecoveryCode(Zeroizing::new([0, 68, 50, 20, 199, 66, 84, 182, 53, 207]));
        let written = code.written();
        let text = written.expose_secret();
        assert_eq!(text, "ABCD-EFGH-IJKL-MNOP");
        for spelling in [
            "abcdefghijklmnop",
            " ABCD EFGH IJKL MNOP ",
            "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p",
            "ABCD–EFGH–1JKL–MN0P",
            "ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰ",
            "A8CDEFGH1JKLMN0P",
        ] {
            assert_eq!(RecoveryCode::parse(spelling).unwrap().0, code.0, "{spelling}");
        }
    }

    #[test]
    fn attack_013_what_is_no_code_is_not_read() {
        for bad in ["", "ABCD-EFGH-IJKL", "ABCD-EFGH-IJKL-MNOPQ", "ABCD-EFGH-IJKL-MNO!", "9999-9999-9999-9999"] {
            assert!(RecoveryCode::parse(bad).is_none(), "{bad}");
        }
        assert!(RecoveryCode::parse(&"A".repeat(10_000)).is_none());
    }

    #[test]
    fn a_made_code_is_read_back() {
        for _ in 0..100 {
            let code = RecoveryCode::generate(&OsEntropy);
            assert_eq!(RecoveryCode::parse(code.written().expose_secret()).unwrap().0, code.0);
        }
    }
}
