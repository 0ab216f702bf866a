//! What all pages of the RAM console share: who asks, about which user, and how the answer is framed.

use super::access_keys::KeysDoable;
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
use countersign_core::authorise::{Action, Resource};
use countersign_core::groups::Part;
use countersign_core::users::UserInFull;
use countersign_core::{Error, Origin, Refusal, SessionActor};
use countersign_model::Timestamp;
use countersign_model::budget::Budget;
use countersign_model::ids::PrincipalId;
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

    /// Whether he may do this to anything.
    pub(crate) fn may(&self, action: Action) -> bool {
        self.visitor.permissions.as_ref().is_some_and(|permissions| permissions.may(action))
    }

    /// Whether he may do this to this.
    pub(crate) fn may_to(&self, action: Action, resource: &Resource) -> bool {
        self.visitor.permissions.as_ref().is_some_and(|permissions| permissions.may_to(action, resource))
    }

    /// What he may do to a RAM user, so that his page offers no more.
    pub(crate) fn doable(&self, name: &str, id: &PrincipalId) -> Doable {
        let user = Resource::User(self.actor().account_id().clone(), name.to_ascii_lowercase(), Some(id.clone()));
        let may = |action| self.may_to(action, &user);
        Doable {
            edit: may(Action::UpdateUser),
            login: may(Action::ChangeLoginProfile),
            bind: may(Action::BindMfaForUser),
            unbind: may(Action::UnbindMfaForUser),
            unlock: may(Action::UnlockUser),
            sessions: may(Action::EndUserSessions),
            policies: may(Action::AttachPolicy) || may(Action::DetachPolicy),
            delete: may(Action::DeleteUser),
            rename_keys: may(Action::RenamePasskeyOfUser),
            delete_passkeys: may(Action::DeletePasskeyOfUser),
            history: may(Action::ListAudit),
            keys: may(Action::ListAccessKeysOfUser),
            keys_do: KeysDoable {
                create: may(Action::CreateAccessKeyForUser),
                update: may(Action::UpdateAccessKeyOfUser),
                delete: may(Action::DeleteAccessKeyOfUser),
            },
        }
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

    /// As [`Self::problems`] for a form that names a policy, a group or a user: that there is none is said at its field.
    pub(crate) fn problems_of_policy(&self, error: Error, field: &str) -> Result<Problems, Error> {
        match error.refusal() {
            Some(
                refusal @ (Refusal::PolicyNotFound
                | Refusal::GroupNotFound
                | Refusal::UserNotFound
                | Refusal::Invalid(_)),
            ) => Ok(Problems::one(field, answer::refusal_text(&self.visitor.words, refusal))),
            Some(_) | None => self.problems(error, field),
        }
    }

    /// The names of the account's policies, for a form that attaches one; none where it is of no use or not his to see.
    pub(crate) async fn known_policies(&self, wanted: bool) -> Result<Vec<String>, Response> {
        if !wanted || !self.may(Action::ListPolicies) {
            return Ok(Vec::new());
        }
        let part = Part { limit: KNOWN, ..Part::default() };
        let found = self.console.core.list_policies(self.actor(), None, part, self.origin()).await;
        match found {
            Ok((views, _)) => Ok(views.into_iter().map(|view| view.policy.name().to_owned()).collect()),
            // He may list some of them only; he types the name.
            Err(error) if error.refusal() == Some(Refusal::NoPermission) => Ok(Vec::new()),
            Err(error) => Err(self.failure(error)),
        }
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

/// What a page about a RAM user offers.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a button of its own")]
pub(crate) struct Doable {
    pub(crate) edit: bool,
    pub(crate) login: bool,
    pub(crate) bind: bool,
    pub(crate) unbind: bool,
    pub(crate) unlock: bool,
    pub(crate) sessions: bool,
    pub(crate) policies: bool,
    pub(crate) delete: bool,
    pub(crate) rename_keys: bool,
    pub(crate) delete_passkeys: bool,
    pub(crate) history: bool,
    pub(crate) keys: bool,
    pub(crate) keys_do: KeysDoable,
}

impl Doable {
    const NOTHING: Self = Self {
        edit: false,
        login: false,
        bind: false,
        unbind: false,
        unlock: false,
        sessions: false,
        policies: false,
        delete: false,
        rename_keys: false,
        delete_passkeys: false,
        history: false,
        keys: false,
        keys_do: KeysDoable::NOTHING,
    };

    /// What is left of it for a user whom the asker does not outrank: looking.
    pub(crate) fn to_one_outranked(self, is_outranked: bool) -> Self {
        if is_outranked { self } else { Self { history: self.history, keys: self.keys, ..Self::NOTHING } }
    }

    /// Whether anything of him can be changed.
    pub(crate) const fn any(self) -> bool {
        let keys = self.keys_do.create || self.keys_do.update || self.keys_do.delete;
        self.any_of_menu() || self.edit || self.unlock || self.sessions || self.policies || keys
    }

    /// Whether there is anything for the menu of a list.
    pub(crate) const fn any_of_menu(self) -> bool {
        self.login || self.bind || self.unbind || self.delete
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

/// A page of a list: what it shows of how many, and the ways to its neighbours.
pub(crate) struct Pager {
    pub(crate) range: String,
    pub(crate) total: String,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
}

impl Pager {
    /// The pager of page `number` of a list of `total` lines.
    pub(crate) fn new((number, total): (i64, i64), address: impl Fn(i64) -> String) -> Self {
        let end = total.min(number * PER_PAGE);
        Self {
            range: format!("{}–{}", grouped((number - 1) * PER_PAGE + 1), grouped(end)),
            total: grouped(total),
            previous: (number > 1).then(|| address(number - 1)),
            next: (end < total).then(|| address(number + 1)),
        }
    }

    /// How many pages there are; always one.
    pub(crate) fn last_page(total: i64) -> i64 {
        total.max(1).div_euclid(PER_PAGE) + i64::from(total.max(1).rem_euclid(PER_PAGE) > 0)
    }

    /// The part of a list that a page shows.
    pub(crate) fn part(search: &str, number: i64) -> Part {
        Part { search: search.to_owned(), offset: (number - 1) * PER_PAGE, limit: PER_PAGE, ..Part::default() }
    }
}

/// How many names a form proposes.
const KNOWN: i64 = 1_000;
/// How many lines a page of a list has.
pub(crate) const PER_PAGE: i64 = 50;
/// More than any account has, so that no number in an address overflows.
pub(crate) const MOST_PAGES: i64 = 1_000_000;

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
