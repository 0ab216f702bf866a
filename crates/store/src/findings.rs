//! What administrators have to look at.

use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, FindingId};
use countersign_model::notice::{Finding, FindingKind};
use countersign_model::principal::PrincipalKind;

statements! {
    INSERT = "INSERT INTO findings (account_id, finding_id, kind, principal_id, principal_name, details, at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    OPEN = "SELECT f.account_id, f.finding_id, f.kind, f.principal_id, f.principal_name, f.details, f.at, \
            f.settled_at, f.settled_by, p.kind, p.name FROM findings f \
            LEFT JOIN principals p ON p.account_id = f.account_id AND p.principal_id = f.principal_id \
            WHERE f.account_id = $1 AND f.settled_at IS NULL ORDER BY f.finding_id DESC LIMIT $2 OFFSET $3";
    SETTLED = "SELECT f.account_id, f.finding_id, f.kind, f.principal_id, f.principal_name, f.details, f.at, \
               f.settled_at, f.settled_by, p.kind, p.name FROM findings f \
               LEFT JOIN principals p ON p.account_id = f.account_id AND p.principal_id = f.principal_id \
               WHERE f.account_id = $1 AND f.settled_at IS NOT NULL ORDER BY f.finding_id DESC LIMIT $2 OFFSET $3";
    COUNT_OPEN = "SELECT COUNT(*) FROM findings WHERE account_id = $1 AND settled_at IS NULL";
    COUNT_OPEN_OF = "SELECT COUNT(*) FROM findings WHERE account_id = $1 AND settled_at IS NULL AND kind = $2";
    COUNT_OPEN_EVERYWHERE = "SELECT COUNT(*) FROM findings WHERE settled_at IS NULL AND kind = $1";
    COUNT_SETTLED = "SELECT COUNT(*) FROM findings WHERE account_id = $1 AND settled_at IS NOT NULL";
    SINCE = "SELECT 1 FROM findings WHERE account_id = $1 AND kind = $2 AND at > $3 LIMIT 1";
    SETTLE = "UPDATE findings SET settled_at = $1, settled_by = $2 \
              WHERE account_id = $3 AND finding_id = $4 AND settled_at IS NULL \
              RETURNING kind, principal_name";
}

/// Which findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    /// Those that nobody has settled.
    #[default]
    Open,
    /// Those that somebody has.
    Settled,
}

/// A finding with whom it is about as he is now.
#[derive(Debug, Clone)]
pub struct FindingLine {
    /// The finding.
    pub finding: Finding,
    /// Owner or RAM user, and his present name; nothing when he is gone.
    pub about: Option<(PrincipalKind, String)>,
}

/// Adds a finding.
pub async fn insert(tx: &mut Tx<'_>, finding: &Finding) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        params![
            finding.account_id,
            finding.id,
            finding.kind.as_str(),
            finding.principal_id,
            finding.principal_name,
            finding.details,
            finding.at
        ],
    )
    .await
    .map(drop)
}

/// Whether an account has a finding of a kind from after an instant.
pub async fn has_since(
    tx: &mut Tx<'_>,
    account: &AccountId,
    kind: FindingKind,
    since: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.row(SINCE, params![account, kind.as_str(), since]).await?.is_some())
}

/// A page of the findings of an account, the newest first.
pub async fn list(
    tx: &mut Tx<'_>,
    account: &AccountId,
    which: Which,
    limit: i64,
    offset: i64,
) -> Result<Vec<FindingLine>, StoreError> {
    let sql = match which {
        Which::Open => OPEN,
        Which::Settled => SETTLED,
    };
    tx.rows(sql, params![account, limit, offset]).await?.into_iter().map(read).collect()
}

/// How many there are.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId, which: Which) -> Result<i64, StoreError> {
    let sql = match which {
        Which::Open => COUNT_OPEN,
        Which::Settled => COUNT_SETTLED,
    };
    let row = tx.row(sql, params![account]).await?;
    Ok(row.map(|row| row.reader("findings").int("count")).transpose()?.unwrap_or(0))
}

/// How many of a kind nobody has settled.
pub async fn count_open_of(tx: &mut Tx<'_>, account: &AccountId, kind: FindingKind) -> Result<i64, StoreError> {
    let row = tx.row(COUNT_OPEN_OF, params![account, kind.as_str()]).await?;
    Ok(row.map(|row| row.reader("findings").int("count")).transpose()?.unwrap_or(0))
}

/// How many of a kind nobody has settled in any account: for the operator.
pub async fn count_open_everywhere(tx: &mut Tx<'_>, kind: FindingKind) -> Result<i64, StoreError> {
    let row = tx.row(COUNT_OPEN_EVERYWHERE, params![kind.as_str()]).await?;
    Ok(row.map(|row| row.reader("findings").int("count")).transpose()?.unwrap_or(0))
}

/// Settles a finding, once: its kind and whom it was about.
pub async fn settle(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &FindingId,
    by: &str,
    now: Timestamp,
) -> Result<Option<(String, String)>, StoreError> {
    let row = tx.row(SETTLE, params![now, by, account, id]).await?;
    row.map(|row| {
        let mut r = row.reader("findings");
        Ok((r.text("kind")?, r.text("principal_name")?))
    })
    .transpose()
}

fn read(row: Row) -> Result<FindingLine, StoreError> {
    let mut r = row.reader("findings");
    Ok(FindingLine {
        finding: Finding {
            account_id: r.parse("account_id")?,
            id: r.parse("finding_id")?,
            kind: r.parse("kind")?,
            principal_id: r.parse("principal_id")?,
            principal_name: r.text("principal_name")?,
            details: r.text("details")?,
            at: r.time("at")?,
            settled: r.opt_time("settled_at")?.zip(r.opt_text("settled_by")?),
        },
        about: r.opt_parse("kind")?.zip(r.opt_text("name")?),
    })
}
