//! A restored backup knows nothing of what happened since it was taken. It is marked before it is served: everything that
//! was open ends, every code of which nobody can tell whether it was used counts as used, every AccessKey of which nobody can
//! tell whether it was disabled or deleted since is disabled, and every passkey of which nobody can tell whether it was unbound
//! since has to pass behind the password once.

use crate::Countersign;
use crate::act::Admitted;
use crate::authorise::Action;
use crate::disown::end_links;
use crate::error::Error;
use crate::notices::Finding;
use countersign_model::Timestamp;
use countersign_model::notice::FindingKind;
use countersign_otp::{Period, TimeStep};
use countersign_store::{Tx, restore};
use std::time::Duration;

/// How many steps after the present one are spent: a device whose clock was measured to be ten steps ahead may have used
/// them, and one either side is always taken.
const STEPS_AHEAD: u64 = 11;

/// What the mark has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What was open.
    pub ended: restore::Ended,
    /// Devices whose steps are spent up to [`Self::codes_from`].
    pub devices: u64,
    /// Principals whose unused recovery codes are worthless now.
    pub stale: u64,
    /// Principals whose active AccessKeys are disabled now.
    pub keys_disabled: u64,
    /// Principals whose passkeys have to pass behind the password once.
    pub passkeys_held: u64,
    /// From when on codes are taken again, by devices whose clock is right.
    pub codes_from: Timestamp,
}

impl Countersign {
    /// Marks this installation as restored from a backup, in one transaction.
    pub async fn mark_restored(&self) -> Result<Restored, Error> {
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Restored, Error> {
            let now = admitted.now;
            let last = TimeStep::at(now.unix_seconds(), Period::DEFAULT).value().saturating_add(STEPS_AHEAD);
            let beyond = || Error::Fault("a time step beyond what can be stored".to_owned());
            let step = i64::try_from(last).map_err(|_| beyond())?;
            let ended = restore::end_all(tx).await?;
            end_links(tx, now).await?;
            this.forget_challenges(tx).await?;
            let devices = restore::spend_steps(tx, step).await?;
            let stale = restore::spend_recovery_codes(tx, now).await?;
            let keys = restore::disable_access_keys(tx, now).await?;
            let passkeys = restore::hold_passkeys(tx).await?;
            this.raise_stale(tx, &passkeys, (FindingKind::PasskeysStale, "passkeys")).await?;
            this.raise_stale(tx, &stale, (FindingKind::RecoveryCodesStale, "codes")).await?;
            this.raise_stale(tx, &keys, (FindingKind::AccessKeysStale, "keys")).await?;
            admitted.tell("sessions", &ended.sessions.to_string());
            admitted.tell("devices", &devices.to_string());
            admitted.tell("recovery_codes_of", &stale.len().to_string());
            admitted.tell("access_keys_of", &keys.len().to_string());
            admitted.tell("passkeys_of", &passkeys.len().to_string());
            Ok(Restored {
                ended,
                devices,
                stale: u64::try_from(stale.len()).unwrap_or(u64::MAX),
                keys_disabled: u64::try_from(keys.len()).unwrap_or(u64::MAX),
                passkeys_held: u64::try_from(passkeys.len()).unwrap_or(u64::MAX),
                codes_from: first_right(last),
            })
        };
        self.act_everywhere(Action::RestoreInstallation, work).await
    }

    /// Tells the administrators of everybody of whom the mark has taken something.
    async fn raise_stale(
        &self,
        tx: &mut Tx<'_>,
        stale: &[restore::Stale],
        (kind, word): (FindingKind, &str),
    ) -> Result<(), Error> {
        for one in stale {
            let (account, principal, principal_name) = (&one.account, &one.principal, one.name.as_str());
            let details = &format!("{word}={};", one.count);
            self.raise(tx, Finding { account, principal, principal_name, kind, details }).await?;
        }
        Ok(())
    }
}

/// When the code of the first step after `spent` is taken from a device whose clock is right: a step early.
fn first_right(spent: u64) -> Timestamp {
    let period = Duration::from_secs(30);
    Timestamp::from_micros(0).plus(period.saturating_mul(u32::try_from(spent).unwrap_or(u32::MAX)))
}
