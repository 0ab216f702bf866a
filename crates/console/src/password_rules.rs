//! The rules of passwords in words: before one is typed, and those that a typed one breaks.

use crate::frame::Problems;
use crate::locales::Words;
use countersign_core::passwords::{Rule, broken_rules, rules};
use countersign_core::{Error, Refusal};
use countersign_model::settings::PasswordPolicy;
use secrecy::SecretString;

/// What a password needs, as the help of its field.
pub(crate) fn needed(words: &Words, policy: &PasswordPolicy) -> String {
    words.with("password-needs", "rules", listed(words, &rules(policy)))
}

/// What a refused password lacks, at the field `new_password`; nothing when it was refused for another reason.
pub(crate) fn lacking(
    words: &Words,
    error: &Error,
    password: &SecretString,
    name: &str,
    policy: &PasswordPolicy,
) -> Option<Problems> {
    if error.refusal() != Some(Refusal::PasswordTooWeak) {
        return None;
    }
    let broken = broken_rules(password, name, policy);
    (!broken.is_empty())
        .then(|| Problems::one("new_password", words.with("password-lacks", "rules", listed(words, &broken))))
}

fn listed(words: &Words, rules: &[Rule]) -> String {
    let rules: Vec<_> = rules.iter().map(|rule| worded(words, *rule)).collect();
    rules.join(&words.s("password-comma"))
}

fn worded(words: &Words, rule: Rule) -> String {
    match rule {
        Rule::Shortest(n) => words.with("password-rule-shortest", "n", n),
        Rule::Longest(n) => words.with("password-rule-longest", "n", n),
        Rule::Different(n) => words.with("password-rule-different", "n", n),
        Rule::Lowercase => words.s("password-rule-lowercase"),
        Rule::Uppercase => words.s("password-rule-uppercase"),
        Rule::Number => words.s("password-rule-number"),
        Rule::Symbol => words.s("password-rule-symbol"),
        Rule::NotName => words.s("password-rule-not-name"),
    }
}
