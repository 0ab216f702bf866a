//! What people were told about their own security.

use crate::conversions::to_json;
use crate::{Row, RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, NoticeId, PrincipalId};
use countersign_model::names::{AccountAlias, EmailAddress};
use countersign_model::notice::{Notice, NoticeKind};
use countersign_model::principal::PrincipalKind;

statements! {
    INSERT = "INSERT INTO notices (account_id, notice_id, principal_id, kind, facts, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6)";
    FIND = "SELECT account_id, notice_id, principal_id, kind, facts, created_at, disowned_at FROM notices \
            WHERE notice_id = $1";
    LIST = "SELECT account_id, notice_id, principal_id, kind, facts, created_at, disowned_at FROM notices \
            WHERE account_id = $1 AND principal_id = $2 AND created_at >= $3 ORDER BY notice_id DESC LIMIT $4";
    TOLD_SINCE = "SELECT COUNT(*) FROM notices \
                  WHERE account_id = $1 AND principal_id = $2 AND notice_id >= $3 AND created_at >= $4 AND kind = $5";
    DISOWN = "UPDATE notices SET disowned_at = $1 WHERE account_id = $2 AND notice_id = $3 AND disowned_at IS NULL";
    ADDRESSEE = "SELECT p.kind, p.name, p.email, p.language, a.alias FROM principals p \
                 JOIN accounts a ON a.account_id = p.account_id WHERE p.account_id = $1 AND p.principal_id = $2";
    SWEEP = "DELETE FROM notices WHERE created_at < $1";
}

/// Who is told, and how he is reached.
#[derive(Debug, Clone)]
pub struct Addressee {
    /// Owner or RAM user.
    pub kind: PrincipalKind,
    /// The user name, or the owner's email address.
    pub name: String,
    /// Where mail goes, if anywhere.
    pub email: Option<EmailAddress>,
    /// The tag of the language of his last logon.
    pub language: String,
    /// The alias of his account.
    pub alias: AccountAlias,
}

/// Adds a notice.
pub async fn insert(tx: &mut Tx<'_>, notice: &Notice) -> Result<(), StoreError> {
    let facts = to_json(&notice.facts)?;
    tx.execute(
        INSERT,
        params![notice.account_id, notice.id, notice.principal_id, notice.kind.as_str(), facts, notice.at],
    )
    .await
    .map(drop)
}

/// The notice of this id, whosever it is.
pub async fn find(tx: &mut Tx<'_>, id: &NoticeId) -> Result<Option<Notice>, StoreError> {
    tx.row(FIND, params![id]).await?.map(read).transpose()
}

/// What a principal was told since then, the newest first, at most `limit`.
pub async fn list(
    tx: &mut Tx<'_>,
    account: &AccountId,
    principal: &PrincipalId,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Notice>, StoreError> {
    tx.rows(LIST, params![account, principal, since, limit]).await?.into_iter().map(read).collect()
}

/// Whether a principal was told of this since then.
pub async fn was_told_since(
    tx: &mut Tx<'_>,
    account: &AccountId,
    principal: &PrincipalId,
    since: Timestamp,
    kind: NoticeKind,
) -> Result<bool, StoreError> {
    // Ids begin with their time, so that the index of the principal's notices finds the few since then. After a clock ran
    // ahead, an id lies later than what it tells of.
    let first = format!("{:016x}", since.micros().max(0));
    let row = tx.row(TOLD_SINCE, params![account, principal, first, since, kind.as_str()]).await?;
    Ok(row.map(|row| row.reader("notices").int("count")).transpose()?.unwrap_or(0) > 0)
}

/// Notes that the principal says it was not he. Succeeds once.
pub async fn consume(tx: &mut Tx<'_>, account: &AccountId, id: &NoticeId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(DISOWN, params![now, account, id]).await? == 1)
}

/// How a principal is reached.
pub async fn find_addressee(
    tx: &mut Tx<'_>,
    account: &AccountId,
    principal: &PrincipalId,
) -> Result<Option<Addressee>, StoreError> {
    let found = tx.row(ADDRESSEE, params![account, principal]).await?;
    found
        .map(|row| {
            let mut r = row.reader("principals");
            Ok(Addressee {
                kind: r.parse("kind")?,
                name: r.text("name")?,
                email: r.opt_parse("email")?,
                language: r.text("language")?,
                alias: r.parse("alias")?,
            })
        })
        .transpose()
}

/// Drops notices from before `since`, and mail about them.
pub async fn sweep(tx: &mut Tx<'_>, since: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP, params![since]).await
}

fn read(row: Row) -> Result<Notice, StoreError> {
    read_from(&mut row.reader("notices"))
}

pub(crate) fn read_from(r: &mut RowReader) -> Result<Notice, StoreError> {
    Ok(Notice {
        account_id: r.parse("account_id")?,
        id: r.parse("notice_id")?,
        principal_id: r.parse("principal_id")?,
        kind: r.parse("kind")?,
        facts: r.json("facts")?,
        at: r.time("created_at")?,
        disowned_at: r.opt_time("disowned_at")?,
    })
}
