//! The first account, by a link with a one-time token; more accounts by the operator.

use crate::act::{Deed, Written};
use crate::actor::{Actor, Origin};
use crate::authorise::Action;
use crate::error::{Error, Refusal};
use crate::passwords::check_rules;
use crate::{Countersign, token_hash};
use countersign_model::audit::Outcome;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::names::{AccountAlias, Comments, DisplayName, EmailAddress};
use countersign_model::principal::{Account, ConsoleLogon, LoginProfile, Principal, PrincipalKind};
use countersign_model::settings::SecuritySettings;
use countersign_model::token::Token;
use countersign_store::{Tx, accounts, facts, login_profiles, principals};
use secrecy::SecretString;

const SET_UP_TOKEN: &str = "set_up_token";
/// There once the first account is made, and never taken away: of several that try to make it, one succeeds.
pub(crate) const SET_UP_DONE: &str = "set_up_done";

/// An account to make.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its alias.
    pub alias: AccountAlias,
    /// The owner's email address, with which he logs on.
    pub owner: EmailAddress,
    /// The owner's password.
    pub password: SecretString,
}

impl Countersign {
    /// A fresh set-up token while there is no account yet; an older one is worthless then. Nothing once there is one.
    pub async fn offer_set_up(&self) -> Result<Option<Token>, Error> {
        let token = self.new_token();
        let hash = hex_hash(&token);
        let unit = async move |tx: &mut Tx<'_>| -> Result<bool, Error> {
            if facts::find(tx, SET_UP_DONE).await?.is_some() {
                return Ok(false);
            }
            facts::put(tx, SET_UP_TOKEN, &hash).await?;
            Ok(true)
        };
        Ok(self.inner.store.write(unit).await?.then_some(token))
    }

    /// Whether this set-up token is good.
    pub async fn check_set_up(&self, token: &Token) -> Result<(), Error> {
        let hash = hex_hash(token);
        let unit = async move |tx: &mut Tx<'_>| -> Result<(), Error> {
            let open = facts::find(tx, SET_UP_DONE).await?.is_none();
            let good = facts::find(tx, SET_UP_TOKEN).await?.is_some_and(|stored| stored == hash);
            if open && good { Ok(()) } else { Err(Refusal::SetUpOver.into()) }
        };
        self.inner.store.read(unit).await
    }

    /// Makes the first account. The token is used up with it.
    pub async fn set_up(&self, token: &Token, new: NewAccount, origin: &Origin) -> Result<Account, Error> {
        self.check_set_up(token).await?;
        check_rules(&new.password, new.owner.as_str())?;
        let hash = hex_hash(token);
        let password_hash = SecretString::from(self.hash_password(&new.password).await?);
        let (this, origin) = (self.clone(), origin.clone());
        let unit = async move |tx: &mut Tx<'_>| -> Result<Account, Error> {
            // In this order: a wrong token must not close set-up, for a refusal keeps what was written before it.
            if !facts::consume(tx, SET_UP_TOKEN, &hash).await? || !facts::put_first(tx, SET_UP_DONE, "").await? {
                return Err(Refusal::SetUpOver.into());
            }
            this.insert_account(tx, &new, &password_hash, &Actor::Operator, &origin).await
        };
        self.inner.store.write(unit).await
    }

    /// Makes an account by the command line.
    pub async fn create_account(&self, new: NewAccount) -> Result<Account, Error> {
        check_rules(&new.password, new.owner.as_str())?;
        let password_hash = SecretString::from(self.hash_password(&new.password).await?);
        let this = self.clone();
        let unit = async move |tx: &mut Tx<'_>| -> Result<Account, Error> {
            let account =
                this.insert_account(tx, &new, &password_hash, &Actor::Operator, &Origin::command_line()).await?;
            // Whoever still holds a set-up link has come too late.
            facts::put_first(tx, SET_UP_DONE, "").await?;
            Ok(account)
        };
        self.inner.store.write(unit).await
    }

    async fn insert_account(
        &self,
        tx: &mut Tx<'_>,
        new: &NewAccount,
        password_hash: &SecretString,
        actor: &Actor,
        origin: &Origin,
    ) -> Result<Account, Error> {
        if accounts::find_by_name(tx, new.alias.as_str()).await?.is_some() {
            return Err(Refusal::AliasExists.into());
        }
        if principals::find_owner(tx, &new.owner.canonical()).await?.is_some() {
            return Err(Refusal::EmailExists.into());
        }
        let now = self.now();
        let account = Account {
            id: AccountId::generate(&*self.inner.entropy),
            alias: new.alias.clone(),
            settings: SecuritySettings::default(),
            epoch: 1,
            created_at: now,
        };
        let owner = Principal {
            account_id: account.id.clone(),
            id: PrincipalId::generate(&*self.inner.entropy),
            kind: PrincipalKind::Owner,
            name: new.owner.as_str().to_owned(),
            display_name: DisplayName::default(),
            comments: Comments::default(),
            email: Some(new.owner.clone()),
            epoch: 1,
            created_at: now,
            updated_at: now,
            last_logon_at: None,
        };
        let profile = LoginProfile {
            console_logon: ConsoleLogon::Enabled,
            password_hash: Some(password_hash.clone()),
            password_changed_at: Some(now),
            password_reset_required: false,
            password_is_initial: false,
            mfa_bind_required: false,
            created_at: now,
            enabled_at: now,
        };
        // Another node may have taken alias or address since they were looked up: then everything is rolled back.
        let inserted = accounts::insert(tx, &account).await? && principals::insert(tx, &owner).await?;
        if !inserted {
            return Err(Error::Unavailable("the alias or the address was taken at this very moment".to_owned()));
        }
        login_profiles::put(tx, &account.id, &owner.id, &profile).await?;
        let deed = Deed::in_account(account.id.clone(), Action::CreateAccount.code(), owner.name.clone());
        let written = Written {
            actor: actor.for_audit(),
            action: deed.code,
            target: &deed.target,
            outcome: Outcome::Success,
            reason: "",
            details: "",
        };
        self.write_event_on(tx, (&deed.account, Some(&owner.id)), origin, written).await?;
        Ok(account)
    }
}

fn hex_hash(token: &Token) -> String {
    data_encoding::HEXLOWER.encode(&token_hash(token))
}
