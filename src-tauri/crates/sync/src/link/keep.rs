//! Keeps a link in step from now on.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use super::{Both, Cycle, CycleError, Link};
use crate::endpoint::{EndpointError, Wake};
use crate::scan::Dirty;

/// The first wait before what changed under our hands is looked at again, and the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// The same after a failure.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// What a link is told while it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// A side has changed.
    Changed,
    /// Everything is to be looked at now.
    Everything,
    /// A person has agreed to what stopped it.
    Consent,
    /// It is enough.
    Stop,
}

impl Link {
    /// Brings both sides in step whenever one changes, and looks at everything every `interval`, until it is told to
    /// stop or `tell` breaks off. `tell` hears of each cycle; `ordered` and `orders` are the two ends of one channel.
    ///
    /// # Errors
    /// A side cannot be watched.
    pub fn keep(
        &mut self,
        interval: Duration,
        ordered: &Sender<Order>,
        orders: &Receiver<Order>,
        mut tell: impl FnMut(Result<Cycle, CycleError>) -> ControlFlow<()>,
    ) -> Result<(), EndpointError> {
        let changed = ordered.clone();
        // Nobody is there to be told when the link is not kept any more.
        let wake: Wake = Arc::new(move || {
            let _ = changed.send(Order::Changed);
        });
        self.watch(&wake)?;
        let (mut dirty, mut waits) = (Both::everything(), Waits::default());
        let mut consent = orders.try_iter().any(|order| order == Order::Consent);
        loop {
            let cycle = self.cycle(&dirty, consent);
            consent = false;
            let next = waits.next(&cycle, interval);
            if tell(cycle).is_break() {
                break;
            }
            dirty = Both::default();
            match orders.recv_timeout(next.after) {
                Err(RecvTimeoutError::Timeout) => dirty = next.dirty,
                Err(RecvTimeoutError::Disconnected) => break,
                Ok(order) => {
                    let all = std::iter::once(order).chain(orders.try_iter());
                    let all: Vec<Order> = all.collect();
                    if all.contains(&Order::Stop) {
                        break;
                    }
                    consent = all.contains(&Order::Consent);
                    if all.iter().any(|order| *order != Order::Changed) {
                        dirty = Both::everything();
                    }
                }
            }
        }
        self.rest();
        Ok(())
    }
}

/// What is done when nothing happens.
struct Next {
    after: Duration,
    dirty: Both<Dirty>,
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
            () if failed => Next {
                after: doubled(BACKOFF, self.failed),
                dirty: Both::everything(),
            },
            () if again => Next {
                after: doubled(AGAIN, self.again),
                // The link knows the places itself.
                dirty: Both::default(),
            },
            () => Next {
                after: interval,
                dirty: Both::everything(),
            },
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
