//! What may be linked into the binary, as `deny.toml` says. `cargo deny check` says the same and more; this needs
//! neither the tool nor a network.

use std::collections::BTreeSet;

use crate::cargo_tree::Tree;
use crate::files::{read, root};
use crate::{assert_none, spdx};

#[test]
fn every_licence_is_on_the_list() {
    let deny = deny_toml();
    let allowed: BTreeSet<&str> = strings(deny.get("licenses").and_then(|table| table.get("allow"))).collect();
    assert!(!allowed.is_empty(), "deny.toml allows no licence");

    let tree = Tree::of_this_workspace();
    let wrong: Vec<String> = tree
        .linked()
        .into_iter()
        .map(|id| tree.package(id))
        .filter_map(|package| match &package.license {
            None => Some(format!("{} {} states no licence", package.name, package.version)),
            Some(stated) => match spdx::satisfied(stated, &allowed) {
                Ok(true) => None,
                Ok(false) => Some(format!("{} {}: {stated}", package.name, package.version)),
                Err(reason) => Some(format!("{} {}: {stated}: {reason}", package.name, package.version)),
            },
        })
        .collect();
    assert_none(&wrong);
}

#[test]
fn nothing_banned_is_linked() {
    let deny = deny_toml();
    let banned: BTreeSet<&str> = deny
        .get("bans")
        .and_then(|table| table.get("deny"))
        .and_then(toml::Value::as_array)
        .expect("deny.toml has a list [bans] deny")
        .iter()
        .filter_map(|entry| entry.get("crate").and_then(toml::Value::as_str))
        .collect();
    assert!(!banned.is_empty(), "deny.toml bans nothing");

    let tree = Tree::of_this_workspace();
    let wrong: Vec<String> = tree
        .linked()
        .into_iter()
        .map(|id| tree.name(id))
        .filter(|name| banned.contains(name))
        .map(|name| format!("{name} is banned by deny.toml; `cargo tree --invert {name}` tells who brings it in"))
        .collect();
    assert_none(&wrong);
}

fn deny_toml() -> toml::Table {
    read(&root().join("deny.toml")).parse().expect("deny.toml is TOML")
}

fn strings(value: Option<&toml::Value>) -> impl Iterator<Item = &str> {
    value.and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_str)
}
