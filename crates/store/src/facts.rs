//! Facts of the installation: one value to a name.

use crate::{StoreError, Tx, params, statements};

statements! {
    FIND = "SELECT value FROM facts WHERE name = $1";
    PUT = "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    PUT_FIRST = "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    CONSUME = "DELETE FROM facts WHERE name = $1 AND value = $2";
}

/// The value of a fact.
pub async fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    tx.row(FIND, params![name]).await?.map(|row| row.reader("facts").text("value")).transpose()
}

/// Sets a fact.
pub async fn put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(PUT, params![name, value]).await.map(drop)
}

/// Sets a fact that has no value yet; whether it had none.
pub async fn put_first(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(PUT_FIRST, params![name, value]).await? == 1)
}

/// Removes a fact if it has this value. Of several that try, one succeeds.
pub async fn consume(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(CONSUME, params![name, value]).await? == 1)
}
