//! What a password must be like. A floor holds for everybody; the account's policy can only ask for more.

use crate::error::{Error, Refusal};
use countersign_model::principal::PrincipalKind;
use countersign_model::settings::{PasswordPolicy, SecuritySettings};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::HashSet;

/// The fewest characters of a password.
pub const SHORTEST: usize = 8;
/// The most characters of a password.
pub const LONGEST: usize = 128;
/// The fewest different characters.
const DIFFERENT: usize = 4;

/// A rule that a password can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// At least so many characters.
    Shortest(usize),
    /// At most so many characters.
    Longest(usize),
    /// At least so many different characters.
    Different(usize),
    /// A lower-case letter.
    Lowercase,
    /// An upper-case letter.
    Uppercase,
    /// A digit.
    Number,
    /// A character that is neither letter nor digit.
    Symbol,
    /// Not the name of its user.
    NotName,
}

/// The policy for the passwords of a principal. That of an account governs its RAM users; for owners the floor holds.
#[must_use]
pub fn policy_for(kind: PrincipalKind, settings: &SecuritySettings) -> PasswordPolicy {
    match kind {
        PrincipalKind::Owner => PasswordPolicy::default(),
        PrincipalKind::RamUser => settings.password,
    }
}

/// The rules under a policy, for a page to show before anything is typed. Whatever the policy says, a password has 8 to
/// 128 characters, at least four different ones, and does not contain its user's name.
#[must_use]
pub fn rules(policy: &PasswordPolicy) -> Vec<Rule> {
    let asked = [
        (true, Rule::Shortest(SHORTEST.max(usize::from(policy.minimum_length)))),
        (true, Rule::Longest(LONGEST)),
        (true, Rule::Different(DIFFERENT.max(usize::from(policy.minimum_different)))),
        (policy.require_lowercase, Rule::Lowercase),
        (policy.require_uppercase, Rule::Uppercase),
        (policy.require_numbers, Rule::Number),
        (policy.require_symbols, Rule::Symbol),
        (true, Rule::NotName),
    ];
    asked.into_iter().filter_map(|(asked, rule)| asked.then_some(rule)).collect()
}

/// The rules that a password for the user of this name breaks.
#[must_use]
pub fn broken_rules(password: &SecretString, name: &str, policy: &PasswordPolicy) -> Vec<Rule> {
    let text = password.expose_secret();
    let length = text.chars().count();
    // A text beyond any password is not looked through.
    let different = || text.chars().take(LONGEST).collect::<HashSet<_>>().len();
    let has = |wanted: fn(char) -> bool| text.chars().any(wanted);
    rules(policy)
        .into_iter()
        .filter(|rule| match *rule {
            Rule::Shortest(shortest) => length < shortest,
            Rule::Longest(longest) => length > longest,
            Rule::Different(fewest) => different() < fewest,
            Rule::Lowercase => !has(char::is_lowercase),
            Rule::Uppercase => !has(char::is_uppercase),
            Rule::Number => !has(char::is_numeric),
            Rule::Symbol => !has(|c| !c.is_alphanumeric()),
            Rule::NotName => tells_name(text, name),
        })
        .collect()
}

/// Refuses a password that breaks a rule of the policy.
pub(crate) fn check_policy(password: &SecretString, name: &str, policy: &PasswordPolicy) -> Result<(), Error> {
    if broken_rules(password, name, policy).is_empty() { Ok(()) } else { Err(Refusal::PasswordTooWeak.into()) }
}

/// Refuses a password that breaks the rules that hold for everybody.
pub(crate) fn check_rules(password: &SecretString, name: &str) -> Result<(), Error> {
    check_policy(password, name, &PasswordPolicy::default())
}

fn tells_name(password: &str, name: &str) -> bool {
    let local_name = name.split('@').next().unwrap_or(name).to_lowercase();
    local_name.chars().count() > 2 && password.to_lowercase().contains(&local_name)
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

    #[test]
    fn c32_a_policy_asks_for_more_and_tells_what_is_missing() {
        let policy = PasswordPolicy {
            minimum_length: 12,
            minimum_different: 6,
            require_lowercase: true,
            require_uppercase: true,
            require_numbers: true,
            require_symbols: true,
            ..PasswordPolicy::default()
        };
        let broken = |password: &str| broken_rules(&password.to_owned().into(), "alice", &policy);
        assert_eq!(broken("Correct horse 9"), []);
        assert_eq!(broken("correct horse 9"), [Rule::Uppercase]);
        assert_eq!(broken("CORRECT HORSE 9"), [Rule::Lowercase]);
        assert_eq!(broken("Correct horses"), [Rule::Number]);
        assert_eq!(broken("Correcthorse99"), [Rule::Symbol]);
        assert_eq!(broken("Aa1-Aa1-Aa1-"), [Rule::Different(6)]);
        assert_eq!(broken("Short 9"), [Rule::Shortest(12),]);
        assert_eq!(broken("Alice's horse 9"), [Rule::NotName]);
        let all = broken("");
        assert_eq!(all.len(), 6, "{all:?}");
        assert_eq!(rules(&policy).len(), 8);
    }

    #[test]
    fn a_policy_never_asks_for_less_than_the_floor() {
        let lax = PasswordPolicy { minimum_length: 0, minimum_different: 0, ..PasswordPolicy::default() };
        assert_eq!(rules(&lax), [Rule::Shortest(8), Rule::Longest(128), Rule::Different(4), Rule::NotName]);
        assert!(check_policy(&"abababab".to_owned().into(), "alice", &lax).is_err());
        let strict = PasswordPolicy { minimum_length: 32, ..PasswordPolicy::default() };
        let settings = SecuritySettings { password: strict, ..SecuritySettings::default() };
        assert_eq!(policy_for(PrincipalKind::Owner, &settings), PasswordPolicy::default());
        assert_eq!(policy_for(PrincipalKind::RamUser, &settings), strict);
    }
}
