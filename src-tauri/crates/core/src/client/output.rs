//! What a command in a session says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use interprocess::local_socket::tokio::Stream;
use serde::{Deserialize, Serialize};
use tokio::io::WriteHalf;

use super::connection::{Lines, ask, receive};
use super::{core_gone, unexpected};
use crate::control::frame::{Answer, Body, Call, Item};
use crate::dirs::Dirs;
use crate::verb::ApiError;
use crate::view::CommandView;

/// Which command's output, and which part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutputOptions {
    /// Id of the command.
    pub id: String,
    /// Bytes that are known already.
    pub from: u64,
    /// Go on until the command has ended, or its session.
    pub follow: bool,
}

/// A part of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputPiece {
    base64: String,
}

impl OutputPiece {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            base64: STANDARD.encode(bytes),
        }
    }

    fn bytes(&self) -> Result<Vec<u8>, ApiError> {
        STANDARD.decode(&self.base64).map_err(|_| core_gone())
    }
}

/// What comes of following an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputSaid {
    /// What the command wrote, control sequences and all.
    Bytes(Vec<u8>),
    /// Nothing more will come. How the command stands; none for one that Mizzen was not asked for.
    Ended(Option<Box<CommandView>>),
}

/// An output, read no faster than the caller asks.
pub struct OutputStream {
    lines: Lines,
    /// Held: the core ends the stream with the connection.
    _write: WriteHalf<Stream>,
}

impl OutputStream {
    pub(super) async fn open(
        dirs: &Dirs,
        session: &str,
        options: OutputOptions,
    ) -> Result<Self, ApiError> {
        let call = Call::Output {
            session: session.to_owned(),
            options,
        };
        let (lines, write) = ask(dirs, call).await?;
        Ok(Self {
            lines,
            _write: write,
        })
    }

    /// Waits for more. Cancel safe. Not to be asked again after the end.
    ///
    /// # Errors
    /// When there is no such command, its output is not safe to read, or the core is gone.
    pub async fn next(&mut self) -> Result<OutputSaid, ApiError> {
        match receive(&mut self.lines).await? {
            Body::Item(Item::Output(piece)) => Ok(OutputSaid::Bytes(piece.bytes()?)),
            Body::Item(_) => Err(core_gone()),
            Body::Done(Answer::Command(view)) => Ok(OutputSaid::Ended(view)),
            Body::Done(other) => Err(unexpected(&other)),
            Body::Failed(error) => Err(error),
        }
    }
}

/// Makes text of an output that comes in pieces: fit to be shown, whatever it holds.
#[derive(Debug, Default)]
pub struct OutputText {
    /// Begins a character of which the rest is yet to come.
    begun: Vec<u8>,
    /// A line that is written over is drawn anew.
    redraws: bool,
    /// What comes next is written over the line.
    has_returned: bool,
}

/// Back to the beginning of the line, and nothing of what stood there.
const ANEW: &str = "\r\x1b[K";

impl OutputText {
    /// For a terminal, where a progress bar is to stay one line. A carriage return reaches nothing but the line that the
    /// command itself wrote, and that line is emptied first: nobody reads half of one and half of another.
    #[must_use]
    pub fn for_terminal() -> Self {
        Self {
            redraws: true,
            ..Self::default()
        }
    }

    /// The text of the next piece. Escape sequences and controls are left out, but for line feeds and tabs; and on a
    /// terminal carriage returns, once something follows that is no line feed.
    pub fn take(&mut self, bytes: &[u8]) -> String {
        self.begun.extend_from_slice(bytes);
        let whole = self.begun.len() - unfinished(&self.begun);
        let rest = self.begun.split_off(whole);
        let text = std::mem::replace(&mut self.begun, rest);
        let text = String::from_utf8_lossy(&text);
        let shown = |text: &str| mizzen_status::sanitise(text, usize::MAX);
        if !self.redraws {
            return shown(&text);
        }
        let mut drawn = String::new();
        for (at, part) in text.split('\r').enumerate() {
            self.has_returned |= at > 0;
            let part = shown(part);
            if part.is_empty() {
                continue;
            }
            if std::mem::take(&mut self.has_returned) && !part.starts_with('\n') {
                drawn.push_str(ANEW);
            }
            drawn.push_str(&part);
        }
        drawn
    }
}

/// How many bytes at the end are the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
        Ok(_) => 0,
        // Something before it is no text at all: only the last few bytes can begin a character.
        Err(_) => {
            let tail = &bytes[bytes.len().saturating_sub(3)..];
            let begins = |at: &usize| {
                let rest = &tail[*at..];
                std::str::from_utf8(rest)
                    .is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
            };
            (0..tail.len()).find(begins).map_or(0, |at| tail.len() - at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OutputText;

    fn in_pieces(bytes: &[u8], size: usize) -> String {
        let mut text = OutputText::default();
        bytes.chunks(size).map(|piece| text.take(piece)).collect()
    }

    #[test]
    fn a_character_that_is_cut_is_put_together_again() {
        let said = "grün — 🚢\n".as_bytes();
        for size in 1..said.len() {
            assert_eq!(in_pieces(said, size), "grün — 🚢\n", "{size}");
        }
    }

    #[test]
    fn on_a_terminal_a_line_that_is_written_over_is_drawn_anew() {
        for (said, drawn) in [
            ("1 %\r2 %\r\n", "1 %\r\x1b[K2 %\n"),
            ("1 %\r", "1 %"),
            ("\r1 %\r\r2 %", "\r\x1b[K1 %\r\x1b[K2 %"),
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("safe\r\x1b[1Aevil", "safe\r\x1b[Kevil"),
            ("grün\r…", "grün\r\x1b[K…"),
        ] {
            for size in [1, 2, 3, 100] {
                // An escape sequence that is cut in two is text, and steers nothing.
                if size < 100 && said.contains('\x1b') {
                    continue;
                }
                let mut text = OutputText::for_terminal();
                let pieces = said.as_bytes().chunks(size);
                let shown: String = pieces.map(|piece| text.take(piece)).collect();
                assert_eq!(shown, drawn, "{size}");
            }
            assert!(!in_pieces(said.as_bytes(), 100).contains('\r'), "elsewhere");
        }
    }

    #[test]
    fn nothing_steers_a_terminal_however_it_is_cut() {
        let said = b"\x1b[2Jred\x07\x1b]0;title\x07\xff\xe2\x82\n";
        for size in 1..=said.len() {
            let text = in_pieces(said, size);
            let steers = |c: char| c.is_control() && c != '\n';
            assert!(!text.contains(steers), "{size}: {text:?}");
        }
        assert_eq!(in_pieces(said, said.len()), "red\u{fffd}\u{fffd}\n");
    }
}
