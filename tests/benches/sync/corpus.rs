//! Folders as projects have them, the same in each run: small text files in many directories.

use std::fs;
use std::path::{Path, PathBuf};

/// Names that git's ignore files of real projects hold; here nothing fits them.
const GITIGNORE: &str = "*.o\n*.pyc\n/target\nnode_modules/\n!keep.me\n";
/// All contents are pieces of this much text.
const TEXT: usize = 128 * 1024;

/// So many files of 10 KB each, in a third as many directories: half of them below `left`, half below `right`.
#[derive(Clone, Copy)]
pub(crate) struct Corpus {
    pub(crate) files: usize,
}

impl Corpus {
    /// Writes it into a folder that is not there yet.
    pub(crate) fn write(self, root: &Path) {
        let (text, mut random) = (text(), Random(1));
        fs::create_dir_all(root).unwrap();
        fs::write(root.join(".gitignore"), GITIGNORE).unwrap();
        let mut last = PathBuf::new();
        for number in 0..self.files {
            let path = root.join(self.path(number));
            let dir = path.parent().unwrap();
            if dir != last {
                fs::create_dir_all(dir).unwrap();
                last = dir.to_owned();
            }
            fs::write(&path, contents(&text, &mut random, number, 0)).unwrap();
        }
    }

    /// Changes every hundredth file; in each round otherwise.
    pub(crate) fn change(self, root: &Path, round: usize) {
        let (text, mut random) = (text(), Random(2 + round as u64));
        for number in (0..self.files).step_by(100) {
            let path = root.join(self.path(number));
            fs::write(path, contents(&text, &mut random, number, round + 1)).unwrap();
        }
    }

    /// Where a file lies.
    pub(crate) fn path(self, number: usize) -> PathBuf {
        let half = if number * 2 < self.files {
            "left"
        } else {
            "right"
        };
        let (dir, group) = (number * 10 / 32, number / 128);
        PathBuf::from(format!("{half}/group-{group}/dir-{dir}/file-{number}.txt"))
    }
}

/// The sizes of source files: half are below 2 KB, some above 25.
fn contents(text: &[u8], random: &mut Random, number: usize, round: usize) -> Vec<u8> {
    let size = 200 << random.below(8);
    let size = size + random.below(size);
    let at = random.below(TEXT - size);
    let mut contents = format!("file {number}, round {round}\n").into_bytes();
    contents.extend_from_slice(&text[at..at + size]);
    contents
}

fn text() -> Vec<u8> {
    let mut random = Random(3);
    let letters = b"abcdefghijklmnopqrstuvwxyz      \n";
    (0..TEXT)
        .map(|_| letters[random.below(letters.len())])
        .collect()
}

/// Contents no part of which comes again.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut random = Random(4);
    let mut noise = Vec::with_capacity(length + 8);
    while noise.len() < length {
        random.step();
        noise.extend(random.0.to_le_bytes());
    }
    noise.truncate(length);
    noise
}

/// Marsaglia's xorshift: numbers that look random, from a start that is not zero.
struct Random(u64);

impl Random {
    fn step(&mut self) {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
    }

    fn below(&mut self, end: usize) -> usize {
        self.step();
        usize::try_from(self.0 % end as u64).unwrap()
    }
}
