//! People with security keys and passkeys.

use crate::people::{USER_PASSWORD, facts, ram_user_name};
use crate::{Account, Kit, Person, SoftKey, Visitor, demand, origin};
use countersign_core::logon::{LogonStep, TypedKey};
use countersign_core::webauthn::{KeyAnswer, KeyView, OtherType, Prompt};
use countersign_core::{Error, SessionActor};
use countersign_model::logon::LogonState;
use countersign_model::token::Token;
use countersign_model::webauthn::KeyKind;

/// An answer without a name.
#[must_use]
pub fn unnamed(response: String) -> KeyAnswer {
    KeyAnswer { name: String::new(), response }
}

impl Kit {
    /// A RAM user with a key: a security key that the owner has bound, or a passkey of his own.
    pub async fn keyed_user(&self, account: &Account, name: &str, kind: KeyKind, key: &mut SoftKey) -> Person {
        let person = self.ram_user(account, name).await;
        self.bind_key_for(account, name, kind, key).await.unwrap();
        person
    }

    /// Has the owner bind a security key for a RAM user, or the user himself, who has no other factor, a passkey.
    pub async fn bind_key_for(
        &self,
        account: &Account,
        name: &str,
        kind: KeyKind,
        key: &mut SoftKey,
    ) -> Result<KeyView, Error> {
        let owner = self.owner_session(account).await.actor;
        if kind == KeyKind::Passkey {
            return self.bind_first_passkey(account, name, (&owner, key)).await;
        }
        let prompt = self.core().begin_key_for(&owner, name, kind, origin()).await?;
        let answer = unnamed(key.create(&prompt.options));
        self.core().finish_key_for(&owner, name, answer, origin()).await
    }

    /// Has a RAM user without a factor log on with his password and bind a passkey, at the logon where that asks for a factor.
    async fn bind_first_passkey(
        &self,
        account: &Account,
        name: &str,
        (owner, key): (&SessionActor, &mut SoftKey),
    ) -> Result<KeyView, Error> {
        let logon_name = ram_user_name(name, &account.alias);
        match self.log_on_as(&logon_name, USER_PASSWORD).await? {
            step @ LogonStep::Open { .. } => {
                let visitor = self.opened(step).await;
                let (_, bound) = self.bind_own_key(&visitor, USER_PASSWORD, KeyKind::Passkey, key).await?;
                Ok(bound)
            }
            LogonStep::Ask { state: LogonState::Bind, token } => {
                let prompt = self.core().begin_logon_key_binding(&token, KeyKind::Passkey, origin()).await?;
                let made = unnamed(key.create(&prompt.options));
                self.core().finish_logon_key_binding(&token, made, origin()).await?;
                Ok(self.core().user(owner, name, origin()).await?.keys.pop().unwrap())
            }
            LogonStep::Ask { state, .. } => panic!("{name} cannot bind a passkey: the logon asks for {state}"),
        }
    }

    /// Has somebody with a key bind another one of his own, after he has proved himself by the first. His session goes on.
    pub async fn bind_another_key(
        &self,
        visitor: &Visitor,
        own: &mut SoftKey,
        kind: KeyKind,
        key: &mut SoftKey,
    ) -> Result<(Visitor, KeyView), Error> {
        let begin = async |actor: SessionActor| -> Result<Prompt, Error> {
            self.core().begin_own_key(&actor, kind, OtherType::Keep, origin()).await
        };
        let (visitor, prompt) = self.proved_by_key(visitor, own, begin).await;
        let made = unnamed(key.create(&prompt?.options));
        let (token, view) = self.core().finish_own_key(&visitor.actor, made, origin()).await?;
        Ok((self.visitor(token).await, view))
    }

    /// Has somebody bind a key of his own, after he has proved himself with `answer`: a code, or his password. His session
    /// goes on.
    pub async fn bind_own_key(
        &self,
        visitor: &Visitor,
        answer: &str,
        kind: KeyKind,
        key: &mut SoftKey,
    ) -> Result<(Visitor, KeyView), Error> {
        let begin = async |actor: SessionActor| -> Result<Prompt, Error> {
            self.core().begin_own_key(&actor, kind, OtherType::Keep, origin()).await
        };
        let (visitor, prompt) = self.proved(visitor, answer, begin).await;
        let made = unnamed(key.create(&prompt?.options));
        let (token, view) = self.core().finish_own_key(&visitor.actor, made, origin()).await?;
        Ok((self.visitor(token).await, view))
    }

    /// Logs on with the password and then a key.
    pub async fn log_on_with_key(&self, person: &Person, key: &mut SoftKey) -> Result<LogonStep, Error> {
        let token = self.waiting(person, LogonState::SecondFactor).await;
        self.show_key(&token, key).await
    }

    /// Shows a key to a logon that waits for it.
    pub async fn show_key(&self, token: &Token, key: &mut SoftKey) -> Result<LogonStep, Error> {
        let prompt = self.core().begin_logon_key(token).await?;
        key.count();
        let typed = TypedKey { response: key.get(&prompt.options), remember: false };
        self.core().logon_with_key(token, typed, origin()).await
    }

    /// Logs on with a passkey and nothing else.
    pub async fn log_on_with_passkey(&self, key: &mut SoftKey) -> Result<LogonStep, Error> {
        let (token, prompt) = self.core().begin_passkey_logon().await?;
        key.count();
        self.core().logon_with_passkey(&token, key.get(&prompt.options), origin()).await
    }

    /// A session of somebody who has a key.
    pub async fn session_with_key(&self, person: &Person, key: &mut SoftKey) -> Visitor {
        let step = self.log_on_with_key(person, key).await.unwrap();
        self.opened(step).await
    }

    /// As [`Self::proved`], by a key.
    pub async fn proved_by_key<T>(
        &self,
        visitor: &Visitor,
        key: &mut SoftKey,
        doing: impl AsyncFn(SessionActor) -> Result<T, Error>,
    ) -> (Visitor, Result<T, Error>) {
        let demand = demand(doing(visitor.actor.clone()).await);
        let prompt = self.core().begin_proof(&visitor.actor, &demand.token, origin()).await.unwrap();
        key.count();
        let response = key.get(&prompt.options);
        let token = self.core().prove_with_key(&visitor.actor, &demand.token, response, origin()).await.unwrap();
        let renewed = self.visitor(token).await;
        let done = doing(renewed.actor.clone().with_proof(demand.token)).await;
        (renewed, done)
    }

    /// Makes a user, which is sensitive.
    pub async fn make_user(&self, actor: &SessionActor, name: &str) -> Result<(), Error> {
        self.core().create_user(actor, facts(name), None, origin()).await.map(drop)
    }
}
