//! The words of the pages, in English and Chinese. Each language is one folder of `locales/`.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::fmt::Display;
use std::sync::Arc;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The tag of BCP 47.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language of a tag.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        let tag = tag.trim().to_ascii_lowercase();
        match tag.split('-').next() {
            Some("en") => Some(Self::English),
            Some("zh") => Some(Self::Chinese),
            Some(_) | None => None,
        }
    }

    /// The first language of an `Accept-Language` header that the pages have. Browsers list them by preference.
    pub(crate) fn preferred(accept_language: &str) -> Self {
        let mut tags = accept_language.split(',').filter_map(|part| part.split(';').next());
        tags.find_map(Self::parse).unwrap_or_default()
    }

    /// The words by area: the frame of every page, the logon, one's own security, the RAM console, its settings, mail, the
    /// audit log, AccessKeys, groups and policies, the check of MFA, security keys and passkeys.
    const fn texts(self) -> [&'static str; 11] {
        match self {
            Self::English => [
                include_str!("../locales/en/frame.ftl"),
                include_str!("../locales/en/logon.ftl"),
                include_str!("../locales/en/own.ftl"),
                include_str!("../locales/en/ram.ftl"),
                include_str!("../locales/en/settings.ftl"),
                include_str!("../locales/en/mail.ftl"),
                include_str!("../locales/en/audit.ftl"),
                include_str!("../locales/en/keys.ftl"),
                include_str!("../locales/en/access.ftl"),
                include_str!("../locales/en/check.ftl"),
                include_str!("../locales/en/webauthn.ftl"),
            ],
            Self::Chinese => [
                include_str!("../locales/zh-CN/frame.ftl"),
                include_str!("../locales/zh-CN/logon.ftl"),
                include_str!("../locales/zh-CN/own.ftl"),
                include_str!("../locales/zh-CN/ram.ftl"),
                include_str!("../locales/zh-CN/settings.ftl"),
                include_str!("../locales/zh-CN/mail.ftl"),
                include_str!("../locales/zh-CN/audit.ftl"),
                include_str!("../locales/zh-CN/keys.ftl"),
                include_str!("../locales/zh-CN/access.ftl"),
                include_str!("../locales/zh-CN/check.ftl"),
                include_str!("../locales/zh-CN/webauthn.ftl"),
            ],
        }
    }
}

/// The words of all languages.
pub(crate) struct Locales {
    english: FluentBundle<FluentResource>,
    chinese: FluentBundle<FluentResource>,
}

impl Locales {
    /// Reads the embedded words. What cannot be read is logged and missing; a test reads them all.
    pub(crate) fn load() -> Self {
        Self { english: bundle(Language::English), chinese: bundle(Language::Chinese) }
    }

    const fn bundle(&self, language: Language) -> &FluentBundle<FluentResource> {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }
}

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(language.tag().parse().into_iter().collect());
    // The marks around inserted values would be copied with them.
    bundle.set_use_isolating(false);
    for text in language.texts() {
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(partial, errors)| {
            tracing::error!(language = language.tag(), ?errors, "words that cannot be read");
            partial
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(language = language.tag(), ?errors, "words that come twice");
        }
    }
    bundle
}

/// The words in one language, as templates use them: `t.s("key")`, `t.with("key", "name", value)`.
#[derive(Clone)]
pub(crate) struct Words {
    locales: Arc<Locales>,
    language: Language,
}

impl Words {
    pub(crate) const fn new(locales: Arc<Locales>, language: Language) -> Self {
        Self { locales, language }
    }

    /// The tag of the language.
    pub(crate) const fn tag(&self) -> &'static str {
        self.language.tag()
    }

    /// All languages, each by its tag and its own name.
    pub(crate) const LANGUAGES: [(&'static str, &'static str); 2] = [("en", "English"), ("zh-CN", "简体中文")];

    /// The words of a key.
    pub(crate) fn s(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The words of a key with one value in them.
    pub(crate) fn with(&self, key: &str, name: &str, value: impl Display) -> String {
        let mut args = FluentArgs::new();
        args.set(name, value.to_string());
        self.format(key, Some(&args))
    }

    /// The words of a key with two values in them.
    pub(crate) fn with_two(&self, key: &str, first: (&str, &str), second: (&str, &str)) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in [first, second] {
            args.set(name.to_owned(), value.to_owned());
        }
        self.format(key, Some(&args))
    }

    /// The words of a key with a number in them, which may choose a plural.
    pub(crate) fn count(&self, key: &str, number: i64) -> String {
        let mut args = FluentArgs::new();
        args.set("n", number);
        self.format(key, Some(&args))
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let bundle = self.locales.bundle(self.language);
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, language = self.language.tag(), "words are missing");
            return key.to_owned();
        };
        bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::{Conflict, Limit};
    use std::collections::BTreeSet;

    fn keys(language: Language) -> BTreeSet<String> {
        language
            .texts()
            .iter()
            .flat_map(|text| text.lines())
            .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
            .filter_map(|line| line.split_once(" =").map(|(key, _)| key.to_owned()))
            .collect()
    }

    #[test]
    fn every_key_is_in_every_language_and_can_be_read() {
        assert_eq!(keys(Language::English), keys(Language::Chinese));
        for language in [Language::English, Language::Chinese] {
            let mut bundle: FluentBundle<FluentResource> = FluentBundle::new_concurrent(Vec::new());
            for text in language.texts() {
                let resource = FluentResource::try_new(text.to_owned()).map_err(|(_, errors)| errors).unwrap();
                bundle.add_resource(resource).expect("a key comes twice");
            }
        }
    }

    #[test]
    fn every_key_that_templates_and_pages_use_exists() {
        let english = keys(Language::English);
        let mut missing = BTreeSet::new();
        for folder in ["templates", "src", "src/pages"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            for entry in std::fs::read_dir(path).unwrap() {
                let Ok(text) = std::fs::read_to_string(entry.unwrap().path()) else { continue };
                for call in ["t.s(\"", "t.with(\"", "t.count(\"", "words.s(\"", "words.with(\"", "words.count(\""] {
                    for rest in text.split(call).skip(1) {
                        let key = rest.split('"').next().unwrap();
                        if !english.contains(key) && key != "key" {
                            missing.insert(key.to_owned());
                        }
                    }
                }
            }
        }
        assert!(missing.is_empty(), "{missing:#?}");
    }

    #[test]
    fn every_refusal_has_words() {
        let english = keys(Language::English);
        let codes = crate::answer::REFUSAL_CODES.iter().copied();
        let codes = codes.chain(Limit::ALL.iter().map(|limit| limit.code()));
        let missing: Vec<_> = codes
            .chain(Conflict::ALL.iter().map(|conflict| conflict.code()))
            .map(crate::answer::refusal_key)
            .filter(|key| !english.contains(key))
            .collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }

    #[test]
    fn the_browser_chooses_the_language() {
        assert_eq!(Language::preferred("zh-TW,zh;q=0.9,en;q=0.8"), Language::Chinese);
        assert_eq!(Language::preferred("de-DE,de;q=0.9,en-GB;q=0.8,zh;q=0.1"), Language::English);
        assert_eq!(Language::preferred(""), Language::English);
    }
}
