//! Passwords: their rules, making random ones, and changing one's own.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::hashing::Verdict;
use crate::notices::Notice;
use countersign_model::budget::{BudgetKind, Exhausted};
use countersign_model::entropy::random_below;
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::notice::NoticeKind;
use countersign_model::principal::LoginProfile;
use countersign_model::token::Token;
use countersign_store::budgets::Counted;
use countersign_store::{Tx, budgets, login_profiles};
use secrecy::{ExposeSecret as _, SecretString};

/// The fewest characters of a password.
pub const SHORTEST: usize = 8;
/// The most characters of a password.
pub const LONGEST: usize = 128;

/// Letters and digits that are not mistaken for each other when a password is read out or copied by hand.
const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/// Refuses a password that breaks the rules: 8 to 128 characters, more than three different ones, and it does not contain
/// the name it belongs to.
pub(crate) fn check_rules(password: &SecretString, name: &str) -> Result<(), Error> {
    let text = password.expose_secret();
    let length = text.chars().count();
    let different = text.chars().collect::<std::collections::HashSet<_>>().len();
    let local_name = name.split('@').next().unwrap_or(name).to_lowercase();
    let tells_name = local_name.len() > 2 && text.to_lowercase().contains(&local_name);
    if !(SHORTEST..=LONGEST).contains(&length) || different < 4 || tells_name {
        return Err(Refusal::PasswordTooWeak.into());
    }
    Ok(())
}

/// Refuses a new password that breaks the rules, or is the old one.
fn check_new(old: &SecretString, new: &SecretString, name: &str) -> Result<(), Error> {
    check_rules(new, name)?;
    if old.expose_secret() == new.expose_secret() { Err(Refusal::PasswordUnchanged.into()) } else { Ok(()) }
}

impl Countersign {
    /// Changes the actor's own password. His other sessions end; this one goes on under the token returned.
    pub async fn change_own_password(
        &self,
        actor: &SessionActor,
        old: SecretString,
        new: SecretString,
        origin: &Origin,
    ) -> Result<Token, Error> {
        self.prove_by_password(actor, &old, Action::ChangeOwnPassword, origin).await?;
        let deed = Deed::own(actor, Action::ChangeOwnPassword.code());
        if let Err(error) = check_new(&old, &new, &actor.found.name) {
            return self.refuse(&Actor::Session(Box::new(actor.clone())), origin, deed, error).await;
        }
        let new_hash = SecretString::from(self.hash_password(&new).await?);
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Token, Error> {
            admitted.may(Action::ChangeOwnPassword, &Resource::Oneself)?;
            let session = admitted.guard_oneself(tx).await?;
            let (account, principal) = (session.account_id(), session.principal_id());
            let profile = login_profiles::find(tx, account, principal).await?.ok_or(Refusal::NoPassword)?;
            let profile = LoginProfile {
                password_hash: Some(new_hash.clone()),
                password_changed_at: Some(admitted.now),
                password_reset_required: false,
                ..profile
            };
            login_profiles::put(tx, account, principal, &profile).await?;
            let kind = NoticeKind::PasswordChanged;
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await?;
            this.renew_own_session(tx, admitted).await
        };
        self.act(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// Lets the actor prove himself by his present password: booked first, hashed outside any transaction.
    pub(crate) async fn prove_by_password(
        &self,
        actor: &SessionActor,
        password: &SecretString,
        action: Action,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.check_clock()?;
        let session_actor = Actor::Session(Box::new(actor.clone()));
        let deed = Deed::own(actor, action.code());
        let look = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            admitted.may(action, &Resource::Oneself)?;
            let (account, principal) = admitted.oneself()?;
            let booked = budgets::book(tx, counted(account, principal), admitted.now).await?;
            let profile = login_profiles::find(tx, account, principal).await?;
            Ok((booked, profile.and_then(|profile| profile.password_hash)))
        };
        let (booked, stored) = match self.act_unwritten(&session_actor, look).await {
            Ok(found) => found,
            Err(error @ Error::Refused { .. }) => return self.refuse(&session_actor, origin, deed, error).await,
            Err(error) => return Err(error),
        };
        let stored = stored.map(|hash| hash.expose_secret().to_owned());
        let right = matches!(self.inner.hasher.verify(password, stored).await?, Verdict::Right { .. });
        if right && booked.is_ok() {
            let clear = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
                let (account, principal) = admitted.oneself()?;
                budgets::clear(tx, counted(account, principal), admitted.now).await?;
                Ok(())
            };
            return self.act_unwritten(&session_actor, clear).await;
        }
        let reason = match booked {
            Ok(()) => "password_wrong",
            Err(Exhausted::Paused { .. }) => "password_paused",
            Err(Exhausted::Disabled) => "password_disabled",
        };
        self.refuse(&session_actor, origin, deed, Error::because(Refusal::OldPasswordIncorrect, reason)).await
    }

    /// The hash of a password under the present parameters.
    pub(crate) async fn hash_password(&self, password: &SecretString) -> Result<String, Error> {
        Ok(self.inner.hasher.hash(password, self.random()).await?)
    }

    /// A random password of twenty characters in groups of five, about 110 bits.
    pub(crate) fn generate_password(&self) -> SecretString {
        let letters = u64::try_from(ALPHABET.len()).unwrap_or(1);
        let letter = || {
            let drawn = usize::try_from(random_below(&*self.inner.entropy, letters)).unwrap_or(0);
            ALPHABET.get(drawn).copied().map_or('x', char::from)
        };
        let groups: Vec<String> = (0..4).map(|_| (0..5).map(|_| letter()).collect()).collect();
        groups.join("-").into()
    }
}

fn counted<'a>(account: &'a AccountId, principal: &'a PrincipalId) -> Counted<'a> {
    Counted { account, subject: principal.as_str(), kind: BudgetKind::Password }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_keep_to_the_rules() {
        let ok = |password: &str| check_rules(&password.to_owned().into(), "alice").is_ok();
        assert!(ok("correct horse"));
        assert!(ok("密码够长也可以用"));
        for bad in ["", "short", "aaaaaaaaaa", "abababab", "I am Alice!", "alicealice"] {
            assert!(!ok(bad), "{bad}");
        }
        assert!(!ok(&"ab1!".repeat(33)));
        assert!(check_rules(&"owner@example".to_owned().into(), "owner@example.com").is_err());
    }
}
