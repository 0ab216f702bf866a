//! The worker that delivers: takes up what is due, a few mails at once, and tells core what became of each.

use super::letter::Letter;
use super::{Mailer, NotSent};
use crate::net::Stop;
use countersign_console::mails::Mails;
use countersign_core::Countersign;
use countersign_core::delivery::{AfterFailure, ClaimedMail};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked for mail.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How many mails are sent at once.
const AT_ONCE: i64 = 4;

/// What delivering needs.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) core: Countersign,
    pub(crate) mailer: Mailer,
    pub(crate) mails: Mails,
    pub(crate) public_url: String,
}

/// Delivers until `stop`; what is being sent then is sent to its end.
pub(crate) async fn deliver(delivery: Delivery, stop: Stop) {
    let delivery = Arc::new(delivery);
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return,
            _ = look.tick() => {}
        }
        if delivery.send_due().await == AT_ONCE {
            // There may be more.
            look.reset_immediately();
        }
    }
}

impl Delivery {
    /// Sends what is due, at most a few mails; how many that were.
    pub(super) async fn send_due(self: &Arc<Self>) -> i64 {
        let claimed = match self.core.claim_notices(AT_ONCE).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "mail could not be looked for");
                return 0;
            }
        };
        let number = i64::try_from(claimed.len()).unwrap_or(AT_ONCE);
        let mut sending = JoinSet::new();
        for mail in claimed {
            let delivery = Arc::clone(self);
            sending.spawn(async move { delivery.send(&mail).await });
        }
        while sending.join_next().await.is_some() {}
        number
    }

    async fn send(&self, claimed: &ClaimedMail) {
        let notice = &claimed.notice;
        let letter = Letter {
            id: notice.id.to_string(),
            kind: notice.kind.as_str(),
            recipient: claimed.recipient.clone(),
            at: notice.at,
            mail: self.mails.render(notice, &claimed.language, &self.public_url),
        };
        let noted = match self.mailer.send(&letter).await {
            Ok(_) => {
                tracing::debug!(notice = %notice.id, "mail sent");
                self.core.notice_sent(claimed).await
            }
            Err(not_sent) => self.note_failure(claimed, &not_sent).await,
        };
        if let Err(error) = noted {
            tracing::warn!(%error, notice = %notice.id, "what became of a mail was not noted: it may be sent again");
        }
    }

    async fn note_failure(&self, claimed: &ClaimedMail, not_sent: &NotSent) -> Result<(), countersign_core::Error> {
        let (notice, error) = (&claimed.notice.id, &not_sent.text);
        match self.core.notice_failed(claimed, not_sent.failure, error).await? {
            AfterFailure::RetryAt(at) => {
                let again = at.to_rfc3339();
                tracing::warn!(%notice, error, again, "mail was not sent; it is tried again");
            }
            AfterFailure::GivenUp => tracing::error!(%notice, error, "mail was given up"),
        }
        Ok(())
    }
}
