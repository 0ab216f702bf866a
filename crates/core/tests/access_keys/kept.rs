//! What becomes of a key: used, idle, told, disowned, restored, sealed anew.

use crate::{caller, key_for, keys_of, of};
use countersign_core::SessionActor;
use countersign_core::access_keys::{KeysOf, MadeAccessKey};
use countersign_core::findings::Which;
use countersign_core::forecast::Effect;
use countersign_core::keyring::KeyRing;
use countersign_core::operator::{Resealed, Whom};
use countersign_core::settings::SettingsChange;
use countersign_model::access_key::{AccessKeyState, AccessKeyStatus, ApiService, LastUse};
use countersign_model::audit::ActorKind;
use countersign_model::notice::{Doer, FindingKind, NoticeKind};
use countersign_model::settings::IdleDays;
use countersign_store::params;
use countersign_testkit::kit::keys;
use countersign_testkit::people::expose;
use countersign_testkit::{Kit, both_engines, origin, reason};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// Waits for a write that nobody waits for.
async fn last_use(
    kit: &Kit,
    owner: &SessionActor,
    whose: KeysOf,
    key: &MadeAccessKey,
    since: Option<LastUse>,
) -> LastUse {
    loop {
        let used = kit.core().access_key_last_use(owner, (whose.clone(), key.id.as_str()), origin()).await.unwrap();
        match used {
            Some(used) if Some(used) != since => return used,
            Some(_) | None => tokio::task::yield_now().await,
        }
    }
}

fn next() -> KeyRing {
    keys().with_next_version(|key| key.fill(8)).unwrap()
}

both_engines! {
    async fn the_last_use_is_noted_once_a_minute(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&acme, "alice").await;
        let made = key_for(&kit, &acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let (core, id) = (kit.core(), made.id.as_str());
        assert_eq!(core.access_key_last_use(&owner, (of("alice"), id), origin()).await.unwrap(), None);
        let before = core.now();
        core.note_access_key_used(&caller(&kit, &made).await, ApiService::Ims);
        let first = last_use(&kit, &owner, of("alice"), &made, None).await;
        assert_eq!(first.service, ApiService::Ims);
        assert!(before <= first.at && first.at <= core.now());
        kit.advance(Duration::from_secs(59));
        core.note_access_key_used(&caller(&kit, &made).await, ApiService::Ram);
        kit.advance(Duration::from_secs(1));
        core.note_access_key_used(&caller(&kit, &made).await, ApiService::Sts);
        let second = last_use(&kit, &owner, of("alice"), &made, Some(first)).await;
        assert_eq!(second.service, ApiService::Sts);
        assert!(second.at.since(first.at) >= Duration::from_mins(1));
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

    async fn shorter_idle_days_tell_whose_keys_are_refused_at_once(kit: Kit) {
        let acme = kit.account("acme").await;
        for name in ["alice", "bob"] {
            kit.ram_user(&acme, name).await;
            key_for(&kit, &acme, name).await;
        }
        kit.advance(DAY * 100);
        key_for(&kit, &acme, "alice").await;
        let bobs = key_for(&kit, &acme, "bob").await;
        let owner = kit.owner_session(&acme).await.actor;
        let idle = |days| SettingsChange { max_idle_days_access_keys: Some(days), ..SettingsChange::default() };
        let told = kit.core().forecast_settings(&owner, idle(IdleDays::D180), origin()).await.unwrap();
        assert!(told.groups.is_empty(), "{:?}", told.groups);
        let told = kit.core().forecast_settings(&owner, idle(IdleDays::D90), origin()).await.unwrap();
        let groups: Vec<_> = told.groups.iter().map(|group| (group.effect, group.users)).collect();
        assert_eq!(groups, [(Effect::KeyIdle, 2)]);
        // What is disabled already is not told of, and neither is what stays.
        let old = keys_of(&kit, &owner, of("bob")).await[0].id.to_string();
        assert_ne!(old, bobs.id.to_string());
        let off = AccessKeyStatus::Inactive;
        kit.core().set_access_key_status(&owner, (of("bob"), &old), off, origin()).await.unwrap();
        let told = kit.core().forecast_settings(&owner, idle(IdleDays::D90), origin()).await.unwrap();
        assert_eq!(told.groups[0].users, 1);
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
}
