//! AccessKeys: made, listed, enabled, disabled, removed; what they may, and what becomes of those that nobody uses.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use countersign_core::access_keys::{AccessKeyView, FoundAccessKey, KeysOf, MadeAccessKey};
use countersign_core::findings::Which;
use countersign_core::keyring::KeyRing;
use countersign_core::operator::{Resealed, Whom};
use countersign_core::settings::SettingsChange;
use countersign_core::{AccessKeyActor, Error, Insider, Refusal, SessionActor};
use countersign_model::access_key::{AccessKeyState, AccessKeyStatus, ApiService, LastUse};
use countersign_model::audit::ActorKind;
use countersign_model::notice::{Doer, FindingKind, NoticeKind};
use countersign_model::principal::SystemPolicy;
use countersign_model::settings::{IdleDays, SensitiveOperation, Strength};
use countersign_store::params;
use countersign_testkit::kit::{Engine, keys};
use countersign_testkit::people::{OWNER_PASSWORD, expose};
use countersign_testkit::{Account, Kit, both_engines, origin, reason, refusal};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

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

/// Lets RAM users manage their own keys.
async fn allow_own_keys(kit: &Kit, account: &Account) {
    let owner = kit.owner_session(account).await.actor;
    let change = SettingsChange { users_manage_access_keys: Some(true), ..SettingsChange::default() };
    kit.core().change_settings(&owner, change, origin()).await.unwrap();
}

/// Waits for a write that nobody waits for.
async fn last_use(kit: &Kit, owner: &SessionActor, whose: KeysOf, key: &MadeAccessKey, since: Option<LastUse>) -> LastUse {
    loop {
        let used = kit.core().access_key_last_use(owner, (whose.clone(), key.id.as_str()), origin()).await.unwrap();
        match used {
            Some(used) if Some(used) != since => return used,
            Some(_) | None => tokio::task::yield_now().await,
        }
    }
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
                    refused => assert_eq!(refusal(refused), Refusal::TooManyAccessKeys),
                }
            }
            assert_eq!(made, 2, "{whose:?}");
            // A disabled key counts, a deleted one does not.
            let first = keys_of(&kit, &owner, whose.clone()).await[0].id.to_string();
            let off = AccessKeyStatus::Inactive;
            kit.core().set_access_key_status(&owner, (whose.clone(), &first), off, origin()).await.unwrap();
            let more = kit.core().create_access_key(&owner, whose.clone(), origin()).await;
            assert_eq!(refusal(more), Refusal::TooManyAccessKeys);
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
        for unknown in ["", "LTAI", "LTAIaaaaaaaaaaaaaaaaaaaa", "ltaiaaaaaaaaaaaaaaaaaaaa", "LTAI\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", &long] {
            assert_eq!(refusal(kit.core().access_key(unknown).await), Refusal::AccessKeyNotFound, "{unknown}");
        }
        // Disabled between the look-up and the act.
        let rita = caller(&kit, &made).await;
        let owner = kit.owner_session(&acme).await.actor;
        let set = async |status| kit.core().set_access_key_status(&owner, (of("rita"), made.id.as_str()), status, origin()).await;
        set(AccessKeyStatus::Inactive).await.unwrap();
        let event = kit.events(&acme.id).await.pop().unwrap();
        assert_eq!(event.details, format!("key={};status=Inactive;", made.id));
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
        assert_eq!(refusal(kit.core().access_key(made.id.as_str()).await), Refusal::AccessKeyNotFound);
        let late = kit.core().list_access_keys(&rita, KeysOf::Oneself, origin()).await;
        assert_eq!(refusal(late), Refusal::AccessKeyNotFound);
        assert_eq!(kit.count("access_keys").await, 0);
    }

    async fn a_key_that_is_disabled_while_it_waits_changes_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        let rita = caller(&kit, &key_for(&kit, &acme, "rita").await).await;
        let change = match kit.engine() {
            Engine::Sqlite => "UPDATE access_keys SET status = 'Inactive'",
            Engine::Postgres => {
                "WITH disabled AS (UPDATE access_keys SET status = 'Inactive') UPDATE principals SET version = version + 1"
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
        assert_eq!(refusal(core.set_access_key_status(&alice, (of("bob"), id), off, origin()).await), Refusal::NoPermission);
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
        assert_eq!(refusal(core.list_access_keys(&rita, of("owner@acme.example"), origin()).await), Refusal::UserNotFound);
        // And his own an administrator reaches by either way.
        assert_eq!(keys_of(&kit, &rita, of("rita")).await, keys_of(&kit, &rita, KeysOf::Oneself).await);
        core.delete_access_key(&rita, (of("bob"), id), origin()).await.unwrap();
    }

    async fn a_user_manages_his_own_keys_only_where_the_account_allows_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let made = key_for(&kit, &acme, "alice").await;
        let (by_session, by_key) = (kit.session(&alice).await.actor, caller(&kit, &made).await);
        for actor in [Insider::from(&by_session), Insider::from(&by_key)] {
            assert_eq!(refusal(kit.core().create_access_key(actor, KeysOf::Oneself, origin()).await), Refusal::NoPermission);
            let id = made.id.as_str();
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
        assert_eq!(refusal(kit.core().access_key(mine.id.as_str()).await), Refusal::AccessKeyNotFound);
    }

    async fn the_last_use_is_noted_once_a_minute(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let made = key_for(&kit, &acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let (core, id) = (kit.core(), made.id.as_str());
        assert_eq!(core.access_key_last_use(&owner, (of("alice"), id), origin()).await.unwrap(), None);
        core.note_access_key_used(&caller(&kit, &made).await, ApiService::Ims);
        let first = last_use(&kit, &owner, of("alice"), &made, None).await;
        assert_eq!(first, LastUse { at: core.now(), service: ApiService::Ims });
        kit.advance(Duration::from_secs(59));
        core.note_access_key_used(&caller(&kit, &made).await, ApiService::Ram);
        kit.advance(Duration::from_secs(1));
        core.note_access_key_used(&caller(&kit, &made).await, ApiService::Sts);
        let second = last_use(&kit, &owner, of("alice"), &made, Some(first)).await;
        assert_eq!(second, LastUse { at: core.now(), service: ApiService::Sts });
        assert_eq!(keys_of(&kit, &owner, of("alice")).await[0].last_use, Some(second));
    }

    async fn a_key_that_nobody_uses_is_refused_and_then_disabled(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        let owner = kit.owner_session(&acme).await.actor;
        let idle = SettingsChange { max_idle_days_access_keys: Some(IdleDays::D90), ..SettingsChange::default() };
        kit.core().change_settings(&owner, idle, origin()).await.unwrap();
        let (used, unused) = (key_for(&kit, &acme, "rita").await, key_for(&kit, &acme, "rita").await);
        assert_eq!(kit.core().disable_idle_access_keys().await.unwrap(), 0);
        kit.advance(DAY * 89);
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().note_access_key_used(&caller(&kit, &used).await, ApiService::Ram);
        last_use(&kit, &owner, of("rita"), &used, None).await;
        assert_eq!(kit.core().disable_idle_access_keys().await.unwrap(), 0);
        kit.advance(DAY);
        // Refused before anybody has put it down.
        let rita = caller(&kit, &unused).await;
        assert_eq!(rita.state(kit.core().now()), AccessKeyState::Idle);
        assert_eq!(reason(kit.core().list_access_keys(&rita, KeysOf::Oneself, origin()).await), "access_key_idle");
        assert_eq!(kit.core().disable_idle_access_keys().await.unwrap(), 1);
        let told = kit.events(&acme.id).await.pop().unwrap();
        assert_eq!((told.action.as_str(), told.target.as_str()), ("DisableIdleAccessKey", "rita"));
        assert_eq!(told.details, format!("key={};max_idle_days_access_keys=90;", unused.id));
        assert_eq!(told.actor.kind, ActorKind::System);
        assert_eq!(caller(&kit, &unused).await.state(kit.core().now()), AccessKeyState::Inactive);
        assert_eq!(caller(&kit, &used).await.state(kit.core().now()), AccessKeyState::Active);
        // Enabled again, the days are counted anew.
        let owner = kit.owner_session(&acme).await.actor;
        let (key, on) = ((of("rita"), unused.id.as_str()), AccessKeyStatus::Active);
        kit.core().set_access_key_status(&owner, key, on, origin()).await.unwrap();
        kit.advance(Duration::from_hours(2));
        assert_eq!(kit.core().disable_idle_access_keys().await.unwrap(), 0);
        assert_eq!(keys_of(&kit, &rita, KeysOf::Oneself).await.len(), 2);
    }

    async fn an_idle_key_that_is_enabled_before_it_was_disabled_is_active_again(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let made = key_for(&kit, &acme, "alice").await;
        kit.advance(DAY * 731);
        let owner = kit.owner_session(&acme).await.actor;
        assert_eq!(keys_of(&kit, &owner, of("alice")).await[0].state, AccessKeyState::Idle);
        let (key, on) = ((of("alice"), made.id.as_str()), AccessKeyStatus::Active);
        kit.core().set_access_key_status(&owner, key, on, origin()).await.unwrap();
        assert_eq!(keys_of(&kit, &owner, of("alice")).await[0].state, AccessKeyState::Active);
    }

    async fn whose_key_was_made_is_told_by_whom(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        key_for(&kit, &acme, "alice").await;
        kit.core().create_access_key_by_operator("acme", Whom::User("Alice".to_owned())).await.unwrap();
        let hers = kit.session(&alice).await.actor;
        let told = kit.core().own_notices(&hers).await.unwrap();
        let told: Vec<_> = told.into_iter().filter(|notice| notice.kind == NoticeKind::AccessKeyCreated).collect();
        let by: Vec<_> = told.iter().map(|notice| &notice.facts.by).collect();
        assert_eq!(by, [&Doer::Operator, &Doer::Administrator("owner@acme.example".to_owned())]);
    }

    async fn who_disowns_a_key_has_it_disabled_and_those_before_serve_on(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let before = key_for(&kit, &acme, "alice").await;
        kit.advance(DAY);
        let evil = key_for(&kit, &acme, "alice").await;
        let hers = kit.session(&alice).await.actor;
        let notices = kit.core().own_notices(&hers).await.unwrap();
        let latest = notices.iter().find(|notice| notice.kind == NoticeKind::AccessKeyCreated).unwrap();
        kit.core().disown(&hers, latest.id.as_str(), origin()).await.unwrap();
        let states = [&before, &evil].map(|key| key.id.clone());
        let now = kit.core().now();
        let state = async |id: &str| kit.core().access_key(id).await.unwrap().actor.state(now);
        assert_eq!(state(states[0].as_str()).await, AccessKeyState::Active);
        assert_eq!(state(states[1].as_str()).await, AccessKeyState::Inactive);
        let told = format!("access_keys_disabled={};", evil.id);
        assert!(kit.events(&acme.id).await.pop().unwrap().details.contains(&told));
        let owner = kit.owner_session(&acme).await.actor;
        let found = kit.core().findings(&owner, Which::Open, (0, 10), origin()).await.unwrap();
        assert!(found.lines[0].finding.details.contains(&told), "{}", found.lines[0].finding.details);
    }

    async fn attack_143_a_restored_backup_brings_no_key_back_to_life(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let (first, second) = (key_for(&kit, &acme, "alice").await, key_for(&kit, &acme, "alice").await);
        kit.core().create_access_key(&owner, KeysOf::Oneself, origin()).await.unwrap();
        let off = AccessKeyStatus::Inactive;
        kit.core().set_access_key_status(&owner, (of("alice"), second.id.as_str()), off, origin()).await.unwrap();
        assert_eq!(kit.core().mark_restored().await.unwrap().keys_disabled, 2);
        let state = caller(&kit, &first).await.state(kit.core().now());
        assert_eq!(state, AccessKeyState::Inactive);
        let owner = kit.owner_session(&acme).await.actor;
        let found = kit.core().findings(&owner, Which::Open, (0, 10), origin()).await.unwrap();
        let mut told: Vec<_> = found.lines.iter().map(|line| &line.finding).collect();
        told.sort_by_key(|finding| finding.principal_name.clone());
        assert!(told.iter().all(|finding| finding.kind == FindingKind::AccessKeysStale));
        let told: Vec<_> = told.iter().map(|one| (one.principal_name.as_str(), one.details.as_str())).collect();
        assert_eq!(told, [("alice", "keys=1;"), ("owner@acme.example", "keys=1;")]);
        assert_eq!(kit.core().mark_restored().await.unwrap().keys_disabled, 0);
    }

    async fn a_rotation_seals_secrets_anew(mut kit: Kit) {
        let acme = kit.account("acme").await;
        for name in ["alice", "bob"] {
            kit.bound_user(&acme, name).await;
        }
        let mut made = Vec::new();
        for name in ["alice", "alice", "bob"] {
            made.push(key_for(&kit, &acme, name).await);
        }
        kit.restart_with(next()).await.unwrap();
        kit.core().use_prepared_key().await.unwrap();
        // Two at a time, over the border between the tables.
        let (mut last, mut values) = (None, 0);
        while let (batch, Some(end)) = kit.core().reseal_batch(last.as_ref(), 2).await.unwrap() {
            values += batch.values;
            last = Some(end);
        }
        assert_eq!((values, kit.core().reseal(|_| ()).await.unwrap()), (5, Resealed::default()));
        let old = "SELECT COUNT(*) FROM access_keys WHERE substr(sealed_secret, 1, 5) <> $1";
        assert_eq!(kit.int(old, params![&next().current_head()]).await, 0);
        for made in &made {
            let found = kit.core().access_key(made.id.as_str()).await.unwrap();
            assert_eq!(found.secret.as_slice(), expose(&made.secret).as_bytes());
        }
    }

    async fn the_operator_makes_the_first_key(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let made = kit.told(&acme.id, kit.core().create_access_key_by_operator("acme", Whom::Owner)).await;
        assert_eq!(made.1, ["operator CreateAccessKey owner@acme.example success"]);
        let found = kit.core().access_key(made.0.unwrap().id.as_str()).await.unwrap();
        assert_eq!(found.actor.role(), countersign_core::Role::Owner);
        let of_alice = kit.core().create_access_key_by_operator(acme.id.as_str(), Whom::User("alice".to_owned())).await;
        of_alice.unwrap();
        kit.core().create_access_key_by_operator("acme", Whom::Owner).await.unwrap();
        let third = kit.told(&acme.id, kit.core().create_access_key_by_operator("acme", Whom::Owner)).await;
        assert_eq!(refusal(third.0), Refusal::TooManyAccessKeys);
        assert_eq!(third.1, ["operator CreateAccessKey owner@acme.example refused LimitExceeded.User.AccessKey"]);
        let nobody = kit.core().create_access_key_by_operator("acme", Whom::User("nobody".to_owned())).await;
        assert_eq!(refusal(nobody), Refusal::UserNotFound);
    }
}

fn next() -> KeyRing {
    keys().with_next_version(|key| key.fill(8)).unwrap()
}

/// Has the account ask for a proof each time.
async fn always(kit: &Kit, owner: &SessionActor) {
    let strengths = vec![(SensitiveOperation::AccessKeys, Strength::Always)];
    let change = SettingsChange { strengths, ..SettingsChange::default() };
    kit.core().change_settings(owner, change, origin()).await.unwrap();
}
