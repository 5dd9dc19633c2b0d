//! What a keeper, its link's thread and those who ask have in common.

use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mizzen_sessions::Flushed;
use mizzen_sync::told::{Progress, Stand, State, Trouble};
use mizzen_sync::{Cycle, CycleError, Link, Order, Word};
use tokio::sync::{Notify, oneshot, watch};

use super::standing;
use crate::view::SyncView;
use crate::world::Clock;

/// How long a wire that is being made again is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// A file that somebody is writing is looked at again; one that is always written to stays as it is.
const CYCLES: u32 = 4;

/// Where its link stands.
#[derive(Clone, Debug)]
enum At {
    /// There is no wire.
    Offline,
    /// Both sides are being joined.
    Opening,
    /// It is kept, and takes orders.
    Kept(mpsc::Sender<Order>),
    /// It could not be kept, for this reason; tried again.
    Failed(String),
}

/// One workspace that is kept.
pub(super) struct Shared {
    pub(super) session: String,
    pub(super) key: String,
    /// Tells the keeper to try now.
    pub(super) retry: Notify,
    clock: Clock,
    at: watch::Sender<At>,
    stand: watch::Sender<Stand>,
    /// A std lock: held for a moment, never across an await.
    now: Mutex<Now>,
}

/// What has to be known at once.
struct Now {
    is_paused: bool,
    /// Which link is the one that counts: the last words of an earlier one are not heard.
    turn: u64,
}

impl Shared {
    pub(super) fn new(session: String, key: String, clock: Clock, is_paused: bool) -> Self {
        Self {
            session,
            key,
            retry: Notify::new(),
            clock,
            at: watch::Sender::new(At::Opening),
            stand: watch::Sender::new(Stand::new(State::Starting)),
            now: Mutex::new(Now { is_paused, turn: 0 }),
        }
    }

    /// How it stands.
    pub(super) fn view(&self) -> SyncView {
        // RACE: one lock after the other. A cycle that ends takes them the other way round.
        let paused = self.is_paused();
        standing::view(&self.stand.borrow(), paused)
    }

    /// Told whenever it stands in another way.
    pub(super) fn changes(&self) -> watch::Receiver<Stand> {
        self.stand.subscribe()
    }

    /// What to do when the container does not serve.
    pub(super) fn restart_hint(&self) -> String {
        format!("Restart the session: mizzen restart {}", self.session)
    }

    /// A wire stands, and both sides are being joined. The answer tells this link from others.
    pub(super) fn begins(&self) -> u64 {
        let turn = self.takes_turn();
        self.at.send_replace(At::Opening);
        self.change(Stand::begun);
        turn
    }

    /// The link has ended, and another one follows soon.
    pub(super) fn lets_go(&self) {
        self.takes_turn();
        self.at.send_replace(At::Opening);
    }

    /// The wire has ended.
    pub(super) fn goes_offline(&self) {
        self.takes_turn();
        self.at.send_replace(At::Offline);
        self.change(|stand| Stand {
            state: State::Offline,
            progress: None,
            ..stand.clone()
        });
    }

    /// Both sides are joined.
    pub(super) fn is_kept(&self, turn: u64, orders: &mpsc::Sender<Order>) {
        // RACE: under this lock a pause goes to this link or is seen here.
        let now = self.now();
        if now.turn != turn {
            return;
        }
        if now.is_paused {
            let _ended = orders.send(Order::Pause);
        }
        self.at.send_replace(At::Kept(orders.clone()));
    }

    /// It cannot be kept.
    pub(super) fn fails(&self, trouble: &Trouble) {
        self.takes_turn();
        self.change(|stand| stand.failed(trouble.clone()));
        let reason = standing::reason(trouble);
        self.at.send_replace(At::Failed(reason));
    }

    /// A cycle has come so far.
    pub(super) fn comes_along(&self, turn: u64, progress: Progress) {
        let now = self.now();
        if now.turn == turn {
            self.change(|stand| stand.carrying(progress));
        }
    }

    /// A cycle has ended.
    pub(super) fn hears(&self, turn: u64, cycle: &Result<Cycle, CycleError>) {
        let now = self.now();
        if now.turn != turn {
            return;
        }
        if let Err(error) = cycle {
            tracing::info!(session = self.session, %error, "a cycle did not come to its end");
        }
        let at = (self.clock)();
        let agree = standing::agree(&self.session);
        self.change(|stand| stand.after(cycle, &agree, at));
    }

    /// A person wants it to pause, or to go on.
    pub(super) fn pauses(&self, paused: bool) {
        let mut now = self.now();
        now.is_paused = paused;
        let (word, order) = match paused {
            true => (Word::Pause, Order::Pause),
            false => (Word::Resume, Order::Resume),
        };
        self.orders(Order::Said(word));
        self.orders(order);
    }

    /// Tells the link, when there is one.
    pub(super) fn orders(&self, order: Order) {
        if let At::Kept(orders) = &*self.at.borrow() {
            let _ended = orders.send(order);
        }
    }

    /// The same as [`Self::flush`], unless a person does not want that anything is carried.
    pub(super) async fn flush_unless_paused(&self) -> Flushed {
        if self.is_paused() {
            let hint = format!("mizzen sync resume {}", self.session);
            return Flushed::Failed(format!("Sync is paused. Go on with it: {hint}"));
        }
        match self.flush().await {
            Ok(said) => Flushed::Carried {
                said,
                only_there: standing::only_there(&self.stand.borrow()),
            },
            Err(why) => Flushed::Failed(why),
        }
    }

    /// Looks at everything, until nothing changes under our hands; says what that came to, or why it did not.
    pub(super) async fn flush(&self) -> Result<String, String> {
        let (mut to_host, mut to_container) = (0, 0);
        for _ in 0..CYCLES {
            let (host, container, again) = self.flush_once().await?;
            to_host += host;
            to_container += container;
            if !again {
                break;
            }
        }
        let carried = Some((to_host, to_container));
        Ok(self.stand.borrow().said(carried))
    }

    async fn flush_once(&self) -> Result<(u32, u32, bool), String> {
        let mut at = self.at.subscribe();
        loop {
            let orders = link(&mut at).await?;
            let (tell, told) = oneshot::channel();
            let session = self.session.clone();
            let heard = move |cycle: &Result<Cycle, CycleError>| {
                let came_to = match cycle {
                    Ok(cycle) => {
                        let (host, container) = cycle.carried();
                        Ok((host, container, cycle.met_changes()))
                    }
                    Err(error) => {
                        let trouble = Trouble::of(error, &standing::agree(&session));
                        Err(standing::reason(&trouble))
                    }
                };
                let _nobody_waits = tell.send(came_to);
            };
            let _ended = orders.send(Order::Flush(Box::new(heard)));
            if let Ok(came_to) = told.await {
                return came_to;
            }
            // RACE: the link has ended before it came to it. There is another one soon, or a reason why not.
            let _changed = at.changed().await;
        }
    }

    /// Asks the link something; why there is none to ask, in a sentence.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Link) -> T + Send + 'static,
    ) -> Result<T, String> {
        let orders = link(&mut self.at.subscribe()).await?;
        let (tell, told) = oneshot::channel();
        let ask = move |link: &mut Link| {
            let _nobody_waits = tell.send(question(link));
        };
        let _ended = orders.send(Order::Ask(Box::new(ask)));
        told.await
            .map_err(|_| "The connection to the container was lost meanwhile.".to_owned())
    }

    fn is_paused(&self) -> bool {
        self.now().is_paused
    }

    fn takes_turn(&self) -> u64 {
        let mut now = self.now();
        now.turn += 1;
        now.turn
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, next: impl FnOnce(&Stand) -> Stand) {
        self.stand.send_if_modified(|stand| {
            let next = next(stand);
            let differs = *stand != next;
            *stand = next;
            differs
        });
    }
}

/// Waits for a link that is kept.
async fn link(at: &mut watch::Receiver<At>) -> Result<mpsc::Sender<Order>, String> {
    loop {
        let offline = match &*at.borrow_and_update() {
            At::Kept(orders) => return Ok(orders.clone()),
            At::Failed(why) => return Err(why.clone()),
            At::Offline => true,
            At::Opening => false,
        };
        let changed = at.changed();
        if !offline {
            let _changed = changed.await;
        } else if tokio::time::timeout(PATIENCE, changed).await.is_err() {
            return Err("There is no connection to the container.".to_owned());
        }
    }
}
