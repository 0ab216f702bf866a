//! RAM users as lists show them: searched, filtered, counted, paged.

use crate::attachments::{administrator_by, administrators};
use crate::factors::has_factor;
use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::budget::Budget;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::principal::{ConsoleLogon, SystemPolicy};

statements! {
    LIST = concat!("SELECT p.principal_id, p.name, p.display_name, p.created_at, p.last_logon_at, lp.console_logon, \
            COALESCE(lp.mfa_bind_required, FALSE), ", has_factor!("p.account_id", "p.principal_id"), ", ",
            administrator_by!("p.account_id", "p.principal_id"),
            ", b.failures, b.blocked_until, vb.failures, vb.blocked_until \
            FROM principals p \
            LEFT JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
            LEFT JOIN virtual_mfa v ON v.account_id = p.account_id AND v.principal_id = p.principal_id \
            AND v.state = 'bound' \
            LEFT JOIN budgets b ON b.account_id = p.account_id AND b.subject_id = p.principal_id \
            AND b.kind = 'password' \
            LEFT JOIN budgets vb ON vb.account_id = v.account_id AND vb.subject_id = v.device_id \
            AND vb.kind = 'virtual-mfa' \
            WHERE p.account_id = $1 AND p.kind = 'ram-user' AND ($2 = '' OR p.search LIKE $3 ESCAPE '!') \
            AND ($4 = 'any' OR ($4 = 'bound' AND ", has_factor!("p.account_id", "p.principal_id"), ") \
            OR ($4 <> 'bound' AND NOT ", has_factor!("p.account_id", "p.principal_id"), " \
            AND ($4 = 'not-attached' OR lp.mfa_bind_required))) \
            ORDER BY p.canonical_name LIMIT $5 OFFSET $6");
    COUNT_ALL = "SELECT COUNT(*) FROM principals WHERE account_id = $1 AND kind = 'ram-user'";
    COUNT_SEARCH = "SELECT COUNT(*) FROM principals \
                    WHERE account_id = $1 AND kind = 'ram-user' AND search LIKE $2 ESCAPE '!'";
    COUNT = concat!("SELECT COUNT(*) FROM principals p \
             LEFT JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
             WHERE p.account_id = $1 AND p.kind = 'ram-user' AND ($2 = '' OR p.search LIKE $3 ESCAPE '!') \
             AND (($4 = 'bound' AND ", has_factor!("p.account_id", "p.principal_id"), ") \
             OR ($4 <> 'bound' AND NOT ", has_factor!("p.account_id", "p.principal_id"), " \
             AND ($4 = 'not-attached' OR lp.mfa_bind_required)))");
    POSTURE = concat!("SELECT COUNT(*), \
               CAST(COALESCE(SUM(CASE WHEN u.enabled THEN 1 ELSE 0 END), 0) AS BIGINT), \
               CAST(COALESCE(SUM(CASE WHEN u.enabled AND u.bound THEN 1 ELSE 0 END), 0) AS BIGINT), \
               CAST(COALESCE(SUM(CASE WHEN u.enabled AND NOT u.bound AND u.required THEN 1 ELSE 0 END), 0) AS BIGINT), \
               CAST(COALESCE(SUM(CASE WHEN u.enabled AND u.fresh THEN 1 ELSE 0 END), 0) AS BIGINT) \
               FROM (SELECT COALESCE(lp.console_logon = 'enabled', FALSE) AS enabled, \
               COALESCE(lp.mfa_bind_required, FALSE) AS required, p.last_logon_at IS NULL AS fresh, ",
               has_factor!("p.account_id", "p.principal_id"), " AS bound \
               FROM principals p \
               LEFT JOIN login_profiles lp ON lp.account_id = p.account_id AND lp.principal_id = p.principal_id \
               WHERE p.account_id = $1 AND p.kind = 'ram-user') u");
    ADMINISTRATORS = concat!(
        "SELECT p.name, p.display_name, ", has_factor!("p.account_id", "p.principal_id"), " \
         FROM ", administrators!("$1"), " ap \
         JOIN principals p ON p.account_id = $1 AND p.principal_id = ap.principal_id \
         ORDER BY p.canonical_name LIMIT $2");
}

/// Which users a list asks for.
#[derive(Debug, Clone)]
pub struct UserQuery {
    /// Part of a user name or display name, in any case. Empty for all.
    pub search: String,
    /// By the state of their MFA.
    pub mfa: MfaFilter,
    /// How many to skip.
    pub offset: i64,
    /// How many to give.
    pub limit: i64,
}

/// Lists filtered by the state of MFA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MfaFilter {
    /// All users.
    #[default]
    Any,
    /// Users with a second factor.
    Bound,
    /// Users without a second factor.
    NotAttached,
    /// Users without a second factor who must have one.
    RequiredUnbound,
}

impl MfaFilter {
    /// The stable word, as in addresses of pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Bound => "bound",
            Self::NotAttached => "not-attached",
            Self::RequiredUnbound => "required-unbound",
        }
    }
}

/// A RAM user as a line of a list.
#[derive(Debug, Clone)]
pub struct UserLine {
    /// The id.
    pub id: PrincipalId,
    /// The user name.
    pub name: String,
    /// The name for people to read.
    pub display_name: String,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the user last opened a session.
    pub last_logon_at: Option<Timestamp>,
    /// Whether the password logs on; nothing when there is no login profile.
    pub console_logon: Option<ConsoleLogon>,
    /// Whether an MFA device is required.
    pub mfa_required: bool,
    /// Whether one is bound.
    pub mfa_bound: bool,
    /// A policy that makes the user an administrator.
    pub administrator_by: Option<SystemPolicy>,
    /// Tries of the password.
    pub password_budget: Budget,
    /// Tries of the bound device.
    pub device_budget: Budget,
}

/// A page of the list, and how many users match in all.
pub async fn list(tx: &mut Tx<'_>, account: &AccountId, query: &UserQuery) -> Result<(Vec<UserLine>, i64), StoreError> {
    let search = query.search.trim().to_lowercase();
    let pattern = like_pattern(&search);
    let mfa = query.mfa.as_str();
    let total = match (query.mfa, search.is_empty()) {
        (MfaFilter::Any, true) => tx.row(COUNT_ALL, params![account]).await?,
        (MfaFilter::Any, false) => tx.row(COUNT_SEARCH, params![account, pattern]).await?,
        (MfaFilter::Bound | MfaFilter::NotAttached | MfaFilter::RequiredUnbound, _) => {
            tx.row(COUNT, params![account, search, pattern, mfa]).await?
        }
    };
    let total = total.map_or(Ok(0), |row| row.reader("principals").int("count"))?;
    let rows = tx.rows(LIST, params![account, search, pattern, mfa, query.limit, query.offset]).await?;
    Ok((rows.into_iter().map(read).collect::<Result<_, _>>()?, total))
}

/// How many RAM users an account has.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId) -> Result<i64, StoreError> {
    tx.row(COUNT_ALL, params![account]).await?.map_or(Ok(0), |row| row.reader("principals").int("count"))
}

/// How well the users of an account are protected, counted over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posture {
    /// All RAM users.
    pub users: i64,
    /// Those with console logon.
    pub console_users: i64,
    /// Of these, those with a bound device.
    pub protected: i64,
    /// Of these, those who must bind a device and have not.
    pub required_unbound: i64,
    /// Of these, those who never logged on.
    pub never_logged_on: i64,
}

/// Counts the posture of an account.
pub async fn posture(tx: &mut Tx<'_>, account: &AccountId) -> Result<Posture, StoreError> {
    let row = tx.row(POSTURE, params![account]).await?;
    let row = row.ok_or_else(|| StoreError::Fault("a count without a row".to_owned()))?;
    let mut r = row.reader("principals");
    Ok(Posture {
        users: r.int("users")?,
        console_users: r.int("console_users")?,
        protected: r.int("protected")?,
        required_unbound: r.int("required_unbound")?,
        never_logged_on: r.int("never_logged_on")?,
    })
}

/// An administrator as the overview lists him.
#[derive(Debug, Clone)]
pub struct AdministratorLine {
    /// The user name.
    pub name: String,
    /// The name for people to read.
    pub display_name: String,
    /// Whether a device is bound.
    pub mfa_bound: bool,
}

/// The first `limit` RAM users who are administrators.
pub async fn administrators(
    tx: &mut Tx<'_>,
    account: &AccountId,
    limit: i64,
) -> Result<Vec<AdministratorLine>, StoreError> {
    let rows = tx.rows(ADMINISTRATORS, params![account, limit]).await?;
    rows.into_iter()
        .map(|row| {
            let mut r = row.reader("principals");
            Ok(AdministratorLine {
                name: r.text("name")?,
                display_name: r.text("display_name")?,
                mfa_bound: r.bool("mfa_bound")?,
            })
        })
        .collect()
}

/// A `LIKE` pattern for texts that contain `part` literally; `!` escapes.
pub(crate) fn like_pattern(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for c in part.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn read(row: Row) -> Result<UserLine, StoreError> {
    let mut r = row.reader("principals");
    Ok(UserLine {
        id: r.parse("principal_id")?,
        name: r.text("name")?,
        display_name: r.text("display_name")?,
        created_at: r.time("created_at")?,
        last_logon_at: r.opt_time("last_logon_at")?,
        console_logon: r.opt_parse("console_logon")?,
        mfa_required: r.bool("mfa_bind_required")?,
        mfa_bound: r.bool("mfa_bound")?,
        administrator_by: r.opt_parse("policy")?,
        password_budget: Budget {
            failures: r.opt_int("failures")?.unwrap_or(0),
            blocked_until: r.opt_time("blocked_until")?.unwrap_or(Budget::UNUSED.blocked_until),
            ..Budget::UNUSED
        },
        device_budget: Budget {
            failures: r.opt_int("failures")?.unwrap_or(0),
            blocked_until: r.opt_time("blocked_until")?.unwrap_or(Budget::UNUSED.blocked_until),
            ..Budget::UNUSED
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_131_a_search_cannot_bring_its_own_wildcards() {
        assert_eq!(like_pattern("50%_off!"), "%50!%!_off!!%");
    }
}
