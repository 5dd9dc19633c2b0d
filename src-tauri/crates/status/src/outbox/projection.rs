//! What `commands.json` is to hold, and what it holds. Pure but for the one read.

use mizzen_fsx::SafeDir;
use serde::Serialize;
use serde_json::Value;

use super::PAST;
use super::disk::Kept;
use crate::COMMANDS_FILE;
use crate::ack::{Ack, AckState};
use crate::commands::{CAP, Command, CommandId, Order, QUEUE};
use crate::document::read_object;
use crate::fields;

/// Room for the longest ids of all that have ended, and for what stands around them.
const ENDED: u64 = PAST as u64 * 74 + 64;
/// Ids of others' commands that stay in `processed`.
const FOREIGN: usize = 256;

/// The file's content, entry by entry as it stands there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Queue {
    commands: Vec<Value>,
    processed: Vec<Value>,
}

impl Queue {
    /// The ends that a container tells of by `processed` alone.
    pub(super) fn processed(&self) -> impl Iterator<Item = Ack> {
        let ids = self.processed.iter().filter_map(CommandId::from_value);
        ids.map(|id| Ack::new(id, AckState::Succeeded))
    }

    /// Whether all of this stands in what was found, and no end of it that nobody told.
    pub(super) fn stands_in(&self, found: Option<&Self>) -> bool {
        let Some(found) = found else {
            return self.commands.is_empty() && self.processed.is_empty();
        };
        let is_done = |entry: &Value| found.processed.contains(&entry["id"]);
        self.commands
            .iter()
            .all(|entry| found.commands.contains(entry) && !is_done(entry))
            && self.processed.iter().all(|id| found.processed.contains(id))
    }
}

/// What the file holds now; nothing usable without.
pub(super) fn read(dir: &SafeDir) -> Option<Queue> {
    let mut object = read_object(dir, COMMANDS_FILE, CAP, None).good()?;
    Some(Queue {
        commands: fields::list(&mut object, "commands"),
        processed: fields::list(&mut object, "processed"),
    })
}

/// What the file is to hold: first ours, then what others have put there, as far as there is room.
pub(super) fn wanted(kept: &Kept, found: Option<&Queue>) -> Queue {
    let to_value = |command: &Command| serde_json::to_value(command);
    let ours = ours(kept).into_iter().map(to_value);
    let ours: Vec<Value> = ours
        .collect::<Result<_, _>>()
        .expect("BUG: our own commands serialise");
    let is_foreign = |id: &Value| CommandId::from_value(id).is_some_and(|id| !kept.knows(&id));
    let foreign = found.iter().flat_map(|found| &found.commands);
    let foreign = foreign.filter(|entry| is_foreign(&entry["id"]));
    let done = found.iter().flat_map(|found| &found.processed);
    let done = done.filter(|id| is_foreign(id)).take(FOREIGN);
    let past = kept.past.iter().map(|it| Value::from(it.id.as_str()));
    let mut queue = Queue {
        commands: ours
            .into_iter()
            .chain(foreign.cloned())
            .take(QUEUE)
            .collect(),
        processed: past.chain(done.cloned()).collect(),
    };
    while size(&queue) > CAP && queue.commands.pop().is_some() {}
    queue
}

/// Whether all commands that wait have room in the file, whatever the ids of those that have ended.
pub(super) fn fits(kept: &Kept) -> bool {
    let waiting: u64 = kept.waiting.iter().map(|it| it.size).sum();
    waiting + ENDED <= CAP
}

/// Room that a command takes up in the file, where it stands two levels deep.
pub(super) fn size_of(command: &Command) -> u64 {
    size(&[[command]])
}

/// Signals first, since they are about the others; then in their turn, so that what has no room is what comes last.
fn ours(kept: &Kept) -> Vec<&Command> {
    let mut ours: Vec<&Command> = kept.waiting.iter().map(|it| &it.command).collect();
    ours.sort_by_key(|command| (matches!(command.order, Order::Exec(_)), command.turn()));
    ours
}

fn size(queue: &impl Serialize) -> u64 {
    let text = serde_json::to_vec_pretty(queue).expect("BUG: our own documents serialise");
    // And the line's end.
    text.len() as u64 + 1
}
