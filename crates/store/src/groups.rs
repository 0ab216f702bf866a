//! Groups of RAM users, and who is in them.

use crate::users::like_pattern;
use crate::{Row, StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::group::Group;
use countersign_model::ids::{AccountId, GroupId, PrincipalId};

statements! {
    INSERT = "INSERT INTO user_groups (account_id, group_id, name, canonical_name, comments, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    FIND = "SELECT account_id, group_id, name, comments, created_at, updated_at FROM user_groups \
            WHERE account_id = $1 AND canonical_name = $2";
    UPDATE = "UPDATE user_groups SET name = $1, canonical_name = $2, comments = $3, updated_at = $4 \
              WHERE account_id = $5 AND group_id = $6 AND NOT EXISTS (SELECT 1 FROM user_groups other \
              WHERE other.account_id = $5 AND other.canonical_name = $2 AND other.group_id <> $6)";
    DELETE = "DELETE FROM user_groups WHERE account_id = $1 AND group_id = $2";
    COUNT = "SELECT COUNT(*) FROM user_groups WHERE account_id = $1 AND canonical_name LIKE $2 ESCAPE '!'";
    LIST = "SELECT g.account_id, g.group_id, g.name, g.comments, g.created_at, g.updated_at, \
            (SELECT COUNT(*) FROM group_members m WHERE m.account_id = g.account_id AND m.group_id = g.group_id), \
            (SELECT COUNT(*) FROM group_policies gp WHERE gp.account_id = g.account_id AND gp.group_id = g.group_id) \
            FROM user_groups g WHERE g.account_id = $1 AND g.canonical_name LIKE $2 ESCAPE '!' AND g.canonical_name > $3 \
            ORDER BY g.canonical_name LIMIT $4 OFFSET $5";
    JOIN = "INSERT INTO group_members (account_id, group_id, principal_id, joined_at) VALUES ($1, $2, $3, $4) \
            ON CONFLICT DO NOTHING";
    LEAVE = "DELETE FROM group_members WHERE account_id = $1 AND group_id = $2 AND principal_id = $3";
    IS_MEMBER = "SELECT 1 FROM group_members WHERE account_id = $1 AND group_id = $2 AND principal_id = $3";
    COUNT_MEMBERS = "SELECT COUNT(*) FROM group_members m \
                     JOIN principals p ON p.account_id = m.account_id AND p.principal_id = m.principal_id \
                     WHERE m.account_id = $1 AND m.group_id = $2 AND p.search LIKE $3 ESCAPE '!'";
    MEMBERS = "SELECT p.principal_id, p.name, p.display_name, m.joined_at FROM group_members m \
               JOIN principals p ON p.account_id = m.account_id AND p.principal_id = m.principal_id \
               WHERE m.account_id = $1 AND m.group_id = $2 AND p.search LIKE $3 ESCAPE '!' \
               AND p.canonical_name > $4 ORDER BY p.canonical_name LIMIT $5 OFFSET $6";
    OF_USER = "SELECT g.group_id, g.name, g.comments, m.joined_at FROM group_members m \
               JOIN user_groups g ON g.account_id = m.account_id AND g.group_id = m.group_id \
               WHERE m.account_id = $1 AND m.principal_id = $2 ORDER BY g.canonical_name";
}

/// Part of a list: what names contain, where it begins, how many to give.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// Part of a name, in any case. Empty for all.
    pub search: String,
    /// The canonical name that it begins behind. Empty to begin with the first.
    pub after: String,
    /// How many to skip behind that.
    pub offset: i64,
    /// How many to give.
    pub limit: i64,
}

impl Part {
    pub(crate) fn pattern(&self) -> String {
        like_pattern(&self.search.trim().to_lowercase())
    }
}

/// A group as a line of a list.
#[derive(Debug, Clone)]
pub struct GroupLine {
    /// The group.
    pub group: Group,
    /// How many users are in it.
    pub members: i64,
    /// How many policies are attached to it.
    pub policies: i64,
}

/// A user of a group.
#[derive(Debug, Clone)]
pub struct MemberLine {
    /// The id.
    pub id: PrincipalId,
    /// The user name.
    pub name: String,
    /// The name for people to read.
    pub display_name: String,
    /// Since when he is in it.
    pub joined_at: Timestamp,
}

/// A group of a user.
#[derive(Debug, Clone)]
pub struct JoinedGroup {
    /// The id.
    pub id: GroupId,
    /// The group name.
    pub name: String,
    /// The remark.
    pub comments: String,
    /// Since when he is in it.
    pub joined_at: Timestamp,
}

/// Adds a group; whether its name was free.
pub async fn insert(tx: &mut Tx<'_>, group: &Group) -> Result<bool, StoreError> {
    let (name, canonical) = (group.name.as_str(), group.name.canonical());
    Ok(tx
        .execute(
            INSERT,
            params![
                group.account_id,
                group.id,
                name,
                canonical,
                group.comments.as_str(),
                group.created_at,
                group.updated_at
            ],
        )
        .await?
        == 1)
}

/// The group of this canonical name.
pub async fn find(tx: &mut Tx<'_>, account: &AccountId, canonical_name: &str) -> Result<Option<Group>, StoreError> {
    tx.row(FIND, params![account, canonical_name]).await?.map(|row| read(&mut row.reader("user_groups"))).transpose()
}

/// Writes name and remark of a group; whether the name was free.
pub async fn update(tx: &mut Tx<'_>, group: &Group) -> Result<bool, StoreError> {
    let (name, canonical) = (group.name.as_str(), group.name.canonical());
    Ok(tx
        .execute(
            UPDATE,
            params![name, canonical, group.comments.as_str(), group.updated_at, group.account_id, group.id],
        )
        .await?
        == 1)
}

/// Removes a group that nobody is in and nothing is attached to; whether it was there.
pub async fn delete(tx: &mut Tx<'_>, account: &AccountId, id: &GroupId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![account, id]).await? == 1)
}

/// How many groups there are whose name contains something.
pub async fn count(tx: &mut Tx<'_>, account: &AccountId, part: &Part) -> Result<i64, StoreError> {
    let row = tx.row(COUNT, params![account, part.pattern()]).await?;
    row.map_or(Ok(0), |row| row.reader("user_groups").int("count"))
}

/// A page of the groups.
pub async fn list(tx: &mut Tx<'_>, account: &AccountId, part: &Part) -> Result<Vec<GroupLine>, StoreError> {
    let rows = tx.rows(LIST, params![account, part.pattern(), part.after, part.limit, part.offset]).await?;
    let line = |row: Row| {
        let mut r = row.reader("user_groups");
        Ok(GroupLine { group: read(&mut r)?, members: r.int("members")?, policies: r.int("policies")? })
    };
    rows.into_iter().map(line).collect()
}

/// Puts a user into a group; whether he was not in it.
pub async fn join(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
    user: &PrincipalId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(JOIN, params![account, group, user, now]).await? == 1)
}

/// Takes a user out of a group; whether he was in it.
pub async fn leave(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
    user: &PrincipalId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(LEAVE, params![account, group, user]).await? == 1)
}

/// Whether a user is in a group.
pub async fn is_member(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
    user: &PrincipalId,
) -> Result<bool, StoreError> {
    Ok(tx.row(IS_MEMBER, params![account, group, user]).await?.is_some())
}

/// How many users of a group there are whose names contain something.
pub async fn count_members(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
    part: &Part,
) -> Result<i64, StoreError> {
    let row = tx.row(COUNT_MEMBERS, params![account, group, part.pattern()]).await?;
    row.map_or(Ok(0), |row| row.reader("group_members").int("count"))
}

/// A page of the users of a group.
pub async fn members(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
    part: &Part,
) -> Result<Vec<MemberLine>, StoreError> {
    let rows = tx.rows(MEMBERS, params![account, group, part.pattern(), part.after, part.limit, part.offset]).await?;
    let line = |row: Row| {
        let mut r = row.reader("group_members");
        Ok(MemberLine {
            id: r.parse("principal_id")?,
            name: r.text("name")?,
            display_name: r.text("display_name")?,
            joined_at: r.time("joined_at")?,
        })
    };
    rows.into_iter().map(line).collect()
}

/// The groups of a user.
pub async fn of_user(tx: &mut Tx<'_>, account: &AccountId, user: &PrincipalId) -> Result<Vec<JoinedGroup>, StoreError> {
    let rows = tx.rows(OF_USER, params![account, user]).await?;
    let line = |row: Row| {
        let mut r = row.reader("group_members");
        Ok(JoinedGroup {
            id: r.parse("group_id")?,
            name: r.text("name")?,
            comments: r.text("comments")?,
            joined_at: r.time("joined_at")?,
        })
    };
    rows.into_iter().map(line).collect()
}

fn read(r: &mut crate::RowReader) -> Result<Group, StoreError> {
    Ok(Group {
        account_id: r.parse("account_id")?,
        id: r.parse("group_id")?,
        name: r.parse("name")?,
        comments: r.parse("comments")?,
        created_at: r.time("created_at")?,
        updated_at: r.time("updated_at")?,
    })
}
