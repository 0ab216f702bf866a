//! The part of SPDX licence expressions that crates use: `AND`, `OR`, `WITH`, parentheses, and the old `/` for `OR`.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::vec::IntoIter;

type Words = Peekable<IntoIter<String>>;

/// Whether the licences allowed satisfy `expression`.
pub(crate) fn satisfied(expression: &str, allowed: &BTreeSet<&str>) -> Result<bool, &'static str> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    let mut words = words.into_iter().peekable();
    let answer = any_of(&mut words, allowed)?;
    match words.next() {
        None => Ok(answer),
        Some(_) => Err("something stands behind the expression"),
    }
}

fn any_of(words: &mut Words, allowed: &BTreeSet<&str>) -> Result<bool, &'static str> {
    let mut answer = all_of(words, allowed)?;
    while words.next_if(|word| word == "OR").is_some() {
        answer |= all_of(words, allowed)?;
    }
    Ok(answer)
}

fn all_of(words: &mut Words, allowed: &BTreeSet<&str>) -> Result<bool, &'static str> {
    let mut answer = one(words, allowed)?;
    while words.next_if(|word| word == "AND").is_some() {
        answer &= one(words, allowed)?;
    }
    Ok(answer)
}

fn one(words: &mut Words, allowed: &BTreeSet<&str>) -> Result<bool, &'static str> {
    let word = words.next().ok_or("a licence is missing")?;
    if word == "(" {
        let answer = any_of(words, allowed)?;
        return match words.next() {
            Some(closing) if closing == ")" => Ok(answer),
            _ => Err("a parenthesis stays open"),
        };
    }
    if matches!(word.as_str(), ")" | "AND" | "OR" | "WITH") {
        return Err("a licence is missing");
    }
    if words.next_if(|word| word == "WITH").is_some() {
        let exception = words.next().ok_or("an exception is missing")?;
        return Ok(allowed.contains(format!("{word} WITH {exception}").as_str()));
    }
    Ok(allowed.contains(word.as_str()))
}

#[test]
fn licence_expressions_are_judged_as_spdx_says() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0", "Unicode-3.0"]);
    for (expression, expected) in [
        ("MIT", Ok(true)),
        ("GPL-3.0-only", Ok(false)),
        ("MIT OR GPL-3.0-only", Ok(true)),
        ("MIT AND GPL-3.0-only", Ok(false)),
        ("MIT/Apache-2.0", Ok(true)),
        ("GPL-3.0-only / MIT", Ok(true)),
        // AND binds tighter than OR.
        ("MIT OR Apache-2.0 AND GPL-3.0-only", Ok(true)),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", Ok(false)),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", Ok(true)),
        // A licence with an exception is another licence, and has to be named as such.
        ("Apache-2.0 WITH LLVM-exception", Ok(false)),
        ("Apache-2.0 WITH LLVM-exception OR MIT", Ok(true)),
        ("", Err("a licence is missing")),
        ("MIT OR", Err("a licence is missing")),
        ("(MIT", Err("a parenthesis stays open")),
        ("MIT MIT", Err("something stands behind the expression")),
        ("MIT)", Err("something stands behind the expression")),
    ] {
        assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
    }
}
