//! AccessKeys: made, listed, enabled, disabled, removed; what they may, and what becomes of those that nobody uses.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod kept;
mod made;

use countersign_core::access_keys::{AccessKeyView, KeysOf, MadeAccessKey};
use countersign_core::{AccessKeyActor, Insider};
use countersign_testkit::{Account, Kit, origin};

fn of(name: &str) -> KeysOf {
    KeysOf::User(name.to_owned())
}

/// Who signs with a key.
async fn caller(kit: &Kit, made: &MadeAccessKey) -> AccessKeyActor {
    kit.core().access_key(made.id.as_str()).await.unwrap().actor
}

async fn keys_of<'a>(kit: &Kit, by: impl Into<Insider<'a>>, whose: KeysOf) -> Vec<AccessKeyView> {
    kit.core().list_access_keys(by, whose, origin()).await.unwrap().keys
}

/// A key that the owner makes for a RAM user.
async fn key_for(kit: &Kit, account: &Account, name: &str) -> MadeAccessKey {
    let owner = kit.owner_session(account).await.actor;
    kit.core().create_access_key(&owner, of(name), origin()).await.unwrap()
}
