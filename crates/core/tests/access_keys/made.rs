//! Making keys, and who may what with whose.

use crate::{caller, key_for, keys_of, of};
use countersign_core::access_keys::{FoundAccessKey, KeysOf};
use countersign_core::operator::Whom;
use countersign_core::settings::SettingsChange;
use countersign_core::{Error, Insider, Limit, Refusal, Role, SessionActor};
use countersign_model::access_key::{AccessKeyState, AccessKeyStatus};
use countersign_model::audit::ActorKind;
use countersign_model::principal::SystemPolicy;
use countersign_model::settings::{SensitiveOperation, Strength};
use countersign_store::params;
use countersign_testkit::kit::Engine;
use countersign_testkit::people::{OWNER_PASSWORD, expose};
use countersign_testkit::{Account, Kit, both_engines, origin, refusal};

/// Lets RAM users manage their own keys.
async fn allow_own_keys(kit: &Kit, account: &Account) {
    let owner = kit.owner_session(account).await.actor;
    let change = SettingsChange { users_manage_access_keys: Some(true), ..SettingsChange::default() };
    kit.core().change_settings(&owner, change, origin()).await.unwrap();
}

/// Has the account ask for a proof each time.
async fn always(kit: &Kit, owner: &SessionActor) {
    let strengths = vec![(SensitiveOperation::AccessKeys, Strength::Always)];
    let change = SettingsChange { strengths, ..SettingsChange::default() };
    kit.core().change_settings(owner, change, origin()).await.unwrap();
}

both_engines! {
    async fn c36_x14_a_key_acts_as_its_principal_and_is_asked_for_no_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.bound_user(&acme, "alice").await;
        kit.core().attach_policy(&owner, "alice", SystemPolicy::AdministratorAccess, origin()).await.unwrap();
        kit.ram_user(&acme, "bob").await;
        let made = kit.core().create_access_key(&owner, of("alice"), origin()).await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        always(&kit, &owner).await;

        let FoundAccessKey { actor, secret } = kit.core().access_key(made.id.as_str()).await.unwrap();
        assert_eq!(secret.as_slice(), expose(&made.secret).as_bytes());
        assert_eq!((actor.account_id(), actor.state(kit.core().now())), (&acme.id, AccessKeyState::Active));
        // Of an administrator by a session a proof would be asked for here.
        let (bobs, told) = kit.told(&acme.id, kit.core().create_access_key(&actor, of("bob"), origin())).await;
        assert_eq!(told, ["alice CreateAccessKey bob success"]);
        let event = kit.events(&acme.id).await.pop().unwrap();
        let bobs = bobs.unwrap();
        assert_eq!(event.details, format!("access_key={};key={};", made.id, bobs.id));
        assert_eq!((event.actor.kind, event.actor.id.as_str()), (ActorKind::RamUser, actor.principal_id().as_str()));
        assert_eq!(keys_of(&kit, &actor, of("bob")).await[0].id, bobs.id);
        assert_eq!(kit.count("proofs").await, 0);
        // It opened no session either.
        let opened = "SELECT COUNT(*) FROM sessions WHERE principal_id = $1";
        assert_eq!(kit.int(opened, params![actor.principal_id()]).await, 0);
    }

    async fn making_enabling_and_deleting_ask_a_session_for_a_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let made = key_for(&kit, &acme, "alice").await;
        let visitor = kit.owner_session(&acme).await;
        always(&kit, &visitor.actor).await;
        let visitor = kit.owner_session(&acme).await;
        let core = kit.core();
        let status = (of("alice"), made.id.as_str());
        let off = core.set_access_key_status(&visitor.actor, status, AccessKeyStatus::Inactive, origin()).await;
        let delete = core.delete_access_key(&visitor.actor, (of("alice"), made.id.as_str()), origin()).await;
        for asked in [off, delete] {
            assert!(matches!(asked, Err(Error::ProofRequired(_))), "{asked:?}");
        }
        let own = core.create_access_key(&visitor.actor, KeysOf::Oneself, origin()).await;
        assert!(matches!(own, Err(Error::ProofRequired(_))), "{own:?}");
        let create = async |actor: SessionActor| core.create_access_key(&actor, of("alice"), origin()).await;
        kit.proved(&visitor, OWNER_PASSWORD, create).await.1.unwrap();
        // A proof for one key is none for another.
        let visitor = kit.owner_session(&acme).await;
        let keys = keys_of(&kit, &visitor.actor, of("alice")).await;
        let [one, other] = [&keys[0], &keys[1]].map(|key| key.id.to_string());
        let delete = async |actor: SessionActor| core.delete_access_key(&actor, (of("alice"), &one), origin()).await;
        let demand = countersign_testkit::people::demand(delete(visitor.actor.clone()).await);
        let token = core.prove(&visitor.actor, &demand.token, OWNER_PASSWORD.into(), origin()).await.unwrap();
        let proved = kit.visitor(token).await.actor.with_proof(demand.token);
        let wrong = core.delete_access_key(&proved, (of("alice"), &other), origin()).await;
        assert!(matches!(wrong, Err(Error::ProofRequired(_))), "{wrong:?}");
        assert_eq!(kit.count("access_keys").await, 2);
    }

    async fn ten_at_once_make_two(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        for whose in [of("alice"), KeysOf::Oneself] {
            let tasks: Vec<_> = (0..10)
                .map(|_| {
                    let (core, owner, whose) = (kit.core().clone(), owner.clone(), whose.clone());
                    tokio::spawn(async move { core.create_access_key(&owner, whose, origin()).await })
                })
                .collect();
            let mut made = 0;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(_) => made += 1,
                    refused => assert_eq!(refusal(refused), Refusal::LimitExceeded(Limit::AccessKeys)),
                }
            }
            assert_eq!(made, 2, "{whose:?}");
            // A disabled key counts, a deleted one does not.
            let first = keys_of(&kit, &owner, whose.clone()).await[0].id.to_string();
            let off = AccessKeyStatus::Inactive;
            kit.core().set_access_key_status(&owner, (whose.clone(), &first), off, origin()).await.unwrap();
            let more = kit.core().create_access_key(&owner, whose.clone(), origin()).await;
            assert_eq!(refusal(more), Refusal::LimitExceeded(Limit::AccessKeys));
            kit.core().delete_access_key(&owner, (whose.clone(), &first), origin()).await.unwrap();
            kit.core().create_access_key(&owner, whose, origin()).await.unwrap();
        }
    }

    async fn the_secret_is_told_once_and_lies_nowhere(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let made = kit.core().create_access_key(&owner, of("alice"), origin()).await.unwrap();
        let secret = expose(&made.secret);
        assert_eq!(secret.len(), 30);
        assert!(!kit.dump().await.holds(secret.as_bytes()));
        let found = kit.core().access_key(made.id.as_str()).await.unwrap();
        let listed = kit.core().list_access_keys(&owner, of("alice"), origin()).await.unwrap();
        for shown in [format!("{made:?}"), format!("{found:?}"), format!("{listed:?}")] {
            assert!(!shown.contains(&secret), "{shown}");
        }
    }

    async fn attack_139_a_secret_copied_onto_another_row_does_not_open(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        kit.ram_user(&acme, "alice").await;
        let hers = key_for(&kit, &acme, "alice").await;
        let his = kit.core().create_access_key(&owner, KeysOf::Oneself, origin()).await.unwrap();
        let copy = "UPDATE access_keys SET sealed_secret = (SELECT other.sealed_secret FROM access_keys other \
                    WHERE other.access_key_id = $1) WHERE access_key_id = $2";
        assert_eq!(kit.sql(copy, params![hers.id, his.id]).await, 1);
        assert!(matches!(kit.core().access_key(his.id.as_str()).await, Err(Error::Fault(_))));
        // Nor does a key that was given to another principal.
        let give = "UPDATE access_keys SET principal_id = $1 WHERE access_key_id = $2";
        assert_eq!(kit.sql(give, params![owner.principal_id(), hers.id]).await, 1);
        assert!(matches!(kit.core().access_key(hers.id.as_str()).await, Err(Error::Fault(_))));
    }

    async fn an_unknown_key_is_not_found_and_a_disabled_one_does_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        let made = key_for(&kit, &acme, "rita").await;
        let long = "LTAI".repeat(2_000);
        let nul = format!("LTAI{}", "\0".repeat(20));
        for unknown in ["", "LTAI", "LTAIaaaaaaaaaaaaaaaaaaaa", "ltaiaaaaaaaaaaaaaaaaaaaa", &nul, &long] {
            assert_eq!(refusal(kit.core().access_key(unknown).await), Refusal::SigningKeyNotFound, "{unknown}");
        }
        // Disabled between the look-up and the act.
        let rita = caller(&kit, &made).await;
        let owner = kit.owner_session(&acme).await.actor;
        let set = async |status| {
            kit.core().set_access_key_status(&owner, (of("rita"), made.id.as_str()), status, origin()).await
        };
        set(AccessKeyStatus::Inactive).await.unwrap();
        let event = kit.events(&acme.id).await.pop().unwrap();
        assert_eq!(event.details, format!("mfa=no;key={};status=Inactive;", made.id));
        let (made_none, told) = kit.told(&acme.id, kit.core().create_access_key(&rita, of("rita"), origin())).await;
        assert_eq!(refusal(made_none), Refusal::AccessKeyInactive);
        assert_eq!(told, ["rita CreateAccessKey rita refused AccessKeyInactive"]);
        assert_eq!(kit.events(&acme.id).await.pop().unwrap().details, format!("access_key={};", made.id));
        let listed = kit.core().list_access_keys(&rita, KeysOf::Oneself, origin()).await;
        assert_eq!(refusal(listed), Refusal::AccessKeyInactive);
        assert_eq!(caller(&kit, &made).await.state(kit.core().now()), AccessKeyState::Inactive);
        set(AccessKeyStatus::Active).await.unwrap();
        assert_eq!(keys_of(&kit, &rita, KeysOf::Oneself).await[0].state, AccessKeyState::Active);
        // Removed with her.
        kit.core().delete_user(&owner, "rita", "rita", origin()).await.unwrap();
        assert_eq!(refusal(kit.core().access_key(made.id.as_str()).await), Refusal::SigningKeyNotFound);
        let late = kit.core().list_access_keys(&rita, KeysOf::Oneself, origin()).await;
        assert_eq!(refusal(late), Refusal::SigningKeyNotFound);
        assert_eq!(kit.count("access_keys").await, 0);
    }

    async fn a_key_that_is_disabled_while_it_waits_changes_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        let rita = caller(&kit, &key_for(&kit, &acme, "rita").await).await;
        let change = match kit.engine() {
            Engine::Sqlite => "UPDATE access_keys SET status = 'Inactive'",
            Engine::Postgres => {
                "WITH disabled AS (UPDATE access_keys SET status = 'Inactive') \
                 UPDATE principals SET version = version + 1"
            }
        };
        let (core, actor) = (kit.core().clone(), rita.clone());
        let doing = async move { core.create_access_key(&actor, KeysOf::Oneself, origin()).await };
        assert_eq!(refusal(kit.overtaken(change, doing).await), Refusal::AccessKeyInactive);
        assert_eq!(kit.count("access_keys").await, 1);
    }

    async fn attack_133_only_administrators_reach_the_keys_of_others_and_only_in_their_account(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        for name in ["alice", "bob"] {
            kit.ram_user(&acme, name).await;
        }
        kit.administrator(&acme, "rita").await;
        let bobs = key_for(&kit, &acme, "bob").await;
        let alice = caller(&kit, &key_for(&kit, &acme, "alice").await).await;
        let foreign = kit.owner_session(&other).await.actor;
        let core = kit.core();
        let id = bobs.id.as_str();
        let off = AccessKeyStatus::Inactive;
        assert_eq!(refusal(core.list_access_keys(&alice, of("bob"), origin()).await), Refusal::NoPermission);
        assert_eq!(refusal(core.create_access_key(&alice, of("bob"), origin()).await), Refusal::NoPermission);
        let set = core.set_access_key_status(&alice, (of("bob"), id), off, origin()).await;
        assert_eq!(refusal(set), Refusal::NoPermission);
        assert_eq!(refusal(core.delete_access_key(&alice, (of("bob"), id), origin()).await), Refusal::NoPermission);
        assert_eq!(refusal(core.access_key_last_use(&alice, (of("bob"), id), origin()).await), Refusal::NoPermission);
        assert_eq!(refusal(core.delete_access_key(&foreign, (of("bob"), id), origin()).await), Refusal::UserNotFound);
        // Another's key is not one of mine, whoever I am.
        let own = core.delete_access_key(&foreign, (KeysOf::Oneself, id), origin()).await;
        assert_eq!(refusal(own), Refusal::AccessKeyNotFound);
        let rita = caller(&kit, &key_for(&kit, &acme, "rita").await).await;
        let theirs = core.delete_access_key(&rita, (of("alice"), id), origin()).await;
        assert_eq!(refusal(theirs), Refusal::AccessKeyNotFound);
        // The owner's keys are out of an administrator's reach, under whichever name.
        let owner = kit.owner_session(&acme).await.actor;
        core.create_access_key(&owner, KeysOf::Oneself, origin()).await.unwrap();
        let owners = core.list_access_keys(&rita, of("owner@acme.example"), origin()).await;
        assert_eq!(refusal(owners), Refusal::UserNotFound);
        // And his own an administrator reaches by either way.
        assert_eq!(keys_of(&kit, &rita, of("rita")).await, keys_of(&kit, &rita, KeysOf::Oneself).await);
        core.delete_access_key(&rita, (of("bob"), id), origin()).await.unwrap();
    }

    async fn a_user_manages_his_own_keys_only_where_the_account_allows_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let made = key_for(&kit, &acme, "alice").await;
        let (by_session, by_key, id) = (kit.session(&alice).await.actor, caller(&kit, &made).await, made.id.as_str());
        for actor in [Insider::from(&by_session), Insider::from(&by_key)] {
            let made = kit.core().create_access_key(actor, KeysOf::Oneself, origin()).await;
            assert_eq!(refusal(made), Refusal::NoPermission);
            let deleted = kit.core().delete_access_key(actor, (KeysOf::Oneself, id), origin()).await;
            assert_eq!(refusal(deleted), Refusal::NoPermission);
        }
        allow_own_keys(&kit, &acme).await;
        let by_session = kit.session(&alice).await.actor;
        let mine = kit.core().create_access_key(&by_session, KeysOf::Oneself, origin()).await.unwrap();
        assert_eq!(keys_of(&kit, &by_key, KeysOf::Oneself).await.len(), 2);
        // A key may take itself away.
        let mine_too = caller(&kit, &mine).await;
        kit.core().delete_access_key(&mine_too, (KeysOf::Oneself, mine.id.as_str()), origin()).await.unwrap();
        assert_eq!(refusal(kit.core().access_key(mine.id.as_str()).await), Refusal::SigningKeyNotFound);
    }

    async fn the_operator_makes_the_first_key(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let made = kit.told(&acme.id, kit.core().create_access_key_by_operator("acme", Whom::Owner)).await;
        assert_eq!(made.1, ["operator CreateAccessKey owner@acme.example success"]);
        let found = kit.core().access_key(made.0.unwrap().id.as_str()).await.unwrap();
        assert_eq!(found.actor.role(), Role::Owner);
        let of_alice = kit.core().create_access_key_by_operator(acme.id.as_str(), Whom::User("alice".to_owned())).await;
        of_alice.unwrap();
        kit.core().create_access_key_by_operator("acme", Whom::Owner).await.unwrap();
        let third = kit.told(&acme.id, kit.core().create_access_key_by_operator("acme", Whom::Owner)).await;
        assert_eq!(refusal(third.0), Refusal::LimitExceeded(Limit::AccessKeys));
        assert_eq!(third.1, ["operator CreateAccessKey owner@acme.example refused LimitExceeded.User.AccessKey"]);
        let nobody = kit.core().create_access_key_by_operator("acme", Whom::User("nobody".to_owned())).await;
        assert_eq!(refusal(nobody), Refusal::UserNotFound);
    }
}
