//! What holds for the project as a whole and belongs to no single crate. Each test reads the tree as it lies on the disk.
//!
//! - [`arrows`]: which crate may stand on which.
//! - [`linked`]: the licences of what is linked, and what must not be.
//! - [`tables`]: `docs/features.md` and `docs/attacks.md` against the tests that they name.
//! - [`texts`]: links that lead somewhere, and words that make sense on any machine.
#![expect(clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod arrows;
mod cargo_tree;
mod files;
mod linked;
mod spdx;
mod tables;
mod texts;

/// Fails with one line for each thing that is wrong.
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
