//! The core's log: a file under the state directory that cannot grow without end.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use mizzen_fsx::{At, PathError};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::world::CoreConfig;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened.
    #[error(transparent)]
    File(#[from] PathError),
    /// `MIZZEN_LOG` is no filter.
    #[error("MIZZEN_LOG is not a filter such as `info` or `mizzen_sessions=debug`: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Another log was started in this process.
    #[error(transparent)]
    Started(#[from] tracing_subscriber::util::TryInitError),
}

/// At this size the log becomes `mizzen.log.old` and a new one begins.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// What is logged unless somebody asks for more. A watched folder that is gone is no fault, as the library of file events
/// would have it.
const USUAL: &str = "info,notify=error";

/// Sends the process's tracing to the log file, as `MIZZEN_LOG` filters it; panics go there, too.
///
/// # Errors
/// When the file cannot be opened, the filter makes no sense, or a log was started before.
pub fn start_log(config: &CoreConfig) -> Result<(), LogError> {
    let filter = config.var("MIZZEN_LOG").unwrap_or_else(|| USUAL.into());
    let filter = EnvFilter::try_new(filter.to_string_lossy())?;
    let log = CappedFile::open(config.dirs.log_file(), FILE_BYTES_MAX)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(log)
        .finish()
        .try_init()?;
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!(%panic, "a task panicked");
        told(panic);
    }));
    Ok(())
}

/// A file that starts over at a size, keeping one older generation.
struct CappedFile {
    path: PathBuf,
    bytes_max: u64,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    bytes: u64,
}

impl CappedFile {
    fn open(path: PathBuf, bytes_max: u64) -> Result<Self, PathError> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .at(&path)?;
        let bytes = file.metadata().at(&path)?.len();
        Ok(Self {
            path,
            bytes_max,
            open: Mutex::new(Open { file, bytes }),
        })
    }

    fn start_over(&self, open: &mut Open) -> io::Result<()> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a log changes generation, not content"
        )]
        std::fs::rename(&self.path, self.path.with_extension("log.old"))?;
        open.file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        open.bytes = 0;
        Ok(())
    }
}

impl Write for &CappedFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.bytes >= self.bytes_max {
            self.start_over(&mut open)?;
        }
        let written = open.file.write(line)?;
        open.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for CappedFile {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_starts_over_and_keeps_one_generation() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("mizzen.log");
        let log = CappedFile::open(path.clone(), 10).unwrap();
        for line in ["one: 1234567890\n", "two: 1234567890\n", "three\n"] {
            (&log).write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        let old = std::fs::read_to_string(path.with_extension("log.old")).unwrap();
        assert_eq!(old, "two: 1234567890\n");
    }

    #[test]
    fn a_new_process_goes_on_where_the_last_one_ended() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("mizzen.log");
        for line in ["first\n", "second\n"] {
            let log = CappedFile::open(path.clone(), 1000).unwrap();
            (&log).write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\nsecond\n");
    }
}
