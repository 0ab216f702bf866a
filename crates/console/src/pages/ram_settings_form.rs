//! The settings as the fields of a form: which stand on which page, what can be typed into each, what was typed, and the
//! change that comes of it. Names are those of core; the words of a setting `x` are `setting-x` and `setting-x-help`.

use super::ram_settings_attestation::{Product, is_policy, policy_control, policy_value, typed_policy};
use crate::answer::{field_of, refusal_text};
use crate::fields::Fields;
use crate::frame::Problems;
use crate::locales::Words;
use countersign_core::Refusal;
use countersign_core::settings::{Fingerprint, PolicyChange, SettingsChange, strength_name, values};
use countersign_model::settings::{
    AttestationPolicy, InvalidMasks, NetworkMasks, SecuritySettings, SensitiveOperation,
};
use std::collections::BTreeMap;

/// The two pages of settings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// RAM > Settings > Security settings.
    Security,
    /// RAM > Settings > Password policy.
    Passwords,
}

impl Which {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Security => "/ram/settings",
            Self::Passwords => "/ram/settings/password-policy",
        }
    }

    const fn sections(self) -> &'static [SectionOf] {
        match self {
            Self::Security => SECURITY,
            Self::Passwords => PASSWORDS,
        }
    }

    fn fields(self) -> impl Iterator<Item = &'static FieldOf> {
        self.sections().iter().flat_map(|section| section.fields)
    }
}

/// A section of a page: the key of its title, and its fields.
struct SectionOf {
    id: &'static str,
    fields: &'static [FieldOf],
}

/// A field: its name, what can be typed into it, and whether what it governs does not exist yet.
struct FieldOf {
    id: &'static str,
    kind: Kind,
    awaits: bool,
}

/// What can be typed into a field.
#[derive(Clone, Copy)]
enum Kind {
    /// On or off.
    Switch,
    /// One of some words, whose words are `key-word`.
    Choice { key: &'static str, of: &'static [&'static str] },
    /// One of some words that need a sentence each, `key-word-help`.
    Cards { key: &'static str, of: &'static [&'static str] },
    /// A whole number of the range, whose words are `setting-x-n` and, for nothing, `setting-x-zero`.
    Number { least: u16, most: u16 },
    /// Networks, one on a line.
    Networks,
    /// Which models of security keys and passkeys are let in: a word, and for two of the words a list of models.
    Attestation,
}

const fn field(id: &'static str, kind: Kind) -> FieldOf {
    FieldOf { id, kind, awaits: false }
}

const fn awaiting(id: &'static str, kind: Kind) -> FieldOf {
    FieldOf { id, kind, awaits: true }
}

const fn number(least: u16, most: u16) -> Kind {
    Kind::Number { least, most }
}

const STRENGTH: Kind = Kind::Choice { key: "strength", of: &["off", "once-in-15-minutes", "always"] };
const IDLE_DAYS: Kind = Kind::Choice { key: "idle-days", of: &["90", "180", "365", "730"] };
const MFA: Kind = Kind::Cards { key: "mfa-for-logon", of: &["mandatory", "independent", "adaptive"] };

const SECURITY: &[SectionOf] = &[
    SectionOf {
        id: "mfa",
        fields: &[
            field("mfa_for_logon", MFA),
            field("remember_machines", Kind::Switch),
            field("binding_codes", Kind::Choice { key: "binding-codes", of: &["one", "two"] }),
            field("mfa_device_types", Kind::Choice { key: "device-types", of: &["one", "several"] }),
            field("attestation", Kind::Attestation),
        ],
    },
    SectionOf {
        id: "logon",
        fields: &[
            field("session_hours", number(1, 24)),
            field("logon_networks", Kind::Networks),
            field("passkey_logon", Kind::Switch),
        ],
    },
    SectionOf {
        id: "self",
        fields: &[
            field("users_change_password", Kind::Switch),
            field("users_manage_mfa_devices", Kind::Switch),
            field("users_manage_access_keys", Kind::Switch),
        ],
    },
    SectionOf {
        id: "sensitive",
        fields: &[
            field("strength-own-password", STRENGTH),
            field("strength-own-mfa", STRENGTH),
            field("strength-own-contact", STRENGTH),
            field("strength-users", STRENGTH),
            field("strength-policies", STRENGTH),
            field("strength-access-keys", STRENGTH),
            field("strength-security-settings", STRENGTH),
            awaiting("verify_by_email", Kind::Switch),
            awaiting("verify_by_sms", Kind::Switch),
        ],
    },
    SectionOf {
        id: "idle",
        fields: &[field("max_idle_days_users", IDLE_DAYS), field("max_idle_days_access_keys", IDLE_DAYS)],
    },
    SectionOf { id: "audit", fields: &[field("audit_retention_days", number(90, 3_650))] },
];

const PASSWORDS: &[SectionOf] = &[
    SectionOf {
        id: "rules",
        fields: &[
            field("minimum_length", number(8, 32)),
            field("minimum_different", number(0, 8)),
            field("require_lowercase", Kind::Switch),
            field("require_uppercase", Kind::Switch),
            field("require_numbers", Kind::Switch),
            field("require_symbols", Kind::Switch),
            field("not_contain_user_name", Kind::Switch),
            field("reuse_prevention", number(0, 24)),
        ],
    },
    SectionOf {
        id: "validity",
        fields: &[
            field("max_age_days", number(0, 1_095)),
            field("hard_expire", Kind::Switch),
            field("initial_age_days", number(0, 90)),
        ],
    },
    SectionOf { id: "attempts", fields: &[field("max_logon_attempts", number(0, 32))] },
];

/// A form with what stands in it.
pub(crate) struct Form {
    which: Which,
    /// What stands in each field.
    typed: BTreeMap<&'static str, String>,
    /// What stands for the settings that it was made from.
    pub(crate) seen: String,
}

/// A section as a template shows it.
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) lead: String,
    pub(crate) rows: Vec<Row>,
}

/// A setting as a template shows it.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) help: String,
    /// Says that what it governs does not exist yet.
    pub(crate) awaits: String,
    pub(crate) control: Control,
}

impl Row {
    /// Whether its choices need a sentence each, and so the width of the page.
    pub(crate) const fn is_wide(&self) -> bool {
        matches!(self.control, Control::Cards { .. } | Control::Attestation { .. })
    }
}

/// What a setting is changed with.
pub(crate) enum Control {
    Switch { on: bool },
    Choice { options: Vec<Choice> },
    Cards { options: Vec<Choice> },
    Number { value: String, least: u16, most: u16, unit: String },
    Networks { text: String, lines: usize },
    Attestation { options: Vec<Choice>, products: Vec<Product>, others: String },
}

/// One of several to choose.
pub(crate) struct Choice {
    pub(crate) value: &'static str,
    pub(crate) title: String,
    pub(crate) help: String,
    pub(crate) chosen: bool,
}

impl Form {
    /// The form with the settings as they are.
    pub(crate) fn of(which: Which, settings: &SecuritySettings, seen: &Fingerprint) -> Self {
        let stored: BTreeMap<_, _> = values(settings).into_iter().collect();
        let value = |field: &FieldOf| {
            let value = stored.get(field.id).cloned().unwrap_or_default();
            let value = if matches!(field.kind, Kind::Networks) { value.replace(';', "\n") } else { value };
            (field.id, value)
        };
        Self { which, typed: which.fields().map(value).collect(), seen: seen.as_str().to_owned() }
    }

    /// The form with what was typed. A box that is not ticked is not sent.
    pub(crate) fn read(which: Which, fields: &Fields) -> Self {
        let value = |field: &FieldOf| {
            let value = fields.text(field.id);
            let value = match field.kind {
                Kind::Switch => if value == "on" { "on" } else { "off" }.to_owned(),
                Kind::Attestation => typed_policy(fields, value),
                Kind::Choice { .. } | Kind::Cards { .. } | Kind::Number { .. } | Kind::Networks => value,
            };
            (field.id, value)
        };
        Self { which, typed: which.fields().map(value).collect(), seen: fields.text("seen") }
    }

    /// The change that was typed. A word that the form does not offer leaves its setting as it is.
    pub(crate) fn change(&self, words: &Words) -> Result<SettingsChange, Problems> {
        let mut problems = Problems::default();
        let seen = (!self.seen.is_empty()).then(|| Fingerprint::from_form(self.seen.clone()));
        let mut change = match self.which {
            Which::Security => self.security_change(words, &mut problems),
            Which::Passwords => {
                SettingsChange { password: self.policy_change(words, &mut problems), ..Default::default() }
            }
        };
        change.seen = seen;
        for code in change.problems() {
            refuse(words, &mut problems, code);
        }
        if problems.is_empty() { Ok(change) } else { Err(problems) }
    }

    fn security_change(&self, words: &Words, problems: &mut Problems) -> SettingsChange {
        let strengths = SensitiveOperation::ALL.iter().filter_map(|operation| {
            let strength = self.text(strength_name(*operation)).parse().ok()?;
            Some((*operation, strength))
        });
        SettingsChange {
            mfa_for_logon: self.text("mfa_for_logon").parse().ok(),
            remember_machines: Some(self.on("remember_machines")),
            users_manage_mfa_devices: Some(self.on("users_manage_mfa_devices")),
            users_change_password: Some(self.on("users_change_password")),
            users_manage_access_keys: Some(self.on("users_manage_access_keys")),
            passkey_logon: Some(self.on("passkey_logon")),
            attestation: self.attestation(words, problems),
            binding_codes: self.text("binding_codes").parse().ok(),
            mfa_device_types: self.text("mfa_device_types").parse().ok(),
            session_hours: self.number("session_hours", "InvalidParameter.LoginSessionDuration", words, problems),
            logon_networks: self.networks(words, problems),
            verify_by_email: Some(self.on("verify_by_email")),
            verify_by_sms: Some(self.on("verify_by_sms")),
            max_idle_days_users: self.text("max_idle_days_users").parse().ok(),
            max_idle_days_access_keys: self.text("max_idle_days_access_keys").parse().ok(),
            strengths: strengths.collect(),
            audit_retention_days: self.number(
                "audit_retention_days",
                "InvalidParameter.AuditRetentionDays",
                words,
                problems,
            ),
            ..SettingsChange::default()
        }
    }

    fn policy_change(&self, words: &Words, problems: &mut Problems) -> PolicyChange {
        let mut number = |id, code| self.number::<u8>(id, code, words, problems);
        PolicyChange {
            minimum_length: number("minimum_length", "InvalidParameter.MinimumPasswordLength.Range"),
            minimum_different: number("minimum_different", "InvalidParameter.MinimumPasswordDifferentCharacter"),
            initial_age_days: number("initial_age_days", "InvalidParameter.InitialPasswordAge"),
            reuse_prevention: number("reuse_prevention", "InvalidParameter.PasswordReusePrevention"),
            max_logon_attempts: number("max_logon_attempts", "InvalidParameter.MaxLoginAttemps"),
            max_age_days: self.number("max_age_days", "InvalidParameter.MaxPasswordAge", words, problems),
            require_lowercase: Some(self.on("require_lowercase")),
            require_uppercase: Some(self.on("require_uppercase")),
            require_numbers: Some(self.on("require_numbers")),
            require_symbols: Some(self.on("require_symbols")),
            not_contain_user_name: Some(self.on("not_contain_user_name")),
            hard_expire: Some(self.on("hard_expire")),
        }
    }

    fn networks(&self, words: &Words, problems: &mut Problems) -> Option<NetworkMasks> {
        let text = self.text("logon_networks").replace(['\r', '\n'], ";");
        match text.parse() {
            Ok(networks) => Some(networks),
            Err(invalid) => {
                refuse(words, problems, InvalidMasks::code(&invalid));
                None
            }
        }
    }

    fn attestation(&self, words: &Words, problems: &mut Problems) -> Option<AttestationPolicy> {
        let text = self.text("attestation");
        if !is_policy(text) {
            return None;
        }
        text.parse().inspect_err(|_| refuse(words, problems, "InvalidParameter.Attestation")).ok()
    }

    fn number<T: std::str::FromStr>(
        &self,
        id: &str,
        code: &'static str,
        words: &Words,
        problems: &mut Problems,
    ) -> Option<T> {
        self.text(id).parse().inspect_err(|_| refuse(words, problems, code)).ok()
    }

    fn on(&self, id: &str) -> bool {
        self.text(id) == "on"
    }

    fn text(&self, id: &str) -> &str {
        self.typed.get(id).map_or("", String::as_str)
    }

    /// The names and values of all fields, for the page that asks before saving to carry on.
    pub(crate) fn carried(&self) -> impl Iterator<Item = (&&'static str, &String)> {
        self.typed.iter()
    }

    pub(crate) fn sections(&self, words: &Words) -> Vec<Section> {
        let section = |section: &SectionOf| Section {
            id: section.id,
            title: words.s(&format!("settings-{}", section.id)),
            lead: words.s(&format!("settings-{}-lead", section.id)),
            rows: section.fields.iter().map(|field| self.row(field, words)).collect(),
        };
        self.which.sections().iter().map(section).collect()
    }

    fn row(&self, field: &FieldOf, words: &Words) -> Row {
        let value = self.text(field.id).to_owned();
        let options = |key: &str, of: &'static [&'static str], helped: bool| {
            let option = |word: &&'static str| Choice {
                value: word,
                title: words.s(&format!("{key}-{word}")),
                help: if helped { words.s(&format!("{key}-{word}-help")) } else { String::new() },
                chosen: **word == *value,
            };
            of.iter().map(option).collect()
        };
        let control = match field.kind {
            Kind::Switch => Control::Switch { on: value == "on" },
            Kind::Choice { key, of } => Control::Choice { options: options(key, of, false) },
            Kind::Cards { key, of } => Control::Cards { options: options(key, of, true) },
            Kind::Number { least, most } => {
                Control::Number { value, least, most, unit: words.s(&format!("setting-{}-unit", field.id)) }
            }
            Kind::Attestation => policy_control(&value, words),
            Kind::Networks => Control::Networks { lines: value.lines().count().clamp(3, 12), text: value },
        };
        let awaits = if field.awaits { words.s(&format!("setting-{}-awaits", field.id)) } else { String::new() };
        Row {
            id: field.id,
            title: words.s(&format!("setting-{}", field.id)),
            help: words.s(&format!("setting-{}-help", field.id)),
            awaits,
            control,
        }
    }
}

fn refuse(words: &Words, problems: &mut Problems, code: &'static str) {
    let refusal = Refusal::Invalid(code);
    problems.add(field_of(refusal).unwrap_or("settings"), refusal_text(words, refusal));
}

/// The name of a setting in words.
pub(crate) fn setting_title(words: &Words, setting: &str) -> String {
    words.s(&format!("setting-{setting}"))
}

/// The value of a setting in words.
pub(crate) fn setting_value(words: &Words, setting: &str, value: &str) -> String {
    let mut fields = Which::Security.fields().chain(Which::Passwords.fields());
    match fields.find(|field| field.id == setting).map(|field| field.kind) {
        Some(Kind::Switch) => words.s(&format!("setting-{value}")),
        Some(Kind::Choice { key, .. } | Kind::Cards { key, .. }) => words.s(&format!("{key}-{value}")),
        Some(Kind::Number { .. }) if value == "0" => words.s(&format!("setting-{setting}-zero")),
        Some(Kind::Number { .. }) => words.count(&format!("setting-{setting}-n"), value.parse().unwrap_or_default()),
        Some(Kind::Attestation) => policy_value(words, value),
        Some(Kind::Networks) if value.is_empty() => words.s("setting-logon_networks-none"),
        Some(Kind::Networks) => value.replace(';', ", "),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use std::sync::Arc;

    fn each_language(check: impl Fn(Words)) {
        let locales = Arc::new(Locales::load());
        for language in [Language::English, Language::Chinese] {
            check(Words::new(Arc::clone(&locales), language));
        }
    }

    #[test]
    fn every_setting_stands_on_one_page_and_has_all_its_words() {
        let settings = SecuritySettings::default();
        let mut ids: Vec<_> =
            [Which::Security, Which::Passwords].iter().flat_map(|which| which.fields()).map(|f| f.id).collect();
        let mut known: Vec<_> = values(&settings).into_iter().map(|(id, _)| id).collect();
        ids.sort_unstable();
        known.sort_unstable();
        assert_eq!(ids, known);
        each_language(|words| {
            for which in [Which::Security, Which::Passwords] {
                let form = Form::of(which, &settings, &Fingerprint::of(&settings).unwrap());
                for Section { id, title, lead, rows } in form.sections(&words) {
                    assert!(title != format!("settings-{id}") && lead != format!("settings-{id}-lead"), "{id}");
                    for row in rows {
                        for text in [&row.title, &row.help, &row.awaits] {
                            assert!(!text.starts_with("setting-"), "{text}");
                        }
                        match row.control {
                            Control::Choice { options }
                            | Control::Cards { options }
                            | Control::Attestation { options, .. } => {
                                assert_eq!(options.iter().filter(|option| option.chosen).count(), 1, "{}", row.id);
                                for Choice { value, title, help, .. } in options {
                                    assert!(
                                        !title.ends_with(&format!("-{value}")) && !help.ends_with("-help"),
                                        "{title}"
                                    );
                                }
                            }
                            Control::Number { unit, .. } => assert!(!unit.starts_with("setting-"), "{unit}"),
                            Control::Switch { .. } | Control::Networks { .. } => {}
                        }
                    }
                }
            }
            for (setting, value) in values(&settings) {
                assert!(!setting_value(&words, setting, &value).starts_with("setting-"), "{setting} {value}");
            }
            for (setting, value) in [("max_logon_attempts", "3"), ("max_age_days", "9"), ("reuse_prevention", "1")] {
                assert!(setting_value(&words, setting, value).contains(value), "{setting}");
            }
        });
    }

    #[test]
    fn what_a_form_shows_comes_back_as_the_same_settings() {
        each_language(|words| {
            let mut settings =
                SecuritySettings { logon_networks: "10.0.0.0/8;fd00::/8".parse().unwrap(), ..Default::default() };
            settings.password.max_age_days = 90;
            for which in [Which::Security, Which::Passwords] {
                let form = Form::of(which, &settings, &Fingerprint::of(&settings).unwrap());
                let change = form.change(&words).map_err(|problems| format!("{problems:?}")).unwrap();
                match which {
                    Which::Security => assert_eq!(change.logon_networks.as_ref(), Some(&settings.logon_networks)),
                    Which::Passwords => assert_eq!(change.password.max_age_days, Some(90)),
                }
            }
        });
    }
}
