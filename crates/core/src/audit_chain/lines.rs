//! Lines of bytes of whatever length, one at a time, in bounded memory.

use std::io::{self, BufRead, Read as _};

/// Longer than any line that Countersign writes.
const LONGEST: u64 = 256 * 1024;

/// Reads lines. One that is too long comes in pieces, none of which will be anything.
pub(crate) struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    number: u64,
}

/// A line without its end.
pub(crate) struct Line<'a> {
    pub(crate) text: &'a [u8],
    /// From 1.
    pub(crate) number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(crate) const fn new(from: R) -> Self {
        Self { from, buffer: Vec::new(), number: 0 }
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        if self.from.by_ref().take(LONGEST).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let text = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Ok(Some(Line { text, number: self.number }))
    }
}
