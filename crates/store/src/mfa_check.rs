//! The check that every RAM user with a console password has an MFA device: who is in its scope, and who passes.

use crate::factors::has_factor;
use crate::users::like_pattern;
use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::ids::AccountId;

/// Whether a user can log on to the console by a password: then the check is about him.
macro_rules! in_scope {
    () => {
        "(lp.console_logon = 'enabled' AND lp.password_hash IS NOT NULL)"
    };
}

/// The users that a query asks for, with their login profiles.
macro_rules! asked_for {
    () => {
        concat!(
            "FROM principals p \
             LEFT JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
             WHERE p.account_id = $1 AND p.kind = 'ram-user' AND ($2 = '' OR p.search LIKE $3 ESCAPE '!') \
             AND ($4 = 'any' OR ($4 = 'passed' AND ",
            has_factor!("p.account_id", "p.principal_id"),
            " AND ",
            in_scope!(),
            ") OR ($4 = 'failed' AND NOT ",
            has_factor!("p.account_id", "p.principal_id"),
            " AND ",
            in_scope!(),
            ") OR ($4 = 'out-of-scope' AND NOT COALESCE(",
            in_scope!(),
            ", FALSE)))"
        )
    };
}

statements! {
    LIST = concat!("SELECT p.name, p.display_name, COALESCE(", in_scope!(), ", FALSE), \
                   ", has_factor!("p.account_id", "p.principal_id"), ", COALESCE(lp.mfa_bind_required, FALSE) ", asked_for!(), " ORDER BY p.canonical_name LIMIT $5 OFFSET $6");
    COUNT = concat!("SELECT COUNT(*) ", asked_for!());
    SUMMARY = concat!("SELECT COUNT(*), \
              CAST(COALESCE(SUM(CASE WHEN ", in_scope!(), " THEN 1 ELSE 0 END), 0) AS BIGINT), \
              CAST(COALESCE(SUM(CASE WHEN ", in_scope!(), " AND ", has_factor!("p.account_id", "p.principal_id"), " THEN 1 ELSE 0 END), 0) AS BIGINT) \
              FROM principals p \
              LEFT JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
              WHERE p.account_id = $1 AND p.kind = 'ram-user'");
}

/// How the check ends for one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckResult {
    /// He has a console password and a device.
    Passed,
    /// He has a console password and no device.
    Failed,
    /// He has no console password.
    OutOfScope,
}

impl CheckResult {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Passed, Self::Failed, Self::OutOfScope];

    /// The stable word, as in addresses of pages and in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::OutOfScope => "out-of-scope",
        }
    }
}

/// Which users a list asks for.
#[derive(Debug, Clone, Default)]
pub struct CheckQuery {
    /// Part of a user name or display name, in any case. Empty for all.
    pub search: String,
    /// How the check ended for them.
    pub result: Option<CheckResult>,
    /// How many to skip.
    pub offset: i64,
    /// How many to give.
    pub limit: i64,
}

/// What the check finds of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedUser {
    /// The user name.
    pub name: String,
    /// The name for people to read.
    pub display_name: String,
    /// How it ends.
    pub result: CheckResult,
    /// Whether a device is bound; also of users who are out of scope.
    pub mfa_bound: bool,
    /// Whether his login profile requires one.
    pub mfa_required: bool,
}

/// The check in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckSummary {
    /// All RAM users.
    pub users: i64,
    /// Those with a console password.
    pub in_scope: i64,
    /// Of these, those with a device.
    pub passed: i64,
}

/// A page of the list by name, and how many users it has in all.
pub async fn list(
    tx: &mut Tx<'_>,
    account: &AccountId,
    query: &CheckQuery,
) -> Result<(Vec<CheckedUser>, i64), StoreError> {
    let search = query.search.trim().to_lowercase();
    let (pattern, result) = (like_pattern(&search), query.result.map_or("any", CheckResult::as_str));
    let total = tx.row(COUNT, params![account, search, pattern, result]).await?;
    let total = total.map_or(Ok(0), |row| row.reader("principals").int("count"))?;
    let rows = tx.rows(LIST, params![account, search, pattern, result, query.limit, query.offset]).await?;
    Ok((rows.into_iter().map(read).collect::<Result<_, _>>()?, total))
}

/// The numbers over all users of an account.
pub async fn summary(tx: &mut Tx<'_>, account: &AccountId) -> Result<CheckSummary, StoreError> {
    let row = tx.row(SUMMARY, params![account]).await?;
    let row = row.ok_or_else(|| StoreError::Fault("a count without a row".to_owned()))?;
    let mut r = row.reader("principals");
    Ok(CheckSummary { users: r.int("users")?, in_scope: r.int("in_scope")?, passed: r.int("passed")? })
}

fn read(row: Row) -> Result<CheckedUser, StoreError> {
    let mut r = row.reader("principals");
    let (name, display_name) = (r.text("name")?, r.text("display_name")?);
    let (in_scope, mfa_bound) = (r.bool("console_logon")?, r.bool("mfa_bound")?);
    let result = match (in_scope, mfa_bound) {
        (true, true) => CheckResult::Passed,
        (true, false) => CheckResult::Failed,
        (false, _) => CheckResult::OutOfScope,
    };
    Ok(CheckedUser { name, display_name, result, mfa_bound, mfa_required: r.bool("mfa_bind_required")? })
}
