//! Wrong passwords by the network they come from, within an hour, over all accounts: the guard against spraying.

use crate::{StoreError, Tx, params, statements};
use countersign_model::Timestamp;

statements! {
    BOOK = "INSERT INTO network_budgets (hour, network, failures) VALUES ($1, $2, 1) \
            ON CONFLICT (hour, network) DO UPDATE SET failures = network_budgets.failures + 1 RETURNING failures";
    GIVE_BACK = "UPDATE network_budgets SET failures = failures - 1 WHERE hour = $1 AND network = $2 AND failures > 0";
    SWEEP = "DELETE FROM network_budgets WHERE hour < $1";
}

/// Stands for all networks together.
pub const EVERYWHERE: &str = "*";

/// Books a try from a network; the count with it.
pub async fn book(tx: &mut Tx<'_>, network: &str, now: Timestamp) -> Result<i64, StoreError> {
    let row = tx.row(BOOK, params![hour(now), network]).await?;
    row.map_or(Ok(0), |row| row.reader("network_budgets").int("failures"))
}

/// Takes a try back that was right. It was booked at `booked_at`.
pub async fn give_back(tx: &mut Tx<'_>, network: &str, booked_at: Timestamp) -> Result<(), StoreError> {
    tx.execute(GIVE_BACK, params![hour(booked_at), network]).await.map(drop)
}

/// Drops the counts of hours that are over.
pub async fn sweep(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(SWEEP, params![hour(before)]).await
}

fn hour(at: Timestamp) -> i64 {
    at.micros().div_euclid(3_600_000_000)
}
