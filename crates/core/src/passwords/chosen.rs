//! A new password: judged against the rules and the earlier ones, hashed outside any transaction, and written with the
//! history that the next one is judged against.

use super::{check_policy, policy_for};
use crate::actor::{Insider, Origin};
use crate::authorise::Action;
use crate::error::{Error, Refusal};
use crate::hashing::Verdict;
use crate::{Countersign, token_hash};
use countersign_model::Timestamp;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::logon::LogonState;
use countersign_model::principal::LoginProfile;
use countersign_model::settings::PasswordPolicy;
use countersign_model::token::Token;
use countersign_store::{Tx, login_profiles, password_history};
use secrecy::{ExposeSecret as _, SecretString};

/// Whose password it is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chooser<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) principal: &'a PrincipalId,
    /// The name that must not be part of it.
    pub(crate) name: &'a str,
    /// The policy that governs it.
    pub(crate) policy: PasswordPolicy,
}

/// A password that its user chose, which keeps to the rules and is none of his earlier ones.
#[derive(Debug, Clone)]
pub(crate) struct ChosenPassword {
    hash: SecretString,
}

impl ChosenPassword {
    /// Puts it in the place of the present one. Gives the profile as it is then.
    pub(crate) async fn write(
        &self,
        tx: &mut Tx<'_>,
        (account, principal): (&AccountId, &PrincipalId),
        present: LoginProfile,
        now: Timestamp,
    ) -> Result<LoginProfile, Error> {
        keep_replaced(tx, (account, principal), Some(&present), now).await?;
        let profile = LoginProfile {
            password_hash: Some(self.hash.clone()),
            password_changed_at: Some(now),
            password_reset_required: false,
            password_is_initial: false,
            ..present
        };
        login_profiles::put(tx, account, principal, &profile).await?;
        Ok(profile)
    }
}

/// Keeps the hash of a password that is about to be replaced.
pub(crate) async fn keep_replaced(
    tx: &mut Tx<'_>,
    (account, principal): (&AccountId, &PrincipalId),
    present: Option<&LoginProfile>,
    now: Timestamp,
) -> Result<(), Error> {
    if let Some(hash) = present.and_then(|profile| profile.password_hash.as_ref()) {
        password_history::keep(tx, account, principal, now, hash).await?;
    }
    Ok(())
}

impl Countersign {
    /// Judges and hashes a password that its user has chosen: it keeps to the rules, is not the present one, and is none of
    /// the earlier ones that the policy excludes. Hashes up to 26 times, one after another, outside any transaction.
    pub(crate) async fn choose_password(
        &self,
        chooser: Chooser<'_>,
        chosen: &SecretString,
    ) -> Result<ChosenPassword, Error> {
        check_policy(chosen, chooser.name, &chooser.policy)?;
        self.check_reuse(chooser, chosen).await?;
        Ok(ChosenPassword { hash: self.hash_password(chosen).await?.into() })
    }

    /// Refuses the present password, and the earlier ones that the policy excludes.
    async fn check_reuse(&self, chooser: Chooser<'_>, chosen: &SecretString) -> Result<(), Error> {
        let (account, principal) = (chooser.account.clone(), chooser.principal.clone());
        let excluded = i64::from(chooser.policy.reuse_prevention);
        let look = async move |tx: &mut Tx<'_>| -> Result<_, Error> {
            let profile = login_profiles::find(tx, &account, &principal).await?;
            let earlier = if excluded > 0 {
                password_history::latest(tx, &account, &principal, excluded).await?
            } else {
                Vec::new()
            };
            Ok((profile.and_then(|profile| profile.password_hash), earlier))
        };
        let (present, earlier) = self.inner.store.read(look).await?;
        if let Some(present) = present
            && self.is_password(chosen, &present).await?
        {
            return Err(Refusal::PasswordUnchanged.into());
        }
        for hash in earlier {
            if self.is_password(chosen, &hash).await? {
                return Err(Refusal::PasswordUsedBefore.into());
            }
        }
        Ok(())
    }

    /// The same for a password that somebody else gives to a user of his account. The answer tells whether it was the
    /// user's, so nobody gets one who may not change him.
    pub(crate) async fn check_reuse_for(
        &self,
        actor: Insider<'_>,
        of: (Action, &str),
        chosen: &SecretString,
        origin: &Origin,
    ) -> Result<(), Error> {
        let policy = actor.settings().password;
        if policy.reuse_prevention == 0 {
            return Ok(());
        }
        let user = self.find_user_before(actor, of, origin).await?;
        let chooser = Chooser { account: &user.account_id, principal: &user.id, name: &user.name, policy };
        self.check_reuse(chooser, chosen).await
    }

    async fn is_password(&self, typed: &SecretString, hash: &SecretString) -> Result<bool, Error> {
        let verdict = self.inner.hasher.verify(typed, Some(hash.expose_secret().to_owned())).await?;
        Ok(matches!(verdict, Verdict::Right { .. }))
    }

    /// The policy for the password that a logon waits for, and the name that must not be part of it.
    pub async fn password_rules_at_logon(&self, token: &Token) -> Result<(PasswordPolicy, String), Error> {
        let (this, hash) = (self.clone(), token_hash(token));
        let look = async move |tx: &mut Tx<'_>| -> Result<(PasswordPolicy, String), Error> {
            let found = this.logon_in(tx, &hash, LogonState::ChoosePassword).await?;
            let subject = found.subject.ok_or(Refusal::LogonOver)?;
            Ok((policy_for(found.logon.kind, &subject.settings), subject.name))
        };
        self.inner.store.read(look).await
    }
}
