//! The tables of features and attacks: every id once, and no row works without a test that is in the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::assert_none;
use crate::files::{files_under, has_extension, read, relative, root};

/// The ids of `docs/features.md`: a letter and how many there are of it.
const FEATURES: &[(&str, usize)] =
    &[("A", 21), ("B", 13), ("C", 38), ("D", 14), ("V", 16), ("I", 14), ("K", 11), ("P", 8), ("X", 14)];

/// The numbers of `docs/attacks.md`. They are stable and have gaps.
const ATTACKS: &[usize] = &[
    1, 2, 3, 4, 6, 7, 12, 13, 16, 17, 18, 19, 21, 24, 26, 27, 29, 30, 31, 32, 33, 35, 36, 38, 39, 40, 41, 42, 43, 44,
    47, 48, 49, 50, 51, 53, 60, 61, 62, 63, 64, 65, 67, 68, 69, 70, 73, 74, 75, 77, 78, 79, 81, 82, 83, 84, 86, 88, 89,
    91, 92, 93, 94, 96, 97, 98, 99, 100, 101, 102, 104, 105, 106, 107, 111, 112, 118, 121, 122, 124, 125, 126, 128,
    131, 132, 133, 134, 135, 136, 137, 139, 140, 141, 143, 145, 147, 148,
];

#[test]
fn features_that_work_name_their_tests() {
    let expected = FEATURES.iter().flat_map(|&(letter, count)| {
        (1..=count).map(move |number| if letter == "X" { format!("X{number}") } else { format!("{letter}{number:02}") })
    });
    judge_table("docs/features.md", expected, str::to_owned);
}

#[test]
fn attacks_that_are_refused_name_their_tests() {
    judge_table("docs/attacks.md", ATTACKS.iter().map(usize::to_string), |number| format!("attack_{number:0>3}"));
    let unmarked: Vec<String> = rows_of("docs/attacks.md")
        .into_iter()
        .filter(|row| row.state == "works" && !row.tests.iter().any(|name| carries_number(name, &row.id)))
        .map(|row| format!("docs/attacks.md: no test of {} carries the number in its name", row.id))
        .collect();
    assert_none(&unmarked);
}

/// Whether the test is called `attack_…` with the number in it, or is a script of the browser, whose text carries it.
fn carries_number(test: &str, number: &str) -> bool {
    let number = format!("{number:0>3}");
    has_extension(Path::new(test), &["mjs"])
        || (test.starts_with("attack_") && test.split('_').any(|part| part == number))
}

/// A row of a table whose cells are: id, text, state, tests.
struct Row {
    id: String,
    state: String,
    tests: Vec<String>,
}

/// Checks that the table at `path` holds each id once, in order, and that the tests it names exist. A test is a function
/// in a Rust file, or a script in `tests/browser` that contains the row's mark.
fn judge_table(path: &str, expected: impl Iterator<Item = String>, mark: impl Fn(&str) -> String) {
    let rows = rows_of(path);
    let expected: Vec<String> = expected.collect();
    let found: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut wrong = Vec::new();
    for id in &expected {
        match found.iter().filter(|other| *other == id).count() {
            1 => {}
            0 => wrong.push(format!("{path}: {id} is missing")),
            count => wrong.push(format!("{path}: {id} stands there {count} times")),
        }
    }
    wrong.extend(found.iter().filter(|id| !expected.contains(id)).map(|id| format!("{path}: {id} is unknown")));
    if wrong.is_empty() && found != expected {
        wrong.push(format!("{path}: the rows are out of order"));
    }

    let tests = Tests::in_the_tree();
    for Row { id, state, tests: named } in &rows {
        match state.as_str() {
            "works" if named.is_empty() => wrong.push(format!("{path}: {id} works and names no test")),
            "works" | "not yet" => {}
            other => wrong.push(format!("{path}: {id} is in the state {other:?}; say `works` or `not yet`")),
        }
        for name in named.iter().filter(|name| !tests.has(name, &mark(id))) {
            wrong.push(format!("{path}: {id} names the test {name}, which is not in the tree"));
        }
    }
    assert_none(&wrong);
}

/// The rows of all tables in the file at `path`.
fn rows_of(path: &str) -> Vec<Row> {
    read(&root().join(path))
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'))
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter_map(|cells| match cells.as_slice() {
            ["id" | "no." | "---" | "---:", ..] => None,
            [id, _, state, tests] => Some(Row {
                id: (*id).to_owned(),
                state: (*state).to_owned(),
                // Names stand in backticks, that is between every second pair of them.
                tests: tests.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
            }),
            _ => panic!("{path}: a row has four cells, this one has not: {cells:?}"),
        })
        .collect()
}

/// The tests that a table may name.
struct Tests {
    functions: BTreeSet<String>,
    scripts: BTreeMap<String, String>,
}

impl Tests {
    fn in_the_tree() -> Self {
        let root = root();
        let functions = files_under(&root.join("crates"))
            .iter()
            .filter(|path| has_extension(path, &["rs"]))
            .flat_map(|path| functions_in(&read(path)))
            .collect();
        let scripts = files_under(&root.join("tests/browser"))
            .iter()
            .filter(|path| has_extension(path, &["mjs"]))
            .map(|path| (relative(path).trim_start_matches("tests/browser/").to_owned(), read(path)))
            .collect();
        Self { functions, scripts }
    }

    fn has(&self, name: &str, mark: &str) -> bool {
        let script = name.trim_start_matches("tests/browser/");
        self.functions.contains(name) || self.scripts.get(script).is_some_and(|text| text.contains(mark))
    }
}

/// The names of all functions in a Rust file.
fn functions_in(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("fn ").skip(1))
        .map(|rest| rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect())
        .collect()
}
