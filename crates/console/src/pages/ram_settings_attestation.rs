//! The setting that says which models of security keys and passkeys are let in, as the fields of the form: a word, products
//! to tick, and a list of other models by their AAGUIDs. They travel as one value, as core writes the policy.

use super::ram_settings_form::{Choice, Control};
use crate::fields::Fields;
use crate::locales::Words;
use countersign_core::webauthn::{product_name, products};
use std::collections::{BTreeMap, BTreeSet};

/// The policies. Those that have a list write it behind a colon.
const POLICIES: &[&str] = &["any", "device-bound", "allow", "deny"];

/// A product to choose, with all its models.
pub(crate) struct Product {
    /// Their AAGUIDs, with commas.
    pub(crate) models: String,
    pub(crate) name: &'static str,
    pub(crate) chosen: bool,
}

/// What was typed, as one value. The page that asks before saving sends that one value.
pub(super) fn typed_policy(fields: &Fields, word: String) -> String {
    if word != "allow" && word != "deny" {
        return word;
    }
    let mut models = fields.all("attestation_products");
    models.push(fields.text("attestation_others"));
    let models = models.join(",");
    let listed: Vec<_> = models.split(|c: char| c == ',' || c.is_whitespace()).filter(|id| !id.is_empty()).collect();
    format!("{word}:{}", listed.join(","))
}

/// Whether it begins with a word that the form offers.
pub(super) fn is_policy(value: &str) -> bool {
    value.split(':').next().is_some_and(|word| POLICIES.contains(&word))
}

/// The fields for a policy. A product of which only some models are listed stands among the others.
pub(super) fn policy_control(value: &str, words: &Words) -> Control {
    let (word, list) = value.split_once(':').unwrap_or((value, ""));
    let listed: BTreeSet<&str> = list.split(',').filter(|id| !id.is_empty()).collect();
    let mut models: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (aaguid, name) in products() {
        models.entry(name).or_default().push(aaguid.to_string());
    }
    let mut ticked: BTreeSet<&str> = BTreeSet::new();
    let mut shown = Vec::new();
    for (name, ids) in &models {
        let chosen = ids.iter().all(|id| listed.contains(id.as_str()));
        if chosen {
            ticked.extend(ids.iter().map(String::as_str));
        }
        shown.push(Product { models: ids.join(","), name, chosen });
    }
    let others: Vec<_> = listed.difference(&ticked).copied().collect();
    let option = |policy: &&'static str| Choice {
        value: policy,
        title: words.s(&format!("attestation-{policy}")),
        help: words.s(&format!("attestation-{policy}-help")),
        chosen: **policy == *word,
    };
    Control::Attestation { options: POLICIES.iter().map(option).collect(), products: shown, others: others.join("\n") }
}

/// A policy in words.
pub(super) fn policy_value(words: &Words, value: &str) -> String {
    let (word, list) = value.split_once(':').unwrap_or((value, ""));
    let title = words.s(&format!("attestation-{word}"));
    if list.is_empty() {
        return title;
    }
    let name = |id: &str| {
        let product = id.parse().ok().and_then(|aaguid| product_name(&aaguid));
        product.map_or_else(|| id.to_owned(), str::to_owned)
    };
    let names: BTreeSet<String> = list.split(',').map(name).collect();
    format!("{title}: {}", names.into_iter().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, Locales};
    use axum::http::HeaderMap;
    use axum::http::header::{CONTENT_TYPE, HeaderValue};
    use std::sync::Arc;

    const OTHER: &str = "01010101-0101-0101-0101-010101010101";

    fn fields(body: &str) -> Fields {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        Fields::read(&headers, body.as_bytes())
    }

    #[test]
    fn products_that_are_ticked_and_models_that_are_typed_are_one_value_and_come_back() {
        let words = Words::new(Arc::new(Locales::load()), Language::English);
        let hello: Vec<_> =
            products().filter(|(_, name)| *name == "Windows Hello").map(|(id, _)| id.to_string()).collect();
        assert!(hello.len() > 1);
        let body = format!("attestation_products={}&attestation_others={OTHER}%0D%0A", hello.join("%2C"));
        let value = typed_policy(&fields(&body), "allow".to_owned());
        assert_eq!(value, format!("allow:{},{OTHER}", hello.join(",")));
        let Control::Attestation { options, products, others } = policy_control(&value, &words) else {
            panic!("another control");
        };
        assert_eq!(options.iter().find(|option| option.chosen).map(|option| option.value), Some("allow"));
        let chosen: Vec<_> = products.iter().filter(|product| product.chosen).map(|product| product.name).collect();
        assert_eq!((chosen, others.as_str()), (vec!["Windows Hello"], OTHER));
        assert!(policy_value(&words, &value).ends_with(&format!(": {OTHER}, Windows Hello")));
        // The page that asks before saving sends the value as it is.
        assert_eq!(typed_policy(&fields(""), value.clone()), value);
        assert_eq!(typed_policy(&fields(&body), "any".to_owned()), "any");
        let Control::Attestation { products, others, .. } = policy_control(&format!("deny:{}", hello[0]), &words)
        else {
            panic!("another control");
        };
        assert!(products.iter().all(|product| !product.chosen));
        assert_eq!(others, hello[0]);
    }
}
