//! One thing that a person asked for.

use mizzen_sync_core::{Halt, RelPath, Side};
use serde::Serialize;

use crate::link::{Both, Cycle, Keep, Undone, Word};
use crate::trash::CycleId;

/// One thing that a person asked for.
#[derive(Serialize)]
pub(in crate::link) struct Audit {
    cycle: String,
    asked: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<String>,
    /// The cycle that is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<String>,
    /// What was agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    done: usize,
    failed: usize,
    refused: usize,
}

impl Audit {
    fn new(asked: &'static str, id: CycleId) -> Self {
        Self {
            cycle: id.to_string(),
            asked,
            path: None,
            side: None,
            of: None,
            keep: None,
            beside: None,
            to: None,
            done: 0,
            failed: 0,
            refused: 0,
        }
    }

    fn did(self, cycle: &Cycle) -> Self {
        let Both { host, container } = &cycle.applied;
        Self {
            done: host.done.len() + container.done.len(),
            failed: host.failed.len() + container.failed.len(),
            ..self
        }
    }

    fn undid(self, undone: &Undone) -> Self {
        Self {
            refused: undone.refused.host.len() + undone.refused.container.len(),
            ..self.did(&undone.cycle)
        }
    }

    pub(in crate::link) fn consent(id: CycleId, halt: Halt) -> Self {
        Self {
            to: Some(halt.to_string()),
            ..Self::new("consent", id)
        }
    }

    /// At a time, by which a cycle would be called.
    pub(in crate::link) fn word(word: Word, at: CycleId) -> Self {
        let asked = match word {
            Word::Pause => "pause",
            Word::Resume => "resume",
            Word::Flush => "flush",
        };
        Self::new(asked, at)
    }

    pub(in crate::link) fn resolve(
        cycle: &Cycle,
        path: &RelPath,
        keep: Keep,
        beside: Option<&RelPath>,
    ) -> Self {
        Self {
            path: Some(path.to_string()),
            keep: Some(keep.name()),
            beside: beside.map(ToString::to_string),
            ..Self::new("resolve", cycle.id).did(cycle)
        }
    }

    pub(in crate::link) fn undo(undone: &Undone, of: CycleId) -> Self {
        Self {
            of: Some(of.to_string()),
            ..Self::new("undo", undone.cycle.id).undid(undone)
        }
    }

    pub(in crate::link) fn restore(
        undone: &Undone,
        path: &RelPath,
        of: CycleId,
        side: Side,
    ) -> Self {
        Self {
            path: Some(path.to_string()),
            side: Some(side.to_string()),
            of: Some(of.to_string()),
            ..Self::new("restore", undone.cycle.id).undid(undone)
        }
    }
}
