//! The first account: made once, by whoever holds the link.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use countersign_core::setup::NewAccount;
use countersign_core::{Error, Refusal, Role};
use countersign_model::names::LogonName;
use countersign_model::token::Token;
use countersign_testkit::people::OWNER_PASSWORD;
use countersign_testkit::{Kit, both_engines, origin, refusal};
use std::collections::BTreeSet;

both_engines! {
    async fn the_link_makes_the_first_account_whose_owner_logs_on(kit: Kit) {
        let token = kit.core().offer_set_up().await.unwrap().unwrap();
        kit.core().check_set_up(&token).await.unwrap();
        let account = kit.core().set_up(&token, new("acme"), origin()).await.unwrap();
        let step = kit.log_on_as(&LogonName::owner("owner@acme.example").unwrap(), OWNER_PASSWORD).await.unwrap();
        let visitor = kit.opened(step).await;
        assert_eq!(visitor.actor.role(), Role::Owner);
        assert_eq!(visitor.actor.account_id(), &account.id);
        let events: Vec<_> = kit.events(&account.id).await.iter().map(countersign_testkit::rows::line).collect();
        assert_eq!(
            events,
            ["operator CreateAccount owner@acme.example success", "owner@acme.example ConsoleSignin success password"]
        );
    }

    async fn attack_134_set_up_never_reopens(mut kit: Kit) {
        let stale = kit.core().offer_set_up().await.unwrap().unwrap();
        let token = kit.core().offer_set_up().await.unwrap().unwrap();
        assert_eq!(refusal(kit.core().check_set_up(&stale).await), Refusal::SetUpOver, "a newer link was made");
        assert_eq!(refusal(kit.core().set_up(&stale, new("evil"), origin()).await), Refusal::SetUpOver);
        kit.core().set_up(&token, new("acme"), origin()).await.unwrap();
        for _ in 0..2 {
            assert!(kit.core().offer_set_up().await.unwrap().is_none());
            assert_eq!(refusal(kit.core().check_set_up(&token).await), Refusal::SetUpOver);
            assert_eq!(refusal(kit.core().set_up(&token, new("evil"), origin()).await), Refusal::SetUpOver);
            kit.restart().await;
        }
        // With all administrators gone the owner is still there, and set-up is still over.
        let acme = kit.rows("SELECT account_id FROM accounts", &[]).await;
        assert_eq!(acme.len(), 1);
        kit.sql("DELETE FROM principals WHERE kind = 'ram-user' OR kind = 'owner'", &[]).await;
        assert!(kit.core().offer_set_up().await.unwrap().is_none());
    }

    async fn attack_134_a_link_dies_when_the_command_line_makes_an_account(kit: Kit) {
        let token = kit.core().offer_set_up().await.unwrap().unwrap();
        kit.account("acme").await;
        assert_eq!(refusal(kit.core().check_set_up(&token).await), Refusal::SetUpOver);
        assert_eq!(refusal(kit.core().set_up(&token, new("evil"), origin()).await), Refusal::SetUpOver);
        assert_eq!(kit.count("accounts").await, 1);
    }

    async fn attack_134_of_16_set_ups_at_once_one_makes_an_account(mut kit: Kit) {
        let second = kit.second_node().await;
        let token = kit.core().offer_set_up().await.unwrap().unwrap();
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let token = token.clone();
                tokio::spawn(async move { core.set_up(&token, new(&format!("acme-{number}")), origin()).await })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert_eq!(error.refusal(), Some(Refusal::SetUpOver), "{error}"),
            }
        }
        assert_eq!(made, 1);
        for table in ["accounts", "principals", "login_profiles", "audit_events"] {
            assert_eq!(kit.count(table).await, 1, "{table}");
        }
    }

    async fn attack_134_a_guessed_token_sets_nothing_up(kit: Kit) {
        kit.core().offer_set_up().await.unwrap().unwrap();
        for _ in 0..100 {
            let guess = Token::generate(kit.entropy());
            assert_eq!(refusal(kit.core().set_up(&guess, new("evil"), origin()).await), Refusal::SetUpOver);
        }
        assert_eq!(kit.count("accounts").await, 0);
    }

    async fn a_weak_password_does_not_use_the_link_up(kit: Kit) {
        let token = kit.core().offer_set_up().await.unwrap().unwrap();
        for weak in ["", "short", "my owner password"] {
            let weak = NewAccount { password: weak.into(), ..new("acme") };
            assert_eq!(refusal(kit.core().set_up(&token, weak, origin()).await), Refusal::PasswordTooWeak);
        }
        kit.core().set_up(&token, new("acme"), origin()).await.unwrap();
    }

    async fn more_accounts_have_aliases_and_owners_of_their_own(kit: Kit) {
        kit.account("acme").await;
        let other = new("other");
        assert_eq!(refusal(kit.core().create_account(new("acme")).await), Refusal::AliasExists);
        let taken = NewAccount { owner: "OWNER@Acme.Example".parse().unwrap(), ..other.clone() };
        assert_eq!(refusal(kit.core().create_account(taken).await), Refusal::EmailExists);
        kit.core().create_account(other).await.unwrap();
        let listed = kit.core().list_accounts().await.unwrap();
        let listed: Vec<_> =
            listed.iter().map(|(account, owner)| (account.alias.as_str(), owner.name.as_str())).collect();
        assert_eq!(listed, [("acme", "owner@acme.example"), ("other", "owner@other.example")]);
    }

    async fn one_alias_or_address_asked_for_at_once_is_given_once(mut kit: Kit) {
        let second = kit.second_node().await;
        let tasks: Vec<_> = (0..12)
            .map(|number| {
                let core = if number % 2 == 0 { kit.core().clone() } else { second.clone() };
                let (alias, owner) = if number < 6 {
                    ("acme".to_owned(), format!("o{number}@x.example"))
                } else {
                    (format!("other-{number}"), "one@x.example".to_owned())
                };
                let new = NewAccount {
                    alias: alias.parse().unwrap(),
                    owner: owner.parse().unwrap(),
                    password: OWNER_PASSWORD.into(),
                };
                tokio::spawn(async move { core.create_account(new).await })
            })
            .collect();
        let mut made = BTreeSet::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(account) => assert!(made.insert(account.alias.as_str().to_owned())),
                Err(Error::Unavailable(_)) => {}
                Err(error) => {
                    let refusal = error.refusal();
                    assert!(matches!(refusal, Some(Refusal::AliasExists | Refusal::EmailExists)), "{error}");
                }
            }
        }
        assert_eq!((made.len(), kit.count("accounts").await, kit.count("principals").await), (2, 2, 2));
    }
}

fn new(alias: &str) -> NewAccount {
    NewAccount {
        alias: alias.parse().unwrap(),
        owner: format!("owner@{alias}.example").parse().unwrap(),
        password: OWNER_PASSWORD.into(),
    }
}
