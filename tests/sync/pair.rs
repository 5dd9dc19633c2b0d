//! Two folders, `mizzen sync` of a state of its own, and what people do to them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mizzen_tests::rig::{PATIENCE, Said, program};
use tempfile::TempDir;

/// What is no entry of a folder, but the sync's own.
pub(crate) const OWN: &str = ".mizzen-tmp-";

/// Two folders and what is remembered of them.
pub(crate) struct Pair {
    dir: TempDir,
}

impl Pair {
    /// Both are empty. They lie in memory: what is tested is no disk.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").expect("a disk in memory");
        let pair = Self { dir };
        for name in ["a", "b", "home"] {
            fs::create_dir_all(pair.path(name)).expect("a folder");
        }
        pair
    }

    /// A place below the folder that holds `a`, `b` and `home`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("now").join(name)
    }

    /// Keeps all as it is now, to be [restored](Self::restore).
    pub(crate) fn note(&self) {
        copy(&self.dir.path().join("now"), &self.dir.path().join("noted"));
    }

    /// Makes all what it was when it was noted, in the same two folders: others in their place would stop the sync.
    pub(crate) fn restore(&self) {
        for side in ["a", "b"] {
            let entries = fs::read_dir(self.path(side)).expect("a folder");
            entries.for_each(|entry| remove(&entry.expect("an entry").path()));
        }
        remove(&self.path("home"));
        copy(&self.dir.path().join("noted/."), &self.path(""));
    }

    pub(crate) fn sync(&self, more: &[&str]) -> Command {
        let mut command = Command::new(program("mizzen"));
        self.dress(&mut command, more);
        command
    }

    /// Adds what `mizzen sync` of both is called with.
    pub(crate) fn dress(&self, command: &mut Command, more: &[&str]) {
        let [a, b] = ["a", "b"].map(|side| self.path(side));
        command.arg("sync").arg(a).arg(b).args(more);
        command.env("MIZZEN_HOME", self.path("home"));
    }

    pub(crate) fn once(&self) -> Said {
        let mut command = self.sync(&["--once"]);
        command.output().expect("mizzen runs").into()
    }

    /// The same, whatever would stop it.
    pub(crate) fn once_by_force(&self) -> Said {
        let mut command = self.sync(&["--once", "--force"]);
        command.output().expect("mizzen runs").into()
    }

    /// Asks something of both folders.
    pub(crate) fn ask(&self, words: &[&str]) -> Said {
        let mut command = Command::new(program("mizzen"));
        command.arg("sync").args(words);
        let [a, b] = ["a", "b"].map(|side| self.path(side));
        command.arg(a).arg(b).env("MIZZEN_HOME", self.path("home"));
        command.output().expect("mizzen runs").into()
    }

    /// Does what words say: `a/x=1` a file, `a/x=1*` an executable one, `a/x/` a folder, `a/x->y` a link, `a/x-` nothing.
    pub(crate) fn put(&self, words: &str) {
        words.split_whitespace().for_each(|word| self.put_one(word));
    }

    fn put_one(&self, word: &str) {
        if let Some((name, contents)) = word.split_once('=') {
            write(&self.path(name), contents.trim_end_matches('*').as_bytes());
            let mode = if contents.ends_with('*') {
                0o755
            } else {
                0o644
            };
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(self.path(name), mode).expect("ours");
        } else if let Some((name, target)) = word.split_once("->") {
            remove(&self.path(name));
            symlink(target, self.path(name)).expect("a link");
        } else if let Some(name) = word.strip_suffix('-') {
            remove(&self.path(name));
        } else {
            fs::create_dir_all(self.path(word)).expect("a folder");
        }
    }

    /// What a side holds, in the same words.
    pub(crate) fn words(&self, side: &str) -> Vec<String> {
        let mut words = Vec::new();
        tell(&self.path(side), "", &mut words);
        words
    }

    /// What people have written: the contents of all files of both sides.
    pub(crate) fn written(&self) -> BTreeSet<Vec<u8>> {
        let is_theirs = |path: &Path| {
            let name = path.file_name().unwrap_or_default();
            !name.as_bytes().starts_with(OWN.as_bytes())
        };
        let mut found = BTreeSet::new();
        for side in ["a", "b"] {
            contents(&self.path(side), &is_theirs, &mut found);
        }
        found
    }

    /// What is left of it: the contents of all files, of all trashes as well.
    pub(crate) fn kept(&self) -> BTreeSet<Vec<u8>> {
        let mut found = BTreeSet::new();
        contents(&self.path(""), &|_| true, &mut found);
        found
    }

    /// What a sync that was killed may leave, and the next one takes away.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let mut left = Vec::new();
        for place in ["a", "b", "home"] {
            each(&self.path(place), &mut |path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let is_kept = name.starts_with(".mizzen-tmp-trash") || name == ".mizzen-tmp-seen";
                let is_own = name.starts_with(OWN) && !is_kept;
                if is_own || name.contains(".open-") || name.ends_with(".tmp") {
                    left.push(path.to_owned());
                }
            });
        }
        left
    }
}

#[expect(clippy::disallowed_methods, reason = "people write without care")]
pub(crate) fn write(path: &Path, contents: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, contents).expect("a file");
}

#[expect(clippy::disallowed_methods, reason = "people remove without care")]
pub(crate) fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_dir() => fs::remove_dir_all(path).expect("ours"),
        Ok(_) => fs::remove_file(path).expect("ours"),
        Err(_) => {}
    }
}

#[expect(clippy::disallowed_methods, reason = "people move without care")]
pub(crate) fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).expect("ours");
}

/// Contents that no other seed gives.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    next.flatten().take(length).collect()
}

/// With times, links and all.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp runs").success());
}

fn each(dir: &Path, tell: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        tell(&path);
        if path.is_dir() && !path.is_symlink() {
            each(&path, tell);
        }
    }
}

fn contents(dir: &Path, is_meant: &dyn Fn(&Path) -> bool, found: &mut BTreeSet<Vec<u8>>) {
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if !is_meant(&path) || path.is_symlink() {
        } else if path.is_dir() {
            contents(&path, is_meant, found);
        } else if path.is_file() {
            found.insert(fs::read(&path).expect("a file"));
        }
    }
}

/// What goes while it is looked at is not there.
fn tell(dir: &Path, prefix: &str, words: &mut Vec<String>) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.as_bytes().escape_ascii().to_string();
        if !name.starts_with(OWN) {
            let _gone = tell_one(&entry, &format!("{prefix}{name}"), words);
        }
    }
}

fn tell_one(entry: &fs::DirEntry, name: &str, words: &mut Vec<String>) -> io::Result<()> {
    let facts = entry.metadata()?;
    if facts.is_dir() {
        words.push(format!("{name}/"));
        tell(&entry.path(), &format!("{name}/"), words);
    } else if facts.is_symlink() {
        let target = fs::read_link(entry.path())?;
        words.push(format!("{name}->{}", target.display()));
    } else {
        let contents = fs::read(entry.path())?;
        let is_run = facts.permissions().mode() & 0o100 != 0;
        let shown = match contents.len() {
            0..100 => contents.escape_ascii().to_string(),
            length => format!("{length} bytes, {:x}", sum(&contents)),
        };
        words.push(format!("{name}={shown}{}", if is_run { "*" } else { "" }));
    }
    Ok(())
}

/// Tells contents from others that differ in a byte.
fn sum(contents: &[u8]) -> u64 {
    contents.iter().fold(0, |sum: u64, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte) + 1)
    })
}

/// Waits until something is so, and not for ever.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < 2 * PATIENCE, "waited too long: {what}");
        // What is waited for needs the processor as well.
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// A `mizzen sync` that goes on until it is killed, which it is with the test.
pub(crate) struct Watching(Child);

impl Watching {
    /// It has come to its end of the first look by then, and watches.
    pub(crate) fn start(pair: &Pair, how: &[&str]) -> Self {
        let mut sync = pair.sync(how);
        let mut child = sync.stdout(Stdio::piped()).spawn().expect("mizzen runs");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let watching = Self(child);
        lines.next().expect("a line for each cycle").expect("text");
        // Whatever else it says must have somewhere to go.
        thread::spawn(move || lines.for_each(drop));
        watching
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// The most memory that it had at once, in KiB.
    pub(crate) fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok());
        number.expect("a number")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
