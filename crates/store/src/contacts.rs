//! Email addresses and phones by which a RAM user is to prove himself.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::contact::{Contact, ContactKind};
use countersign_model::ids::{AccountId, PrincipalId};

statements! {
    PUT = "INSERT INTO verification_contacts (account_id, principal_id, kind, value, canonical, state, created_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, principal_id, kind) DO UPDATE SET \
           value = excluded.value, canonical = excluded.canonical, state = excluded.state, \
           created_at = excluded.created_at";
    LIST = "SELECT kind, value, state FROM verification_contacts \
            WHERE account_id = $1 AND principal_id = $2 ORDER BY kind";
    COUNT_OTHERS = "SELECT COUNT(*) FROM verification_contacts \
                    WHERE account_id = $1 AND kind = $2 AND canonical = $3 AND principal_id <> $4";
    DELETE = "DELETE FROM verification_contacts WHERE account_id = $1 AND principal_id = $2 AND kind = $3 \
              AND canonical = $4";
}

/// Binds a contact to a principal, in place of one of the same kind.
pub async fn put(
    tx: &mut Tx<'_>,
    (account, id): (&AccountId, &PrincipalId),
    contact: &Contact,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (kind, value, canonical) = (contact.kind.as_str(), contact.value.as_str(), contact.canonical());
    let state = contact.state.as_str();
    tx.execute(PUT, params![account, id, kind, value, canonical, state, now]).await.map(drop)
}

/// The contacts of a principal.
pub async fn list(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<Vec<Contact>, StoreError> {
    let read = |row: Row| {
        let mut r = row.reader("verification_contacts");
        Ok(Contact { kind: r.parse("kind")?, value: r.text("value")?, state: r.parse("state")? })
    };
    tx.rows(LIST, params![account, id]).await?.into_iter().map(read).collect()
}

/// How many other principals of the account have the same contact.
pub async fn count_others(
    tx: &mut Tx<'_>,
    (account, id): (&AccountId, &PrincipalId),
    contact: &Contact,
) -> Result<i64, StoreError> {
    let row = tx.row(COUNT_OTHERS, params![account, contact.kind.as_str(), contact.canonical(), id]).await?;
    row.map_or(Ok(0), |row| row.reader("verification_contacts").int("count"))
}

/// Unbinds this very contact; whether it was bound.
pub async fn delete(
    tx: &mut Tx<'_>,
    (account, id): (&AccountId, &PrincipalId),
    kind: ContactKind,
    canonical: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![account, id, kind.as_str(), canonical]).await? == 1)
}
