//! The fields of a RAM user's console logon settings: of the page that makes him and of *Modify Logon Settings*.

use crate::fields::Fields;
use crate::locales::Words;
use crate::password_rules;
use countersign_core::users::{LoginChange, PasswordChange, ProfileView};
use countersign_model::principal::ConsoleLogon;
use countersign_model::settings::PasswordPolicy;

/// What becomes of the password, as chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Password {
    Keep,
    Generate,
    Custom,
}

/// What the form shows.
#[expect(clippy::struct_excessive_bools, reason = "each is a box or a word of its own in the form")]
pub(crate) struct LoginForm {
    console_logon: ConsoleLogon,
    password: Password,
    /// Whether there is a password that can be kept.
    pub(crate) may_keep: bool,
    pub(crate) reset_required: bool,
    pub(crate) mfa_required: bool,
    /// Whether users bind their own devices: then one who need not may.
    pub(crate) self_service: bool,
    /// What a custom password needs.
    pub(crate) rules: String,
}

impl LoginForm {
    /// The form for a new user, or for one who never had a login profile: the safe choices are made.
    pub(crate) const fn blank(self_service: bool) -> Self {
        Self {
            console_logon: ConsoleLogon::Enabled,
            password: Password::Generate,
            may_keep: false,
            reset_required: true,
            mfa_required: true,
            self_service,
            rules: String::new(),
        }
    }

    /// The same form with the rules that a custom password keeps to.
    pub(crate) fn with_rules(self, words: &Words, policy: &PasswordPolicy) -> Self {
        Self { rules: password_rules::needed(words, policy), ..self }
    }

    /// The form for a user with these settings.
    pub(crate) fn of(profile: Option<&ProfileView>, self_service: bool) -> Self {
        let Some(profile) = profile else {
            return Self::blank(self_service);
        };
        let may_keep = profile.password_changed_at.is_some();
        Self {
            console_logon: profile.console_logon,
            password: if may_keep { Password::Keep } else { Password::Generate },
            may_keep,
            reset_required: profile.password_reset_required,
            mfa_required: profile.mfa_bind_required,
            self_service,
            rules: String::new(),
        }
    }

    /// The same form with what was chosen in it.
    pub(crate) fn read(self, fields: &Fields) -> Self {
        let not_required = fields.text("mfa") == "not-required";
        Self {
            console_logon: fields.text("console_logon").parse().unwrap_or(ConsoleLogon::Disabled),
            password: match fields.text("password_choice").as_str() {
                "custom" => Password::Custom,
                "generate" => Password::Generate,
                _ => Password::Keep,
            },
            reset_required: fields.ticked("reset_required"),
            mfa_required: !not_required,
            ..self
        }
    }

    /// The change that was chosen. Where the password does not log on, none is generated.
    pub(crate) fn change(&self, fields: &Fields) -> LoginChange {
        let password = match (self.password, self.console_logon) {
            (Password::Custom, _) => PasswordChange::Custom(fields.secret("new_password")),
            (Password::Generate, ConsoleLogon::Enabled) => PasswordChange::Generate,
            (Password::Generate, ConsoleLogon::Disabled) | (Password::Keep, _) => PasswordChange::Keep,
        };
        LoginChange {
            console_logon: self.console_logon,
            password,
            reset_required: self.reset_required,
            mfa_required: self.mfa_required,
        }
    }

    pub(crate) fn enabled(&self) -> bool {
        self.console_logon == ConsoleLogon::Enabled
    }

    pub(crate) fn keeps(&self) -> bool {
        self.password == Password::Keep
    }

    pub(crate) fn generates(&self) -> bool {
        self.password == Password::Generate
    }

    pub(crate) fn is_custom(&self) -> bool {
        self.password == Password::Custom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c08_what_is_missing_is_taken_as_the_safe_choice() {
        let form = LoginForm::blank(true).read(&Fields::default());
        assert!(form.mfa_required);
        assert!(!form.enabled());
        assert!(matches!(form.change(&Fields::default()).password, PasswordChange::Keep));
    }
}
