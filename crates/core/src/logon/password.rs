//! The step *password*: book and commit, hash outside any transaction, then write conditionally on the epochs.

use super::{Advance, LogonStep};
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::hashing::Verdict;
use crate::{Countersign, token_hash};
use countersign_model::Timestamp;
use countersign_model::budget::{BudgetKind, Exhausted};
use countersign_model::logon::{Logon, LogonState};
use countersign_model::token::Token;
use countersign_store::budgets::Counted;
use countersign_store::logons::LogonInFull;
use countersign_store::{Tx, audit, budgets, login_profiles};
use secrecy::{ExposeSecret as _, SecretString};

impl Countersign {
    /// Judges the password of a logon. Unknown, disabled and locked users get the same answer after the same work.
    pub async fn logon_with_password(
        &self,
        token: &Token,
        password: SecretString,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        self.check_clock()?;
        let hash = token_hash(token);
        let (found, booked) = self.book_password_try(hash).await?;
        let stored = found.subject.as_ref().and_then(|subject| subject.profile.as_ref()?.password_hash.clone());
        let verdict =
            self.inner.hasher.verify(&password, stored.as_ref().map(|hash| hash.expose_secret().to_owned())).await?;
        let rehashed = match (&verdict, &booked) {
            (Verdict::Right { rehash_due: true }, Ok(())) => Some(self.hash_password(&password).await?),
            (Verdict::Right { .. } | Verdict::Wrong, _) => None,
        };
        let right = match (booked, &found.subject, verdict) {
            (Err(Exhausted::Paused { .. }), _, _) => Err("password_paused"),
            (Err(Exhausted::Disabled), _, _) => Err("password_disabled"),
            (Ok(()), None, _) => Err("unknown_name"),
            (Ok(()), Some(_), Verdict::Wrong) => Err("password_wrong"),
            (Ok(()), Some(_), Verdict::Right { .. }) => Ok(()),
        };
        self.inner.metrics.step("password", right.is_ok());
        let (this, origin) = (self.clone(), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            match right {
                Ok(()) => {
                    if let (Some(old), Some(new)) = (&stored, &rehashed) {
                        let logon = &found.logon;
                        login_profiles::rehash(tx, &logon.account_id, &logon.principal_id, old, new).await?;
                    }
                    this.pass_password(tx, &hash, &origin).await
                }
                Err(reason) => this.refuse_password(tx, &found, &origin, reason).await,
            }
        };
        self.inner.store.write(unit).await
    }

    async fn book_password_try(&self, hash: [u8; 32]) -> Result<(LogonInFull, Result<(), Exhausted>), Error> {
        let (this, now) = (self.clone(), self.now());
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            let found = this.logon_in(tx, &hash, LogonState::Password).await?;
            let booked = budgets::book(tx, counted(&found.logon), now).await?;
            Ok((found, booked))
        };
        self.inner.store.write(unit).await
    }

    async fn pass_password(&self, tx: &mut Tx<'_>, hash: &[u8; 32], origin: &Origin) -> Result<LogonStep, Error> {
        let now = self.now();
        // Looked at again: while the password was hashed, an administrator may have changed it.
        let found = self.logon_in(tx, hash, LogonState::Password).await?;
        let subject = found.subject.as_ref().ok_or(Refusal::LogonOver)?;
        let result = self.take_password_fact(tx, hash, &found, origin, now).await;
        if result.is_ok() && subject.profile.is_some() {
            budgets::clear(tx, counted(&found.logon), now).await?;
        }
        self.settle_step(tx, &found.logon, origin, result).await
    }

    async fn take_password_fact(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        found: &LogonInFull,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<LogonStep, Error> {
        let subject = found.subject.as_ref().ok_or(Refusal::LogonOver)?;
        let mut after = found.logon.clone();
        after.facts.password_at = Some(now);
        self.advance(tx, Advance { hash, before: &found.logon, after, subject, origin, now }).await
    }

    /// Writes one row whether the name exists or not: a judged try of a known user into its account's log (there are few
    /// of them, the budget sees to it), the rest into the counts of strangers.
    async fn refuse_password(
        &self,
        tx: &mut Tx<'_>,
        found: &LogonInFull,
        origin: &Origin,
        reason: &'static str,
    ) -> Result<LogonStep, Error> {
        let refused = Err(Error::because(Refusal::WrongCredentials, reason));
        if found.subject.is_some() && reason == "password_wrong" {
            return self.settle_step(tx, &found.logon, origin, refused).await;
        }
        audit::count_refusal(tx, self.now(), &origin.address, "LogonFail").await?;
        refused
    }
}

/// What the tries of a logon's password are counted under; for a name that does not exist, its phantom.
fn counted(logon: &Logon) -> Counted<'_> {
    Counted { account: &logon.account_id, subject: logon.principal_id.as_str(), kind: BudgetKind::Password }
}
