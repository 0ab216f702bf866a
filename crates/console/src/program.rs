//! What a browser calls itself, in two words. A program may call itself what it likes, so only known words come out.

use crate::locales::Words;

/// What stands in the name of a browser, and what it is. Most browsers also carry the names of others, so order counts.
const BROWSERS: &[(&str, &str)] = &[
    ("MicroMessenger/", "WeChat"),
    ("EdgiOS/", "Edge"),
    ("EdgA/", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// The browser and its system in words, as far as they are known.
pub(crate) fn program(words: &Words, user_agent: &str) -> String {
    let known =
        |list: &[(&str, &'static str)]| list.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name);
    match (known(BROWSERS), known(SYSTEMS)) {
        (Some(browser), Some(system)) => words.with_two("mail-program-on", ("browser", browser), ("system", system)),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => words.s("mail-program-unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use std::sync::Arc;

    #[test]
    fn browsers_are_told_in_two_words_and_nothing_of_their_own() {
        let words = Words::new(Arc::new(Locales::load()), Language::English);
        for (user_agent, told) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
                 Safari/537.36 Edg/141.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
                 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 CriOS/141.0 Mobile/15E148 Safari/604.1",
                "Chrome on iOS",
            ),
            ("curl/8.5.0", "curl"),
            ("", "Unknown"),
            ("Click http://evil.example <b>now</b>", "Unknown"),
        ] {
            assert_eq!(program(&words, user_agent), told);
        }
    }
}
