//! Standard output and standard error, for what people and their programs read. The log goes elsewhere.

use crate::failure::Failure;
use std::io::{ErrorKind, Write as _};

/// Writes a text and a new line to standard output. Who stopped reading (`| head`) has what he wanted.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output cannot be written: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// As [`say`], for programs.
pub(crate) fn say_json(value: &serde_json::Value) -> Result<(), Failure> {
    say(&format!("{value:#}"))
}

/// Tells on standard error why a command failed.
pub(crate) fn complain(failure: &Failure) {
    // When nobody can be told, the exit status still tells it.
    writeln!(std::io::stderr().lock(), "countersign: {failure}").unwrap_or_default();
}
