//! What lies in the database and what comes out of it: no secret in clear, and nothing that works in another place.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::keyring::KeyRing;
use countersign_core::operator::OwnerPassword;
use countersign_core::users::{LoginChange, MfaFilter, PasswordChange, UsersQuery};
use countersign_core::{Error, Refusal};
use countersign_model::logon::LogonState;
use countersign_model::token::Token;
use countersign_testkit::people::{OWNER_PASSWORD, USER_PASSWORD, expose, login, login_with_mfa, one_code};
use countersign_testkit::rows::Dump;
use countersign_testkit::{Kit, Person, Phone, both_engines, origin, reason, refusal};

/// Alice's id.
const OF_ALICE: &str = "(SELECT principal_id FROM principals WHERE name = 'alice')";

both_engines! {
    async fn attack_135_no_view_shows_a_seed_or_a_hash(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let owner = kit.owner_session(&acme).await.actor;
        let core = kit.core();
        let query = UsersQuery { search: String::new(), mfa: MfaFilter::Any, offset: 0, limit: 10 };
        let shown = [
            format!("{:?}", core.user(&owner, "alice", origin()).await.unwrap()),
            format!("{:?}", core.list_users(&owner, query, origin()).await.unwrap()),
            format!("{:?}", core.overview(&owner, origin()).await.unwrap()),
            format!("{:?}", core.settings(&owner, origin()).await.unwrap()),
            format!("{:?}", core.own_security(&visitor.actor).await.unwrap()),
            format!("{:?}", core.list_accounts().await.unwrap()),
            format!("{visitor:?}"),
            format!("{:?}", kit.waiting(&alice, LogonState::SecondFactor).await),
        ];
        for text in shown {
            assert!(!text.contains("argon2"), "{text}");
            assert!(!text.contains("sealed"), "{text}");
            for key in seed_texts(&phone) {
                assert!(!text.to_lowercase().contains(&key), "{text}");
            }
        }
    }

    async fn attack_139_a_seed_copied_onto_another_row_does_not_open(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, _) = kit.bound_user(&acme, "alice").await;
        let (bob, bobs_phone) = kit.bound_user(&acme, "bob").await;
        let copy = "UPDATE virtual_mfa SET sealed_seed = (SELECT other.sealed_seed FROM virtual_mfa other \
                    WHERE other.principal_id <> virtual_mfa.principal_id) WHERE principal_id = \
                    (SELECT principal_id FROM principals WHERE name = 'alice')";
        assert_eq!(kit.sql(copy, &[]).await, 1);
        assert_eq!(try_code(&kit, &alice, bobs_phone.code(&kit)).await, "seed_does_not_open");
        kit.session_with(&bob, &bobs_phone).await;
    }

    async fn attack_139_a_device_given_to_another_principal_does_not_open(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, _) = kit.bound_user(&acme, "alice").await;
        let (_, bobs_phone) = kit.bound_user(&acme, "bob").await;
        assert_eq!(kit.sql(leak(format!("DELETE FROM virtual_mfa WHERE principal_id = {OF_ALICE}")), &[]).await, 1);
        assert_eq!(kit.sql(leak(format!("UPDATE virtual_mfa SET principal_id = {OF_ALICE}")), &[]).await, 1);
        assert_eq!(try_code(&kit, &alice, bobs_phone.code(&kit)).await, "seed_does_not_open");
    }

    async fn attack_139_a_device_under_another_id_does_not_open(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let rename = "UPDATE virtual_mfa SET device_id = '00112233445566778899aabbccddeeff'";
        assert_eq!(kit.sql(rename, &[]).await, 1);
        assert_eq!(try_code(&kit, &alice, phone.code(&kit)).await, "seed_does_not_open");
    }

    async fn attack_139_a_device_put_back_after_it_was_unbound_is_of_no_use_to_another_binding(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, old) = kit.bound_user(&acme, "alice").await;
        let rows = kit.rows("SELECT sealed_seed FROM virtual_mfa", &[]).await;
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        let [countersign_store::Value::Blob(sealed)] = row.as_slice() else { panic!("{row:?}") };
        let owner = kit.owner_session(&acme).await.actor;
        kit.core().unbind_for(&owner, "alice", origin()).await.unwrap();
        kit.bind_for(&acme, "alice").await;
        kit.sql("UPDATE virtual_mfa SET sealed_seed = $1", countersign_store::params![sealed]).await;
        assert_eq!(try_code(&kit, &alice, old.code(&kit)).await, "seed_does_not_open");
    }

    async fn attack_139_a_seed_that_does_not_open_is_told_like_a_wrong_code_and_counted(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let flipped = match kit.engine() {
            countersign_testkit::Engine::Sqlite => "UPDATE virtual_mfa SET sealed_seed = zeroblob(60)",
            countersign_testkit::Engine::Postgres => {
                "UPDATE virtual_mfa SET sealed_seed = set_byte(sealed_seed, 30, 255 - get_byte(sealed_seed, 30))"
            }
        };
        kit.sql(flipped, &[]).await;
        for _ in 0..5 {
            let token = kit.waiting(&alice, LogonState::SecondFactor).await;
            let refused = kit.core().logon_with_code(&token, phone.code(&kit), origin()).await;
            assert_eq!(refusal(refused), Refusal::WrongCode);
        }
        assert_eq!(try_code(&kit, &alice, phone.code(&kit)).await, "factor_paused");
    }

    async fn attack_140_a_dump_holds_no_token_password_code_or_seed(kit: Kit) {
        let acme = kit.account("acme").await;
        let set_up = kit.core().offer_set_up().await.unwrap();
        assert!(set_up.is_none());
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let visitor = kit.session_with(&alice, &phone).await;
        let pending_phone = {
            kit.core().start_own_binding(&visitor.actor, alice.secret(), origin()).await.unwrap();
            Phone::scan(&kit.core().own_binding(&visitor.actor).await.unwrap())
        };
        let random = LoginChange { password: PasswordChange::Generate, ..login() };
        let bob = kit.ram_user_with(&acme, "bob", Some(random)).await;
        let waiting = kit.waiting(&alice, LogonState::SecondFactor).await;
        let code = phone.code(&kit);
        let wrong_code = phone.wrong_codes(&kit).nth(54_321).unwrap();
        let wrong_password = "a typo of a password";
        try_code(&kit, &alice, wrong_code.clone()).await;
        refusal(kit.log_on_as(&alice.logon_name, wrong_password).await);
        // A password typed into the field of the name.
        let name = format!("{}@acme", "hunter2-hunter2");
        let mistyped = countersign_model::names::LogonName::ram_user(&name, "countersign.local").unwrap();
        refusal(kit.log_on_as(&mistyped, USER_PASSWORD).await);
        let events = kit.dump_of("audit_events").await;
        assert!(!events.holds(b"hunter2"), "what a stranger typed as a name is not kept for ever");

        let dump = kit.dump().await;
        for token in [&visitor.token, &waiting] {
            assert!(!dump.holds(token.expose().as_bytes()));
        }
        for password in [USER_PASSWORD, OWNER_PASSWORD, &bob.password, wrong_password] {
            assert!(!dump.holds(password.as_bytes()), "{password}");
        }
        for phone in [&phone, &pending_phone] {
            no_seed(&dump, phone);
        }
        for typed in [code, wrong_code] {
            assert!(!events.holds(typed.as_bytes()));
        }
    }

    async fn attack_140_a_set_up_token_is_stored_as_its_hash(kit: Kit) {
        let token = kit.core().offer_set_up().await.unwrap().unwrap();
        assert!(!kit.dump().await.holds(token.expose().as_bytes()));
        let stored = kit.rows("SELECT value FROM facts WHERE name = 'set_up_token'", &[]).await;
        assert_eq!(stored.len(), 1);
    }

    async fn the_audit_log_holds_no_code_password_or_seed_whatever_is_done(kit: Kit) {
        let acme = kit.account("acme").await;
        let core = kit.core();
        let alice =
            kit.ram_user_with(&acme, "alice", Some(LoginChange { reset_required: true, ..login_with_mfa() })).await;
        let token = kit.waiting(&alice, LogonState::ChoosePassword).await;
        let chosen = "another long phrase";
        let step = core.logon_with_new_password(&token, chosen.into(), origin()).await.unwrap();
        let countersign_core::logon::LogonStep::Ask { token, .. } = step else { panic!("{step:?}") };
        core.start_logon_binding(&token, origin()).await.unwrap();
        let phone = Phone::scan(&core.logon_binding(&token).await.unwrap());
        let bound = phone.code(&kit);
        let step = core.confirm_logon_binding(&token, one_code(bound.clone()), origin()).await.unwrap();
        let visitor = kit.opened(step).await;
        kit.next_step();
        let new = "a third long phrase";
        let token = kit.change_password(&visitor, &phone, chosen, new).await;
        let visitor = kit.visitor(token).await;
        let wrong = phone.wrong_codes(&kit).nth(54_321).unwrap();
        refusal(core.unbind_own(&visitor.actor, wrong.clone(), origin()).await);
        let password = core.reset_owner_password("acme", OwnerPassword::Generate).await.unwrap().unwrap();

        let log = kit.dump_of("audit_events").await;
        for secret in [USER_PASSWORD, OWNER_PASSWORD, chosen, new, &expose(&password), &bound, &wrong] {
            assert!(!log.holds(secret.as_bytes()), "{secret}");
        }
        no_seed(&log, &phone);
        assert!(!log.holds(visitor.token.expose().as_bytes()));
    }

    async fn other_keys_are_refused_and_rotated_ones_are_not(mut kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let wrong = kit.restart_with(KeyRing::generate(|bytes| bytes.fill(8))).await;
        let Err(Error::Fault(told)) = wrong else { panic!("{wrong:?}") };
        assert!(told.contains("key ring"), "{told}");

        let rotated = countersign_testkit::kit::keys().with_next_version(|bytes| bytes.fill(9)).unwrap();
        kit.restart_with(rotated).await.unwrap();
        kit.session_with(&alice, &phone).await;
        assert_eq!(kit.core().use_prepared_key().await.unwrap(), Some(2));
        let (bob, bobs_phone) = kit.bound_user(&acme, "bob").await;
        kit.session_with(&bob, &bobs_phone).await;
        // The ring from before the rotation could not open what was sealed since.
        let before = kit.restart_with(countersign_testkit::kit::keys()).await;
        assert!(matches!(before, Err(Error::Fault(_))), "{before:?}");
    }
}

/// The reason for which a code is refused.
async fn try_code(kit: &Kit, person: &Person, code: String) -> &'static str {
    let token = kit.waiting(person, LogonState::SecondFactor).await;
    reason(kit.core().logon_with_code(&token, code, origin()).await)
}

fn no_seed(dump: &Dump, phone: &Phone) {
    assert!(!dump.holds(phone.seed().expose()));
    for text in seed_texts(phone) {
        assert!(!dump.holds(text.as_bytes()) && !dump.holds(text.to_uppercase().as_bytes()));
    }
}

/// A seed as it could be written, in lower case: base32, hexadecimal.
fn seed_texts(phone: &Phone) -> [String; 2] {
    let base32 = expose(&phone.seed().to_base32()).to_lowercase();
    [base32, data_encoding::HEXLOWER.encode(phone.seed().expose())]
}

fn leak(sql: String) -> &'static str {
    Box::leak(sql.into_boxed_str())
}

#[test]
fn a_token_is_never_printed() {
    let token = Token::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    assert!(!format!("{token:?}").contains("AAAA"));
}
