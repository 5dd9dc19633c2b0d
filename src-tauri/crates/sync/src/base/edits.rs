//! The file of what a generation of the base has become since it was written: edits, appended record by record.
//!
//! A record that is not whole was never written, when nothing follows it; otherwise the file is damaged. The file tells of
//! the one generation whose checksum it bears, and so of no other one that has taken its place.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use mizzen_fsx::{At, PathError, write_atomic};
use mizzen_sync_core::{Edit, RelPath};

use super::Unusable;
use crate::encoding::{decode, encode};

const MAGIC: [u8; 12] = *b"mizzen edit\n";
pub(super) const HEADER: usize = MAGIC.len() + 32;
/// A record's length, twice, and checksum. The second time all its bits are turned: a length that is damaged is known from
/// that of a record that was cut off.
const STATED: usize = 8 + 8 + 32;
/// Far more than is ever appended.
const SIZE_MAX: u64 = 1 << 30;

/// Which generation edits belong to: its checksum.
pub(super) type Of = [u8; 32];

/// A file to which edits can be appended.
#[derive(Debug)]
pub(super) struct EditsFile {
    path: PathBuf,
    file: File,
    of: Of,
    records: u64,
    bytes: u64,
}

/// What was found of a generation's edits.
#[derive(Debug)]
pub(super) struct FoundEdits {
    /// Those of all records, in their order.
    pub(super) edits: Vec<Edit>,
    /// Where more can be appended; none when there is no file of this generation.
    pub(super) file: Option<EditsFile>,
    /// Whether the file ends in a record that is not whole: nothing may be appended.
    pub(super) is_torn: bool,
}

impl EditsFile {
    /// Begins the file of a generation. What it held of another one is gone.
    pub(super) fn begin(path: &Path, of: Of) -> Result<Self, PathError> {
        write_atomic(path, &header(&of))?;
        let bytes = HEADER as u64;
        Self::open(path, of, 0, bytes)
    }

    fn open(path: &Path, of: Of, records: u64, bytes: u64) -> Result<Self, PathError> {
        let file = File::options().append(true).open(path).at(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            of,
            records,
            bytes,
        })
    }

    /// How long it is.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends a record. It is on the disk when this returns; when it fails, nothing may be appended any more.
    pub(super) fn append(&mut self, body: &[u8]) -> Result<(), PathError> {
        let checksum = checksum(&self.of, self.records, body);
        let length = body.len() as u64;
        let lengths = [length.to_le_bytes(), (!length).to_le_bytes()];
        let record = [lengths.as_flattened(), &checksum, body].concat();
        self.file.write_all(&record).at(&self.path)?;
        self.file.sync_data().at(&self.path)?;
        self.records += 1;
        self.bytes += record.len() as u64;
        Ok(())
    }
}

/// Reads the edits of a generation, or tells why they cannot be told.
pub(super) fn load(path: &Path, of: Of) -> Result<Result<FoundEdits, Unusable>, PathError> {
    let mut found = FoundEdits {
        edits: Vec::new(),
        file: None,
        is_torn: false,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(found)),
        Err(error) => return Err(error).at(path),
    };
    let mut bytes = Vec::new();
    if let Err(error) = file.take(SIZE_MAX).read_to_end(&mut bytes) {
        return Ok(Err(Unusable::Unreadable(error)));
    }
    let Some((stated, mut rest)) = bytes.split_first_chunk() else {
        return Ok(Ok(found));
    };
    if *stated != header(&of) {
        return Ok(match is_of_another(stated, rest) {
            true => Ok(found),
            false => Err(Unusable::Edits),
        });
    }
    let mut records = 0;
    while !rest.is_empty() {
        let Some(edits) = take(&mut rest, &of, records) else {
            found.is_torn = true;
            return Ok(is_cut_off(rest).then_some(found).ok_or(Unusable::Edits));
        };
        found.edits.extend(edits);
        records += 1;
    }
    let bytes = bytes.len() as u64;
    found.file = Some(EditsFile::open(path, of, records, bytes)?);
    Ok(Ok(found))
}

/// Whether a file tells of a generation that is gone, or of nothing.
fn is_of_another(stated: &[u8; HEADER], mut rest: &[u8]) -> bool {
    let of = stated.last_chunk().expect("BUG: a header is longer");
    rest.is_empty() || *stated == header(of) && take(&mut rest, of, 0).is_some()
}

/// Whether what is no whole record is what an append leaves that was cut off: a part of one, or nothing but room for it.
fn is_cut_off(rest: &[u8]) -> bool {
    let is_room = rest.iter().all(|byte| *byte == 0);
    let Some((stated, after)) = rest.split_first_chunk::<STATED>() else {
        return true;
    };
    is_room || length(stated).is_some_and(|length| length >= after.len() as u64)
}

/// The length of a record; none when it is damaged.
fn length(stated: &[u8; STATED]) -> Option<u64> {
    let ([one, other], _) = stated.as_chunks::<8>().0.split_first_chunk()?;
    let length = u64::from_le_bytes(*one);
    (!length == u64::from_le_bytes(*other)).then_some(length)
}

/// Edits as they are appended.
pub(super) fn body(edits: &[Edit]) -> Vec<u8> {
    let trees = edits.iter().map(|edit| {
        let tree = edit.entry.as_ref().map(encode);
        (edit.path.as_bytes(), tree)
    });
    let edits: Vec<(&[u8], Option<Vec<u8>>)> = trees.collect();
    postcard::to_stdvec(&edits).expect("BUG: bytes in memory take all that is appended")
}

fn header(of: &Of) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..MAGIC.len()].copy_from_slice(&MAGIC);
    header[MAGIC.len()..].copy_from_slice(of);
    header
}

/// The next record; none when it is not whole.
fn take(rest: &mut &[u8], of: &Of, number: u64) -> Option<Vec<Edit>> {
    let (stated, after) = rest.split_first_chunk::<STATED>()?;
    let length = usize::try_from(length(stated)?).ok()?;
    let expected = stated.last_chunk()?;
    let (body, after) = after.split_at_checked(length)?;
    if checksum(of, number, body) != *expected {
        return None;
    }
    let edits: Vec<(&[u8], Option<&[u8]>)> = postcard::from_bytes(body).ok()?;
    let edits = edits.into_iter().map(|(path, tree)| {
        let path = RelPath::new(path).ok()?;
        let entry = match tree {
            Some(tree) => Some(decode(tree).ok()?),
            None => None,
        };
        Some(Edit { path, entry })
    });
    let edits = edits.collect::<Option<_>>()?;
    *rest = after;
    Some(edits)
}

fn checksum(of: &Of, number: u64, body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(of).update(&number.to_le_bytes()).update(body);
    *hasher.finalize().as_bytes()
}
