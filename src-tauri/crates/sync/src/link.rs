//! Two sides kept in step, cycle by cycle: look, decide, carry out, remember.

mod ask;
mod conflicts;
mod cycle;
mod folders;
mod guard;
mod journal;
mod keep;
mod leaving;
mod look;
mod merge;
mod past;
mod progress;
mod remember;
mod room;
mod rules;
#[cfg(unix)]
#[cfg(test)]
mod tests;
#[expect(
    clippy::duplicate_mod,
    reason = "what holds for two folders holds over a wire"
)]
#[cfg(unix)]
#[cfg(test)]
#[path = "link/tests.rs"]
mod tests_over_a_wire;
mod texts;
mod why;

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use mizzen_sync_core::{
    Brake, FOLDER_NAMES, FolderNames, Halt, Mode, Node, Outcome, RelPath, Side, reconcile_leaving,
    tripwires,
};

use crate::apply::Applied;
use crate::base::{BaseStore, TextStore};
use crate::endpoint::{Endpoint, EndpointError, Looked, Wake};
use crate::root::RootId;
use crate::scan::Dirty;
use crate::settings::SyncSettings;
use crate::told::Progress;
use crate::trash::CycleId;

pub use ask::AskError;
pub use conflicts::{Keep, Resolved, UnknownKeep};
pub use cycle::{Cycle, CycleError, Took};
pub(crate) use folders::RETENTION;
pub use folders::{End, Folders, FoldersError, Joining};
pub use journal::Journal;
pub use keep::{Asking, Heard, Order, Word};
pub use past::{PastCycle, Undone};
pub use rules::Ruler;
pub use why::Standing;

use journal::Audit;
use merge::Merged;
use progress::{Carrying, Tell};
use room::Room;
use texts::Texts;

/// One for each side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Both<T> {
    /// The person's machine.
    pub host: T,
    /// The session's container.
    pub container: T,
}

impl<T> Both<T> {
    /// One of them.
    pub fn of(&mut self, side: Side) -> &mut T {
        match side {
            Side::Host => &mut self.host,
            Side::Container => &mut self.container,
        }
    }
}

impl Both<Dirty> {
    /// All of both sides.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            host: Dirty::All,
            container: Dirty::All,
        }
    }
}

/// What a link decides by.
#[derive(Clone, Copy, Debug)]
pub struct LinkOptions {
    /// Which side's changes go where.
    pub mode: Mode,
    /// What is not done before a person has agreed.
    pub brake: Brake,
    /// Whether a person is asked before the side that does not say what is carried loosens the rules: it is not trusted.
    pub guards_rules: bool,
    /// The time, in nanoseconds since 1970: cycles are called by it.
    pub now: fn() -> i64,
    /// What people call the two folders.
    pub names: FolderNames,
}

impl LinkOptions {
    /// As a project's settings say.
    #[must_use]
    pub fn of(settings: &SyncSettings, guards_rules: bool) -> Self {
        Self {
            mode: settings.mode.unwrap_or_default(),
            brake: Brake::default(),
            guards_rules,
            now: crate::now,
            names: FOLDER_NAMES,
        }
    }
}

/// Two sides, and what they last agreed on.
pub struct Link {
    sides: Both<Box<dyn Endpoint>>,
    seen: Both<Option<Looked>>,
    /// Places that are not as they were seen any more, by our own doing.
    stale: Both<Vec<RelPath>>,
    /// What the disks have said of their room; none when they are to be asked.
    rooms: Both<Option<Room>>,
    options: LinkOptions,
    store: BaseStore,
    texts: Texts,
    base: Option<Node>,
    rules: Option<Ruler>,
    /// How the last cycle is called.
    last: CycleId,
    /// Where the last cycle did not get further, and why.
    failed: Vec<(Side, RelPath, String)>,
    journal: Option<Journal>,
    /// What has come to the trusted side that tools run by themselves, and was not told yet.
    tripped: Vec<RelPath>,
    /// Who hears how far a cycle has come.
    tell: Option<Tell>,
}

impl Link {
    /// Joins two sides that last agreed on a base.
    #[must_use]
    pub fn new(
        sides: Both<Box<dyn Endpoint>>,
        options: LinkOptions,
        store: BaseStore,
        texts: TextStore,
        base: Option<Node>,
    ) -> Self {
        Self {
            sides,
            seen: Both::default(),
            stale: Both::default(),
            rooms: Both::default(),
            options,
            store,
            texts: Texts::new(texts),
            base,
            rules: None,
            last: CycleId(i64::MIN),
            failed: Vec::new(),
            journal: None,
            tripped: Vec::new(),
            tell: None,
        }
    }

    /// Writes down each cycle, and what a person asks of it, from now on.
    pub fn write_down(&mut self, journal: Journal) {
        self.journal = Some(journal);
    }

    /// Tells how far a cycle has come from now on, a few times a second, when it takes its time.
    pub fn tell_progress(&mut self, tell: impl Fn(Progress) + Send + Sync + 'static) {
        self.tell = Some(Arc::new(tell));
    }

    /// Looks at both sides by the rules of one of them from now on, as they are in each cycle.
    ///
    /// # Errors
    /// They cannot be read or are none, or a side cannot be reached.
    pub fn ruled_by(&mut self, ruler: impl Into<Ruler>) -> Result<(), CycleError> {
        let mut ruler = ruler.into();
        ruler.find(&mut self.sides)?;
        self.obey(ruler.texts())?;
        self.rules = Some(ruler);
        Ok(())
    }

    /// Hears of changes on both sides from now on: they are dirty in the next cycle without being named.
    ///
    /// # Errors
    /// A side cannot be watched.
    pub fn watch(&mut self, wake: &Wake) -> Result<(), EndpointError> {
        self.sides.host.watch(wake.clone())?;
        self.sides.container.watch(wake.clone())
    }

    /// Looks at what is dirty and decides what to do. Nothing is changed.
    ///
    /// # Errors
    /// A side cannot be looked at.
    pub fn plan(&mut self, dirty: &Both<Dirty>) -> Result<Outcome, CycleError> {
        self.look(dirty)?;
        self.heed_rules()?;
        let [host, container] = self.trees();
        let base = self.base.as_ref();
        let (mode, left) = (self.options.mode, self.store.left());
        let mut outcome = reconcile_leaving(base, [host, container], mode, left);
        if let (true, Some(rules)) = (self.options.guards_rules, &self.rules) {
            let contents = match rules.side {
                Side::Host => self.sides.container.contents(),
                Side::Container => self.sides.host.contents(),
            };
            let guarded = guard::Guarded {
                side: rules.side,
                rules: rules.texts(),
                contents: &*contents,
            };
            guarded.hold_back(&mut outcome, [base, host, container]);
        }
        Ok(outcome)
    }

    /// What would stop a cycle that is about to carry this out.
    ///
    /// # Errors
    /// A side cannot be reached.
    pub fn halt(&mut self, outcome: &Outcome) -> Result<Option<Halt>, CycleError> {
        let [host, container] = self.trees();
        let base = self.base.as_ref();
        let exchanged = self.store.exchanged(self.roots());
        let brake = self.options.brake;
        match brake.check(base, host, container, exchanged, outcome) {
            None => self.lacks_room(outcome),
            halt => Ok(halt),
        }
    }

    /// What people call the two folders.
    #[must_use]
    pub fn names(&self) -> FolderNames {
        self.options.names
    }

    /// Brings both sides in step, as far as they can be without a person. With `consent`, a person has agreed to
    /// whatever the brake would stop.
    ///
    /// # Errors
    /// It was stopped, or not everything could be carried out.
    pub fn cycle(&mut self, dirty: &Both<Dirty>, consent: bool) -> Result<Cycle, CycleError> {
        let mut cycle = Cycle::new(self.begin());
        cycle.is_whole = *dirty == Both::everything();
        let ended = self.run(&mut cycle, dirty, consent);
        if ended.is_err() {
            // A disk may have said no.
            self.rooms = Both::default();
        }
        let failures = cycle.failures();
        let failed =
            failures.map(|(side, failure)| (side, failure.path.clone(), failure.why.to_string()));
        self.failed = failed.collect();
        if let Some(journal) = &mut self.journal {
            journal.cycle(&cycle, ended.as_ref().err());
        }
        ended.map(|()| cycle)
    }

    fn run(
        &mut self,
        cycle: &mut Cycle,
        dirty: &Both<Dirty>,
        consent: bool,
    ) -> Result<(), CycleError> {
        let started = Instant::now();
        let planned = self.plan(dirty);
        cycle.took.looking = started.elapsed();
        let ended = planned.and_then(|outcome| self.carry_on(cycle, outcome, consent));
        cycle.took.whole = started.elapsed();
        ended
    }

    fn carry_on(
        &mut self,
        cycle: &mut Cycle,
        mut outcome: Outcome,
        consent: bool,
    ) -> Result<(), CycleError> {
        if let Some(halt) = self.halt(&outcome)? {
            if !consent {
                return Err(halt.into());
            }
            self.audit(&Audit::consent(cycle.id, halt));
        }
        let merged = Merged::of(&mut outcome, &self.texts, &self.sides);
        self.note_contested(cycle.id, &outcome);
        let carried_out = self.carry_out(&outcome, &merged, cycle);
        let left = self.leave(cycle, &outcome)?;
        outcome.agreed.extend(left);
        let on_both = |path: &RelPath| merged.is_at(path);
        self.note_tripwires(&cycle.applied);
        self.remember(&outcome.agreed, on_both, cycle)?;
        carried_out?;
        self.store.agreed_with(self.roots())?;
        cycle.tripwires = std::mem::take(&mut self.tripped);
        cycle.merged = merged.paths().cloned().collect();
        self.note_left(cycle, outcome);
        Ok(())
    }

    /// What is left to a person.
    fn note_left(&mut self, cycle: &mut Cycle, outcome: Outcome) {
        cycle.conflicts = outcome.conflicts;
        cycle.problems = outcome.problems;
        // Nobody tells when a file is at rest that was changed through memory.
        for problem in cycle
            .problems
            .iter()
            .filter(|it| cycle::is_being_written(it))
        {
            self.stale.of(problem.side).push(problem.path.clone());
        }
        for side in [Side::Host, Side::Container] {
            let Some(seen) = self.seen.of(side) else {
                continue;
            };
            *cycle.hashed.of(side) = std::mem::take(&mut seen.hashed);
            if side == Side::Container {
                cycle.withheld_there = seen.withheld.len();
            }
            cycle.withheld.append(&mut seen.withheld);
            cycle.polling.of(side).clone_from(&seen.polling);
        }
    }

    /// What a side that is not trusted has brought to the other one, also in a cycle that does not come to its end.
    fn note_tripwires(&mut self, applied: &Both<Applied>) {
        let trusted = self.rules.as_ref().map(|rules| rules.side);
        let Some(trusted) = trusted.filter(|_| self.options.guards_rules) else {
            return;
        };
        let came = match trusted {
            Side::Host => &applied.host.done,
            Side::Container => &applied.container.done,
        };
        for edit in came {
            if let Some(entry) = &edit.entry {
                tripwires(&edit.path, entry, &mut self.tripped);
            }
        }
    }

    /// How both sides stand: a cycle that carries nothing.
    fn regard(&mut self) -> Result<Cycle, CycleError> {
        let mut outcome = self.plan(&Both::default())?;
        if let Some(halt) = self.halt(&outcome)? {
            return Err(halt.into());
        }
        // Those that go together are no conflicts.
        let _ = Merged::of(&mut outcome, &self.texts, &self.sides);
        let mut cycle = Cycle::new(self.last);
        self.note_left(&mut cycle, outcome);
        Ok(cycle)
    }

    /// What both sides last agreed on.
    #[must_use]
    pub fn base(&self) -> Option<&Node> {
        self.base.as_ref()
    }

    /// Keeps what makes the next process cheap.
    pub fn rest(&mut self) {
        if let Some(rules) = &mut self.rules {
            rules.rest();
        }
        self.texts.rest();
        let Both { host, container } = &mut self.sides;
        thread::scope(|scope| {
            scope.spawn(|| container.rest());
            host.rest();
        });
    }

    fn audit(&mut self, audit: &Audit) {
        if let Some(journal) = &mut self.journal {
            journal.audit(audit);
        }
    }

    /// Names the next cycle: by the time, and after the last one whatever the clock says.
    fn begin(&mut self) -> CycleId {
        self.last = CycleId((self.options.now)()).max(self.last.next());
        self.last
    }

    fn roots(&self) -> [Option<RootId>; 2] {
        [&self.seen.host, &self.seen.container].map(|seen| seen.as_ref()?.root)
    }

    fn trees(&self) -> [Option<&Node>; 2] {
        [&self.seen.host, &self.seen.container].map(|seen| seen.as_ref()?.tree.as_ref())
    }

    fn carry_out(
        &mut self,
        outcome: &Outcome,
        merged: &Merged,
        cycle: &mut Cycle,
    ) -> Result<(), CycleError> {
        let carrying = Carrying::new(self.tell.clone(), outcome);
        let Both { host, container } = &mut self.sides;
        let plan = &outcome.host;
        let done = merged.carry(cycle.id, plan, &**container, &mut **host, &carrying);
        cycle.took(Side::Host, done)?;
        let plan = &outcome.container;
        let (base, contents) = (self.base.as_ref(), host.contents());
        let done = self.texts.keep_beside(base, plan, &*contents, || {
            merged.carry(cycle.id, plan, &**host, &mut **container, &carrying)
        });
        cycle.took(Side::Container, done)
    }
}
