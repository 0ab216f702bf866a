//! Where a principal has logged on before: known browsers and known networks. They grant nothing.

use crate::{StoreError, Tx, params, statements};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, BrowserId, PrincipalId};
use countersign_model::machine::KnownBrowser;

statements! {
    FIND_BROWSER = "SELECT browser_id, expires_at, last_mfa_at FROM known_browsers \
                    WHERE account_id = $1 AND principal_id = $2 AND token_hash = $3";
    PUT_BROWSER = "INSERT INTO known_browsers (account_id, principal_id, token_hash, browser_id, created_at, expires_at, \
                   last_mfa_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                   ON CONFLICT (account_id, principal_id, token_hash) DO UPDATE SET expires_at = excluded.expires_at, \
                   last_mfa_at = COALESCE(excluded.last_mfa_at, known_browsers.last_mfa_at)";
    FORGET_BROWSER = "DELETE FROM known_browsers WHERE account_id = $1 AND principal_id = $2 AND browser_id = $3";
    FORGET_BROWSERS = "DELETE FROM known_browsers WHERE account_id = $1 AND principal_id = $2";
    SWEEP_BROWSERS = "DELETE FROM known_browsers WHERE expires_at < $1";
    FIND_NETWORK = "SELECT last_mfa_at FROM known_networks \
                    WHERE account_id = $1 AND principal_id = $2 AND network = $3";
    PUT_NETWORK = "INSERT INTO known_networks (account_id, principal_id, network, last_mfa_at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (account_id, principal_id, network) DO UPDATE SET last_mfa_at = excluded.last_mfa_at";
    FORGET_NETWORKS = "DELETE FROM known_networks WHERE account_id = $1 AND principal_id = $2";
    SWEEP_NETWORKS = "DELETE FROM known_networks WHERE last_mfa_at < $1";
}

/// The browser with this secret, if the principal has logged on with it.
pub async fn find_browser(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    token_hash: &[u8; 32],
) -> Result<Option<KnownBrowser>, StoreError> {
    let row = tx.row(FIND_BROWSER, params![account, id, token_hash]).await?;
    row.map(|row| {
        let mut r = row.reader("known_browsers");
        Ok(KnownBrowser {
            id: r.parse("browser_id")?,
            expires_at: r.time("expires_at")?,
            last_mfa_at: r.opt_time("last_mfa_at")?,
        })
    })
    .transpose()
}

/// Notes that a principal has logged on with a browser; one that is known already keeps its id.
pub async fn put_browser(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    token_hash: &[u8; 32],
    (browser, now): (&KnownBrowser, Timestamp),
) -> Result<(), StoreError> {
    tx.execute(PUT_BROWSER, params![account, id, token_hash, browser.id, now, browser.expires_at, browser.last_mfa_at])
        .await
        .map(drop)
}

/// Forgets one browser of a principal; whether it was known.
pub async fn forget_browser(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    browser: &BrowserId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(FORGET_BROWSER, params![account, id, browser]).await? == 1)
}

/// Forgets all browsers and networks of a principal.
pub async fn forget_all(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<u64, StoreError> {
    let browsers = tx.execute(FORGET_BROWSERS, params![account, id]).await?;
    Ok(browsers + tx.execute(FORGET_NETWORKS, params![account, id]).await?)
}

/// When the principal last logged on with a second factor from a network.
pub async fn find_network(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    network: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.row(FIND_NETWORK, params![account, id, network]).await?;
    row.map(|row| row.reader("known_networks").time("last_mfa_at")).transpose()
}

/// Notes that the principal has logged on with a second factor from a network.
pub async fn put_network(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &PrincipalId,
    network: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(PUT_NETWORK, params![account, id, network, now]).await.map(drop)
}

/// Drops browsers that ran out at `now` and networks not seen since `networks_since`.
pub async fn sweep(tx: &mut Tx<'_>, now: Timestamp, networks_since: Timestamp) -> Result<u64, StoreError> {
    let browsers = tx.execute(SWEEP_BROWSERS, params![now]).await?;
    Ok(browsers + tx.execute(SWEEP_NETWORKS, params![networks_since]).await?)
}
