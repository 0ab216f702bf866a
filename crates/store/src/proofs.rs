//! Proofs for sensitive operations. [`consume`] is the one place where a proof is used up.

use crate::{StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId, SessionId};
use countersign_model::logon::Method;

statements! {
    ASK = "INSERT INTO proofs (token_hash, account_id, principal_id, session_id, operation, arguments, expires_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TRIM = "DELETE FROM proofs WHERE session_id = $1 AND token_hash IN (SELECT token_hash FROM proofs \
            WHERE session_id = $1 ORDER BY expires_at DESC LIMIT 1000 OFFSET $2)";
    FIND = "SELECT account_id, principal_id, session_id, operation, arguments, method, expires_at FROM proofs \
            WHERE token_hash = $1";
    CHALLENGE = "UPDATE proofs SET challenge_hash = $1 WHERE token_hash = $2 AND method IS NULL";
    HAS_CHALLENGE = "SELECT session_id FROM proofs WHERE token_hash = $1 AND challenge_hash = $2";
    TAKE_CHALLENGE = "UPDATE proofs SET challenge_hash = NULL WHERE token_hash = $1 AND challenge_hash = $2";
    GIVE = "UPDATE proofs SET method = $1 WHERE token_hash = $2 AND method IS NULL";
    HOLD = "UPDATE proofs SET expires_at = expires_at WHERE token_hash = $1";
    CONSUME = "DELETE FROM proofs WHERE token_hash = $1 AND method IS NOT NULL";
    END_ALL_OF = "DELETE FROM proofs WHERE account_id = $1 AND principal_id = $2";
    OPEN_WINDOW = "INSERT INTO proof_windows (session_id, ends_at) VALUES ($1, $2) \
                   ON CONFLICT (session_id) DO UPDATE SET ends_at = excluded.ends_at";
    WINDOW = "SELECT ends_at FROM proof_windows WHERE session_id = $1";
    CLOSE_WINDOW = "DELETE FROM proof_windows WHERE session_id = $1";
    SWEEP = "DELETE FROM proofs WHERE expires_at < $1";
    SWEEP_WINDOWS = "DELETE FROM proof_windows WHERE ends_at < $1";
}

/// A proof: asked for, and perhaps given.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The account.
    pub account_id: AccountId,
    /// Who is to prove himself.
    pub principal_id: PrincipalId,
    /// In which session.
    pub session_id: SessionId,
    /// For which operation.
    pub operation: String,
    /// The hash of the operation's arguments.
    pub arguments: [u8; 32],
    /// How it was given, once it was.
    pub method: Option<Method>,
    /// After this it is worthless.
    pub expires_at: Timestamp,
}

/// Asks for a proof.
pub async fn ask(tx: &mut Tx<'_>, token_hash: &[u8; 32], proof: &Proof) -> Result<(), StoreError> {
    tx.execute(
        ASK,
        params![
            token_hash,
            proof.account_id,
            proof.principal_id,
            proof.session_id,
            proof.operation,
            proof.arguments,
            proof.expires_at
        ],
    )
    .await
    .map(drop)
}

/// Drops the oldest proofs of a session, so that `keep` are left.
pub async fn trim(tx: &mut Tx<'_>, session: &SessionId, keep: i64) -> Result<u64, StoreError> {
    tx.execute(TRIM, params![session, keep]).await
}

/// Takes the row of a proof until the unit ends, so that nobody else uses it meanwhile; whether it is there.
pub async fn hold(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute(HOLD, params![token_hash]).await? == 1)
}

/// The proof that was asked for under this secret.
pub async fn find(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<Option<Proof>, StoreError> {
    let row = tx.row(FIND, params![token_hash]).await?;
    row.map(|row| {
        let mut r = row.reader("proofs");
        Ok(Proof {
            account_id: r.parse("account_id")?,
            principal_id: r.parse("principal_id")?,
            session_id: r.parse("session_id")?,
            operation: r.text("operation")?,
            arguments: r.bytes("arguments")?,
            method: r.opt_parse("method")?,
            expires_at: r.time("expires_at")?,
        })
    })
    .transpose()
}

/// Asks a security key or passkey for a proof, in place of an earlier challenge; not if it was given already.
pub async fn challenge(tx: &mut Tx<'_>, token_hash: &[u8; 32], challenge_hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute(CHALLENGE, params![challenge_hash, token_hash]).await? == 1)
}

/// Whether a proof waits for the answer to this challenge. Uses nothing up.
pub async fn has_challenge(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    challenge_hash: &[u8; 32],
) -> Result<bool, StoreError> {
    Ok(tx.row(HAS_CHALLENGE, params![token_hash, challenge_hash]).await?.is_some())
}

/// Uses the challenge of a proof up. Of several that try, one succeeds.
pub async fn take_challenge(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    challenge_hash: &[u8; 32],
) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE_CHALLENGE, params![token_hash, challenge_hash]).await? == 1)
}

/// Notes that a proof was given. Of several that try, one succeeds.
pub async fn give(tx: &mut Tx<'_>, token_hash: &[u8; 32], method: Method) -> Result<bool, StoreError> {
    Ok(tx.execute(GIVE, params![method.as_str(), token_hash]).await? == 1)
}

/// Uses a given proof up. Of several that try, one succeeds.
pub async fn consume(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute(CONSUME, params![token_hash]).await? == 1)
}

/// Ends all proofs of a principal, asked for or given.
pub async fn end_all_of(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<u64, StoreError> {
    tx.execute(END_ALL_OF, params![account, id]).await
}

/// Opens the window of a session, in which operations that ask once in a while ask no more.
pub async fn open_window(tx: &mut Tx<'_>, session: &SessionId, ends_at: Timestamp) -> Result<(), StoreError> {
    tx.execute(OPEN_WINDOW, params![session, ends_at]).await.map(drop)
}

/// When the window of a session ends, if it has one.
pub async fn window(tx: &mut Tx<'_>, session: &SessionId) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.row(WINDOW, params![session]).await?;
    row.map(|row| row.reader("proof_windows").time("ends_at")).transpose()
}

/// Closes the window of a session.
pub async fn close_window(tx: &mut Tx<'_>, session: &SessionId) -> Result<(), StoreError> {
    tx.execute(CLOSE_WINDOW, params![session]).await.map(drop)
}

/// Drops proofs and windows that ran out.
pub async fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    Ok(tx.execute(SWEEP, params![now]).await? + tx.execute(SWEEP_WINDOWS, params![now]).await?)
}
