//! Judging what a security key or passkey has signed, whichever door or purpose asked: a try is booked before the result
//! counts, a counter rises by the one conditional write of the store.

use super::{Answer, Read, hash_of, method_of};
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
use countersign_model::webauthn::{KeyKind, WebAuthnCredential};
use countersign_store::budgets::Counted;
use countersign_store::webauthn_credentials::Use;
use countersign_store::{Tx, budgets, webauthn_credentials};
use countersign_webauthn::{Asserted, AssertionDemand, AssertionResponse, Invalid, KnownCredential, UserVerification};

/// An assertion, verified against the credential that it names.
#[derive(Debug, Clone)]
pub(crate) struct Assertion {
    /// The credential, if it is known.
    pub(crate) key: Option<(WebAuthnCredential, Result<Asserted, Invalid>)>,
    pub(crate) user_handle: Option<Vec<u8>>,
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

impl Countersign {
    /// Takes an answer apart and verifies it against the credential that it names, outside any transaction that writes.
    pub(crate) async fn read_assertion(&self, response: &str) -> Result<Read<Assertion>, Error> {
        let read = |response| {
            let response = AssertionResponse::parse(response)?;
            let challenge = response.challenge()?;
            Ok::<_, Invalid>((response, challenge))
        };
        let (response, challenge) = match read(response) {
            Ok(read) => read,
            Err(invalid) => return Ok(Err(invalid)),
        };
        let id = response.credential_id().to_vec();
        let look = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
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
        Ok(Ok(Answer { challenge_hash: hash_of(&challenge), verified: Assertion { key, user_handle } }))
    }

    /// Books a try of a credential, judges it, and lets its counter rise; what it proves. The challenge was used up before.
    /// A refusal keeps the count.
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
        let result = self.judge_and_spend_key(tx, key, *judged, asked, origin).await;
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
        judged: Result<Asserted, Invalid>,
        asked: &KeyTry<'_>,
        origin: &Origin,
    ) -> Result<(), Error> {
        book(tx, key, asked).await?;
        let asserted = match judged {
            Ok(asserted) => asserted,
            Err(invalid) => {
                self.tell_of_copy(tx, key, invalid, asked, origin).await?;
                return Err(wrong(invalid.code()));
            }
        };
        if asked.standing == TryStanding::Stranger {
            if key.kind != KeyKind::Passkey {
                return Err(wrong("not_a_passkey"));
            }
            if !asserted.user_verified {
                return Err(wrong(Invalid::UserVerification.code()));
            }
        }
        asked.policy.judge(key, self.roots()).map_err(|why| Error::because(Refusal::KeyNotAllowed, why.code()))?;
        let used = Use { sign_count: asserted.sign_count, backed_up: asserted.backed_up, at: asked.now };
        // Another assertion may have come first, or the key may have been unbound.
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
