//! Proofs before sensitive operations.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::authorise::Action;
use countersign_core::settings::SettingsChange;
use countersign_core::step_up::Ways;
use countersign_core::{Error, Refusal, SessionActor};
use countersign_model::settings::{SensitiveOperation, Strength};
use countersign_testkit::people::{OWNER_PASSWORD, facts};
use countersign_testkit::{Account, Kit, Phone, Visitor, both_engines, demand, origin, reason, refusal};
use std::time::Duration;

const QUARTER: Duration = Duration::from_mins(15);

/// An owner with a device whose logon lies longer back than a proof counts.
async fn owner_of_old(kit: &Kit, acme: &Account) -> (Visitor, Phone) {
    let (_, phone) = kit.bound_owner(acme).await;
    let visitor = kit.session_with(&acme.owner, &phone).await;
    kit.advance(QUARTER);
    (visitor, phone)
}

async fn create(kit: &Kit, actor: &SessionActor, name: &str) -> Result<(), Error> {
    kit.core().create_user(actor, facts(name), None, origin()).await.map(drop)
}

const BY_CODE: Ways = Ways { code: true, key: false, password: false };
const BY_PASSWORD: Ways = Ways { code: false, key: false, password: true };

both_engines! {
    async fn c34_a04_a_sensitive_operation_asks_for_the_factor(kit: Kit) {
        let acme = kit.account("acme").await;
        let (owner, phone) = owner_of_old(&kit, &acme).await;
        let (refused, told) = kit.told(&acme.id, create(&kit, &owner.actor, "alice")).await;
        let asked = demand(refused);
        assert_eq!((asked.ways, asked.action), (BY_CODE, Action::CreateUser));
        assert_eq!(told.len(), 1);
        assert!(told.iter().all(|line| line.contains("CreateUser") && line.contains("proof_required")), "{told:?}");
        let (owner, created) = kit.proved(&owner, &phone.code(&kit), async |actor| create(&kit, &actor, "alice").await).await;
        created.unwrap();
        // Once in fifteen minutes.
        create(&kit, &owner.actor, "bob").await.unwrap();
        kit.advance(QUARTER);
        demand(create(&kit, &owner.actor, "carol").await);
    }

    async fn a_fresh_logon_with_the_factor_is_a_proof_and_one_without_it_is_none(kit: Kit) {
        let acme = kit.account("acme").await;
        // Without a device the password is all there is.
        let bare = kit.owner_session(&acme).await;
        create(&kit, &bare.actor, "alice").await.unwrap();
        kit.advance(QUARTER);
        assert_eq!(demand(create(&kit, &bare.actor, "bob").await).ways, BY_PASSWORD);
        // A device bound since is what proves, and the logon did not show it.
        let young = kit.owner_session(&acme).await;
        let (young, phone) = kit.bind_own(&acme.owner, &young).await;
        assert_eq!(demand(create(&kit, &young.actor, "bob").await).ways, BY_CODE);
        let fresh = kit.session_with(&acme.owner, &phone).await;
        create(&kit, &fresh.actor, "bob").await.unwrap();
    }

    async fn a_principal_without_a_device_proves_by_password(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await;
        kit.advance(QUARTER);
        let asked = demand(create(&kit, &owner.actor, "alice").await);
        let wrong = kit.core().prove(&owner.actor, &asked.token, "not this one".into(), origin()).await;
        assert_eq!(refusal(wrong), Refusal::OldPasswordIncorrect);
        let token = kit.core().prove(&owner.actor, &asked.token, OWNER_PASSWORD.into(), origin()).await.unwrap();
        let owner = kit.visitor(token).await.actor.with_proof(asked.token);
        create(&kit, &owner, "alice").await.unwrap();
    }

    async fn attack_105_c35_a_proof_is_for_one_operation_its_arguments_its_user_and_its_session(kit: Kit) {
        let acme = kit.account("acme").await;
        let always = |operation| SettingsChange {
            strengths: vec![(operation, Strength::Always)],
            ..SettingsChange::default()
        };
        let (owner, phone) = kit.bound_owner(&acme).await;
        let code = phone.code(&kit);
        let change = async |actor: SessionActor| {
            kit.core().change_settings(&actor, always(SensitiveOperation::Users), origin()).await
        };
        let changed = kit.proved(&owner, &code, change).await.1.unwrap();
        kit.next_step();
        let owner = kit.visitor(changed.token.unwrap()).await;
        let other = kit.session_with(&acme.owner, &phone).await;
        let asked = demand(create(&kit, &owner.actor, "alice").await);
        let code = phone.code(&kit);
        // Another session of the same person cannot give it, nor use it.
        let foreign = kit.core().prove(&other.actor, &asked.token, code.clone().into(), origin()).await;
        assert_eq!(refusal(foreign), Refusal::ProofOver);
        let token = kit.core().prove(&owner.actor, &asked.token, code.into(), origin()).await.unwrap();
        kit.next_step();
        let owner = kit.visitor(token).await.actor;
        demand(create(&kit, &other.actor.clone().with_proof(asked.token.clone()), "alice").await);
        let proved = owner.clone().with_proof(asked.token.clone());
        // Other arguments, another operation.
        demand(create(&kit, &proved, "mallory").await);
        demand(kit.core().delete_user(&proved, "alice", "alice", origin()).await);
        // The very one, once.
        create(&kit, &proved, "alice").await.unwrap();
        kit.core().delete_user(&owner, "alice", "alice", origin()).await.unwrap_err();
        demand(create(&kit, &proved, "alice").await);
    }

    async fn attack_112_one_proof_allows_one_of_many_at_once(mut kit: Kit) {
        let second = kit.second_node().await;
        let acme = kit.account("acme").await;
        let (owner, phone) = owner_of_old(&kit, &acme).await;
        let asked = demand(create(&kit, &owner.actor, "alice").await);
        let token = kit.core().prove(&owner.actor, &asked.token, phone.code(&kit).into(), origin()).await.unwrap();
        let actor = kit.visitor(token).await.actor.with_proof(asked.token);
        // The window that the proof has opened would let them all through.
        kit.sql("DELETE FROM proof_windows", &[]).await;
        let tasks: Vec<_> = (0..64)
            .map(|number| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let actor = actor.clone();
                tokio::spawn(async move { core.create_user(&actor, facts("alice"), None, origin()).await })
            })
            .collect();
        let (mut done, mut asked_again) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => done += 1,
                Err(Error::ProofRequired(_)) => asked_again += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((done, asked_again), (1, 63));
    }

    async fn a_proof_that_was_not_given_or_ran_out_allows_nothing(kit: Kit) {
        let acme = kit.account("acme").await;
        let (owner, phone) = owner_of_old(&kit, &acme).await;
        let asked = demand(create(&kit, &owner.actor, "alice").await);
        demand(create(&kit, &owner.actor.clone().with_proof(asked.token.clone()), "alice").await);
        kit.advance(Duration::from_mins(5));
        let late = kit.core().prove(&owner.actor, &asked.token, phone.code(&kit).into(), origin()).await;
        assert_eq!(refusal(late), Refusal::ProofOver);
    }

    async fn attack_004_attack_026_step_up_shares_ledger_and_budget_with_logon(kit: Kit) {
        let acme = kit.account("acme").await;
        let (owner, phone) = owner_of_old(&kit, &acme).await;
        let asked = demand(create(&kit, &owner.actor, "alice").await);
        let code = phone.code(&kit);
        let pending = kit.waiting(&acme.owner, countersign_model::logon::LogonState::SecondFactor).await;
        kit.core().logon_with_code(&pending, code.clone(), origin()).await.unwrap();
        let replay = kit.core().prove(&owner.actor, &asked.token, code.into(), origin()).await;
        assert_eq!(refusal(replay), Refusal::WrongCode);
        for wrong in phone.wrong_codes(&kit).take(4) {
            let refused = kit.core().prove(&owner.actor, &asked.token, wrong.into(), origin()).await;
            assert_eq!(refusal(refused), Refusal::WrongCode);
        }
        let next = phone.code_at(&kit, 1);
        let refused = kit.core().prove(&owner.actor, &asked.token, next.into(), origin()).await;
        assert_eq!(reason(refused), "factor_paused");
    }

    async fn attack_092_the_session_has_a_new_secret_after_a_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        let (owner, phone) = owner_of_old(&kit, &acme).await;
        let asked = demand(create(&kit, &owner.actor, "alice").await);
        let token = kit.core().prove(&owner.actor, &asked.token, phone.code(&kit).into(), origin()).await.unwrap();
        assert_eq!(refusal(kit.core().session(&owner.token).await), Refusal::NotLoggedOn);
        let renewed = kit.visitor(token).await.actor;
        // What the session is worth has not changed by it.
        assert_eq!(renewed.session().session.methods, owner.actor.session().session.methods);
        assert_eq!(renewed.session().session.created_at, owner.actor.session().session.created_at);
    }

    async fn whoever_may_not_do_it_is_not_asked(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let alice = kit.session(&alice).await;
        kit.advance(QUARTER);
        assert_eq!(refusal(create(&kit, &alice.actor, "mallory").await), Refusal::NoPermission);
    }

    async fn x9_the_account_sets_how_often_an_operation_asks(kit: Kit) {
        let acme = kit.account("acme").await;
        let owner = kit.owner_session(&acme).await.actor;
        let set = |strength| SettingsChange {
            strengths: vec![(SensitiveOperation::Users, strength)],
            ..SettingsChange::default()
        };
        kit.core().change_settings(&owner, set(Strength::Off), origin()).await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        kit.advance(QUARTER);
        create(&kit, &owner, "alice").await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().change_settings(&owner, set(Strength::Always), origin()).await.unwrap();
        let owner = kit.owner_session(&acme).await.actor;
        demand(create(&kit, &owner, "bob").await);
    }

    async fn attack_061_an_old_session_adds_no_factor_without_a_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let old = kit.session_with(&alice, &phone).await.actor;
        demand(kit.core().make_own_recovery_codes(&old, origin()).await);
        let replace = kit.core().start_own_binding(&old, "not this one".into(), origin()).await;
        assert_eq!(refusal(replace), Refusal::OldPasswordIncorrect);
        let change = kit.core().change_own_password(&old, alice.secret(), "another long phrase".into(), origin()).await;
        demand(change);
    }

    async fn a_refused_operation_leaves_its_proof(kit: Kit) {
        let acme = kit.account("acme").await;
        let (owner, phone) = owner_of_old(&kit, &acme).await;
        let asked = demand(kit.core().delete_user(&owner.actor, "nobody", "nobody", origin()).await);
        let token = kit.core().prove(&owner.actor, &asked.token, phone.code(&kit).into(), origin()).await.unwrap();
        let owner = kit.visitor(token).await.actor.with_proof(asked.token);
        let refused = kit.core().delete_user(&owner, "nobody", "nobody", origin()).await;
        assert_eq!(refusal(refused), Refusal::UserNotFound);
    }
}
