//! Retention: entries that were kept long enough are dropped, the oldest first, and a signed stub says up to where. The
//! chain begins behind it from then on.
//!
//! Nothing is signed on trust: the entries are walked over from the last stub first, and only what is as it was written
//! goes, up to an entry that a checkpoint covers. A log that does not verify keeps all it has.

use super::check::Checkpoints;
use super::checkpoint::{SignatureCheck, Statement};
use super::entry::{Encoder, GENESIS};
use super::problem::{Problem, ProblemKind};
use super::verifier::Verifier;
use crate::Countersign;
use crate::act::Written;
use crate::actor::Origin;
use crate::error::Error;
use countersign_model::Timestamp;
use countersign_model::audit::{ActorKind, AuditActor, Checkpoint, CheckpointKind, Outcome};
use countersign_model::ids::AccountId;
use countersign_model::settings::RETENTION_DAYS;
use countersign_store::audit_chain;
use countersign_store::{Tx, accounts};
use std::time::Duration;

/// At most so many entries are dropped in one unit of work.
const ENTRIES: i64 = 1_000;
const ACCOUNTS: i64 = 500;
const DAY: Duration = Duration::from_hours(24);

/// What a round has dropped.
#[derive(Debug, Default)]
pub struct Trimmed {
    /// How many entries.
    pub entries: u64,
    /// The stubs, to be kept outside the database as well.
    pub checkpoints: Vec<Checkpoint>,
    /// Accounts whose log keeps its old entries, because it is not what was written.
    pub broken: Vec<AccountId>,
}

/// An entry that was walked over, up to which may be dropped.
#[derive(Debug, Clone, Copy)]
struct End {
    seq: i64,
    hash: [u8; 32],
}

/// What was dropped of one account in one unit.
struct Dropped {
    entries: u64,
    stub: Checkpoint,
}

impl Countersign {
    /// Drops the entries of every account that are older than its settings say. Only what is chained, signed and still as
    /// it was written goes, and nothing while the [time is in doubt](Self::is_time_confirmed). Call it every hour or so.
    pub async fn trim_audit_logs(&self) -> Result<Trimmed, Error> {
        self.count_broken_logs().await?;
        let mut trimmed = Trimmed::default();
        if !self.is_time_confirmed().await? {
            return Ok(trimmed);
        }
        let mut after = String::new();
        loop {
            let from = after.clone();
            let page = async move |tx: &mut Tx<'_>| -> Result<Vec<AccountId>, Error> {
                Ok(audit_chain::accounts(tx, &from, ACCOUNTS).await?)
            };
            let accounts = self.inner.store.read(page).await?;
            let Some(last) = accounts.last() else { return Ok(trimmed) };
            after = last.to_string();
            for account in accounts {
                if let Err(problem) = self.trim_account(&account, &mut trimmed).await? {
                    self.report_broken_log(&account, &problem).await?;
                    trimmed.broken.push(account);
                }
            }
        }
    }

    /// Drops what is old of one account, unless something is wrong with it.
    async fn trim_account(&self, account: &AccountId, trimmed: &mut Trimmed) -> Result<Result<(), Problem>, Error> {
        let looked_at = account.clone();
        let look = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            let Some(account) = accounts::find(tx, &looked_at).await? else { return Ok(None) };
            let oldest = audit_chain::entries(tx, &looked_at, (0, i64::MAX), 1).await?;
            Ok(oldest.first().map(|entry| (account.settings.audit_retention_days, entry.at)))
        };
        let Some((days, oldest)) = self.inner.store.read(look).await? else { return Ok(Ok(())) };
        // Whoever writes to the table may have written any number there.
        let days = days.clamp(*RETENTION_DAYS.start(), *RETENTION_DAYS.end());
        let before = self.now().minus(DAY * u32::from(days));
        if oldest >= before.micros() {
            return Ok(Ok(()));
        }
        let ends = match self.walk_old(account, before).await? {
            Ok(ends) => ends,
            Err(problem) => return Ok(Err(problem)),
        };
        for end in ends {
            let (core, of) = (self.clone(), account.clone());
            let unit = async move |tx: &mut Tx<'_>| core.drop_up_to(tx, &of, end).await;
            match self.inner.store.write(unit).await? {
                Ok(None) => {}
                Ok(Some(Dropped { entries, stub })) => {
                    trimmed.entries += entries;
                    trimmed.checkpoints.push(stub);
                }
                Err(problem) => return Ok(Err(problem)),
            }
        }
        Ok(Ok(()))
    }

    /// Walks over the entries from before an instant, from the last stub on: up to which entries may be dropped, each at
    /// most a thousand behind the one before. The last of them is covered by a signature.
    async fn walk_old(&self, account: &AccountId, before: Timestamp) -> Result<Result<Vec<End>, Problem>, Error> {
        let bounds = self.bounds(account).await?;
        let Some(head) = bounds.head.filter(|head| self.is_proven(head)) else {
            let text = "the head of the chain was not written by this server";
            return Ok(Err(Problem::new(ProblemKind::Head, bounds.highest, text)));
        };
        let keys = self.audit_public_keys();
        let mut verifier = Verifier::new(account.as_str(), &keys, &[]);
        let mut reached = 0;
        if let Some(stub) = bounds.stub
            && verifier.is_genuine(&stub, "the stub")
        {
            reached = stub.seq;
            verifier.start_behind(stub.seq, stub.hash);
        }
        let mut checkpoints = Checkpoints::new(&self.inner.store, account, reached);
        let mut ends = Vec::new();
        loop {
            let page = self.entries(account, (reached, head.signed_seq)).await?;
            let old = page.iter().take_while(|entry| entry.at < before.micros()).count();
            for entry in page.iter().take(old) {
                take_checkpoints(&mut checkpoints, &mut verifier, entry.seq - 1, &mut ends).await?;
                verifier.entry(entry);
            }
            let end = End { seq: verifier.last(), hash: *verifier.last_hash() };
            take_checkpoints(&mut checkpoints, &mut verifier, end.seq, &mut ends).await?;
            ends.push(end);
            if page.is_empty() || old < page.len() {
                break;
            }
            reached = page.last().map_or(reached, |entry| entry.seq);
        }
        let walked = verifier.end();
        if let Some(problem) = walked.problems.into_iter().next() {
            return Ok(Err(problem));
        }
        let signed = walked.signed.map_or(0, |(seq, _)| seq);
        ends.retain(|end| end.seq <= signed);
        ends.dedup_by_key(|end| end.seq);
        Ok(Ok(ends))
    }

    /// Drops the entries behind the stub up to one that was walked over, if they still are what they were then.
    async fn drop_up_to(
        &self,
        tx: &mut Tx<'_>,
        account: &AccountId,
        end: End,
    ) -> Result<Result<Option<Dropped>, Problem>, Error> {
        let now = self.now();
        audit_chain::hold(tx, now).await?;
        let stub = audit_chain::latest_checkpoint(tx, account, CheckpointKind::Stub).await?;
        if let Some(stub) = &stub
            && (&stub.account_id != account || self.audit_public_keys().check(stub) != SignatureCheck::Good)
        {
            return Ok(Err(Problem::new(
                ProblemKind::BadSignature,
                stub.seq,
                "the stub was not signed by this server",
            )));
        }
        let (mut seq, mut hash) = stub.map_or((0, GENESIS), |stub| (stub.seq, stub.hash));
        if seq >= end.seq {
            // Another node was here.
            return Ok(Ok(None));
        }
        let mut encoder = Encoder::default();
        for entry in audit_chain::entries(tx, account, (seq, end.seq), ENTRIES).await? {
            seq += 1;
            hash = encoder.hash(&hash, seq, &entry);
        }
        if (seq, hash) != (end.seq, end.hash) {
            let text = format!("the entries up to {} were changed while they were to be dropped", end.seq);
            return Ok(Err(Problem::new(ProblemKind::Edited, end.seq, text)));
        }
        let statement = Statement { account_id: account, kind: CheckpointKind::Stub, after: 0, seq, hash, at: now };
        let stub = statement.sign(&self.inner.keys.ring());
        let entries = audit_chain::drop_entries(tx, account, seq).await?;
        audit_chain::insert_checkpoint(tx, &stub).await?;
        let details = format!("entries={entries};last={seq};");
        let written = Written {
            actor: AuditActor { kind: ActorKind::System, id: String::new(), name: "countersign".to_owned() },
            action: "TrimAuditLog",
            target: "",
            outcome: Outcome::Success,
            reason: "kept_long_enough",
            details: &details,
        };
        self.write_event(tx, account, &Origin::default(), written).await?;
        Ok(Ok(Some(Dropped { entries, stub })))
    }
}

/// Compares the walk with the checkpoints up to a number. What they cover are ends.
async fn take_checkpoints(
    checkpoints: &mut Checkpoints<'_>,
    verifier: &mut Verifier<'_>,
    up_to: i64,
    ends: &mut Vec<End>,
) -> Result<(), Error> {
    while let Some(checkpoint) = checkpoints.next_up_to(up_to).await? {
        verifier.checkpoint(&checkpoint, "a checkpoint");
        ends.push(End { seq: checkpoint.seq, hash: checkpoint.hash });
    }
    Ok(())
}
