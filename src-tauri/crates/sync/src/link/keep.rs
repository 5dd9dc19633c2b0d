//! Keeps a link in step from now on.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

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
        let (mut wanted, mut waits) = (Wanted::everything(), Waits::default());
        let mut next = Next::at(interval);
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
            if let Some(Due {
                dirty,
                consent,
                waiting,
            }) = wanted.due()
            {
                let cycle = self.cycle(&dirty, consent);
                next = waits.next(&cycle, interval);
                let flow = tell(&cycle);
                waiting.into_iter().for_each(|heard| heard(&cycle));
                if flow.is_break() {
                    break;
                }
            }
            let after = match wanted.paused {
                true => interval,
                false => next.after,
            };
            match orders.recv_timeout(after) {
                Err(RecvTimeoutError::Timeout) => wanted.more(next.dirty.clone()),
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
            Order::Everything => self.more(Both::everything()),
            Order::Flush(heard) => {
                self.waiting.push(heard);
                self.more(Both::everything());
            }
            Order::Consent => {
                self.consent = true;
                self.more(Both::everything());
            }
            Order::Pause => self.paused = true,
            Order::Resume => {
                self.paused = false;
                self.more(Both::everything());
            }
            Order::Said(word) => {
                let at = CycleId((link.options.now)());
                link.audit(&Audit::word(word, at));
            }
            Order::Ask(question) => {
                let last = link.last;
                question(link);
                self.has_changed |= link.last != last;
                self.more(Both::default());
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

    /// What there is to do, unless it has to wait.
    fn due(&mut self) -> Option<Due> {
        if self.paused && self.waiting.is_empty() {
            return None;
        }
        Some(Due {
            dirty: self.dirty.take()?,
            consent: std::mem::take(&mut self.consent),
            waiting: std::mem::take(&mut self.waiting),
        })
    }
}

/// What is done when nothing happens.
struct Next {
    after: Duration,
    dirty: Both<Dirty>,
}

impl Next {
    /// Everything after a time.
    fn at(after: Duration) -> Self {
        let dirty = Both::everything();
        Self { after, dirty }
    }
}

/// How often the same came one after the other.
#[derive(Default)]
struct Waits {
    again: u32,
    failed: u32,
}

impl Waits {
    fn next(&mut self, cycle: &Result<Cycle, CycleError>, interval: Duration) -> Next {
        let failed = matches!(
            cycle,
            Err(CycleError::Look(..)
                | CycleError::Apply(..)
                | CycleError::Rules(_)
                | CycleError::Base(_))
        );
        let again = cycle.as_ref().is_ok_and(Cycle::met_changes);
        self.failed = if failed { self.failed + 1 } else { 0 };
        self.again = if again { self.again + 1 } else { 0 };
        match () {
            () if failed => Next::at(doubled(BACKOFF, self.failed)),
            () if again => Next {
                after: doubled(AGAIN, self.again),
                // The link knows the places itself.
                dirty: Both::default(),
            },
            () => Next::at(interval),
        }
    }
}

fn doubled((first, longest): (Duration, Duration), times: u32) -> Duration {
    let factor = 1_u32.checked_shl(times - 1).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = [1, 2, 3, 7, 40].map(|times| doubled(AGAIN, times).as_millis());
        assert_eq!(waits, [20, 40, 80, 1000, 1000]);
    }
}
