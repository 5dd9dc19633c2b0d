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
}

impl OutputText {
    /// The text of the next piece. Escape sequences and controls are left out, but for line feeds and tabs.
    pub fn take(&mut self, bytes: &[u8]) -> String {
        self.begun.extend_from_slice(bytes);
        let whole = self.begun.len() - unfinished(&self.begun);
        let rest = self.begun.split_off(whole);
        let text = std::mem::replace(&mut self.begun, rest);
        mizzen_status::sanitise(&String::from_utf8_lossy(&text), usize::MAX)
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
