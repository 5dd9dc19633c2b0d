//! A folder at the other end of a stream of bytes: in a container, mostly.
//!
//! One end asks, the other, which [`serve`]s a folder of its own, answers, and in between says that the folder has
//! changed. Trees go over as what is new of them; contents go over in the order in which they are written.
//!
//! Invariant: what the other end says can make its own side wrong, and nothing else. Trees are passed through the rules
//! again, contents are handed over only as far as a plan has them, and what was carried out of a plan is told by its
//! places: what stands there says the plan.

mod frames;
mod inbox;
mod message;
mod serve;
mod supply;
#[cfg(unix)]
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use mizzen_sync_core::{Change, Edit, Name, Node, Plan, RelPath, RuleTexts, Rules};

use super::{Endpoint, EndpointError, Looked, TakeBack, TakenBack, Wake};
use crate::apply::{Applied, ApplyError, Contents, Failure, Why, all_new, as_made, gathered};
use crate::encoding::unsyncable;
use crate::scan::Dirty;
use crate::trash::{CycleId, Past, Recall};

pub use message::OpenSide;
pub use serve::{ServeOptions, serve};

use frames::{Frame, Reader, Writer, senseless};
use inbox::{Inbox, News};
use message::{
    Ask, Back, Cause, Done, Gone, Place, Texts, Told, View, Wanted, places, shown, shown_path,
};
use supply::{Line, Pulled, lock, push};

/// Most entries of a tree that is kept of the other end.
const ENTRIES_MAX: u64 = 4_000_000;

/// A folder that is served at the other end of a stream.
pub struct RemoteEndpoint {
    line: Mutex<Line>,
    news: Arc<News>,
    rules: Rules,
    path: PathBuf,
    /// What the other end has told, as far as it is carried.
    tree: Option<Node>,
    /// An upper bound of the entries in it.
    entries: u64,
    /// Whether it told all, by these rules.
    told: bool,
    watched: bool,
    polling: Option<String>,
}

impl RemoteEndpoint {
    /// Asks the other end of a stream for a folder. Both halves block; reading is done by a thread.
    ///
    /// # Errors
    /// There is no such folder, or nobody answers.
    pub fn open(
        from: impl Read + Send + 'static,
        to: impl Write + Send + 'static,
        side: OpenSide,
    ) -> Result<Self, EndpointError> {
        let (inbox, news) = Inbox::start(Reader::new(from)).map_err(wire)?;
        let line = Line {
            frames: Box::new(inbox),
            to: Writer::new(to),
        };
        let endpoint = Self {
            line: Mutex::new(line),
            news,
            rules: Rules::new(&RuleTexts::default()).expect("BUG: no pattern is a bad one"),
            path: side.path.clone(),
            tree: None,
            entries: 0,
            told: false,
            watched: false,
            polling: None,
        };
        endpoint.do_it(&Ask::Open(side))?;
        Ok(endpoint)
    }

    fn ask(&self, ask: &Ask) -> Result<Told, EndpointError> {
        let mut line = lock(&self.line);
        line.to.message(ask).map_err(wire)?;
        answer(&mut line).map_err(wire)
    }

    /// Asks for something that has no answer but that it was done.
    fn do_it(&self, ask: &Ask) -> Result<(), EndpointError> {
        match self.ask(ask)? {
            Told::Done => Ok(()),
            Told::Refused(refused) => Err(refused.into()),
            _ => Err(wire(senseless("another answer than to the question"))),
        }
    }

    /// Takes what is new of the other end's tree, as far as the rules carry it.
    fn learn(&mut self, view: &View) -> io::Result<()> {
        let mut edits = message::edits(&view.edits)?;
        for edit in &mut edits {
            let entry = edit.entry.take();
            edit.entry = entry.and_then(|entry| carried(&self.rules, &edit.path, entry));
        }
        let added = edits.iter().filter_map(|edit| edit.entry.as_ref());
        self.entries += added.map(Node::count).sum::<u64>();
        self.tree = Node::replaced(self.tree.as_ref(), &edits);
        if self.entries > ENTRIES_MAX {
            self.entries = self.tree.as_ref().map_or(0, Node::count);
        }
        if self.entries > ENTRIES_MAX {
            return Err(senseless(format!("more than {ENTRIES_MAX} entries")));
        }
        self.told = true;
        Ok(())
    }

    /// What was seen, without a question: nothing was told to have changed since.
    fn as_before(&self) -> Looked {
        Looked {
            tree: self.tree.clone(),
            polling: self.polling.clone(),
            ..Looked::default()
        }
    }

    fn lost(&self, source: io::Error) -> ApplyError {
        ApplyError {
            path: self.path.clone(),
            source,
            applied: Box::default(),
        }
    }

    /// Hands over contents until a plan is carried out.
    fn carry_out(
        &self,
        CycleId(cycle): CycleId,
        plan: &Plan,
        contents: &dyn Contents,
    ) -> io::Result<Done> {
        let allowed = all_new(plan);
        let mut supplier = contents.supplier();
        let mut line = lock(&self.line);
        let changes = message::changed(plan);
        line.to.message(&Ask::Apply { cycle, changes })?;
        loop {
            match answer(&mut line)? {
                Told::Want(wanted) => {
                    let files: Vec<_> =
                        wanted.iter().map(Wanted::file).collect::<Result<_, _>>()?;
                    let is_allowed =
                        |(path, file)| allowed.get(path).is_some_and(|known| known == file);
                    if !files.iter().all(|(path, file)| is_allowed((path, file))) {
                        return Err(senseless("it asks for what is not in the plan"));
                    }
                    push(&mut *supplier, &files, &line.to)?;
                }
                Told::Applied(done) => return Ok(done),
                _ => return Err(senseless("another answer than to the question")),
            }
        }
    }
}

impl Endpoint for RemoteEndpoint {
    fn obey(&mut self, rules: &RuleTexts) -> Result<(), EndpointError> {
        self.rules = Rules::new(rules).map_err(EndpointError::Rule)?;
        self.told = false;
        self.do_it(&Ask::Obey(Texts::from(rules)))
    }

    fn watch(&mut self, wake: Wake) -> Result<(), EndpointError> {
        self.news.tell(wake);
        self.do_it(&Ask::Watch)?;
        self.watched = true;
        Ok(())
    }

    fn look(&mut self, dirty: &Dirty, base: Option<&Node>) -> Result<Looked, EndpointError> {
        let has_changed = self.news.take();
        if self.told && self.watched && !has_changed && dirty.is_empty() {
            return Ok(self.as_before());
        }
        let ask = Ask::Look {
            dirty: places(&dirty.places()),
            whole: !self.told,
        };
        if !self.told {
            self.tree = None;
            self.entries = 0;
        }
        let view = match self.ask(&ask)? {
            Told::Looked(view) => view,
            Told::Refused(refused) => return Err(refused.into()),
            _ => return Err(wire(senseless("another answer than to the question"))),
        };
        if !view.stands {
            return Ok(Looked::default());
        }
        self.learn(&view).map_err(wire)?;
        self.polling = view.polling.as_deref().map(shown);
        if let (Some(tree), Some(base)) = (&self.tree, base) {
            self.tree = Some(tree.sharing(base));
        }
        Ok(Looked {
            hashed: view.hashed,
            withheld: message::paths(&view.withheld).map_err(wire)?,
            ..self.as_before()
        })
    }

    fn apply(
        &mut self,
        cycle: CycleId,
        plan: &Plan,
        contents: &dyn Contents,
    ) -> Result<Applied, ApplyError> {
        if plan.is_empty() {
            return Ok(Applied::default());
        }
        let done = self.carry_out(cycle, plan, contents);
        let done = done.map_err(|error| self.lost(error))?;
        applied(plan, done).map_err(|error| self.lost(error))?
    }

    fn history(&mut self, recall: &Recall) -> Result<Vec<Past>, EndpointError> {
        let ask = Ask::History {
            before: recall.before.map(|before| before.0),
            of: recall.of.as_ref().map(Place::from),
            most: recall.most as u64,
        };
        match self.ask(&ask)? {
            Told::History(past) => {
                let past = past.iter().take(recall.most).map(Gone::past);
                past.collect::<io::Result<_>>().map_err(wire)
            }
            Told::Refused(refused) => Err(refused.into()),
            _ => Err(wire(senseless("another answer than to the question"))),
        }
    }

    fn take_back(
        &mut self,
        CycleId(cycle): CycleId,
        what: &TakeBack,
    ) -> Result<Option<TakenBack>, ApplyError> {
        let (CycleId(what), at) = match what {
            TakeBack::Cycle(id) => (*id, None),
            TakeBack::Place(id, path) => (*id, Some(Place::from(path))),
        };
        let told = self.ask(&Ask::TakeBack { cycle, what, at });
        match told.map_err(|error| self.lost(io::Error::other(error)))? {
            Told::TakenBack(None) => Ok(None),
            Told::TakenBack(Some(back)) => taken_back(back)
                .map_err(|error| self.lost(error))?
                .map(Some),
            _ => Err(self.lost(senseless("another answer than to the question"))),
        }
    }

    fn contents(&self) -> Box<dyn Contents + '_> {
        Box::new(Pulled::new(&self.line, Ask::Want))
    }

    fn rest(&mut self) {
        // Without it the next process reads all files.
        let _ = self.do_it(&Ask::Rest);
    }
}

/// The next answer.
fn answer(line: &mut Line) -> io::Result<Told> {
    loop {
        match line.frames.next()? {
            Frame::Message(bytes) => return postcard::from_bytes(&bytes).map_err(senseless),
            Frame::Alive | Frame::Changed => {}
            Frame::Piece(_) | Frame::End(_) => return Err(senseless("contents for an answer")),
        }
    }
}

/// An entry of the other end, as far as the rules carry it: the rules are ours.
fn carried(rules: &Rules, path: &RelPath, node: Node) -> Option<Node> {
    let is_dir = node.as_dir().is_some();
    if !path.is_root() && rules.check_whole(path, is_dir).is_err() {
        return None;
    }
    Some(carried_below(rules, path, node))
}

fn carried_below(rules: &Rules, path: &RelPath, node: Node) -> Node {
    let Node::Dir(dir) = &node else { return node };
    let mut dropped = Vec::new();
    let mut changed = Vec::new();
    for (name, child) in dir.iter() {
        let (path, is_dir) = (path.join(name), child.as_dir().is_some());
        if rules.check(&path, is_dir).is_err() {
            dropped.push(name.clone());
        } else if is_dir {
            let kept = carried_below(rules, &path, child.clone());
            if !is_one(&kept, child) {
                changed.push((name.clone(), kept));
            }
        }
    }
    let edit = |name: &Name, entry| Edit {
        path: RelPath::root().join(name),
        entry,
    };
    let dropped = dropped.iter().map(|name| edit(name, None));
    let changed = changed
        .iter()
        .map(|(name, node)| edit(name, Some(node.clone())));
    let edits: Vec<Edit> = dropped.chain(changed).collect();
    Node::replaced(Some(&node), &edits).unwrap_or(node)
}

fn is_one(one: &Node, two: &Node) -> bool {
    matches!((one, two), (Node::Dir(one), Node::Dir(two)) if Arc::ptr_eq(one, two))
}

/// What was carried out of a plan, by the places of which the other end says so.
fn applied(plan: &Plan, told: Done) -> io::Result<Result<Applied, ApplyError>> {
    let changes = gathered(plan);
    let numbers = changes.iter().enumerate();
    let numbers: HashMap<_, _> = numbers.map(|(at, change)| (&change.path, at)).collect();
    let change_of = |path: &RelPath| {
        let mut above = Some(path.clone());
        while let Some(path) = above {
            if let Some(number) = numbers.get(&path) {
                return Ok(*number);
            }
            above = path.parent();
        }
        Err(senseless("it has done what is not in the plan"))
    };
    let mut failed: Vec<Vec<Failure>> = changes.iter().map(|_| Vec::new()).collect();
    for failure in failures(&told.failed)? {
        failed[change_of(&failure.path)?].push(failure);
    }
    let mut applied = counts(&told);
    for (place, is_there) in &told.done {
        let path = place.path()?;
        let number = change_of(&path)?;
        let entry = match &changes[number] {
            Change {
                path: planned,
                new: Some(new),
                ..
            } if *is_there && *planned == path => {
                let below = failed[number].iter().filter(|failure| failure.path != path);
                Some(as_made(new, &path, below))
            }
            _ if *is_there => return Err(senseless("it has done what is not in the plan")),
            _ => None,
        };
        applied.done.push(Edit { path, entry });
    }
    applied.failed = failed.into_iter().flatten().collect();
    Ok(ended(applied, told.ended))
}

/// What was taken back: of that, there is no plan here.
fn taken_back(back: Back) -> io::Result<Result<TakenBack, ApplyError>> {
    let refused = message::paths(&back.refused)?;
    let applied = Applied {
        done: message::edits(&back.now)?,
        failed: failures(&back.done.failed)?,
        ..counts(&back.done)
    };
    let applied = ended(applied, back.done.ended);
    Ok(applied.map(|applied| TakenBack { applied, refused }))
}

fn counts(told: &Done) -> Applied {
    Applied {
        files: told.files,
        bytes: told.bytes,
        reused: told.reused,
        cycle: told.cycle.map(CycleId),
        ..Applied::default()
    }
}

fn failures(told: &[(Place, Cause)]) -> io::Result<Vec<Failure>> {
    let failures = told.iter().map(|(place, cause)| {
        let (path, why) = (place.path()?, why(cause)?);
        Ok(Failure { path, why })
    });
    failures.collect()
}

fn ended(applied: Applied, early: Option<(PathBuf, String)>) -> Result<Applied, ApplyError> {
    match early {
        None => Ok(applied),
        Some((path, why)) => Err(ApplyError {
            path: shown_path(&path),
            source: io::Error::other(shown(&why)),
            applied: Box::new(applied),
        }),
    }
}

fn why(cause: &Cause) -> io::Result<Why> {
    let system = |text: &str| io::Error::other(shown(text));
    Ok(match cause {
        Cause::ChangedHere => Why::ChangedHere,
        Cause::ChangedThere => Why::ChangedThere,
        Cause::NotEmpty => Why::NotEmpty,
        Cause::Unsyncable(number) => {
            Why::Unsyncable(unsyncable(*number).ok_or_else(|| senseless("an unknown reason"))?)
        }
        Cause::Supply(text) => Why::Supply(system(text)),
        Cause::System(text) => Why::System(system(text)),
    })
}

fn wire(error: io::Error) -> EndpointError {
    EndpointError::Wire(error.to_string())
}
