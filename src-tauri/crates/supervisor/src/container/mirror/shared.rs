//! What the link's thread and those who ask have in common.

use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use mizzen_sync::told::{Answer, Progress, Stand, State, Trouble};
use mizzen_sync::{Because, Cycle, CycleError, Link, Order, Question, Refusal, Word};
use tokio::sync::{oneshot, watch};

use super::AGREE;

/// A file that somebody is writing is looked at again; one that is always written to stays as it is.
const CYCLES: u32 = 4;

pub(super) struct Shared {
    stand: watch::Sender<Stand>,
    /// Wakes the keeper while it waits before another attempt.
    retry: mpsc::Sender<()>,
    /// Locked for a moment, never across an await.
    now: Mutex<Now>,
}

struct Now {
    is_paused: bool,
    is_ending: bool,
    /// Takes the link's orders while it is kept.
    orders: Option<mpsc::Sender<Order>>,
    /// As it would stand without a pause.
    stand: Stand,
}

impl Shared {
    pub(super) fn new(retry: mpsc::Sender<()>, is_paused: bool) -> Self {
        let stand = Stand::new(State::Starting);
        let shown = if is_paused {
            stand.paused()
        } else {
            stand.clone()
        };
        Self {
            stand: watch::Sender::new(shown),
            retry,
            now: Mutex::new(Now {
                is_paused,
                is_ending: false,
                orders: None,
                stand,
            }),
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Stand> {
        self.stand.subscribe()
    }

    pub(super) fn stand(&self) -> Stand {
        self.stand.borrow().clone()
    }

    pub(super) fn is_paused(&self) -> bool {
        self.now().is_paused
    }

    pub(super) fn is_ending(&self) -> bool {
        self.now().is_ending
    }

    /// Both folders are joined.
    pub(super) fn is_kept(&self, orders: &mpsc::Sender<Order>) {
        let mut now = self.now();
        if now.is_paused {
            let _ended = orders.send(Order::Pause);
        }
        // RACE: it was to end while both were joined.
        if now.is_ending {
            let _ended = orders.send(Order::Stop);
        }
        now.orders = Some(orders.clone());
        now.stand = now.stand.begun();
    }

    /// They cannot be kept for this reason; tried again.
    pub(super) fn fails(&self, trouble: Trouble) {
        self.now().orders = None;
        self.change(|stand| stand.failed(trouble));
    }

    /// The link has ended.
    pub(super) fn lets_go(&self) {
        self.now().orders = None;
    }

    /// A cycle has come so far.
    pub(super) fn comes_along(&self, progress: Progress) {
        self.change(|stand| stand.carrying(progress));
    }

    /// A cycle has ended.
    pub(super) fn hears(&self, cycle: &Result<Cycle, CycleError>) {
        self.change(|stand| stand.after(cycle, AGREE, Timestamp::now()));
    }

    pub(super) fn pauses(&self, paused: bool) {
        let mut now = self.now();
        now.is_paused = paused;
        let (word, order) = match paused {
            true => (Word::Pause, Order::Pause),
            false => (Word::Resume, Order::Resume),
        };
        if let Some(orders) = &now.orders {
            let _ended = orders.send(Order::Said(word));
            let _ended = orders.send(order);
        }
        drop(now);
        self.change(Stand::clone);
    }

    pub(super) fn ends(&self) {
        let mut now = self.now();
        now.is_ending = true;
        if let Some(orders) = &now.orders {
            let _ended = orders.send(Order::Stop);
        }
        let _ended = self.retry.send(());
    }

    /// A person wants everything looked at now.
    pub(super) fn is_flushed(&self) {
        if let Some(orders) = &self.now().orders {
            let _ended = orders.send(Order::Said(Word::Flush));
        }
    }

    /// A person agrees to what has stopped it.
    pub(super) fn consents(&self) {
        if let Some(orders) = &self.now().orders {
            let _ended = orders.send(Order::Consent);
        }
    }

    /// Looks at everything soon; nobody waits for it.
    pub(super) fn looks_again(&self) -> Result<(), Refusal> {
        self.order(Order::Flush(Box::new(|_| ())))
    }

    /// Looks at everything, until nothing changes under our hands; says what that came to.
    pub(super) async fn flush(&self) -> Result<String, Refusal> {
        let (mut to_host, mut to_container) = (0, 0);
        for _ in 0..CYCLES {
            let (tell, told) = oneshot::channel();
            let heard = move |cycle: &Result<Cycle, CycleError>| {
                let came_to = match cycle {
                    Ok(cycle) => Ok((cycle.carried(), cycle.met_changes())),
                    Err(CycleError::Halted(halt)) => {
                        Err(Refusal::new(halt.into(), halt.to_string()))
                    }
                    Err(error) => Err(Refusal::new(Because::Failed, error.to_string())),
                };
                let _nobody_waits = tell.send(came_to);
            };
            self.order(Order::Flush(Box::new(heard)))?;
            let ((host, container), again) = told.await.map_err(|_| ended())??;
            to_host += host;
            to_container += container;
            if !again {
                break;
            }
        }
        Ok(self.now().stand.said(Some((to_host, to_container))))
    }

    /// Asks the link, between two cycles.
    pub(super) async fn ask(&self, question: Question) -> Result<Answer, Refusal> {
        let (tell, told) = oneshot::channel();
        let ask = move |link: &mut Link| {
            let _nobody_waits = tell.send(mizzen_sync::answer(link, &question));
        };
        self.order(Order::Ask(Box::new(ask)))?;
        told.await.map_err(|_| ended())?
    }

    fn order(&self, order: Order) -> Result<(), Refusal> {
        let now = self.now();
        if let Some(orders) = &now.orders
            && orders.send(order).is_ok()
        {
            return Ok(());
        }
        // Why there is none may be over by now.
        let _ended = self.retry.send(());
        let why = now.stand.trouble.as_ref();
        let why = why.map_or("both folders are being joined", |trouble| &trouble.reason);
        Err(Refusal::new(Because::NoLink, why.trim_end_matches('.')))
    }

    fn change(&self, next: impl FnOnce(&Stand) -> Stand) {
        let mut now = self.now();
        now.stand = next(&now.stand);
        let shown = match now.is_paused {
            true => now.stand.paused(),
            false => now.stand.clone(),
        };
        self.stand.send_if_modified(|stand| {
            let differs = *stand != shown;
            *stand = shown;
            differs
        });
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RACE: the link ended before it came to what was asked.
fn ended() -> Refusal {
    Refusal::new(Because::NoLink, "the link has ended meanwhile")
}
