//! Which policies are attached to which users and groups, and which reach whom: a policy of a group reaches all who are
//! in it.

use crate::{Row, RowReader, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, GroupId, PolicyId, PrincipalId};
use countersign_model::principal::SystemPolicy;

/// The policies that make an administrator, as [`SystemPolicy::makes_administrator`] tells them.
macro_rules! full_access {
    () => {
        "('AdministratorAccess', 'AliyunRAMFullAccess')"
    };
}
pub(crate) use full_access;

/// A policy that makes the principal an administrator, directly or by a group; or `NULL`.
///
/// What counts is chosen by `CASE`, not by `WHERE`: SQLite makes a table of its own for a list that it searches an index
/// by, at each call, and that costs more than to look at the few policies that reach one principal.
macro_rules! administrator_by {
    ($account:literal, $principal:literal) => {
        concat!(
            "COALESCE((SELECT MIN(CASE WHEN up.policy IN ",
            crate::attachments::full_access!(),
            " THEN up.policy END) FROM user_policies up WHERE up.account_id = ",
            $account,
            " AND up.principal_id = ",
            $principal,
            "), (SELECT MIN(CASE WHEN gp.policy IN ",
            crate::attachments::full_access!(),
            " THEN gp.policy END) FROM group_members gm CROSS JOIN group_policies gp \
             WHERE gp.account_id = gm.account_id AND gp.group_id = gm.group_id AND gm.account_id = ",
            $account,
            " AND gm.principal_id = ",
            $principal,
            "))"
        )
    };
}
pub(crate) use administrator_by;

/// Whether any policy reaches the principal.
///
/// `CROSS JOIN` here and around: SQLite keeps its order, and begins with the few groups of one principal, not with all
/// that is attached to any group.
macro_rules! has_policies {
    ($account:literal, $principal:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM user_policies up WHERE up.account_id = ",
            $account,
            " AND up.principal_id = ",
            $principal,
            ") OR EXISTS (SELECT 1 FROM group_members gm CROSS JOIN group_policies gp \
             WHERE gp.account_id = gm.account_id AND gp.group_id = gm.group_id AND gm.account_id = ",
            $account,
            " AND gm.principal_id = ",
            $principal,
            "))"
        )
    };
}
pub(crate) use has_policies;

/// Whether a policy that denies something reaches the principal.
macro_rules! is_restricted {
    ($account:literal, $principal:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM (SELECT up.custom_id FROM user_policies up WHERE up.account_id = ",
            $account,
            " AND up.principal_id = ",
            $principal,
            " UNION ALL SELECT gp.custom_id FROM group_members gm CROSS JOIN group_policies gp \
             WHERE gp.account_id = gm.account_id AND gp.group_id = gm.group_id AND gm.account_id = ",
            $account,
            " AND gm.principal_id = ",
            $principal,
            ") reached \
             JOIN policies rp ON rp.account_id = ",
            $account,
            " AND rp.policy_id = reached.custom_id \
             JOIN policy_versions rv ON rv.account_id = rp.account_id AND rv.policy_id = rp.policy_id \
             AND rv.version = rp.default_version AND rv.denies)"
        )
    };
}
pub(crate) use is_restricted;

/// All RAM users whom a policy of full access reaches; `$1` is the account.
macro_rules! administrators {
    ($account:literal) => {
        concat!(
            "(SELECT up.principal_id FROM user_policies up WHERE up.account_id = ",
            $account,
            " AND up.policy IN ",
            crate::attachments::full_access!(),
            " UNION SELECT gm.principal_id FROM group_policies gp \
             JOIN group_members gm ON gm.account_id = gp.account_id AND gm.group_id = gp.group_id \
             WHERE gp.account_id = ",
            $account,
            " AND gp.policy IN ",
            crate::attachments::full_access!(),
            ")"
        )
    };
}
pub(crate) use administrators;

/// What reaches principals, with the documents that count. Both parts take the same condition on whom.
macro_rules! reaching {
    ($($whom:literal),+) => {
        concat!(
            "SELECT a.principal_id, a.policy, v.document FROM (\
             SELECT x.principal_id, x.policy, x.custom_id FROM user_policies x WHERE x.account_id = $1 ", $($whom,)+
            " UNION SELECT x.principal_id, gp.policy, gp.custom_id FROM group_members x CROSS JOIN group_policies gp \
             WHERE gp.account_id = x.account_id AND gp.group_id = x.group_id AND x.account_id = $1 ", $($whom,)+
            ") a LEFT JOIN policies p ON p.account_id = $1 AND p.policy_id = a.custom_id \
             LEFT JOIN policy_versions v ON v.account_id = $1 AND v.policy_id = p.policy_id \
             AND v.version = p.default_version ORDER BY a.principal_id, a.policy LIMIT $3"
        )
    };
}

statements! {
    ATTACH_TO_USER = "INSERT INTO user_policies (account_id, principal_id, policy, custom_id, attached_at) \
                      VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    DETACH_FROM_USER = "DELETE FROM user_policies WHERE account_id = $1 AND principal_id = $2 AND policy = $3";
    OF_USER = "SELECT a.policy, p.name, p.description, p.default_version, a.attached_at FROM user_policies a \
               LEFT JOIN policies p ON p.account_id = a.account_id AND p.policy_id = a.custom_id \
               WHERE a.account_id = $1 AND a.principal_id = $2 ORDER BY p.canonical_name, a.policy";
    ATTACH_TO_GROUP = "INSERT INTO group_policies (account_id, group_id, policy, custom_id, attached_at) \
                       VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    DETACH_FROM_GROUP = "DELETE FROM group_policies WHERE account_id = $1 AND group_id = $2 AND policy = $3";
    OF_GROUP = "SELECT a.policy, p.name, p.description, p.default_version, a.attached_at FROM group_policies a \
                LEFT JOIN policies p ON p.account_id = a.account_id AND p.policy_id = a.custom_id \
                WHERE a.account_id = $1 AND a.group_id = $2 ORDER BY p.canonical_name, a.policy";
    COUNT = "SELECT (SELECT COUNT(*) FROM user_policies WHERE account_id = $1 AND policy = $2), \
             (SELECT COUNT(*) FROM group_policies WHERE account_id = $1 AND policy = $2)";
    USERS_WITH = "SELECT p.principal_id, p.name, p.display_name, a.attached_at FROM user_policies a \
                  JOIN principals p ON p.account_id = a.account_id AND p.principal_id = a.principal_id \
                  WHERE a.account_id = $1 AND a.policy = $2 ORDER BY p.canonical_name LIMIT $3";
    GROUPS_WITH = "SELECT g.group_id, g.name, g.comments, a.attached_at FROM group_policies a \
                   JOIN user_groups g ON g.account_id = a.account_id AND g.group_id = a.group_id \
                   WHERE a.account_id = $1 AND a.policy = $2 ORDER BY g.canonical_name LIMIT $3";
    REACHING = reaching!("AND x.principal_id = $2");
    REACHING_MEMBERS = reaching!("AND x.principal_id IN (SELECT m.principal_id FROM group_members m \
                                  WHERE m.account_id = $1 AND m.group_id = $2)");
    REACHING_HOLDERS = reaching!("AND x.principal_id IN (SELECT h.principal_id FROM user_policies h \
                                  WHERE h.account_id = $1 AND h.policy = $2 \
                                  UNION SELECT m.principal_id FROM group_policies h \
                                  JOIN group_members m ON m.account_id = h.account_id AND m.group_id = h.group_id \
                                  WHERE h.account_id = $1 AND h.policy = $2)");
    OF_GROUP_IN_FULL = "SELECT a.group_id, a.policy, v.document FROM group_policies a \
                        LEFT JOIN policies p ON p.account_id = a.account_id AND p.policy_id = a.custom_id \
                        LEFT JOIN policy_versions v ON v.account_id = a.account_id AND v.policy_id = p.policy_id \
                        AND v.version = p.default_version WHERE a.account_id = $1 AND a.group_id = $2 ORDER BY a.policy";
    OTHER_ADMINISTRATORS = concat!(
        "SELECT ap.principal_id FROM ", administrators!("$1"), " ap \
         JOIN login_profiles lp ON lp.account_id = $1 AND lp.principal_id = ap.principal_id \
         AND lp.console_logon = 'enabled' WHERE ap.principal_id <> $2 AND NOT ",
        is_restricted!("$1", "ap.principal_id"), " ORDER BY ap.principal_id LIMIT $3");
    IS_PATH = concat!("SELECT ", administrator_by!("$1", "$2"), " IS NOT NULL AND NOT ", is_restricted!("$1", "$2"));
}

/// A policy that is or can be attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// One that comes with every account.
    System(SystemPolicy),
    /// One of the account's own.
    Custom(PolicyId),
}

impl Attached {
    fn key(&self) -> &str {
        match self {
            Self::System(policy) => policy.as_str(),
            Self::Custom(id) => id.as_str(),
        }
    }

    fn custom_id(&self) -> Option<&str> {
        match self {
            Self::System(_) => None,
            Self::Custom(id) => Some(id.as_str()),
        }
    }

    fn read(r: &mut RowReader) -> Result<Self, StoreError> {
        let key = r.text("policy")?;
        key.parse().map(Self::System).or_else(|_| {
            key.parse().map(Self::Custom).map_err(|_| StoreError::BadRow {
                table: "policies",
                column: "policy",
                problem: "neither a system policy nor an id".to_owned(),
            })
        })
    }
}

impl From<SystemPolicy> for Attached {
    fn from(policy: SystemPolicy) -> Self {
        Self::System(policy)
    }
}

/// A policy as a list of what is attached shows it.
#[derive(Debug, Clone)]
pub struct AttachedLine {
    /// Which.
    pub policy: Attached,
    /// Its name.
    pub name: String,
    /// What it is for; empty for a system policy.
    pub description: String,
    /// The version that counts.
    pub default_version: i64,
    /// Since when it is attached.
    pub attached_at: Timestamp,
}

/// A user or group that a policy is attached to.
#[derive(Debug, Clone)]
pub struct HolderLine {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The display name of a user, the remark of a group.
    pub about: String,
    /// Since when it is attached.
    pub attached_at: Timestamp,
}

/// A policy that reaches somebody, with its document if it is a custom one.
#[derive(Debug, Clone)]
pub struct Reaching {
    /// Whom: the id of a principal; in [`of_group_in_full`] that of the group.
    pub whom: String,
    /// Which policy.
    pub policy: Attached,
    /// The document of the version that counts.
    pub document: Option<String>,
}

/// To how many users and groups something is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachments {
    /// Users.
    pub users: i64,
    /// Groups.
    pub groups: i64,
}

/// Attaches a policy to a user; whether it was not attached before.
pub async fn attach_to_user(
    tx: &mut Tx<'_>,
    account: &AccountId,
    user: &PrincipalId,
    policy: &Attached,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(ATTACH_TO_USER, params![account, user, policy.key(), policy.custom_id(), now]).await? == 1)
}

/// Detaches a policy from a user; whether it was attached.
pub async fn detach_from_user(
    tx: &mut Tx<'_>,
    account: &AccountId,
    user: &PrincipalId,
    policy: &Attached,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DETACH_FROM_USER, params![account, user, policy.key()]).await? == 1)
}

/// The policies attached to a user himself.
pub async fn of_user(
    tx: &mut Tx<'_>,
    account: &AccountId,
    user: &PrincipalId,
) -> Result<Vec<AttachedLine>, StoreError> {
    tx.rows(OF_USER, params![account, user]).await?.into_iter().map(read_attached).collect()
}

/// Attaches a policy to a group; whether it was not attached before.
pub async fn attach_to_group(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
    policy: &Attached,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(ATTACH_TO_GROUP, params![account, group, policy.key(), policy.custom_id(), now]).await? == 1)
}

/// Detaches a policy from a group; whether it was attached.
pub async fn detach_from_group(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
    policy: &Attached,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DETACH_FROM_GROUP, params![account, group, policy.key()]).await? == 1)
}

/// The policies attached to a group.
pub async fn of_group(tx: &mut Tx<'_>, account: &AccountId, group: &GroupId) -> Result<Vec<AttachedLine>, StoreError> {
    tx.rows(OF_GROUP, params![account, group]).await?.into_iter().map(read_attached).collect()
}

/// To how many users and groups a policy is attached.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId, policy: &Attached) -> Result<Attachments, StoreError> {
    let row = tx.row(COUNT, params![account, policy.key()]).await?;
    let row = row.ok_or_else(|| StoreError::Fault("a count without a row".to_owned()))?;
    let mut r = row.reader("user_policies");
    Ok(Attachments { users: r.int("users")?, groups: r.int("groups")? })
}

/// The first `limit` users that a policy is attached to.
pub async fn users_with(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &Attached,
    limit: i64,
) -> Result<Vec<HolderLine>, StoreError> {
    tx.rows(USERS_WITH, params![account, policy.key(), limit]).await?.into_iter().map(read_holder).collect()
}

/// The first `limit` groups that a policy is attached to.
pub async fn groups_with(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &Attached,
    limit: i64,
) -> Result<Vec<HolderLine>, StoreError> {
    tx.rows(GROUPS_WITH, params![account, policy.key(), limit]).await?.into_iter().map(read_holder).collect()
}

/// The policies that reach a principal.
pub async fn reaching(tx: &mut Tx<'_>, account: &AccountId, whom: &PrincipalId) -> Result<Vec<Reaching>, StoreError> {
    tx.rows(REACHING, params![account, whom, i64::MAX]).await?.into_iter().map(read_reaching).collect()
}

/// The policies that reach those who are in a group, principal by principal, up to `limit` of them.
pub async fn reaching_members(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
    limit: i64,
) -> Result<Vec<Reaching>, StoreError> {
    tx.rows(REACHING_MEMBERS, params![account, group, limit]).await?.into_iter().map(read_reaching).collect()
}

/// The policies that reach those whom a policy reaches, principal by principal, up to `limit` of them.
pub async fn reaching_holders(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &Attached,
    limit: i64,
) -> Result<Vec<Reaching>, StoreError> {
    tx.rows(REACHING_HOLDERS, params![account, policy.key(), limit]).await?.into_iter().map(read_reaching).collect()
}

/// The policies of a group with their documents.
pub async fn of_group_in_full(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
) -> Result<Vec<Reaching>, StoreError> {
    tx.rows(OF_GROUP_IN_FULL, params![account, group]).await?.into_iter().map(read_reaching).collect()
}

/// Whether a principal is an administrator whom nothing is denied.
pub async fn is_unrestricted_administrator(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
) -> Result<bool, StoreError> {
    let row = tx.row(IS_PATH, params![account, id]).await?;
    row.map_or(Ok(false), |row| row.reader("user_policies").bool("is_path"))
}

/// The first `limit` other RAM users of an account who are administrators, unrestricted and with console logon, by id.
pub async fn other_administrators(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    limit: i64,
) -> Result<Vec<PrincipalId>, StoreError> {
    let rows = tx.rows(OTHER_ADMINISTRATORS, params![account, id, limit]).await?;
    rows.into_iter().map(|row| row.reader("login_profiles").parse("principal_id")).collect()
}

fn read_attached(row: Row) -> Result<AttachedLine, StoreError> {
    let mut r = row.reader("policies");
    let policy = Attached::read(&mut r)?;
    let name = r.opt_text("name")?;
    Ok(AttachedLine {
        name: name.unwrap_or_else(|| policy.key().to_owned()),
        description: r.opt_text("description")?.unwrap_or_default(),
        default_version: r.opt_int("default_version")?.unwrap_or(1),
        attached_at: r.time("attached_at")?,
        policy,
    })
}

fn read_holder(row: Row) -> Result<HolderLine, StoreError> {
    let mut r = row.reader("policies");
    Ok(HolderLine {
        id: r.text("id")?,
        name: r.text("name")?,
        about: r.text("about")?,
        attached_at: r.time("attached_at")?,
    })
}

fn read_reaching(row: Row) -> Result<Reaching, StoreError> {
    let mut r = row.reader("policies");
    Ok(Reaching { whom: r.text("whom")?, policy: Attached::read(&mut r)?, document: r.opt_text("document")? })
}
