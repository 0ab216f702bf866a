//! The clock ran ahead, was set right, and lies behind a time already seen now: the operator lowers the mark.
//!
//! What the wrong time has left behind in the future ends or is cut. One thing stays: the steps that were spent. A code that
//! was used while the clock ran ahead comes again, so its device stays locked until then, or is unbound. So does the time
//! of calls that were signed then: the AccessKeys that signed them are disabled.

use crate::Countersign;
use crate::act::{Admitted, Written};
use crate::actor::{Actor, Origin};
use crate::api_calls::{USED_AHEAD, raise_fence};
use crate::authorise::Action;
use crate::error::Error;
use crate::notices::{Finding, Notice};
use crate::upkeep::{reset_high_water, stored_high_water};
use countersign_model::Timestamp;
use countersign_model::audit::Outcome;
use countersign_model::logon::LOGON_LIFETIME;
use countersign_model::machine::KNOWN_FOR;
use countersign_model::notice::{FindingKind, NoticeKind};
use countersign_model::webauthn::CEREMONY_LIFETIME;
use countersign_otp::{Period, TimeStep};
use countersign_store::clock::{self, DeviceAhead, KeyAhead, Latest};
use countersign_store::{Tx, principals, recovery_codes, virtual_mfa};
use std::time::Duration;

/// No pause lasts longer by itself.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The lives of a proof and of what it opens.
const PROOF_LIFETIME: Duration = Duration::from_mins(5);
const PROOF_WINDOW: Duration = Duration::from_mins(15);
/// A device that is right again within this is not worth unbinding.
const SOON: Duration = Duration::from_mins(15);
/// No mail waits longer for its next attempt.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// What becomes of devices that are locked because the clock ran ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stuck {
    /// They stay bound, and locked until their time comes.
    Keep,
    /// They are unbound.
    Unbind,
}

/// A device whose codes are refused, because codes of the future were used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckDevice {
    /// The alias of the account.
    pub alias: String,
    /// The user name, or the owner's email address.
    pub name: String,
    /// Until when.
    pub until: Timestamp,
}

/// What a reset has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockReset {
    /// The mark before.
    pub mark: Timestamp,
    /// The mark now: the present time.
    pub now: Timestamp,
    /// Pauses that were cut to an hour.
    pub pauses: u64,
    /// Sessions of the future that were ended.
    pub sessions: u64,
    /// Logons, proofs and bindings of the future that were ended.
    pub pending: u64,
    /// AccessKeys that were used while the clock ran ahead, and are disabled: copies of their calls come right again.
    pub keys_disabled: u64,
    /// Calls that were signed before this are refused.
    pub calls_from: Timestamp,
    /// The devices that are locked for more than a quarter of an hour, or were and are unbound now.
    pub stuck: Vec<StuckDevice>,
}

impl Countersign {
    /// The highest time seen, and the present one.
    pub async fn clock_mark(&self) -> Result<(Timestamp, Timestamp), Error> {
        let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> { stored_high_water(tx).await };
        Ok((Timestamp::from_micros(self.inner.store.read(unit).await?.micros), self.now()))
    }

    /// Sets the highest time seen to the present one. Nothing happens when the clock does not lie behind it.
    pub async fn reset_clock(&self, stuck: Stuck) -> Result<Option<ClockReset>, Error> {
        let (mark, now) = self.clock_mark().await?;
        if mark <= now {
            return Ok(None);
        }
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<ClockReset, Error> {
            let now = admitted.now;
            let mark = Timestamp::from_micros(stored_high_water(tx).await?.micros);
            reset_high_water(tx, now).await?;
            let latest = Latest {
                logon: now.plus(LOGON_LIFETIME),
                proof: now.plus(PROOF_LIFETIME),
                ceremony: now.plus(CEREMONY_LIFETIME),
                window: now.plus(PROOF_WINDOW),
            };
            let pauses = clock::shorten_pauses(tx, now.plus(LONGEST_PAUSE)).await?;
            clock::shorten_windows(tx, now).await?;
            let calls_from = raise_fence(tx, this.inner.store.is_shared(), mark, now).await?;
            let keys = clock::disable_keys_used_after(tx, now.plus(USED_AHEAD), now).await?;
            for key in &keys {
                this.tell_of_key_ahead(tx, key).await?;
            }
            clock::cut_times_after(tx, now, now.plus(LONGEST_WAIT)).await?;
            let sessions = clock::end_sessions_after(tx, now, now.plus(KNOWN_FOR)).await?;
            let pending = clock::end_pending_after(tx, now, latest).await?;
            this.forget_challenges(tx).await?;
            let devices = clock::devices_ahead(tx, step_at(now.plus(SOON))?).await?;
            if stuck == Stuck::Unbind {
                for device in &devices {
                    this.unbind_stuck(tx, admitted, device).await?;
                }
            }
            admitted.tell("mark", &mark.to_rfc3339());
            admitted.tell("sessions", &sessions.to_string());
            admitted.tell("access_keys", &keys.len().to_string());
            let keys_disabled = u64::try_from(keys.len()).unwrap_or(u64::MAX);
            let stuck = devices.into_iter().map(stuck_device).collect();
            Ok(ClockReset { mark, now, pauses, sessions, pending, keys_disabled, calls_from, stuck })
        };
        let done = self.act_everywhere(Action::ResetClock, work).await?;
        self.load_high_water().await?;
        Ok(Some(done))
    }

    /// Tells the log and the administrators of a key that is disabled because it was used while the clock ran ahead.
    async fn tell_of_key_ahead(&self, tx: &mut Tx<'_>, ahead: &KeyAhead) -> Result<(), Error> {
        let KeyAhead { account, principal, key } = ahead;
        let name = principals::find(tx, account, principal).await?.map(|holder| holder.name).unwrap_or_default();
        let details = &format!("key={key};");
        let kind = FindingKind::AccessKeysAhead;
        self.raise(tx, Finding { account, principal, principal_name: &name, kind, details }).await?;
        let event = Written {
            actor: Actor::Operator.for_audit(),
            action: Action::UpdateAccessKeyOfUser.code(),
            target: &name,
            outcome: Outcome::Success,
            reason: "clock_ran_ahead",
            details: &format!("{details}status=Inactive;"),
        };
        self.write_event_on(tx, (account, Some(principal)), &Origin::command_line(), event).await
    }

    async fn unbind_stuck(&self, tx: &mut Tx<'_>, admitted: &Admitted, device: &DeviceAhead) -> Result<(), Error> {
        let (account, principal) = (&device.account, &device.principal);
        principals::guard(tx, account, principal).await?;
        virtual_mfa::delete_bound(tx, account, principal).await?;
        virtual_mfa::delete_pending(tx, account, principal).await?;
        // They are for a device that is lost, and go with it, as everywhere.
        recovery_codes::delete_all(tx, account, principal).await?;
        principals::bump_epoch(tx, account, principal, admitted.now).await?;
        let origin = Origin::command_line();
        let notice = Notice { account, principal, kind: NoticeKind::MfaUnbound, origin: &origin };
        self.notify_by(tx, admitted, notice).await?;
        let event = Written {
            actor: Actor::Operator.for_audit(),
            action: Action::UnbindMfaForUser.code(),
            target: &device.name,
            outcome: Outcome::Success,
            reason: "clock_ran_ahead",
            details: "",
        };
        self.write_event_on(tx, (account, Some(principal)), &origin, event).await
    }
}

fn stuck_device(device: DeviceAhead) -> StuckDevice {
    let until = Timestamp::from_seconds(device.right_from.saturating_mul(30));
    StuckDevice { alias: device.alias.to_string(), name: device.name, until }
}

fn step_at(at: Timestamp) -> Result<i64, Error> {
    let step = TimeStep::at(at.unix_seconds(), Period::DEFAULT).value();
    i64::try_from(step).map_err(|_| Error::Fault("a time step beyond what can be stored".to_owned()))
}
