//! One look at a status directory, and what of it is worth telling.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mizzen_fsx::{Mark, PathError, SafeDir, disk_without_events};
use mizzen_status::{Keep, Reading, STATUS_FILE, Status, read_status, sanitise};

use super::pulse::Pulse;
use super::{Heard, heard};

/// After a torn file, so many times.
const TORN: u32 = 3;
/// A file that is torn for so long will not be whole any more.
const FAULT: Duration = Duration::from_secs(15);
/// File systems tell times in steps, of two seconds at worst: what has stood for longer tells of every change to come.
const SETTLED: Duration = Duration::from_secs(3);
/// A report takes a while to arrive: a clock that differs by so many seconds more or less is the same clock.
const STEADY: u64 = 5;

/// Who looks at a status directory, and what was told of it. A look may wait for a disk and parses what a container
/// wrote, so the runtime's own threads never take one.
pub(crate) struct Looker {
    dir: SafeDir,
    uid: Option<u32>,
    /// Whether it lies on a disk that others may change without a word.
    is_far: bool,
    met: Met,
    /// Looks in a row that found a torn file, and when the first one did.
    torn: u32,
    torn_since: Option<Instant>,
    last_beat: Option<(Option<u64>, String)>,
    last_problem: String,
    told: Option<ToldReport>,
    pulse: Arc<Pulse>,
}

/// What a look came to.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing that anybody has to be told.
    Nothing,
    /// A file that may be on its way: to be looked at again soon.
    Torn,
    /// This is to be told.
    News(Box<Heard>),
}

/// The last report that was told.
struct ToldReport {
    heard: Heard,
    /// By how many seconds its clock was ahead; none without a time.
    ahead: Option<i64>,
    /// So was the one before it.
    is_confirmed: bool,
}

/// What the last look met.
#[derive(Default)]
struct Met {
    mark: Option<Mark>,
    since: Option<Instant>,
    /// It was read when its mark had settled.
    is_known: bool,
}

impl Met {
    /// Takes what stands there now; whether it is what was read, so that a look would find nothing new.
    fn again(&mut self, mark: Option<Mark>, now: Instant) -> bool {
        if mark.is_none() || mark != self.mark {
            *self = Self {
                mark,
                since: Some(now),
                is_known: false,
            };
        }
        self.is_known
    }

    /// It has been read since.
    fn read(&mut self, now: Instant) {
        let settled = self.since.is_some_and(|since| now >= since + SETTLED);
        self.is_known = self.mark.is_some() && settled;
    }
}

impl Looker {
    /// Opens a status directory. What it finds later is noted in the pulse.
    pub(crate) fn open(
        path: &Path,
        uid: Option<u32>,
        pulse: Arc<Pulse>,
    ) -> Result<Self, PathError> {
        let dir = SafeDir::open(path)?;
        Ok(Self {
            is_far: disk_without_events(path).is_some(),
            dir,
            uid,
            met: Met::default(),
            torn: 0,
            torn_since: None,
            last_beat: None,
            last_problem: String::new(),
            told: None,
            pulse,
        })
    }

    /// Whether a look may hang for as long as another machine does.
    pub(crate) fn is_far(&self) -> bool {
        self.is_far
    }

    /// Looks once, at this time of ours and by this clock on the wall.
    pub(crate) fn look(&mut self, now: Instant, wall: Timestamp) -> Found {
        // A disk of others may tell an old mark. Before it is read: what changes meanwhile has another at the next look.
        let is_near = !self.is_far;
        let mark = is_near.then(|| self.dir.mark(STATUS_FILE, 0, 0)).flatten();
        if self.met.again(mark, now) {
            return self.stays_torn(now);
        }
        let read = read_status(&self.dir, self.uid);
        self.met.read(now);
        if matches!(read, Reading::Keep(Keep::Torn)) {
            self.torn += 1;
            self.torn_since.get_or_insert(now);
        } else {
            (self.torn, self.torn_since) = (0, None);
        }
        match read {
            Reading::Good(status) => self.report(status, now, wall),
            Reading::Keep(Keep::Torn) if self.torn <= TORN => Found::Torn,
            Reading::Keep(Keep::Torn) => self.stays_torn(now),
            Reading::Absent => Found::Nothing,
            Reading::Keep(keep) => self.problem(&keep),
        }
    }

    /// One that stays torn is no more worth than any other that is not used.
    fn stays_torn(&mut self, now: Instant) -> Found {
        match self.torn_since {
            Some(since) if now >= since + FAULT => self.problem(&Keep::Torn),
            _ => Found::Nothing,
        }
    }

    /// What was found last was not heard: the next look tells it again.
    pub(crate) fn forget(&mut self) {
        self.met = Met::default();
        self.last_beat = None;
        self.last_problem.clear();
        self.told = None;
    }

    fn report(&mut self, status: Status, now: Instant, wall: Timestamp) -> Found {
        self.last_problem.clear();
        let beat = (status.beat().0, status.beat().1.to_owned());
        if self.last_beat.replace(beat.clone()) == Some(beat) {
            return Found::Nothing;
        }
        let was_silent = self.pulse.beats(now);
        let ahead = status
            .time()
            .map(|said| said.as_second().saturating_sub(wall.as_second()));
        let heard = heard(status);
        let is_as_told = self.told.as_ref().is_some_and(|it| it.is_as(&heard, ahead));
        // A change is told twice: some count only once two reports in a row say so.
        let is_known = is_as_told && self.told.as_ref().is_some_and(|it| it.is_confirmed);
        if is_known && !was_silent && !self.pulse.is_each_wanted() {
            return Found::Nothing;
        }
        self.told = Some(ToldReport {
            heard: heard.clone(),
            ahead,
            is_confirmed: is_as_told,
        });
        Found::News(Box::new(heard))
    }

    fn problem(&mut self, keep: &Keep) -> Found {
        let problem = format!("The container's status.json is not used: {keep}.");
        if problem == self.last_problem {
            return Found::Nothing;
        }
        let told = Heard::Problem(sanitise(&problem, 300));
        self.last_problem = problem;
        // The next good report ends it.
        self.told = None;
        Found::News(Box::new(told))
    }
}

impl ToldReport {
    /// Whether a report says nothing else, by the same clock.
    fn is_as(&self, heard: &Heard, ahead: Option<i64>) -> bool {
        let is_same_clock = match (self.ahead, ahead) {
            (Some(before), Some(now)) => before.abs_diff(now) <= STEADY,
            (before, now) => before == now,
        };
        is_same_clock && self.heard.says_the_same(heard)
    }
}
