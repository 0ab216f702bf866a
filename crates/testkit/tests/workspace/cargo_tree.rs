//! The crates of the workspace and what they use.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::files::root;

/// What Cargo knows of the workspace, for the machine that the test runs on, with normal dependencies alone: what a
/// test or a build script uses is not linked.
pub(crate) struct Tree {
    metadata: Metadata,
    uses: BTreeMap<PackageId, Vec<PackageId>>,
}

impl Tree {
    pub(crate) fn of_this_workspace() -> Self {
        let metadata = MetadataCommand::new()
            .manifest_path(root().join("Cargo.toml"))
            .other_options(["--locked", "--offline", "--filter-platform", &host()].map(str::to_owned).to_vec())
            .exec()
            .expect("cargo metadata answers");
        let nodes = &metadata.resolve.as_ref().expect("cargo metadata resolves").nodes;
        let uses = nodes
            .iter()
            .map(|node| {
                let normal = node
                    .deps
                    .iter()
                    .filter(|dep| dep.dep_kinds.iter().any(|info| info.kind == DependencyKind::Normal))
                    .map(|dep| dep.pkg.clone());
                (node.id.clone(), normal.collect())
            })
            .collect();
        Self { metadata, uses }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.metadata.workspace_packages().into_iter()
    }

    pub(crate) fn is_member(&self, id: &PackageId) -> bool {
        self.metadata.workspace_members.contains(id)
    }

    pub(crate) fn package(&self, id: &PackageId) -> &Package {
        self.metadata.packages.iter().find(|package| package.id == *id).expect("every id has its package")
    }

    pub(crate) fn name(&self, id: &PackageId) -> &str {
        self.package(id).name.as_str()
    }

    pub(crate) fn direct(&self, id: &PackageId) -> impl Iterator<Item = &PackageId> {
        self.uses.get(id).into_iter().flatten()
    }

    /// The outside crates that `id` names, with all that those bring in.
    pub(crate) fn outside<'a>(&'a self, id: &'a PackageId) -> BTreeSet<&'a PackageId> {
        self.reached(self.direct(id).filter(|used| !self.is_member(used)))
    }

    /// All crates that stand in the binary, our own among them.
    pub(crate) fn linked(&self) -> BTreeSet<&PackageId> {
        let binary = self.members().find(|package| package.name.as_str() == "countersign");
        self.reached(binary.map(|package| &package.id).into_iter())
    }

    fn reached<'a>(&'a self, from: impl Iterator<Item = &'a PackageId>) -> BTreeSet<&'a PackageId> {
        let mut waiting: Vec<&PackageId> = from.collect();
        let mut reached = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if reached.insert(id) {
                waiting.extend(self.direct(id));
            }
        }
        reached
    }
}

/// The platform of this machine. Without it Cargo would want the crates of every platform on the disk.
fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer = Command::new(rustc).arg("-vV").output().expect("rustc answers");
    String::from_utf8_lossy(&answer.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host")
        .to_owned()
}
