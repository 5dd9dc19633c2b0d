//! What reaches the terminal, a pipe or a script.

use std::io::{self, IsTerminal, Write};

use mizzen_core::verb::{ApiError, ErrorCode};
use serde::Serialize;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// With an error for a person.
    Api(ApiError),
    /// The same, with an exit code of its own.
    Coded(ApiError, u8),
    /// Nobody reads our output any more, as under `head`: no error.
    OutputClosed,
    /// Interrupted with Ctrl-C; the message says what goes on without us.
    Interrupted(String),
    /// A program in the session ended with this code.
    ExitCode(u8),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

pub(crate) fn failed(code: ErrorCode, message: impl AsRef<str>, hint: impl AsRef<str>) -> Failure {
    Failure::Api(ApiError::new(code, message, hint))
}

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) color: bool,
    /// Somebody watches standard error: progress is worth showing.
    pub(crate) watched: bool,
}

/// A meaning, not a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Busy,
    Bad,
    Quiet,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let color = wanted && io::stdout().is_terminal();
        Self {
            json,
            color,
            watched: io::stderr().is_terminal() && !json,
        }
    }

    /// Prints one line of text.
    pub(crate) fn line(self, text: &str) -> Result<(), Failure> {
        write_line(&mut io::stdout().lock(), text)
    }

    /// Prints one JSON value on a line of its own.
    pub(crate) fn object<T: Serialize>(self, value: &T) -> Result<(), Failure> {
        self.line(&serde_json::to_string(value).expect("BUG: views are plain values"))
    }

    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Busy => "36",
            Tone::Bad => "31",
            Tone::Quiet => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Says on standard error why there is no result, and what to do.
    pub(crate) fn error(self, error: &ApiError) {
        let text = if self.json {
            serde_json::to_string(&Wrapped { error }).expect("BUG: plain values")
        } else {
            plain(format!("mizzen: {} {}", error.message, error.hint).trim_end())
        };
        self.note(&text);
    }

    /// Says something on standard error; where nobody listens there is nothing to do about it.
    pub(crate) fn note(self, text: &str) {
        let _closed = writeln!(io::stderr().lock(), "{text}");
    }
}

/// An error as scripts read it.
#[derive(Serialize)]
struct Wrapped<'a> {
    error: &'a ApiError,
}

fn write_line(to: &mut impl Write, text: &str) -> Result<(), Failure> {
    writeln!(to, "{text}")
        .and_then(|()| to.flush())
        .map_err(|_| Failure::OutputClosed)
}

/// Without control characters: folder names may hold some, and a terminal would obey them.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Rows of cells as aligned columns, two spaces apart, the last one as long as it is.
pub(crate) fn columns(rows: &[Vec<Cell>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(Cell::width)
            .max()
    };
    let widths: Vec<usize> = (0..count)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| cell.padded(*width));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// Text whose colour codes take no room.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    plain: String,
    painted: String,
}

impl Cell {
    pub(crate) fn new(text: &str) -> Self {
        let plain = plain(text);
        Self {
            painted: plain.clone(),
            plain,
        }
    }

    pub(crate) fn toned(output: Output, tone: Tone, text: &str) -> Self {
        let plain = plain(text);
        Self {
            painted: output.tone(tone, &plain),
            plain,
        }
    }

    fn width(&self) -> usize {
        self.plain.chars().count()
    }

    fn padded(&self, width: usize) -> String {
        format!(
            "{}{}",
            self.painted,
            " ".repeat(width.saturating_sub(self.width()))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_whatever_the_colours() {
        let output = Output {
            json: false,
            color: true,
            watched: false,
        };
        let rows = [
            vec![Cell::new("NAME"), Cell::new("STATE"), Cell::new("PROJECT")],
            vec![
                Cell::new("web"),
                Cell::toned(output, Tone::Good, "running"),
                Cell::new("/a"),
            ],
        ];
        let lines = columns(&rows);
        assert_eq!(
            lines,
            ["NAME  STATE    PROJECT", "web   \x1b[32mrunning\x1b[0m  /a"]
        );
    }

    #[test]
    fn nothing_a_folder_is_called_moves_the_cursor() {
        assert_eq!(plain("a\x1b[2Jb\r\n"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}");
    }
}
