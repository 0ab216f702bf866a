//! Ending all that was opened as a principal.

use countersign_model::entropy::OsEntropy;
use countersign_model::ids::SessionId;
use countersign_model::logon::Method;
use countersign_model::session::Session;
use countersign_store::sessions::{self, Origin};
use countersign_store::{Store, disown};

use crate::{NOON, account, second, user};

pub(crate) async fn cases(store: &Store) {
    let house = account(store, "disown-1").await;
    for (hash, name) in [(201, "alice"), (202, "bob")] {
        let person = user(store, &house, name).await;
        let session = Session {
            id: SessionId::generate(&OsEntropy),
            account_id: person.account_id,
            principal_id: person.id,
            principal_epoch: 1,
            account_epoch: 1,
            methods: vec![Method::Password],
            created_at: NOON,
            last_seen_at: NOON,
            expires_at: NOON.plus(second(1_000)),
        };
        let from = Origin { address: "192.0.2.7", user_agent: "a browser" };
        change!(store, |tx, session| sessions::insert(tx, &[hash; 32], &session, from));
    }
    let found = async |hash| look!(store, |tx| sessions::find(tx, &[hash; 32]));
    let alice = found(201).await.unwrap().session;
    change!(store, |tx, alice| disown::end_everything(tx, &alice.account_id, &alice.principal_id));
    assert!(found(201).await.is_none());
    assert!(found(202).await.is_some(), "another's session stands");
}
