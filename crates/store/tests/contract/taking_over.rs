//! What an older version kept is taken over by the migrations.

use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::principal::SystemPolicy::{AdministratorAccess, AliyunRamFullAccess};
use countersign_store::attachments::{self, Attached};
use countersign_store::{Location, Migration, Options, Store, StoreError, Tx, params};
use secrecy::SecretString;
use tempfile::TempDir;

use crate::{NOON, postgres};

macro_rules! before_policies {
    ($engine:literal) => {
        &[
            Migration {
                version: 1,
                name: "beginning",
                sql: include_str!(concat!("../../migrations/", $engine, "/0001_beginning.sql")),
            },
            Migration {
                version: 2,
                name: "logon_policy",
                sql: include_str!(concat!("../../migrations/", $engine, "/0002_logon_policy.sql")),
            },
            Migration {
                version: 3,
                name: "audit_chain",
                sql: include_str!(concat!("../../migrations/", $engine, "/0003_audit_chain.sql")),
            },
            Migration {
                version: 4,
                name: "notices",
                sql: include_str!(concat!("../../migrations/", $engine, "/0004_notices.sql")),
            },
        ]
    };
}

const SQLITE: &[Migration] = before_policies!("sqlite");
const POSTGRES: &[Migration] = before_policies!("postgres");
const ACCOUNT: &str = "1234567890123456";
const USER: &str = "123456789012345678";

async fn attached_policies_are_taken_over(location: impl Fn() -> Location) {
    let old = Store::open_with(Options::serve(location(), NOON.micros()), SQLITE, POSTGRES).await.unwrap();
    old.write(async |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO accounts (account_id, alias, settings, epoch, version, created_at) VALUES ($1, 'a', '{}', 1, 0, 0)",
            params![ACCOUNT],
        )
        .await?;
        tx.execute(
            "INSERT INTO principals (account_id, principal_id, kind, name, canonical_name, display_name, comments, \
             search, epoch, version, created_at, updated_at) \
             VALUES ($1, $2, 'ram-user', 'rita', 'rita', '', '', 'rita', 1, 0, 0, 0)",
            params![ACCOUNT, USER],
        )
        .await?;
        for (policy, at) in [(AdministratorAccess, 7), (AliyunRamFullAccess, 8)] {
            tx.execute(
                "INSERT INTO attached_policies (account_id, principal_id, policy, attached_at) VALUES ($1, $2, $3, $4)",
                params![ACCOUNT, USER, policy.as_str(), at],
            )
            .await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    old.close().await;
    let new = Store::open(Options::serve(location(), NOON.micros())).await.unwrap();
    let (account, user) = (ACCOUNT.parse::<AccountId>().unwrap(), USER.parse::<PrincipalId>().unwrap());
    let lines = look!(new, |tx, account, user| attachments::of_user(tx, &account, &user));
    let mut told: Vec<_> = lines.iter().map(|line| (line.name.as_str(), line.attached_at.micros())).collect();
    told.sort_unstable();
    assert_eq!(told, [("AdministratorAccess", 7), ("AliyunRAMFullAccess", 8)]);
    let reaching = look!(new, |tx, account, user| attachments::reaching(tx, &account, &user));
    assert!(reaching.iter().any(|one| one.policy == Attached::System(AdministratorAccess)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attached_policies_are_taken_over_on_sqlite() {
    let folder = TempDir::new().unwrap();
    attached_policies_are_taken_over(|| Location::Sqlite(folder.path().join("data/c.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attached_policies_are_taken_over_on_postgres() {
    let server = postgres::Postgres::throw_away();
    attached_policies_are_taken_over(|| Location::Postgres(SecretString::from(server.url()))).await;
}
