//! Passwords: their rules, making random ones, and changing one's own.

mod chosen;
mod rules;
mod state;

pub(crate) use chosen::{Chooser, ChosenPassword, keep_replaced};
pub use rules::{LONGEST, Rule, SHORTEST, broken_rules, policy_for, rules};
pub(crate) use rules::{check_policy, check_rules};
pub use state::{PasswordState, password_expires_at, password_state};

use crate::act::{Admitted, Deed};
use crate::actor::{AccessKeyActor, Insider, Origin, SessionActor};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use crate::hashing::Verdict;
use crate::logon::hourly_limit;
use crate::notices::Notice;
use crate::{Countersign, token_hash};
use countersign_model::budget::{BudgetKind, Exhausted};
use countersign_model::entropy::random_below;
use countersign_model::notice::NoticeKind;
use countersign_model::principal::PrincipalKind;
use countersign_model::settings::PasswordPolicy;
use countersign_model::token::Token;
use countersign_store::budgets::Counted;
use countersign_store::{Tx, budgets, known_places, login_profiles, principals};
use secrecy::{ExposeSecret as _, SecretString};

/// Letters and digits that are not mistaken for each other when a password is read out or copied by hand.
const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/// How often a random password is drawn again that does not keep to the rules.
const DRAWS: usize = 64;

impl Countersign {
    /// Changes the actor's own password. His other sessions end; this one goes on under the token returned.
    pub async fn change_own_password(
        &self,
        actor: &SessionActor,
        old: SecretString,
        new: SecretString,
        origin: &Origin,
    ) -> Result<Token, Error> {
        let token = self.change_password_of(actor.into(), old, new, origin).await?;
        token.ok_or_else(|| Error::Fault("a session that did not go on".to_owned()))
    }

    /// Changes the password of the RAM user whose key signed a call, who shows the old one. All his sessions end.
    pub async fn change_password_by_key(
        &self,
        actor: &AccessKeyActor,
        old: SecretString,
        new: SecretString,
        origin: &Origin,
    ) -> Result<(), Error> {
        if actor.access_key().kind == PrincipalKind::Owner {
            let deed = Deed::own(actor, Action::ChangeOwnPassword.code());
            let actor = Insider::from(actor).to_actor();
            return self.refuse(&actor, origin, deed, Refusal::OnlyForUsers.into()).await;
        }
        self.change_password_of(actor.into(), old, new, origin).await.map(drop)
    }

    async fn change_password_of(
        &self,
        actor: Insider<'_>,
        old: SecretString,
        new: SecretString,
        origin: &Origin,
    ) -> Result<Option<Token>, Error> {
        self.prove_by_password(actor, &old, Action::ChangeOwnPassword, origin).await?;
        let deed = Deed::own(actor, Action::ChangeOwnPassword.code());
        let deed = deed.asking(Action::ChangeOwnPassword, &[new.expose_secret()]);
        let session_actor = actor.to_actor();
        let owner = Chooser {
            account: actor.account_id(),
            principal: actor.principal_id(),
            name: actor.name(),
            policy: policy_for(actor.kind(), actor.settings()),
        };
        let chosen = if old.expose_secret() == new.expose_secret() {
            Err(Refusal::PasswordUnchanged.into())
        } else {
            self.choose_password(owner, &new).await
        };
        let chosen = match chosen {
            Ok(chosen) => chosen,
            Err(error @ Error::Refused { .. }) => return self.refuse(&session_actor, origin, deed, error).await,
            Err(error) => return Err(error),
        };
        let (this, from) = (self.clone(), origin.clone());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Option<Token>, Error> {
            admitted.may(Action::ChangeOwnPassword, &Resource::Oneself)?;
            let insider = admitted.guard_insider(tx).await?;
            let (account, principal) = (insider.account_id(), insider.principal_id());
            let profile = login_profiles::find(tx, account, principal).await?.ok_or(Refusal::NoPassword)?;
            chosen.write(tx, (account, principal), profile, admitted.now).await?;
            let kind = NoticeKind::PasswordChanged;
            this.notify_by(tx, admitted, Notice { account, principal, kind, origin: &from }).await?;
            match insider {
                Insider::Session(_) => Ok(Some(this.renew_own_session(tx, admitted).await?)),
                Insider::AccessKey(_) => {
                    principals::bump_epoch(tx, account, principal, admitted.now).await?;
                    Ok(None)
                }
            }
        };
        self.act(&session_actor, origin, deed, work).await
    }

    /// Lets the actor prove himself by his present password: booked first, hashed outside any transaction.
    pub(crate) async fn prove_by_password<'a>(
        &self,
        actor: impl Into<Insider<'a>>,
        password: &SecretString,
        action: Action,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.check_clock()?;
        let actor = actor.into();
        let session_actor = actor.to_actor();
        let deed = Deed::own(actor, action.code());
        let browser = origin.browser.clone();
        let look = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<_, Error> {
            admitted.may(action, &Resource::Oneself)?;
            let (account, principal) = admitted.oneself()?;
            let insider = admitted.insider().ok_or(Refusal::NoPermission)?;
            let hourly = hourly_limit(insider.kind(), &admitted.who.settings);
            let subject = subject_of_proof(tx, insider, browser.as_ref()).await?;
            let counted = Counted { account, subject: &subject, kind: BudgetKind::Password };
            let booked = budgets::book(tx, counted, hourly, admitted.now).await?;
            let profile = login_profiles::find(tx, account, principal).await?;
            Ok((booked, subject, profile.and_then(|profile| profile.password_hash)))
        };
        let (booked, subject, stored) = match self.act_unwritten(&session_actor, origin, look).await {
            Ok(found) => found,
            Err(error @ Error::Refused { .. }) => return self.refuse(&session_actor, origin, deed, error).await,
            Err(error) => return Err(error),
        };
        let stored = stored.map(|hash| hash.expose_secret().to_owned());
        let right = matches!(self.inner.hasher.verify(password, stored).await?, Verdict::Right { .. });
        if right && booked.is_ok() {
            let clear = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
                let (account, _) = admitted.oneself()?;
                let counted = Counted { account, subject: &subject, kind: BudgetKind::Password };
                budgets::clear(tx, counted, admitted.now).await?;
                Ok(())
            };
            return self.act_unwritten(&session_actor, origin, clear).await;
        }
        let reason = match booked {
            Ok(_) => "password_wrong",
            Err(Exhausted::Paused { .. }) => "password_paused",
            Err(Exhausted::Disabled) => "password_disabled",
        };
        self.refuse(&session_actor, origin, deed, Error::because(Refusal::OldPasswordIncorrect, reason)).await
    }

    /// The hash of a password under the present parameters.
    pub(crate) async fn hash_password(&self, password: &SecretString) -> Result<String, Error> {
        Ok(self.inner.hasher.hash(password, self.random()).await?)
    }

    /// A random password in groups of five, at least twenty characters and about 110 bits, that keeps to the rules.
    pub(crate) fn generate_password(&self, policy: &PasswordPolicy, name: &str) -> SecretString {
        // One without a capital letter or a digit is rare: one in twenty.
        let mut drawn = self.draw_password(policy);
        for _ in 0..DRAWS {
            if broken_rules(&drawn, name, policy).is_empty() {
                break;
            }
            drawn = self.draw_password(policy);
        }
        drawn
    }

    fn draw_password(&self, policy: &PasswordPolicy) -> SecretString {
        let letters = u64::try_from(ALPHABET.len()).unwrap_or(1);
        let letter = || {
            let drawn = usize::try_from(random_below(&*self.inner.entropy, letters)).unwrap_or(0);
            ALPHABET.get(drawn).copied().map_or('x', char::from)
        };
        // With the hyphen before it each group adds six characters.
        let groups = usize::from(policy.minimum_length).div_ceil(6).max(4);
        let groups: Vec<String> = (0..=groups).skip(1).map(|_| (0..5).map(|_| letter()).collect()).collect();
        groups.join("-").into()
    }
}

/// Under what the tries of a password are counted that is asked for within a session: the known browser, as at logon, or
/// else the session. Strangers, who are counted under the principal, cannot use these tries up. A program has no browser of
/// its own, so it is counted with the strangers: whoever stole a key gets no tries beside theirs.
async fn subject_of_proof(tx: &mut Tx<'_>, insider: Insider<'_>, browser: Option<&Token>) -> Result<String, Error> {
    let session = match insider {
        Insider::Session(session) => session,
        Insider::AccessKey(key) => return Ok(key.principal_id().to_string()),
    };
    let found = match browser {
        Some(token) => {
            known_places::find_browser(tx, session.account_id(), session.principal_id(), &token_hash(token)).await?
        }
        None => None,
    };
    Ok(found.map_or_else(|| session.found.session.id.to_string(), |browser| browser.id.to_string()))
}
