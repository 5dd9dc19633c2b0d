//! The list on the disk: one file, written whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mizzen_fsx::{At, PathError, remove_leftovers, write_atomic};
use serde::Serialize;
use serde_json::Value;

use super::{Asked, PAST, in_words, projection};
use crate::SCHEMA;
use crate::ack::Ack;
use crate::commands::{Command, CommandId, Order, command_of};
use crate::document::parse_object;
use crate::fields::{self, Object};

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept {
    pub(super) session: String,
    pub(super) last_seq: u64,
    /// As they were asked for.
    pub(super) waiting: Vec<Waiting>,
    /// As they ended, the newest last.
    pub(super) past: Vec<Asked>,
}

/// A command that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Waiting {
    pub(super) command: Command,
    pub(super) ack: Option<Ack>,
    /// Room that it takes up in the queue's file.
    pub(super) size: u64,
}

impl Waiting {
    pub(super) fn new(command: Command) -> Self {
        Self {
            size: projection::size_of(&command),
            command,
            ack: None,
        }
    }

    pub(super) fn asked(&self) -> Asked {
        Asked {
            id: self.command.id.clone(),
            seq: self.command.seq.unwrap_or(0),
            what: match &self.command.order {
                Order::Exec(exec) => Some(in_words(exec)),
                Order::Signal(_) => None,
            },
            asked_at: self.command.timestamp.clone(),
            ack: self.ack.clone(),
        }
    }
}

impl Kept {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.past.is_empty()
    }

    pub(super) fn waits(&self, id: &CommandId) -> bool {
        self.waiting.iter().any(|it| it.command.id == *id)
    }

    pub(super) fn knows(&self, id: &CommandId) -> bool {
        self.waits(id) || self.past.iter().any(|it| it.id == *id)
    }

    /// Whether nothing was known of this. What has ended has ended.
    pub(super) fn is_news(&self, ack: &Ack) -> bool {
        let of_it = |it: &&Waiting| it.command.id == ack.id;
        let found = self.waiting.iter().find(of_it);
        found.is_some_and(|it| it.ack.as_ref() != Some(ack))
    }

    /// Takes in what is said of a command.
    pub(super) fn hear(&mut self, ack: &Ack) {
        let of_it = |it: &Waiting| it.command.id == ack.id;
        let Some(at) = self.waiting.iter().position(of_it) else {
            return;
        };
        self.waiting[at].ack = Some(ack.clone());
        if ack.state.is_final() {
            let ended = self.waiting.remove(at).asked();
            self.past.push(ended);
            let over = self.past.len().saturating_sub(PAST);
            self.past.drain(..over);
        }
    }

    /// What makes sense of it, and whether that is all.
    fn from_object(mut object: Object) -> Option<(Self, bool)> {
        let from = &mut object;
        let waiting = fields::list(from, "waiting");
        let past = fields::list(from, "past");
        let all = waiting.len() + past.len();
        let waiting = waiting.into_iter().filter_map(command_of);
        let kept = Self {
            session: fields::word(from, "session")?,
            last_seq: fields::whole(from, "last_seq")?,
            waiting: waiting.map(Waiting::new).collect(),
            past: past.into_iter().filter_map(ended).collect(),
        };
        let is_all = kept.waiting.len() + kept.past.len() == all;
        Some((kept, is_all))
    }
}

/// The file's content.
#[derive(Serialize)]
struct File<'a> {
    schema: u64,
    session: &'a str,
    last_seq: u64,
    waiting: Vec<&'a Command>,
    past: Vec<Past<'a>>,
}

#[derive(Serialize)]
struct Past<'a> {
    seq: u64,
    what: &'a Option<String>,
    asked_at: &'a Option<String>,
    ack: &'a Option<Ack>,
}

impl<'a> From<&'a Kept> for File<'a> {
    fn from(kept: &'a Kept) -> Self {
        let past = kept.past.iter().map(|it| Past {
            seq: it.seq,
            what: &it.what,
            asked_at: &it.asked_at,
            ack: &it.ack,
        });
        Self {
            schema: SCHEMA,
            session: &kept.session,
            last_seq: kept.last_seq,
            waiting: kept.waiting.iter().map(|it| &it.command).collect(),
            past: past.collect(),
        }
    }
}

fn ended(value: Value) -> Option<Asked> {
    let Value::Object(mut object) = value else {
        return None;
    };
    let from = &mut object;
    let ack = Ack::from_value(from.remove("ack")?)?;
    Some(Asked {
        id: ack.id.clone(),
        seq: fields::whole(from, "seq")?,
        what: fields::text(from, "what"),
        asked_at: fields::word(from, "asked_at"),
        ack: Some(ack),
    })
}

/// Reads the list of a session; another session's is none. Where not all of it makes sense, it is put aside, and said where.
pub(super) fn read(path: &Path, session: &str) -> Result<(Kept, Option<PathBuf>), PathError> {
    let fresh = || Kept {
        session: session.to_owned(),
        ..Kept::default()
    };
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((fresh(), None)),
        Err(error) => return Err(error).at(path),
    };
    remove_leftovers(path)?;
    match parse_object(&bytes).ok().and_then(Kept::from_object) {
        Some((kept, _)) if kept.session != session => Ok((fresh(), None)),
        Some((kept, true)) => Ok((kept, None)),
        damaged => {
            let aside = path.with_extension("corrupt");
            write_atomic(&aside, &bytes)?;
            let kept = damaged.map_or_else(fresh, |(kept, _)| kept);
            Ok((kept, Some(aside)))
        }
    }
}

pub(super) fn write(path: &Path, kept: &Kept) -> Result<(), PathError> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).at(dir)?;
    }
    let text = serde_json::to_vec(&File::from(kept)).expect("BUG: our own documents serialise");
    write_atomic(path, &text)
}
