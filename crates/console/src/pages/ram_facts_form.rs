//! The fields of a RAM user's names and remarks: of the page that makes him and of the page that changes them.

use super::ram_asker::take;
use crate::fields::Fields;
use crate::frame::Problems;
use crate::locales::Words;
use countersign_core::users::UserFacts;
use countersign_model::names::{Comments, DisplayName, EmailAddress, UserName};
use countersign_model::principal::Principal;

/// What the form shows.
#[derive(Default)]
pub(crate) struct FactsForm {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) comments: String,
    pub(crate) email: String,
}

impl From<&Principal> for FactsForm {
    fn from(user: &Principal) -> Self {
        Self {
            name: user.name.clone(),
            display_name: user.display_name.to_string(),
            comments: user.comments.to_string(),
            email: user.email.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

impl FactsForm {
    /// What was typed.
    pub(crate) fn read(fields: &Fields) -> Self {
        Self {
            name: fields.text("name"),
            display_name: fields.text("display_name"),
            comments: fields.text("comments"),
            email: fields.text("email"),
        }
    }

    /// What was typed, checked; or all that is wrong with it at once.
    pub(crate) fn check(&self, words: &Words) -> Result<UserFacts, Problems> {
        let mut problems = Problems::default();
        let name = take(&mut problems, words, "name", UserName::parse(&self.name));
        let display_name = take(&mut problems, words, "display_name", DisplayName::parse(&self.display_name));
        let email = Some(self.email.as_str()).filter(|email| !email.is_empty()).map(EmailAddress::parse).transpose();
        let email = take(&mut problems, words, "email", email);
        let comments = take(&mut problems, words, "comments", Comments::parse(&self.comments));
        match (name, display_name, comments, email) {
            (Some(name), Some(display_name), Some(comments), Some(email)) => {
                Ok(UserFacts { name, display_name, comments, email })
            }
            _ => Err(problems),
        }
    }
}
