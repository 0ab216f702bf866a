//! Numbers the entries that wait, hashes each together with the one before, and signs the heads.

use super::checkpoint::Statement;
use super::entry::Encoder;
use super::no_head;
use super::problem::{Problem, ProblemKind};
use crate::Countersign;
use crate::error::Error;
use countersign_model::Timestamp;
use countersign_model::audit::{Checkpoint, CheckpointKind};
use countersign_model::ids::AccountId;
use countersign_store::audit_chain::{self, Head};
use countersign_store::{StoreError, Tx};
use std::collections::BTreeMap;
use std::time::Duration;

/// At most so many entries are numbered in one unit of work: others want to write, too.
const ENTRIES: i64 = 1_000;
/// At most so many heads are signed in one unit of work.
const SIGNATURES: usize = 200;
/// So many heads are read at once.
const HEADS: i64 = 100;
/// How long an account waits for its next signature while entries keep coming.
const SIGN_EVERY: Duration = Duration::from_secs(5);
/// One checkpoint of each such span is kept in the database; a later one covers what an earlier one covers.
const KEEP_EVERY: i64 = 3_600_000_000;
/// After this a broken chain is looked at again, and then after ever longer times.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Chains the audit logs of all accounts, step by step. Of several, on whatever nodes, one works at a time.
#[derive(Debug)]
pub struct Sequencer {
    core: Countersign,
    /// The account that the next step begins behind, so that a busy one does not keep the others waiting.
    after: String,
    /// The chains that were found broken, and when they are looked at again.
    broken: BTreeMap<AccountId, Pause>,
}

/// How long a broken chain is let alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pause {
    since: Timestamp,
    length: Duration,
}

impl Pause {
    /// Whether it runs. A clock that went back ends it.
    fn runs(self, now: Timestamp) -> bool {
        now >= self.since && now.since(self.since) < self.length
    }
}

/// What a step has done.
#[derive(Debug, Default)]
pub struct Sequenced {
    /// How many entries got their number.
    pub chained: usize,
    /// The new checkpoints, to be kept outside the database as well.
    pub checkpoints: Vec<Checkpoint>,
    /// Accounts whose chain somebody else has changed. Their entries wait until an operator has looked at it. Each is named
    /// when it is found so, and then now and again.
    pub broken: Vec<AccountId>,
    /// Whether there was more to do than fits into a step.
    pub more: bool,
}

/// When a head is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Some seconds after the last time.
    WhenDue,
    /// Now.
    Now,
}

impl Countersign {
    /// A sequencer. The server runs one.
    #[must_use]
    pub fn sequencer(&self) -> Sequencer {
        Sequencer { core: self.clone(), after: String::new(), broken: BTreeMap::new() }
    }

    /// The next checkpoints that were signed since an instant and are kept in the database, behind one given before. With
    /// them a copy outside the database catches up.
    pub async fn checkpoints_since(
        &self,
        since: Timestamp,
        behind: Option<Checkpoint>,
    ) -> Result<Vec<Checkpoint>, Error> {
        let page = async move |tx: &mut Tx<'_>| -> Result<Vec<Checkpoint>, Error> {
            Ok(audit_chain::signed_since(tx, since, behind.as_ref(), ENTRIES).await?)
        };
        self.inner.store.read(page).await
    }
}

impl Sequencer {
    /// Numbers some of the entries that wait, and signs the heads that are due. Call it a few times a second, and again at
    /// once when there is [more](Sequenced::more).
    pub async fn step(&mut self) -> Result<Sequenced, Error> {
        self.step_signing(Sign::WhenDue).await
    }

    /// Numbers all entries that wait, and signs all heads.
    pub async fn finish(&mut self) -> Result<Sequenced, Error> {
        let mut all = Sequenced::default();
        loop {
            let step = self.step_signing(Sign::Now).await?;
            all.chained += step.chained;
            all.checkpoints.extend(step.checkpoints);
            all.broken.extend(step.broken);
            if !step.more {
                all.broken.sort();
                all.broken.dedup();
                return Ok(all);
            }
        }
    }

    async fn step_signing(&mut self, sign: Sign) -> Result<Sequenced, Error> {
        let now = self.core.now();
        let paused: Vec<AccountId> =
            self.broken.iter().filter(|(_, pause)| pause.runs(now)).map(|(account, _)| account.clone()).collect();
        // A look first: while nothing happens, nothing is written.
        let (core, left_alone) = (self.core.clone(), paused.clone());
        let is_idle = async move |tx: &mut Tx<'_>| -> Result<bool, Error> {
            Ok(next_waiting(tx, "", &left_alone).await?.is_none()
                && next_unsigned(tx, "", core.due(sign), &left_alone).await?.heads.is_empty())
        };
        if self.core.inner.store.read(is_idle).await? {
            return Ok(Sequenced::default());
        }
        let (core, after) = (self.core.clone(), self.after.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<(Sequenced, String), Error> {
            let mut done = Sequenced::default();
            audit_chain::hold(tx, core.now()).await?;
            let after = core.chain(tx, after.clone(), &paused, &mut done).await?;
            core.sign_heads(tx, sign, &paused, &mut done).await?;
            Ok((done, after))
        };
        let (done, after) = self.core.inner.store.write(unit).await?;
        self.after = after;
        self.pause(&done.broken).await?;
        Ok(done)
    }

    /// Lets chains that were found broken alone for a while, and tells of them.
    async fn pause(&mut self, broken: &[AccountId]) -> Result<(), Error> {
        let now = self.core.now();
        self.broken.retain(|account, pause| pause.runs(now) || broken.contains(account));
        for account in broken {
            let before = self.broken.get(account).map_or(Duration::ZERO, |pause| pause.length);
            let length = (before * 4).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            self.broken.insert(account.clone(), Pause { since: now, length });
            let text =
                "its head was not written by this server, or entries were numbered beside it; nothing is chained";
            self.core.report_broken_log(account, &Problem::new(ProblemKind::Head, 0, text)).await?;
        }
        Ok(())
    }
}

/// The first account behind `after` with entries that wait, but for those that are let alone.
async fn next_waiting(tx: &mut Tx<'_>, after: &str, paused: &[AccountId]) -> Result<Option<AccountId>, StoreError> {
    let mut found = audit_chain::next_waiting(tx, after).await?;
    while let Some(account) = found.take_if(|account| paused.contains(account)) {
        found = audit_chain::next_waiting(tx, account.as_str()).await?;
    }
    Ok(found)
}

/// Heads to be signed, and the account that was reached.
struct Unsigned {
    heads: Vec<Head>,
    reached: Option<String>,
}

/// The next heads behind the account `after` that are due, but for those that are let alone.
async fn next_unsigned(
    tx: &mut Tx<'_>,
    after: &str,
    due: (Timestamp, Timestamp),
    paused: &[AccountId],
) -> Result<Unsigned, StoreError> {
    let mut reached = after.to_owned();
    loop {
        let mut heads = audit_chain::unsigned(tx, &reached, due, HEADS).await?;
        let Some(last) = heads.last() else { return Ok(Unsigned { heads, reached: None }) };
        reached = last.account_id.to_string();
        heads.retain(|head| !paused.contains(&head.account_id));
        if !heads.is_empty() {
            return Ok(Unsigned { heads, reached: Some(reached) });
        }
    }
}

impl Countersign {
    /// Up to when a head must have been signed to be due, and the present instant.
    fn due(&self, sign: Sign) -> (Timestamp, Timestamp) {
        let now = self.now();
        match sign {
            Sign::WhenDue => (now.minus(SIGN_EVERY), now),
            Sign::Now => (now, now),
        }
    }

    /// Numbers entries of one account after the other; returns the account that was reached, or nothing after the last.
    async fn chain(
        &self,
        tx: &mut Tx<'_>,
        mut after: String,
        paused: &[AccountId],
        done: &mut Sequenced,
    ) -> Result<String, Error> {
        let mut left = ENTRIES;
        let mut began_at_first = after.is_empty();
        loop {
            let Some(account) = next_waiting(tx, &after, paused).await? else {
                if began_at_first {
                    return Ok(String::new());
                }
                // Round to the first account, once.
                (after, began_at_first) = (String::new(), true);
                continue;
            };
            after = account.to_string();
            let Some(head) = self.head_to_extend(tx, account.clone()).await? else {
                if !done.broken.contains(&account) {
                    done.broken.push(account);
                }
                continue;
            };
            let chained = self.extend(tx, head, left).await?;
            done.chained += usize::try_from(chained).unwrap_or(usize::MAX);
            left -= chained;
            if left <= 0 {
                done.more = true;
                return Ok(after);
            }
        }
    }

    /// The head of an account's chain, unless somebody else has written it, or entries behind it.
    async fn head_to_extend(&self, tx: &mut Tx<'_>, account: AccountId) -> Result<Option<Head>, StoreError> {
        let highest = audit_chain::highest(tx, &account).await?;
        let head = audit_chain::find_head(tx, &account).await?;
        let is_ours = head.as_ref().is_none_or(|head| self.is_proven(head));
        let head = head.unwrap_or_else(|| no_head(account));
        Ok((is_ours && highest.unwrap_or(0) <= head.seq).then_some(head))
    }

    async fn extend(&self, tx: &mut Tx<'_>, mut head: Head, limit: i64) -> Result<i64, Error> {
        let mut encoder = Encoder::default();
        let (account, first) = (head.account_id.clone(), head.seq);
        for entry in audit_chain::waiting(tx, &account, limit).await? {
            head.seq += 1;
            head.hash = encoder.hash(&head.hash, head.seq, &entry);
            if !audit_chain::link(tx, &account, &entry.event_id, head.seq, &head.hash).await? {
                return Err(Error::Unavailable("somebody else numbers the audit log".to_owned()));
            }
        }
        let chained = head.seq - first;
        audit_chain::put_head(tx, &self.prove_head(head)).await?;
        Ok(chained)
    }

    async fn sign_heads(
        &self,
        tx: &mut Tx<'_>,
        sign: Sign,
        paused: &[AccountId],
        done: &mut Sequenced,
    ) -> Result<(), Error> {
        let (before, now) = self.due(sign);
        let mut after = String::new();
        loop {
            let Unsigned { heads, reached } = next_unsigned(tx, &after, (before, now), paused).await?;
            let Some(reached) = reached else { return Ok(()) };
            after = reached;
            for head in heads {
                if !self.is_proven(&head) {
                    if !done.broken.contains(&head.account_id) {
                        done.broken.push(head.account_id);
                    }
                    continue;
                }
                done.checkpoints.push(self.sign_head(tx, head, now).await?);
            }
            if done.checkpoints.len() >= SIGNATURES {
                done.more = true;
                return Ok(());
            }
        }
    }

    async fn sign_head(&self, tx: &mut Tx<'_>, head: Head, now: Timestamp) -> Result<Checkpoint, Error> {
        let (account, kind) = (&head.account_id, CheckpointKind::Head);
        let statement = Statement { account_id: account, kind, after: 0, seq: head.seq, hash: head.hash, at: now };
        let checkpoint = statement.sign(&self.inner.keys.ring());
        if span(head.signed_at) == span(now) {
            audit_chain::drop_checkpoint(tx, account, kind, head.signed_seq).await?;
        }
        audit_chain::insert_checkpoint(tx, &checkpoint).await?;
        audit_chain::put_head(tx, &self.prove_head(Head { signed_seq: head.seq, signed_at: now, ..head })).await?;
        Ok(checkpoint)
    }
}

const fn span(at: Timestamp) -> i64 {
    at.micros().div_euclid(KEEP_EVERY)
}
