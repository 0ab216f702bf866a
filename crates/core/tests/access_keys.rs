//! AccessKeys: made, listed, enabled, disabled, removed; what they may, and what becomes of those that nobody uses.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_core::access_keys::{AccessKeyView, FoundAccessKey, KeysOf, MadeAccessKey};
use countersign_core::operator::Whom;
use countersign_core::settings::SettingsChange;
use countersign_core::{AccessKeyActor, Error, Refusal, SessionActor};
use countersign_model::access_key::{AccessKeyState, AccessKeyStatus, ApiService};
use countersign_model::principal::SystemPolicy;
use countersign_model::settings::{IdleDays, SensitiveOperation, Strength};
use countersign_testkit::people::{Account, expose, facts};
use countersign_testkit::{Kit, both_engines, origin, reason, refusal};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn of(name: &str) -> KeysOf {
    KeysOf::User(name.to_owned())
}

/// Who signs with a key.
async fn caller(kit: &Kit, made: &MadeAccessKey) -> AccessKeyActor {
    kit.core().access_key(made.id.as_str()).await.unwrap().actor
}

async fn keys_of(kit: &Kit, by: &SessionActor, whose: KeysOf) -> Vec<AccessKeyView> {
    kit.core().list_access_keys(by, whose, origin()).await.unwrap().keys
}

both_engines! {
    async fn c36_a_key_is_made_and_found_and_acts_as_its_principal_without_a_second_factor(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.bound_user(&acme, "alice").await;
        kit.core().attach_policy(&owner, "alice", SystemPolicy::AdministratorAccess, origin()).await.unwrap();
        kit.ram_user(&acme, "bob").await;
        let made = kit.core().create_access_key(&owner, of("alice"), origin()).await.unwrap();

        let FoundAccessKey { actor, secret } = kit.core().access_key(made.id.as_str()).await.unwrap();
        assert_eq!(secret.as_slice(), expose(&made.secret).as_bytes());
        assert_eq!((actor.account_id(), actor.state(kit.core().now())), (&acme.id, AccessKeyState::Active));
        // Of an administrator by a session a proof would be asked for here.
        let (bobs, told) = kit.told(&acme.id, kit.core().create_access_key(&actor, of("bob"), origin())).await;
        assert_eq!(told, ["alice CreateAccessKey bob success"]);
        assert_eq!(keys_of(&kit, &owner, of("bob")).await[0].id, bobs.unwrap().id);
    }
}
