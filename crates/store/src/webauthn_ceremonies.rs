//! Challenges that wait for their answer, and those that were answered where none waits here. [`consume`] and [`use_up`] are
//! the places where one is used up.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::webauthn::CeremonyPurpose;

statements! {
    BEGIN = "INSERT INTO webauthn_ceremonies (challenge_hash, started_by, purpose, account_id, principal_id, replaces, \
             expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TRIM = "DELETE FROM webauthn_ceremonies WHERE started_by = $1 AND challenge_hash IN \
            (SELECT challenge_hash FROM webauthn_ceremonies WHERE started_by = $1 \
            ORDER BY expires_at DESC LIMIT 1000 OFFSET $2)";
    CONSUME = "DELETE FROM webauthn_ceremonies WHERE challenge_hash = $1 AND started_by = $2 AND expires_at > $3 \
               RETURNING purpose, account_id, principal_id, replaces, expires_at";
    USE_UP = "INSERT INTO webauthn_ceremonies (challenge_hash, started_by, purpose, replaces, expires_at) \
              VALUES ($1, $2, $3, $4, $5) ON CONFLICT (challenge_hash) DO NOTHING";
    IS_OPEN = "SELECT purpose FROM webauthn_ceremonies WHERE challenge_hash = $1 AND started_by = $2 AND expires_at > $3";
    SWEEP = "DELETE FROM webauthn_ceremonies WHERE expires_at < $1";
}

/// A challenge and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceremony {
    /// The one thing that it is good for.
    pub purpose: CeremonyPurpose,
    /// Whose key it is about.
    pub subject: Option<(AccountId, PrincipalId)>,
    /// Whether the virtual MFA device goes when the key is bound.
    pub replaces: bool,
    /// After this it is worthless.
    pub expires_at: Timestamp,
}

/// Begins a ceremony. `started_by` is the id of a logon or session: nobody else may finish it.
pub async fn begin(
    tx: &mut Tx<'_>,
    challenge_hash: &[u8; 32],
    started_by: &str,
    ceremony: &Ceremony,
) -> Result<(), StoreError> {
    let (account, principal) = ceremony.subject.as_ref().map(|(account, principal)| (account, principal)).unzip();
    let Ceremony { purpose, replaces, expires_at, subject: _ } = ceremony;
    tx.execute(BEGIN, params![challenge_hash, started_by, purpose.as_str(), account, principal, replaces, expires_at])
        .await
        .map(drop)
}

/// Drops the oldest ceremonies of one who begins many, so that `keep` are left.
pub async fn trim(tx: &mut Tx<'_>, started_by: &str, keep: i64) -> Result<u64, StoreError> {
    tx.execute(TRIM, params![started_by, keep]).await
}

/// Uses a challenge up: whoever began it answers it, once, in time. Of several that try, one succeeds.
pub async fn consume(
    tx: &mut Tx<'_>,
    challenge_hash: &[u8; 32],
    started_by: &str,
    now: Timestamp,
) -> Result<Option<Ceremony>, StoreError> {
    tx.row(CONSUME, params![challenge_hash, started_by, now]).await?.map(read).transpose()
}

/// Uses a challenge of a passkey logon up, which was kept by the browser alone: its row says that it was answered. Of several
/// that try, one succeeds.
pub async fn use_up(
    tx: &mut Tx<'_>,
    challenge_hash: &[u8; 32],
    started_by: &str,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let purpose = CeremonyPurpose::PasskeyLogon.as_str();
    let used = tx.execute(USE_UP, params![challenge_hash, started_by, purpose, false, expires_at]).await?;
    Ok(used == 1)
}

/// Whether somebody waits for the answer to a challenge, for this purpose. Uses nothing up.
pub async fn is_open(
    tx: &mut Tx<'_>,
    challenge_hash: &[u8; 32],
    (started_by, purpose): (&str, CeremonyPurpose),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row = tx.row(IS_OPEN, params![challenge_hash, started_by, now]).await?;
    let found = row.map(|row| row.reader("webauthn_ceremonies").parse::<CeremonyPurpose>("purpose")).transpose()?;
    Ok(found == Some(purpose))
}

/// Drops ceremonies that ran out.
pub async fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP, params![now]).await
}

fn read(row: Row) -> Result<Ceremony, StoreError> {
    let mut r = row.reader("webauthn_ceremonies");
    Ok(Ceremony {
        purpose: r.parse("purpose")?,
        subject: r.opt_parse("account_id")?.zip(r.opt_parse("principal_id")?),
        replaces: r.bool("replaces")?,
        expires_at: r.time("expires_at")?,
    })
}
