//! A folder at the other end of a stream of bytes: in a container, mostly.
//!
//! One end asks, the other, which [`serve`]s a folder of its own, answers, and in between says that the folder has
//! changed. Trees go over as what is new of them; contents go over in the order in which they are written.
//!
//! Invariant: what the other end says can make its own side wrong, and nothing else. Trees are passed through the rules
//! again, contents are handed over only as far as a plan has them, and what was carried out of a plan is told by its
//! places: what stands there says the plan.

mod delta;
mod far;
mod few;
mod frames;
mod inbox;
mod learnt;
mod message;
mod outcome;
mod pack;
mod place;
mod refused;
mod serve;
mod supply;
#[cfg(unix)]
#[cfg(test)]
mod tests;
mod texts;
mod wanted;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use mizzen_sync_core::{File, Node, Plan, RelPath, RuleTexts, Rules};

use super::{Endpoint, EndpointError, Looked, TakeBack, TakenBack, Wake};
use crate::apply::{Applied, ApplyError, Contents, all_new};
use crate::root::RootId;
use crate::scan::Dirty;
use crate::trash::{CycleId, Past, Recall};

pub use far::{Far, FarFolder};
pub use message::OpenSide;
pub use serve::{ServeOptions, serve};

use frames::{Frame, senseless};
use inbox::News;
use learnt::Learnt;
use message::{Ask, Done, Gone, Told};
use outcome::{applied, taken_back};
use place::{Place, changed, paths, places};
use refused::shown;
use supply::{Line, Pulled, lock, push};
use texts::Texts;
use wanted::{Asked, asked};

/// So often is a file asked for at most: for what is new of it, for all of it where that does not come out, and again
/// where it changed meanwhile.
const ASKED_MAX: u8 = 8;

/// A folder that is served at the other end of a stream.
pub struct RemoteEndpoint {
    line: Mutex<Line>,
    news: Arc<News>,
    path: PathBuf,
    /// What the other end has told.
    learnt: Learnt,
    watched: bool,
    polling: Option<String>,
    root: Option<RootId>,
    /// Whether the other end has looked since it told its rules.
    has_looked: bool,
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
        Far::new(from, to)?.open(side)
    }

    fn ask(&self, ask: &Ask) -> Result<Told, EndpointError> {
        asked_of(&mut lock(&self.line), ask)
    }

    /// Asks for something that has no answer but that it was done.
    fn do_it(&self, ask: &Ask) -> Result<(), EndpointError> {
        match self.ask(ask)? {
            Told::Done => Ok(()),
            Told::Refused(refused) => Err(refused.into()),
            _ => Err(wire(senseless("another answer than to the question"))),
        }
    }

    /// What was seen, without a question: nothing was told to have changed since.
    fn as_before(&self) -> Looked {
        Looked {
            tree: self.learnt.tree().cloned(),
            polling: self.polling.clone(),
            root: self.root,
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
        let mut allowed = Allowed::by(plan);
        let mut supplier = contents.supplier();
        let mut line = lock(&self.line);
        let changes = changed(plan);
        line.to.message(&Ask::Apply { cycle, changes })?;
        loop {
            match answer(&mut line)? {
                Told::Want(wanted) => {
                    let asked = asked(wanted)?;
                    allowed.check(&asked)?;
                    if contents.is_far() {
                        contents.expect(asked.iter().map(Asked::wish).collect());
                    }
                    push(&mut *supplier, &asked, &line.to)?;
                }
                Told::Applied(done) => return Ok(done),
                _ => return Err(senseless("another answer than to the question")),
            }
        }
    }
}

impl Endpoint for RemoteEndpoint {
    fn obey(&mut self, rules: &RuleTexts) -> Result<(), EndpointError> {
        self.learnt
            .obey(Rules::new(rules).map_err(EndpointError::Rule)?);
        self.do_it(&Ask::Obey(Texts::from(rules)))
    }

    fn rules(
        &mut self,
        profile: Option<&str>,
        anew: bool,
    ) -> Result<Option<RuleTexts>, EndpointError> {
        if !anew && !std::mem::take(&mut self.has_looked) {
            return Ok(None);
        }
        let profile = profile.map(str::to_owned);
        match self.ask(&Ask::Rules { profile, anew })? {
            Told::Rules(texts) => texts.map(Texts::rules).transpose().map_err(wire),
            Told::Refused(refused) => Err(refused.into()),
            _ => Err(wire(senseless("another answer than to the question"))),
        }
    }

    fn watch(&mut self, wake: Wake) -> Result<(), EndpointError> {
        self.news.tell(wake);
        self.do_it(&Ask::Watch)?;
        self.watched = true;
        Ok(())
    }

    fn look(&mut self, dirty: &Dirty, base: Option<&Node>) -> Result<Looked, EndpointError> {
        let has_changed = self.news.take();
        if self.learnt.is_whole() && self.watched && !has_changed && dirty.is_empty() {
            return Ok(self.as_before());
        }
        let ask = Ask::Look {
            dirty: places(&dirty.places()),
            whole: !self.learnt.is_whole(),
        };
        let view = match self.ask(&ask)? {
            Told::Looked(view) => view,
            Told::Refused(refused) => return Err(refused.into()),
            _ => return Err(wire(senseless("another answer than to the question"))),
        };
        if !view.stands {
            return Ok(Looked::default());
        }
        self.learnt.take(&view).map_err(wire)?;
        self.has_looked = true;
        self.polling = view.polling.as_deref().map(shown);
        self.root = view.root;
        if let Some(base) = base {
            self.learnt.share(base);
        }
        Ok(Looked {
            hashed: view.hashed,
            withheld: paths(&view.withheld).map_err(wire)?,
            // The other end's own disk is a container's.
            has_one_mode: false,
            ..self.as_before()
        })
    }

    fn is_quiet(&self) -> bool {
        self.learnt.is_whole() && self.watched && !self.news.is_there()
    }

    fn room(&self) -> Result<Option<u64>, EndpointError> {
        match self.ask(&Ask::Room)? {
            Told::Room(room) => Ok(room),
            Told::Refused(refused) => Err(refused.into()),
            _ => Err(wire(senseless("another answer than to the question"))),
        }
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

/// What a plan has contents for, and how often the other end may still ask for each file.
struct Allowed(HashMap<RelPath, (File, u8)>);

impl Allowed {
    fn by(plan: &Plan) -> Self {
        let files = all_new(plan).into_iter();
        Self(
            files
                .map(|(path, file)| (path, (file, ASKED_MAX)))
                .collect(),
        )
    }

    fn check(&mut self, asked: &[Asked]) -> io::Result<()> {
        if asked.is_empty() {
            return Err(senseless("it asks for nothing"));
        }
        for Asked { path, file, .. } in asked {
            match self.0.get_mut(path) {
                Some((_, 0)) => return Err(senseless("it asks for the same again and again")),
                Some((allowed, left)) if allowed == file => *left -= 1,
                _ => return Err(senseless("it asks for what is not in the plan")),
            }
        }
        Ok(())
    }
}

/// Asks the other end, and waits for the answer.
fn asked_of(line: &mut Line, ask: &Ask) -> Result<Told, EndpointError> {
    line.to.message(ask).map_err(wire)?;
    answer(line).map_err(wire)
}

/// The next answer.
fn answer(line: &mut Line) -> io::Result<Told> {
    loop {
        match line.frames.next()? {
            Frame::Message(bytes) => return postcard::from_bytes(&bytes).map_err(senseless),
            Frame::Alive | Frame::Changed => {}
            Frame::Piece(_) | Frame::Packed(_) | Frame::Run(_) | Frame::End(_) => {
                return Err(senseless("contents for an answer"));
            }
        }
    }
}

fn wire(error: io::Error) -> EndpointError {
    EndpointError::Wire(error.to_string())
}
