//! Texts that both sides agreed on, by their digests: what a merge of two changed copies begins from.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mizzen_fsx::{At, PathError};
use mizzen_sync_core::Digest;

/// Where the size of all texts stands while nobody is at work on them: so it need not be counted by each process.
const SIZE: &str = "size";
/// Larger texts are not kept.
pub const TEXT_SIZE_MAX: u64 = 1024 * 1024;

/// Keeps texts in a directory, each in a file that is named by its digest. They may be lost at any time: a merge is
/// then a conflict. So they are not synced to disk, and looked at when they are read.
#[derive(Debug)]
pub struct TextStore {
    dir: PathBuf,
    size_max: u64,
    /// Of all texts; none until somebody has looked.
    size: Option<u64>,
}

/// Whether a text was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is there now.
    Yes,
    /// It is no text, is too large for a merge, or is not what the digest was taken of.
    NoText,
    /// All texts together would be larger than allowed.
    Full,
}

impl TextStore {
    /// Keeps texts in a directory, which is made when there is something to keep, up to so many bytes.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, size_max: u64) -> Self {
        Self {
            dir: dir.into(),
            size_max,
            size: None,
        }
    }

    /// Keeps what a digest was taken of.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn keep(&mut self, digest: Digest, contents: &[u8]) -> Result<Kept, PathError> {
        if !is_text(contents) || digest_of(contents) != digest {
            return Ok(Kept::NoText);
        }
        let length = contents.len() as u64;
        let size = match self.size {
            Some(size) => size,
            None => match self.noted_size() {
                Some(size) => size,
                None => self.each(|_, _| Ok(()))?,
            },
        };
        self.size = Some(size);
        let is_there = || self.text(digest).is_some();
        if size.saturating_add(length) > self.size_max {
            return Ok(if is_there() { Kept::Yes } else { Kept::Full });
        }
        let path = self.path(digest);
        let written = match create(&path, OpenOptions::new().create_new(true)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_there() => {
                return Ok(Kept::Yes);
            }
            // One that was torn is written again.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                create(&path, OpenOptions::new().create(true).truncate(true))
            }
            created => created,
        };
        let written = written.and_then(|mut file| file.write_all(contents));
        self.size = written.is_ok().then_some(size + length);
        written.at(&path)?;
        Ok(Kept::Yes)
    }

    /// A text that was kept; none when it was not, or is not whole any more.
    #[must_use]
    pub fn text(&self, digest: Digest) -> Option<Vec<u8>> {
        let contents = fs::read(self.path(digest)).ok()?;
        (digest_of(&contents) == digest).then_some(contents)
    }

    /// Removes all other texts.
    ///
    /// # Errors
    /// Names what could not be removed.
    pub fn retain(&mut self, digests: &HashSet<Digest>) -> Result<(), PathError> {
        self.size = None;
        let _ = self.noted_size();
        let mut removed = 0;
        let size = self.each(|digest, file| {
            if digests.contains(&digest) {
                return Ok(());
            }
            removed += fs::metadata(file).at(file)?.len();
            fs::remove_file(file).at(file)
        })?;
        self.size = Some(size - removed);
        Ok(())
    }

    /// Notes what makes the next process cheap.
    pub fn rest(&mut self) {
        if let Some(size) = self.size.take() {
            let file = create(&self.dir.join(SIZE), OpenOptions::new().create_new(true));
            // Otherwise they are counted.
            let _ = file.and_then(|mut file| writeln!(file, "{size}"));
        }
    }

    /// The size of all texts, when it was noted; not any more then, since it is about to change.
    fn noted_size(&self) -> Option<u64> {
        let file = self.dir.join(SIZE);
        let size = fs::read_to_string(&file).ok()?;
        fs::remove_file(&file).ok()?;
        // What was torn has no end.
        size.strip_suffix('\n')?.parse().ok()
    }

    /// Goes to each text; tells the size of all.
    fn each(
        &self,
        mut tell: impl FnMut(Digest, &Path) -> Result<(), PathError>,
    ) -> Result<u64, PathError> {
        let mut size = 0;
        for folder in entries(&self.dir)? {
            let Some(start) = file_name(&folder).filter(|name| name.len() == 2) else {
                continue;
            };
            for file in entries(&folder)? {
                let digest = file_name(&file).and_then(|rest| from_hex(&format!("{start}{rest}")));
                if let Some(digest) = digest {
                    size += fs::metadata(&file).at(&file)?.len();
                    tell(digest, &file)?;
                }
            }
        }
        Ok(size)
    }

    fn path(&self, digest: Digest) -> PathBuf {
        let hex = blake3::Hash::from_bytes(digest.0).to_hex();
        let (start, rest) = hex.split_at(2);
        self.dir.join(start).join(rest)
    }
}

/// Not by rename: a text that was torn is known by its digest.
fn create(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.write(true);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().expect("BUG: the path of a file"))?;
            options.open(path)
        }
        opened => opened,
    }
}

fn is_text(contents: &[u8]) -> bool {
    (contents.len() as u64) < TEXT_SIZE_MAX
        && !contents.contains(&0)
        && std::str::from_utf8(contents).is_ok()
}

fn digest_of(contents: &[u8]) -> Digest {
    Digest(*blake3::hash(contents).as_bytes())
}

fn from_hex(hex: &str) -> Option<Digest> {
    let hash = blake3::Hash::from_hex(hex).ok()?;
    Some(Digest(*hash.as_bytes()))
}

/// What is in a directory; nothing when it is not there or is none.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, PathError> {
    let listed = match fs::read_dir(dir) {
        Ok(listed) => listed,
        Err(error) if is_no_dir(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error).at(dir),
    };
    listed.map(|entry| Ok(entry.at(dir)?.path())).collect()
}

fn is_no_dir(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotADirectory | NotFound)
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(size_max: u64) -> (tempfile::TempDir, TextStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = TextStore::new(dir.path().join("contents"), size_max);
        (dir, store)
    }

    fn keep(store: &mut TextStore, contents: &[u8]) -> Kept {
        store.keep(digest_of(contents), contents).unwrap()
    }

    #[test]
    fn texts_are_given_back_by_their_digests_and_other_files_are_not_kept() {
        let (dir, mut store) = store(u64::MAX);
        let large = vec![b'a'; usize::try_from(TEXT_SIZE_MAX).unwrap()];
        for (contents, kept) in [
            (&b"one\n"[..], Kept::Yes),
            (b"", Kept::Yes),
            (b"a\0", Kept::NoText),
            (b"\xff", Kept::NoText),
            (&large[1..], Kept::Yes),
            (&large, Kept::NoText),
        ] {
            assert_eq!(keep(&mut store, contents), kept);
            let found = store.text(digest_of(contents));
            assert_eq!(found.is_some(), kept == Kept::Yes);
            assert!(found.is_none_or(|found| found == contents));
        }
        assert_eq!(store.keep(digest_of(b"one"), b"two").unwrap(), Kept::NoText);
        let again = TextStore::new(dir.path().join("contents"), 0);
        assert_eq!(again.text(digest_of(b"one\n")).unwrap(), b"one\n");
    }

    #[test]
    fn a_text_that_was_torn_is_none_until_it_is_kept_again() {
        let (_dir, mut store) = store(u64::MAX);
        keep(&mut store, b"one");
        let file = File::create(store.path(digest_of(b"one"))).unwrap();
        file.set_len(3).unwrap();
        assert_eq!(store.text(digest_of(b"one")), None);
        keep(&mut store, b"one");
        assert_eq!(store.text(digest_of(b"one")).unwrap(), b"one");
    }

    #[test]
    fn no_more_is_kept_than_allowed_until_something_goes() {
        let (dir, mut store) = store(10);
        assert_eq!(keep(&mut store, b"12345"), Kept::Yes);
        let mut store = TextStore::new(dir.path().join("contents"), 10);
        assert_eq!(keep(&mut store, b"54321"), Kept::Yes);
        assert_eq!(keep(&mut store, b"54321"), Kept::Yes, "there already");
        assert_eq!(keep(&mut store, b"6"), Kept::Full);
        store.retain(&HashSet::from([digest_of(b"54321")])).unwrap();
        assert_eq!(store.text(digest_of(b"12345")), None);
        assert_eq!(keep(&mut store, b"6"), Kept::Yes);
    }

    #[test]
    fn the_size_of_all_is_counted_only_when_the_last_process_has_not_noted_it() {
        let (dir, mut store) = store(10);
        let note = dir.path().join("contents/size");
        keep(&mut store, b"12345");
        store.rest();
        assert_eq!(fs::read_to_string(&note).unwrap(), "5\n");
        for (noted, expected) in [
            ("8\n", Kept::Full),
            // These are torn, or no sizes: it is counted.
            ("8", Kept::Yes),
            ("", Kept::Yes),
            ("-8\n", Kept::Yes),
        ] {
            fs::remove_file(&note).unwrap();
            File::create(&note)
                .unwrap()
                .write_all(noted.as_bytes())
                .unwrap();
            assert_eq!(keep(&mut store, b"abc"), expected, "{noted:?}");
            assert!(!note.exists(), "{noted:?}");
            store.rest();
        }
        assert_eq!(fs::read_to_string(&note).unwrap(), "8\n");
        store.retain(&HashSet::new()).unwrap();
        store.rest();
        assert_eq!(fs::read_to_string(&note).unwrap(), "0\n");
    }

    #[test]
    fn files_that_are_no_texts_of_ours_stay() {
        let (dir, mut store) = store(u64::MAX);
        keep(&mut store, b"one");
        let theirs =
            ["note", "ab/note", "abc/note"].map(|name| dir.path().join("contents").join(name));
        for file in &theirs {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            File::create(file).unwrap();
        }
        store.retain(&HashSet::new()).unwrap();
        assert_eq!(store.text(digest_of(b"one")), None);
        assert!(theirs.iter().all(|file| file.exists()));
    }
}
