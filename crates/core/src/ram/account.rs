//! The account as a whole: its alias, the domain of its logon names, its numbers.

use super::mfa::MOST_UNBOUND;
use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use countersign_model::access_key::ACCESS_KEYS_PER_PRINCIPAL;
use countersign_model::names::AccountAlias;
use countersign_store::groups::Part;
use countersign_store::{Tx, accounts, groups, policies, unbound_mfa, users};

/// The numbers of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// RAM users.
    pub users: i64,
    /// Virtual MFA devices, bound or not.
    pub mfa_devices: i64,
    /// Those that are bound.
    pub mfa_devices_in_use: i64,
    /// Groups.
    pub groups: i64,
    /// Policies that the account wrote.
    pub policies: i64,
    /// How many AccessKeys a principal may have.
    pub access_keys_per_user: i64,
    /// How many devices may be bound to nobody.
    pub mfa_devices_quota: i64,
}

impl Countersign {
    /// The alias of the account; nothing when it has none.
    pub async fn account_alias<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        action: Action,
        origin: &Origin,
    ) -> Result<AccountAlias, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, action.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<AccountAlias, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(action, &Resource::Account(account.clone()))?;
            Ok(accounts::find(tx, account).await?.ok_or(Refusal::AccountNotFound)?.alias)
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }

    /// Gives the account another alias, or none: then its id stands in its place. The logon names of its RAM users change
    /// with it; those that hold the id stay good.
    pub async fn change_alias<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        action: Action,
        alias: Option<AccountAlias>,
        origin: &Origin,
    ) -> Result<(), Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, action.code(), alias.as_ref().map_or("", AccountAlias::as_str));
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            let again = this.guard_administrators(tx, admitted, action).await?;
            let (account, _) = again.oneself()?;
            again.may(action, &Resource::Account(account.clone()))?;
            let before = accounts::find(tx, account).await?.ok_or(Refusal::AccountNotFound)?.alias;
            let alias = alias.clone().unwrap_or_else(|| AccountAlias::none_of(account));
            admitted.tell("alias", &format!("{before}>{alias}"));
            if accounts::change_alias(tx, account, &alias).await? { Ok(()) } else { Err(Refusal::AliasExists.into()) }
        };
        self.act(&actor.to_actor(), origin, deed, work).await
    }

    /// The numbers of the account.
    pub async fn summary<'a>(&self, actor: impl Into<Insider<'a>>, origin: &Origin) -> Result<Summary, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::ViewOverview.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Summary, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ViewOverview, &Resource::Account(account.clone()))?;
            let bound = unbound_mfa::count_bound(tx, account).await?;
            Ok(Summary {
                users: users::count(tx, account).await?,
                mfa_devices: bound + unbound_mfa::count(tx, account).await?,
                mfa_devices_in_use: bound,
                groups: groups::count(tx, account, &Part::default()).await?,
                policies: policies::count(tx, account, &Part::default()).await?,
                access_keys_per_user: ACCESS_KEYS_PER_PRINCIPAL,
                mfa_devices_quota: MOST_UNBOUND,
            })
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }
}
