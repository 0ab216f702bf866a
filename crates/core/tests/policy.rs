//! The security settings where they become stricter, what a change is foretold to do, passwords under the policy, and
//! console logon that lies idle.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::forecast::{Effect, Forecast, Group};
use countersign_core::settings::{Fingerprint, PolicyChange, SettingsChange};
use countersign_core::users::{LoginChange, PasswordChange};
use countersign_core::{Refusal, SessionActor};
use countersign_model::audit::{ActorKind, Outcome};
use countersign_model::logon::LogonState;
use countersign_model::principal::ConsoleLogon;
use countersign_model::settings::{IdleDays, MfaForLogon, SensitiveOperation, Strength};
use countersign_model::webauthn::KeyKind;
use countersign_store::params;
use countersign_testkit::people::{OWNER_PASSWORD, USER_PASSWORD, login, login_with_mfa};
use countersign_testkit::{Account, Kit, SoftKey, both_engines, origin, reason, refusal};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn mandatory() -> SettingsChange {
    SettingsChange { mfa_for_logon: Some(MfaForLogon::Mandatory), ..SettingsChange::default() }
}

fn networks(text: &str) -> SettingsChange {
    SettingsChange { logon_networks: Some(text.parse().unwrap()), ..SettingsChange::default() }
}

/// Passwords that administrators gave do not run out.
fn no_initial_age() -> SettingsChange {
    policy(PolicyChange { initial_age_days: Some(0), ..PolicyChange::default() })
}

fn policy(password: PolicyChange) -> SettingsChange {
    SettingsChange { password, ..SettingsChange::default() }
}

/// Says from where a user last logged on.
async fn came_from(kit: &Kit, account: &Account, name: &str, address: Option<&str>) {
    let sql = "UPDATE principals SET last_logon_address = $1 WHERE account_id = $2 AND name = $3";
    assert_eq!(kit.sql(sql, params![address, account.id, name]).await, 1);
}

/// Remembers a machine of a user for a day.
async fn remember(kit: &Kit, by: &SessionActor) {
    let now = kit.core().now();
    let sql = "INSERT INTO remembered_machines (account_id, machine_id, principal_id, principal_epoch, account_epoch, \
               created_at, expires_at, last_used_at, address, user_agent) VALUES ($1, $2, $2, $3, $4, $5, $6, $5, '', '')";
    let (session, ends) = (&by.session().session, now.plus(DAY));
    let (account, principal) = (by.account_id(), by.principal_id());
    let epochs = (session.principal_epoch, session.account_epoch);
    assert_eq!(kit.sql(sql, params![account, principal, epochs.0, epochs.1, now, ends]).await, 1);
}

async fn forecast(kit: &Kit, by: &SessionActor, change: SettingsChange) -> Forecast {
    kit.core().forecast_settings(by, change, origin()).await.unwrap()
}

fn group(effect: Effect, users: i64, administrators: &[&str]) -> Group {
    let names: Vec<_> = administrators.iter().map(|name| (*name).to_owned()).collect();
    Group { effect, users, administrators: i64::try_from(names.len()).unwrap(), names }
}

both_engines! {
    /// A session by password alone ends on every node when a device is required of everybody; the changer's goes on.
    async fn attack_043_a_stricter_policy_ends_the_sessions_of_the_account(mut kit: Kit) {
        let second = kit.second_node().await;
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        let (alice, rita) = (kit.ram_user(&acme, "alice").await, kit.administrator(&acme, "rita").await);
        let reset = LoginChange { reset_required: true, ..login() };
        let due = kit.ram_user_with(&acme, "dora", Some(reset)).await;
        let (hers, bobs) = (kit.session(&alice).await, kit.session(&kit.ram_user(&other, "bob").await).await);
        let (owner, changer) = (kit.owner_session(&acme).await, kit.session(&rita).await);
        let waiting = kit.waiting(&due, LogonState::ChoosePassword).await;
        let changed = kit.core().change_settings(&changer.actor, mandatory(), origin()).await.unwrap();
        let renewed = changed.token.unwrap();
        for core in [kit.core(), &second] {
            for ended in [&hers.token, &owner.token, &changer.token] {
                assert_eq!(refusal(core.session(ended).await), Refusal::NotLoggedOn);
            }
            assert_eq!(core.session(&renewed).await.unwrap().principal_id(), changer.actor.principal_id());
            core.session(&bobs.token).await.unwrap();
        }
        assert_eq!(reason(second.session(&hers.token).await), "session_superseded");
        assert_eq!(reason(kit.core().logon(&waiting).await), "logon_superseded");
        let told = kit.events(&acme.id).await.pop().unwrap();
        assert_eq!((told.action.as_str(), told.outcome), ("SetSecurityPreference", Outcome::Success));
        assert_eq!(told.details, "mfa=no;mfa_for_logon=independent>mandatory;");
        // The renewed session is worth what the old one was.
        let now = kit.core().session(&renewed).await.unwrap();
        assert_eq!(now.session().session.methods, changer.actor.session().session.methods);
        assert_eq!(now.session().session.expires_at, changer.actor.session().session.expires_at);
    }

    /// A looser rule, or one that looks at nothing a logon has shown, ends no session and gives no new secret.
    async fn c32_a_looser_policy_ends_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await;
        let alice = kit.session(&kit.ram_user(&acme, "alice").await).await;
        let changes = [
            SettingsChange { session_hours: Some(24), ..SettingsChange::default() },
            SettingsChange { remember_machines: Some(true), ..SettingsChange::default() },
            SettingsChange { audit_retention_days: Some(3_650), ..SettingsChange::default() },
            policy(PolicyChange { minimum_length: Some(32), reuse_prevention: Some(24), ..PolicyChange::default() }),
            SettingsChange::default(),
        ];
        for change in changes {
            assert!(kit.core().change_settings(&owner.actor, change, origin()).await.unwrap().token.is_none());
        }
        kit.core().session(&alice.token).await.unwrap();
        kit.core().session(&owner.token).await.unwrap();
    }

    /// Sessions opened before do not outlive a shorter limit.
    async fn c32_a_shorter_session_counts_for_open_ones(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.session(&kit.ram_user(&acme, "alice").await).await;
        let owner = kit.owner_session(&acme).await.actor;
        let change = SettingsChange { session_hours: Some(1), ..SettingsChange::default() };
        kit.core().change_settings(&owner, change, origin()).await.unwrap();
        assert_eq!(refusal(kit.core().session(&alice.token).await), Refusal::NotLoggedOn);
    }

    /// Two administrators who saw the same settings: the second is told, and nothing of his change is kept.
    async fn c32_a_change_of_settings_seen_before_another_changed_them_is_refused(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        let seen = Fingerprint::of(&kit.core().settings(&owner, origin()).await.unwrap()).unwrap();
        let one = SettingsChange { session_hours: Some(7), seen: Some(seen.clone()), ..SettingsChange::default() };
        let two = SettingsChange { remember_machines: Some(true), seen: Some(seen), ..SettingsChange::default() };
        let (first, core, by, of) = (kit.core().clone(), second, owner.clone(), owner.clone());
        let first = tokio::spawn(async move { first.change_settings(&by, one, origin()).await });
        let other = tokio::spawn(async move { core.change_settings(&of, two, origin()).await });
        let outcomes = [first.await.unwrap(), other.await.unwrap()];
        let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(refused.iter().filter_map(|error| error.refusal()).collect::<Vec<_>>(), [Refusal::SettingsChanged]);
        let now = kit.core().settings(&owner, origin()).await.unwrap();
        assert!((now.session_hours == 7) != now.remember_machines);
    }

    async fn c32_values_outside_their_range_change_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        let before = kit.core().settings(&owner, origin()).await.unwrap();
        let short = SettingsChange { session_hours: Some(0), ..SettingsChange::default() };
        let weak = policy(PolicyChange { minimum_length: Some(7), ..PolicyChange::default() });
        for (change, code) in [
            (short, "InvalidParameter.LoginSessionDuration"),
            (weak, "InvalidParameter.MinimumPasswordLength.Range"),
        ] {
            let refused = kit.core().change_settings(&owner, change.clone(), origin()).await;
            assert_eq!(refusal(refused), Refusal::Invalid(code));
            let refused = kit.core().forecast_settings(&owner, change, origin()).await;
            assert_eq!(refusal(refused), Refusal::Invalid(code));
        }
        assert_eq!(kit.core().settings(&owner, origin()).await.unwrap(), before);
    }

    /// An administrator does not lock himself out; the owner is not bound by the networks, and is warned.
    async fn c32_nobody_locks_himself_out_by_networks(kit: Kit) {
        let acme = kit.account("acme").await;
        let rita = kit.session(&kit.administrator(&acme, "rita").await).await;
        let refused = kit.core().change_settings(&rita.actor, networks("10.0.0.0/8"), origin()).await;
        assert_eq!(refusal(refused), Refusal::Invalid("InvalidParameter.LoginNetworkMasks.OwnAddress"));
        let inside = networks("10.0.0.0/8;192.0.2.0/24");
        kit.core().change_settings(&rita.actor, inside, origin()).await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        assert!(!forecast(&kit, &owner, networks("192.0.2.7")).await.own_address_outside);
        assert!(forecast(&kit, &owner, networks("10.0.0.0/8")).await.own_address_outside);
        kit.core().change_settings(&owner, networks("10.0.0.0/8"), origin()).await.unwrap();
        kit.owner_session(&acme).await;
    }

    /// Where the owner cannot log on, the settings keep a way in for an administrator.
    async fn c32_no_settings_shut_out_everybody_who_could_change_them(kit: Kit) {
        let acme = kit.account("acme").await;
        let (rita, _) = (kit.administrator(&acme, "rita").await, kit.ram_user(&acme, "alice").await);
        let (owner, hers) = (kit.owner_session(&acme).await.actor, kit.session(&rita).await.actor);
        came_from(&kit, &acme, "rita", Some("192.0.2.7")).await;
        forecast(&kit, &owner, networks("10.0.0.0/8")).await;
        let off = "UPDATE login_profiles SET console_logon = 'disabled' WHERE principal_id = $1";
        kit.sql(off, params![owner.principal_id()]).await;
        let refused = kit.core().forecast_settings(&owner, networks("10.0.0.0/8"), origin()).await;
        assert_eq!(refusal(refused), Refusal::NoAdministratorPath);
        let refused = kit.core().change_settings(&owner, networks("10.0.0.0/8"), origin()).await;
        assert_eq!(refusal(refused), Refusal::NoAdministratorPath);
        forecast(&kit, &owner, networks("192.0.2.0/24")).await;
        // It is by his own address, not by a logon long ago, that the changer gets in.
        came_from(&kit, &acme, "rita", Some("203.0.113.9")).await;
        forecast(&kit, &hers, networks("192.0.2.0/24")).await;
        kit.core().change_settings(&hers, no_initial_age(), origin()).await.unwrap();
        kit.advance(DAY * 30);
        let hers = kit.session(&rita).await.actor;
        let hard = PolicyChange { max_age_days: Some(30), hard_expire: Some(true), ..PolicyChange::default() };
        let refused = kit.core().change_settings(&hers, policy(hard), origin()).await;
        assert_eq!(refusal(refused), Refusal::NoAdministratorPath);
        let soft = PolicyChange { hard_expire: None, ..hard };
        forecast(&kit, &hers, policy(soft)).await;
    }

    /// Over all users, with the administrators by name: who would be refused, asked, or have to do something.
    async fn c32_x9_a_change_is_foretold(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.ram_user(&kit.account("other").await, "stranger").await;
        let rita = kit.administrator(&acme, "rita").await;
        let alice = kit.ram_user(&acme, "alice").await;
        kit.bound_user(&acme, "bob").await;
        kit.ram_user_with(&acme, "carol", Some(login_with_mfa())).await;
        let off = LoginChange { console_logon: ConsoleLogon::Disabled, password: PasswordChange::Keep, ..login() };
        kit.ram_user_with(&acme, "off", Some(off)).await;
        kit.ram_user_with(&acme, "bare", None).await;
        let (hers, ritas) = (kit.session(&alice).await, kit.session(&rita).await);
        came_from(&kit, &acme, "alice", Some("10.1.2.3")).await;
        came_from(&kit, &acme, "rita", Some("203.0.113.9")).await;
        came_from(&kit, &acme, "bob", Some("203.0.113.9")).await;
        came_from(&kit, &acme, "carol", None).await;
        remember(&kit, &hers.actor).await;
        let owner = kit.owner_session(&acme).await.actor;
        let sessions = kit.count("sessions").await;

        let told = forecast(&kit, &owner, mandatory()).await;
        assert_eq!(told.console_users, 4);
        assert_eq!(told.groups, [
            group(Effect::MustBind, 2, &["rita"]),
            group(Effect::MustBindAnyway, 1, &[]),
            group(Effect::MachineForgotten, 1, &[]),
        ]);
        // Those of the owner from setting up are good too; that of the stranger's account is not counted.
        assert!(told.sessions_ending >= 2 && told.sessions_ending < sessions, "{}", told.sessions_ending);
        let told = forecast(&kit, &owner, networks("10.0.0.0/8")).await;
        assert_eq!(told.groups, [
            group(Effect::OutsideNetworks, 2, &["rita"]),
            group(Effect::UnknownAddress, 1, &[]),
            group(Effect::MachineForgotten, 1, &[]),
        ]);
        let strength = |operation, strength| SettingsChange {
            strengths: vec![(operation, strength)],
            ..SettingsChange::default()
        };
        let told = forecast(&kit, &owner, strength(SensitiveOperation::Users, Strength::Always)).await;
        assert_eq!(told.groups.last(), Some(&group(Effect::ProofMoreOften, 1, &["rita"])));
        let looser = strength(SensitiveOperation::OwnPassword, Strength::Off);
        let told = forecast(&kit, &owner, looser.clone()).await;
        assert_eq!((told.groups, told.sessions_ending), (Vec::new(), 0));
        assert_eq!(told.differences.len(), 1);
        kit.core().change_settings(&owner, looser, origin()).await.unwrap();
        let told = forecast(&kit, &owner, strength(SensitiveOperation::OwnPassword, Strength::Always)).await;
        assert_eq!(told.groups.last(), Some(&group(Effect::ProofMoreOften, 4, &["rita"])));
        let adaptive = SettingsChange { mfa_for_logon: Some(MfaForLogon::Adaptive), ..SettingsChange::default() };
        let told = forecast(&kit, &owner, adaptive.clone()).await;
        assert_eq!(told.groups.first(), Some(&group(Effect::MustBind, 2, &["rita"])));
        kit.core().change_settings(&owner, adaptive, origin()).await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        let back = SettingsChange { mfa_for_logon: Some(MfaForLogon::Independent), ..SettingsChange::default() };
        let told = forecast(&kit, &owner, back).await;
        assert_eq!(told.groups.first(), Some(&group(Effect::AskedAtEveryLogon, 1, &[])));
        drop(ritas);
    }

    /// Ages of passwords and idleness, each with its own group.
    async fn c32_ages_and_idleness_are_foretold(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let hers = kit.session(&alice).await.actor;
        let chosen = "a passphrase of her own";
        kit.core().change_own_password(&hers, alice.secret(), chosen.into(), origin()).await.unwrap();
        kit.advance(DAY * 100);
        let owner = kit.owner_session(&acme).await.actor;
        let told = forecast(&kit, &owner, policy(PolicyChange { max_age_days: Some(90), ..PolicyChange::default() })).await;
        // Rita never changed the one that the owner gave her: it has outlived its fourteen days.
        assert_eq!(told.groups, [
            group(Effect::InitialPasswordExpired, 1, &["rita"]),
            group(Effect::MustChangePassword, 1, &[]),
        ]);
        let hard = PolicyChange {
            max_age_days: Some(90),
            hard_expire: Some(true),
            initial_age_days: Some(0),
            ..PolicyChange::default()
        };
        let told = forecast(&kit, &owner, policy(hard)).await;
        assert_eq!(told.groups, [group(Effect::PasswordExpired, 2, &["rita"])]);
        let idle = SettingsChange { max_idle_days_users: Some(IdleDays::D90), ..SettingsChange::default() };
        let told = forecast(&kit, &owner, idle).await;
        assert_eq!(told.groups, [group(Effect::Idle, 2, &["rita"])]);
        assert_eq!(told.sessions_ending, 0);
    }

    async fn only_administrators_are_foretold_anything(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.session(&kit.ram_user(&acme, "alice").await).await.actor;
        assert_eq!(refusal(kit.core().forecast_settings(&alice, mandatory(), origin()).await), Refusal::NoPermission);
        let change = policy(PolicyChange { minimum_length: Some(12), ..PolicyChange::default() });
        assert_eq!(refusal(kit.core().change_settings(&alice, change.clone(), origin()).await), Refusal::NoPermission);
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().change_settings(&owner, change, origin()).await.unwrap();
        let told = kit.events(&acme.id).await;
        let told: Vec<_> = told.iter().filter(|event| event.action == "SetPasswordPolicy").collect();
        let outcomes: Vec<_> = told.iter().map(|event| (event.outcome, event.details.as_str())).collect();
        assert_eq!(outcomes, [(Outcome::Refused, "mfa=no;"), (Outcome::Success, "mfa=no;minimum_length=8>12;")]);
    }

    /// A new password keeps to the account's rules, whoever chooses it; the owner's keeps to the floor.
    async fn c32_passwords_keep_to_the_policy(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let (owner, hers) = (kit.owner_session(&acme).await.actor, kit.session(&alice).await);
        let rules = PolicyChange {
            minimum_length: Some(32),
            require_uppercase: Some(true),
            require_numbers: Some(true),
            require_symbols: Some(true),
            ..PolicyChange::default()
        };
        kit.core().change_settings(&owner, policy(rules), origin()).await.unwrap();
        let hers = kit.core().session(&hers.token).await.unwrap();
        let (weak, strong) = ("another fine passphrase", "Another fine passphrase with 32 characters");
        let change = async |new: &str| {
            kit.core().change_own_password(&hers, alice.secret(), new.to_owned().into(), origin()).await
        };
        assert_eq!(refusal(change(weak).await), Refusal::PasswordTooWeak);
        let given = LoginChange { password: PasswordChange::Custom(weak.into()), ..login() };
        let owner = kit.owner_session(&acme).await.actor;
        let refused = kit.core().change_login_profile(&owner, "alice", given, origin()).await;
        assert_eq!(refusal(refused), Refusal::PasswordTooWeak);
        change(strong).await.unwrap();
        // A random one keeps to them too.
        let random = LoginChange { password: PasswordChange::Generate, ..login() };
        for name in ["bob", "carol", "dave"] {
            let person = kit.ram_user_with(&acme, name, Some(random.clone())).await;
            let broken = countersign_core::passwords::broken_rules(
                &person.secret(),
                name,
                &kit.core().settings(&owner, origin()).await.unwrap().password,
            );
            assert_eq!(broken, [], "{}", person.password);
        }
        let new = "quiet house";
        kit.core().change_own_password(&owner, acme.owner.secret(), new.into(), origin()).await.unwrap();
    }

    /// Earlier passwords are not used again, as many of them as the policy says, whoever sets the new one.
    async fn c32_earlier_passwords_are_not_used_again(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let change = async |old: &str, new: &str| {
            let person = countersign_testkit::Person { password: old.to_owned(), ..alice.clone() };
            let hers = kit.session(&person).await.actor;
            kit.core().change_own_password(&hers, old.to_owned().into(), new.to_owned().into(), origin()).await
        };
        let [one, two, three] = ["the first passphrase", "the second passphrase", "the third passphrase"];
        change(USER_PASSWORD, one).await.unwrap();
        change(one, two).await.unwrap();
        change(two, one).await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        let rule = policy(PolicyChange { reuse_prevention: Some(2), ..PolicyChange::default() });
        kit.core().change_settings(&owner, rule, origin()).await.unwrap();
        assert_eq!(refusal(change(one, one).await), Refusal::PasswordUnchanged);
        assert_eq!(refusal(change(one, two).await), Refusal::PasswordUsedBefore);
        let given = |text: &str| LoginChange { password: PasswordChange::Custom(text.to_owned().into()), ..login() };
        let owner = kit.owner_session(&acme).await.actor;
        let refused = kit.core().change_login_profile(&owner, "alice", given(two), origin()).await;
        assert_eq!(refusal(refused), Refusal::PasswordUsedBefore);
        // Of three earlier ones the oldest is free again.
        change(one, USER_PASSWORD).await.unwrap();
        kit.core().change_login_profile(&owner, "alice", given(three), origin()).await.unwrap();
        assert_eq!(refusal(change(three, USER_PASSWORD).await), Refusal::PasswordUsedBefore);
        assert!(kit.count("password_history").await >= 5);
        kit.core().delete_user(&owner, "alice", "alice", origin()).await.unwrap();
        assert_eq!(kit.count("password_history").await, 0);
    }

    /// A password that an administrator gave is an initial one until its user has chosen another.
    async fn c32_a_given_password_is_initial_until_its_user_chooses(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let owner = kit.owner_session(&acme).await.actor;
        let profile = async || kit.core().user(&owner, "alice", origin()).await.unwrap().profile.unwrap();
        let expires = async || profile().await.password_expires_at;
        let given_at = profile().await.password_changed_at.unwrap();
        assert_eq!(expires().await, Some(given_at.plus(DAY * 14)));
        let hers = kit.session(&alice).await.actor;
        assert_eq!(kit.core().own_security(&hers).await.unwrap().password_expires_at, Some(given_at.plus(DAY * 14)));
        let new = "a passphrase of her own";
        let token = kit.core().change_own_password(&hers, alice.secret(), new.into(), origin()).await.unwrap();
        assert_eq!(expires().await, None);
        // Other logon settings leave it hers; a reset does not.
        let kept = LoginChange { password: PasswordChange::Keep, ..login() };
        kit.core().change_login_profile(&owner, "alice", kept, origin()).await.unwrap();
        assert_eq!(expires().await, None);
        kit.core().reset_password(&owner, "alice", origin()).await.unwrap();
        assert!(expires().await.is_some());
        drop(token);
    }

    /// Console logon that nobody used for as long as the account allows is disabled, a batch at a time, and told.
    async fn c32_idle_console_logon_is_disabled(kit: Kit) {
        let (acme, other) = (kit.account("acme").await, kit.account("other").await);
        let (alice, bob) = (kit.ram_user(&acme, "alice").await, kit.ram_user(&acme, "bob").await);
        kit.ram_user(&other, "carol").await;
        let owner = kit.owner_session(&acme).await.actor;
        let idle = SettingsChange { max_idle_days_users: Some(IdleDays::D90), ..no_initial_age() };
        kit.core().change_settings(&owner, idle, origin()).await.unwrap();
        assert_eq!(kit.core().disable_idle_users().await.unwrap(), 0);
        kit.advance(DAY * 89);
        kit.session(&bob).await;
        assert_eq!(kit.core().disable_idle_users().await.unwrap(), 0);
        kit.advance(Duration::from_mins(30));
        assert_eq!(kit.core().disable_idle_users().await.unwrap(), 0);
        kit.advance(DAY);
        assert_eq!(kit.core().disable_idle_users().await.unwrap(), 1);
        let told = kit.events(&acme.id).await.pop().unwrap();
        assert_eq!((told.action.as_str(), told.target.as_str()), ("DisableIdleUser", "alice"));
        assert_eq!((told.actor.kind, told.details.as_str()), (ActorKind::System, "max_idle_days_users=90;"));
        assert_eq!(reason(kit.log_on(&alice).await), "console_logon_disabled");
        kit.session(&bob).await;
        // Enabled again, the days are counted anew; looked at again within the hour, nothing is looked for.
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().change_login_profile(&owner, "alice", login(), origin()).await.unwrap();
        kit.advance(DAY * 2);
        assert_eq!(kit.core().disable_idle_users().await.unwrap(), 0);
        kit.session(&alice).await;
        assert_eq!(kit.core().disable_idle_users().await.unwrap(), 0);
    }

    async fn c32_whoever_has_only_refused_keys_is_no_way_in(kit: Kit) {
        let acme = kit.account("acme").await;
        kit.administrator(&acme, "rita").await;
        kit.administrator(&acme, "rob").await;
        let owner = kit.owner_session(&acme).await;
        kit.core().change_settings(&owner.actor, no_initial_age(), origin()).await.unwrap();
        kit.bind_key_for(&acme, "rob", KeyKind::SecurityKey, &mut SoftKey::u2f()).await.unwrap();
        let owner = kit.owner_session(&acme).await;
        kit.bind_own_key(&owner, OWNER_PASSWORD, KeyKind::Passkey, &mut SoftKey::passkey()).await.unwrap();
        kit.sql("UPDATE webauthn_credentials SET held = 'disowned'", &[]).await;
        kit.advance(DAY * 731);
        assert_eq!(kit.core().disable_idle_users().await.unwrap(), 1);
        let events = kit.events(&acme.id).await;
        let spared = events.iter().find(|event| event.action == "SpareIdleUser").unwrap();
        assert_eq!(spared.target, "rita", "she could log on; neither the owner nor rob can");
    }

    /// Where the owner cannot log on, the last administrator keeps his console logon.
    async fn c32_the_last_administrator_is_not_disabled_as_idle(kit: Kit) {
        let acme = kit.account("acme").await;
        let mut admins = Vec::new();
        for name in ["rita", "rob", "ruth"] {
            admins.push(kit.administrator(&acme, name).await);
        }
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().change_settings(&owner, no_initial_age(), origin()).await.unwrap();
        let off = "UPDATE login_profiles SET console_logon = 'disabled' WHERE principal_id = $1";
        kit.sql(off, params![owner.principal_id()]).await;
        kit.advance(DAY * 731);
        assert_eq!(kit.core().disable_idle_users().await.unwrap(), 2);
        let left = "SELECT COUNT(*) FROM login_profiles WHERE console_logon = 'enabled'";
        assert_eq!(kit.int(left, params![]).await, 1);
        let spared = kit.events(&acme.id).await.into_iter().find(|event| event.action == "SpareIdleUser").unwrap().target;
        kit.advance(DAY);
        assert_eq!(kit.core().disable_idle_users().await.unwrap(), 0);
        // He is not refused as idle either.
        kit.session(admins.iter().find(|person| person.name == spared).unwrap()).await;
    }
}
