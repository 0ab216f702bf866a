//! The TOTP device of a principal (RFC 6238: SHA-1, six digits, thirty seconds).
//!
//! ```text
//! start ─► Pending ── right code(s) within ten minutes ─► Bound ── unbound, replaced ─► gone
//! ```

use crate::clock::Timestamp;
use crate::ids::{AccountId, DeviceId, PrincipalId};
use std::time::Duration;

/// How long a binding may stay unconfirmed; the setup key is shown only that long.
pub const PENDING_LIFETIME: Duration = Duration::from_mins(10);

/// How many bindings a principal may have started within an hour.
pub const STARTS_PER_HOUR: i64 = 20;

/// A virtual MFA device.
#[derive(Debug, Clone)]
pub struct VirtualMfa {
    /// Its id; every binding makes a new one.
    pub id: DeviceId,
    /// The account.
    pub account_id: AccountId,
    /// Whom it belongs to.
    pub principal_id: PrincipalId,
    /// The last part of its serial number `acs:ram::<account>:mfa/<name>`.
    pub name: String,
    /// The seed, sealed with the key ring.
    pub sealed_seed: Vec<u8>,
    /// Where in its life it is.
    pub state: VirtualMfaState,
    /// When the binding was started.
    pub created_at: Timestamp,
}

/// Where in its life a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VirtualMfaState {
    /// The setup key was shown; no code has confirmed it. It logs nobody on.
    Pending {
        /// The logon or session that started the binding, the only one that may confirm it.
        started_by: String,
        /// After this the setup key is worthless.
        expires_at: Timestamp,
    },
    /// A code has confirmed it.
    Bound {
        /// When.
        bound_at: Timestamp,
        /// The last step of which a code was accepted. Only later ones count.
        last_step: i64,
        /// How many steps the device's clock is ahead of ours (negative: behind).
        drift: i8,
        /// When it last passed.
        last_used_at: Option<Timestamp>,
    },
}

/// The serial number of a device, as the RAM protocol writes it.
#[must_use]
pub fn serial_number(account: &AccountId, name: &str) -> String {
    format!("acs:ram::{account}:mfa/{name}")
}
