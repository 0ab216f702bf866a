//! Mail on its way: what is due, and what became of it. A worker of the server sends it.
//!
//! Each mail is taken up by one sender at a time, for as long as sending may take. A sender that dies between sending and
//! telling so sends twice, never not at all; the mail has the same message id then.

use crate::Countersign;
use crate::error::Error;
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, NoticeId};
use countersign_model::names::EmailAddress;
use countersign_model::notice::{NoticeFacts, NoticeKind};
use countersign_store::outbox::{Attempt, WaitingMail};
use countersign_store::{Tx, outbox};
use secrecy::SecretString;
use std::time::Duration;

/// How long a mail is nobody else's once it was taken up. Longer than sending may take.
pub const LEASE: Duration = Duration::from_mins(5);

/// The pauses after failed attempts. After the last the mail is given up, almost two days after it was written.
const PAUSES: [Duration; 8] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_hours(1),
    Duration::from_hours(3),
    Duration::from_hours(6),
    Duration::from_hours(12),
    Duration::from_hours(24),
];

/// How often a mail is taken up. Only one whose senders die comes to more attempts than there are pauses.
const MOST_ATTEMPTS: i64 = 12;

/// The longest text of an error that is kept.
const LONGEST_ERROR: usize = 500;

/// A notice as it is put into words.
#[derive(Debug, Clone)]
pub struct NoticeView {
    /// Its id.
    pub id: NoticeId,
    /// What it tells.
    pub kind: NoticeKind,
    /// Around it.
    pub facts: NoticeFacts,
    /// When it happened.
    pub at: Timestamp,
    /// What the link carries that says: this was not me.
    pub disown_token: SecretString,
}

/// A mail that was taken up to be sent.
#[derive(Debug, Clone)]
pub struct ClaimedMail {
    /// What it tells.
    pub notice: NoticeView,
    /// To whom.
    pub recipient: EmailAddress,
    /// In which language, as a tag.
    pub language: String,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    account: AccountId,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFailure {
    /// It may be taken later.
    ForNow,
    /// The other side said that it will never take it.
    ForGood,
}

/// What became of a mail that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// It is tried again then.
    RetryAt(Timestamp),
    /// It is not tried again.
    GivenUp,
}

impl Countersign {
    /// Takes up mails that are due, at most `limit`. Each is to be sent within [`LEASE`], and told of by
    /// [`Self::notice_sent`] or [`Self::notice_failed`].
    pub async fn claim_notices(&self, limit: i64) -> Result<Vec<ClaimedMail>, Error> {
        let now = self.now();
        // Mostly there is none: then nothing is written.
        let look = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            Ok((outbox::due(tx, now, limit).await?, outbox::census(tx).await?))
        };
        let (due, census) = self.inner.store.read(look).await?;
        self.inner.metrics.outbox(census);
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let until = now.plus(LEASE);
        let unit = async move |tx: &mut Tx<'_>| -> Result<Vec<WaitingMail>, Error> {
            let mut leased = Vec::new();
            for mail in &due {
                if !outbox::lease(tx, mail, until).await? {
                    continue;
                }
                if mail.attempts < MOST_ATTEMPTS {
                    leased.push(mail.clone());
                    continue;
                }
                let (notice, number) = (&mail.notice, mail.attempts.saturating_add(1));
                let key =
                    Attempt { account: &notice.account_id, notice: &notice.id, recipient: &mail.recipient, number };
                outbox::give_up(tx, key, "its senders stopped before they could tell what became of it").await?;
            }
            Ok(leased)
        };
        let leased = self.inner.store.write(unit).await?;
        Ok(leased.into_iter().map(|mail| self.claimed(mail)).collect())
    }

    fn claimed(&self, mail: WaitingMail) -> ClaimedMail {
        let disown_token = self.disown_token(&mail.notice);
        let notice = mail.notice;
        ClaimedMail {
            account: notice.account_id,
            notice: NoticeView { id: notice.id, kind: notice.kind, facts: notice.facts, at: notice.at, disown_token },
            recipient: mail.recipient,
            language: mail.language,
            attempt: mail.attempts.saturating_add(1),
        }
    }

    /// Notes that a mail was sent.
    pub async fn notice_sent(&self, mail: &ClaimedMail) -> Result<(), Error> {
        let sent = mail.clone();
        let unit =
            async move |tx: &mut Tx<'_>| -> Result<bool, Error> { Ok(outbox::mark_sent(tx, sent.as_attempt()).await?) };
        self.inner.store.write(unit).await?;
        self.inner.metrics.outbox_sent();
        Ok(())
    }

    /// Notes that a mail was not sent, and why: what becomes of it now.
    pub async fn notice_failed(
        &self,
        mail: &ClaimedMail,
        failure: MailFailure,
        error: &str,
    ) -> Result<AfterFailure, Error> {
        let error: String = error.chars().filter(|c| !c.is_control()).take(LONGEST_ERROR).collect();
        let after = after(mail.attempt, failure, self.now());
        let failed = mail.clone();
        let unit = async move |tx: &mut Tx<'_>| -> Result<bool, Error> {
            Ok(match after {
                AfterFailure::RetryAt(at) => outbox::retry(tx, failed.as_attempt(), at, &error).await?,
                AfterFailure::GivenUp => outbox::give_up(tx, failed.as_attempt(), &error).await?,
            })
        };
        self.inner.store.write(unit).await?;
        Ok(after)
    }
}

impl ClaimedMail {
    fn as_attempt(&self) -> Attempt<'_> {
        Attempt { account: &self.account, notice: &self.notice.id, recipient: &self.recipient, number: self.attempt }
    }
}

fn after(attempt: i64, failure: MailFailure, now: Timestamp) -> AfterFailure {
    let pause = usize::try_from(attempt.saturating_sub(1)).ok().and_then(|failed| PAUSES.get(failed));
    match (failure, pause) {
        (MailFailure::ForNow, Some(pause)) => AfterFailure::RetryAt(now.plus(*pause)),
        (MailFailure::ForNow, None) | (MailFailure::ForGood, _) => AfterFailure::GivenUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_day_and_then_a_mail_is_given_up() {
        let now = Timestamp::from_seconds(1_000);
        let minutes = |attempt| match after(attempt, MailFailure::ForNow, now) {
            AfterFailure::RetryAt(at) => Some(at.since(now).as_secs() / 60),
            AfterFailure::GivenUp => None,
        };
        let pauses: Vec<_> = (1..=10).map(minutes).collect();
        let expected = [1, 5, 15, 60, 180, 360, 720, 1_440].map(Some);
        assert_eq!(pauses.split_at(8), (expected.as_slice(), [None, None].as_slice()));
        assert_eq!(after(1, MailFailure::ForGood, now), AfterFailure::GivenUp);
    }
}
