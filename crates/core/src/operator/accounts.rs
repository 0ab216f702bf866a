//! Accounts by the command line: list them, let an owner back in, lift the locks on somebody.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::notices::Notice;
use crate::passwords::{check_rules, keep_replaced};
use crate::users::enabled_at;
use countersign_model::budget::BudgetKind;
use countersign_model::names::UserName;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::{Account, ConsoleLogon, LoginProfile, Principal};
use countersign_model::settings::PasswordPolicy;
use countersign_store::budgets::{Counted, Locked};
use countersign_store::{Tx, accounts, budgets, factors, login_profiles, principals, recovery_codes, virtual_mfa};
use secrecy::{ExposeSecret as _, SecretString};

/// The most lines of a list.
const MOST_LISTED: i64 = 10_000;

/// On whom the operator acts within an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Its owner.
    Owner,
    /// The RAM user of this name.
    User(String),
}

/// How an owner gets a new password.
#[derive(Debug, Clone)]
pub enum OwnerPassword {
    /// A random one, to be changed at the next logon.
    Generate,
    /// This one.
    Chosen(SecretString),
}

impl Countersign {
    /// All accounts by alias, with their owners.
    pub async fn list_accounts(&self) -> Result<Vec<(Account, Principal)>, Error> {
        let unit = async move |tx: &mut Tx<'_>| -> Result<Vec<(Account, Principal)>, Error> {
            let mut listed = Vec::new();
            for account in accounts::list(tx, MOST_LISTED).await? {
                if let Some(owner) = principals::find_owner_of(tx, &account.id).await? {
                    listed.push((account, owner));
                }
            }
            Ok(listed)
        };
        self.inner.store.read(unit).await
    }

    /// Unbinds every second factor of the owner of an account (by alias or id), with its lock. His sessions end.
    pub async fn reset_owner_mfa(&self, account: &str) -> Result<(), Error> {
        let (account, owner) = self.account_and_owner(account).await?;
        let deed = operator_deed(&account, &owner, Action::ResetOwnerMfa);
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.may(Action::ResetOwnerMfa, &Resource::Account(account.id.clone()))?;
            admitted.aim_at(&owner.id);
            principals::guard(tx, &account.id, &owner.id).await?.ok_or(Refusal::AccountNotFound)?;
            if !factors::of(tx, &account.id, &owner.id).await?.any() {
                return Err(Refusal::MfaNotBound.into());
            }
            this.unbind_everything(tx, (&account.id, &owner.id)).await?;
            virtual_mfa::delete_pending(tx, &account.id, &owner.id).await?;
            recovery_codes::delete_all(tx, &account.id, &owner.id).await?;
            principals::bump_epoch(tx, &account.id, &owner.id, admitted.now).await?;
            this.tell_owner(tx, admitted, &owner, NoticeKind::MfaUnbound).await
        };
        self.act(&Actor::Operator, &Origin::command_line(), deed, work).await
    }

    /// Gives the owner of an account (by alias or id) a new password, and lifts the lock on it. His sessions end. A random
    /// one is returned, and must be changed at the next logon.
    pub async fn reset_owner_password(
        &self,
        account: &str,
        password: OwnerPassword,
    ) -> Result<Option<SecretString>, Error> {
        let (account, owner) = self.account_and_owner(account).await?;
        let deed = operator_deed(&account, &owner, Action::ResetOwnerPassword);
        if let OwnerPassword::Chosen(chosen) = &password
            && let Err(error) = check_rules(chosen, &owner.name)
        {
            return self.refuse(&Actor::Operator, &Origin::command_line(), deed, error).await;
        }
        let (password, generated) = match password {
            OwnerPassword::Generate => (self.generate_password(&PasswordPolicy::default(), &owner.name), true),
            OwnerPassword::Chosen(chosen) => (chosen, false),
        };
        let hash = SecretString::from(self.hash_password(&password).await?);
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.may(Action::ResetOwnerPassword, &Resource::Account(account.id.clone()))?;
            admitted.aim_at(&owner.id);
            principals::guard(tx, &account.id, &owner.id).await?.ok_or(Refusal::AccountNotFound)?;
            let present = login_profiles::find(tx, &account.id, &owner.id).await?;
            let profile = LoginProfile {
                console_logon: ConsoleLogon::Enabled,
                password_hash: Some(hash.clone()),
                password_changed_at: Some(admitted.now),
                password_reset_required: generated,
                password_is_initial: true,
                mfa_bind_required: present.as_ref().is_some_and(|profile| profile.mfa_bind_required),
                created_at: present.as_ref().map_or(admitted.now, |profile| profile.created_at),
                enabled_at: enabled_at(present.as_ref(), ConsoleLogon::Enabled, admitted.now),
            };
            keep_replaced(tx, (&account.id, &owner.id), present.as_ref(), admitted.now).await?;
            login_profiles::put(tx, &account.id, &owner.id, &profile).await?;
            let counted = Counted { account: &account.id, subject: owner.id.as_str(), kind: BudgetKind::Password };
            budgets::clear(tx, counted, admitted.now).await?;
            principals::bump_epoch(tx, &account.id, &owner.id, admitted.now).await?;
            this.tell_owner(tx, admitted, &owner, NoticeKind::PasswordChanged).await
        };
        self.act(&Actor::Operator, &Origin::command_line(), deed, work).await?;
        Ok(generated.then(|| SecretString::from(password.expose_secret())))
    }

    async fn tell_owner(
        &self,
        tx: &mut Tx<'_>,
        admitted: &Admitted,
        owner: &Principal,
        kind: NoticeKind,
    ) -> Result<(), Error> {
        let (account, principal, origin) = (&owner.account_id, &owner.id, &Origin::command_line());
        self.notify_by(tx, admitted, Notice { account, principal, kind, origin }).await
    }

    /// Lifts every lock on a principal of an account (by alias or id): on his password, his device and his recovery codes.
    /// How many counts were cleared.
    pub async fn unlock_by_operator(&self, account: &str, who: Whom) -> Result<u64, Error> {
        let (account, owner) = self.account_and_owner(account).await?;
        let target = match &who {
            Whom::Owner => owner.name.clone(),
            Whom::User(name) => name.chars().filter(|c| !c.is_control()).take(128).collect(),
        };
        let deed = Deed::in_account(account.id.clone(), Action::UnlockByOperator.code(), target);
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<u64, Error> {
            let principal = match &who {
                Whom::Owner => owner.id.clone(),
                Whom::User(name) => {
                    let name = UserName::parse(name).map_err(|_| Refusal::UserNotFound)?.canonical();
                    principals::find_ram_user(tx, &account.id, &name).await?.ok_or(Refusal::UserNotFound)?.id
                }
            };
            admitted.aim_at(&principal);
            admitted.may(Action::UnlockByOperator, &Resource::Principal(account.id.clone(), principal.clone()))?;
            principals::guard(tx, &account.id, &principal).await?.ok_or(Refusal::UserNotFound)?;
            let cleared = budgets::clear_all_of(tx, &account.id, &principal, admitted.now).await?;
            admitted.tell("counts", &cleared.to_string());
            Ok(cleared)
        };
        self.act(&Actor::Operator, &Origin::command_line(), deed, work).await
    }

    /// Everybody in all accounts of whom a factor is paused or disabled, up to ten thousand of them.
    pub async fn list_locked(&self) -> Result<Vec<Locked>, Error> {
        let now = self.now();
        let unit = async move |tx: &mut Tx<'_>| -> Result<Vec<Locked>, Error> {
            Ok(budgets::locked(tx, now, MOST_LISTED).await?)
        };
        self.inner.store.read(unit).await
    }

    pub(super) async fn account_and_owner(&self, account: &str) -> Result<(Account, Principal), Error> {
        let name = account.trim().to_ascii_lowercase();
        // Neither aliases nor ids have other characters, and not every other could be looked for.
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(Refusal::AccountNotFound.into());
        }
        let unit = async move |tx: &mut Tx<'_>| -> Result<(Account, Principal), Error> {
            let account = accounts::find_by_name(tx, &name).await?.ok_or(Refusal::AccountNotFound)?;
            let owner = principals::find_owner_of(tx, &account.id).await?.ok_or(Refusal::AccountNotFound)?;
            Ok((account, owner))
        };
        self.inner.store.read(unit).await
    }
}

fn operator_deed(account: &Account, owner: &Principal, action: Action) -> Deed {
    Deed::in_account(account.id.clone(), action.code(), owner.name.clone())
}
