//! A look at a PostgreSQL database from outside.

use countersign_model::Timestamp;
use deadpool_postgres::Client;
use secrecy::SecretString;

use super::connect;
use super::errors::{explain, explain_pool};
use crate::engine::Examined;
use crate::error::StoreError;
use crate::migrate;

const CLOCK: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
/// Under other values than these a commit can be told before it is on disk.
const DURABLE: &[(&str, &[&str])] = &[
    ("fsync", &["on"]),
    ("full_page_writes", &["on"]),
    ("synchronous_commit", &["on", "remote_apply", "remote_write", "local"]),
];

/// Looks at the database that the URL names.
pub(in crate::engine) async fn examine(url: &SecretString) -> Result<Examined, StoreError> {
    let pool = connect::pool(url, 1)?;
    let client = pool.get().await.map_err(|error| explain_pool(&error))?;
    let clock = client.query_one(CLOCK, &[]).await.and_then(|row| row.try_get(0)).map_err(|error| explain(&error))?;
    let examined = Examined {
        schema: migrate::schema_of_postgres(&client).await,
        damage: Vec::new(),
        writable: try_write(&client).await.map_err(|error| explain(&error)),
        clock: Some(Timestamp::from_micros(clock)),
        forgetful: forgetful(&client).await.map_err(|error| explain(&error))?,
    };
    drop(client);
    pool.close();
    Ok(examined)
}

async fn try_write(client: &Client) -> Result<(), tokio_postgres::Error> {
    client.batch_execute("BEGIN").await?;
    let written = client.execute("INSERT INTO facts (name, value) VALUES ('examined', '')", &[]).await;
    client.batch_execute("ROLLBACK").await?;
    written.map(drop)
}

async fn forgetful(client: &Client) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut found = Vec::new();
    for (name, durable) in DURABLE {
        let row = client.query_one("SELECT current_setting($1)", &[name]).await?;
        let value: String = row.try_get(0)?;
        if !durable.contains(&value.as_str()) {
            found.push(format!("{name} = {value}"));
        }
    }
    Ok(found)
}
