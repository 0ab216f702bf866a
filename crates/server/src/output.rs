//! Standard output and standard error, for what people and their programs read. The log goes elsewhere.

use crate::failure::Failure;
use std::io::{ErrorKind, IsTerminal as _, Write as _};

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

/// Tells on standard error how far a long command is, in one line that is written over, if a person is looking.
pub(crate) fn progress(text: &str) {
    let mut out = std::io::stderr().lock();
    if out.is_terminal() {
        write!(out, "\r{text}\x1b[K").and_then(|()| out.flush()).unwrap_or_default();
    }
}

/// Columns as wide as their widest cell.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["A", "B"], ["longer", "x"], ["", "Ünïcödé"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "A       B\nlonger  x\n        Ünïcödé");
    }
}
