//! The step *password*: book and commit, hash outside any transaction, then write conditionally on the epochs.

use super::next::admits;
use super::{Advance, LogonStep};
use crate::actor::Origin;
use crate::error::{Error, Refusal};
use crate::hashing::Verdict;
use crate::notices::{Finding, Notice};
use crate::{Countersign, token_hash};
use countersign_model::Timestamp;
use countersign_model::budget::{
    ALL_FAILURES, Budget, BudgetKind, Exhausted, NETWORK_FAILURES, NETWORK_FAILURES_UNDER_ATTACK,
};
use countersign_model::logon::{Logon, LogonState};
use countersign_model::machine::customer_network;
use countersign_model::notice::{FindingKind, NoticeKind};
use countersign_model::principal::PrincipalKind;
use countersign_model::settings::SecuritySettings;
use countersign_model::token::Token;
use countersign_store::budgets::Counted;
use countersign_store::logons::LogonInFull;
use countersign_store::network_budgets::EVERYWHERE;
use countersign_store::{Tx, audit, budgets, findings, known_places, login_profiles, network_budgets};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// The reason why a try from a network is not listened to.
const NETWORK_EXHAUSTED: &str = "network_exhausted";

/// What the tries from outside the networks of the account are counted under.
const OUTSIDE: &str = "outside ";

/// A try of a password that was booked, and what it was counted under.
#[derive(Debug, Clone)]
struct Booked {
    at: Timestamp,
    /// The count with it, or why it is not judged.
    outcome: Result<Budget, &'static str>,
    /// The most tries within an hour, where the account has such a limit.
    hourly: Option<i64>,
    /// The principal, his known browser, or the phantom of a name that does not exist.
    subject: String,
    /// The network that it was counted for; a known browser's tries are not.
    network: Option<String>,
}

impl Booked {
    /// Whether this try begins a lock of the principal's own, or of a browser of his.
    fn begins_lock(&self) -> bool {
        let outside = self.subject.starts_with(OUTSIDE);
        !outside && self.outcome.as_ref().is_ok_and(|budget| budget.begins_lock(self.hourly))
    }
}

/// A password that was right.
#[derive(Clone, Copy)]
struct Judged<'a> {
    booked: &'a Booked,
    /// The hash that it was held against.
    against: Option<&'a SecretString>,
    /// Its hash under the present parameters, if they have changed.
    rehashed: Option<&'a str>,
}

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
        let (found, booked) = self.book_password_try(hash, origin).await?;
        if let Err(reason @ NETWORK_EXHAUSTED) = booked.outcome {
            // Whatever the name, so there is nothing that a hash would have to hide.
            return self.refuse_unheard(found, origin.clone(), reason).await;
        }
        let stored = found.subject.as_ref().and_then(|subject| subject.profile.as_ref()?.password_hash.clone());
        let verdict =
            self.inner.hasher.verify(&password, stored.as_ref().map(|hash| hash.expose_secret().to_owned())).await?;
        let rehashed = match (&verdict, &booked.outcome) {
            (Verdict::Right { rehash_due: true }, Ok(_)) => Some(self.hash_password(&password).await?),
            (Verdict::Right { .. } | Verdict::Wrong, _) => None,
        };
        let right = match (&booked.outcome, &found.subject, verdict) {
            (Err(reason), _, _) => Err(*reason),
            (Ok(_), None, _) => Err("unknown_name"),
            (Ok(_), Some(_), Verdict::Wrong) => Err("password_wrong"),
            (Ok(_), Some(_), Verdict::Right { .. }) => Ok(()),
        };
        self.inner.metrics.step("password", right.is_ok());
        let locked = (right == Err("password_wrong") && booked.begins_lock()).then(|| found.logon.clone());
        let (this, origin) = (self.clone(), origin.clone());
        let from = origin.clone();
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            match right {
                Ok(()) => {
                    let judged = Judged { booked: &booked, against: stored.as_ref(), rehashed: rehashed.as_deref() };
                    this.pass_password(tx, &hash, judged, &origin).await
                }
                Err(reason) => this.refuse_password(tx, &found, &origin, reason).await,
            }
        };
        let answer = self.inner.store.write(unit).await;
        if let Some(logon) = locked {
            self.tell_of_locked_password(logon, from);
        }
        answer
    }

    /// Refuses a try from a network that is not listened to any more.
    async fn refuse_unheard(
        &self,
        found: LogonInFull,
        origin: Origin,
        reason: &'static str,
    ) -> Result<LogonStep, Error> {
        let this = self.clone();
        let unit = async move |tx: &mut Tx<'_>| -> Result<LogonStep, Error> {
            this.refuse_password(tx, &found, &origin, reason).await
        };
        self.inner.store.write(unit).await
    }

    /// Tells somebody that his password is locked. Not waited for, and not in the unit that answers: its time would tell a
    /// stranger which names exist.
    fn tell_of_locked_password(&self, logon: Logon, origin: Origin) {
        let this = self.clone();
        tokio::spawn(async move {
            let core = this.clone();
            let unit = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
                let (account, principal) = (&logon.account_id, &logon.principal_id);
                core.notify(tx, Notice { account, principal, kind: NoticeKind::Locked, origin: &origin }).await
            };
            if let Err(error) = this.inner.store.write(unit).await {
                tracing::warn!(%error, "a notice of a lock was not written");
            }
        });
    }

    async fn book_password_try(&self, hash: [u8; 32], origin: &Origin) -> Result<(LogonInFull, Booked), Error> {
        let (this, now, origin) = (self.clone(), self.now(), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            let found = this.logon_in(tx, &hash, LogonState::Password).await?;
            let booked = this.book_password(tx, &found, &origin, now).await?;
            Ok((found, booked))
        };
        self.inner.store.write(unit).await
    }

    /// Books a try. A known browser has a budget of its own, which strangers cannot use up; all others share that of the
    /// principal, and of the network they come from. A name that does not exist takes the same statements.
    async fn book_password(
        &self,
        tx: &mut Tx<'_>,
        found: &LogonInFull,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Booked, Error> {
        let logon = &found.logon;
        let known = match &origin.browser {
            Some(browser) => {
                let hash = token_hash(browser);
                known_places::find_browser(tx, &logon.account_id, &logon.principal_id, &hash).await?
            }
            None => None,
        };
        let known = known.filter(|browser| now < browser.expires_at);
        let settings = found.settings.clone().unwrap_or_default();
        let hourly = hourly_limit(logon.kind, &settings);
        // Whoever is outside the networks cannot use up the tries of somebody inside.
        let subject = match (&known, admits(logon.kind, &settings, &origin.address)) {
            (_, false) => format!("{OUTSIDE}{}", logon.principal_id),
            (Some(browser), true) => browser.id.to_string(),
            (None, true) => logon.principal_id.to_string(),
        };
        let network = if known.is_some() { None } else { Some(customer_network(&origin.address)) };
        let booked = Booked { at: now, outcome: Err(NETWORK_EXHAUSTED), hourly, subject, network };
        if let Some(network) = &booked.network
            && !self.book_network(tx, found, network, now).await?
        {
            return Ok(booked);
        }
        let outcome = budgets::book(tx, counted(logon, &booked.subject), hourly, now).await?;
        let outcome = outcome.map_err(|exhausted| match exhausted {
            Exhausted::Paused { .. } => "password_paused",
            Exhausted::Disabled => "password_disabled",
        });
        Ok(Booked { outcome, ..booked })
    }

    /// Books a try from a network; whether it is still listened to. While wrong passwords come from everywhere, each
    /// network has a small part of its tries only: whoever sprays one password over many names from many addresses is
    /// stopped, and others are hardly touched.
    async fn book_network(
        &self,
        tx: &mut Tx<'_>,
        found: &LogonInFull,
        network: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let here = network_budgets::book(tx, network, now).await?;
        if here > NETWORK_FAILURES {
            // Whoever is not listened to does not count against the others either.
            return Ok(false);
        }
        let everywhere = network_budgets::book(tx, EVERYWHERE, now).await?;
        if everywhere == ALL_FAILURES + 1 {
            tracing::error!("wrong passwords come for many users at once: networks are listened to less for an hour");
            self.inner.metrics.step("spraying", false);
        }
        if everywhere > ALL_FAILURES && found.settings.is_some() {
            self.find_spraying(tx, &found.logon, now).await?;
        }
        let most = if everywhere > ALL_FAILURES { NETWORK_FAILURES_UNDER_ATTACK } else { NETWORK_FAILURES };
        Ok(here <= most)
    }

    /// Tells the administrators of an account whose users are tried, once an hour.
    async fn find_spraying(&self, tx: &mut Tx<'_>, logon: &Logon, now: Timestamp) -> Result<(), Error> {
        let kind = FindingKind::Spraying;
        if findings::has_since(tx, &logon.account_id, kind, now.minus(Duration::from_hours(1))).await? {
            return Ok(());
        }
        let (account, principal) = (&logon.account_id, &logon.principal_id);
        self.raise(tx, Finding { account, principal, principal_name: "", kind, details: "" }).await
    }

    async fn pass_password(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        Judged { booked, against, rehashed }: Judged<'_>,
        origin: &Origin,
    ) -> Result<LogonStep, Error> {
        let now = self.now();
        let found = self.logon_in(tx, hash, LogonState::Password).await?;
        let subject = found.subject.as_ref().ok_or(Refusal::LogonOver)?;
        // While the password was hashed, an administrator may have changed it.
        let present = subject.profile.as_ref().and_then(|profile| profile.password_hash.as_ref());
        if present.map(ExposeSecret::expose_secret) != against.map(ExposeSecret::expose_secret) {
            return Err(Error::because(Refusal::LogonOver, "logon_superseded"));
        }
        if let (Some(old), Some(new)) = (against, rehashed) {
            let logon = &found.logon;
            login_profiles::rehash(tx, &logon.account_id, &logon.principal_id, old, new).await?;
        }
        let result = self.take_password_fact(tx, hash, (&found, booked), origin, now).await;
        if result.is_ok() && subject.profile.is_some() {
            // In the order in which they were booked, so that two logons never wait for each other.
            if let Some(network) = &booked.network {
                network_budgets::give_back(tx, network, booked.at).await?;
                network_budgets::give_back(tx, EVERYWHERE, booked.at).await?;
            }
            budgets::clear(tx, counted(&found.logon, &booked.subject), now).await?;
        }
        self.settle_step(tx, &found.logon, origin, result).await
    }

    async fn take_password_fact(
        &self,
        tx: &mut Tx<'_>,
        hash: &[u8; 32],
        (found, booked): (&LogonInFull, &Booked),
        origin: &Origin,
        now: Timestamp,
    ) -> Result<LogonStep, Error> {
        let subject = found.subject.as_ref().ok_or(Refusal::LogonOver)?;
        let mut after = Logon {
            principal_epoch: subject.principal_epoch,
            account_epoch: subject.account_epoch,
            ..found.logon.clone()
        };
        after.facts.password_at = Some(now);
        let failed_before = booked.outcome.as_ref().is_ok_and(|budget| budget.failures > 1);
        self.look_around(tx, (&mut after, subject), failed_before, origin, now).await?;
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
        if found.subject.is_none() || reason != "password_wrong" {
            audit::count_refusal(tx, self.now(), &origin.address, "LogonFail").await?;
            return refused;
        }
        self.settle_step(tx, &found.logon, origin, refused).await
    }
}

/// What the tries of a logon's password are counted under.
fn counted<'a>(logon: &'a Logon, subject: &'a str) -> Counted<'a> {
    Counted { account: &logon.account_id, subject, kind: BudgetKind::Password }
}

/// The most tries of a password within an hour; the password policy is for RAM users.
pub(crate) fn hourly_limit(kind: PrincipalKind, settings: &SecuritySettings) -> Option<i64> {
    let most = match kind {
        PrincipalKind::Owner => 0,
        PrincipalKind::RamUser => settings.password.max_logon_attempts,
    };
    (most > 0).then_some(i64::from(most))
}
