//! Below the use-cases: the audit log, the tables, the bytes on disk.

use crate::{Engine, Kit};
use countersign_model::audit::AuditEvent;
use countersign_model::ids::AccountId;
use countersign_store::{Param, Row, StoreError, Tx, Value, audit, params};
use std::sync::Arc;
use tokio::sync::Notify;

/// More events than any test writes.
const ALL: i64 = 1_000_000;

impl Kit {
    /// The audit log of an account, the oldest event first.
    pub async fn events(&self, account: &AccountId) -> Vec<AuditEvent> {
        let account = account.clone();
        let read = async move |tx: &mut Tx<'_>| audit::latest(tx, &account, ALL).await;
        let mut events = self.store().read(read).await.unwrap();
        events.reverse();
        events
    }

    /// Runs something and tells what it wrote into the audit log of an account, a line for each event: actor, action,
    /// target, outcome, reason.
    pub async fn told<T>(&self, account: &AccountId, doing: impl Future<Output = T>) -> (T, Vec<String>) {
        let before = self.events(account).await.len();
        let outcome = doing.await;
        let events = self.events(account).await;
        (outcome, events.iter().skip(before).map(line).collect())
    }

    /// How often strangers were refused.
    pub async fn refusals_of_strangers(&self) -> i64 {
        self.int("SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM anonymous_refusals", &[]).await
    }

    /// Runs a statement on the tables, past all rules; returns how many rows it changed.
    pub async fn sql(&self, sql: &'static str, params: &[Param<'_>]) -> u64 {
        let values = owned(params);
        let unit = async move |tx: &mut Tx<'_>| tx.execute(sql, &borrowed(&values)).await;
        self.store().write(unit).await.unwrap()
    }

    /// The rows that a statement gives.
    pub async fn rows(&self, sql: &'static str, params: &[Param<'_>]) -> Vec<Vec<Value>> {
        let values = owned(params);
        let unit = async move |tx: &mut Tx<'_>| tx.rows(sql, &borrowed(&values)).await;
        let rows: Vec<Row> = self.store().read(unit).await.unwrap();
        rows.into_iter().map(Row::into_values).collect()
    }

    /// The one integer that a statement gives.
    pub async fn int(&self, sql: &'static str, params: &[Param<'_>]) -> i64 {
        match self.rows(sql, params).await.as_slice() {
            [row] if let [Value::Int(number)] = row.as_slice() => *number,
            other => panic!("one integer was expected from {sql}: {other:?}"),
        }
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        self.int(leak(format!("SELECT COUNT(*) FROM {table}")), &[]).await
    }

    /// The names of all tables.
    pub async fn tables(&self) -> Vec<String> {
        let sql = match self.engine() {
            Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
            Engine::Postgres => {
                "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            }
        };
        let rows = self.rows(sql, &[]).await;
        rows.into_iter()
            .flatten()
            .filter_map(|name| if let Value::Text(name) = name { Some(name) } else { None })
            .collect()
    }

    /// Everything that the database holds, table after table; on SQLite also the bytes of its files.
    pub async fn dump(&self) -> Dump {
        let mut bytes = Vec::new();
        for table in self.tables().await {
            bytes.extend(self.dump_of(&table).await.bytes);
        }
        for folder in self.folder().into_iter().flat_map(|folder| std::fs::read_dir(folder.join("data")).unwrap()) {
            bytes.extend(std::fs::read(folder.unwrap().path()).unwrap());
        }
        Dump { bytes }
    }

    /// Everything that one table holds.
    pub async fn dump_of(&self, table: &str) -> Dump {
        let mut bytes = Vec::new();
        for value in self.rows(leak(format!("SELECT * FROM {table}")), &[]).await.into_iter().flatten() {
            match value {
                Value::Text(text) => bytes.extend(text.into_bytes()),
                Value::Blob(blob) => bytes.extend(blob),
                Value::Int(number) => bytes.extend(number.to_string().into_bytes()),
                Value::Bool(truth) => bytes.extend(truth.to_string().into_bytes()),
                Value::Null => {}
            }
            bytes.push(b'\n');
        }
        Dump { bytes }
    }

    /// On PostgreSQL: has `change` commit in another process just after `doing` has read what it decides on and begun to
    /// wait for the rows that `change` holds. On SQLite, where nothing comes between, `change` comes first.
    pub async fn overtaken<T>(&self, change: &'static str, doing: impl Future<Output = T> + Send + 'static) -> T
    where
        T: Send + 'static,
    {
        if self.engine() == Engine::Sqlite {
            self.sql(change, &[]).await;
            return doing.await;
        }
        let (held, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (store, holds, released) = (self.store().clone(), Arc::clone(&held), Arc::clone(&release));
        let first = tokio::spawn(async move {
            let unit = async move |tx: &mut Tx<'_>| {
                assert!(tx.execute(change, params![]).await? > 0, "nothing is changed by {change}");
                holds.notify_one();
                released.notified().await;
                Ok::<_, StoreError>(())
            };
            store.write(unit).await
        });
        held.notified().await;
        let second = tokio::spawn(doing);
        let waiting = "SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.datname = current_database() \
                       WHERE NOT l.granted AND (l.database = d.oid OR l.database IS NULL)";
        while !second.is_finished() && self.int(waiting, &[]).await == 0 {
            tokio::task::yield_now().await;
        }
        release.notify_one();
        first.await.unwrap().unwrap();
        second.await.unwrap()
    }

    /// Limits the SQLite file to its present size and `more` pages, as a full disk does.
    pub async fn fill_disk(&self, more: i64) -> Result<(), StoreError> {
        let pages = self.int("PRAGMA page_count", &[]).await;
        self.limit_disk(pages + more).await
    }

    /// Gives the disk room again.
    pub async fn free_disk(&self) -> Result<(), StoreError> {
        self.limit_disk(1_000_000).await
    }

    async fn limit_disk(&self, pages: i64) -> Result<(), StoreError> {
        let sql = leak(format!("PRAGMA max_page_count = {pages}"));
        self.store().write(async move |tx: &mut Tx<'_>| tx.rows(sql, params![]).await.map(drop)).await
    }
}

/// What lies in a database, to be searched or compared with what lay there before.
#[derive(Clone, PartialEq, Eq)]
pub struct Dump {
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Dump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}

impl Dump {
    /// Whether these bytes are in it.
    #[must_use]
    pub fn holds(&self, needle: &[u8]) -> bool {
        assert!(!needle.is_empty());
        self.bytes.windows(needle.len()).any(|window| window == needle)
    }
}

/// An event as a line: actor, action, target, outcome, reason.
#[must_use]
pub fn line(event: &AuditEvent) -> String {
    let AuditEvent { actor, action, target, outcome, reason, .. } = event;
    let words = [actor.name.as_str(), action, target, outcome.as_str(), reason];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn owned(params: &[Param<'_>]) -> Vec<Value> {
    let value = |param: &Param<'_>| match *param {
        Param::Null => Value::Null,
        Param::Int(number) => Value::Int(number),
        Param::Text(text) => Value::Text(text.to_owned()),
        Param::Blob(bytes) => Value::Blob(bytes.to_owned()),
        Param::Bool(truth) => Value::Bool(truth),
    };
    params.iter().map(value).collect()
}

fn borrowed(values: &[Value]) -> Vec<Param<'_>> {
    let param = |value| match value {
        &Value::Null => Param::Null,
        &Value::Int(number) => Param::Int(number),
        Value::Text(text) => Param::Text(text),
        Value::Blob(bytes) => Param::Blob(bytes),
        &Value::Bool(truth) => Param::Bool(truth),
    };
    values.iter().map(param).collect()
}

/// Statements live as long as the program; a test does not live long.
fn leak(sql: String) -> &'static str {
    Box::leak(sql.into_boxed_str())
}
