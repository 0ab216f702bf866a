//! Retention: entries that were kept long enough are dropped, the oldest first, and a signed stub says up to where. The
//! chain begins behind it from then on.

use super::checkpoint::Statement;
use crate::Countersign;
use crate::act::Written;
use crate::actor::Origin;
use crate::error::Error;
use countersign_model::Timestamp;
use countersign_model::audit::{ActorKind, AuditActor, Checkpoint, CheckpointKind, Outcome};
use countersign_model::ids::AccountId;
use countersign_store::audit_chain::{self, StoredEntry};
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
}

/// What was dropped of one account in one unit.
struct Dropped {
    entries: u64,
    stub: Checkpoint,
    more: bool,
}

impl Countersign {
    /// Drops the entries of every account that are older than its settings say. Only what is chained and signed goes. Call
    /// it every hour or so.
    pub async fn trim_audit_logs(&self) -> Result<Trimmed, Error> {
        let mut trimmed = Trimmed::default();
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
                self.trim_account(account, &mut trimmed).await?;
            }
        }
    }

    async fn trim_account(&self, account: AccountId, trimmed: &mut Trimmed) -> Result<(), Error> {
        let looked_at = account.clone();
        let look = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            let Some(account) = accounts::find(tx, &looked_at).await? else { return Ok(None) };
            let oldest = audit_chain::entries(tx, &looked_at, (0, i64::MAX), 1).await?;
            Ok(oldest.first().map(|entry| (account.settings.audit_retention_days, entry.at)))
        };
        let Some((days, oldest)) = self.inner.store.read(look).await? else { return Ok(()) };
        let before = self.now().minus(DAY * u32::from(days));
        if oldest >= before.micros() {
            return Ok(());
        }
        loop {
            let (core, of) = (self.clone(), account.clone());
            let unit = async move |tx: &mut Tx<'_>| core.trim_some(tx, &of, before).await;
            let Some(Dropped { entries, stub, more }) = self.inner.store.write(unit).await? else { return Ok(()) };
            trimmed.entries += entries;
            trimmed.checkpoints.push(stub);
            if !more {
                return Ok(());
            }
        }
    }

    async fn trim_some(
        &self,
        tx: &mut Tx<'_>,
        account: &AccountId,
        before: Timestamp,
    ) -> Result<Option<Dropped>, Error> {
        let now = self.now();
        audit_chain::hold(tx, now).await?;
        let Some(head) = audit_chain::find_head(tx, account).await?.filter(|head| self.is_proven(head)) else {
            tracing::error!(target: "audit", %account, "nothing is dropped of an audit log whose head was changed");
            return Ok(None);
        };
        let oldest = audit_chain::entries(tx, account, (0, head.signed_seq), ENTRIES).await?;
        let looked_at = oldest.len();
        let old: Vec<StoredEntry> = oldest.into_iter().take_while(|entry| entry.at < before.micros()).collect();
        let Some(last) = old.last() else { return Ok(None) };
        let Ok(hash) = <[u8; 32]>::try_from(last.hash.as_slice()) else {
            tracing::error!(target: "audit", %account, seq = last.seq, "nothing is dropped before a hash that is none");
            return Ok(None);
        };
        let statement =
            Statement { account_id: account, kind: CheckpointKind::Stub, after: 0, seq: last.seq, hash, at: now };
        let stub = statement.sign(&self.inner.keys.ring());
        let entries = audit_chain::drop_entries(tx, account, last.seq).await?;
        audit_chain::insert_checkpoint(tx, &stub).await?;
        let details = format!("entries={entries};last={};", last.seq);
        let written = Written {
            actor: AuditActor { kind: ActorKind::System, id: String::new(), name: "countersign".to_owned() },
            action: "TrimAuditLog",
            target: "",
            outcome: Outcome::Success,
            reason: "kept_long_enough",
            details: &details,
        };
        self.write_event(tx, account, &Origin::default(), written).await?;
        Ok(Some(Dropped { entries, stub, more: old.len() == looked_at }))
    }
}
