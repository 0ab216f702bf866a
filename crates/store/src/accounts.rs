//! Accounts: the tenants.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::ids::AccountId;
use countersign_model::names::AccountAlias;
use countersign_model::principal::Account;
use countersign_model::settings::SecuritySettings;

statements! {
    INSERT = "INSERT INTO accounts (account_id, alias, settings, epoch, version, created_at) \
              VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT DO NOTHING";
    FIND = "SELECT account_id, alias, settings, epoch, created_at FROM accounts WHERE account_id = $1";
    FIND_BY_NAME = "SELECT account_id, alias, settings, epoch, created_at FROM accounts \
                    WHERE account_id = $1 OR alias = $1";
    LIST = "SELECT account_id, alias, settings, epoch, created_at FROM accounts ORDER BY alias LIMIT $1";
    GUARD = "UPDATE accounts SET version = version + 1 WHERE account_id = $1";
    BUMP_EPOCH = "UPDATE accounts SET epoch = epoch + 1 WHERE account_id = $1 RETURNING epoch";
    CHANGE_ALIAS = "UPDATE accounts SET alias = $1 WHERE account_id = $2 AND NOT EXISTS \
                    (SELECT 1 FROM accounts other WHERE other.alias = $1 AND other.account_id <> $2)";
    CHANGE_SETTINGS = "UPDATE accounts SET settings = $1 WHERE account_id = $2";
}

/// Adds an account; whether its id and alias were free.
pub async fn insert(tx: &mut Tx<'_>, account: &Account) -> Result<bool, StoreError> {
    let settings = crate::conversions::to_json(&account.settings)?;
    Ok(tx
        .execute(INSERT, params![account.id, account.alias.as_str(), settings, account.epoch, account.created_at])
        .await?
        == 1)
}

/// The account of this id.
pub async fn find(tx: &mut Tx<'_>, id: &AccountId) -> Result<Option<Account>, StoreError> {
    tx.row(FIND, params![id]).await?.map(read).transpose()
}

/// The account of this id or alias.
pub async fn find_by_name(tx: &mut Tx<'_>, id_or_alias: &str) -> Result<Option<Account>, StoreError> {
    tx.row(FIND_BY_NAME, params![id_or_alias]).await?.map(read).transpose()
}

/// The first `limit` accounts by alias. For the operator only: it crosses accounts.
pub async fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Account>, StoreError> {
    tx.rows(LIST, params![limit]).await?.into_iter().map(read).collect()
}

/// Takes the row that guards decisions over the account's administrators and settings, until the unit ends.
pub async fn guard(tx: &mut Tx<'_>, id: &AccountId) -> Result<bool, StoreError> {
    Ok(tx.execute(GUARD, params![id]).await? == 1)
}

/// Ends whatever carries an older epoch: the sessions, logons and remembered machines of all principals. Gives the new one.
pub async fn bump_epoch(tx: &mut Tx<'_>, id: &AccountId) -> Result<Option<i64>, StoreError> {
    tx.row(BUMP_EPOCH, params![id]).await?.map(|row| row.reader("accounts").int("epoch")).transpose()
}

/// Replaces the alias; whether no other account has it.
pub async fn change_alias(tx: &mut Tx<'_>, id: &AccountId, alias: &AccountAlias) -> Result<bool, StoreError> {
    Ok(tx.execute(CHANGE_ALIAS, params![alias.as_str(), id]).await? == 1)
}

/// Replaces the settings.
pub async fn change_settings(tx: &mut Tx<'_>, id: &AccountId, settings: &SecuritySettings) -> Result<bool, StoreError> {
    let settings = crate::conversions::to_json(settings)?;
    Ok(tx.execute(CHANGE_SETTINGS, params![settings, id]).await? == 1)
}

fn read(row: Row) -> Result<Account, StoreError> {
    let mut r = row.reader("accounts");
    Ok(Account {
        id: r.parse("account_id")?,
        alias: r.parse("alias")?,
        settings: r.json("settings")?,
        epoch: r.int("epoch")?,
        created_at: r.time("created_at")?,
    })
}
