//! Security keys and passkeys. [`note_use`] is the one place where a signature counter rises.

use crate::conversions::to_json;
use crate::{Row, RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, KeyId, PrincipalId};
use countersign_model::names::KeyName;
use countersign_model::webauthn::{KeyKind, Make, WebAuthnCredential};

/// What is read of a credential.
macro_rules! columns {
    () => {
        "SELECT account_id, key_id, principal_id, kind, credential_id, rp_id, public_key, sign_count, transports, \
         aaguid, backup_eligible, backed_up, user_verified, attestation, trust, name, created_at, last_used_at, held \
         FROM webauthn_credentials "
    };
}

statements! {
    INSERT = "INSERT INTO webauthn_credentials (account_id, key_id, principal_id, kind, credential_id, rp_id, \
              public_key, sign_count, transports, aaguid, backup_eligible, backed_up, user_verified, attestation, \
              trust, name, canonical_name, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
              ON CONFLICT DO NOTHING";
    LIST = concat!(columns!(), "WHERE account_id = $1 AND principal_id = $2 ORDER BY created_at, key_id");
    FIND = concat!(columns!(), "WHERE account_id = $1 AND principal_id = $2 AND key_id = $3");
    FIND_BY_CREDENTIAL_ID = concat!(columns!(), "WHERE credential_id = $1");
    NOTE_USE = "UPDATE webauthn_credentials SET sign_count = $1, backed_up = $2, last_used_at = $3, held = NULL \
                WHERE account_id = $4 AND key_id = $5 AND (sign_count < $1 OR (sign_count = 0 AND $1 = 0)) \
                AND (held IS NULL OR held <> 'disowned')";
    HOLD_SINCE = "UPDATE webauthn_credentials SET held = 'disowned' WHERE account_id = $1 AND principal_id = $2 \
                  AND created_at >= $3 AND (held IS NULL OR held <> 'disowned') RETURNING key_id, name";
    RENAME = "UPDATE webauthn_credentials SET name = $1, canonical_name = $2 \
              WHERE account_id = $3 AND principal_id = $4 AND key_id = $5 AND NOT EXISTS \
              (SELECT 1 FROM webauthn_credentials o WHERE o.account_id = $3 AND o.principal_id = $4 \
              AND o.canonical_name = $2 AND o.key_id <> $5)";
    DELETE = "DELETE FROM webauthn_credentials WHERE account_id = $1 AND principal_id = $2 AND key_id = $3";
    DELETE_KIND = "DELETE FROM webauthn_credentials WHERE account_id = $1 AND principal_id = $2 AND kind = $3";
    COUNT_BY_MAKE = "SELECT aaguid, trust, backup_eligible, COUNT(*) FROM webauthn_credentials WHERE account_id = $1 \
                     GROUP BY aaguid, trust, backup_eligible ORDER BY aaguid, trust, backup_eligible";
    OF_OTHERS = "SELECT rp_id, COUNT(*) FROM webauthn_credentials WHERE rp_id <> $1 GROUP BY rp_id ORDER BY rp_id";
}

/// Adds a credential, unless its id or its name is taken.
pub async fn insert(tx: &mut Tx<'_>, key: &WebAuthnCredential) -> Result<bool, StoreError> {
    let inserted = tx
        .execute(
            INSERT,
            params![
                key.account_id,
                key.id,
                key.principal_id,
                key.kind.as_str(),
                key.credential_id,
                key.rp_id,
                key.public_key,
                key.sign_count,
                to_json(&key.transports)?,
                key.aaguid.to_string(),
                key.backup_eligible,
                key.backed_up,
                key.user_verified,
                key.attestation_format,
                key.trust.as_str(),
                key.name,
                key.name.to_lowercase(),
                key.created_at
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// All credentials of a principal, the oldest first.
pub async fn list(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
) -> Result<Vec<WebAuthnCredential>, StoreError> {
    tx.rows(LIST, params![account, id]).await?.into_iter().map(read).collect()
}

/// One credential of a principal.
pub async fn find(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    key: &KeyId,
) -> Result<Option<WebAuthnCredential>, StoreError> {
    tx.row(FIND, params![account, id, key]).await?.map(read).transpose()
}

/// The credential of this id, whosever it is. For somebody who has not said yet who he is.
pub async fn find_by_credential_id(
    tx: &mut Tx<'_>,
    credential_id: &[u8],
) -> Result<Option<WebAuthnCredential>, StoreError> {
    tx.row(FIND_BY_CREDENTIAL_ID, params![credential_id]).await?.map(read).transpose()
}

/// What a passed assertion leaves behind.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// The new signature counter.
    pub sign_count: u32,
    /// Whether the credential is backed up.
    pub backed_up: bool,
    /// When.
    pub at: Timestamp,
}

/// Notes that a credential has passed, if its counter has risen, or is and stays 0, and nobody has disowned it. Of several
/// assertions with one counter, one passes. One that a backup brought back is held no longer.
pub async fn note_use(tx: &mut Tx<'_>, account: &AccountId, key: &KeyId, used: Use) -> Result<bool, StoreError> {
    Ok(tx.execute(NOTE_USE, params![used.sign_count, used.backed_up, used.at, account, key]).await? == 1)
}

/// Holds the credentials back that a principal has bound since `since`, as disowned; their ids and names.
pub async fn hold_since(
    tx: &mut Tx<'_>,
    (account, id): (&AccountId, &PrincipalId),
    since: Timestamp,
) -> Result<Vec<(KeyId, String)>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("webauthn_credentials");
        Ok((r.parse("key_id")?, r.text("name")?))
    };
    let held: Result<Vec<_>, StoreError> =
        tx.rows(HOLD_SINCE, params![account, id, since]).await?.into_iter().map(read).collect();
    let mut held = held?;
    held.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok(held)
}

/// Gives a credential another name; not when the principal has one of that name, or not this one.
pub async fn rename(
    tx: &mut Tx<'_>,
    (account, id): (&AccountId, &PrincipalId),
    key: &KeyId,
    name: &KeyName,
) -> Result<bool, StoreError> {
    Ok(tx.execute(RENAME, params![name.as_str(), name.canonical(), account, id, key]).await? == 1)
}

/// Removes a credential; whether it was there.
pub async fn delete(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId, key: &KeyId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![account, id, key]).await? == 1)
}

/// Removes all credentials of a kind that a principal has; how many.
pub async fn delete_kind(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    kind: KeyKind,
) -> Result<u64, StoreError> {
    tx.execute(DELETE_KIND, params![account, id, kind.as_str()]).await
}

/// How many credentials of each make an account has.
pub async fn count_by_make(tx: &mut Tx<'_>, account: &AccountId) -> Result<Vec<(Make, i64)>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("webauthn_credentials");
        Ok((read_make(&mut r)?, r.int("count")?))
    };
    tx.rows(COUNT_BY_MAKE, params![account]).await?.into_iter().map(read).collect()
}

/// The other relying parties that credentials were registered with, and how many. For the operator only: it crosses
/// accounts.
pub async fn of_others(tx: &mut Tx<'_>, rp_id: &str) -> Result<Vec<(String, i64)>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("webauthn_credentials");
        Ok((r.text("rp_id")?, r.int("count")?))
    };
    tx.rows(OF_OTHERS, params![rp_id]).await?.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<WebAuthnCredential, StoreError> {
    let mut r = row.reader("webauthn_credentials");
    Ok(WebAuthnCredential {
        account_id: r.parse("account_id")?,
        id: r.parse("key_id")?,
        principal_id: r.parse("principal_id")?,
        kind: r.parse("kind")?,
        credential_id: r.blob("credential_id")?,
        rp_id: r.text("rp_id")?,
        public_key: r.blob("public_key")?,
        sign_count: r.narrow("sign_count")?,
        transports: r.json("transports")?,
        aaguid: r.parse("aaguid")?,
        backup_eligible: r.bool("backup_eligible")?,
        backed_up: r.bool("backed_up")?,
        user_verified: r.bool("user_verified")?,
        attestation_format: r.text("attestation")?,
        trust: r.parse("trust")?,
        name: r.text("name")?,
        created_at: r.time("created_at")?,
        last_used_at: r.opt_time("last_used_at")?,
        held: r.opt_parse("held")?,
    })
}

/// Reads the columns `aaguid`, `trust`, `backup_eligible`.
pub(crate) fn read_make(r: &mut RowReader) -> Result<Make, StoreError> {
    Ok(Make { aaguid: r.parse("aaguid")?, trust: r.parse("trust")?, backup_eligible: r.bool("backup_eligible")? })
}
