//! Console logon that nobody uses: after the days that the settings allow it is disabled.

use crate::Countersign;
use crate::act::Written;
use crate::actor::Origin;
use crate::error::Error;
use crate::forecast::owner_gets_in;
use crate::webauthn::{Terms, has_factor_left};
use countersign_model::Timestamp;
use countersign_model::audit::{ActorKind, AuditActor, Outcome};
use countersign_model::ids::AccountId;
use countersign_model::principal::{Account, ConsoleLogon, LoginProfile};
use countersign_model::settings::IdleDays;
use countersign_store::login_profiles::IdleUser;
use countersign_store::{Tx, accounts, attachments, facts, login_profiles, principals};
use std::time::Duration;

/// What the audit log calls it.
const DISABLE_IDLE_USER: &str = "DisableIdleUser";
/// The same for the last administrator, who is spared.
const SPARE_IDLE_USER: &str = "SpareIdleUser";
/// When idle users were last looked for.
const LOOKED_AT: &str = "idle_users_looked_at";
/// How long a look lasts: the days are counted to the day.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// How many users of one account are disabled at once.
pub const BATCH: i64 = 100;

/// Whether console logon lies idle: neither used nor enabled for so many days.
#[must_use]
pub fn is_idle(last_logon_at: Option<Timestamp>, enabled_at: Timestamp, days: IdleDays, now: Timestamp) -> bool {
    let since = last_logon_at.map_or(enabled_at, |at| at.max(enabled_at));
    now.since(since) >= Duration::from_hours(24 * days.days())
}

impl Countersign {
    /// Disables the console logon of RAM users who have not used it for as long as their account's settings allow, up to
    /// [`BATCH`] in each account; how many. It looks at most once an hour, or again at once while a batch was full. The
    /// last administrator who can log on where the owner cannot is spared. Nobody is disabled while the
    /// [time is in doubt](Self::is_time_confirmed).
    pub async fn disable_idle_users(&self) -> Result<u64, Error> {
        self.check_clock()?;
        if !self.is_time_confirmed().await? || !is_look_due(self, LOOKED_AT).await? {
            return Ok(0);
        }
        let listing =
            async move |tx: &mut Tx<'_>| -> Result<Vec<Account>, Error> { Ok(accounts::list(tx, i64::MAX).await?) };
        let (mut disabled, mut is_complete) = (0, true);
        for account in self.inner.store.read(listing).await? {
            let in_account = self.disable_idle_users_of(account.id).await?;
            is_complete &= in_account < u64::try_from(BATCH).unwrap_or(u64::MAX);
            disabled += in_account;
        }
        if is_complete {
            note_look(self, LOOKED_AT).await?;
        }
        Ok(disabled)
    }

    async fn disable_idle_users_of(&self, account: AccountId) -> Result<u64, Error> {
        let (now, looked_at) = (self.now(), account.clone());
        let look =
            async move |tx: &mut Tx<'_>| -> Result<Vec<IdleUser>, Error> { idle_users(tx, &looked_at, now).await };
        // Seldom is anybody idle; then nothing is guarded and nothing written.
        if self.inner.store.read(look).await?.is_empty() {
            return Ok(0);
        }
        let this = self.clone();
        let unit = async move |tx: &mut Tx<'_>| -> Result<u64, Error> {
            // Administrators must not go one by one on several nodes until none is left.
            accounts::guard(tx, &account).await?;
            let Some(found) = accounts::find(tx, &account).await? else { return Ok(0) };
            let terms = this.terms(&found.settings.attestation);
            let owner_gets_in = owner_gets_in(tx, &found, terms).await?;
            let mut disabled = 0;
            for user in idle_users(tx, &account, now).await? {
                if !owner_gets_in && is_last_administrator(tx, &found, &user, terms).await? {
                    this.spare_idle_user(tx, &found, &user, now).await?;
                } else {
                    disabled += u64::from(this.disable_idle_user(tx, &found, &user, now).await?);
                }
            }
            Ok(disabled)
        };
        self.inner.store.write(unit).await
    }

    /// Disables one of them, unless he logged on or was enabled at this very moment.
    async fn disable_idle_user(
        &self,
        tx: &mut Tx<'_>,
        account: &Account,
        user: &IdleUser,
        now: Timestamp,
    ) -> Result<bool, Error> {
        if principals::guard(tx, &account.id, &user.id).await?.is_none() {
            return Ok(false);
        }
        let last_logon_at = principals::find(tx, &account.id, &user.id).await?.and_then(|found| found.last_logon_at);
        let Some(profile) = login_profiles::find(tx, &account.id, &user.id).await? else { return Ok(false) };
        let days = account.settings.max_idle_days_users;
        if profile.console_logon == ConsoleLogon::Disabled || !is_idle(last_logon_at, profile.enabled_at, days, now) {
            return Ok(false);
        }
        let profile = LoginProfile { console_logon: ConsoleLogon::Disabled, ..profile };
        login_profiles::put(tx, &account.id, &user.id, &profile).await?;
        principals::bump_epoch(tx, &account.id, &user.id, now).await?;
        self.write_idle_event(tx, account, user, DISABLE_IDLE_USER).await?;
        Ok(true)
    }

    /// Lets the last administrator's idleness begin anew: he must be able to log on, or nobody could change anything.
    async fn spare_idle_user(
        &self,
        tx: &mut Tx<'_>,
        account: &Account,
        user: &IdleUser,
        now: Timestamp,
    ) -> Result<(), Error> {
        if principals::guard(tx, &account.id, &user.id).await?.is_none() {
            return Ok(());
        }
        let Some(profile) = login_profiles::find(tx, &account.id, &user.id).await? else { return Ok(()) };
        login_profiles::put(tx, &account.id, &user.id, &LoginProfile { enabled_at: now, ..profile }).await?;
        self.write_idle_event(tx, account, user, SPARE_IDLE_USER).await
    }

    async fn write_idle_event(
        &self,
        tx: &mut Tx<'_>,
        account: &Account,
        user: &IdleUser,
        action: &'static str,
    ) -> Result<(), Error> {
        let actor = AuditActor { kind: ActorKind::System, id: String::new(), name: "countersign".to_owned() };
        let details = format!("max_idle_days_users={};", account.settings.max_idle_days_users);
        let written =
            Written { actor, action, target: &user.name, outcome: Outcome::Success, reason: "", details: &details };
        self.write_event_on(tx, (&account.id, Some(&user.id)), &Origin::default(), written).await
    }
}

/// Whether the last look that `fact` tells of is an hour ago.
pub(crate) async fn is_look_due(core: &Countersign, fact: &'static str) -> Result<bool, Error> {
    let look = async move |tx: &mut Tx<'_>| -> Result<Option<String>, Error> { Ok(facts::find(tx, fact).await?) };
    let last = core.inner.store.read(look).await?.and_then(|text| text.parse().ok()).map(Timestamp::from_micros);
    // A time in the future was written by a clock that has since been set right.
    Ok(last.is_none_or(|last| last > core.now() || core.now().since(last) >= LOOK_EVERY))
}

/// Notes that everything was looked at now.
pub(crate) async fn note_look(core: &Countersign, fact: &'static str) -> Result<(), Error> {
    let now = core.now().micros().to_string();
    let note = async move |tx: &mut Tx<'_>| -> Result<(), Error> { Ok(facts::put(tx, fact, &now).await?) };
    core.inner.store.write(note).await
}

async fn idle_users(tx: &mut Tx<'_>, account: &AccountId, now: Timestamp) -> Result<Vec<IdleUser>, Error> {
    let Some(found) = accounts::find(tx, account).await? else { return Ok(Vec::new()) };
    let since = now.minus(Duration::from_hours(24 * found.settings.max_idle_days_users.days()));
    Ok(login_profiles::list_idle(tx, account, since, BATCH).await?)
}

/// Whether a user is the only administrator left who can log on, if keys have to meet these terms.
async fn is_last_administrator(
    tx: &mut Tx<'_>,
    account: &Account,
    user: &IdleUser,
    terms: Terms<'_>,
) -> Result<bool, Error> {
    if !attachments::is_unrestricted_administrator(tx, &account.id, &user.id).await? {
        return Ok(false);
    }
    for other in attachments::other_administrators(tx, &account.id, &user.id, BATCH).await? {
        if has_factor_left(tx, (&account.id, &other), terms).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_767_268_800);
    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn c32_idleness_is_counted_from_the_last_logon_or_from_when_it_was_enabled() {
        let (d90, d91) = (NOON.plus(DAY * 90), NOON.plus(DAY * 91));
        assert!(is_idle(None, NOON, IdleDays::D90, d90));
        assert!(!is_idle(None, NOON, IdleDays::D90, d90.minus(Duration::from_micros(1))));
        assert!(!is_idle(None, NOON, IdleDays::D180, d90));
        assert!(is_idle(Some(NOON), NOON.minus(DAY), IdleDays::D90, d90));
        assert!(!is_idle(Some(NOON.plus(DAY * 2)), NOON, IdleDays::D90, d91));
        assert!(!is_idle(Some(NOON), NOON.plus(DAY * 2), IdleDays::D90, d91), "enabled again since");
        assert!(!is_idle(None, d91, IdleDays::D90, NOON), "a clock that went back");
    }
}
