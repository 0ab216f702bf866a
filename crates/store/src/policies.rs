//! Policies that an account writes for itself, with their versions.

use crate::groups::Part;
use crate::{Row, RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PolicyId};
use countersign_model::names::{Description, PolicyName};
use countersign_model::policy::PolicyDocument;

statements! {
    INSERT = "INSERT INTO policies (account_id, policy_id, name, canonical_name, description, default_version, \
              last_version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    FIND = "SELECT account_id, policy_id, name, description, default_version, last_version, created_at, updated_at \
            FROM policies WHERE account_id = $1 AND canonical_name = $2";
    DELETE = "DELETE FROM policies WHERE account_id = $1 AND policy_id = $2";
    COUNT = "SELECT COUNT(*) FROM policies WHERE account_id = $1 AND canonical_name LIKE $2 ESCAPE '!'";
    LIST = "SELECT p.account_id, p.policy_id, p.name, p.description, p.default_version, p.last_version, p.created_at, \
            p.updated_at, (SELECT COUNT(*) FROM user_policies up \
            WHERE up.account_id = p.account_id AND up.policy = p.policy_id) \
            + (SELECT COUNT(*) FROM group_policies gp WHERE gp.account_id = p.account_id AND gp.policy = p.policy_id) \
            FROM policies p WHERE p.account_id = $1 AND p.canonical_name LIKE $2 ESCAPE '!' AND p.canonical_name > $3 \
            ORDER BY p.canonical_name LIMIT $4 OFFSET $5";
    INSERT_VERSION = "INSERT INTO policy_versions (account_id, policy_id, version, document, denies, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6)";
    NEXT_VERSION = "UPDATE policies SET last_version = last_version + 1, updated_at = $1 \
                    WHERE account_id = $2 AND policy_id = $3 RETURNING last_version";
    DESCRIBE = "UPDATE policies SET description = $1, updated_at = $2 WHERE account_id = $3 AND policy_id = $4";
    SET_DEFAULT = "UPDATE policies SET default_version = $1, updated_at = $2 WHERE account_id = $3 AND policy_id = $4";
    VERSIONS = "SELECT version, document, created_at FROM policy_versions WHERE account_id = $1 AND policy_id = $2 \
                ORDER BY version DESC";
    FIND_VERSION = "SELECT version, document, created_at FROM policy_versions \
                    WHERE account_id = $1 AND policy_id = $2 AND version = $3";
    DELETE_VERSION = "DELETE FROM policy_versions WHERE account_id = $1 AND policy_id = $2 AND version = $3";
}

/// A policy of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The account.
    pub account_id: AccountId,
    /// The id.
    pub id: PolicyId,
    /// The name, unique in the account without regard to case.
    pub name: PolicyName,
    /// What it is for.
    pub description: Description,
    /// The version that counts.
    pub default_version: i64,
    /// The highest number that a version ever had.
    pub last_version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its description or its versions last changed.
    pub updated_at: Timestamp,
}

/// A policy as a line of a list.
#[derive(Debug, Clone)]
pub struct PolicyLine {
    /// The policy.
    pub policy: Policy,
    /// To how many users and groups it is attached.
    pub attachments: i64,
}

/// A version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: i64,
    /// The document as it was written.
    pub document: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Adds a policy without versions; whether its name was free.
pub async fn insert(tx: &mut Tx<'_>, policy: &Policy) -> Result<bool, StoreError> {
    let (name, canonical) = (policy.name.as_str(), policy.name.canonical());
    Ok(tx
        .execute(
            INSERT,
            params![
                policy.account_id,
                policy.id,
                name,
                canonical,
                policy.description.as_str(),
                policy.default_version,
                policy.last_version,
                policy.created_at,
                policy.updated_at
            ],
        )
        .await?
        == 1)
}

/// The policy of this canonical name.
pub async fn find(tx: &mut Tx<'_>, account: &AccountId, canonical_name: &str) -> Result<Option<Policy>, StoreError> {
    tx.row(FIND, params![account, canonical_name]).await?.map(|row| read(&mut row.reader("policies"))).transpose()
}

/// Removes a policy that is attached to nothing, with its versions; whether it was there.
pub async fn delete(tx: &mut Tx<'_>, account: &AccountId, id: &PolicyId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![account, id]).await? == 1)
}

/// How many policies there are whose name contains something.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId, part: &Part) -> Result<i64, StoreError> {
    let row = tx.row(COUNT, params![account, part.pattern()]).await?;
    row.map_or(Ok(0), |row| row.reader("policies").int("count"))
}

/// A page of the policies.
pub async fn list(tx: &mut Tx<'_>, account: &AccountId, part: &Part) -> Result<Vec<PolicyLine>, StoreError> {
    let rows = tx.rows(LIST, params![account, part.pattern(), part.after, part.limit, part.offset]).await?;
    let line = |row: Row| {
        let mut r = row.reader("policies");
        Ok(PolicyLine { policy: read(&mut r)?, attachments: r.int("attachments")? })
    };
    rows.into_iter().map(line).collect()
}

/// Adds a version.
pub async fn insert_version(
    tx: &mut Tx<'_>,
    (account, policy): (&AccountId, &PolicyId),
    number: i64,
    document: &PolicyDocument,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (text, denies) = (document.text(), document.denies());
    tx.execute(INSERT_VERSION, params![account, policy, number, text, denies, now]).await.map(drop)
}

/// The number of the next version; no other one gets it.
pub async fn next_version(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &PolicyId,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let row = tx.row(NEXT_VERSION, params![now, account, policy]).await?;
    row.map(|row| row.reader("policies").int("last_version")).transpose()
}

/// Writes what a policy is for; whether it was there.
pub async fn describe(
    tx: &mut Tx<'_>,
    (account, policy): (&AccountId, &PolicyId),
    description: &Description,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DESCRIBE, params![description.as_str(), now, account, policy]).await? == 1)
}

/// Makes a version the one that counts.
pub async fn set_default(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &PolicyId,
    number: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(SET_DEFAULT, params![number, now, account, policy]).await? == 1)
}

/// All versions, the newest first.
pub async fn versions(tx: &mut Tx<'_>, account: &AccountId, policy: &PolicyId) -> Result<Vec<Version>, StoreError> {
    tx.rows(VERSIONS, params![account, policy]).await?.into_iter().map(read_version).collect()
}

/// One version.
pub async fn find_version(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &PolicyId,
    number: i64,
) -> Result<Option<Version>, StoreError> {
    tx.row(FIND_VERSION, params![account, policy, number]).await?.map(read_version).transpose()
}

/// Removes a version; whether it was there.
pub async fn delete_version(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &PolicyId,
    number: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE_VERSION, params![account, policy, number]).await? == 1)
}

fn read(r: &mut RowReader) -> Result<Policy, StoreError> {
    Ok(Policy {
        account_id: r.parse("account_id")?,
        id: r.parse("policy_id")?,
        name: r.parse("name")?,
        description: r.parse("description")?,
        default_version: r.int("default_version")?,
        last_version: r.int("last_version")?,
        created_at: r.time("created_at")?,
        updated_at: r.time("updated_at")?,
    })
}

fn read_version(row: Row) -> Result<Version, StoreError> {
    let mut r = row.reader("policy_versions");
    Ok(Version { number: r.int("version")?, document: r.text("document")?, created_at: r.time("created_at")? })
}
