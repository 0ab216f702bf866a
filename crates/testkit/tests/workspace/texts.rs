//! The texts of the project: links lead somewhere, the book lists its pages, and nothing points at one machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::assert_none;
use crate::files::{files_under, has_extension, read, relative, root};

#[test]
fn links_of_the_texts_lead_somewhere() {
    let wrong: Vec<String> = texts_of_the_project()
        .iter()
        .flat_map(|path| links_in(&read(path)).into_iter().map(|link| (path.clone(), link)))
        .filter(|(_, link)| !["http://", "https://", "mailto:", "#"].iter().any(|start| link.starts_with(start)))
        .filter(|(path, link)| {
            let file = link.split('#').next().unwrap_or_default();
            !path.parent().is_some_and(|folder| folder.join(file).exists())
        })
        .map(|(path, link)| format!("{}: {link} does not exist", relative(&path)))
        .collect();
    assert_none(&wrong);
}

#[test]
fn every_page_of_the_book_is_in_its_table_of_contents() {
    let docs = root().join("docs");
    let listed: BTreeSet<PathBuf> =
        links_in(&read(&docs.join("SUMMARY.md"))).into_iter().map(|link| docs.join(link)).collect();
    let wrong: Vec<String> = files_under(&docs)
        .into_iter()
        .filter(|path| has_extension(path, &["md"]) && !path.ends_with("SUMMARY.md") && !listed.contains(path))
        .map(|path| format!("{} is not in docs/SUMMARY.md", relative(&path)))
        .collect();
    assert_none(&wrong);
}

/// What only makes sense on the desk where a text was written. Each is split, so that this file does not hold it.
const LOCAL: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("../sha", "red"),
    concat!("see", "ds/"),
    concat!("design", ".md"),
    concat!("design", " §"),
    concat!("the see", "d doc"),
    concat!("cla", "ude"),
    concat!("suba", "gent"),
    concat!("co-autho", "red-by"),
];

#[test]
fn texts_make_sense_on_any_machine() {
    let root = root();
    let mut wrong = Vec::new();
    for path in files_under(&root).into_iter().filter(|path| is_text(path)) {
        // A file that another program writes while the test runs may be half there; it is no text of ours then.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            for word in LOCAL.iter().filter(|word| line.contains(*word)) {
                wrong.push(format!("{}:{}: {word:?}", relative(&path), number.saturating_add(1)));
            }
        }
    }
    assert_none(&wrong);
}

/// The pages of the book and the texts at the root.
fn texts_of_the_project() -> Vec<PathBuf> {
    let root = root();
    let mut texts = files_under(&root.join("docs"));
    texts.extend(fs::read_dir(&root).expect("the root can be read").filter_map(|entry| Some(entry.ok()?.path())));
    texts.retain(|path| has_extension(path, &["md"]));
    texts
}

/// The targets of the links and pictures in a Markdown text, outside its blocks of code.
fn links_in(text: &str) -> Vec<String> {
    let mut in_code = false;
    text.lines()
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            in_code ^= fence;
            !in_code && !fence
        })
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
        .map(str::to_owned)
        .collect()
}

fn is_text(path: &Path) -> bool {
    const ENDINGS: &[&str] = &[
        "css", "ftl", "html", "js", "json", "lock", "md", "mjs", "rs", "sh", "snap", "sql", "svg", "toml", "txt",
        "yaml", "yml",
    ];
    path.extension().is_none() || has_extension(path, ENDINGS)
}
