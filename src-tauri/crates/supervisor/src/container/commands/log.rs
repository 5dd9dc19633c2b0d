//! Output of commands: `logs/<id>.log`, with what is too much left out in the middle.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use mizzen_status::CommandId;

/// How much of the end is kept at most.
const TAIL: u64 = 1024 * 1024;
/// All outputs together; the oldest go first.
const ALL: u64 = 50 * 1024 * 1024;
/// How many there are at most: those that a host remembers, and those of a full queue that it has not heard of.
const COUNT: usize = 400;

/// The file of a command's output.
pub(super) fn name(id: &CommandId) -> String {
    format!("{id}.log")
}

/// Lets the beginning of a stream through and keeps its end.
pub(super) struct Middle {
    head: u64,
    tail_max: usize,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Middle {
    /// Leaves so much of a stream at most.
    pub(super) fn new(max: u64) -> Self {
        let tail = TAIL.min(max / 2);
        Self {
            head: max - tail,
            tail_max: usize::try_from(tail).unwrap_or(0),
            tail: VecDeque::new(),
            left_out: 0,
        }
    }

    /// The part of these bytes that goes out at once.
    pub(super) fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let now = usize::try_from(self.head)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let (now, later) = bytes.split_at(now);
        self.head -= now.len() as u64;
        self.tail.extend(later);
        let over = self.tail.len().saturating_sub(self.tail_max);
        self.tail.drain(..over);
        self.left_out += over as u64;
        now
    }

    /// The rest, with a line in place of what is missing, and whether anything is.
    pub(super) fn end(self) -> (Vec<u8>, bool) {
        let mut rest = Vec::new();
        if self.left_out > 0 {
            rest = format!("\n[{} bytes are left out here]\n", self.left_out).into_bytes();
        }
        rest.extend(self.tail);
        (rest, self.left_out > 0)
    }
}

/// Removes the oldest outputs until all together are small and few enough.
pub(super) fn keep_small(logs: &Path) {
    let Ok(listed) = fs::read_dir(logs) else {
        return;
    };
    let mut outputs: Vec<_> = listed
        .flatten()
        .filter(|entry| is_output(&entry.file_name().to_string_lossy()))
        .filter_map(|entry| {
            let found = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            let age = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Some((age, entry.path(), found.len()))
        })
        .collect();
    outputs.sort();
    let mut all: u64 = outputs.iter().map(|(.., size)| size).sum();
    let mut count = outputs.len();
    // The newest stays whatever its size.
    outputs.pop();
    for (_, path, size) in outputs {
        if all <= ALL && count <= COUNT {
            return;
        }
        // One that cannot be removed is tried again after the next command.
        let _ = fs::remove_file(path);
        all -= size;
        count -= 1;
    }
}

fn is_output(name: &str) -> bool {
    name.strip_suffix(".log")
        .is_some_and(|id| CommandId::new(id).is_some())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::{ALL, COUNT, Middle, keep_small};

    fn through(max: u64, pieces: &[&[u8]]) -> (String, bool) {
        let mut middle = Middle::new(max);
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(middle.take(piece));
        }
        let (rest, is_truncated) = middle.end();
        out.extend(rest);
        (String::from_utf8(out).unwrap(), is_truncated)
    }

    #[test]
    fn the_beginning_and_the_end_stay() {
        assert_eq!(
            through(8, &[b"abc", b"defgh"]),
            ("abcdefgh".to_owned(), false)
        );
        let (text, is_truncated) = through(8, &[b"abcdef", b"ghij", b"klmnop"]);
        assert_eq!(text, "abcd\n[8 bytes are left out here]\nmnop");
        assert!(is_truncated);
        assert_eq!(through(0, &[b"abc"]).0, "\n[3 bytes are left out here]\n");
    }

    #[test]
    fn the_oldest_outputs_go_first_and_nothing_else_goes() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str, size, age: u64| {
            let file = File::create(place.path().join(name)).unwrap();
            file.set_len(size).unwrap();
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age);
            file.set_modified(at).unwrap();
        };
        file("commands.jsonl", ALL, 9);
        file("old.log", ALL / 2, 3);
        file("middle.log", ALL / 2, 2);
        file("new.log", ALL / 2, 1);
        keep_small(place.path());
        let mut left: Vec<_> = fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["commands.jsonl", "middle.log", "new.log"]);
    }

    /// Thousands of commands that say little would otherwise be looked through after each one.
    #[test]
    fn of_small_ones_only_so_many_stay() {
        let place = tempfile::tempdir().unwrap();
        for age in 0..COUNT + 20 {
            let file = File::create(place.path().join(format!("c{age}.log"))).unwrap();
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age as u64);
            file.set_modified(at).unwrap();
        }
        keep_small(place.path());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), COUNT);
        assert!(place.path().join("c0.log").exists());
        assert!(!place.path().join(format!("c{COUNT}.log")).exists());
    }
}
