//! What every page shows around its content: title, language, theme, who is logged on, where in the console one is.

use crate::visitor::{Member, Visitor};
use countersign_core::Permissions;
use countersign_core::authorise::Action;
use countersign_model::Timestamp;
use countersign_model::principal::PrincipalKind;
use std::sync::Arc;

/// Light, dark, or as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Where in the console a page stands: which entry of the navigation is the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Account Center > Security.
    AccountSecurity,
    /// Security Information Management of a RAM user.
    MySecurity,
    /// RAM > Overview.
    RamOverview,
    /// RAM > Findings.
    RamFindings,
    /// RAM > MFA check.
    RamMfaCheck,
    /// RAM > Users.
    RamUsers,
    /// RAM > Groups.
    RamGroups,
    /// RAM > Policies.
    RamPolicies,
    /// RAM > Settings.
    RamSettings,
    /// RAM > Settings > Password policy.
    RamPasswordPolicy,
    /// RAM > Audit.
    RamAudit,
    /// Account Center > History.
    AccountHistory,
    /// The history of a RAM user, for himself.
    MyHistory,
    /// Account Center > Sessions.
    AccountSessions,
    /// The sessions of a RAM user, for himself.
    MySessions,
    /// None of them.
    Elsewhere,
}

impl Place {
    /// The place in whose part of the navigation a path lies.
    pub(crate) fn around(path: &str) -> Self {
        [
            ("/ram/settings/password-policy", Self::RamPasswordPolicy),
            ("/ram/settings", Self::RamSettings),
            ("/ram/users", Self::RamUsers),
            ("/ram/create-user", Self::RamUsers),
            ("/account/", Self::AccountSecurity),
            ("/me/", Self::MySecurity),
        ]
        .into_iter()
        .find(|(beginning, _)| path.starts_with(beginning))
        .map_or(Self::Elsewhere, |(_, place)| place)
    }

    /// Whether it is this entry of the navigation.
    pub(crate) fn is(self, entry: &str) -> bool {
        let own = match self {
            Self::AccountSecurity => "account-security",
            Self::MySecurity => "my-security",
            Self::RamOverview => "ram-overview",
            Self::RamFindings => "ram-findings",
            Self::RamMfaCheck => "ram-mfa-check",
            Self::RamUsers => "ram-users",
            Self::RamGroups => "ram-groups",
            Self::RamPolicies => "ram-policies",
            Self::RamSettings => "ram-settings",
            Self::RamPasswordPolicy => "ram-password-policy",
            Self::RamAudit => "ram-audit",
            Self::AccountHistory => "account-history",
            Self::MyHistory => "my-history",
            Self::AccountSessions => "account-sessions",
            Self::MySessions => "my-sessions",
            Self::Elsewhere => "",
        };
        own == entry
    }

    /// Whether it lies in the Account Center.
    pub(crate) const fn is_account(self) -> bool {
        matches!(self, Self::AccountSecurity | Self::AccountHistory | Self::AccountSessions)
    }

    /// Whether it lies in the RAM console.
    pub(crate) const fn is_ram(self) -> bool {
        matches!(
            self,
            Self::RamOverview
                | Self::RamFindings
                | Self::RamMfaCheck
                | Self::RamUsers
                | Self::RamGroups
                | Self::RamPolicies
                | Self::RamSettings
                | Self::RamPasswordPolicy
                | Self::RamAudit
        )
    }
}

/// Who is logged on, as the top bar shows him.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    /// The full logon name.
    pub(crate) name: String,
    /// The name as short as it is still clear.
    pub(crate) short_name: String,
    /// The name for people to read, if he has one.
    pub(crate) display_name: String,
    /// The account's alias and id.
    pub(crate) alias: String,
    /// The account's id.
    pub(crate) account_id: String,
    /// Whether he is the owner of the account.
    pub(crate) is_owner: bool,
    /// The entries of the RAM console that are his to see.
    sees: Vec<&'static str>,
}

/// The entries of the RAM console: name, address, what they show.
const RAM_ENTRIES: [(&str, &str, Action); 9] = [
    ("ram-overview", "/ram/overview", Action::ViewOverview),
    ("ram-findings", "/ram/findings", Action::ListFindings),
    ("ram-mfa-check", "/ram/mfa-check", Action::ViewCredentialReport),
    ("ram-users", "/ram/users", Action::ListUsers),
    ("ram-groups", "/ram/groups", Action::ListGroups),
    ("ram-policies", "/ram/policies", Action::ListPolicies),
    ("ram-settings", "/ram/settings", Action::ViewSettings),
    ("ram-password-policy", "/ram/settings/password-policy", Action::ViewSettings),
    ("ram-audit", "/ram/audit", Action::ListAudit),
];

impl Viewer {
    fn new(visitor: &Visitor, member: &Member, suffix: &str) -> Self {
        let may = |action| visitor.permissions.as_ref().is_some_and(|permissions| permissions.may(action));
        let session = member.0.session();
        let is_owner = session.kind == PrincipalKind::Owner;
        let (name, short_name) = if is_owner {
            (session.name.clone(), session.name.clone())
        } else {
            (format!("{}@{}.{suffix}", session.name, session.alias), format!("{}@{}", session.name, session.alias))
        };
        Self {
            name,
            short_name,
            display_name: session.display_name.to_string(),
            alias: session.alias.to_string(),
            account_id: session.session.account_id.to_string(),
            is_owner,
            sees: RAM_ENTRIES.iter().filter(|(_, _, action)| may(*action)).map(|(name, _, _)| *name).collect(),
        }
    }

    /// Whether an entry of the RAM console is his to see.
    pub(crate) fn sees(&self, entry: &str) -> bool {
        self.sees.contains(&entry)
    }

    /// Whether any is.
    pub(crate) const fn sees_ram(&self) -> bool {
        !self.sees.is_empty()
    }

    /// The first page of the RAM console that is his to see.
    pub(crate) fn ram_path(&self) -> &'static str {
        RAM_ENTRIES.iter().find(|(name, _, _)| self.sees(name)).map_or("/ram/overview", |(_, path, _)| path)
    }

    /// The first two letters of the name.
    pub(crate) fn initials(&self) -> String {
        initials(&self.name)
    }

    /// Where one's own security page is.
    pub(crate) const fn own_page(&self) -> &'static str {
        if self.is_owner { "/account/security" } else { "/me/security" }
    }
}

/// What every template has as `frame`.
#[derive(Clone)]
pub(crate) struct Frame {
    /// The theme.
    pub(crate) theme: Theme,
    /// The path of the page, to come back to after a change of language or theme.
    pub(crate) path: String,
    /// Where in the console the page stands.
    pub(crate) place: Place,
    /// Who is logged on; nobody on the pages of a logon.
    pub(crate) viewer: Option<Viewer>,
    /// The key of a message about what was just done, shown as a quiet bar.
    pub(crate) done: Option<&'static str>,
    /// What the reader may do, once his session is known.
    pub(crate) permissions: Option<Arc<Permissions>>,
}

impl Frame {
    /// The frame of a page of a logon.
    pub(crate) fn of_logon(visitor: &Visitor) -> Self {
        Self {
            theme: visitor.theme,
            path: visitor.path.clone(),
            place: Place::Elsewhere,
            viewer: None,
            done: None,
            permissions: visitor.permissions.clone(),
        }
    }

    /// The frame of a page of the console.
    pub(crate) fn of_console(visitor: &Visitor, member: &Member, suffix: &str, place: Place) -> Self {
        Self { place, viewer: Some(Viewer::new(visitor, member, suffix)), ..Self::of_logon(visitor) }
    }

    fn may(&self, action: Action) -> bool {
        self.permissions.as_ref().is_some_and(|permissions| permissions.may(action))
    }

    /// Whether the reader may change the security settings.
    pub(crate) fn may_change_settings(&self) -> bool {
        self.may(Action::ChangeSettings)
    }

    /// Whether he may change the rules for passwords.
    pub(crate) fn may_change_password_policy(&self) -> bool {
        self.may(Action::ChangePasswordPolicy)
    }

    /// Whether he may settle findings.
    pub(crate) fn may_settle(&self) -> bool {
        self.may(Action::SettleFinding)
    }

    /// Whether he may take the audit log out of the house.
    pub(crate) fn may_export(&self) -> bool {
        self.may(Action::ExportAudit)
    }

    /// The same with a message about what was just done, by the word in the address.
    pub(crate) fn with_done(self, word: Option<&str>) -> Self {
        Self { done: word.and_then(done_key), ..self }
    }
}

/// The messages that an address may ask for.
fn done_key(word: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        ("mfa-bound", "done-mfa-bound"),
        ("mfa-replaced", "done-mfa-replaced"),
        ("mfa-unbound", "done-mfa-unbound"),
        ("user-mfa-bound", "done-user-mfa-bound"),
        ("user-mfa-unbound", "done-user-mfa-unbound"),
        ("password-changed", "done-password-changed"),
        ("user-created", "done-user-created"),
        ("user-updated", "done-user-updated"),
        ("user-deleted", "done-user-deleted"),
        ("user-unlocked", "done-user-unlocked"),
        ("logon-settings", "done-logon-settings"),
        ("password-reset", "done-password-reset"),
        ("administrator-made", "done-administrator-made"),
        ("administrator-unmade", "done-administrator-unmade"),
        ("group-created", "done-group-created"),
        ("group-updated", "done-group-updated"),
        ("group-deleted", "done-group-deleted"),
        ("member-added", "done-member-added"),
        ("member-removed", "done-member-removed"),
        ("policy-created", "done-policy-created"),
        ("policy-deleted", "done-policy-deleted"),
        ("version-created", "done-version-created"),
        ("version-default", "done-version-default"),
        ("version-deleted", "done-version-deleted"),
        ("settings-saved", "done-settings-saved"),
        ("settings-unchanged", "done-settings-unchanged"),
        ("finding-settled", "done-finding-settled"),
        ("session-ended", "done-session-ended"),
        ("sessions-ended", "done-sessions-ended"),
        ("machine-forgotten", "done-machine-forgotten"),
        ("machines-forgotten", "done-machines-forgotten"),
        ("key-enabled", "done-key-enabled"),
        ("key-disabled", "done-key-disabled"),
        ("key-deleted", "done-key-deleted"),
        ("webauthn-security-key-bound", "webauthn-security-key-done-bound"),
        ("webauthn-security-key-unbound", "webauthn-security-key-done-unbound"),
        ("webauthn-passkey-bound", "webauthn-passkey-done-bound"),
        ("webauthn-passkey-unbound", "webauthn-passkey-done-unbound"),
        ("webauthn-renamed", "webauthn-done-renamed"),
    ];
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, key)| *key)
}

/// The first two letters or digits of a name, in upper case.
pub(crate) fn initials(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).take(2).flat_map(char::to_uppercase).collect()
}

/// An instant for a `<time>` element.
#[derive(Debug, Clone)]
pub(crate) struct When {
    /// The exact instant, for the `datetime` attribute.
    pub(crate) exact: String,
    /// For readers without script.
    pub(crate) text: String,
}

impl From<Timestamp> for When {
    fn from(at: Timestamp) -> Self {
        let exact = at.to_rfc3339();
        let text: String = exact.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect();
        Self { text: format!("{text} UTC"), exact }
    }
}

/// What is wrong with the fields of a form, as its template shows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems(Vec<Problem>);

/// One problem.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// The id of the field.
    pub(crate) field: String,
    /// What to do.
    pub(crate) text: String,
}

impl Problems {
    /// One problem with one field.
    pub(crate) fn one(field: &str, text: String) -> Self {
        Self(vec![Problem { field: field.to_owned(), text }])
    }

    /// Adds a problem.
    pub(crate) fn add(&mut self, field: &str, text: String) {
        self.0.push(Problem { field: field.to_owned(), text });
    }

    /// All of them, for the summary at the top.
    pub(crate) fn all(&self) -> &[Problem] {
        &self.0
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a field has one.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|problem| problem.field == field)
    }

    /// The problem of a field, or nothing.
    pub(crate) fn of(&self, field: &str) -> &str {
        self.0.iter().find(|problem| problem.field == field).map_or("", |problem| problem.text.as_str())
    }
}

/// A logon name, split where a line may break: `alice` and `@acme.countersign.local`.
#[derive(Debug, Clone)]
pub(crate) struct LogonName(String);

impl LogonName {
    pub(crate) const fn new(name: String) -> Self {
        Self(name)
    }

    pub(crate) fn full(&self) -> &str {
        &self.0
    }

    pub(crate) fn first(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }

    pub(crate) fn rest(&self) -> &str {
        self.0.strip_prefix(self.first()).unwrap_or_default()
    }

    pub(crate) fn initials(&self) -> String {
        initials(&self.0)
    }
}
