//! Remembered machines, known browsers and unusual logons.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

use countersign_core::logon::{GivenSecrets, LogonStep, TypedFactor};
use countersign_core::sessions::Ending;
use countersign_core::settings::{PolicyChange, SettingsChange};
use countersign_core::{Error, Origin, Refusal};
use countersign_model::logon::{LogonState, Method};
use countersign_model::settings::MfaForLogon;
use countersign_model::token::Token;
use countersign_testkit::{Account, Kit, Person, Phone, both_engines, origin, reason, refusal};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// A browser at an address, with what earlier logons gave it.
#[derive(Clone, Default)]
struct Machine {
    address: &'static str,
    browser: Option<Token>,
    remembered: Option<Token>,
}

impl Machine {
    fn at(address: &'static str) -> Self {
        Self { address, ..Self::default() }
    }

    fn origin(&self) -> Origin {
        Origin {
            browser: self.browser.clone(),
            machine: self.remembered.clone(),
            ..Origin::new(self.address.to_owned(), "a test")
        }
    }

    fn take(&mut self, given: &GivenSecrets) {
        self.browser = Some(given.browser.clone());
        self.remembered = given.machine.clone().or_else(|| self.remembered.take());
    }

    async fn password(&self, kit: &Kit, person: &Person) -> Result<LogonStep, Error> {
        let token = kit.core().begin_logon(person.logon_name.clone()).await?;
        kit.core().logon_with_password(&token, person.secret(), &self.origin()).await
    }

    /// Logs on; whether a code was asked for, and the session.
    async fn log_on(&mut self, kit: &Kit, person: &Person, phone: &Phone, remember: bool) -> (bool, Token) {
        let mut step = self.password(kit, person).await.unwrap();
        let mut asked = false;
        if let LogonStep::Ask { state: LogonState::SecondFactor, token } = &step {
            asked = true;
            let typed = TypedFactor { code: phone.code(kit), remember };
            step = kit.core().logon_with_code(token, typed, &self.origin()).await.unwrap();
            kit.next_step();
        }
        let LogonStep::Open { token, given, .. } = step else { panic!("{step:?}") };
        self.take(&given);
        (asked, token)
    }
}

async fn change(kit: &Kit, acme: &Account, change: SettingsChange) {
    let owner = kit.owner_session(acme).await.actor;
    kit.core().change_settings(&owner, change, origin()).await.unwrap();
}

/// An account that allows machines to be remembered, and a user with a device.
async fn remembering(kit: &Kit) -> (Account, Person, Phone) {
    let acme = kit.account("acme").await;
    change(kit, &acme, SettingsChange { remember_machines: Some(true), ..SettingsChange::default() }).await;
    let (alice, phone) = kit.bound_user(&acme, "alice").await;
    (acme, alice, phone)
}

both_engines! {
    async fn c31_attack_098_a_machine_is_remembered_for_seven_days_and_not_longer(kit: Kit) {
        let (_, alice, phone) = remembering(&kit).await;
        let mut home = Machine::at("192.0.2.7");
        assert!(home.log_on(&kit, &alice, &phone, true).await.0);
        // Used every day, it is forgotten all the same.
        for day in 1..7 {
            kit.advance(DAY);
            assert!(!home.log_on(&kit, &alice, &phone, false).await.0, "day {day}");
        }
        kit.advance(DAY.saturating_sub(Duration::from_mins(2)));
        assert!(!home.log_on(&kit, &alice, &phone, false).await.0);
        kit.advance(Duration::from_mins(2));
        assert!(home.log_on(&kit, &alice, &phone, false).await.0, "seven days are over");
    }

    async fn c30_x11_nothing_is_remembered_unless_the_account_allows_it(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut home = Machine::at("192.0.2.7");
        home.log_on(&kit, &alice, &phone, true).await;
        assert!(home.remembered.is_none());
        // Allowed, used, and forbidden again.
        change(&kit, &acme, SettingsChange { remember_machines: Some(true), ..SettingsChange::default() }).await;
        home.log_on(&kit, &alice, &phone, true).await;
        assert!(!home.log_on(&kit, &alice, &phone, false).await.0);
        change(&kit, &acme, SettingsChange { remember_machines: Some(false), ..SettingsChange::default() }).await;
        assert!(home.log_on(&kit, &alice, &phone, false).await.0);
    }

    async fn x11_an_owners_machine_is_not_remembered(kit: Kit) {
        let (acme, ..) = remembering(&kit).await;
        let (_, phone) = kit.bound_owner(&acme).await;
        let mut home = Machine::at("192.0.2.7");
        home.log_on(&kit, &acme.owner, &phone, true).await;
        assert!(home.remembered.is_none());
        assert!(home.log_on(&kit, &acme.owner, &phone, true).await.0);
    }

    async fn attack_102_a_copied_secret_ends_the_machine(kit: Kit) {
        let (acme, alice, phone) = remembering(&kit).await;
        let mut home = Machine::at("192.0.2.7");
        home.log_on(&kit, &alice, &phone, true).await;
        let mut thief = Machine { address: "203.0.113.9", ..home.clone() };
        assert!(!home.log_on(&kit, &alice, &phone, false).await.0);
        // The thief comes with the old secret: the machine is forgotten for both.
        let (_, told) = kit.told(&acme.id, async { thief.password(&kit, &alice).await.unwrap() }).await;
        assert!(told.iter().any(|line| line.contains("ForgetReplayedMachine")), "{told:?}");
        assert!(thief.log_on(&kit, &alice, &phone, false).await.0);
        assert!(home.log_on(&kit, &alice, &phone, false).await.0);
    }

    async fn attack_102_of_two_logons_with_one_secret_one_is_finished(kit: Kit) {
        let (_, alice, phone) = remembering(&kit).await;
        let mut home = Machine::at("192.0.2.7");
        home.log_on(&kit, &alice, &phone, true).await;
        let tries: Vec<_> = (0..8).map(|_| home.password(&kit, &alice)).collect();
        let mut opened = 0;
        for step in futures(tries).await {
            opened += usize::from(matches!(step, Ok(LogonStep::Open { .. })));
        }
        assert_eq!(opened, 1);
    }

    async fn attack_098_a_change_of_password_or_factor_or_an_end_forgets_machines(kit: Kit) {
        let (acme, alice, phone) = remembering(&kit).await;
        let owner = async || kit.owner_session(&acme).await.actor;
        for ending in ["forget", "forget all", "user", "everywhere"] {
            let mut home = Machine::at("192.0.2.7");
            let (_, token) = home.log_on(&kit, &alice, &phone, true).await;
            let actor = kit.visitor(token).await.actor;
            let machine = kit.core().own_places(&actor, origin()).await.unwrap().machines.remove(0);
            match ending {
                "forget" => kit.core().end_own(&actor, Ending::Machine(machine.id), origin()).await.unwrap(),
                "forget all" => kit.core().end_own(&actor, Ending::Machines, origin()).await.unwrap(),
                "user" => kit.core().end_of(&owner().await, "alice", Ending::Machines, origin()).await.unwrap(),
                _ => kit.core().log_off_everywhere(&actor, origin()).await.unwrap(),
            }
            assert!(home.log_on(&kit, &alice, &phone, false).await.0, "{ending}");
        }
        let mut home = Machine::at("192.0.2.7");
        let (_, token) = home.log_on(&kit, &alice, &phone, true).await;
        let visitor = kit.visitor(token).await;
        kit.change_password(&visitor, &phone, &alice.password, "another long phrase").await;
        let alice = Person { password: "another long phrase".to_owned(), ..alice };
        assert!(home.log_on(&kit, &alice, &phone, false).await.0, "the password has changed");
    }

    async fn attack_097_a_forged_secret_of_a_machine_opens_nothing(kit: Kit) {
        let (_, alice, phone) = remembering(&kit).await;
        let mut home = Machine::at("192.0.2.7");
        home.log_on(&kit, &alice, &phone, true).await;
        let forged = Token::generate(kit.entropy());
        let mut other = Machine { remembered: Some(forged), ..home.clone() };
        assert!(other.log_on(&kit, &alice, &phone, false).await.0);
        assert!(!home.log_on(&kit, &alice, &phone, false).await.0, "a forgery does not end the real one");
    }

    async fn attack_099_a_remembered_logon_is_worth_a_password(kit: Kit) {
        let (_, alice, phone) = remembering(&kit).await;
        let mut home = Machine::at("192.0.2.7");
        home.log_on(&kit, &alice, &phone, true).await;
        let (asked, token) = home.log_on(&kit, &alice, &phone, false).await;
        assert!(!asked);
        let visitor = kit.visitor(token).await;
        assert_eq!(visitor.actor.session().session.methods, [Method::Password, Method::RememberedMachine]);
        assert!(!visitor.actor.used_second_factor());
        let change = kit.core().make_own_recovery_codes(&visitor.actor, origin()).await;
        countersign_testkit::demand(change);
    }

    async fn a_machine_is_remembered_for_one_principal_only(kit: Kit) {
        let (acme, alice, phone) = remembering(&kit).await;
        let (bob, bobs_phone) = kit.bound_user(&acme, "bob").await;
        let mut shared = Machine::at("192.0.2.7");
        shared.log_on(&kit, &alice, &phone, true).await;
        assert!(shared.log_on(&kit, &bob, &bobs_phone, false).await.0);
    }

    async fn c32_adaptive_logon_asks_when_a_logon_is_unusual(kit: Kit) {
        let acme = kit.account("acme").await;
        let password = PolicyChange { initial_age_days: Some(0), ..PolicyChange::default() };
        let mfa_for_logon = Some(MfaForLogon::Adaptive);
        change(&kit, &acme, SettingsChange { mfa_for_logon, password, ..SettingsChange::default() }).await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut home = Machine::at("192.0.2.7");
        assert!(home.log_on(&kit, &alice, &phone, false).await.0, "the first logon is unusual");
        assert!(!home.log_on(&kit, &alice, &phone, false).await.0);
        home.address = "192.0.2.200";
        assert!(!home.log_on(&kit, &alice, &phone, false).await.0, "the same network");
        home.address = "198.51.100.1";
        assert!(home.log_on(&kit, &alice, &phone, false).await.0, "another network");
        let mut other = Machine::at("192.0.2.7");
        assert!(other.log_on(&kit, &alice, &phone, false).await.0, "another browser");
        // After a wrong password.
        kit.log_on_as(&alice.logon_name, "not this one").await.unwrap_err();
        let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
        kit.core().logon_with_password(&token, "not this one".into(), &other.origin()).await.unwrap_err();
        assert!(other.log_on(&kit, &alice, &phone, false).await.0, "after failures");
        kit.advance(DAY * 30);
        assert!(other.log_on(&kit, &alice, &phone, false).await.0, "not seen for thirty days");
        let lines: Vec<_> = kit.events(&acme.id).await.into_iter().filter(|event| event.action == "ConsoleSignin").collect();
        let details: Vec<_> = lines.iter().map(|event| event.details.as_str()).filter(|text| !text.is_empty()).collect();
        assert!(details.contains(&"unusual=new-network;"), "{details:?}");
        assert!(details.contains(&"unusual=new-browser;"), "{details:?}");
        assert!(details.contains(&"unusual=after-failures;"), "{details:?}");
    }

    async fn c32_adaptive_logon_has_unusual_users_without_a_device_bind_one(kit: Kit) {
        let acme = kit.account("acme").await;
        let adaptive = SettingsChange { mfa_for_logon: Some(MfaForLogon::Adaptive), ..SettingsChange::default() };
        change(&kit, &acme, adaptive).await;
        let alice = kit.ram_user(&acme, "alice").await;
        kit.waiting(&alice, LogonState::Bind).await;
    }

    async fn attack_043_mandatory_mfa_has_everybody_bind(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mandatory = SettingsChange { mfa_for_logon: Some(MfaForLogon::Mandatory), ..SettingsChange::default() };
        change(&kit, &acme, mandatory).await;
        kit.waiting(&alice, LogonState::Bind).await;
    }

    async fn a_stranger_cannot_lock_a_known_browser_out(kit: Kit) {
        let acme = kit.account("acme").await;
        let (alice, phone) = kit.bound_user(&acme, "alice").await;
        let mut home = Machine::at("192.0.2.7");
        home.log_on(&kit, &alice, &phone, false).await;
        let stranger = Machine::at("203.0.113.9");
        for _ in 0..20 {
            let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
            kit.core().logon_with_password(&token, "not this one".into(), &stranger.origin()).await.unwrap_err();
        }
        assert_eq!(reason(stranger.password(&kit, &alice).await), "password_paused");
        assert!(home.log_on(&kit, &alice, &phone, false).await.0, "the known browser has a budget of its own");
        // Its budget is a budget: whoever has the browser does not guess either.
        for _ in 0..5 {
            let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
            kit.core().logon_with_password(&token, "not this one".into(), &home.origin()).await.unwrap_err();
        }
        assert_eq!(reason(home.password(&kit, &alice).await), "password_paused");
    }

    async fn a_known_browser_is_known_to_its_own_principal(kit: Kit) {
        let acme = kit.account("acme").await;
        let (mallory, phone) = kit.bound_user(&acme, "mallory").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let mut browser = Machine::at("203.0.113.9");
        browser.log_on(&kit, &mallory, &phone, false).await;
        for _ in 0..5 {
            let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
            kit.core().logon_with_password(&token, "not this one".into(), &browser.origin()).await.unwrap_err();
        }
        assert_eq!(reason(kit.log_on(&alice).await), "password_paused", "it was alice's budget that was used");
    }

    async fn attack_047_networks_are_judged_first_and_told_to_nobody(kit: Kit) {
        let acme = kit.account("acme").await;
        let alice = kit.ram_user(&acme, "alice").await;
        let networks = Some("10.0.0.0/8;2001:db8::/32".parse().unwrap());
        change(&kit, &acme, SettingsChange { logon_networks: networks, ..SettingsChange::default() }).await;
        for outside in ["192.0.2.7", "2001:db9::1", "", "unknown"] {
            let refused = Machine::at(outside).password(&kit, &alice).await;
            assert_eq!((refusal(refused)), Refusal::WrongCredentials, "{outside}");
        }
        // Whoever is outside cannot lock anybody inside.
        let outside = Machine::at("203.0.113.9");
        for _ in 0..8 {
            let token = kit.core().begin_logon(alice.logon_name.clone()).await.unwrap();
            kit.core().logon_with_password(&token, "not this one".into(), &outside.origin()).await.unwrap_err();
        }
        for inside in ["10.9.8.7", "2001:db8::7", "::ffff:10.0.0.1"] {
            assert!(matches!(Machine::at(inside).password(&kit, &alice).await, Ok(LogonStep::Open { .. })), "{inside}");
        }
        // The owner is not a RAM user.
        assert!(matches!(outside.password(&kit, &acme.owner).await, Ok(LogonStep::Open { .. })));
    }
}

async fn futures(tries: Vec<impl Future<Output = Result<LogonStep, Error>>>) -> Vec<Result<LogonStep, Error>> {
    let mut done = Vec::new();
    for one in tries {
        done.push(one.await);
    }
    done
}
