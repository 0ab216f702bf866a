//! Judging what a security key or passkey has signed, whichever door or purpose asked: a try is booked before the result
//! counts, a counter rises by the one conditional write of the store.

use super::{Answer, Read, Whose, hash_of, method_of, user_handle};
use crate::Countersign;
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::notices::{Finding, Notice};
use countersign_model::Timestamp;
use countersign_model::budget::{BudgetKind, Exhausted};
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::logon::Method;
use countersign_model::notice::{FindingKind, NoticeKind};
use countersign_model::settings::AttestationPolicy;
use countersign_model::webauthn::{CeremonyPurpose, KeyKind, WebAuthnCredential};
use countersign_store::budgets::Counted;
use countersign_store::webauthn_credentials::Use;
use countersign_store::{Tx, budgets, logons, proofs, webauthn_ceremonies, webauthn_credentials};
use countersign_webauthn::{Asserted, AssertionDemand, AssertionResponse, Invalid, KnownCredential, UserVerification};

/// An assertion, verified against the credential that it names.
#[derive(Debug, Clone)]
pub(crate) struct Assertion {
    /// The credential, if it is known.
    pub(crate) key: Option<(WebAuthnCredential, Result<Asserted, Invalid>)>,
    user_handle: Option<Vec<u8>>,
}

/// What waits for an answer.
#[derive(Debug, Clone)]
pub(crate) enum Awaited {
    /// The step *second factor* of the logon with the secret of this hash.
    SecondFactor([u8; 32]),
    /// A logon without a password, if this browser was asked for it: the challenge itself tells.
    PasskeyLogon { was_asked: bool },
    /// The proof with the secret of this hash.
    Proof([u8; 32]),
}

impl Awaited {
    /// Whether it waits for the answer to this challenge. Uses nothing up: the unit that decides does.
    async fn asks(&self, tx: &mut Tx<'_>, challenge_hash: &[u8; 32], now: Timestamp) -> Result<bool, Error> {
        let (started_by, purpose) = match self {
            Self::SecondFactor(hash) => match logons::find(tx, hash).await? {
                Some(found) => (found.logon.id.to_string(), CeremonyPurpose::SecondFactor),
                None => return Ok(false),
            },
            Self::PasskeyLogon { was_asked } => return Ok(*was_asked),
            Self::Proof(hash) => return Ok(proofs::has_challenge(tx, hash, challenge_hash).await?),
        };
        Ok(webauthn_ceremonies::is_open(tx, challenge_hash, (&started_by, purpose), now).await?)
    }
}

/// Whose credential has to pass, and what it has to show.
pub(crate) struct KeyTry<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) principal: &'a PrincipalId,
    /// His name, for administrators.
    pub(crate) name: &'a str,
    pub(crate) policy: &'a AttestationPolicy,
    pub(crate) standing: TryStanding,
    pub(crate) now: Timestamp,
}

/// What the asker has shown before he shows his key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TryStanding {
    /// His password, or a session: his failures count against the key.
    Known,
    /// Nothing: whoever comes with a wrong signature cannot lock the key. It has to be a passkey that verified its user.
    Stranger,
}

/// Why an assertion of a known credential is not accepted.
#[derive(Debug, Clone, Copy)]
enum Unfit {
    /// It is not what was asked, or not signed by the credential.
    Invalid(Invalid),
    /// It says to be somebody else's.
    UserHandle,
}

impl Assertion {
    /// Whether it says to be this principal's, or nothing of it (WebAuthn §7.2, step 6).
    fn fits(&self, whose: Whose<'_>) -> bool {
        self.user_handle.as_ref().is_none_or(|handle| *handle == user_handle(whose))
    }

    /// Whether it says to be this principal's.
    pub(crate) fn names(&self, whose: Whose<'_>) -> bool {
        self.user_handle.is_some() && self.fits(whose)
    }
}

impl Countersign {
    /// Takes an answer apart and, if anybody waits for it, verifies it against the credential that it names, outside any
    /// transaction that writes. What nobody asked for is not verified: it names no credential.
    pub(crate) async fn read_assertion(&self, awaited: Awaited, response: &str) -> Result<Read<Assertion>, Error> {
        let read = |response| {
            let response = AssertionResponse::parse(response)?;
            let challenge = response.challenge()?;
            Ok::<_, Invalid>((response, challenge))
        };
        let (response, challenge) = match read(response) {
            Ok(read) => read,
            Err(invalid) => return Ok(Err(invalid)),
        };
        let (challenge_hash, id, now) = (hash_of(&challenge), response.credential_id().to_vec(), self.now());
        let look = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            if !awaited.asks(tx, &challenge_hash, now).await? {
                return Ok(None);
            }
            Ok(webauthn_credentials::find_by_credential_id(tx, &id).await?)
        };
        let key = self.inner.store.read(look).await?.map(|key| {
            let demand = AssertionDemand { challenge: &challenge, user_verification: UserVerification::NotRequired };
            let known = KnownCredential {
                id: &key.credential_id,
                public_key: &key.public_key,
                sign_count: key.sign_count,
                backup_eligible: key.backup_eligible,
            };
            let judged = self.relying_party().verify_assertion(demand, known, &response);
            (key, judged)
        });
        let user_handle = response.user_handle().map(<[u8]>::to_vec);
        Ok(Ok(Answer { challenge_hash, verified: Assertion { key, user_handle } }))
    }

    /// Books a try of a credential, judges it, and lets its counter rise; what it proves. The challenge was used up before.
    /// A refusal keeps the count. A key that the policy or a hold refuses is nobody's failure, and books nothing.
    pub(crate) async fn spend_assertion(
        &self,
        tx: &mut Tx<'_>,
        assertion: &Assertion,
        asked: &KeyTry<'_>,
        origin: &Origin,
    ) -> Result<Method, Error> {
        let Some((key, judged)) = &assertion.key else { return Err(wrong("credential_unknown")) };
        // Somebody else's credential is told from an unknown one by nobody.
        if (&key.account_id, &key.principal_id) != (asked.account, asked.principal) {
            return Err(wrong("credential_of_another_principal"));
        }
        if asked.standing == TryStanding::Known
            && let Err(error) = self.terms(asked.policy).judge_try(key, asked)
        {
            self.inner.metrics.step("key", false);
            return Err(error);
        }
        let judged = judged.map_err(Unfit::Invalid).and_then(|asserted| {
            if assertion.fits((asked.account, asked.principal)) { Ok(asserted) } else { Err(Unfit::UserHandle) }
        });
        let result = self.judge_and_spend_key(tx, key, judged, asked, origin).await;
        if asked.standing == TryStanding::Known {
            self.tell_of_lock(tx, (counted(key), &key.principal_id), &result, origin).await?;
        }
        self.inner.metrics.step("key", result.is_ok());
        result.map(|()| method_of(key.kind))
    }

    async fn judge_and_spend_key(
        &self,
        tx: &mut Tx<'_>,
        key: &WebAuthnCredential,
        judged: Result<Asserted, Unfit>,
        asked: &KeyTry<'_>,
        origin: &Origin,
    ) -> Result<(), Error> {
        book(tx, key, asked).await?;
        let asserted = match judged {
            Ok(asserted) => asserted,
            Err(Unfit::Invalid(invalid)) => {
                self.tell_of_copy(tx, key, invalid, asked, origin).await?;
                return Err(wrong(invalid.code()));
            }
            Err(Unfit::UserHandle) => return Err(wrong("wrong_user_handle")),
        };
        if asked.standing == TryStanding::Stranger {
            if key.kind != KeyKind::Passkey {
                return Err(wrong("not_a_passkey"));
            }
            if !asserted.user_verified {
                return Err(wrong(Invalid::UserVerification.code()));
            }
            // Whoever has shown nothing learns only behind a good signature what becomes of a key.
            self.terms(asked.policy).judge_try(key, asked)?;
        }
        let used = Use { sign_count: asserted.sign_count, backed_up: asserted.backed_up, at: asked.now };
        // Another assertion may have come first, or the key may have been unbound or disowned.
        if !webauthn_credentials::note_use(tx, &key.account_id, &key.id, used).await? {
            return Err(wrong("counter_overtaken"));
        }
        budgets::clear(tx, counted(key), asked.now).await?;
        Ok(())
    }

    /// Tells the principal and the administrators when a key that signs well is not what it was: its counter went back, or
    /// it says otherwise than before whether it may be backed up. There may be a copy of it.
    async fn tell_of_copy(
        &self,
        tx: &mut Tx<'_>,
        key: &WebAuthnCredential,
        invalid: Invalid,
        asked: &KeyTry<'_>,
        origin: &Origin,
    ) -> Result<(), Error> {
        if !matches!(invalid, Invalid::Counter | Invalid::BackupEligibility) {
            return Ok(());
        }
        let (account, principal) = (asked.account, asked.principal);
        self.notify(tx, Notice { account, principal, kind: NoticeKind::KeyCopied, origin }).await?;
        let address = origin.address.replace(';', ",");
        let details = format!("key={};reason={};from={address};", key.id, invalid.code());
        let kind = FindingKind::KeyCopied;
        let finding = Finding { account, principal, principal_name: asked.name, kind, details: &details };
        self.raise(tx, finding).await
    }
}

/// Books a try; a stranger's is not booked, but a locked key stays locked for him.
async fn book(tx: &mut Tx<'_>, key: &WebAuthnCredential, asked: &KeyTry<'_>) -> Result<(), Error> {
    match asked.standing {
        TryStanding::Known => match budgets::book(tx, counted(key), None, asked.now).await? {
            Ok(_) => Ok(()),
            Err(Exhausted::Paused { .. }) => Err(wrong("factor_paused")),
            Err(Exhausted::Disabled) => Err(wrong("factor_disabled")),
        },
        TryStanding::Stranger => {
            let budget = budgets::find(tx, counted(key)).await?;
            if budget.is_disabled() {
                return Err(wrong("factor_disabled"));
            }
            if budget.is_locked(asked.now) { Err(wrong("factor_paused")) } else { Ok(()) }
        }
    }
}

/// What the tries of a credential are counted under.
pub(crate) fn counted(key: &WebAuthnCredential) -> Counted<'_> {
    Counted { account: &key.account_id, subject: key.id.as_str(), kind: BudgetKind::WebAuthn }
}

pub(crate) const fn wrong(reason: &'static str) -> Error {
    Error::because(Refusal::WrongCode, reason)
}
