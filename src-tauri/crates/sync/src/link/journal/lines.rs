//! A file of lines that cannot grow without end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file of lines that cannot grow without end.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    size_max: u64,
    /// With its size.
    open: Option<(File, u64)>,
}

impl Lines {
    pub(super) fn new(path: PathBuf, size_max: u64) -> Self {
        Self {
            path,
            size_max,
            open: None,
        }
    }

    /// Tells all lines that are of one kind, the older ones first.
    pub(super) fn each<T: DeserializeOwned>(&self, mut tell: impl FnMut(T)) {
        for path in [self.older(), self.path.clone()] {
            let text = fs::read(path).unwrap_or_default();
            let lines = text.split(|byte| *byte == b'\n');
            let found = lines.filter_map(|line| serde_json::from_slice(line).ok());
            found.for_each(&mut tell);
        }
    }

    pub(super) fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        let size = line.len() as u64;
        let (file, before) = match self.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        let (mut file, before) = match before > 0 && before + size > self.size_max {
            true => {
                drop(file);
                self.put_aside()?;
                self.open()?
            }
            false => (file, before),
        };
        // At once, so that a line is whole or not there at all.
        file.write_all(&line)?;
        self.open = Some((file, before + size));
        Ok(())
    }

    fn older(&self) -> PathBuf {
        self.path.with_extension("old.jsonl")
    }

    fn open(&self) -> io::Result<(File, u64)> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        // Nobody else learns how a person's files are called.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.path)?;
        let mut size = file.metadata()?.len();
        // What follows a line that was torn is a line of its own.
        if size > 0 && !ends_a_line(&mut file)? {
            file.write_all(b"\n")?;
            size += 1;
        }
        Ok((file, size))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the older generation gives way to the newer one"
    )]
    fn put_aside(&self) -> io::Result<()> {
        fs::rename(&self.path, self.older())
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_starts_over_at_its_size_and_one_older_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let mut lines = Lines::new(path.clone(), 20);
        for number in 10..29 {
            lines.add(&number).unwrap();
            if number == 14 {
                lines = Lines::new(path.clone(), 20);
            }
        }
        let mut found = Vec::new();
        Lines::new(path.clone(), 20).each(|number: u32| found.push(number));
        assert_eq!(found, (22..29).collect::<Vec<_>>());
        for path in [path.with_extension("old.jsonl"), path] {
            assert!(fs::metadata(path).unwrap().len() <= 20);
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        Lines::new(path.clone(), 20).add(&1).unwrap();
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_line_that_was_torn_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        // The second is no text at all, and the last was torn when its writer was killed.
        mizzen_fsx::write_atomic(&path, b"[1]\n[\xff\n[3]\n[4").unwrap();
        let mut lines = Lines::new(path.clone(), 20);
        lines.add(&[5]).unwrap();
        lines.add(&[6]).unwrap();
        let mut found = Vec::new();
        Lines::new(path, 20).each(|numbers: Vec<u32>| found.extend(numbers));
        assert_eq!(found, [1, 3, 5, 6]);
    }
}
