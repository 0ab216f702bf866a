//! AccessKeys that nobody uses: after the days that the settings allow they are disabled. They are refused from that very
//! moment; this is what puts it down, so that lists and the log tell of it.

use crate::Countersign;
use crate::act::Written;
use crate::actor::Origin;
use crate::error::Error;
use crate::idle::{is_look_due, note_look};
use countersign_model::Timestamp;
use countersign_model::access_key::{AccessKey, AccessKeyState, AccessKeyStatus};
use countersign_model::audit::{ActorKind, AuditActor, Outcome};
use countersign_model::ids::AccountId;
use countersign_model::principal::Account;
use countersign_store::access_keys::IdleAccessKey;
use countersign_store::{Tx, access_keys, accounts, principals};
use std::time::Duration;

/// What the audit log calls it.
const DISABLE_IDLE_ACCESS_KEY: &str = "DisableIdleAccessKey";
/// When idle keys were last looked for.
const LOOKED_AT: &str = "idle_access_keys_looked_at";
/// How many keys of one account are disabled at once.
pub const BATCH: i64 = 100;

impl Countersign {
    /// Disables the AccessKeys that were not used for as long as their account's settings allow, up to [`BATCH`] in each
    /// account; how many. As often and as carefully as [`Self::disable_idle_users`].
    pub async fn disable_idle_access_keys(&self) -> Result<u64, Error> {
        self.check_clock()?;
        if !self.is_time_confirmed().await? || !is_look_due(self, LOOKED_AT).await? {
            return Ok(0);
        }
        let listing =
            async move |tx: &mut Tx<'_>| -> Result<Vec<Account>, Error> { Ok(accounts::list(tx, i64::MAX).await?) };
        let (mut disabled, mut is_complete) = (0, true);
        for account in self.inner.store.read(listing).await? {
            let in_account = self.disable_idle_access_keys_of(account.id).await?;
            is_complete &= in_account < u64::try_from(BATCH).unwrap_or(u64::MAX);
            disabled += in_account;
        }
        if is_complete {
            note_look(self, LOOKED_AT).await?;
        }
        Ok(disabled)
    }

    async fn disable_idle_access_keys_of(&self, account: AccountId) -> Result<u64, Error> {
        let (now, looked_at) = (self.now(), account.clone());
        let look = async move |tx: &mut Tx<'_>| -> Result<Vec<IdleAccessKey>, Error> {
            Ok(idle_keys(tx, &looked_at, now).await?.1)
        };
        // Seldom is a key idle; then nothing is guarded and nothing written.
        if self.inner.store.read(look).await?.is_empty() {
            return Ok(0);
        }
        let this = self.clone();
        let unit = async move |tx: &mut Tx<'_>| -> Result<u64, Error> {
            let (Some(found), keys) = idle_keys(tx, &account, now).await? else { return Ok(0) };
            let mut disabled = 0;
            for key in keys {
                disabled += u64::from(this.disable_idle_access_key(tx, &found, &key, now).await?);
            }
            Ok(disabled)
        };
        self.inner.store.write(unit).await
    }

    /// Disables one of them, unless it was used, enabled or deleted at this very moment.
    async fn disable_idle_access_key(
        &self,
        tx: &mut Tx<'_>,
        account: &Account,
        idle: &IdleAccessKey,
        now: Timestamp,
    ) -> Result<bool, Error> {
        if principals::guard(tx, &account.id, &idle.holder).await?.is_none() {
            return Ok(false);
        }
        let Some(key) = access_keys::find(tx, &account.id, &idle.id).await? else { return Ok(false) };
        let days = account.settings.max_idle_days_access_keys;
        if key.state(days, now) != AccessKeyState::Idle {
            return Ok(false);
        }
        access_keys::set_status(tx, &AccessKey { status: AccessKeyStatus::Inactive, updated_at: now, ..key }).await?;
        let written = Written {
            actor: AuditActor { kind: ActorKind::System, id: String::new(), name: "countersign".to_owned() },
            action: DISABLE_IDLE_ACCESS_KEY,
            target: &idle.holder_name,
            outcome: Outcome::Success,
            reason: "",
            details: &format!("key={};max_idle_days_access_keys={days};", idle.id),
        };
        self.write_event(tx, &account.id, &Origin::default(), written).await?;
        Ok(true)
    }
}

async fn idle_keys(
    tx: &mut Tx<'_>,
    account: &AccountId,
    now: Timestamp,
) -> Result<(Option<Account>, Vec<IdleAccessKey>), Error> {
    let Some(found) = accounts::find(tx, account).await? else { return Ok((None, Vec::new())) };
    let since = now.minus(Duration::from_hours(24 * found.settings.max_idle_days_access_keys.days()));
    let keys = access_keys::list_idle(tx, account, since, BATCH).await?;
    Ok((Some(found), keys))
}
