//! What has become of each command, on the disk: `logs/commands.jsonl`. A command that is in it is not run again.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use mizzen_fsx::{SafeDir, UnsafeReason, write_atomic};
use mizzen_status::{
    Ack, AckState, CommandId, Commands, LEDGER_FILE, LEDGER_MAX, TEXT_CAP, sanitise,
};
use rustix::fs::OFlags;

/// From here on what nobody asks for any more is left out.
const LONG: u64 = 1024 * 1024;
/// Past commands that are told of, and that are kept.
const RECENT: usize = 64;
const KEPT: usize = 256;

pub(super) struct Ledger {
    path: PathBuf,
    /// The last word on each, the oldest command first.
    acks: Vec<Ack>,
    /// Where each is in that list.
    places: HashMap<CommandId, usize>,
    size: u64,
    /// How large it grows before it is made short.
    pub(super) long: u64,
}

impl Ledger {
    /// Reads the ledger of this directory, which is made with its first line. What was begun in an earlier life and has no
    /// end is interrupted.
    pub(super) fn open(logs: &Path) -> Result<Self, String> {
        let bytes = read(logs)?;
        let mut ledger = Self {
            path: logs.join(LEDGER_FILE),
            acks: Vec::new(),
            places: HashMap::new(),
            size: bytes.len() as u64,
            long: LONG,
        };
        // The last line may have been cut off: nothing was run on its word.
        for ack in bytes
            .split(|byte| *byte == b'\n')
            .filter_map(Ack::from_line)
        {
            ledger.remember(ack);
        }
        let running: Vec<Ack> = ledger
            .acks
            .iter()
            .filter(|it| !it.state.is_final())
            .cloned()
            .collect();
        for mut ack in running {
            ack.state = AckState::Interrupted;
            ledger.note(ack)?;
        }
        Ok(ledger)
    }

    /// Whether a command was begun or decided on before.
    pub(super) fn knows(&self, id: &CommandId) -> bool {
        self.places.contains_key(id)
    }

    /// Writes down what has become of a command; it is on the disk when this returns.
    pub(super) fn note(&mut self, mut ack: Ack) -> Result<(), String> {
        // As its readers cut it: who is asked for may be anything, and so may its name be that is not there.
        ack.error = ack.error.map(|why| sanitise(&why, TEXT_CAP));
        let mut line = serde_json::to_vec(&ack).expect("BUG: our own lines serialise");
        line.push(b'\n');
        self.append(&line)?;
        self.remember(ack);
        Ok(())
    }

    /// Those that are asked for, and the newest of the others.
    pub(super) fn recent(&self, queue: &Commands) -> Vec<Ack> {
        self.newest(queue, RECENT)
    }

    /// Leaves out what nobody asks for any more, when it has grown long.
    pub(super) fn keep_short(&mut self, queue: &Commands) -> Result<(), String> {
        if self.size < self.long {
            return Ok(());
        }
        let acks = self.newest(queue, KEPT);
        let mut text = Vec::new();
        for ack in &acks {
            serde_json::to_writer(&mut text, ack).expect("BUG: our own lines serialise");
            text.push(b'\n');
        }
        write_atomic(&self.path, &text).map_err(|error| error.to_string())?;
        self.size = text.len() as u64;
        self.acks.clear();
        self.places.clear();
        acks.into_iter().for_each(|ack| self.remember(ack));
        Ok(())
    }

    fn newest(&self, queue: &Commands, count: usize) -> Vec<Ack> {
        let asked: HashSet<&CommandId> = queue.queued.iter().map(|it| &it.id).collect();
        let is_asked = |ack: &&Ack| asked.contains(&ack.id);
        let others = self.acks.iter().filter(|ack| !is_asked(ack)).count();
        let mut left_out = others.saturating_sub(count);
        let mut keep = |ack: &&Ack| {
            let is_old = !is_asked(ack) && left_out > 0;
            left_out -= usize::from(is_old);
            !is_old
        };
        self.acks.iter().filter(|ack| keep(ack)).cloned().collect()
    }

    fn remember(&mut self, ack: Ack) {
        match self.places.get(&ack.id) {
            Some(place) => self.acks[*place] = ack,
            None => {
                self.places.insert(ack.id.clone(), self.acks.len());
                self.acks.push(ack);
            }
        }
    }

    fn append(&mut self, line: &[u8]) -> Result<(), String> {
        let written = open(&self.path).and_then(|mut file| {
            let size = file.metadata()?.len();
            // A crash and a full disk leave half a line, which would take this one with it.
            let begins: &[u8] = if is_whole(&file, size)? { b"" } else { b"\n" };
            file.write_all(&[begins, line].concat())?;
            file.sync_data()?;
            Ok(size + (begins.len() + line.len()) as u64)
        });
        self.size = written.map_err(|error| format!("{}: {error}", self.path.display()))?;
        Ok(())
    }
}

/// Opened for each line: somebody may have put it away. A pipe must not hold up PID 1.
fn open(path: &Path) -> io::Result<File> {
    if let Some(logs) = path.parent()
        && let Err(error) = fs::create_dir(logs)
        && error.kind() != ErrorKind::AlreadyExists
    {
        return Err(error);
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o640);
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("not a regular file")),
    }
}

/// Whether the last line has its end.
fn is_whole(file: &File, size: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if let Some(at) = size.checked_sub(1) {
        file.read_exact_at(&mut last, at)?;
    }
    Ok(last == [b'\n'])
}

fn read(logs: &Path) -> Result<Vec<u8>, String> {
    let dir = match SafeDir::open(logs) {
        Ok(dir) => dir,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    match dir.read_regular(LEDGER_FILE, LEDGER_MAX, None) {
        Ok(bytes) => Ok(bytes),
        Err(refused) if matches!(refused.reason, UnsafeReason::Missing) => Ok(Vec::new()),
        Err(refused) => Err(refused.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use mizzen_status::{Ack, AckState, CommandId, Commands, QUEUE};
    use serde_json::json;

    use super::{KEPT, LEDGER_FILE, LEDGER_MAX, LONG, Ledger, RECENT};

    fn ack(id: &str, state: AckState) -> Ack {
        Ack::new(CommandId::new(id).unwrap(), state)
    }

    #[test]
    fn what_was_begun_is_known_after_a_crash_and_interrupted() {
        let place = tempfile::tempdir().unwrap();
        let logs = place.path().join("logs");
        let mut ledger = Ledger::open(&logs).unwrap();
        ledger.note(ack("begun", AckState::Running)).unwrap();
        ledger.note(ack("done", AckState::Running)).unwrap();
        ledger.note(ack("done", AckState::Succeeded)).unwrap();
        // A line that was cut off by the crash.
        let mut file = OpenOptions::new()
            .append(true)
            .open(logs.join(LEDGER_FILE))
            .unwrap();
        file.write_all(br#"{"id":"cut","state":"runn"#).unwrap();
        let mut ledger = Ledger::open(&logs).unwrap();
        ledger.note(ack("later", AckState::Succeeded)).unwrap();
        let again = Ledger::open(&logs).unwrap();
        for ledger in [ledger, again] {
            let states: Vec<_> = ledger.acks.iter().map(|ack| ack.state.as_str()).collect();
            assert_eq!(states, ["interrupted", "succeeded", "succeeded"]);
            assert!(!ledger.knows(&CommandId::new("cut").unwrap()));
        }
    }

    /// A disk that is full takes a part of a line, and somebody else may write here.
    #[test]
    fn half_a_line_in_the_middle_takes_no_other_with_it() {
        let place = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(place.path()).unwrap();
        ledger.note(ack("first", AckState::Succeeded)).unwrap();
        let path = place.path().join(LEDGER_FILE);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(br#"{"id":"begun","state":"runn"#).unwrap();
        ledger.note(ack("begun", AckState::Running)).unwrap();
        assert_eq!(ledger.size, fs::metadata(&path).unwrap().len());
        let again = Ledger::open(place.path()).unwrap();
        let states: Vec<_> = again.acks.iter().map(|ack| ack.state.as_str()).collect();
        assert_eq!(states, ["succeeded", "interrupted"]);
    }

    #[test]
    fn a_long_one_forgets_what_nobody_asks_for_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(place.path()).unwrap();
        for number in 0..2 * KEPT {
            ledger
                .note(ack(&format!("c{number}"), AckState::Succeeded))
                .unwrap();
        }
        let asked = json!({ "commands": [{ "id": "c0", "type": "exec", "command": "true" }] });
        let queue: Commands = asked.to_string().parse().unwrap();
        ledger.keep_short(&queue).unwrap();
        assert_eq!(ledger.acks.len(), 2 * KEPT, "it is not long yet");
        assert_eq!(ledger.recent(&queue).len(), RECENT + 1);
        ledger.size = LONG;
        ledger.keep_short(&queue).unwrap();
        assert_eq!(ledger.acks.len(), KEPT + 1);
        let read = Ledger::open(place.path()).unwrap();
        assert_eq!(read.acks, ledger.acks);
        assert!(read.knows(&CommandId::new("c0").unwrap()));
        let lines = fs::read_to_string(place.path().join(LEDGER_FILE))
            .unwrap()
            .lines()
            .count();
        assert_eq!(lines, KEPT + 1);
    }

    #[test]
    fn the_longest_one_can_be_read_again() {
        let place = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(place.path()).unwrap();
        let mut long = ack(&"x".repeat(64), AckState::Rejected);
        long.error = Some("\"é".repeat(100_000));
        ledger.note(long).unwrap();
        let asked = u64::try_from(KEPT + QUEUE).unwrap();
        assert!(LONG + asked * ledger.size < LEDGER_MAX, "{}", ledger.size);
    }

    #[test]
    fn without_a_place_to_write_nothing_is_taken_down() {
        let place = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(place.path()).unwrap();
        fs::create_dir(place.path().join(LEDGER_FILE)).unwrap();
        ledger.note(ack("a", AckState::Running)).unwrap_err();
        assert!(!ledger.knows(&CommandId::new("a").unwrap()));
        Ledger::open(place.path()).map(|_| ()).unwrap_err();
    }
}
