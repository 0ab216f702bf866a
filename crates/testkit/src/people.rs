//! Accounts and the people in them, made and logged on through the use-cases.

use crate::{Kit, Phone};
use countersign_core::binding::TypedCodes;
use countersign_core::groups::GroupFacts;
use countersign_core::logon::LogonStep;
use countersign_core::policies::NewPolicy;
use countersign_core::setup::NewAccount;
use countersign_core::step_up::ProofDemand;
use countersign_core::users::{LoginChange, PasswordChange, UserFacts};
use countersign_core::{Error, Origin, Refusal, SessionActor};
use countersign_model::ids::AccountId;
use countersign_model::logon::LogonState;
use countersign_model::names::{Comments, Description, DisplayName, LogonName};
use countersign_model::policy::PolicyRef;
use countersign_model::principal::{ConsoleLogon, SystemPolicy};
use countersign_model::token::Token;
use secrecy::SecretString;
use std::sync::LazyLock;

/// The password of every owner.
pub const OWNER_PASSWORD: &str = "first horse of the house";
/// The password of every RAM user.
pub const USER_PASSWORD: &str = "correct battery staple";

/// An account with its owner.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its alias.
    pub alias: String,
    /// Its owner.
    pub owner: Person,
}

/// Somebody who can log on with a password.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// The user name, or the owner's email address.
    pub name: String,
    /// The name to log on with.
    pub logon_name: LogonName,
    /// The password.
    pub password: String,
}

impl Person {
    /// The password as use-cases take it.
    #[must_use]
    pub fn secret(&self) -> SecretString {
        self.password.clone().into()
    }
}

/// Somebody with a session.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// What the browser holds.
    pub token: Token,
    /// Who it is.
    pub actor: SessionActor,
}

/// From where requests of tests come.
#[must_use]
pub fn origin() -> &'static Origin {
    static ORIGIN: LazyLock<Origin> = LazyLock::new(|| Origin::new("192.0.2.7".to_owned(), "a test"));
    &ORIGIN
}

/// The facts of a user of this name and nothing else.
#[must_use]
pub fn facts(name: &str) -> UserFacts {
    UserFacts {
        name: name.parse().unwrap(),
        display_name: DisplayName::default(),
        comments: Comments::default(),
        email: None,
    }
}

/// Console logon with [`USER_PASSWORD`], and nothing required.
#[must_use]
pub fn login() -> LoginChange {
    LoginChange {
        console_logon: ConsoleLogon::Enabled,
        password: PasswordChange::Custom(USER_PASSWORD.into()),
        reset_required: false,
        mfa_required: false,
    }
}

/// As [`login`], with an MFA device required.
#[must_use]
pub fn login_with_mfa() -> LoginChange {
    LoginChange { mfa_required: true, ..login() }
}

impl Kit {
    /// An account whose owner is `owner@<alias>.example` with [`OWNER_PASSWORD`].
    pub async fn account(&self, alias: &str) -> Account {
        let email = format!("owner@{alias}.example");
        let new = NewAccount {
            alias: alias.parse().unwrap(),
            owner: email.parse().unwrap(),
            password: OWNER_PASSWORD.into(),
        };
        let account = self.core().create_account(new).await.unwrap();
        let owner = Person {
            account: account.id.clone(),
            logon_name: LogonName::owner(&email).unwrap(),
            name: email,
            password: OWNER_PASSWORD.to_owned(),
        };
        Account { id: account.id, alias: alias.to_owned(), owner }
    }

    /// A fresh session of an owner without MFA device.
    pub async fn owner_session(&self, account: &Account) -> Visitor {
        self.session(&account.owner).await
    }

    /// A RAM user with [`login`].
    pub async fn ram_user(&self, account: &Account, name: &str) -> Person {
        self.ram_user_with(account, name, Some(login())).await
    }

    /// A RAM user with the login profile given, made by the owner. His password is [`USER_PASSWORD`], or the one that was
    /// generated for him.
    pub async fn ram_user_with(&self, account: &Account, name: &str, login: Option<LoginChange>) -> Person {
        let owner = self.owner_session(account).await.actor;
        self.ram_user_by(&owner, account, name, login).await
    }

    /// As [`Self::ram_user_with`], made by somebody else.
    pub async fn ram_user_by(
        &self,
        by: &SessionActor,
        account: &Account,
        name: &str,
        login: Option<LoginChange>,
    ) -> Person {
        let generated = self.core().create_user(by, facts(name), login, origin()).await.unwrap();
        let password = generated.map_or_else(|| USER_PASSWORD.to_owned(), |generated| expose(&generated));
        Person {
            account: account.id.clone(),
            name: name.to_owned(),
            logon_name: ram_user_name(name, &account.alias),
            password,
        }
    }

    /// A RAM user with `AdministratorAccess`.
    pub async fn administrator(&self, account: &Account, name: &str) -> Person {
        let person = self.ram_user(account, name).await;
        let owner = self.owner_session(account).await.actor;
        let policy = SystemPolicy::AdministratorAccess;
        self.core().attach_policy(&owner, name, policy, origin()).await.unwrap();
        person
    }

    /// A RAM user with a custom policy of this document, named `<name>-policy`.
    pub async fn user_allowed(&self, account: &Account, name: &str, document: &str) -> Person {
        let person = self.ram_user(account, name).await;
        let owner = self.owner_session(account).await.actor;
        let policy = self.policy(account, &format!("{name}-policy"), document).await;
        self.core().attach_policy(&owner, name, policy, origin()).await.unwrap();
        person
    }

    /// A custom policy of an account.
    pub async fn policy(&self, account: &Account, name: &str, document: &str) -> PolicyRef {
        let owner = self.owner_session(account).await.actor;
        let new = NewPolicy {
            name: name.parse().unwrap(),
            description: Description::default(),
            document: document.parse().unwrap(),
        };
        self.core().create_policy(&owner, new, origin()).await.unwrap().policy
    }

    /// A group of an account with these users in it and these policies attached.
    pub async fn group(&self, account: &Account, name: &str, users: &[&str], policies: &[PolicyRef]) {
        let (core, owner) = (self.core(), self.owner_session(account).await.actor);
        let facts = GroupFacts { name: name.parse().unwrap(), comments: Comments::default() };
        core.create_group(&owner, facts, origin()).await.unwrap();
        for user in users {
            core.add_user_to_group(&owner, user, name, origin()).await.unwrap();
        }
        for policy in policies {
            core.attach_policy_to_group(&owner, name, policy.clone(), origin()).await.unwrap();
        }
    }

    /// A RAM user whom the owner gave a device. The code that bound it belongs to a step that is over.
    pub async fn bound_user(&self, account: &Account, name: &str) -> (Person, Phone) {
        let person = self.ram_user(account, name).await;
        let phone = self.bind_for(account, name).await;
        (person, phone)
    }

    /// Has the owner bind a device for a RAM user. The code that bound it belongs to a step that is over.
    pub async fn bind_for(&self, account: &Account, name: &str) -> Phone {
        let owner = self.owner_session(account).await.actor;
        let core = self.core();
        core.start_binding_for(&owner, name, origin()).await.unwrap();
        let phone = Phone::scan(&core.binding_for(&owner, name).await.unwrap());
        core.confirm_binding_for(&owner, name, one_code(phone.code(self)), origin()).await.unwrap();
        self.next_step();
        phone
    }

    /// Has somebody bind his own device. The code that bound it belongs to a step that is over.
    pub async fn bind_own(&self, person: &Person, visitor: &Visitor) -> (Visitor, Phone) {
        let core = self.core();
        core.start_own_binding(&visitor.actor, person.secret(), origin()).await.unwrap();
        let phone = Phone::scan(&core.own_binding(&visitor.actor).await.unwrap());
        let typed = one_code(phone.code(self));
        let token = core.confirm_own_binding(&visitor.actor, typed, origin()).await.unwrap();
        self.next_step();
        (self.visitor(token).await, phone)
    }

    /// An owner of an account who has bound a device, with a session.
    pub async fn bound_owner(&self, account: &Account) -> (Visitor, Phone) {
        let visitor = self.owner_session(account).await;
        self.bind_own(&account.owner, &visitor).await
    }

    /// Begins a logon and shows the password.
    pub async fn log_on(&self, person: &Person) -> Result<LogonStep, Error> {
        self.log_on_as(&person.logon_name, &person.password).await
    }

    /// Begins a logon for a name and shows a password.
    pub async fn log_on_as(&self, name: &LogonName, password: &str) -> Result<LogonStep, Error> {
        let token = self.core().begin_logon(name.clone()).await?;
        self.core().logon_with_password(&token, password.to_owned().into(), origin()).await
    }

    /// A logon that was shown the password and waits for `state` now.
    pub async fn waiting(&self, person: &Person, state: LogonState) -> Token {
        match self.log_on(person).await.unwrap() {
            LogonStep::Ask { state: asked, token } if asked == state => token,
            other @ (LogonStep::Ask { .. } | LogonStep::Open { .. }) => {
                panic!("{} was to be asked for {state}: {other:?}", person.name)
            }
        }
    }

    /// A session of somebody whom the password lets in.
    pub async fn session(&self, person: &Person) -> Visitor {
        let step = self.log_on(person).await.unwrap();
        self.opened(step).await
    }

    /// A session of somebody who also needs his phone. The code used belongs to a step that is over.
    pub async fn session_with(&self, person: &Person, phone: &Phone) -> Visitor {
        let token = self.waiting(person, LogonState::SecondFactor).await;
        let step = self.core().logon_with_code(&token, phone.code(self), origin()).await.unwrap();
        self.next_step();
        self.opened(step).await
    }

    /// The session that a logon has opened.
    pub async fn opened(&self, step: LogonStep) -> Visitor {
        match step {
            LogonStep::Open { token, .. } => self.visitor(token).await,
            LogonStep::Ask { state, .. } => panic!("the logon asks for {state}"),
        }
    }

    /// Does something sensitive that asks for a proof, and gives it: a code or a password. The visitor's session goes on
    /// under a new secret.
    pub async fn proved<T>(
        &self,
        visitor: &Visitor,
        answer: &str,
        doing: impl AsyncFn(SessionActor) -> Result<T, Error>,
    ) -> (Visitor, Result<T, Error>) {
        let demand = demand(doing(visitor.actor.clone()).await);
        let token = self.core().prove(&visitor.actor, &demand.token, answer.into(), origin()).await.unwrap();
        let renewed = self.visitor(token).await;
        let done = doing(renewed.actor.clone().with_proof(demand.token)).await;
        (renewed, done)
    }

    /// Has somebody with a device change his own password; the new secret of his session. The code used belongs to a step
    /// that is over.
    pub async fn change_password(&self, visitor: &Visitor, phone: &Phone, old: &str, new: &str) -> Token {
        let change =
            async |actor: SessionActor| self.core().change_own_password(&actor, old.into(), new.into(), origin()).await;
        let (_, changed) = self.proved(visitor, &phone.code(self), change).await;
        self.next_step();
        changed.unwrap()
    }

    /// Whose session this is.
    pub async fn visitor(&self, token: Token) -> Visitor {
        let actor = self.core().session(&token).await.unwrap();
        Visitor { token, actor }
    }
}

/// The document of a policy that allows these actions on this resource.
#[must_use]
pub fn allowing(actions: &[&str], resource: &str) -> String {
    statement("Allow", actions, resource)
}

/// The document of a policy that denies these actions on this resource.
#[must_use]
pub fn denying(actions: &[&str], resource: &str) -> String {
    statement("Deny", actions, resource)
}

fn statement(effect: &str, actions: &[&str], resource: &str) -> String {
    let actions = actions.iter().map(|action| format!("\"{action}\"")).collect::<Vec<_>>().join(",");
    format!(r#"{{"Version":"1","Statement":[{{"Effect":"{effect}","Action":[{actions}],"Resource":"{resource}"}}]}}"#)
}

/// One code, typed to confirm a binding.
#[must_use]
pub fn one_code(code: String) -> TypedCodes {
    TypedCodes { first: code, ..TypedCodes::default() }
}

/// The logon name of a RAM user.
#[must_use]
pub fn ram_user_name(name: &str, alias: &str) -> LogonName {
    LogonName::ram_user(&format!("{name}@{alias}.countersign.local"), "countersign.local").unwrap()
}

/// The text of a secret.
#[must_use]
pub fn expose(secret: &SecretString) -> String {
    use secrecy::ExposeSecret as _;
    secret.expose_secret().to_owned()
}

/// The proof that was asked for.
#[track_caller]
pub fn demand<T>(result: Result<T, Error>) -> ProofDemand {
    match result {
        Err(Error::ProofRequired(demand)) => *demand,
        Err(error) => panic!("no proof was asked for: {error}"),
        Ok(_) => panic!("no proof was asked for"),
    }
}

/// What an asker was told who was refused.
#[track_caller]
pub fn refusal<T>(result: Result<T, Error>) -> Refusal {
    refused(result).0
}

/// What the audit log keeps of a refusal.
#[track_caller]
pub fn reason<T>(result: Result<T, Error>) -> &'static str {
    refused(result).1
}

#[track_caller]
fn refused<T>(result: Result<T, Error>) -> (Refusal, &'static str) {
    match result {
        Err(Error::Refused { refusal, reason }) => (refusal, reason),
        Err(error @ (Error::ProofRequired(_) | Error::Unavailable(_) | Error::ClockBehind | Error::Fault(_))) => {
            panic!("no refusal: {error}")
        }
        Ok(_) => panic!("it was not refused"),
    }
}
