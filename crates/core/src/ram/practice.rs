//! How well an account is protected, in a few numbers and one score.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Insider, Origin};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use countersign_model::settings::PasswordPolicy;
use countersign_store::practice::{KeyCounts, key_counts};
use countersign_store::{Tx, access_keys, factors, principals, users};
use std::time::Duration;

/// After this a key is old, or unused.
pub const KEY_AGE: Duration = Duration::from_hours(24 * 90);

/// How strong the passwords of RAM users have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PasswordLevel {
    /// Hardly more than the floor.
    Low,
    /// Ten characters and three kinds of them.
    Middle,
    /// Fourteen characters of all four kinds.
    High,
}

impl PasswordLevel {
    /// The level that a policy asks for.
    #[must_use]
    pub fn of(policy: &PasswordPolicy) -> Self {
        let asked =
            [policy.require_lowercase, policy.require_uppercase, policy.require_numbers, policy.require_symbols];
        let kinds = asked.into_iter().filter(|asked| *asked).count();
        match (policy.minimum_length, kinds) {
            (14.., 4) => Self::High,
            (10.., 3..) => Self::Middle,
            _ => Self::Low,
        }
    }

    /// The word of the protocol.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Middle => "mid",
            Self::High => "high",
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Practice {
    /// Whether the owner has a second factor.
    pub owner_has_mfa: bool,
    /// How many AccessKeys the owner has.
    pub owner_keys: i64,
    /// RAM users.
    pub users: i64,
    /// Those with a second factor.
    pub users_with_mfa: i64,
    /// How strong their passwords have to be.
    pub password_level: PasswordLevel,
    /// The keys of RAM users.
    pub keys: KeyCounts,
}

impl Practice {
    /// The score, of 100: the owner's factor 30, no key of the owner 20, the users' factors 20, their passwords 10, no old
    /// key 10, no unused key 10.
    #[must_use]
    pub fn score(&self) -> i64 {
        let points = |earned: bool, points: i64| if earned { points } else { 0 };
        let users = if self.users == 0 { 20 } else { 20 * self.users_with_mfa.min(self.users) / self.users };
        let passwords = match self.password_level {
            PasswordLevel::Low => 0,
            PasswordLevel::Middle => 5,
            PasswordLevel::High => 10,
        };
        points(self.owner_has_mfa, 30)
            + points(self.owner_keys == 0, 20)
            + users
            + passwords
            + points(self.keys.old == 0, 10)
            + points(self.keys.unused == 0, 10)
    }
}

impl Countersign {
    /// How well the account is protected.
    pub async fn practice<'a>(&self, actor: impl Into<Insider<'a>>, origin: &Origin) -> Result<Practice, Error> {
        let actor = actor.into();
        let deed = Deed::on(actor, Action::ViewPractice.code(), "");
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<Practice, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ViewPractice, &Resource::Account(account.clone()))?;
            let owner = principals::find_owner_of(tx, account).await?.ok_or(Refusal::AccountNotFound)?;
            let owner_has_mfa = factors::of(tx, account, &owner.id).await?.any();
            Ok(Practice {
                owner_has_mfa,
                owner_keys: access_keys::count(tx, account, &owner.id).await?,
                users: users::count(tx, account).await?,
                users_with_mfa: factors::count_holders(tx, account).await?,
                password_level: PasswordLevel::of(&admitted.who.settings.password),
                keys: key_counts(tx, account, admitted.now.minus(KEY_AGE)).await?,
            })
        };
        self.look(&actor.to_actor(), origin, deed, work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_of_a_hundred() {
        let keys = KeyCounts { old: 0, users_with_old: 0, unused: 0, users_with_unused: 0 };
        let best = Practice {
            owner_has_mfa: true,
            owner_keys: 0,
            users: 4,
            users_with_mfa: 4,
            password_level: PasswordLevel::High,
            keys,
        };
        assert_eq!(best.score(), 100);
        let keys = KeyCounts { old: 1, users_with_old: 1, unused: 1, users_with_unused: 1 };
        let worst = Practice {
            owner_has_mfa: false,
            owner_keys: 1,
            users_with_mfa: 0,
            password_level: PasswordLevel::Low,
            keys,
            ..best
        };
        assert_eq!(worst.score(), 0);
        assert_eq!(Practice { users_with_mfa: 1, ..worst }.score(), 5);
    }

    #[test]
    fn passwords_have_three_levels() {
        let all = PasswordPolicy {
            minimum_length: 14,
            require_lowercase: true,
            require_uppercase: true,
            require_numbers: true,
            require_symbols: true,
            ..PasswordPolicy::default()
        };
        assert_eq!(PasswordLevel::of(&all), PasswordLevel::High);
        assert_eq!(PasswordLevel::of(&PasswordPolicy { minimum_length: 10, ..all }), PasswordLevel::Middle);
        assert_eq!(PasswordLevel::of(&PasswordPolicy { minimum_length: 9, ..all }), PasswordLevel::Low);
        assert_eq!(PasswordLevel::of(&PasswordPolicy::default()), PasswordLevel::Low);
    }
}
