//! What all pages of the RAM console share: who asks, about which user, and how the answer is framed.

use crate::Console;
use crate::answer;
use crate::fields::Fields;
use crate::frame::{Frame, LogonName, Place, Problems, When};
use crate::locales::Words;
use crate::password_rules;
use crate::visitor::{Member, Visitor};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use countersign_core::users::UserInFull;
use countersign_core::{Error, Origin, Refusal, SessionActor};
use countersign_model::Timestamp;
use countersign_model::budget::Budget;
use countersign_model::names::InvalidName;

/// Who asks, with all that a page needs to answer.
pub(crate) struct Asker {
    pub(crate) console: Console,
    pub(crate) visitor: Visitor,
    pub(crate) member: Member,
}

impl FromRequestParts<Console> for Asker {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let member = Member::from_request_parts(parts, console).await?;
        Ok(Self { visitor: Visitor::new(parts, console), console: console.clone(), member })
    }
}

impl Asker {
    pub(crate) fn actor(&self) -> &SessionActor {
        &self.member.0
    }

    pub(crate) const fn origin(&self) -> &Origin {
        &self.visitor.origin
    }

    pub(crate) fn words(&self) -> Words {
        self.visitor.words.clone()
    }

    /// The frame of a page whose address, with its query, is `path`: there a change of language comes back to.
    pub(crate) fn frame(&self, place: Place, path: String) -> Frame {
        let suffix = &self.console.core.identity().suffix;
        Frame { path, ..Frame::of_console(&self.visitor, &self.member, suffix, place) }
    }

    pub(crate) fn failure(&self, error: Error) -> Response {
        answer::failure(&self.console, &self.visitor, error)
    }

    /// What a refusal is at its field, or else at `elsewhere`; what no form can show comes back.
    pub(crate) fn problems(&self, error: Error, elsewhere: &str) -> Result<Problems, Error> {
        answer::problem(&self.visitor.words, error, elsewhere)
    }

    /// As [`Self::problems`] for a form that gives a password to the user of this name: tells what a weak one lacks.
    pub(crate) fn password_problems(&self, error: Error, fields: &Fields, name: &str) -> Result<Problems, Error> {
        let (typed, policy) = (fields.secret("new_password"), self.actor().session().settings.password);
        let lacking = password_rules::lacking(&self.visitor.words, &error, &typed, name, &policy);
        lacking.map_or_else(|| self.problems(error, "password_choice"), Ok)
    }

    /// The part of a logon name behind the `@`.
    pub(crate) fn domain(&self) -> String {
        format!("{}.{}", self.actor().session().alias, self.console.core.identity().suffix)
    }

    /// The page on which the RAM users of this account log on.
    pub(crate) fn logon_link(&self) -> String {
        format!("{}/login/{}", self.console.options.public_url, self.domain())
    }

    pub(crate) fn logon_name(&self, user: &str) -> LogonName {
        LogonName::new(format!("{user}@{}", self.domain()))
    }

    /// The user of a page.
    pub(crate) async fn user(&self, name: &str) -> Result<UserInFull, Response> {
        let found = self.console.core.user(self.actor(), name, self.origin()).await;
        found.map_err(|error| self.failure(error))
    }

    /// The user of a page about what nobody does to himself.
    pub(crate) async fn other_user(&self, name: &str) -> Result<UserInFull, Response> {
        let user = self.user(name).await?;
        if user.is_oneself { Err(self.failure(Refusal::Oneself.into())) } else { Ok(user) }
    }

    /// The user as the head of a page shows him.
    pub(crate) fn subject(&self, user: &UserInFull) -> Subject {
        Subject {
            path: user_path(&user.user.name),
            logon_name: self.logon_name(&user.user.name),
            name: user.user.name.clone(),
        }
    }
}

/// The user that a page is about.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) logon_name: LogonName,
    /// The address of his page.
    pub(crate) path: String,
}

/// The address of a user's page. User names need no escaping there.
pub(crate) fn user_path(name: &str) -> String {
    format!("/ram/users/{name}")
}

/// A factor that is not judged at the moment.
pub(crate) struct Lock {
    /// Until when; nothing if somebody must lift it.
    pub(crate) until: Option<When>,
}

impl Lock {
    pub(crate) fn of(budget: Budget, now: Timestamp) -> Option<Self> {
        let until = || (!budget.is_disabled()).then(|| When::from(budget.blocked_until));
        budget.is_locked(now).then(|| Self { until: until() })
    }
}

/// Takes a checked value, or notes at its field what is wrong with it.
pub(crate) fn take<T>(
    problems: &mut Problems,
    words: &Words,
    field: &str,
    checked: Result<T, InvalidName>,
) -> Option<T> {
    checked.inspect_err(|invalid| problems.add(field, answer::refusal_text(words, Refusal::Invalid(invalid.code)))).ok()
}

/// A number with its thousands set apart, as both languages write it.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (-1_234_567, "-1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
