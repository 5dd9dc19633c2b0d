//! What both ends say to each other, and how it is made of, and becomes, what a link speaks of.
//!
//! Bytes that make no sense are refused here: beyond it, a path is a path and a tree a tree.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use mizzen_sync_core::{BadPattern, Change, Digest, Edit, File, Node, Plan, RelPath, RuleTexts};
use serde::{Deserialize, Serialize};

use super::delta::{Cuts, SUMS_MAX, Sum, is_average};
use super::few::{ENTRIES_MAX, few};
use super::frames::senseless;
use crate::apply::{Durability, Wish};
use crate::encoding::{Most, decode_below, encode};
use crate::endpoint::{EndpointError, LocalOptions};
use crate::root::RootId;
use crate::scan::{Dirty, Links};
use crate::trash::{CycleId, Past, PastChange, Was};

/// Longest text of the other end that is shown.
const TEXT_MAX: usize = 300;
/// Longer rules are a mistake, and take many times as much memory.
const TEXTS_MAX: usize = 16 * 1024 * 1024;

/// What a link asks the other end for.
#[derive(Serialize, Deserialize)]
pub(super) enum Ask {
    /// First of all: which folder it is about.
    Open(OpenSide),
    Obey(Texts),
    Watch,
    Look {
        #[serde(deserialize_with = "few")]
        dirty: Vec<Place>,
        /// Whether all is told, not only what is new.
        whole: bool,
    },
    Apply {
        cycle: i64,
        #[serde(deserialize_with = "few")]
        changes: Vec<Changed>,
    },
    /// Contents, in this order.
    Want(#[serde(deserialize_with = "few")] Vec<Wanted>),
    History {
        before: Option<i64>,
        of: Option<Place>,
        most: u64,
    },
    TakeBack {
        cycle: i64,
        what: i64,
        at: Option<Place>,
    },
    Rest,
    /// Before one is opened: where a folder is, and what its settings say.
    Folder(PathBuf),
    /// What the folder's own files say that is carried: all of it, or only when it is not what was told last.
    Rules {
        profile: Option<String>,
        anew: bool,
    },
    /// As [`Self::Open`], by one of several links that the folder may have.
    OpenFor {
        side: OpenSide,
        /// What tells the link from the others.
        link: String,
    },
    /// How many more bytes the disk takes.
    Room,
}

/// What the other end says.
#[derive(Serialize, Deserialize)]
pub(super) enum Told {
    Done,
    Refused(Refused),
    Looked(View),
    /// While it applies: contents, in this order.
    Want(#[serde(deserialize_with = "few")] Vec<Wanted>),
    Applied(Done),
    History(#[serde(deserialize_with = "few")] Vec<Gone>),
    TakenBack(Option<Back>),
    Folder {
        /// Without links in it.
        path: PathBuf,
        /// The text of the settings file.
        settings: String,
    },
    Rules(Option<Texts>),
    Room(Option<u64>),
}

/// A folder that the other end is asked to serve, and how it looks at it and writes to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSide {
    /// The folder, absolute.
    pub path: PathBuf,
    /// Larger files are problems.
    pub size_max: u64,
    /// What becomes of symbolic links.
    pub links: Links,
    /// Whether files are searched for keys and tokens.
    pub look_for_secrets: bool,
    /// What survives a power cut.
    pub durability: Durability,
}

/// Why something was not done.
#[derive(Serialize, Deserialize)]
pub(super) enum Refused {
    Place { path: PathBuf, why: String },
    Rule { pattern: String, reason: String },
}

/// What was seen, as far as it is not what was told before.
#[derive(Serialize, Deserialize)]
pub(super) struct View {
    /// Whether the root is there.
    pub(super) stands: bool,
    #[serde(deserialize_with = "few")]
    pub(super) edits: Vec<Edited>,
    pub(super) hashed: u64,
    #[serde(deserialize_with = "few")]
    pub(super) withheld: Vec<Place>,
    pub(super) polling: Option<String>,
    /// Which folder it is.
    pub(super) root: Option<RootId>,
}

/// What was carried out of a plan.
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    /// Places, and whether something stands there now. What it is says the plan.
    #[serde(deserialize_with = "few")]
    pub(super) done: Vec<(Place, bool)>,
    #[serde(deserialize_with = "few")]
    pub(super) failed: Vec<(Place, Cause)>,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) reused: u64,
    pub(super) cycle: Option<i64>,
    /// Where and why it ended early.
    pub(super) ended: Option<(PathBuf, String)>,
}

/// A cycle of the past.
#[derive(Serialize, Deserialize)]
pub(super) struct Gone {
    id: i64,
    #[serde(deserialize_with = "few")]
    changes: Vec<(Place, WasDone)>,
    places: u64,
    files: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum WasDone {
    Created,
    Replaced,
    Removed,
}

/// What was taken back.
#[derive(Serialize, Deserialize)]
pub(super) struct Back {
    /// What stands where now: there is no plan that says it.
    #[serde(deserialize_with = "few")]
    pub(super) now: Vec<Edited>,
    pub(super) done: Done,
    #[serde(deserialize_with = "few")]
    pub(super) refused: Vec<Place>,
}

/// Why nothing was done at a place.
#[derive(Serialize, Deserialize)]
pub(super) enum Cause {
    ChangedHere,
    ChangedThere,
    NotEmpty,
    Unsyncable(u8),
    Supply(String),
    System(String),
}

/// A path below the root.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place(Vec<u8>);

/// A file whose contents are asked for.
#[derive(Serialize, Deserialize)]
pub(super) struct Wanted {
    path: Place,
    digest: [u8; 32],
    size: u64,
    mtime: i64,
    executable: bool,
    left: Option<Left>,
}

/// What of a file is still wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Left {
    /// Not so many of its first bytes.
    pub(super) first: u64,
    /// Nor pieces of this average length, with these sums.
    pub(super) cuts: Cuts,
    pub(super) average: u32,
    #[serde(deserialize_with = "few")]
    pub(super) sums: Vec<Sum>,
}

/// A file that the other end asks for.
pub(super) struct Asked {
    pub(super) path: RelPath,
    pub(super) file: File,
    pub(super) left: Option<Left>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Edited {
    path: Place,
    entry: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Changed {
    path: Place,
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
}

/// [`RuleTexts`] as they are told.
#[derive(Serialize, Deserialize)]
pub(super) struct Texts {
    #[serde(deserialize_with = "few")]
    gitignores: Vec<(Place, String)>,
    git_exclude: String,
    git_global: String,
    #[serde(deserialize_with = "few")]
    ignore: Vec<String>,
    #[serde(deserialize_with = "few")]
    include: Vec<String>,
}

impl OpenSide {
    /// A folder that is looked at and written to like one of this machine.
    #[must_use]
    pub fn like(local: &LocalOptions, path: PathBuf) -> Self {
        Self {
            path,
            size_max: local.size_max,
            links: local.links,
            look_for_secrets: local.look_for_secrets,
            durability: local.durability,
        }
    }
}

impl From<&RelPath> for Place {
    fn from(path: &RelPath) -> Self {
        Self(path.as_bytes().to_vec())
    }
}

impl Place {
    pub(super) fn path(&self) -> io::Result<RelPath> {
        RelPath::new(&self.0).map_err(senseless)
    }
}

pub(super) fn places<'a>(paths: impl IntoIterator<Item = &'a RelPath>) -> Vec<Place> {
    paths.into_iter().map(Place::from).collect()
}

pub(super) fn paths(places: &[Place]) -> io::Result<Vec<RelPath>> {
    places.iter().map(Place::path).collect()
}

pub(super) fn dirty(places: &[Place]) -> io::Result<Dirty> {
    Ok(paths(places)?.iter().collect())
}

impl Wanted {
    pub(super) fn new(path: &RelPath, file: &File) -> Self {
        Self {
            path: path.into(),
            digest: file.digest.0,
            size: file.size,
            mtime: file.mtime,
            executable: file.executable,
            left: None,
        }
    }

    /// The same without what is here already.
    pub(super) fn rest(path: &RelPath, file: &File, left: Left) -> Self {
        Self {
            left: Some(left),
            ..Self::new(path, file)
        }
    }

    /// About how many bytes it takes to ask.
    pub(super) fn length(&self) -> usize {
        self.path.0.len() + 48
    }

    fn asked(self) -> io::Result<Asked> {
        let file = File {
            digest: Digest(self.digest),
            size: self.size,
            mtime: self.mtime,
            executable: self.executable,
        };
        if self
            .left
            .as_ref()
            .is_some_and(|left| !left.makes_sense(&file))
        {
            return Err(senseless("a part of a file that cannot be"));
        }
        Ok(Asked {
            path: self.path.path()?,
            file,
            left: self.left,
        })
    }
}

impl Left {
    fn makes_sense(&self, file: &File) -> bool {
        let may_be_cut = is_average(self.average as usize) && self.sums.len() <= SUMS_MAX;
        self.first <= file.size && (self.sums.is_empty() || may_be_cut)
    }
}

impl Asked {
    /// All of the file, where it has to be asked for in turn.
    pub(super) fn wish(&self) -> Wish {
        Wish {
            path: self.path.clone(),
            file: self.file,
            is_part_here: false,
        }
    }
}

pub(super) fn asked(wanted: Vec<Wanted>) -> io::Result<Vec<Asked>> {
    wanted.into_iter().map(Wanted::asked).collect()
}

pub(super) fn edited(edits: &[Edit]) -> Vec<Edited> {
    let edits = edits.iter().map(|edit| Edited {
        path: Place::from(&edit.path),
        entry: bytes(edit.entry.as_ref()),
    });
    edits.collect()
}

pub(super) fn edits(edited: &[Edited]) -> io::Result<Vec<Edit>> {
    let mut most = Most(ENTRIES_MAX);
    let edits = edited.iter().map(|edited| {
        let path = edited.path.path()?;
        let entry = node(&path, edited.entry.as_deref(), &mut most)?;
        Ok(Edit { path, entry })
    });
    edits.collect()
}

pub(super) fn changed(plan: &Plan) -> Vec<Changed> {
    let changes = plan.changes.iter().map(|change| Changed {
        path: Place::from(&change.path),
        old: bytes(change.old.as_ref()),
        new: bytes(change.new.as_ref()),
    });
    changes.collect()
}

pub(super) fn plan(changed: &[Changed]) -> io::Result<Plan> {
    // What goes and what comes.
    let mut most = Most(2 * ENTRIES_MAX);
    let changes = changed.iter().map(|changed| {
        let path = changed.path.path()?;
        let old = node(&path, changed.old.as_deref(), &mut most)?;
        let new = node(&path, changed.new.as_deref(), &mut most)?;
        Ok(Change { path, old, new })
    });
    let changes = changes.collect::<io::Result<_>>()?;
    Ok(Plan { changes })
}

fn bytes(node: Option<&Node>) -> Option<Vec<u8>> {
    Some(encode(node?, Vec::new()))
}

fn node(at: &RelPath, bytes: Option<&[u8]>, most: &mut Most) -> io::Result<Option<Node>> {
    let depth = at.components().count();
    bytes
        .map(|bytes| decode_below(depth, bytes, most).map_err(senseless))
        .transpose()
}

impl From<&Past> for Gone {
    fn from(past: &Past) -> Self {
        let changes = past.changes.iter().map(|change| {
            let was = match change.was {
                Was::Created => WasDone::Created,
                Was::Replaced => WasDone::Replaced,
                Was::Removed => WasDone::Removed,
            };
            (Place::from(&change.path), was)
        });
        Self {
            id: past.id.0,
            changes: changes.collect(),
            places: past.places,
            files: past.files,
            bytes: past.bytes,
        }
    }
}

impl Gone {
    pub(super) fn past(&self) -> io::Result<Past> {
        let changes = self.changes.iter().map(|(place, was)| {
            let was = match was {
                WasDone::Created => Was::Created,
                WasDone::Replaced => Was::Replaced,
                WasDone::Removed => Was::Removed,
            };
            let path = place.path()?;
            Ok(PastChange { path, was })
        });
        Ok(Past {
            id: CycleId(self.id),
            changes: changes.collect::<io::Result<_>>()?,
            places: self.places,
            files: self.files,
            bytes: self.bytes,
        })
    }
}

impl From<&RuleTexts> for Texts {
    fn from(texts: &RuleTexts) -> Self {
        let gitignores = texts.gitignores.iter();
        Self {
            gitignores: gitignores
                .map(|(path, text)| (path.into(), text.clone()))
                .collect(),
            git_exclude: texts.git_exclude.clone(),
            git_global: texts.git_global.clone(),
            ignore: texts.ignore.clone(),
            include: texts.include.clone(),
        }
    }
}

impl Texts {
    pub(super) fn rules(self) -> io::Result<RuleTexts> {
        if self.length() > TEXTS_MAX {
            let long = format!("rules of more than {} MiB", TEXTS_MAX >> 20);
            return Err(senseless(long));
        }
        let gitignores = self.gitignores.into_iter();
        let gitignores = gitignores.map(|(place, text)| Ok((place.path()?, text)));
        Ok(RuleTexts {
            gitignores: gitignores.collect::<io::Result<BTreeMap<_, _>>>()?,
            git_exclude: self.git_exclude,
            git_global: self.git_global,
            ignore: self.ignore,
            include: self.include,
        })
    }

    /// All its bytes.
    fn length(&self) -> usize {
        let files = self.gitignores.iter();
        let files = files.map(|(place, text)| place.0.len() + text.len());
        let lines = self.ignore.iter().chain(&self.include).map(String::len);
        let whole = self.git_exclude.len() + self.git_global.len();
        files.chain(lines).sum::<usize>() + whole
    }
}

impl From<EndpointError> for Refused {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Place { path, source } => Self::Place {
                path,
                why: source.to_string(),
            },
            EndpointError::Rule(BadPattern { pattern, reason }) => Self::Rule { pattern, reason },
            EndpointError::Wire(why) => Self::Place {
                path: PathBuf::new(),
                why,
            },
        }
    }
}

impl From<Refused> for EndpointError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Place { path, why } => Self::Place {
                path: shown_path(&path),
                source: io::Error::other(shown(&why)),
            },
            Refused::Rule { pattern, reason } => Self::Rule(BadPattern {
                pattern: shown(&pattern),
                reason: shown(&reason),
            }),
        }
    }
}

/// A text of the other end as it may be shown: one line, without what steers a terminal, and not endless.
pub(super) fn shown(text: &str) -> String {
    let plain = text.chars().filter(|char| !char.is_control());
    plain.take(TEXT_MAX).collect()
}

pub(super) fn shown_path(path: &std::path::Path) -> PathBuf {
    shown(&path.to_string_lossy()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_other_end_steer_no_terminal() {
        assert_eq!(shown("a\u{1b}[31mb\r\nc\u{7}"), "a[31mbc");
        assert_eq!(shown(&"x".repeat(1000)).len(), TEXT_MAX);
    }

    #[test]
    fn what_is_no_path_and_no_tree_is_refused() {
        for path in [&b"../a"[..], b"a//b", b"/a", b"a\0"] {
            assert!(Place(path.to_vec()).path().is_err());
        }
        let file = Edited {
            path: Place(b"a".to_vec()),
            entry: Some(vec![255]),
        };
        assert!(edits(&[file]).is_err());
    }

    #[test]
    fn lists_and_trees_of_more_entries_than_anybody_has_are_refused() {
        let many = usize::try_from(ENTRIES_MAX).unwrap() + 1;
        // Two bytes each, and forty-eight in memory.
        let told = |many: usize| -> postcard::Result<Texts> {
            let (files, none) = (vec![("", ""); many], Vec::<&str>::new());
            let texts = (files, "", "", &none, &none);
            postcard::from_bytes(&postcard::to_stdvec(&texts).unwrap())
        };
        assert!(told(1000).is_ok());
        assert!(told(many).is_err());

        let stated = |entries: u64| {
            let start = postcard::to_stdvec(&(1_u8, entries)).unwrap();
            let entry = [start, vec![0; 4 * many]].concat();
            let path = Place(Vec::new());
            let edited = Edited {
                path,
                entry: Some(entry),
            };
            edits(&[edited]).unwrap_err().to_string()
        };
        assert_eq!(stated(ENTRIES_MAX), "a name is empty");
        let many = stated(ENTRIES_MAX + 1);
        assert_eq!(many, "a directory has more entries than there can be");
    }

    #[test]
    fn rules_without_end_are_refused() {
        let texts = |length: usize| Texts {
            gitignores: vec![(Place(b"a/.gitignore".to_vec()), "x".repeat(length))],
            git_exclude: "x".repeat(length),
            git_global: String::new(),
            ignore: vec!["x".repeat(length)],
            include: Vec::new(),
        };
        assert!(texts(TEXTS_MAX / 4).rules().is_ok());
        let refused = texts(TEXTS_MAX / 3).rules().unwrap_err();
        assert_eq!(refused.to_string(), "rules of more than 16 MiB");
    }

    #[test]
    fn a_tree_may_not_lie_deeper_than_it_is_looked_at() {
        let deep = Place(vec!["d"; 199].join("/").into_bytes());
        let entry = |node: &Node| Some(encode(node, Vec::new()));
        let check = |node: &Node| {
            let edited = Edited {
                path: deep.clone(),
                entry: entry(node),
            };
            edits(&[edited]).is_ok()
        };
        let inner = crate::sample::of_one(1);
        assert!(check(&Node::empty_dir()));
        assert!(check(&inner));
        let name = crate::sample::name(b"e");
        let nested =
            |node| Node::Dir(mizzen_sync_core::Dir::new(vec![(name.clone(), node)]).into());
        assert!(!check(&nested(nested(inner))));
    }
}
