//! What a command in a session says, printed.

use std::io::{self, IsTerminal, Write};

use mizzen_core::OutputText;
use serde::Serialize;

use crate::output::{Failure, Output};

/// Prints as it comes: bytes as they are to a file or a program, text that steers nothing to a terminal, and text in JSON
/// where that was asked for.
pub(super) struct Printer {
    output: Output,
    /// None where bytes go out as they are.
    text: Option<OutputText>,
}

/// A piece of output as scripts read it.
#[derive(Serialize)]
struct Piece<'a> {
    text: &'a str,
}

impl Printer {
    pub(super) fn new(output: Output) -> Self {
        let text = match output.json {
            true => Some(OutputText::default()),
            false => io::stdout().is_terminal().then(OutputText::for_terminal),
        };
        Self { output, text }
    }

    pub(super) fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match &mut self.text {
            None => write(bytes),
            Some(text) if self.output.json => {
                let text = text.take(bytes);
                self.output.object(&Piece { text: &text })
            }
            Some(text) => write(text.take(bytes).as_bytes()),
        }
    }
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(|_| Failure::OutputClosed)
}

/// The last lines of a text.
pub(super) fn last_lines(text: &[u8], count: u32) -> &[u8] {
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let ends = body
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| **byte == b'\n');
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count == 0 {
        return &[];
    }
    let start = ends.map(|(at, _)| at + 1).nth(count - 1).unwrap_or(0);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::last_lines;

    #[test]
    fn the_last_lines_are_those_and_no_more() {
        for (text, count, last) in [
            ("a\nb\nc\n", 2, "b\nc\n"),
            ("a\nb\nc", 1, "c"),
            ("a\nb", 9, "a\nb"),
            ("a\n\n", 1, "\n"),
            ("a\n", 0, ""),
            ("", 3, ""),
        ] {
            assert_eq!(
                last_lines(text.as_bytes(), count),
                last.as_bytes(),
                "{text:?}"
            );
        }
    }
}
