//! The arrows between the crates, as `cargo metadata` tells them.

use std::collections::BTreeSet;

use crate::assert_none;
use crate::cargo_tree::Tree;

/// What a crate of the workspace may stand on.
struct Rule {
    name: &'static str,
    /// The crates of the workspace that it may use.
    may_use: &'static [&'static str],
    /// The outside crates that it must neither name nor bring in by another outside crate. Cargo unites the features of
    /// the whole workspace here, so a crate stands in this list only if no feature of a neighbour brings it in.
    never: &'static [&'static str],
}

/// A door translates a protocol into calls of `core`: it stands on `core` and the model and knows no database.
const DOOR_MAY_USE: &[&str] = &["countersign-core", "countersign-model"];
const DATABASES: &[&str] = &["rusqlite", "libsqlite3-sys", "tokio-postgres", "deadpool-postgres"];

/// One row for each crate. A new crate gets a row here and a line in `docs/developers/architecture.md`.
const ARROWS: &[Rule] = &[
    Rule {
        name: "countersign-otp",
        may_use: &[],
        never: &["axum", "hyper", "jiff", "libsqlite3-sys", "tokio", "tokio-postgres"],
    },
    Rule {
        name: "countersign-webauthn",
        may_use: &[],
        never: &["axum", "hyper", "jiff", "libsqlite3-sys", "tokio-postgres"],
    },
    Rule {
        name: "countersign-model",
        may_use: &[],
        never: &["axum", "hyper", "libsqlite3-sys", "tokio", "tokio-postgres"],
    },
    Rule {
        name: "countersign-store",
        may_use: &["countersign-model"],
        never: &["askama", "axum", "hyper", "tower-http"],
    },
    Rule {
        name: "countersign-core",
        may_use: &["countersign-model", "countersign-otp", "countersign-store", "countersign-webauthn"],
        never: &["askama", "axum", "http", "hyper", "libsqlite3-sys", "rusqlite", "tokio-postgres", "tower-http"],
    },
    Rule { name: "countersign-console", may_use: DOOR_MAY_USE, never: DATABASES },
    Rule { name: "countersign-ram-api", may_use: DOOR_MAY_USE, never: DATABASES },
    Rule {
        name: "countersign",
        may_use: &[
            "countersign-console",
            "countersign-core",
            "countersign-model",
            "countersign-otp",
            "countersign-ram-api",
            "countersign-store",
        ],
        never: DATABASES,
    },
    Rule {
        name: "countersign-testkit",
        may_use: &[
            "countersign",
            "countersign-console",
            "countersign-core",
            "countersign-model",
            "countersign-otp",
            "countersign-ram-api",
            "countersign-store",
        ],
        never: &[],
    },
];

#[test]
fn arrows_between_the_crates_point_one_way() {
    let tree = Tree::of_this_workspace();
    let mut wrong = Vec::new();
    for package in tree.members() {
        let Some(rule) = ARROWS.iter().find(|rule| rule.name == package.name.as_str()) else {
            wrong.push(format!("{} has no row in ARROWS", package.name));
            continue;
        };
        for used in tree.direct(&package.id).filter(|used| tree.is_member(used)) {
            let used = tree.name(used);
            if !rule.may_use.contains(&used) {
                wrong.push(format!("{} -> {used} is not an arrow of the workspace", rule.name));
            }
        }
        for brought_in in tree.outside(&package.id) {
            let brought_in = tree.name(brought_in);
            if rule.never.contains(&brought_in) {
                wrong.push(format!("{} brings in {brought_in}", rule.name));
            }
        }
    }
    let members: BTreeSet<&str> = tree.members().map(|package| package.name.as_str()).collect();
    wrong.extend(
        ARROWS
            .iter()
            .filter(|rule| !members.contains(rule.name))
            .map(|rule| format!("{} has a row in ARROWS and does not exist", rule.name)),
    );
    assert_none(&wrong);
}
