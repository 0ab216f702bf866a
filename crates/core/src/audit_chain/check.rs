//! The verification of an account's log where it lies: in the database, with the keys at hand.

use super::no_head;
use super::outside::OutsideCheckpoints;
use super::problem::{Problem, ProblemKind};
use super::verifier::{Verifier, Walked};
use crate::Countersign;
use crate::error::Error;
use countersign_model::Timestamp;
use countersign_model::audit::{Checkpoint, CheckpointKind};
use countersign_model::ids::AccountId;
use countersign_store::audit_chain::{self, Head, StoredEntry};
use countersign_store::{Store, Tx};

/// So many entries are looked at at once.
const PAGE: i64 = 1_000;
const ACCOUNTS: i64 = 500;
/// So often a check begins anew because retention dropped entries under it.
const ATTEMPTS: u32 = 5;

/// What a verification has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// Whose log.
    pub account_id: String,
    /// The number before the first entry that was looked at.
    pub after: i64,
    /// The number of the last entry.
    pub last: i64,
    /// How many entries were looked at.
    pub entries: u64,
    /// The number of the last entry that a signature covers, 0 if none does.
    pub signed: i64,
    /// When that was signed.
    pub signed_at: Option<Timestamp>,
    /// How many entries have no number yet. Nothing is known about them.
    pub waiting: i64,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// How many more problems there are than those named.
    pub unnamed: u64,
}

impl AuditCheck {
    pub(crate) fn of(account_id: &str, after: i64, walked: Walked) -> Self {
        Self {
            account_id: account_id.to_owned(),
            after,
            last: walked.last,
            entries: walked.entries,
            signed: walked.signed.map_or(0, |(seq, _)| seq),
            signed_at: walked.signed.map(|(_, at)| Timestamp::from_micros(at)),
            waiting: 0,
            problems: walked.problems,
            unnamed: walked.unnamed,
        }
    }

    /// Whether somebody meddled with the log.
    #[must_use]
    pub fn is_tampered(&self) -> bool {
        self.unnamed > 0 || self.problems.iter().any(Problem::is_tampering)
    }

    /// Whether everything that was looked at is what was written.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.problems.is_empty() && self.unnamed == 0
    }
}

/// Where a walk begins and where it has to end.
pub(super) struct Bounds {
    pub(super) stub: Option<Checkpoint>,
    pub(super) head: Option<Head>,
    pub(super) highest: i64,
}

impl Countersign {
    /// Verifies the log of an account, also against checkpoints from outside the database. It reads page by page, beside a
    /// server that goes on writing; what is written meanwhile is not looked at.
    pub async fn verify_audit_log(
        &self,
        account: &AccountId,
        outside: &OutsideCheckpoints,
    ) -> Result<AuditCheck, Error> {
        let mut attempt = 1;
        loop {
            let bounds = self.bounds(account).await?;
            let began = bounds.stub.as_ref().map_or(0, |stub| stub.seq);
            let check = self.walk(account, bounds, outside).await?;
            let now_begins = self.bounds(account).await?.stub.map_or(0, |stub| stub.seq);
            if check.is_proved() || now_begins == began || attempt == ATTEMPTS {
                return self.name_copies(account, check).await;
            }
            attempt += 1;
        }
    }

    /// The next accounts that have a log, behind `after` by id.
    pub async fn audited_accounts(&self, after: Option<&AccountId>) -> Result<Vec<AccountId>, Error> {
        let after = after.map(ToString::to_string).unwrap_or_default();
        let page = async move |tx: &mut Tx<'_>| -> Result<Vec<AccountId>, Error> {
            Ok(audit_chain::accounts(tx, &after, ACCOUNTS).await?)
        };
        self.inner.store.read(page).await
    }

    pub(super) async fn bounds(&self, account: &AccountId) -> Result<Bounds, Error> {
        let account = account.clone();
        let look = async move |tx: &mut Tx<'_>| -> Result<Bounds, Error> {
            Ok(Bounds {
                stub: audit_chain::latest_checkpoint(tx, &account, CheckpointKind::Stub).await?,
                head: audit_chain::find_head(tx, &account).await?,
                highest: audit_chain::highest(tx, &account).await?.unwrap_or(0),
            })
        };
        self.inner.store.read(look).await
    }

    async fn walk(
        &self,
        account: &AccountId,
        bounds: Bounds,
        outside: &OutsideCheckpoints,
    ) -> Result<AuditCheck, Error> {
        let keys = self.audit_public_keys();
        let mut verifier = Verifier::new(account.as_str(), &keys, outside.of(account));
        let mut begin = 0;
        if let Some(stub) = bounds.stub
            && verifier.is_genuine(&stub, "the stub")
        {
            begin = stub.seq;
            verifier.start_behind(stub.seq, stub.hash);
        }
        let head_is_ours = bounds.head.as_ref().is_none_or(|head| self.is_proven(head));
        let head = bounds.head.unwrap_or_else(|| no_head(account.clone()));
        // Whatever is numbered beyond the head was not numbered by us.
        if !head_is_ours || bounds.highest > head.seq {
            let text = format!("the head of the chain (entry {}) was not written by this server", head.seq);
            verifier.report(Problem::new(ProblemKind::Head, head.seq, text));
        }
        let end = head.seq.max(bounds.highest);
        let mut checkpoints = Checkpoints::new(&self.inner.store, account, begin);
        let mut reached = begin;
        loop {
            let entries = self.entries(account, (reached, end)).await?;
            let Some(last) = entries.last() else { break };
            reached = last.seq;
            for entry in &entries {
                while let Some(checkpoint) = checkpoints.next_up_to(entry.seq - 1).await? {
                    verifier.checkpoint(&checkpoint, "a checkpoint");
                }
                verifier.entry(entry);
            }
        }
        // One that was signed while the walk went on lies beyond its end.
        while let Some(checkpoint) = checkpoints.next_up_to(end).await? {
            verifier.checkpoint(&checkpoint, "a checkpoint");
        }
        if head_is_ours {
            verifier.compare_end(head.seq, &head.hash, "the head of the chain");
        }
        let of = account.clone();
        let count =
            async move |tx: &mut Tx<'_>| -> Result<i64, Error> { Ok(audit_chain::count_waiting(tx, &of).await?) };
        let waiting = self.inner.store.read(count).await?;
        Ok(AuditCheck { waiting, ..AuditCheck::of(account.as_str(), begin, verifier.end()) })
    }

    pub(super) async fn entries(&self, account: &AccountId, span: (i64, i64)) -> Result<Vec<StoredEntry>, Error> {
        let account = account.clone();
        let page = async move |tx: &mut Tx<'_>| -> Result<Vec<StoredEntry>, Error> {
            Ok(audit_chain::entries(tx, &account, span, PAGE).await?)
        };
        self.inner.store.read(page).await
    }

    /// Tells entries that were copied from the log of another account from those that were edited.
    async fn name_copies(&self, account: &AccountId, mut check: AuditCheck) -> Result<AuditCheck, Error> {
        for problem in check.problems.iter_mut().filter(|problem| problem.kind == ProblemKind::Edited) {
            let Some(entry) = self.entries(account, (problem.seq - 1, problem.seq)).await?.into_iter().next() else {
                continue;
            };
            let of = account.clone();
            let look = async move |tx: &mut Tx<'_>| -> Result<Option<AccountId>, Error> {
                Ok(audit_chain::elsewhere(tx, &of, &entry.event_id).await?)
            };
            if let Some(other) = self.inner.store.read(look).await? {
                let text = format!("entry {} was copied here from the log of the account {other}", problem.seq);
                *problem = Problem::new(ProblemKind::Foreign, problem.seq, text);
            }
        }
        Ok(check)
    }
}

/// The checkpoints of an account by number, read page by page.
pub(super) struct Checkpoints<'a> {
    store: &'a Store,
    account: &'a AccountId,
    /// The number that the next page begins with.
    from: i64,
    page: std::vec::IntoIter<Checkpoint>,
    next: Option<Checkpoint>,
}

impl<'a> Checkpoints<'a> {
    pub(super) fn new(store: &'a Store, account: &'a AccountId, from: i64) -> Self {
        Self { store, account, from, page: Vec::new().into_iter(), next: None }
    }

    /// The next one whose number is not above `seq`.
    pub(super) async fn next_up_to(&mut self, seq: i64) -> Result<Option<Checkpoint>, Error> {
        if self.next.is_none() {
            self.next = self.page.next();
        }
        if self.next.is_none() && self.from <= seq {
            let (account, from) = (self.account.clone(), self.from);
            let read = async move |tx: &mut Tx<'_>| -> Result<Vec<Checkpoint>, Error> {
                Ok(audit_chain::checkpoints(tx, &account, from, PAGE).await?)
            };
            let page = self.store.read(read).await?;
            // After the last page there is nothing more to ask for.
            self.from = page.last().map_or(i64::MAX, |last| last.seq.saturating_add(1));
            self.page = page.into_iter();
            self.next = self.page.next();
        }
        Ok(self.next.take_if(|next| next.seq <= seq))
    }
}
