//! Keeps a link in step from now on.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::journal::Audit;
use super::{Both, Cycle, CycleError, Link};
use crate::endpoint::{EndpointError, Wake};
use crate::scan::Dirty;
use crate::trash::CycleId;

/// The first wait before what changed under our hands is looked at again, and the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// The same after a failure.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Hears what a cycle came to.
pub type Heard = Box<dyn FnOnce(&Result<Cycle, CycleError>) + Send>;

/// Asks something of a link between two cycles.
pub type Asking = Box<dyn FnOnce(&mut Link) + Send>;

/// What was asked of a link as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// To carry nothing for now.
    Pause,
    /// To go on.
    Resume,
    /// To look at everything now.
    Flush,
}

/// What a link is told while it is kept.
pub enum Order {
    /// A side has changed.
    Changed,
    /// Everything is to be looked at now.
    Everything,
    /// The same, and somebody waits until the cycle is over. It comes about in a pause as well.
    Flush(Heard),
    /// A person has agreed to what stopped it.
    Consent,
    /// Nothing is to be done until it is to go on.
    Pause,
    /// It is to go on.
    Resume,
    /// Somebody has asked for this, which another order brings about: it is written down.
    Said(Word),
    /// Somebody has a question, or a wish. It is heard in a pause as well; what comes of it goes over in the next cycle.
    Ask(Asking),
    /// It is enough.
    Stop,
}

impl Order {
    /// A question, and where its answer comes.
    #[must_use]
    pub fn ask<T: Send + 'static>(
        question: impl FnOnce(&mut Link) -> T + Send + 'static,
    ) -> (Self, Receiver<T>) {
        let (answer, answers) = mpsc::sync_channel(1);
        let ask = move |link: &mut Link| {
            // Who asked may be gone by now.
            let _ = answer.send(question(link));
        };
        (Self::Ask(Box::new(ask)), answers)
    }

    /// Everything now, and where it is told what became of it, when there was a cycle at all.
    #[must_use]
    pub fn flush<T: Send + 'static>(
        tell: impl FnOnce(&Result<Cycle, CycleError>) -> T + Send + 'static,
    ) -> (Self, Receiver<T>) {
        let (answer, answers) = mpsc::sync_channel(1);
        let heard = move |cycle: &Result<Cycle, CycleError>| {
            let _ = answer.send(tell(cycle));
        };
        (Self::Flush(Box::new(heard)), answers)
    }
}

impl Link {
    /// Brings both sides in step whenever one changes, and looks at everything every `interval`, until it is told to
    /// stop or `tell` breaks off. `tell` hears of each cycle, before those who wait for it, and in a pause of
    /// how both sides stand when a person has changed that; `ordered` and `orders` are the
    /// two ends of one channel, in which orders may stand already.
    ///
    /// # Errors
    /// A side cannot be watched.
    pub fn keep(
        &mut self,
        interval: Duration,
        ordered: &Sender<Order>,
        orders: &Receiver<Order>,
        mut tell: impl FnMut(&Result<Cycle, CycleError>) -> ControlFlow<()>,
    ) -> Result<(), EndpointError> {
        let changed = ordered.clone();
        // Nobody is there to be told when the link is not kept any more.
        let wake: Wake = Arc::new(move || {
            let _ = changed.send(Order::Changed);
        });
        self.watch(&wake)?;
        let (mut wanted, mut times) = (Wanted::everything(), Times::new(interval));
        loop {
            for order in orders.try_iter() {
                wanted.heed(order, self);
            }
            if wanted.stop {
                break;
            }
            // Nothing goes over in a pause, but what was decided is decided.
            if std::mem::take(&mut wanted.has_changed)
                && wanted.paused
                && tell(&self.regard()).is_break()
            {
                break;
            }
            let now = Instant::now();
            if !wanted.paused
                && let Some(dirty) = times.due(now)
            {
                wanted.ask(dirty);
            }
            if let Some(Due {
                dirty,
                consent,
                waiting,
            }) = wanted.due(times.holds(now))
            {
                let cycle = self.cycle(&dirty, consent);
                times.after(
                    CameTo::of(&cycle),
                    dirty == Both::everything(),
                    Instant::now(),
                );
                let flow = tell(&cycle);
                waiting.into_iter().for_each(|heard| heard(&cycle));
                if flow.is_break() {
                    break;
                }
            }
            let wait = match wanted.paused {
                true => interval,
                false => times.wait(Instant::now()),
            };
            match orders.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Ok(order) => wanted.heed(order, self),
            }
        }
        self.rest();
        Ok(())
    }
}

/// What has been ordered and is not done yet.
struct Wanted {
    /// What the next cycle looks at; none while there is no reason for one.
    dirty: Option<Both<Dirty>>,
    /// Whether there is another reason than that a side has changed.
    asked: bool,
    consent: bool,
    paused: bool,
    stop: bool,
    /// Whether what was asked has changed something.
    has_changed: bool,
    /// Who waits for the next cycle.
    waiting: Vec<Heard>,
}

/// What is done now.
struct Due {
    dirty: Both<Dirty>,
    consent: bool,
    waiting: Vec<Heard>,
}

impl Wanted {
    fn everything() -> Self {
        Self {
            dirty: Some(Both::everything()),
            asked: true,
            consent: false,
            paused: false,
            stop: false,
            has_changed: false,
            waiting: Vec::new(),
        }
    }

    fn heed(&mut self, order: Order, link: &mut Link) {
        match order {
            // The link knows the places itself.
            Order::Changed => self.more(Both::default()),
            Order::Everything => self.ask(Both::everything()),
            Order::Flush(heard) => {
                self.waiting.push(heard);
                self.ask(Both::everything());
            }
            Order::Consent => {
                self.consent = true;
                self.ask(Both::everything());
            }
            Order::Pause => self.paused = true,
            Order::Resume => {
                self.paused = false;
                self.ask(Both::everything());
            }
            Order::Said(word) => {
                let at = CycleId((link.options.now)());
                link.audit(&Audit::word(word, at));
            }
            Order::Ask(question) => {
                let last = link.last;
                question(link);
                self.has_changed |= link.last != last;
                self.ask(Both::default());
            }
            Order::Stop => self.stop = true,
        }
    }

    /// The next cycle looks at this as well.
    fn more(&mut self, dirty: Both<Dirty>) {
        let all = self.dirty.get_or_insert_default();
        all.host.merge(dirty.host);
        all.container.merge(dirty.container);
    }

    /// The same, at once.
    fn ask(&mut self, dirty: Both<Dirty>) {
        self.asked = true;
        self.more(dirty);
    }

    /// What there is to do, unless it has to wait; changes alone may have to.
    fn due(&mut self, holds_changes: bool) -> Option<Due> {
        if self.paused && self.waiting.is_empty() || holds_changes && !self.asked {
            return None;
        }
        let dirty = self.dirty.take()?;
        self.asked = false;
        Some(Due {
            dirty,
            consent: std::mem::take(&mut self.consent),
            waiting: std::mem::take(&mut self.waiting),
        })
    }
}

/// What a cycle came to, as far as the next one depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CameTo {
    ItsEnd,
    /// Something changed under our hands.
    Changes,
    Failure,
}

impl CameTo {
    fn of(cycle: &Result<Cycle, CycleError>) -> Self {
        match cycle {
            Ok(cycle) if cycle.met_changes() => Self::Changes,
            // A halt waits for a person.
            Ok(_) | Err(CycleError::Halted(_)) => Self::ItsEnd,
            Err(
                CycleError::Look(..)
                | CycleError::Apply(..)
                | CycleError::Rules(_)
                | CycleError::Base(_),
            ) => Self::Failure,
        }
    }
}

/// When cycles come about by themselves.
struct Times {
    interval: Duration,
    /// When everything is looked at, however busy a side is meanwhile; none when that is never.
    whole: Option<Instant>,
    /// When what failed, or changed under our hands, is looked at again.
    again: Option<(Instant, Both<Dirty>)>,
    /// Until then changes are no reason for a cycle: the last one failed, and the next may as well.
    held: Option<Instant>,
    /// How often the same came one after the other.
    changes: u32,
    failures: u32,
}

impl Times {
    fn new(interval: Duration) -> Self {
        Self {
            interval,
            whole: None,
            again: None,
            held: None,
            changes: 0,
            failures: 0,
        }
    }

    /// What there is to look at by now.
    fn due(&mut self, now: Instant) -> Option<Both<Dirty>> {
        self.held.take_if(|until| *until <= now);
        if self.whole.is_some_and(|at| at <= now) {
            return Some(Both::everything());
        }
        self.again.take_if(|(at, _)| *at <= now).map(|(_, it)| it)
    }

    fn holds(&self, now: Instant) -> bool {
        self.held.is_some_and(|until| now < until)
    }

    /// How long there is nothing to do, unless somebody asks.
    fn wait(&self, now: Instant) -> Duration {
        let again = self.again.as_ref().map(|(at, _)| *at);
        let next = [self.whole, again, self.held].into_iter().flatten().min();
        next.map_or(Duration::MAX, |at| at.saturating_duration_since(now))
    }

    fn after(&mut self, came_to: CameTo, was_whole: bool, now: Instant) {
        let counted = |times: u32, what| if came_to == what { times + 1 } else { 0 };
        self.changes = counted(self.changes, CameTo::Changes);
        self.failures = counted(self.failures, CameTo::Failure);
        if was_whole {
            self.whole = now.checked_add(self.interval);
        }
        self.again = match came_to {
            CameTo::ItsEnd => None,
            // The link knows the places itself.
            CameTo::Changes => Some((now + doubled(AGAIN, self.changes), Both::default())),
            CameTo::Failure => Some((now + doubled(BACKOFF, self.failures), Both::everything())),
        };
        self.held = (came_to == CameTo::Failure).then(|| now + BACKOFF.0);
    }
}

fn doubled((first, longest): (Duration, Duration), times: u32) -> Duration {
    let factor = 1_u32.checked_shl(times - 1).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn changes_do_not_put_off_the_look_at_everything() {
        let (mut times, start) = (Times::new(10 * SECOND), Instant::now());
        times.after(CameTo::ItsEnd, true, start);
        for second in 1..10 {
            let now = start + second * SECOND;
            assert_eq!(times.due(now), None);
            times.after(CameTo::ItsEnd, false, now);
            assert_eq!(times.wait(now), (10 - second) * SECOND);
        }
        assert_eq!(times.due(start + 10 * SECOND), Some(Both::everything()));
    }

    #[test]
    fn after_a_failure_changes_wait_for_a_moment_and_everything_for_longer_each_time() {
        let (mut times, mut now) = (Times::new(300 * SECOND), Instant::now());
        for wait in [1, 2, 4] {
            times.after(CameTo::Failure, true, now);
            assert!(times.holds(now));
            assert_eq!(times.wait(now), SECOND);
            let due = times.due(now + SECOND);
            assert!(!times.holds(now + SECOND));
            assert_eq!(due.is_some(), wait == 1);
            now += wait * SECOND;
            assert_eq!(due.or(times.due(now)), Some(Both::everything()));
        }
        times.after(CameTo::ItsEnd, false, now);
        assert!(!times.holds(now));
        assert_eq!(times.wait(now), 300 * SECOND - 4 * SECOND);
    }

    #[test]
    fn an_interval_without_an_end_is_waited_for_without_one() {
        let mut times = Times::new(Duration::MAX);
        times.after(CameTo::ItsEnd, true, Instant::now());
        assert_eq!(times.wait(Instant::now()), Duration::MAX);
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = [1, 2, 3, 7, 40].map(|times| doubled(AGAIN, times).as_millis());
        assert_eq!(waits, [20, 40, 80, 1000, 1000]);
    }
}
