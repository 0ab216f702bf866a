//! Principals: the owner of an account and its RAM users.

use crate::{Row, RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::names::EmailAddress;
use countersign_model::principal::{Principal, PrincipalKind};

statements! {
    INSERT = "INSERT INTO principals (account_id, principal_id, kind, name, canonical_name, display_name, comments, \
              email, owner_email, mobile_phone, search, epoch, version, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14) ON CONFLICT DO NOTHING";
    FIND = "SELECT account_id, principal_id, kind, name, display_name, comments, email, mobile_phone, epoch, created_at, \
            updated_at, last_logon_at FROM principals WHERE account_id = $1 AND principal_id = $2";
    FIND_RAM_USER = "SELECT account_id, principal_id, kind, name, display_name, comments, email, mobile_phone, epoch, created_at, \
                     updated_at, last_logon_at FROM principals \
                     WHERE account_id = $1 AND kind = 'ram-user' AND canonical_name = $2";
    FIND_OWNER_OF = "SELECT account_id, principal_id, kind, name, display_name, comments, email, mobile_phone, epoch, created_at, \
                     updated_at, last_logon_at FROM principals WHERE account_id = $1 AND kind = 'owner'";
    FIND_OWNER = "SELECT account_id, principal_id, kind, name, display_name, comments, email, mobile_phone, epoch, created_at, \
                  updated_at, last_logon_at FROM principals WHERE owner_email = $1";
    GUARD = "UPDATE principals SET version = version + 1 WHERE account_id = $1 AND principal_id = $2 RETURNING epoch";
    BUMP_EPOCH = "UPDATE principals SET epoch = epoch + 1, updated_at = $1 \
                  WHERE account_id = $2 AND principal_id = $3 RETURNING epoch";
    PAGE = "SELECT account_id, principal_id, kind, name, display_name, comments, email, mobile_phone, epoch, created_at, \
            updated_at, last_logon_at FROM principals \
            WHERE account_id = $1 AND kind = 'ram-user' AND canonical_name > $2 ORDER BY canonical_name LIMIT $3";
    UPDATE = "UPDATE principals SET name = $1, canonical_name = $2, display_name = $3, comments = $4, email = $5, \
              mobile_phone = $6, search = $7, updated_at = $8 WHERE account_id = $9 AND principal_id = $10 \
              AND NOT EXISTS (SELECT 1 FROM principals other WHERE other.account_id = $9 AND other.kind = 'ram-user' \
              AND other.canonical_name = $2 AND other.principal_id <> $10)";
    MARK_LOGON = "UPDATE principals SET last_logon_at = $1, last_logon_address = $2, language = $3 \
                  WHERE account_id = $4 AND principal_id = $5";
    DELETE = "DELETE FROM principals WHERE account_id = $1 AND principal_id = $2 AND kind = 'ram-user'";
}

/// Adds a principal; whether its name was free.
pub async fn insert(tx: &mut Tx<'_>, principal: &Principal) -> Result<bool, StoreError> {
    let email = principal.email.as_ref();
    let owner_email = email.filter(|_| principal.kind == PrincipalKind::Owner).map(EmailAddress::canonical);
    Ok(tx
        .execute(
            INSERT,
            params![
                principal.account_id,
                principal.id,
                principal.kind.as_str(),
                principal.name,
                canonical_name(principal),
                principal.display_name.as_str(),
                principal.comments.as_str(),
                email.map(|email| email.as_str().to_owned()),
                owner_email,
                principal.mobile.as_ref().map(|mobile| mobile.as_str().to_owned()),
                search_text(principal),
                principal.epoch,
                principal.created_at,
                principal.updated_at
            ],
        )
        .await?
        == 1)
}

/// The principal of this id.
pub async fn find(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<Option<Principal>, StoreError> {
    tx.row(FIND, params![account, id]).await?.map(read).transpose()
}

/// The RAM user of this canonical name.
pub async fn find_ram_user(
    tx: &mut Tx<'_>,
    account: &AccountId,
    canonical_name: &str,
) -> Result<Option<Principal>, StoreError> {
    tx.row(FIND_RAM_USER, params![account, canonical_name]).await?.map(read).transpose()
}

/// The first `limit` RAM users of an account behind a canonical name, by that name.
pub async fn page(tx: &mut Tx<'_>, account: &AccountId, after: &str, limit: i64) -> Result<Vec<Principal>, StoreError> {
    tx.rows(PAGE, params![account, after, limit]).await?.into_iter().map(read).collect()
}

/// The owner of an account.
pub async fn find_owner_of(tx: &mut Tx<'_>, account: &AccountId) -> Result<Option<Principal>, StoreError> {
    tx.row(FIND_OWNER_OF, params![account]).await?.map(read).transpose()
}

/// The owner with this canonical email address, whichever account he owns.
pub async fn find_owner(tx: &mut Tx<'_>, canonical_email: &str) -> Result<Option<Principal>, StoreError> {
    tx.row(FIND_OWNER, params![canonical_email]).await?.map(read).transpose()
}

/// Takes the row that guards decisions over this principal's password, factors and profile, until the unit ends.
/// Gives its epoch, or nothing when there is no such principal.
pub async fn guard(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<Option<i64>, StoreError> {
    tx.row(GUARD, params![account, id]).await?.map(|row| row.reader("principals").int("epoch")).transpose()
}

/// Ends whatever carries an older epoch: sessions, logons, remembered machines. Gives the new one.
pub async fn bump_epoch(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    tx.row(BUMP_EPOCH, params![now, account, id]).await?.map(|row| row.reader("principals").int("epoch")).transpose()
}

/// Writes the names and remarks of a RAM user; whether the name was free.
pub async fn update(tx: &mut Tx<'_>, user: &Principal) -> Result<bool, StoreError> {
    Ok(tx
        .execute(
            UPDATE,
            params![
                user.name,
                canonical_name(user),
                user.display_name.as_str(),
                user.comments.as_str(),
                user.email.as_ref().map(|email| email.as_str().to_owned()),
                user.mobile.as_ref().map(|mobile| mobile.as_str().to_owned()),
                search_text(user),
                user.updated_at,
                user.account_id,
                user.id
            ],
        )
        .await?
        == 1)
}

/// Notes that the principal has opened a session, from where and in which language.
pub async fn mark_logon(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    (address, language): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(MARK_LOGON, params![now, address, language, account, id]).await.map(drop)
}

/// Removes a RAM user with all that hangs on it; whether it was there.
pub async fn delete(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![account, id]).await? == 1)
}

fn read(row: Row) -> Result<Principal, StoreError> {
    read_from(&mut row.reader("principals"))
}

pub(crate) fn read_from(r: &mut RowReader) -> Result<Principal, StoreError> {
    Ok(Principal {
        account_id: r.parse("account_id")?,
        id: r.parse("principal_id")?,
        kind: r.parse("kind")?,
        name: r.text("name")?,
        display_name: r.parse("display_name")?,
        comments: r.parse("comments")?,
        email: r.opt_parse("email")?,
        mobile: r.opt_parse("mobile_phone")?,
        epoch: r.int("epoch")?,
        created_at: r.time("created_at")?,
        updated_at: r.time("updated_at")?,
        last_logon_at: r.opt_time("last_logon_at")?,
    })
}

fn canonical_name(principal: &Principal) -> String {
    principal.name.to_lowercase()
}

/// What a search looks through: both names, in lower case.
fn search_text(principal: &Principal) -> String {
    format!("{}\n{}", principal.name, principal.display_name).to_lowercase()
}
