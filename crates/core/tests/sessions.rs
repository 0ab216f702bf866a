//! Sessions: what opens one, what ends one, and that nothing else does.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on stops"
)]

use countersign_core::binding::TypedCodes;
use countersign_core::logon::LogonStep;
use countersign_core::operator::OwnerPassword;
use countersign_core::users::{LoginChange, PasswordChange};
use countersign_core::{Countersign, Refusal};
use countersign_model::Entropy as _;
use countersign_model::logon::{LogonState, Method};
use countersign_model::principal::ConsoleLogon;
use countersign_model::session::SESSIONS_PER_PRINCIPAL;
use countersign_model::token::Token;
use countersign_store::{Value, params};
use countersign_testkit::people::{login, login_with_mfa, one_code};
use countersign_testkit::{Account, Kit, Person, Phone, Visitor, both_engines, origin, reason, refusal};
use data_encoding::BASE64URL_NOPAD;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);
/// Another process changes something about Alice: her epoch rises.
const CHANGE: &str = "UPDATE principals SET epoch = epoch + 1, version = version + 1 WHERE name = 'alice'";

both_engines! {
    async fn attack_091_attack_092_every_passed_step_has_a_new_secret(kit: Kit) {
        let acme = kit.account("acme").await;
        let due = LoginChange { reset_required: true, ..login_with_mfa() };
        let alice = kit.ram_user_with(&acme, "alice", Some(due)).await;
        let first = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        let step = kit.core().logon_with_password(&first, alice.secret(), origin()).await.unwrap();
        let LogonStep::Ask { token: second, .. } = step else { panic!("{step:?}") };
        let step = kit.core().logon_with_new_password(&second, "another long phrase".into(), origin()).await.unwrap();
        let LogonStep::Ask { token: third, .. } = step else { panic!("{step:?}") };
        kit.core().start_logon_binding(&third, origin()).await.unwrap();
        let phone = Phone::scan(&kit.core().logon_binding(&third).await.unwrap());
        let step = kit.core().confirm_logon_binding(&third, one_code(phone.code(&kit)), origin()).await.unwrap();
        let visitor = kit.opened(step).await;
        for old in [&first, &second, &third] {
            assert_ne!(old.expose(), visitor.token.expose());
            assert_eq!(refusal(kit.core().session(old).await), Refusal::NotLoggedOn);
            assert_eq!(refusal(kit.core().logon(old).await), Refusal::LogonOver);
        }
        assert_eq!(refusal(kit.core().logon(&visitor.token).await), Refusal::LogonOver);
    }

    async fn attack_092_a_change_of_ones_own_gives_the_session_a_new_secret(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let visitor = kit.session(&alice).await;
        let (bound, phone) = kit.bind_own(&alice, &visitor).await;
        let token = kit.core().unbind_own(&bound.actor, phone.code(&kit), origin()).await.unwrap();
        let unbound = kit.visitor(token).await;
        for old in [&visitor, &bound] {
            assert_eq!(refusal(kit.core().session(&old.token).await), Refusal::NotLoggedOn);
            // Nor does an actor that was found under the old secret do anything.
            assert_eq!(refusal(kit.core().own_security(&old.actor).await), Refusal::NotLoggedOn);
        }
        let session = &unbound.actor.session().session;
        assert_eq!(session.id, visitor.actor.session().session.id);
        assert_eq!(session.methods, [Method::Password], "what it is worth is written once");
    }

    async fn attack_093_a_change_ends_every_other_session_on_every_node(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        for (number, change) in Change::ALL.into_iter().enumerate() {
            let name = format!("user{number}");
            let (person, phone) = kit.bound_user(&acme, &name).await;
            let mut visitors = Vec::new();
            for _ in 0..5 {
                visitors.push(kit.session_with(&person, &phone).await);
            }
            let bystander = kit.owner_session(&acme).await;
            let own = make(&kit, &acme, change, &person, &phone, &visitors[0]).await;
            for visitor in &visitors {
                for node in [kit.core(), &second] {
                    assert_eq!(refusal(node.session(&visitor.token).await), Refusal::NotLoggedOn, "{change:?}");
                    assert_eq!(refusal(node.own_security(&visitor.actor).await), Refusal::NotLoggedOn, "{change:?}");
                }
            }
            for node in [kit.core(), &second] {
                node.session(&bystander.token).await.unwrap();
                if let Some(own) = &own {
                    node.session(own).await.unwrap();
                }
            }
        }
    }

    async fn attack_093_the_operator_ends_the_owners_sessions(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let (visitor, phone) = kit.bound_owner(&acme).await;
        kit.core().reset_owner_password("acme", OwnerPassword::Chosen("a brand new phrase".into())).await.unwrap();
        assert_eq!(refusal(second.session(&visitor.token).await), Refusal::NotLoggedOn);
        let owner = Person { password: "a brand new phrase".to_owned(), ..acme.owner.clone() };
        let visitor = kit.session_with(&owner, &phone).await;
        kit.core().reset_owner_mfa("acme").await.unwrap();
        assert_eq!(refusal(second.session(&visitor.token).await), Refusal::NotLoggedOn);
    }

    async fn attack_093_a_change_that_comes_between_is_not_undone_by_a_password_change(kit: Kit) {
        let (_, alice, visitor) = alice_and_her_session(&kit).await;
        let (core, actor, old) = (kit.core().clone(), visitor.actor.clone(), alice.secret());
        let change = async move { core.change_own_password(&actor, old, "another long phrase".into(), origin()).await };
        assert_eq!(refusal(kit.overtaken(CHANGE, change).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        kit.session(&alice).await;
    }

    async fn attack_093_a_change_that_comes_between_is_not_undone_by_a_binding(kit: Kit) {
        let (_, alice, visitor) = alice_and_her_session(&kit).await;
        kit.core().start_own_binding(&visitor.actor, alice.secret(), origin()).await.unwrap();
        let phone = Phone::scan(&kit.core().own_binding(&visitor.actor).await.unwrap());
        let (core, actor, typed) = (kit.core().clone(), visitor.actor.clone(), one_code(phone.code(&kit)));
        let confirm = async move { core.confirm_own_binding(&actor, typed, origin()).await };
        assert_eq!(refusal(kit.overtaken(CHANGE, confirm).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        assert_eq!(kit.int("SELECT COUNT(*) FROM virtual_mfa WHERE state = 'bound'", &[]).await, 0);
    }

    async fn attack_093_a_change_that_comes_between_is_not_undone_by_unbinding(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let (core, actor, code) = (kit.core().clone(), visitor.actor.clone(), phone.code(&kit));
        let unbind = async move { core.unbind_own(&actor, code, origin()).await };
        assert_eq!(refusal(kit.overtaken(CHANGE, unbind).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        kit.session_with(&alice, &phone).await;
    }

    async fn attack_068_a_binding_started_between_is_not_confirmed_by_halves(kit: Kit) {
        let (_, alice, visitor) = alice_and_her_session(&kit).await;
        kit.core().start_own_binding(&visitor.actor, alice.secret(), origin()).await.unwrap();
        let phone = Phone::scan(&kit.core().own_binding(&visitor.actor).await.unwrap());
        let (core, actor, typed) = (kit.core().clone(), visitor.actor.clone(), one_code(phone.code(&kit)));
        let confirm = async move { core.confirm_own_binding(&actor, typed, origin()).await };
        let restart = "DELETE FROM virtual_mfa WHERE state = 'pending'";
        let outcome = kit.overtaken(restart, confirm).await;
        if kit.engine() == countersign_testkit::Engine::Sqlite {
            assert_eq!(reason(outcome), "no_pending_device");
        } else {
            assert!(outcome.is_err());
        }
        kit.core().session(&visitor.token).await.unwrap();
    }

    async fn attack_068_a_profile_changed_between_is_not_undone_by_a_chosen_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let due = LoginChange { reset_required: true, ..login() };
        let alice = kit.ram_user_with(&acme, "alice", Some(due)).await;
        let token = kit.waiting(&alice, LogonState::ChoosePassword).await;
        let core = kit.core().clone();
        let choose = async move { core.logon_with_new_password(&token, "another long phrase".into(), origin()).await };
        assert_eq!(refusal(kit.overtaken(CHANGE, choose).await), Refusal::LogonOver);
        kit.waiting(&alice, LogonState::ChoosePassword).await;
    }

    async fn attack_068_a_profile_changed_between_ends_the_binding_of_a_logon(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user_with(&acme, "alice", Some(login_with_mfa())).await;
        let token = kit.waiting(&alice, LogonState::Bind).await;
        kit.core().start_logon_binding(&token, origin()).await.unwrap();
        let phone = Phone::scan(&kit.core().logon_binding(&token).await.unwrap());
        let (core, typed) = (kit.core().clone(), one_code(phone.code(&kit)));
        let confirm = async move { core.confirm_logon_binding(&token, typed, origin()).await };
        assert_eq!(refusal(kit.overtaken(CHANGE, confirm).await), Refusal::LogonOver);
        kit.waiting(&alice, LogonState::Bind).await;
    }

    async fn attack_038_a_session_opened_over_a_change_is_dead(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let token = kit.waiting(&alice, LogonState::SecondFactor).await;
        let (core, code) = (kit.core().clone(), phone.code(&kit));
        let finish = async move { core.logon_with_code(&token, code, origin()).await };
        match kit.overtaken(CHANGE, finish).await {
            Ok(LogonStep::Open { token, .. }) => {
                assert_eq!(refusal(kit.core().session(&token).await), Refusal::NotLoggedOn);
            }
            other => assert_eq!(refusal(other), Refusal::LogonOver),
        }
    }

    async fn attack_094_a_session_is_over_after_logging_off(kit: Kit) {
        let (acme, alice, visitor) = alice_and_her_session(&kit).await;
        let other = kit.session(&alice).await;
        let (off, told) = kit.told(&acme.id, kit.core().log_off(&visitor.actor, origin())).await;
        off.unwrap();
        assert_eq!(told, ["alice ConsoleSignout success"]);
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.core().own_security(&visitor.actor).await), Refusal::NotLoggedOn);
        assert_eq!(refusal(kit.core().log_off(&visitor.actor, origin()).await), Refusal::NotLoggedOn);
        kit.core().session(&other.token).await.unwrap();
    }

    async fn attack_097_only_hashes_of_secrets_are_stored(kit: Kit) {
        let (_, alice, visitor) = alice_and_her_session(&kit).await;
        let pending = kit.core().begin_logon(alice.logon_name).await.unwrap();
        let dump = kit.dump().await;
        for token in [&visitor.token, &pending] {
            assert!(!dump.holds(token.expose().as_bytes()));
        }
        // What is stored is no secret that a browser could send.
        let rows = kit.rows("SELECT token_hash FROM sessions", &[]).await;
        let hashes = rows.into_iter().flatten().filter_map(|v| if let Value::Blob(v) = v { Some(v) } else { None });
        for hash in hashes {
            let forged = Token::parse(&BASE64URL_NOPAD.encode(&hash)).unwrap();
            assert_eq!(refusal(kit.core().session(&forged).await), Refusal::NotLoggedOn);
        }
    }

    async fn attack_100_a_token_is_exact_or_nothing(kit: Kit) {
        let (_, _, visitor) = alice_and_her_session(&kit).await;
        let text = visitor.token.expose();
        assert!(Token::parse(&text[1..]).is_none() && Token::parse(&format!("{text}A")).is_none());
        let swapped: String = text
            .chars()
            .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        let last = text.len() - 1;
        let others = [
            swapped,
            format!("{}{}", &text[1..], &text[..1]),
            format!("A{}", &text[1..]),
            format!("{}A", &text[..last]),
        ];
        for other in others.iter().filter(|other| *other != text).filter_map(|other| Token::parse(other)) {
            assert_eq!(refusal(kit.core().session(&other).await), Refusal::NotLoggedOn);
        }
        for _ in 0..2_000 {
            let mut guess = [0; 32];
            kit.entropy().fill(&mut guess);
            let guess = Token::parse(&BASE64URL_NOPAD.encode(&guess)).unwrap();
            assert_eq!(refusal(kit.core().session(&guess).await), Refusal::NotLoggedOn);
        }
    }

    async fn attack_101_a_session_ends_after_an_hour_without_use(kit: Kit) {
        let (_, alice, visitor) = alice_and_her_session(&kit).await;
        let idle = kit.session(&alice).await;
        kit.advance(Duration::from_secs(3_599));
        kit.core().session(&visitor.token).await.unwrap();
        seen(&kit, &visitor).await;
        kit.advance(SECOND);
        assert_eq!(reason(kit.core().session(&idle.token).await), "session_idle");
        assert_eq!(refusal(kit.core().own_security(&idle.actor).await), Refusal::NotLoggedOn);
        kit.core().session(&visitor.token).await.unwrap();
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("sessions").await, 1);
    }

    async fn attack_101_a_session_in_use_ends_after_six_hours_all_the_same(kit: Kit) {
        let (_, _, visitor) = alice_and_her_session(&kit).await;
        for _ in 0..7 {
            kit.advance(HOUR * 50 / 60);
            kit.core().session(&visitor.token).await.unwrap();
            seen(&kit, &visitor).await;
        }
        // 5 hours and 50 minutes are over.
        kit.advance(HOUR * 9 / 60);
        kit.core().session(&visitor.token).await.unwrap();
        kit.advance(HOUR / 60);
        assert_eq!(reason(kit.core().session(&visitor.token).await), "session_expired");
        kit.core().sweep().await.unwrap();
        assert_eq!(kit.count("sessions").await, 0);
    }

    async fn attack_101_a_session_does_not_live_before_its_time(kit: Kit) {
        let (_, _, visitor) = alice_and_her_session(&kit).await;
        kit.clock().set_back(HOUR * 24);
        assert_eq!(refusal(kit.core().session(&visitor.token).await), Refusal::NotLoggedOn);
    }

    async fn a_principal_has_48_sessions_and_the_oldest_gives_way(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut visitors = Vec::new();
        for _ in 0..SESSIONS_PER_PRINCIPAL + 2 {
            visitors.push(kit.session(&alice).await);
        }
        for (number, visitor) in visitors.iter().enumerate() {
            assert_eq!(kit.core().session(&visitor.token).await.is_ok(), number >= 2, "{number}");
        }
        let of_alice = "SELECT COUNT(*) FROM sessions WHERE principal_id = $1";
        let id = visitors[0].actor.principal_id();
        assert_eq!(kit.int(of_alice, params![id]).await, SESSIONS_PER_PRINCIPAL);
    }
}

/// What ends the sessions of a user.
#[derive(Debug, Clone, Copy)]
enum Change {
    OwnPassword,
    OwnUnbinding,
    OwnReplacement,
    Password,
    ConsoleLogonOff,
    MfaRequired,
    Unbinding,
    Deletion,
}

impl Change {
    const ALL: [Self; 8] = [
        Self::OwnPassword,
        Self::OwnUnbinding,
        Self::OwnReplacement,
        Self::Password,
        Self::ConsoleLogonOff,
        Self::MfaRequired,
        Self::Unbinding,
        Self::Deletion,
    ];
}

/// Makes a change; gives the new secret of the session that made it, if it was the user's own.
async fn make(
    kit: &Kit,
    acme: &Account,
    change: Change,
    person: &Person,
    phone: &Phone,
    visitor: &Visitor,
) -> Option<Token> {
    let core: &Countersign = kit.core();
    let owner = kit.owner_session(acme).await.actor;
    let name = person.name.as_str();
    let keep = LoginChange { password: PasswordChange::Keep, ..login() };
    match change {
        Change::OwnPassword => {
            return Some(kit.change_password(visitor, phone, &person.password, "another long phrase").await);
        }
        Change::OwnUnbinding => {
            return Some(core.unbind_own(&visitor.actor, phone.code(kit), origin()).await.unwrap());
        }
        Change::OwnReplacement => {
            core.start_own_binding(&visitor.actor, person.secret(), origin()).await.unwrap();
            let new = Phone::scan(&core.own_binding(&visitor.actor).await.unwrap());
            let typed = TypedCodes { of_replaced: phone.code(kit), ..one_code(new.code(kit)) };
            return Some(core.confirm_own_binding(&visitor.actor, typed, origin()).await.unwrap());
        }
        Change::Password => {
            let change = LoginChange { password: PasswordChange::Generate, ..keep };
            core.change_login_profile(&owner, name, change, origin()).await.unwrap();
        }
        Change::ConsoleLogonOff => {
            let change = LoginChange { console_logon: ConsoleLogon::Disabled, ..keep };
            core.change_login_profile(&owner, name, change, origin()).await.unwrap();
        }
        Change::MfaRequired => {
            let change = LoginChange { mfa_required: true, ..keep };
            core.change_login_profile(&owner, name, change, origin()).await.unwrap();
        }
        Change::Unbinding => core.unbind_for(&owner, name, origin()).await.unwrap(),
        Change::Deletion => core.delete_user(&owner, name, name, origin()).await.unwrap(),
    }
    None
}

async fn alice_and_her_session(kit: &Kit) -> (Account, Person, Visitor) {
    let acme = kit.account("acme").await;
    let alice = kit.ram_user(&acme, "alice").await;
    let visitor = kit.session(&alice).await;
    kit.sql("DELETE FROM sessions WHERE principal_id <> $1", params![visitor.actor.principal_id()]).await;
    (acme, alice, visitor)
}

/// Waits until the last use of a session is noted, which nobody else waits for.
async fn seen(kit: &Kit, visitor: &Visitor) {
    let id = &visitor.actor.session().session.id;
    let now = countersign_model::Clock::now(kit.clock()).minus(Duration::from_mins(1));
    let noted = "SELECT COUNT(*) FROM sessions WHERE session_id = $1 AND last_seen_at > $2";
    while kit.int(noted, params![id, now]).await == 0 {
        tokio::task::yield_now().await;
    }
}
