//! What `doctor` asks of a database, also of one that core does not open because the key ring is the wrong one.

use super::keys::{KeyVersion, versions};
use crate::error::Error;
use crate::keyring::KeyRing;
use crate::upkeep::stored_high_water;
use crate::webauthn::count_unrooted;
use crate::{KEY_CHECK, setup};
use countersign_model::Timestamp;
use countersign_model::notice::FindingKind;
use countersign_store::{Store, Tx, facts, findings, sealed, webauthn_credentials};

/// What a look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The highest time seen.
    pub high_water: Timestamp,
    /// Whether there is an account.
    pub set_up: bool,
    /// Whether the database was sealed with some key ring.
    pub sealed: bool,
    /// Whether that was this one; none without a ring.
    pub keys_match: Option<bool>,
    /// The versions of the keys; none without a ring, or with a stranger's.
    pub keys: Vec<KeyVersion>,
    /// The hosts that security keys and passkeys were registered at, and how many.
    pub key_hosts: Vec<(String, i64)>,
    /// How many keys lists of allowed models refuse where roots of trust of makers are known, and not where none are.
    pub unrooted_keys: i64,
    /// How many audit logs were found not to be what was written, and nobody has looked into it.
    pub broken_logs: i64,
}

/// Looks at a database and at the key ring that lies beside it, if one does.
pub async fn look(store: &Store, ring: Option<KeyRing>) -> Result<Look, Error> {
    let unit = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
        let check = facts::find(tx, KEY_CHECK).await?;
        let set_up = facts::find(tx, setup::SET_UP_DONE).await?.is_some();
        let broken = findings::count_open_everywhere(tx, FindingKind::AuditLogBroken).await?;
        let key_hosts = webauthn_credentials::of_others(tx, "").await?;
        let keys = (key_hosts, count_unrooted(tx).await?);
        let counts = sealed::count_by_head(tx).await?;
        Ok((check, set_up, stored_high_water(tx).await?, counts, broken, keys))
    };
    let (check, set_up, high, counts, broken_logs, (key_hosts, unrooted_keys)) = store.read(unit).await?;
    let stored = check.clone().unwrap_or_default();
    let keys_match = ring.as_ref().map(|ring| check.is_none() || ring.matches(&stored));
    let ring = ring.filter(|_| keys_match == Some(true)).map(|ring| ring.sealing_as_named(&stored));
    Ok(Look {
        high_water: Timestamp::from_micros(high.micros),
        set_up,
        sealed: check.is_some(),
        keys_match,
        keys: ring.map(|ring| versions(&ring, &counts)).unwrap_or_default(),
        key_hosts,
        unrooted_keys,
        broken_logs,
    })
}
